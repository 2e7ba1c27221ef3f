"""The order store itself: snapshots to read, one writer whose commits are grouped.

Between processes too one transaction writes at a time: on SQLite by its immediate transactions, on
PostgreSQL by an advisory lock, so that the ids of the event stream become visible in their order and no
two groups of writes can wait for each other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import sqlalchemy as sa

from oseo_lab import ports
from oseo_lab.model.errors import ConfigurationError, OseoError, Unavailable
from oseo_lab.ports import UnitOfWork
from oseo_lab.store.accounts import Accounts
from oseo_lab.store.balances import Balances
from oseo_lab.store.callbacks import Callbacks
from oseo_lab.store.databases import bring_up_to_date, make_engine, revision_of, unreachable
from oseo_lab.store.desk import Desk
from oseo_lab.store.events import Events
from oseo_lab.store.items import Items
from oseo_lab.store.matches import Matches
from oseo_lab.store.migrations import REVISIONS
from oseo_lab.store.notifications import Notifications
from oseo_lab.store.orders import Orders
from oseo_lab.store.outbox import Outbox
from oseo_lab.store.past import Past
from oseo_lab.store.provider_orders import ProviderOrders
from oseo_lab.store.quotations import Quotations
from oseo_lab.store.results import Results
from oseo_lab.store.sendings import Sendings
from oseo_lab.store.session import Caches, Session
from oseo_lab.store.shares import Shares
from oseo_lab.store.subscribers import Subscribers
from oseo_lab.store.views import Views

__all__ = ["Store", "open_store"]

T = TypeVar("T")

#: Most writes that share one commit: bounds how long the first of them waits for the last.
_GROUP = 256
#: Idle connections kept for readers; more are opened when needed and closed after use.
_IDLE = 8


class _Unit:
    """`oseo_lab.ports.UnitOfWork` on one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.orders: ports.Orders = Orders(session)
        self.provider_orders: ports.ProviderOrders = ProviderOrders(session)
        self.items: ports.Items = Items(session)
        self.results: ports.Results = Results(session)
        self.events: ports.Events = Events(session)
        self.outbox: ports.Outbox = Outbox(session)
        self.accounts: ports.Accounts = Accounts(session)
        self.quotations: ports.Quotations = Quotations(session)
        self.callbacks: ports.Callbacks = Callbacks(session)
        self.balances: ports.Balances = Balances(session)
        self.past: ports.Past = Past(session)
        self.matches: ports.Matches = Matches(session)
        self.subscribers: ports.Subscribers = Subscribers(session)
        self.sendings: ports.Sendings = Sendings(session)
        self.notifications: ports.Notifications = Notifications(session)
        self.views: ports.Views = Views(session)
        self.shares: ports.Shares = Shares(session)
        self.desk: ports.Desk = Desk(session)


class _Connections:
    """Units of work on connections of their own, opened when needed and used again.

    Parameters
    ----------
    engine : Engine
        Where to.
    caches : Caches
        Shared by readers and the writer.
    is_writer : bool
        Whether what they begin is to write.
    """

    def __init__(self, engine: sa.Engine, caches: Caches, *, is_writer: bool) -> None:
        self._engine = engine
        self._caches = caches
        self._is_writer = is_writer
        self._idle: deque[tuple[Any, _Unit]] = deque()
        self._room = _IDLE

    def begin(self) -> tuple[Any, _Unit]:
        """Return a connection and the unit of work on it, its transaction begun.

        One that lay idle may have died meanwhile: then another is taken.
        """
        while True:
            pair = self._idle_one()
            is_new = pair is None
            pair = pair or self._connect()
            session = pair[1].session
            try:
                session.begin_write() if self._is_writer else session.begin_read()
                return pair
            except BaseException:
                pair[0].close()
                if is_new or self._engine.dialect.name == "sqlite":
                    raise

    def _idle_one(self) -> tuple[Any, _Unit] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self) -> tuple[Any, _Unit]:
        dialect = self._engine.dialect
        try:
            connection = self._engine.raw_connection()
            driver: Any = connection.driver_connection
            if dialect.name == "postgresql":
                driver.autocommit = True  # transactions are begun by the session
            elif not self._is_writer:
                driver.execute("PRAGMA query_only=ON")
        except (sa.exc.DBAPIError, dialect.loaded_dbapi.Error) as error:
            raise unreachable(self._engine, error) from error
        return connection, _Unit(Session(driver, dialect, self._caches))

    def give_back(self, pair: tuple[Any, _Unit]) -> None:
        """Keep a connection for the next, or close it."""
        if pair[1].session.is_broken or len(self._idle) >= self._room:
            pair[0].close()
        else:
            self._idle.append(pair)

    def close(self) -> None:
        """Close all that are idle, and those in use as they are given back."""
        self._room = 0
        while pair := self._idle_one():
            pair[0].close()


