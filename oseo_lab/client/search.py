"""What a search found: products in a sequence that can be looked at, sliced and ordered.

The client never runs a catalogue: it asks the service, which asks its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, overload
from urllib.parse import quote

from oseo_lab.client import display
from oseo_lab.client.area import Area, as_area, as_period
from oseo_lab.client.found import Found
from oseo_lab.client.given import no_such_key
from oseo_lab.client.transport import API
from oseo_lab.model.errors import ConfigurationError, NotFound, TransportError, ValidationError
from oseo_lab.model.job import CatalogueItem

if TYPE_CHECKING:
    from oseo_lab.client.draft import OrderDraft
    from oseo_lab.client.session import Session
    from oseo_lab.client.transport import Transport

__all__ = ["Products", "query_of", "search"]

#: Products asked for at a time.
PAGE = 200
#: Most pieces of a picture that are taken.
_CHUNKS = 100
_SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


class Products(Found):
    """Products of one collection, in the catalogue's order.

    Parameters
    ----------
    session : Session
        Where they can be ordered.
    collection_id : str
        What they belong to.
    items : sequence of CatalogueItem
        The products.
    area : Area or None
        The area that was searched.
    """

    def __init__(
        self, session: Session, collection_id: str, items: Sequence[CatalogueItem], area: Area | None = None
    ) -> None:
        super().__init__(collection_id, items)
        self._session = session
        self.area = area

    @overload
    def __getitem__(self, index: int | str) -> CatalogueItem: ...

    @overload
    def __getitem__(self, index: slice) -> Products: ...

    def __getitem__(self, index: int | str | slice) -> CatalogueItem | Products:
        """Return a product by position or identifier, or some by positions."""
        if isinstance(index, slice):
            return Products(self._session, self.collection_id, self._items[index], self.area)
        if isinstance(index, str):
            for each in self._items:
                if each.identifier == index:
                    return each
            raise no_such_key(index, self.ids, "one of these products")
        return self._items[index]

    def of(self, items: Sequence[CatalogueItem]) -> Products:
        """Return some of these products, in their own order."""
        return Products(self._session, self.collection_id, items, self.area)

    def thumbnail(self, product: CatalogueItem | str) -> bytes:
        """Return a product's small picture (PNG, JPEG or WebP), as the service keeps it.

        Raises
        ------
        NotFound
            If there is none.
        TransportError
            If it cannot be had.
        """
        name = product if isinstance(product, str) else product.identifier
        transport = self._session.transport
        place = f"collections/{quote(self.collection_id, safe='')}/products/{quote(name, safe='')}/thumbnail"
        with transport.fetch(f"{transport.url}{API}{place}") as found:
            if found.status != 200:
                raise NotFound(f"{name} has no picture (HTTP {found.status})", locator="identifier")
            return b"".join(islice(found.chunks, _CHUNKS))

    def map(self, basemap: Any = None) -> Any:
        """Return the map on which these are chosen: ``chosen = scenes.map()``, then ``chosen.selected``.

        Parameters
        ----------
        basemap : str or basemap of ipyleaflet, optional
            Tiles below, such as ``"https://.../{z}/{x}/{y}.png"``; without it no network is needed.

        Raises
        ------
        ConfigurationError
            If widgets are not installed.
        """
        made = display.widget_of(self, basemap=basemap)
        if made is None:
            raise ConfigurationError("the map needs widgets: pip install 'oseo-lab[notebook]'")
        return made

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show them on a map, to choose from; as HTML and text where there is no kernel, or none of them."""
        if not self:
            return {"text/plain": repr(self), "text/html": self._repr_html_()}
        return display.bundle(self, self._html)

    def order(
        self, name: str | None = None, area: Any = None, area_crs: Any = None, **options: Any
    ) -> OrderDraft:
        """Compose an order of these products (`Lab.order`); nothing is sent before ``submit()``."""
        from oseo_lab.client.composing import compose

        return compose(self._session, self, name, self.collection_id, area, area_crs, options)


def query_of(
    area: Any = None,
    time: Any = None,
    text: str | None = None,
    ids: Sequence[str] = (),
    filters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the query of a search, as the API reads it."""
    query: dict[str, Any] = {}
    if area is not None:
        place = as_area(area)
        query["bbox"] = ",".join(f"{each:.10g}" for each in place.bbox)
        if not place.is_box:
            query["geometry"] = place.geometry
    if (period := as_period(time)) is not None:
        query["datetime"] = "/".join(_stamp(each) for each in period)
    if text:
        query["text"] = text
    if ids:
        query["ids"] = ",".join(ids)
    for name, value in (filters or {}).items():
        query.update(_filter(name, value))
    return query


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _filter(name: str, value: Any) -> dict[str, Any]:
    """Return one property filter, as the API reads it.

    ``cloud_cover_lt=20``, ``cloud_cover="<20"`` and ``cloud_cover={"lt": 20}`` are ``cloud_cover.lt=20``;
    ``(0, 20)`` is a range.
    """
    stem, has_stem, word = name.rpartition("_")
    if has_stem and word in ("lt", "lte", "gt", "gte"):
        return {f"{stem}.{word}": value}
    if isinstance(value, str) and (found := re.fullmatch(r"\s*([<>]=?)\s*(\S.*)", value)):
        return {f"{name}.{_SIGNS[found[1]]}": found[2]}
    if isinstance(value, Mapping):
        return {f"{name}.{word}": bound for word, bound in value.items()}
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ValidationError(f"{name}={value!r}: a range is a tuple of two", locator=name)
        ends = zip(("gte", "lte"), value, strict=True)
        return {f"{name}.{word}": end for word, end in ends if end is not None}
    return {name: value}


def search(
    transport: Transport, collection_id: str, query: Mapping[str, Any], limit: int | None
) -> Iterator[CatalogueItem]:
    """Yield products page by page; a page that leads to itself is an error, not a loop."""
    seen: set[str] = set()
    cursor: str | None = None
    left = limit
    while left is None or left > 0:
        page = {**query, "limit": PAGE if left is None else min(PAGE, left)}
        if cursor is not None:
            page["cursor"] = cursor
        products, cursor = transport.products(collection_id, page)
        products = products if left is None else products[:left]
        yield from products
        left = None if left is None else left - len(products)
        if cursor is None:
            return
        if cursor in seen:
            raise TransportError(f"the catalogue of {collection_id} answers the same page again and again")
        seen.add(cursor)
