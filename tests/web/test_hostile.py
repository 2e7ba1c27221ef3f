"""Whatever is sent, the answer is that of the door: never HTML, never a traceback, never a stuck server."""

from __future__ import annotations

import itertools
import json
import socket

import httpx
import pytest
from serving import TOKEN, Server, envelope

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


@pytest.mark.parametrize("path", PATHS)
def test_the_answer_is_always_the_doors(server: Server, path: str):
    with httpx.Client(timeout=30) as client:
        for method, kind, caller, body in itertools.product(METHODS, CONTENT_TYPES, CALLERS, BODIES):
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
