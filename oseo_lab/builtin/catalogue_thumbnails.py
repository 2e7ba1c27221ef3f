"""The small picture of a product, read for whoever searches: bounded, and a picture by its first bytes.

Whatever a catalogue calls a thumbnail is foreign: it may be a page, a script or a raster of gigabytes. Only
PNG, JPEG and WebP of at most 2 MiB are passed on, under the type that their own signature says.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import IO

from oseo_lab.builtin.remote import is_http, open_http
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import ProcessingFailed, Thumbnail

__all__ = ["MOST_BYTES", "Pictures", "read_thumbnail"]

_LOG = logging.getLogger(__name__)
MOST_BYTES = 2 * 1024 * 1024
_SILENCE, _SECONDS = 10.0, 20.0  # without a byte, and for all of it
_MOST_SEEN = 1000
_ROLES = ("thumbnail", "overview")


class Pictures:
    """Thumbnails of a catalogue elsewhere: what a search has just told is not asked for again.

    Parameters
    ----------
    find : callable
        Asks the catalogue for products by identifier.
    hosts : sequence of str
        As for `read_thumbnail`.
    """

    def __init__(
        self, find: Callable[[Sequence[str]], Mapping[str, CatalogueItem]], hosts: Sequence[str]
    ) -> None:
        self._find = find
        self._hosts = tuple(hosts)
        self._seen: dict[str, CatalogueItem] = {}
        self._lock = threading.Lock()

    def note(self, items: Sequence[CatalogueItem]) -> None:
        """Keep what a search has found, of the last thousand products."""
        with self._lock:
            for each in items:
                self._seen.pop(each.identifier, None)
                self._seen[each.identifier] = each
            for old in list(self._seen)[: max(0, len(self._seen) - _MOST_SEEN)]:
                del self._seen[old]

    def read(self, identifier: str) -> Thumbnail | None:
        """Return a product's picture; None where it has none that can be shown.

        Raises
        ------
        CatalogueFailed
            If the catalogue cannot be asked now.
        """
        with self._lock:
            item = self._seen.get(identifier)
        return read_thumbnail(item or self._find([identifier]).get(identifier), self._hosts)


def read_thumbnail(item: CatalogueItem | None, hosts: Sequence[str]) -> Thumbnail | None:
    """Return a product's picture; None where it has none that can be shown.

    Parameters
    ----------
    item : CatalogueItem or None
        As its catalogue described it: its addresses have been judged.
    hosts : sequence of str
        Where redirects may lead, beside the picture's own host.
    """
    if item is None:
        return None
    for href in _candidates(item):
        try:
            content = _read(href, hosts)
        except (OSError, ValueError, HTTPException, ProcessingFailed) as gone:
            _LOG.info("the thumbnail of %s cannot be had: %s", item.identifier, gone)
            continue
        media_type = picture_type(content)
        if media_type and len(content) <= MOST_BYTES:
            return Thumbnail(content=content, media_type=media_type)
    return None


def picture_type(content: bytes) -> str | None:
    """Return the media type that a picture's signature says; None for anything but PNG, JPEG, WebP.

    Source: ISO/IEC 15948, 5.2 (PNG); ISO/IEC 10918-1, B.1.1.3 (JPEG); RFC 9649, 2.3 (WebP).
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def _candidates(item: CatalogueItem) -> list[str]:
    by_role = [each.href for role in _ROLES for each in item.assets if role in each.roles]
    return list(dict.fromkeys(([item.thumbnail] if item.thumbnail else []) + by_role))[:3]


def _read(href: str, hosts: Sequence[str]) -> bytes:
    if is_http(href):
        with open_http(href, hosts, _SILENCE) as opened:
            return _bounded(opened)
    if not Path(href).is_absolute():
        raise ValueError("it lies where this service opens nothing")
    with Path(href).open("rb") as opened:
        return _bounded(opened)


def _bounded(opened: IO[bytes]) -> bytes:
    """Read one byte more than is passed on, at most; a first piece that is no picture ends it."""
    end = time.monotonic() + _SECONDS
    content = bytearray()
    read = getattr(opened, "read1", opened.read)
    while len(content) <= MOST_BYTES and (chunk := read(1 << 16)):
        content += chunk
        if len(content) >= 12 and picture_type(bytes(content[:12])) is None:
            return b""
        if time.monotonic() > end:
            raise TimeoutError(f"not within {_SECONDS:g} s")
    return bytes(content)
