"""Hearing of an order's events while it is waited for: what wakes a wait, and how far running items are.

A thread of its own reads the service's event stream; without one (another transport, a proxy in between)
waiting goes on by asking. Nothing here prints: only the thread that waits does.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from oseo_lab.client.transport import EventStream, Transport
from oseo_lab.model.errors import OseoError

__all__ = ["Listener"]

#: Seconds below which a stream of events was none.
SHORT = 0.5


class Listener(AbstractContextManager["Listener"]):
    """Hears of one order.

    Parameters
    ----------
    transport : Transport
        How to reach the service.
    order_id : str
        Which order.

    Attributes
    ----------
    running : dict of int to (float, str)
        How far items are, by number: fraction and stage.
    """

    def __init__(self, transport: Transport, order_id: str) -> None:
        self._transport = transport
        self._order_id = order_id
        self._stream: EventStream | None = None
        self._thread: threading.Thread | None = None
        self._news = threading.Event()
        self._moved = False
        self._was_heard = False
        self.running: dict[int, tuple[float, str]] = {}

    def __exit__(self, *failure: object) -> None:
        if self._stream is not None:
            self._stream.close()
        if self._thread is not None:
            self._thread.join(1.0)

    def start(self) -> None:
        """Begin to listen, unless it has begun; begin again where a stream broke, as when a server restarts.

        One that ended at once is none: another transport, a proxy in between. It is not tried again.
        """
        if self._thread is not None and (self._thread.is_alive() or not self._was_heard):
            return
        self._was_heard = False
        self._stream = self._transport.events()
        self._thread = threading.Thread(target=self._listen, name="oseo-listen", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for news at most so long; return whether a status has changed."""
        if self._news.wait(seconds):
            self._news.clear()
        moved, self._moved = self._moved, False
        return moved

    def _listen(self) -> None:
        began = time.monotonic()
        try:
            self._hear()
        finally:
            self._was_heard = time.monotonic() - began > SHORT

    def _hear(self) -> None:
        with contextlib.suppress(
            OseoError, TypeError, ValueError, OverflowError
        ):  # then waiting goes on by asking
            for name, data in self._events():
                if data.get("order_id") != self._order_id:
                    continue
                number = int(data.get("number") or 0)
                if name == "progress":
                    self.running[number] = (float(data.get("fraction") or 0), str(data.get("stage") or ""))
                else:
                    self.running.pop(number, None)
                    self._moved = True
                self._news.set()

    def _events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if self._stream is not None:
            yield from self._stream
