"""Real scenes through the raster processor, each against an independent computation of the whole."""

from __future__ import annotations

import warnings

import netCDF4
import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.features import geometry_mask
from rasterio.warp import calculate_default_transform, reproject, transform_geom
from rasterio.windows import from_bounds

S2 = "sentinel2_S2A_34SGA_20200318_0_L2A"
L8 = "landsat8_LC08_L2SP_005009_20150710_20200908_02_T2/LC08_L2SP_005009_20150710_20200908_02_T2"
SCENES = {
    "rgb": ("RGB.byte.tif", 4326),
    "sentinel2": (f"{S2}/B01.tif", 3035),
    "sentinel2-colour": (f"{S2}/TCI.tif", 4326),
    "landsat8": (f"{L8}_SR_B4.TIF", 3413),
    "dem": ("dem_swiss_lv95/dem.tif", 4326),
    "shade": ("shade.tif", 4326),
}


def plain(source, crs, transform, shape, resampling, nodata):
    """One reproject of the whole, all bands of a file together."""
    fill = 0 if nodata is None else nodata
    result = np.full((source.count, *shape), fill, source.dtypes[0])
    reproject(
        source.read(),
        result,
        src_transform=source.transform,
        src_crs=source.crs,
        src_nodata=nodata,
        dst_nodata=nodata,
        dst_transform=transform,
        dst_crs=crs,
        resampling=Resampling[resampling],
    )
    return result


@pytest.mark.parametrize("name", SCENES)
def test_whole_scene_without_choices_is_the_scene(name, shared, make_raster):
    path = shared / "rasters" / SCENES[name][0]
    with rasterio.open(path) as source, rasterio.open(make_raster({"scene": path})) as made:
        assert (made.read() == source.read()).all()
        assert made.crs == source.crs
        assert made.transform == source.transform
        assert made.nodata == source.nodata
        assert made.dtypes == source.dtypes


@pytest.mark.parametrize("resampling", ["nearest", "bilinear", "cubic", "average", "mode", "lanczos"])
@pytest.mark.parametrize("name", SCENES)
def test_reprojected_scene_is_one_plain_reproject(name, resampling, shared, make_raster):
    path, epsg = shared / "rasters" / SCENES[name][0], SCENES[name][1]
    target = CRS.from_epsg(epsg)
    made_path = make_raster({"scene": path}, {"crs": f"EPSG:{epsg}", "resampling": resampling})
    with rasterio.open(path) as source, rasterio.open(made_path) as made:
        transform, width, height = calculate_default_transform(
            source.crs, target, source.width, source.height, *source.bounds
        )
        expected = plain(source, target, transform, (height, width), resampling, source.nodata)
        assert (made.width, made.height) == (width, height)
        assert made.transform == transform
        assert made.crs == target
        assert made.nodata == source.nodata
        assert np.array_equal(made.read(), expected)


def test_quality_flags_without_nodata_keep_their_values(shared, make_raster):
    path = shared / "rasters" / f"{L8}_QA_PIXEL.TIF"
    made_path = make_raster({"qa": path}, {"crs": "EPSG:3413", "resampling": "nearest"})
    with rasterio.open(path) as source, rasterio.open(made_path) as made:
        expected = plain(source, made.crs, made.transform, made.shape, "nearest", None)
        assert np.array_equal(made.read(), expected)
        assert set(np.unique(made.read())) <= set(np.unique(source.read())) | {0}


def test_rectangle_in_degrees_cuts_whole_pixels_of_the_native_grid(shared, make_raster, rectangle):
    path = shared / "rasters" / "RGB.byte.tif"
    west, south, east, north = -78.0, 24.2, -77.2, 25.0
    made_path = make_raster({"rgb": path}, {}, rectangle(west, south, east, north))
    with rasterio.open(path) as source, rasterio.open(made_path) as made:
        col = round((made.transform.c - source.transform.c) / source.transform.a)
        row = round((made.transform.f - source.transform.f) / source.transform.e)
        expected = source.read()[:, row : row + made.height, col : col + made.width]
        assert np.array_equal(made.read(), expected)
        inside = transform_geom("EPSG:4326", source.crs, {"type": "Point", "coordinates": (west, south)})
        x, y = inside["coordinates"]
        left, bottom, right, top = made.bounds
        assert left <= x <= right
        assert bottom <= y <= top
        assert made.width < source.width


