"""Shapes of the JSON API that are no model of their own: pages, shares, charges, problems, parameters.

What is a model's comes from its dataclass (`oseo_lab.encoding.json_types`); the rows that use both are in
`oseo_lab.encoding.openapi_paths`.
"""

from __future__ import annotations

from typing import Any

from oseo_lab.model import messages
from oseo_lab.model.approval import REASON_MOST
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.notify import Channel, Digest, Event
from oseo_lab.model.order import Attempt, StatusChange
from oseo_lab.model.status import Status

__all__ = [
    "ANNOUNCEMENT",
    "ANY_OBJECT",
    "BALANCES",
    "CHARGES",
    "CHECKED",
    "COLLECTION",
    "COLLECTIONS",
    "HISTORY",
    "NEW_NOTIFICATION",
    "NEW_SHARE",
    "NOTICES",
    "NOTIFICATIONS",
    "ORDERED",
    "PAGE",
    "PARAMETERS",
    "PROBLEM",
    "REJECTION",
    "RETRY",
    "SCHEMAS",
    "SHARED",
    "SHARES",
    "TEMPLATE",
    "TEXT",
    "list_of",
]

TEMPLATE = "#/components/schemas/{model}"

ANY_OBJECT = {"type": "object"}
TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}


def list_of(key: str, cls: type, **more: Any) -> dict[str, Any]:
    """Return an object that holds a list of a model's, and more properties."""
    items = {"type": "array", "items": {"$ref": TEMPLATE.format(model=cls.__name__)}}
    return {"type": "object", "required": [key], "properties": {key: items, **more}}


COLLECTION = {"$ref": TEMPLATE.format(model="CollectionFacts")}
COLLECTIONS = {
    "type": "object",
    "required": ["collections"],
    "properties": {"collections": {"type": "array", "items": COLLECTION}},
}
SCHEMAS = {
    "type": "object",
    "required": ["options", "scene"],
    "properties": {"options": ANY_OBJECT, "scene": ANY_OBJECT, "groups": ANY_OBJECT},
}
CHECKED = {
    "type": "object",
    "required": ["problems"],
    "properties": {
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "text"],
                "properties": {
                    name: {"type": ["string", "null"]} for name in ("code", "locator", "text", "item_id")
                },
            },
        }
    },
}
PAGE = list_of("products", CatalogueItem, cursor={"type": ["string", "null"]})
HISTORY = list_of("history", StatusChange, **list_of("attempts", Attempt)["properties"])

_NOTICE: dict[str, Any] = {
    "type": "object",
    "required": ["notice_id", "kind", "address"],
    "properties": {
        "notice_id": {"type": "integer"},
        "kind": TEXT,
        "address": TEXT,
        "about": TEXT,
        "attempts": {"type": "integer"},
        "due": _TIME,
    },
}
_SENDING = {
    "type": "object",
    "required": ["notice_id", "kind", "address", "at", "attempt", "outcome", "is_last"],
    "properties": {
        **{name: each for name, each in _NOTICE["properties"].items() if name not in ("attempts", "due")},
        "order_id": TEXT,
        "at": _TIME,
        "attempt": {"type": "integer"},
        "outcome": TEXT,
        "is_last": {"type": "boolean"},
    },
}
NOTICES = {
    "type": "object",
    "required": ["waiting", "sendings"],
    "properties": {
        "waiting": {"type": "array", "items": _NOTICE},
        "sendings": {"type": "array", "items": _SENDING},
    },
}
NEW_NOTIFICATION = {
    "type": "object",
    "properties": {
        "email": {"type": ["string", "null"], "description": "name@host, told by mail."},
        "webhook": {
            "type": ["string", "null"],
            "description": "http(s) URL that signed JSON is POSTed to (Standard Webhooks 1.0.0).",
        },
        "on": {
            "type": "array",
            "minItems": 1,
            "items": {"enum": [*Event]},
            "default": [Event.COMPLETED, Event.FAILED],
        },
        "digest": {
            "enum": [*Digest],
            "default": Digest.IMMEDIATE,
            "description": "daily and weekly gather: told at 08:00 UTC, weekly ones on Mondays. Of both, the "
            "mail is gathered and the webhook told at once.",
        },
    },
}
_NOTIFICATION = {
    "type": "object",
    "required": ["notification_id", "channel", "address", "on", "digest", "created"],
    "properties": {
        "notification_id": TEXT,
        "channel": {"enum": [*Channel]},
        "address": TEXT,
        "on": {"type": "array", "items": {"enum": [*Event]}},
        "digest": {"enum": [*Digest]},
        "created": _TIME,
        "secret": {**TEXT, "description": "Of a webhook, when it is made: what messages are signed with."},
    },
}
NOTIFICATIONS = {
    "type": "object",
    "required": ["notifications"],
    "properties": {"notifications": {"type": "array", "items": _NOTIFICATION}},
}

_BALANCE = {
    "type": "object",
    "required": ["owner", "currency", "value"],
    "properties": {"owner": TEXT, "currency": TEXT, "value": {"type": "number"}},
}
_CHARGE = {
    "type": "object",
    "required": ["number", "amount", "currency", "is_given_back"],
    "properties": {
        "number": {"type": "integer"},
        "amount": {"type": "number"},
        "currency": TEXT,
        "is_given_back": {"type": "boolean"},
    },
}
CHARGES = {
    "type": "object",
    "required": ["charges"],
    "properties": {"charges": {"type": "array", "items": _CHARGE}},
}
BALANCES = {
    "type": "object",
    "required": ["balances"],
    "properties": {"balances": {"type": "array", "items": _BALANCE}},
}

