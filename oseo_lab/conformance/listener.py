"""Hears what a server calls its clients with, and acknowledges it (06-141r6 clauses 10.3, 13, 17; 7.5)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from oseo_lab.conformance.verdicts import Failed, NotRun
from oseo_lab.encoding import soap
from oseo_lab.encoding.callbacks_xml import CALLBACKS, encode_acknowledgement
from oseo_lab.encoding.xmltree import local_name, parse
from oseo_lab.model.errors import OseoError

__all__ = ["Heard", "Listener"]

_WSA = "http://www.w3.org/2005/08/addressing"
#: Longest callback, bytes.
_LONGEST = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """One call: the Body's child, the header RelatesTo, and what schemas have against it."""

    name: str
    payload: Any
    relates_to: str | None
    complaints: tuple[str, ...]


class Listener:
    """A small HTTP server for callbacks.

    Parameters
    ----------
    host : str
        Address to listen at.
    port : int
        Port; 0 for a free one.
    validity : callable
        Returns what schemas have against an envelope.
    url : str or None
        Where the server reaches it, if not at the same host and port.
    """

    def __init__(
        self, host: str, port: int, validity: Callable[[Any], list[str]], url: str | None = None
    ) -> None:
        self._validity = validity
        self._heard: list[Heard] = []
        self._news = threading.Condition()
        handler = type("Handler", (_Handler,), {"listener": self})
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as taken:
            raise NotRun(f"cannot listen at {host}:{port}: {taken}") from None
        self._server.daemon_threads = True
        self.url = url or f"http://{host}:{self._server.server_address[1]}/callback"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="oseo_lab conformance",
            daemon=True,
        )
        self._thread.start()

    def hear(self, body: bytes) -> bytes:
        """Keep a call and return its acknowledgement; empty for a one-way message."""
        root = parse(body)
        envelope = soap.open_envelope(body)
        relates_to = root.findtext(f"{{*}}Header/{{{_WSA}}}RelatesTo")
        name = local_name(envelope.payload)
        heard = Heard(
            name=name,
            payload=envelope.payload,
            relates_to=None if relates_to is None else relates_to.strip(),
            complaints=tuple(self._validity(root)[:5]),
        )
        with self._news:
            self._heard.append(heard)
            self._news.notify_all()
        codec = CALLBACKS.get(name)
        if codec is None:
            return b""
        return soap.close_envelope(encode_acknowledgement(codec.acknowledgement()), envelope.version)

    def heard(self, message_id: str) -> list[Heard]:
        """Return what came so far in answer to a message."""
        with self._news:
            return [each for each in self._heard if each.relates_to == message_id]

    def wait(self, fits: Callable[[Heard], bool], seconds: float, what: str) -> Heard:
        """Return the first call that fits, waiting for it.

        Raises
        ------
        Failed
            If none comes.
        """
        end = time.monotonic() + seconds
        with self._news:
            while True:
                found = next((each for each in self._heard if fits(each)), None)
                if found is not None:
                    return found
                left = end - time.monotonic()
                if left <= 0:
                    names = ", ".join(f"{each.name} to {each.relates_to}" for each in self._heard[-5:])
                    raise Failed(f"no {what} came within {seconds:.0f} s; heard: {names or 'nothing'}")
                self._news.wait(left)

    def quiet(self, message_id: str, seconds: float) -> list[Heard]:
        """Return everything that came in answer to a message, once nothing has come for some seconds."""
        end = time.monotonic() + 10 * seconds  # some server may never stop calling
        with self._news:
            while self._news.wait(seconds) and time.monotonic() < end:
                pass
        return self.heard(message_id)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """``POST``: one call."""

    listener: Listener
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        """Hear a call; what cannot be read is refused, as a client would."""
        length = int(self.headers.get("Content-Length") or 0)
        try:
            answer = self.listener.hear(self.rfile.read(min(length, _LONGEST)))
            status = 200 if answer else 202
        except OseoError as wrong:
            answer, status = str(wrong).encode(), 400
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the table says what was heard."""
