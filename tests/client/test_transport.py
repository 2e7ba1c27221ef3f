"""Over HTTP: what is sent again and what never is, and refusals raised as what they were."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oseo_lab.client import transport as module
from oseo_lab.client.transport import HttpTransport
from oseo_lab.encoding.json_form import encode, problem_document
from oseo_lab.model.errors import (
    BadMessage,
    Conflict,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    NotSupported,
    OseoError,
    Problem,
    QuotaExceeded,
    TooLarge,
    TransportError,
    Unavailable,
    ValidationError,
)
from oseo_lab.model.messages import GetStatus, GetStatusResponse, Submit, SubmitAck
from oseo_lab.model.order import OrderSpecification

ACK = encode(SubmitAck(order_id="urn:uuid:00000000-0000-4000-8000-000000000001"))
SUBMIT = Submit(specification=OrderSpecification())


@pytest.fixture(autouse=True)
def pauses(monkeypatch) -> list[float]:
    """Pauses that are asked for, and not made."""
    made: list[float] = []
    monkeypatch.setattr(module.time, "sleep", made.append)
    monkeypatch.setattr(module.random, "uniform", lambda low, high: high)
    return made


@contextmanager
def answering(*answers):
    """Give these (status, headers, body) in turn, the last for ever; None hangs up."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.seen.append((self.command, self.path, dict(self.headers)))
            now = left.pop(0) if len(left) > 1 else left[0]
            if now is None:
                self.close_connection = True
                return
            status, headers, body = now
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield HttpTransport(f"http://127.0.0.1:{server.server_address[1]}/", "t"), server.seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_reading_is_tried_again_with_growing_pauses(pauses):
    busy = (503, {}, b"busy")
    with answering(busy, None, busy, (200, {}, encode(GetStatusResponse()))) as (transport, seen):
        assert transport.perform(GetStatus(order_id="x")) == GetStatusResponse()
    assert len(seen) == 4
    assert pauses == [0.2, 0.4, 0.8]


def test_the_servers_own_wish_is_heard(pauses):
    with answering((429, {"Retry-After": "7"}, b""), (200, {}, b"{}")) as (transport, _):
        transport.about()
    assert pauses == [7.0]


def test_a_submit_whose_answer_was_lost_is_sent_again_under_the_same_id():
    with answering(None, (503, {}, b""), (201, {}, ACK)) as (transport, seen):
        transport.perform(SUBMIT, message_id="urn:uuid:1")
    assert [(method, path) for method, path, _ in seen] == [("POST", "/oseo/api/v1/orders")] * 3
    assert {headers["Idempotency-Key"] for *_, headers in seen} == {"urn:uuid:1"}


def test_a_submit_without_an_id_is_never_sent_twice():
    with answering(None, (201, {}, ACK)) as (transport, seen):
        with pytest.raises(TransportError, match="could not be reached"):
            transport.perform(SUBMIT)
        assert len(seen) == 1


def test_it_is_given_up_at_last():
    with answering((503, {}, b"")) as (transport, seen):
        with pytest.raises(Unavailable):
            transport.about()
        assert len(seen) == transport.tries


@pytest.mark.parametrize(
    "kind",
    [
        BadMessage,
        Conflict,
        NotAuthenticated,
        NotAuthorized,
        NotFound,
        NotSupported,
        QuotaExceeded,
        TooLarge,
        Unavailable,
        ValidationError,
        OseoError,
    ],
)
def test_a_refusal_is_raised_as_what_it_was(kind):
    first = Problem(code="InvalidParameterValue", locator="crs", text="not that one", item_id="7")
    error = kind("not that one", code=kind.code, locator="crs", problems=[first, first])
    body = problem_document(error)
    sent = (kind.http_status, {"Content-Type": "application/problem+json"}, body)
    with answering(sent) as (transport, _), pytest.raises(OseoError) as caught:
        transport.perform(SUBMIT)
    assert type(caught.value) is kind or kind is OseoError
    assert caught.value.problems == (first, first)


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (302, NotAuthenticated, "token"),
        (403, NotAuthenticated, "token"),
        (404, TransportError, "is the extension oseo_lab enabled"),
        (413, TooLarge, "413"),
        (500, TransportError, "500"),
        (200, TransportError, "not JSON"),
    ],
)
def test_pages_of_others_are_told_from_our_own_refusals(status, kind, says):
    page = (status, {"Content-Type": "text/html", "Location": "/hub/login"}, b"<html>")
    with answering(page) as (transport, _), pytest.raises(kind, match=says):
        transport.about()


def test_json_that_is_something_else_is_said():
    with answering((200, {}, b"[]")) as (transport, _), pytest.raises(TransportError, match="list"):
        transport.about()


def test_collection_ids_may_hold_slashes_and_colons():
    with answering((200, {}, json.dumps({"products": []}).encode())) as (transport, seen):
        transport.products("urn:x/y z", {"limit": 1})
    assert seen[0][1] == "/oseo/api/v1/collections/urn%3Ax%2Fy%20z/products?limit=1"
