"""Options: what can be chosen (definitions), what was chosen (selections), and whether they agree.

Every component of SWE Common 2.0 is offered here (`components`, `ranges`, `compounds`), and what an option
and a selection are (`definitions`). A selection in TextEncoding gets its names here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from oseo_lab.model.arrays import DataArray, Matrix
from oseo_lab.model.components import Component, Fault
from oseo_lab.model.compounds import DataChoice, DataRecord, Field, Vector
from oseo_lab.model.definitions import Encoding, OptionDefinition, ParameterData, Value, Values
from oseo_lab.model.errors import Problem
from oseo_lab.model.ranges import CategoryRange, CountRange, QuantityRange, TimeRange
from oseo_lab.model.scalars import PATTERN_LENGTH, Boolean, Category, Count, Quantity, Text, Time
from oseo_lab.model.text_encoding import TextFault, TextSeparators
from oseo_lab.model.text_selections import (
    Offered,
    by_name,
    decoded,
    encoded_as_text,
    listed,
    separators_of,
)

__all__ = [
    "ENCODINGS",
    "PATTERN_LENGTH",
    "Boolean",
    "Category",
    "CategoryRange",
    "Component",
    "Count",
    "CountRange",
    "DataArray",
    "DataChoice",
    "DataRecord",
    "Encoding",
    "Fault",
    "Field",
    "Matrix",
    "OptionDefinition",
    "ParameterData",
    "Quantity",
    "QuantityRange",
    "Text",
    "TextFault",
    "TextSeparators",
    "Time",
    "TimeRange",
    "Value",
    "Values",
    "Vector",
    "check_selections",
    "decoded",
    "encoded_as_text",
    "selected",
    "separators_of",
    "travelling_values",
]

#: Encodings of selections that are read and checked.
ENCODINGS: tuple[Encoding, ...] = (Encoding.XML, Encoding.TEXT)
# ------------------------------------------------------------------------------------------------- reading


def travelling_values(
    offered: Offered,
    selections: Iterable[ParameterData],
    wrong: Callable[[TextFault], None] | None = None,
) -> dict[str, Any]:
    """Return one level's travelling values by option name, whatever their encoding.

    A name that repeats becomes one list of children; an array's elements may stand by themselves, under the
    element type's name.

    Parameters
    ----------
    offered : iterable of OptionDefinition, or mapping
        What is offered, in order.
    selections : iterable of ParameterData
        What was chosen at this level.
    wrong : callable or None
        Is told of tokens that do not fit, which are then left out; without it `TextFault` is raised.
    """
    given: dict[str, list[Any]] = {}
    for selection in selections:
        values = selection.values
        if selection.encoding is Encoding.TEXT:
            try:
                values = decoded(offered, selection.text or "")
            except TextFault as fault:
                if wrong is None:
                    raise
                wrong(fault)
                continue
        for name, value in values:
            given.setdefault(name, []).append(value)
    return _with_bare_elements(offered, given)


def _with_bare_elements(offered: Offered, given: dict[str, list[Any]]) -> dict[str, Any]:
    found = {
        name: values[0] if len(values) == 1 else tuple((name, value) for value in values)
        for name, values in given.items()
    }
    known = offered if isinstance(offered, Mapping) else by_name(offered)
    for name in [each for each in found if each not in known]:
        owners = [
            each.name
            for each in listed(offered)
            if isinstance(each.component, DataArray) and each.component.element.name == name
        ]
        if len(owners) == 1 and owners[0] not in found:
            found[owners[0]] = tuple((name, value) for value in given[name])
            del found[name]
    return found


def _parsed(alternatives: Sequence[OptionDefinition], value: Any) -> Any:
    """Return the Python value by the first of several definitions that takes it."""
    for each in alternatives[:-1]:
        try:
            return each.component.parse(value)
        except ValueError:
            continue
    return alternatives[-1].component.parse(value)


def _level(definitions: Sequence[OptionDefinition], selections: Iterable[ParameterData]) -> dict[str, Any]:
    """Return one level's travelling values; of two selections the later one, but arrays by element add up."""
    adding = {
        each.name
        for each in definitions
        if isinstance(each.component, DataArray) and each.component.element.name == each.name
    }
    given: dict[str, Any] = {}
    for selection in selections:
        for name, value in travelling_values(definitions, [selection]).items():
            if name in adding and name in given:
                value = (*_elements(name, given[name]), *_elements(name, value))
            given[name] = value
    return given


