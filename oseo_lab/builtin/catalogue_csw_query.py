"""What a CSW is asked of a query, as filters of OWSLib, and the order in which its answers come.

Filters are never narrower than the query: servers compare times as texts and fold only ASCII letters.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from oseo_lab.builtin.catalogue_search import bounds, position
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import CatalogueQuery

__all__ = [
    "AXIS_ORDERS",
    "OutOfOrder",
    "area_filters",
    "in_order",
    "newest_first",
    "period_filters",
    "word_filters",
]

#: The reference that says which axis comes first.
AXIS_ORDERS = {"lat,lon": "urn:x-ogc:def:crs:EPSG:6.11:4326", "lon,lat": "urn:ogc:def:crs:OGC:1.3:CRS84"}
_BEGIN, _END = "apiso:TempExtent_begin", "apiso:TempExtent_end"
_DAY = timedelta(days=1)


class OutOfOrder(Exception):
    """The server does not sort as it was asked."""


def area_filters(query: CatalogueQuery, axis_order: str) -> list[Any]:
    """Return the box around a query's area; two boxes where it crosses the antimeridian."""
    from owslib.fes import BBox, Or

    box = bounds(query)
    if box is None:
        return []
    west, south, east, north = box
    halves = [(west, 180.0), (-180.0, east)] if west > east else [(west, east)]
    reference, is_north_first = AXIS_ORDERS[axis_order], axis_order == "lat,lon"
    boxes = [
        BBox([south, left, north, right] if is_north_first else [left, south, right, north], reference)
        for left, right in halves
    ]
    return [Or(boxes)] if len(boxes) > 1 else boxes


def newest_first() -> Any:
    """Return the order of all searches, as far as servers know it: by the begin of the acquisition."""
    from owslib.fes import SortBy, SortProperty

    return SortBy([SortProperty(_BEGIN, "DESC")])


def period_filters(query: CatalogueQuery, newest: datetime | None) -> list[Any]:
    """Return the time as days, one more on each side: servers compare dates and times as texts.

    A record without an end is a moment.
    """
    from owslib.fes import Or, PropertyIsGreaterThanOrEqualTo, PropertyIsLessThanOrEqualTo

    filters: list[Any] = []
    ends = [each for each in (query.end, newest) if each is not None]
    if ends:
        filters.append(PropertyIsLessThanOrEqualTo(_BEGIN, _day(min(ends), 1)))
    if query.start is not None:
        day = _day(query.start, -1)
        filters.append(Or([PropertyIsGreaterThanOrEqualTo(name, day) for name in (_END, _BEGIN)]))
    return filters


def _day(moment: datetime, shift: int) -> str:
    try:
        return (moment + shift * _DAY).date().isoformat()
    except OverflowError:
        return moment.date().isoformat()


def word_filters(text: str) -> list[Any]:
    """Return one condition a word; letters beyond ASCII as any character, for not all servers fold them."""
    from owslib.fes import PropertyIsLike

    return [
        PropertyIsLike(
            "csw:AnyText",
            "%" + "".join(each if each.isascii() else "_" for each in word) + "%",
            matchCase=False,
        )
        for word in text.split()
        if any(each.isascii() for each in word)
    ]


def in_order(items: Iterable[CatalogueItem]) -> Iterator[CatalogueItem]:
    """Put products that the server has sorted by day in our order; those without a time come last.

    Raises
    ------
    OutOfOrder
        If the server has not sorted them.
    """
    held: list[tuple[tuple[float, str], int, CatalogueItem]] = []
    timeless: list[CatalogueItem] = []
    newest: datetime | None = None
    for number, item in enumerate(items):
        if item.datetime is None:
            timeless.append(item)
            continue
        if newest is not None and item.datetime > newest:
            raise OutOfOrder
        heapq.heappush(held, (position(item), number, item))
        while held and _is_past(held[0][2], item.datetime):
            newest = held[0][2].datetime
            yield heapq.heappop(held)[2]
    while held:
        yield heapq.heappop(held)[2]
    yield from sorted(timeless, key=position)


def _is_past(item: CatalogueItem, now: datetime) -> bool:
    return item.datetime is not None and item.datetime - now > _DAY
