"""Whom to tell about orders: read for every batch of orders that move, in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam

from oseo_lab.model.order import Callback, CallbackKind, StatusNotification
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, among_statements
from oseo_lab.store.values import pack, unpack

__all__ = ["Callbacks"]

_c = tables.callbacks.c
_COLUMNS = tuple(column.name for column in tables.callbacks.columns)
_TOLD = ("policy", "address", "message", "soap_version")
_KIND = {
    CallbackKind.SUBMIT_RESPONSE: 0,
    CallbackKind.CANCEL_RESPONSE: 1,
    CallbackKind.QUOTATION_RESPONSE: 2,
}
_KINDS = {number: kind for kind, number in _KIND.items()}
_POLICY = {StatusNotification.NONE: 0, StatusNotification.FINAL: 1, StatusNotification.ALL: 2}
_POLICIES = {number: policy for policy, number in _POLICY.items()}


def _save(insert: Any) -> Any:
    core = insert(tables.callbacks).values({name: bindparam(name) for name in _COLUMNS})
    told = {name: core.excluded[name] for name in _TOLD}
    return core.on_conflict_do_update(index_elements=[_c.order_ref, _c.kind], set_=told)


_SAVE = Statement(_save, *_COLUMNS)
_OF = among_statements(_c.order_ref, *(_c[name] for name in _COLUMNS))


class Callbacks:
    """`oseo_lab.ports.Callbacks` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, order_id: str, callback: Callback) -> None:
        """Save one; a second one of its kind replaces the first.

        Raises
        ------
        NotFound
            If there is no such order.
        """
        row = (
            self._session.known_refs((order_id,))[order_id],
            _KIND[callback.kind],
            _POLICY[callback.policy],
            callback.address,
            pack(callback.message_id),
            callback.soap_version,
        )
        self._session.run(_SAVE, row)

    def of_many(self, order_ids: Iterable[str]) -> dict[str, list[Callback]]:
        """Return the callbacks of several orders; orders without any are left out."""
        names = {ref: name for name, ref in self._session.order_refs(order_ids).items()}
        found: dict[str, dict[int, Callback]] = {}
        for row in self._session.among(_OF, names):
            found.setdefault(names[row[0]], {})[row[1]] = _callback(row)
        return {name: [kinds[kind] for kind in sorted(kinds)] for name, kinds in found.items()}


def _callback(row: Sequence[Any]) -> Callback:
    return Callback(
        kind=_KINDS[row[1]],
        policy=_POLICIES[row[2]],
        address=row[3],
        message_id=unpack(row[4]),
        soap_version=row[5],
    )
