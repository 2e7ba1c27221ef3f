"""What must go: results whose time is over, deliveries no settled attempt owns, scratch of dead workers.

Runs on its own thread beside the dispatcher, every minute; whatever it does can be done again.
"""

from __future__ import annotations

import logging
import re
import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from oseo_lab.dispatch.planner import Expired, Policy, decide
from oseo_lab.dispatch.settle import Change, save
from oseo_lab.model.errors import OseoError
from oseo_lab.model.order import MESSAGE_ID_DAYS, OrderItem, ResultFile, order_uuid
from oseo_lab.model.quotation import QUOTATION_DAYS
from oseo_lab.model.status import DELIVERED
from oseo_lab.ports import OrderStore, UnitOfWork

__all__ = ["Sweeper"]

log = logging.getLogger("oseo_lab.dispatch")

#: Seconds between sweeps.
EVERY = 60.0
#: Age below which an unowned delivery is left alone: it may be about to be settled.
YOUNG = timedelta(hours=1)
#: A workspace's folder: ``job-`` and the key of the job (`oseo_lab.dispatch.jobs.key_of`).
_JOB_FOLDER = re.compile(r"job-oseo-([0-9a-f-]{36})-(\d+)-(\d+)")


class Sweeper:
    """Removes expired results, orphaned deliveries and orphaned scratch.

    Parameters
    ----------
    store : OrderStore
        Where results are recorded.
    results, scratch : Path
        The folders that deliveries lie in and that workers work in.
    now : callable
        The clock, UTC.
    """

    def __init__(
        self, *, store: OrderStore, results: Path, scratch: Path, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._results = results
        self._scratch = scratch
        self._now = now
        self._orphans_due = now()  # then hourly: it looks at every folder there is
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="oseo_lab sweeper", daemon=True)

    def start(self) -> None:
        """Begin sweeping."""
        self._thread.start()

    def close(self) -> None:
        """Stop sweeping."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.expire()
                if self._now() >= self._orphans_due:
                    self.remove_orphans()
                    self.forget_quotations()
                    self._orphans_due = self._now() + YOUNG
                self.remove_scratch()
                before = self._now() - timedelta(days=MESSAGE_ID_DAYS)
                self._store.write(partial(_forget_messages, before=before))
            except (OseoError, OSError) as wrong:
                log.warning("sweeping was interrupted and will be tried again: %s", wrong)
            except Exception:
                log.exception("a sweep failed and will be tried again")
            self._stop.wait(EVERY)

    def expire(self) -> int:
        """Remove results whose time is over, say so in their items' status; return how many files."""
        removed = 0
        while True:
            now = self._now()
            with self._store.read() as snapshot:
                files = snapshot.results.expired(now, 1000)
            if not files:
                return removed
            for file in files:
                self._path(file).unlink(missing_ok=True)
            self._store.write(partial(_note_expired, files=files, now=now))
            removed += len(files)

    def _path(self, file: ResultFile) -> Path:
        folder = self._results / str(order_uuid(file.order_id)) / str(file.number) / str(file.attempt)
        return folder / file.name

    def remove_orphans(self) -> int:
        """Remove deliveries of attempts that were never settled; return how many folders.

        A name that is no number is a delivery whose worker died while it gathered the files. Orders that the
        store does not know are left alone: a store set up anew, or put back from a copy, must not cost data.
        """
        removed = 0
        for order in self._results.iterdir():
            old = [folder for folder in order.glob("*/*") if self._is_old(folder)]
            for folder in self._orphans(f"urn:uuid:{order.name}", old) if old else ():
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        return removed

    def _orphans(self, order_id: str, folders: list[Path]) -> list[Path]:
        """Return which of an order's folders nobody owns or is about to own."""
        with self._store.read() as snapshot:
            if snapshot.orders.get(order_id) is None:
                return []
            files = snapshot.results.of(order_id)
            owned = {f"{each.number}/{each.attempt}" for each in files if not each.removed}
            left = [each for each in folders if f"{each.parent.name}/{each.name}" not in owned]
            return [each for each in left if not _is_in_work(snapshot, order_id, each.parent.name)]

    def _is_old(self, folder: Path) -> bool:
        return folder.is_dir() and folder.stat().st_mtime < (self._now() - YOUNG).timestamp()

    def forget_quotations(self) -> int:
        """Forget quotations that nobody ordered for long; return how many."""
        before = self._now() - timedelta(days=QUOTATION_DAYS)
        return self._store.write(lambda work: work.quotations.forget(before))

    def remove_scratch(self) -> int:
        """Remove the job folders that killed workers left behind; return how many."""
        left = [folder for folder in self._scratch.glob("job-*") if not self._is_running(folder.name)]
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return len(left)

    def _is_running(self, name: str) -> bool:
        """Whether a job folder's attempt is one that a dispatcher holds."""
        named = _JOB_FOLDER.fullmatch(name)
        if named is None:
            return True  # not ours to judge
        order_id, number, attempt = f"urn:uuid:{named[1]}", int(named[2]), int(named[3])
        with self._store.read() as snapshot:
            item = snapshot.items.get(order_id, number)
        return item is not None and item.attempt == attempt and item.lease_owner is not None


def _is_in_work(snapshot: UnitOfWork, order_id: str, number: str) -> bool:
    item = snapshot.items.get(order_id, int(number)) if number.isdecimal() else None
    return item is not None and item.lease_owner is not None


def _note_expired(work: UnitOfWork, files: list[ResultFile], now: datetime) -> None:
    work.results.removed(files)
    gone = dict.fromkeys((file.order_id, file.number) for file in files)
    work.items.keep_recipes((key, None) for key in gone)
    changes = [
        Change(before=item, decisions=(decide(item, Expired(), now, Policy()),))
        for order_id, number in gone
        for item in _items_told(work, order_id, number)
    ]
    save(work, changes, {}, now, Policy())


def _items_told(work: UnitOfWork, order_id: str, number: int) -> list[OrderItem]:
    """Return the items whose user loses something: of an order packed as a whole all, with the package."""
    package = work.items.get(order_id, 0)
    if package is None or package.status.status not in DELIVERED:
        item = work.items.get(order_id, number)
        return [item] if item is not None else []
    if number:
        return []
    items = work.items.of(order_id)
    return [package, *(each for each in items if each.status.status in DELIVERED)]


def _forget_messages(work: UnitOfWork, before: datetime) -> int:
    return work.orders.forget_messages(before)
