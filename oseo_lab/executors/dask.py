"""Jobs on Dask workers: what the dispatcher hands over, packed into tasks; what workers say, handed back.

One thread, the pump, owns all state and takes one message after the other: new jobs, stops, what workers
say, tasks that ended. Jobs wait in the executor's own backlog and go out as workers get free, so that a
cancelled one is simply dropped and a dying worker takes little along. Futures are held until their task has
ended, then dropped at once. A task's key names its items and attempts; Dask repeats nothing by itself. Dask
is imported with the first job, as that takes a third of a second.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from oseo_lab.executors.cluster import Connection, Place
from oseo_lab.executors.on_worker import raise_flags, run_jobs
from oseo_lab.executors.pacing import Backlog, Pace
from oseo_lab.executors.reports import cancelled_report, drain, failed_report
from oseo_lab.model.errors import OseoError
from oseo_lab.model.job import FailureClass, ItemJob, ItemReport, JobEvent, Started
from oseo_lab.production.run_item import run_item

__all__ = ["DaskExecutor"]

log = logging.getLogger("oseo_lab.executors")

#: Seconds a running job has to heed its cancelling, before it is reported without it.
GRACE = 1.8
#: Seconds between looks at how many threads the cluster has.
LOOK = 5.0
#: Seconds the pump sleeps at most, and while something is being cancelled.
IDLE, ALERT = 1.0, 0.1

DIED = "the worker died"


@dataclass
class _Held:
    """A job this executor answers for."""

    job: ItemJob
    task: str | None = None
    worker: str | None = None
    deadline: float | None = None


@dataclass
class _Task:
    """Jobs that travel together, and the future that stands for them."""

    jobs: list[ItemJob]
    future: Any = None
    open: set[str] = field(default_factory=set)


class DaskExecutor:
    """Runs jobs on a Dask cluster (`ports.Executor`); starts it with the first job, or with `warm`.

    Parameters
    ----------
    scheduler, factory, workers, threads_per_worker, scratch, trust_network, dashboard
        As in `oseo_lab.executors.cluster.Place`.
    run : callable, optional
        What makes an item, importable by workers; `oseo_lab.production.run_item` unless a test says
        otherwise.

    Raises
    ------
    ConfigurationError
        If the place named is not safe to talk to.
    """

    def __init__(
        self,
        *,
        scheduler: str = "",
        factory: Mapping[str, Any] | None = None,
        workers: int = 0,
        threads_per_worker: int = 1,
        scratch: Path | str | None = None,
        trust_network: bool = False,
        dashboard: str | None = None,
        run: Callable[..., ItemReport] = run_item,
    ) -> None:
        self._place = Place(
            scheduler=scheduler,
            factory=dict(factory or {}),
            workers=workers,
            threads_per_worker=threads_per_worker,
            scratch=Path(scratch) if scratch else None,
            trust_network=trust_network,
            dashboard=dashboard,
        )
        self._run = run
        self._topic = f"oseo-{uuid4().hex}"
        self._events: queue.SimpleQueue[JobEvent] = queue.SimpleQueue()
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._begin = threading.Lock()
        self._pump: threading.Thread | None = None
        self._aside: ThreadPoolExecutor | None = None
        self._ready = threading.Event()
        self._trouble: Exception | None = None
        # all below belongs to the pump
        self._connection: Connection | None = None
        self._is_connecting = False
        self._closing = False
        self._threads = 1
        self._looked = 0.0
        self._held: dict[str, _Held] = {}
        self._tasks: dict[str, _Task] = {}
        self._stopping: set[str] = set()
        self._backlog = Backlog()
        self._pace = Pace(ahead=2 if scheduler or factory else 1)
        self._count = 0

    # ---------------------------------------------------------------------------- from any thread

    def warm(self, timeout: float | None = None) -> None:
        """Start the cluster now; with a timeout (seconds), wait for it.

        Raises
        ------
        ConfigurationError
            If it was waited for and workers do not fit this process.
        """
        self._tell(self._connect)
        if timeout is not None and self._ready.wait(timeout) and self._trouble is not None:
            raise self._trouble

    def start(self, jobs: Sequence[ItemJob]) -> None:
        """Hand over jobs; one that is held already is not started again. Returns at once."""
        taken = list(jobs)
        self._tell(lambda: self._take(taken))

    def stop(self, keys: Iterable[str]) -> None:
        """Cancel jobs: those not begun report at once, running ones when they next ask, within 2 s."""
        unwanted = list(keys)
        self._tell(lambda: self._stop(unwanted))

    def reports(self, timeout: float) -> list[JobEvent]:
        """Return what has happened, waiting up to ``timeout`` seconds for the first of it."""
        return drain(self._events, timeout)

    def close(self) -> None:
        """Let go of the workers; what runs is abandoned."""
        with self._begin:
            pump, self._closing = self._pump, True
        if pump is not None:
            self._inbox.put(lambda: None)
            pump.join(timeout=60)

    @property
    def client(self) -> Any:
        """The Dask client, for experts and tests; None before there is one."""
        return self._connection.client if self._connection else None

    @property
    def dashboard(self) -> str | None:
        """Address of the cluster's dashboard; None where it has none, or before there is a cluster."""
        return self._connection.dashboard if self._connection else None

    def _tell(self, message: Callable[[], None]) -> None:
        with self._begin:
            if self._closing:
                return
            if self._pump is None:
                self._aside = ThreadPoolExecutor(1, thread_name_prefix="oseo-dask-aside")
                self._pump = threading.Thread(target=self._work, name="oseo-dask", daemon=True)
                self._pump.start()
        self._inbox.put(message)

    # ------------------------------------------------------------------------------------ the pump

    def _work(self) -> None:
        while not self._closing:
            try:
                self._turn()
            except Exception:  # the pump is the last to go: one bad turn must not end it
                log.exception("the executor met an error it did not expect")
        self._let_go()

    def _turn(self) -> None:
        """Take what has arrived, then send out what there is room for."""
        try:
            message = self._inbox.get(timeout=ALERT if self._stopping else IDLE)
            while True:
                message()
                message = self._inbox.get_nowait()
        except queue.Empty:
            pass
        self._enforce()
        self._look()
        self._send()

    def _let_go(self) -> None:
        if self._aside is not None:
            self._aside.shutdown(wait=True, cancel_futures=True)
        while True:  # a connection that was made meanwhile is among the last messages
            try:
                self._inbox.get_nowait()()
            except queue.Empty:
                break
        if self._connection is not None:
            self._tasks.clear()
            self._connection.close()

    # ------------------------------------------------------------------------------ the connection

    def _connect(self) -> None:
        if self._connection is None and not self._is_connecting and self._aside is not None:
            self._is_connecting = True
            self._ready.clear()
            self._aside.submit(self._make_connection)

    def _make_connection(self) -> None:
        """Connect, beside the pump; tell it how that went."""
        try:
            connection = self._place.connect()
            connection.client.subscribe_topic(self._topic, self._heard)
        except Exception as error:
            trouble = error
            self._inbox.put(lambda: self._not_connected(trouble))
        else:
            self._inbox.put(lambda: self._connected(connection))

    def _connected(self, connection: Connection) -> None:
        self._connection, self._is_connecting, self._trouble = connection, False, None
        self._looked = 0.0
        self._ready.set()

    def _not_connected(self, error: Exception) -> None:
        """Give everything back as not begun: the dispatcher decides when to try again."""
        log.error("no workers: %s", error)
        self._is_connecting, self._trouble = False, error
        self._ready.set()
        detail = error.text if isinstance(error, OseoError) else repr(error)
        for held in list(self._held.values()):
            reason = "no worker can be reached"
            self._end(failed_report(held.job, FailureClass.TRANSIENT, reason, detail, counts=False))

    def _look(self) -> None:
        """Ask now and then how many threads there are, and notice a client that has given up."""
        if self._connection is None:
            return
        if not self._connection.is_alive:
            self._disconnected()
        elif time.monotonic() - self._looked > LOOK and self._aside is not None:
            self._looked = time.monotonic()
            self._aside.submit(self._count_threads, self._connection)

    def _count_threads(self, connection: Connection) -> None:
        try:
            threads = sum(connection.client.nthreads().values())
        except (OSError, RuntimeError, TimeoutError) as error:
            log.warning("the scheduler does not answer: %r", error)
            return
        self._inbox.put(lambda: setattr(self, "_threads", max(threads, 1)))

    def _disconnected(self) -> None:
        """Report what was out as failed for now; the next job makes a new connection."""
        if self._connection is not None and self._aside is not None:
            self._aside.submit(self._connection.close)
        self._connection = None
        for task in list(self._tasks.values()):
            self._fail(task, "the connection to the workers was lost")
        self._tasks.clear()
        if self._held:  # what waits here was never out
            self._connect()

    # ---------------------------------------------------------------------------------- going out

    def _take(self, jobs: Sequence[ItemJob]) -> None:
        for job in jobs:
            if job.key not in self._held:
                self._held[job.key] = _Held(job)
                self._backlog.add(job)
        self._connect()

    def _send(self) -> None:
        """Send tasks while there is room, those of one priority in one call."""
        if self._connection is None:
            return
        groups: dict[int, list[str]] = defaultdict(list)
        while jobs := self._backlog.take(
            self._pace, len(self._tasks), self._threads, self._held.__contains__
        ):
            groups[jobs[0].priority].append(self._pack(jobs))
        for priority, keys in groups.items():
            self._submit(self._connection, keys, priority)

    def _pack(self, jobs: list[ItemJob]) -> str:
        """Make a task of jobs, named after the items and attempts in it."""
        keys = [job.key for job in jobs]
        self._count += 1
        several = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:12]
        key = (
            f"{keys[0]}_{self._count}" if len(keys) == 1 else f"{keys[0]}_{len(keys)}-{several}_{self._count}"
        )
        task = _Task(jobs=jobs, open=set(keys))
        for each in keys:
            self._held[each].task = key
        self._tasks[key] = task
        return key

    def _submit(self, connection: Connection, keys: list[str], priority: int) -> None:
        payloads = [pickle.dumps((self._topic, self._run, self._tasks[key].jobs), protocol=5) for key in keys]
        futures = connection.client.map(
            run_jobs, payloads, key=keys, pure=False, retries=0, priority=priority
        )
        for key, future in zip(keys, futures, strict=True):
            self._tasks[key].future = future
            future.add_done_callback(
                lambda future, key=key: self._inbox.put(lambda: self._ended(key, future))
            )

    # --------------------------------------------------------------------------------- coming back

    def _heard(self, event: tuple[float, bytes]) -> None:
        """Take what a worker says, on the client's loop; the pump unpacks it."""
        self._inbox.put(lambda: self._said(pickle.loads(event[1])))

    def _said(self, events: Sequence[JobEvent]) -> None:
        for event in events:
            held = self._held.get(event.key)
            if held is None:
                continue  # settled before: cancelled, or a run that should not have been
            if isinstance(event, Started) and held.worker is not None:
                self._began_again(held)
            elif isinstance(event, ItemReport):
                if event.started and event.ended and event.failure is None:
                    self._pace.note(held.job, (event.ended - event.started).total_seconds())
                self._end(event)
            else:
                held.worker = event.worker if isinstance(event, Started) else held.worker
                self._events.put(event)

    def _began_again(self, held: _Held) -> None:
        """Report a death: a foreign scheduler gave the job of a lost worker to another by itself."""
        self._flag([held.job.key])
        self._end(failed_report(held.job, FailureClass.TRANSIENT, DIED, worker=held.worker))

    def _end(self, report: ItemReport) -> None:
        """Hand out a job's one report and forget the job."""
        held = self._held.pop(report.key)
        self._stopping.discard(report.key)
        self._events.put(report)
        task = self._tasks.get(held.task or "")
        if task is not None:
            task.open.discard(report.key)

    def _ended(self, key: str, future: Any) -> None:
        """Drop a task that is over; whatever of it was not reported has failed for now."""
        from distributed import KilledWorker

        task = self._tasks.pop(key, None)
        if task is None or not task.open:
            return
        if future.status == "error" and isinstance(error := future.exception(timeout=5), KilledWorker):
            self._mourn(task)
        elif future.status == "error":
            self._fail(task, "a worker could not run the item", repr(error))
        else:
            self._fail(task, "the connection to the worker was lost", f"its task is {future.status}")
            if self._connection is not None and self._connection.is_own:
                self._disconnected()  # its scheduler is dying: nothing more may go there

    def _mourn(self, task: _Task) -> None:
        """Report what died with a worker, and let the jobs wait again that cannot have begun.

        They run in order: of those never heard of, only the first may have begun unheard.
        """
        silent = [job for job in task.jobs if job.key in task.open and self._held[job.key].worker is None]
        for job in task.jobs:
            if job.key in task.open and job not in silent[1:]:
                worker = self._held[job.key].worker
                self._end(failed_report(job, FailureClass.TRANSIENT, DIED, worker=worker))
        for job in silent[1:]:
            self._held[job.key].task = None
            self._backlog.add(job)

    def _fail(self, task: _Task, reason: str, detail: str | None = None) -> None:
        for job in task.jobs:
            if job.key in task.open:
                self._end(failed_report(job, FailureClass.TRANSIENT, reason, detail))

    # ------------------------------------------------------------------------------------ stopping

    def _stop(self, keys: Sequence[str]) -> None:
        known = [key for key in keys if key in self._held]
        self._flag([key for key in known if self._held[key].task is not None])
        for key in known:
            held = self._held[key]
            if held.worker is None:
                self._end(cancelled_report(held.job))
                self._release(held.task)
            elif held.deadline is None:
                held.deadline = time.monotonic() + GRACE
                self._stopping.add(key)

    def _release(self, task_key: str | None) -> None:
        """Cancel a task none of whose jobs is wanted any more."""
        task = self._tasks.get(task_key or "")
        if task is not None and not task.open and task.future is not None:
            task.future.cancel()

    def _flag(self, keys: Sequence[str]) -> None:
        """Raise the flags that running jobs ask for, on every worker, beside the pump."""
        if keys and self._connection is not None and self._aside is not None:
            self._aside.submit(self._raise_flags, self._connection, list(keys))

    @staticmethod
    def _raise_flags(connection: Connection, keys: list[str]) -> None:
        try:
            connection.client.run(raise_flags, keys, on_error="ignore")
        except (OSError, RuntimeError, TimeoutError, ValueError) as error:
            log.warning("workers could not be told to stop %d jobs: %r", len(keys), error)

    def _enforce(self) -> None:
        """Report running jobs as cancelled that did not heed it in time; what they make is not wanted."""
        now = time.monotonic()
        for key in [key for key in self._stopping if (self._held[key].deadline or 0.0) < now]:
            self._end(cancelled_report(self._held[key].job))
