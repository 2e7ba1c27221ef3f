"""Options: what can be chosen (definitions), what was chosen (selections), and whether they agree.

An `OptionDefinition` is a name and one SWE Common 2.0 component; there is one class per component
kind (`components`, `compounds`), all offered here. A selection is `ParameterData`: the values as they
travel, matched by local name (OGC 06-141r6 7.3.9, Table 7-18). Nothing here knows XML or JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from oseo_lab.model.components import (
    PATTERN_LENGTH,
    Boolean,
    Category,
    CategoryRange,
    Component,
    Count,
    CountRange,
    Quantity,
    QuantityRange,
    Text,
    Time,
    TimeRange,
)
from oseo_lab.model.compounds import (
    DataArray,
    DataChoice,
    DataRecord,
    Field,
    Matrix,
    TextSeparators,
    Vector,
)
from oseo_lab.model.errors import Problem

__all__ = [
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
    "Field",
    "Matrix",
    "OptionDefinition",
    "ParameterData",
    "Quantity",
    "QuantityRange",
    "Text",
    "TextSeparators",
    "Time",
    "TimeRange",
    "Value",
    "Values",
    "Vector",
    "check_selections",
    "selected",
]

#: A value as it travels: text (str), or named children in document order (`Values`).
Value = Any
#: Named values in document order; a name may repeat (arrays).
Values = tuple[tuple[str, Any], ...]


class Encoding(StrEnum):
    """``SWEEncoding`` of the schema."""

    XML = "XMLEncoding"
    TEXT = "TextEncoding"


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterData:
    """Selected values of one or several options (``ParameterDataType``).

    Parameters
    ----------
    encoding : Encoding
        How the values travel.
    values : Values
        Under XMLEncoding: name and value of each option, in document order.
    text : str or None
        Under TextEncoding: the block of tokens as it came.
    """

    encoding: Encoding = Encoding.XML
    values: Values = ()
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class OptionDefinition:
    """One declared choice: a name, the component that constrains it, and where it belongs.

    Parameters
    ----------
    name : str
        The option's name on the wire and in Python.
    component : Component
        What may be chosen.
    grouping : str or None
        ``grouping`` of 06-141r6, at most 40 characters, such as ``Processing Option``.
    restrictions : tuple of Component
        ``sceneRestriction`` of a scene selection parameter.
    """

    name: str
    component: Component
    grouping: str | None = None
    restrictions: tuple[Component, ...] = ()

    @property
    def default(self) -> Any:
        """The preset value, parsed, or None."""
        return self.component.default

    @property
    def required(self) -> bool:
        """Whether a selection must name it: not optional, and nothing preset."""
        return not self.component.optional and self.component.default is None

    def narrowed(
        self,
        allowed: Sequence[str] | None = None,
        value: str | Sequence[str] | None = None,
        intervals: Sequence[tuple[str, str]] = (),
    ) -> OptionDefinition:
        """Return the definition with fewer allowed values or another preset one, as an operator declares.

        Raises
        ------
        ValueError
            If a value is not allowed by the definition itself, or the preset value is not among those
            that remain.
        """
        component = self.component
        if allowed is not None or intervals:
            component = component.narrowed(allowed or (), intervals)
        if value is not None:
            component = component.with_preset(value)
        try:
            component.default  # noqa: B018 - parsed here, so that it is never found wrong in an order
        except ValueError as wrong:
            raise ValueError(f"the preset value is no longer allowed, name another: {wrong}") from None
        return replace(self, component=component)

    def check(self, value: Any, *, item_id: str | None = None) -> Iterator[Problem]:
        """Yield what is wrong with a travelling value of this option."""
        try:
            self.component.parse(value)
        except ValueError as wrong:
            yield Problem(
                code="InvalidParameterValue", locator=self.name, text=f"{self.name}: {wrong}", item_id=item_id
            )


def _given(selections: Iterable[ParameterData]) -> dict[str, Any]:
    """Collect travelling values by option name; an array's repeated name becomes one list of children."""
    given: dict[str, list[Any]] = {}
    for selection in selections:
        for name, value in selection.values:
            given.setdefault(name, []).append(value)
    return {
        name: values[0] if len(values) == 1 else tuple((name, value) for value in values)
        for name, values in given.items()
    }


def selected(definitions: Iterable[OptionDefinition], selections: Iterable[ParameterData]) -> dict[str, Any]:
    """Return the Python value of every option: chosen, else preset; unset optional ones are left out.

    The selections must have been checked (`check_selections`); later ones override earlier ones, so pass
    an order's before its item's.
    """
    given: dict[str, Any] = {}
    for selection in selections:
        given.update(_given([selection]))
    chosen = {}
    for definition in definitions:
        if definition.name in given:
            chosen[definition.name] = definition.component.parse(given[definition.name])
        elif (preset := definition.default) is not None:
            chosen[definition.name] = preset
    return chosen


def check_selections(
    definitions: Mapping[str, OptionDefinition],
    selections: Iterable[ParameterData],
    *,
    item_id: str | None = None,
    inherited: Iterable[str] = (),
    check_missing: bool = True,
) -> Iterator[Problem]:
    """Yield everything wrong with selections: unknown options, bad values, missing ones.

    Parameters
    ----------
    definitions : mapping of str to OptionDefinition
        What is offered, by name.
    selections : iterable of ParameterData
        What was chosen at this level.
    item_id : str or None
        The item concerned; None at order level.
    inherited : iterable of str
        Names already chosen at order level.
    check_missing : bool
        Whether required options must be present (06-141r6 Table 7-18; at item level only).
    """
    selections = tuple(selections)
    for selection in selections:
        if selection.encoding is Encoding.TEXT:
            yield Problem(
                code="InvalidParameterValue",
                locator="encoding",
                text="TextEncoding is not supported here; use XMLEncoding",
                item_id=item_id,
            )
    given = _given(selections)
    for name, value in given.items():
        definition = definitions.get(name)
        if definition is None:
            yield Problem(
                code="InvalidParameterValue",
                locator=name,
                text=f"there is no option {name!r}; options: {', '.join(definitions) or 'none'}",
                item_id=item_id,
            )
        else:
            yield from definition.check(value, item_id=item_id)
    if check_missing:
        present = {*given, *inherited}
        for name, definition in definitions.items():
            if definition.required and name not in present:
                yield Problem(
                    code="MissingParameterValue",
                    locator=name,
                    text=f"option {name!r} is required; allowed: {definition.component.allowed_text}",
                    item_id=item_id,
                )
