"""Hypothesis strategies of the model's messages, made from their annotations."""

from __future__ import annotations

import dataclasses
import sys
import types
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from oseo_lab.encoding.json_types import LENGTHS, ONE_OF, UNWRITTEN
from oseo_lab.model import messages, options
from oseo_lab.model.delivery import Secret

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from component_strategies import components, names, words

#: Text that XML can carry.
text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
)

MESSAGES: list[type] = [
    found
    for name in messages.__all__
    if isinstance(found := getattr(messages, name), type) and dataclasses.is_dataclass(found)
]


def _gathered(pairs: list[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Bring repeated names together: interleaved ones are no value of any component."""
    order = list(dict.fromkeys(name for name, _ in pairs))
    return tuple(sorted(pairs, key=lambda pair: order.index(pair[0])))


_values = st.recursive(
    words,
    lambda inner: st.lists(st.tuples(names, inner), max_size=3).map(_gathered),
    max_leaves=6,
)


selections = st.builds(
    options.ParameterData,
    encoding=st.sampled_from(options.Encoding),
    values=st.lists(st.tuples(names, _values), max_size=4).map(tuple),
    text=st.none() | text,
)

_LEAVES: dict[Any, Any] = {
    str: text,
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)),
    Secret: st.builds(Secret, text),
    options.Component: components,
    options.ParameterData: selections,
    Any: st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=5,
    ),
}


def instances(annotation: Any, length: tuple[int, int] | None = None) -> Any:
    """Instances of an annotation: a class of the model, or what its fields are made of."""
    if annotation is str and length:
        return text.map(lambda found: (found or "x" * length[0])[: length[1]])
    if annotation in _LEAVES:
        return _LEAVES[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return st.one_of([st.none() if each is type(None) else instances(each, length) for each in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(instances(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*[instances(each) for each in arguments])
    if origin is not None:
        return st.dictionaries(text, instances(arguments[1]), max_size=3)
    if issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    return _built(annotation)


@st.composite
def _built(draw: Any, cls: Any) -> Any:
    hints = get_type_hints(cls)
    hidden = UNWRITTEN.get(cls, frozenset())
    parts = ONE_OF.get(cls, ())
    chosen = draw(st.sampled_from(parts)) if parts else None
    given: dict[str, Any] = {}
    for each in dataclasses.fields(cls):
        if each.name in hidden or (each.name in parts and each.name != chosen):
            continue
        value = instances(hints[each.name], LENGTHS.get((cls, each.name)))
        given[each.name] = draw(value.filter(lambda v: v not in (None, ())) if each.name == chosen else value)
    return cls(**given)
