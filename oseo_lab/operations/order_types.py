"""The order types: whose product an item is, and how a new order begins.

A product order's items name products; a subscription order's name collections whose coming products are
wanted; a tasking order's name requests to a linked planning service (06-141r6 7.3.5, 7.3.11).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from oseo_lab.model.collection import Collection, Scope
from oseo_lab.model.errors import NotSupported, Problem
from oseo_lab.model.identifiers import ItemIdentifier, OrderType, ProductId
from oseo_lab.model.order import (
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    ProviderOrder,
    StatusInfo,
    new_order_id,
)
from oseo_lab.model.status import ProviderOrderState, Status
from oseo_lab.operations.context import Context
from oseo_lab.operations.get_options import collection_of, unsupported

__all__ = ["check_order_type", "collection_for", "make_order"]

_REFUSED_TYPES = {
    OrderType.SUBSCRIPTION_ORDER: ("SubscriptionNotSupported", "standing orders are not taken here"),
    OrderType.TASKING_ORDER: ("FutureProductNotSupported", "tasking orders are not taken here"),
}


def check_order_type(order_type: OrderType, context: Context) -> None:
    """Refuse an order type that nothing here is ordered by.

    Raises
    ------
    NotSupported
        With the code of the standard's table; locator ``orderType``.
    """
    refused = _REFUSED_TYPES.get(order_type)
    if refused:
        code, text = refused
        raise NotSupported(f"{text}; allowed: {OrderType.PRODUCT_ORDER}", code=code, locator="orderType")


def collection_for(
    identifier: ItemIdentifier, order_type: OrderType, context: Context
) -> Collection | Problem:
    """Return the collection an item is ordered from, or what is wrong with its identifier."""
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


def make_order(
    specification: OrderSpecification,
    collections: tuple[Collection, ...],
    owner: str,
    message_id: str | None,
    digest: str | None,
    now: datetime,
) -> Order:
    """Return the record of a new order: with its provider orders, and its items in their first status."""
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
