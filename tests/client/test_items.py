"""Handles of items: what they say, what they open, what tells apart results that do not fit together."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest

from oseo_lab.client.area import as_area
from oseo_lab.client.opening import How, open_dataset
from oseo_lab.model.errors import ConfigurationError, DeliveryError, ValidationError
from oseo_lab.model.status import Status

GOOD = ["SCENE_A", "SCENE_B"]


@pytest.fixture(scope="module")
def partly(services):
    """An order of two good scenes and a damaged one, final."""
    from tests.client.conftest import make_lab

    lab = make_lab(services, "items")
    return lab.order([*GOOD, "SCENE_X"], "partly", "scenes").submit().wait(60)


def test_a_handle_says_what_there_is_to_say(partly):
    item = partly.items["SCENE_A"]
    assert (item.id, item.identifier, item.number, item.status) == ("SCENE_A", "SCENE_A", 1, Status.COMPLETED)
    (file,) = item.files
    assert file.name == "SCENE_A.tif" and file.size == item.size > 1000 and file.path is None
    assert item.path == file.url and item.checksum.sha256 == file.checksum and len(item.checksum.short) == 8
    damaged = partly.items["SCENE_X"]
    assert damaged.is_failed and "cannot be read" in damaged.reason and "cannot be read" in repr(damaged)
    for act in (damaged.open, damaged.download, lambda: damaged.files, damaged.plot):
        with pytest.raises(DeliveryError, match=r"SCENE_X was not delivered: .*cannot be read"):
            act()


def test_a_handle_shows_itself_without_asking(partly):
    item = partly.items["SCENE_X"]
    html = item._repr_html_()
    assert "✖ Failed" in html and "cannot be read" in html and "<script" not in html
    assert "not yet" in partly.items["SCENE_A"]._repr_html_()


def test_items_are_sliced_filtered_and_found(partly):
    items = partly.items
    assert [each.id for each in items[:2]] == GOOD and [each.id for each in items.failed] == ["SCENE_X"]
    assert items[-1].id == "SCENE_X" and [each.id for each in items[1:].succeeded] == ["SCENE_B"]
    assert repr(items.failed) == "1 item: 1 Failed"
    assert repr(items) == "3 items: 2 Completed · 1 Failed" and "SCENE_X" in items._repr_html_()
    with pytest.raises(KeyError, match="'SCENE_Y' is not one of these items"):
        items["SCENE_Y"]


def test_items_are_a_table(partly):
    table = partly.items.table()
    assert list(table.index) == [*GOOD, "SCENE_X"]
    assert list(table.columns) == [
        *("product", "status", "why", "failure", "who", "can_retry", "attempts", "next_try")
    ]
    assert list(table["failure"].dropna()) == ["permanent at source"]
    assert list(table["who"]) == ["dispatcher"] * 3
    assert list(table["status"]) == ["Completed", "Completed", "Failed"]
    assert list(table["can_retry"]) == [False, False, False]  # a damaged source stays damaged
    assert str(table["next_try"].dtype).startswith("datetime64") and list(table["attempts"]) == [1, 1, 1]


def test_items_are_footprints(partly, tmp_path):
    partly.download(tmp_path)
    frame = partly.to_gdf()
    assert list(frame["item"]) == [*GOOD, "SCENE_X"] and frame.crs.to_epsg() == 4326
    assert frame.geometry.notna().tolist() == [True, True, False]
    assert [each.day for each in frame["datetime"][:2]] == [1, 11]
    assert frame["href"][0] == str(tmp_path / "partly" / "SCENE_A" / "SCENE_A.tif")
    assert frame["checksum"][0] == partly.items[0].checksum


def test_one_item_is_downloaded_opened_there_and_checked_later(partly, tmp_path):
    item = partly.refresh().known_items["SCENE_B"]
    (path,) = item.download(tmp_path)
    assert path == item.path == tmp_path / "partly" / "SCENE_B" / "SCENE_B.tif"
    assert repr(item.verify()) == "2 ok, 0 changed, 0 missing"
    assert item.open().sizes == {"y": 128, "x": 128}
    path.write_bytes(b"not what was promised")
    assert item.verify().changed == (path,)
    assert partly.verify(tmp_path).changed == (path,)
    with pytest.raises(DeliveryError, match="nothing was downloaded"):
        partly.verify(tmp_path / "partly" / "SCENE_A")


def test_a_pickled_handle_keeps_what_it_opens(partly, tmp_path):
    item = partly.items["SCENE_A"]
    item.download(tmp_path)
    again = pickle.loads(pickle.dumps(item))
    assert repr(again) == repr(item) and again.path == item.path and again.checksum == item.checksum
    np.testing.assert_array_equal(again.open()["B02"].values, item.open()["B02"].values)
    with pytest.raises(ConfigurationError, match="came from elsewhere"):
        again.refresh()
    failed = pickle.loads(pickle.dumps(partly.items["SCENE_X"]))
    with pytest.raises(DeliveryError, match="SCENE_X was not delivered"):
        failed.open()


def test_what_succeeded_is_opened_though_not_all_did(partly):
    there = partly.items.succeeded
    assert [each.path for each in there]
    item = there[0]
    assert sorted(each.properties["oseo:item"] for each in there.to_stac()) == GOOD
    assert {each.properties["order:id"] for each in partly.to_stac()} == {partly.id}
    (asset,) = there.to_stac()[0].assets.values()
    assert asset.extra_fields["file:size"] == item.size
    assert asset.extra_fields["file:checksum"] == f"1220{item.checksum}"
    with pytest.raises(DeliveryError, match=r"SCENE_X: .*cannot be read"):
        partly.failed.to_xarray()


def test_what_differs_between_grids_is_told(lab, tmp_path):
    draft = lab.order(GOOD, collection="scenes", name="two grids")
    draft.items["SCENE_B"].options.resolution = 20
    order = draft.submit().wait(60, check=True)
    order.download(tmp_path)
    with pytest.raises(DeliveryError) as told:
        order.to_xarray()
    assert "2 different grids" in str(told.value) and "EPSG:32632, pixels of 20" in str(told.value)
    assert order.items["SCENE_B"].open().sizes == {"y": 64, "x": 64}


def test_what_differs_between_bands_is_told_and_what_is_common_opened(lab, tmp_path):
    draft = lab.order(GOOD, collection="scenes", name="two bands")
    draft.items["SCENE_B"].options.bands = ["B03"]
    order = draft.submit().wait(60, check=True)
    order.download(tmp_path)
    with pytest.raises(DeliveryError, match=r"different bands .*to_xarray\(bands=\['B03'\]\)"):
        order.to_xarray()
    assert list(order.to_xarray(bands=["B03"]).data_vars) == ["B03"]
    with pytest.raises(ValidationError, match=r"no band B09; it has: B02, B03"):
        order.items["SCENE_A"].open(bands=["B09"])


def test_attributes_say_what_was_done(lab, tmp_path):
    draft = lab.order(
        ["SCENE_A"], "done to", "scenes", area=(600100, 4999000, 600500, 4999500), area_crs=32632
    )
    draft.options.update(crs="EPSG:3035", format="GeoTIFF")
    order = draft.submit().wait(60, check=True)
    order.download(tmp_path)
    attrs = order.items[0].open().attrs
    assert attrs["processing"] == "clipped → to EPSG:3035 → GeoTIFF"
    assert (attrs["order_name"], attrs["collection"]) == ("done to", "scenes")


@pytest.mark.parametrize(
    ("library", "act", "extra"),
    [
        ("rioxarray", lambda order: order.items[0].open(), "xarray"),
        ("geopandas", lambda order: order.to_gdf(), "notebook"),
        ("pandas", lambda order: order.items.table(), "notebook"),
        ("matplotlib", lambda order: order.items.plot(), "notebook"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(partly, monkeypatch, library, act, extra):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match=rf"needs {library}: pip install 'oseo-lab\[{extra}\]'"):
        act(partly)


@pytest.mark.parametrize("draw", [lambda order: order.items[0].plot(), lambda order: order.plot()])
def test_all_libraries_that_a_picture_needs_are_named_at_once(partly, monkeypatch, draw):
    for library in ("matplotlib", "rioxarray"):
        monkeypatch.setitem(sys.modules, library, None)
    said = r"needs matplotlib and rioxarray: pip install 'oseo-lab\[notebook,xarray\]'"
    with pytest.raises(ConfigurationError, match=said):
        draw(partly)


def test_a_whole_order_in_one_package_is_told_from_its_items(lab):
    order = lab.order(["SCENE_A"], "packed", "scenes", packaging="zip").submit().wait(60, check=True)
    with pytest.raises(DeliveryError, match="unpack"):
        order.items[0].open()


def test_tiles_of_one_day_become_one_map_where_asked_for(lab, tmp_path):
    draft = lab.order(["SCENE_A"], collection="scenes", name="tiles")
    draft.area = as_area((600000, 4999640, 600640, 5000000), 32632)
    left = draft.submit().wait(60, check=True)
    draft.area = as_area((600640, 4998800, 601280, 4999700), 32632)
    draft.name = "other tiles"
    right = draft.submit().wait(60, check=True)
    for each in (left, right):
        each.download(tmp_path)
    items = [each.items[0].parcel().stac(each.items[0].place) for each in (left, right)]
    apart, whole = open_dataset(items, How()), open_dataset(items, How(mosaic=True))
    assert (apart.sizes["time"], whole.sizes["time"]) == (2, 1)
    assert int(whole["B02"].notnull().sum()) == int(apart["B02"].notnull().sum())
    assert whole["B02"].chunks is not None and whole.rio.crs.to_epsg() == 32632
    assert whole["y"][0] > whole["y"][-1] and whole["x"][0] < whole["x"][-1]
    np.testing.assert_array_equal(whole["B02"].isel(time=0), apart["B02"].max("time"))
