"""The OpenAPI 3.1 document of the JSON API, computed from the model's own schemas.

One row per path and method says what goes in and what comes out; the schemas are those `json_form` reads
and writes by, so the document cannot promise what the service does not do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from oseo_lab.model import messages, notifications
from oseo_lab.model.collection import Collection
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.order import Attempt, Order, OrderItem, OrderSpecification, StatusChange
from oseo_lab.model.quotation import QuotationAnswer, QuotationRecord
from oseo_lab.model.status import Status
from oseo_lab.model.view import OrderSummary, OrderView

__all__ = ["openapi"]

_TEMPLATE = "#/components/schemas/{model}"
_PROBLEM_TYPE = "application/problem+json"

#: The operations of OGC 06-141r6 that `operations/{Name}` takes: request and response.
OPERATIONS: dict[type, type] = {
    messages.GetCapabilities: messages.Capabilities,
    messages.GetOptions: messages.GetOptionsResponse,
    messages.GetQuotation: messages.GetQuotationAck,
    messages.Submit: messages.SubmitAck,
    messages.GetStatus: messages.GetStatusResponse,
    messages.DescribeResultAccess: messages.DescribeResultAccessResponse,
    messages.Cancel: messages.CancelAck,
    notifications.Subscribe: notifications.SubscribeResponse,
    notifications.Unsubscribe: notifications.UnsubscribeResponse,
}


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One path and method: what goes in, what comes out."""

    path: str
    name: str
    summary: str
    answer: Any
    method: str = "get"
    parameters: tuple[str, ...] = ()
    body: Any = None
    status: int = 200
    is_open: bool = False
    media_type: str = "application/json"


_ANY_OBJECT = {"type": "object"}
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}


def _list_of(key: str, cls: type, **more: Any) -> dict[str, Any]:
    items = {"type": "array", "items": {"$ref": _TEMPLATE.format(model=cls.__name__)}}
    return {"type": "object", "required": [key], "properties": {key: items, **more}}


#: What users may know of a collection: not where its files lie or what its operator settled.
_FACTS = (
    "id",
    "title",
    "description",
    "provider",
    "delivery",
    "max_items",
    "max_bytes",
    "automatic",
    "options_id",
    "product_orders",
    "subscription",
    "payments",
)
_COLLECTION = {"$ref": _TEMPLATE.format(model="CollectionFacts")}
_COLLECTIONS = {
    "type": "object",
    "required": ["collections"],
    "properties": {"collections": {"type": "array", "items": _COLLECTION}},
}
_SCHEMAS = {
    "type": "object",
    "required": ["options", "scene"],
    "properties": {"options": _ANY_OBJECT, "scene": _ANY_OBJECT, "groups": _ANY_OBJECT},
}
_PAGE = _list_of("products", CatalogueItem, cursor={"type": ["string", "null"]})
_HISTORY = _list_of("history", StatusChange, **_list_of("attempts", Attempt)["properties"])

_NOTICE: dict[str, Any] = {
    "type": "object",
    "required": ["notice_id", "kind", "address"],
    "properties": {
        "notice_id": {"type": "integer"},
        "kind": _TEXT,
        "address": _TEXT,
        "attempts": {"type": "integer"},
        "due": _TIME,
    },
}
_SENDING = {
    "type": "object",
    "required": ["notice_id", "kind", "address", "at", "attempt", "outcome", "is_last"],
    "properties": {
        **{name: each for name, each in _NOTICE["properties"].items() if name not in ("attempts", "due")},
        "order_id": _TEXT,
        "at": _TIME,
        "attempt": {"type": "integer"},
        "outcome": _TEXT,
        "is_last": {"type": "boolean"},
    },
}
_NOTICES = {
    "type": "object",
    "required": ["waiting", "sendings"],
    "properties": {
        "waiting": {"type": "array", "items": _NOTICE},
        "sendings": {"type": "array", "items": _SENDING},
    },
}

_BALANCE = {
    "type": "object",
    "required": ["owner", "currency", "value"],
    "properties": {"owner": _TEXT, "currency": _TEXT, "value": {"type": "number"}},
}
_CHARGE = {
    "type": "object",
    "required": ["number", "amount", "currency", "is_given_back"],
    "properties": {
        "number": {"type": "integer"},
        "amount": {"type": "number"},
        "currency": _TEXT,
        "is_given_back": {"type": "boolean"},
    },
}
_CHARGES = {
    "type": "object",
    "required": ["charges"],
    "properties": {"charges": {"type": "array", "items": _CHARGE}},
}
_BALANCES = {
    "type": "object",
    "required": ["balances"],
    "properties": {"balances": {"type": "array", "items": _BALANCE}},
}

