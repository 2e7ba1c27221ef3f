"""Areas and times: whatever scientists have at hand, and what is refused with the likely fix."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, box, mapping

from oseo_lab.builtin.raster_options import SCENE_OPTIONS
from oseo_lab.client.area import as_area, as_period, as_selection
from oseo_lab.model.errors import ValidationError

OFFERED = {each.name: each for each in SCENE_OPTIONS}
BOX = (10.4, 45.4, 10.9, 45.9)


@pytest.mark.parametrize(
    "given_area",
    [
        BOX,
        list(BOX),
        box(*BOX),
        box(*BOX).wkt,
        mapping(box(*BOX)),
        {"type": "Feature", "properties": {}, "geometry": mapping(box(*BOX))},
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": mapping(box(*BOX))}]},
    ],
    ids=["tuple", "list", "shapely", "wkt", "geometry", "feature", "collection"],
)
def test_every_form_is_the_same_place(given_area):
    assert as_area(given_area).bbox == pytest.approx(BOX)


def test_an_objects_own_crs_is_read():
    class Frame:
        crs = "EPSG:32632"
        __geo_interface__ = mapping(box(600000, 5000000, 610000, 5010000))

    area = as_area(Frame())
    assert area.crs == "EPSG:32632"
    assert area.bbox == pytest.approx((10.27, 45.14, 10.41, 45.24), abs=0.02)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ((600000, 5000000, 610000, 5010000), "crs='EPSG:32632'"),
        ((10.9, 45.4, 10.4, 45.9), "west 10.9 must be below east 10.4"),
        ((10.4, 45.4, 10.9), "allowed"),
        ("POLYGON oops", "not WKT"),
        (Point(10, 45), "width first"),
        ({"type": "FeatureCollection", "features": []}, "not empty"),
        (42, "allowed"),
    ],
)
def test_what_is_not_an_area_is_refused_with_the_fix(wrong, says):
    with pytest.raises(ValidationError, match=says):
        as_area(wrong)


_DEEP: dict[str, object] = {"type": "Polygon", "coordinates": []}
for _ in range(3000):
    _DEEP = {"type": "GeometryCollection", "geometries": [_DEEP]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "Polygon", "coordinates": 5},
        {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        {"type": "Feature", "geometry": 5},
        {"type": "FeatureCollection", "features": [5]},
        {"type": "GeometryCollection", "geometries": 7},
        {"type": "Polygon", "coordinates": [[[float("nan"), 0], [1, 1], [0, 1], [float("nan"), 0]]]},
        SimpleNamespace(__geo_interface__=5),
        (10**400, 0, 1, 1),
        (float("nan"),) * 4,
        (0, 0, float("inf"), 1),
        _DEEP,
    ],
    ids=range(11),
)
def test_nonsense_as_an_area_is_one_sentence(wrong):
    with pytest.raises(ValidationError) as refused:
        as_area(wrong)
    assert len(str(refused.value)) < 400


def test_latitudes_above_90_look_swapped():
    with pytest.raises(ValidationError, match=r"swapped: .*\(-120, 30, -110, 40\)"):
        as_area((30, -120, 40, -110))


@pytest.mark.parametrize("crs", ["+proj=utm", "/etc/passwd", "EPSG:1; DROP"])
def test_no_free_text_reaches_proj(crs):
    with pytest.raises(ValidationError, match="not understood"):
        as_area(BOX, crs)


def test_a_box_across_the_antimeridian_has_two_parts():
    area = as_area((170, -20, -170, -10))
    assert area.geometry["type"] == "MultiPolygon"
    assert as_selection(area, OFFERED)["sceneBoundingRectangle"][0] == {"latitude": -20, "longitude": 170}


def test_a_box_is_asked_for_by_two_corners_latitude_first():
    assert as_selection(as_area(BOX), OFFERED) == {
        "sceneBoundingRectangle": [
            {"latitude": 45.4, "longitude": 10.4},
            {"latitude": 45.9, "longitude": 10.9},
        ]
    }


def test_projected_coordinates_travel_as_they_are_with_their_crs():
    chosen = as_selection(as_area((600000, 5000000, 610000, 5010000), 32632), OFFERED)
    assert chosen["areaCrs"] == "EPSG:32632"
    assert chosen["sceneBoundingRectangle"][0] == {"latitude": 5000000, "longitude": 600000}


def test_projected_coordinates_become_degrees_where_no_crs_can_be_named():
    without = {name: each for name, each in OFFERED.items() if name != "areaCrs"}
    chosen = as_selection(as_area((600000, 5000000, 610000, 5010000), 32632), without)
    assert set(chosen) == {"sceneBoundingRectangle"}
    assert chosen["sceneBoundingRectangle"][0]["latitude"] == pytest.approx(45.14, abs=0.02)


def test_a_polygon_travels_as_its_ring():
    triangle = {"type": "Polygon", "coordinates": [[[10, 45], [11, 45], [10.5, 46], [10, 45]]]}
    points = as_selection(as_area(triangle), OFFERED)["sceneBoundingPolygon"]
    assert len(points) == 4 and points[0] == points[-1] == {"latitude": 45, "longitude": 10}


def test_parts_and_holes_cannot_be_ordered_and_it_is_said_what_to_do():
    parts = MultiPolygon([box(10, 45, 10.1, 45.1), box(11, 45, 11.1, 45.1)])
    with pytest.raises(ValidationError, match="convex_hull"):
        as_selection(as_area(parts), OFFERED)


def test_a_collection_of_whole_scenes_says_so():
    with pytest.raises(ValidationError, match="whole scenes only"):
        as_selection(as_area(BOX), {})


@given(
    st.floats(-179, 178), st.floats(-89, 88), st.floats(0.001, 1, allow_subnormal=False), st.floats(0.001, 1)
)
def test_any_box_in_degrees_is_kept(west, south, width, height):
    wanted = (west, south, west + width, south + height)
    assert as_area(wanted).bbox == wanted


@pytest.mark.parametrize(
    ("given_time", "start", "end"),
    [
        ("2024", "2024-01-01", "2024-12-31T23:59:59.999999"),
        ("2024-02", "2024-02-01", "2024-02-29T23:59:59.999999"),
        ("2024-12", "2024-12-01", "2024-12-31T23:59:59.999999"),
        ("2024-06/2024-07", "2024-06-01", "2024-07-31T23:59:59.999999"),
        ("2024-06-07", "2024-06-07", "2024-06-07T23:59:59.999999"),
        (date(2024, 6, 7), "2024-06-07", "2024-06-07T23:59:59.999999"),
        (("2024-06-07", "2024-06-08"), "2024-06-07", "2024-06-08T23:59:59.999999"),
        ("2024-06-07T10:00:00Z", "2024-06-07T10:00:00", "2024-06-07T10:00:00"),
        ("2024-06-07T10:00:00+02:00/..", "2024-06-07T08:00:00", "2200-01-01"),
        ("../2024-06", "1900-01-01", "2024-06-30T23:59:59.999999"),
    ],
)
def test_times_as_people_write_them(given_time, start, end):
    expected = tuple(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (start, end))
    assert as_period(given_time) == expected


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (datetime(2024, 6, 7), "replace\\(tzinfo=timezone.utc\\)"),
        ("2024-06-07T10:00:00", "no time zone"),
        ("yesterday", "allowed"),
        ("2024-13", "allowed"),
        ("2024-07/2024-06", "backwards"),
        (("a", "b", "c"), "allowed"),
        (20240607, "allowed"),
    ],
)
def test_times_that_cannot_be_meant_are_refused(wrong, says):
    with pytest.raises(ValidationError, match=says):
        as_period(wrong)


def test_no_time_is_any_time():
    assert as_period(None) is None