@pytest.mark.parametrize("resampling", ["bilinear", "cubic"])
def test_rectangle_in_degrees_of_a_reprojected_scene_is_plain_reproject_onto_its_grid(
    resampling, shared, make_raster, rectangle
):
    path = shared / "rasters" / "RGB.byte.tif"
    chosen = rectangle(-78.0, 24.2, -77.2, 25.0)
    made_path = make_raster({"rgb": path}, {"crs": "EPSG:4326", "resampling": resampling}, chosen)
    with rasterio.open(path) as source, rasterio.open(made_path) as made:
        expected = plain(source, made.crs, made.transform, made.shape, resampling, source.nodata)
        assert np.array_equal(made.read(), expected)
        assert made.bounds.left <= -78.0 < made.bounds.left + made.transform.a
        assert made.bounds.top >= 25.0 > made.bounds.top + made.transform.e


def test_rectangle_in_the_scenes_own_crs_cuts_before_it_reprojects(shared, make_raster, rectangle):
    path = shared / "rasters" / S2 / "TCI.tif"
    with rasterio.open(path) as source:
        left, top = source.transform * (200, 300)
        right, bottom = source.transform * (700, 900)
        window = from_bounds(left, bottom, right, top, source.transform).round_offsets().round_lengths()
        pixels = source.read(window=window)
        own = source.window_transform(window)
        crs = source.crs
    target = CRS.from_epsg(4326)
    transform, width, height = calculate_default_transform(crs, target, 500, 600, left, bottom, right, top)
    expected = np.zeros((3, height, width), "uint8")
    reproject(
        pixels,
        expected,
        src_transform=own,
        src_crs=crs,
        src_nodata=0,
        dst_transform=transform,
        dst_crs=target,
        resampling=Resampling.bilinear,
    )
    area = rectangle(left, bottom, right, top, "EPSG:32634")
    with rasterio.open(make_raster({"TCI": path}, {"crs": "EPSG:4326"}, area)) as made:
        assert made.transform == transform
        assert np.array_equal(made.read(), expected)


def test_rectangle_of_the_whole_world_is_the_whole_scene(shared, make_raster, rectangle):
    path = shared / "rasters" / "RGB.byte.tif"
    made_path = make_raster({"rgb": path}, {}, rectangle(-180, -90, 180, 90))
    with rasterio.open(path) as source, rasterio.open(made_path) as made:
        assert made.transform == source.transform
        assert np.array_equal(made.read(), source.read())


def test_rectangle_across_the_antimeridian_meets_a_scene_on_either_side(tmp_path, make_raster, rectangle):
    for west in (179.0, -181.0):
        path = tmp_path / "pacific.tif"
        profile = {"driver": "GTiff", "count": 1, "height": 20, "width": 20, "dtype": "uint8"}
        transform = rasterio.transform.from_origin(west, -16.0, 0.1, 0.1)
        with rasterio.open(path, "w", **profile, crs="EPSG:4326", transform=transform) as file:
            file.write(np.arange(400, dtype="uint16").reshape(1, 20, 20).astype("uint8"))
        made_path = make_raster({"pacific": path}, {}, rectangle(179.5, -17.5, -179.5, -16.5))
        with rasterio.open(path) as source, rasterio.open(made_path) as made:
            assert np.array_equal(made.read(1), source.read(1)[5:15, 5:15])


def test_polygon_leaves_out_what_lies_outside(shared, make_raster):
    path = shared / "rasters" / "dem_swiss_lv95" / "dem.tif"
    with rasterio.open(path) as source:
        points = [source.transform * point for point in ((50, 40), (330, 120), (180, 380))]
        ring = {"type": "Polygon", "coordinates": [[*points, points[0]]]}
        outside = geometry_mask([ring], source.shape, source.transform)
        expected = source.read(1)
        expected[outside] = source.nodata
    corners = [{"latitude": y, "longitude": x} for x, y in points]
    made_path = make_raster({"dem": path}, {}, {"sceneBoundingPolygon": corners, "areaCrs": "EPSG:2056"})
    with rasterio.open(made_path) as made:
        assert np.array_equal(made.read(1), expected[40:380, 50:330])
        assert made.nodata == -9999.0


def test_bands_come_in_the_order_asked_for_from_several_files(shared, make_raster):
    folder = shared / "rasters" / S2
    paths = {"B01": folder / "B01.tif", "B09": folder / "B09.tif"}
    made_path = make_raster(paths, {"bands": ["B09", "B01"]})
    with rasterio.open(made_path) as made:
        assert made.descriptions == ("B09", "B01")
        for number, name in enumerate(made.descriptions, 1):
            with rasterio.open(paths[name]) as source:
                assert np.array_equal(made.read(number), source.read(1))