class _Write:
    """One piece of work for the writer, and the future its caller waits for."""

    __slots__ = ("error", "future", "result", "work")

    def __init__(self, work: Callable[[UnitOfWork], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Let the caller go on."""
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Store:
    """`oseo_lab.ports.OrderStore` on SQLite or PostgreSQL; made by `open_store`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        caches = Caches()
        self._readers = _Connections(engine, caches, is_writer=False)
        self._writers = _Connections(engine, caches, is_writer=True)
        self._pending: deque[_Write] = deque()
        self._turn = threading.Lock()  # whoever holds it is the writer
        self._writer: threading.Thread | None = None
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._is_closed = False
        self._told: tuple[Callable[[], None], ...] = ()
        self._thread = threading.Thread(target=self._write_groups, name="oseo-lab-store", daemon=True)
        self._thread.start()

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Open a snapshot; what it shows does not move while it is open."""
        if self._is_closed:
            raise Unavailable("the order store is closed")
        pair = self._readers.begin()
        try:
            yield pair[1]
        finally:
            with suppress(OseoError):  # it was only read: nothing is lost, and the session says it broke
                pair[1].session.end_read()
            self._readers.give_back(pair)

    def submit(self, work: Callable[[UnitOfWork], T]) -> Future[T]:
        """Queue ``work`` for the writer; the future is done after a durable commit, or holds the error."""
        future = self._queue(work)
        self._wake.set()
        return future

    def write(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run ``work`` on the one writer under a savepoint; return its result after a durable commit.

        Where nobody writes, the caller's own thread is the writer, which spares two hops between threads.
        The main thread never is: an interrupt strikes there, and would strike others' work.

        Raises
        ------
        RuntimeError
            If called by work that itself runs on the writer: it would wait for itself.
        """
        me = threading.current_thread()
        if me is self._writer:
            raise RuntimeError("store.write() inside a write would wait for itself; use the unit of work")
        if me is threading.main_thread():
            return self.submit(work).result()
        future = self._queue(work)
        if self._turn.acquire(blocking=False):
            self._take_turn()
            if self._pending:  # came while we wrote, and their callers only wait
                self._wake.set()
        return future.result()

    def when_news(self, told: Callable[[], None]) -> Callable[[], None]:
        """Have ``told`` called after each commit that adds to the history; return what ends that."""
        with self._lock:
            self._told = (*self._told, told)

        def stop() -> None:
            with self._lock:
                self._told = tuple(each for each in self._told if each is not told)

        return stop

    def close(self) -> None:
        """Finish what is queued and let go of the database."""
        with self._lock:
            self._is_closed = True
        self._wake.set()
        self._thread.join()
        with self._turn:
            self._readers.close()
            self._writers.close()
            self._engine.dispose()

    def _queue(self, work: Callable[[UnitOfWork], T]) -> Future[T]:
        write = _Write(work)
        with self._lock:
            if self._is_closed:
                raise Unavailable("the order store is closed")
            self._pending.append(write)
        return write.future

    # ------------------------------------------------------------------------- whoever has the turn

    def _write_groups(self) -> None:
        """Write what nobody else does, until the store is closed and nothing is left."""
        while not self._is_closed or self._pending:
            self._wake.wait()
            self._wake.clear()
            while self._pending:
                self._turn.acquire()
                self._take_turn()
            if self._is_closed:
                self._wake.set()

    def _take_turn(self) -> None:
        """Write what has come together as one group; the turn is ours, and is given up."""
        try:
            self._writer = threading.current_thread()
            group: list[_Write] = []
            with suppress(IndexError):
                while len(group) < _GROUP:
                    group.append(self._pending.popleft())
            writes = [each for each in group if each.future.set_running_or_notify_cancel()]
            if writes:
                self._write_group(writes)
        finally:
            self._writer = None
            self._turn.release()

    def _write_group(self, writes: list[_Write]) -> None:
        try:
            self._commit_group(writes)
        except BaseException as error:
            for write in writes:
                write.error = write.error or error
        for write in writes:
            write.settle()

    def _commit_group(self, writes: list[_Write]) -> None:
        """Run all under savepoints and commit once; what this raises is everybody's error."""
        pair = self._writers.begin()
        session = pair[1].session
        session.has_news = False
        try:
            for write in writes:
                _run_one(write, pair[1])
            session.commit()
            if session.has_news:
                for told in self._told:
                    told()
        except BaseException:
            with suppress(OseoError):  # the first error is the one to tell
                session.rollback()
            raise
        finally:
            self._writers.give_back(pair)


def _run_one(write: _Write, unit: _Unit) -> None:
    """Run one piece of work; its error is its caller's alone, unless the connection broke with it."""
    try:
        with unit.session.savepoint():
            write.result = write.work(unit)
    except BaseException as error:
        write.error = error
        if unit.session.is_broken:
            raise


def open_store(url: str, *, migrate: bool = True) -> ports.OrderStore:
    """Open the order store of a database, made or brought up to date first.

    Parameters
    ----------
    url : str
        ``sqlite:///path`` or ``postgresql+psycopg://…``.
    migrate : bool
        Whether to change a database that is of an older version; an SQLite one is copied first.

    Raises
    ------
    ConfigurationError
        If the URL cannot be used, or the database is of a newer version, or of an older one that may
        not be changed.
    Unavailable
        If the database does not answer.
    """
    engine = make_engine(url)
    try:
        if migrate:
            bring_up_to_date(engine)
        elif revision_of(engine) != REVISIONS[-1]:
            raise ConfigurationError("the order store is of an older version; run: oseo-lab db upgrade")
        return Store(engine)
    except sa.exc.DBAPIError as error:
        engine.dispose()
        raise unreachable(engine, error) from error
