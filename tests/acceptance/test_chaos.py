"""Servers and workers killed at random moments under load: nothing lost, nothing made twice.

Six seeded kills run in ``make test``; thirty of the server and ten of workers in ``make test-long``, where
users also wait for callbacks, and a subscription for its products. Every kill prints what was open then.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

import oseo_lab
from oseo_lab.encoding import oseo, soap
from oseo_lab.encoding.callbacks_xml import decode_callback
from oseo_lab.model.identifiers import ProductId, SubscriptionId
from oseo_lab.model.messages import Submit, SubmitAck
from oseo_lab.model.order import ItemSpecification, OrderSpecification, StatusNotification, order_uuid
from oseo_lab.model.status import FINAL, Status
from oseo_lab.store import open_store
from tests.acceptance.serving import TOKEN, Server, wait_until
from tests.at_length import end_of
from tests.receivers import Receiver, receiving

PRODUCTS = 24
#: Open items at a kill above which no more are ordered until the next one.
MOST_OPEN = 150
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
COMING = """
id = "coming"
title = "Small things as they come"
[processor]
use = "tests.acceptance.plugins:STEADY"
[catalogue]
use = "folder"
href = "coming"
[products]
pattern = "N[0-9]+"
[subscription]
every = 0.5
lateness = 5
"""


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    collections = tmp_path / "collections"
    make_products(collections / "products")
    (collections / "coming").mkdir()
    (collections / "steady.toml").write_text(COLLECTION)
    (collections / "coming.toml").write_text(COMING)
    data = tmp_path / "data"
    data.mkdir()
    server = Server(
        data,
        collections=collections,
        lease=3,
        renew=1,
        retry_delay=0.2,
        max_in_flight=20,
        callback_hosts="127.0.0.1",
    )
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
    """Submits orders, one after the other; one that was not acknowledged is sent again, as it was."""

    pause = 0.15

    def __init__(self, server: Server, seed: int) -> None:
        super().__init__(daemon=True, name=f"urn:test:{seed}")
        self.server = server
        self.random = random.Random(seed)
        self.acknowledged: dict[str, str] = {}
        self.sent: list[str] = []
        self.enough = threading.Event()
        self.is_enough_open = False

    def run(self) -> None:
        while not self.enough.wait(self.pause):
            if self.is_enough_open:
                continue
            message_id = f"{self.name}:{len(self.sent)}"
            self.sent.append(message_id)
            count = self.random.randint(1, 8)
            self.submit(message_id, [f"P{self.random.randrange(PRODUCTS)}" for _ in range(count)])

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
    store = open_store(server.database)
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
                and not isinstance(item.specification.identifier, SubscriptionId)
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
    store = open_store(server.database)
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
    check_items(server, snapshot, order_id, snapshot.items.of(order_id))


def check_items(server: Server, snapshot, order_id: str, items) -> None:
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


class Callers(Load):
    """Submits orders over SOAP and wants to hear of them: every second one of all, else of the end."""

    pause = 0.6

    def __init__(self, server: Server, seed: int, receiver: Receiver) -> None:
        super().__init__(server, seed)
        self.receiver = receiver

    def submit(self, message_id: str, products: list[str]) -> None:
        items = tuple(
            ItemSpecification(
                item_id=f"item-{number}", identifier=ProductId(identifier=product, collection_id="steady")
            )
            for number, product in enumerate(products)
        )
        policy = StatusNotification.ALL if len(self.sent) % 2 else StatusNotification.FINAL
        message = Submit(specification=OrderSpecification(items=items), status_notification=policy)
        envelope = soap.request_envelope(
            oseo.encode_request(message),
            soap.SoapVersion.V12,
            message_id=f"{message_id}:called",
            reply_to=f"{self.receiver.url}{message_id}",
        )
        while True:
            try:
                answer = self.server.post(envelope)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            payload = soap.open_envelope(answer.content).payload if answer.status_code == 200 else None
            ack = None if payload is None else oseo.decode_response(payload)
            if isinstance(ack, SubmitAck):
                self.acknowledged[message_id] = ack.order_id
                return
            assert answer.status_code >= 500, f"{answer.text}\n{self.server.log_tail()}"
            time.sleep(0.05)

    def heard(self) -> dict[str, list]:
        """Return what came at each order's own address, in the order in which it came."""
        found = defaultdict(list)
        for request in list(self.receiver.received):
            envelope = soap.open_envelope(request.body, content_type=request.headers["Content-Type"])
            message_id = request.path.lstrip("/")
            assert envelope.relates_to == f"{message_id}:called"
            found[message_id].append(decode_callback(envelope.payload).order)
        return found

    def not_told(self) -> set[str]:
        """Return the orders whose users have not heard that they are final."""
        told = self.heard()
        return {each for each in self.sent if not any(one.status.status in FINAL for one in told[each])}

    def check(self) -> Counter:
        """Each user heard of changes in their order; return how many heard how often of the end."""
        rank = {Status.ACCEPTED: 0, Status.IN_PRODUCTION: 1, Status.COMPLETED: 2}
        finals: Counter = Counter()
        for message_id, orders in self.heard().items():
            assert {each.order_id for each in orders} == {self.acknowledged[message_id]}
            ranks = [
                [rank[each.status.status], *(rank[one.status.status] for one in each.items)]
                for each in orders
            ]
            for before, after in pairwise(ranks):
                assert len(before) == len(after)
                assert all(one <= other for one, other in zip(before, after, strict=True)), ranks
            finals[sum(each.status.status is Status.COMPLETED for each in orders)] += 1
        return finals


