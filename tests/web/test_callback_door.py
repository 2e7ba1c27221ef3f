"""The door that providers call back at: nobody says who it is there, and nothing is believed."""

from __future__ import annotations

import httpx
import pytest

from oseo_lab.encoding import soap
from oseo_lab.encoding.callbacks_xml import encode_callback
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import SubmitResponse
from oseo_lab.model.order import ItemSpecification, Order, OrderItem, OrderSpecification, StatusInfo
from oseo_lab.model.status import Status

V12 = soap.SoapVersion.V12
SAID = SubmitResponse(
    order=Order(
        order_id="urn:o:1",
        specification=OrderSpecification(),
        status=StatusInfo(status=Status.COMPLETED),
        items=(
            OrderItem(
                specification=ItemSpecification(item_id="a", identifier=ProductId(identifier="P")),
                status=StatusInfo(status=Status.COMPLETED),
            ),
        ),
    )
)


def envelope(relates_to: str | None) -> bytes:
    return soap.request_envelope(encode_callback(SAID), V12, relates_to=relates_to)


def post(server, body: bytes, **headers: str) -> httpx.Response:
    kinds = {"Content-Type": soap.content_type(V12)} | headers
    return httpx.post(f"{server.soap}callback", content=body, headers=kinds, timeout=30)


def problems(answer: httpx.Response):
    payload = soap.open_envelope(answer.content, content_type=answer.headers["Content-Type"]).payload
    return soap.read_fault(payload)


@pytest.mark.parametrize("relates_to", [None, "urn:uuid:nobody"])
def test_a_callback_that_relates_to_nothing_that_was_asked_is_refused(server, relates_to):
    answer = post(server, envelope(relates_to))
    assert answer.status_code == 400
    assert problems(answer)[0].locator == "RelatesTo"


@pytest.mark.parametrize("body", [b"", b"\x00", b"<a/>", b"<!DOCTYPE a>" + envelope("x"), b"<a>" * 5000])
def test_garbage_gets_a_fault(server, body):
    answer = post(server, body)
    assert answer.status_code in (400, 500) and problems(answer)


def test_another_content_type_is_refused(server):
    assert post(server, envelope("x"), **{"Content-Type": "application/json"}).status_code == 415


def test_a_body_of_more_than_any_callback_is_refused(server):
    answer = post(server, envelope("x") + b" " * (1024 * 1024))
    assert answer.status_code == 413 and problems(answer)


def test_a_callback_may_be_longer_than_what_strangers_may_send_elsewhere(server):
    assert problems(post(server, envelope("x") + b" " * 200_000))[0].locator == "RelatesTo"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_answered(server, method):
    answer = httpx.request(method, f"{server.soap}callback", timeout=30)
    assert answer.status_code == 405 and answer.headers["Allow"] == "POST"


def test_whoever_calls_is_not_asked_who_it_is(server):
    answer = post(server, envelope("x"), Authorization="Basic bm9ib2R5OndoYXRldmVy")
    assert problems(answer)[0].locator == "RelatesTo"
