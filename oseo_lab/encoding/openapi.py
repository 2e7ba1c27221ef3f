"""The OpenAPI 3.1 document of the JSON API, computed from the model's own schemas.

The rows of `oseo_lab.encoding.openapi_paths` say what goes in and what comes out; the schemas are those
`json_form` reads and writes by, so the document cannot promise what the service does not do.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from oseo_lab.encoding.openapi_paths import ROWS, Row
from oseo_lab.encoding.openapi_schemas import PARAMETERS, PROBLEM, TEMPLATE
from oseo_lab.model.collection import Collection
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.order import Attempt, OrderItem, StatusChange
from oseo_lab.model.view import OrderSummary

__all__ = ["openapi"]

_PROBLEM_TYPE = "application/problem+json"

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

_CHECKS = {
    "checks_values": {
        "type": "boolean",
        "description": "Whether allowed values are looked at once more when they are ordered (check).",
    }
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
                    "content": {_PROBLEM_TYPE: {"schema": {"$ref": TEMPLATE.format(model="Problem")}}},
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

    shown = [each for row in ROWS for each in (row.body, row.answer) if isinstance(each, type)]
    listed = (*shown, OrderSummary, CatalogueItem, OrderItem, StatusChange, Attempt, Collection)
    tops, schemas = definitions_of({cls.__name__: cls for cls in listed}, TEMPLATE)
    for name, top in tops.items():
        schemas.setdefault(name, top)
    facts = schemas.pop("Collection")
    schemas.pop("TaskingRule")
    schemas["CollectionFacts"] = {
        "type": "object",
        "description": facts["description"],
        "required": ["id"],
        "properties": {name: facts["properties"][name] for name in _FACTS} | _CHECKS,
    }
    paths: dict[str, Any] = {}
    for row in ROWS:
        paths.setdefault(row.path, {})[row.method] = _operation(row)
    return paths, {**schemas, "Problem": PROBLEM}


def _schema(shape: Any) -> dict[str, Any]:
    return {"$ref": TEMPLATE.format(model=shape.__name__)} if isinstance(shape, type) else shape


def _operation(row: Row) -> dict[str, Any]:
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
    parameter = {"name": name, **PARAMETERS[name]}
    return parameter | ({"required": True} if parameter["in"] == "path" else {})
