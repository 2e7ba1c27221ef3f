"""Real HTTP receivers of callbacks: well-behaved by default, and every other way by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACK = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    b'<SubmitResponseAck xmlns="http://www.opengis.net/oseo/1.0"><status>success</status></SubmitResponseAck>'
    b"</s:Body></s:Envelope>"
)


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers as its ``behaviour`` says and remembers what came.

    A behaviour gets the request's handler, its body read already, and writes the answer itself.
    """

    def __init__(self, behaviour: Callable[[Any], None] | None = None) -> None:
        self.received: list[Received] = []
        self.behaviour = behaviour or answer()
        self.released = threading.Event()
        self.arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.arrived:
                    receiver.received.append(Received(self.path, dict(self.headers.items()), body))
                    receiver.arrived.notify_all()
                self.close_connection = True
                self.receiver = receiver
                with suppress(ConnectionError, TimeoutError):  # the caller may hang up, as it should
                    receiver.behaviour(self)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def wait(self, count: int, timeout: float = 60.0) -> list[Received]:
        """Return the first ``count`` requests, once they have come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, timeout), (
                f"{len(self.received)} of {count} came"
            )
            return self.received[:count]


@contextmanager
def receiving(behaviour: Callable[[Any], None] | None = None, tls: Any = None) -> Iterator[Receiver]:
    """Run a receiver; with ``tls``, an `ssl.SSLContext`, under TLS."""
    receiver = Receiver(behaviour)
    if tls is not None:
        receiver.server.socket = tls.wrap_socket(receiver.server.socket, server_side=True)
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()


def answer(status: int = 200, body: bytes = ACK, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer at once; underscores in header names are hyphens."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang(handler: Any) -> None:
    """Say nothing until the receiver is closed."""
    handler.receiver.released.wait(60)


def close_early(handler: Any) -> None:
    """Hang up without a word."""
    handler.wfile.flush()


def drip(first: bytes, again: bytes, every: float = 0.02) -> Callable[[Any], None]:
    """Write something, and then the same bytes again and again."""

    def behave(handler: Any) -> None:
        handler.wfile.write(first)
        while not handler.receiver.released.wait(every):
            handler.wfile.write(again)
            handler.wfile.flush()

    return behave
