"""The JSON API: the same operations, by the same `perform`, under paths; and what only this door has.

Step 3 of the walk for notebooks and scripts, at ``oseo/api/v1/``. Errors are problem documents (RFC 9457).
A request known by a browser's cookie needs Jupyter's XSRF token, one with a token in its header does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Any

from oseo_lab.encoding import json_form
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import (
    BadMessage,
    NotFound,
    OseoError,
    Unavailable,
    ValidationError,
)
from oseo_lab.model.messages import (
    Cancel,
    DescribeResultAccess,
    FilteringCriteria,
    GetCapabilities,
    GetOptions,
    GetStatus,
    GetStatusResponse,
    Presentation,
    SubFunction,
    Submit,
    SubmitAck,
)
from oseo_lab.model.order import Order, order_uuid
from oseo_lab.model.status import Status
from oseo_lab.operations import OPERATIONS
from oseo_lab.ports import CatalogueQuery, ProcessingFailed
from oseo_lab.web.base import BaseOseoHandler, door, with_status

__all__ = ["JsonHandler"]

JSON = "application/json"
PROBLEM = "application/problem+json"
#: Most items or products in one answer, and how many where none is asked.
MOST = 1000
PAGE = 100
#: Query parameters of a product search that are not properties.
_SEARCH = frozenset({"bbox", "datetime", "text", "ids", "limit", "cursor", "token", "no_track_activity"})
_COMPARISONS = frozenset({"lt", "lte", "gt", "gte", "eq"})


class JsonHandler(BaseOseoHandler):
    """What all JSON paths share."""

    knows_browsers = True

    def answer_error(self, error: OseoError) -> None:
        """Send a problem document."""
        if error.http_status == 401:
            self.set_header("WWW-Authenticate", 'Bearer realm="oseo_lab"')
        self.answer(json_form.problem_document(error), PROBLEM, error.http_status)

    async def reply(
        self,
        message: Any,
        form: str = "json",
        encode: Callable[[Any], bytes] = json_form.encode,
        status: int = 200,
    ) -> None:
        """Carry out an operation and send its response."""
        body = await self.perform(message, encode, form, self.request.headers.get("Idempotency-Key"))
        self.answer(body, JSON, status)

    def send(self, plain: Any) -> None:
        """Send plain values."""
        self.answer(json_form.encode(plain), JSON)

    def json_body(self) -> bytes:
        """Return the body, said to be JSON.

        Raises
        ------
        BadMessage
            If it is said to be something else.
        """
        said = self.request.headers.get("Content-Type", JSON).partition(";")[0].strip().lower()
        if said != JSON and not said.endswith("+json"):
            raise with_status(BadMessage(f"Content-Type {said[:100]!r} is not JSON; send {JSON}"), 415)
        return self.body

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number from the query.

        Raises
        ------
        ValidationError
            If it is none, or outside 0 to ``most``.
        """
        text = self.get_query_argument(name, "") or str(default)
        if not text.isdecimal() or len(text) > 9 or int(text) > most:
            raise ValidationError(f"{name} must be a whole number from 0 to {most}", locator=name)
        return int(text)

    async def collection(self, collection_id: str) -> Collection:
        """Return a collection.

        Raises
        ------
        NotFound
            If there is none of that id.
        """
        collections = (await self.services()).collections
        if collection_id not in collections:
            known = ", ".join(sorted(collections)) or "none"
            raise NotFound(
                f"there is no collection {collection_id[:100]!r}; collections: {known}",
                code="InvalidParameterValue",
                locator="collectionId",
            )
        return collections[collection_id]


def _order_id(text: str) -> str:
    """Return the order id of a path: the URN or its UUID."""
    urn = text if text.startswith("urn:") else f"urn:uuid:{text}"
    if order_uuid(urn) is None:
        raise NotFound(f"there is no order {text[:100]!r} of yours", locator="orderId")
    return urn


