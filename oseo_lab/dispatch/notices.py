"""What users are owed for changes, put into the outbox in the transaction that makes the changes.

Step 16 of the walk, called by `settle.follow_up`; `oseo_lab.model.notices` decides what is owed, the relay
sends it. Nearly free for orders that nobody asked to be told of: two indexed reads for a whole batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from oseo_lab.dispatch.telling import Turn, tell
from oseo_lab.model.notices import EVENTS, Moment, as_body, moments, owed
from oseo_lab.model.notifications import Subscriber, Topic
from oseo_lab.model.order import Callback, Order, StatusNotification
from oseo_lab.ports import Notice, UnitOfWork

__all__ = ["NOTIFY", "Turn", "owe"]

#: Kind of a notice that is an event for subscribers; the other kinds are `CallbackKind`s.
NOTIFY = "Notify"
#: Up to how many items an order's every change is told as it was; of larger ones the latest state is.
MOST_ITEMS = 100


def owe(work: UnitOfWork, turns: Iterable[Turn], now: datetime) -> None:
    """Put into the outbox what is owed for what happened to orders."""
    moved = [turn for turn in turns if turn.steps or turn.status.status is not turn.order.status.status]
    if not moved:
        return
    asked = work.callbacks.of_many([turn.order.order_id for turn in moved])
    notices = [
        notice
        for turn in moved
        if turn.order.order_id in asked
        for notice in _told(work, turn, asked[turn.order.order_id])
    ]
    notices += _events(work, moved, now)
    if notices:
        work.outbox.add(notices)
    tell(work, moved, now)


def _told(work: UnitOfWork, turn: Turn, callbacks: Sequence[Callback]) -> Iterable[Notice]:
    """Yield the callbacks that one order owes."""
    if sum(turn.counts.values()) > MOST_ITEMS:
        yield from _told_of_many(work, turn, callbacks)
        return
    before, is_final = turn.order.status.status, turn.status.status.is_final
    if not is_final and all(each.policy is StatusNotification.FINAL for each in callbacks):
        return
    items = work.items.of(turn.order.order_id)
    happened = moments(turn.order, turn.status, turn.counts, items, turn.steps)
    for callback in callbacks:
        for moment in owed(callback.policy, before, happened):
            yield _notice(turn.order, callback, moment)


def _told_of_many(work: UnitOfWork, turn: Turn, callbacks: Sequence[Callback]) -> Iterable[Notice]:
    """Yield at most one callback for all that happened: it says how things stand when it is sent.

    One that waits and was not tried yet will say the same, so there is no second; only that the order is
    final is told in any case.
    """
    order_id, before = turn.order.order_id, turn.order.status.status
    moment = Moment(order=turn.status)
    becomes_final = moment.is_final and not before.is_final
    waiting: Sequence[Notice] | None = None
    for callback in callbacks:
        if not owed(callback.policy, before, [moment]):
            continue
        if not becomes_final:
            waiting = work.outbox.waiting(order_id) if waiting is None else waiting
            if any(_will_say(each, callback) for each in waiting):
                continue
        yield _notice(turn.order, callback, moment)


def _will_say(waiting: Notice, callback: Callback) -> bool:
    return (waiting.kind, waiting.address, waiting.attempts) == (callback.kind.value, callback.address, 0)


def _notice(order: Order, callback: Callback, moment: Moment) -> Notice:
    return Notice(
        order_id=order.order_id,
        kind=callback.kind.value,
        address=callback.address,
        body={
            **as_body(moment),
            "relates_to": callback.message_id,
            "soap": callback.soap_version,
        },
    )


def _events(work: UnitOfWork, turns: Sequence[Turn], now: datetime) -> list[Notice]:
    """Return the events that subscribers hear of: orders of theirs that became final."""
    notices: list[Notice] = []
    subscribers: dict[str, list[Subscriber]] = {}
    for turn in turns:
        order, status = turn.order, turn.status.status
        if order.status.status.is_final or not status.is_final:
            continue
        if order.owner not in subscribers:
            subscribers[order.owner] = work.subscribers.of(order.owner, now)
        topic, code = EVENTS[status]
        notices += [
            Notice(
                order_id=order.order_id,
                kind=NOTIFY,
                address=each.consumer,
                body={
                    "topic": topic.value,
                    "code": code.value,
                    "reference": each.reference,
                    "producer": each.producer,
                },
            )
            for each in subscribers[order.owner]
            if each.topic in (topic, Topic.ORDER_EVENT)
        ]
    return notices