def appear(server: Server, number: int) -> None:
    """Put a whole product into the catalogue's folder at once, acquired now."""
    folder, aside = server.collections / "coming", server.data_dir / "aside"
    aside.mkdir(exist_ok=True)
    stac = {"type": "Feature", "id": f"N{number}", "properties": {"datetime": datetime.now(UTC).isoformat()}}
    (aside / f"N{number}.json").write_text(json.dumps(stac))
    (aside / f"N{number}.json").rename(folder / f"N{number}.json")
    (aside / f"N{number}.tif").write_bytes((server.collections / "products" / "P1.tif").read_bytes())
    (aside / f"N{number}.tif").rename(folder / f"N{number}.tif")


class Subscription(threading.Thread):
    """A subscription, and products that appear while servers die."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.count = 0
        self.enough = threading.Event()
        self.is_enough_open = False
        with oseo_lab.connect(server.url, TOKEN) as lab:
            self.order_id = lab.subscribe("coming", start=datetime.now(UTC) - timedelta(days=1)).id

    def run(self) -> None:
        while not self.enough.wait(0.6):
            if self.is_enough_open:
                continue
            appear(self.server, self.count)
            self.count += 1

    def delivered(self) -> list:
        """Return the items that products have become, once there is one for each that appeared."""
        store = open_store(self.server.database)
        try:
            with store.read() as snapshot:
                items = snapshot.items.of(self.order_id, after=1)
        finally:
            store.close()
        return items if len(items) >= self.count and not open_items(self.server) else []

    def check(self) -> None:
        items = wait_until(self.delivered, timeout=180, every=0.5)
        names = Counter(each.specification.identifier.identifier for each in items)
        assert names == Counter(f"N{number}" for number in range(self.count)), "not each product once"
        store = open_store(self.server.database)
        try:
            with store.read() as snapshot:
                check_items(self.server, snapshot, self.order_id, items)
        finally:
            store.close()


def survive(
    server: Server,
    *,
    server_kills: int,
    worker_kills: int,
    seed: int,
    until: float = 0.0,
    beside: Sequence[Load | Subscription] = (),
) -> None:
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
        found = open_items(server)
        print(f"kill {done} ({victim}): {said(found)}")
        for each in (load, *beside):
            each.is_enough_open = len(found) > MOST_OPEN
        if victim == "server":
            server.start()
    for each in (load, *beside):
        each.enough.set()
        each.join(60)
    wait_until(lambda: not open_items(server), timeout=180, every=0.5)
    check_everything(server, load)
    print(f"{len(load.sent)} orders survived {done} kills")


def test_killed_at_six_seeded_moments(server):
    survive(server, server_kills=4, worker_kills=2, seed=20260101)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_server_killed_thirty_times_and_workers_ten_at_least(server):
    with receiving() as receiver:
        callers, subscription = Callers(server, 8, receiver), Subscription(server)
        callers.start()
        subscription.start()
        survive(
            server,
            server_kills=30,
            worker_kills=10,
            seed=7,
            until=end_of(0.5),
            beside=[callers, subscription],
        )
        wait_until(lambda: not callers.not_told(), timeout=300, every=2)
        subscription.check()
        check_everything(server, callers)
        finals = callers.check()
    print(
        f"{len(callers.sent)} orders were called back {len(receiver.received)} times; "
        f"by how often their end was told: {dict(finals)}; {subscription.count} products came once each"
    )
