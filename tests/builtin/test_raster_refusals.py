"""What the raster processor does not make, and what it says then."""

from __future__ import annotations

import pytest

from oseo_lab.builtin.raster_options import OPTIONS, SCENE_OPTIONS
from oseo_lab.builtin.raster_result import safe_name
from oseo_lab.model.job import Asset, FailureClass
from oseo_lab.model.options import ParameterData, check_selections, selected
from oseo_lab.ports import ProcessingFailed


@pytest.fixture
def rgb(shared):
    return {"rgb": shared / "rasters" / "RGB.byte.tif"}


def test_area_beside_the_scene_is_explained_with_both_extents(rgb, make_raster, rectangle):
    with pytest.raises(ProcessingFailed, match="does not touch the scene") as failed:
        make_raster(rgb, {"crs": "EPSG:4326"}, rectangle(10, 40, 11, 41))
    assert failed.value.failure_class is FailureClass.PERMANENT
    assert "x 10 to 11, y 40 to 41" in failed.value.reason
    assert "x -78.9586" in failed.value.reason
    assert "EPSG:4326" in failed.value.reason


def test_unknown_bands_are_all_named_with_those_there_are(rgb, make_raster):
    with pytest.raises(ProcessingFailed, match=r"'B99', 'B98'.*has: rgb_1, rgb_2, rgb_3"):
        make_raster(rgb, {"bands": ["B99", "rgb_1", "B98"]})


def test_epsg_code_that_nobody_defined_is_a_bad_request(rgb, make_raster):
    with pytest.raises(ProcessingFailed, match="EPSG:99999 is not") as failed:
        make_raster(rgb, {"crs": "EPSG:99999"})
    assert failed.value.failure_class is FailureClass.BAD_REQUEST


@pytest.mark.parametrize("crs", ["/etc/passwd", "EPSG:4326 +foo", "http://example.org/crs", "EPSG:"])
def test_free_text_never_reaches_proj(crs, rgb, make_raster):
    with pytest.raises(ProcessingFailed, match="crs is EPSG: and digits"):
        make_raster(rgb, {"crs": crs})


@pytest.mark.parametrize(
    "location",
    [
        "NETCDF:scene.nc:SST",
        "/vsizip/scene.zip/a.tif",
        "GTIFF_DIR:1:scene.tif",
        "WMS:http://x/a.tif",
        "ftp://x/a.tif",
    ],
)
def test_locations_that_instruct_gdal_are_refused(location, make_raster):
    asset = Asset(name="a", href=location, media_type="image/tiff")
    with pytest.raises(ProcessingFailed, match="neither a file nor a URL"):
        make_raster({"a": location}, assets=(asset,))


