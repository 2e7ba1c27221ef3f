"""GetStatus (OGC 06-141r6 clause 14): how orders stand, by id or by search, brief or full.

Ten thousand items are more than an answer should hold in memory, so the doors take it in parts: order
after order, each with its items page after page, all read from one snapshot. The standard leaves open what an
``extension`` of a search means: here an order that was submitted with the same one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace

from oseo_lab.model.messages import (
    FilteringCriteria,
    GetStatus,
    GetStatusResponse,
    OrderInParts,
    Presentation,
)
from oseo_lab.model.order import Order, OrderItem
from oseo_lab.operations.context import Context, order_of
from oseo_lab.ports import UnitOfWork

__all__ = ["PAGE", "get_status", "status_in_parts"]

#: Items, or orders, read at a time.
PAGE = 200


def get_status(request: GetStatus, context: Context) -> GetStatusResponse:
    """Return the order, or the caller's orders that match, oldest first.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    """
    with closing(status_in_parts(request, context)) as parts:
        orders = tuple(
            replace(order, items=tuple(item for page in pages for item in page)) for order, pages in parts
        )
    return GetStatusResponse(orders=orders)


def status_in_parts(request: GetStatus, context: Context) -> Generator[OrderInParts, None, None]:
    """Yield what `get_status` returns; the snapshot is held until this is at its end or closed.

    An order's pages are to be taken before the next order.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's; before anything is yielded.
    """
    owner = context.caller
    is_full = request.presentation is Presentation.FULL
    with context.store.read() as snapshot:
        for order in _orders(request, snapshot, owner):
            yield order, _pages(order, snapshot) if is_full else ()


def _orders(request: GetStatus, snapshot: UnitOfWork, owner: str) -> Iterator[Order]:
    if request.order_id is not None:
        yield order_of(snapshot, request.order_id, owner)
        return
    criteria = request.filtering_criteria or FilteringCriteria()
    extensions = frozenset(criteria.extensions)
    found = snapshot.orders.ids(owner, criteria)
    for start in range(0, len(found), PAGE):
        page = found[start : start + PAGE]
        orders = snapshot.orders.get_many(page)
        for each in page:
            if extensions <= frozenset(orders[each].specification.extensions):
                yield orders[each]


def _pages(order: Order, snapshot: UnitOfWork) -> Iterator[list[OrderItem]]:
    page = snapshot.items.of(order.order_id, limit=PAGE)
    while page:
        yield page
        page = snapshot.items.of(order.order_id, page[-1].number, PAGE) if len(page) == PAGE else []
