"""Selected option values as JSON and back, and Python values into a selection.

``ParameterData.values`` is a JSON object by option name; a name that repeats holds a list, named parts
are an object. Where repeated names interleave, the order is kept by a list of objects instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any

from oseo_lab.model.errors import Problem, ValidationError
from oseo_lab.model.options import Boolean, Component, OptionDefinition, ParameterData, Values

__all__ = [
    "encode_selection",
    "lexical",
    "nearest",
    "plain_values",
    "python_value",
    "read_values",
    "travelling",
]

#: Deepest nesting of named parts; the deepest option of the standard's samples has four.
MAX_DEPTH = 32


def plain_values(values: Values) -> dict[str, Any] | list[dict[str, Any]]:
    """Return travelling values as JSON: an object, or a list of objects where names interleave."""
    names = [name for name, _ in values]
    runs = [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]
    if len(runs) != len(set(runs)):
        return [{name: _plain_value(value)} for name, value in values]
    return _plain_object(values)


def _plain_object(values: Values) -> dict[str, Any]:
    gathered: dict[str, list[Any]] = {}
    for name, value in values:
        gathered.setdefault(name, []).append(_plain_value(value))
    return {name: found[0] if len(found) == 1 else found for name, found in gathered.items()}


def _plain_value(value: Any) -> Any:
    return _plain_object(value) if isinstance(value, tuple) else str(value)


def read_values(plain: object) -> Values:
    """Return the travelling values of a JSON object (or list of objects).

    Raises
    ------
    ValueError
        If something in it is no value, with where it stands.
    """
    if isinstance(plain, Mapping):
        return _pairs(plain, "values", 0)
    if isinstance(plain, list | tuple) and all(isinstance(each, Mapping) for each in plain):
        return tuple(pair for each in plain for pair in _pairs(each, "values", 0))
    raise ValueError("is not an object of values by option name")


def _pairs(plain: Mapping[Any, Any], where: str, depth: int) -> Values:
    if depth > MAX_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_DEPTH} parts")
    pairs: list[tuple[str, Any]] = []
    for name, value in plain.items():
        if not isinstance(name, str) or not name or not _is_xml(name):
            raise ValueError(f"{where} has a name that is no option name: {str(name)[:100]!r}")
        each = f"{where}.{name[:100]}"
        found = value if isinstance(value, list | tuple) else [value]
        pairs.extend((name, _travelling(one, each, depth)) for one in found)
    return tuple(pairs)


def _travelling(value: Any, where: str, depth: int) -> Any:
    if isinstance(value, Mapping):
        return _pairs(value, where, depth + 1)
    text = lexical(value)
    if text is None:
        raise ValueError(f"{where} is no value: text, number, boolean or an object of named parts is")
    return text


def lexical(value: Any) -> str | None:
    """Return one value of JSON or TOML as it travels; None where it is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int) and abs(value) < 10**30:
        return str(value)
    if isinstance(value, date):
        return value.isoformat().replace("+00:00", "Z")
    return value if isinstance(value, str) and _is_xml(value) else None


def _is_xml(text: str) -> bool:
    """Whether XML 1.0 can carry a text: no control or half characters."""
    return not any(
        (char < " " and char not in "\t\n\r") or "\ud800" <= char <= "\udfff" or char in "\ufffe\uffff"
        for char in text
    )


def travelling(component: Component, value: Any) -> Any:
    """Return the travelling form of a Python value, checked against its component.

    Text is read as it would be typed, so ``"B04 B03"`` is a list where a list is asked for.

    Raises
    ------
    ValueError
        With what is wrong and what is allowed.
    """
    if isinstance(value, str) and not isinstance(component, Boolean):
        return component.render(component.parse(value))
    rendered = component.render(value)
    component.parse(rendered)
    return rendered


def python_value(component: Component, value: Any) -> Any:
    """Return the checked Python value of a Python or textual one; raises ValueError as `travelling`."""
    return component.parse(travelling(component, value))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'COG'?"`` for the nearest known word, or nothing."""
    by_folded = {each.casefold(): each for each in known}
    close = get_close_matches(word.casefold()[:100], list(by_folded), n=1)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else ""


def encode_selection(
    definitions: Iterable[OptionDefinition] | Mapping[str, OptionDefinition], python_values: Mapping[str, Any]
) -> ParameterData:
    """Make a selection of Python values.

    Parameters
    ----------
    definitions : iterable of OptionDefinition
        What is offered.
    python_values : mapping
        Values by option name; None leaves the option at its preset value.

    Raises
    ------
    ValidationError
        If an option is unknown or a value not allowed: all of them at once, each with the nearest
        allowed one.
    """
    listed = definitions.values() if isinstance(definitions, Mapping) else definitions
    by_name = {each.name: each for each in listed}
    problems: list[Problem] = []
    values: list[tuple[str, Any]] = []
    for name, value in python_values.items():
        if value is None:
            continue
        try:
            values.append((name, _one_selected(by_name, name, value)))
        except ValueError as wrong:
            problems.append(Problem(code="InvalidParameterValue", locator=name, text=str(wrong)))
    if problems:
        raise ValidationError.of(problems)
    return ParameterData(values=tuple(values))


def _one_selected(by_name: Mapping[str, OptionDefinition], name: str, value: Any) -> Any:
    if name not in by_name:
        offered = ", ".join(by_name) or "none"
        raise ValueError(f"there is no option {name!r}; options: {offered}{nearest(name, by_name)}")
    component = by_name[name].component
    try:
        return travelling(component, value)
    except ValueError as wrong:
        hint = _hint(component, value)
        raise ValueError(f"{name}: {wrong}{hint}") from None


def _hint(component: Component, value: Any) -> str:
    """Return the nearest allowed word for the first wrong one, where words are listed."""
    inner = getattr(getattr(component, "element", None), "component", component)
    allowed = getattr(inner, "allowed", ())
    words = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    wrong = (word for word in words if isinstance(word, str) and word not in allowed)
    return next((hint for word in wrong if (hint := nearest(word, allowed))), "")
