"""GetStatus (OGC 06-141r6 clause 14): how orders stand, by id or by search, brief or full."""

from __future__ import annotations

from dataclasses import replace

from oseo_lab.model.messages import FilteringCriteria, GetStatus, GetStatusResponse, Presentation
from oseo_lab.model.order import Order
from oseo_lab.operations.context import Context, order_of
from oseo_lab.ports import UnitOfWork

__all__ = ["get_status"]


def get_status(request: GetStatus, context: Context) -> GetStatusResponse:
    """Return the order, or the caller's orders that match, oldest first.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    """
    owner = context.caller
    with context.store.read() as snapshot:
        if request.order_id is not None:
            orders = [order_of(snapshot, request.order_id, owner)]
        else:
            criteria = request.filtering_criteria or FilteringCriteria()
            orders = snapshot.orders.search(owner, criteria)
        if request.presentation is Presentation.FULL:
            orders = [_full(order, snapshot) for order in orders]
    return GetStatusResponse(orders=tuple(orders))


def _full(order: Order, snapshot: UnitOfWork) -> Order:
    return replace(order, items=tuple(snapshot.items.of(order.order_id)))