_ANNOUNCEMENT = {
    "type": "object",
    "required": ["identifiers"],
    "properties": {"identifiers": {"type": "array", "minItems": 1, "maxItems": 1000, "items": _TEXT}},
}
_RETRY = {
    "type": "object",
    "properties": {
        "item_ids": {
            "type": ["array", "null"],
            "minItems": 1,
            "maxItems": 10_000,
            "items": _TEXT,
            "description": "By itemId, whatever they failed of; null for all that failed and may be helped.",
        }
    },
}
_NEW_SHARE = {
    "type": "object",
    "required": ["until"],
    "properties": {
        "until": {**_TIME, "description": "Until when, UTC; at most a year ahead."},
        "grantee": {"type": ["string", "null"], "description": "Owner name of a reader; null for a link."},
    },
}
_SHARED = {
    "type": "object",
    "required": ["order_id", "share_id", "created", "until"],
    "properties": {
        "order_id": _TEXT,
        "share_id": _TEXT,
        "grantee": _TEXT,
        "created": _TIME,
        "until": _TIME,
        "url": {**_TEXT, "description": "Of a link: its page; the secret in it is not kept."},
    },
}
_SHARES = {
    "type": "object",
    "required": ["shares"],
    "properties": {"shares": {"type": "array", "items": _SHARED}},
}
_ORDERED = {"type": "object", "required": ["ordered"], "properties": {"ordered": {"type": "integer"}}}

_PARAMETERS: dict[str, dict[str, Any]] = {
    "quotation": {"in": "path", "schema": _TEXT, "description": "UUID of the quotation."},
    "waiting": {
        "in": "query",
        "schema": {"type": "boolean"},
        "description": "For operators: those that a person answers.",
    },
    "owner": {"in": "query", "schema": _TEXT, "description": "For operators: whose."},
    "account": {"in": "path", "schema": _TEXT, "description": "The owner, percent-encoded."},
    "currency": {"in": "path", "schema": _TEXT, "description": "ISO 4217 code, or a quota unit."},
    "collection_id": {"in": "path", "schema": _TEXT, "description": "collectionId, percent-encoded."},
    "identifier": {"in": "path", "schema": _TEXT, "description": "Of the product, percent-encoded."},
    "order_id": {"in": "path", "schema": _TEXT, "description": "The order's UUID or urn:uuid: id."},
    "share_id": {"in": "path", "schema": _TEXT, "description": "The share's UUID."},
    "name": {"in": "query", "schema": _TEXT, "description": "Of the order; a pattern with * and ?."},
    "collection": {"in": "query", "schema": _TEXT, "description": "collectionId that is ordered from."},
    "since": {"in": "query", "schema": _TIME, "description": "Changed at or after, UTC."},
    "until": {"in": "query", "schema": _TIME, "description": "Changed at or before, UTC."},
    "shared": {
        "in": "query",
        "schema": {"type": "boolean"},
        "description": "Those of others that are shared with you.",
    },
    "presentation": {"in": "query", "schema": {"enum": [*messages.Presentation], "default": "brief"}},
    "sub_function": {"in": "query", "schema": {"enum": [*messages.SubFunction], "default": "allReady"}},
    "after": {"in": "query", "schema": {"type": "integer"}, "description": "Number of the last item seen."},
    "limit": {
        "in": "query",
        "schema": {"type": "integer", "minimum": 1},
        "description": "Most in one answer.",
    },
    "status": {"in": "query", "schema": {"type": "array", "items": {"enum": [*Status]}}},
    "reference": {"in": "query", "schema": _TEXT, "description": "orderReference."},
    "last_update": {"in": "query", "schema": _TIME, "description": "Changed at or after, UTC."},
    "last_update_end": {"in": "query", "schema": _TIME, "description": "Changed at or before, UTC."},
    "bbox": {"in": "query", "schema": _TEXT, "description": "west,south,east,north; EPSG:4326, degrees."},
    "datetime": {"in": "query", "schema": _TEXT, "description": "start/end, either may be empty or '..'."},
    "text": {"in": "query", "schema": _TEXT, "description": "Words of identifier, title, text or keywords."},
    "ids": {"in": "query", "schema": _TEXT, "description": "Identifiers, separated by commas."},
    "cursor": {"in": "query", "schema": _TEXT, "description": "Where the last answer ended."},
    "filters": {
        "in": "query",
        "schema": {"type": "object", "additionalProperties": _TEXT},
        "style": "form",
        "explode": True,
        "description": "Property filters, such as cloud_cover.lt=20; suffixes: lt, lte, gt, gte, eq.",
    },
    "Idempotency-Key": {
        "in": "header",
        "schema": _TEXT,
        "description": "Message id: the same Submit sent again gets the first acknowledgement.",
    },
    "Last-Event-ID": {"in": "header", "schema": _TEXT, "description": "Id of the last event seen."},
}

