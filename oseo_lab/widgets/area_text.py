"""Areas as a line of text that can be typed: a box as four numbers, anything else as WKT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from oseo_lab.client.area import Area

__all__ = ["area_given", "area_text", "ring_text"]

_NUMBERS = re.compile(r"\s*[(\[]?\s*([-+\d.eE]+(?:[\s,]+[-+\d.eE]+){3})\s*[)\]]?\s*")


def area_given(said: Any) -> Any:
    """Return what `as_area` reads of a typed text or a drawn geometry; None for no area."""
    if not isinstance(said, str):
        return said
    if not said.strip():
        return None
    numbers = _NUMBERS.fullmatch(said)
    return tuple(re.split(r"[\s,]+", numbers[1])) if numbers else said.strip()


def area_text(area: Area | None) -> str | None:
    """Return an area as it can be typed again; the box around it where it has another CRS."""
    if area is None:
        return None
    if area.is_box or area.crs is not None:
        return ", ".join(f"{each:g}" if area.crs else repr(each) for each in area.bbox)
    from shapely.geometry import shape

    return str(shape(area.geometry).wkt)


def ring_text(points: Sequence[tuple[float, float]]) -> str | None:
    """Return a ring of longitude and latitude as it can be typed again."""
    if not points:
        return None
    xs, ys = sorted({x for x, _ in points}), sorted({y for _, y in points})
    box = {(x, y) for x in xs for y in ys}
    if len(xs) == 2 and len(ys) == 2 and set(points) == box:
        return ", ".join(f"{each!r}" for each in (xs[0], ys[0], xs[1], ys[1]))
    return "POLYGON ((" + ", ".join(f"{x!r} {y!r}" for x, y in points) + "))"
