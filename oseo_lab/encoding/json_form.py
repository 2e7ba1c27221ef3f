"""The messages of the model as JSON, and problem documents: what the JSON door and the client speak.

Keys are the names of the dataclasses' fields. Reading refuses what is not known and says everything
wrong at once; writing leaves out what is None, passwords and card data. Options, collection files and
the OpenAPI document have modules of their own beside this one and are offered here, so that callers need
one import. pydantic is loaded on first use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from oseo_lab.encoding.collection_toml import CollectionFile, collection_schema, complete, read_collection
from oseo_lab.encoding.json_options import option_schema
from oseo_lab.encoding.json_parts import encode_order, encode_status
from oseo_lab.encoding.json_read import from_plain, load
from oseo_lab.encoding.json_values import encode_selection
from oseo_lab.encoding.openapi import openapi
from oseo_lab.model.errors import OseoError, Problem, error_of, kind_named

__all__ = [
    "PROBLEM_TYPE",
    "CollectionFile",
    "collection_schema",
    "complete",
    "decode",
    "encode",
    "encode_order",
    "encode_selection",
    "encode_status",
    "from_plain",
    "openapi",
    "option_schema",
    "problem_document",
    "read_collection",
    "read_error",
    "read_problems",
    "to_plain",
]

T = TypeVar("T")

#: Media type of a problem document (RFC 9457).
PROBLEM_TYPE = "application/problem+json"


# ------------------------------------------------------------------------------------------------ writing


def encode(value: Any) -> bytes:
    """Return a model value, or lists and mappings of them, as JSON bytes (UTF-8)."""
    if is_dataclass(value) and not isinstance(value, type):
        from oseo_lab.encoding.json_types import adapter

        return adapter(type(value)).dump_json(value, exclude_none=True)
    return json.dumps(to_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def to_plain(value: Any) -> Any:
    """Return a model value, or lists and mappings of them, as what `json` can write.

    Passwords and card data are left out, None parts of dataclasses too; instants become UTC text with a
    ``Z``; numbers that JSON cannot write become None.
    """
    from oseo_lab.encoding.json_types import plain

    return plain(value)


# ------------------------------------------------------------------------------------------------ reading


def decode(cls: type[T], body: bytes) -> T:
    """Read JSON bytes as an instance of a model class.

    Raises
    ------
    BadMessage
        If they are no JSON.
    ValidationError
        With everything that is wrong.
    """
    return from_plain(cls, load(body))


# ----------------------------------------------------------------------------------------------- problems


def problem_document(error: OseoError, *, request_id: str | None = None) -> bytes:
    """Return an error as a problem document (RFC 9457), with OSEO's code, locator and every problem.

    Parameters
    ----------
    error : OseoError
        What happened.
    request_id : str or None
        An id the user can quote and the operator find in the log.
    """
    document = {
        "type": "about:blank",
        "title": HTTPStatus(error.http_status).phrase,
        "status": error.http_status,
        "detail": error.text[:4000],
        "code": error.code,
        "locator": error.locator,
        "problems": [
            {"code": each.code, "locator": each.locator, "text": each.text, "item_id": each.item_id}
            for each in error.problems
        ],
        "kind": type(error).__name__,
        "hint": error.hint,
        "facts": to_plain(facts) if (facts := error.facts) else None,
        "request_id": request_id,
    }
    for name in ("hint", "facts", "request_id"):
        if document[name] is None:
            del document[name]
    # Whatever a hostile message made of a text, the answer is JSON: half characters are replaced.
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def read_problems(body: bytes) -> tuple[Problem, ...]:
    """Read the problems of a problem document, ours or anybody's; there is always at least one."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        shown = re.sub(r"\s+", " ", body[:200].decode("utf-8", "replace")).strip() or "nothing"
        return (Problem(code="NoApplicableCode", locator=None, text=f"the server answered: {shown}"),)
    listed = document.get("problems")
    found = (
        [_read_problem(each) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    )
    return tuple(found) or (_read_problem({**document, "text": _said(document)}),)


def read_error(body: bytes, usual: type[OseoError] | None) -> OseoError:
    """Return the error a problem document tells of, with what it knows beyond its text.

    Parameters
    ----------
    body : bytes
        The document, ours or anybody's.
    usual : type or None
        Class of the HTTP status it came with; the document may name a narrower one.
    """
    problems = read_problems(body)
    error = error_of(problems)
    kind = usual or type(error)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = {}
    told = document if isinstance(document, dict) else {}
    named = kind_named(str(told.get("kind")))
    if named is not None and issubclass(named, kind):
        kind = named
    said = told.get("facts")
    facts: dict[str, Any] = said if isinstance(said, dict) else {}
    found = kind(error.text, code=error.code, locator=error.locator, problems=error.problems)
    for name in kind.told:
        if name in facts:
            setattr(found, name, tuple(facts[name]) if isinstance(facts[name], list) else facts[name])
    for name in ("hint", "request_id"):
        if isinstance(told.get(name), str):
            setattr(found, name, told[name])
    return found


def _said(document: Mapping[str, Any]) -> str:
    said = [document.get(key) for key in ("detail", "title", "message")]
    return next((each for each in said if isinstance(each, str) and each), "the server gave no reason")


def _read_problem(plain: Mapping[str, Any]) -> Problem:
    def text(key: str) -> str | None:
        return plain[key] if isinstance(plain.get(key), str) else None

    return Problem(
        code=text("code") or "NoApplicableCode",
        locator=text("locator"),
        text=text("text") or "the server gave no reason",
        item_id=text("item_id"),
    )
