"""The one reader of the status history, and who listens to it.

Polls the history while somebody listens and hands its rows to the listeners on the loop, in the order of
their ids; progress passes by without being kept. A listener that does not keep up is let go: it comes back
and resumes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from oseo_lab.encoding import json_form
from oseo_lab.model.job import Progress
from oseo_lab.model.order import StatusChange
from oseo_lab.ports import OrderStore

__all__ = ["HEARTBEAT", "ROWS", "Hub", "Listener", "status_message"]

log = logging.getLogger("oseo_lab.events")

#: Seconds between looks at the history while somebody listens.
POLL = 0.2
#: Seconds of silence after which a sign of life is sent.
HEARTBEAT = 15.0
#: Most messages waiting for one listener.
WAITING = 1000
#: Most rows read at once.
ROWS = 500
#: Orders whose owner is remembered.
OWNERS = 10_000


class Listener:
    """One connection's queue of messages; full, it is let go."""

    def __init__(self, owner: str, position: int) -> None:
        self.owner = owner
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


class Hub:
    """The one reader of a server's history.

    Parameters
    ----------
    store : OrderStore
        Where the history is.
    work : callable
        Runs ordinary code in a thread.
    """

    def __init__(self, store: OrderStore, work: Callable[..., Awaitable[Any]]) -> None:
        self._store = store
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._listeners: set[Listener] = set()
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._position = 0
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    async def join(self, owner: str) -> Listener:
        """Add a listener; it hears everything of its owner's after ``listener.position``."""
        async with self._starting:
            if self._reader is None or self._reader.done():
                self._position = await self._work(self._last)
                self._reader = asyncio.create_task(self._read())
        listener = Listener(owner, self._position)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Remove a listener; without any, nothing is read."""
        self._listeners.discard(listener)

    async def history(self, owner: str, after: int) -> list[StatusChange]:
        """Return the next rows of one owner's history."""
        return list(await self._work(self._rows, after, owner))

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

    async def _read(self) -> None:
        while self._listeners:
            try:
                rows, owners = await self._work(self._news, self._position)
            except Exception:
                log.warning("the history could not be read; trying again", exc_info=True)
                await asyncio.sleep(HEARTBEAT)
                continue
            self._owners.update(owners)
            for row in rows:
                self._position = row.event_id
                self._hand_out(row)
            self._forget()
            if len(rows) < ROWS:
                await asyncio.sleep(POLL)

    def _news(self, after: int) -> tuple[list[StatusChange], dict[str, str]]:
        with self._store.read() as snapshot:
            rows = snapshot.events.after(after, limit=ROWS)
            unknown = {row.order_id for row in rows if row.order_id not in self._owners}
            orders = snapshot.orders.get_many(unknown) if unknown else {}
        return rows, {order_id: order.owner for order_id, order in orders.items()}

    def _owner(self, order_id: str) -> str:
        with self._store.read() as snapshot:
            order = snapshot.orders.get(order_id)
        return order.owner if order else ""

    def _forget(self) -> None:
        while len(self._owners) > OWNERS:
            self._owners.popitem(last=False)

    def _hand_out(self, row: StatusChange) -> None:
        owner = self._owners.get(row.order_id)
        message = None
        for listener in self._of(owner):
            message = message or status_message(row)
            listener.tell(message)

    async def _progress(self, order_id: str, number: int, progress: Progress) -> None:
        if order_id not in self._owners:
            self._owners[order_id] = await self._work(self._owner, order_id)
        body = {
            "order_id": order_id,
            "number": number,
            "fraction": progress.fraction,
            "stage": progress.stage,
        }
        message = b"event: progress\ndata: " + json_form.encode(body) + b"\n\n"
        for listener in self._of(self._owners.get(order_id)):
            listener.tell(message)

    def _of(self, owner: str | None) -> Iterable[Listener]:
        return [each for each in self._listeners if each.owner == owner]

    def _last(self) -> int:
        with self._store.read() as snapshot:
            return snapshot.events.last_id()

    def _rows(self, after: int, owner: str) -> list[StatusChange]:
        with self._store.read() as snapshot:
            return snapshot.events.after(after, owner=owner, limit=ROWS)


def status_message(row: StatusChange) -> bytes:
    """Return one line of the history as a server-sent event; the operator's detail stays here."""
    plain = json_form.to_plain(row)
    plain.pop("detail", None)
    return f"id: {row.event_id}\nevent: status\ndata: ".encode() + json_form.encode(plain) + b"\n\n"