def _choice(kind: type[Any], text: str, locator: str) -> Any:
    """Return one of a fixed set of values."""
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(str(each) for each in kind)
        raise ValidationError(
            f"{locator} {text[:50]!r} is unknown; allowed: {allowed}", locator=locator
        ) from None


def _instant(text: str, locator: str) -> datetime | None:
    """Read an instant of the query; without a zone it is UTC."""
    if not text or text == "..":
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValidationError(
            f"{text[:50]!r} is no instant; write 2026-07-01T12:00:00Z", locator=locator
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


# --------------------------------------------------------------------------------------- about the service


class AboutHandler(JsonHandler):
    """``GET api/v1/``: what this is, and who is asking."""

    @door
    async def get(self) -> None:
        """Say what this is."""
        await self.services()
        await self.authorize("read")
        self.send({"service": "oseo_lab", "version": _version(), "owner": self.owner})


@cache
def _version() -> str:
    return version("oseo-lab")


class OpenApiHandler(JsonHandler):
    """``GET api/v1/openapi.json``: this API's description; open."""

    @door
    async def get(self) -> None:
        """Send the description."""
        url = f"{self.service_url}api/v1"
        self.send(await self.state.work(json_form.openapi, url))


class CapabilitiesHandler(JsonHandler):
    """``GET api/v1/capabilities``; open."""

    @door
    async def get(self) -> None:
        """Send the capabilities."""
        await self.reply(GetCapabilities())


# ------------------------------------------------------------------------------------------ collections


def _facts(collection: Collection) -> dict[str, Any]:
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
    }


class CollectionsHandler(JsonHandler):
    """``GET api/v1/collections``."""

    @door
    async def get(self) -> None:
        """List what can be ordered from."""
        services = await self.services()
        await self.authorize("read")
        self.send({"collections": [_facts(each) for each in services.collections.values()]})


class CollectionHandler(JsonHandler):
    """``GET api/v1/collections/{id}``."""

    @door
    async def get(self, collection_id: str) -> None:
        """Describe one collection."""
        await self.authorize("read")
        self.send(_facts(await self.collection(collection_id)))


class OptionsHandler(JsonHandler):
    """``GET api/v1/collections/{id}/options``: GetOptions."""

    @door
    async def get(self, collection_id: str) -> None:
        """Send the option groups."""
        await self.reply(GetOptions(collection_id=collection_id))


