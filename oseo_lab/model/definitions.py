"""What an option is, and a selection: the two classes that `options` builds on.

An `OptionDefinition` is a name and one SWE Common 2.0 component. A selection is `ParameterData`: values as
they travel, matched by local name (OGC 06-141r6 7.3.9, Table 7-18). Nothing here knows XML or JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from oseo_lab.model.arrays import DataArray
from oseo_lab.model.components import Component
from oseo_lab.model.errors import Problem

__all__ = ["Encoding", "OptionDefinition", "ParameterData", "Value", "Values"]

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
        Under TextEncoding: the block of tokens as it came; `options.decoded` gives it names.
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
        """Whether a selection must name it: not optional, and nothing preset.

        An array that merely wraps an optional element, as the standard's samples do, is optional too.
        """
        component = self.component
        wrapped = isinstance(component, DataArray) and component.element.component.optional
        return not (component.optional or wrapped) and component.default is None

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
        """Yield what is wrong with a travelling value of this option.

        The locator is the option's name, with dots for parts inside it, such as
        ``regionOfInterest.point[2].latitude``.
        """
        try:
            self.component.parse(value)
        except ValueError as whole:
            found = False
            for fault in self.component.faults(value):
                found = True
                yield self._problem(fault.path, fault.text, fault.code, item_id)
            if not found:  # what is wrong is not one part's alone
                yield self._problem("", str(whole), "InvalidParameterValue", item_id)

    def _problem(self, path: str, text: str, code: str, item_id: str | None) -> Problem:
        where = f"{self.name}{path}"
        return Problem(code=code, locator=where, text=f"{where}: {text}", item_id=item_id)
