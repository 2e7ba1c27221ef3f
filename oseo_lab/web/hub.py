"""The one reader of the status history, and who listens to it.

Reads the history while somebody listens, as soon as this process adds to it and now and then for what others
add, and hands its rows to the listeners on the loop, in the order of their ids: to an order's owner, and to
those it is shared with at that moment. Progress passes by without being kept. A listener that does not keep
up is let go: it comes back and resumes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from oseo_lab.encoding import json_form
from oseo_lab.model.job import Progress
from oseo_lab.model.order import StatusChange
from oseo_lab.ports import OrderStore, UnitOfWork

__all__ = ["HEARTBEAT", "ROWS", "Hub", "Listener", "status_message"]

log = logging.getLogger("oseo_lab.events")

#: Seconds between looks at the history while somebody listens, for what other processes add to it.
POLL = 0.2
#: Least seconds between two looks: what comes in between is read together.
GATHER = 0.02
#: Seconds for which it is remembered who hears of an order's progress.
KNOWN = 1.0
#: Seconds of silence after which a sign of life is sent.
HEARTBEAT = 15.0
#: Most messages waiting for one listener.
WAITING = 1000
#: Most rows read at once.
ROWS = 500
#: Orders of which it is remembered who hears of them.
ORDERS = 10_000


class Listener:
    """One connection's queue of messages; full, it is let go."""

    def __init__(self, reader: str, position: int) -> None:
        self.reader = reader
        self.position = position
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self.is_lost = False

    def tell(self, message: bytes) -> None:
        """Queue a message for sending; after one that found no room, none."""
        if self.is_lost:
            return
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.is_lost = True

    def end(self) -> None:
        """Let the connection go."""
        self.is_lost = True
        with suppress(asyncio.QueueFull):
            self.queue.put_nowait(b"")


@dataclass(frozen=True, slots=True)
class _Readers:
    """Who may know of an order: its owner, and those it was shared with at a moment of the loop's clock."""

    owner: str
    grantees: Set[str]
    at: float


class Hub:
    """The one reader of a server's history.

    Parameters
    ----------
    store : OrderStore
        Where the history is.
    work : callable
        Runs ordinary code in a thread.
    now : callable
        The clock, UTC: until when shares hold.
    """

    def __init__(
        self,
        store: OrderStore,
        work: Callable[..., Awaitable[Any]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._work = work
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._listeners: set[Listener] = set()
        self._readers: OrderedDict[str, _Readers] = OrderedDict()
        self._asking: set[str] = set()
        self._news = asyncio.Event()
        self._position = 0
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    async def join(self, reader: str) -> Listener:
        """Add a listener; it hears everything its reader may know after ``listener.position``."""
        async with self._starting:
            if self._reader is None or self._reader.done():
                self._position = await self._work(self._last)
                self._reader = asyncio.create_task(self._read())
        listener = Listener(reader, self._position)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Remove a listener; without any, nothing is read."""
        self._listeners.discard(listener)

    async def history(self, reader: str, after: int) -> list[StatusChange]:
        """Return the next rows of what one reader may know."""
        return list(await self._work(self._rows, after, reader))

    def progress(self, order_id: str, number: int, progress: Progress) -> None:
        """Pass a worker's progress on; called from any thread."""
        if self._listeners:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                asyncio.run_coroutine_threadsafe(self._progress(order_id, number, progress), self._loop)

    async def close(self) -> None:
        """Stop reading and let all listeners go."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        for listener in self._listeners:
            listener.end()

    # ------------------------------------------------------------------------------------- the reader

    async def _read(self) -> None:
        stop = self._store.when_news(self._stir)
        try:
            while self._listeners:
                await self._look()
        finally:
            stop()

    def _stir(self) -> None:
        """Note that there is news; called by whoever writes, once until it is looked at."""
        if not self._news.is_set():
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._news.set)

    async def _look(self) -> None:
        """Read what is new and hand it out; then wait for more."""
        self._news.clear()
        try:
            rows, readers = await self._work(self._new_rows, self._position)
        except Exception:
            log.warning("the history could not be read; trying again", exc_info=True)
            await asyncio.sleep(HEARTBEAT)
            return
        self._remember(readers)
        for row in rows:
            self._position = row.event_id
            self._hand_out(row)
        if len(rows) < ROWS:
            await asyncio.sleep(GATHER if rows else 0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), POLL)

    def _new_rows(self, after: int) -> tuple[list[StatusChange], dict[str, _Readers]]:
        with self._store.read() as snapshot:
            rows = snapshot.events.after(after, limit=ROWS)
            return rows, self._readers_in(snapshot, {row.order_id for row in rows})

    def _readers_of(self, order_id: str) -> dict[str, _Readers]:
        with self._store.read() as snapshot:
            return self._readers_in(snapshot, {order_id})

    def _readers_in(self, snapshot: UnitOfWork, order_ids: set[str]) -> dict[str, _Readers]:
        """Return who may know of these orders now: an owner stays, those it is shared with are asked for."""
        if not order_ids:
            return {}
        had = {each: known for each in order_ids if (known := self._readers.get(each)) is not None}
        orders = snapshot.orders.get_many(order_ids - had.keys()) if len(had) < len(order_ids) else {}
        owners = {each: known.owner for each, known in had.items()}
        owners |= {each: order.owner for each, order in orders.items()}
        shared = snapshot.shares.readers(owners, self._now())
        at = time.monotonic()
        return {each: _Readers(owner, shared.get(each, frozenset()), at) for each, owner in owners.items()}

    def _remember(self, readers: Mapping[str, _Readers]) -> None:
        for order_id, known in readers.items():
            self._readers[order_id] = known
            self._readers.move_to_end(order_id)
        while len(self._readers) > ORDERS:
            self._readers.popitem(last=False)

    def _hand_out(self, row: StatusChange) -> None:
        message = None
        for listener in self._who_may_know(row.order_id):
            message = message or status_message(row)
            listener.tell(message)

    async def _progress(self, order_id: str, number: int, progress: Progress) -> None:
        known = self._readers.get(order_id)
        is_old = known is None or time.monotonic() - known.at > KNOWN
        if is_old and (known is None or order_id not in self._asking):
            await self._ask_for(order_id)
        body = {
            "order_id": order_id,
            "number": number,
            "fraction": progress.fraction,
            "stage": progress.stage,
        }
        message = b"event: progress\ndata: " + json_form.encode(body) + b"\n\n"
        for listener in self._who_may_know(order_id):
            listener.tell(message)

    async def _ask_for(self, order_id: str) -> None:
        """Ask who may know of an order, once for all that wait: workers tell a lot."""
        self._asking.add(order_id)
        try:
            self._remember(await self._work(self._readers_of, order_id))
        finally:
            self._asking.discard(order_id)

    def _who_may_know(self, order_id: str) -> Iterable[Listener]:
        known = self._readers.get(order_id)
        if known is None:
            return []
        return [
            each for each in self._listeners if each.reader == known.owner or each.reader in known.grantees
        ]

    def _last(self) -> int:
        with self._store.read() as snapshot:
            return snapshot.events.last_id()

    def _rows(self, after: int, reader: str) -> list[StatusChange]:
        with self._store.read() as snapshot:
            return snapshot.events.after(after, owner=reader, shared_at=self._now(), limit=ROWS)


def status_message(row: StatusChange) -> bytes:
    """Return one line of the history as a server-sent event; the operator's detail stays here."""
    plain = json_form.to_plain(row)
    plain.pop("detail", None)
    return f"id: {row.event_id}\nevent: status\ndata: ".encode() + json_form.encode(plain) + b"\n\n"
