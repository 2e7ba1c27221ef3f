"""The order store: room per order, reads however many there are, inserts beside bare sqlite3, the hot path.

``OSEO_LAB_BENCH_ORDERS`` is the size of the large store (100 000 if not set).
"""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import FilteringCriteria
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import (
    Attempt,
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    ProviderOrder,
    ResultFile,
    StatusChange,
    StatusInfo,
    new_order_id,
)
from oseo_lab.model.status import ProviderOrderState, Status
from oseo_lab.ports import OrderStore
from oseo_lab.store import open_store
from tests.benchmarks import Row

ITEMS = 10
SPACE_ORDERS = 10_000
COLLECTION = "http://www.opengis.net/def/EOP/ESA/0/urn:ogc:def:EOP:ESA:SENTINEL.MSI.L2A.DEMO"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
START = datetime(2026, 1, 1, tzinfo=UTC)
#: Words of one order and of its whole life with history, attempts and results.
BYTES_SUBMITTED, BYTES_COMPLETED = 3_000, 8_000


def make_order(serial: int) -> Order:
    """Return a realistic order of ten items: identifiers of some 90 characters, an area of its own."""
    order_id, now = new_order_id(), START + timedelta(seconds=serial)
    area = ("bbox", f"{serial % 180}.25 {serial % 90}.5 {serial % 180 + 1}.25 {serial % 90 + 1}.5")
    options = ParameterData(values=(("format", "COG"), ("crs", "EPSG:32633"), ("resolution", "20")))
    scene = ParameterData(values=(("sceneBoundingRectangle", (area,)),))
    accepted = StatusInfo(status=Status.ACCEPTED)
    items = tuple(
        OrderItem(
            order_id=order_id,
            number=number,
            collection_id=COLLECTION,
            status=accepted,
            updated=now,
            specification=ItemSpecification(
                item_id=f"item-{number}",
                identifier=ProductId(identifier=_product(serial, number), collection_id=COLLECTION),
                options=(options,),
                scene_selections=(scene,),
            ),
        )
        for number in range(1, ITEMS + 1)
    )
    return Order(
        order_id=order_id,
        owner=f"user{serial % 50}",
        specification=OrderSpecification(order_reference=f"reference {serial}"),
        status=accepted,
        created=now,
        updated=now,
        message_id=new_order_id(),
        request_digest=hashlib.sha256(order_id.encode()).hexdigest(),
        items=items,
        provider_orders=(ProviderOrder(order_id=order_id, updated=now),),
    )


def _product(serial: int, number: int) -> str:
    tile = f"T{serial % 60:02d}UQS_20240601T{serial % 86400:06d}"
    return f"ESA:SENTINEL-2:MSI:S2A_MSIL2A_20240601T100559_N0510_R022_{tile}.{number:02d}.{serial:08d}.SAFE"


def fill(store: OrderStore, first: int, count: int) -> list[str]:
    """Save many orders, some hundreds a transaction; return their ids."""
    ids = []
    for start in range(first, first + count, 500):
        orders = [make_order(serial) for serial in range(start, min(start + 500, first + count))]
        store.write(lambda unit, orders=orders: [unit.orders.add(order) for order in orders])
        ids += [order.order_id for order in orders]
    return ids


def work_off(store: OrderStore, batch: int = 500) -> int:
    """Take every open item from claim over start to completion, as the dispatcher does; return how many."""
    done, now = 0, START + timedelta(days=1)
    lease = now + timedelta(seconds=60)
    while claimed := store.write(lambda unit: unit.items.claim("dispatcher-1", batch, now, lease)):
        started = [_started(item, now) for item in claimed]
        store.write(lambda unit, c=claimed, s=started: _save_started(unit, c, s, now))
        store.write(lambda unit, s=started: _save_completed(unit, s, now))
        done += len(claimed)
    return done


def _started(item: OrderItem, now: datetime) -> OrderItem:
    return replace(item, status=StatusInfo(status=Status.IN_PRODUCTION), attempt=1, updated=now)


def _change(item: OrderItem, now: datetime) -> StatusChange:
    return StatusChange(
        order_id=item.order_id,
        number=item.number,
        status=item.status.status,
        at=now,
        author="dispatcher-1",
        attempt=item.attempt,
        info=item.status.additional,
    )


