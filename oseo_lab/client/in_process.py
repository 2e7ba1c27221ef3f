"""A server without a network between: messages go straight to callables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from oseo_lab.client.promises import EventStream, Fetched
from oseo_lab.model.errors import NotSupported
from oseo_lab.model.job import CatalogueItem

__all__ = ["InProcessTransport", "Silence"]


class Silence:
    """No events."""

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return iter(())

    def close(self) -> None:
        """Nothing is open."""


class InProcessTransport:
    """The same promises without a network: messages go straight to callables.

    Parameters
    ----------
    perform : callable
        ``perform(request, message_id) -> response``.
    collections, products, history, fetch : callable, optional
        As the methods of `Transport`; without them nothing is found.
    owner : str
        Whose orders these are.
    url : str
        What results call this server.
    """

    def __init__(
        self,
        perform: Callable[[Any, str | None], Any],
        *,
        collections: Callable[[], list[Mapping[str, Any]]] = list,
        products: Callable[[str, Mapping[str, Any]], tuple[list[CatalogueItem], str | None]] | None = None,
        history: Callable[[str], Mapping[str, Any]] | None = None,
        fetch: Callable[[str, int, str | None], Fetched] | None = None,
        owner: str = "local",
        url: str = "http://in.process/",
    ) -> None:
        self.url = url
        self._perform = perform
        self._collections = collections
        self._products = products
        self._history = history
        self._fetch = fetch
        self._owner = owner

    def about(self) -> Mapping[str, Any]:
        """Return the service's name and whose orders these are."""
        return {"service": "oseo_lab", "version": "in process", "owner": self._owner}

    def perform(self, request: Any, *, message_id: str | None = None) -> Any:
        """Hand a request message over, return the response message."""
        return self._perform(request, message_id)

    def collections(self) -> list[Mapping[str, Any]]:
        """Return what can be ordered from."""
        return self._collections()

    def products(
        self, collection_id: str, query: Mapping[str, Any]
    ) -> tuple[list[CatalogueItem], str | None]:
        """Return one page of a collection's products, and the cursor of the next."""
        return self._products(collection_id, query) if self._products else ([], None)

    def history(self, order_id: str) -> Mapping[str, Any]:
        """Return an order's status changes and attempts."""
        return self._history(order_id) if self._history else {"history": [], "attempts": []}

    def ask(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Mapping[str, Any]:
        """Say that there is no JSON API here.

        Raises
        ------
        NotSupported
            Always.
        """
        raise NotSupported(f"{path} is asked of a server's JSON API; there is none in process", locator=path)

    @contextmanager
    def fetch(self, url: str, *, start: int = 0, etag: str | None = None) -> Iterator[Fetched]:
        """Open a file through the callable given."""
        yield self._fetch(url, start, etag) if self._fetch else Fetched(404)

    def events(self) -> EventStream:
        """Return no events: nothing lies between that could be waited for."""
        return Silence()

    def own(self, url: str) -> str:
        """Return the URL as it is."""
        return url

    def close(self) -> None:
        """Nothing is open."""
