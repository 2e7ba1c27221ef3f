"""Another process on the same store: claims until nothing is left, or writes until it is killed."""

from __future__ import annotations

import itertools
import json
import sys
from datetime import UTC, datetime, timedelta

from oseo_lab.model.order import Order, OrderSpecification, StatusInfo, new_order_id
from oseo_lab.model.status import Status
from oseo_lab.store import open_store

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def claim(url: str, name: str) -> None:
    store, keys = open_store(url), []
    until = NOW + timedelta(minutes=1)
    while found := store.write(lambda unit: unit.items.claim(name, 7, NOW, until)):
        keys += [item.key for item in found]
    store.close()
    print(json.dumps(keys))


def write(url: str, owner: str) -> None:
    """Say each order's id as soon as the store says that it is saved."""
    store = open_store(url)
    for _ in itertools.count():
        order = Order(
            order_id=new_order_id(),
            owner=owner,
            specification=OrderSpecification(),
            status=StatusInfo(status=Status.ACCEPTED),
            created=NOW,
            updated=NOW,
        )
        store.write(lambda unit, order=order: unit.orders.add(order))
        print(order.order_id, flush=True)


def add(url: str, owner: str) -> None:
    """Save fifty orders."""
    store = open_store(url)
    for _ in range(50):
        order = Order(
            order_id=new_order_id(),
            owner=owner,
            specification=OrderSpecification(),
            status=StatusInfo(status=Status.ACCEPTED),
        )
        store.write(lambda unit, order=order: unit.orders.add(order))
    store.close()


if __name__ == "__main__":
    {"claim": claim, "write": write, "add": add}[sys.argv[1]](*sys.argv[2:])
