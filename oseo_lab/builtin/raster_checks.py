"""What of a raster order is sure to fail, told when it is ordered: no catalogue and no file is asked.

Beside `raster_options`, which says what may be written at all: a code may look like a CRS and be none, a
pixel size may be metres where degrees are meant. Loaded with the first order that chooses a CRS or an area,
for PROJ comes with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import rasterio
from rasterio.crs import CRS
from rasterio.errors import CRSError

from oseo_lab.builtin.raster_grid import Area
from oseo_lab.builtin.raster_options import Choices
from oseo_lab.model.errors import Problem
from oseo_lab.ports import ProcessingFailed

__all__ = ["problems_of"]

_RECTANGLE, _POLYGON = "sceneBoundingRectangle", "sceneBoundingPolygon"
#: Pixel sizes that nobody means, above in degrees (metres were meant) and below in metres (degrees were).
_MOST_DEGREES, _LEAST_METRES = 5.0, 0.01
#: Codes that are often meant: UTM by WGS 84 and ETRS89, and the common ones of continents and the globe.
_COMMON = tuple(
    str(code)
    for code in (
        *range(32601, 32661),
        *range(32701, 32761),
        *range(25828, 25839),
        *(4326, 3857, 3035, 4258, 3034, 2154, 27700, 3031, 3413, 3995, 5070, 6933),
    )
)


def problems_of(options: Mapping[str, Any], scene: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what would fail at the worker whatever the scene.

    Parameters
    ----------
    options, scene : mapping
        Python values by option name, as the worker gets them.
    """
    try:
        choices = Choices.of(options, scene)
    except ProcessingFailed as failed:
        yield _problem(_POLYGON if scene.get(_POLYGON) else _RECTANGLE, failed.reason)
        return
    named = {"crs": choices.epsg, "areaCrs": choices.area_epsg if choices.corners else None}
    wrong = {name: _unusable(code) for name, code in named.items() if code is not None}
    for name, why in wrong.items():
        if why:
            yield _problem(name, f"{name} 'EPSG:{named[name]}' {why}")
    if choices.epsg and choices.resolution and not wrong["crs"]:
        yield from _of_resolution(choices.epsg, choices.resolution)
    if choices.corners and not wrong["areaCrs"]:
        yield from _of_area(choices)


def _problem(locator: str, text: str) -> Problem:
    return Problem(code="InvalidParameterValue", locator=locator, text=text)


@lru_cache(maxsize=1024)
def _crs(epsg: int) -> CRS | None:
    try:
        with rasterio.Env():  # GDAL says what it does not know to a log, not to the terminal
            return CRS.from_epsg(epsg)
    except CRSError:
        return None


@lru_cache(maxsize=1024)
def _unusable(epsg: int) -> str:
    """Return why a code is no CRS that pixels can be placed in; empty if it is one."""
    crs = _crs(epsg)
    if crs is None:
        return f"is no coordinate reference system that PROJ knows{_near(epsg)}; epsg.io lists the codes"
    if not (crs.is_geographic or crs.is_projected):
        return f"is no map's coordinate reference system{_near(epsg)}; allowed: projected or geographic ones"
    return ""


def _near(epsg: int) -> str:
    close = [each for each in _COMMON if _is_slip(str(epsg), each)][:3]
    return f" (nearest: {', '.join(f'EPSG:{each}' for each in close)})" if close else ""


def _is_slip(given: str, meant: str) -> bool:
    """Whether one digit is wrong, missing or too many, or two that follow each other have changed places."""
    if len(given) != len(meant):
        longer, shorter = sorted((given, meant), key=len, reverse=True)
        return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
    differing = [at for at, pair in enumerate(zip(given, meant, strict=True)) if pair[0] != pair[1]]
    if len(differing) == 1:
        return True
    first, last = (differing[0], differing[-1]) if differing else (0, 0)
    return len(differing) == 2 and last == first + 1 and sorted(given) == sorted(meant)


def _of_resolution(epsg: int, resolution: float) -> Iterator[Problem]:
    crs = _crs(epsg)
    assert crs is not None
    if crs.is_geographic and resolution > _MOST_DEGREES:
        about = resolution / 111_320
        yield _problem(
            "resolution",
            f"resolution {resolution:g} would be degrees in EPSG:{epsg}; allowed: up to {_MOST_DEGREES:g} "
            f"(nearest: {about:.2g}, if metres were meant)",
        )
    elif crs.is_projected and resolution * crs.linear_units_factor[1] < _LEAST_METRES:
        unit = crs.linear_units_factor[0]
        yield _problem(
            "resolution",
            f"resolution {resolution:g} would be {unit} in EPSG:{epsg}; allowed: from "
            f"{_LEAST_METRES / crs.linear_units_factor[1]:g} on (nearest: {resolution * 111_320:.2g}, if "
            "degrees were meant)",
        )


def _of_area(choices: Choices) -> Iterator[Problem]:
    """Yield that an area encloses nothing or lies off the Earth: of thousands of areas each is looked at."""
    locator = _POLYGON if choices.is_polygon else _RECTANGLE
    crs = _crs(choices.area_epsg)
    assert crs is not None
    if crs.is_geographic and any(abs(y) > 90 for _, y in choices.corners):
        north = next(y for _, y in choices.corners if abs(y) > 90)
        yield _problem(
            locator,
            f"latitude {north:g} of the area is none; allowed: -90 to 90 (each point is latitude, longitude; "
            "areaCrs says in which CRS)",
        )
        return
    if not choices.is_polygon:
        (west, south), (east, north) = choices.corners
        if west < east and south < north:
            return
    try:
        Area.of(choices)
    except ProcessingFailed as failed:
        yield _problem(locator, failed.reason)
