"""The static STAC catalogue, over real catalogues and items, and over files that change or attack."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from oseo_lab.builtin.catalogue_items import CatalogueFailed
from oseo_lab.builtin.catalogue_stac import StacCatalogue
from oseo_lab.ports import Catalogue, CatalogueQuery


def catalogue(href: Path, **settings: Any) -> StacCatalogue:
    return StacCatalogue("c", {"href": str(href), **settings})


def item(
    identifier: str, *, href: str = "./a.tif", time: str = "2024-06-07T10:00:00Z", **more: Any
) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": identifier,
        "geometry": {"type": "Point", "coordinates": [10.7, 45.6]},
        "bbox": [10.7, 45.6, 10.7, 45.6],
        "properties": {"datetime": time},
        "links": [],
        "assets": {"data": {"href": href, "roles": ["data"]}},
        **more,
    }


def static(folder: Path, items: list[dict[str, Any]], **more: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.tif").write_bytes(b"II*\0")
    links = [{"rel": "item", "href": f"./{each['id']}.json"} for each in items]
    for each in items:
        (folder / f"{each['id']}.json").write_text(json.dumps(each))
    start = {"type": "Catalog", "stac_version": "1.1.0", "id": "c", "links": links, **more}
    (folder / "catalog.json").write_text(json.dumps(start))
    return folder / "catalog.json"


# -------------------------------------------------------------------------------------------- real catalogues


@pytest.mark.parametrize("start", ["", "catalog.json"])
def test_a_real_static_catalogue(shared: Path, start: str) -> None:
    found = catalogue(
        shared / "catalog" / "stac" / "static-catalog-landsat8" / start, hosts=["s3-us-west-2.amazonaws.com"]
    )
    items, cursor = found.search(CatalogueQuery())

    assert [each.identifier for each in items] == [
        "LC80150332018189LGN00",
        "LC80300332018166LGN00",
        "LC80140332018166LGN00",
        "LC80150322018141LGN00",
    ]
    assert cursor is None
    assert all(each.orderable for each in items)
    by_name = {asset.name: asset for asset in items[0].assets}
    assert by_name["B3"].bands == ("B3",)
    assert by_name["B3"].href.startswith("https://s3-us-west-2.amazonaws.com/landsat-pds/")
    assert str(items[0].thumbnail).endswith("/LC08_L1TP_015033_20180708_20180717_01_T1_thumb_large.jpg")


def test_a_host_that_is_not_named_makes_products_not_orderable(shared: Path) -> None:
    items, _ = catalogue(shared / "catalog" / "stac" / "static-catalog-landsat8").search(CatalogueQuery())

    assert [(each.orderable, each.assets) for each in items] == [(False, ())] * 4
    assert "s3-us-west-2.amazonaws.com" in str(items[0].reason)


def test_every_real_item_is_read(shared: Path) -> None:
    folder = shared / "catalog" / "stac" / "items"
    expected = {json.loads(path.read_bytes())["id"] for path in folder.rglob("*.json")}
    found = catalogue(
        folder, hosts=["*"], schemes=["https", "http", "s3"], root=str(shared / "catalog" / "stac")
    )

    by_id = {each.identifier: each for each in found.search(CatalogueQuery(limit=1000))[0]}

    assert by_id.keys() == expected
    assert found.find(sorted(expected)).keys() == expected
    assert all(each.datetime and each.bbox and each.geometry for each in by_id.values())
    assert by_id["S1A_20200103_17RMJ_ASC"].orderable
    modis = by_id["MOD13Q1.A2022017.h12v11.061"]
    assert modis.datetime == datetime(2022, 1, 17, tzinfo=UTC), "an item without datetime has its start"


def test_an_old_item_of_a_beta_version_is_read(shared: Path) -> None:
    name = "S2A_28QCH_20200714_0_L2A"
    found = catalogue(shared / "catalog" / "stac" / "items" / "sentinel-2", hosts=["*.amazonaws.com"]).find(
        [name]
    )

    assets = {asset.name: asset for asset in found[name].assets}
    assert found[name].orderable
    assert assets["B04"].media_type == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert assets["B04"].bands == (), "it names none"


def test_feature_collections_are_catalogues_too(shared: Path) -> None:
    path = shared / "catalog" / "stac" / "search-responses" / "site2-2020_jun_jul-35MNM.geojson"
    found = catalogue(path, hosts=["*.blob.core.windows.net"])

    every: list[str] = []
    cursor = None
    while True:
        items, cursor = found.search(CatalogueQuery(limit=4, cursor=cursor))
        every += [each.identifier for each in items]
        if cursor is None:
            break
    assert len(every) == len(set(every)) == 13
    clear, _ = found.search(CatalogueQuery(filters={"cloud_cover": {"lt": 5}}))
    assert 0 < len(clear) < 13
    assert all(each.properties["eo:cloud_cover"] < 5 for each in clear)


def test_it_is_a_catalogue(tmp_path: Path) -> None:
    ask: Catalogue = catalogue(static(tmp_path, [item("a")]))
    assert ask.find(["a", "b"]).keys() == {"a"}


# ------------------------------------------------------------------------------------------------- reading


def test_only_the_files_named_after_the_wanted_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start = static(tmp_path, [item("a"), item("b")])
    (tmp_path / "a.json").write_text("{ broken")

    with caplog.at_level(logging.WARNING):
        assert catalogue(start).find(["b"]).keys() == {"b"}
        assert caplog.records == []
        items, _ = catalogue(start).search(CatalogueQuery())
    assert [each.identifier for each in items] == ["b"]
    assert "a.json is not read" in caplog.text


def test_new_and_changed_files_are_seen(tmp_path: Path) -> None:
    found = catalogue(static(tmp_path, [item("a")]))
    assert [each.identifier for each in found.search(CatalogueQuery())[0]] == ["a"]

    static(tmp_path, [item("a", time="2024-01-01T00:00:00+02:00"), item("new")])

    items, _ = found.search(CatalogueQuery())
    assert [each.identifier for each in items] == ["new", "a"]
    assert items[1].datetime == datetime(2023, 12, 31, 22, tzinfo=UTC)


def test_bands_that_no_item_names_come_from_the_file(tmp_path: Path) -> None:
    start = static(tmp_path, [item("a")])
    (tmp_path / "a.tif").unlink()
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        width=4,
        height=4,
        count=2,
        dtype="uint8",
        crs="EPSG:32632",
        transform=Affine(1.0, 0.0, 500000.0, 0.0, -1.0, 5000000.0),
    ) as target:
        target.write(np.ones((2, 4, 4), dtype="uint8"))
        target.descriptions = ("red", "nir")
    assets = catalogue(start).find(["a"])["a"].assets

    assert assets[0].bands == ("red", "nir")
    assert assets[0].size == (tmp_path / "a.tif").stat().st_size
    assert assets[0].href == str((tmp_path / "a.tif").resolve())


def test_a_missing_catalogue_is_a_failure_that_may_pass(tmp_path: Path) -> None:
    for ask in (lambda c: c.find(["a"]), lambda c: c.search(CatalogueQuery())):
        with pytest.raises(CatalogueFailed) as failed:
            ask(catalogue(tmp_path / "none.json"))
        assert failed.value.failure_class.value == "transient"
        assert failed.value.http_status == 503
        assert str(tmp_path) not in failed.value.reason


# --------------------------------------------------------------------------------------------------- attacks


def test_links_out_of_the_root_and_rings_of_links_are_not_followed(tmp_path: Path) -> None:
    static(tmp_path / "outside", [item("secret")])
    inside = tmp_path / "inside"
    start = static(
        inside,
        [item("a")],
        links=[
            {"rel": "child", "href": "../outside/catalog.json"},
            {"rel": "child", "href": "./catalog.json"},
            {"rel": "child", "href": "http://127.0.0.1:9/catalog.json"},
            {"rel": "item", "href": str(tmp_path / "outside" / "secret.json")},
            {"rel": "item", "href": "./link.json"},
            {"rel": "item", "href": "./a.json"},
            {"rel": "item", "href": 7},
            "nonsense",
        ],
    )
    (inside / "link.json").symlink_to(tmp_path / "outside" / "secret.json")

    items, _ = catalogue(start).search(CatalogueQuery())
    assert [each.identifier for each in items] == ["a"]


@pytest.mark.parametrize(
    "href",
    ["/etc/passwd", "../outside.tif", "/vsicurl/http://x/a.tif", 'NETCDF:"a.nc":x', "http://x.org/a.tif", ""],
)
def test_a_foreign_asset_is_a_reason_and_no_exception(tmp_path: Path, href: str) -> None:
    (tmp_path / "outside.tif").write_bytes(b"x")

    found = catalogue(static(tmp_path / "in", [item("a", href=href)])).find(["a"])["a"]

    assert (found.orderable, found.assets) == (False, ())
    assert found.reason is not None and "'data'" in found.reason
    assert str(tmp_path) not in found.reason


@pytest.mark.parametrize(
    "strange",
    [
        {"geometry": {"type": "Polygon", "coordinates": "x"}, "bbox": None},
        {"geometry": None, "bbox": ["a", 1]},
        {"properties": None},
        {"properties": {"datetime": 7}},
        {"assets": []},
        {"assets": {"data": "a.tif"}},
        {"assets": {"data": {"href": None, "roles": None, "type": 5, "eo:bands": "x", "file:size": -1}}},
        {"id": 7},
    ],
)
def test_strange_items_do_no_harm(tmp_path: Path, strange: dict[str, Any]) -> None:
    start = static(tmp_path, [{**item("a"), **strange}, item("b")])
    (tmp_path / "a.json").write_text(json.dumps({**item("a"), **strange}))
    found = catalogue(start)

    assert "b" in {each.identifier for each in found.search(CatalogueQuery())[0]}
    near = CatalogueQuery(bbox=(10, 45, 11, 46), filters={"cloud_cover": {"lt": 9}})
    assert found.search(near)[0] == []


def test_json_too_deep_to_read_is_left_out(tmp_path: Path) -> None:
    start = static(tmp_path, [item("a"), item("b")])
    (tmp_path / "a.json").write_text("[" * 200_000)

    assert [each.identifier for each in catalogue(start).search(CatalogueQuery())[0]] == ["b"]
