"""Composing a draft from what a user gives at once: products, a name, an area, options."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from oseo_lab.client.area import Area, as_area, swapped
from oseo_lab.client.as_items import as_items
from oseo_lab.client.doubts import touches
from oseo_lab.client.draft import OrderDraft
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import CatalogueItem

if TYPE_CHECKING:
    from oseo_lab.client.session import Session

__all__ = ["compose", "in_one_area"]

#: What an order has beside its options, and `compose` takes as one of them.
_OWN = ("group", "packaging", "priority", "remark", "max_price", "max_bytes", "reuse")
_LIMITS = ("max_price", "max_bytes")
#: What others call the area.
_AREAS = ("aoi", "bbox", "clip", "intersects")


def _collection_of(chosen: list[CatalogueItem | str], collection: str | None) -> str:
    found = list(dict.fromkeys(each.collection_id for each in chosen if isinstance(each, CatalogueItem)))
    if collection is not None:
        found = [collection, *(each for each in found if each != collection)]
    if len(found) == 1:
        return found[0]
    if not chosen:
        raise ValidationError(
            "there is nothing to order: no product was given; collection=... begins an empty draft",
            locator="orderItem",
        )
    if not found:
        raise ValidationError(
            "identifiers alone need collection=..., see lab.collections", locator="collection"
        )
    raise ValidationError(
        f"the products are of {len(found)} collections ({', '.join(found)}), whose options differ: "
        "make one order for each",
        locator="collection",
    )


def compose(
    session: Session,
    products: Any,
    name: str | None = None,
    collection: str | None = None,
    area: Any = None,
    area_crs: Any = None,
    options: Mapping[str, Any] | None = None,
) -> OrderDraft:
    """Return a draft of these products and choices (`Lab.order` says what they may be)."""
    chosen = as_items(products, collection)
    draft = OrderDraft(session, _collection_of(chosen, collection), name=name)
    sought = getattr(products, "area", None)
    draft.sought = sought if isinstance(sought, Area) else None
    area, values = in_one_area(area, options or {}, draft.options)
    own = {each: values.pop(each) for each in _OWN if each in values and each not in draft.options}
    with draft.together():
        draft.limits = {each: own.pop(each) for each in _LIMITS if each in own}
        for each, value in own.items():
            setattr(draft, each, value)
        draft.area = None if area is None else as_area(area, area_crs)
        for product in chosen:
            draft.items.add(product)
        draft.options.update(**values)  # refusals say what the products have themselves
    _refuse_nothing(draft.area, [each for each in chosen if isinstance(each, CatalogueItem)])
    return draft


def in_one_area(area: Any, given: Mapping[str, Any], offered: Container[str]) -> tuple[Any, dict[str, Any]]:
    """Return the area and what else was given, where the area may be told by another library's word.

    Raises
    ------
    ValidationError
        If it is told twice.
    """
    rest = dict(given)
    for word in _AREAS:
        if word in offered or (value := rest.pop(word, None)) is None:
            continue
        if area is not None:
            raise ValidationError(f"{word}= is another word for area=, which is given too", locator="area")
        area = value
    return area, rest


def _refuse_nothing(area: Area | None, products: list[CatalogueItem]) -> None:
    """Refuse an area that no product touches: there would be nothing to deliver."""
    if area is None or not products or any(each.bbox is None or touches(area, each) for each in products):
        return
    other = swapped(area)
    exchanged = other is not None and any(touches(other, each) for each in products)
    hint = "; were latitude and longitude exchanged? The order is (west, south, east, north)"
    edges = [each.bbox for each in products if each.bbox is not None]
    whole = tuple(
        round(pick(each), 4)
        for pick, each in zip((min, min, max, max), zip(*edges, strict=True), strict=True)
    )
    raise ValidationError(
        f"the area {tuple(round(each, 4) for each in area.bbox)} touches none of the products, which lie in "
        f"{whole}: there would be nothing to deliver{hint if exchanged else ''}",
        locator="area",
    )
