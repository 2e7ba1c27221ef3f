"""What users want of items that nobody works on: to be tried again, to be paused, to go on.

Operations write such wishes (`oseo_lab.operations.steering`); here the items are moved, some in each
transaction, until none is left. A wish lasts until its item is saved, so it outlives whatever dies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from oseo_lab.dispatch.planner import (
    Decision,
    Paused,
    Policy,
    Resumed,
    TriedAgain,
    WaitsAgain,
    decide,
)
from oseo_lab.dispatch.settle import Change, follow_up, save
from oseo_lab.model.collection import Collection
from oseo_lab.model.identifiers import TaskingRequestId
from oseo_lab.model.order import Order, OrderItem
from oseo_lab.model.status import Status, Wanted
from oseo_lab.ports import UnitOfWork

__all__ = ["PACKAGE_WAITS", "grant"]

#: What is said of a package, and of a tasking request, that waits.
PACKAGE_WAITS = "the package waits for the items"
REQUEST_WAITS = "waiting for the tasking service"


def grant(
    work: UnitOfWork,
    items: Sequence[OrderItem],
    collections: Mapping[str, Collection],
    now: datetime,
    policy: Policy,
) -> None:
    """Move items (`Items.wished`) as their users want them."""
    orders = work.orders.get_many({item.order_id for item in items})
    changes = [_change(item, events_of(item, orders[item.order_id]), now, policy) for item in items]
    changes += _packages(work, items, orders, now, policy)
    save(work, changes, collections, now, policy)
    # What waits for others was not moved; what it waits for may be there.
    still = {each.after.order_id for each in changes if each.after.status == each.before.status}
    follow_up(work, still, now, policy)


def _change(item: OrderItem, events: Sequence[object], now: datetime, policy: Policy) -> Change:
    decisions = [Decision(item=item)]
    for event in events:
        decisions.append(decide(decisions[-1].item, event, now, policy))
    return Change(before=item, decisions=tuple(decisions[1:] or decisions))


def events_of(item: OrderItem, order: Order) -> tuple[object, ...]:
    """Return what an item's user wants of it, as what happens to it, one after another."""
    status = item.status.status
    if status.is_final:
        again = TriedAgain(wanted=order.wanted)
        waits = _waits_for(item)
        if waits is None:
            return (again, Paused()) if order.wanted is Wanted.SUSPENDED else (again,)
        return again, WaitsAgain(text=waits)
    if status is not Status.SUSPENDED:
        return (Paused(),)
    if item.retry_at is None or item.wanted is not Wanted.COMPLETED:
        return ()
    return (Resumed(),) if item.number else (WaitsAgain(text=PACKAGE_WAITS),)


def _waits_for(item: OrderItem) -> str | None:
    """Say what an item waits for before it can be made; None where that is nothing."""
    if not item.number:
        return PACKAGE_WAITS
    is_requested = isinstance(item.specification.identifier, TaskingRequestId)
    return REQUEST_WAITS if is_requested and item.product is None else None


def _packages(
    work: UnitOfWork, items: Sequence[OrderItem], orders: Mapping[str, Order], now: datetime, policy: Policy
) -> Iterator[Change]:
    """Put packages back that are being made, or failed, of orders more of which is made now.

    One that was delivered stays as it is until it lacks something (`settle.follow_up`).
    """
    looked_at = {item.key for item in items}
    again = {item.order_id for item in items if item.number and item.status.status.is_final}
    for order_id in sorted(again):
        is_packed = orders[order_id].specification.packaging is not None
        package = work.items.get(order_id, 0) if is_packed and (order_id, 0) not in looked_at else None
        if package is None or package.status.status in _LEFT_ALONE:
            continue
        is_over = package.status.status.is_final
        events = (*((TriedAgain(wanted=orders[order_id].wanted),) if is_over else ()), _WAITS)
        yield _change(package, events, now, policy)


_WAITS = WaitsAgain(text=PACKAGE_WAITS)
_LEFT_ALONE = frozenset({Status.SUSPENDED, Status.COMPLETED, Status.DOWNLOADED})
