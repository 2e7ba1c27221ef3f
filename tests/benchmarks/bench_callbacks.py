"""Callbacks: what orders nobody asked about pay for them, and how fast those asked for are sent.

Floors, in the same run: settling the same changes with the notices left out; and the same bytes POSTed to the
same receiver by httpx, a connection each, which knows no outbox and checks no address.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import httpx

from oseo_lab.builtin.notifier_soap import SoapNotifier
from oseo_lab.dispatch.planner import Claimed, Policy, decide
from oseo_lab.dispatch.relay import Patience, Relay
from oseo_lab.dispatch.settle import Change, save
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.notices import Moment, as_body
from oseo_lab.model.order import (
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    ProviderOrder,
    StatusInfo,
    new_order_id,
)
from oseo_lab.model.status import Status
from oseo_lab.ports import Notice, OrderStore
from oseo_lab.store import open_store
from tests.benchmarks import Row
from tests.receivers import receiving

ORDERS, ITEMS = 200, 5
NOTICES = 500
ROUNDS = 7
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def filled(orders: int, items: int) -> Iterator[tuple[OrderStore, list[Order]]]:
    """Make a store with accepted orders."""
    made = [_order(items) for _ in range(orders)]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'orders.sqlite'}")
        for order in made:
            store.submit(lambda work, order=order: work.orders.add(order))
        store.write(lambda work: None)
        yield store, made
        store.close()


def _order(items: int) -> Order:
    order_id, status = new_order_id(), StatusInfo(status=Status.ACCEPTED)
    return Order(
        order_id=order_id,
        owner="anna",
        specification=OrderSpecification(),
        status=status,
        created=NOW,
        updated=NOW,
        items=tuple(
            OrderItem(
                specification=ItemSpecification(item_id=f"i{n}", identifier=ProductId(identifier=f"P{n}")),
                status=status,
                order_id=order_id,
                number=n,
                collection_id="c",
                updated=NOW,
            )
            for n in range(1, items + 1)
        ),
        provider_orders=(ProviderOrder(order_id=order_id, updated=NOW),),
    )


def settled() -> float:
    """Return seconds of CPU that claiming and settling one change of every item takes."""
    with filled(ORDERS, ITEMS) as (store, _):

        def settle(work) -> float:
            items = work.items.claim("bench", ORDERS * ITEMS, NOW, NOW + timedelta(minutes=1))
            changes = [
                Change(before=each, decisions=(replace(decision, item=_running(decision.item)),))
                for each in items
                for decision in [decide(each, Claimed(), NOW, Policy())]
            ]
            began = time.process_time()
            assert all(save(work, changes, {}, NOW, Policy()))
            return time.process_time() - began

        return store.write(settle)


def _running(item: OrderItem) -> OrderItem:
    return replace(item, status=StatusInfo(status=Status.IN_PRODUCTION))


def _nobody_asked() -> Row:
    ours, floor = [], []
    for _ in range(ROUNDS):
        ours.append(settled())
        with mock.patch("oseo_lab.dispatch.settle.owe"):
            floor.append(settled())
    return Row(
        what=f"settle {ORDERS * ITEMS} changes of {ORDERS} orders nobody asked about",
        ours=statistics.median(ours) * 1000,
        floor=statistics.median(floor) * 1000,
        unit="ms",
        target=1.1,
        note="floor: without notices",
    )


def _sent() -> Row:
    with receiving() as receiver, filled(NOTICES, 3) as (store, orders):
        notices = [
            Notice(
                order_id=each.order_id,
                kind="SubmitResponse",
                address=receiver.url,
                body={
                    **as_body(Moment(order=each.status, items={n: each.status for n in (1, 2, 3)})),
                    "relates_to": "urn:m:1",
                    "soap": "1.2",
                },
            )
            for each in orders
        ]
        store.write(lambda work: work.outbox.add(notices))
        relay = Relay(
            store=store,
            send=SoapNotifier({"hosts": ["127.0.0.1"]}),
            patience=Patience(),
            now=lambda: datetime.now(UTC),
        )
        began = time.perf_counter()
        relay.start()
        relay.wake()
        receiver.wait(NOTICES)
        ours = NOTICES / (time.perf_counter() - began)
        relay.close()
        body = receiver.received[0].body
        with httpx.Client(limits=httpx.Limits(max_keepalive_connections=0)) as client:
            began = time.perf_counter()
            for _ in range(NOTICES):
                client.post(receiver.url, content=body)
            floor = NOTICES / (time.perf_counter() - began)
    return Row(
        what=f"callbacks of {NOTICES} orders to one receiver",
        ours=ours,
        floor=floor,
        unit="/s",
        higher_is_better=True,
        note="floor: the same bytes by httpx, one after another",
    )


def run() -> list[Row]:
    """Measure both."""
    return [_nobody_asked(), _sent()]
