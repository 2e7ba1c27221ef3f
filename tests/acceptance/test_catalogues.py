"""What catalogues say can be ordered: the same products in a folder, static STAC, a STAC API and a real CSW.

One live service asks four catalogues of the same scenes; beside them stand the records and items that real
catalogues hold. The CSW is pycsw in a process and an environment of its own; rasters come over HTTP.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import rasterio

import oseo_lab as oseo
from oseo_lab.client.lab import Lab
from oseo_lab.model.status import Status
from tests.acceptance.serving import TOKEN, Server
from tests.peers import iso
from tests.peers.csw import Pycsw
from tests.peers.files import FileServer
from tests.peers.stac_api import StacServer

#: The catalogues that hold the same scenes.
SAME = ("folder", "static", "api", "csw")
SCENES = ("S2-DEMO_20240607", "S2-DEMO_20240622", "S2-DEMO_20240707", "S2-DEMO_20240930", "S2-DEMO_20241116")
REAL = "landsat-c2"
TOML = """
id = "{id}"
title = "{id}"
[processor]
use = "raster"
[products]
pattern = "[^/]+"
[catalogue]
{catalogue}
"""


@dataclass
class World:
    """The service, its catalogues and what they know."""

    lab: Lab
    server: Server
    csw: Pycsw
    api: StacServer
    files: FileServer

    def products(self, collection: str, **query: Any) -> dict[str, Any]:
        url = f"{self.server.url}oseo/api/v1/collections/{collection}/products"
        with self.server.client as client:
            return client.get(url, params=query).raise_for_status().json()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, demo: Path, shared: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("catalogues")
    scenes = folder / "collections" / "scenes"
    for each in SCENES:
        shutil.copytree(demo / "demo-s2" / each, scenes / each)
    real = [json.loads(path.read_bytes()) for path in sorted((shared / "catalog/stac/items").rglob("*.json"))]
    with FileServer(scenes) as files:
        items = [json.loads((scenes / each / f"{each}.json").read_bytes()) for each in SCENES]
        records = folder / "records"
        records.mkdir()
        for each in items:
            (records / f"{each['id']}.xml").write_text(
                iso.of_stac(each, files.url, "scenes"), encoding="utf-8"
            )
        (records / "map.xml").write_text(
            iso.record(
                "MAP",
                parent="others",
                box=(10, 45, 11, 46),
                resources=[iso.online("http://maps.example/wms?", "OGC:WMS", "map", "information")],
            ),
            encoding="utf-8",
        )
        official = shared / "catalog/csw"
        held = [records, *(official / f"records-{kind}" for kind in ("iso19139", "iso19139-nap", "dc"))]
        served = [_absolute(each, files.url) for each in items] + real
        collections = [
            json.loads(path.read_bytes()) for path in (shared / "catalog/stac/collections").glob("*")
        ]
        with Pycsw(folder / "pycsw", *held) as csw, StacServer(served, collections) as api:
            _write_collections(folder / "collections", csw, api)
            (folder / "data").mkdir()
            server = Server(folder / "data", collections=folder / "collections", executor="inline").start()
            try:
                yield World(oseo.connect(server.url, token=TOKEN), server, csw, api, files)
            finally:
                server.stop()


def _absolute(item: dict[str, Any], url: str) -> dict[str, Any]:
    """Return an item as an API would serve it: of a collection, with addresses."""
    assets = {
        name: each | {"href": f"{url}/{item['id']}/{each['href'].removeprefix('./')}"}
        for name, each in item["assets"].items()
    }
    return item | {"assets": assets, "collection": "scenes", "links": []}


def _write_collections(folder: Path, csw: Pycsw, api: StacServer) -> None:
    (folder / "scenes" / "catalog.json").write_text(
        json.dumps(
            {
                "type": "Catalog",
                "stac_version": "1.1.0",
                "id": "scenes",
                "description": "Scenes",
                "links": [{"rel": "item", "href": f"./{each}/{each}.json"} for each in SCENES],
            }
        )
    )
    catalogues = {
        "folder": 'use = "folder"\nhref = "scenes"',
        "static": 'use = "stac"\nhref = "scenes/catalog.json"',
        "api": f'use = "stac"\nhref = "{api.url}"\ncollection = "scenes"',
        "csw": f'use = "csw"\nhref = "{csw.url}"\nparent = "scenes"',
        "csw-dc": f'use = "csw"\nhref = "{csw.url}"\nschema = "dc"\nwhere = {{ "dc:subject" = "*optical*" }}',
        "everything": f'use = "csw"\nhref = "{csw.url}"',
        "real-dc": f'use = "csw"\nhref = "{csw.url}"\nschema = "dc"',
        "canada": f'use = "csw"\nhref = "{csw.url}"\nhosts = ["www.agr.gc.ca"]\n'
        'where = { "apiso:Title" = "*Watersheds*" }',
        "landsat": f'use = "stac"\nhref = "{api.url}"\ncollection = "landsat-c2-l2"\nhosts = ["*.usgs.gov"]',
        "sentinel": f'use = "stac"\nhref = "{api.url}"\ncollection = "sentinel-2-l2a"',
        "wrong": f'use = "csw"\nhref = "{csw.url}"\nwhere = {{ "apiso:Nonsense" = "x" }}',
        "away": 'use = "csw"\nhref = "http://127.0.0.1:9/csw"',
    }
    for name, text in catalogues.items():
        (folder / f"{name}.toml").write_text(TOML.format(id=name, catalogue=text), encoding="utf-8")


# ---------------------------------------------------------------------------------- one query, one answer


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "1116 0930 0707 0622 0607"),
        ({"area": (10.5, 45.6, 10.8, 45.7)}, "1116 0930 0707 0622 0607"),
        ({"area": (20.0, 45.6, 20.1, 45.7)}, ""),
        ({"area": "POLYGON((10.6 45.6, 10.7 45.6, 10.65 45.7, 10.6 45.6))"}, "1116 0930 0707 0622 0607"),
        ({"time": "2024-06"}, "0622 0607"),
        ({"time": "2024-06-07"}, "0607"),
        ({"time": "2024-07/2024-10"}, "0930 0707"),
        ({"time": "2025"}, ""),
        ({"text": "summer"}, "0707 0622 0607"),
        ({"text": "Summer CLEAR"}, "0707 0607"),
        ({"text": "S2-DEMO_20240930"}, "0930"),
        ({"cloud_cover_lt": 5}, "0707 0607"),
        ({"cloud_cover": (5, 30)}, "1116 0622"),
        ({"snow_cover_gt": 0.5, "time": "2024-06/2024-12"}, "1116"),
        ({"area": (10.5, 45.6, 10.8, 45.7), "time": "2024-06", "text": "clear", "cloud_cover_lt": 5}, "0607"),
        ({"limit": 2}, "1116 0930"),
    ],
    ids=str,
)
def test_one_query_has_one_answer_whatever_the_catalogue(world: World, query: dict, expected: str) -> None:
    found = {name: [each.identifier for each in world.lab.search(name, **query)] for name in SAME}

    assert found == {name: [f"S2-DEMO_2024{day}" for day in expected.split()] for name in SAME}


@pytest.mark.parametrize("name", SAME)
def test_pages_follow_each_other_without_gap_or_repeat(world: World, name: str) -> None:
    first = world.products(name, limit=2)
    second = world.products(name, limit=2, cursor=first["cursor"])
    third = world.products(name, limit=2, cursor=second["cursor"])

    found = [each["identifier"] for page in (first, second, third) for each in page["products"]]
    assert found == sorted(SCENES, reverse=True) and third["cursor"] is None


@pytest.mark.parametrize("name", [*SAME, "csw-dc"])
def test_products_are_found_by_their_identifiers(world: World, name: str) -> None:
    wanted = ["S2-DEMO_20240622", "S2-DEMO_19990101", "S2-DEMO_20241116"]

    found = world.products(name, ids=",".join(wanted))["products"]

    assert [each["identifier"] for each in found] == [wanted[0], wanted[2]]
    assert all(each["orderable"] for each in found)


@pytest.mark.parametrize("name", SAME)
def test_each_catalogue_says_the_same_of_a_product(world: World, name: str) -> None:
    (found,) = world.lab.search(name, time="2024-09-30")

    assert found.bbox == pytest.approx((10.547, 45.553, 10.813, 45.739), abs=0.01)
    assert f"{found.datetime:%Y-%m-%dT%H:%M:%S}" == "2024-09-30T10:10:31"
    assert found.properties["title"] == "Early autumn, half under cloud"
    assert found.thumbnail == f"collections/{name}/products/S2-DEMO_20240930/thumbnail"
    (data,) = [each for each in found.assets if "data" in each.roles]
    assert data.name == "data" and data.href.endswith("S2-DEMO_20240930.tif")


@pytest.mark.parametrize("name", SAME)
def test_its_picture_is_shown_by_the_service(world: World, name: str) -> None:
    url = f"{world.server.url}oseo/api/v1/collections/{name}/products/S2-DEMO_20240607/thumbnail"
    with world.server.client as client:
        picture = client.get(url)
        missing = client.get(url.replace("0607", "0608"))

    assert picture.status_code == 200 and picture.content.startswith(b"\x89PNG")
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.headers["Cache-Control"].startswith("private")
    assert missing.status_code == 404 and "no picture" in missing.json()["detail"]
    assert httpx.get(url).status_code in (401, 403)


@pytest.mark.parametrize("name", ["api", "csw"])
def test_what_a_search_finds_is_ordered_and_made(world: World, name: str) -> None:
    area = (10.62, 45.62, 10.66, 45.65)
    found = world.lab.search(name, area=area, time="2024-06", cloud_cover_lt=5)

    order = found.order(f"scenes of {name}", area=area, bands=["B04", "B03"]).submit()
    order.wait(timeout=120)

    assert order.status is Status.COMPLETED
    (path,) = [each for each in order.download(world.server.data_dir / name) if str(each).endswith(".tif")]
    with rasterio.open(path) as made:
        assert made.descriptions == ("B04", "B03") and made.read(1).any()
    assert any("S2-DEMO_20240607.tif" in each for each in world.files.asked)


# ------------------------------------------------------------------------------- records of real catalogues


def test_a_csw_of_mixed_records_is_searched_whole(world: World) -> None:
    found = world.lab.search("everything", limit=None)
    pages, cursor = [], None
    while pages == [] or cursor:
        page = world.products("everything", limit=7, **({"cursor": cursor} if cursor else {}))
        pages += [each["identifier"] for each in page["products"]]
        cursor = page["cursor"]

    assert len(found) == 26
    assert pages == [each.identifier for each in found]
    times = [each.datetime for each in found]
    known = [each for each in times if each]
    assert known == sorted(known, reverse=True) and times[len(known) :] == [None] * 13


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"area": (21.4, 39.6, 21.6, 39.8), "time": "1998"}, "4a5109d7 de53e931"),
        ({"area": (22.2, 36.9, 22.4, 37.3), "time": "2020-09-02"}, "S2B_MSIL"),
        ({"area": (158, 6, 159, 8), "text": "pohnpei"}, "NS06agg"),
        ({"text": "cool wave days"}, "1687cac6"),
        ({"text": "watersheds", "area": (-100, 50, -95, 55)}, "63a40754"),
        ({"orbit_state": "descending"}, "S2B_MSIL"),
        ({"platform": "Sentinel-2B"}, "S2B_MSIL"),
    ],
    ids=str,
)
def test_real_iso_records_are_found_by_area_time_text_and_property(
    world: World, query: dict, expected: str
) -> None:
    assert {each.identifier[:8] for each in world.lab.search("everything", **query)} == set(expected.split())


def test_real_dublin_core_records_are_found_by_area_time_and_text(world: World) -> None:
    def found(**query: Any) -> set[str]:
        return {
            each.identifier.removeprefix("urn:uuid:")[:8] for each in world.lab.search("real-dc", **query)
        }

    assert found(area=(-6, 45, -3, 47), text="elementum") == {"9a669547"}
    assert found(text="ñunç") == {"9a669547"}
    assert found(time="2005/2006") == {"784e2afd", "9a669547"}
    assert found(text="Physiography landforms") == {"88247b56"}


def test_what_cannot_be_ordered_says_why_before_submitting(world: World) -> None:
    reasons = {each.identifier: each.reason for each in world.lab.search("everything", limit=None)}

    assert "OGC:WMS" in reasons["MAP"]
    assert "none is a file" in reasons["07b7ef80-6061-43fc-b874-e2800e9ae547"]
    assert "no online resource" in reasons["urn:uuid:19887a8a-f6b0-4a63-ae56-7fba0e17801f"]
    scene = next(text for name, text in reasons.items() if name.startswith("S2B_MSIL2A"))
    assert "scheme 's3' is not allowed" in scene
    (shed,) = world.lab.search("canada")
    assert shed.orderable and {each.name for each in shed.assets} >= {"HYD_AAFC_MAJ_DRAINAGE_SYS_GML"}
    draft = world.lab.order("MAP", collection="everything")
    problems = draft.validate()
    assert any("OGC:WMS" in str(each) for each in problems)


def test_real_stac_items_behind_an_api_are_found_with_what_can_be_ordered(world: World) -> None:
    landsat = world.lab.search("landsat", time="2010/2021", limit=None)
    sentinel = world.lab.search("sentinel", limit=None)

    assert landsat and all(each.collection_id == "landsat" for each in landsat)
    assert {each.orderable for each in sentinel} == {False}
    assert all("not allowed" in str(each.reason) for each in sentinel)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "wrong",
            "the catalogue of wrong at 127.0.0.1:{port} does not answer as it should: Invalid Constraint",
        ),
        ("away", "away at 127.0.0.1:9 does not answer as it should; it is tried again"),
    ],
)
def test_a_server_that_refuses_is_quoted_and_one_that_is_away_is_named(
    world: World, name: str, told: str
) -> None:
    with world.server.client as client:
        answer = client.get(f"{world.server.url}oseo/api/v1/collections/{name}/products")

    assert answer.status_code == 503
    assert told.format(port=urlsplit(world.csw.url).port) in answer.json()["detail"]
    assert len(world.lab.search("csw")) == len(SCENES)
