"""The JSON API's collections: what can be ordered, with which options, and what a catalogue finds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from oseo_lab.encoding import json_form
from oseo_lab.model.collection import Collection, OrderOptions
from oseo_lab.model.errors import (
    BadMessage,
    NotFound,
    Unavailable,
    ValidationError,
)
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.messages import GetOptions
from oseo_lab.model.options import OptionDefinition
from oseo_lab.model.order import OrderSpecification
from oseo_lab.operations.checking import check_choices
from oseo_lab.ports import CatalogueQuery, PicturedCatalogue, ProcessingFailed, Thumbnail
from oseo_lab.web.base import door
from oseo_lab.web.json_door import MOST, PAGE, JsonHandler, instant_of

__all__ = [
    "CheckHandler",
    "CollectionHandler",
    "CollectionsHandler",
    "OptionsHandler",
    "ProductsHandler",
    "SchemaHandler",
    "ThumbnailHandler",
    "public",
]

#: Query parameters of a product search that are not properties.
_SEARCH = frozenset({"bbox", "datetime", "text", "ids", "limit", "cursor", "token", "no_track_activity"})
_COMPARISONS = frozenset({"lt", "lte", "gt", "gte", "eq"})


def _facts(collection: Collection, *, checks_values: bool) -> dict[str, Any]:
    """Return what users may know of a collection: not where its files lie or what its operator fixed."""
    return {
        "id": collection.id,
        "title": collection.title,
        "description": collection.description,
        "provider": collection.provider,
        "delivery": json_form.to_plain(collection.delivery),
        "max_items": collection.max_items,
        "max_bytes": collection.max_bytes,
        "automatic": collection.automatic,
        "options_id": collection.options_id,
        "product_orders": collection.product_orders,
        "subscription": json_form.to_plain(collection.subscription),
        "payments": json_form.to_plain(collection.payments),
        "checks_values": checks_values,
    }


class CollectionsHandler(JsonHandler):
    """``GET api/v1/collections``."""

    @door
    async def get(self) -> None:
        """List what can be ordered from."""
        services = await self.services()
        await self.authorize("read")
        checks = services.checks_values
        known = services.collections.values()
        self.send({"collections": [_facts(each, checks_values=checks(each.id)) for each in known]})


class CollectionHandler(JsonHandler):
    """``GET api/v1/collections/{id}``."""

    @door
    async def get(self, collection_id: str) -> None:
        """Describe one collection."""
        services = await self.services()
        await self.authorize("read")
        collection = await self.collection(collection_id)
        self.send(_facts(collection, checks_values=services.checks_values(collection.id)))


class OptionsHandler(JsonHandler):
    """``GET api/v1/collections/{id}/options``: GetOptions."""

    @door
    async def get(self, collection_id: str) -> None:
        """Send the option groups."""
        await self.reply(GetOptions(collection_id=collection_id))


class SchemaHandler(JsonHandler):
    """``GET api/v1/collections/{id}/schema``: JSON Schemas of an item's options and scene selection.

    Those of the first option group, and of every group by its id.
    """

    @door
    async def get(self, collection_id: str) -> None:
        """Send the schemas."""
        await self.authorize("read")
        collection = await self.collection(collection_id)
        groups = {each.product_order_options_id: _schemas(each) for each in collection.option_groups()}
        self.send(_schemas(collection.order_options()) | {"groups": groups})


def _schemas(group: OrderOptions) -> dict[str, Any]:
    """Return the JSON Schemas of a group's options, and of what its policies may cut out."""
    parameters = [each for policy in group.scene_selections for each in policy.parameters]
    return {
        "options": json_form.option_schema(group.options, group.rules),
        "scene": json_form.option_schema(
            parameters if len(group.scene_selections) == 1 else _optional(parameters), group.rules
        ),
    }


def _optional(parameters: Iterable[OptionDefinition]) -> list[OptionDefinition]:
    """Return parameters of several policies, each of which may be of another policy than the one chosen."""
    return [replace(each, component=replace(each.component, optional=True)) for each in parameters]


class CheckHandler(JsonHandler):
    """``POST api/v1/collections/{id}/check``: what is wrong with choices, before there is an order."""

    @door
    async def post(self, collection_id: str) -> None:
        """Send the problems; an empty list is good."""
        services = await self.services()
        await self.authorize("read")
        collection = await self.collection(collection_id)
        said = await self.state.work(json_form.decode, OrderSpecification, self.json_body())
        context = services.context(self.owner, url=self.service_url)
        problems = await self.state.work(check_choices, collection, said, context)
        self.send({"problems": [json_form.to_plain(each) for each in problems]})


