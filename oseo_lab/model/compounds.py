"""SWE Common 2.0 components of several parts: records, vectors, choices, arrays (OGC 08-094r1).

They parse and render as `components` do: a record is a mapping of its fields, an array a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

from oseo_lab.model.components import Category, Component, Fault, Text, shown
from oseo_lab.model.text_encoding import NO, YES, TextSeparators, Tokens, TokenWriter

__all__ = [
    "DataArray",
    "DataChoice",
    "DataRecord",
    "Field",
    "Matrix",
    "TextSeparators",
    "Vector",
    "put_part",
    "take_part",
]


@dataclass(frozen=True, kw_only=True)
class Field:
    """A named component inside a record, vector, choice or array."""

    name: str
    component: Component


def take_part(component: Component, tokens: Tokens, path: str, may_be_empty: bool) -> Any:
    """Return the travelling value of a part of a row of tokens; None where it is left out.

    ``may_be_empty`` says whether an empty token leaves out a part that is not optional.
    """
    if component.optional:
        return component.take(tokens, path) if tokens.take_flag(path) else None
    if may_be_empty and tokens.is_empty_next:
        tokens.take(path, "")
        return None
    return component.take(tokens, path)


def put_part(component: Component, value: Any, writer: TokenWriter, may_be_empty: bool) -> None:
    """Write a travelling value, or None where it is left out, as a part of a row of tokens.

    Raises
    ------
    ValueError
        If the part cannot be left out, or would read as left out.
    """
    if component.optional:
        writer.put(NO if value is None else YES)
    elif value is None:
        if not may_be_empty:
            raise ValueError("a part is missing that has no preset value")
        writer.put("")
    if value is not None:
        at = len(writer.tokens)
        component.put(value, writer)
        if not component.optional and may_be_empty and not "".join(writer.tokens[at : at + 1]):
            raise ValueError("an empty text would read as left out in TextEncoding; use XMLEncoding")


def _below(name: str, component: Component, value: Any) -> Iterator[Fault]:
    """Yield the faults of a part, with the part's name in front."""
    for fault in component.faults(value):
        yield fault._replace(path=f".{name}{fault.path}")


