"""Which standing orders a product is wanted by: areas against footprints, date ranges against acquisitions.

In memory, many products against many subscriptions at once: the areas lie in a tree that is made once and
asked for all footprints of a page in one call (shapely, GEOS); dates are compared as arrays. Reads no store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.rings import MOST_CROSSED, unwrapped
from oseo_lab.model.subscription import Match, Standing, match_of

__all__ = ["Areas", "bounds_of_all"]

#: Degrees: an edge that is longer runs the other way round, across the antimeridian.
_HALF = 180.0
#: What reading a footprint raises that is none, beside what shapely raises: nested without end, say.
_NO_FOOTPRINT = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Areas:
    """The areas and date ranges of the standing items of one collection.

    Parameters
    ----------
    standings : sequence of Standing
        Who waits.
    """

    def __init__(self, standings: Sequence[Standing]) -> None:
        import numpy as np
        from shapely import STRtree

        self._standings = standings
        self._starts = np.array([each.start.timestamp() for each in standings])
        self._ends = np.array([each.end.timestamp() for each in standings])
        self._anywhere = np.array([place for place, each in enumerate(standings) if not each.ring], dtype=int)
        self._placed = np.array([place for place, each in enumerate(standings) if each.ring], dtype=int)
        self._tree = STRtree([_area(standings[place].ring) for place in self._placed])

    def matches(self, products: Sequence[CatalogueItem]) -> Iterator[tuple[Standing, list[Match]]]:
        """Yield who waits for products of one page, with what they get to see of them."""
        import numpy as np

        seen = [(product, match) for product in products if (match := match_of(product)) is not None]
        if not seen or not self._standings:
            return
        found, places = self._touching([product for product, _ in seen])
        firsts = np.array([match.first.timestamp() for _, match in seen])
        lasts = np.array([match.last.timestamp() for _, match in seen])
        in_time = (firsts[found] <= self._ends[places]) & (lasts[found] >= self._starts[places])
        found, places = found[in_time], places[in_time]
        if not len(found):
            return
        by_place = np.argsort(places, kind="stable")
        whose, begins = np.unique(places[by_place], return_index=True)
        for place, part in zip(whose, np.split(found[by_place], begins[1:]), strict=True):
            yield self._standings[place], [seen[number][1] for number in part]

    def _touching(self, products: Sequence[CatalogueItem]) -> tuple[Any, Any]:
        """Return pairs, as two arrays: which product touches whose area."""
        import numpy as np

        numbers = np.arange(len(products))
        everywhere = np.repeat(numbers, len(self._anywhere)), np.tile(self._anywhere, len(products))
        if not len(self._placed):
            return everywhere
        footprints = np.array([_footprint(each) for each in products], dtype=object)
        number, place = self._tree.query(footprints, predicate="intersects")
        return (
            np.concatenate([everywhere[0], number]),
            np.concatenate([everywhere[1], self._placed[place]]),
        )


def bounds_of_all(standings: Sequence[Standing]) -> tuple[float, float, float, float] | None:
    """Return the box around all areas, to ask a catalogue for; None where one of them is everywhere."""
    from shapely import total_bounds

    if not all(each.ring for each in standings):
        return None
    west, south, east, north = (float(each) for each in total_bounds([_area(one.ring) for one in standings]))
    return west, south, east, north


def _area(ring: Sequence[tuple[float, float]]) -> Any:
    return _valid(_polygon(ring))


def _valid(area: Any) -> Any:
    """Return a geometry mended; of one that is tangled, what surrounds it: mending that has no bounds."""
    from shapely import get_num_coordinates, is_valid, make_valid

    if is_valid(area):
        return area
    if get_num_coordinates(area) > MOST_CROSSED:
        return area.convex_hull
    return make_valid(area, method="structure")


def _polygon(ring: Sequence[tuple[float, float]]) -> Any:
    """Return a ring as a geometry within 180 degrees: an edge across the antimeridian parts it in two."""
    from shapely import Polygon, box, unary_union
    from shapely.affinity import translate

    points = unwrapped(ring)
    if all(abs(east) <= _HALF for east, _ in points):
        return Polygon(points)
    whole = _valid(Polygon(points))
    turns = range(-1, 2)
    parts = [whole.intersection(box(360 * turn - _HALF, -90, 360 * turn + _HALF, 90)) for turn in turns]
    return unary_union([translate(part, -360 * turn) for turn, part in zip(turns, parts, strict=True)])


def _footprint(product: CatalogueItem) -> Any:
    """Return where a product lies; None where nobody can tell, which touches no area."""
    from shapely.errors import ShapelyError
    from shapely.geometry import shape

    try:
        if product.geometry:
            return _valid(_mended(product.geometry) or shape(product.geometry))
        if product.bbox:
            west, south, east, north = product.bbox
            return _polygon([(west, south), (east, south), (east, north), (west, north)])
    except (*_NO_FOOTPRINT, ShapelyError):
        return None  # a footprint from elsewhere that is none
    return None


def _mended(geometry: Mapping[str, Any]) -> Any:
    """Return a polygon that jumps across the antimeridian parted there; None where nothing jumps."""
    if geometry.get("type") != "Polygon" or len(geometry["coordinates"]) != 1:
        return None
    ring = [(float(point[0]), float(point[1])) for point in geometry["coordinates"][0][:-1]]
    eastings = [east for east, _ in ring]
    if len(ring) < 3 or max(eastings) - min(eastings) <= _HALF:
        return None
    return _polygon(ring)