_SEARCH = ("collection_id", "bbox", "datetime", "text", "ids", "limit", "cursor", "filters")
_ORDERS = ("status", "reference", "last_update", "last_update_end")

_ROWS = (
    _Row(path="/", name="getService", summary="What answers here, and who you are", answer=_ANY_OBJECT),
    _Row(path="/openapi.json", name="getOpenapi", summary="This document", answer=_ANY_OBJECT, is_open=True),
    _Row(
        path="/capabilities",
        name="getCapabilities",
        summary="What the service offers",
        answer=messages.Capabilities,
        is_open=True,
    ),
    _Row(
        path="/collections",
        name="listCollections",
        summary="What can be ordered from",
        answer=_COLLECTIONS,
    ),
    _Row(
        path="/collections/{collection_id}",
        name="getCollection",
        summary="One collection",
        answer=_COLLECTION,
        parameters=("collection_id",),
    ),
    _Row(
        path="/collections/{collection_id}/options",
        name="getOptions",
        summary="GetOptions for a collection",
        answer=messages.GetOptionsResponse,
        parameters=("collection_id",),
    ),
    _Row(
        path="/collections/{collection_id}/schema",
        name="getOptionSchema",
        summary="Options and scene options as JSON Schema",
        answer=_SCHEMAS,
        parameters=("collection_id",),
    ),
    _Row(
        path="/collections/{collection_id}/products",
        name="listProducts",
        summary="Products that can be ordered",
        answer=_PAGE,
        parameters=_SEARCH,
    ),
    _Row(
        path="/collections/{collection_id}/products/{identifier}/thumbnail",
        name="getThumbnail",
        summary="A small picture of a product: PNG, JPEG or WebP, 2 MiB at most",
        answer={"type": "string", "format": "binary"},
        media_type="image/*",
        parameters=("collection_id", "identifier"),
    ),
    _Row(
        path="/collections/{collection_id}/products",
        name="searchProducts",
        summary="Products that can be ordered, within a geometry",
        method="post",
        body={
            "type": "object",
            "properties": {"geometry": {**_ANY_OBJECT, "description": "GeoJSON geometry."}},
        },
        answer=_PAGE,
        parameters=_SEARCH,
    ),
    _Row(
        path="/orders",
        name="submitOrder",
        summary="Submit",
        method="post",
        body=messages.Submit,
        answer=messages.SubmitAck,
        status=201,
        parameters=("Idempotency-Key",),
    ),
    _Row(
        path="/orders",
        name="listOrders",
        summary="Your orders, without items",
        answer=messages.GetStatusResponse,
        parameters=_ORDERS,
    ),
    _Row(
        path="/orders/summaries",
        name="listSummaries",
        summary="Your orders, or those shared with you, at a glance, newest first",
        answer=_list_of("orders", OrderSummary, cursor={"type": ["string", "null"]}),
        parameters=("name", "status", "collection", "since", "until", "shared", "limit", "cursor"),
    ),
    _Row(
        path="/orders/{order_id}/shares",
        name="listShares",
        summary="Who an order of yours is shared with",
        answer=_SHARES,
        parameters=("order_id",),
    ),
    _Row(
        path="/orders/{order_id}/shares",
        name="shareOrder",
        summary="Let somebody read an order: a named user, or whoever has the link that is told this once",
        method="post",
        body=_NEW_SHARE,
        answer=_SHARED,
        status=201,
        parameters=("order_id",),
    ),
    _Row(
        path="/orders/{order_id}/shares/{share_id}",
        name="unshareOrder",
        summary="Take a share back; those that are left",
        method="delete",
        answer=_SHARES,
        parameters=("order_id", "share_id"),
    ),
    _Row(
        path="/orders/{order_id}",
        name="getOrder",
        summary="One order",
        answer=Order,
        parameters=("order_id", "presentation"),
    ),
    _Row(
        path="/orders/{order_id}/items",
        name="listItems",
        summary="An order's items, page by page",
        answer=_list_of("items", OrderItem),
        parameters=("order_id", "after", "limit"),
    ),
    _Row(
        path="/orders/{order_id}/view",
        name="getView",
        summary="An order as a card shows it: counts, the items that matter most, time left",
        answer=OrderView,
        parameters=("order_id",),
    ),
    _Row(
        path="/orders/{order_id}/history",
        name="getHistory",
        summary="What happened to an order, and every attempt",
        answer=_HISTORY,
        parameters=("order_id",),
    ),
    _Row(
        path="/orders/{order_id}/notices",
        name="getNotices",
        summary="What became of an order's callbacks: what waits, and every try at sending",
        answer=_NOTICES,
        parameters=("order_id",),
    ),
    _Row(
        path="/orders/{order_id}/results",
        name="listResults",
        summary="DescribeResultAccess",
        answer=messages.DescribeResultAccessResponse,
        parameters=("order_id", "sub_function"),
    ),
    _Row(
        path="/orders/{order_id}/cancel",
        name="cancelOrder",
        summary="Cancel: accepted, then done",
        method="post",
        answer=messages.CancelAck,
        status=202,
        parameters=("order_id",),
    ),
    _Row(
        path="/orders/{order_id}/pause",
        name="pauseOrder",
        summary="Nothing more of an order begins until it is resumed; what is being made is finished",
        method="post",
        answer=Order,
        status=202,
        parameters=("order_id",),
    ),
    _Row(
        path="/orders/{order_id}/resume",
        name="resumeOrder",
        summary="A paused order goes on where it was; what a subscription missed comes",
        method="post",
        answer=Order,
        status=202,
        parameters=("order_id",),
    ),
    _Row(
        path="/orders/{order_id}/retry",
        name="retryOrder",
        summary="Items that were not made are tried again: those named, or all that trying again may help",
        method="post",
        body=_RETRY,
        answer=Order,
        status=202,
        parameters=("order_id",),
    ),
    _Row(
        path="/orders/{order_id}/match",
        name="matchOrder",
        summary="What a subscription would order now; nothing is ordered",
        method="post",
        answer=_list_of("products", CatalogueItem),
        parameters=("order_id",),
    ),
    _Row(
        path="/collections/{collection_id}/announce",
        name="announceProducts",
        summary="For operators: products have appeared, match them at once",
        method="post",
        body=_ANNOUNCEMENT,
        answer=_ORDERED,
        parameters=("collection_id",),
    ),
    _Row(
        path="/orders/{order_id}/charges",
        name="listCharges",
        summary="What an order's items cost, and what was given back",
        answer=_CHARGES,
        parameters=("order_id",),
    ),
    _Row(
        path="/quotations",
        name="askQuotation",
        summary="GetQuotation: what an order would cost",
        method="post",
        body=OrderSpecification,
        answer=messages.GetQuotationAck,
        status=201,
    ),
    _Row(
        path="/quotations",
        name="listQuotations",
        summary="Your quotations, without items",
        answer=_list_of("quotations", QuotationRecord),
        parameters=("limit", "waiting"),
    ),
    _Row(
        path="/quotations/{quotation}",
        name="getQuotationRecord",
        summary="One quotation, and what became of it",
        answer=QuotationRecord,
        parameters=("quotation",),
    ),
    _Row(
        path="/quotations/{quotation}/answer",
        name="answerQuotation",
        summary="For operators: prices that a person gives",
        method="post",
        body=QuotationAnswer,
        answer=QuotationRecord,
        status=202,
        parameters=("quotation",),
    ),
    _Row(
        path="/balances",
        name="listBalances",
        summary="What your account may still order",
        answer=_BALANCES,
        parameters=("owner",),
    ),
    _Row(
        path="/balances/{account}/{currency}",
        name="setBalance",
        summary="For operators: set what an account may still order; null lifts the limit",
        method="put",
        body={
            "type": "object",
            "required": ["value"],
            "properties": {"value": {"type": ["number", "null"]}},
        },
        answer=_BALANCES,
        parameters=("account", "currency"),
    ),
    _Row(
        path="/events",
        name="followEvents",
        summary="Live status changes and progress (server-sent events)",
        answer=_TEXT,
        media_type="text/event-stream",
        parameters=("Last-Event-ID",),
    ),
    *(
        _Row(
            path=f"/operations/{request.__name__}",
            name=f"perform{request.__name__}",
            summary=f"{request.__name__} of OGC 06-141r6",
            method="post",
            body=request,
            answer=response,
            is_open=request is messages.GetCapabilities,
        )
        for request, response in OPERATIONS.items()
    ),
)

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457, with OSEO's exception code and everything that was wrong.",
    "required": ["type", "title", "status", "detail", "code", "problems"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": {**_TEXT, "description": "OWS or OSEO exception code."},
        "locator": {"type": ["string", "null"]},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "text"],
                "properties": {
                    "code": _TEXT,
                    "locator": {"type": ["string", "null"]},
                    "text": _TEXT,
                    "item_id": {"type": ["string", "null"]},
                },
            },
        },
        "kind": {**_TEXT, "description": "Name of the exception class in Python."},
        "hint": {**_TEXT, "description": "What to do next."},
        "facts": {"type": "object", "description": "What is known beyond the text, by name."},
        "request_id": {**_TEXT, "description": "To quote when asking for help."},
    },
}


