"""Elsewhere: reading what another server answers, and moving an order that is made there.

Floors, in the same run: libxml2's bare parse of the same answer; the same answer without anything to mend;
and, for the forwarding loop, the store's own writing of the same items twice (passed on, then completed).
The provider answers from memory, so what is left is ours.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lxml import etree

from oseo_lab.dispatch.forwarding import Forwarding
from oseo_lab.dispatch.planner import Policy
from oseo_lab.encoding import oseo, soap
from oseo_lab.encoding.soap_client import read_answer
from oseo_lab.model.collection import Collection
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import GetStatus, GetStatusResponse
from oseo_lab.model.order import ItemSpecification, OrderSpecification, StatusInfo
from oseo_lab.model.status import Status
from oseo_lab.operations.order_types import make_order
from oseo_lab.ports import Forwarded, ForwardedItem, UnitOfWork
from oseo_lab.store import open_store
from tests.benchmarks import Row

COUNT = 1000
FAR = Collection(id="far", provider="MAKER", provider_plugin="x:Y")
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def order() -> Any:
    """Return a new order of a thousand items of a mounted collection."""
    items = tuple(
        ItemSpecification(item_id=str(n), identifier=ProductId(identifier=f"P{n}", collection_id="far"))
        for n in range(1, COUNT + 1)
    )
    return make_order(OrderSpecification(items=items), (FAR,) * COUNT, "anna", None, None, NOW)


def median(work: Callable[[], Any], times: int, clock: Callable[[], float] = time.thread_time) -> float:
    """Return the median of so many runs, milliseconds."""
    taken = []
    for _ in range(times):
        began = clock()
        work()
        taken.append((clock() - began) * 1000)
    return statistics.median(taken)


def _reading() -> list[Row]:
    answer = oseo.encode_response(GetStatusResponse(orders=(order(),)))
    right = soap.close_envelope(answer, soap.SoapVersion.V11)
    wrong = right.replace(b"<status>Accepted</status>", b"<status> Accepted </status>")

    def read(body: bytes) -> Any:
        return read_answer(body, status=200, url="http://x/", request=GetStatus)

    assert read(right).orders == read(wrong).orders
    floor = median(lambda: etree.fromstring(right), 15)
    whole, mended = median(lambda: read(right), 15), median(lambda: read(wrong), 9)
    what = f"another server's GetStatusResponse x {COUNT}"
    return [
        Row(what=f"{what}: read / bare parse", ours=whole, floor=floor, unit="ms"),
        Row(what=f"{what}: mended and read / read", ours=mended, floor=whole, unit="ms"),
    ]


class Maker:
    """Answers at once: it has the order, then it has made it."""

    def submit(self, *_: Any, **__: Any) -> str:
        """Take an order."""
        return "T1"

    def poll(self, part: Any, items: Any) -> Forwarded:
        """Say that all is done."""
        return Forwarded(
            items=tuple(
                ForwardedItem(
                    number=each.number, status=Status.COMPLETED, files=(f"https://x/{each.number}.tif",)
                )
                for each in items
            )
        )


def _forwarding(folder: Path) -> list[Row]:
    store = open_store(f"sqlite:///{folder / 'orders.sqlite'}")
    clock = [NOW]
    loop = Forwarding(
        name="bench",
        store=store,
        providers=lambda collection_id: Maker(),
        collections={"far": FAR},
        policy=Policy(),
        now=lambda: clock[0],
    )

    def moved() -> None:
        new = order()
        store.write(lambda work: work.orders.add(new))
        began.append(time.perf_counter())
        for _ in range(2):
            clock[0] += timedelta(seconds=10)
            assert loop.step() == 1
        ended.append(time.perf_counter())

    def written() -> None:
        new = order()
        store.write(lambda work: work.orders.add(new))
        began.append(time.perf_counter())
        items = list(new.items)
        for status in (Status.ACCEPTED, Status.COMPLETED):
            after = [replace(each, status=StatusInfo(status=status, additional="said")) for each in items]
            pairs = list(zip(items, after, strict=True))
            store.write(lambda work, pairs=pairs: _save(work, pairs))
            items = after
        ended.append(time.perf_counter())

    taken = []
    for work in (moved, written):
        began: list[float] = []
        ended: list[float] = []
        for _ in range(5):
            work()
        taken.append(statistics.median(e - b for b, e in zip(began, ended, strict=True)) * 1000)
    loop.close()
    store.close()
    what = f"order of {COUNT} items passed on and completed / store alone"
    return [Row(what=what, ours=taken[0], floor=taken[1], unit="ms")]


def _save(work: UnitOfWork, pairs: Any) -> None:
    assert all(work.items.save_many(pairs))


def run() -> list[Row]:
    """Measure reading foreign answers and moving a provider order."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_reading(), *_forwarding(Path(folder))]
