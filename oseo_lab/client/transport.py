"""How the client reaches a server: one Protocol, over HTTP (JSON) or in this process.

Everything above hands over request messages and gets response messages; a problem document that comes
back is raised again as the exception it was (step 2 of the walk). The token goes in a header, to the
server it belongs to and nowhere else.
"""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from oseo_lab.model.delivery import Secret
from oseo_lab.model.errors import (
    BadMessage,
    Conflict,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    NotSupported,
    OseoError,
    QuotaExceeded,
    ResultExpired,
    TooLarge,
    TransportError,
    Unavailable,
    ValidationError,
    error_of,
)
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

#: Most bytes of one answer, and most characters of one live event, that are taken into memory.
LONGEST_ANSWER = 256 * 1024 * 1024
LONGEST_EVENT = 1024 * 1024
#: Headers that describe how a body travelled: it has been unpacked.
_OF_THE_BODY = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})

_LOG = logging.getLogger("oseo_lab.client")

_RESPONSES: dict[str, type] = {
    "Cancel": CancelAck,
    "DescribeResultAccess": DescribeResultAccessResponse,
    "GetCapabilities": Capabilities,
    "GetOptions": GetOptionsResponse,
    "GetQuotation": GetQuotationAck,
    "GetStatus": GetStatusResponse,
    "Submit": SubmitAck,
}

#: Answers worth asking again for.
_PASSING = frozenset({429, 502, 503, 504})

