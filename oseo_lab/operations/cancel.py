"""Cancel (OGC 06-141r6 clause 16): write down that an order is not wanted any more.

Answers at once; the dispatcher does the cancelling. Whole orders only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from oseo_lab.model.errors import Conflict, ValidationError
from oseo_lab.model.messages import Cancel, CancelAck, ResponseStatus
from oseo_lab.model.order import StatusNotification
from oseo_lab.model.status import FINAL, Wanted
from oseo_lab.operations.context import Context, order_of
from oseo_lab.ports import UnitOfWork

__all__ = ["cancel"]


def cancel(request: Cancel, context: Context) -> CancelAck:
    """Ask for an order's open items to be cancelled.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    Conflict
        If it is final already.
    ValidationError
        If notifications are asked for.
    """
    if request.status_notification is not StatusNotification.NONE:
        raise ValidationError(
            f"statusNotification {request.status_notification} is not offered; use None and ask GetStatus",
            code="InvalidNotificationValue",
            locator="ws-address",
        )
    owner, now = context.caller, context.now()
    final = context.store.write(lambda work: _want_cancelled(work, request.order_id, owner, now))
    context.wake()
    if not final:
        return CancelAck()
    return CancelAck(
        status=ResponseStatus.PARTIAL,
        error_message=f"{final} items were final already and stay as they are; the rest is cancelled",
    )


def _want_cancelled(work: UnitOfWork, order_id: str, owner: str, now: datetime) -> int:
    """Write the wish down; return how many items were final already."""
    order = order_of(work, order_id, owner)
    if order.status.status.is_final:
        raise Conflict(
            f"the order is {order.status.status} already: there is nothing to cancel", locator="orderId"
        )
    work.items.want(order_id, Wanted.CANCELLED, now)
    work.orders.save(replace(order, wanted=Wanted.CANCELLED, updated=now))
    return sum(count for status, count in work.items.counts(order_id).items() if status in FINAL)
