"""Mail and webhooks that a change owes: entries put into the outbox in the transaction that makes the change.

Called by `notices.owe`. What an order's batches do comes in crowds, so it is gathered: a message waits until
nothing of the order is in work, for an hour at the latest; a digest until its time. The outbox holds it, and
whatever happens in between joins it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from oseo_lab.model.identifiers import ProductId, SubscriptionId
from oseo_lab.model.notices import Step
from oseo_lab.model.notify import (
    Digest,
    Event,
    Notification,
    added,
    entry_of_items,
    entry_of_order,
    final_events,
    next_digest,
)
from oseo_lab.model.order import Order, OrderItem, StatusInfo
from oseo_lab.model.status import DELIVERED, OPEN, Status
from oseo_lab.model.subscription import is_massive
from oseo_lab.ports import Notice, UnitOfWork

__all__ = ["HOLD", "Turn", "gather", "tell"]

#: For how long what an order's items do is gathered, at most, while others of it are in work.
HOLD = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What one transaction did to one order.

    Parameters
    ----------
    order : Order
        Before.
    status : StatusInfo
        After.
    counts : mapping of Status to int
        Its items by status, after.
    steps : sequence of Step
        What happened to its items, as far as it is known.
    """

    order: Order
    status: StatusInfo
    counts: Mapping[Status, int]
    steps: Sequence[Step] = ()


def tell(work: UnitOfWork, turns: Sequence[Turn], now: datetime) -> None:
    """Owe what happened to orders to whoever asked for mail or a webhook."""
    asked = work.notifications.of_many([turn.order.order_id for turn in turns])
    for turn in turns:
        if turn.order.order_id in asked:
            _tell(work, turn, asked[turn.order.order_id], now)


def _tell(work: UnitOfWork, turn: Turn, asked: Sequence[Notification], now: datetime) -> None:
    """Owe what happened to one order."""
    is_final = turn.status.status.is_final and not turn.order.status.status.is_final
    is_quiet = is_final or _is_quiet(turn)
    entries = _entries_of_items(work, turn, {event for each in asked for event in each.on}, now)
    over = final_events(turn.status.status, turn.counts) if is_final else frozenset[Event]()
    waiting: Sequence[Notice] | None = None
    for each in asked:
        mine = [entry for event, entry in entries if event in each.on]
        if event := next((event for event in Event if event in each.on and event in over), None):
            mine.append(entry_of_order(event, turn.status.status, turn.status.additional, now))
        due = next_digest(each.digest, now)
        if each.digest is Digest.IMMEDIATE and not is_quiet:
            due += HOLD
        if mine or (is_quiet and each.digest is Digest.IMMEDIATE):
            waiting = work.outbox.waiting(turn.order.order_id) if waiting is None else waiting
            gather(work, each, mine, due, waiting)


def _is_quiet(turn: Turn) -> bool:
    """Whether nothing of an order is in work any more but what this turn has just let go: a batch is done."""
    in_work = sum(turn.counts.get(each, 0) for each in OPEN if each is not Status.SUSPENDED)
    return in_work == sum(step.before.status is Status.SUSPENDED for step in turn.steps)


def gather(
    work: UnitOfWork,
    notification: Notification,
    entries: Sequence[Mapping[str, Any]],
    due: datetime,
    waiting: Sequence[Notice],
) -> None:
    """Put entries into the message that waits for its time, or into a new one.

    Parameters
    ----------
    work : UnitOfWork
        Of the transaction of what happened.
    notification : Notification
        Who is told.
    entries : sequence of mapping
        What happened; nothing to let go what was gathered.
    due : datetime
        When the message goes out, UTC; one that waits goes no later than it would have.
    waiting : sequence of Notice
        The order's notices that are not sent.
    """
    held = next((each for each in reversed(waiting) if _is_held(each, notification)), None)
    if held is not None:
        body = {**held.body, "entries": added(held.body["entries"], entries)}
        sooner = min(due, held.due) if held.due is not None else due
        if work.outbox.amend(replace(held, body=body, due=sooner)) or not entries:
            return
    if entries:
        work.outbox.add([_notice(notification, entries, due)])


def _is_held(notice: Notice, notification: Notification) -> bool:
    """Whether a message waits for its time: not one that is tried, nor one that is sent once more."""
    is_mine = notice.body.get("notification") == notification.notification_id
    return is_mine and not notice.attempts and not notice.body.get("again")


def _notice(notification: Notification, entries: Sequence[Mapping[str, Any]], due: datetime) -> Notice:
    return Notice(
        order_id=notification.order_id,
        kind=notification.channel.value,
        address=notification.address,
        body={
            "notification": notification.notification_id,
            "message": str(uuid4()),
            "digest": notification.digest.value,
            "entries": added((), entries),
        },
        due=due,
    )


def _entries_of_items(
    work: UnitOfWork, turn: Turn, wanted: set[Event], now: datetime
) -> Iterable[tuple[Event, dict[str, Any]]]:
    """Return what became of items: of those that were delivered one entry, of those that failed by reason."""
    names: dict[tuple[Event, str | None], list[str]] = {}
    for step in turn.steps:
        event = _event_of(step)
        if event not in wanted:
            continue
        item = work.items.get(turn.order.order_id, step.number)
        if item is None or (event is Event.FAILED and not item.batch) or _stands(turn.order, item):
            continue  # what fails of an order without batches is said at its end
        reason = step.after.additional if event is Event.FAILED else None
        names.setdefault((event, reason), []).append(_name(item))
    return [(event, entry_of_items(event, each, reason, now)) for (event, reason), each in names.items()]


def _stands(order: Order, item: OrderItem) -> bool:
    """Whether an item stands for products to come, and is none itself."""
    if isinstance(item.specification.identifier, SubscriptionId):
        return True
    return is_massive(order.specification) and not item.batch and not item.attempt


def _event_of(step: Step) -> Event | None:
    before, after = step.before.status, step.after.status
    if after in DELIVERED and before not in DELIVERED:
        return Event.DELIVERED
    return Event.FAILED if after is Status.FAILED and before is not Status.FAILED else None


def _name(item: OrderItem) -> str:
    """Return what an item is called: its product, where it is one."""
    identifier = item.product or item.specification.identifier
    return identifier.identifier if isinstance(identifier, ProductId) else item.specification.item_id
