"""Delivered files: ranges, ETag, digests, in bounded memory; notes what has been served.

Step 19 of the walk, at ``oseo/files/<order uuid>/<item number>/<file>``. Opened by the owner (token or
Basic) or by the signed, expiring URL that DescribeResultAccess gives. The path on disk comes from the
order store's record of the delivery, never from the URL. Those an order is shared with open its files too, as
long as it is. Sources: RFC 9110 (13, 14), RFC 9530.
"""

from __future__ import annotations

import base64
import hmac
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from oseo_lab.model.errors import NotAuthorized, NotFound, OseoError, ResultExpired
from oseo_lab.model.order import ResultFile, order_uuid
from oseo_lab.operations.reading import reading_of
from oseo_lab.ports import UnitOfWork
from oseo_lab.web.base import door, with_status
from oseo_lab.web.json_door import JsonHandler
from oseo_lab.web.state import Services

__all__ = ["FileHandler", "Span", "wanted_span"]

#: Bytes read, sent and waited for at a time: what one download holds in memory.
CHUNK = 512 * 1024
#: A file is opened nowhere: not as a page, not as a script, not in a frame.
_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file: from ``start`` up to, not including, ``end``."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.end - self.start


class _Unsatisfiable(Exception):
    """The range asked for holds no byte of the file."""


def wanted_span(asked: str | None, size: int) -> Span | None:
    """Return the bytes that a ``Range`` header asks for; None for the whole file.

    Several ranges, other units and malformed ones are answered with the whole file, as RFC 9110 14.2 allows.

    Raises
    ------
    _Unsatisfiable
        If no byte of it exists.
    """
    match = _RANGE.fullmatch((asked or "").strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        if int(match[2]) == 0 or size == 0:
            raise _Unsatisfiable
        return Span(max(0, size - int(match[2])), size)
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return None
    if start >= size:
        raise _Unsatisfiable
    return Span(start, end)


class FileHandler(JsonHandler):
    """``GET|HEAD``: one delivered file."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Find out who is asking; the signature is nobody else's, so it stays out of the log."""
        self.request.uri = self.request.path
        await super().prepare()

    @door
    async def get(self, order: str, number: str, name: str) -> None:
        """Send a file, or the part that is asked for."""
        services = await self.services()
        order_id = f"urn:uuid:{order}"
        is_signed = self._is_signed(services, order, number, name)
        if not is_signed:
            await self.authorize("read")
        key = _Key(
            order_id=order_id,
            number=int(number),
            name=name,
            reader=None if is_signed else self.owner or "",
            share=self.get_query_argument("share", "") if is_signed else "",
        )
        file, is_own = await self.state.work(_find, services, key)
        _check_time(file, services.now())
        if file.href is not None:
            self.redirect(file.href, status=307)  # made elsewhere, and lies there
            return
        self._describe(file)
        if self._is_known(file):
            self.set_status(304)
            self.finish()
            return
        span = self._span(file)
        if self.request.method == "HEAD":
            self.finish()
            return
        path = _path(services, file)
        try:
            handle = cast(BinaryIO, await self.state.work(path.open, "rb"))
        except FileNotFoundError:
            raise ResultExpired(f"{name} has been removed; order it again") from None
        with handle:
            sent = await self._send(handle, span)
        if is_own:  # what others fetch changes nothing
            await self._note(services, file, Span(span.start, span.start + sent))

    head = get

    # ------------------------------------------------------------------------------------- may they

    def _is_signed(self, services: Services, order: str, number: str, name: str) -> bool:
        """Whether the URL's signature opens the file; without one the caller must be its owner.

        Raises
        ------
        NotAuthorized
            If there is one and it is not ours.
        ResultExpired
            If its time is over.
        """
        signature = self.get_query_argument("signature", "")
        if not signature:
            return False
        expires = self.get_query_argument("expires", "")
        share = self.get_query_argument("share", "")
        path = f"files/{order}/{number}/{quote(name)}" + (f"?share={share}" if share else "")
        until = int(expires) if expires.isdecimal() and len(expires) < 12 else 0
        if services.verify(path, until, signature):
            return True
        if self.owner is not None:
            return False
        if until and hmac.compare_digest(services.sign(path, until).encode(), signature.encode()):
            raise ResultExpired(
                f"this link ended at {_said(until)}; ask DescribeResultAccess for a new one",
                expired_at=datetime.fromtimestamp(until, UTC),
            )
        raise NotAuthorized("the link's signature is not right: use it exactly as it was given")

    # ----------------------------------------------------------------------------------- the answer

    def _describe(self, file: ResultFile) -> None:
        digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        self.set_header("Content-Type", file.media_type)
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(file.name)}")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("Cache-Control", "private, no-transform")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("ETag", _etag(file))
        self.set_header("Repr-Digest", f"sha-256=:{digest}:")
        if file.expires is not None:
            self.set_header("Expires", file.expires)

    def _is_known(self, file: ResultFile) -> bool:
        """Whether the client has this very file already (``If-None-Match``)."""
        known = [each.strip() for each in self.request.headers.get("If-None-Match", "").split(",")]
        return "*" in known or any(each.removeprefix("W/") == _etag(file) for each in known)

    def _span(self, file: ResultFile) -> Span:
        """Return the bytes to send, and say which they are.

        Raises
        ------
        OseoError
            With status 416, if none of those asked for exist.
        """
        asked = self.request.headers.get("Range")
        if self.request.headers.get("If-Range", _etag(file)) != _etag(file):
            asked = None
        try:
            part = wanted_span(asked, file.size)
        except _Unsatisfiable:
            self._whole_size = file.size
            raise with_status(
                OseoError(f"{file.name} has {file.size} bytes: there are none in this range"), 416
            ) from None
        if part is None:
            part = Span(0, file.size)
            self.set_header("Content-Digest", self._headers["Repr-Digest"])
        else:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {part.start}-{part.end - 1}/{file.size}")
        self.set_header("Content-Length", str(part.size))
        return part

    async def _send(self, handle: BinaryIO, span: Span) -> int:
        """Send bytes chunk by chunk, each after the last has gone; return how many went."""
        sent = 0
        handle.seek(span.start)
        try:
            while sent < span.size:
                chunk = await self.state.work(handle.read, min(CHUNK, span.size - sent))
                if not chunk:
                    raise OSError(f"{span.size - sent} bytes are missing at the end of a delivered file")
                self.write(chunk)
                await self.flush()
                sent += len(chunk)
            self.finish()
        except StreamClosedError:
            self.log.debug("oseo_lab: a download was broken off after %d bytes", sent)
        return sent

    async def _note(self, services: Services, file: ResultFile, span: Span) -> None:
        """Note what was served; when an item's data files have all gone whole, say it is downloaded.

        Parts of what was served whole before are not noted again; the whole is, as this server may have ended
        before it could say so.
        """
        is_whole = span.size == file.size
        is_known = _covers(file.fetched, file.size) and not is_whole
        if not file.is_data or is_known or (span.size == 0 and not is_whole):
            return
        await self.state.work(_note, services, file, span)

    def answer_error(self, error: OseoError) -> None:
        """Send a problem document, with what a refused range must say (RFC 9110 15.5.17)."""
        if error.http_status == 416:
            self.set_header("Content-Range", f"bytes */{self._whole_size}")
        super().answer_error(error)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Key:
    """Which file, and by what right: of a named reader, of a link's share, or (neither) of a signed link."""

    order_id: str
    number: int
    name: str
    reader: str | None
    share: str


