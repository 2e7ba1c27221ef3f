"""Orders at a glance: what cards and tables of orders show, each question one walk along an index.

The counts of an order are columns of its row; packages (item number 0) and items that stand for products to
come are taken out of them here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.job import FailureClass, can_retry
from oseo_lab.model.names import name_of
from oseo_lab.model.order import LOCAL, Order, OrderItem, ResultFile, StatusChange
from oseo_lab.model.quotation import Price
from oseo_lab.model.status import Status
from oseo_lab.model.subscription import is_massive
from oseo_lab.model.view import FailureGroup, OrderSummary
from oseo_lab.store import view_statements as statements
from oseo_lab.store.events import Events
from oseo_lab.store.item_records import items_from_rows
from oseo_lab.store.order_records import ORDER_COLUMNS, order_from_row
from oseo_lab.store.orders import TALLIES
from oseo_lab.store.results import Results
from oseo_lab.store.session import NO_LIMIT, Session, chunks, uuid_of
from oseo_lab.store.values import STATUS, STATUSES, from_micros, micros

__all__ = ["Views"]

#: Most items of a group of failures that are named.
NAMED = 20
#: Parts of a row of a summary: the order, its size, what it orders from, its counts.
_SIZE, _COLLECTIONS = 1 + len(ORDER_COLUMNS), 2 + len(ORDER_COLUMNS)
_TALLIES = _COLLECTIONS + 1

Row = tuple[Any, ...]


class Views:
    """`oseo_lab.ports.Views` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # ---------------------------------------------------------------------------------------- summaries

    def summary(self, order: Order) -> OrderSummary:
        """Return one order at a glance."""
        return self._summaries(self._session.all(statements.ONE, (uuid_of(order.order_id),)))[0]

    def summaries(
        self, reader: str, *, shared_at: datetime | None = None, before: str = "", limit: int = 200
    ) -> list[OrderSummary]:
        """Return a page of somebody's orders, newest first, those made before the order ``before``.

        With ``shared_at`` the orders of others that are shared with them at that moment.
        """
        session = self._session
        reader_ref = session.find(reader)
        below = session.order_ref(before) if before else NO_LIMIT
        if reader_ref is None or below is None:
            return []
        if shared_at is None:
            return self._summaries(session.all(statements.OWN, (reader_ref, below, limit)))
        values = (reader_ref, micros(shared_at), below, limit)
        return self._summaries(session.all(statements.SHARED, values))

    def _summaries(self, rows: Sequence[Row]) -> list[OrderSummary]:
        session = self._session
        refs = [row[0] for row in rows]
        session.texts(ref for row in rows for ref in (row[2], row[4], row[17], row[_COLLECTIONS]))
        expires = {row[0]: row[1] for row in session.among(statements.EXPIRES, set(refs))}
        orders = {row[0]: order_from_row(row[1:_SIZE], session, ()) for row in rows}
        for ref, order in orders.items():
            session.remember_order(ref, order.order_id)
        others = self._others(orders)
        return [self._summary(row, orders[row[0]], expires.get(row[0]), others) for row in rows]

    def _others(self, orders: Mapping[int, Order]) -> dict[int, list[Status]]:
        """Return the status of every item of these orders that is no product, by order."""
        found: dict[int, list[Status]] = {}
        for ref, status in self._session.among(statements.PACKAGES, orders):
            found.setdefault(ref, []).append(STATUSES[status])
        waiting = [ref for ref, order in orders.items() if _may_stand(order)]
        for ref, number, status, attempt in self._session.among(statements.STANDING, waiting):
            if _stands(orders[ref], number, STATUSES[status], attempt):
                found.setdefault(ref, []).append(STATUSES[status])
        return found

    def _summary(
        self, row: Row, order: Order, expires: int | None, others: Mapping[int, Sequence[Status]]
    ) -> OrderSummary:
        counts = dict(zip(TALLIES, row[_TALLIES:], strict=True))
        for status in others.get(row[0], ()):
            counts[status] -= 1
        collections = json.loads(self._session.text(row[_COLLECTIONS]) or "[]")
        return OrderSummary(
            order_id=order.order_id,
            name=name_of(order),
            owner=order.owner,
            status=order.status.status,
            info=order.status.additional,
            order_type=order.specification.order_type,
            collections=tuple(collections),
            counts={status: count for status, count in counts.items() if count > 0},
            created=order.created,
            updated=order.updated,
            size=row[_SIZE],
            expires=from_micros(expires),
            wanted=order.wanted,
        )

    # -------------------------------------------------------------------------------------------- items

    def latest(self, order: Order, status: Status, limit: int, *, newest: bool = True) -> list[OrderItem]:
        """Return products of one status, those first that changed last, or longest ago."""
        ref = self._session.order_ref(order.order_id)
        if ref is None or limit < 1:
            return []
        standing = self._standing(ref, order)
        statement = statements.LATEST if newest else statements.EARLIEST
        rows = self._session.all(statement, (ref, STATUS[status], limit + len(standing)))
        return items_from_rows([row for row in rows if row[1] not in standing][:limit], self._session)

    def _standing(self, ref: int, order: Order) -> set[int]:
        """Return the numbers of an order's items that stand for products to come."""
        found = self._session.among(statements.STANDING, (ref,)) if _may_stand(order) else []
        return {
            number for _, number, status, tries in found if _stands(order, number, STATUSES[status], tries)
        }

    def last_batch(self, order_id: str) -> int:
        """Return the highest batch of an order; 0 where it has none."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(statements.LAST_BATCH, (ref,))
        return 0 if row is None or row[0] is None else int(row[0])

    # ----------------------------------------------------------------------------------------- failures

    def retried(self, order_id: str, limit: int) -> list[OrderItem]:
        """Return products that wait to be tried again by themselves."""
        ref = self._session.order_ref(order_id)
        rows = [] if ref is None else self._session.all(statements.RETRIED, (ref, limit))
        return [] if ref is None else self._numbered(ref, rows)

    def _numbered(self, ref: int, numbers: Sequence[Row]) -> list[OrderItem]:
        """Return items by rows of their numbers, in the order of these."""
        parts = chunks(row[0] for row in numbers)
        rows = [
            row for part in parts for row in self._session.all(statements.numbered(len(part)), (ref, *part))
        ]
        return items_from_rows(rows, self._session)

    def failures(self, order_id: str, limit: int = 20) -> list[FailureGroup]:
        """Return what failed or is to be tried again, by reason; the largest groups first."""
        ref = self._session.order_ref(order_id)
        if ref is None:
            return []
        groups = []
        for by_reason, of_reason, is_final in (
            (statements.FAILED_BY_REASON, statements.FAILED_OF_REASON, True),
            (statements.RETRIED_BY_REASON, statements.RETRIED_OF_REASON, False),
        ):
            for info, count in self._session.all(by_reason, (ref, limit)):
                items = self._numbered(ref, self._session.all(of_reason, (ref, info, NAMED)))
                groups.append(self._group(items, count, is_final))
        return sorted(groups, key=lambda each: -each.count)[:limit]

    def _group(self, items: Sequence[OrderItem], count: int, is_final: bool) -> FailureGroup:
        kind = next(iter(self.failure_classes(items[:1]).values()), None)
        at = [each.retry_at for each in items if each.retry_at is not None]
        return FailureGroup(
            failure=kind,
            reason=items[0].status.additional or "no reason was given",
            count=count,
            item_ids=tuple(each.specification.item_id for each in items),
            can_retry=is_final and can_retry(kind) and items[0].provider == LOCAL,
            retry_at=min(at, default=None) if not is_final else None,
        )

    def failure_classes(self, items: Iterable[OrderItem]) -> dict[int, str]:
        """Return how the last attempts of items of one order ended, by item number."""
        tries = {each.number: each for each in items}
        ref = self._session.order_ref(next(iter(tries.values())).order_id) if tries else None
        if ref is None:
            return {}
        found = {
            (number, attempt): outcome
            for part in chunks(tries)
            for number, attempt, outcome in self._session.all(statements.outcomes(len(part)), (ref, *part))
        }
        texts = self._session.texts(found.values())
        known = {kind.value for kind in FailureClass}
        return {
            number: said
            for (number, attempt), outcome in found.items()
            if attempt == tries[number].attempt and (said := texts.get(outcome, "")) in known
        }

    # --------------------------------------------------------------------------------- files and history

    def files(self, order_id: str, numbers: Iterable[int]) -> Mapping[int, list[ResultFile]]:
        """Return the data files of the deliveries that count, by item number."""
        results = Results(self._session)
        found = {number: results.of(order_id, data_only=True, number=number) for number in numbers}
        return {number: files for number, files in found.items() if files}

    def lines(self, order_id: str, limit: int) -> list[StatusChange]:
        """Return the newest lines of an order's history, newest first.

        What changed last is known of the items, so that only their lines are read, and the order's own.
        """
        session = self._session
        ref = session.order_ref(order_id)
        if ref is None:
            return []
        numbers = {0}
        for status in STATUS.values():
            numbers.update(row[0] for row in session.all(statements.MOVED, (ref, status, limit)))
        rows: dict[int, Row] = {}
        for part in chunks(sorted(numbers)):
            found = session.all(statements.lines(len(part)), (ref, *part, limit))
            rows.update((row[-1], row) for row in found)
        newest = [rows[key] for key in sorted(rows, reverse=True)[:limit]]
        return Events(session).from_rows(newest)

    def count_lines(self, order_id: str) -> int:
        """Return how many lines of history an order has; of very long ones `MOST_LINES` are counted."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(statements.COUNT_LINES, (ref,))
        return 0 if row is None else int(row[0])

    def cost(self, order_id: str) -> list[Price]:
        """Return what an order drew and did not give back, by currency."""
        ref = self._session.order_ref(order_id)
        rows = [] if ref is None else self._session.all(statements.COST, (ref,))
        return [Price(value=int(total) / 1_000_000, currency=name) for name, total in rows]


def _may_stand(order: Order) -> bool:
    """Whether items of an order may stand for products to come."""
    specification = order.specification
    return specification.order_type is OrderType.SUBSCRIPTION_ORDER or is_massive(specification)


def _stands(order: Order, number: int, status: Status, attempt: int) -> bool:
    """Whether an item of no batch stands for products to come, as `dispatch.batches` sees it."""
    if order.specification.order_type is OrderType.SUBSCRIPTION_ORDER:
        return True
    return number == 1 and status is not Status.COMPLETED and not attempt
