"""Which products a subscription has had: each revision of each once, looked up and added in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql

from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, among_statements, chunks
from oseo_lab.store.values import micros

__all__ = ["Matches"]

_m = tables.matches.c
_KNOWN = among_statements(_m.order_ref, _m.order_ref, _m.number, _m.identifier, _m.revision)
_ITEM, _PRODUCT = ("order_ref", "number", "at"), ("identifier", "revision")
_COUNT = Statement(
    sa.select(sa.func.count()).where(
        _m.order_ref == bindparam("order_ref"), _m.number == bindparam("number")
    ),
    "order_ref",
    "number",
)

_COUNT_SINCE = Statement(
    sa.select(sa.func.count()).where(
        _m.order_ref == bindparam("order_ref"), _m.at >= bindparam("since", type_=sa.BigInteger)
    ),
    "order_ref",
    "since",
)


def _add_arrays(insert: Any) -> Any:
    products = (sa.func.unnest(bindparam(name, type_=postgresql.ARRAY(sa.Text))) for name in _PRODUCT)
    item = (bindparam(name, type_=_m[name].type) for name in _ITEM)
    into = insert(tables.matches).from_select([*_ITEM, *_PRODUCT], sa.select(*item, *products))
    return into.on_conflict_do_nothing().returning(_m.identifier, _m.revision)


#: PostgreSQL takes any number of texts as one parameter, which costs it far less than many.
_ADD_ARRAYS = Statement(_add_arrays, *_ITEM, *_PRODUCT)


@cache
def _add(size: int) -> Statement:
    """Return what inserts this many products of one item and answers with those that were not there."""
    places = [(f"identifier_{place}", f"revision_{place}") for place in range(size)]

    def core(insert: Any) -> Any:
        rows: list[dict[str, Any]] = [
            {
                "order_ref": bindparam("order_ref"),
                "number": bindparam("number"),
                "at": bindparam("at"),
                "identifier": bindparam(identifier),
                "revision": bindparam(revision),
            }
            for identifier, revision in places
        ]
        into = insert(tables.matches).values(rows).on_conflict_do_nothing()
        return into.returning(_m.identifier, _m.revision)

    return Statement(core, *_ITEM, *(name for pair in places for name in pair))


class Matches:
    """`oseo_lab.ports.Matches` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, order_id: str, number: int, products: Sequence[tuple[str, str]], at: datetime | None = None
    ) -> list[bool]:
        """Remember products (identifier, revision) of a subscription's item; say of each if it is new.

        Of one that is given twice the first is new. ``at`` is when they joined, where that is counted.

        Raises
        ------
        NotFound
            If there is no such order.
        """
        ref = self._session.known_refs((order_id,))[order_id]
        new = set(self._added((ref, number, micros(at)), list(dict.fromkeys(products))))
        answers = []
        for product in products:
            answers.append(product in new)
            new.discard(product)
        return answers

    def _added(
        self, item: tuple[int, int, int | None], products: list[tuple[str, str]]
    ) -> Iterator[tuple[Any, ...]]:
        """Insert products, yield those that were not there."""
        session = self._session
        if session.dialect.name == "postgresql":
            identifiers, revisions = ([each[place] for each in products] for place in (0, 1))
            yield from session.all(_ADD_ARRAYS, (*item, identifiers, revisions))
            return
        for part in chunks(products):
            flat = (text for product in part for text in product)
            yield from session.all(_add(len(part)), (*item, *flat))

    def known(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], set[tuple[str, str]]]:
        """Return what several subscriptions' items (order id, number) have had."""
        found: dict[tuple[str, int], set[tuple[str, str]]] = {key: set() for key in keys}
        refs = self._session.order_refs(order_id for order_id, _ in found)
        had = {(ref, number): found[name, number] for name, number in found if (ref := refs.get(name))}
        for ref, number, identifier, revision in self._session.among(_KNOWN, set(refs.values())):
            products = had.get((ref, number))
            if products is not None:
                products.add((identifier, revision))
        return found

    def count(self, order_id: str, number: int) -> int:
        """Return how many products an item has had."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(_COUNT, (ref, number))
        return 0 if row is None else int(row[0])

    def count_since(self, order_id: str, moment: datetime) -> int:
        """Return how many products joined an order from a moment on, of those added with ``at``."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(_COUNT_SINCE, (ref, micros(moment)))
        return 0 if row is None else int(row[0])
