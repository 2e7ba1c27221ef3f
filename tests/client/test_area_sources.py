"""Areas from files, tables with a CRS of their own, and maps that were drawn on."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

from oseo_lab.client.area import as_area
from oseo_lab.model.errors import ConfigurationError, ValidationError

geopandas = pytest.importorskip("geopandas", reason="the extra notebook is not installed")
box = pytest.importorskip("shapely").box

BOX = (10.4, 45.4, 10.9, 45.9)
SQUARE = box(600000, 4999000, 601000, 5000000)


@pytest.mark.parametrize("name", ["area.geojson", "area.gpkg", "area.shp", "area.fgb"])
def test_files_are_read_and_brought_to_degrees(name, tmp_path):
    path = tmp_path / name
    crs = 4326 if name.endswith("geojson") else 32632
    geometry = box(*BOX) if crs == 4326 else SQUARE
    geopandas.GeoDataFrame({"a": [1]}, geometry=[geometry], crs=crs).to_file(path)
    found = as_area(path)
    assert found.bbox == as_area(str(path)).bbox
    assert found.bbox == pytest.approx(BOX if crs == 4326 else (10.27, 45.14, 10.29, 45.15), abs=0.01)


def test_plain_geojson_needs_no_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "geopandas", None)
    path = tmp_path / "area.geojson"
    path.write_text(json.dumps(box(*BOX).__geo_interface__))
    assert as_area(path).bbox == BOX
    (tmp_path / "area.gpkg").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"area from area\.gpkg needs geopandas: pip install"):
        as_area(tmp_path / "area.gpkg")


def test_a_table_is_reprojected_by_its_own_crs():
    series = geopandas.GeoSeries([SQUARE], crs=32632)
    assert as_area(series).crs == "EPSG:32632"
    own = series.to_crs("+proj=laea +lat_0=45 +lon_0=10 +ellps=GRS80")
    assert own.crs.to_epsg() is None
    assert as_area(own).bbox == pytest.approx(as_area(series).bbox, abs=1e-6)
    assert as_area(geopandas.GeoDataFrame(geometry=own)).bbox == as_area(own).bbox


def test_what_is_drawn_on_a_map_is_an_area():
    drawn = {"type": "Feature", "properties": {}, "geometry": box(*BOX).__geo_interface__}
    control = SimpleNamespace(last_draw=drawn, data=[drawn])
    assert as_area(control).bbox == BOX
    with pytest.raises(ValidationError, match="nothing is drawn"):
        as_area(SimpleNamespace(last_draw={}, data=[]))
    assert as_area(SimpleNamespace(__geo_interface__=drawn)).bbox == BOX


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("missing.gpkg", None, "there is no file"),
        ("broken.geojson", b"{", "is no GeoJSON"),
        ("broken.gpkg", b"nothing", "cannot be read"),
        ("list.json", b"[1, 2]", "cannot be read"),
    ],
)
def test_files_that_cannot_be_read_are_told(name, body, says, tmp_path):
    path = tmp_path / name
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(ValidationError, match=says):
        as_area(path)


@pytest.mark.filterwarnings("ignore:.crs. was not provided")
def test_a_file_without_a_crs_in_metres_says_what_to_do(tmp_path):
    path = tmp_path / "area.shp"
    geopandas.GeoDataFrame({"a": [1]}, geometry=[SQUARE]).to_file(path)
    with pytest.raises(ValidationError, match="name their CRS"):
        as_area(path)
    assert as_area(path, 32632).crs == "EPSG:32632"


def test_latitude_first_is_told_with_the_likely_fix():
    with pytest.raises(ValidationError, match="look swapped"):
        as_area(box(45.4, 100.4, 45.9, 100.9))
