"""The one composition root: settings in, running services out. Who knows everybody.

`build` opens the order store, reads the collections, and makes executor, dispatcher and sweeper; nothing
heavy starts before `Services.start`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from oseo_lab.dispatch.dispatcher import Dispatcher, Leases
from oseo_lab.dispatch.jobs import Places
from oseo_lab.dispatch.planner import Policy
from oseo_lab.dispatch.presence import Presence
from oseo_lab.dispatch.sweeper import Sweeper
from oseo_lab.model.job import Progress
from oseo_lab.model.order import CallbackKind
from oseo_lab.ports import Executor
from oseo_lab.settings import Settings
from oseo_lab.store import open_store
from oseo_lab.wiring.at_hand import notifier
from oseo_lab.wiring.links import Links, read_key
from oseo_lab.wiring.reading import read_collections
from oseo_lab.wiring.running import Running
from oseo_lab.wiring.sequence import Sequence
from oseo_lab.wiring.services import ProgressListener, Services, now

__all__ = ["Sequence", "Services", "build", "database_url", "read_collections", "read_key"]


def build(
    settings: Settings, *, clock: Callable[[], datetime] = now, executor: Executor | None = None
) -> Services:
    """Build the services; starts nothing.

    Parameters
    ----------
    settings : Settings
        What the operator settled.
    clock : callable, optional
        The time, UTC: another one than this machine's lets tests move it.
    executor : Executor, optional
        Where items are made, if not where the settings say.

    Raises
    ------
    ConfigurationError
        If a collection file, a plugin or the store is not as it must be.
    """
    for folder in (settings.data_dir, settings.results_dir, settings.scratch_dir):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # results are their owners' alone
    collections = read_collections(settings.collections)
    if settings.callback_hosts:
        notifier(settings, CallbackKind.SUBMIT_RESPONSE)  # so that a wrong entry is heard of now
    store = open_store(database_url(settings))
    executor = executor or _executor(settings)
    places = Places(results=settings.results_dir.as_uri(), scratch=settings.scratch_dir.as_uri())
    running = Running()
    listeners: list[ProgressListener] = [running.tell]

    def tell(order_id: str, number: int, progress: Progress) -> None:
        for listener in tuple(listeners):
            listener(order_id, number, progress)

    name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
    dispatcher = Dispatcher(
        name=name,
        store=store,
        executor=executor,
        collections=collections,
        places=places,
        policy=Policy(max_attempts=settings.max_attempts, retry_delay=settings.retry_delay),
        leases=Leases(max_in_flight=settings.max_in_flight, lease=settings.lease, renew=settings.renew),
        now=clock,
        on_progress=tell,
        presence=Presence(settings.data_dir / "dispatchers" / socket.gethostname(), name),
    )
    return Services(
        settings=settings,
        store=store,
        collections=collections,
        executor=executor,
        dispatcher=dispatcher,
        sweeper=Sweeper(store=store, results=settings.results_dir, scratch=settings.scratch_dir, now=clock),
        links=Links(read_key(settings.data_dir / "keys" / "urls"), clock),
        now=clock,
        progress_listeners=listeners,
        running=running,
    )


def database_url(settings: Settings) -> str:
    """Return the store's URL: as set, or SQLite in the data folder."""
    return settings.database_url or f"sqlite:///{settings.data_dir / 'orders.sqlite'}"


def _executor(settings: Settings) -> Executor:
    if settings.executor == "inline":
        from oseo_lab.executors.inline import InlineExecutor

        return InlineExecutor(threads=settings.threads_per_worker)
    from oseo_lab.executors.dask import DaskExecutor

    return DaskExecutor(
        scheduler=settings.dask_scheduler,
        factory=settings.dask_factory,
        workers=settings.workers,
        threads_per_worker=settings.threads_per_worker,
        scratch=settings.scratch_dir,
        trust_network=settings.trust_network,
        dashboard=settings.dask_dashboard or None,
    )
