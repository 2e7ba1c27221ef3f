"""How many jobs go into one task, and how many tasks go out: decided from what jobs took so far.

One task costs Dask a millisecond or two on its way; so jobs that take less are packed. A job of unknown
cost, a long one and one that is tried again travel alone: what dies with it is then itself.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from oseo_lab.model.job import ItemJob

__all__ = ["Backlog", "Pace"]

#: Seconds one task of several jobs should take at most.
TASK_SECONDS = 0.2
#: Most jobs in one task.
MOST = 200
#: Tasks out per thread while all of them are short: one runs, the others are on their way.
SHORT_AHEAD = 3
#: How much the newest duration says about the next.
NEWEST = 0.3

Kind = tuple[str, str, str]


def kind_of(job: ItemJob) -> Kind:
    """Return what jobs of about equal cost have in common."""
    return job.collection_id, job.processor, "order" if job.is_order_package else str(job.packaging)


class Pace:
    """What jobs of each kind take, and what follows from it.

    Parameters
    ----------
    ahead : int
        Tasks out per thread when jobs are long: 1 where workers do not steal from each other, so that no job
        waits behind another while a worker is idle; more where a cluster grows by what it sees waiting.
    """

    def __init__(self, ahead: int = 1) -> None:
        self._ahead = ahead
        self._seconds: dict[Kind, float] = {}

    def note(self, job: ItemJob, seconds: float) -> None:
        """Remember how long a job took."""
        known = self._seconds.get(kind_of(job), seconds)
        self._seconds[kind_of(job)] = known + NEWEST * (seconds - known)

    def room(self, job: ItemJob, tasks: int, threads: int) -> int:
        """Return how many tasks with jobs like this one may go out beside those that are."""
        is_short = self._seconds.get(kind_of(job), TASK_SECONDS) < TASK_SECONDS / 2 and job.attempt == 1
        return threads * (max(SHORT_AHEAD, self._ahead) if is_short else self._ahead) - tasks

    def chunk(self, job: ItemJob, waiting: int, room: int) -> int:
        """Return how many jobs like this one, of so many that wait, make one of ``room`` tasks."""
        known = self._seconds.get(kind_of(job))
        if known is None or job.attempt > 1:
            return 1
        by_time = TASK_SECONDS / max(known, TASK_SECONDS / MOST)
        return max(1, min(int(by_time), math.ceil(waiting / room)))


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

    def take(self, pace: Pace, tasks: int, threads: int, is_wanted: Callable[[str], bool]) -> list[ItemJob]:
        """Return one task's worth of jobs, the next in line; none if nothing waits or there is no room.

        Jobs that are not wanted any more are dropped on the way.
        """
        while self._queues:
            key = min(self._queues, key=lambda each: (each[0], self._queues[each][0][0]))
            waiting = self._queues[key]
            room = pace.room(waiting[0][1], tasks, threads)
            if room <= 0:
                return []
            size = pace.chunk(waiting[0][1], len(waiting), room)
            taken = [waiting.popleft()[1] for _ in range(min(size, len(waiting)))]
            if not waiting:
                del self._queues[key]
            if wanted := [job for job in taken if is_wanted(job.key)]:
                return wanted
        return []
