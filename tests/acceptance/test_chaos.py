"""Servers and workers killed at random moments under load: nothing lost, nothing made twice.

Six seeded kills run in ``make test``; thirty of the server and ten of workers in ``make test-long``. Every
kill prints what was open when it came.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from oseo_lab.model.order import order_uuid
from oseo_lab.model.status import FINAL, Status
from oseo_lab.store import open_store
from tests.acceptance.serving import TOKEN, Server, wait_until
from tests.at_length import end_of

PRODUCTS = 24
COLLECTION = """
id = "steady"
title = "Small things made steadily"
[processor]
use = "tests.acceptance.plugins:STEADY"
[catalogue]
use = "folder"
href = "products"
[products]
pattern = "P[0-9]+"
"""


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    collections = tmp_path / "collections"
    make_products(collections / "products")
    (collections / "steady.toml").write_text(COLLECTION)
    data = tmp_path / "data"
    data.mkdir()
    server = Server(data, collections=collections, lease=3, renew=1, retry_delay=0.2, max_in_flight=20)
    server.start()
    yield server
    server.stop()


def make_products(folder: Path) -> None:
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    folder.mkdir(parents=True)
    for number in range(PRODUCTS):
        with rasterio.open(
            folder / f"P{number}.tif",
            "w",
            driver="GTiff",
            width=8,
            height=8,
            count=1,
            dtype="uint8",
            crs="EPSG:32632",
            transform=from_origin(600000, 5000000, 10, 10),
        ) as scene:
            scene.write(np.full((1, 8, 8), number, "uint8"))


class Load(threading.Thread):
    """Submits orders without a pause; one that was not acknowledged is sent again, as it was."""

    def __init__(self, server: Server, seed: int) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.random = random.Random(seed)
        self.acknowledged: dict[str, str] = {}
        self.sent: list[str] = []
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.is_set():
            message_id = f"urn:test:{len(self.sent)}"
            self.sent.append(message_id)
            count = self.random.randint(1, 8)
            self.submit(message_id, [f"P{self.random.randrange(PRODUCTS)}" for _ in range(count)])
            time.sleep(0.15)

    def submit(self, message_id: str, products: list[str]) -> None:
        items = [
            {"item_id": f"item-{number}", "identifier": {"identifier": product, "collection_id": "steady"}}
            for number, product in enumerate(products)
        ]
        headers = {"Authorization": f"token {TOKEN}", "Idempotency-Key": message_id}
        while True:
            try:
                answer = httpx.post(
                    f"{self.server.url}oseo/api/v1/orders",
                    json={"specification": {"order_type": "PRODUCT_ORDER", "items": items}},
                    headers=headers,
                    timeout=10,
                )
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code == 201:
                self.acknowledged[message_id] = answer.json()["order_id"]
                return
            assert answer.status_code == 503, f"{answer.text}\n{self.server.log_tail()}"
            time.sleep(0.05)


def open_items(server: Server) -> list[tuple[str, int, str]]:
    """Return what is not final, from the store itself."""
    store = open_store(f"sqlite:///{server.data_dir / 'orders.sqlite'}")
    try:
        with store.read() as snapshot:
            from oseo_lab.model.messages import FilteringCriteria

            orders = snapshot.orders.search("local", FilteringCriteria())
            return [
                (order_uuid(order.order_id)[:8], item.number, item.status.status.value)
                for order in orders
                if order.status.status not in FINAL
                for item in snapshot.items.of(order.order_id)
                if item.status.status not in FINAL
            ]
    finally:
        store.close()


def said(items: list[tuple[str, int, str]]) -> str:
    """Name what is open, an order a word: ``1a2b3c4d:1a,2p`` has item 1 Accepted, item 2 in production."""
    orders: dict[str, list[str]] = {}
    for order, number, status in items:
        orders.setdefault(order, []).append(
            f"{number}{'p' if status == 'InProduction' else status[0].lower()}"
        )
    return f"{len(items)} items open: " + " ".join(
        f"{order}:{','.join(each)}" for order, each in orders.items()
    )


def check_everything(server: Server, load: Load) -> None:
    """Hash every file against its manifest; no order lost, no item delivered twice, no wrong status."""
    assert len(load.acknowledged) == len(load.sent)
    assert len(set(load.acknowledged.values())) == len(load.sent), "one message made two orders"
    store = open_store(f"sqlite:///{server.data_dir / 'orders.sqlite'}")
    try:
        with store.read() as snapshot:
            for order_id in load.acknowledged.values():
                check_order(server, snapshot, order_id)
    finally:
        store.close()


def check_order(server: Server, snapshot, order_id: str) -> None:
    order = snapshot.orders.get(order_id)
    assert order is not None, "an acknowledged order is lost"
    assert order.status.status is Status.COMPLETED
    items = snapshot.items.of(order_id)
    assert {item.status.status for item in items} == {Status.COMPLETED}
    delivered = Counter(
        each.number for each in snapshot.events.attempts(order_id) if each.outcome == "delivered"
    )
    completed = Counter(
        each.number
        for each in snapshot.events.of(order_id)
        if each.status is Status.COMPLETED and each.number
    )
    assert set(delivered.values()) == set(completed.values()) == {1}, "an item was delivered twice"
    assert set(delivered) == set(completed) == {item.number for item in items}
    for file in snapshot.results.of(order_id):
        folder = server.data_dir / "results" / order_uuid(order_id) / str(file.number) / str(file.attempt)
        content = (folder / file.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)
        manifest = json.loads((folder / "manifest.json").read_text())
        listed = {each["name"]: each["sha256"] for each in manifest["files"]}
        assert file.name == "manifest.json" or listed[file.name] == file.sha256


def delivered(server: Server) -> int:
    return len(list((server.data_dir / "results").glob("*/*/*/manifest.json")))


def wait_for_a_moment(server: Server, chance: random.Random) -> None:
    """Wait for a random one: mostly while items are being made, sometimes before anything has begun."""
    if chance.random() < 0.75:
        enough = delivered(server) + chance.randint(1, 15)
        wait_until(lambda: delivered(server) >= enough, timeout=120)
    time.sleep(chance.uniform(0.0, 0.7))


def survive(server: Server, *, server_kills: int, worker_kills: int, seed: int, until: float = 0.0) -> None:
    """Kill as often as asked, and go on killing until a (monotonic) time is over."""
    chance = random.Random(seed)
    load = Load(server, seed)
    load.start()
    kills = ["server"] * server_kills + ["worker"] * worker_kills
    chance.shuffle(kills)
    done = 0
    while done < len(kills) or time.monotonic() < until:
        victim = kills[done % len(kills)]
        done += 1
        wait_for_a_moment(server, chance)
        if victim == "worker":
            chance.choice(wait_until(server.workers)).kill()
        else:
            server.kill()
        print(f"kill {done} ({victim}): {said(open_items(server))}")
        if victim == "server":
            server.start()
    load.enough.set()
    load.join(60)
    wait_until(lambda: not open_items(server), timeout=180, every=0.5)
    check_everything(server, load)
    print(f"{len(load.sent)} orders survived {done} kills")


def test_killed_at_six_seeded_moments(server):
    survive(server, server_kills=4, worker_kills=2, seed=20260101)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_server_killed_thirty_times_and_workers_ten_at_least(server):
    survive(server, server_kills=30, worker_kills=10, seed=7, until=end_of(0.5))
