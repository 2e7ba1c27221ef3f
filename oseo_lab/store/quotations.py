"""Quotations: what was asked, and what was answered, each as one compressed document.

What was asked never changes; the answer, the state and the order it became do. Passwords of on-line
addresses lie in a column of their own and card numbers nowhere, as for orders.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.errors import ValidationError
from oseo_lab.model.order import Callback, OrderSpecification
from oseo_lab.model.quotation import Quotation, QuotationMode, QuotationRecord, QuotationState
from oseo_lab.store import tables
from oseo_lab.store.documents import dump, load
from oseo_lab.store.item_records import condensed, expanded
from oseo_lab.store.order_records import secrets_of, with_secrets, without_secrets
from oseo_lab.store.session import Session, Statement, insert_of, limited, order_id_of, uuid_of
from oseo_lab.store.values import micros, moment_of, packed_or_none, unpacked_or_none

__all__ = ["Quotations"]

#: Fast; equal items compress to next to nothing all the same.
_LEVEL = 1

_q = tables.quotations.c
_COLUMNS = ("uuid", "owner", "state", "requested", "ordered", "specification", "secrets", "answer")
_RECORD = [_q[name] for name in _COLUMNS]
_STATE = {
    QuotationState.PENDING: 0,
    QuotationState.READY: 1,
    QuotationState.FAILED: 2,
    QuotationState.WAITING: 3,
}
_STATES = {number: state for state, number in _STATE.items()}

_ADD = Statement(insert_of(tables.quotations, _COLUMNS), *_COLUMNS)
_GET = Statement(sa.select(*_RECORD).where(_q.uuid == bindparam("uuid")), "uuid")
_OF = Statement(
    limited(sa.select(*_RECORD).where(_q.owner == bindparam("owner")).order_by(_q.id.desc())),
    "owner",
    "limit",
)
_PENDING = Statement(
    limited(sa.select(_q.uuid).where(_q.state == sa.literal_column("0")).order_by(_q.id)), "limit"
)
_WAITING = Statement(
    limited(sa.select(*_RECORD).where(_q.state == sa.literal_column("3")).order_by(_q.id)), "limit"
)
_UNANSWERED = Statement(
    sa.select(sa.func.count()).where(
        _q.owner == bindparam("owner"), _q.state.in_([sa.literal_column("0"), sa.literal_column("3")])
    ),
    "owner",
)
_SAVE = Statement(
    sa.update(tables.quotations)
    .values(state=bindparam("to_state"), ordered=bindparam("to_ordered"), answer=bindparam("to_answer"))
    .where(
        _q.uuid == bindparam("key"),
        _q.state == bindparam("was_state"),
        _q.ordered.is_not_distinct_from(bindparam("was_ordered", type_=sa.LargeBinary)),
    ),
    "to_state",
    "to_ordered",
    "to_answer",
    "key",
    "was_state",
    "was_ordered",
)

_FORGET = Statement(
    sa.delete(tables.quotations).where(_q.ordered.is_(None), _q.requested < bindparam("before")), "before"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What is told of a quotation, and how."""

    mode: QuotationMode = QuotationMode.SYNCHRONOUS
    quotation: Quotation | None = None
    partial: str | None = None
    problem: str | None = None
    callback: Callback | None = None


class Quotations:
    """`oseo_lab.ports.Quotations` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, record: QuotationRecord) -> None:
        """Save a new one.

        Raises
        ------
        Conflict
            If there is one of this id.
        ValidationError
            If its id is not ``urn:uuid:`` and a UUID in lower case.
        """
        identifier = uuid_of(record.quotation_id)
        if identifier is None:
            text = f"quotation id {record.quotation_id!r} is not urn:uuid: and a UUID in lower case"
            raise ValidationError(text, locator="quotationId")
        row = (
            identifier,
            self._session.ref(record.owner),
            _STATE[record.state],
            micros(record.requested),
            packed_or_none(record.order_id),
            _asked(record.specification),
            secrets_of(record.specification.delivery_information),
            _answer(record),
        )
        self._session.run(_ADD, row)

    def get(self, quotation_id: str, owner: str | None = None) -> QuotationRecord | None:
        """Return one; None where it is unknown or another owner's."""
        key = uuid_of(quotation_id)
        row = None if key is None else self._session.one(_GET, (key,))
        if row is None or (owner is not None and row[1] != self._session.find(owner)):
            return None
        return self._record(row)

    def of(self, owner: str, limit: int = 100) -> Iterator[QuotationRecord]:
        """Yield an owner's quotations, newest first; each may hold thousands of items."""
        ref = self._session.find(owner)
        rows = [] if ref is None else self._session.all(_OF, (ref, limit))
        return map(self._record, rows)

    def unanswered(self, owner: str) -> int:
        """Return how many of an owner's quotations are still to be made, by a program or a person."""
        ref = self._session.find(owner)
        row = None if ref is None else self._session.one(_UNANSWERED, (ref,))
        return 0 if row is None else int(row[0])

    def save(self, before: QuotationRecord, after: QuotationRecord) -> bool:
        """Save one if its state and order id are still those of ``before``.

        What was asked, by whom and when stays as it was added.
        """
        values = (
            _STATE[after.state],
            packed_or_none(after.order_id),
            _answer(after),
            uuid_of(before.quotation_id),
            _STATE[before.state],
            packed_or_none(before.order_id),
        )
        return self._session.run(_SAVE, values) == 1

    def pending(self, limit: int = 100) -> list[str]:
        """Return the ids of those still to be made, oldest first."""
        return [order_id_of(row[0]) for row in self._session.all(_PENDING, (limit,))]

    def waiting(self, limit: int = 100) -> Iterator[QuotationRecord]:
        """Yield those that wait for a person's answer, oldest first."""
        return map(self._record, self._session.all(_WAITING, (limit,)))

    def forget(self, before: datetime) -> int:
        """Forget what was asked for before a moment and never ordered; return how many."""
        return self._session.run(_FORGET, (micros(before),))

    def _record(self, row: Sequence[Any]) -> QuotationRecord:
        specification = _specification(row[5])
        information = with_secrets(specification.delivery_information, row[6])
        answer = load(_Answer, zlib.decompress(row[7]).decode())
        return QuotationRecord(
            quotation_id=order_id_of(row[0]),
            owner=self._session.text(row[1]) or "",
            specification=replace(specification, delivery_information=information),
            state=_STATES[row[2]],
            requested=moment_of(row[3]),
            mode=answer.mode,
            quotation=answer.quotation,
            partial=answer.partial,
            problem=answer.problem,
            callback=answer.callback,
            order_id=unpacked_or_none(row[4]),
        )


def _asked(specification: OrderSpecification) -> bytes:
    """Return what may be kept in the clear (no passwords, no cards): all but the items, and the items."""
    information = without_secrets(specification.delivery_information)
    head = replace(specification, delivery_information=information, items=())
    return _compressed(json.dumps([dump(head), condensed(specification.items)], ensure_ascii=False))


def _specification(asked: bytes) -> OrderSpecification:
    head, items = json.loads(zlib.decompress(asked))
    return replace(load(OrderSpecification, head), items=expanded(items))


def _answer(record: QuotationRecord) -> bytes:
    answer = _Answer(
        mode=record.mode,
        quotation=record.quotation,
        partial=record.partial,
        problem=record.problem,
        callback=record.callback,
    )
    return _compressed(dump(answer))


def _compressed(document: str) -> bytes:
    try:
        return zlib.compress(document.encode(), _LEVEL)
    except UnicodeEncodeError as error:
        raise ValidationError("a text holds half a surrogate pair, which is not Unicode") from error
