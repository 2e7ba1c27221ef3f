"""Hearing of an order: news wake a wait, silence and refusals do not hold it up, closing ends the thread."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oseo_lab.client.listening import SHORT, Listener
from oseo_lab.client.live_events import read_events
from oseo_lab.client.transport import HttpTransport

ORDER = "urn:uuid:00000000-0000-4000-8000-000000000001"


@contextmanager
def telling(messages: bytes, status: int = 200):
    """Send these events, then stay silent until the client goes."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(messages)
            self.wfile.flush()
            over.wait(60)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield HttpTransport(f"http://127.0.0.1:{server.server_address[1]}/", "t")
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def event(name: str, **data: object) -> bytes:
    import json

    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def heard(listener: Listener, condition) -> bool:
    """Wait for news until the condition holds."""
    return any(listener.wait(5) or condition() for _ in range(10)) and condition()


def test_a_change_of_status_wakes_the_wait():
    with telling(event("status", order_id=ORDER, number=1, status="Completed")) as transport:
        listener = Listener(transport, ORDER)
        with listener:
            listener.start()
            assert listener.wait(30) is True
            assert listener.wait(0.01) is False


def test_progress_is_kept_by_item_until_its_status_changes():
    said = event("progress", order_id=ORDER, number=2, fraction=0.4, stage="warp")
    with telling(said) as transport, Listener(transport, ORDER) as listener:
        listener.start()
        assert heard(listener, lambda: listener.running == {2: (0.4, "warp")})
    said += event("status", order_id=ORDER, number=2, status="Completed")
    with telling(said) as transport, Listener(transport, ORDER) as listener:
        listener.start()
        assert listener.wait(30) or listener.wait(30)
        assert listener.running == {}


def test_other_orders_are_not_our_news():
    said = event("status", order_id="urn:uuid:other", number=1) + event("progress", order_id="x", number=1)
    said += event("progress", order_id=ORDER, number=1, fraction=1)
    with telling(said) as transport, Listener(transport, ORDER) as listener:
        listener.start()
        assert heard(listener, lambda: listener.running == {1: (1.0, "")})
        assert listener.wait(0.01) is False


@pytest.mark.parametrize("status", [200, 404])
def test_leaving_ends_the_thread_though_the_server_is_silent(status):
    with telling(b": hello\n\n", status) as transport:
        with Listener(transport, ORDER) as listener:
            listener.start()
            assert listener.wait(0.2) is False
        assert not listener._thread.is_alive()


def test_events_are_read_as_the_standard_says():
    lines = [
        "retry: 1000",
        "",
        ": comment",
        "id: 7",
        "event: status",
        'data: {"a": 1}',
        "",
        'data: {"b":2}',
        "",
    ]
    assert list(read_events(iter(lines))) == [("status", {"a": 1}), ("message", {"b": 2})]


def test_a_stream_that_broke_is_taken_up_again_and_one_that_was_none_is_not():
    asked = []

    class Stream:
        def __init__(self, lasts):
            self.lasts, self.over = lasts, threading.Event()

        def __iter__(self):
            self.over.wait(self.lasts)
            yield "status", {"order_id": ORDER, "number": 1}

        def close(self):
            self.over.set()

    class Transport:
        def __init__(self, lasts):
            self.lasts = lasts

        def events(self):
            asked.append(self.lasts)
            return Stream(self.lasts)

    for lasts, times in ((SHORT + 0.1, 2), (0, 1)):
        with Listener(Transport(lasts), ORDER) as listener:
            for _ in range(2):
                listener.start()
                assert listener.wait(30) or times == 1
                listener._thread.join()
        assert asked.count(lasts) == times
