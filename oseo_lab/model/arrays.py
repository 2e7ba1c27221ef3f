"""SWE Common 2.0 components of many parts alike: arrays and matrices (OGC 08-094r1, 8.4).

They parse and render as `components` do; in Python they are lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from oseo_lab.model.components import Component, Fault, shown
from oseo_lab.model.compounds import DataChoice, DataRecord, Field, below
from oseo_lab.model.scalars import Text
from oseo_lab.model.text_encoding import TextFault, TextSeparators, Tokens, TokenWriter

__all__ = ["MOST_ELEMENTS", "DataArray", "Matrix"]

#: Components whose travelling value is named parts.
_COMPOUND = (DataRecord, DataChoice)
#: Most elements that anybody may choose: each is read and checked by itself.
MOST_ELEMENTS = 10_000


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
        """Return the list of elements."""
        elements = self._elements(value)
        self._check_count(len(elements))
        return [self.element.component.parse(each) for _, each in elements]

    def faults(self, value: Any) -> Iterator[Fault]:
        """Yield what is wrong with the number of elements, and with each one."""
        try:
            elements = self._elements(value)
        except ValueError as wrong:
            yield Fault("", str(wrong))
            return
        try:
            self._check_count(len(elements))
        except ValueError as wrong:
            yield Fault("", str(wrong))
            elements = elements[:MOST_ELEMENTS]
        for at, (name, each) in enumerate(elements, start=1):
            yield from below(f"{name}[{at}]", self.element.component, each)

    def _check_count(self, count: int) -> None:
        if count > MOST_ELEMENTS:
            raise ValueError(f"{count} of {self.element.name} are too many; allowed: {MOST_ELEMENTS}")
        if self.element_count is not None and count != self.element_count:
            raise ValueError(f"{self.element_count} of {self.element.name} are needed, not {count}")

    def take(self, tokens: Tokens, path: str) -> Any:
        """Return as many elements as there always are, or as the next token says."""
        name, element = self.element.name, self.element.component
        count = self.element_count if self.element_count is not None else tokens.take_count(path)
        if count > MOST_ELEMENTS:
            raise TextFault(path, f"{count} of {name} are too many; allowed: {MOST_ELEMENTS}")
        return tuple((name, element.take(tokens, f"{path}.{name}[{at}]")) for at in range(1, count + 1))

    def put(self, value: Any, writer: TokenWriter) -> None:
        """Write the elements, after their number where it is not fixed."""
        if self.element_count is None:
            writer.put(str(len(value)))
        for _, each in value:
            at = len(writer.tokens)
            self.element.component.put(each, writer)
            if self.element_count is None and len(writer.tokens) == at:
                raise ValueError("elements of no token cannot be told apart; they can travel in XMLEncoding")

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
        """Return the elements under the element type's name."""
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
            raise ValueError(f"{shown(value)} is no list; allowed: {self.allowed_text}")
        return tuple((self.element.name, self.element.component.render(each)) for each in value)

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        """Return the array with fewer allowed values in its elements."""
        component = self.element.component.narrowed(allowed, intervals)
        return replace(self, element=replace(self.element, component=component))

    def with_preset(self, value: str | Sequence[str]) -> Component:
        """Return the array with other preset elements; raises ValueError if they are not allowed."""
        tokens = value.replace(",", " ").split() if isinstance(value, str) else [*value]
        self.parse(tuple((self.element.name, token) for token in tokens))
        return replace(self, preset=tuple(tokens))

    @property
    def default(self) -> Any:
        """The elements of its own data; of a fixed number, the element's preset value each."""
        if found := self.rows():
            return found
        element = self.element.component
        preset = element.default if self.element_count else None
        return None if preset is None else [preset] * (self.element_count or 0)

    @property
    def allowed_text(self) -> str:
        """What is allowed, for an error message or a form."""
        return f"a list of {self.element.component.allowed_text}"


@dataclass(frozen=True, kw_only=True)
class Matrix(DataArray):
    """``swe:Matrix``: a DataArray whose index has a reference frame."""

    kind: ClassVar[str] = "Matrix"
    reference_frame: str | None = None
    local_frame: str | None = None
