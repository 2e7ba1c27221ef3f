"""What survives into each format: CRS, transform, nodata, band names, time and provenance."""

from __future__ import annotations

import json
import math

import netCDF4
import numpy as np
import pytest
import rasterio
from rasterio.warp import transform_bounds
from rasterio.windows import Window

S2 = "sentinel2_S2A_34SGA_20200318_0_L2A"


@pytest.fixture
def bands(shared):
    folder = shared / "rasters" / S2
    return {"B01": folder / "B01.tif", "B09": folder / "B09.tif"}


@pytest.fixture
def pixels(bands):
    found = []
    for path in bands.values():
        with rasterio.open(path) as source:
            found.append(source.read(1))
    return np.stack(found)


@pytest.mark.parametrize("chosen", ["GeoTIFF", "COG"])
def test_geotiff_keeps_everything_in_named_tags(chosen, bands, pixels, make_raster):
    with rasterio.open(make_raster(bands, {"format": chosen}, identifier="S2A 34SGA")) as made:
        assert made.name.endswith("S2A_34SGA.tif")
        assert np.array_equal(made.read(), pixels)
        assert made.crs.to_epsg() == 32634
        assert made.nodata == 0
        assert made.descriptions == ("B01", "B09")
        tags = made.tags()
        assert tags["ACQUISITION_DATETIME"] == "2020-03-18T09:41:01Z"
        assert tags["TIFFTAG_DATETIME"] == "2020:03:18 09:41:01"
        assert tags["SOURCE_PRODUCT"] == "S2A 34SGA"
        assert tags["SOURCE_COLLECTION"] == "test"
        assert json.loads(tags["PROCESSING_OPTIONS"])["format"] == chosen
        assert tags["PROCESSING_SOFTWARE"].startswith("oseo_lab ")
    (product,) = make_raster.products
    assert product.properties["proj:code"] == "EPSG:32634"
    assert product.properties["proj:shape"] == [183, 183]
    assert [band["name"] for band in product.properties["bands"]] == ["B01", "B09"]
    assert product.properties["data_type"] == "uint16"
    assert product.properties["nodata"] == 0


def test_cog_has_directories_before_data_and_overviews_of_real_pixels(shared, make_raster):
    path = shared / "rasters" / S2 / "TCI.tif"
    made_path = make_raster({"TCI": path})
    with rasterio.open(path) as source, rasterio.open(made_path) as made:
        assert made.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert made.overviews(1) == [2, 4]
        first_tile = int(made.tags(1, ns="TIFF").get("BLOCK_OFFSET_0_0") or 0) or int(
            made.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1)
        )
        directory = [int(made.get_tag_item("IFD_OFFSET", "TIFF", bidx=1))]
        directory += [int(made.get_tag_item("IFD_OFFSET", "TIFF", bidx=1, ovr=level)) for level in (0, 1)]
        tiles = [int(made.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1, ovr=level)) for level in (0, 1)]
        assert directory == sorted(directory)
        assert max(directory) < min([*tiles, first_tile])
        assert first_tile > tiles[0] > tiles[1]
        whole = source.read()
    for level, factor in ((0, 2), (1, 4)):
        with rasterio.open(made_path, overview_level=level) as overview:
            assert np.array_equal(overview.read(), whole[:, ::factor, ::factor])


def test_files_are_written_without_a_warning_that_another_thread_could_let_through(
    shared, make_raster, monkeypatch
):
    # filters of warnings are the process's: what one thread ignores, another that ends may show
    monkeypatch.setattr("oseo_lab.builtin.raster_source.warnings.simplefilter", lambda *_: None)
    with rasterio.open(make_raster({"TCI": shared / "rasters" / S2 / "TCI.tif"})) as made:
        assert made.overviews(1)
    picture = make_raster({"TCI": shared / "rasters" / S2 / "TCI.tif"}, {"format": "PNG"})
    assert not list(picture.parent.glob("*.aux.xml"))


