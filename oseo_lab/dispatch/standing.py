"""Reading standing orders: who waits for products, and what for; and saying that one was paused.

Orders that have not changed since are not read again: `calendar` asks every half minute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from oseo_lab.dispatch.planner import PAUSED, Policy, StillWaiting, decide
from oseo_lab.dispatch.settle import Change, follow_up, save
from oseo_lab.model.collection import Collection
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.options import selected
from oseo_lab.model.order import Order, OrderItem
from oseo_lab.model.status import Status, Wanted
from oseo_lab.model.subscription import SUBSCRIPTION_OPTIONS, Standing, standing_of
from oseo_lab.ports import OrderStore, UnitOfWork

__all__ = ["StandingOrders", "standing_from"]

log = logging.getLogger("oseo_lab.dispatch")

_WISHES = {
    Wanted.COMPLETED: StillWaiting(text="subscription is active"),
    Wanted.SUSPENDED: StillWaiting(text=PAUSED),
}


@dataclass(frozen=True)
class _Known:
    """What was read of one order, at which revision of it."""

    revision: int
    wanted: Wanted
    standings: Sequence[Standing]


class StandingOrders:
    """The open subscriptions of a store.

    Parameters
    ----------
    store : OrderStore
        Where orders are.
    collections : mapping of str to Collection
        By id.
    now : callable
        The clock, UTC.
    """

    def __init__(
        self, store: OrderStore, collections: Mapping[str, Collection], now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._collections = collections
        self._now = now
        self._known: dict[str, _Known] = {}

    def read(self) -> list[tuple[Order, Standing]]:
        """Return every open subscription's standing items that wait, with their orders."""
        before, after = self._known, ""
        known: dict[str, _Known] = {}
        found: list[tuple[Order, Standing]] = []
        while True:
            with self._store.read() as snapshot:
                orders = snapshot.orders.standing(OrderType.SUBSCRIPTION_ORDER, after=after)
                for order in orders:
                    had = before.get(order.order_id)
                    if had is None or had.revision != order.revision:
                        had = _Known(order.revision, order.wanted, self.of(snapshot, order))
                    known[order.order_id] = had
            self._tell(before, orders)
            found += [(order, each) for order in orders for each in known[order.order_id].standings]
            if not orders:
                self._known = known
                return found
            after = orders[-1].order_id

    def of(self, snapshot: UnitOfWork, order: Order) -> list[Standing]:
        """Return what the standing items of one order wait for."""
        items = _waiting(snapshot, order)
        found = [standing_from(order, item, self._collections.get(item.collection_id)) for item in items]
        return [each for each in found if each is not None]

    def _tell(self, before: Mapping[str, _Known], orders: Sequence[Order]) -> None:
        """Say in the status of orders that were paused or resumed since they were read that they are."""
        now = self._now()
        for order in orders:
            had = before.get(order.order_id)
            was = had.wanted if had is not None else _told(order)
            if was is not order.wanted and Wanted.CANCELLED not in (was, order.wanted):
                self._store.write(partial(_tell_wish, order=order, now=now))


def _told(order: Order) -> Wanted:
    """Return what an order's own status says is wanted of it, whoever wrote that."""
    said = order.status.additional or ""
    return Wanted.SUSPENDED if said.startswith(PAUSED) else Wanted.COMPLETED


def _tell_wish(work: UnitOfWork, order: Order, now: datetime) -> None:
    said = _WISHES[order.wanted]
    items = _waiting(work, order)
    changes = [Change(before=item, decisions=(decide(item, said, now, Policy()),)) for item in items]
    save(work, changes, {}, now, Policy())
    follow_up(work, {order.order_id}, now, Policy())


def _waiting(snapshot: UnitOfWork, order: Order) -> list[OrderItem]:
    """Return an order's standing items that wait: Suspended, and of no batch."""
    found: list[OrderItem] = []
    after = 0
    while page := snapshot.items.of(order.order_id, after=after, limit=4):
        found += [item for item in page if not item.batch and item.status.status is Status.SUSPENDED]
        if page[-1].batch:
            break
        after = page[-1].number
    return found


def standing_from(order: Order, item: OrderItem, collection: Collection | None) -> Standing | None:
    """Return what a standing item waits for; None where its options cannot be read any more."""
    specification, own = order.specification, item.specification
    try:
        if collection is None:
            values = selected(SUBSCRIPTION_OPTIONS, specification.options, own.options)
            return standing_of(specification, item, values)
        scene = collection.scene(own, specification)
        return standing_of(specification, item, scene | collection.awaited(specification, own))
    except (ValueError, KeyError, TypeError, AttributeError) as narrowed:
        log.warning("item %d of %s cannot be matched: %s", item.number, item.order_id, narrowed)
        return None
