"""From an item to the job a worker gets: everything it needs, as data, and nothing secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oseo_lab.model.collection import Collection, Scope
from oseo_lab.model.identifiers import OrderType, ProductId
from oseo_lab.model.job import ItemJob, job_key
from oseo_lab.model.order import Order, OrderItem, Priority

__all__ = ["Places", "job_of", "key_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where workers deliver and work: fsspec URLs."""

    results: str
    scratch: str


def key_of(item: OrderItem) -> str:
    """Return the name of an item's current attempt, on workers and in reports."""
    return job_key(item.order_id, item.number, item.attempt)


def job_of(
    order: Order,
    item: OrderItem,
    collection: Collection,
    places: Places,
    deliveries: Sequence[tuple[int, int]] = (),
) -> ItemJob:
    """Make the job of an item's current attempt; item number 0 is the package of the whole order."""
    specification = item.specification
    is_package = item.number == 0
    is_subscribed = order.specification.order_type is OrderType.SUBSCRIPTION_ORDER
    packs = is_package or is_subscribed or collection.delivery.scope is Scope.ITEM
    return ItemJob(
        key=key_of(item),
        order_id=item.order_id,
        number=item.number,
        attempt=item.attempt,
        item_id=specification.item_id,
        product=_product(item),
        collection_id=collection.id,
        collection_title=collection.title,
        options={} if is_package else collection.chosen(order.specification, specification),
        scene={} if is_package else collection.scene(specification, order.specification),
        processor=collection.processor,
        catalogue=collection.catalogue,
        catalogue_settings=collection.catalogue_settings,
        packaging=order.specification.packaging if packs else None,
        results=places.results,
        scratch=places.scratch,
        delivery_days=collection.delivery.days,
        max_bytes=collection.max_bytes,
        priority=1 if order.specification.priority is Priority.FAST_TRACK else 0,
        is_order_package=is_package,
        deliveries=tuple(deliveries),
    )


def _product(item: OrderItem) -> ProductId:
    """Return what an item is made from: what it names, or what its tasking request acquired."""
    identifier = item.specification.identifier
    if item.product is not None:
        return item.product
    if isinstance(identifier, ProductId):
        return identifier
    if item.number == 0:
        return ProductId(identifier=item.order_id)  # a package is made of deliveries, not of a product
    raise ValueError(f"nothing was acquired for {identifier}")
