"""Submit (OGC 06-141r6 clause 12): check everything at once, make the order, save it, wake the dispatcher.

Step 6 of the walk. Decides nothing about what happens next: the order's first status is written as part of
making the record, and that is all. Asks no catalogue: a collection's pattern decides, existence is the
worker's question.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from oseo_lab.model.collection import Collection, Scope
from oseo_lab.model.errors import Conflict, NotSupported, Problem, ValidationError
from oseo_lab.model.identifiers import OrderType, ProductId
from oseo_lab.model.messages import Submit, SubmitAck
from oseo_lab.model.order import (
    MESSAGE_ID_DAYS,
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    ProviderOrder,
    StatusInfo,
    StatusNotification,
    new_order_id,
)
from oseo_lab.model.status import ProviderOrderState, Status
from oseo_lab.operations.context import Context
from oseo_lab.operations.get_options import collection_of, unsupported

__all__ = ["submit"]

_REFUSED_TYPES = {
    OrderType.SUBSCRIPTION_ORDER: ("SubscriptionNotSupported", "standing orders are not taken here"),
    OrderType.TASKING_ORDER: ("FutureProductNotSupported", "tasking orders are not taken here"),
}


def submit(request: Submit, context: Context) -> SubmitAck:
    """Accept an order, or refuse it whole.

    Raises
    ------
    ValidationError
        With every problem of the order.
    NotSupported
        If it is no product order.
    """
    owner = context.caller
    specification = _specification(request)
    digest = hashlib.sha256(repr(specification).encode()).hexdigest() if context.message_id else None
    if context.message_id:
        with context.store.read() as snapshot:
            first = snapshot.orders.by_message(owner, context.message_id)
        if first is not None:
            return _again(first, digest, context.now())
    collections = _check(request, specification, context)
    order = _make(specification, collections, owner, context.message_id, digest, context.now())
    try:
        context.store.write(lambda work: work.orders.add(order))
    except Conflict:
        with context.store.read() as snapshot:
            first = snapshot.orders.by_message(owner, context.message_id or "")
        if first is None:
            raise
        return _again(first, digest, context.now())
    context.wake()
    return SubmitAck(order_id=order.order_id, order_reference=specification.order_reference)


def _specification(request: Submit) -> OrderSpecification:
    if request.specification is None:
        raise ValidationError(
            "there is no such quotation: quotations are not given here; submit an orderSpecification",
            locator="quotationId",
        )
    refused = _REFUSED_TYPES.get(request.specification.order_type)
    if refused:
        code, text = refused
        raise NotSupported(f"{text}; allowed: {OrderType.PRODUCT_ORDER}", code=code, locator="orderType")
    return request.specification


def _again(first: Order, digest: str | None, now: datetime) -> SubmitAck:
    """Answer a Submit whose MessageID has been seen: with the first acknowledgement, if it is the same."""
    if first.created is not None and now - first.created > timedelta(days=MESSAGE_ID_DAYS):
        raise ValidationError(
            "this MessageID was used by an order long ago; use a new one", locator="MessageID"
        )
    if first.request_digest != digest:
        raise ValidationError(
            f"this MessageID belongs to order {first.order_id}, which says something else; use a new one",
            locator="MessageID",
        )
    return SubmitAck(order_id=first.order_id, order_reference=first.specification.order_reference)


def _check(request: Submit, specification: OrderSpecification, context: Context) -> tuple[Collection, ...]:
    """Return each item's collection, or raise everything that is wrong at once."""
    problems = list(_check_message(request, specification))
    at_order = frozenset(name for each in specification.options for name, _ in each.values)
    found: list[Collection] = []
    for item in specification.items:
        collection = _item_collection(item.identifier, context)
        if isinstance(collection, Problem):
            problems.append(replace(collection, item_id=item.item_id))
        else:
            found.append(collection)
            problems.extend(collection.check_item(item, at_order))
    several = tuple({each.id: each for each in found}.values())
    for collection in several:
        problems.extend(collection.check_order(specification))
        problems.extend(_check_count(collection, sum(each is collection for each in found)))
    problems.extend(_check_scopes(several, specification))
    if problems:
        raise ValidationError.of(problems)
    return tuple(found)


