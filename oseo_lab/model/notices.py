"""Which messages are owed for a change of an order, and what they tell: pure functions over statuses.

06-141r6 12.2 and 16.2: policy None owes nothing, Final one message when the order is final, All one for each
change of a status. An order's status follows its items', so a change of an item and the change of the order
that comes of it are one moment and told in one message: nobody ever hears of a Completed order with an open
item. The first status of a new order is told by the acknowledgement itself and owes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from oseo_lab.model.notifications import EventCode, Topic
from oseo_lab.model.order import Order, OrderItem, StatusInfo, StatusNotification
from oseo_lab.model.status import Status, roll_up_of

__all__ = ["EVENTS", "Moment", "Step", "as_body", "moments", "of_body", "owed", "shown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One change of one item's status."""

    number: int
    before: StatusInfo
    after: StatusInfo


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """How an order stood right after a change.

    ``items`` holds statuses by item number; None means "as they stand when the message is sent".
    """

    order: StatusInfo
    items: Mapping[int, StatusInfo] | None = field(default=None)

    @property
    def is_final(self) -> bool:
        """Whether the order was final then."""
        return self.order.status.is_final


#: The event, and the topic it is told under, of an order that became final (06-141r6 7.5, ``EventCode``).
EVENTS: Mapping[Status, tuple[Topic, EventCode]] = {
    Status.COMPLETED: (Topic.ORDER_COMPLETION, EventCode.COMPLETED),
    Status.DOWNLOADED: (Topic.ORDER_COMPLETION, EventCode.COMPLETED),
    Status.TERMINATED: (Topic.ORDER_COMPLETION, EventCode.COMPLETED),
    Status.FAILED: (Topic.ORDER_FAILURE, EventCode.FAILED),
    Status.CANCELLED: (Topic.ORDER_CANCELLATION, EventCode.DELETED),
}


def owed(policy: StatusNotification, before: Status, told: Sequence[Moment]) -> Sequence[Moment]:
    """Return which moments of an order, that had the status ``before``, are told under a policy."""
    if policy is StatusNotification.ALL:
        return told
    if policy is StatusNotification.FINAL and not before.is_final:
        return [each for each in told if each.is_final][-1:]
    return ()


def moments(
    order: Order,
    after: StatusInfo,
    counts: Mapping[Status, int],
    items: Iterable[OrderItem],
    steps: Sequence[Step],
) -> list[Moment]:
    """Return the moments that steps of an order's items made, in order.

    Parameters
    ----------
    order : Order
        Before the first step.
    after : StatusInfo
        Its status after the last one.
    counts : mapping of Status to int
        Its items by status after the last step, a package counted.
    items : iterable of OrderItem
        After the last step.
    steps : sequence of Step
        What happened to the items in between; where none is known, the order's own change is the one moment.
    """
    statuses = {each.number: each.status for each in items}
    if not steps:
        return [Moment(order=after, items=statuses)] if after.status is not order.status.status else []
    numbers = dict(counts)
    for step in reversed(steps):
        statuses[step.number] = step.before
        _count(numbers, step.after.status, step.before.status)
    found, status = [], order.status
    for step in steps:
        statuses = {**statuses, step.number: step.after}
        _count(numbers, step.before.status, step.after.status)
        status = _followed(order, status, numbers)
        found.append(Moment(order=status, items=statuses))
    found[-1] = replace(found[-1], order=after)
    return found


def _count(numbers: dict[Status, int], fewer: Status, more: Status) -> None:
    numbers[fewer] = numbers.get(fewer, 0) - 1
    numbers[more] = numbers.get(more, 0) + 1


def _followed(order: Order, status: StatusInfo, numbers: Mapping[Status, int]) -> StatusInfo:
    counts = {each: count for each, count in numbers.items() if count > 0}
    rolled = roll_up_of(order.specification.order_type, counts, order.wanted)
    return status if rolled is status.status else StatusInfo(status=rolled)


def as_body(moment: Moment) -> dict[str, Any]:
    """Return a moment as plain values that JSON holds."""
    if moment.items is None:
        return {"final": moment.is_final}
    items = {str(number): _plain(info) for number, info in moment.items.items()}
    return {"final": moment.is_final, "order": _plain(moment.order), "items": items}


def of_body(body: Mapping[str, Any]) -> Moment | None:
    """Return the moment that `as_body` wrote; None for one that is told as it stands when it is sent."""
    if "items" not in body:
        return None
    items = {int(number): _info(plain) for number, plain in body["items"].items()}
    return Moment(order=_info(body["order"]), items=items)


def _plain(info: StatusInfo) -> list[str | None]:
    values = [info.status.value, info.additional, info.mission_specific]
    while values[-1] is None:
        values.pop()
    return values


def _info(plain: Sequence[str | None]) -> StatusInfo:
    status, additional, mission = (*plain, None, None)[:3]
    return StatusInfo(status=Status(status or ""), additional=additional, mission_specific=mission)


def shown(order: Order, moment: Moment | None) -> Order:
    """Return an order, given with its items, as it was at a moment; items that came later are left out."""
    if moment is None or moment.items is None:
        return order
    items = tuple(
        replace(each, status=moment.items[each.number]) for each in order.items if each.number in moment.items
    )
    return replace(order, status=moment.order, items=items)
