"""The folder catalogue, over real rasters and over folders that change while it looks."""

from __future__ import annotations

import json
import os
import pickle
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from oseo_lab.builtin import catalogue_folder
from oseo_lab.builtin.catalogue_folder import FolderCatalogue
from oseo_lab.builtin.catalogue_items import CatalogueFailed
from oseo_lab.model.errors import Unavailable, ValidationError
from oseo_lab.ports import CatalogueQuery, ProcessingFailed


def write(
    path: Path, *, tags: dict[str, str] | None = None, east: float = 500000, bands: Any = ("red",)
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=10,
        height=10,
        count=len(bands),
        dtype="uint8",
        crs="EPSG:32632",
        transform=Affine(100.0, 0.0, east, 0.0, -100.0, 5000000.0),
    ) as target:
        target.write(np.ones((len(bands), 10, 10), dtype="uint8"))
        target.descriptions = bands
        target.update_tags(**(tags or {}))
    return path


def catalogue(folder: Path, **settings: Any) -> FolderCatalogue:
    return FolderCatalogue("c", {"href": str(folder), **settings})


def names(found: Any) -> list[str]:
    return [item.identifier for item in found[0]]


# -------------------------------------------------------------------------------------------- real rasters


def test_real_rasters_are_products(shared: Path) -> None:
    found = {item.identifier: item for item in catalogue(shared / "rasters").search(CatalogueQuery())[0]}

    assert {"RGB.byte", "shade", "rotated", "float_nan", "dem_swiss_lv95", "netcdf_time"} <= found.keys()
    assert all(item.orderable for item in found.values())
    swiss = found["dem_swiss_lv95"]
    assert swiss.bbox == pytest.approx((7.089, 45.917, 7.102, 45.926), abs=0.002)
    assert swiss.properties["proj:code"] == "EPSG:2056"


def test_a_landsat_folder_is_one_product_with_its_stac_item(shared: Path) -> None:
    name = "landsat8_LC08_L2SP_005009_20150710_20200908_02_T2"
    item = catalogue(shared / "rasters").find([name])[name]

    data = {asset.name for asset in item.assets if "data" in asset.roles}
    assert {"SR_B2.TIF", "SR_B5.TIF", "ST_B10.TIF", "QA_PIXEL.TIF"} <= data
    assert item.datetime == datetime(2015, 7, 10, tzinfo=UTC)
    assert item.thumbnail is not None and item.thumbnail.endswith(".jpeg")
    assert all(Path(asset.href).is_relative_to(shared / "rasters") for asset in item.assets)


def test_ground_control_points_give_a_footprint(shared: Path) -> None:
    item = catalogue(shared / "rasters").find(["sentinel1_grd_gcps"])["sentinel1_grd_gcps"]

    assert item.datetime == datetime(2018, 7, 16, 6, 6, 23, tzinfo=UTC)
    assert item.bbox is not None and 75 < item.bbox[0] < item.bbox[2] < 79


def test_an_item_in_the_folder_gives_time_and_footprint(shared: Path) -> None:
    name = "sentinel2_S2A_34SGA_20200318_0_L2A"
    item = catalogue(shared / "rasters").find([name])[name]

    assert item.datetime == datetime(2020, 3, 18, 9, 11, 33, tzinfo=UTC)
    assert sorted(asset.name for asset in item.assets) == ["B01", "B09", "TCI"]
    assert item.orderable, "the item's own hrefs point elsewhere; the files that count lie in the folder"


# --------------------------------------------------------------------------------------------------- times


def test_time_comes_from_the_item_then_tags_then_name_then_the_file(tmp_path: Path) -> None:
    write(tmp_path / "told_20200101.tif", tags={"ACQUISITION_DATE": "2021-02-03T04:05:06Z"})
    write(tmp_path / "tagged_20200101.tif", tags={"TIFFTAG_DATETIME": "2021:02:03 04:05:06"})
    write(tmp_path / "named_20200102T030405_x.tif")
    write(tmp_path / "dashed-2020-01-02.tif")
    write(tmp_path / "plain99999999.tif")
    os.utime(tmp_path / "plain99999999.tif", (1_500_000_000, 1_500_000_000))
    stac = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "x",
        "properties": {"datetime": "2019-01-01T00:00:00Z"},
    }
    (tmp_path / "told_20200101.json").write_text(json.dumps(stac))

    times = {item.identifier: item.datetime for item in catalogue(tmp_path).search(CatalogueQuery())[0]}

    assert times == {
        "told_20200101": datetime(2019, 1, 1, tzinfo=UTC),
        "tagged_20200101": datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC),
        "named_20200102T030405_x": datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
        "dashed-2020-01-02": datetime(2020, 1, 2, tzinfo=UTC),
        "plain99999999": datetime.fromtimestamp(1_500_000_000, UTC),
    }


