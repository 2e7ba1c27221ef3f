"""SWE Common 2.0 components of several parts: records, vectors, choices, arrays (OGC 08-094r1).

They parse and render as `components` do: a record is a mapping of its fields, an array a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from oseo_lab.model.components import Category, Component, Text, shown

__all__ = ["DataArray", "DataChoice", "DataRecord", "Field", "Matrix", "TextSeparators", "Vector"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TextSeparators:
    """``swe:TextEncoding``: what separates tokens and blocks."""

    token: str = ","
    block: str = "\n"
    decimal: str = "."
    collapse_white_spaces: bool = True


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
            raise ValueError(f"{shown(value)} is no record of {self.allowed_text}")
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
            raise ValueError(f"{shown(value)} is no list; allowed: {self.allowed_text}")
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
