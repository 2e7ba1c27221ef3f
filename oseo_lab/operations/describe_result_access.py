"""DescribeResultAccess (OGC 06-141r6 clause 15): where delivered files lie.

``allReady`` lists everything there is; ``nextReady`` what came since its own last call, and moves that mark.
Files whose time is over are left out, and said to be.
"""

from __future__ import annotations

from dataclasses import replace

from oseo_lab.model.delivery import ItemURL
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import (
    DescribeResultAccess,
    DescribeResultAccessResponse,
    ResponseStatus,
    SubFunction,
)
from oseo_lab.model.order import Order, OrderItem, ResultFile
from oseo_lab.model.status import Status
from oseo_lab.operations.context import Context, order_of
from oseo_lab.operations.reading import Reading, file_url, reading_of
from oseo_lab.ports import UnitOfWork

__all__ = ["describe_result_access", "results_of"]


def describe_result_access(request: DescribeResultAccess, context: Context) -> DescribeResultAccessResponse:
    """Return the URLs of delivered files.

    Raises
    ------
    NotFound
        If the order is unknown, or neither the caller's nor shared with the caller; for ``nextReady``, which
        moves its owner's mark, if it is not the caller's.
    """
    owner = context.caller
    if request.sub_function is SubFunction.ALL_READY:
        with context.store.read() as snapshot:
            reading = reading_of(snapshot, request.order_id, owner, context.now())
            return results_of(snapshot, reading, context)
    order, files, items = context.store.write(lambda work: _next_ready(work, request.order_id, owner))
    return _response(files, Reading(order=order), items, context)


def results_of(snapshot: UnitOfWork, reading: Reading, context: Context) -> DescribeResultAccessResponse:
    """Return the URLs of all that was delivered of an order that may be read."""
    files = _files(snapshot, reading.order)
    return _response(files, reading, _items(snapshot, reading.order, files), context)


def _response(
    files: list[ResultFile], reading: Reading, items: dict[int, OrderItem], context: Context
) -> DescribeResultAccessResponse:
    now = context.now()
    live = [each for each in files if not each.is_gone(now)]
    urls = tuple(_url(each, reading, items.get(each.number), context) for each in live)
    if len(live) == len(files):
        return DescribeResultAccessResponse(urls=urls)
    gone = len(files) - len(live)
    return DescribeResultAccessResponse(
        status=ResponseStatus.PARTIAL,
        error_message=f"{gone} of {len(files)} files have expired and were removed; order them again",
        urls=urls,
    )


def _next_ready(
    work: UnitOfWork, order_id: str, owner: str
) -> tuple[Order, list[ResultFile], dict[int, OrderItem]]:
    order = order_of(work, order_id, owner)
    files = [each for each in _files(work, order) if each.sequence > order.next_ready]
    if files:
        work.orders.save(replace(order, next_ready=max(each.sequence for each in files)))
    return order, files, _items(work, order, files)


def _files(work: UnitOfWork, order: Order) -> list[ResultFile]:
    """Return what the user is given: the items' files, or the one package that holds them all.

    A package that could not be made leaves the items' files (06-141r6 Table 15-4: an item of the answer
    follows the order's packaging).
    """
    files = work.results.of(order.order_id, data_only=True)
    package = work.items.get(order.order_id, 0) if order.specification.packaging else None
    is_packed = package is not None and package.status.status not in _WITHOUT_PACKAGE
    return [each for each in files if (each.number == 0) is is_packed]


#: Items that are read one by one; more are read with all others.
FEW = 50
_WITHOUT_PACKAGE = frozenset({Status.FAILED, Status.CANCELLED})


def _items(work: UnitOfWork, order: Order, files: list[ResultFile]) -> dict[int, OrderItem]:
    """Return the items of files; of a subscription that has had thousands only those that are asked for."""
    numbers = {each.number for each in files} - {0}
    if len(numbers) > FEW:
        return {each.number: each for each in work.items.of(order.order_id)}
    found = [work.items.get(order.order_id, number) for number in numbers]
    return {each.number: each for each in found if each is not None}


def _url(file: ResultFile, reading: Reading, item: OrderItem | None, context: Context) -> ItemURL:
    """Say where one file lies; a package of the whole order has no item of its own."""
    specification = item.specification if item else None
    identifier = (item.product or item.specification.identifier) if item else None
    return ItemURL(
        item_id=specification.item_id if specification else "order",
        product_id=identifier if isinstance(identifier, ProductId) else None,
        url=file_url(file, reading, context),
        expiration=file.expires,
    )
