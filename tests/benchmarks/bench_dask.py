"""Empty items through the Dask executor, against the loop one would write first.

The floor is `Client.map` with `as_completed` and one SQLite commit per item, on a `LocalCluster` as Dask
makes it by default. Ours hears Started and ItemReport of every item; with the dispatcher, every status is
durable as well.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from oseo_lab.model.collection import Collection
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import ItemJob, ItemReport, Progress
from oseo_lab.model.messages import Submit
from oseo_lab.model.order import ItemSpecification, OrderSpecification, new_order_id
from oseo_lab.model.status import Status
from oseo_lab.operations import Context, Service, perform
from oseo_lab.ports import OrderStore
from tests.benchmarks import Row

ITEMS = 2000
ROUNDS = 3
WORKERS = 2


def nothing(number: int) -> int:
    return number


def empty(
    job: ItemJob, *, progress: Callable[[Progress], None], cancelled: Callable[[], bool], worker: str
) -> ItemReport:
    """Make nothing, and report it."""
    now = datetime.now(UTC)
    return ItemReport(
        key=job.key, order_id=job.order_id, number=job.number, attempt=job.attempt, started=now, ended=now
    )


def jobs_of(count: int) -> list[ItemJob]:
    order_id = new_order_id()
    return [
        ItemJob(
            key=f"oseo-{order_id[9:]}-{number}-1",
            order_id=order_id,
            number=number,
            attempt=1,
            item_id=str(number),
            product=ProductId(identifier=f"product {number}"),
            collection_id="bench",
        )
        for number in range(1, count + 1)
    ]


def floor_rate(folder: Path) -> float:
    """Return items/s of map, as_completed and a commit each, on a default cluster."""
    from distributed import Client, LocalCluster, as_completed

    with (
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.submit(nothing, -1).result()
        database = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE IF NOT EXISTS items (number INTEGER PRIMARY KEY, status TEXT)")
        begun = time.perf_counter()
        futures = client.map(nothing, range(ITEMS), pure=False)
        numbers = {future.key: number for number, future in enumerate(futures)}
        for future in as_completed(futures, loop=client.loop):
            database.execute("INSERT OR REPLACE INTO items VALUES (?, 'Completed')", (numbers[future.key],))
        rate = ITEMS / (time.perf_counter() - begun)
        database.close()
    return rate


def executor_rate(folder: Path) -> float:
    """Return items/s through the executor, each one's Started and ItemReport heard."""
    from oseo_lab.executors.dask import DaskExecutor

    executor = DaskExecutor(workers=WORKERS, scratch=folder, run=empty)
    try:
        executor.warm(timeout=60)
        _all_reported(executor, jobs_of(1))
        jobs = jobs_of(ITEMS)
        begun = time.perf_counter()
        _all_reported(executor, jobs)
        return ITEMS / (time.perf_counter() - begun)
    finally:
        executor.close()


def dispatched_rate(folder: Path) -> float:
    """Return items/s from an order in the store to every item Completed in it, by the real dispatcher."""
    from oseo_lab.dispatch.dispatcher import Dispatcher, Leases
    from oseo_lab.dispatch.jobs import Places
    from oseo_lab.dispatch.planner import Policy
    from oseo_lab.executors.dask import DaskExecutor
    from oseo_lab.store import open_store

    collections = {"bench": Collection(id="bench", pattern=".*", max_items=ITEMS)}
    store = open_store(f"sqlite:///{folder / 'orders.sqlite'}")
    executor = DaskExecutor(workers=WORKERS, scratch=folder, run=empty)
    dispatcher = Dispatcher(
        name="bench",
        store=store,
        executor=executor,
        collections=collections,
        places=Places(results=folder.as_uri(), scratch=folder.as_uri()),
        policy=Policy(),
        leases=Leases(),
        now=lambda: datetime.now(UTC),
    )
    try:
        executor.warm(timeout=60)
        dispatcher.start()
        _all_completed(store, _submit(store, collections, dispatcher.wake, 1), 1)
        order_id = _submit(store, collections, lambda: None, ITEMS)
        begun = time.perf_counter()
        dispatcher.wake()
        _all_completed(store, order_id, ITEMS)
        return ITEMS / (time.perf_counter() - begun)
    finally:
        dispatcher.close()
        executor.close()
        store.close()


def _submit(
    store: OrderStore, collections: dict[str, Collection], wake: Callable[[], None], count: int
) -> str:
    items = tuple(
        ItemSpecification(
            item_id=str(number), identifier=ProductId(identifier=f"p{number}", collection_id="bench")
        )
        for number in range(count)
    )
    context = Context(
        owner="bench",
        store=store,
        collections=collections,
        service=Service(title="bench", provider_name="bench"),
        wake=wake,
        now=lambda: datetime.now(UTC),
        url="http://localhost/oseo/",
        link=lambda *parts: "",
        message_id=None,
    )
    order_id: str = perform(Submit(specification=OrderSpecification(items=items)), context).order_id
    return order_id


def _all_completed(store: OrderStore, order_id: str, count: int) -> None:
    while True:
        with store.read() as snapshot:
            if snapshot.items.counts(order_id).get(Status.COMPLETED, 0) == count:
                return
        time.sleep(0.005)


def executor_latency(folder: Path) -> tuple[float, float]:
    """Return ms from start to report of one item at a time, and of a bare submit and result, 30 ms apart."""
    from oseo_lab.executors.dask import DaskExecutor

    executor = DaskExecutor(workers=WORKERS, scratch=folder, run=empty)
    ours, bare = [], []
    try:
        executor.warm(timeout=60)
        _all_reported(executor, jobs_of(5))
        for job in jobs_of(100):
            time.sleep(0.03)
            begun = time.perf_counter()
            _all_reported(executor, [job])
            ours.append(time.perf_counter() - begun)
            time.sleep(0.03)
            begun = time.perf_counter()
            executor.client.submit(nothing, job.number, pure=False).result()
            bare.append(time.perf_counter() - begun)
    finally:
        executor.close()
    return statistics.median(ours) * 1000, statistics.median(bare) * 1000


def _all_reported(executor: object, jobs: list[ItemJob]) -> None:
    executor.start(jobs)
    waiting = {job.key for job in jobs}
    while waiting:
        waiting -= {event.key for event in executor.reports(1) if isinstance(event, ItemReport)}


def run() -> list[Row]:
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[2]))
    floors, ours, dispatched = [], [], []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(ROUNDS):
            floors.append(floor_rate(Path(name)))
            ours.append(executor_rate(Path(name)))
            dispatched.append(dispatched_rate(Path(name)))
        latency, bare = executor_latency(Path(name))
    return [
        Row(
            what=f"{ITEMS} empty items, each start and report heard",
            ours=statistics.median(ours),
            floor=statistics.median(floors),
            unit="items/s",
            target=5,
            higher_is_better=True,
            note="floor: map + as_completed + commit, default cluster",
        ),
        Row(
            what=f"{ITEMS} empty items of one order, every status durable",
            ours=statistics.median(dispatched),
            floor=statistics.median(floors),
            unit="items/s",
            target=5,
            higher_is_better=True,
            note="the same floor; store and dispatcher as in the service",
        ),
        Row(
            what="one empty item, start to report",
            ours=latency,
            floor=bare,
            unit="ms",
            target=1.3,
            note="floor: submit + result on the same cluster",
        ),
    ]