def _save_started(unit, claimed, started, now) -> None:
    unit.items.save_many(list(zip(claimed, started, strict=True)))
    unit.events.add([_change(item, now) for item in started])
    unit.events.save_attempts(
        [Attempt(order_id=i.order_id, number=i.number, attempt=1, started=now, worker="w1") for i in started]
    )


def _save_completed(unit, started, now) -> None:
    done = StatusInfo(status=Status.COMPLETED, additional="Delivered: 3 files")
    completed = [
        replace(item, status=done, updated=now, lease_owner=None, lease_until=None) for item in started
    ]
    unit.items.save_many(list(zip(started, completed, strict=True)))
    unit.events.add([_change(item, now) for item in completed])
    unit.events.save_attempts(
        [
            Attempt(order_id=i.order_id, number=i.number, attempt=1, ended=now, outcome="completed")
            for i in started
        ]
    )
    unit.results.add([file for item in completed for file in _files(item, now)])
    for order_id in {item.order_id for item in completed}:
        counts = unit.items.counts(order_id)
        order = unit.orders.get(order_id)
        if set(counts) == {Status.COMPLETED} and order is not None:
            unit.orders.save(replace(order, status=done, updated=now))
            closed = ProviderOrder(
                order_id=order_id, state=ProviderOrderState.CLOSED, closed=now, updated=now
            )
            unit.provider_orders.save(closed)


def _files(item: OrderItem, now: datetime) -> list[ResultFile]:
    identifier = item.specification.identifier
    assert isinstance(identifier, ProductId)
    stem = identifier.identifier.rsplit(":", 1)[1]
    names = ((f"{stem}.tif", COG, True), ("item.json", "application/geo+json", False))
    return [
        ResultFile(
            order_id=item.order_id,
            number=item.number,
            attempt=item.attempt,
            name=name,
            size=12_345_678,
            sha256=hashlib.sha256(f"{item.key}{name}".encode()).hexdigest(),
            media_type=media_type,
            is_data=is_data,
            expires=now + timedelta(days=10),
        )
        for name, media_type, is_data in (*names, ("manifest.json", "application/json", False))
    ]


def file_size(path: Path) -> int:
    """Return the bytes of a database after its log has been folded in, indexes included."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))


def _p50(call: Callable[[], object], count: int) -> float:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times) * 1e6


def _space(folder: Path) -> list[Row]:
    path = folder / "space.sqlite"
    store = open_store(f"sqlite:///{path}")
    fill(store, 0, SPACE_ORDERS)
    submitted = file_size(path) / SPACE_ORDERS
    start, cpu = time.perf_counter(), time.process_time()
    done = work_off(store)
    rate, wall_rate = done / (time.process_time() - cpu), done / (time.perf_counter() - start)
    completed = file_size(path) / SPACE_ORDERS
    store.close()
    return [
        Row(
            what="bytes per order of 10, submitted",
            ours=submitted,
            floor=BYTES_SUBMITTED,
            unit="B",
            target=1.0,
        ),
        Row(
            what="bytes per order of 10, completed",
            ours=completed,
            floor=BYTES_COMPLETED,
            unit="B",
            target=1.0,
        ),
        Row(
            what="claim, started, completed with 3 files, per CPU second",
            ours=rate,
            floor=10_000,
            unit="items/s",
            target=1.0,
            higher_is_better=True,
            note=f"floor: what was asked for; {wall_rate:.0f} by the clock",
        ),
    ]


def _read(store: OrderStore, ids: list[str]) -> None:
    order_id = random.choice(ids)
    with store.read() as unit:
        unit.orders.get(order_id)
        unit.items.of(order_id)


def _search(store: OrderStore, since: datetime) -> None:
    criteria = FilteringCriteria(order_statuses=(Status.ACCEPTED,), last_update=since)
    with store.read() as unit:
        unit.orders.search("user7", criteria, limit=50)


def _growth(folder: Path) -> list[Row]:
    large = int(os.environ.get("OSEO_LAB_BENCH_ORDERS", "100000"))
    small_store, large_store = (
        open_store(f"sqlite:///{folder}/{name}.sqlite") for name in ("small", "large")
    )
    small_ids, large_ids = fill(small_store, 0, 100), fill(large_store, 0, large)
    for _ in range(2):  # the second time counts, taken in turn
        small = _p50(lambda: _read(small_store, small_ids), 2000)
        grown = _p50(lambda: _read(large_store, large_ids), 2000)
    since = START + timedelta(seconds=large - 500)
    found = _p50(lambda: _search(large_store, since), 300)
    found_small = _p50(lambda: _search(small_store, START - timedelta(days=1)), 300)
    small_store.close()
    large_store.close()
    return [
        Row(what=f"read one order: of {large} / of 100", ours=grown, floor=small, unit="us", target=1.3),
        Row(
            what=f"search, newest 10 of {large} / 2 of 100",
            ours=found,
            floor=found_small,
            unit="us",
            note="10 hits / 2",
        ),
    ]


_FLOOR_TABLES = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, owner TEXT, status TEXT, created TEXT,
                     updated TEXT, reference TEXT, message TEXT, digest TEXT);
CREATE INDEX search ON orders (owner, status, updated);
CREATE TABLE items (order_ref INT, number INT, item_id TEXT, collection TEXT, product TEXT, status TEXT,
                    updated TEXT, options TEXT, PRIMARY KEY (order_ref, number)) WITHOUT ROWID;
"""


