"""SWE Common 2.0 components with one value or a range of two, one class each (OGC 08-094r1).

`Component.parse` turns a travelling value into a Python value and says everything wrong with it;
`Component.render` is its inverse. Components of several parts are in `compounds`; what an option makes of a
component is in `options`, which offers all of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import Any, ClassVar

__all__ = [
    "PATTERN_LENGTH",
    "Boolean",
    "Category",
    "CategoryRange",
    "Component",
    "Count",
    "CountRange",
    "Quantity",
    "QuantityRange",
    "Text",
    "Time",
    "TimeRange",
    "shown",
]

#: Longest text a pattern is tried on, characters: matching may take a time that grows faster than the text.
PATTERN_LENGTH = 255
#: Lexical forms of XML Schema's integer and double; Python's own readers take more (``1_0``, ``nan``).
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_DOUBLE = re.compile(r"[+-]?([0-9]{1,60}(\.[0-9]{0,60})?|\.[0-9]{1,60})([eE][+-]?[0-9]{1,4})?")


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


def shown(value: Any) -> str:
    """Return a value as a message shows it: short."""
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
            raise ValueError(f"one value is expected, not {shown(value)}; allowed: {self.allowed_text}")
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
            raise ValueError(f"{shown(value)} is not allowed; allowed: true, false")
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
            raise ValueError(f"{shown(value)} is not a number; allowed: {self.allowed_text}") from None


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
