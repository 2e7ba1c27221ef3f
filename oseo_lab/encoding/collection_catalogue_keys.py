"""What the catalogues of the box read from ``[catalogue]``, for editors: described, not checked here.

Each catalogue checks its own settings, and others have other keys; so these are part of the JSON Schema of
collection files (`collection_toml.collection_schema`) and of nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["CATALOGUE_KEYS"]

_TEXT: Mapping[str, Any] = {"type": "string"}
_TEXTS: Mapping[str, Any] = {"type": "array", "items": _TEXT}

#: JSON Schemas by key; each description begins with the catalogues that know the key.
CATALOGUE_KEYS: Mapping[str, Mapping[str, Any]] = {
    "root": {
        **_TEXT,
        "description": "folder, stac: folder that local files lie below; the catalogue's own if not given.",
    },
    "settle": {
        "type": "number",
        "minimum": 0,
        "default": 0,
        "description": "folder: seconds that a product must have lain unchanged before it is found.",
    },
    "hosts": {
        **_TEXTS,
        "description": "stac, csw: hosts that products may be fetched from, *.example.org for all below; the "
        "server's own if none is named.",
    },
    "schemes": {
        **_TEXTS,
        "description": "stac, csw: URL schemes that products may be fetched by.",
        "default": ["https", "http"],
    },
    "assets": {
        **_TEXTS,
        "description": "stac, csw: names of the assets to take, * for any characters; all if not given.",
    },
    "timeout": {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 30,
        "description": "stac, csw: seconds to wait for a server that says nothing.",
    },
    "restore": {
        "type": "number",
        "exclusiveMinimum": 0,
        "description": "stac: seconds that a product usually takes that must be restored from an archive "
        "first; quotations count it for products that are offline.",
    },
    "collection": {
        **_TEXT,
        "description": "stac: the collection's id at a STAC API; this one's if not given.",
    },
    "schema": {
        "enum": ["iso", "dc"],
        "description": "csw: ISO 19139 or Dublin Core records, ISO if the server offers it; Dublin Core has "
        "no acquisition, so times are compared here, record by record.",
    },
    "parent": {
        **_TEXT,
        "description": "csw: the identifier that the records name as parentIdentifier, or isPartOf.",
    },
    "where": {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean"]},
        "description": "csw: queryable properties of the server and what they must be, such as "
        '{ "apiso:Subject" = "*imagery*" }; * for any characters.',
    },
    "axis_order": {
        "enum": ["lat,lon", "lon,lat"],
        "default": "lat,lon",
        "description": "csw: axis order of areas in filters, for servers that take longitude first.",
    },
    "page": {
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "default": 100,
        "description": "csw: records asked for at a time.",
    },
}
