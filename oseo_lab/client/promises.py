"""What the client asks of whatever reaches a server: a Protocol, and what comes back piece by piece.

Kept by `transport` (the JSON API over HTTP), `in_process` and `soap_transport` (any OSEO server).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from oseo_lab.model.job import CatalogueItem

__all__ = ["EventStream", "Fetched", "InProcess", "Transport"]


@dataclass
class Fetched:
    """One answer to a request for a file's bytes.

    Parameters
    ----------
    status : int
        HTTP status: 200 all bytes, 206 those asked for, else why there are none.
    headers : mapping of str to str
        Names in lower case.
    chunks : iterator of bytes
        The body as it comes.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))


class EventStream(Protocol):
    """Live events, read by one thread and closed by another."""

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and data of each event."""

    def close(self) -> None:
        """End it, also while somebody waits for the next event."""


class InProcess(Protocol):
    """A service in this process, as entry points ``oseo_lab.services`` offer it: ``open(data_dir)``."""

    url: str
    token: str

    @property
    def facts(self) -> dict[str, str]:
        """What there is to say of it: server, workers, collections, clock."""

    def leave(self) -> None:
        """Need it no more; without anybody who does, it ends."""


class Transport(Protocol):
    """What the client needs of a server."""

    url: str

    def about(self) -> Mapping[str, Any]:
        """Return the service's name, its version and whose orders these are (``owner``)."""

    def perform(self, request: Any, *, message_id: str | None = None) -> Any:
        """Send a request message, return the response message; raise what the server refused it with."""

    def collections(self) -> list[Mapping[str, Any]]:
        """Return what can be ordered from: ``id``, ``title``, ``description`` each."""

    def products(
        self, collection_id: str, query: Mapping[str, Any]
    ) -> tuple[list[CatalogueItem], str | None]:
        """Return one page of a collection's products, and the cursor of the next."""

    def history(self, order_id: str) -> Mapping[str, Any]:
        """Return an order's status changes (``history``) and ``attempts``, as plain values."""

    def ask(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Mapping[str, Any]:
        """Return what a path of the JSON API answers, for what OSEO has no operation for."""

    def fetch(self, url: str, *, start: int = 0, etag: str | None = None) -> AbstractContextManager[Fetched]:
        """Open a file, from byte ``start`` on if it is still the one with this ETag."""

    def events(self) -> EventStream:
        """Return the caller's live events: name and data of each, until closed."""

    def own(self, url: str) -> str:
        """Return where this client reaches a file: results may name the server as others know it."""

    def close(self) -> None:
        """Close connections; orders go on."""