def test_vrt_disguised_as_tiff_is_not_opened(shared, tmp_path, make_raster):
    secret = shared / "rasters" / "RGB.byte.tif"
    trap = tmp_path / "trap.tif"
    trap.write_text(
        '<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(ProcessingFailed, match="cannot be read as a raster"):
        make_raster({"trap": trap})


def test_file_cut_short_fails_for_good_with_a_sentence(rgb, tmp_path, make_raster):
    cut = tmp_path / "cut.tif"
    cut.write_bytes(rgb["rgb"].read_bytes()[:900_000])
    with pytest.raises(ProcessingFailed, match=r"cut\.tif cannot be read as a raster") as failed:
        make_raster({"cut": cut})
    assert failed.value.failure_class is FailureClass.PERMANENT


def test_file_with_damaged_pixels_fails_for_good_with_a_sentence(shared, tmp_path, make_raster):
    good = shared / "rasters" / "sentinel2_S2A_34SGA_20200318_0_L2A" / "TCI.tif"
    content = bytearray(good.read_bytes())
    content[900_000:1_000_000] = b"\xff" * 100_000
    bad = tmp_path / "bad.tif"
    bad.write_bytes(content)
    with pytest.raises(ProcessingFailed, match="damaged or cut short") as failed:
        make_raster({"bad": bad}, {"crs": "EPSG:4326"})
    assert failed.value.failure_class is FailureClass.PERMANENT
    assert failed.value.detail


def test_product_without_rasters_says_so(tmp_path, make_raster):
    note = tmp_path / "note.txt"
    note.write_text("hello")
    with pytest.raises(ProcessingFailed, match="no raster file among its assets: note"):
        make_raster({"note": note})


def test_previews_are_not_delivered_as_data(rgb, make_raster):
    assets = (
        Asset(name="rgb", href="", roles=("data",)),
        Asset(name="preview", href="", media_type="image/tiff", roles=("thumbnail",)),
    )
    make_raster({**rgb, "preview": rgb["rgb"]}, assets=assets)
    names = [band["name"] for band in make_raster.products[0].properties["bands"]]
    assert names == ["rgb_1", "rgb_2", "rgb_3"]


def test_scene_without_crs_cannot_be_reprojected(shared, make_raster):
    with pytest.raises(ProcessingFailed, match="has no coordinate reference system"):
        make_raster({"rotated": shared / "rasters" / "rotated.tif"}, {"crs": "EPSG:4326"})


def test_resolution_meant_for_another_crs_is_refused_before_it_fills_the_disk(rgb, make_raster):
    with pytest.raises(ProcessingFailed, match="choose a coarser resolution"):
        make_raster(rgb, {"resolution": 0.0001})


def test_polygon_that_crosses_itself_is_refused(rgb, make_raster):
    points = [(-78.0, 24.0), (-77.0, 25.0), (-77.0, 24.0), (-78.0, 25.0)]
    ring = [{"latitude": y, "longitude": x} for x, y in points]
    with pytest.raises(ProcessingFailed, match="crosses itself"):
        make_raster(rgb, {}, {"sceneBoundingPolygon": ring})


def test_rectangle_and_polygon_together_are_refused(rgb, make_raster, rectangle):
    scene = rectangle(-78, 24, -77, 25)
    scene["sceneBoundingPolygon"] = [*scene["sceneBoundingRectangle"], {"latitude": 24, "longitude": -77}]
    with pytest.raises(ProcessingFailed, match="not both"):
        make_raster(rgb, {}, scene)


def test_every_option_has_a_preset_value_or_may_be_left_out():
    assert not [option.name for option in (*OPTIONS, *SCENE_OPTIONS) if option.required]
    assert all(option.component.description for option in (*OPTIONS, *SCENE_OPTIONS))
    assert selected(OPTIONS, ()) == {
        "format": "COG",
        "crs": "native",
        "resampling": "bilinear",
        "dataType": "native",
        "scaling": "none",
    }


def test_area_travels_as_points_and_bands_as_names():
    point = (("latitude", "24.2"), ("longitude", "-78"))
    chosen = ParameterData(
        values=(
            ("sceneBoundingRectangle", (("point", point), ("point", point))),
            ("areaCrs", "EPSG:4326"),
        )
    )
    assert not list(check_selections({each.name: each for each in SCENE_OPTIONS}, [chosen]))
    assert selected(SCENE_OPTIONS, [chosen])["sceneBoundingRectangle"][0] == {
        "latitude": 24.2,
        "longitude": -78.0,
    }
    bands = ParameterData(values=(("bands", (("band", "B04"), ("band", "B08"))),))
    assert selected(OPTIONS, [bands])["bands"] == ["B04", "B08"]


@pytest.mark.parametrize(
    ("identifier", "stem"),
    [
        ("S2A_34SGA_20200318", "S2A_34SGA_20200318"),
        ("../../etc/passwd", "etc_passwd"),
        ("urn:eop:a b", "urn_eop_a_b"),
        ("-rf", "product-rf"),
        ("…", "product"),
        ("x" * 200, "x" * 80),
    ],
)
def test_file_names_are_made_of_safe_letters(identifier, stem):
    assert safe_name(identifier) == stem