def test_bands_of_another_resolution_go_onto_the_finest_grid(shared, make_raster):
    folder = shared / "rasters" / S2
    made_path = make_raster({"B01": folder / "B01.tif", "TCI": folder / "TCI.tif"}, {"resampling": "nearest"})
    with (
        rasterio.open(folder / "TCI.tif") as fine,
        rasterio.open(folder / "B01.tif") as raw,
        rasterio.open(made_path) as made,
    ):
        assert made.transform == fine.transform
        assert np.array_equal(made.read([2, 3, 4]), fine.read())
        expected = plain(raw, fine.crs, fine.transform, fine.shape, "nearest", 0)
        assert np.array_equal(made.read(1), expected[0])


def test_sentinel1_is_placed_by_its_control_points(shared, make_raster):
    path = shared / "rasters" / "sentinel1_grd_gcps" / "cog_gcps.tif"
    made_path = make_raster({"vv": path}, {"resampling": "bilinear"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as source:
            points, crs = source.gcps
            with rasterio.open(made_path) as made:
                transform, width, height = calculate_default_transform(
                    crs, crs, source.width, source.height, gcps=points
                )
                assert (made.transform, made.width, made.height) == (transform, width, height)
                expected = np.zeros((height, width), "uint16")
                reproject(
                    source.read(1),
                    expected,
                    gcps=points,
                    src_crs=crs,
                    dst_transform=transform,
                    dst_crs=crs,
                    resampling=Resampling.bilinear,
                )
                assert np.array_equal(made.read(1), expected)
                assert made.read(1).any()


def test_rotated_scene_keeps_its_rotation(shared, make_raster):
    path = shared / "rasters" / "rotated.tif"
    made_path = make_raster({"rotated": path})
    with rasterio.open(path) as source, rasterio.open(made_path) as made:
        assert np.array_equal(made.read(), source.read())
        assert made.transform == source.transform
        assert made.crs is None


def test_rotated_scene_with_a_crs_is_turned_north(tmp_path, shared, make_raster):
    with rasterio.open(shared / "rasters" / "rotated.tif") as raw:
        profile = {**raw.profile, "crs": "EPSG:32634"}
        path = tmp_path / "turned.tif"
        with rasterio.open(path, "w", **profile) as placed:
            placed.write(raw.read())
    made_path = make_raster({"turned": path}, {"crs": "EPSG:3857", "resampling": "nearest"})
    with rasterio.open(path) as source, rasterio.open(made_path) as made:
        expected = plain(source, made.crs, made.transform, made.shape, "nearest", None)
        assert made.transform.b == made.transform.d == 0
        assert np.array_equal(made.read(), expected)
        assert made.read().any()


def test_floats_keep_nan_as_nodata(shared, make_raster):
    path = shared / "rasters" / "float_nan.tif"
    with rasterio.open(path) as source, rasterio.open(make_raster({"nan": path})) as made:
        assert np.array_equal(made.read(), source.read(), equal_nan=True)
        assert np.isnan(made.nodata)


def test_south_up_floats_without_crs_come_as_they_are(shared, make_raster):
    path = shared / "rasters" / "float.tif"
    with rasterio.open(path) as source, rasterio.open(make_raster({"raw": path})) as made:
        assert np.array_equal(made.read(), source.read())
        assert made.transform == source.transform


def test_netcdf_time_series_keeps_variables_and_times(shared, make_raster):
    path = shared / "rasters" / "netcdf_time" / "coads_sst.nc"
    made_path = make_raster({"climate": path}, {"bands": ["SST", "AIRT"], "format": "NetCDF"})
    with netCDF4.Dataset(path) as source, netCDF4.Dataset(made_path) as made:
        assert [name for name in made.variables if name in source.variables] == ["SST", "AIRT"]
        assert made["SST"].shape == source["SST"].shape
        ours = netCDF4.num2date(made["time"][:], made["time"].units)
        theirs = netCDF4.num2date(source["TIME"][:], source["TIME"].units, source["TIME"].calendar)
        assert [f"{time:%Y-%m-%d %H}" for time in ours] == [f"{time:%Y-%m-%d %H}" for time in theirs]
        row = int(np.abs(source["COADSY"][:] - made["latitude"][0]).argmin())
        column = int(np.abs((source["COADSX"][:] - made["longitude"][0]) % 360).argmin())
        for variable in ("SST", "AIRT"):
            assert np.ma.allequal(made[variable][:, 0, 0], source[variable][:, row, column])
            assert made[variable][:].count() == source[variable][:].count()


def test_given_resolution_gives_that_pixel_size(shared, make_raster):
    path = shared / "rasters" / S2 / "B01.tif"
    made_path = make_raster({"B01": path}, {"resolution": 1200.0, "resampling": "average"})
    with rasterio.open(path) as source, rasterio.open(made_path) as made:
        assert made.res == (1200.0, 1200.0)
        expected = plain(source, made.crs, made.transform, made.shape, "average", 0)
        assert np.array_equal(made.read(), expected)
