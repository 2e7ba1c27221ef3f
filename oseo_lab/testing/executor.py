"""Where a test service's items are made: in threads of this process, as its faults say, and watched.

What it reports carries the time of the service's own clock, which tests move.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from oseo_lab.at_home.clock import Clock
from oseo_lab.executors.inline import InlineExecutor
from oseo_lab.executors.reports import cancelled_report, failed_report
from oseo_lab.model.job import FailureClass, ItemJob, ItemReport, JobEvent, Progress, Started
from oseo_lab.production.run_item import run_item
from oseo_lab.testing.faults import CATALOGUE, Faults

__all__ = ["WatchedExecutor"]

#: Most items in work at a time.
THREADS = 16
#: Seconds after which a slow item looks whether it is still wanted.
LOOK = 0.02


class _Counted(queue.SimpleQueue[JobEvent]):
    """Events on their way to the dispatcher, counted before anybody can take them."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self._lock = threading.Lock()

    def put(self, item: JobEvent, block: bool = True, timeout: float | None = None) -> None:
        with self._lock:
            self.count += 1
        super().put(item, block, timeout)


class WatchedExecutor(InlineExecutor):
    """Makes items, or lets them fail; knows which of them only a test can move on.

    Parameters
    ----------
    faults : Faults
        What goes wrong.
    clock : Clock
        The service's.
    """

    def __init__(self, faults: Faults, clock: Clock) -> None:
        super().__init__(run=self._make, threads=THREADS)
        self._events = self._counted = _Counted()
        self._faults = faults
        self._clock = clock
        self._lock = threading.Lock()
        self._open: set[str] = set()
        self._parked: dict[str, ItemJob] = {}
        self._slow: dict[str, Callable[[], bool]] = {}

    @property
    def busy(self) -> int:
        """How many jobs will end without a test's doing; reports that nobody took yet count."""
        with self._lock:
            slow = self._lingering()
            return 0 if len(slow) >= THREADS else len(self._open - slow - self._parked.keys())

    @property
    def told(self) -> int:
        """How many events there have been, taken or not."""
        return self._counted.count

    @property
    def resting(self) -> int:
        """How many jobs wait for a test."""
        with self._lock:
            slow = self._lingering()
            return len(self._open) if len(slow) >= THREADS else len(slow | self._parked.keys())

    def _lingering(self) -> set[str]:
        """Return which jobs linger on: not those that were released or cancelled and do not know it yet."""
        return {key for key, is_to_linger in self._slow.items() if is_to_linger()}

    def start(self, jobs: Sequence[ItemJob]) -> None:
        """Hand over jobs; while jobs are parked, none begins."""
        with self._lock:
            self._open.update(job.key for job in jobs)
            if self._faults.is_parking:
                self._parked.update((job.key, job) for job in jobs)
                return
        super().start(jobs)

    def unpark(self) -> None:
        """Let parked jobs begin."""
        with self._lock:
            parked, self._parked = list(self._parked.values()), {}
        super().start(parked)

    def stop(self, keys: Iterable[str]) -> None:
        """Cancel jobs, parked ones too."""
        unwanted = set(keys)
        with self._lock:
            gone = [self._parked.pop(key) for key in unwanted & self._parked.keys()]
        for job in gone:
            self._events.put(cancelled_report(job))
        super().stop(unwanted)

    def reports(self, timeout: float) -> list[JobEvent]:
        """Return what has happened, by the service's clock."""
        found = [self._by_clock(each) for each in super().reports(timeout)]
        with self._lock:
            self._open -= {each.key for each in found if isinstance(each, ItemReport)}
        return found

    def _by_clock(self, event: JobEvent) -> JobEvent:
        ahead = self._clock.ahead
        if not ahead:
            return event
        if isinstance(event, Started):
            return replace(event, at=event.at + ahead)
        if isinstance(event, ItemReport):

            def moved(at: datetime | None) -> datetime | None:
                return at + ahead if at is not None else None

            return replace(event, started=moved(event.started), ended=moved(event.ended))
        return event

    def _make(
        self,
        job: ItemJob,
        *,
        progress: Callable[[Progress], Any],
        cancelled: Callable[[], bool],
        worker: str,
    ) -> ItemReport:
        """Make an item, unless something is to go wrong with it."""
        fault = self._faults.take(job)
        if fault is not None:
            return failed_report(job, fault.failure_class, fault.reason, "a fault of the test", worker)
        if self._faults.is_catalogue_down:
            return failed_report(job, FailureClass.TRANSIENT, CATALOGUE, worker=worker)
        usually = self._faults.restoring(job, self._clock())
        if usually is not None:
            report = failed_report(job, FailureClass.WAITING, "the product is in an archive", worker=worker)
            assert report.failure is not None
            return replace(report, failure=replace(report.failure, usually=usually))
        if self._faults.is_slow(job):
            self._linger(job, progress, cancelled)
            if cancelled():
                return cancelled_report(job)
        return run_item(job, progress=progress, cancelled=cancelled, worker=worker)

    def _linger(
        self, job: ItemJob, progress: Callable[[Progress], Any], cancelled: Callable[[], bool]
    ) -> None:
        """Stay half done until released or cancelled."""

        def is_to_linger() -> bool:
            return self._faults.is_slow(job) and not cancelled()

        progress(Progress(key=job.key, fraction=0.5, stage="processing"))
        with self._lock:
            self._slow[job.key] = is_to_linger
        while is_to_linger():
            self._faults.wait(LOOK)
        with self._lock:
            del self._slow[job.key]
