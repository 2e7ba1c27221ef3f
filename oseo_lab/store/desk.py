"""The operators' side: what waits for them, what they decided, how the service is; each from an index."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.approval import Approval
from oseo_lab.model.desk import Announcement, Queue, WaitingOrder
from oseo_lab.model.names import name_of
from oseo_lab.model.order import OrderItem
from oseo_lab.model.status import Wanted
from oseo_lab.ports import Held
from oseo_lab.store import tables
from oseo_lab.store.item_records import ITEM_COLUMNS, LOOK, items_from_rows
from oseo_lab.store.order_records import ORDER_COLUMNS, approval_columns, order_from_row
from oseo_lab.store.orders import raise_revisions
from oseo_lab.store.session import Session, Statement, chunks, limited, uuid_of
from oseo_lab.store.values import STATUSES, WANTED, from_micros, micros, moment_of

__all__ = ["Desk"]

_o, _i = tables.orders.c, tables.items.c
_a, _f, _c = tables.announcements.c, tables.failures.c, tables.conditions.c
_ITEM = [_i[name] for name in ITEM_COLUMNS]
_ZERO: sa.ColumnElement[int] = sa.literal_column("0")
_ONE: sa.ColumnElement[int] = sa.literal_column("1")
_RANKS = (0, 1)
_EPOCH = date(1970, 1, 1)
#: Places in a row of `_WAITING`: behind the order's number and columns.
_COLLECTIONS, _SUBMITTED = 1 + len(ORDER_COLUMNS), 2 + len(ORDER_COLUMNS)

_IS_WAITING = (_o.approval == _ZERO, _o.status == _ZERO)  # as the partial index says
_NOT_CANCELLED = _o.wanted != sa.literal_column(str(WANTED[Wanted.CANCELLED]))
_WAITING = Statement(
    limited(
        sa.select(_o.id, *(_o[name] for name in ORDER_COLUMNS), _o.collections, _o.submitted)
        .where(*_IS_WAITING, _NOT_CANCELLED)
        .order_by(_o.id)
    ),
    "limit",
)
_DECIDE = Statement(
    sa.update(tables.orders)
    .values(
        approval=bindparam("to_approval"),
        decision=bindparam("to_decision"),
        updated=bindparam("at"),
        revision=_o.revision + _ONE,
    )
    .where(_o.uuid == bindparam("key"), *_IS_WAITING, _NOT_CANCELLED),
    "to_approval",
    "to_decision",
    "at",
    "key",
)
_DECIDED = Statement(
    limited(sa.select(_o.id).where(_o.approval > _ZERO, _o.submitted > _ZERO).order_by(_o.id)), "limit"
)


def _counted(query: sa.Select[Any]) -> Statement:
    """Return the count of a query's rows, ``limit`` of them at most."""
    return Statement(sa.select(sa.func.count()).select_from(limited(query).subquery()), "limit")


_QUOTATIONS = _counted(
    sa.select(tables.quotations.c.id).where(tables.quotations.c.state == sa.literal_column("3"))
)
_COUNT_WAITING = _counted(sa.select(_o.id).where(*_IS_WAITING, _NOT_CANCELLED))
_IS_DUE = (_i.due.is_not(None), _i.rank == bindparam("rank"))  # as the partial index says
_QUEUED = Statement(
    sa.select(sa.func.count()).select_from(
        limited(sa.select(_i.number).where(*_IS_DUE, _i.due == _ZERO)).subquery()
    ),
    "rank",
    "limit",
)
_NEXT = Statement(
    limited(sa.select(_i.updated).where(*_IS_DUE, _i.due == _ZERO).order_by(_i.order_ref, _i.number)),
    "rank",
    "limit",
)
#: Who holds an item has it until a moment, as who waits to try again: so many of these are looked at.
_LATER = Statement(
    limited(
        sa.select(_i.order_ref, _i.number, _i.status, _i.updated, _i.lease_owner)
        .where(*_IS_DUE, _i.due > _ZERO)
        .order_by(_i.due)
    ),
    "rank",
    "limit",
)
_WAITS = _i.wanted == sa.literal_column(str(WANTED[Wanted.SUSPENDED]))
_HELD = (_i.lease_owner.is_not(None), _i.due.is_not(None), _i.due > _ZERO)


def _of_numbers(size: int) -> tuple[sa.ColumnElement[bool], list[str]]:
    names = [f"number_{place}" for place in range(size)]
    return _i.number.in_([bindparam(name, type_=sa.Integer) for name in names]), names


