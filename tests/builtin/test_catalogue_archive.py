"""Asking an archive that answers as no archive should."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from oseo_lab.builtin import catalogue_archive
from oseo_lab.builtin.catalogue_archive import ask_archive
from oseo_lab.model.archive import Offline
from oseo_lab.model.job import CatalogueItem, FailureClass
from oseo_lab.ports import ProcessingFailed


@contextmanager
def answering(*parts: bytes, every: float = 0.0) -> Iterator[CatalogueItem]:
    """Give a product of an archive that sends these parts, the last one again and again where it drips."""
    is_over = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while self.rfile.readline().strip():
                    pass
                for part in parts:
                    self.wfile.write(part)
                while every and not is_over.wait(every):
                    self.wfile.write(parts[-1])

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        offline = Offline(href=f"http://127.0.0.1:{server.server_address[1]}/order")
        try:
            yield CatalogueItem(identifier="P1", collection_id="c", offline=offline)
        finally:
            is_over.set()
            server.shutdown()
            thread.join()


def test_an_answer_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_archive, "_TOGETHER", 0.2)
    head = b"HTTP/1.1 202 Accepted\r\nContent-Length: 60000\r\n\r\n"
    with answering(head, b" ", every=0.02) as product:
        assert ask_archive(product, ()) is False


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[" * 60_000, b"null", b"[1]", b'{"properties": 7}', b'{"order:status": {}}']
)
def test_an_answer_that_says_nothing_is_an_archive_that_has_begun(body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    with answering(head, body) as product:
        assert ask_archive(product, ()) is False


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]
)
def test_an_answer_that_is_no_http_is_asked_for_again(answer: bytes) -> None:
    with answering(answer) as product, pytest.raises(ProcessingFailed) as failed:
        ask_archive(product, ())
    assert failed.value.failure_class is FailureClass.TRANSIENT
