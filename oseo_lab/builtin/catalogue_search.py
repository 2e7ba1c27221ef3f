"""Searching a list of products: what matches, newest first, and a cursor that survives new products.

The cursor names the last product given (its time and identifier), not a position: products that come
or go in between neither shift nor repeat what follows.
"""

from __future__ import annotations

import base64
import json
import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from oseo_lab.builtin.catalogue_items import read_time
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import CatalogueQuery

__all__ = ["OPERATORS", "Matcher", "bounds", "cursor_of", "page", "position", "position_of", "read_cursor"]

#: Comparisons of property filters.
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
}

#: Most positions of an area, and of one that crosses itself: mending that costs their square in memory.
MOST_POSITIONS = 10_000
MOST_CROSSED = 200
#: How deep an area's arrays and objects may lie in each other.
DEEPEST = 12


class Matcher:
    """Whether a product is what a query asks for; everything given must hold.

    Parameters
    ----------
    query : CatalogueQuery
        What is asked.

    Raises
    ------
    ValidationError
        If the query's area cannot be read, or a filter's comparison is unknown.
    """

    def __init__(self, query: CatalogueQuery) -> None:
        self._areas = _areas(query)
        self._start, self._end = _utc(query.start), _utc(query.end)
        self._words = (query.text or "").lower().split()
        self._filters = [(name, *test) for name, wanted in query.filters.items() for test in _tests(wanted)]

    def __call__(self, item: CatalogueItem) -> bool:
        """Return whether the product matches."""
        return (
            self._in_time(item)
            and self._has_words(item)
            and all(_holds(item.properties, *each) for each in self._filters)
            and self._in_area(item)
        )

    def _in_time(self, item: CatalogueItem) -> bool:
        if self._start is None and self._end is None:
            return True
        first = read_time(item.properties.get("start_datetime")) or item.datetime
        last = read_time(item.properties.get("end_datetime")) or item.datetime or first
        if first is None or last is None:
            return False
        return (self._end is None or first <= self._end) and (self._start is None or last >= self._start)

    def _has_words(self, item: CatalogueItem) -> bool:
        if not self._words:
            return True
        keywords = item.properties.get("keywords")
        said = [item.identifier, item.properties.get("title"), item.properties.get("description")]
        said += keywords if isinstance(keywords, list) else []
        text = " ".join(str(part) for part in said if part).lower()
        return all(word in text for word in self._words)

    def _in_area(self, item: CatalogueItem) -> bool:
        if not self._areas:
            return True
        from shapely.errors import ShapelyError

        try:
            footprint = _footprint(item)
            return footprint is not None and all(footprint.intersects(area) for area in self._areas)
        except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
            return False  # a footprint nobody can read touches nothing


def _utc(time: datetime | None) -> datetime | None:
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)


def _tests(wanted: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(wanted, Mapping):
        return [("eq", wanted)]
    unknown = sorted(set(wanted) - set(OPERATORS))
    if unknown:
        raise ValidationError(
            f"comparison {unknown[0]!r} is unknown; allowed: {', '.join(OPERATORS)}", locator="filters"
        )
    return list(wanted.items())


def _holds(properties: Mapping[str, Any], name: str, comparison: str, wanted: Any) -> bool:
    value = _property(properties, name)
    if value is None:
        return False
    if isinstance(value, bool) or isinstance(wanted, bool):
        value, wanted = str(value).lower(), str(wanted).lower()
    elif isinstance(value, int | float):
        try:
            wanted = float(wanted)
        except (TypeError, ValueError):
            return False
    else:
        value, wanted = _comparable(value, wanted)
    return OPERATORS[comparison](value, wanted)


def _comparable(value: Any, wanted: Any) -> tuple[Any, Any]:
    times = read_time(value), read_time(wanted)
    return times if all(times) else (str(value), str(wanted))


def _property(properties: Mapping[str, Any], name: str) -> Any:
    """Return a property by its name, or by its name without an extension's prefix (``cloud_cover``)."""
    if name in properties:
        return properties[name]
    with_prefix = sorted(key for key in properties if key.endswith(f":{name}"))
    return properties[with_prefix[0]] if with_prefix else None


def _areas(query: CatalogueQuery) -> list[Any]:
    if query.bbox is None and query.geometry is None:
        return []
    from shapely import is_valid, make_valid
    from shapely.errors import ShapelyError
    from shapely.geometry import shape

    areas = [] if query.bbox is None else [_box(query.bbox)]
    if query.geometry is None:
        return areas
    positions = _positions_of(query.geometry)
    try:
        area = shape(query.geometry)
        is_fine = is_valid(area)
        if is_fine or positions <= MOST_CROSSED:
            return [*areas, area if is_fine else make_valid(area, method="structure")]
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError) as wrong:
        text = f"the area is not a GeoJSON geometry: {wrong}"[:300]
        raise ValidationError(text, locator="geometry") from None
    raise ValidationError(
        f"the area crosses itself and has {positions} positions; allowed then: {MOST_CROSSED}; "
        "mend it first (shapely: make_valid) or simplify it",
        locator="geometry",
    )


