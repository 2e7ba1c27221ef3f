"""What operators decided of orders, carried out: items that waited for a person go on, or are cancelled.

Operations write decisions down (`oseo_lab.operations.desk`); here the items are moved, some in each
transaction, until none is left. An order that was approved begins as one that nobody need approve, of every
type; one that was rejected ends, and what it drew is given back (`accounting`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from oseo_lab.dispatch.planner import Approved, Cancelled, Decision, Policy, Rejected, WaitsAgain, decide
from oseo_lab.dispatch.settle import Change, save
from oseo_lab.model.approval import Approval, Decided
from oseo_lab.model.beginnings import first_status
from oseo_lab.model.collection import Collection
from oseo_lab.model.order import Order, OrderItem
from oseo_lab.model.status import Status, Wanted
from oseo_lab.ports import UnitOfWork

__all__ = ["obey"]

#: Most orders looked at in one transaction.
_ORDERS = 50


def obey(
    work: UnitOfWork, most: int, collections: Mapping[str, Collection], now: datetime, policy: Policy
) -> int:
    """Move up to ``most`` items as operators decided of their orders; return how many moved."""
    moved = 0
    for order_id in work.desk.decided(_ORDERS):
        order = work.orders.get(order_id)
        if order is None or order.approval is None or moved >= most:
            break
        items = work.items.of_status(order_id, Status.SUBMITTED, limit=most - moved)
        size = work.items.last_number(order_id)
        changes = [_change(item, _events_of(item, order, size), now, policy) for item in items]
        moved += sum(save(work, changes, collections, now, policy))
        _say_what_it_waits_for(work, order_id, changes)
    return moved


def _events_of(item: OrderItem, order: Order, size: int) -> tuple[object, ...]:
    """Return what happens to an item that waited, one after another."""
    approval = order.approval or Approval()
    operator = approval.operator or "operator"
    if approval.decided is Decided.REJECTED:  # before anything else: it was decided before
        return (Rejected(text=approval.sentence, operator=operator),)
    if item.wanted is Wanted.CANCELLED:
        return (Cancelled(),)
    begins = first_status(order.specification, size, item.batch)
    approved = Approved(operator=operator)
    if begins.status is Status.SUSPENDED:
        return approved, WaitsAgain(text=begins.additional or "")
    return (approved,)


def _change(item: OrderItem, events: Sequence[object], now: datetime, policy: Policy) -> Change:
    decisions = [Decision(item=item)]
    for event in events:
        decisions.append(decide(decisions[-1].item, event, now, policy))
    return Change(before=item, decisions=tuple(decisions[1:]))


def _say_what_it_waits_for(work: UnitOfWork, order_id: str, changes: Sequence[Change]) -> None:
    """Say of an order that waits as a whole what its items wait for, as Submit would have."""
    texts = {each.after.status.additional for each in changes}
    order = work.orders.get(order_id)
    if order is None or len(texts) != 1 or order.status.status is not Status.SUSPENDED:
        return
    (text,) = texts
    if order.status.additional != text:
        work.orders.save(replace(order, status=replace(order.status, additional=text)))