_BY_STATUS: dict[int, type[OseoError]] = {
    400: BadMessage,
    401: NotAuthenticated,
    403: NotAuthorized,
    404: NotFound,
    409: Conflict,
    410: ResultExpired,
    413: TooLarge,
    422: ValidationError,
    429: QuotaExceeded,
    501: NotSupported,
    503: Unavailable,
}


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

            self._client = httpx.Client(timeout=self._timeout, follow_redirects=False)
            weakref.finalize(self, self._client.close)  # for a notebook that never says close()
        return self._client

    def close(self) -> None:
        """Close connections; orders go on."""
        if self._client is not None:
            self._client.close()

    def about(self) -> Mapping[str, Any]:
        """Return the service's name, its version and whose orders these are (``owner``)."""
        return _mapping(self._json("GET", ""))

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
        return list(_mapping(self._json("GET", "collections")).get("collections", ()))

    def products(
        self, collection_id: str, query: Mapping[str, Any]
    ) -> tuple[list[CatalogueItem], str | None]:
        """Return one page of a collection's products, and the cursor of the next."""
        from oseo_lab.encoding.json_form import encode, from_plain

        path = f"collections/{quote(collection_id, safe='')}/products"
        params = {name: value for name, value in query.items() if name != "geometry"}
        if "geometry" in query:
            body = encode({"geometry": query["geometry"]})
            answer = _mapping(self._json("POST", path, params=params, body=body, repeatable=True))
        else:
            answer = _mapping(self._json("GET", path, params=params))
        return [from_plain(CatalogueItem, each) for each in answer.get("products", ())], answer.get("cursor")

    def history(self, order_id: str) -> Mapping[str, Any]:
        """Return an order's status changes and attempts."""
        return _mapping(self._json("GET", f"orders/{quote(order_id, safe='')}/history"))

    def ask(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Mapping[str, Any]:
        """Return what a path of the JSON API answers, for what OSEO has no operation for."""
        from oseo_lab.encoding.json_form import encode

        sent = None if body is None else encode(body)
        return _mapping(self._json(method, path, params=params, body=sent))

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
            raise TransportError(f"{_shown(url)} could not be fetched: {_said(lost)}") from None

    def events(self) -> EventStream:
        """Return the caller's live events (server-sent events)."""
        url = f"{self.url}{API}events"
        return _Events(url, {"Accept": "text/event-stream", **self._identity(url)})

    def own(self, url: str) -> str:
        """Return a delivered file's URL on this server as it is reached from here.

        Its signature stays: libraries that know no token open it by that. With the token beside it, it works
        for its owner when the signature's time is over.
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            raise TransportError(f"the server gave an address that is none: {_shown(url)[:200]!r}") from None
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
        sent = {"Accept": "application/json", **self._identity(url), **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        again = method == "GET" if repeatable is None else repeatable
        response = self._send(method, url, again, params=params, content=body, headers=sent)
        if response.is_success:
            try:
                return json.loads(response.content)
            except (ValueError, RecursionError):
                raise _not_ours(response) from None
        raise _refusal(response)

    def _whole(self, method: str, url: str, request: Mapping[str, Any]) -> httpx.Response:
        """Send once; return the answer with its body, unpacked and of bounded length."""
        import httpx

        with self.client.stream(method, url, **request) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    raise TransportError(f"{_shown(url)} answered more than {LONGEST_ANSWER >> 20} MiB")
        kept = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_BODY]
        return httpx.Response(
            response.status_code, headers=kept, content=bytes(body), request=response.request
        )

    def _send(self, method: str, url: str, again: bool, **request: Any) -> httpx.Response:
        """Send, and send again what may be, with growing pauses."""
        import httpx

        pause = 0.2
        for attempt in range(1, self.tries + 1):
            last = attempt == self.tries
            try:
                response = self._whole(method, url, request)
            except httpx.HTTPError as lost:
                may = again or isinstance(lost, httpx.ConnectError)
                if last or not may:
                    raise TransportError(
                        f"{self.url} could not be reached ({_said(lost)}); is the server running? "
                        "`oseo-lab doctor` looks"
                    ) from None
            else:
                _LOG.debug("%s %s: %d", method, urlsplit(url).path, response.status_code)
                if last or not again or response.status_code not in _PASSING:
                    return response
                pause = max(pause, _retry_after(response.headers))
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, 10.0)
        raise AssertionError("unreachable: the last try returns or raises")


class _Events:
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
                httpx.Client(timeout=httpx.Timeout(10.0, read=40.0)) as client,
                client.stream("GET", self._url, headers=self._headers) as response,
            ):
                if response.status_code != 200:
                    raise TransportError(f"no live events: HTTP {response.status_code}")
                self._socket = response.extensions["network_stream"].get_extra_info("socket")
                if not self._closed.is_set():
                    yield from _read_events(_lines(response.iter_text()))
        except (httpx.HTTPError, OSError) as lost:
            raise TransportError(f"the live events ended: {_said(lost)}") from None

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


def _read_events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
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


class _Silence:
    """No events."""

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return iter(())

    def close(self) -> None:
        """Nothing is open."""


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds a server asks to wait, at most a minute; 0 where it does not say."""
    text = headers.get("retry-after", "")
    return min(float(text), 60.0) if text.isascii() and text.isdigit() else 0.0


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    yield from response.iter_raw()


def _said(lost: Exception) -> str:
    return str(lost) or type(lost).__name__


def _shown(url: str) -> str:
    """Return a URL without its query: signatures are nobody's business."""
    return url.partition("?")[0]


def _mapping(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping):
        raise TransportError(f"the server answered a JSON {type(answer).__name__} where an object belongs")
    return answer


def _not_ours(response: httpx.Response) -> TransportError:
    kind = response.headers.get("content-type", "nothing").partition(";")[0]
    return TransportError(
        f"{_shown(str(response.url))} answered {response.status_code} with {kind}, not JSON: "
        "is the extension oseo_lab enabled there, and is the URL the server's base URL?"
    )


def _refusal(response: httpx.Response) -> OseoError:
    """Turn an answer that is no success into the exception it was."""
    from oseo_lab.encoding.json_form import read_problems

    if "problem+json" not in response.headers.get("content-type", ""):
        return _plain_refusal(response)
    error = error_of(read_problems(response.content))
    kind = _BY_STATUS.get(response.status_code, type(error))
    return kind(error.text, code=error.code, locator=error.locator, problems=error.problems)


def _plain_refusal(response: httpx.Response) -> OseoError:
    status = response.status_code
    if status in (301, 302, 303, 307, 308, 401, 403):
        return NotAuthenticated(
            f"{_shown(str(response.url))} wants a token it knows (HTTP {status}): pass token=..., "
            "or set OSEO_LAB_TOKEN"
        )
    if status in _BY_STATUS and status != 404:
        return _BY_STATUS[status](f"the server answered HTTP {status} {response.reason_phrase}")
    return _not_ours(response)


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
        return _Silence()

    def own(self, url: str) -> str:
        """Return the URL as it is."""
        return url

    def close(self) -> None:
        """Nothing is open."""
