"""Cancel (OGC 06-141r6 clause 16): write down that an order is not wanted any more.

Answers at once; the dispatcher does the cancelling, and whoever asked for it is told by CancelResponse. Whole
orders only, of every type: a subscription ends by it, a tasking request is not waited for any more.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from oseo_lab.model.errors import InvalidState, Problem, ValidationError
from oseo_lab.model.messages import Cancel, CancelAck, ResponseStatus
from oseo_lab.model.order import Callback, CallbackKind, Order
from oseo_lab.model.status import FINAL, Status, Wanted
from oseo_lab.operations.context import Context, order_of
from oseo_lab.operations.replying import callback_of
from oseo_lab.ports import UnitOfWork

__all__ = ["cancel"]

#: Most items that are looked through for those of one order: they wait for a moment only.
_MOST_WISHES = 1000


def cancel(request: Cancel, context: Context) -> CancelAck:
    """Ask for an order's open items to be cancelled.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    Conflict
        If it is final already; but a Cancel that comes again (same MessageID) is acknowledged again.
    ValidationError
        If notifications are asked for and nobody can be notified.
    """
    owner, now = context.caller, context.now()
    callback = callback_of(request.status_notification, CallbackKind.CANCEL_RESPONSE, context)
    if isinstance(callback, Problem):
        raise ValidationError.of([callback])
    final = context.store.write(lambda work: _want_cancelled(work, request.order_id, owner, callback, now))
    context.wake()
    if not final:
        return CancelAck()
    return CancelAck(
        status=ResponseStatus.PARTIAL,
        error_message=f"{final} items were final already and stay as they are; the rest is cancelled",
    )


def _want_cancelled(
    work: UnitOfWork, order_id: str, owner: str, callback: Callback | None, now: datetime
) -> int:
    """Write the wish down; return how many items were final already, for other reasons than this wish."""
    order = order_of(work, order_id, owner)
    if order.status.status.is_final and not _is_asked_again(work, order):
        if callback is not None and _is_repeated(work, order, callback):
            return 0
        raise InvalidState(
            f"the order is {order.status.status} already: there is nothing to cancel",
            locator="orderId",
            status=str(order.status.status),
            allowed_actions=("retry", "reorder"),
        )
    if callback is not None:
        work.callbacks.add(order_id, callback)
    is_first = order.wanted is not Wanted.CANCELLED
    if is_first:
        work.items.want(order_id, Wanted.CANCELLED, now)
        work.orders.save(replace(order, wanted=Wanted.CANCELLED, updated=now))
    counts = work.items.counts(order_id)
    return sum(
        count
        for status, count in counts.items()
        if status in FINAL and (is_first or status is not Status.CANCELLED)
    )


def _is_asked_again(work: UnitOfWork, order: Order) -> bool:
    """Whether items of a final order are about to be tried again: that can be cancelled as well."""
    return any(each.order_id == order.order_id for each in work.items.wished(_MOST_WISHES))


def _is_repeated(work: UnitOfWork, order: Order, callback: Callback) -> bool:
    """Whether this Cancel has been seen: its acknowledgement may have been lost on the way."""
    known = work.callbacks.of_many([order.order_id]).get(order.order_id, [])
    return any(each.kind is callback.kind and each.message_id == callback.message_id for each in known)
