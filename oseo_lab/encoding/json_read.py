"""JSON into the model: bytes, then plain values, then instances, with everything wrong said at once.

pydantic checks (`json_types`); what it finds is said here in this project's words: where it stands, what
is wrong, what is allowed. Collection files are read by the same means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from oseo_lab.encoding.json_values import nearest
from oseo_lab.model.errors import BadMessage, Problem, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["from_plain", "load"]

T = TypeVar("T")

#: Most problems said of one message; more would help nobody.
MOST_PROBLEMS = 200


def load(body: bytes) -> Any:
    """Read JSON bytes; raises `BadMessage` if they are none (RFC 8259: UTF-8, no NaN)."""
    from pydantic_core import from_json

    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as wrong:
        raise BadMessage(f"the body is not JSON: {str(wrong)[:200]}; send one JSON object in UTF-8") from None


def from_plain(cls: type[T], plain: Any) -> T:
    """Make an instance of a model class (or of ``tuple[cls, ...]``) from what `json` reads.

    Raises
    ------
    ValidationError
        With everything that is wrong; locators are paths such as ``specification.items[0].item_id``.
    """
    from pydantic import ValidationError as Invalid

    from oseo_lab.encoding.json_types import adapter

    try:
        made: T = adapter(cls).validate_python(plain)
    except Invalid as invalid:
        raise ValidationError.of(_problems(cls, plain, invalid.errors(include_url=False))) from None
    return made


def _problems(cls: Any, plain: Any, details: list[ErrorDetails]) -> list[Problem]:
    found = [_problem(cls, plain, detail) for detail in details[:MOST_PROBLEMS]]
    if len(details) > MOST_PROBLEMS:
        rest = f"and {len(details) - MOST_PROBLEMS} more problems; correct these first"
        found.append(Problem(code="InvalidParameterValue", locator=None, text=rest))
    return found


#: What to say for pydantic's kinds of error; the others say it themselves.
_TEXTS = {
    "missing": "is missing",
    "string_type": "must be text",
    "string_pattern_mismatch": "holds control characters; only what XML can carry is allowed",
    "string_too_short": "is too short; allowed: at least {min_length} characters",
    "string_too_long": "is too long; allowed: at most {max_length} characters",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than_equal": "is too small; allowed: at least {ge}",
    "greater_than": "is too small; allowed: above {gt}",
    "less_than_equal": "is too large; allowed: at most {le}",
    "dataclass_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "enum": "{got} is not allowed; allowed: {expected}",
    "literal_error": "{got} is not allowed; allowed: {expected}",
    "union_tag_invalid": "kind {tag!r} is not known; allowed: {expected_tags}",
    "too_long": "has too many parts; allowed: at most {max_length}",
    "too_short": "has too few parts; allowed: at least {min_length}",
    "value_error": "{error}",
}


def _problem(cls: Any, plain: Any, detail: ErrorDetails) -> Problem:
    path, owner, item_id = _follow(cls, plain, detail["loc"])
    where = _written(path) or "the message"
    kind = detail["type"]
    code = "MissingParameterValue" if kind in ("missing", "none_given") else "InvalidParameterValue"
    if kind == "unexpected_keyword_argument":
        text = _unknown(owner, str(detail["loc"][-1]))
    elif kind == "union_tag_not_found":
        text = _tagless(owner)
    else:
        context = {"got": repr(detail["input"])[:100], **detail.get("ctx", {})}
        text = _TEXTS[kind].format(**context) if kind in _TEXTS else detail["msg"]
    return Problem(code=code, locator=_written(path) or None, text=f"{where}: {text}", item_id=item_id)


def _written(path: list[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in path)
    return text.removeprefix(".")


def _unknown(owner: Any, name: str) -> str:
    known = _keys(owner)
    return f"is not known here; allowed: {', '.join(known)}{nearest(name, known)}"


def _tagless(owner: Any) -> str:
    from oseo_lab.encoding.json_types import IDENTIFIER_KEYS, children

    classes = children(owner)
    if classes == IDENTIFIER_KEYS:
        return f"must be an object with one of {', '.join(classes)}"
    return f"must be an object with a kind, one of {', '.join(classes)}"


def _keys(cls: Any) -> list[str]:
    from oseo_lab.encoding.json_types import hints

    return list(hints(cls)) if is_dataclass(cls) and isinstance(cls, type) else []


def _follow(cls: Any, plain: Any, loc: tuple[int | str, ...]) -> tuple[list[str | int], Any, str | None]:
    """Walk an error's location; return its path without tags, the class that it is about, and the itemId."""
    from oseo_lab.encoding.json_types import children

    path: list[str | int] = []
    here, owner, item_id = cls, cls, None
    for part in loc:
        owner = here
        tags = children(here)
        if isinstance(part, str) and len(tags) > 1 and part in tags:
            here = tags[part]
            owner = here
            continue
        path.append(part)
        here = _below(here, part)
        plain = _inside(plain, part)
        if isinstance(plain, Mapping) and isinstance(plain.get("item_id"), str):
            item_id = plain["item_id"][:80]
    return path, here if len(children(here)) > 1 else owner, item_id


def _below(annotation: Any, part: str | int) -> Any:
    from oseo_lab.encoding.json_types import children, hints

    if isinstance(part, int):
        arguments = next(
            (get_args(each) for each in (annotation, *get_args(annotation)) if get_origin(each) is tuple), ()
        )
        return arguments[0] if arguments else Any
    for cls in children(annotation).values():
        return hints(cls).get(part, Any)
    return Any


def _inside(plain: Any, part: str | int) -> Any:
    try:
        return plain[part]
    except (KeyError, IndexError, TypeError):
        return None