def _floor_rows(serial: int) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    at = str(START + timedelta(seconds=serial))
    order = (new_order_id(), "user1", "Accepted", at, at, f"reference {serial}", new_order_id(), "ab" * 32)
    options = '{"format":"COG","crs":"EPSG:32633","resolution":"20"}'
    items = [
        (number, f"item-{number}", COLLECTION, _product(serial, number), "Accepted", at, options)
        for number in range(1, ITEMS + 1)
    ]
    return order, items


def _insert_floor(
    connection: sqlite3.Connection, order: tuple[str, ...], items: list[tuple[object, ...]]
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    cursor = connection.execute("INSERT INTO orders VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", order)
    rows = [(cursor.lastrowid, *item) for item in items]
    connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")


def _insert(folder: Path, count: int = 1500) -> list[Row]:
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None, check_same_thread=False)
    connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_FLOOR_TABLES}")
    store = open_store(f"sqlite:///{folder}/insert.sqlite")
    ours: list[float] = []
    floor: list[float] = []

    def in_turn() -> None:
        for serial in range(count):
            order, prepared = make_order(serial), _floor_rows(serial)
            start = time.perf_counter()
            store.write(lambda unit, order=order: unit.orders.add(order))
            middle = time.perf_counter()
            _insert_floor(connection, *prepared)
            floor.append(time.perf_counter() - middle)
            ours.append(middle - start)

    thread = threading.Thread(target=in_turn)  # as the web floor does: never the main thread
    thread.start()
    thread.join()
    grouped = _grouped(store, count)
    store.close()
    connection.close()
    alone = median(floor) * 1e6
    return [
        Row(what="insert 1 + 10, durable, p50", ours=median(ours) * 1e6, floor=alone, unit="us", target=1.5),
        Row(
            what="the same, 16 at once, per order",
            ours=1e6 / grouped,
            floor=1e6 / alone,
            unit="orders/s",
            higher_is_better=True,
            note="floor: one by one",
        ),
    ]


def _grouped(store: OrderStore, count: int) -> float:
    """Return seconds per order, in microseconds, with sixteen writes on their way."""
    orders = [make_order(serial) for serial in range(count)]
    start = time.perf_counter()
    for first in range(0, count, 16):
        futures = [
            store.submit(lambda unit, order=order: unit.orders.add(order))
            for order in orders[first : first + 16]
        ]
        for future in futures:
            future.result()
    return (time.perf_counter() - start) / count * 1e6


def run() -> list[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*_insert(folder), *_space(folder), *_growth(folder)]


if __name__ == "__main__":
    for row in run():
        print(f"{row.what:45} {row.ours:12.1f} {row.floor:12.1f} {row.unit:9} {row.ratio:6.2f} {row.met}")
