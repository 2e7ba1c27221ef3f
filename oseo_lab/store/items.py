"""Order items: claims under leases, saves by compare-and-set, what users want of them.

``items.due`` says from when on an item can be claimed: 0 at once, the end of its lease or of its wait,
NULL never (final, Submitted, Suspended, another provider's, or not wanted completed). It is kept here and
in `item_records.due`, nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.order import LOCAL, OrderItem
from oseo_lab.model.status import Status, Wanted
from oseo_lab.store import tables
from oseo_lab.store.item_records import CLAIMABLE, ITEM_COLUMNS, due, item_rows, items_from_rows, product_text
from oseo_lab.store.order_records import PRIORITIES, RANK
from oseo_lab.store.orders import ADD_EVENT, ADD_ITEM, TALLIES, raise_revisions
from oseo_lab.store.session import NO_LIMIT, Session, Statement, among_statements, chunks, limited
from oseo_lab.store.values import STATUS, WANTED, micros

__all__ = ["Items"]

_i = tables.items.c
_o = tables.orders.c
_ITEM = [_i[name] for name in ITEM_COLUMNS]
#: Fast-track orders first.
_RANKS = (0, 1)
_WANTEDS = {number: wanted for wanted, number in WANTED.items()}
#: Literals, not parameters: so that the planner sees that the partial indexes serve.
_OPEN = _i.status < sa.literal_column("10")
_CLAIMABLE: list[Any] = [sa.literal_column(str(STATUS[status])) for status in sorted(CLAIMABLE)]
_CANCELLED = _i.wanted == sa.literal_column(str(WANTED[Wanted.CANCELLED]))
_SUSPENDED = _i.status == sa.literal_column(str(STATUS[Status.SUSPENDED]))
_IS_OURS = _i.provider == bindparam("local", type_=sa.Integer)
_LEASE_OWNER, _LEASE_UNTIL = ITEM_COLUMNS.index("lease_owner"), ITEM_COLUMNS.index("lease_until")


def _big(name: str) -> Any:
    return bindparam(name, type_=sa.BigInteger)


def _due(lease_until: Any, retry_at: Any, status: Any, wanted: Any, is_ours: Any) -> sa.Case[Any]:
    """Return `item_records.due` of an item that is wanted so, as SQL."""
    later = sa.case(
        (sa.and_(lease_until.is_not(None), sa.or_(retry_at.is_(None), lease_until > retry_at)), lease_until),
        else_=sa.func.coalesce(retry_at, sa.literal_column("0")),
    )
    never = sa.or_(status.not_in(_CLAIMABLE), wanted != sa.literal_column("0"), sa.not_(is_ours))
    return sa.case((never, sa.null()), else_=later)


_OF = Statement(
    limited(
        sa.select(*_ITEM)
        .where(_i.order_ref == bindparam("order_ref"), _i.number > bindparam("after"))
        .order_by(_i.number)
    ),
    "order_ref",
    "after",
    "limit",
)
_GET = Statement(
    sa.select(*_ITEM).where(_i.order_ref == bindparam("order_ref"), _i.number == bindparam("number")),
    "order_ref",
    "number",
)
_LAST_NUMBER = Statement(
    sa.select(sa.func.max(_i.number)).where(_i.order_ref == bindparam("order_ref")), "order_ref"
)
_OF_STATUS = Statement(
    limited(
        sa.select(*_ITEM)
        .where(
            _i.order_ref == bindparam("order_ref"),
            _i.status == bindparam("status"),
            _i.number > bindparam("after"),
        )
        .order_by(_i.number)
    ),
    "order_ref",
    "status",
    "after",
    "limit",
)


def _of_batch(*where: sa.ColumnElement[bool]) -> Statement:
    query = sa.select(*_ITEM).where(
        _i.order_ref == bindparam("order_ref"), _i.batch == bindparam("batch"), *where
    )
    return Statement(limited(query.order_by(_i.number)), "order_ref", "batch", "limit")


_OF_BATCH = _of_batch(_i.batch > sa.literal_column("0"))  # as the partial index says
_OF_NO_BATCH = _of_batch(_i.number > sa.literal_column("0"))  # 0 is a package
_NEXT_BATCH = Statement(
    sa.select(sa.func.min(_i.batch)).where(
        _i.order_ref == bindparam("order_ref"), _i.batch > sa.literal_column("0"), _SUSPENDED
    ),
    "order_ref",
)
_COUNTS = Statement(sa.select(*(_o[name] for name in TALLIES.values())).where(_o.id == bindparam("id")), "id")


def _claimable(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    query = sa.select(*_ITEM).where(_i.due.is_not(None), _i.rank == bindparam("rank"), *where)
    return limited(query.order_by(_i.order_ref, _i.number)).with_for_update(skip_locked=True)


# Two walks along one index instead of one past everything that is leased or waits.
_FRESH = Statement(_claimable(_i.due == sa.literal_column("0")), "rank", "limit")
_LATE = Statement(_claimable(_i.due > sa.literal_column("0"), _i.due <= _big("now")), "rank", "now", "limit")
_ENDED = Statement(
    limited(
        sa.select(*_ITEM)
        .where(
            _CANCELLED,
            _OPEN,
            _IS_OURS,
            sa.or_(
                _i.lease_owner.is_(None),
                _i.lease_owner == bindparam("dispatcher"),
                _i.lease_until <= _big("now"),
            ),
        )
        .order_by(_i.order_ref, _i.number)
    ).with_for_update(skip_locked=True),
    "local",
    "dispatcher",
    "now",
    "limit",
)
_LEASE = Statement(
    sa.update(tables.items)
    .values(
        lease_owner=bindparam("dispatcher"),
        lease_until=_big("until"),
        due=sa.case((_i.due.is_not(None), _big("until"))),
    )
    .where(_i.order_ref == bindparam("key"), _i.number == bindparam("key_number")),
    "dispatcher",
    "until",
    "key",
    "key_number",
)
_RENEW = Statement(
    sa.update(tables.items)
    .values(lease_until=_big("until"), due=sa.case((_i.due.is_not(None), _big("until"))))
    .where(
        _i.order_ref == bindparam("key"),
        _i.number == bindparam("key_number"),
        _i.lease_owner == bindparam("dispatcher"),
    ),
    "until",
    "key",
    "key_number",
    "dispatcher",
)
_RELEASE = Statement(
    sa.update(tables.items)
    .values(
        lease_owner=sa.null(),
        lease_until=sa.null(),
        due=sa.case((_i.due.is_not(None), sa.func.coalesce(_i.retry_at, sa.literal_column("0")))),
    )
    .where(_i.lease_owner == bindparam("dispatcher"), _OPEN),
    "dispatcher",
)
_wanted_after = sa.func.coalesce(bindparam("to_wanted", type_=sa.SmallInteger), _i.wanted)
_SAVE = Statement(
    sa.update(tables.items)
    .values(
        status=bindparam("to_status"),
        info=bindparam("to_info"),
        mission=bindparam("to_mission"),
        wanted=_wanted_after,
        attempt=bindparam("to_attempt"),
        failures=bindparam("to_failures"),
        updated=bindparam("to_updated"),
        retry_at=bindparam("to_retry_at"),
        lease_owner=bindparam("to_lease_owner"),
        lease_until=bindparam("to_lease_until"),
        product=bindparam("to_product"),
        due=sa.case((_wanted_after == sa.literal_column("0"), _big("to_due"))),
    )
    .where(
        _i.order_ref == bindparam("key"),
        _i.number == bindparam("key_number"),
        _i.status == bindparam("was_status"),
        _i.attempt == bindparam("was_attempt"),
        _i.lease_owner.is_not_distinct_from(bindparam("was_lease_owner", type_=sa.Integer)),
    ),
    "to_status",
    "to_info",
    "to_mission",
    "to_wanted",
    "to_attempt",
    "to_failures",
    "to_updated",
    "to_retry_at",
    "to_lease_owner",
    "to_lease_until",
    "to_product",
    "to_due",
    "key",
    "key_number",
    "was_status",
    "was_attempt",
    "was_lease_owner",
)
_WANT = Statement(
    sa.update(tables.items)
    .values(
        wanted=bindparam("to_wanted"),
        due=_due(
            _i.lease_until, _i.retry_at, _i.status, bindparam("to_wanted", type_=sa.SmallInteger), _IS_OURS
        ),
    )
    .where(_i.order_ref == bindparam("key"), _OPEN),
    "to_wanted",
    "local",
    "key",
)


@cache
def _wanted_of(size: int) -> Statement:
    names = [f"number_{place}" for place in range(size)]
    numbers = [bindparam(name, type_=sa.Integer) for name in names]
    query = sa.select(_i.number, _i.wanted).where(
        _i.order_ref == bindparam("order_ref"), _i.number.in_(numbers)
    )
    return Statement(query, "order_ref", *names)


_PRIORITIES = among_statements(_o.id, _o.id, _o.priority)
#: Who adds items to orders that are there already.
_AUTHOR = "dispatcher"


class _SomeMoved(Exception):
    """Not every item of a batch was as expected."""


class Items:
    """`oseo_lab.ports.Items` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # ------------------------------------------------------------------------------------------ reading

    def of(self, order_id: str, after: int = 0, limit: int | None = None) -> list[OrderItem]:
        """Return an order's items with numbers above ``after``, in order."""
        ref = self._session.order_ref(order_id)
        if ref is None:
            return []
        rows = self._session.all(_OF, (ref, after, NO_LIMIT if limit is None else limit))
        return items_from_rows(rows, self._session)

    def get(self, order_id: str, number: int) -> OrderItem | None:
        """Return one item."""
        ref = self._session.order_ref(order_id)
        rows = [] if ref is None else self._session.all(_GET, (ref, number))
        return items_from_rows(rows, self._session)[0] if rows else None

    def of_batch(self, order_id: str, batch: int, limit: int | None = None) -> list[OrderItem]:
        """Return the items of one batch of an order, in order; of batch 0 those that are in none."""
        ref = self._session.order_ref(order_id)
        if ref is None:
            return []
        statement = _OF_BATCH if batch > 0 else _OF_NO_BATCH
        rows = self._session.all(statement, (ref, batch, NO_LIMIT if limit is None else limit))
        return items_from_rows(rows, self._session)

    def next_batch(self, order_id: str) -> int | None:
        """Return the lowest batch, from 1, that has Suspended items; None where there is none."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(_NEXT_BATCH, (ref,))
        return None if row is None else row[0]

    def last_number(self, order_id: str) -> int:
        """Return the highest item number of an order; 0 where there is none."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(_LAST_NUMBER, (ref,))
        return 0 if row is None or row[0] is None else int(row[0])

    def of_status(self, order_id: str, status: Status, after: int = 0, limit: int = 500) -> list[OrderItem]:
        """Return an order's items of one status with numbers above ``after``, in order."""
        ref = self._session.order_ref(order_id)
        if ref is None or status not in self.counts(order_id):  # mostly none: one row says so
            return []
        rows = self._session.all(_OF_STATUS, (ref, STATUS[status], after, limit))
        return items_from_rows(rows, self._session)

    def counts(self, order_id: str) -> dict[Status, int]:
        """Count an order's items by status, in one query; statuses of no item are missing."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(_COUNTS, (ref,))
        if row is None:
            return {}
        return {status: count for status, count in zip(TALLIES, row, strict=True) if count}

    def wanted_of(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Wanted]:
        """Return what is wanted of these items, for the ones a dispatcher holds."""
        found: dict[tuple[str, int], Wanted] = {}
        for order_id, numbers in self._numbers_by_order(keys).items():
            ref = self._session.order_ref(order_id)
            if ref is None:
                continue
            for part in chunks(numbers):
                for number, wanted in self._session.all(_wanted_of(len(part)), (ref, *part)):
                    found[order_id, number] = _WANTEDS[wanted]
        return found

    # ----------------------------------------------------------------------------------------- claiming

    def claim(self, dispatcher: str, limit: int, now: datetime, lease_until: datetime) -> list[OrderItem]:
        """Lease up to ``limit`` items that can start, fast track first, then oldest first."""
        session, at = self._session, micros(now)
        rows: list[tuple[Any, ...]] = []
        for rank in _RANKS:
            room = limit - len(rows)
            if room > 0:
                found = session.all(_FRESH, (rank, room)) + session.all(_LATE, (rank, at, room))
                rows += sorted(found, key=_key)[:room]
        return self._leased(rows, dispatcher, lease_until)

    def claim_ended(
        self, dispatcher: str, limit: int, now: datetime, lease_until: datetime
    ) -> list[OrderItem]:
        """Lease open items that are wanted cancelled and that nobody (or this dispatcher) holds.

        Of provider LOCAL only: another provider's are cancelled there first.
        """
        values = (self._session.ref(LOCAL), self._session.ref(dispatcher), micros(now), limit)
        return self._leased(self._session.all(_ENDED, values), dispatcher, lease_until)

    def renew(self, dispatcher: str, keys: Iterable[tuple[str, int]], lease_until: datetime) -> None:
        """Prolong the leases this dispatcher holds."""
        held = list(keys)
        refs = self._session.order_refs(order_id for order_id, _ in held)
        until, owner = micros(lease_until), self._session.ref(dispatcher)
        rows = [(until, refs[name], number, owner) for name, number in held if name in refs]
        self._session.many(_RENEW, rows)

    def release(self, dispatcher: str) -> int:
        """Free every item a dead dispatcher holds; return how many."""
        owner = self._session.find(dispatcher)
        return 0 if owner is None else self._session.run(_RELEASE, (owner,))

    def _leased(
        self, rows: Sequence[tuple[Any, ...]], dispatcher: str, lease_until: datetime
    ) -> list[OrderItem]:
        owner, until = self._session.ref(dispatcher), micros(lease_until)
        self._session.many(_LEASE, [(owner, until, row[0], row[1]) for row in rows])
        return items_from_rows([_with_lease(row, owner, until) for row in rows], self._session)

    # ------------------------------------------------------------------------------------------- adding

    def add(self, items: Sequence[OrderItem]) -> None:
        """Add items to orders that are there already, with their first status changes.

        The changes are the dispatcher's, at the items' ``updated``. Counts and revision of each order move.

        Raises
        ------
        NotFound
            If an order is not there.
        Conflict
            If an item of this number is.
        """
        session = self._session
        refs = session.known_refs(item.order_id for item in items)
        by_order: dict[int, list[OrderItem]] = {}
        for item in items:
            by_order.setdefault(refs[item.order_id], []).append(item)
        ranks = {ref: _rank(priority) for ref, priority in session.among(_PRIORITIES, by_order)}
        author, now = session.ref(_AUTHOR), datetime.now(UTC)
        moved: dict[int, tuple[Counter[Status], int]] = {}
        for ref, added in by_order.items():
            session.many(ADD_ITEM, item_rows(ref, ranks[ref], added, session))
            at = [micros(item.updated or now) or 0 for item in added]
            changes = [
                (
                    *(ref, item.number, STATUS[item.status.status], moment, author, item.attempt),
                    *(session.ref(item.status.additional), None),
                )
                for item, moment in zip(added, at, strict=True)
            ]
            session.many(ADD_EVENT, changes)
            moved[ref] = Counter(item.status.status for item in added), max(at)
        raise_revisions(session, moved)

    # ------------------------------------------------------------------------------------------- saving

    def save(self, before: OrderItem, after: OrderItem) -> bool:
        """Save an item if its status and attempt (and lease owner) are still those of ``before``."""
        return self.save_many([(before, after)])[0]

    def save_many(self, changes: Sequence[tuple[OrderItem, OrderItem]]) -> list[bool]:
        """`save` for many items at once.

        Orders of changed items have their revision raised by one, and their counts moved. ``wanted`` is
        written only where ``after`` differs from ``before``: a Cancel in between stays.
        """
        session = self._session
        refs = session.order_refs(before.order_id for before, _ in changes)
        rows = [self._save_row(refs.get(before.order_id), before, after) for before, after in changes]
        saved = self._compare_and_set(rows)
        moved: dict[int, tuple[Counter[Status], int]] = {}
        for (before, after), is_saved in zip(changes, saved, strict=True):
            if is_saved:
                ref = refs[before.order_id]
                tallies, at = moved.get(ref, (Counter(), 0))
                tallies[before.status.status] -= 1
                tallies[after.status.status] += 1
                moved[ref] = tallies, max(at, micros(after.updated) or 0)
        raise_revisions(session, moved)
        return saved

    def _compare_and_set(self, rows: Sequence[tuple[Any, ...]]) -> list[bool]:
        """Save all at once; only if some do not match any more, again one by one."""
        session = self._session
        if len(rows) > 1:
            with suppress(_SomeMoved), session.savepoint():
                if session.many(_SAVE, rows) != len(rows):
                    raise _SomeMoved
                return [True] * len(rows)
        return [session.run(_SAVE, row) == 1 for row in rows]

    def _save_row(self, ref: int | None, before: OrderItem, after: OrderItem) -> tuple[Any, ...]:
        to_ref: Callable[[str | None], int | None] = self._session.ref
        return (
            STATUS[after.status.status],
            to_ref(after.status.additional),
            to_ref(after.status.mission_specific),
            None if after.wanted is before.wanted else WANTED[after.wanted],
            after.attempt,
            after.failures,
            micros(after.updated),
            micros(after.retry_at),
            to_ref(after.lease_owner),
            micros(after.lease_until),
            product_text(after),
            due(after),
            ref,
            before.number,
            STATUS[before.status.status],
            before.attempt,
            to_ref(before.lease_owner),
        )

    def want(self, order_id: str, wanted: Wanted, now: datetime) -> int:
        """Set what is wanted of an order's open items; return how many were open."""
        ref = self._session.order_ref(order_id)
        if ref is None:
            return 0
        count = self._session.run(_WANT, (WANTED[wanted], self._session.ref(LOCAL), ref))
        if count:
            raise_revisions(self._session, {ref: (Counter(), micros(now) or 0)})
        return count

    @staticmethod
    def _numbers_by_order(keys: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
        numbers: dict[str, list[int]] = {}
        for order_id, number in keys:
            numbers.setdefault(order_id, []).append(number)
        return numbers


def _rank(priority: int | None) -> int:
    return RANK[None if priority is None else PRIORITIES[priority]]


def _key(row: tuple[Any, ...]) -> tuple[int, int]:
    return row[0], row[1]


def _with_lease(row: tuple[Any, ...], owner: int | None, until: int | None) -> tuple[Any, ...]:
    changed = list(row)
    changed[_LEASE_OWNER], changed[_LEASE_UNTIL] = owner, until
    return tuple(changed)
