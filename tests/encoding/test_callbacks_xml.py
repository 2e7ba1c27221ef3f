"""Callbacks as XML, both ways: official samples, the official schema, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oseo_lab.encoding.callbacks_xml import (
    CALLBACKS,
    decode_acknowledgement,
    decode_callback,
    encode_acknowledgement,
    encode_callback,
)
from oseo_lab.encoding.oseo import decode_request
from oseo_lab.encoding.xmltree import OSEO, parse
from oseo_lab.model.errors import BadMessage, NotSupported, ValidationError
from oseo_lab.model.messages import (
    CancelResponse,
    CancelResponseAck,
    GetQuotationResponseAck,
    ResponseStatus,
    SubmitResponse,
    SubmitResponseAck,
)
from tests.encoding.golden import ORDER
from tests.official import complaints

NAMES = ("SubmitResponse", "CancelResponse", "GetQuotationResponse")
ACKS = (SubmitResponseAck, CancelResponseAck, GetQuotationResponseAck)


@pytest.mark.parametrize("name", NAMES)
def test_the_official_samples_survive_a_round_trip(shared, name):
    folder = shared / "samples" / "oseo"
    message = decode_callback(parse((folder / f"{name}.xml").read_bytes()))
    assert type(message).__name__ == name
    written = encode_callback(message)
    assert decode_callback(parse(written)) == message
    assert complaints(shared, written) == []
    ack = decode_acknowledgement(parse((folder / f"{name}Ack.xml").read_bytes()))
    assert type(ack).__name__ == f"{name}Ack"
    assert complaints(shared, encode_acknowledgement(ack)) == []


@pytest.mark.parametrize("message", [SubmitResponse, CancelResponse])
def test_an_order_with_everything_is_told_and_is_officially_valid(shared, message):
    told = message(order=ORDER, time_stamp=datetime(2026, 1, 1, tzinfo=UTC))
    written = encode_callback(told)
    assert complaints(shared, written) == []
    assert b'service="OS" version="1.0.0"' in written
    again = decode_callback(parse(written))
    assert again.time_stamp == told.time_stamp
    assert again.order.status == ORDER.status
    assert [each.status for each in again.order.items] == [each.status for each in ORDER.items]


@pytest.mark.parametrize("kind", ACKS)
def test_acknowledgements_survive_a_round_trip(shared, kind):
    for ack in (kind(), kind(status=ResponseStatus.PARTIAL, error_message="a < b")):
        written = encode_acknowledgement(ack)
        assert decode_acknowledgement(parse(written)) == ack
        assert complaints(shared, written) == []


def test_callbacks_are_no_operations_of_the_service():
    for name in CALLBACKS:
        element = parse(f'<{name} xmlns="{OSEO}" service="OS" version="1.0.0"/>'.encode())
        with pytest.raises(NotSupported):
            decode_request(element)


def test_what_is_no_callback_is_refused_by_its_name():
    with pytest.raises(NotSupported, match="Submit'"):
        decode_callback(parse(f'<Submit xmlns="{OSEO}"/>'.encode()))
    with pytest.raises(NotSupported):
        decode_callback(parse(b"<SubmitResponse/>"))
    with pytest.raises(BadMessage):
        decode_acknowledgement(parse(f'<SubmitAck xmlns="{OSEO}"/>'.encode()))


def test_a_callback_that_is_not_as_the_standard_says_is_refused_with_all_that_is_wrong():
    written = encode_callback(SubmitResponse(order=ORDER)).decode()
    broken = written.replace(' service="OS"', "").replace("<status>", "<status>Nearly", 1)
    with pytest.raises(ValidationError) as refused:
        decode_callback(parse(broken.encode()))
    assert {each.locator for each in refused.value.problems} == {"service", "status"}
