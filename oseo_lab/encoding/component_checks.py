"""Whether a described option can be checked at all: its values, intervals, patterns and data are read once.

For options that operators declare or hand in: what is wrong is found at start, not in somebody's order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oseo_lab.encoding.collection_patterns import check_pattern
from oseo_lab.model import options
from oseo_lab.model.options import Component, OptionDefinition

__all__ = ["check_constraints", "faults_of"]


def check_constraints(component: Any) -> None:
    """Read every allowed value and interval of one component.

    Raises
    ------
    ValueError
        With what is wrong; begins with the key.
    """
    bare = getattr(component, "scalar_component", lambda: component)()
    if isinstance(bare, options.Count | options.Quantity | options.Time):
        for key, values in (("allowed", bare.allowed), *(("interval", each) for each in bare.intervals)):
            read = bare.number if key == "allowed" else bare.bound
            try:
                numbers: list[Any] = [read(value) for value in values]
            except ValueError as wrong:
                raise ValueError(f"{key}: {wrong}") from None
            if key == "interval" and numbers[0] > numbers[1]:
                raise ValueError(f"interval: runs backwards: {values[0]} is above {values[1]}")


def faults_of(definition: OptionDefinition) -> Iterator[str]:
    """Yield what is wrong with an option as a document describes it, each with its place."""
    yield from _below(definition.name, definition.component)
    for restriction in definition.restrictions:
        yield from _below(f"{definition.name}, sceneRestriction", restriction)


def _below(where: str, component: Component) -> Iterator[str]:
    parts = getattr(component, "fields", ()) or getattr(component, "items", ())
    element = getattr(component, "element", None)
    inside = [
        fault
        for each in (*parts, *([] if element is None else [element]))
        for fault in _below(f"{where}.{each.name}", each.component)
    ]
    yield from inside
    try:
        check_constraints(component)
        if (pattern := getattr(component, "pattern", None)) is not None:
            check_pattern(pattern)
        if not inside:
            component.default  # noqa: B018 - read here, so that it is never found wrong in an order
    except ValueError as wrong:
        yield f"{where}: {wrong}"
