"""Cancel reaches a worker in the middle of a 10980 by 10980 scene; run at length: it is half a gigabyte."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from oseo_lab.model.status import Status
from tests.acceptance.serving import Server, wait_until
from tests.acceptance.test_walk import COLLECTION, call, order  # noqa: F401 - call is a fixture

SIZE, BANDS = 10980, 4


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    (folder / "collections" / "scenes").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "collections" / "scenes.toml").write_text(COLLECTION.format(scope="item"))
    write_large(folder / "collections" / "scenes" / "SCENE_LARGE.tif")
    server = Server(folder / "data", collections=folder / "collections").start()
    yield server
    server.stop()


def write_large(path) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(1, 64, (1024 + 512, SIZE), dtype="uint16")
    profile = {
        "width": SIZE,
        "height": SIZE,
        "count": BANDS,
        "dtype": "uint16",
        "crs": "EPSG:32633",
        "nodata": 0,
    }
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        transform=from_origin(300000, 4700040, 10, 10),
        tiled=True,
        blockxsize=512,
        blockysize=512,
        compress="DEFLATE",
        zlevel=1,
        num_threads=2,
        **profile,
    ) as scene:
        for row in range(0, SIZE, 512):
            height = min(512, SIZE - row)
            for band in range(1, BANDS + 1):
                shift = (row * 7 + band * 131) % 1024
                scene.write(noise[shift : shift + height], band, window=((row, row + height), (0, SIZE)))


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(5))
def test_cancel_in_the_middle_of_a_large_scene(call, server, seed):  # noqa: F811
    from oseo_lab.model.messages import Cancel, GetStatus

    def status(order_id):
        return call(GetStatus(order_id=order_id)).orders[0].status.status

    ack = call(order("SCENE_LARGE", crs="EPSG:4326"))
    wait_until(lambda: status(ack.order_id) is Status.IN_PRODUCTION)
    time.sleep(random.Random(seed).uniform(0.5, 20))
    assert not status(ack.order_id).is_final, "the scene was made before it could be cancelled"
    asked = time.monotonic()
    call(Cancel(order_id=ack.order_id))
    wait_until(lambda: status(ack.order_id) is Status.CANCELLED, every=0.02)
    said = time.monotonic() - asked
    uuid = ack.order_id.removeprefix("urn:uuid:")
    wait_until(lambda: not list((server.data_dir / "scratch").rglob(f"*{uuid}*")), every=0.02)
    print(f"cancelled after {said:.2f} s, nothing left after {time.monotonic() - asked:.2f} s")
    assert not list((server.data_dir / "results").glob(f"{uuid}/*/*"))
