"""How the client reaches a server: one Protocol (`promises`), over HTTP here, or in this process.

Everything above hands over request messages and gets response messages; a problem document that comes
back is raised again as the exception it was (step 2 of the walk). The token goes in a header, to the
server it belongs to and nowhere else.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from oseo_lab.client.in_process import InProcessTransport
from oseo_lab.client.live_events import LiveEvents
from oseo_lab.client.promises import EventStream, Fetched, Transport
from oseo_lab.client.refusals import (
    cursor_of,
    entries_of,
    mapping_of,
    not_ours,
    refusal,
    retry_after,
    said_of,
    shown,
    stays_here,
)
from oseo_lab.model.delivery import Secret
from oseo_lab.model.errors import TransportError
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.messages import (
    CancelAck,
    Capabilities,
    DescribeResultAccessResponse,
    GetOptionsResponse,
    GetQuotationAck,
    GetStatusResponse,
    Submit,
    SubmitAck,
)

if TYPE_CHECKING:
    import httpx

__all__ = [
    "API",
    "FILES",
    "LONGEST_ANSWER",
    "EventStream",
    "Fetched",
    "HttpTransport",
    "InProcessTransport",
    "Transport",
    "server_url",
]

#: Where the JSON API lies under a server's base URL.
API = "oseo/api/v1/"

#: Where delivered files lie under a server's base URL.
FILES = "oseo/files/"

#: Most bytes of one answer that are taken into memory.
LONGEST_ANSWER = 256 * 1024 * 1024
#: Headers that describe how a body travelled: it has been unpacked.
_OF_THE_BODY = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})

_LOG = logging.getLogger("oseo_lab.client")
_LOG.addHandler(logging.NullHandler())

_RESPONSES: dict[str, type] = {
    "Cancel": CancelAck,
    "DescribeResultAccess": DescribeResultAccessResponse,
    "GetCapabilities": Capabilities,
    "GetOptions": GetOptionsResponse,
    "GetQuotation": GetQuotationAck,
    "GetStatus": GetStatusResponse,
    "Submit": SubmitAck,
}

#: Header by which a request can be found in the server's log.
REQUEST_ID = "X-Request-Id"

#: Answers worth asking again for.
_PASSING = frozenset({429, 502, 503, 504})


def server_url(url: str) -> tuple[str, str | None]:
    """Return the base URL of a Jupyter Server and the token found in what a user pasted.

    Accepts the address of the service, of JupyterLab, or the one Jupyter prints with ``?token=``.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    token = parse_qs(parts.query).get("token", [None])[0]
    path = parts.path
    for page in ("/oseo", "/lab", "/tree", "/notebooks"):
        head, found, tail = path.partition(page)
        if found and tail[:1] in ("", "/"):
            path = head
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/") + "/", "", "")), token


