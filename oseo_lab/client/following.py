"""Following orders for their cards: one event stream per session, and a thread that asks when news come.

Events are hints: what is told is what the service answers when asked, at most four times a second and a third
of the time. Without an event stream (another service, a proxy in between) it is asked now and then. Nothing
here prints, whatever happens: whoever is told changes widgets and display handles, from this thread. It ends
when its session is closed.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oseo_lab.client.promises import EventStream
from oseo_lab.client.views import ask_view
from oseo_lab.model.errors import NotFound, NotSupported, OseoError
from oseo_lab.model.view import OrderView

if TYPE_CHECKING:
    from oseo_lab.client.items import Handle
    from oseo_lab.client.session import Session
    from oseo_lab.client.transport import Transport

__all__ = ["Follower", "Told", "follower_of"]

#: Seconds between two questions about one order, at least.
PACE = 0.25
#: Seconds after which a running order is asked about though nothing was heard; and without events.
CHECK = 20.0
POLL = 2.0
#: Seconds before a server that was away is asked again, at most.
LONGEST_PAUSE = 10.0
#: Seconds for which closing a session waits for the threads that use it.
_LEAVE = 0.3

_LOG = logging.getLogger("oseo_lab.client")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What whoever follows an order is told.

    Parameters
    ----------
    view : OrderView or None
        The order as it stands; None while the service does not answer.
    lost : datetime or None
        Since when the service does not answer, UTC.
    reason : str
        Why there is nothing to tell.
    is_end : bool
        Whether nothing more is told: the session was closed.
    """

    view: OrderView | None = None
    lost: datetime | None = None
    reason: str = ""
    is_end: bool = False


@dataclass
class _Followed:
    """One order, and who is told of it."""

    order: Handle
    listeners: list[Callable[[Told], None]] = field(default_factory=list)
    due: float = 0.0  # monotonic; when it is asked next
    earliest: float = 0.0  # and not before
    lost: datetime | None = None
    tries: int = 0
    is_over: bool = False