class SchemaHandler(JsonHandler):
    """``GET api/v1/collections/{id}/schema``: JSON Schemas of an item's options and scene selection."""

    @door
    async def get(self, collection_id: str) -> None:
        """Send the schemas."""
        await self.authorize("read")
        collection = await self.collection(collection_id)
        options = json_form.option_schema(collection.options)
        self.send({"options": options, "scene": json_form.option_schema(collection.scene_options)})


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
        self.send({"products": [json_form.to_plain(each) for each in products], "cursor": cursor})

    def _query(self, geometry: Mapping[str, Any] | None) -> CatalogueQuery:
        start, slash, end = self.get_query_argument("datetime", "").partition("/")
        return CatalogueQuery(
            geometry=geometry,
            bbox=self._bbox(),
            start=_instant(start, "datetime"),
            end=_instant(end if slash else start, "datetime"),
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


def _scalar(text: str) -> Any:
    """Return a number or boolean where the text is one, else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool) else text


# -------------------------------------------------------------------------------------------------- orders


class OrdersHandler(JsonHandler):
    """``GET|POST api/v1/orders``: GetStatus by criteria, and Submit."""

    @door
    async def get(self) -> None:
        """List the caller's orders."""
        statuses = [each for text in self.get_query_arguments("status") for each in text.split(",") if each]
        criteria = FilteringCriteria(
            last_update=_instant(self.get_query_argument("last_update", ""), "last_update"),
            last_update_end=_instant(self.get_query_argument("last_update_end", ""), "last_update_end"),
            order_statuses=tuple(_choice(Status, each, "status") for each in statuses),
            order_reference=self.get_query_argument("reference", None),
        )
        await self.reply(GetStatus(filtering_criteria=criteria))

    @door
    async def post(self) -> None:
        """Submit an order."""
        message = await self.state.work(json_form.decode, Submit, self.json_body())
        made: list[SubmitAck] = []

        def encode(acknowledgement: SubmitAck) -> bytes:
            made.append(acknowledgement)
            return json_form.encode(acknowledgement)

        body = await self.perform(message, encode, "json", self.request.headers.get("Idempotency-Key"))
        self.set_header("Location", f"{self.service_url}api/v1/orders/{order_uuid(made[0].order_id)}")
        self.answer(body, JSON, 201)


class OrderHandler(JsonHandler):
    """``GET api/v1/orders/{id}``: GetStatus by id, the order alone."""

    @door
    async def get(self, order: str) -> None:
        """Send one order."""
        presentation = _choice(Presentation, self.get_query_argument("presentation", "brief"), "presentation")
        message = GetStatus(order_id=_order_id(order), presentation=presentation)
        await self.reply(message, "json order", _encode_order)


def _encode_order(response: GetStatusResponse) -> bytes:
    return json_form.encode(response.orders[0])


class PartHandler(JsonHandler):
    """What is read straight from the store, for one of the caller's orders."""

    async def read(self, order: str, collect: Callable[[Any, Order], dict[str, Any]]) -> None:
        """Send what ``collect`` finds in a snapshot.

        Raises
        ------
        NotFound
            If the order is unknown or another owner's.
        """
        services = await self.services()
        await self.authorize("read")
        order_id = _order_id(order)

        def ask() -> bytes:
            with services.store.read() as snapshot:
                found = snapshot.orders.get(order_id, self.owner)
                if found is None:
                    raise NotFound(f"there is no order {order_id!r} of yours", locator="orderId")
                return json_form.encode(collect(snapshot, found))

        self.answer(await self.state.work(ask), JSON)


class ItemsHandler(PartHandler):
    """``GET api/v1/orders/{id}/items``."""

    @door
    async def get(self, order: str) -> None:
        """Send a page of an order's items."""
        after = self.number("after", 0, 10**9 - 1)
        limit = max(1, self.number("limit", PAGE, MOST))
        await self.read(
            order,
            lambda snapshot, found: {"items": snapshot.items.of(found.order_id, after=after, limit=limit)},
        )


class HistoryHandler(PartHandler):
    """``GET api/v1/orders/{id}/history``: status changes and attempts, without the operator's details."""

    @door
    async def get(self, order: str) -> None:
        """Send the history."""
        await self.read(
            order,
            lambda snapshot, found: {
                "history": [replace(each, detail=None) for each in snapshot.events.of(found.order_id)],
                "attempts": [replace(each, detail=None) for each in snapshot.events.attempts(found.order_id)],
            },
        )


class ResultsHandler(JsonHandler):
    """``GET api/v1/orders/{id}/results``: DescribeResultAccess."""

    @door
    async def get(self, order: str) -> None:
        """Send where the results lie."""
        asked = _choice(SubFunction, self.get_query_argument("sub_function", "allReady"), "sub_function")
        await self.reply(DescribeResultAccess(order_id=_order_id(order), sub_function=asked))


class CancelHandler(JsonHandler):
    """``POST api/v1/orders/{id}/cancel``: Cancel."""

    @door
    async def post(self, order: str) -> None:
        """Cancel an order."""
        await self.reply(Cancel(order_id=_order_id(order)), status=202)


class OperationHandler(JsonHandler):
    """``POST api/v1/operations/{Name}``: any operation, request and response as JSON."""

    @door
    async def post(self, name: str) -> None:
        """Carry out an operation."""
        known = {each.name: message for message, each in OPERATIONS.items()}
        if name not in known:
            raise NotFound(
                f"there is no operation {name[:50]!r}; operations: {', '.join(known)}",
                code="OperationNotSupported",
                locator=name[:50],
            )
        message = await self.state.work(json_form.decode, known[name], self.json_body() or b"{}")
        await self.reply(message)
