"""Options: what can be chosen (definitions), what was chosen (selections), and whether they agree.

An `OptionDefinition` is a name and one SWE Common 2.0 component; there is one class per component
kind. A selection is `ParameterData`: the values as they travel, matched by local name
(OGC 06-141r6 7.3.9, Table 7-18). `Component.parse` turns a travelling value into a Python value and says
everything wrong with it; `Component.render` is its inverse. Nothing here knows XML or JSON.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from oseo_lab.model.errors import Problem

__all__ = [
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

#: Longest text a pattern is tried on, characters: matching may take a time that grows faster than the text.
PATTERN_LENGTH = 255
#: Lexical forms of XML Schema's integer and double; Python's own readers take more (``1_0``, ``nan``).
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_DOUBLE = re.compile(r"[+-]?([0-9]{1,60}(\.[0-9]{0,60})?|\.[0-9]{1,60})([eE][+-]?[0-9]{1,4})?")

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


@dataclass(frozen=True, kw_only=True, slots=True)
class TextSeparators:
    """``swe:TextEncoding``: what separates tokens and blocks."""

    token: str = ","
    block: str = "\n"
    decimal: str = "."
    collapse_white_spaces: bool = True


@dataclass(frozen=True, kw_only=True)
class Component:
    """What all SWE Common 2.0 data components share (OGC 08-094r1, 8.1).

    Parameters
    ----------
    definition : str or None
        URI of what the component means.
    identifier, label, description : str or None
        For people.
    optional : bool
        Whether the client may leave it out (``swe:optional``; the standard's default is False).
    updatable : bool or None
        ``swe:updatable``, kept as it came.
    """

    kind: ClassVar[str] = "AbstractDataComponent"

    definition: str | None = None
    identifier: str | None = None
    label: str | None = None
    description: str | None = None
    optional: bool = False
    updatable: bool | None = None

    def parse(self, value: Any) -> Any:
        """Return the Python value of a travelling one.

        Raises
        ------
        ValueError
            With one sentence that says what is wrong and what is allowed.
        """
        raise NotImplementedError

    def render(self, value: Any) -> Any:
        """Return the travelling form of a Python value; the inverse of `parse`.

        Raises
        ------
        ValueError
            If the value has another shape than `parse` returns.
        """
        raise NotImplementedError

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        """Return the component with fewer allowed values.

        Raises
        ------
        ValueError
            If a value is not allowed by the component itself, or it has no such list.
        """
        raise ValueError(f"a {self.kind} has no list of allowed values")

    def with_preset(self, value: str | Sequence[str]) -> Component:
        """Return the component with another preset value; raises ValueError if it is not allowed."""
        raise ValueError(f"a {self.kind} has no preset value of its own")

    @property
    def default(self) -> Any:
        """The preset value, parsed; None where there is none (06-141r6 7.3.9.3)."""
        return None

    @property
    def allowed_text(self) -> str:
        """What is allowed, for an error message or a form."""
        return f"a {self.kind}"


def _shown(value: Any) -> str:
    return repr(value)[:100]


def _number_text(number: float) -> str:
    return repr(int(number)) if float(number).is_integer() and abs(number) < 1e15 else repr(number)


@dataclass(frozen=True, kw_only=True)
class _Simple(Component):
    """A component with one lexical value."""

    value: str | None = None

    def parse(self, value: Any) -> Any:
        if isinstance(value, tuple):
            raise ValueError(
                f"one value is expected, not {len(value)} named ones; allowed: {self.allowed_text}"
            )
        return self.parse_text(str(value).strip())

    def parse_text(self, text: str) -> Any:
        raise NotImplementedError

    def render(self, value: Any) -> Any:
        if isinstance(value, Mapping | list | tuple | set):
            raise ValueError(f"one value is expected, not {_shown(value)}; allowed: {self.allowed_text}")
        return str(value)

    def with_preset(self, value: str | Sequence[str]) -> Component:
        if not isinstance(value, str):
            raise ValueError(f"one value is expected, not {len(value)}; allowed: {self.allowed_text}")
        self.parse(value)
        return replace(self, value=value)

    @property
    def default(self) -> Any:
        return None if self.value is None else self.parse_text(self.value.strip())


@dataclass(frozen=True, kw_only=True)
class _Tokens(_Simple):
    """Category and Text: a token, constrained by a list or a pattern (``AllowedTokens``)."""

    allowed: tuple[str, ...] = ()
    pattern: str | None = None

    def parse_text(self, text: str) -> str:
        if not self.allowed and self.pattern is None:
            return text
        if text in self.allowed:
            return text
        if self.pattern is not None and len(text) <= PATTERN_LENGTH and re.fullmatch(self.pattern, text):
            return text
        raise ValueError(f"{text[:100]!r} is not allowed; allowed: {self.allowed_text}")

    @property
    def allowed_text(self) -> str:
        parts = [", ".join(self.allowed)] if self.allowed else []
        if self.pattern is not None:
            parts.append(f"text matching {self.pattern}")
        return " or ".join(parts) or "any text"

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        if intervals:
            raise ValueError(f"a {self.kind} has no intervals")
        return replace(self, allowed=tuple(self.parse(each) for each in allowed), pattern=None)


@dataclass(frozen=True, kw_only=True)
class Category(_Tokens):
    """``swe:Category``: one token of a vocabulary."""

    kind: ClassVar[str] = "Category"
    code_space: str | None = None


@dataclass(frozen=True, kw_only=True)
class Text(_Tokens):
    """``swe:Text``: free text, possibly of a pattern."""

    kind: ClassVar[str] = "Text"


@dataclass(frozen=True, kw_only=True)
class Boolean(_Simple):
    """``swe:Boolean``: true or false."""

    kind: ClassVar[str] = "Boolean"

    def parse_text(self, text: str) -> bool:
        words = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() not in words:
            raise ValueError(f"{text[:100]!r} is not allowed; allowed: true, false")
        return words[text.lower()]

    def render(self, value: Any) -> Any:
        if isinstance(value, str):
            value = self.parse_text(value.strip())
        elif not isinstance(value, bool) and value not in (0, 1):
            raise ValueError(f"{_shown(value)} is not allowed; allowed: true, false")
        return "true" if value else "false"

    @property
    def allowed_text(self) -> str:
        return "true, false"


@dataclass(frozen=True, kw_only=True)
class _Ordered(_Simple):
    """Count, Quantity and Time: values and closed intervals (``AllowedValues``, ``AllowedTimes``)."""

    allowed: tuple[str, ...] = ()
    intervals: tuple[tuple[str, str], ...] = ()
    significant_figures: int | None = None
    unit: ClassVar[str] = ""

    def number(self, text: str) -> Any:
        """Read one lexical value as something that can be compared."""
        raise NotImplementedError

    def parse_text(self, text: str) -> Any:
        number = self.number(text)
        if not self.allowed and not self.intervals:
            return number
        if any(number == self.number(value) for value in self.allowed):
            return number
        if any(self.number(low) <= number <= self.number(high) for low, high in self.intervals):
            return number
        raise ValueError(f"{text[:100]} is not allowed; allowed: {self.allowed_text}")

    @property
    def allowed_text(self) -> str:
        parts = [*self.allowed, *(f"{low} to {high}" for low, high in self.intervals)]
        return (", ".join(parts) or self._any) + self._unit

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        for value in allowed:
            self.parse(value)
        for low, high in intervals:
            self._check_interval(low, high)
        return replace(self, allowed=tuple(allowed), intervals=tuple(intervals))

    def _check_interval(self, low: str, high: str) -> None:
        first, last = self.number(low), self.number(high)
        if first > last:
            raise ValueError(f"the interval runs backwards: {low} is above {high}")
        if not self.allowed and not self.intervals:
            return
        if not any(
            self.number(least) <= first and last <= self.number(most) for least, most in self.intervals
        ):
            raise ValueError(f"{low} to {high} is not within what is allowed: {self.allowed_text}")

    @property
    def _unit(self) -> str:
        uom = getattr(self, "uom", "1")
        return "" if uom == "1" else f" {uom}"

    _any: ClassVar[str] = "any value"


@dataclass(frozen=True, kw_only=True)
class Count(_Ordered):
    """``swe:Count``: a whole number."""

    kind: ClassVar[str] = "Count"
    _any: ClassVar[str] = "a whole number"

    def number(self, text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise ValueError(f"{text[:100]!r} is not a whole number; allowed: {self.allowed_text}")
        return int(text)

    def render(self, value: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return super().render(value)


@dataclass(frozen=True, kw_only=True)
class Quantity(_Ordered):
    """``swe:Quantity``: a number with a unit (UCUM code)."""

    kind: ClassVar[str] = "Quantity"
    _any: ClassVar[str] = "a number"
    uom: str = "1"

    def number(self, text: str) -> float:
        found = float(text) if _DOUBLE.fullmatch(text) else math.nan
        if not math.isfinite(found):
            raise ValueError(f"{text[:100]!r} is not a number; allowed: {self.allowed_text}")
        return found

    def render(self, value: Any) -> Any:
        try:
            return _number_text(float(value))
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{_shown(value)} is not a number; allowed: {self.allowed_text}") from None


@dataclass(frozen=True, kw_only=True)
class Time(_Ordered):
    """``swe:Time``: an instant, ISO 8601; without a zone it is UTC."""

    kind: ClassVar[str] = "Time"
    _any: ClassVar[str] = "a time such as 2024-06-01T10:00:00Z"
    uom: str = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"

    def number(self, text: str) -> datetime:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text[:100]!r} is not a time; allowed: {self.allowed_text}") from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    @property
    def _unit(self) -> str:
        return ""

    def render(self, value: Any) -> Any:
        if isinstance(value, date):
            return value.isoformat().replace("+00:00", "Z")
        return super().render(value)


@dataclass(frozen=True, kw_only=True)
class _Range(Component):
    """Two values of the scalar kind, lowest first: ``min`` and ``max`` children, or blank-separated."""

    scalar: ClassVar[type[_Simple]] = _Simple
    value: tuple[str, str] | None = None

    def scalar_component(self) -> _Simple:
        """Return the component of one end, with the range's constraints."""
        names = {each.name for each in fields(self.scalar)} & {each.name for each in fields(self)} - {"value"}
        return self.scalar(**{name: getattr(self, name) for name in names})

    def parse(self, value: Any) -> tuple[Any, Any]:
        if isinstance(value, tuple):
            found = dict(value)
            ends: list[Any] = [found.get("min"), found.get("max")]
            if len(value) != 2 or None in ends:
                raise ValueError("a range has a min and a max")
        else:
            ends = str(value).split()
            if len(ends) != 2:
                raise ValueError("a range has exactly two values, lowest first")
        low, high = (self.scalar_component().parse(end) for end in ends)
        if low > high and not isinstance(low, str):
            raise ValueError(f"the range runs backwards: {ends[0]} is above {ends[1]}")
        return low, high

    def render(self, value: Any) -> Any:
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable) or len(ends := [*value]) != 2:
            raise ValueError("a range has exactly two values, lowest first")
        low, high = ends
        scalar = self.scalar_component()
        return (("min", scalar.render(low)), ("max", scalar.render(high)))

    @property
    def default(self) -> Any:
        return None if self.value is None else self.parse((("min", self.value[0]), ("max", self.value[1])))

    @property
    def allowed_text(self) -> str:
        return f"two of: {self.scalar_component().allowed_text}"

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        scalar: Any = self.scalar_component().narrowed(allowed, intervals)
        shared = {each.name for each in fields(self)} & {"allowed", "intervals", "pattern"}
        constraints: dict[str, Any] = {name: getattr(scalar, name) for name in shared}
        return replace(self, **constraints)

    def with_preset(self, value: str | Sequence[str]) -> Component:
        ends = value.split() if isinstance(value, str) else [*value]
        if len(ends) != 2:
            raise ValueError("a range has exactly two values, lowest first")
        self.parse((("min", ends[0]), ("max", ends[1])))
        return replace(self, value=(ends[0], ends[1]))