def openapi(url: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document.

    Parameters
    ----------
    url : str
        Where the API is: the address of ``oseo/api/v1``.
    """
    paths, schemas = _described()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "oseo_lab",
            "version": _version(),
            "summary": "Order Earth-observation products: OGC 06-141r6 (OSEO 1.0) as JSON.",
        },
        "servers": [{"url": url.rstrip("/")}],
        "security": [{"token": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Problem": {
                    "description": "What was wrong, all of it.",
                    "content": {_PROBLEM_TYPE: {"schema": {"$ref": _TEMPLATE.format(model="Problem")}}},
                }
            },
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "Jupyter's: 'token' and the token.",
                },
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _version() -> str:
    try:
        return version("oseo-lab")
    except PackageNotFoundError:
        return "0"


@lru_cache(maxsize=1)
def _described() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return paths and schemas; the same for every server, so made once."""
    from oseo_lab.encoding.json_types import definitions_of

    shown = [each for row in _ROWS for each in (row.body, row.answer) if isinstance(each, type)]
    listed = (*shown, OrderSummary, CatalogueItem, OrderItem, StatusChange, Attempt, Collection)
    tops, schemas = definitions_of({cls.__name__: cls for cls in listed}, _TEMPLATE)
    for name, top in tops.items():
        schemas.setdefault(name, top)
    facts = schemas.pop("Collection")
    schemas.pop("TaskingRule")
    schemas["CollectionFacts"] = {
        "type": "object",
        "description": facts["description"],
        "required": ["id"],
        "properties": {name: facts["properties"][name] for name in _FACTS},
    }
    paths: dict[str, Any] = {}
    for row in _ROWS:
        paths.setdefault(row.path, {})[row.method] = _operation(row)
    return paths, {**schemas, "Problem": _PROBLEM}


def _schema(shape: Any) -> dict[str, Any]:
    return {"$ref": _TEMPLATE.format(model=shape.__name__)} if isinstance(shape, type) else shape


def _operation(row: _Row) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": row.name,
        "summary": row.summary,
        "responses": {
            str(row.status): {
                "description": row.summary,
                "content": {row.media_type: {"schema": _schema(row.answer)}},
            },
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if row.parameters:
        described["parameters"] = [_parameter(name) for name in row.parameters]
    if row.body is not None:
        content = {"application/json": {"schema": _schema(row.body)}}
        described["requestBody"] = {"required": True, "content": content}
    if row.is_open:
        described["security"] = []
    return described


def _parameter(name: str) -> dict[str, Any]:
    parameter = {"name": name, **_PARAMETERS[name]}
    return parameter | ({"required": True} if parameter["in"] == "path" else {})
