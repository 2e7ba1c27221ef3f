"""Order items: claims under leases, saves by compare-and-set, what users want of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from oseo_lab.model.order import LOCAL, OrderItem
from oseo_lab.model.status import Status, Wanted
from oseo_lab.store.item_records import (
    ITEM_COLUMNS,
    due,
    item_rows,
    items_from_rows,
    product_text,
    status_writer,
)
from oseo_lab.store.item_statements import (
    ANY_ENDED,
    ANY_FRESH,
    ANY_LATE,
    COUNTS,
    ENDED,
    FRESH,
    GET,
    IN_WORK,
    KEEP_RECIPE,
    LAST_NUMBER,
    LATE,
    LEASE,
    NEXT_BATCH,
    NUDGE,
    OF,
    OF_BATCH,
    OF_NO_BATCH,
    OF_STATUS,
    PRIORITIES_OF,
    PUT_OFF,
    RELEASE,
    RENEW,
    SAVE,
    WANT,
    WISHED,
    WISHED_LATE,
    want_again,
    wanted_of_numbers,
)
from oseo_lab.store.order_records import PRIORITIES, RANK
from oseo_lab.store.orders import ADD_EVENT, ADD_ITEM, TALLIES, raise_revisions
from oseo_lab.store.session import NO_LIMIT, Session, chunks
from oseo_lab.store.values import STATUS, WANTED, WANTEDS, micros

__all__ = ["Items"]

#: Fast-track orders first.
_RANKS = (0, 1)
_LEASE_OWNER, _LEASE_UNTIL = ITEM_COLUMNS.index("lease_owner"), ITEM_COLUMNS.index("lease_until")
#: Of the parameters of `SAVE`.
_UPDATED = 6
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
        rows = self._session.all(OF, (ref, after, NO_LIMIT if limit is None else limit))
        return items_from_rows(rows, self._session)

    def get(self, order_id: str, number: int) -> OrderItem | None:
        """Return one item."""
        ref = self._session.order_ref(order_id)
        rows = [] if ref is None else self._session.all(GET, (ref, number))
        return items_from_rows(rows, self._session)[0] if rows else None

    def of_batch(self, order_id: str, batch: int, limit: int | None = None) -> list[OrderItem]:
        """Return the items of one batch of an order, in order; of batch 0 those that are in none."""
        ref = self._session.order_ref(order_id)
        if ref is None:
            return []
        statement = OF_BATCH if batch > 0 else OF_NO_BATCH
        rows = self._session.all(statement, (ref, batch, NO_LIMIT if limit is None else limit))
        return items_from_rows(rows, self._session)

    def next_batch(self, order_id: str) -> int | None:
        """Return the lowest batch, from 1, that has Suspended items; None where there is none."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(NEXT_BATCH, (ref,))
        return None if row is None else row[0]

    def last_number(self, order_id: str) -> int:
        """Return the highest item number of an order; 0 where there is none."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(LAST_NUMBER, (ref,))
        return 0 if row is None or row[0] is None else int(row[0])

    def of_status(self, order_id: str, status: Status, after: int = 0, limit: int = 500) -> list[OrderItem]:
        """Return an order's items of one status with numbers above ``after``, in order."""
        ref = self._session.order_ref(order_id)
        if ref is None or status not in self.counts(order_id):  # mostly none: one row says so
            return []
        rows = self._session.all(OF_STATUS, (ref, STATUS[status], after, limit))
        return items_from_rows(rows, self._session)

    def counts(self, order_id: str) -> dict[Status, int]:
        """Count an order's items by status, in one query; statuses of no item are missing."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(COUNTS, (ref,))
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
                for number, wanted in self._session.all(wanted_of_numbers(len(part)), (ref, *part)):
                    found[order_id, number] = WANTEDS[wanted]
        return found

    # ----------------------------------------------------------------------------------------- claiming

    def claim(self, dispatcher: str, limit: int, now: datetime, lease_until: datetime) -> list[OrderItem]:
        """Lease up to ``limit`` items that can start, fast track first, then oldest first."""
        session, at = self._session, micros(now)
        rows: list[tuple[Any, ...]] = []
        for rank in _RANKS:
            room = limit - len(rows)
            if room > 0:
                found = session.all(FRESH, (rank, room)) + session.all(LATE, (rank, at, room))
                rows += sorted(found, key=_key)[:room]
        return self._leased(rows, dispatcher, lease_until)

    def claim_ended(
        self, dispatcher: str, limit: int, now: datetime, lease_until: datetime
    ) -> list[OrderItem]:
        """Lease open items that are wanted cancelled and that nobody (or this dispatcher) holds.

        Of provider LOCAL only: another provider's are cancelled there first.
        """
        values = (self._session.ref(LOCAL), self._session.ref(dispatcher), micros(now), limit)
        return self._leased(self._session.all(ENDED, values), dispatcher, lease_until)

    def wished(self, limit: int, now: datetime | None = None) -> list[OrderItem]:
        """Return items that nobody works on and of which their users want something else, oldest first.

        With ``now`` also those whose holders let their leases run out before.
        """
        session, at = self._session, micros(now)
        rows: list[tuple[Any, ...]] = []
        for rank in _RANKS:
            room = limit - len(rows)
            if room > 0:
                found = session.all(WISHED, (rank, room))
                found += session.all(WISHED_LATE, (rank, at, room)) if at is not None else []
                rows += sorted(found, key=_key)[:room]
        return items_from_rows(rows, session)

    def is_any_due(self, now: datetime) -> bool:
        """Whether `claim` would find anything."""
        session, at = self._session, micros(now)
        return any(
            session.all(ANY_FRESH, (rank, 1)) or session.all(ANY_LATE, (rank, at, 1)) for rank in _RANKS
        )

    def is_any_ended(self, dispatcher: str, now: datetime) -> bool:
        """Whether `claim_ended` would find anything."""
        find = self._session.find
        return bool(self._session.all(ANY_ENDED, (find(LOCAL), find(dispatcher), micros(now), 1)))

    def renew(self, dispatcher: str, keys: Iterable[tuple[str, int]], lease_until: datetime) -> None:
        """Prolong the leases this dispatcher holds."""
        held = list(keys)
        refs = self._session.order_refs(order_id for order_id, _ in held)
        until, owner = micros(lease_until), self._session.ref(dispatcher)
        rows = [(until, refs[name], number, owner) for name, number in held if name in refs]
        self._session.many(RENEW, rows)

    def in_work(self, order_id: str, now: datetime) -> list[OrderItem]:
        """Return an order's items that somebody holds, with a lease that has not run out."""
        ref = self._session.order_ref(order_id)
        rows = [] if ref is None else self._session.all(IN_WORK, (ref, micros(now)))
        return items_from_rows(rows, self._session)

    def put_off(self, order_id: str, until: datetime) -> int:
        """Let no item of an order be claimed before a moment that nobody holds; return how many."""
        ref, at = self._session.order_ref(order_id), micros(until)
        return 0 if ref is None else self._session.run(PUT_OFF, (at, ref, at))

    def release(self, dispatcher: str) -> int:
        """Free every item a dead dispatcher holds; return how many."""
        owner = self._session.find(dispatcher)
        return 0 if owner is None else self._session.run(RELEASE, (owner,))

    def _leased(
        self, rows: Sequence[tuple[Any, ...]], dispatcher: str, lease_until: datetime
    ) -> list[OrderItem]:
        owner, until = self._session.ref(dispatcher), micros(lease_until)
        self._session.many(LEASE, [(owner, until, row[0], row[1]) for row in rows])
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
        ranks = {ref: _rank(priority) for ref, priority in session.among(PRIORITIES_OF, by_order)}
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
            session.has_news = True
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
        columns = status_writer(session)
        rows = [
            self._save_row(refs.get(before.order_id), before, after, columns(after.status))
            for before, after in changes
        ]
        saved = self._compare_and_set(rows)
        moved: dict[int, tuple[Counter[Status], int]] = {}
        for (before, after), row, is_saved in zip(changes, rows, saved, strict=True):
            if is_saved:
                ref = refs[before.order_id]
                tallies, at = moved.get(ref, (Counter(), 0))
                tallies[before.status.status] -= 1
                tallies[after.status.status] += 1
                moved[ref] = tallies, max(at, row[_UPDATED] or 0)
        raise_revisions(session, moved)
        return saved

    def _compare_and_set(self, rows: Sequence[tuple[Any, ...]]) -> list[bool]:
        """Save all at once; only if some do not match any more, again one by one."""
        session = self._session
        if len(rows) > 1:
            with suppress(_SomeMoved), session.savepoint():
                if session.many(SAVE, rows) != len(rows):
                    raise _SomeMoved
                return [True] * len(rows)
        return [session.run(SAVE, row) == 1 for row in rows]

    def _save_row(
        self, ref: int | None, before: OrderItem, after: OrderItem, status: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        to_ref: Callable[[str | None], int | None] = self._session.ref
        return (
            *status,
            None if after.wanted is before.wanted else WANTED[after.wanted],
            after.attempt,
            after.failures,
            micros(after.updated),
            None if after.retry_at is None else micros(after.retry_at),
            to_ref(after.lease_owner),
            None if after.lease_until is None else micros(after.lease_until),
            None if after.product is None else product_text(after),
            due(after, Wanted.COMPLETED),
            due(after, Wanted.SUSPENDED),
            ref,
            before.number,
            STATUS[before.status.status],
            before.attempt,
            to_ref(before.lease_owner),
        )

    def want(self, order_id: str, wanted: Wanted, now: datetime) -> int:
        """Set what is wanted of an order's open items; return how many were open."""
        ref, local = self._session.order_ref(order_id), self._session.ref(LOCAL)
        if ref is None:
            return 0
        count = self._session.run(WANT, (WANTED[wanted], local, ref))
        if count:
            if wanted is not Wanted.CANCELLED:
                self._session.run(NUDGE, (ref, ref, local))
            raise_revisions(self._session, {ref: (Counter(), micros(now) or 0)})
        return count

    def want_again(self, order_id: str, numbers: Iterable[int], wanted: Wanted, now: datetime) -> int:
        """Note that final items of an order are to be tried again; return how many are new."""
        ref, at = self._session.order_ref(order_id), micros(now)
        if ref is None:
            return 0
        count = 0
        for part in chunks(sorted(set(numbers))):
            count += self._session.run(want_again(len(part)), (WANTED[wanted], at, ref, *part))
        if count:
            raise_revisions(self._session, {ref: (Counter(), at or 0)})
        return count

    def keep_recipes(self, recipes: Iterable[tuple[tuple[str, int], str | None]]) -> None:
        """Note by which recipes delivered items were made; None where a result is not to be used again."""
        said = list(recipes)
        refs = self._session.order_refs(order_id for (order_id, _), _ in said)
        rows = [
            (None if recipe is None else bytes.fromhex(recipe), refs[order_id], number)
            for (order_id, number), recipe in said
            if order_id in refs
        ]
        self._session.many(KEEP_RECIPE, rows)

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