def test_result_of_more_than_one_slab_reads_back_whole_and_by_window(tmp_path, make_raster, scene_of):
    path, pixels = scene_of(tmp_path / "wide.tif", (1300, 700), 2)
    with rasterio.open(make_raster({"wide": path})) as made:
        assert np.array_equal(made.read(), pixels)
        assert np.array_equal(made.read(2, window=Window(100, 1000, 50, 290)), pixels[1, 1000:1290, 100:150])


@pytest.fixture
def scene_of():
    def make(path, shape, count):
        pixels = np.random.default_rng(1).integers(1, 60000, (count, *shape), dtype="uint16")
        transform = rasterio.transform.from_origin(300000, 4700040, 10, 10)
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=count,
            height=shape[0],
            width=shape[1],
            dtype="uint16",
            crs="EPSG:32633",
            transform=transform,
        ) as file:
            file.write(pixels)
        return path, pixels

    return make


def test_netcdf_opens_as_cf_dataset(bands, pixels, make_raster):
    made_path = make_raster(bands, {"format": "NetCDF"})
    with netCDF4.Dataset(made_path) as made:
        assert made.Conventions == "CF-1.8"
        assert made.source_product == "scene_1"
        assert made["B01"].dimensions == ("time", "y", "x")
        assert made["B01"]._FillValue == 0
        assert made["B01"].grid_mapping == "spatial_ref"
        mapping = made["spatial_ref"]
        assert mapping.grid_mapping_name == "transverse_mercator"
        assert mapping.longitude_of_central_meridian == 21
        when = netCDF4.num2date(made["time"][0], made["time"].units)
        assert when.isoformat() == "2020-03-18T09:41:01"
        made.set_auto_mask(False)
        assert np.array_equal(np.stack([made["B01"][0], made["B09"][0]]), pixels)
        assert made["x"][0] == 699960 + 300
        assert made["x"].standard_name == "projection_x_coordinate"


@pytest.mark.parametrize("crs", ["native", "EPSG:4326"])
def test_netcdf_opens_with_rioxarray_where_it_lies(crs, bands, make_raster):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("rioxarray")
    with rasterio.open(make_raster(bands, {"crs": crs})) as expected:
        transform, epsg = expected.transform, expected.crs.to_epsg()
    made_path = make_raster(bands, {"format": "NetCDF", "crs": crs})
    with xarray.open_dataset(made_path, engine="netcdf4", decode_coords="all") as made:
        assert made["B01"].rio.crs.to_epsg() == epsg
        assert made["B01"].rio.transform().almost_equals(transform)
        assert made["time"].values[0] == np.datetime64("2020-03-18T09:41:01")


def test_png_is_a_picture_with_world_file_and_sidecar(shared, make_raster):
    path = shared / "rasters" / "RGB.byte.tif"
    made_path = make_raster({"rgb": path}, {"format": "PNG"})
    with rasterio.open(path) as source:
        pixels, transform = source.read(), source.transform
    with rasterio.open(made_path) as made:
        assert made.count == 4
        assert np.array_equal(made.read([1, 2, 3]), pixels)
        assert np.array_equal(made.read(4) == 0, (pixels == 0).all(axis=0))
        assert made.transform.almost_equals(transform, precision=1e-6)
    picture, world, sidecar = make_raster.products
    assert picture.media_type == "image/png"
    lines = (make_raster.root / world.path).read_text().split()
    assert float(lines[0]) == transform.a
    said = json.loads((make_raster.root / sidecar.path).read_text())
    assert said["proj:code"] == "EPSG:32618"
    assert said["proj:transform"][:6] == list(transform)[:6]
    assert said["datetime"].startswith("2020-03-18T09:41:01")
    assert said["nodata"] == 0
    assert [band["name"] for band in said["bands"]] == ["rgb_1", "rgb_2", "rgb_3"]
    assert said["provenance"]["SOURCE_PRODUCT"] == "scene_1"