@dataclass(frozen=True, kw_only=True)
class CategoryRange(_Range):
    """``swe:CategoryRange``: two tokens of an ordered vocabulary."""

    kind: ClassVar[str] = "CategoryRange"
    scalar: ClassVar[type[_Simple]] = Category
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    code_space: str | None = None


@dataclass(frozen=True, kw_only=True)
class CountRange(_Range):
    """``swe:CountRange``: two whole numbers."""

    kind: ClassVar[str] = "CountRange"
    scalar: ClassVar[type[_Simple]] = Count
    allowed: tuple[str, ...] = ()
    intervals: tuple[tuple[str, str], ...] = ()
    significant_figures: int | None = None


@dataclass(frozen=True, kw_only=True)
class QuantityRange(_Range):
    """``swe:QuantityRange``: two numbers with one unit."""

    kind: ClassVar[str] = "QuantityRange"
    scalar: ClassVar[type[_Simple]] = Quantity
    allowed: tuple[str, ...] = ()
    intervals: tuple[tuple[str, str], ...] = ()
    significant_figures: int | None = None
    uom: str = "1"


@dataclass(frozen=True, kw_only=True)
class TimeRange(_Range):
    """``swe:TimeRange``: two instants."""

    kind: ClassVar[str] = "TimeRange"
    scalar: ClassVar[type[_Simple]] = Time
    allowed: tuple[str, ...] = ()
    intervals: tuple[tuple[str, str], ...] = ()
    significant_figures: int | None = None
    uom: str = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


