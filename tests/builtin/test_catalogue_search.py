"""What a search is asked that nobody means well: areas, cursors and times made to cost or to break."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from oseo_lab.builtin.catalogue_search import MOST_CROSSED, MOST_POSITIONS, Matcher, page, read_cursor
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import CatalogueQuery

ITEM = CatalogueItem(
    identifier="a",
    collection_id="c",
    bbox=(10.0, 45.0, 11.0, 46.0),
    datetime=datetime(2024, 6, 7, tzinfo=UTC),
    properties={"datetime": "2024-06-07T00:00:00Z"},
)


def zigzag(positions: int) -> dict[str, Any]:
    """Return a polygon whose every side crosses most others: mending it costs the square of its length."""
    ring = [[(i * 7919) % 360 - 180 + i * 1e-3, (i * 104729) % 180 - 90] for i in range(positions - 1)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def circle(positions: int) -> dict[str, Any]:
    import math

    angles = [2 * math.pi * i / (positions - 1) for i in range(positions - 1)]
    ring = [[10.5 + 5 * math.cos(angle), 45.5 + 5 * math.sin(angle)] for angle in angles]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def nested(depth: int) -> dict[str, Any]:
    geometry: dict[str, Any] = {"type": "Point", "coordinates": [0, 0]}
    for _ in range(depth):
        geometry = {"type": "GeometryCollection", "geometries": [geometry]}
    return geometry


def arrays(depth: int) -> Any:
    inner: Any = []
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (zigzag(MOST_CROSSED + 1), "crosses itself"),
        (zigzag(200_000), "too many positions"),
        ({"type": "MultiPoint", "coordinates": [[0, 0]] * (MOST_POSITIONS + 1)}, "too many positions"),
        ({"type": "MultiPoint", "coordinates": [[]] * 1_000_000}, "too many positions"),
        ({"type": "Polygon", "coordinates": arrays(5000)}, "nested deeper"),
        (nested(400), "nested deeper"),
    ],
    ids=["crossing", "long", "many", "empty arrays", "deep arrays", "deep collections"],
)
def test_an_area_that_would_cost_without_bounds_is_refused(geometry: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        Matcher(CatalogueQuery(geometry=geometry))
    assert caught.value.locator == "geometry"


@pytest.mark.parametrize("geometry", [zigzag(MOST_CROSSED), circle(MOST_POSITIONS)], ids=["mended", "long"])
def test_an_area_of_a_size_that_people_have_is_taken(geometry: dict[str, Any]) -> None:
    assert page([ITEM], CatalogueQuery(geometry=geometry)) == ([ITEM], None)


@pytest.mark.parametrize(
    "inside",
    ["[" * 30_000, '["0001-01-01T00:00:00+23:59", "a"]', "[null]", "{}", "[1, 2]", '["x", "y"]'],
    ids=["deep", "before all time", "short", "object", "numbers", "no time"],
)
def test_a_cursor_of_somebody_elses_making_is_refused(inside: str) -> None:
    cursor = base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=")
    with pytest.raises(ValidationError) as caught:
        read_cursor(cursor)
    assert caught.value.locator == "cursor"
    assert json.dumps(caught.value.text)


def test_a_time_outside_all_years_is_compared_as_text() -> None:
    query = CatalogueQuery(filters={"datetime": {"gt": "0001-01-01T00:00:00+23:59"}})
    assert page([ITEM], query)[0] == [ITEM]
