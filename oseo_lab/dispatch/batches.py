"""Batches of an order: which one may be made next, and what there is to say of them.

The items of a massive order, and those that a subscription adds, are made batch after batch: a batch starts
Suspended and is let go when nothing of the order is open but what waits. Called by `settle.follow_up` within
its transaction; an order without Suspended items costs nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from oseo_lab.dispatch.planner import PAUSED, BatchReleased, Decision, Policy, decide
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.order import Order, OrderItem
from oseo_lab.model.status import OPEN, Status, Wanted
from oseo_lab.model.subscription import is_massive
from oseo_lab.ports import UnitOfWork

__all__ = ["has_room", "last_batch", "released", "said", "standing_items"]


def has_room(counts: Mapping[Status, int]) -> bool:
    """Whether nothing of an order is open but what waits."""
    return not any(counts.get(status, 0) for status in OPEN if status is not Status.SUSPENDED)


def released(
    work: UnitOfWork, order: Order, counts: Mapping[Status, int], now: datetime, policy: Policy
) -> list[tuple[OrderItem, Decision]]:
    """Return the items of the batch that may be made next, each with the decision to let it go."""
    if not counts.get(Status.SUSPENDED) or order.wanted is not Wanted.COMPLETED or not has_room(counts):
        return []
    batch = work.items.next_batch(order.order_id)
    if batch is None:
        return []
    waiting = work.items.of_batch(order.order_id, batch)
    return [
        (item, decide(item, BatchReleased(), now, policy))
        for item in waiting
        if item.status.status is Status.SUSPENDED
    ]


def standing_items(work: UnitOfWork, order: Order) -> list[OrderItem]:
    """Return the items of an order that stand for products to come: its first ones, of no batch."""
    if order.specification.order_type is not OrderType.SUBSCRIPTION_ORDER:
        if not is_massive(order.specification):
            return []
        first = work.items.get(order.order_id, 1)
        return [first] if first is not None and _stands(first) else []
    found: list[OrderItem] = []
    while page := work.items.of(order.order_id, after=len(found), limit=100):
        found += [item for item in page if not item.batch]
        if len(found) % 100 or page[-1].batch:
            break
    return found


def _stands(first: OrderItem) -> bool:
    """Whether the one item of a massive order is filled from the catalogue: it is of no batch then."""
    return not first.batch and first.status.status is not Status.COMPLETED and not first.attempt


def last_batch(work: UnitOfWork, order_id: str) -> int:
    """Return the highest batch of an order; 0 where it has none."""
    last = work.items.get(order_id, work.items.last_number(order_id))
    return last.batch if last is not None else 0


def said(work: UnitOfWork, order: Order, counts: Mapping[Status, int]) -> str | None:
    """Say how far an order of batches is; None for any other."""
    standing = standing_items(work, order)
    if standing:
        batches = last_batch(work, order.order_id)
        products = work.items.last_number(order.order_id) - len(standing)
        text = f"{_counted(products, 'product')} in {_counted(batches, 'batch', 'batches')}"
        if not any(counts.get(status, 0) for status in OPEN):
            return text
        text = f"{text} so far"
        return f"{PAUSED}; {text}" if order.wanted is Wanted.SUSPENDED else text
    if not counts.get(Status.SUSPENDED):
        return None
    if order.wanted is Wanted.SUSPENDED:
        return PAUSED
    waiting = work.items.next_batch(order.order_id)
    if waiting is None:
        return None
    return f"batch {waiting - 1} of {last_batch(work, order.order_id)} is being made"


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