class Follower:
    """Follows orders of one session; begins with the first, ends when the session is closed.

    Parameters
    ----------
    session : Session
        Whose orders.
    """

    def __init__(self, session: Session) -> None:
        self._session = weakref.ref(session)
        self._lock = threading.Condition()
        self._followed: dict[str, _Followed] = {}
        self._asks: threading.Thread | None = None
        self._hears: threading.Thread | None = None
        self._listeners: list[Callable[[], None]] = []
        self._has_events = False
        self._over = threading.Event()
        self._stream: EventStream | None = None

    def follow(self, order: Handle, listener: Callable[[Told], None]) -> Callable[[], None]:
        """Tell a listener where an order stands, now and whenever that changes; return what ends it."""
        with self._lock:
            found = self._followed.setdefault(order.id, _Followed(order=order))
            found.listeners.append(listener)
            found.due = 0.0
            self._begin()
            self._lock.notify_all()

        def stop() -> None:
            with self._lock, contextlib.suppress(ValueError):
                found.listeners.remove(listener)
                if not found.listeners:
                    self._followed.pop(order.id, None)

        return stop

    def hear(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call a listener whenever anything is heard of any order; return what ends it."""
        with self._lock:
            self._listeners.append(listener)
            self._begin()

        def stop() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def news(self, order_id: str | None = None) -> None:
        """Ask again soon: about one order, or about all of them."""
        with self._lock:
            for each in self._followed.values():
                if order_id in (None, each.order.id):
                    each.due, each.is_over = each.earliest, False
            self._lock.notify_all()
        for listener in tuple(self._listeners):
            listener()

    @property
    def is_over(self) -> bool:
        """Whether its session was closed."""
        return self._over.is_set()

    def end(self) -> None:
        """Follow nothing any more, and say so; whoever follows again gets a new follower."""
        with self._lock:
            self._over.set()
            followed, self._followed = tuple(self._followed.values()), {}
            self._listeners.clear()
            stream = self._stream
            self._lock.notify_all()
        if stream is not None:
            stream.close()
        told = Told(reason="This lab was closed", is_end=True)
        for each in followed:
            _tell(each.listeners, told)
        for thread in (self._asks, self._hears):
            if thread is not None and thread is not threading.current_thread():
                thread.join(_LEAVE)

    def _begin(self) -> None:
        if self._asks is None and not self._over.is_set():
            self._asks = threading.Thread(target=self._ask_on, name="oseo-follow", daemon=True)
            self._hears = threading.Thread(target=self._hear_on, name="oseo-hear", daemon=True)
            self._asks.start()
            self._hears.start()

    # ------------------------------------------------------------------------------------------- asking

    def _ask_on(self) -> None:
        while not self._over.is_set():
            with self._lock:
                if self._over.is_set():
                    return
                waiting = [each for each in self._followed.values() if not each.is_over]
                found = min(waiting, key=lambda each: each.due, default=None)
                pause = CHECK if found is None else min(found.due - time.monotonic(), CHECK)
                if found is None or pause > 0:
                    self._lock.wait(pause)
                    continue
                found.due = float("inf")
            told = self._ask(found)
            if not self._over.is_set():
                _tell(found.listeners, told)

    def _ask(self, followed: _Followed) -> Told:
        """Ask about one order, and decide when it is asked next."""
        began = time.monotonic()
        try:
            told = Told(view=ask_view(followed.order))
            followed.lost, followed.tries = None, 0
        except NotFound as gone:
            followed.is_over = True
            return Told(reason=str(gone))
        except OseoError as away:
            followed.lost = followed.lost or datetime.now(UTC)
            followed.tries += 1
            told = Told(lost=followed.lost, reason=str(away))
        except Exception as odd:  # whatever a server sends, or a connection that is closed just now
            _LOG.debug("an order could not be read", exc_info=True)
            followed.lost = followed.lost or datetime.now(UTC)
            followed.tries += 1
            told = Told(lost=followed.lost, reason=f"The service's answer cannot be read ({odd!r:.100})")
        now = time.monotonic()
        with self._lock:
            heard = followed.due < float("inf")  # news came while it was asked
            followed.earliest = began + max(PACE, 3 * (now - began))
            followed.due = followed.earliest if heard else now + self._pause(followed, told)
        return told

    def _pause(self, followed: _Followed, told: Told) -> float:
        if told.view is None:
            return min(0.5 * 2.0 ** min(followed.tries, 9), LONGEST_PAUSE) * random.uniform(0.75, 1.25)
        if told.view.summary.status.is_final:
            return float("inf") if self._has_events else 30 * POLL
        return CHECK if self._has_events else POLL

    # ------------------------------------------------------------------------------------------ hearing

    def _hear_on(self) -> None:
        """Read the event stream, and come back after every loss; without one, asking goes on by itself."""
        tries = 0
        while not self._over.is_set() and (session := self._session()) is not None:
            transport = session.transport
            del session
            try:
                for _, data in self._events(transport):
                    if not self._has_events:
                        self._has_events, tries = True, 0
                        self.news()
                    self.news(str(data.get("order_id")))
            except NotSupported:
                return
            except Exception as lost:  # events are hints: without them it is asked now and then
                _LOG.debug("the event stream ended: %r", lost)
            if self._has_events:
                self._has_events = False
                self.news()
            tries += 1
            self._over.wait(min(0.5 * 2.0 ** min(tries, 9), LONGEST_PAUSE) * random.uniform(0.75, 1.25))

    def _events(self, transport: Transport) -> EventStream:
        """Return the stream, which `end` can close from now on."""
        stream = transport.events()
        with self._lock:
            self._stream = stream
        if self._over.is_set():
            stream.close()
        return stream


def _tell(listeners: list[Callable[[Told], None]], told: Told) -> None:
    for each in tuple(listeners):
        try:
            each(told)
        except Exception:
            _LOG.debug("a card could not be told", exc_info=True)


_FOLLOWERS: weakref.WeakKeyDictionary[Session, Follower] = weakref.WeakKeyDictionary()
_MAKING = threading.Lock()


def follower_of(session: Session) -> Follower:
    """Return the one follower of a session."""
    with _MAKING:
        found = _FOLLOWERS.get(session)
        if found is None or found.is_over:
            found = _FOLLOWERS[session] = Follower(session)
            session.at_close(found.end)
        return found
