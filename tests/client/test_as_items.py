"""Products as scientists have them at hand, and found products as their libraries want them."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.client.area import as_area
from oseo_lab.client.as_items import as_items
from oseo_lab.client.found import Found
from oseo_lab.model.errors import ConfigurationError, ValidationError
from oseo_lab.model.job import Asset, CatalogueItem

GOOD = ["SCENE_A", "SCENE_B"]


def feature(name: str, **more: object) -> dict[str, object]:
    return {"type": "Feature", "id": name, "geometry": None, "properties": {"datetime": None}, **more}


def products() -> Found:
    return Found(
        "scenes",
        [
            CatalogueItem(
                identifier="SCENE_A",
                collection_id="scenes",
                assets=(Asset(name="data", href="a.tif", roles=("data",), size=2_500_000, bands=("B02",)),),
                bbox=(10.0, 45.0, 11.0, 46.0),
                datetime=datetime(2024, 6, 7, 10, 20, tzinfo=UTC),
                properties={"eo:cloud_cover": 4.4, "platform": "demo"},
            ),
            CatalogueItem(
                identifier="SCENE_B", collection_id="scenes", orderable=False, reason="in the archive <4 h>"
            ),
        ],
    )


@pytest.mark.parametrize(
    "text",
    [
        "id,cloud\nSCENE_A,4\nSCENE_B,9\n",
        "cloud;productId\n4;SCENE_A\n9;SCENE_B\n\n",
        "Product_ID\tdate\nSCENE_A\t2024\nSCENE_B\t2024\n",
        "SCENE_A\nSCENE_B\n",
        "\ufeffidentifier\n SCENE_A \n\nSCENE_B",
    ],
)
def test_csv_is_read_by_the_name_of_its_column(text, tmp_path):
    path = tmp_path / "products.csv"
    path.write_text(text)
    assert as_items(path) == as_items(str(path)) == GOOD
    assert as_items(text.removeprefix("\ufeff"), "scenes") == GOOD


def test_a_column_that_tells_nothing_is_told():
    with pytest.raises(ValidationError, match="no column holds identifiers: name, cloud; call it id"):
        as_items("name,cloud\nSCENE_A,4\n")


def test_a_table_with_collections_says_where_from():
    found = as_items("identifier,collection\nSCENE_A,scenes\nSCENE_B,\n")
    assert [getattr(each, "collection_id", each) for each in found] == ["scenes", "SCENE_B"]


def test_columns_and_tables_of_pandas():
    pandas = pytest.importorskip("pandas", reason="the extra notebook is not installed")
    frame = pandas.DataFrame({"cloud": [1, 2, 3], "id": [*GOOD, None]})
    assert as_items(frame) == as_items(frame["id"][:2]) == as_items(frame.set_index("id")[:2]) == GOOD
    assert as_items(pandas.Series([17, 18])) == ["17", "18"]


def test_pystac_items_bring_what_they_know():
    pystac = pytest.importorskip("pystac")
    moment = datetime(2024, 6, 7, tzinfo=UTC)
    items = [pystac.Item(each, None, None, moment, {"eo:cloud_cover": 3}) for each in GOOD]
    assert as_items(pystac.ItemCollection(items), "scenes") == GOOD and as_items(items[0]) == ["SCENE_A"]
    for each in items:
        each.collection_id = "scenes"
    found = as_items(items)
    assert [(each.identifier, each.collection_id) for each in found] == [(each, "scenes") for each in GOOD]
    assert found[0].properties["eo:cloud_cover"] == 3
    asked = SimpleNamespace(item_collection=lambda: pystac.ItemCollection(items))
    assert [each.identifier for each in as_items(asked)] == GOOD


def test_results_of_eodag_are_known_by_what_they_have():
    found = [
        SimpleNamespace(properties={"id": each, "title": "x"}, product_type="S2_MSI_L2A", geometry=None)
        for each in GOOD
    ]
    assert as_items(found, "scenes") == GOOD
    assert {each.collection_id for each in as_items(iter(found))} == {"S2_MSI_L2A"}


def test_geojson_is_read_from_text_and_files(tmp_path):
    collection = {"type": "FeatureCollection", "features": [feature(each) for each in GOOD]}
    path = tmp_path / "found.geojson"
    path.write_text(json.dumps(collection))
    assert as_items(collection) == as_items(path) == GOOD
    nameless = feature("", properties={"productIdentifier": "SCENE_A"})
    assert as_items(nameless) == ["SCENE_A"]
    with pytest.raises(ValidationError, match="a feature has no id"):
        as_items(feature(""))


def test_what_was_found_goes_round():
    found = products()
    assert as_items(found) == list(found) and as_items(iter(found)) == list(found)
    assert as_items(found.__geo_interface__, "scenes") == GOOD
    pytest.importorskip("geopandas", reason="the extra notebook is not installed")
    assert as_items(found.table()) == GOOD
    assert [each.identifier for each in as_items(found.to_gdf())] == GOOD
    assert [each.identifier for each in as_items(found.to_stac())] == GOOD


@pytest.mark.parametrize("wrong", [7, [7], [None], object(), {"type": "Point"}, 3.5, [[GOOD]], True])
def test_what_is_no_product_is_told_with_what_is_allowed(wrong):
    with pytest.raises(ValidationError, match=r"is no product; allowed: what lab\.search"):
        as_items(wrong)


@pytest.mark.parametrize("name", ["missing.csv", "missing.geojson"])
def test_a_file_that_is_not_there_is_told(name, tmp_path):
    with pytest.raises(ValidationError, match=rf"{name} cannot be read"):
        as_items(str(tmp_path / name))
    (tmp_path / name).write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(ValidationError, match=r"cannot be read|is no JSON"):
        as_items(tmp_path / name)


_NAMES = st.text(st.characters(categories=("L", "N"), include_characters="-_."), min_size=1, max_size=30)


@given(st.lists(_NAMES.filter(lambda each: each.lower() not in ("id", "product", "scene")), min_size=2))
def test_any_identifiers_survive_a_list_and_a_file(names):
    assert as_items(names) == names
    assert as_items("id\n" + "\n".join(names)) == names


def test_orders_take_them(lab, tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("identifier,why\nSCENE_A,clear\nSCENE_B,clear\n")
    draft = lab.order(path, collection="scenes")
    assert [each.identifier for each in draft.items] == GOOD
    assert [each.identifier for each in lab.order(lab.search("scenes").to_stac()).items][:2]
    empty = lab.order([], collection="scenes")
    assert empty.items.add(feature("SCENE_A", collection="elsewhere")).identifier == "SCENE_A"
    assert len(empty.items.extend(path)) == 2 and len(empty.items) == 2
    with pytest.raises(ValidationError, match=r"is 2 products; draft\.items\.extend"):
        empty.items.add(path)


def test_found_products_say_whether_they_can_be_ordered():
    pytest.importorskip("geopandas", reason="the extra notebook is not installed")
    found = products()
    table = found.table()
    assert list(table.columns) == ["date", "cloud", "size", "can_be_ordered", "why_not"]
    assert table.loc["SCENE_A", "size"] == 2_500_000 and table.loc["SCENE_A", "cloud"] == 4.4
    assert table.loc["SCENE_B", "why_not"] == "in the archive <4 h>"
    frame = found.to_gdf()
    assert frame.geometry[0].bounds == (10.0, 45.0, 11.0, 46.0) and frame.geometry[1] is None
    html = found._repr_html_()
    assert "2.5 MB" in html and "4 %" in html and "no: in the archive &lt;4 h&gt;" in html


def test_found_products_are_stac_and_geojson():
    pystac = pytest.importorskip("pystac")
    first, second = products().to_stac()
    assert first.id == "SCENE_A" and first.bbox == [10.0, 45.0, 11.0, 46.0]
    assert first.assets["data"].extra_fields["file:size"] == 2_500_000
    assert second.geometry is None and isinstance(second, pystac.Item)
    shape = pytest.importorskip("shapely.geometry").shape
    interface = products().__geo_interface__
    assert shape(interface["features"][0]["geometry"]).area == 1.0
    assert json.loads(json.dumps(interface))["features"][1]["properties"]["can_be_ordered"] is False


def test_without_pandas_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        ConfigurationError, match=r"products\.table\(\) needs pandas: pip install 'oseo-lab\[note"
    ):
        products().table()


def test_an_area_that_no_product_touches_is_refused_and_exchanged_axes_are_suspected(lab):
    found = [each for each in products() if each.identifier == "SCENE_A"]
    with pytest.raises(ValidationError, match=r"touches none .*were latitude and longitude exchanged\?"):
        lab.order(found, area=(45.2, 10.2, 45.4, 10.4))
    with pytest.raises(ValidationError, match=r"lie in \(10.0, 45.0, 11.0, 46.0\): .*deliver$"):
        lab.order(found, area=(80.2, 10.2, 80.4, 10.4))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("wide.csv", b'id\n"' + b"x" * 200_000 + b'"\n'),
        ("features.geojson", b'{"type": "FeatureCollection", "features": 7}'),
        ("nested.geojson", b'{"type": "FeatureCollection", "features": [{"type": "FeatureCollection"}]}'),
        ("record.geojson", b'{"type": "Feature", "id": {"a": 1}}'),
        ("nan.geojson", b'{"type": "Feature", "id": NaN}'),
        ("deep.json", b"[" * 200_000),
        ("huge.csv", None),
    ],
)
def test_files_that_mean_no_good_are_one_readable_error(tmp_path, name, content):
    path = tmp_path / name
    if content is None:
        with path.open("wb") as opened:
            opened.truncate(10**11)
    else:
        path.write_bytes(content)
    with pytest.raises(ValidationError):
        as_items(path)


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "nul"])
def test_what_never_ends_is_not_read(tmp_path, kind):
    for name, read, says in (("a.csv", as_items, "cannot be read"), ("a.json", as_area, "there is no file")):
        path = tmp_path / (f"\0{name}" if kind == "nul" else name)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind != "nul":
            path.symlink_to(kind)
        with pytest.raises(ValidationError, match=says):
            read(path)


@pytest.mark.parametrize("bbox", ["abcd", [1, 2, "x", 4], 7, {"a": 1}])
def test_a_box_that_is_none_is_left_out(bbox):
    feature = {"type": "Feature", "id": "a", "collection": "c", "bbox": bbox, "geometry": None}
    (found,) = as_items(feature)
    assert (found.identifier, found.bbox) == ("a", None)
