"""Controls of several parts: ranges, records, choices; those of many parts alike are in `array_fields`.

What they hold are mappings of what their parts hold; a part is edited by its path. What is not
complete yet stays in the form, and is no part of the order until the object takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from oseo_lab.model.components import Component, Simple
from oseo_lab.model.options import (
    CategoryRange,
    CountRange,
    DataChoice,
    DataRecord,
    QuantityRange,
    TimeRange,
)
from oseo_lab.widgets.fields import About, Control, Raw, control_of, registered
from oseo_lab.widgets.nodes import Node, fields, group

__all__ = ["Choice", "Range", "Record"]

#: Most parts that stand in one line.
_LINE = 4


class _Parts(Control):
    """What has named parts: what it holds is a mapping, or None."""

    parts: Mapping[str, Control]

    def edited(self, raw: Raw, path: Sequence[str], value: Any) -> Raw:
        """Return the parts with one of them edited; None where none is left, or all are taken back."""
        if not path:
            return raw if value is not None else None
        held = dict(raw or {})
        held[path[0]] = self.parts[path[0]].edited(held.get(path[0]), path[1:], value)
        return held if any(each is not None for each in held.values()) else None

    def part_nodes(self, raw: Raw, about: About) -> list[Node]:
        """Return the nodes of the parts."""
        held = raw or {}
        return [part.node(held.get(name), about.inside()) for name, part in self.parts.items()]

    def node(self, raw: Raw, about: About) -> Node:
        """Return one line where the parts are few and plain, else a frame around them."""
        children = self.part_nodes(raw, about)
        plain = len(children) <= _LINE and all(each["kind"] == "field" for each in children)
        node = group(
            self.label + (" (needed)" if self.required and raw is None else ""),
            [fields(children, row=True)] if plain else children,
            help=self.component.description or "",
            problem=about.problems.get(self.key, ""),
            hint=self.component.label or "",
        )
        undo = {"key": self.key, "undo": about.undo if about.chosen or raw is not None else ""}
        return node | undo


@registered(CategoryRange, CountRange, QuantityRange, TimeRange)
class Range(_Parts):
    """Two values, lowest first."""

    def __init__(self, component: Component, key: str, label: str, required: bool = False) -> None:
        super().__init__(component, key, label, required)
        end: Simple = replace(self.component.scalar_component(), label=None, description=None)
        self.parts = {
            name: control_of(end, f"{key}/{name}", word) for name, word in (("min", "from"), ("max", "to"))
        }

    def raw(self, value: Any) -> Raw:
        """Return both ends as texts."""
        ends = () if value is None else zip(self.parts.items(), value, strict=True)
        return {name: part.raw(end) for (name, part), end in ends} or None

    def given(self, raw: Raw) -> Any:
        """Return both ends, in order; what lacks is empty, for the object to refuse."""
        return None if raw is None else tuple(raw.get(name) or "" for name in self.parts)

    def blank(self) -> Raw:
        """Return the preset ends."""
        return self.raw(self.component.default)


@registered(DataRecord)
class Record(_Parts):
    """Records and vectors: named fields."""

    def __init__(self, component: Component, key: str, label: str, required: bool = False) -> None:
        super().__init__(component, key, label, required)
        self.parts = {
            each.name: control_of(
                each.component,
                f"{key}/{each.name}",
                each.name,
                not each.component.optional and each.component.default is None,
            )
            for each in self.component.fields
        }

    def raw(self, value: Any) -> Raw:
        """Return the fields that are there."""
        return None if value is None else {name: self.parts[name].raw(each) for name, each in value.items()}

    def given(self, raw: Raw) -> Any:
        """Return the fields that are set."""
        if raw is None:
            return None
        found = {name: part.given(raw.get(name)) for name, part in self.parts.items()}
        return {name: each for name, each in found.items() if each is not None}

    def blank(self) -> Raw:
        """Return the preset fields."""
        return {name: part.blank() for name, part in self.parts.items()}


@registered(DataChoice)
class Choice(Control):
    """Exactly one of several parts: which, and that part; holds ``which`` and ``value``."""

    def __init__(self, component: Component, key: str, label: str, required: bool = False) -> None:
        super().__init__(component, key, label, required)
        self.parts = {
            each.name: control_of(each.component, f"{key}/{each.name}", each.name, True)
            for each in self.component.items
        }

    def raw(self, value: Any) -> Raw:
        """Return which, and what it holds."""
        for name, each in (value or {}).items():
            return {"which": name, "value": self.parts[name].raw(each)}
        return None

    def given(self, raw: Raw) -> Any:
        """Return the chosen part by its name; an empty mapping where it is not given yet."""
        if raw is None:
            return None
        found = self.parts[raw["which"]].given(raw["value"])
        return {} if found is None else {raw["which"]: found}

    def edited(self, raw: Raw, path: Sequence[str], value: Any) -> Raw:
        """Return another choice, or the chosen part edited."""
        if not path:
            return raw if value is not None else None
        if path[0] == "?":
            return None if value not in self.parts else {"which": value, "value": self.parts[value].blank()}
        held = raw["value"] if raw is not None and raw["which"] == path[0] else self.parts[path[0]].blank()
        return {"which": path[0], "value": self.parts[path[0]].edited(held, path[1:], value)}

    def blank(self) -> Raw:
        """Return the preset choice."""
        return self.raw(self.component.default)

    def node(self, raw: Raw, about: About) -> Node:
        """Return the choice, and the part it leads to."""
        which = None if raw is None else raw["which"]
        choices = [{"value": name, "label": name, "offered": True, "reason": None} for name in self.parts]
        children: list[Node] = [
            {
                "kind": "field",
                "key": f"{self.key}/?",
                "label": "one of",
                "control": "radio" if len(choices) <= _LINE else "select",
                "value": which,
                "choices": choices,
                "required": self.required,
            }
        ]
        if which is not None and raw is not None:
            children.append(self.parts[which].node(raw["value"], about.inside()))
        problem = about.problems.get(self.key, "")
        node = group(self.label, children, help=self.component.description or "", problem=problem)
        undo = {"key": self.key, "undo": about.undo if about.chosen or raw is not None else ""}
        return node | undo
