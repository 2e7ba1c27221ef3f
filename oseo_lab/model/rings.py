"""Rings of longitude and latitude: what areas are drawn with, before they are anybody's geometry.

Used where an area is taken (it must not cost without bounds) and where it is matched (`oseo_lab.dispatch`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["MOST_CROSSED", "is_on_earth", "is_tangled", "unwrapped"]

#: Most points of a ring that crosses itself: mending one costs more than the square of its length.
MOST_CROSSED = 100
#: Degrees: an edge that is longer runs the other way round, across the antimeridian.
_HALF = 180.0


def unwrapped(ring: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a ring without jumps from one side of the map to the other.

    One that goes round a pole is closed over that pole.

    Parameters
    ----------
    ring : sequence of (float, float)
        Longitude and latitude in degrees (EPSG:4326), not closed.
    """
    points = [ring[0]]
    for before, (east, north) in zip(ring, (*ring[1:], ring[0]), strict=True):
        step = east - before[0]
        if _HALF < abs(step) < 360:
            step -= 360 if step > 0 else -360
        points.append((points[-1][0] + step, north))
    around = points[-1][0] - points[0][0]
    if abs(around) < _HALF:
        return points[:-1]
    pole = 90.0 if sum(north for _, north in ring) > 0 else -90.0
    return [*points, (points[-1][0], pole), (points[0][0], pole)]


def is_on_earth(ring: Sequence[tuple[float, float]]) -> bool:
    """Whether every point of a ring is a place: no infinity, no latitude beyond a pole."""
    return all(abs(east) <= 360 and abs(north) <= 90 for east, north in ring) and not any(
        math.isnan(each) for point in ring for each in point
    )


def is_tangled(ring: Sequence[tuple[float, float]]) -> bool:
    """Whether a ring crosses itself and is too long to be mended."""
    if len(ring) <= MOST_CROSSED:
        return False
    from shapely import Polygon, is_valid

    return not is_valid(Polygon(unwrapped(ring)))