@dataclass(frozen=True, kw_only=True)
class Field:
    """A named component inside a record, vector, choice or array."""

    name: str
    component: Component


@dataclass(frozen=True, kw_only=True)
class DataRecord(Component):
    """``swe:DataRecord``: named fields, each with its own component."""

    kind: ClassVar[str] = "DataRecord"
    fields: tuple[Field, ...] = ()

    def parse(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, tuple):
            raise ValueError(f"a record is expected: {self.allowed_text}")
        given = dict(value)
        known = {each.name for each in self.fields}
        unknown = [name for name, _ in value if name not in known]
        if unknown or len(given) != len(value):
            raise ValueError(
                f"{', '.join(unknown) or 'a repeated field'} does not belong here; {self.allowed_text}"
            )
        result = {}
        for each in self.fields:
            if each.name in given:
                result[each.name] = each.component.parse(given[each.name])
            elif (preset := each.component.default) is not None:
                result[each.name] = preset
            elif not each.component.optional:
                raise ValueError(f"{each.name} is missing; {self.allowed_text}")
        return result

    def render(self, value: Any) -> Any:
        known = {each.name for each in self.fields}
        if not isinstance(value, Mapping) or not known.issuperset(value):
            raise ValueError(f"{_shown(value)} is no record of {self.allowed_text}")
        return tuple(
            (each.name, each.component.render(value[each.name])) for each in self.fields if each.name in value
        )

    @property
    def default(self) -> Any:
        presets = {each.name: each.component.default for each in self.fields}
        needed = [each.name for each in self.fields if not each.component.optional]
        if any(presets[name] is None for name in needed):
            return None
        return {name: preset for name, preset in presets.items() if preset is not None} or None

    @property
    def allowed_text(self) -> str:
        return "fields " + ", ".join(each.name for each in self.fields)


