"""Ordering anew what an order held, with changes: the draft that `Order.reorder` returns.

Reached through `Lab.order_anew`: orders know of no drafts, drafts know of orders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from oseo_lab.client.area import as_area
from oseo_lab.client.composing import compose
from oseo_lab.client.limits import as_limits
from oseo_lab.client.steering import names_of
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.identifiers import OrderType, ProductId
from oseo_lab.model.options import selected
from oseo_lab.model.order import OrderItem

if TYPE_CHECKING:
    from oseo_lab.client.draft import OrderDraft
    from oseo_lab.client.draft_items import DraftItem
    from oseo_lab.client.item import Item
    from oseo_lab.client.order import Order

__all__ = ["reorder"]


def reorder(order: Order, items: Iterable[Item | str] | None, options: Mapping[str, Any]) -> OrderDraft:
    """Return a draft of items of an order with changes (`Order.reorder`)."""
    chosen = _records(order, items)
    values = dict(options)
    draft = compose(
        order.session,
        [],
        values.pop("name", None),
        values.pop("collection", None) or _collection(chosen),
    )
    if "source" in values and "source" not in draft.options:
        raise ValidationError(
            "where products come from is their collection: order.reorder(items, collection='...') orders "
            "them from another that has the same, such as a mirror's",
            locator="source",
        )
    with draft.together():  # on the way to it, parts may not go together
        specification = order.record.specification
        named = _add(draft, chosen, specification.order_type is OrderType.PRODUCT_ORDER)
        group = values.pop("group", None) or chosen[0].specification.product_order_options_id
        if group in draft.groups:
            draft.group = group
        draft.packaging, draft.priority = specification.packaging, specification.priority
        draft.remark = "; ".join(filter(None, (f"follows order {order.id}", specification.order_remark)))
        _take_options(named, draft, order)
        _take_areas(named, draft)
        _change(draft, values)
    return draft


def _records(order: Order, items: Iterable[Item | str] | None) -> list[OrderItem]:
    """Return the items to order anew: those named, or all that were not made, or all."""
    if items is None:
        found = [each.record for each in order.failed] or [each.record for each in order.items]
    else:
        known = order.items
        found = [known[name].record for name in names_of(items)]
    if products := [each for each in found if isinstance(_identifier(each), ProductId)]:
        return products
    raise ValidationError("none of these items is a product; order anew with lab.order", locator="item_ids")


def _identifier(item: OrderItem) -> Any:
    return item.product or item.specification.identifier


def _product(item: OrderItem) -> tuple[str, str]:
    """Return product and collection of an item."""
    identifier = _identifier(item)
    return identifier.identifier, identifier.collection_id or item.collection_id


def _collection(items: Sequence[OrderItem]) -> str | None:
    found = list(dict.fromkeys(_product(each)[1] for each in items))
    if len(found) > 1:
        raise ValidationError(
            f"the items are of {len(found)} collections ({', '.join(found)}), whose options differ: "
            "order.reorder(items, ...) for each",
            locator="collection",
        )
    return found[0] or None


def _add(draft: OrderDraft, items: Sequence[OrderItem], is_named: bool) -> list[tuple[DraftItem, OrderItem]]:
    """Add each item's product; items keep names that somebody gave them, or that tell them apart."""
    products = Counter(_product(each)[0] for each in items)
    found = []
    for each in items:
        product = _product(each)[0]
        own = each.specification.item_id if is_named or products[product] > 1 else None
        found.append((draft.items.add(product, own), each))
    return found


def _take_options(named: Sequence[tuple[DraftItem, OrderItem]], draft: OrderDraft, order: Order) -> None:
    """Choose what was chosen: for all items, where they have it alike, else for each."""
    ordered = order.record.specification.options
    preset = draft.options.values
    chosen = []
    for _, each in named:
        own = each.specification.options
        said = {name for part in (*ordered, *own) for name, _ in part.values}
        values = selected(draft.offer.options, ordered, own)
        chosen.append({k: v for k, v in values.items() if k in said or preset.get(k) != v})
    if all(each == chosen[0] for each in chosen):
        draft.options.update(**chosen[0])
        return
    for (item, _), values in zip(named, chosen, strict=True):
        item.options.update(**values)


def _take_areas(named: Sequence[tuple[DraftItem, OrderItem]], draft: OrderDraft) -> None:
    """Cut out what was cut out."""
    areas = [
        _area(selected(draft.scene_options.values(), each.specification.scene_selections))
        for _, each in named
    ]
    if all(each == areas[0] for each in areas):
        draft.area = areas[0]
        return
    for (item, _), area in zip(named, areas, strict=True):
        item.area = area


def _area(scene: Mapping[str, Any]) -> Any:
    """Return the area that a scene selection asks for, as `as_area` takes it; None for whole scenes."""
    crs = scene.get("areaCrs")
    for name in ("sceneBoundingRectangle", "sceneBoundingPolygon"):
        if found := scene.get(name):
            points = [_lon_lat(each) for each in found]
            if name == "sceneBoundingRectangle":
                (west, south), (east, north) = points[0], points[-1]
                return as_area((west, south, east, north), crs)
            return as_area({"type": "Polygon", "coordinates": [points]}, crs)
    return None


def _lon_lat(point: Mapping[str, float]) -> tuple[float, float]:
    """Return x and y of a corner, whatever its axes are called."""
    y, x = sorted(point, key=lambda axis: not axis.lower().startswith("lat"))
    return point[x], point[y]


def _change(draft: OrderDraft, values: Mapping[str, Any]) -> None:
    """Let the order be otherwise than the one it follows; items of their own options follow too."""
    given = dict(values)
    if "area" in given:
        draft.area = given.pop("area")
    limits: dict[str, Any] = {
        str(name): given.pop(name) for name in ("max_price", "max_bytes") if name in given
    }
    if limits:
        draft.limits = as_limits(limits)
    for name in ("packaging", "priority", "remark", "reuse"):
        if name in given and name not in draft.options:
            setattr(draft, name, given.pop(name))
    draft.options.update(**given)
    for item in draft.items:
        if item.own_options is not None:
            item.options.update(**given)
