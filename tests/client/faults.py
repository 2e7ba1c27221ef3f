"""A real HTTP server with one file, which answers each request as the next fault of a list says."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FaultyServer(ThreadingHTTPServer):
    """Serves ``body`` under any path; ``faults`` are used up one by one, then it behaves."""

    daemon_threads = True

    def __init__(self, body: bytes, faults: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = body
        self.etag = '"one"'
        self.faults = faults
        self.requests: list[dict[str, str]] = []
        self.sends_digest = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.requests.append({name.lower(): value for name, value in self.headers.items()})
        fault = self.server.faults.pop(0) if self.server.faults else ""
        getattr(self, f"answer_{fault}" if fault else "answer")()

    def answer(self, cut: int | None = None, extra: bytes = b"") -> None:
        body, start = self.server.body + extra, 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and self.headers.get("If-Range", self.server.etag) == self.server.etag:
            start = int(asked[1])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("ETag", self.server.etag)
        self.send_header("Content-Type", "image/tiff")
        if self.server.sends_digest:
            digest = base64.b64encode(hashlib.sha256(self.server.body).digest()).decode()
            self.send_header("Repr-Digest", f"sha-256=:{digest}:")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start:cut])
        if cut is not None:
            self.close_connection = True

    def answer_cut(self) -> None:
        """Send half of what was promised, then hang up."""
        self.answer(cut=len(self.server.body) // 2)

    def answer_changed(self) -> None:
        """Send half, hang up, and have another file under the same URL from now on."""
        self.answer(cut=len(self.server.body) // 2)
        self.server.etag = '"two"'
        self.server.body = bytes(reversed(self.server.body))

    def answer_longer(self) -> None:
        """Send more than the manifest says."""
        self.answer(extra=b"more")

    def answer_flipped(self) -> None:
        """Send as many bytes, one of them wrong."""
        right, self.server.body = self.server.body, b"\x00" + self.server.body[1:]
        self.server.sends_digest = False
        self.answer()
        self.server.body = right

    def answer_other_start(self) -> None:
        """Claim a part that begins elsewhere than asked."""
        self.send_response(206)
        self.send_header("Content-Range", "bytes 1-2/3")
        self.send_header("ETag", self.server.etag)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"??")

    def answer_page(self) -> None:
        """A login page with status 200."""
        self._plain(200, "text/html", b"<html>please log in</html>")

    def answer_disguised_page(self) -> None:
        """A page that says it is data."""
        self._plain(200, "image/tiff", b"<!DOCTYPE html><html>oops</html>")

    def answer_500(self) -> None:
        self._plain(500, "text/plain", b"oops")

    def answer_503(self) -> None:
        self._plain(503, "text/plain", b"busy")

    def answer_404(self) -> None:
        self._plain(404, "text/plain", b"gone")

    def answer_410(self) -> None:
        self._plain(410, "text/plain", b"expired")

    def answer_hangup(self) -> None:
        """Close the connection without a word."""
        self.close_connection = True

    def _plain(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def faulty(body: bytes, *faults: str) -> Iterator[FaultyServer]:
    server = FaultyServer(body, list(faults))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