@dataclass(frozen=True, kw_only=True)
class Vector(DataRecord):
    """``swe:Vector``: coordinates in a reference frame."""

    kind: ClassVar[str] = "Vector"
    reference_frame: str = "http://www.opengis.net/def/crs/EPSG/0/4326"
    local_frame: str | None = None

    @property
    def allowed_text(self) -> str:
        return "coordinates " + ", ".join(each.name for each in self.fields)


@dataclass(frozen=True, kw_only=True)
class DataChoice(Component):
    """``swe:DataChoice``: exactly one of several named items."""

    kind: ClassVar[str] = "DataChoice"
    items: tuple[Field, ...] = ()
    choice_value: Category | None = None

    def parse(self, value: Any) -> dict[str, Any]:
        by_name = {each.name: each.component for each in self.items}
        if not isinstance(value, tuple) or len(value) != 1 or value[0][0] not in by_name:
            raise ValueError(f"exactly one is to be chosen: {self.allowed_text}")
        name, chosen = value[0]
        return {name: by_name[name].parse(chosen)}

    def render(self, value: Any) -> Any:
        by_name = {each.name: each.component for each in self.items}
        if not isinstance(value, Mapping) or len(value) != 1 or not by_name.keys() >= value.keys():
            raise ValueError(f"exactly one is to be chosen: {self.allowed_text}")
        return tuple((name, by_name[name].render(chosen)) for name, chosen in value.items())

    @property
    def allowed_text(self) -> str:
        return "one of " + ", ".join(each.name for each in self.items)


