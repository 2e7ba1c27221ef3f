"""Live events: the status history as server-sent events, resumable by ``Last-Event-ID``.

At ``oseo/api/v1/events``; what `oseo_lab.web.hub` reads is sent to each listener, with a heartbeat, past
buffering proxies, and without counting as activity. Source: WHATWG HTML, 9.2.
"""

from __future__ import annotations

import asyncio

from tornado.iostream import StreamClosedError

from oseo_lab.model.errors import ValidationError
from oseo_lab.web.base import door
from oseo_lab.web.hub import HEARTBEAT, ROWS, Listener, status_message
from oseo_lab.web.json_door import JsonHandler

__all__ = ["EventsHandler"]


class EventsHandler(JsonHandler):
    """``GET``: the caller's events, from now on or after ``Last-Event-ID``."""

    @door
    async def get(self, *_: str) -> None:
        """Send events until the client goes."""
        await self.services()
        await self.authorize("read")
        assert self.owner is not None and self.state.hub is not None
        after = self._resume_after()
        hub = self.state.hub
        listener = await hub.join(self.owner)
        self._listener = listener
        try:
            self._begin()
            await self.flush()
            if after is not None:
                await self._catch_up(after, listener.position)
            await self._follow(listener)
        except StreamClosedError:
            return
        finally:
            hub.leave(listener)

    def _begin(self) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("Cache-Control", "no-cache, no-transform")
        self.set_header("X-Accel-Buffering", "no")
        self.write(b"retry: 1000\n\n")

    async def _catch_up(self, after: int, until: int) -> None:
        """Send what was missed, up to where the listener's queue begins."""
        assert self.owner is not None and self.state.hub is not None
        while after < until:
            rows = await self.state.hub.history(self.owner, after)
            for row in rows:
                if row.event_id <= until:
                    self.write(status_message(row))
            await self.flush()
            if len(rows) < ROWS:
                return
            after = rows[-1].event_id

    async def _follow(self, listener: Listener) -> None:
        while not listener.is_lost:
            try:
                message = await asyncio.wait_for(listener.queue.get(), HEARTBEAT)
            except TimeoutError:
                message = b": still here\n\n"
            self.write(message)
            while not listener.queue.empty():
                self.write(listener.queue.get_nowait())
            await self.flush()

    def _resume_after(self) -> int | None:
        said = self.request.headers.get("Last-Event-ID") or self.get_query_argument("last_event_id", "")
        if not said:
            return None
        if not said.isdecimal() or len(said) > 18:
            raise ValidationError("Last-Event-ID must be the id of an event", locator="Last-Event-ID")
        return int(said)

    def on_connection_close(self) -> None:
        """End the wait for events: the client has gone."""
        listener = getattr(self, "_listener", None)
        if listener is not None:
            listener.end()
        super().on_connection_close()