def test_png_of_a_large_scene_is_small_and_stretched(tmp_path, make_raster, scene_of):
    path, _ = scene_of(tmp_path / "wide.tif", (2600, 300), 1)
    with rasterio.open(make_raster({"wide": path}, {"format": "PNG"})) as made:
        assert max(made.shape) == 2048
        assert made.read(1).min() >= 1
        assert made.read(1).max() > 200
        assert (made.read(2) == 255).all()


@pytest.mark.parametrize(
    ("data_type", "expected"),
    [("uint8", [0, 255, 255]), ("float32", [0, 300, 60000]), ("int16", [0, 300, 32767])],
)
def test_data_type_cuts_values_off_at_its_ends(data_type, expected, tmp_path, make_raster):
    path = _row(tmp_path, [0, 300, 60000], "uint16")
    with rasterio.open(make_raster({"row": path}, {"dataType": data_type})) as made:
        assert made.dtypes == (data_type,)
        assert made.read(1)[0].tolist() == expected


def test_offset_and_scale_give_physical_values_with_nan_for_nodata(tmp_path, make_raster):
    path = _row(tmp_path, [0, 10000, 20000], "uint16", nodata=0, scale=2.75e-05, offset=-0.2)
    with rasterio.open(make_raster({"row": path})) as made:
        assert (made.scales, made.offsets) == ((2.75e-05,), (-0.2,))
    with rasterio.open(make_raster({"row": path}, {"scaling": "offset-scale"})) as made:
        values = made.read(1)[0]
        assert math.isnan(values[0])
        assert values[1:] == pytest.approx([0.075, 0.35], abs=1e-6)
        assert (made.scales, made.offsets) == ((1.0,), (0.0,))


def test_minmax_stretches_valid_values_over_the_type(tmp_path, make_raster):
    path = _row(tmp_path, [0, 100, 200, 300], "uint16", nodata=0)
    with rasterio.open(make_raster({"row": path}, {"scaling": "minmax"})) as made:
        assert made.read(1)[0].tolist() == [0, 1, 128, 255]
        assert made.nodata == 0


def test_nodata_that_the_type_cannot_hold_becomes_one_it_can(tmp_path, make_raster):
    path = _row(tmp_path, [-9999.0, 7.4, 12.6], "float32", nodata=-9999)
    with rasterio.open(make_raster({"row": path}, {"dataType": "uint8"})) as made:
        assert made.nodata == 0
        assert made.read(1)[0].tolist() == [0, 7, 13]


def _row(folder, values, dtype, *, nodata=None, scale=1.0, offset=0.0):
    path = folder / "row.tif"
    pixels = np.array([[values]], dtype)
    transform = rasterio.transform.from_origin(300000, 4700040, 10, 10)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=1,
        width=len(values),
        dtype=dtype,
        nodata=nodata,
        crs="EPSG:32633",
        transform=transform,
    ) as file:
        file.write(pixels)
        file.scales, file.offsets = (scale,), (offset,)
    return path


def test_the_product_says_where_it_lies_and_not_where_its_scene_lies(make_raster, rectangle, shared):
    """The STAC item beside a clip has the clip's footprint: EPSG:4326, whatever the result's CRS."""
    source = shared / "rasters/sentinel2_S2A_34SGA_20200318_0_L2A/B09.tif"
    with rasterio.open(source) as scene:
        west, south, east, north = transform_bounds(scene.crs, "EPSG:4326", *scene.bounds)
    middle = (west + 0.4 * (east - west), south + 0.4 * (north - south))
    area = (*middle, middle[0] + 0.1, middle[1] + 0.1)
    make_raster({"B09": source}, scene=rectangle(*area))
    (product,) = make_raster.products
    box = product.properties["bbox"]
    np.testing.assert_allclose(box, area, atol=0.01)
    assert product.properties["geometry"]["type"] == "Polygon"
