"""Bands of classes and flags beside measured ones: their codes are kept, whatever resampling is chosen."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

from oseo_lab.builtin.catalogue_assets import read_classes
from oseo_lab.model.job import Asset

CODES = (0, 4, 5, 11)
WARPED = {"crs": "EPSG:3035", "resolution": 13.0}


def write(path, names, *, codes_at=(), palette=False, dtype="uint16"):
    random = np.random.default_rng(7)
    pixels = random.integers(100, 4000, (len(names), 90, 110)).astype(dtype)
    for index in codes_at:
        pixels[index] = random.choice(CODES, (90, 110))
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=110,
        height=90,
        count=len(names),
        dtype=dtype,
        crs="EPSG:32632",
        transform=from_origin(600000, 5000000, 10, 10),
    ) as file:
        file.write(pixels)
        file.descriptions = names
        if palette:
            file.colorinterp = [ColorInterp.palette]
            file.write_colormap(1, {code: (code, code, code, 255) for code in CODES})
    return path


@pytest.fixture
def scene(tmp_path):
    return write(tmp_path / "scene.tif", ("B04", "SCL", "B08"), codes_at=(1,))


def read(path):
    with rasterio.open(path) as file:
        return file.read()


@pytest.mark.parametrize("resampling", ["bilinear", "cubic", "average", "lanczos"])
def test_codes_are_those_of_nearest_and_the_rest_as_chosen(scene, make_raster, resampling):
    made = read(make_raster({"scene": scene}, {**WARPED, "resampling": resampling}))
    kept = read(make_raster({"scene": scene}, {**WARPED, "resampling": "nearest"}))
    alone = read(make_raster({"scene": scene}, {**WARPED, "resampling": resampling, "bands": ["B04", "B08"]}))
    assert set(np.unique(made[1])) <= set(CODES)
    assert np.array_equal(made[1], kept[1])
    assert np.array_equal(made[[0, 2]], alone)
    assert not np.array_equal(made[0], kept[0])


def test_mode_holds_for_codes_where_it_is_chosen(scene, make_raster):
    made = make_raster({"scene": scene}, {"crs": "EPSG:3035", "resolution": 40.0, "resampling": "mode"})
    nearest = make_raster({"scene": scene}, {"crs": "EPSG:3035", "resolution": 40.0, "resampling": "nearest"})
    assert not np.array_equal(read(made)[1], read(nearest)[1])


def test_the_result_says_how_each_band_was_made(scene, make_raster):
    made = make_raster({"scene": scene}, {**WARPED, "resampling": "cubic"})
    bands = make_raster.products[0].properties["bands"]
    assert [each["oseo:resampling"] for each in bands] == ["cubic", "nearest", "cubic"]
    with rasterio.open(made) as file:
        assert [file.tags(index)["RESAMPLING"] for index in (1, 2, 3)] == ["cubic", "nearest", "cubic"]
    netcdf = make_raster({"scene": scene}, {**WARPED, "resampling": "cubic", "format": "NetCDF"})
    with netCDF4.Dataset(netcdf) as file:
        assert {name: file[name].resampling for name in ("B04", "SCL")} == {"B04": "cubic", "SCL": "nearest"}


def test_pixels_that_are_copied_say_nothing_of_it(scene, make_raster):
    make_raster({"scene": scene}, {"resampling": "cubic"})
    assert not any("oseo:resampling" in each for each in make_raster.products[0].properties["bands"])


def test_palettes_and_what_the_catalogue_says_are_known_too(tmp_path, make_raster):
    coloured = write(tmp_path / "cover.tif", ("cover",), codes_at=(0,), palette=True, dtype="uint8")
    assert set(np.unique(read(make_raster({"cover": coloured}, WARPED)))) <= {*CODES}
    plain = write(tmp_path / "plain.tif", ("surface",), codes_at=(0,))
    said = (Asset(name="data", href=str(plain), bands=("surface",), classes=("surface",)),)
    assert set(np.unique(read(make_raster({"data": plain}, WARPED, assets=said)))) <= {*CODES}
    assert not set(np.unique(read(make_raster({"data": plain}, WARPED)))) <= {*CODES}


def test_a_netcdf_with_flag_meanings_keeps_its_flags(tmp_path, make_raster):
    path = tmp_path / "flags.nc"
    codes = np.random.default_rng(1).choice(CODES, (40, 50)).astype("i2")
    with netCDF4.Dataset(path, "w") as file:
        for name, size, first, step in (("lat", 40, 46.0, -0.01), ("lon", 50, 10.0, 0.01)):
            file.createDimension(name, size)
            axis = file.createVariable(name, "f8", (name,))
            axis.units = "degrees_north" if name == "lat" else "degrees_east"
            axis.standard_name = "latitude" if name == "lat" else "longitude"
            axis[:] = first + step * np.arange(size)
        state = file.createVariable("state", "i2", ("lat", "lon"))
        state.flag_values = np.array(CODES, "i2")
        state.flag_meanings = "nothing tree soil snow"
        state[:] = codes
    made = read(make_raster({"flags": path}, {"crs": "EPSG:3035"}))
    assert set(np.unique(made)) <= {*CODES}


def test_classes_as_the_classification_extension_has_them():
    some = [{"value": 0, "name": "none"}]
    assert read_classes("SCL", {"classification:classes": some}) == ("SCL",)
    assert read_classes(
        "all", {"bands": [{"name": "B04"}, {"name": "SCL", "classification:classes": some}]}
    ) == ("SCL",)
    assert read_classes("QA", {"raster:bands": [{"classification:bitfields": some}]}) == ("QA",)
    assert read_classes("B04", {"bands": [{"name": "B04"}], "classification:classes": []}) == ()
    assert json.dumps(read_classes("odd", {"bands": "B04"})) == "[]"
