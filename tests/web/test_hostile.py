"""Whatever is sent, the answer is that of the door: never HTML, never a traceback, never a stuck server."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
from contextlib import ExitStack

import httpx
import pytest
from serving import TOKEN, V11, Server, envelope

from oseo_lab.model.messages import GetCapabilities

SOAP_TYPES = ("text/xml", "application/soap+xml")
PATHS = [
    "",
    "nowhere",
    "api",
    "api/v1/",
    "api/v1/nowhere",
    "api/v1/orders",
    "api/v1/orders/x",
    "api/v1/orders/%2e%2e/cancel",
    "api/v1/collections/%2F..%2F",
    "api/v1/operations/Submit",
    "api/v1/operations/__class__",
    "files/",
    "files/%2e%2e/%2e%2e/etc/passwd",
    "files/00000000-0000-4000-8000-000000000000/1/..%2f..%2fkeys%2furls",
    "files/00000000-0000-4000-8000-000000000000/1/data.bin?signature=x&expires=99999999999999999999",
    "%00",
    "%ff",
    "api/v1/orders/%ff",
    "api/v1/events?last_event_id=%ff",
]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"]
CONTENT_TYPES = [*SOAP_TYPES, "application/json", "multipart/form-data; boundary=x", "text/html", None]
CALLERS = [
    {},
    {"Authorization": f"token {TOKEN}"},
    {"Authorization": "token no"},
    {"Cookie": "username=x; _xsrf=y"},
]
BODIES = [b"", b"<a/>", envelope(GetCapabilities())]
#: Every one of them; callers take turns, so that each meets every method, type and body.
MESSAGES = list(itertools.product(METHODS, CONTENT_TYPES, BODIES))


def test_every_caller_sends_every_kind_of_message():
    sent = list(zip(MESSAGES, itertools.cycle(range(len(CALLERS))), strict=False))
    for part, values in enumerate((METHODS, CONTENT_TYPES, BODIES)):
        assert len({(caller, message[part]) for message, caller in sent}) == len(CALLERS) * len(values)


@pytest.mark.parametrize("path", PATHS)
def test_the_answer_is_always_the_doors(server: Server, path: str):
    with httpx.Client(timeout=30) as client:
        for (method, kind, body), caller in zip(MESSAGES, itertools.cycle(CALLERS), strict=False):
            if method in ("PROPFIND", "TRACE", "PATCH") and body:
                continue
            if path.startswith("api/v1/events") and method == "GET" and "%" not in path:
                continue
            headers = {**caller, "Accept": "text/html, */*"} if method != "GET" else dict(caller)
            if kind:
                headers["Content-Type"] = kind
            answer = client.request(method, server.soap + path, headers=headers, content=body)
            check(answer, is_soap=path == "" or (path == "nowhere" and kind in SOAP_TYPES), kind=kind)


def check(answer: httpx.Response, *, is_soap: bool, kind: str | None) -> None:
    said = answer.headers.get("Content-Type", "")
    what = f"{answer.request.method} {answer.request.url} {kind}: {answer.status_code} {said}"
    assert answer.status_code < 500 or is_soap, f"{what}\n{answer.text[:500]}"
    assert "html" not in said, what
    assert b"Traceback" not in answer.content and b"<html" not in answer.content.lower(), what
    assert "Set-Cookie" not in answer.headers, what
    if is_soap:
        assert said.partition(";")[0] in (*SOAP_TYPES, "application/xml"), what
    elif answer.status_code >= 400:
        assert said in ("application/problem+json", *(f"{each}; charset=utf-8" for each in SOAP_TYPES)), what
        if "json" in said:
            assert json.loads(answer.content)["status"] == answer.status_code


def test_a_foreign_host_name_is_refused_in_soap(server: Server):
    answer = httpx.post(
        server.soap,
        content=envelope(GetCapabilities()),
        headers={"Content-Type": "text/xml", "Host": "evil.example"},
    )
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert b"allow_remote_access" in answer.content


def test_a_strangers_body_ends_at_64_kilobytes(server: Server):
    answer = httpx.post(server.soap, content=b" " * 65_537, headers={"Content-Type": "text/xml"}, timeout=30)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert b"65536 bytes" in answer.content


def test_a_known_callers_body_ends_at_the_limit(server: Server):
    size = 17 * 1024 * 1024
    for content in (b" " * size, (b" " * 65536 for _ in range(size // 65536))):
        answer = httpx.post(
            server.soap, content=content, headers={"Content-Type": "text/xml", **server.token}, timeout=30
        )
        assert answer.status_code == 413
    answer = httpx.post(
        f"{server.api}/orders",
        content=b" " * size,
        headers={"Content-Type": "application/json", **server.token},
    )
    assert answer.status_code == 413 and answer.headers["Content-Type"] == "application/problem+json"


def test_an_endless_body_is_answered_and_cut(server: Server):
    with socket.create_connection(server.address, timeout=30) as connection:
        connection.sendall(
            b"POST /user/zoe/oseo/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
            b"Content-Length: 500000000\r\n\r\n"
        )
        sent = 0
        with pytest.raises(OSError):
            while sent < 200_000_000:
                sent += connection.send(b" " * 65536)
        assert sent < 100_000_000


def test_who_asks_first_is_told_before_sending(server: Server):
    with socket.create_connection(server.address, timeout=30) as connection:
        connection.sendall(
            b"POST /user/zoe/oseo/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
            b"Expect: 100-continue\r\nContent-Length: 20000000\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_half_sent_bodies_hold_nobody_up(server: Server):
    head = b"POST /user/zoe/oseo/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
    head += b"Content-Length: 1000\r\n\r\n<"
    slow = [socket.create_connection(server.address, timeout=30) for _ in range(50)]
    try:
        for connection in slow:
            connection.sendall(head)
        answer = httpx.post(
            server.soap, content=envelope(GetCapabilities()), headers={"Content-Type": "application/soap+xml"}
        )
        assert answer.status_code == 200
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Type: text/xml", b"Content-Type: text/html"],
        [b"Authorization: token x", b"Authorization: Basic eA=="],
        [b"Content-Type: text/xml;" + b"a" * 5000],
        [b'SOAPAction: "Submit"', b"Content-Type: text/xml"],
        [b"Content-Type: text/xml", b"X-Forwarded-Proto: https", b"X-Real-Ip: 10.0.0.1"],
        [b"Origin: http://evil.example", b"Content-Type: text/xml"],
    ],
)
def test_no_order_of_headers_brings_html(server: Server, lines: list[bytes]):
    message = envelope(GetCapabilities())
    for several in itertools.permutations(lines):
        with socket.create_connection(server.address, timeout=30) as connection:
            connection.sendall(
                b"\r\n".join(
                    [b"POST /user/zoe/oseo/ HTTP/1.1", b"Host: localhost", *several, b"Connection: close"]
                )
                + b"\r\nContent-Length: %d\r\n\r\n" % len(message)
                + message
            )
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        answer, _, body = answer.partition(b"\r\n\r\n")
        assert b"text/html" not in answer and b"Traceback" not in body
        assert b"Content-Type: text/xml" in answer or b"Content-Type: application/soap+xml" in answer, answer[
            :300
        ]


def test_what_is_not_sent_to_the_end_is_not_held(server: Server, http: httpx.Client):
    head = b"POST /user/zoe/oseo/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
    head += f"Authorization: token {TOKEN}\r\nContent-Length: 16000000\r\n\r\n".encode()
    for _ in range(3):  # each time more than may be held at once
        with ExitStack() as stack:
            for _ in range(20):
                connection = stack.enter_context(socket.create_connection(server.address, timeout=30))
                connection.sendall(head + b" " * 15_000_000)
            answer = http.post(server.soap, content=head * 10, headers={"Content-Type": "text/xml"})
            assert answer.status_code in (500, 503) and answer.headers["Content-Type"].startswith("text/xml")
    answer = http.post(
        server.soap, content=envelope(GetCapabilities()), headers={"Content-Type": "application/soap+xml"}
    )
    assert answer.status_code == 200


def told(server: Server, request: bytes) -> tuple[int, str, bytes]:
    """Send bytes as they are; return status, content type and body of the one answer."""
    with socket.create_connection(server.address, timeout=30) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    kind = next((line[14:] for line in head.split(b"\r\n") if line.startswith(b"Content-Type: ")), b"")
    return int(head.split(b" ")[1]), kind.decode(), body


SOAP_HEAD = b"Host: localhost\r\nConnection: close\r\nContent-Type: text/xml\r\n"


@pytest.mark.parametrize("target", [b"http://evil.example/user/zoe/oseo/", b"//user//zoe//oseo/"])
def test_a_soap_client_that_joins_urls_oddly_hears_soap(server: Server, target: bytes):
    message = envelope(GetCapabilities(), V11)
    status, kind, body = told(
        server,
        b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (target, SOAP_HEAD, len(message), message),
    )
    assert (status, kind) == (200, "text/xml; charset=utf-8")
    assert b"evil.example" not in body


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-unheard-of", "gzip, gzip"])
def test_a_packed_body_is_never_unpacked(server: Server, coding: str):
    body = gzip.compress(envelope(GetCapabilities()))
    for path, kind in (("", "text/xml"), ("api/v1/operations/GetCapabilities", "application/json")):
        headers = {"Content-Type": kind, "Content-Encoding": coding}
        answer = httpx.post(server.soap + path, content=body, headers=headers)
        assert answer.status_code == 415 and "html" not in answer.headers["Content-Type"]
        assert "Content-Encoding" in answer.text


DEEP = "[" * 20_000
PRODUCTS = "/collections/things/products"
#: Requests to the JSON API that a known caller may send, and the status that each is answered with.
NASTY: dict[str, tuple[str, str, str | bytes, int]] = {
    "filter nested without end": ("GET", f"{PRODUCTS}?cloud={DEEP}", "", 200),
    "filter no number": ("GET", f"{PRODUCTS}?cloud.lt=NaN&cloud.gt=1e999", "", 200),
    "filter of an attribute": ("GET", f"{PRODUCTS}?__class__.__init__=1&__dict__.lt=1", "", 200),
    "time before all years": ("GET", f"{PRODUCTS}?datetime=0001-01-01T00:00:00%2B23:59/..", "", 200),
    "limit in other digits": ("GET", f"{PRODUCTS}?limit=%C2%B2", "", 422),
    "body nested without end": ("POST", PRODUCTS, DEEP, 400),
    "body no object": ("POST", "/orders", "[]", 422),
    "order nested without end": ("POST", "/orders", '{"specification":' * 20_000, 400),
    "number of many digits": ("POST", "/orders", '{"specification":' + "9" * 50_000 + "}", 400),
    "no number": ("POST", "/orders", '{"specification": NaN}', 400),
    "half a character": ("POST", "/orders", '{"version": "\\ud800"}', 400),
    "bytes that are no text": ("POST", "/orders", b'{"version": "\xff"}', 400),
    "key of an attribute": ("POST", "/orders", '{"__class__": {}}', 422),
    "order id with a line end": ("GET", "/orders/a%0d%0aSet-Cookie:%20x=y", "", 404),
    "order id with a zero": ("POST", "/orders/%00/cancel", "", 404),
    "order id up the tree": ("GET", "/orders/..%2f..%2fkeys%2furls/items", "", 404),
    "order id no text": ("GET", "/orders/%ed%a0%80/history", "", 400),
    "collection with a line end": ("GET", "/collections/a%0d%0ab/schema", "", 404),
    "event id of another kind": ("GET", "/events?last_event_id=1%0d%0aevent:x", "", 422),
    "event id of many digits": ("GET", f"/events?last_event_id={'9' * 5000}", "", 422),
}


@pytest.mark.parametrize(("method", "path", "body", "status"), NASTY.values(), ids=NASTY.keys())
def test_what_nobody_means_well_is_a_problem_of_its_sender(
    server: Server, http: httpx.Client, method: str, path: str, body: str | bytes, status: int
):
    answer = http.request(
        method, server.api + path, content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status, answer.text[:500]
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Type"] == (
        "application/json" if status == 200 else "application/problem+json"
    )
    if status != 200:
        problem = answer.json()
        assert problem["code"] and problem["detail"] and problem["problems"]
        assert len(answer.content) < 10_000
