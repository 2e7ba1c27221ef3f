"""The order types: whose product an item is, and how a new order begins.

A product order's items name products; a subscription order's name collections whose coming products are
wanted; a tasking order's name requests to a linked planning service (06-141r6 7.3.5, 7.3.11). What a product
order's items exceed of the collection's ``batch`` waits: such an order is a massive one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from oseo_lab.model.approval import Approval
from oseo_lab.model.beginnings import TO_APPROVE, first_status, is_filled
from oseo_lab.model.collection import Collection, Scope
from oseo_lab.model.errors import NotSupported, Problem
from oseo_lab.model.identifiers import ItemIdentifier, OrderType, ProductId, SubscriptionId, TaskingRequestId
from oseo_lab.model.options import PATTERN_LENGTH
from oseo_lab.model.order import (
    LOCAL,
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    ProviderOrder,
    StatusInfo,
    new_order_id,
)
from oseo_lab.model.status import ProviderOrderState, Status, Wanted, provider_order_state, roll_up_of
from oseo_lab.model.subscription import (
    check_standing,
    is_massive,
    period_of,
    standing_of,
    without_period,
)
from oseo_lab.operations.context import Context
from oseo_lab.operations.get_options import collection_of, unsupported

__all__ = ["check_order_type", "check_standing_items", "checkable", "collection_for", "make_order"]

#: Order type: the code of the standard's table for where it is not taken, and what to say.
_REFUSALS = {
    OrderType.PRODUCT_ORDER: ("ProductOrderingNotSupported", "product orders are not taken"),
    OrderType.SUBSCRIPTION_ORDER: ("SubscriptionNotSupported", "standing orders are not taken"),
    OrderType.TASKING_ORDER: ("FutureProductNotSupported", "tasking orders are not taken"),
}
_KINDS = {
    OrderType.PRODUCT_ORDER: (ProductId, "productId"),
    OrderType.SUBSCRIPTION_ORDER: (SubscriptionId, "subscriptionId"),
    OrderType.TASKING_ORDER: (TaskingRequestId, "taskingRequestId"),
}


def _taken(order_type: OrderType, collection: Collection, context: Context) -> bool:
    """Whether a collection is ordered from by this type."""
    if order_type is OrderType.SUBSCRIPTION_ORDER:
        return collection.subscription is not None
    if order_type is OrderType.TASKING_ORDER:
        return context.sps_url is not None and collection.tasking is not None
    return collection.product_orders


def check_order_type(order_type: OrderType, context: Context) -> None:
    """Refuse an order type that nothing here is ordered by.

    Raises
    ------
    NotSupported
        With the code of the standard's table; locator ``orderType``.
    """
    collections = context.collections.values()
    taken = [each for each in OrderType if any(_taken(each, one, context) for one in collections)]
    if order_type in taken or (order_type is OrderType.PRODUCT_ORDER and not collections):
        return  # of a service without any collection, the collection is what is wrong
    code, text = _REFUSALS[order_type]
    allowed = ", ".join(taken) or "none"
    raise NotSupported(f"{text} here; allowed: {allowed}", code=code, locator="orderType")


def collection_for(
    identifier: ItemIdentifier, order_type: OrderType, context: Context
) -> Collection | Problem:
    """Return the collection an item is ordered from, or what is wrong with its identifier."""
    kind, name = _KINDS[order_type]
    if not isinstance(identifier, kind):
        return Problem(
            code="InvalidParameterValue", locator="orderType", text=f"an item of a {order_type} has a {name}"
        )
    found = _named(identifier, context)
    if isinstance(found, Problem) or _taken(order_type, found, context):
        return found
    code, text = _REFUSALS[order_type]
    others = [each.id for each in context.collections.values() if _taken(order_type, each, context)]
    allowed = ", ".join(others) or "none"
    return Problem(code=code, locator="orderType", text=f"{text} by {found.id}; collections: {allowed}")


def _named(identifier: ItemIdentifier, context: Context) -> Collection | Problem:
    if isinstance(identifier, TaskingRequestId):
        return _tasked(identifier.id, context)
    if identifier.collection_id is None:
        assert isinstance(identifier, ProductId)  # a subscription is its collection's
        return collection_of(identifier.identifier, context.collections)
    collection = context.collections.get(identifier.collection_id)
    return collection or unsupported(identifier.collection_id, context.collections)


def _tasked(request_id: str, context: Context) -> Collection | Problem:
    """Return the one collection whose tasking pattern a request id has, or what is wrong with it."""
    rules = [(each, each.tasking) for each in context.collections.values() if each.tasking]
    short = request_id[:PATTERN_LENGTH]
    matching = [each for each, rule in rules if short == request_id and re.fullmatch(rule.pattern, short)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        text = f"tasking request {short[:100]!r} may belong to {', '.join(each.id for each in matching)}"
    else:
        patterns = ", ".join(rule.pattern for _, rule in rules) or "none are taken"
        text = f"no collection has tasking requests like {short[:100]!r}; allowed: {patterns}"
    return Problem(code="InvalidParameterValue", locator="taskingRequestId", text=text)


def checkable(specification: OrderSpecification) -> OrderSpecification:
    """Return the order as its collection's options can be checked: a massive one without its date range."""
    return without_period(specification) if is_massive(specification) else specification