@cache
def _held(size: int) -> Statement:
    among, names = _of_numbers(size)
    return Statement(sa.select(*_ITEM).where(_i.order_ref == bindparam("key"), among, *_HELD), "key", *names)


@cache
def _set_free(size: int) -> Statement:
    among, names = _of_numbers(size)
    look: Any = sa.literal_column(str(LOOK))
    core = (
        sa.update(tables.items)
        .values(
            lease_owner=sa.null(),
            lease_until=sa.null(),
            retry_at=sa.null(),
            updated=bindparam("at", type_=sa.BigInteger),
            due=sa.case((_WAITS, look), else_=_ZERO),
        )
        .where(_i.order_ref == bindparam("key"), among, *_HELD)
    )
    return Statement(core, "at", "key", *names)


def _count_failure(insert: Any) -> Any:
    core = insert(tables.failures).values(
        {name: bindparam(name) for name in ("day", "kind")} | {"count": bindparam("more")}
    )
    return core.on_conflict_do_update(
        index_elements=["day", "kind"], set_={"count": _f["count"] + core.excluded["count"]}
    )


_COUNT_FAILURE = Statement(_count_failure, "day", "kind", "more")
_FAILURES = Statement(
    sa.select(_f.kind, _f["count"]).where(_f.day == bindparam("day")).order_by(_f["count"].desc(), _f.kind),
    "day",
)
_IS_WORKING = Statement(
    sa.update(tables.conditions)
    .values(is_failing=_ZERO)
    .where(_c.collection == bindparam("key"), _c.is_failing == _ONE),
    "key",
)


def _fail(insert: Any) -> Any:
    core = insert(tables.conditions).values(
        collection=bindparam("collection"), is_failing=_ONE, at=bindparam("at"), reason=bindparam("reason")
    )
    return core.on_conflict_do_update(
        index_elements=["collection"],
        set_={"is_failing": _ONE, "at": core.excluded["at"], "reason": core.excluded["reason"]},
    )


_IS_FAILING = Statement(_fail, "collection", "at", "reason")
_FAILING = Statement(
    sa.select(_c.collection, _c.reason, _c["at"]).where(_c.is_failing == _ONE).order_by(_c.collection)
)
_ANNOUNCE = Statement(
    sa.insert(tables.announcements).values(
        {name: bindparam(name) for name in ("text", "until", "author", "at")}
    ),
    "text",
    "until",
    "author",
    "at",
)
_LAST = Statement(limited(sa.select(_a.text, _a.until).order_by(_a.id.desc())), "limit")


