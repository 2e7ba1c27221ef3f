"""Dataclasses of the model as small JSON texts and back: what has no column of its own.

A field that has its default is left out; of a union of dataclasses the class is named. Made from the
annotations of the model, once per class, so that a new field of the model needs nothing here.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = ["dump", "load"]

T = TypeVar("T")
_Convert = Callable[[Any], Any]


def dump(value: Any) -> str:
    """Return a dataclass as compact JSON of its fields that are not default."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def load(cls: type[T], text: str) -> T:
    """Return the dataclass that `dump` made the text from."""
    return _made(cls, json.loads(text))  # type: ignore[no-any-return]


def _plain(value: Any) -> dict[str, Any]:
    return {
        name: out(content)
        for name, default, out, _ in _plan(type(value))  # type: ignore[arg-type]
        if (content := getattr(value, name)) != default
    }


def _made(cls: type, plain: dict[str, Any]) -> Any:
    return cls(**{name: into(plain[name]) for name, _, _, into in _plan(cls) if name in plain})


@cache
def _plan(cls: type[Any]) -> list[tuple[str, Any, _Convert, _Convert]]:
    """Return name, default, writer and reader of each field."""
    hints = get_type_hints(cls)
    return [(each.name, _default(each), *_converters(hints[each.name])) for each in fields(cls)]


def _default(each: Field[Any]) -> Any:
    if each.default_factory is not MISSING:
        return each.default_factory()
    return each.default


def _converters(hint: Any) -> tuple[_Convert, _Convert]:
    """Return how a value of this annotation becomes JSON and how it comes back."""
    if get_origin(hint) in (Union, types.UnionType):
        return _union(get_args(hint))
    if get_origin(hint) is tuple and get_args(hint)[-1] is Ellipsis:
        out, into = _converters(get_args(hint)[0])
        return lambda many: [out(each) for each in many], lambda many: tuple(into(each) for each in many)
    if is_dataclass(hint):
        return _plain, lambda plain: _made(hint, plain)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda member: member.value, hint
    if hint is datetime:
        return datetime.isoformat, datetime.fromisoformat
    return _same, _tuples


def _union(hints: tuple[Any, ...]) -> tuple[_Convert, _Convert]:
    kinds = [each for each in hints if each is not type(None)]
    if len(kinds) == 1:
        out, into = _converters(kinds[0])
        return (
            lambda value: None if value is None else out(value),
            lambda plain: None if plain is None else into(plain),
        )
    named = {each.__name__: each for each in kinds}
    return (
        lambda value: None if value is None else [type(value).__name__, _plain(value)],
        lambda plain: None if plain is None else _made(named[plain[0]], plain[1]),
    )


def _same(value: Any) -> Any:
    return value


def _tuples(plain: Any) -> Any:
    """Turn JSON's lists into the model's tuples, however deep."""
    return tuple(_tuples(each) for each in plain) if isinstance(plain, list) else plain