# ------------------------------------------------------------------------------------------------- changes


def test_a_file_is_opened_again_only_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = catalogue_folder.read_facts

    def counting(path: Path) -> Any:
        opened.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(catalogue_folder, "read_facts", counting)
    write(tmp_path / "a.tif")
    write(tmp_path / "b.tif")
    found = catalogue(tmp_path)

    found.find(["a"])
    assert opened == ["a.tif"]
    found.search(CatalogueQuery())
    found.search(CatalogueQuery())
    assert opened == ["a.tif", "b.tif"]
    write(tmp_path / "b.tif", bands=("red", "nir"))
    assert found.find(["b"])["b"].assets[0].bands == ("red", "nir")
    (tmp_path / "a.tif").unlink()
    assert names(found.search(CatalogueQuery())) == ["b"]


def test_a_damaged_file_is_listed_with_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "broken_20240607.tif").write_bytes(b"II*\0 and then nothing")

    item = catalogue(tmp_path).find(["broken_20240607"])["broken_20240607"]

    assert item.orderable
    assert item.assets[0].size == 21
    assert (item.bbox, item.datetime) == (None, datetime(2024, 6, 7, tzinfo=UTC))


def test_a_link_out_of_the_folder_is_not_orderable_and_not_opened(tmp_path: Path) -> None:
    write(tmp_path / "secret" / "s.tif")
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "s.tif").symlink_to(tmp_path / "secret" / "s.tif")

    item = catalogue(tmp_path / "shown").find(["s"])["s"]
    assert (item.orderable, item.assets, item.bbox) == (False, (), None)
    assert item.reason is not None and "outside" in item.reason

    allowed = catalogue(tmp_path / "shown", root=str(tmp_path)).find(["s"])["s"]
    assert allowed.orderable


def test_identifiers_are_names_and_never_paths(tmp_path: Path) -> None:
    write(tmp_path / "in" / "p" / "x.tif")
    write(tmp_path / "out.tif")

    hostile = ["../out", "p/x", "/etc/passwd", "p/../p", "", ".", "..", "p\0", "/vsicurl/http://x"]
    assert catalogue(tmp_path / "in").find(hostile) == {}


def test_hidden_files_folders_without_rasters_and_virtual_rasters_are_no_products(tmp_path: Path) -> None:
    write(tmp_path / ".hidden.tif")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x")
    (tmp_path / "v.vrt").write_text("<VRTDataset/>")

    assert catalogue(tmp_path).search(CatalogueQuery()) == ([], None)


def test_a_folder_that_is_away_may_come_back(tmp_path: Path) -> None:
    for ask in (lambda c: c.find(["a"]), lambda c: c.search(CatalogueQuery())):
        with pytest.raises(CatalogueFailed) as failed:
            ask(catalogue(tmp_path / "away"))
        assert isinstance(failed.value, Unavailable)
        assert failed.value.failure_class.value == "transient"
        assert str(tmp_path) not in failed.value.reason
    sent = pickle.loads(pickle.dumps(failed.value))
    assert isinstance(sent, ProcessingFailed) and sent.reason == failed.value.reason


def test_many_threads_see_the_same(tmp_path: Path) -> None:
    for number in range(20):
        write(tmp_path / f"p{number:02}.tif")
    found = catalogue(tmp_path)
    answers: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(sorted(names(found.search(CatalogueQuery())))))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [[f"p{number:02}" for number in range(20)]] * 6


# ------------------------------------------------------------------------------------------------ searches


@pytest.fixture
def year(tmp_path: Path) -> Path:
    for month in range(1, 13):
        path = write(tmp_path / f"scene_2024{month:02}15.tif", east=300000 + 20000 * month)
        cloud = {
            "datetime": f"2024-{month:02}-15T10:00:00Z",
            "eo:cloud_cover": month * 8,
            "title": f"Month {month}",
        }
        stac = {"type": "Feature", "stac_version": "1.0.0", "id": "x", "properties": cloud}
        path.with_suffix(".json").write_text(json.dumps(stac))
    return tmp_path


def test_newest_first_and_a_cursor_that_survives_new_products(year: Path) -> None:
    found = catalogue(year)
    first, cursor = found.search(CatalogueQuery(limit=5))
    assert [item.identifier[-4:-2] for item in first] == ["12", "11", "10", "09", "08"]

    write(year / "scene_20241220.tif")
    write(year / "scene_20240101.tif")
    (year / "scene_20240815.tif").unlink()
    second, cursor = found.search(CatalogueQuery(limit=5, cursor=cursor))
    third, end = found.search(CatalogueQuery(limit=5, cursor=cursor))

    assert [item.identifier[-4:-2] for item in second] == ["07", "06", "05", "04", "03"]
    assert [item.identifier[-4:] for item in third] == ["0215", "0115", "0101"]
    assert end is None