@dataclass(frozen=True, kw_only=True)
class DataRecord(Component):
    """``swe:DataRecord``: named fields, each with its own component."""

    kind: ClassVar[str] = "DataRecord"
    fields: tuple[Field, ...] = ()

    @cached_property
    def _components(self) -> dict[str, Component]:
        return {each.name: each.component for each in self.fields}

    def _given(self, value: Any) -> tuple[tuple[str, Any], ...]:
        """Return the named values; an empty element is a record without any."""
        if isinstance(value, tuple):
            return value
        if str(value).strip():
            raise ValueError(f"a record is expected, not {shown(value)}: {self.allowed_text}")
        return ()

    def parse(self, value: Any) -> dict[str, Any]:
        pairs = self._given(value)
        given = dict(pairs)
        known = self._components
        unknown = [name for name, _ in pairs if name not in known]
        if unknown or len(given) != len(pairs):
            said = ", ".join(unknown)[:100] or "a repeated field"
            raise ValueError(f"{said} does not belong here; {self.allowed_text}")
        result = {}
        for name, component in known.items():
            if name in given:
                result[name] = component.parse(given[name])
            elif (preset := component.default) is not None:
                result[name] = preset
            elif not component.optional:
                raise ValueError(f"{name} is missing; {self.allowed_text}")
        return result

    def faults(self, value: Any) -> Iterator[Fault]:
        try:
            pairs = self._given(value)
        except ValueError as wrong:
            yield Fault("", str(wrong))
            return
        seen: set[str] = set()
        for name, part in pairs:
            if name not in self._components or name in seen:
                said = "is given twice" if name in seen else "does not belong here"
                yield Fault(f".{name[:60]}", f"{said}; {self.allowed_text}")
            else:
                yield from _below(name, self._components[name], part)
            seen.add(name)
        for name, component in self._components.items():
            if name not in seen and component.default is None and not component.optional:
                text = f"is missing; allowed: {component.allowed_text}"
                yield Fault(f".{name}", text, "MissingParameterValue")

    def take(self, tokens: Tokens, path: str) -> Any:
        parts = [
            (name, take_part(component, tokens, f"{path}.{name}", component.default is not None))
            for name, component in self._components.items()
        ]
        return tuple((name, part) for name, part in parts if part is not None)

    def put(self, value: Any, writer: TokenWriter) -> None:
        given = dict(value)
        for name, component in self._components.items():
            put_part(component, given.get(name), writer, component.default is not None)

    def render(self, value: Any) -> Any:
        known = self._components
        if not isinstance(value, Mapping) or not known.keys() >= value.keys():
            raise ValueError(f"{shown(value)} is no record of {self.allowed_text}")
        return tuple(
            (name, component.render(value[name])) for name, component in known.items() if name in value
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
    """``swe:DataChoice``: exactly one of several named items; ``choice_value`` may preset which."""

    kind: ClassVar[str] = "DataChoice"
    items: tuple[Field, ...] = ()
    choice_value: Category | None = None

    @cached_property
    def _components(self) -> dict[str, Component]:
        return {each.name: each.component for each in self.items}

    def parse(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, tuple) or len(value) != 1 or value[0][0] not in self._components:
            raise ValueError(f"exactly one is to be chosen: {self.allowed_text}")
        name, chosen = value[0]
        return {name: self._components[name].parse(chosen)}

    def faults(self, value: Any) -> Iterator[Fault]:
        if isinstance(value, tuple) and len(value) == 1 and value[0][0] in self._components:
            yield from _below(value[0][0], self._components[value[0][0]], value[0][1])
        else:
            yield from super().faults(value)

    def take(self, tokens: Tokens, path: str) -> Any:
        name = tokens.take(path, self.allowed_text)
        if name not in self._components:
            tokens.refuse(path, name, self.allowed_text)
        return ((name, self._components[name].take(tokens, f"{path}.{name}")),)

    def put(self, value: Any, writer: TokenWriter) -> None:
        for name, chosen in value:
            writer.put(name)
            self._components[name].put(chosen, writer)

    def render(self, value: Any) -> Any:
        known = self._components
        if not isinstance(value, Mapping) or len(value) != 1 or not known.keys() >= value.keys():
            raise ValueError(f"exactly one is to be chosen: {self.allowed_text}")
        return tuple((name, known[name].render(chosen)) for name, chosen in value.items())

    @property
    def default(self) -> Any:
        name = None if self.choice_value is None else self.choice_value.value
        preset = self._components[name].default if name in self._components else None
        return None if preset is None else {name: preset}

    @property
    def allowed_text(self) -> str:
        return "one of " + ", ".join(each.name for each in self.items)


@dataclass(frozen=True, kw_only=True)
class DataArray(Component):
    """``swe:DataArray``: any number (or ``element_count``) of one element type.

    Parameters
    ----------
    element : Field
        What it holds.
    element_count : int or None
        How many; None for any number.
    encoding, values : TextSeparators, str or None
        Its own data, of elements of several parts: what separates tokens and blocks, and the block of them.
        They are the preset value (06-141r6 7.3.9.3), or a restriction's numbers.
    preset : tuple of str
        Its own data, of elements of one value.
    """

    kind: ClassVar[str] = "DataArray"
    element: Field = field(default_factory=lambda: Field(name="element", component=Text()))
    element_count: int | None = None
    encoding: TextSeparators | None = None
    values: str | None = None
    preset: tuple[str, ...] = ()

    def _elements(self, value: Any) -> tuple[tuple[str, Any], ...]:
        """Return the elements as they travel, in each of the forms that are in use.

        Repeated children named as the element type; one element of several parts bare; or text, of one
        element or of several between blanks or commas.
        """
        if not isinstance(value, tuple):
            return self._from_text(str(value))
        names = {name for name, _ in value}
        if names and self.element.name not in names and isinstance(self.element.component, _COMPOUND):
            return ((self.element.name, value),)  # the element's own name, given once
        strange = sorted(names - {self.element.name})
        if strange:
            raise ValueError(f"{', '.join(strange)[:100]} does not belong here; repeat {self.element.name}")
        return value

    def _from_text(self, text: str) -> tuple[tuple[str, Any], ...]:
        element = self.element.component
        if getattr(element, "allowed", ()) and text.strip():
            try:
                element.parse(text)
            except ValueError:
                pass
            else:
                return ((self.element.name, text),)  # an allowed value that holds a blank or comma
        return tuple((self.element.name, token) for token in text.replace(",", " ").split())

    def parse(self, value: Any) -> list[Any]:
        elements = self._elements(value)
        self._check_count(len(elements))
        return [self.element.component.parse(each) for _, each in elements]

    def faults(self, value: Any) -> Iterator[Fault]:
        try:
            elements = self._elements(value)
        except ValueError as wrong:
            yield Fault("", str(wrong))
            return
        try:
            self._check_count(len(elements))
        except ValueError as wrong:
            yield Fault("", str(wrong))
        for at, (name, each) in enumerate(elements, start=1):
            yield from _below(f"{name}[{at}]", self.element.component, each)

    def _check_count(self, count: int) -> None:
        if self.element_count is not None and count != self.element_count:
            raise ValueError(f"{self.element_count} of {self.element.name} are needed, not {count}")

    def take(self, tokens: Tokens, path: str) -> Any:
        name, element = self.element.name, self.element.component
        count = self.element_count if self.element_count is not None else tokens.take_count(path)
        return tuple((name, element.take(tokens, f"{path}.{name}[{at}]")) for at in range(1, count + 1))

    def put(self, value: Any, writer: TokenWriter) -> None:
        if self.element_count is None:
            writer.put(str(len(value)))
        for _, each in value:
            self.element.component.put(each, writer)

    def rows(self) -> list[Any]:
        """Return the array's own data as Python values; empty where it has none.

        Raises
        ------
        TextFault
            If the tokens are not elements.
        """
        element = self.element.component
        if self.values is None:
            return [element.parse(each) for each in self.preset]
        tokens = Tokens(self.values, self.encoding or TextSeparators())
        found = []
        while tokens.left:
            found.append(element.parse(element.take(tokens, self.element.name)))
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
        if found := self.rows():
            return found
        element = self.element.component
        preset = element.default if self.element_count else None
        return None if preset is None else [preset] * (self.element_count or 0)

    @property
    def allowed_text(self) -> str:
        return f"a list of {self.element.component.allowed_text}"


@dataclass(frozen=True, kw_only=True)
class Matrix(DataArray):
    """``swe:Matrix``: a DataArray whose index has a reference frame."""

    kind: ClassVar[str] = "Matrix"
    reference_frame: str | None = None
    local_frame: str | None = None


#: Components whose travelling value is named parts.
_COMPOUND = (DataRecord, DataChoice)
