"""Restrictions of scene selection parameters that can be enforced (06-141r6 Table 7-9, official samples).

==================================  ========================================================================
``WRSInformation``                  a ``frame`` is one of a row's frames (first to last, by the step); an
                                    ``orbit`` is one of a row's orbits; given both, of the same row
``SceneWidth``                      ``acrossTrackSize`` is not above it
``FloatingSceneLength``,            ``alongTrackSize`` lies within the length, by the step
``FloatingPassLength``
==================================  ========================================================================

What needs an orbit model is not enforced: a length as a time range, ``SubSatellitePosition``. It travels to
whoever makes the product.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from oseo_lab.model.arrays import DataArray
from oseo_lab.model.components import Component
from oseo_lab.model.definitions import OptionDefinition
from oseo_lab.model.errors import Problem

__all__ = ["check_restrictions"]

#: Largest part of a step that a length may lie beside it.
_TOLERANCE = 1e-6

_Rows = list[Any]
_Values = Mapping[str, Any]


def check_restrictions(parameters: Iterable[OptionDefinition], values: _Values) -> Iterator[Problem]:
    """Yield what a scene selection's values have against the restrictions of its parameters.

    Parameters
    ----------
    parameters : iterable of OptionDefinition
        Of one policy.
    values : mapping
        Python values by parameter name.
    """
    said: set[tuple[str, str]] = set()
    for parameter in parameters:
        for restriction in parameter.restrictions if parameter.name in values else ():
            for name, text in _wrong(restriction, values):
                if (name, text) not in said:
                    said.add((name, text))
                    yield Problem(code="InvalidParameterValue", locator=name, text=f"{name}: {text}")


def _wrong(restriction: Component, values: _Values) -> Iterator[tuple[str, str]]:
    if not isinstance(restriction, DataArray):
        return
    for name in _names(restriction):
        needs, rule = _RULES.get(name, _NO_RULE)
        if rule is not None and needs <= _fields(restriction):
            yield from rule(restriction.rows(), values)
            return


def _fields(restriction: DataArray) -> set[str]:
    return {each.name for each in getattr(restriction.element.component, "fields", ())}


def _names(restriction: DataArray) -> list[str]:
    """Return what a restriction may be called, in lower case; the official samples call it variously."""
    element = restriction.element
    said = (
        restriction.definition,
        restriction.identifier,
        element.component.definition,
        element.component.identifier,
        element.name,
    )
    return [re.split(r"[/:#]", each)[-1].lower().replace("lenght", "length") for each in said if each]


def _orbits(rows: _Rows, values: _Values) -> Iterator[tuple[str, str]]:
    """Check orbit and frame against the world reference system's phases."""
    orbit, frame = values.get("orbit"), values.get("frame")
    phases = rows
    if isinstance(orbit, int):
        phases = [row for row in rows if row["FromOrbit"] <= orbit <= row["ToOrbit"]]
        if not phases:
            spans = ", ".join(f"{row['FromOrbit']} to {row['ToOrbit']}" for row in rows)
            yield "orbit", f"{orbit} is in no phase of the reference system; allowed: {spans}"
            return
    if isinstance(frame, int) and not any(_has_frame(row, frame) for row in phases):
        spans = ", ".join(
            f"{row['FirstFrameNumber']} to {row['LastFrameNumber']} by {row['FrameNumberStep']}"
            for row in phases
        )
        yield "frame", f"{frame} is no frame of the reference system; allowed: {spans}"


def _has_frame(row: Mapping[str, Any], frame: int) -> bool:
    first, step = row["FirstFrameNumber"], row["FrameNumberStep"]
    return bool(first <= frame <= row["LastFrameNumber"] and (frame - first) % max(step, 1) == 0)


def _width(rows: _Rows, values: _Values) -> Iterator[tuple[str, str]]:
    size = values.get("acrossTrackSize")
    widths = [float(row) for row in rows]
    if isinstance(size, float) and widths and size > max(widths):
        yield "acrossTrackSize", f"{size:g} is wider than the scene; allowed: up to {max(widths):g}"


def _length(rows: _Rows, values: _Values) -> Iterator[tuple[str, str]]:
    size = values.get("alongTrackSize")
    if not isinstance(size, float) or not rows or any(_is_length(row, size) for row in rows):
        return
    spans = ", ".join(f"{row['Length'][0]:g} to {row['Length'][1]:g} by {row['Step']:g}" for row in rows)
    yield "alongTrackSize", f"{size:g} is no length of a scene here; allowed: {spans}"


def _is_length(row: Mapping[str, Any], size: float) -> bool:
    (least, most), step = row["Length"], row["Step"]
    if not least <= size <= most:
        return False
    beside = math.remainder(size - least, step) if step > 0 else 0.0
    return abs(beside) <= _TOLERANCE * max(abs(size), 1.0)


_Rule = Callable[[_Rows, _Values], Iterator[tuple[str, str]]]
_PHASE = frozenset({"FromOrbit", "ToOrbit", "FirstFrameNumber", "LastFrameNumber", "FrameNumberStep"})
_SPAN = frozenset({"Length", "Step"})
_NO_RULE: tuple[frozenset[str], None] = (frozenset(), None)
#: Fields that a restriction's rows must have, and the rule, by the restriction's name.
_RULES: dict[str, tuple[frozenset[str], _Rule]] = {
    "wrsinformation": (_PHASE, _orbits),
    "scenewidth": (frozenset(), _width),
    "floatingscenelength": (_SPAN, _length),
    "floatingpasslength": (_SPAN, _length),
}
