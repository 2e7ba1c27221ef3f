"""Calling a foreign service: one message at a time, sent again only where that is safe, and files.

Below `soap_transport`. What is asked may be asked again; an order is sent again only where it surely was not
taken. Credentials go to the service's own host alone, and with files only where they are asked for.
"""

from __future__ import annotations

import logging
import random
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oseo_lab.client.transport import LONGEST_ANSWER, Fetched
from oseo_lab.model.delivery import Secret
from oseo_lab.model.errors import ConfigurationError, TransportError, Unavailable
from oseo_lab.model.messages import (
    DescribeResultAccess,
    GetCapabilities,
    GetOptions,
    GetQuotation,
    GetStatus,
    SubFunction,
    Submit,
)

if TYPE_CHECKING:
    import httpx

    from oseo_lab.encoding.soap import SoapVersion
    from oseo_lab.encoding.soap_identity import Credentials

__all__ = ["SoapCalls", "credentials_of", "origin", "shown"]

_LOG = logging.getLogger("oseo_lab.client")


def credentials_of(
    username: str | None, password: str | None, token: str | None, identity: str | None
) -> Credentials | None:
    """Return how this caller says who it is: by token, or by name and password; None for nobody.

    Parameters
    ----------
    username, password : str or None
        An account of the service.
    token : str or None
        Sent as ``Authorization: Bearer``.
    identity : str or None
        For a password: ``text`` (default) or ``digest`` (WS-Security UsernameToken), or ``basic`` (HTTP).

    Raises
    ------
    ConfigurationError
        If something is missing, or there is too much.
    """
    from oseo_lab.encoding.soap_identity import Credentials, Identity

    allowed = [each.value for each in Identity if each is not Identity.TOKEN]
    if token and (username or password):
        raise ConfigurationError("say who you are once: token=..., or username=... and password=...")
    if token:
        return Credentials(secret=Secret(token), identity=Identity.TOKEN)
    if not username and not password:
        return None
    if not username or not password:
        raise ConfigurationError("username=... and password=... (or OSEO_LAB_PASSWORD) belong together")
    if identity not in (None, *allowed):
        raise ConfigurationError(f"identity {identity!r} is unknown; allowed: {', '.join(allowed)}")
    return Credentials(username=username, secret=Secret(password), identity=Identity(identity or "text"))


