"""Room per order: files with indexes, ten items of realistic names, as the benchmark measures at length."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace
from datetime import timedelta

from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.order import Attempt, ResultFile, StatusChange, StatusInfo, new_order_id
from oseo_lab.model.status import Status
from oseo_lab.store import open_store

ORDERS = 200
COLLECTION = "http://www.opengis.net/def/EOP/ESA/0/urn:eop:SENTINEL.MSI.L2A.A-COLLECTION"


def _realistic(order, serial):
    items = tuple(
        replace(
            item,
            collection_id=COLLECTION,
            specification=replace(
                item.specification,
                identifier=ProductId(
                    identifier=f"ESA:S2:S2A_MSIL2A_20240601T100559_N0510_R022_T32TPT_20240601T{serial:06d}"
                    f"_{item.number:012d}.SAFE",
                    collection_id=COLLECTION,
                ),
            ),
        )
        for item in order.items
    )
    digest = hashlib.sha256(order.order_id.encode()).hexdigest()
    return replace(order, items=items, message_id=new_order_id(), request_digest=digest)


def _life(unit, items, now):
    started = [replace(i, status=StatusInfo(status=Status.IN_PRODUCTION), attempt=1) for i in items]
    done = StatusInfo(status=Status.COMPLETED, additional="delivered")
    ended = [replace(i, status=done, lease_owner=None, lease_until=None) for i in started]
    for before, after in ((items, started), (started, ended)):
        unit.items.save_many(list(zip(before, after, strict=True)))
        unit.events.add(
            [
                StatusChange(
                    order_id=i.order_id,
                    number=i.number,
                    status=i.status.status,
                    at=now,
                    author="d",
                    attempt=1,
                )
                for i in after
            ]
        )
    unit.events.save_attempts(
        [
            Attempt(order_id=i.order_id, number=i.number, attempt=1, started=now, ended=now, worker="w")
            for i in ended
        ]
    )
    unit.results.add([file for i in ended for file in _files(i, now)])


def _files(item, now):
    stem = item.specification.identifier.identifier.rsplit(":", 1)[1]
    for name in (f"{stem}.tif", "item.json", "manifest.json"):
        yield ResultFile(
            order_id=item.order_id,
            number=item.number,
            attempt=1,
            name=name,
            size=123_456_789,
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            media_type=f"type of {name[-4:]}",
            expires=now + timedelta(days=10),
        )


def _bytes_per_order(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*")) / ORDERS


def test_an_order_takes_three_kilobytes_and_eight_when_it_is_completed(tmp_path, make_order, now):
    path = tmp_path / "orders.sqlite"
    store = open_store(f"sqlite:///{path}")
    orders = [_realistic(make_order(items=10), serial) for serial in range(ORDERS)]
    store.write(lambda unit: [unit.orders.add(order) for order in orders])
    empty = 62 * 4096 / ORDERS  # a page for each table and index, which larger stores do not notice
    assert _bytes_per_order(path) - empty <= 3_000
    later = now + timedelta(minutes=1)
    while items := store.write(lambda unit: unit.items.claim("d", 200, now, later)):
        store.write(lambda unit, items=items: _life(unit, items, now))
    assert _bytes_per_order(path) - empty <= 8_000
    store.close()
