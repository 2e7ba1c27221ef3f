"""What a catalogue has against the items of a draft, before they are ordered."""

from __future__ import annotations

from collections.abc import Iterator

from oseo_lab.client.area import Area
from oseo_lab.client.draft_items import DraftItem
from oseo_lab.model.errors import Problem
from oseo_lab.model.job import CatalogueItem

__all__ = ["doubts", "touches"]


def doubts(item: DraftItem, product: CatalogueItem | None, collection: str) -> Iterator[Problem]:
    """Yield what the catalogue has against one item."""

    def problem(text: str, locator: str = "identifier") -> Problem:
        return Problem(code="InvalidParameterValue", locator=locator, text=text, item_id=item.item_id)

    if product is None:
        yield problem(f"{collection} has no product {item.identifier!r}")
        return
    if not product.orderable:
        yield problem(f"{item.identifier!r} cannot be ordered: {product.reason or 'not now'}")
    if item.area is not None and product.bbox is not None and not touches(item.area, product):
        yield problem(
            f"the area does not touch {item.identifier!r}: there would be nothing to deliver", "area"
        )


def touches(area: Area, product: CatalogueItem) -> bool:
    """Whether an area meets what is known of a product's footprint."""
    from shapely.geometry import box, shape

    footprint = shape(product.geometry) if product.geometry else box(*product.bbox or ())
    return bool(shape(area.geometry).intersects(footprint))
