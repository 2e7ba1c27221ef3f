"""SWE Common 2.0 components with two values of one kind: ranges (OGC 08-094r1, 8.1.11).

They travel as ``min`` and ``max``, or as two blank-separated values, lowest first; in Python they are pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

from oseo_lab.model.components import Component, Fault, NilValues, Simple
from oseo_lab.model.scalars import Category, Count, Quantity, Time
from oseo_lab.model.text_encoding import Tokens, TokenWriter

__all__ = ["CategoryRange", "CountRange", "QuantityRange", "TimeRange"]


@dataclass(frozen=True, kw_only=True)
class _Range(Component):
    """Two values of the scalar kind, lowest first: ``min`` and ``max`` children, or blank-separated."""

    scalar: ClassVar[type[Simple]] = Simple
    value: tuple[str, str] | None = None
    nil_values: NilValues = ()
    axis_id: str | None = None
    reference_frame: str | None = None

    def scalar_component(self) -> Simple:
        """Return the component of one end, with the range's constraints."""
        return self._scalar

    @cached_property
    def _scalar(self) -> Simple:
        names = {each.name for each in fields(self.scalar)} & {each.name for each in fields(self)} - {"value"}
        return self.scalar(**{name: getattr(self, name) for name in names})

    def _ends(self, value: Any) -> list[Any]:
        """Return both ends as they travel; raises ValueError where there are not two."""
        if isinstance(value, tuple):
            found = dict(value)
            ends: list[Any] = [found.get("min"), found.get("max")]
            if len(value) != 2 or None in ends:
                raise ValueError(f"a range has a min and a max; {self.allowed_text}")
            return ends
        ends = str(value).split()
        if len(ends) != 2:
            raise ValueError(f"a range has exactly two values, lowest first; {self.allowed_text}")
        return ends

    def parse(self, value: Any) -> tuple[Any, Any]:
        ends = self._ends(value)
        low, high = (self._scalar.parse(end) for end in ends)
        if not (low is None or high is None or isinstance(low, str)) and low > high:
            raise ValueError(f"the range runs backwards: {ends[0]} is above {ends[1]}")
        return low, high

    def faults(self, value: Any) -> Iterator[Fault]:
        try:
            ends = self._ends(value)
        except ValueError as wrong:
            yield Fault("", str(wrong))
            return
        inside = [
            fault._replace(path=f".{name}{fault.path}")
            for name, end in zip(("min", "max"), ends, strict=True)
            for fault in self._scalar.faults(end)
        ]
        yield from inside or super().faults(value)

    def take(self, tokens: Tokens, path: str) -> Any:
        return tuple((name, self._scalar.take(tokens, f"{path}.{name}")) for name in ("min", "max"))

    def put(self, value: Any, writer: TokenWriter) -> None:
        for _, end in value:
            self._scalar.put(end, writer)

    def render(self, value: Any) -> Any:
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable) or len(ends := [*value]) != 2:
            raise ValueError("a range has exactly two values, lowest first")
        low, high = ends
        return (("min", self._scalar.render(low)), ("max", self._scalar.render(high)))

    @property
    def default(self) -> Any:
        return None if self.value is None else self.parse((("min", self.value[0]), ("max", self.value[1])))

    @property
    def allowed_text(self) -> str:
        return f"two of: {self._scalar.allowed_text}"

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        scalar: Any = self._scalar.narrowed(allowed, intervals)
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
    scalar: ClassVar[type[Simple]] = Category
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    code_space: str | None = None


@dataclass(frozen=True, kw_only=True)
class CountRange(_Range):
    """``swe:CountRange``: two whole numbers."""

    kind: ClassVar[str] = "CountRange"
    scalar: ClassVar[type[Simple]] = Count
    allowed: tuple[str, ...] = ()
    intervals: tuple[tuple[str, str], ...] = ()
    significant_figures: int | None = None


@dataclass(frozen=True, kw_only=True)
class QuantityRange(_Range):
    """``swe:QuantityRange``: two numbers with one unit."""

    kind: ClassVar[str] = "QuantityRange"
    scalar: ClassVar[type[Simple]] = Quantity
    allowed: tuple[str, ...] = ()
    intervals: tuple[tuple[str, str], ...] = ()
    significant_figures: int | None = None
    uom: str = "1"


@dataclass(frozen=True, kw_only=True)
class TimeRange(_Range):
    """``swe:TimeRange``: two instants."""

    kind: ClassVar[str] = "TimeRange"
    scalar: ClassVar[type[Simple]] = Time
    allowed: tuple[str, ...] = ()
    intervals: tuple[tuple[str, str], ...] = ()
    significant_figures: int | None = None
    uom: str = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