def _find(services: Services, key: _Key) -> tuple[ResultFile, bool]:
    """Return a file's record, and whether it is fetched in its owner's name.

    Raises
    ------
    NotFound
        If there is none, or it is somebody else's and not shared (any more): all look alike.
    """
    with services.store.read() as snapshot:
        is_own, is_open = _right(snapshot, key, services.now())
        file = snapshot.results.file(key.order_id, key.number, key.name) if is_open else None
    if file is None:
        raise NotFound("there is no such file of yours", code="NoApplicableCode")
    return file, is_own


def _right(snapshot: UnitOfWork, key: _Key, now: datetime) -> tuple[bool, bool]:
    """Whether a file is opened in its owner's name, and whether it is opened at all."""
    if key.share:
        return False, snapshot.shares.holds(key.order_id, key.share, now)
    if key.reader is None:
        return True, snapshot.orders.get(key.order_id) is not None
    with suppress(NotFound):
        reading = reading_of(snapshot, key.order_id, key.reader, now)
        return reading.is_own, True
    return False, False


def _note(services: Services, file: ResultFile, span: Span) -> None:
    def write(work: UnitOfWork) -> bool:
        work.results.fetched(file, [(span.start, span.end)])
        files = work.results.of(file.order_id, data_only=True, number=file.number)
        return all(_covers(each.fetched, each.size) for each in files)

    if services.store.write(write):
        services.dispatcher.downloaded(file.order_id, file.number)


def _path(services: Services, file: ResultFile) -> Path:
    folder = services.settings.results_dir / (order_uuid(file.order_id) or "")
    return folder / str(file.number) / str(file.attempt) / file.name


def _covers(ranges: tuple[tuple[int, int], ...], size: int) -> bool:
    """Whether united ranges hold every byte of a file."""
    return size == 0 or any(start <= 0 and end >= size for start, end in ranges)


def _etag(file: ResultFile) -> str:
    return f'"{file.sha256}"'


def _check_time(file: ResultFile, now: datetime) -> None:
    if file.is_gone(now):
        when = f" at {file.expires:%Y-%m-%dT%H:%M:%SZ}" if file.expires else ""
        raise ResultExpired(f"{file.name} expired{when}; order it again", expired_at=file.expires)


def _said(until: int) -> str:
    return datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
