"""The order desk: what waits for operators, and what they decide; for operators only.

Beside the standard. A decision is written down with who made it, when and why, and is made once; the
dispatcher moves the items (`oseo_lab.dispatch.desk`). The board is read from one snapshot in bounded work.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from oseo_lab.model.approval import REASON_MOST, Approval, Decided
from oseo_lab.model.desk import (
    ANNOUNCEMENT_MOST,
    SHOWN,
    SILENCE,
    Announcement,
    Board,
    CollectionState,
    StuckItem,
    Workers,
)
from oseo_lab.model.errors import InvalidState, NotAuthorized, NotFound, ValidationError
from oseo_lab.model.names import name_of
from oseo_lab.model.order import Order, OrderItem, StatusChange, order_uuid
from oseo_lab.model.status import Status, Wanted
from oseo_lab.operations.context import Context
from oseo_lab.ports import Held, UnitOfWork

__all__ = ["announce", "announcement", "approve", "board", "reject", "run_again", "withdraw"]

#: Most orders and items of each kind that are counted or looked at for one board.
MOST = 10_000
#: Most items somebody holds that are looked at: there are as many as dispatchers may hold.
MOST_HELD = 5000


# ---------------------------------------------------------------------------------------------- the board


def board(context: Context) -> Board:
    """Return the board as it stands.

    Raises
    ------
    NotAuthorized
        If the caller is no operator.
    """
    _check_operator(context, "see the order desk")
    now = context.now()
    with context.store.read() as snapshot:
        desk = snapshot.desk
        held = desk.in_work(MOST_HELD)
        silent = _silent(held, now, context)
        waiting = desk.waiting(SHOWN)
        failing = desk.failing()
        states = [
            CollectionState(
                collection_id=each.id,
                provider=each.provider,
                is_ok=each.id not in failing,
                reason=failing[each.id][0] if each.id in failing else None,
                at=failing[each.id][1] if each.id in failing else None,
            )
            for each in context.collections.values()
        ]
        return Board(
            title=context.service.title,
            as_of=now,
            waiting=tuple(waiting),
            waiting_count=len(waiting) if len(waiting) < SHOWN else desk.count_waiting(MOST),
            stuck=_stuck(snapshot, silent),
            stuck_count=len(silent),
            queue=desk.queue(MOST * 10),
            workers=Workers(
                busy=sum(each.status is Status.IN_PRODUCTION for each in held), total=context.workers
            ),
            disk_free=context.disk(),
            failures=desk.failures(now.date()),
            collections=tuple(sorted(states, key=lambda each: (each.is_ok, each.collection_id))),
            quotations_waiting=desk.quotations_waiting(MOST),
            announcement=desk.announcement(now),
        )


def _silent(held: Iterable[Held], now: datetime, context: Context) -> dict[tuple[str, int], datetime]:
    """Return since when nothing was heard of items in work, where that is too long; the longest first."""
    found = {}
    for each in held:
        key = each.order_id, each.number
        heard = context.heard(*key)
        told = each.updated if each.status is Status.IN_PRODUCTION else None  # else: it was in a queue
        since = max((at for at in (heard, told) if at is not None), default=None)
        if since is not None and now - since > SILENCE:
            found[key] = since
    return dict(sorted(found.items(), key=lambda each: each[1]))


def _stuck(snapshot: UnitOfWork, silent: dict[tuple[str, int], datetime]) -> tuple[StuckItem, ...]:
    shown = dict(list(silent.items())[:SHOWN])
    items = {each.key: each for each in snapshot.desk.items(shown)}
    orders = snapshot.orders.get_many({order_id for order_id, _ in items})
    return tuple(
        _stuck_item(items[key], orders[key[0]], since) for key, since in shown.items() if key in items
    )


def _stuck_item(item: OrderItem, order: Order, since: datetime) -> StuckItem:
    return StuckItem(
        order_id=order.order_id,
        owner=order.owner,
        name=name_of(order),
        number=item.number,
        item_id=item.specification.item_id,
        collection_id=item.collection_id,
        status=item.status.status,
        attempt=item.attempt,
        since=since,
        info=item.status.additional,
    )


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
    _check_operator(context, "approve and reject orders")
    now = context.now()
    made = Approval(decided=wish.decided, operator=context.caller, at=now, reason=wish.reason)
    order = context.store.write(partial(_decided, order_id=order_id, made=made, now=now))
    context.wake()
    return order


def _decided(work: UnitOfWork, order_id: str, made: Approval, now: datetime) -> Order:
    order = _order_of(work, order_id)
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
    return _order_of(work, order_id)


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
    _check_operator(context, "run stuck items again")
    now = context.now()
    with context.store.read() as snapshot:
        order = _order_of(snapshot, order_id)
        held = [each for each in snapshot.desk.in_work(MOST_HELD) if each.order_id == order.order_id]
    numbers = [number for _, number in _silent(held, now, context)]
    order = context.store.write(partial(_freed, order_id=order_id, numbers=numbers, context=context))
    context.wake()
    return order


def _freed(work: UnitOfWork, order_id: str, numbers: list[int], context: Context) -> Order:
    order, now = _order_of(work, order_id), context.now()
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
    return _order_of(work, order_id)


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
    _check_operator(context, "announce")
    now = context.now()
    said = _text(text, "text", ANNOUNCEMENT_MOST, "say what users should know; `withdraw` ends a notice")
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
    _check_operator(context, "withdraw announcements")
    now = context.now()

    def write(work: UnitOfWork) -> None:
        if work.desk.announcement(now) is not None:
            work.desk.announce(None, context.caller, now)

    context.store.write(write)


# -------------------------------------------------------------------------------------------------- checks


def _check_operator(context: Context, what: str) -> None:
    if context.caller and not context.is_operator:
        raise NotAuthorized(f"only operators {what}; the service's setting `operators` names them")


def _order_of(work: UnitOfWork, order_id: str) -> Order:
    """Return anybody's order."""
    order = work.orders.get(order_id) if order_uuid(order_id) else None
    if order is None:
        raise NotFound(f"there is no order {order_id[:100]!r}", locator="orderId")
    return order


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
