"""Controls of many parts alike: check boxes, lines of numbers, rows of a matrix, areas on a map.

What they hold are lists of what their elements hold; which control an array has depends on its elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oseo_lab.client.area import as_area
from oseo_lab.client.subscription import region_of
from oseo_lab.model.components import Component, Simple
from oseo_lab.model.options import DataArray, Text
from oseo_lab.widgets.area_text import area_given, ring_text
from oseo_lab.widgets.fields import About, Control, Raw, control_of, reasons_of, registered
from oseo_lab.widgets.nodes import Node, button, buttons, group

__all__ = ["ADD", "REMOVE", "AreaField", "Array", "RowsArray"]

#: Edits of a list of rows, beside values.
ADD, REMOVE = "oseo:add", "oseo:remove"
#: Most listed values that are shown as check boxes.
_BOXES = 40


@registered(DataArray)
class Array(Control):
    """Lists: check boxes for listed values, one line for plain ones, rows for the rest, a map for areas."""

    def __new__(cls, component: DataArray, *_: Any, **__: Any) -> Array:
        """Return the control for such elements."""
        return super().__new__(_array_kind(component))

    def __init__(self, component: Component, key: str, label: str, required: bool = False) -> None:
        super().__init__(component, key, label, required)
        element = self.component.element
        self.element = control_of(element.component, f"{key}/0", element.name)

    def raw(self, value: Any) -> Raw:
        """Return what each element holds."""
        return None if value is None else [self.element.raw(each) for each in value]

    def given(self, raw: Raw) -> Any:
        """Return the elements."""
        if raw is None:
            return None
        found = [self.element.given(each) for each in raw]
        return [each if each is not None else "" for each in found]

    def blank(self) -> Raw:
        """Return the preset elements."""
        return self.raw(self.component.default)

    def allowed(self) -> str:
        """Return how many are needed."""
        count = self.component.element_count
        return "" if count is None else f"exactly {count}"


class ListedArray(Array):
    """Listed values, each at most once: check boxes, in the order in which they were chosen."""

    def node(self, raw: Raw, about: About) -> Node:
        """Return check boxes; a line of text where a value is there twice, which they cannot say."""
        held = raw or []
        node = super().node(held, about)
        choices = self.element.listed(None, about)  # type: ignore[attr-defined]  # of listed values
        if len(set(held)) < len(held) or len(choices) > _BOXES:
            return node | {"control": "text", "value": ", ".join(held), "wide": True}
        greyed = [each for each in choices if not each["offered"]]
        return node | {"control": "multi", "choices": choices, "reasons": reasons_of(greyed)}

    def edited(self, raw: Raw, path: Sequence[str], value: Any) -> Raw:
        """Return the values of check boxes or a line of text; none of them is "not set"."""
        return _tokens(value)


class PlainArray(Array):
    """Numbers, times, tokens: one line, separated by commas or blanks."""

    def node(self, raw: Raw, about: About) -> Node:
        """Return a line of text."""
        text = None if raw is None else ", ".join(raw)
        return super().node(text, about) | {"wide": True, "placeholder": "one, or several with commas"}

    def allowed(self) -> str:
        """Return how many, and what each may be."""
        each = self.element.allowed()
        return " · ".join(filter(None, (super().allowed(), each)))

    def edited(self, raw: Raw, path: Sequence[str], value: Any) -> Raw:
        """Return the elements of a line; none of them is "not set"."""
        return _tokens(value)


def _tokens(said: Any) -> Any:
    return (said.replace(",", " ").split() if isinstance(said, str) else said) or None


class RowsArray(Array):
    """Elements of several parts, a matrix, free texts: rows that are added, edited, taken out."""

    def edited(self, raw: Raw, path: Sequence[str], value: Any) -> Raw:
        """Return the rows with one added, edited or taken out."""
        rows = list(raw or [])
        if not path:
            return [*rows, self.element.blank()] if value == ADD else raw if value is not None else None
        place = int(path[0])
        if value == REMOVE and len(path) == 1:
            del rows[place]
        else:
            rows[place] = self.element.edited(rows[place], path[1:], value)
        return rows or None

    def node(self, raw: Raw, about: About) -> Node:
        """Return a frame of rows and a button that adds one."""
        children: list[Node] = []
        for place, row in enumerate(raw or []):
            element = control_of(self.component.element.component, f"{self.key}/{place}", str(place + 1))
            children.append(element.node(row, about.inside()))
            children.append(buttons(button(f"{self.key}/{place}:remove", f"take out {place + 1}")))
        children.append(buttons(button(f"{self.key}:add", f"add {self.component.element.name}")))
        hint = " · ".join(filter(None, (self.component.label or "", self.allowed())))
        problem = about.problems.get(self.key, "")
        node = group(self.label, children, help=self.component.description or "", problem=problem, hint=hint)
        undo = {"key": self.key, "undo": about.undo if about.chosen or raw is not None else ""}
        return node | undo


class AreaField(Array):
    """A ring of places: typed as a box or WKT, or drawn on a map; holds the value of the object."""

    def raw(self, value: Any) -> Raw:
        """Return the ring as it is."""
        return value

    def given(self, raw: Raw) -> Any:
        """Return the ring as it is."""
        return raw

    def edited(self, raw: Raw, path: Sequence[str], value: Any) -> Raw:
        """Return the ring of an area that was typed or drawn; raises ValidationError if it is none."""
        given = area_given(value)
        if given is None:
            return None
        latitude, longitude = self.axes
        ring = region_of(as_area(given))
        return [{latitude: each["latitude"], longitude: each["longitude"]} for each in ring]

    @property
    def axes(self) -> tuple[str, str]:
        """The element's names of latitude and longitude."""
        return axes_of(self.component)

    def points(self, raw: Raw) -> list[tuple[float, float]]:
        """Return the ring as longitude and latitude."""
        latitude, longitude = self.axes
        return [(float(each[longitude]), float(each[latitude])) for each in raw or ()]

    def node(self, raw: Raw, about: About) -> Node:
        """Return a line of text and a button that opens the map."""
        text = ring_text(self.points(raw))
        node = super().node(text, about) | {
            "control": "area",
            "placeholder": "west, south, east, north · or WKT",
        }
        return node | {"buttons": [button(f"{self.key}:map", "Map", reason="draw it on a map")]}

    def allowed(self) -> str:
        """Return what it is for."""
        return self.component.label or ""


def axes_of(component: DataArray) -> tuple[str, str]:
    """Return the names of latitude and longitude in an array of places; empty where it is none."""
    parts = getattr(component.element.component, "fields", ())
    names = {each.name.lower()[:3]: each.name for each in parts}
    return (names["lat"], names["lon"]) if names.keys() == {"lat", "lon"} and len(parts) == 2 else ("", "")


def _array_kind(component: DataArray) -> type[Array]:
    element: Any = component.element.component
    if all(axes_of(component)) and component.element_count is None:
        return AreaField
    if not isinstance(element, Simple):
        return RowsArray
    others = getattr(element, "pattern", None) or getattr(element, "intervals", ())
    if getattr(element, "allowed", ()) and not others:
        return ListedArray
    return RowsArray if isinstance(element, Text) else PlainArray