def check_standing_items(
    specification: OrderSpecification, collections: Sequence[Collection], now: datetime
) -> Iterator[Problem]:
    """Yield what is wrong with items that stand for products to come, beyond their single values."""
    if is_massive(specification) and len(specification.items) == 1:
        item = specification.items[0]
        if period_of((*specification.options, *item.options)) is None:
            yield Problem(
                code="MissingParameterValue",
                locator="dateRange",
                text="a massive order (orderReference 'Massive order', one item) has a dateRange of two "
                "instants; for an ordinary order take another orderReference",
                item_id=item.item_id,
            )
        if any(each.provider != LOCAL for each in collections):
            yield Problem(
                code="InvalidParameterValue",
                locator="orderReference",
                text="a massive order is filled from this service's own collections; name the products",
                item_id=item.item_id,
            )
    if specification.order_type is not OrderType.SUBSCRIPTION_ORDER:
        return
    for item, collection in zip(specification.items, collections, strict=True):
        yield from _check_subscription(specification, item, collection, now)


def _check_subscription(
    specification: OrderSpecification, item: ItemSpecification, collection: Collection, now: datetime
) -> Iterator[Problem]:
    """Yield what is wrong with one subscription; its options may be an operator's own of other shapes."""
    record = OrderItem(specification=item, status=StatusInfo(status=Status.SUSPENDED))
    try:
        standing = standing_of(specification, record, collection.awaited(specification, item))
    except (KeyError, TypeError, ValueError, AttributeError) as strange:
        yield Problem(
            code="InvalidParameterValue",
            locator="option",
            text=f"the area, date range or frequency cannot be read as such: {strange}"[:500],
            item_id=item.item_id,
        )
        return
    if standing is None:
        yield Problem(
            code="MissingParameterValue",
            locator="dateRange",
            text="a subscription has a dateRange of two instants",
            item_id=item.item_id,
        )
    elif collection.subscription is not None:
        yield from check_standing(standing, now, collection.subscription.max_days, item.item_id)


# ---------------------------------------------------------------------------------------- how an order begins


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
    items = _items(specification, collections, order_id, now)
    order_type = specification.order_type
    parts: defaultdict[str, Counter[Status]] = defaultdict(Counter)
    for item in items:
        parts[item.provider][item.status.status] += 1
    status = roll_up_of(order_type, sum(parts.values(), Counter()))
    said = items[0].status.additional if all(each.status == items[0].status for each in items) else None
    if _is_packed(specification, collections[0]):
        items = (_package(items[0]), *items)
    return Order(
        order_id=order_id,
        specification=replace(specification, items=()),
        status=StatusInfo(status=status, additional=said),
        created=now,
        updated=now,
        items=items,
        owner=owner,
        message_id=message_id,
        request_digest=digest,
        approval=None if all(each.automatic for each in collections) else Approval(),
        provider_orders=tuple(
            ProviderOrder(
                order_id=order_id,
                provider=provider,
                state=_first_state(provider, provider_order_state(counts, Wanted.COMPLETED, order_type)),
                updated=now,
            )
            for provider, counts in parts.items()
        ),
    )


def _first_state(provider: str, state: ProviderOrderState) -> ProviderOrderState:
    """Return the state of a new provider order: another provider's is yet to be passed on."""
    return state if provider == LOCAL else ProviderOrderState.SUBMITTING


def _items(
    specification: OrderSpecification, collections: Sequence[Collection], order_id: str, now: datetime
) -> tuple[OrderItem, ...]:
    """Make the items: those beyond the smallest batch of their collections wait for the ones before."""
    count = len(specification.items)
    is_made = specification.order_type is OrderType.PRODUCT_ORDER and not is_filled(specification, count)
    automatic = all(each.automatic for each in collections)
    local = [each for each in collections if each.provider == LOCAL]
    size = min((each.batch for each in local), default=0)
    size = size if len(local) > size else 0
    items, place = [], 0
    for number, (item, collection) in enumerate(zip(specification.items, collections, strict=True), start=1):
        is_local = collection.provider == LOCAL
        place += is_local
        batch = (place - 1) // size + 1 if size and is_local and is_made else 0
        items.append(
            OrderItem(
                specification=item,
                status=first_status(specification, count, batch) if automatic else TO_APPROVE,
                order_id=order_id,
                number=number,
                collection_id=collection.id,
                provider=collection.provider,
                updated=now,
                batch=batch,
            )
        )
    return tuple(items)


def _is_packed(specification: OrderSpecification, collection: Collection) -> bool:
    """Whether one package is made here that holds the whole order.

    Each batch of a subscription is packed by itself; another provider packs what it makes.
    """
    is_ours = specification.packaging is not None and collection.provider == LOCAL
    is_whole = is_ours and collection.delivery.scope is Scope.ORDER
    return is_whole and specification.order_type is not OrderType.SUBSCRIPTION_ORDER


def _package(first: OrderItem) -> OrderItem:
    """Make the closing item that packs the whole order; the dispatcher lets it go when the rest is final."""
    return replace(
        first,
        number=0,
        batch=0,
        specification=ItemSpecification(item_id="order", identifier=first.specification.identifier),
        status=StatusInfo(status=Status.SUSPENDED, additional="the package waits for the items"),
    )
