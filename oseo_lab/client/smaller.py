"""Smaller areas that a draft might do with: what quotations are asked for to say what would be cheaper.

Only areas that somebody named are thought of: the one the products were searched by, and what of the order's
own area all products have. Whether they save anything says the service, in their quotations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from oseo_lab.client.area import Area, as_area, as_selection
from oseo_lab.client.found import footprint
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.order import OrderSpecification

if TYPE_CHECKING:
    from oseo_lab.client.draft_state import DraftState

__all__ = ["Composed", "composed"]

#: An area that is no smaller than this part of the other saves nothing that is worth a word.
_WORTH = 0.8
#: Most products whose footprints are looked at.
_MOST = 500


@dataclass(frozen=True)
class Composed:
    """What is known of a quoted order beside what was sent.

    Parameters
    ----------
    products : mapping of str to CatalogueItem
        What the catalogue said of them, by item id.
    smaller : tuple of (str, OrderSpecification)
        The same order of smaller areas: what differs, and the whole order.
    """

    products: Mapping[str, CatalogueItem] = field(default_factory=dict)
    smaller: tuple[tuple[str, OrderSpecification], ...] = ()


def composed(draft: DraftState, specification: OrderSpecification) -> Composed:
    """Return what is known of a draft's products, and which smaller areas it might do with."""
    products = {each.item_id: each.product for each in draft.items if each.product is not None}
    if any(each.own_area is not None for each in draft.items):
        return Composed(products=products)  # somebody has thought of each of them
    variants = []
    if len(draft.items) <= _MOST:
        for words, area in _areas(draft, list(products.values())):
            with suppress(ValidationError, LookupError):  # the collection cuts nothing out, or no such shape
                as_selection(area, draft.scene_options)
                variants.append((words, _cut(draft, specification, area)))
    return Composed(products=products, smaller=tuple(variants))


def _cut(draft: DraftState, specification: OrderSpecification, area: Area) -> OrderSpecification:
    scene = draft.scene_selection(area)
    return replace(
        specification, items=tuple(replace(each, scene_selections=scene) for each in specification.items)
    )


def _areas(draft: DraftState, products: Sequence[CatalogueItem]) -> Iterator[tuple[str, Area]]:
    """Yield areas that are smaller than what is ordered, with words."""
    if not draft.scene_options or not products or len(products) < len(draft.items):
        return
    footprints = [footprint(each) for each in products]
    if any(each is None for each in footprints):
        return
    from shapely.errors import ShapelyError

    with suppress(ShapelyError, ValueError, TypeError):  # footprints as catalogues have them
        shapes = _shapes(footprints)
        if draft.area is None and draft.sought is not None:
            place = _shapes([draft.sought.geometry])[0]
            inside = [each.intersection(place).area for each in shapes]
            whole = sum(each.area for each in shapes)
            if all(inside) and sum(inside) < _WORTH * whole:
                yield "clipped to the area that was searched", draft.sought
        elif draft.area is not None and len(shapes) > 1:
            place = _shapes([draft.area.geometry])[0]
            common = place
            for each in shapes:
                common = common.intersection(each)
            box = None if common.is_empty else common.envelope
            if box is not None and 0 < box.area < _WORTH * place.area:
                yield "only where all products are", as_area(tuple(float(each) for each in box.bounds))


def _shapes(geometries: Sequence[Any]) -> list[Any]:
    from shapely.geometry import shape

    return [shape(each) for each in geometries]
