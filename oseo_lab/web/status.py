"""GetStatus at both doors: small answers are kept, long ones leave while they are read from the store.

Step 8 of the walk for the one operation whose answer has no bound. The answer is taken in parts; where
these end within `LONGEST` it is sent whole, and kept for the order's revision. A longer one is sent part by
part as its reader takes them: between two parts no thread is held, only the snapshot it is read from. So a
reader that takes too little for too long is left, and nobody has more than a few at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tornado.iostream import StreamClosedError

from oseo_lab.model.errors import OseoError
from oseo_lab.model.messages import GetStatus, OrderInParts
from oseo_lab.operations import OPERATIONS, Context, perform_in_parts
from oseo_lab.web.base import BaseOseoHandler
from oseo_lab.web.state import LONGEST, Services

__all__ = ["StatusForm", "StatusHandler"]

Parts = Generator[bytes, None, None]

#: Bytes of a long answer that are made at a time.
PART = 256 * 1024
#: Seconds in which a reader must have taken what was made, and in which the whole must have been read.
PATIENCE = 20.0
LONGEST_SECONDS = 900.0


@dataclass(frozen=True, kw_only=True)
class StatusForm:
    """How a door writes the answer.

    Parameters
    ----------
    name : str
        Of the form, so that answers can be kept.
    content_type : str
        The HTTP header.
    encode : callable
        Makes bytes of the parts.
    before, after : bytes
        What belongs around them, and to this one request alone.
    """

    name: str
    content_type: str
    encode: Callable[[Iterable[OrderInParts]], Iterator[bytes]]
    before: bytes = b""
    after: bytes = b""


class StatusHandler(BaseOseoHandler):
    """What answers GetStatus."""

    patience = PATIENCE

    async def answer_status(self, message: GetStatus, form: StatusForm) -> None:
        """Carry out a GetStatus and send its response."""
        services = await self.services()
        await self.authorize(OPERATIONS[GetStatus].access, "orderId" if message.order_id else None)
        key = (self.owner or "", message.order_id or "", message.presentation, form.name)
        revision = await self._revision(services, message.order_id) if message.order_id else None
        kept = None if revision is None else self.state.kept.get(key, revision)
        if kept is not None:
            self.answer(b"".join((form.before, kept, form.after)), form.content_type)
            return
        parts = _parts(message, services.context(self.owner, url=self.service_url), form)
        first, is_more = await self.state.work(_gathered, parts, LONGEST)
        if is_more:
            await self._send_in_parts(first, parts, form)
            return
        if revision is not None:
            self.state.kept.put(key, revision, first)
        self.answer(b"".join((form.before, first, form.after)), form.content_type)

    async def _revision(self, services: Services, order_id: str) -> int | None:
        """Return an order's revision: on the loop where the store is a file, else in a thread."""

        def read() -> int | None:
            with services.store.read() as snapshot:
                return snapshot.orders.revision(order_id, self.owner or "")

        return await self.state.work(read) if self.state.reads_block else read()

    async def _send_in_parts(self, first: bytes, rest: Parts, form: StatusForm) -> None:
        """Send an answer while it is read; whoever does not take it loses the connection."""
        end = asyncio.get_running_loop().time() + LONGEST_SECONDS
        try:
            with self.state.reading_long(self.owner or ""):
                self.set_header("Content-Type", form.content_type)
                if self.request.version == "HTTP/1.0":
                    self.set_header("Connection", "close")
                part, is_more = form.before + first, True
                while is_more:
                    await self._send_part(part, end)
                    part, is_more = await self.state.work(_gathered, rest, PART)
                await self._send_part(part + form.after, end)
            if self.request.version == "HTTP/1.0":  # knows no parts: its end is the connection's
                self._leave()
        except (TimeoutError, StreamClosedError):
            self.log.info("oseo_lab: a long answer was not taken to its end; its connection is closed")
            self._leave()
        except OseoError as error:
            if not self._headers_written:
                raise
            self.log.error("oseo_lab: a long answer could not be read to its end: %s", error)
            self._leave()
        finally:
            await self.state.work(rest.close)

    async def _send_part(self, part: bytes, end: float) -> None:
        self.write(part)
        room = end - asyncio.get_running_loop().time()
        await asyncio.wait_for(self.flush(), min(self.patience, max(room, 0)))

    def _leave(self) -> None:
        """Close the connection, so that what was sent is not taken for the whole."""
        connection: Any = self.request.connection
        connection.close()


def _parts(message: GetStatus, context: Context, form: StatusForm) -> Parts:
    """Yield the answer; closed, it lets go of what it is read from."""
    with closing(perform_in_parts(message, context)) as parts:
        yield from form.encode(parts)


def _gathered(parts: Parts, least: int) -> tuple[bytes, bool]:
    """Join parts until there are so many bytes; say whether more may come."""
    taken: list[bytes] = []
    size = 0
    for each in parts:
        taken.append(each)
        size += len(each)
        if size >= least:
            return b"".join(taken), True
    return b"".join(taken), False
