"""Orders at a glance: the view of a hundred thousand items, a page of orders, an event to a listener.

Beside the view stands that of an order of a hundred items, in the same states and in turn: bounded work takes
about as long. Beside the page stands GetStatus of the same orders, without items. An event is measured from
the call that commits it until it lies in a listener's queue, beside what a notebook's card may take.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from oseo_lab.encoding import json_form
from oseo_lab.model.collection import Collection
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import FilteringCriteria, GetStatus
from oseo_lab.model.order import (
    Attempt,
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    ResultFile,
    StatusChange,
    StatusInfo,
    new_order_id,
)
from oseo_lab.model.status import Status
from oseo_lab.operations import Context, Service, perform
from oseo_lab.operations.summaries import SummaryQuery, list_summaries
from oseo_lab.operations.view import order_view
from oseo_lab.ports import OrderStore
from oseo_lab.store import open_store
from oseo_lab.web.hub import Hub
from tests.benchmarks import Row

LARGE, SMALL = 100_000, 100
ORDERS, EVENTS, ROUNDS = 100, 200, 41
#: Times as long as a small order's view a large one's may take; milliseconds an event may be on its way.
TIMES, ON_ITS_WAY = 8.0, 250.0
NOW = datetime(2026, 7, 1, tzinfo=UTC)
SCENES = Collection(id="scenes")
_PIECE = 5_000


def _order(count: int) -> Order:
    order_id, accepted = new_order_id(), StatusInfo(status=Status.ACCEPTED)
    items = tuple(
        OrderItem(
            order_id=order_id,
            number=number,
            collection_id="scenes",
            status=accepted,
            updated=NOW,
            specification=ItemSpecification(
                item_id=f"scene-{number}", identifier=ProductId(identifier=f"S2B_{number:06}")
            ),
        )
        for number in range(1, count + 1)
    )
    return Order(
        order_id=order_id,
        owner="anna",
        specification=OrderSpecification(order_reference=f"{count} items"),
        status=StatusInfo(status=Status.IN_PRODUCTION),
        created=NOW,
        updated=NOW,
        items=items,
    )


def _move(store: OrderStore, items: list[OrderItem], status: Status, info: str | None = None) -> None:
    """Move items as a dispatcher does: with history, attempts and, where they are delivered, a file each."""
    at = NOW + timedelta(seconds=items[0].number)
    said = StatusInfo(status=status, additional=info)
    after = [replace(each, status=said, attempt=1, updated=at) for each in items]
    outcome = "delivered" if status is Status.COMPLETED else "transient"
    keys = [(each.order_id, each.number) for each in items]

    def write(work: Any) -> None:
        work.items.save_many(list(zip(items, after, strict=True)))
        work.events.add(
            [
                StatusChange(order_id=order_id, number=number, status=status, at=at, author="d", info=info)
                for order_id, number in keys
            ]
        )
        if status.is_final:
            ends = [Attempt(order_id=a, number=b, attempt=1, ended=at, outcome=outcome) for a, b in keys]
            work.events.save_attempts(ends)
        if status is Status.COMPLETED:
            work.results.add([_file(*key) for key in keys])

    store.write(write)


def _file(order_id: str, number: int) -> ResultFile:
    return ResultFile(
        order_id=order_id,
        number=number,
        attempt=1,
        name="scene.tif",
        size=10**8,
        sha256="00" * 32,
        media_type="image/tiff",
        expires=NOW + timedelta(days=10_000),
    )


def _stored(store: OrderStore, count: int) -> str:
    """Store an order of which half is delivered, a tenth failed of three reasons, a tenth in work."""
    order = _order(count)
    store.write(lambda work: work.orders.add(order))
    items, tenth = list(order.items), count // 10
    for start in range(0, 5 * tenth, _PIECE):
        _move(store, items[start : min(start + _PIECE, 5 * tenth)], Status.COMPLETED)
    for reason in range(3):
        _move(store, items[5 * tenth : 6 * tenth][reason::3], Status.FAILED, f"reason {reason}")
    _move(store, items[6 * tenth : 7 * tenth], Status.IN_PRODUCTION)
    return order.order_id


def _context(store: OrderStore) -> Context:
    return Context(
        owner="anna",
        store=store,
        collections={"scenes": SCENES},
        service=Service(),
        wake=lambda: None,
        now=lambda: datetime.now(UTC),
        url="http://localhost/oseo/",
        link=lambda order_id, number, name, expires, share=None: f"http://localhost/oseo/{number}/{name}",
        workers=4,
    )


def _milliseconds(*actions: Callable[[], object]) -> list[float]:
    """Return the medians of what is done in turn."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for action, taken in zip(actions, times, strict=True):
            began = time.perf_counter()
            action()
            taken.append(1000 * (time.perf_counter() - began))
    return [statistics.median(each) for each in times]


async def _on_their_way(store: OrderStore, order_id: str) -> list[float]:
    """Return the milliseconds of events from the call that commits them to a listener's queue."""
    hub = Hub(store, asyncio.to_thread)
    listener = await hub.join("anna")
    said = StatusChange(order_id=order_id, number=1, status=Status.ACCEPTED, at=NOW, author="d")
    taken = []
    for _ in range(EVENTS):
        began = time.perf_counter()
        await asyncio.to_thread(store.write, lambda work: work.events.add([said]))
        await listener.queue.get()
        taken.append(1000 * (time.perf_counter() - began))
    await hub.close()
    return sorted(taken)


def run() -> list[Row]:
    """Return what a view, a page of orders and an event take."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'orders.sqlite'}")
        large, small = _stored(store, LARGE), _stored(store, SMALL)
        context = _context(store)
        for_large, for_small = _milliseconds(
            lambda: json_form.encode(order_view(large, context)),
            lambda: json_form.encode(order_view(small, context)),
        )
        for _ in range(ORDERS):
            _stored(store, 30)
        page, status = _milliseconds(
            lambda: json_form.encode(list_summaries(SummaryQuery(limit=ORDERS), context)),
            lambda: json_form.encode(perform(GetStatus(filtering_criteria=FilteringCriteria()), context)),
        )
        taken = asyncio.run(_on_their_way(store, small))
        store.close()
    return [
        Row(
            what=f"view: {LARGE:,} items beside {SMALL}",
            ours=for_large,
            floor=for_small,
            unit="ms",
            target=TIMES,
        ),
        Row(what=f"page of {ORDERS} orders beside GetStatus", ours=page, floor=status, unit="ms", target=2.0),
        Row(
            what="event to its listener, p95, beside the limit",
            ours=taken[int(0.95 * len(taken))],
            floor=ON_ITS_WAY,
            unit="ms",
            target=1.0,
            note=f"median {statistics.median(taken):.1f} ms",
        ),
    ]