@pytest.mark.parametrize("cursor", ["x", "!!", "bnVsbA", "W10", "WzEsMl0", "a" * 300])
def test_a_strange_cursor_is_refused(year: Path, cursor: str) -> None:
    with pytest.raises(ValidationError, match="cursor"):
        catalogue(year).search(CatalogueQuery(cursor=cursor))


@pytest.mark.parametrize(
    ("filters", "months"),
    [
        ({"cloud_cover": {"lt": 16}}, [1]),
        ({"cloud_cover": {"lte": 16}}, [2, 1]),
        ({"eo:cloud_cover": {"gt": 80, "lt": 95}}, [11]),
        ({"cloud_cover": {"gte": "88"}}, [12, 11]),
        ({"cloud_cover": 24}, [3]),
        ({"cloud_cover": {"lt": "cloudy"}}, []),
        ({"title": "Month 4"}, [4]),
        ({"datetime": {"lt": "2024-02-20T00:00:00+01:00"}}, [2, 1]),
        ({"nothing": 1}, []),
    ],
)
def test_property_filters(year: Path, filters: dict[str, Any], months: list[int]) -> None:
    found = catalogue(year).search(CatalogueQuery(filters=filters))
    assert names(found) == [f"scene_2024{month:02}15" for month in months]


def test_an_unknown_comparison_is_refused(year: Path) -> None:
    with pytest.raises(ValidationError, match="lt, lte, gt, gte, eq"):
        catalogue(year).search(CatalogueQuery(filters={"cloud_cover": {"like": 1}}))


def test_time_text_and_area(year: Path) -> None:
    found = catalogue(year)
    may = datetime(2024, 5, 15, 10, tzinfo=UTC)
    june = found.find(["scene_20240615"])["scene_20240615"]
    assert june.bbox is not None

    assert names(found.search(CatalogueQuery(start=may, end=may))) == ["scene_20240515"]
    assert names(found.search(CatalogueQuery(start=datetime(2024, 11, 1)))) == [
        "scene_20241215",
        "scene_20241115",
    ]
    assert names(found.search(CatalogueQuery(text="month SCENE 7"))) == ["scene_20240715"]
    assert names(found.search(CatalogueQuery(bbox=june.bbox))) == ["scene_20240615"]
    west, south, east, north = june.bbox
    touching = {"type": "Point", "coordinates": [(west + east) / 2, (south + north) / 2]}
    assert names(found.search(CatalogueQuery(geometry=touching))) == ["scene_20240615"]
    assert names(found.search(CatalogueQuery(geometry=touching, bbox=(0, 0, 1, 1)))) == []
    assert names(found.search(CatalogueQuery(bbox=(170, 40, -170, 50)))) == []


@pytest.mark.parametrize(
    "query",
    [
        CatalogueQuery(geometry={"type": "Nonsense"}),
        CatalogueQuery(geometry={"type": "Polygon", "coordinates": "x"}),
        CatalogueQuery(bbox=(0, 50, 10, 40)),
    ],
)
def test_an_area_that_is_none_is_refused(year: Path, query: CatalogueQuery) -> None:
    with pytest.raises(ValidationError):
        catalogue(year).search(query)


def test_what_is_still_being_copied_is_not_found_and_says_why_when_it_is_named(tmp_path: Path) -> None:
    for name in ("whole", "arriving"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.tif").write_bytes(b"II*\0")
    (tmp_path / "arriving" / "b.tif.part").write_bytes(b"II*\0")
    (tmp_path / "next.tif.tmp").write_bytes(b"II*\0")
    folder = catalogue(tmp_path)

    assert [each.identifier for each in folder.search(CatalogueQuery())[0]] == ["whole"]
    named = folder.find(["whole", "arriving"])
    assert named["whole"].orderable and "b.tif.part has a provisional name" in str(named["arriving"].reason)
    (tmp_path / "arriving" / "b.tif.part").rename(tmp_path / "arriving" / "b.tif")
    assert {each.identifier for each in folder.search(CatalogueQuery())[0]} == {"whole", "arriving"}


def test_a_product_must_have_lain_unchanged_where_the_operator_says_so(tmp_path: Path) -> None:
    for name in ("old.tif", "new.tif"):
        (tmp_path / name).write_bytes(b"II*\0")
    os.utime(tmp_path / "old.tif", (1, 1))
    folder = FolderCatalogue("c", {"href": str(tmp_path), "settle": 3600})

    assert [each.identifier for each in folder.search(CatalogueQuery())[0]] == ["old"]
    assert "still being copied, perhaps" in str(folder.find(["new"])["new"].reason)
