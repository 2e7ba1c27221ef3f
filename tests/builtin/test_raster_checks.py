"""What of a raster order is refused when it is ordered, because no worker could make it of any scene."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.builtin.processor_raster import RASTER
from oseo_lab.ports import CheckingProcessor


def said(options=None, **scene) -> dict[str | None, str]:
    return {each.locator: each.text for each in RASTER.check(options or {}, scene)}


def corners(*pairs):
    return [{"latitude": lat, "longitude": lon} for lat, lon in pairs]


def test_the_processor_checks_values():
    assert isinstance(RASTER, CheckingProcessor)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"crs": "native", "resolution": 10.0},
        {"crs": "EPSG:32632", "resolution": 10.0},
        {"crs": "EPSG:4326", "resolution": 1e-4},
        {"crs": "EPSG:3035"},
        {"crs": "EPSG:2225", "resolution": 1.0},  # California, in feet
        {"crs": "EPSG:4979"},
    ],
)
def test_what_can_be_made_passes(options):
    assert said(options) == {}


def test_a_code_that_is_no_crs_is_refused():
    assert (
        "'EPSG:99999' is no coordinate reference system that PROJ knows" in said({"crs": "EPSG:99999"})["crs"]
    )


def test_a_mistyped_code_gets_the_nearest():
    assert "(nearest: EPSG:32632)" in said({"crs": "EPSG:32362"})["crs"]
    assert "(nearest: EPSG:4326)" in said({"crs": "EPSG:43266"})["crs"]
    assert "nearest" not in said({"crs": "EPSG:99999"})["crs"]


@pytest.mark.parametrize("code", ["EPSG:5773", "EPSG:4978"])
def test_heights_and_geocentric_systems_are_no_maps(code):
    assert "is no map's coordinate reference system" in said({"crs": code})["crs"]


def test_metres_where_degrees_are_meant_and_the_other_way_round():
    text = said({"crs": "EPSG:4326", "resolution": 10.0})["resolution"]
    assert text == (
        "resolution 10 would be degrees in EPSG:4326; allowed: up to 5 (nearest: 9e-05, if metres were meant)"
    )
    text = said({"crs": "EPSG:32632", "resolution": 0.0001})["resolution"]
    assert text == (
        "resolution 0.0001 would be metre in EPSG:32632; allowed: from 0.01 on (nearest: 11, if degrees were "
        "meant)"
    )


def test_areas_that_are_none_are_refused():
    assert (
        "encloses nothing"
        in said(sceneBoundingRectangle=corners((46, 11), (45, 12)))["sceneBoundingRectangle"]
    )
    bowtie = corners((45, 10), (46, 11), (45, 11), (46, 10))
    assert "crosses itself" in said(sceneBoundingPolygon=bowtie)["sceneBoundingPolygon"]
    assert (
        "latitude 110" in said(sceneBoundingRectangle=corners((10, 45), (110, 46)))["sceneBoundingRectangle"]
    )
    far = said(sceneBoundingRectangle=corners((0, 0), (1, 1)), areaCrs="EPSG:99999")
    assert "areaCrs 'EPSG:99999'" in far["areaCrs"]


def test_a_rectangle_across_the_antimeridian_passes():
    assert said(sceneBoundingRectangle=corners((-20, 179), (-19, -179))) == {}


@given(code=st.integers(1000, 999_999), resolution=st.none() | st.floats(1e-7, 1e7))
def test_whatever_is_written_gets_an_answer(code, resolution):
    for text in said({"crs": f"EPSG:{code}", "resolution": resolution}).values():
        assert len(text) < 300
