"""Composing a draft from what a user gives at once: products, a name, an area, options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oseo_lab.client.area import as_area
from oseo_lab.client.as_items import as_items
from oseo_lab.client.draft import OrderDraft
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import CatalogueItem

if TYPE_CHECKING:
    from oseo_lab.client.session import Session

__all__ = ["compose"]

#: What an order has beside its options, and `compose` takes as one of them.
_OWN = ("group", "packaging", "priority", "remark", "max_price", "max_bytes")
_LIMITS = ("max_price", "max_bytes")


def _collection_of(chosen: list[CatalogueItem | str], collection: str | None) -> str:
    found = list(dict.fromkeys(each.collection_id for each in chosen if isinstance(each, CatalogueItem)))
    if collection is not None:
        found = [collection, *(each for each in found if each != collection)]
    if len(found) == 1:
        return found[0]
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
    values = dict(options or {})
    own = {each: values.pop(each) for each in _OWN if each in values and each not in draft.options}
    with draft.together():
        draft.limits = {each: own.pop(each) for each in _LIMITS if each in own}
        for each, value in own.items():
            setattr(draft, each, value)
        draft.area = None if area is None else as_area(area, area_crs)
        draft.options.update(**values)
        for product in chosen:
            draft.items.add(product)
    return draft