ANNOUNCEMENT = {
    "type": "object",
    "required": ["identifiers"],
    "properties": {"identifiers": {"type": "array", "minItems": 1, "maxItems": 1000, "items": TEXT}},
}
REJECTION = {
    "type": "object",
    "required": ["reason"],
    "properties": {
        "reason": {**TEXT, "minLength": 1, "maxLength": REASON_MOST, "description": "What its user reads."}
    },
}
RETRY = {
    "type": "object",
    "properties": {
        "item_ids": {
            "type": ["array", "null"],
            "minItems": 1,
            "maxItems": 10_000,
            "items": TEXT,
            "description": "By itemId, whatever they failed of; null for all that failed and may be helped.",
        }
    },
}
NEW_SHARE = {
    "type": "object",
    "required": ["until"],
    "properties": {
        "until": {**_TIME, "description": "Until when, UTC; at most a year ahead."},
        "grantee": {"type": ["string", "null"], "description": "Owner name of a reader; null for a link."},
    },
}
SHARED = {
    "type": "object",
    "required": ["order_id", "share_id", "created", "until"],
    "properties": {
        "order_id": TEXT,
        "share_id": TEXT,
        "grantee": TEXT,
        "created": _TIME,
        "until": _TIME,
        "url": {**TEXT, "description": "Of a link: its page; the secret in it is not kept."},
    },
}
SHARES = {
    "type": "object",
    "required": ["shares"],
    "properties": {"shares": {"type": "array", "items": SHARED}},
}
ORDERED = {"type": "object", "required": ["ordered"], "properties": {"ordered": {"type": "integer"}}}

PROBLEM = {
    "type": "object",
    "description": "RFC 9457, with OSEO's exception code and everything that was wrong.",
    "required": ["type", "title", "status", "detail", "code", "problems"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "code": {**TEXT, "description": "OWS or OSEO exception code."},
        "locator": {"type": ["string", "null"]},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "text"],
                "properties": {
                    "code": TEXT,
                    "locator": {"type": ["string", "null"]},
                    "text": TEXT,
                    "item_id": {"type": ["string", "null"]},
                },
            },
        },
        "kind": {**TEXT, "description": "Name of the exception class in Python."},
        "hint": {**TEXT, "description": "What to do next."},
        "facts": {"type": "object", "description": "What is known beyond the text, by name."},
        "request_id": {**TEXT, "description": "To quote when asking for help."},
    },
}


PARAMETERS: dict[str, dict[str, Any]] = {
    "quotation": {"in": "path", "schema": TEXT, "description": "UUID of the quotation."},
    "waiting": {
        "in": "query",
        "schema": {"type": "boolean"},
        "description": "For operators: those that a person answers.",
    },
    "owner": {"in": "query", "schema": TEXT, "description": "For operators: whose."},
    "account": {"in": "path", "schema": TEXT, "description": "The owner, percent-encoded."},
    "currency": {"in": "path", "schema": TEXT, "description": "ISO 4217 code, or a quota unit."},
    "collection_id": {"in": "path", "schema": TEXT, "description": "collectionId, percent-encoded."},
    "identifier": {"in": "path", "schema": TEXT, "description": "Of the product, percent-encoded."},
    "order_id": {"in": "path", "schema": TEXT, "description": "The order's UUID or urn:uuid: id."},
    "notification_id": {"in": "path", "schema": TEXT, "description": "The notification's UUID."},
    "notice_id": {"in": "path", "schema": {"type": "integer"}, "description": "Of a line of the log."},
    "share_id": {"in": "path", "schema": TEXT, "description": "The share's UUID."},
    "name": {"in": "query", "schema": TEXT, "description": "Of the order; a pattern with * and ?."},
    "collection": {"in": "query", "schema": TEXT, "description": "collectionId that is ordered from."},
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
    "reference": {"in": "query", "schema": TEXT, "description": "orderReference."},
    "last_update": {"in": "query", "schema": _TIME, "description": "Changed at or after, UTC."},
    "last_update_end": {"in": "query", "schema": _TIME, "description": "Changed at or before, UTC."},
    "bbox": {"in": "query", "schema": TEXT, "description": "west,south,east,north; EPSG:4326, degrees."},
    "datetime": {"in": "query", "schema": TEXT, "description": "start/end, either may be empty or '..'."},
    "text": {"in": "query", "schema": TEXT, "description": "Words of identifier, title, text or keywords."},
    "ids": {"in": "query", "schema": TEXT, "description": "Identifiers, separated by commas."},
    "cursor": {"in": "query", "schema": TEXT, "description": "Where the last answer ended."},
    "filters": {
        "in": "query",
        "schema": {"type": "object", "additionalProperties": TEXT},
        "style": "form",
        "explode": True,
        "description": "Property filters, such as cloud_cover.lt=20; suffixes: lt, lte, gt, gte, eq.",
    },
    "Idempotency-Key": {
        "in": "header",
        "schema": TEXT,
        "description": "Message id: the same Submit sent again gets the first acknowledgement.",
    },
    "Last-Event-ID": {"in": "header", "schema": TEXT, "description": "Id of the last event seen."},
}
