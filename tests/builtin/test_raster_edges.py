"""Where rasters go wrong in silence: ends of data types, complex values, longitude 180, units."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform

from oseo_lab.model.job import FailureClass
from oseo_lab.ports import ProcessingFailed

SOUTH_PACIFIC = from_origin(810000, 8100000, 100, 100)  # in UTM zone 60 south, both sides of longitude 180


def write(path, pixels, crs="EPSG:32632", at=None, nodata=None):
    pixels = pixels if pixels.ndim == 3 else pixels[np.newaxis]
    count, height, width = pixels.shape
    profile = {"count": count, "height": height, "width": width, "dtype": pixels.dtype, "nodata": nodata}
    profile |= {"crs": crs, "transform": at or from_origin(600000, 5000000, 10, 10)}
    with rasterio.open(path, "w", driver="GTiff", **profile) as file:
        file.write(pixels)
    return path


def corners(*pairs):
    return [{"latitude": latitude, "longitude": longitude} for latitude, longitude in pairs]


@pytest.mark.parametrize(
    ("kind", "most"), [("uint8", 255), ("uint16", 65535), ("int32", 2**31 - 1), ("uint32", 2**32 - 1)]
)
def test_a_stretch_ends_at_the_ends_of_its_type(tmp_path, make_raster, kind, most):
    path = write(tmp_path / "a.tif", np.arange(5, 10005, dtype="uint16").reshape(100, 100))
    with rasterio.open(make_raster({"a": path}, {"scaling": "minmax", "dataType": kind})) as made:
        values = made.read(1).ravel().astype(np.int64)
    assert (values[0], values[-1]) == (1, most)
    assert (np.diff(values) >= 0).all()


def test_floats_beyond_32_bit_integers_are_cut_off_at_their_ends(tmp_path, make_raster):
    path = write(tmp_path / "a.tif", np.array([[-1e12, -7.4, 7.6, 1e12]], dtype="float32"))
    with rasterio.open(make_raster({"a": path}, {"dataType": "int32"})) as made:
        assert made.read(1).tolist() == [[-(2**31), -7, 8, 2**31 - 1]]


@pytest.mark.parametrize("nodata", [None, 0])
@pytest.mark.parametrize("options", [{}, {"crs": "EPSG:3035"}, {"format": "GeoTIFF"}])
def test_complex_scenes_stay_complex(tmp_path, make_raster, options, nodata):
    pixels = (np.arange(1, 90_001).reshape(300, 300) * (1 + 2j)).astype("complex64")
    path = write(tmp_path / "a.tif", pixels, nodata=nodata)
    with rasterio.open(make_raster({"a": path}, options)) as made:
        values = made.read(1)
        assert made.dtypes == ("complex64",)
    assert np.allclose(values.imag, 2 * values.real, rtol=1e-3)


@pytest.mark.parametrize("options", [{"dataType": "float32"}, {"scaling": "minmax"}, {"format": "NetCDF"}])
def test_what_would_lose_half_of_complex_values_is_refused(tmp_path, make_raster, options):
    path = write(tmp_path / "a.tif", np.ones((20, 20), "complex64"))
    with pytest.raises(ProcessingFailed, match="complex values") as refused:
        make_raster({"a": path}, options)
    assert refused.value.failure_class is FailureClass.BAD_REQUEST


@pytest.mark.parametrize("resolution", [None, 0.001])
def test_a_scene_across_longitude_180_in_degrees_is_one_small_piece(tmp_path, make_raster, resolution):
    pixels = np.arange(1, 40_001, dtype="uint16").reshape(200, 200)
    path = write(tmp_path / "a.tif", pixels, "EPSG:32760", SOUTH_PACIFIC, nodata=0)
    options = {"crs": "EPSG:4326", "resampling": "nearest"}
    with rasterio.open(
        make_raster({"a": path}, options | ({"resolution": resolution} if resolution else {}))
    ) as made:
        assert made.bounds.left == pytest.approx(179.914, abs=0.001)
        assert made.bounds.right == pytest.approx(180.105, abs=0.001)
        assert 150 < made.width < 300 and (made.read(1) > 0).mean() > 0.9
        lon, lat = made.xy(90, 150)  # east of 180: which pixel of the scene is it?
        x, y = transform("EPSG:4326", "EPSG:32760", [lon - 360], [lat])
        col, row = ~SOUTH_PACIFIC * (x[0], y[0])
        assert abs(int(made.read(1)[90, 150]) - int(pixels[int(row), int(col)])) in (0, 1, 199, 200, 201)
    told = make_raster.products[0].properties
    assert told["bbox"][0] == pytest.approx(179.914, abs=0.001)
    assert told["bbox"][2] == pytest.approx(-179.895, abs=0.001)
    assert told["geometry"]["type"] == "MultiPolygon"


def test_the_box_of_a_scene_across_longitude_180_in_its_own_grid_is_small_too(tmp_path, make_raster):
    path = write(tmp_path / "a.tif", np.ones((200, 200), "uint8"), "EPSG:32760", SOUTH_PACIFIC)
    make_raster({"a": path})
    west, _, east, _ = make_raster.products[0].properties["bbox"]
    assert west > 179 and east < -179


def test_a_crs_that_ends_at_longitude_180_is_refused_there(tmp_path, make_raster):
    path = write(tmp_path / "a.tif", np.ones((200, 200), "uint8"), "EPSG:32760", SOUTH_PACIFIC)
    with pytest.raises(ProcessingFailed, match="where EPSG:3857 ends; choose native, EPSG:4326"):
        make_raster({"a": path}, {"crs": "EPSG:3857"})
    with rasterio.open(make_raster({"a": path}, {"crs": "EPSG:3832"})) as made:  # its middle is at 150 east
        assert made.width < 500


def test_an_area_across_the_edge_of_a_global_scene_is_not_halved_in_silence(tmp_path, make_raster):
    path = write(tmp_path / "a.tif", np.ones((180, 360), "uint8"), "EPSG:4326", from_origin(-180, 90, 1, 1))
    with pytest.raises(ProcessingFailed, match="where this scene begins and ends; order the two sides"):
        make_raster({"a": path}, {}, {"sceneBoundingRectangle": corners((10, 178), (20, -177))})
    with rasterio.open(
        make_raster({"a": path}, {}, {"sceneBoundingRectangle": corners((10, 178), (20, 180))})
    ) as made:
        assert (made.width, made.bounds.right) == (2, 180)


@pytest.mark.parametrize(
    ("crs", "unit"), [("EPSG:2225", "US_survey_foot"), ("EPSG:32632", "m"), ("EPSG:4326", "degrees_east")]
)
def test_netcdf_coordinates_have_the_unit_of_their_crs(tmp_path, make_raster, crs, unit):
    at = from_origin(10, 50, 0.1, 0.1) if crs == "EPSG:4326" else from_origin(6_000_000, 2_000_000, 10, 10)
    path = write(tmp_path / "a.tif", np.ones((50, 50), "uint8"), crs, at)
    with netCDF4.Dataset(make_raster({"a": path}, {"format": "NetCDF"})) as file:
        assert file["longitude" if crs == "EPSG:4326" else "x"].units == unit