def _check_count(collection: Collection, count: int) -> Iterator[Problem]:
    if count > collection.max_items:
        yield Problem(
            code="InvalidParameterValue",
            locator="orderItem",
            text=f"{count} items are too many; {collection.id} takes {collection.max_items} an order",
        )


def _check_scopes(
    collections: tuple[Collection, ...], specification: OrderSpecification
) -> Iterator[Problem]:
    """Refuse a packaging that one collection of the order means for items, another for the whole order."""
    whole = [each.id for each in collections if each.delivery.scope is Scope.ORDER]
    if specification.packaging is not None and 0 < len(whole) < len(collections):
        yield Problem(
            code="InvalidParameterValue",
            locator="packaging",
            text=f"{', '.join(whole)} packs whole orders, the other collections pack items: "
            "order them apart, or leave packaging out",
        )


def _check_message(request: Submit, specification: OrderSpecification) -> Iterator[Problem]:
    if request.status_notification is not StatusNotification.NONE:
        yield Problem(
            code="InvalidNotificationValue",
            locator="ws-address",
            text=f"statusNotification {request.status_notification} is not offered; "
            "use None and ask GetStatus",
        )
    seen: set[str] = set()
    for item in specification.items:
        if item.item_id in seen:
            yield Problem(
                code="InvalidParameterValue",
                locator="itemId",
                text=f"itemId {item.item_id!r} is given twice; each item of an order has its own",
                item_id=item.item_id,
            )
        seen.add(item.item_id)


def _item_collection(identifier: object, context: Context) -> Collection | Problem:
    if not isinstance(identifier, ProductId):
        return Problem(
            code="InvalidParameterValue",
            locator="orderType",
            text="an item of a PRODUCT_ORDER has a productId",
        )
    if identifier.collection_id is None:
        return collection_of(identifier.identifier, context.collections)
    collection = context.collections.get(identifier.collection_id)
    return collection or unsupported(identifier.collection_id, context.collections)


def _make(
    specification: OrderSpecification,
    collections: tuple[Collection, ...],
    owner: str,
    message_id: str | None,
    digest: str | None,
    now: datetime,
) -> Order:
    """Make the record: order, provider orders and items with their first status."""
    order_id = new_order_id()
    automatic = all(each.automatic for each in collections)
    first = (
        StatusInfo(status=Status.ACCEPTED)
        if automatic
        else StatusInfo(status=Status.SUBMITTED, additional="waiting for an operator's approval")
    )
    state = ProviderOrderState.PROCESSING if automatic else ProviderOrderState.SUBMITTING
    items = tuple(
        OrderItem(
            specification=item,
            status=first,
            order_id=order_id,
            number=number,
            collection_id=collection.id,
            provider=collection.provider,
            updated=now,
        )
        for number, (item, collection) in enumerate(
            zip(specification.items, collections, strict=True), start=1
        )
    )
    if specification.packaging is not None and collections[0].delivery.scope is Scope.ORDER:
        items = (_package(items[0]), *items)
    return Order(
        order_id=order_id,
        specification=replace(specification, items=()),
        status=first,
        created=now,
        updated=now,
        items=items,
        owner=owner,
        message_id=message_id,
        request_digest=digest,
        provider_orders=tuple(
            ProviderOrder(order_id=order_id, provider=provider, state=state, updated=now)
            for provider in dict.fromkeys(each.provider for each in collections)
        ),
    )


def _package(first: OrderItem) -> OrderItem:
    """Make the closing item that packs the whole order; the dispatcher lets it go when the rest is final."""
    return replace(
        first,
        number=0,
        specification=ItemSpecification(item_id="order", identifier=first.specification.identifier),
        status=StatusInfo(status=Status.SUSPENDED, additional="the package waits for the items"),
    )
