"""The order desk: what operators decide, and what they tell users; for operators only.

Beside the standard. A decision is written down with who made it, when and why, and is made once; the
dispatcher moves the items (`oseo_lab.dispatch.desk`). What they decide by is `oseo_lab.operations.board`.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from oseo_lab.model.approval import REASON_MOST, Approval, Decided
from oseo_lab.model.desk import (
    ANNOUNCEMENT_MOST,
    SILENCE,
    Announcement,
)
from oseo_lab.model.errors import InvalidState, ValidationError
from oseo_lab.model.order import Order, StatusChange
from oseo_lab.model.status import Wanted
from oseo_lab.operations.board import anybodys_order, check_operator, silent_in_work
from oseo_lab.operations.context import Context
from oseo_lab.ports import UnitOfWork

__all__ = ["announce", "announcement", "approve", "reject", "run_again", "withdraw"]


# ---------------------------------------------------------------------------------------------- decisions


def approve(order_id: str, context: Context) -> Order:
    """Let an order be made that waits for it; one that was approved already stays so.

    Raises
    ------
    NotAuthorized
        If the caller is no operator.
    NotFound
        If there is no such order.
    InvalidState
        If it does not wait for approval; the text says why.
    """
    return _decide(order_id, Approval(decided=Decided.APPROVED), context)


def reject(order_id: str, reason: str, context: Context) -> Order:
    """Refuse an order that waits for approval: it is cancelled, and its user reads the reason.

    One that was rejected already stays so, with the reason that was given first. Raises as `approve`, and:

    Raises
    ------
    ValidationError
        If there is no reason, or a very long one.
    """
    said = _text(reason, "reason", REASON_MOST, "the user reads it: say why, and what to do instead")
    return _decide(order_id, Approval(decided=Decided.REJECTED, reason=said), context)


def _decide(order_id: str, wish: Approval, context: Context) -> Order:
    check_operator(context, "approve and reject orders")
    now = context.now()
    made = Approval(decided=wish.decided, operator=context.caller, at=now, reason=wish.reason)
    order = context.store.write(partial(_decided, order_id=order_id, made=made, now=now))
    context.wake()
    return order


def _decided(work: UnitOfWork, order_id: str, made: Approval, now: datetime) -> Order:
    order = anybodys_order(work, order_id)
    if order.approval is not None and order.approval.decided is made.decided:
        return order  # a second click, or a second operator of the same mind
    if not work.desk.decide(order.order_id, made, now):
        raise _not_waiting(order)
    author, said = made.operator or "", "approved"
    if made.decided is Decided.REJECTED:
        said = made.sentence
    line = StatusChange(
        order_id=order.order_id, number=0, status=order.status.status, at=now, author=author, info=said
    )
    work.events.add([line])
    return anybodys_order(work, order_id)


def _not_waiting(order: Order) -> InvalidState:
    """Say why an order cannot be decided of."""
    approval, status = order.approval, order.status.status
    if approval is not None and approval.decided is not Decided.WAITING:
        when = f"on {approval.at:%Y-%m-%d at %H:%M} UTC" if approval.at is not None else "before"
        text = f"the order was {approval.decided} by {approval.operator} {when}"
        if approval.decided is Decided.APPROVED:
            text += "; it can only be cancelled now, by its user"
    elif order.wanted is Wanted.CANCELLED:
        text = "its user has cancelled the order meanwhile"
    elif approval is None:
        text = f"the order needs nobody's approval: it is {status}"
    else:
        text = f"the order does not wait for approval any more: it is {status}"
    return InvalidState(text, locator="orderId", status=str(status))


def run_again(order_id: str, context: Context) -> Order:
    """Let what is stuck of an order begin anew: whoever holds it loses it, what they report is not heard.

    Raises
    ------
    NotAuthorized
        If the caller is no operator.
    NotFound
        If there is no such order.
    InvalidState
        If nothing of it is stuck.
    """
    check_operator(context, "run stuck items again")
    with context.store.read() as snapshot:
        order = anybodys_order(snapshot, order_id)
        numbers = silent_in_work(snapshot, order.order_id, context)
    order = context.store.write(partial(_freed, order_id=order_id, numbers=numbers, context=context))
    context.wake()
    return order


def _freed(work: UnitOfWork, order_id: str, numbers: list[int], context: Context) -> Order:
    order, now = anybodys_order(work, order_id), context.now()
    freed = work.desk.set_free(order.order_id, numbers, now)
    if not freed:
        minutes = SILENCE.total_seconds() / 60
        raise InvalidState(
            f"nothing of the order is stuck: of all that is in work something was heard in the last "
            f"{minutes:.0f} minutes, or it is over; the order is {order.status.status}",
            locator="orderId",
            status=str(order.status.status),
        )
    work.events.add(
        [
            StatusChange(
                order_id=order.order_id,
                number=each.number,
                status=each.status.status,
                at=now,
                author=context.caller,
                attempt=each.attempt,
                info="begun anew by an operator: nothing was heard of it",
            )
            for each in freed
            if each.number
        ]
    )
    return anybodys_order(work, order_id)


# ------------------------------------------------------------------------------------------ announcements


def announcement(context: Context) -> Announcement | None:
    """Return what all users are told now; anybody may know."""
    with context.store.read() as snapshot:
        return snapshot.desk.announcement(context.now())


def announce(text: str, until: datetime | None, context: Context) -> Announcement:
    """Tell all users something, in place of what they were told before.

    Raises
    ------
    NotAuthorized
        If the caller is no operator.
    ValidationError
        If there is no text, a very long one, or ``until`` is over already.
    """
    check_operator(context, "announce")
    now = context.now()
    said = _text(text, "text", ANNOUNCEMENT_MOST, "say what users should know; `withdraw` ends it")
    if until is not None and until <= now:
        raise ValidationError(
            f"until {until:%Y-%m-%d %H:%M} UTC is over already; it is {now:%Y-%m-%d %H:%M} UTC now",
            locator="until",
        )
    made = Announcement(text=said, until=until)
    context.store.write(lambda work: work.desk.announce(made, context.caller, now))
    return made


def withdraw(context: Context) -> None:
    """Tell users nothing any more; where nothing is told, nothing happens. Raises NotAuthorized."""
    check_operator(context, "withdraw announcements")
    now = context.now()

    def write(work: UnitOfWork) -> None:
        if work.desk.announcement(now) is not None:
            work.desk.announce(None, context.caller, now)

    context.store.write(write)


def _text(given: str, locator: str, most: int, hint: str) -> str:
    """Return a text in one line.

    Raises
    ------
    ValidationError
        If nothing is left, or it is too long.
    """
    said = " ".join("".join(each if each.isprintable() else " " for each in given).split())
    if not 1 <= len(said) <= most:
        raise ValidationError(
            f"{locator} has {len(said)} characters; allowed: 1 to {most}; {hint}",
            code="MissingParameterValue" if not said else None,
            locator=locator,
        )
    return said