@dataclass(frozen=True, kw_only=True)
class DataArray(Component):
    """``swe:DataArray``: any number (or ``element_count``) of one element type.

    ``values`` and ``encoding`` are those of a restriction's own data, kept as text.
    """

    kind: ClassVar[str] = "DataArray"
    element: Field = field(default_factory=lambda: Field(name="element", component=Text()))
    element_count: int | None = None
    encoding: TextSeparators | None = None
    values: str | None = None
    preset: tuple[str, ...] = ()

    def parse(self, value: Any) -> list[Any]:
        if not isinstance(value, tuple):
            value = tuple((self.element.name, token) for token in str(value).replace(",", " ").split())
        names = {name for name, _ in value}
        compound = isinstance(self.element.component, DataRecord | DataChoice)
        if compound and names and self.element.name not in names:
            return self._counted([self.element.component.parse(value)])  # the element's own name, given once
        strange = sorted(names - {self.element.name})
        if strange:
            raise ValueError(f"{', '.join(strange)} does not belong here; repeat {self.element.name}")
        return self._counted([self.element.component.parse(each) for _, each in value])

    def _counted(self, found: list[Any]) -> list[Any]:
        if self.element_count is not None and len(found) != self.element_count:
            raise ValueError(f"{self.element_count} of {self.element.name} are needed, not {len(found)}")
        return found

    def render(self, value: Any) -> Any:
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
            raise ValueError(f"{_shown(value)} is no list; allowed: {self.allowed_text}")
        return tuple((self.element.name, self.element.component.render(each)) for each in value)

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        component = self.element.component.narrowed(allowed, intervals)
        return replace(self, element=replace(self.element, component=component))

    def with_preset(self, value: str | Sequence[str]) -> Component:
        tokens = value.replace(",", " ").split() if isinstance(value, str) else [*value]
        self.parse(tuple((self.element.name, token) for token in tokens))
        return replace(self, preset=tuple(tokens))

    @property
    def default(self) -> Any:
        return [self.element.component.parse(each) for each in self.preset] or None

    @property
    def allowed_text(self) -> str:
        return f"a list of {self.element.component.allowed_text}"


@dataclass(frozen=True, kw_only=True)
class Matrix(DataArray):
    """``swe:Matrix``: a DataArray whose index has a reference frame."""

    kind: ClassVar[str] = "Matrix"
    reference_frame: str | None = None
    local_frame: str | None = None


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
