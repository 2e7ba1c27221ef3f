"""The listener and whoever posts to it: a service that calls back, and everybody else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from oseo_lab.client import listener as module
from oseo_lab.client.listener import CallbackListener
from oseo_lab.encoding import soap, xmltree
from oseo_lab.encoding.callbacks_xml import decode_acknowledgement, encode_callback
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import (
    CancelResponse,
    CancelResponseAck,
    GetQuotationResponse,
    GetQuotationResponseAck,
    SubmitResponse,
    SubmitResponseAck,
)
from oseo_lab.model.order import ItemSpecification, Order, OrderItem, OrderSpecification, StatusInfo
from oseo_lab.model.quotation import ItemGroupPrice, ItemPrice, Price, ProviderName, Quotation
from oseo_lab.model.status import Status

V11, V12 = soap.SoapVersion.V11, soap.SoapVersion.V12
ITEM = OrderItem(
    specification=ItemSpecification(item_id="a", identifier=ProductId(identifier="P")),
    status=StatusInfo(status=Status.COMPLETED),
)
ORDER = Order(
    order_id="urn:o:1",
    specification=OrderSpecification(),
    status=StatusInfo(status=Status.COMPLETED),
    created=datetime(2024, 6, 1, tzinfo=UTC),
    items=(ITEM,),
)
QUOTATION = Quotation(
    quotation_id="urn:q:1",
    groups=(
        ItemGroupPrice(
            provider=ProviderName(service_name="s", organization="o"),
            price=Price(value=3, currency="EUR"),
            items=(ItemPrice(item_id="a", identifier=ProductId(identifier="P")),),
        ),
    ),
)
SAID = SubmitResponse(order=ORDER)


@pytest.fixture(scope="module")
def listener() -> Iterator[CallbackListener]:
    found = CallbackListener()
    found.expect("urn:m:1")
    yield found
    found.close()


def envelope(message=SAID, version=V12, relates_to: str | None = "urn:m:1") -> bytes:
    return soap.request_envelope(encode_callback(message), version, relates_to=relates_to)


def post(listener: CallbackListener, body: bytes, version=V12, **headers: str) -> httpx.Response:
    kinds = {"Content-Type": soap.content_type(version)}
    return httpx.post(listener.url, content=body, headers=kinds | headers, timeout=10)


def payload_of(answer: httpx.Response):
    return soap.open_envelope(answer.content, content_type=answer.headers["Content-Type"]).payload


@pytest.mark.parametrize("version", [V11, V12])
@pytest.mark.parametrize(
    ("message", "acknowledgement"),
    [
        (SAID, SubmitResponseAck()),
        (CancelResponse(order=ORDER), CancelResponseAck()),
        (GetQuotationResponse(quotation=QUOTATION), GetQuotationResponseAck()),
    ],
)
def test_a_callback_is_acknowledged_in_its_version_and_heard(listener, version, message, acknowledgement):
    stream = listener.news()
    answer = post(listener, envelope(message, version), version)
    assert answer.status_code == 200
    opened = soap.open_envelope(answer.content, content_type=answer.headers["Content-Type"])
    assert (opened.version, decode_acknowledgement(opened.payload)) == (version, acknowledgement)
    name, said = next(iter(stream))
    assert name == type(message).__name__
    if not isinstance(message, GetQuotationResponse):
        assert said == {"order_id": "urn:o:1", "number": 0, "status": "Completed"}
    stream.close()
    assert list(stream) == []


def test_a_quotation_that_was_called_back_is_kept(listener):
    post(listener, envelope(GetQuotationResponse(quotation=QUOTATION)))
    assert listener.quotation("urn:q:1") == QUOTATION
    assert listener.quotation("urn:q:2") is None


def test_what_is_only_slightly_wrong_is_taken(listener):
    body = envelope().replace(b"<itemId>", b" <itemId>").replace(b"Completed<", b" Completed\n<")
    assert post(listener, body).status_code == 200


def _wrong() -> list[tuple[str, bytes, dict[str, str]]]:
    good = envelope()
    return [
        ("nothing", b"", {}),
        ("no XML", b"\x00\xff garbage", {}),
        ("cut short", good[:-40], {}),
        ("a DOCTYPE", b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + good, {}),
        ("no envelope", b"<a/>", {}),
        ("an empty body", soap.close_envelope(b"", V12), {}),
        ("a request that is no callback", soap.close_envelope(b"<Submit xmlns='urn:x'/>", V12), {}),
        ("not as 06-141r6 says", good.replace(b"Completed", b"Done"), {}),
        ("no RelatesTo", envelope(relates_to=None), {}),
        ("a RelatesTo of nobody", envelope(relates_to="urn:m:2"), {}),
        ("an action of something else", good, {"SOAPAction": "Cancel"}),
        ("another content type", good, {"Content-Type": "application/json"}),
        ("a charset of old", good, {"Content-Type": "text/xml; charset=ebcdic"}),
        ("deep", b"<a>" * 10_000, {}),
    ]


@pytest.mark.parametrize(("what", "body", "headers"), _wrong())
def test_garbage_gets_a_fault_and_wakes_nobody(listener, what, body, headers):
    stream = listener.news()
    answer = post(listener, body, **headers)
    assert answer.status_code in (400, 415, 500), what
    assert soap.read_fault(payload_of(answer)), what
    stream.close()
    assert list(stream) == []


def test_a_callback_about_another_order_than_was_submitted_is_refused(listener):
    listener.expect("urn:m:3", "urn:o:other")
    assert b"RelatesTo" in post(listener, envelope(relates_to="urn:m:3")).content
    listener.expect("urn:m:3", "urn:o:1")
    assert post(listener, envelope(relates_to="urn:m:3")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/other", "/../", ""])
def test_only_the_secret_path_is_listened_to(listener, path):
    base = listener.url.removesuffix(listener.path)
    answer = httpx.post(base + path, content=envelope(), headers={"Content-Type": soap.content_type(V12)})
    assert answer.status_code == 404 and soap.read_fault(payload_of(answer))
    assert listener.path not in repr(listener)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "BREW"])
def test_nothing_but_post_is_taken(listener, method):
    answer = httpx.request(method, listener.url)
    assert answer.status_code == 405 and soap.read_fault(payload_of(answer))


def test_a_body_that_is_too_long_is_not_read(listener, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 100)
    answer = post(listener, envelope())
    assert answer.status_code == 413 and soap.read_fault(payload_of(answer))


def raw(listener: CallbackListener, request: bytes) -> bytes:
    """Send bytes, say no more, and return what comes."""
    port = int(listener.url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 10\r\n\r\n12345",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: ten\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n",
    ],
)
def test_lengths_that_are_none_get_a_fault(listener, head):
    answer = raw(listener, f"POST {listener.path} HTTP/1.1\r\nHost: x\r\n{head}".encode())
    assert b"Fault" in answer and answer.split(b" ")[1] in (b"411", b"500", b"400")


@pytest.mark.parametrize("request_line", [b"\x16\x03\x01 TLS?", b"POST", b"POST / HTTP/9.9", b"x" * 70_000])
def test_what_is_no_http_neither_crashes_nor_stays(listener, request_line):
    raw(listener, request_line + b"\r\n\r\n")
    assert post(listener, envelope()).status_code == 200


def test_more_callers_than_are_heard_at_once_do_no_harm(listener):
    answers: list[int] = []

    def call() -> None:
        try:
            answers.append(post(listener, envelope()).status_code)
        except httpx.TransportError:
            answers.append(0)  # hung up on: it comes again

    threads = [threading.Thread(target=call) for _ in range(30)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(answers) <= {200, 0} and 200 in answers
    assert post(listener, envelope()).status_code == 200


def test_it_listens_on_this_machine_alone_unless_it_is_told_otherwise():
    found = CallbackListener.of(True)
    assert found.url.startswith("http://127.0.0.1:")
    found.close()
    found.close()
    assert CallbackListener.of(False) is None
    assert CallbackListener.of(found) is found


def test_a_public_address_is_what_the_service_is_told():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = CallbackListener.of(f"http://localhost:{port}/hooks/")
    assert found.url == f"http://localhost:{port}/hooks{found.path}"
    with pytest.raises(ConfigurationError, match="say another port"):
        CallbackListener("127.0.0.1", port)
    found.close()


def test_the_answers_are_valid_messages(listener, shared):
    from tests.official import schema_for

    schema = schema_for(shared)
    for version in (V11, V12):
        for body in (envelope(version=version), b"<no/>"):
            schema.assertValid(xmltree.parse(post(listener, body, version).content))
