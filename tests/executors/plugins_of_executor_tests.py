"""Plugins and stand-ins for jobs that tests of executors name; importable by workers through PYTHONPATH."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from oseo_lab.model.job import Asset, CatalogueItem, ItemJob, ItemReport, Product, Progress
from oseo_lab.ports import Inputs, ProcessingFailed, Workspace
from oseo_lab.production.run_item import run_item


class Everything:
    """A catalogue that has every product whose name is not 'unknown'."""

    def __init__(self, collection_id: str, settings: object) -> None:
        self._collection_id = collection_id

    def find(self, identifiers: list[str]) -> dict[str, CatalogueItem]:
        return {
            each: CatalogueItem(
                identifier=each,
                collection_id=self._collection_id,
                assets=(Asset(name="a", href="/dev/null"),),
            )
            for each in identifiers
            if each != "unknown"
        }


def hello(item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
    path = workspace.path("hello.txt")
    path.write_text(f"hello {item.item_id}")
    workspace.progress(0.5, "halfway")
    return [Product(path=str(path), name=path.name, media_type="text/plain")]


def patient(item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
    """Waits until it is cancelled."""
    while True:
        workspace.cancelled()
        time.sleep(0.01)


def deaf(item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
    """Never asks whether it is wanted; ends when the file named by its product does not exist."""
    while Path(item.product.identifier).exists():
        time.sleep(0.05)
    return hello(item, inputs, workspace)


def refuses(item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
    raise ProcessingFailed("there are clouds on it", retry=False, detail="98 %")


def has_a_bug(item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
    raise KeyError("secret_table")


def note(item: ItemJob) -> None:
    """Leave a trace of each run beside the results."""
    folder = Path(item.results.removeprefix("file://")).parent / "runs"
    folder.mkdir(exist_ok=True)
    with (folder / item.key).open("a") as trace:
        trace.write(f"{os.getpid()}\n")


def deadly(item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
    """Kills its worker, after all work and before anybody hears of it."""
    note(item)
    hello(item, inputs, workspace)
    time.sleep(0.2)  # until the worker's stream has carried that it began
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def dies_after_delivery(
    job: ItemJob, *, progress: Callable[[Progress], None], cancelled: Callable[[], bool], worker: str
) -> ItemReport:
    """Run an item whole; the worker then dies before the report leaves, for products named 'deadly'."""
    report = run_item(job, progress=progress, cancelled=cancelled, worker=worker)
    if job.product.identifier == "deadly":
        note(job)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)
    return report


def empty(
    job: ItemJob, *, progress: Callable[[Progress], None], cancelled: Callable[[], bool], worker: str
) -> ItemReport:
    """Do nothing and say so."""
    now = datetime.now(UTC)
    return ItemReport(
        key=job.key,
        order_id=job.order_id,
        number=job.number,
        attempt=job.attempt,
        worker=worker,
        started=now,
        ended=datetime.now(UTC),
    )
