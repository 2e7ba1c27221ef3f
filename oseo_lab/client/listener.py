"""Where a service calls back: the client's own port type (06-141r6 clauses 10.3, 13 and 17), listened to.

A small HTTP server on a port of its own, on this machine alone unless it is told otherwise. What comes is
checked and acknowledged, and wakes whoever waits; what an order's status is, is always asked of the service
itself. So a forged callback costs a question, no more.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import socket
import threading
from collections import OrderedDict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from oseo_lab.model.errors import BadMessage, ConfigurationError, OseoError, TooLarge
from oseo_lab.model.messages import GetQuotationResponse
from oseo_lab.model.quotation import Quotation

__all__ = ["CallbackListener"]

_LOG = logging.getLogger("oseo_lab.client")

#: Longest callback, bytes: an order of ten thousand items in full is half of it.
LONGEST = 16 * 1024 * 1024
#: Seconds without a byte after which a caller is hung up on, and callers heard at once.
PATIENCE = 15.0
CALLERS = 8
#: Most requests whose callbacks are waited for, and most quotations kept.
REMEMBERED = 10_000


class CallbackListener:
    """Listens for SubmitResponse, CancelResponse and GetQuotationResponse.

    Parameters
    ----------
    host : str
        Address to listen at; this machine alone by default.
    port : int
        Port; 0 for any that is free.
    public_url : str, optional
        Where the service reaches this listener, if not at ``http://host:port/``: a forwarded port, a proxy.

    Attributes
    ----------
    url : str
        What is given to the service as ``wsa:ReplyTo``; it ends in a secret of this listener.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, public_url: str | None = None) -> None:
        self._lock = threading.Lock()
        self._sent: OrderedDict[str, str | None] = OrderedDict()
        self._quotations: OrderedDict[str, Quotation] = OrderedDict()
        self._streams: list[_News] = []
        secret = secrets.token_urlsafe(16)
        try:
            self._server = _Server((host, port), self)
        except OSError as taken:
            raise ConfigurationError(f"cannot listen at {host}:{port}: {taken}; say another port") from None
        base = public_url or f"http://{_in_url(host)}:{self._server.server_address[1]}/"
        self.url = f"{base.rstrip('/')}/{secret}"
        self.path = f"/{secret}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            name="oseo-callbacks",
            kwargs={"poll_interval": 0.2},
            daemon=True,
        )
        self._thread.start()

    @classmethod
    def of(cls, listen: bool | str | CallbackListener) -> CallbackListener | None:
        """Return what ``connect(listen=...)`` asks for.

        True listens on this machine alone; a URL (``http://me.example.org:9000/``) listens at its port on
        all addresses, and is what the service is told.
        """
        if isinstance(listen, CallbackListener):
            return listen
        if isinstance(listen, bool):
            return cls() if listen else None
        if not isinstance(listen, str):
            raise ConfigurationError(f"listen={listen!r} is not allowed; allowed: True, http://name:port/")
        parts = urlsplit(listen if "://" in listen else f"http://{listen}")
        if parts.scheme not in ("http", "https") or not parts.hostname or not parts.port:
            raise ConfigurationError(f"listen={listen!r} is not allowed; allowed: True, http://name:port/")
        host = parts.hostname if parts.hostname in ("127.0.0.1", "localhost", "::1") else "0.0.0.0"
        return cls(host, parts.port, public_url=parts.geturl())

    def expect(self, message_id: str, order_id: str | None = None) -> None:
        """Take callbacks that relate to this request from now on; about this order alone, if it is said."""
        with self._lock:
            self._sent[message_id] = order_id
            self._sent.move_to_end(message_id)
            while len(self._sent) > REMEMBERED:
                self._sent.popitem(last=False)

    def quotation(self, quotation_id: str) -> Quotation | None:
        """Return a quotation that was called back."""
        with self._lock:
            return self._quotations.get(quotation_id)

    def news(self) -> _News:
        """Return what is heard from now on, as `oseo_lab.client.transport.EventStream`."""
        stream = _News(self._forget)
        with self._lock:
            self._streams.append(stream)
        return stream

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
        for each in list(self._streams):
            each.close()

    def _forget(self, stream: _News) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._streams.remove(stream)

    def take(self, relates_to: str | None, message: Any) -> None:
        """Note one callback and wake whoever waits.

        Raises
        ------
        BadMessage
            If it relates to nothing that was sent from here.
        """
        said: dict[str, Any] = {}
        if not isinstance(message, GetQuotationResponse):
            order = message.order
            said = {"order_id": order.order_id, "number": 0, "status": order.status.status.value}
        order_id = said.get("order_id")
        with self._lock:
            if relates_to is None or self._sent.get(relates_to, "") not in (None, order_id):
                raise BadMessage(
                    "RelatesTo is the MessageID of no request that was sent from here",
                    code="InvalidParameterValue",
                    locator="RelatesTo",
                )
            if isinstance(message, GetQuotationResponse):
                self._quotations[message.quotation.quotation_id] = message.quotation
                while len(self._quotations) > REMEMBERED:
                    self._quotations.popitem(last=False)
            streams = list(self._streams)
        for each in streams:
            each.put((type(message).__name__, said))

    def __repr__(self) -> str:
        return f"CallbackListener({self.url.removesuffix(self.path)}/...)"


