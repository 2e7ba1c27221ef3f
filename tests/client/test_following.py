"""Followers of orders: what they tell of servers that mean no good, and how they end."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from oseo_lab.client import following
from oseo_lab.client.following import Told, follower_of
from oseo_lab.client.lab import Lab
from oseo_lab.client.order import Order
from oseo_lab.client.transport import HttpTransport
from oseo_lab.encoding.json_form import encode
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.order import Order as Record
from oseo_lab.model.order import OrderSpecification, StatusInfo
from oseo_lab.model.status import Status
from tests.encoding.test_order_html import NOW, VIEW

#: What is no view of an order, however it is looked at.
NONSENSE = [
    b"null",
    b"[1]",
    b"{}",
    b'{"summary": 7}',
    b'{"summary": {"counts": {"Completed": "many"}}, "rows": 5}',
    b'{"summary": {"counts": []}, "revision": 1e400, "as_of": "never"}',
    b"[" * 100_000,
    b"\xff\xfe",
]


class Slow(ThreadingHTTPServer):
    """Answers views with what it is told, and holds its event stream open."""

    daemon_threads = True
    answer = encode(VIEW)

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.listening, self.asked, self.release = threading.Event(), threading.Event(), threading.Event()
        self.release.set()

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: Slow

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path.endswith("/events"):
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b'event: item\ndata: {"order_id": [{}]}\n\n')
            self.wfile.flush()
            self.server.listening.set()
            self.rfile.read(1)  # until the client hangs up
            return
        self.server.asked.set()
        self.server.release.wait(10)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Slow]:
    found = Slow()
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        found.release.set()
        found.shutdown()
        found.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def raised(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What threads raised: Python prints it, into a notebook too."""
    found: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", found.append)
    return found


def order_of(lab: Lab) -> Order:
    specification = OrderSpecification(order_type=OrderType.PRODUCT_ORDER)
    status = StatusInfo(status=Status.IN_PRODUCTION)
    order_id = VIEW.summary.order_id
    return Order(lab, Record(order_id=order_id, specification=specification, status=status, created=NOW))


def ours() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name in ("oseo-follow", "oseo-hear")]


@pytest.mark.parametrize("while_it_is_asked", [False, True])
def test_closing_a_lab_ends_its_followers_quietly(
    server: Slow, raised: list[Any], capfd: Any, while_it_is_asked: bool
):
    told: queue.Queue[Told] = queue.Queue()
    if while_it_is_asked:
        server.release.clear()
    with Lab(HttpTransport(f"http://127.0.0.1:{server.server_port}/", "the token", tries=1)) as lab:
        order = order_of(lab)
        follower_of(lab).follow(order, told.put)
        assert server.listening.wait(5) and server.asked.wait(5)
        if not while_it_is_asked:
            assert told.get(timeout=5).view == VIEW
        threads = ours()
    server.release.set()
    for each in threads:
        each.join(5)
    assert not any(each.is_alive() for each in threads)
    last = told.get(timeout=5)
    while not last.is_end:
        last = told.get(timeout=5)
    assert last.reason == "This lab was closed" and told.empty()
    assert raised == [] and capfd.readouterr() == ("", "")
    # who looks at an order again is told again
    follower_of(lab).follow(order, told.put)
    assert told.get(timeout=5).view == VIEW
    lab.close()


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_instead_of_a_view_is_said_and_followed_on(
    server: Slow, raised: list[Any], capfd: Any, nonsense: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.01)
    told: queue.Queue[Told] = queue.Queue()
    server.answer = nonsense
    with Lab(HttpTransport(f"http://127.0.0.1:{server.server_port}/", tries=1)) as lab:
        follower_of(lab).follow(order_of(lab), told.put)
        first = told.get(timeout=5)
        assert first.view is None and first.lost is not None and 0 < len(first.reason) < 500
        server.answer = json.dumps(json.loads(encode(VIEW))).encode()
        while told.get(timeout=5).view is None:
            pass
    assert raised == [] and capfd.readouterr() == ("", "")
