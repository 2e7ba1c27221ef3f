"""One HTTP POST to a stranger: to a judged address, within a total time, listening no longer than needed.

Below `notifier_soap`. Built on httpcore, where the network is a parameter: ours resolves and judges a host
when it connects, and every read and write has what is left of one deadline, so dripping bytes wins nothing.
There are no proxies, redirects, cookies or decompression here to be misled by.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore
import httpx

from oseo_lab.builtin.callback_addresses import AllowList
from oseo_lab.ports import ProcessingFailed

__all__ = ["Answer", "Limits", "post"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long, in seconds, a stranger is waited for, and how much of its answer, in bytes, is read."""

    connect: float = 5.0
    total: float = 20.0
    answer: int = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a stranger answered; ``body`` is None where it is longer than is read."""

    status: int
    content_type: str
    body: bytes | None


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: AllowList, limits: Limits) -> Answer:
    """POST a body and return the answer.

    Raises
    ------
    ProcessingFailed
        If nothing was sent, or no whole answer came in time; ``retry`` says whether another try may help.
    """
    network = _Network(allowed, time.monotonic() + limits.total, limits.connect)
    own = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "oseo_lab"}
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=network) as pool,
            pool.stream("POST", url, headers=[*headers.items(), *own.items()], content=body) as response,
        ):
            return Answer(
                status=response.status,
                content_type=_header(response, b"content-type"),
                body=_short(response.iter_stream(), limits.answer),
            )
    except httpcore.TimeoutException:
        raise ProcessingFailed(f"no answer within {limits.total:g} s", retry=True) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as failed:
        said = str(failed) or type(failed).__name__
        raise ProcessingFailed(f"no answer: {said[:300]}", retry=True) from None


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")


def _short(chunks: Iterable[bytes], longest: int) -> bytes | None:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > longest:
            return None
    return body


class _Network(httpcore.NetworkBackend):
    """Connects to judged addresses only, before a deadline."""

    def __init__(self, allowed: AllowList, deadline: float, connect: float) -> None:
        self._allowed = allowed
        self._deadline = deadline
        self._connect = connect

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers."""
        del timeout, local_address, socket_options  # the deadline and the addresses are said already
        failed: OSError | None = None
        for address in self._allowed.resolve(host.strip("[]"), port):
            try:
                left = min(self._connect, _left(self._deadline))
                connection = socket.create_connection((address, port), timeout=left)
                return _Stream(connection, self._deadline)
            except OSError as refused:
                failed = refused
        raise httpcore.ConnectError(str(failed))


class _Stream(httpcore.NetworkStream):
    """A connection whose every step must end before a deadline."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._socket = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        try:
            self._socket.settimeout(_left(self._deadline))
            return self._socket.recv(max_bytes)
        except OSError as failed:
            raise _lost(failed, httpcore.ReadTimeout, httpcore.ReadError) from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything."""
        try:
            while buffer:
                self._socket.settimeout(_left(self._deadline))
                buffer = buffer[self._socket.send(buffer) :]
        except OSError as failed:
            raise _lost(failed, httpcore.WriteTimeout, httpcore.WriteError) from None

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on under TLS; the certificate must be the name's."""
        try:
            self._socket.settimeout(_left(self._deadline))
            return _Stream(
                ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._deadline
            )
        except OSError as failed:
            self.close()
            raise _lost(failed, httpcore.ConnectTimeout, httpcore.ConnectError) from None

    def get_extra_info(self, info: str) -> Any:
        """Return nothing: one connection, one request."""
        return None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _lost(
    failed: OSError, late: type[httpcore.TimeoutException], lost: type[httpcore.NetworkError]
) -> Exception:
    return late(str(failed)) if isinstance(failed, TimeoutError) else lost(str(failed))
