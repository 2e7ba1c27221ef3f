"""A whole service in this process, and the client over a transport that calls ``perform`` directly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from oseo_lab.client import InProcessTransport, Lab
from oseo_lab.client.transport import Fetched
from oseo_lab.encoding.json_form import to_plain
from oseo_lab.operations import perform
from oseo_lab.ports import CatalogueQuery
from oseo_lab.settings import Settings
from oseo_lab.wiring import Services, build

COLLECTION = """
id = "scenes"
title = "Test scenes"
[processor]
use = "raster"
[catalogue]
use = "folder"
href = "scenes"
[products]
pattern = "SCENE_[A-Z0-9_]+"
"""

DAYS = {"SCENE_A": 1, "SCENE_B": 11}
BASE = "http://in.process/"


def write_scene(path: Path, day: int) -> None:
    pixels = np.random.default_rng(day).integers(1, 4000, (2, 128, 128)).astype("uint16")
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=128,
        height=128,
        count=2,
        dtype="uint16",
        crs="EPSG:32632",
        transform=from_origin(600000, 5000000, 10, 10),
        nodata=0,
    ) as scene:
        scene.write(pixels)
        scene.descriptions = ("B02", "B03")
        scene.update_tags(TIFFTAG_DATETIME=f"2024:06:{day:02d} 10:00:00")


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections: two good scenes of June 2024 and a damaged one."""
    folder = tmp_path_factory.mktemp("collections")
    (folder / "scenes").mkdir()
    (folder / "scenes.toml").write_text(COLLECTION)
    for name, day in DAYS.items():
        write_scene(folder / "scenes" / f"{name}.tif", day)
    damaged = folder / "scenes" / "SCENE_X.tif"
    write_scene(damaged, 21)
    damaged.write_bytes(damaged.read_bytes()[:2000])
    return folder


@pytest.fixture(scope="session")
def services(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), collections=scenes, executor="inline")
    built = build(settings)
    built.start()
    yield built
    built.close()


@pytest.fixture
def lab_of(services: Services) -> Callable[[str], Lab]:
    """Return a maker of labs, one per owner."""

    def fetch(url: str, start: int, etag: str | None) -> Fetched:
        order, number, name = url.partition("?")[0].split("/oseo/files/")[1].split("/")
        found = list(services.settings.results_dir.glob(f"{order}/{number}/*/{name}"))
        if not found:
            return Fetched(404)
        body = found[0].read_bytes()
        headers = {"etag": f'"{name}"'}
        if not start:
            return Fetched(200, headers, iter([body]))
        headers["content-range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return Fetched(206, headers, iter([body[start:]]))

    def make(owner: str) -> Lab:
        def ask(request, message_id):
            return perform(request, services.context(owner, url=f"{BASE}oseo/", message_id=message_id))

        def history(order_id):
            with services.store.read() as snapshot:
                changes, attempts = snapshot.events.of(order_id), snapshot.events.attempts(order_id)
            return {"history": to_plain(changes), "attempts": to_plain(attempts)}

        def products(collection_id, query):
            catalogue = services.catalogue(collection_id)
            if "ids" in query:
                found = catalogue.find(query["ids"].split(","))
                return list(found.values()), None
            return catalogue.search(CatalogueQuery(text=query.get("text"), limit=query["limit"]))

        return Lab(
            InProcessTransport(
                ask,
                collections=lambda: [
                    {"id": each.id, "title": each.title} for each in services.collections.values()
                ],
                products=products,
                history=history,
                fetch=fetch,
                owner=owner,
                url=BASE,
            )
        )

    return make


@pytest.fixture
def lab(lab_of: Callable[[str], Lab], request: pytest.FixtureRequest) -> Lab:
    """A lab whose owner is this test: nobody else's orders are in it."""
    return lab_of(request.node.name)