class ProductsHandler(JsonHandler):
    """``GET|POST api/v1/collections/{id}/products``: what the collection's catalogue finds."""

    @door
    async def get(self, collection_id: str) -> None:
        """Search by the query."""
        await self._find(collection_id, None)

    @door
    async def post(self, collection_id: str) -> None:
        """Search by the query and the geometry of the body."""
        try:
            said = json.loads(self.json_body() or b"{}")
        except (ValueError, RecursionError):
            raise BadMessage("the body is not JSON") from None
        geometry = said.get("geometry") if isinstance(said, dict) else None
        if geometry is not None and not isinstance(geometry, dict):
            raise ValidationError("geometry must be a GeoJSON geometry", locator="geometry")
        await self._find(collection_id, geometry)

    async def _find(self, collection_id: str, geometry: Mapping[str, Any] | None) -> None:
        services = await self.services()
        await self.authorize("read")
        await self.collection(collection_id)
        identifiers = [each for text in self.get_query_arguments("ids") for each in text.split(",") if each]
        query = None if identifiers else self._query(geometry)
        if len(identifiers) > MOST:
            raise ValidationError(f"ids: at most {MOST} at once", locator="ids")

        def ask() -> tuple[list[Any], str | None]:
            catalogue = services.catalogue(collection_id)
            if query is None:
                found = catalogue.find(identifiers)
                return [found[each] for each in identifiers if each in found], None
            return catalogue.search(query)

        try:
            products, cursor = await self.state.errand(ask)
        except ProcessingFailed as failed:
            raise Unavailable(f"the catalogue of {collection_id} did not answer: {failed.reason}") from failed
        self.send({"products": [json_form.to_plain(public(each)) for each in products], "cursor": cursor})

    def _query(self, geometry: Mapping[str, Any] | None) -> CatalogueQuery:
        start, slash, end = self.get_query_argument("datetime", "").partition("/")
        return CatalogueQuery(
            geometry=geometry,
            bbox=self._bbox(),
            start=instant_of(start, "datetime"),
            end=instant_of(end if slash else start, "datetime"),
            text=self.get_query_argument("text", None),
            filters=self._filters(),
            limit=max(1, self.number("limit", PAGE, MOST)),
            cursor=self.get_query_argument("cursor", None),
        )

    def _bbox(self) -> tuple[float, float, float, float] | None:
        text = self.get_query_argument("bbox", "")
        if not text:
            return None
        try:
            west, south, east, north = (float(each) for each in text.split(","))
        except ValueError:
            raise ValidationError(
                "bbox must be west,south,east,north in degrees (EPSG:4326)", locator="bbox"
            ) from None
        if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
            raise ValidationError(
                "bbox lies outside -180,-90,180,90, or south is above north", locator="bbox"
            )
        return west, south, east, north

    def _filters(self) -> dict[str, Any]:
        """Read properties: ``name=value``, or ``name.lt=value`` and the like."""
        filters: dict[str, Any] = {}
        for key in self.request.query_arguments:
            if key in _SEARCH:
                continue
            value = _scalar(self.get_query_argument(key))
            name, dot, comparison = key.rpartition(".")
            if dot and comparison in _COMPARISONS:
                bounds = filters.setdefault(name, {})
                if isinstance(bounds, dict):
                    bounds[comparison] = value
            else:
                filters[key] = value
        return filters


class ThumbnailHandler(JsonHandler):
    """``GET api/v1/collections/{id}/products/{identifier}/thumbnail``: a product's small picture."""

    @door
    async def get(self, collection_id: str, identifier: str) -> None:
        """Send it, to be kept for a day by whoever asked."""
        services = await self.services()
        await self.authorize("read")
        await self.collection(collection_id)
        catalogue = services.catalogue(collection_id)

        def ask() -> Thumbnail | None:
            return catalogue.thumbnail(identifier) if isinstance(catalogue, PicturedCatalogue) else None

        try:
            found = await self.state.errand(ask)
        except ProcessingFailed as failed:
            raise Unavailable(f"the catalogue of {collection_id} did not answer: {failed.reason}") from failed
        if found is None:
            raise NotFound(
                f"there is no picture of {identifier[:100]!r} in {collection_id}", locator="identifier"
            )
        self.set_header("Cache-Control", "private, max-age=86400")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.answer(found.content, found.media_type)


def public(item: CatalogueItem) -> CatalogueItem:
    """Return a product as users may see it: of a file of this machine only the name, never where it lies.

    Its thumbnail is the path below ``api/v1/`` where this service shows it.
    """
    assets = tuple(replace(each, href=_address(each.href)) for each in item.assets)
    path = f"collections/{quote(item.collection_id, safe='')}/products/{quote(item.identifier, safe='')}"
    offline = replace(item.offline, href=None) if item.offline else None
    thumbnail = f"{path}/thumbnail" if item.thumbnail else None
    return replace(item, assets=assets, thumbnail=thumbnail, offline=offline)


def _address(href: str) -> str:
    is_local = "://" not in href or href.lower().startswith(("file:", "local:"))
    return href.rpartition("/")[2] if is_local else href


def _scalar(text: str) -> Any:
    """Return a number or boolean where the text is one, else the text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float | bool) else text
