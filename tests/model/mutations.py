"""Wrong values of options: whatever the component, something that it must refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oseo_lab.model import options as model
from oseo_lab.model.options import Component

#: What no list, interval, pattern or number is.
NONSENSE = "~ no such value ~"


def mutated(component: Component) -> Iterator[Any]:
    """Yield travelling values that a component must refuse."""
    if isinstance(component, model.DataRecord):
        yield (("no_such_field", "1"),)
        yield NONSENSE
        for each in component.fields:
            for wrong in mutated(each.component):
                yield ((each.name, wrong),)
    elif isinstance(component, model.DataChoice):
        yield (("no_such_item", "1"),)
        yield NONSENSE
        for each in component.items:
            for wrong in mutated(each.component):
                yield ((each.name, wrong),)
    elif isinstance(component, model.DataArray):
        for wrong in mutated(component.element.component):
            yield ((component.element.name, wrong),) * (component.element_count or 1)
        if component.element_count:
            yield ()
    else:
        yield from _simple(component)


def _simple(component: Any) -> Iterator[Any]:
    yield (("no_such_part", "1"),)
    scalar = getattr(component, "scalar_component", None)
    if scalar is None:
        if _is_bound(component):
            yield NONSENSE
        return
    yield "1"
    yield (("min", "1"),)
    if _is_bound(scalar()):
        yield (("min", NONSENSE), ("max", NONSENSE))


def _is_bound(component: Any) -> bool:
    """Whether not every text will do."""
    tokens = isinstance(component, model.Category | model.Text)
    return not tokens or bool(component.allowed or component.pattern)