class Desk:
    """`oseo_lab.ports.Desk` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # ----------------------------------------------------------------------------------------- decisions

    def waiting(self, limit: int) -> list[WaitingOrder]:
        """Return the orders that wait for approval, oldest first."""
        rows = self._session.all(_WAITING, (limit,))
        self._session.texts(
            ref for row in rows for ref in (row[2], row[4], row[5], row[17], row[_COLLECTIONS])
        )
        return [self._waiting(row) for row in rows]

    def _waiting(self, row: tuple[Any, ...]) -> WaitingOrder:
        order = order_from_row(row[1:_COLLECTIONS], self._session, ())
        return WaitingOrder(
            order_id=order.order_id,
            owner=order.owner,
            name=name_of(order),
            order_type=order.specification.order_type,
            collections=tuple(json.loads(self._session.text(row[_COLLECTIONS]) or "[]")),
            items=row[_SUBMITTED],
            since=order.created,
            remark=order.specification.order_remark,
        )

    def count_waiting(self, most: int) -> int:
        """Count the orders that wait for approval, up to ``most``."""
        row = self._session.one(_COUNT_WAITING, (most,))
        return 0 if row is None else int(row[0])

    def decide(self, order_id: str, approval: Approval, now: datetime) -> bool:
        """Save what was decided of an order that waits; False where it does not (any more)."""
        values = (*approval_columns(approval, self._session), micros(now), uuid_of(order_id))
        return self._session.run(_DECIDE, values) == 1

    def decided(self, limit: int) -> list[str]:
        """Return orders that were decided and have items that were not moved accordingly."""
        refs = [row[0] for row in self._session.all(_DECIDED, (limit,))]
        names = self._session.order_ids(refs)
        return [names[ref] for ref in refs]

    # ------------------------------------------------------------------------------------------- in work

    def in_work(self, most: int) -> list[Held]:
        """Return the items that somebody holds, of ``most`` looked at."""
        rows = [row for rank in _RANKS for row in self._session.all(_LATER, (rank, most))]
        held = [row for row in rows if row[-1] is not None]
        names = self._session.order_ids({row[0] for row in held})
        return [
            Held(names[ref], number, STATUSES[status], from_micros(updated))
            for ref, number, status, updated, _ in held
        ]

    def items(self, keys: Iterable[tuple[str, int]]) -> list[OrderItem]:
        """Return items that somebody holds, by order id and number."""
        return [item for ref, part in self._by_order(keys) for item in self._of(ref, part)]

    def _by_order(self, keys: Iterable[tuple[str, int]]) -> Iterator[tuple[int, list[int]]]:
        numbers: dict[str, list[int]] = {}
        for order_id, number in keys:
            numbers.setdefault(order_id, []).append(number)
        refs = self._session.order_refs(numbers)
        for order_id, ref in refs.items():
            for part in chunks(numbers[order_id]):
                yield ref, part

    def _of(self, ref: int, numbers: list[int]) -> list[OrderItem]:
        return items_from_rows(self._session.all(_held(len(numbers)), (ref, *numbers)), self._session)

    def queue(self, most: int) -> Queue:
        """Return how many items could be made now, up to ``most``, and since when the next one waits."""
        counts = [self._session.one(_QUEUED, (rank, most)) for rank in _RANKS]
        firsts = [row[0] for rank in _RANKS for row in self._session.all(_NEXT, (rank, 1)) if row[0]]
        total = min(most, sum(row[0] for row in counts if row is not None))
        return Queue(items=total, oldest=from_micros(min(firsts, default=None)))

    def set_free(self, order_id: str, numbers: Iterable[int], now: datetime) -> list[OrderItem]:
        """Take open items from whoever holds them, so that they can be claimed at once; return those."""
        session, freed = self._session, []
        for ref, part in self._by_order((order_id, number) for number in sorted(set(numbers))):
            freed += self._of(ref, part)
            session.run(_set_free(len(part)), (micros(now), ref, *part))
        if freed:
            ref = session.known_refs((order_id,))[order_id]
            raise_revisions(session, {ref: (Counter(), micros(now) or 0)})
        return freed

    # ----------------------------------------------------------------------------- how the service is

    def quotations_waiting(self, most: int) -> int:
        """Count the quotations that a person must answer, up to ``most``."""
        row = self._session.one(_QUOTATIONS, (most,))
        return 0 if row is None else int(row[0])

    def count_failures(self, day: date, kinds: Mapping[str, int]) -> None:
        """Add to the failures of a day, by class."""
        self._session.many(_COUNT_FAILURE, [(_number(day), kind, more) for kind, more in kinds.items()])

    def failures(self, day: date) -> dict[str, int]:
        """Return how many items failed on a day, by class; the most first."""
        return dict(self._session.all(_FAILURES, (_number(day),)))

    def is_working(self, collection_ids: Iterable[str]) -> None:
        """Note that items of these collections were made."""
        self._session.many(_IS_WORKING, [(each,) for each in collection_ids])

    def is_failing(self, reasons: Mapping[str, str], now: datetime) -> None:
        """Note that an item of these collections could not be made, and why."""
        rows = [(name, micros(now), self._session.ref(reason)) for name, reason in reasons.items()]
        self._session.many(_IS_FAILING, rows)

    def failing(self) -> dict[str, tuple[str, datetime]]:
        """Return the collections whose last item could not be made: why, and when."""
        rows = self._session.all(_FAILING)
        texts = self._session.texts(row[1] for row in rows)
        return {name: (texts.get(reason, ""), moment_of(at)) for name, reason, at in rows}

    # ------------------------------------------------------------------------------------- announcements

    def announce(self, announcement: Announcement | None, author: str, now: datetime) -> None:
        """Tell users something in place of what was told before; None: nothing any more."""
        text = None if announcement is None else announcement.text
        until = None if announcement is None else micros(announcement.until)
        self._session.run(_ANNOUNCE, (text, until, self._session.ref(author), micros(now)))

    def announcement(self, now: datetime) -> Announcement | None:
        """Return what users are told now."""
        row = self._session.one(_LAST, (1,))
        if row is None or row[0] is None or (row[1] is not None and row[1] <= (micros(now) or 0)):
            return None
        return Announcement(text=row[0], until=from_micros(row[1]))


def _number(day: date) -> int:
    return (day - _EPOCH).days
