"""A server's live events over HTTP, as the client reads them: server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from oseo_lab.client.refusals import said_of, stays_here
from oseo_lab.model.errors import TransportError

__all__ = ["LONGEST_EVENT", "LiveEvents", "read_events"]

#: Most characters of one event that are taken into memory.
LONGEST_EVENT = 1024 * 1024


class LiveEvents:
    """A server's event stream, on a connection of its own that another thread can end."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._headers = dict(headers)
        self._socket: socket.socket | None = None
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        import httpx

        try:
            # the server gives a sign of life every 15 s
            with (
                httpx.Client(
                    timeout=httpx.Timeout(10.0, read=40.0), trust_env=not stays_here(self._url)
                ) as client,
                client.stream("GET", self._url, headers=self._headers) as response,
            ):
                if response.status_code != 200:
                    raise TransportError(f"no live events: HTTP {response.status_code}")
                self._socket = response.extensions["network_stream"].get_extra_info("socket")
                if not self._closed.is_set():
                    yield from read_events(_lines(response.iter_text()))
        except (httpx.HTTPError, OSError) as lost:
            raise TransportError(f"the live events ended: {said_of(lost)}") from None

    def close(self) -> None:
        """Shut the connection; whoever reads it stops."""
        self._closed.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._socket.shutdown(socket.SHUT_RDWR)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Split text into lines, none of them longer than any event."""
    rest = ""
    for text in texts:
        *whole, rest = (rest + text).split("\n")
        yield from (each.removesuffix("\r") for each in whole)
        if len(rest) > LONGEST_EVENT:
            raise TransportError("the live events ended: the server sends what is none")


def read_events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read server-sent events (WHATWG HTML, 9.2) whose data are one line of JSON."""
    import json

    name, data = "message", ""
    for line in lines:
        key, _, value = line.partition(":")
        if key == "event":
            name = value.strip()
        elif key == "data":
            data = value.strip()
        elif not line:
            said = None
            with contextlib.suppress(ValueError, RecursionError):  # then it is none of ours
                said = json.loads(data) if data else None
            if isinstance(said, dict):
                yield name, said
            name, data = "message", ""