def _elements(name: str, value: Any) -> tuple[tuple[str, Any], ...]:
    is_list = isinstance(value, tuple) and {each for each, _ in value} == {name}
    return value if is_list else ((name, value),)


def selected(
    offered: Offered, selections: Iterable[ParameterData], of_item: Iterable[ParameterData] = ()
) -> dict[str, Any]:
    """Return the Python value of every option: chosen, else preset; unset optional ones are left out.

    The selections must have been checked (`check_selections`).

    Parameters
    ----------
    offered : iterable of OptionDefinition, or mapping
        What is offered, in order.
    selections : iterable of ParameterData
        What was chosen, for the order.
    of_item : iterable of ParameterData
        What was chosen for the item; it overrides the order's.
    """
    definitions = listed(offered)
    given = _level(definitions, selections) | _level(definitions, of_item)
    chosen = {}
    for name, alternatives in by_name(definitions).items():
        if name in given:
            value = _parsed(alternatives, given[name])
        else:
            value = next((preset for each in alternatives if (preset := each.default) is not None), None)
        if value is not None:
            chosen[name] = value
    return chosen


# ------------------------------------------------------------------------------------------------ checking


def check_selections(
    definitions: Offered,
    selections: Iterable[ParameterData],
    *,
    item_id: str | None = None,
    inherited: Iterable[str] = (),
    check_missing: bool = True,
    elsewhere: Iterable[str] = (),
) -> Iterator[Problem]:
    """Yield everything wrong with selections: unknown options, bad values, missing ones.

    Parameters
    ----------
    definitions : iterable of OptionDefinition, or mapping
        What is offered, in order.
    selections : iterable of ParameterData
        What was chosen at this level.
    item_id : str or None
        The item concerned; None at order level.
    inherited : iterable of str
        Names already chosen at order level.
    check_missing : bool
        Whether required options must be present (06-141r6 Table 7-18; at item level only).
    elsewhere : iterable of str
        Names of options that may be chosen at the other level only.
    """
    offered = listed(definitions)
    named = by_name(offered)
    faults: list[TextFault] = []
    given = travelling_values(offered, selections, faults.append)
    for fault in faults:
        said = f"{fault.path}: {fault}"
        yield Problem(code="InvalidParameterValue", locator=fault.path, text=said, item_id=item_id)
    other_level = frozenset(elsewhere)
    for name, value in given.items():
        if name in other_level:
            level = "order" if item_id is not None or check_missing else "item"
            text = f"option {name!r} is chosen for the {level} only"
            yield Problem(code="InvalidParameterValue", locator=name, text=text, item_id=item_id)
        elif name in named:
            yield from _check_one(named[name], value, item_id)
        else:
            yield _unknown(name, [each for each in named if each not in other_level], item_id)
    if check_missing and not faults:
        present = {*given, *inherited}
        for name, alternatives in named.items():
            if name not in present and all(each.required for each in alternatives):
                said = f"option {name!r} is required; allowed: {alternatives[0].component.allowed_text}"
                yield Problem(code="MissingParameterValue", locator=name, text=said, item_id=item_id)


def _check_one(alternatives: Sequence[OptionDefinition], value: Any, item_id: str | None) -> list[Problem]:
    problems: list[Problem] = []
    for each in alternatives:
        problems = [*each.check(value)]
        if not problems:
            break
    return [replace(each, item_id=item_id) for each in problems]


def _unknown(name: str, known: Iterable[str], item_id: str | None) -> Problem:
    return Problem(
        code="InvalidParameterValue",
        locator=name,
        text=f"there is no option {name!r}; options: {', '.join(known) or 'none'}",
        item_id=item_id,
    )
