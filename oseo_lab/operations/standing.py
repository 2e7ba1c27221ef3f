"""What is done with standing orders beyond the standard: look ahead, announce products.

They are paused and resumed as every order is (`steering`): the calendar stops, and goes on where it was.
Cancel ends a subscription (06-141r6 16.1: it unsubscribes).
"""

from __future__ import annotations

from collections.abc import Sequence

from oseo_lab.model.errors import InvalidState, NotAuthorized, NotSupported, Unavailable, ValidationError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.order import Order
from oseo_lab.model.status import Wanted
from oseo_lab.operations.context import Context, order_of
from oseo_lab.operations.get_options import unsupported
from oseo_lab.ports import ProcessingFailed

__all__ = ["MOST_ANNOUNCED", "announce", "would_match"]

#: Most products announced at once.
MOST_ANNOUNCED = 1000


def _open_subscription(order: Order) -> Order:
    if order.specification.order_type is not OrderType.SUBSCRIPTION_ORDER:
        raise NotSupported(
            f"the order is a {order.specification.order_type}, and only a {OrderType.SUBSCRIPTION_ORDER} "
            "waits for products",
            locator="orderId",
        )
    if order.status.status.is_final:
        raise InvalidState(
            f"the order is {order.status.status} already", locator="orderId", status=str(order.status.status)
        )
    if order.wanted is Wanted.CANCELLED:
        raise InvalidState("the order is being cancelled", locator="orderId", status=str(order.status.status))
    return order


def would_match(order_id: str, context: Context) -> list[CatalogueItem]:
    """Return products that a subscription would order now, or on being resumed; nothing is ordered.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    NotSupported
        If it is no subscription.
    Conflict
        If it is final.
    Unavailable
        If a catalogue does not answer.
    """
    with context.store.read() as snapshot:
        order = _open_subscription(order_of(snapshot, order_id, context.caller))
    try:
        return context.would_match(order)
    except ProcessingFailed as failed:
        raise Unavailable(f"the catalogue did not answer: {failed.reason}") from failed


def announce(collection_id: str, identifiers: Sequence[str], context: Context) -> int:
    """Match products that have just appeared in a catalogue; return how many items were ordered by it.

    Raises
    ------
    NotAuthorized
        If the caller is no operator.
    ValidationError
        If there is no such collection, or too many products are announced.
    Unavailable
        If the catalogue does not answer; the timetable finds the products later.
    """
    if context.caller and not context.is_operator:
        raise NotAuthorized("only operators announce products")
    if collection_id not in context.collections:
        raise ValidationError.of([unsupported(collection_id, context.collections)])
    if not 1 <= len(identifiers) <= MOST_ANNOUNCED:
        raise ValidationError(
            f"{len(identifiers)} identifiers; allowed: 1 to {MOST_ANNOUNCED} at once", locator="identifiers"
        )
    try:
        return context.announce(collection_id, identifiers)
    except ProcessingFailed as failed:
        raise Unavailable(f"the catalogue did not answer: {failed.reason}") from failed