def _in_url(host: str) -> str:
    host = {"0.0.0.0": socket.gethostname(), "": socket.gethostname()}.get(host, host)
    return f"[{host}]" if ":" in host else host


class _News:
    """What one waiting thread hears; closed by another."""

    def __init__(self, forget: Any) -> None:
        self._queue: queue.SimpleQueue[tuple[str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._forget = forget

    def put(self, event: tuple[str, dict[str, Any]]) -> None:
        self._queue.put(event)

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        while (event := self._queue.get()) is not None:
            yield event

    def close(self) -> None:
        """End it, also while somebody waits for the next event."""
        self._forget(self)
        self._queue.put(None)


class _Server(ThreadingHTTPServer):
    """Hears a few callers at a time; more are hung up on and come again."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, address: tuple[str, int], listener: CallbackListener) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.listener = listener
        self._turns = threading.BoundedSemaphore(CALLERS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._turns.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._turns.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        _LOG.debug("a caller went away in the middle of its callback", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    """One caller: one POST, acknowledged or answered with a fault."""

    server: _Server
    timeout = PATIENCE
    server_version = "oseo_lab"
    sys_version = ""

    def do_POST(self) -> None:
        """Take a callback."""
        from oseo_lab.encoding import soap, soap_client

        version = soap.version_of(self.headers.get("Content-Type"))
        try:
            body = self._body()
            version = soap.version_of(self.headers.get("Content-Type"), body)
            envelope = soap.open_envelope(
                body,
                content_type=self.headers.get("Content-Type", ""),
                soap_action=self.headers.get("SOAPAction"),
            )
            message = soap_client.read_callback(envelope)
            self.server.listener.take(envelope.relates_to, message)
            answer, status = soap_client.write_acknowledgement(message, envelope.version), 200
        except OseoError as refused:
            answer, status = soap.fault(refused, version), soap.fault_status(refused, version)
            status = refused.http_status if refused.http_status in (404, 411, 413) else status
        except Exception:
            _LOG.exception("a callback could not be taken")
            error = OseoError("the callback could not be taken")
            answer, status = soap.fault(error, version), 500
        self._answer(status, soap.content_type(version), answer)

    def _body(self) -> bytes:
        listener = self.server.listener
        said = self.path.partition("?")[0].rpartition("/")[2]  # what a proxy puts in front does not matter
        if not secrets.compare_digest(said.encode(), listener.path[1:].encode()):
            gone = BadMessage("nobody listens at this path")
            gone.http_status = 404
            raise gone
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            unsized = BadMessage("say the Content-Length; chunks are not read")
            unsized.http_status = 411
            raise unsized
        if int(length) > LONGEST:
            raise TooLarge(f"the callback is over {LONGEST} bytes")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise BadMessage("the callback ended too early")
        return body

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no POST, or no HTTP, with a fault too."""
        from oseo_lab.encoding import soap

        error = BadMessage(f"{message or explain or 'this is no callback'}; POST a SOAP message")
        self.close_connection = True
        version = soap.SoapVersion.V11
        status = 405 if code == 501 else code
        self._answer(status, soap.content_type(version), soap.fault(error, version))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep the access log for who wants it; paths hold the secret, so they are left out."""
        _LOG.debug("callback from %s", self.client_address[0])
