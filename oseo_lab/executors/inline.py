"""Jobs in this process, in threads of their own: no Dask, the same promises.

For a server of one person, for tests and for debugging. What it promises is tested together with
`oseo_lab.executors.dask` by one suite.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from oseo_lab.executors.reports import cancelled_report, drain
from oseo_lab.model.job import ItemJob, ItemReport, JobEvent, Started
from oseo_lab.production.run_item import run_item

__all__ = ["InlineExecutor"]

Run = Callable[..., ItemReport]

#: Seconds that closing waits for jobs to heed it.
FAREWELL = 2.0


class InlineExecutor:
    """Runs jobs in a few threads, highest priority first (`ports.Executor`).

    Parameters
    ----------
    run : callable, optional
        What makes an item; `oseo_lab.production.run_item` unless a test says otherwise.
    threads : int
        How many jobs run at a time.
    """

    def __init__(self, *, run: Run = run_item, threads: int = 1) -> None:
        self._run = run
        self._most = max(threads, 1)
        self._events: queue.SimpleQueue[JobEvent] = queue.SimpleQueue()
        self._condition = threading.Condition()
        self._waiting: list[tuple[int, int, ItemJob]] = []
        self._order = itertools.count()
        self._held: dict[str, ItemJob] = {}
        self._unwanted: set[str] = set()
        self._closed = False
        self._threads: list[threading.Thread] = []

    def warm(self) -> None:
        """Do nothing: there is nothing to warm."""

    def start(self, jobs: Sequence[ItemJob]) -> None:
        """Hand over jobs; one that is held already is not started again. Returns at once."""
        with self._condition:
            for job in jobs:
                if job.key not in self._held and not self._closed:
                    self._held[job.key] = job
                    heapq.heappush(self._waiting, (-job.priority, next(self._order), job))
            while len(self._threads) < min(self._most, len(self._held)):
                self._threads.append(threading.Thread(target=self._work, name="oseo-inline", daemon=True))
                self._threads[-1].start()
            self._condition.notify_all()

    def stop(self, keys: Iterable[str]) -> None:
        """Cancel jobs: queued ones report at once, the running one when it next asks."""
        with self._condition:
            unwanted = {key for key in keys if key in self._held}
            self._unwanted |= unwanted
            queued = [entry for entry in self._waiting if entry[2].key in unwanted]
            self._waiting = [entry for entry in self._waiting if entry[2].key not in unwanted]
            heapq.heapify(self._waiting)
        for _, _, job in queued:
            self._end(cancelled_report(job))

    def reports(self, timeout: float) -> list[JobEvent]:
        """Return what has happened, waiting up to ``timeout`` seconds for the first of it."""
        return drain(self._events, timeout)

    def close(self) -> None:
        """Stop what runs and forget what waits."""
        with self._condition:
            self._closed = True
            self._waiting.clear()
            self._unwanted |= set(self._held)
            self._condition.notify_all()
        end = time.monotonic() + FAREWELL
        for thread in self._threads:
            thread.join(timeout=max(0.0, end - time.monotonic()))

    def _work(self) -> None:
        while (job := self._next()) is not None:
            self._events.put(Started(key=job.key, worker="inline", at=datetime.now(UTC)))
            key = job.key
            self._end(
                self._run(
                    job,
                    progress=self._events.put,
                    cancelled=lambda key=key: key in self._unwanted,
                    worker="inline",
                )
            )

    def _next(self) -> ItemJob | None:
        with self._condition:
            while not self._waiting and not self._closed:
                self._condition.wait()
            return None if self._closed else heapq.heappop(self._waiting)[2]

    def _end(self, report: ItemReport) -> None:
        with self._condition:
            self._held.pop(report.key, None)
            self._unwanted.discard(report.key)
        self._events.put(report)
