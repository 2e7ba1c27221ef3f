"""How many jobs go into one task, and how many tasks go out: decided from what jobs took so far.

One task costs Dask a millisecond or two on its way; so jobs that take less are packed. A job of unknown
cost, a long one and one that is tried again travel alone: what dies with it is then itself.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator

from oseo_lab.model.job import ItemJob

__all__ = ["Backlog", "Pace"]

#: Seconds one task of several jobs should take at most.
TASK_SECONDS = 0.2
#: Most jobs in one task.
MOST = 200
#: Seconds assumed of a job that is like none before.
UNKNOWN = 0.05
#: How much the newest duration says about the next.
NEWEST = 0.3

Kind = tuple[str, str, str]


def kind_of(job: ItemJob) -> Kind:
    """Return what jobs of about equal cost have in common."""
    return job.collection_id, job.processor, "order" if job.is_order_package else str(job.packaging)


class Pace:
    """What jobs of each kind take."""

    def __init__(self) -> None:
        self._seconds: dict[Kind, float] = {}

    def note(self, job: ItemJob, seconds: float) -> None:
        """Remember how long a job took."""
        known = self._seconds.get(kind_of(job), seconds)
        self._seconds[kind_of(job)] = known + NEWEST * (seconds - known)

    def seconds(self, job: ItemJob) -> float:
        """Return how long a job will probably take."""
        return self._seconds.get(kind_of(job), UNKNOWN)

    def chunk(self, job: ItemJob, waiting: int, threads: int) -> int:
        """Return how many jobs like this one, of so many that wait, make one task."""
        known = self._seconds.get(kind_of(job))
        if known is None or job.attempt > 1:
            return 1
        by_time = TASK_SECONDS / max(known, TASK_SECONDS / MOST)
        by_share = math.ceil(waiting / (2 * threads))
        return max(1, min(int(by_time), by_share))

    def is_room(self, tasks: int, seconds: float, threads: int) -> bool:
        """Say whether another task may go out, beside so many that are expected to take so long.

        Two per thread keep workers busy; more only while all of them together are short. What a dying
        worker takes along is so kept small.
        """
        return tasks < 2 * threads or seconds < TASK_SECONDS * threads / 2


class Backlog:
    """Jobs that wait here rather than in Dask: highest priority first, then oldest first."""

    def __init__(self) -> None:
        self._queues: dict[tuple[int, Kind, bool], deque[tuple[int, ItemJob]]] = {}
        self._count = 0

    def add(self, job: ItemJob) -> None:
        """Let a job wait; one that is tried again is never packed with others."""
        self._count += 1
        key = (-job.priority, kind_of(job), job.attempt > 1)
        self._queues.setdefault(key, deque()).append((self._count, job))

    def chunks(self, pace: Pace, threads: int, is_wanted: Callable[[str], bool]) -> Iterator[list[ItemJob]]:
        """Yield tasks' worth of jobs, the next in line first; drops what is not wanted any more."""
        while self._queues:
            key = min(self._queues, key=lambda each: (each[0], self._queues[each][0][0]))
            waiting = self._queues[key]
            size = pace.chunk(waiting[0][1], len(waiting), threads)
            taken = [waiting.popleft()[1] for _ in range(min(size, len(waiting)))]
            if not waiting:
                del self._queues[key]
            if wanted := [job for job in taken if is_wanted(job.key)]:
                yield wanted
