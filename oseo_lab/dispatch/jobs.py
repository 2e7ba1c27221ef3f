"""From an item to the job a worker gets: everything it needs, as data, and nothing secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oseo_lab.model.collection import Collection, Scope
from oseo_lab.model.identifiers import OrderType, ProductId
from oseo_lab.model.job import Failure, FailureClass, ItemJob, job_key
from oseo_lab.model.order import ItemSpecification, Order, OrderItem, OrderSpecification, Priority
from oseo_lab.model.reuse import Making, recipe_of
from oseo_lab.plugins import version_of
from oseo_lab.ports import UnitOfWork

__all__ = ["Places", "job_of", "job_or_failure", "key_of", "recipe_then"]

#: What collections make their items with, by id, beside the collection it was read from.
_makings: dict[str, tuple[Collection, Making]] = {}


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
    packs = is_package or _packs_items(order.specification, collection)
    packaging = order.specification.packaging if packs else None
    product = _product(item)
    options = {} if is_package else collection.chosen(order.specification, specification)
    scene = {} if is_package else collection.scene(specification, order.specification)
    making, name = _making_of(collection), product.identifier
    recipe = None if is_package else recipe_of(order.owner, making, name, options, scene, packaging)
    return ItemJob(
        key=key_of(item),
        order_id=item.order_id,
        number=item.number,
        attempt=item.attempt,
        item_id=specification.item_id,
        product=product,
        collection_id=collection.id,
        collection_title=collection.title,
        options=options,
        scene=scene,
        processor=collection.processor,
        catalogue=collection.catalogue,
        catalogue_settings=collection.catalogue_settings,
        packaging=packaging,
        results=places.results,
        scratch=places.scratch,
        delivery_days=collection.delivery.days,
        max_bytes=collection.max_bytes,
        priority=1 if order.specification.priority is Priority.FAST_TRACK else 0,
        is_order_package=is_package,
        deliveries=tuple(deliveries),
        recipe=recipe,
    )


def job_or_failure(
    work: UnitOfWork, order: Order, item: OrderItem, collection: Collection | None, places: Places
) -> ItemJob | Failure:
    """Make the job of an item's current attempt, or say why there can be none any more."""
    if collection is None:
        return Failure(
            failure_class=FailureClass.PERMANENT,
            reason=f"the collection {item.collection_id} is not offered here any more",
        )
    deliveries: list[tuple[int, int]] = []
    if item.number == 0:
        files = work.results.of(order.order_id, data_only=True)
        kept = [each for each in files if each.number and not each.removed]
        deliveries = sorted({(each.number, each.attempt) for each in kept})
    try:
        return job_of(order, item, collection, places, deliveries)
    except ValueError as narrowed:
        return Failure(
            failure_class=FailureClass.BAD_REQUEST,
            reason=f"the options do not fit the collection any more: {narrowed}",
        )


def recipe_then(
    owner: str, collection: Collection, specification: OrderSpecification, item: ItemSpecification
) -> str | None:
    """Return the recipe that an item would have if it were ordered; None where it is made of no product.

    Raises
    ------
    ValueError
        If what it chooses cannot be read.
    """
    if not isinstance(item.identifier, ProductId):
        return None
    packaging = specification.packaging if _packs_items(specification, collection) else None
    chosen, scene = collection.chosen(specification, item), collection.scene(item, specification)
    return recipe_of(owner, _making_of(collection), item.identifier.identifier, chosen, scene, packaging)


def _packs_items(specification: OrderSpecification, collection: Collection) -> bool:
    """Whether a container holds one item: also of orders that never end."""
    is_subscribed = specification.order_type is OrderType.SUBSCRIPTION_ORDER
    return is_subscribed or collection.delivery.scope is Scope.ITEM


def _making_of(collection: Collection) -> Making:
    found = _makings.get(collection.id)
    if found is None or found[0] is not collection:
        making = Making(
            collection_id=collection.id,
            processor=collection.processor,
            version=version_of("processor", collection.processor),
            catalogue=collection.catalogue,
            settings=collection.catalogue_settings,
        )
        found = _makings[collection.id] = collection, making
    return found[1]


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