class HttpTransport:
    """The JSON API of a server over HTTP, by httpx.

    Parameters
    ----------
    url : str
        Base URL of the server, such as ``http://127.0.0.1:8888/``.
    token : str or None
        Jupyter token; sent in a header to this server only.
    timeout : float
        Seconds to wait for an answer or the next bytes.
    tries : int
        How often a request is sent that may be sent again.
    """

    def __init__(self, url: str, token: str | None = None, *, timeout: float = 30.0, tries: int = 5) -> None:
        self.url, found = server_url(url)
        self.tries = tries
        secret = token or found
        self._token = Secret(secret) if secret else None
        self._timeout = timeout
        self._client: httpx.Client | None = None

    def __repr__(self) -> str:
        return f"HttpTransport({self.url!r})"

    @property
    def client(self) -> httpx.Client:
        """The connections, opened on first use."""
        if self._client is None:
            import httpx

            self._client = httpx.Client(
                timeout=self._timeout, follow_redirects=False, trust_env=not stays_here(self.url)
            )
            weakref.finalize(self, self._client.close)  # for a notebook that never says close()
        return self._client

    def close(self) -> None:
        """Close connections; orders go on. Who asks again opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def about(self) -> Mapping[str, Any]:
        """Return the service's name, its version and whose orders these are (``owner``)."""
        return mapping_of(self._json("GET", ""))

    def perform(self, request: Any, *, message_id: str | None = None) -> Any:
        """Send a request message, return the response message.

        Raises
        ------
        OseoError
            Of the class the server refused it with.
        TransportError
            If the server cannot be reached or answers something else.
        """
        from oseo_lab.encoding.json_form import encode, from_plain

        name = type(request).__name__
        path = "orders" if isinstance(request, Submit) else f"operations/{name}"
        headers = {"Idempotency-Key": message_id} if message_id else {}
        repeatable = not isinstance(request, Submit) or message_id is not None
        answer = self._json("POST", path, body=encode(request), headers=headers, repeatable=repeatable)
        return from_plain(_RESPONSES[name], answer)

    def collections(self) -> list[Mapping[str, Any]]:
        """Return what can be ordered from."""
        found = entries_of(self._json("GET", "collections"), "collections")
        return [each for each in found if each.get("id")]

    def products(
        self, collection_id: str, query: Mapping[str, Any]
    ) -> tuple[list[CatalogueItem], str | None]:
        """Return one page of a collection's products, and the cursor of the next."""
        from oseo_lab.encoding.json_form import encode, from_plain

        path = f"collections/{quote(collection_id, safe='')}/products"
        params = {name: value for name, value in query.items() if name != "geometry"}
        if "geometry" in query:
            body = encode({"geometry": query["geometry"]})
            answer = mapping_of(self._json("POST", path, params=params, body=body, repeatable=True))
        else:
            answer = mapping_of(self._json("GET", path, params=params))
        found = [from_plain(CatalogueItem, each) for each in entries_of(answer, "products")]
        return found, cursor_of(answer)

    def history(self, order_id: str) -> Mapping[str, Any]:
        """Return an order's status changes and attempts."""
        return mapping_of(self._json("GET", f"orders/{quote(order_id, safe='')}/history"))

    def ask(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Mapping[str, Any]:
        """Return what a path of the JSON API answers, for what OSEO has no operation for."""
        from oseo_lab.encoding.json_form import encode

        sent = None if body is None else encode(body)
        return mapping_of(self._json(method, path, params=params, body=sent))

    @contextmanager
    def fetch(self, url: str, *, start: int = 0, etag: str | None = None) -> Iterator[Fetched]:
        """Open a file, from byte ``start`` on if it is still the one with this ETag."""
        import httpx

        headers = {"Accept-Encoding": "identity", **self._identity(url)}
        if start:
            headers["Range"] = f"bytes={start}-"
            if etag:
                headers["If-Range"] = etag
        try:
            with self.client.stream("GET", url, headers=headers, follow_redirects=True) as response:
                found = {name.lower(): value for name, value in response.headers.items()}
                yield Fetched(response.status_code, found, _chunks(response))
        except (httpx.HTTPError, httpx.InvalidURL) as lost:
            raise TransportError(f"{shown(url)} could not be fetched: {said_of(lost)}") from None

    def events(self) -> EventStream:
        """Return the caller's live events (server-sent events)."""
        url = f"{self.url}{API}events"
        return LiveEvents(url, {"Accept": "text/event-stream", **self._identity(url)})

    def own(self, url: str) -> str:
        """Return a delivered file's URL on this server as it is reached from here.

        Its signature stays: libraries that know no token open it by that. With the token beside it, it works
        for its owner when the signature's time is over.
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            raise TransportError(f"the server gave an address that is none: {shown(url)[:200]!r}") from None
        _, found, name = parts.path.partition(f"/{FILES}")
        if not found:
            return url
        query = f"?{parts.query}" if parts.query else ""
        return f"{self.url}{FILES}{name}{query}"

    def _identity(self, url: str) -> dict[str, str]:
        """Return the token's header, for URLs of this server alone."""
        if self._token is None or not url.startswith(self.url):
            return {}
        return {"Authorization": f"token {self._token.reveal()}"}

    def _json(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Any:
        import json

        url = self.url + API + path
        name = uuid.uuid4().hex[:12]
        sent = {"Accept": "application/json", REQUEST_ID: name, **self._identity(url), **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        again = method == "GET" if repeatable is None else repeatable
        response = self._send(method, url, again, params=params, content=body, headers=sent)
        if response.is_success:
            try:
                return json.loads(response.content)
            except (ValueError, RecursionError):
                raise not_ours(response) from None
        refused = refusal(response)
        refused.request_id = refused.request_id or name
        raise refused

    def _whole(
        self, client: httpx.Client, method: str, url: str, request: Mapping[str, Any]
    ) -> httpx.Response:
        """Send once; return the answer with its body, unpacked and of bounded length."""
        import httpx

        with client.stream(method, url, **request) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    raise TransportError(f"{shown(url)} answered more than {LONGEST_ANSWER >> 20} MiB")
        kept = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_BODY]
        return httpx.Response(
            response.status_code, headers=kept, content=bytes(body), request=response.request
        )

    def _send(self, method: str, url: str, again: bool, **request: Any) -> httpx.Response:
        """Send, and send again what may be, with growing pauses."""
        import httpx

        pause, client = 0.2, self.client
        for attempt in range(1, self.tries + 1):
            last = attempt == self.tries
            began = time.monotonic()
            try:
                response = self._whole(client, method, url, request)
            except (httpx.HTTPError, RuntimeError) as lost:
                if not isinstance(lost, httpx.HTTPError) and not client.is_closed:
                    raise
                self._note(method, url, began, said_of(lost), request)
                may = again or isinstance(lost, httpx.ConnectError)
                if last or not may or client.is_closed:  # another thread has closed it
                    raise self._lost(lost, attempt) from None
            else:
                self._note(method, url, began, str(response.status_code), request)
                if last or not again or response.status_code not in _PASSING:
                    return response
                pause = max(pause, retry_after(response.headers))
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, 10.0)
        raise AssertionError("unreachable: the last try returns or raises")

    def _note(self, method: str, url: str, began: float, said: str, request: Mapping[str, Any]) -> None:
        """Tell of a request: no header but its id, no query."""
        name = request["headers"].get(REQUEST_ID, "")
        took = 1000 * (time.monotonic() - began)
        _LOG.debug("%s %s: %s in %.0f ms, request %s", method, urlsplit(url).path, said, took, name)

    def _lost(self, lost: Exception, attempts: int) -> TransportError:
        return TransportError(
            f"{self.url} could not be reached ({said_of(lost)}); is the server running? `oseo-lab doctor` "
            "looks. Orders are safe there: ask again when it is back",
            retryable=True,
            attempts=attempts,
        )


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    yield from response.iter_raw()
