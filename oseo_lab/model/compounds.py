"""SWE Common 2.0 components of named parts: records, vectors, choices (OGC 08-094r1, 8.2 and 8.3).

They parse and render as `components` do; in Python they are mappings. Lists of parts are in `arrays`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from oseo_lab.model.components import Component, Fault, shown
from oseo_lab.model.scalars import Category
from oseo_lab.model.text_encoding import NO, YES, Tokens, TokenWriter

__all__ = ["DataChoice", "DataRecord", "Field", "Vector", "below", "put_part", "take_part"]


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


def below(name: str, component: Component, value: Any) -> Iterator[Fault]:
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
                yield from below(name, self._components[name], part)
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
            yield from below(value[0][0], self._components[value[0][0]], value[0][1])
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