def bounds(query: CatalogueQuery) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of a query's area that `Matcher` has taken; None for everywhere."""
    if query.bbox is not None or query.geometry is None:
        return query.bbox
    from shapely.geometry import shape

    west, south, east, north = shape(query.geometry).bounds
    return None if west != west else (west, south, east, north)  # an empty geometry has no bounds: NaN


def _positions_of(geometry: Mapping[str, Any]) -> int:
    """Return about how many positions a GeoJSON geometry has: its innermost arrays.

    Raises
    ------
    ValidationError
        If it has more than anybody needs, or is nested deeper than any geometry.
    """
    positions = 0
    level: list[Any] = [geometry]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for each in level:
            parts = [part for part in (each.values() if isinstance(each, Mapping) else each) if _nests(part)]
            positions += not parts
            inner += parts
        if positions > MOST_POSITIONS or len(inner) > 2 * MOST_POSITIONS:
            raise ValidationError(
                f"the area has too many positions; allowed: {MOST_POSITIONS}; simplify it", locator="geometry"
            )
        if not inner:
            return positions
        level = inner
    raise ValidationError("the area is nested deeper than a GeoJSON geometry can be", locator="geometry")


def _nests(part: Any) -> bool:
    return isinstance(part, Mapping | list | tuple)


def _box(bounds: tuple[float, float, float, float]) -> Any:
    """Return a bbox as a geometry; west above east crosses the antimeridian (RFC 7946 section 5.2)."""
    from shapely.geometry import box
    from shapely.ops import unary_union

    west, south, east, north = bounds
    if south > north:
        raise ValidationError(
            f"bbox has its south ({south}) above its north ({north}); the order is west, south, east, north",
            locator="bbox",
        )
    if west > east:
        return unary_union([box(west, south, 180, north), box(-180, south, east, north)])
    return box(west, south, east, north)


def _footprint(item: CatalogueItem) -> Any:
    from shapely.geometry import shape

    if item.geometry:
        return shape(item.geometry)
    return _box(item.bbox) if item.bbox else None


def position(item: CatalogueItem) -> tuple[float, str]:
    """Return where a product stands: newest first, equal times by identifier."""
    return (-item.datetime.timestamp() if item.datetime else float("inf"), item.identifier)


def position_of(after: tuple[datetime | None, str] | None) -> tuple[float, str] | None:
    """Return where the product of a cursor stands; None without one."""
    if after is None:
        return None
    return position(CatalogueItem(identifier=after[1], collection_id="", datetime=after[0]))


def cursor_of(item: CatalogueItem) -> str:
    """Return the cursor that goes on after a product."""
    where = [item.datetime.isoformat() if item.datetime else None, item.identifier]
    return base64.urlsafe_b64encode(json.dumps(where).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> tuple[datetime | None, str] | None:
    """Return the time and identifier a cursor names.

    Raises
    ------
    ValidationError
        If it is none of ours.
    """
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        time, identifier = json.loads(raw)
        if not isinstance(identifier, str) or (time is not None and read_time(time) is None):
            raise ValueError
    except (ValueError, TypeError, RecursionError):
        raise ValidationError(
            "the cursor is none that this catalogue gave; search again without one", locator="cursor"
        ) from None
    return read_time(time), identifier


def page(items: Iterable[CatalogueItem], query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
    """Return one page of the products that match, and the cursor for more (None at the end)."""
    matches = Matcher(query)
    after = read_cursor(query.cursor)
    last = position_of(after)
    ordered = sorted((item for item in items if last is None or position(item) > last), key=position)
    limit = max(1, query.limit)
    found: list[CatalogueItem] = []
    for item in ordered:
        if not matches(item):
            continue
        if len(found) == limit:
            return found, cursor_of(found[-1])
        found.append(item)
    return found, None