class SoapCalls:
    """The connections to one service.

    Parameters
    ----------
    url : str
        Its SOAP endpoint.
    credentials : Credentials or None
        Who calls.
    timeout : float
        Seconds to wait for an answer or the next bytes.
    tries : int
        How often a request is sent that may be sent again.
    """

    def __init__(self, url: str, credentials: Credentials | None, *, timeout: float, tries: int) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ConfigurationError(f"soap={shown(url)!r} is no address; allowed: http://..., https://...")
        if "@" in urlsplit(url).netloc:
            raise ConfigurationError("soap: no name or password in the address; pass username=, password=")
        self.url = url
        self.credentials = credentials
        self._timeout = timeout
        self._tries = tries
        self._client: httpx.Client | None = None

    @property
    def client(self) -> httpx.Client:
        """The connections, opened on first use."""
        if self._client is None:
            import httpx

            self._client = httpx.Client(timeout=self._timeout, follow_redirects=False)
            weakref.finalize(self, self._client.close)
        return self._client

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def send(
        self,
        request: Any,
        version: SoapVersion,
        message_id: str | None = None,
        reply_to: str | None = None,
    ) -> Any:
        """Send a request, and again what may be, with growing pauses; return the response.

        Raises
        ------
        OseoError
            Of the class the service refused it with.
        TransportError
            If it cannot be reached or answers something else.
        """
        import httpx

        from oseo_lab.encoding.soap_client import read_answer

        pause = 0.3
        for attempt in range(1, self._tries + 1):
            last = attempt == self._tries
            status = 0
            try:
                status, body = self._posted(request, version, message_id, reply_to)
                return read_answer(body, status=status, url=shown(self.url), request=type(request))
            except (httpx.HTTPError, httpx.InvalidURL) as lost:
                may = _is_repeatable(request) or isinstance(lost, httpx.ConnectError)
                if last or not may:
                    raise TransportError(self._lost(request, lost)) from None
            except Unavailable as busy:
                # a gateway's 502 or 504 leaves open whether the service behind it has the request
                if not (_is_repeatable(request) or status in (429, 503)):
                    raise TransportError(self._lost(request, busy)) from None
                if last:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, 10.0)
        raise AssertionError("unreachable: the last try returns or raises")

    def _posted(
        self, request: Any, version: SoapVersion, message_id: str | None, reply_to: str | None
    ) -> tuple[int, bytes]:
        """Post once; return the status and the body, unpacked and of bounded length."""
        from oseo_lab.encoding.soap_client import write_request

        posted = write_request(
            request, version, credentials=self.credentials, message_id=message_id, reply_to=reply_to
        )
        with self.client.stream(
            "POST", self.url, content=posted.body, headers=dict(posted.headers)
        ) as response:
            if response.is_redirect:
                target = shown(response.headers.get("location", "nowhere"))
                raise TransportError(
                    f"{shown(self.url)} sends on to {target}: connect to that, if you trust it"
                )
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    raise TransportError(f"{shown(self.url)} answered more than {LONGEST_ANSWER >> 20} MiB")
        _LOG.debug("%s: %d", type(request).__name__, response.status_code)
        return response.status_code, bytes(body)

    def _lost(self, request: Any, lost: Exception) -> str:
        import httpx

        said = str(lost) or type(lost).__name__
        if isinstance(request, Submit) and not isinstance(lost, httpx.ConnectError):
            return (
                f"{shown(self.url)} did not answer the Submit ({said}): whether the order was taken is not "
                "known. Look with lab.orders before you submit again"
            )
        return f"{shown(self.url)} could not be reached ({said})"

    @contextmanager
    def fetch(self, url: str, *, start: int = 0, etag: str | None = None) -> Iterator[Fetched]:
        """Open a file; credentials go to the service's own host alone, where it asks for them."""
        import httpx

        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if etag:
                headers["If-Range"] = etag
        try:
            with self._opened(url, headers) as response:
                found = {name.lower(): value for name, value in response.headers.items()}
                yield Fetched(response.status_code, found, response.iter_raw())
        except (httpx.HTTPError, httpx.InvalidURL) as lost:
            said = str(lost) or type(lost).__name__
            raise TransportError(f"{shown(url)} could not be fetched: {said}") from None

    @contextmanager
    def _opened(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        with self.client.stream("GET", url, headers=dict(headers), follow_redirects=True) as response:
            if response.status_code not in (401, 403) or not self._is_own(url):
                yield response
                return
        # Authorization does not follow a redirect to another host: httpx takes it off.
        own = {**headers, **(self.credentials.headers(fetching=True) if self.credentials else {})}
        with self.client.stream("GET", url, headers=own, follow_redirects=True) as response:
            yield response

    def _is_own(self, url: str) -> bool:
        """Whether a URL is of the very scheme, host and port that the credentials are for."""
        return self.credentials is not None and origin(url) == origin(self.url)


_REPEATABLE = (GetCapabilities, GetOptions, GetStatus)


def _is_repeatable(request: Any) -> bool:
    """Whether asking twice does nothing that asking once does not."""
    if isinstance(request, DescribeResultAccess):
        return request.sub_function is SubFunction.ALL_READY
    if isinstance(request, GetQuotation):
        return request.quotation_id is not None
    return isinstance(request, _REPEATABLE)


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port: what credentials are for.

    Raises
    ------
    ValueError
        If it is no URL.
    """
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default


def shown(url: str) -> str:
    """Return a URL without its query and without a password in it."""
    parts = urlsplit(url)
    if not parts.netloc:
        return url.partition("?")[0].rpartition("@")[2]
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
