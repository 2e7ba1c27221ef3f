"""Telling users of orders by mail or webhook: who is told, of what, until it is stopped; and sending again.

Beside the standard. Only an order's owner adds, sees and stops; an order that is over by then is told of at
once, so that nobody waits for a message that was due a moment ago. A webhook's address is judged here by what
it says, and at sending time by where it leads; its secret is told once.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from oseo_lab.model.errors import Conflict, NotFound, Problem, ValidationError
from oseo_lab.model.notify import (
    CHANNELS,
    Channel,
    Digest,
    Event,
    Notification,
    address_of_mail,
    entry_of_order,
    final_events,
    may_get_mail,
    next_digest,
)
from oseo_lab.model.order import Order
from oseo_lab.operations.context import Context, order_of
from oseo_lab.operations.replying import address_problem
from oseo_lab.ports import Notice, UnitOfWork

__all__ = ["MOST", "NewNotification", "list_notifications", "notify", "send_again", "stop"]

#: Most notifications of one order.
MOST = 20
#: Bytes of a webhook's secret.
_SECRET = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class NewNotification:
    """What is asked for: where to, of what, when. Mail and webhook may be asked for at once."""

    email: str | None = None
    webhook: str | None = None
    on: tuple[Event, ...] = (Event.COMPLETED, Event.FAILED)
    digest: Digest = Digest.IMMEDIATE


def notify(order_id: str, wish: NewNotification, context: Context) -> list[Notification]:
    """Tell somebody of one of the caller's orders from now on; asked again for an address, the last holds.

    Returns
    -------
    list of Notification
        What was made, mail first; a webhook's with its secret, which is told this once.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    ValidationError
        With everything wrong: an address, no address, nothing to be told of, no mail server here.
    Conflict
        If there are too many.
    """
    owner, now = context.caller, context.now()
    problems = list(_problems(wish, context))
    with context.store.read() as snapshot:
        order_of(snapshot, order_id, owner)
    if problems:
        raise ValidationError.of(problems)
    made = [
        Notification(
            notification_id=str(uuid.uuid4()),
            order_id=order_id,
            channel=channel,
            address=address,
            on=tuple(each for each in Event if each in wish.on),
            digest=_digest(wish, channel),
            created=now,
            secret=secrets.token_bytes(_SECRET) if channel is Channel.WEBHOOK else None,
            service=context.url,
            warned=now if Event.EXPIRING in wish.on else None,
        )
        for channel, address in _addresses(wish)
    ]

    def write(work: UnitOfWork) -> list[Notification]:
        order = order_of(work, order_id, owner)
        there = work.notifications.of_many((order_id,)).get(order_id, [])
        saved = [_with_id(each, there) for each in made]
        kept = {each.notification_id for each in (*there, *saved)}
        if len(kept) > MOST:
            raise Conflict(f"the order has {len(there)} notifications; stop some first", locator="orderId")
        for each in saved:
            work.notifications.save(each)
            _let_go(work, each, now)
            _tell_what_was(work, order, each, now)
        return saved

    return context.store.write(write)


def _digest(wish: NewNotification, channel: Channel) -> Digest:
    """Return when a channel is told: where both are asked for, the digest is for people."""
    is_both = wish.email is not None and wish.webhook is not None
    return Digest.IMMEDIATE if is_both and channel is Channel.WEBHOOK else wish.digest


def _addresses(wish: NewNotification) -> Iterator[tuple[Channel, str]]:
    if wish.email is not None:
        yield Channel.EMAIL, wish.email
    if wish.webhook is not None:
        yield Channel.WEBHOOK, wish.webhook


def _problems(wish: NewNotification, context: Context) -> Iterator[Problem]:
    """Yield everything that is wrong with a wish."""
    if not context.callbacks:
        yield _problem("orderId", "nobody is told of orders from here: its operators settled callbacks=False")
    if wish.email is None and wish.webhook is None:
        yield _problem(
            "email", "nobody is named to be told; allowed: email='name@host', webhook='https://...'"
        )
    if not wish.on:
        yield _problem("on", f"nothing is named to be told of; allowed: {', '.join(Event)}")
    if wish.email is not None and not address_of_mail(wish.email):
        hint = "; for a digest: digest='weekly'" if "digest" in wish.email else ""
        yield _problem("email", f"{wish.email[:60]!r} is no mail address; allowed: name@host{hint}")
    elif wish.email is not None and not context.mail:
        yield _problem(
            "email", "no mail is sent from here: the operator has named no smtp_host; take webhook=..."
        )
    elif wish.email is not None and not may_get_mail(wish.email, context.mail_domains):
        allowed = ", ".join(context.mail_domains)
        yield _problem("email", f"no mail is sent to {wish.email[:60]!r} from here; allowed: @{allowed}")
    if wish.webhook is not None and (wrong := address_problem(wish.webhook)) is not None:
        yield _problem("webhook", f"nothing can be sent to {wish.webhook[:60]!r}: {wrong}")


def _problem(locator: str, text: str) -> Problem:
    return Problem(code=ValidationError.code, locator=locator, text=text)


def _with_id(made: Notification, there: Sequence[Notification]) -> Notification:
    """Return a notification in the place of the one that went to the same address, if one did."""
    for each in there:
        if (each.channel, each.address) == (made.channel, made.address):
            warned = each.warned if made.warned is not None and each.warned is not None else made.warned
            return replace(made, notification_id=each.notification_id, created=each.created, warned=warned)
    return made


def _let_go(work: UnitOfWork, notification: Notification, now: datetime) -> None:
    """Send what was gathered for the same address under another timetable: nothing is lost by a change."""
    for each in work.outbox.waiting(notification.order_id):
        if _is_for(each, notification.notification_id) and not each.attempts:
            work.outbox.amend(replace(each, due=min(each.due or now, next_digest(notification.digest, now))))


def _is_for(notice: Notice, notification_id: str) -> bool:
    return notice.body.get("notification") == notification_id


def _tell_what_was(work: UnitOfWork, order: Order, notification: Notification, now: datetime) -> None:
    """Owe the end of an order that was over before somebody asked to be told of it."""
    status = order.status
    if not status.status.is_final or notification.created != now:
        return
    over = final_events(status.status, work.items.counts(order.order_id))
    event = next((each for each in Event if each in over and each in notification.on), None)
    if event is None:
        return
    entry = entry_of_order(event, status.status, status.additional, order.updated or now)
    body = {
        "notification": notification.notification_id,
        "message": str(uuid.uuid4()),
        "digest": notification.digest.value,
        "entries": [entry],
    }
    due = next_digest(notification.digest, now)
    channel, address = notification.channel.value, notification.address
    work.outbox.add([Notice(order_id=order.order_id, kind=channel, address=address, body=body, due=due)])


def list_notifications(order_id: str, context: Context) -> list[Notification]:
    """Return who is told of one of the caller's orders, oldest first; without secrets. Raises NotFound."""
    with context.store.read() as snapshot:
        order_of(snapshot, order_id, context.caller)
        found = snapshot.notifications.of_many((order_id,)).get(order_id, [])
    return [replace(each, secret=None) for each in found]


