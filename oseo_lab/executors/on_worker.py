"""What runs inside a Dask worker: a task of one or more jobs, and the flags that stop them.

Events leave one by one as they happen, on the worker's own stream to its scheduler; a flag is a key in this
process, raised by the executor through ``Client.run``: no shared file system, nothing to poll but a set.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from oseo_lab.executors.reports import cancelled_report
from oseo_lab.model.job import ItemJob, ItemReport, JobEvent, Started

__all__ = ["raise_flags", "run_jobs"]

#: Keys of jobs that are not wanted any more, oldest first; bounded, as most of them never come here.
_FLAGS: dict[str, None] = {}
FLAGS_KEPT = 100_000


def raise_flags(keys: Sequence[str]) -> None:
    """Note that these jobs are not wanted any more."""
    _FLAGS.update(dict.fromkeys(keys))
    while len(_FLAGS) > FLAGS_KEPT:
        del _FLAGS[next(iter(_FLAGS))]


class _Channel:
    """Sends events to the executor; what happens within one turn of the worker's loop travels together."""

    def __init__(self, worker: Any, topic: str) -> None:
        self._worker = worker
        self._topic = topic
        self._lock = threading.Lock()
        self._waiting: list[JobEvent] = []

    def send(self, event: JobEvent) -> None:
        with self._lock:
            self._waiting.append(event)
            is_first = len(self._waiting) == 1
        if is_first:
            self._worker.loop.add_callback(self._flush)

    def _flush(self) -> None:
        with self._lock:
            events, self._waiting = self._waiting, []
        self._worker.log_event(self._topic, pickle.dumps(events, protocol=5))


def run_jobs(payload: bytes) -> None:
    """Run a task's jobs one after the other, telling of each as it starts, goes on and ends.

    Parameters
    ----------
    payload : bytes
        Pickle of topic, function and jobs: opaque to Dask, so that no argument shows on a dashboard.
    """
    from distributed import get_worker

    topic: str
    run: Callable[..., ItemReport]
    jobs: list[ItemJob]
    topic, run, jobs = pickle.loads(payload)
    worker: Any = get_worker()
    channel = _Channel(worker, topic)
    for job in jobs:
        if job.key in _FLAGS:
            channel.send(cancelled_report(job))
            continue
        channel.send(Started(key=job.key, worker=worker.address, at=datetime.now(UTC)))
        report = run(
            job,
            progress=channel.send,
            cancelled=lambda key=job.key: key in _FLAGS,
            worker=worker.address,
        )
        channel.send(report)
