"""GetStatus (OGC 06-141r6 clause 14): how orders stand, by id or by search, brief or full.

Ten thousand items are more than an answer should hold in memory, so the doors take it in parts: order
after order, each with its items page after page, all read from one snapshot. The standard leaves open what an
``extension`` of a search means: here an order that was submitted with the same one. By its id an order is
found also by those it is shared with.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from oseo_lab.model.messages import (
    FilteringCriteria,
    GetStatus,
    GetStatusResponse,
    OrderInParts,
    Presentation,
)
from oseo_lab.model.order import OrderItem
from oseo_lab.operations.context import Context
from oseo_lab.operations.reading import Reading, reading_of
from oseo_lab.ports import UnitOfWork

__all__ = ["PAGE", "get_status", "status_in_parts"]

#: Items, or orders, read at a time.
PAGE = 200


def get_status(request: GetStatus, context: Context) -> GetStatusResponse:
    """Return the order, or the caller's orders that match, oldest first.

    Raises
    ------
    NotFound
        If the order is unknown, or neither the caller's nor shared with the caller.
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
        If the order is unknown, or neither the caller's nor shared with the caller; raised before
        anything is yielded.
    """
    owner = context.caller
    is_full = request.presentation is Presentation.FULL
    with context.store.read() as snapshot:
        for reading in _readings(request, snapshot, owner, context.now()):
            yield reading.order, _pages(reading, snapshot) if is_full else ()


def _readings(request: GetStatus, snapshot: UnitOfWork, owner: str, now: datetime) -> Iterator[Reading]:
    if request.order_id is not None:
        yield reading_of(snapshot, request.order_id, owner, now)
        return
    criteria = request.filtering_criteria or FilteringCriteria()
    extensions = frozenset(criteria.extensions)
    found = snapshot.orders.ids(owner, criteria)
    for start in range(0, len(found), PAGE):
        page = found[start : start + PAGE]
        orders = snapshot.orders.get_many(page)
        for each in page:
            if extensions <= frozenset(orders[each].specification.extensions):
                yield Reading(order=orders[each])


def _pages(reading: Reading, snapshot: UnitOfWork) -> Iterator[list[OrderItem]]:
    order_id = reading.order.order_id
    page = snapshot.items.of(order_id, limit=PAGE)
    while page:
        yield reading.items(page)
        page = snapshot.items.of(order_id, page[-1].number, PAGE) if len(page) == PAGE else []