def stop(order_id: str, notification_id: str, context: Context) -> None:
    """Tell somebody of one of the caller's orders no more; what waits for him is not sent.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's, or nobody is told so.
    """
    owner = context.caller

    def write(work: UnitOfWork) -> None:
        order_of(work, order_id, owner)
        if not work.notifications.remove(order_id, notification_id):
            raise NotFound(
                f"the order has no notification {notification_id[:50]!r}", locator="notificationId"
            )
        for each in work.outbox.waiting(order_id):
            if _is_for(each, notification_id):
                work.outbox.settle(each, due=None)

    context.store.write(write)


def send_again(order_id: str, notice_id: int, context: Context) -> None:
    """Send a notice of one of the caller's orders once more, the same words; one that waits goes at once.

    It goes before what waits for its time, a digest that is being gathered, and nothing joins it: whoever
    knows the message already would not read it there.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's, or nothing is kept of such a notice.
    Conflict
        If it was for somebody who is told no more.
    """
    owner, now = context.caller, context.now()

    def write(work: UnitOfWork) -> None:
        order_of(work, order_id, owner)
        for each in work.outbox.waiting(order_id):
            if each.notice_id == notice_id:
                work.outbox.settle(each, due=now)
                return
        last = work.sendings.last(order_id, notice_id)
        if last is None or last.body is None:
            raise NotFound(f"nothing is kept of notice {notice_id} of this order", locator="noticeId")
        asked = work.notifications.of_many((order_id,)).get(order_id, ())
        told = {each.notification_id for each in asked}
        if last.kind in CHANNELS and last.body.get("notification") not in told:
            raise Conflict(
                f"{last.address} is told of this order no more; notify it anew", locator="noticeId"
            )
        body = {**last.body, "again": True}
        again = Notice(order_id=order_id, kind=last.kind, address=last.address, body=body, due=now)
        _add_before_gathered(work, again, now)

    context.store.write(write)


def _add_before_gathered(work: UnitOfWork, notice: Notice, now: datetime) -> None:
    """Owe a notice, and after it what waits for its time at the same address: they go out in this order."""
    gathered = [
        each
        for each in work.outbox.waiting(notice.order_id)
        if each.address == notice.address and not each.attempts and each.due is not None and each.due > now
    ]
    for each in gathered:
        work.outbox.settle(each, due=None)
    work.outbox.add([notice, *gathered])
