"""Quotations as XML: the callback that brings them, the official samples, and what XML cannot say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.encoding.callbacks_xml import (
    decode_acknowledgement,
    decode_callback,
    encode_acknowledgement,
    encode_callback,
)
from oseo_lab.encoding.oseo import decode_response, encode_response
from oseo_lab.encoding.xmltree import parse
from oseo_lab.model.errors import BadMessage
from oseo_lab.model.messages import (
    GetQuotationAck,
    GetQuotationResponse,
    GetQuotationResponseAck,
    ResponseStatus,
)
from oseo_lab.model.quotation import Estimate, Price, Reusable
from tests.encoding.golden import QUOTATION
from tests.official import complaints


def test_response_to_the_client_is_officially_valid_and_reads_back(shared: Path) -> None:
    message = GetQuotationResponse(
        quotation=QUOTATION, status=ResponseStatus.PARTIAL, error_message="item 4 cannot be quoted"
    )
    written = encode_callback(message)
    assert complaints(shared, written) == []
    assert decode_callback(parse(written)) == message
    assert b"timeStamp" not in written


def test_official_samples_of_the_callback_survive_a_round_trip(shared: Path) -> None:
    sample = decode_callback(parse((shared / "samples/oseo/GetQuotationResponse.xml").read_bytes()))
    assert sample.quotation.groups[0].price == Price(value=50.0, currency="QUOTA")
    assert decode_callback(parse(encode_callback(sample))) == sample
    ack = decode_acknowledgement(parse((shared / "samples/oseo/GetQuotationResponseAck.xml").read_bytes()))
    assert ack == GetQuotationResponseAck()
    assert complaints(shared, encode_acknowledgement(ack)) == []


def test_estimates_go_out_in_words_and_within_the_length_of_the_schema(shared: Path) -> None:
    group = QUOTATION.groups[0]
    item = replace(
        group.items[0],
        price_information="x" * 300,
        size=Estimate(low=7e7, typical=8e7, high=9.5e7),
        duration=Estimate(low=60, typical=90, high=200),
    )
    quotation = replace(QUOTATION, groups=(replace(group, items=(item,)),))
    written = encode_response(GetQuotationAck(quotation=quotation))
    assert complaints(shared, written) == []
    said = decode_response(parse(written)).quotation.groups[0].items[0].price_information
    assert said.startswith("xxx")
    assert said.endswith("; about 80 MB (70 MB to 95 MB), 90 s of work (60 s to 3.3 min)")
    assert len(said) <= 255


@pytest.mark.parametrize(
    ("is_taken", "words"),
    [
        (False, "delivered on 2026-03-01 in lake & land: free with extension reuse=true"),
        (True, "reused from lake & land, delivered on 2026-03-01"),
    ],
)
def test_what_was_delivered_already_goes_out_in_words(is_taken: bool, words: str, shared: Path) -> None:
    group, delivered = QUOTATION.groups[0], datetime(2026, 3, 1, tzinfo=UTC)
    kept = Reusable(order_id="urn:o", name="lake & land", delivered=delivered, is_taken=is_taken)
    item = replace(group.items[0], price_information="2 an item", reuse=kept)
    written = encode_response(
        GetQuotationAck(quotation=replace(QUOTATION, groups=(replace(group, items=(item,)),)))
    )
    assert complaints(shared, written) == []
    said = decode_response(parse(written)).quotation.groups[0].items[0].price_information
    assert said == f"2 an item; {words}"


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e99, max_value=1e99))
def test_any_price_comes_through_exactly(value: float) -> None:
    quotation = replace(QUOTATION, price=Price(value=value, currency="EUR"))
    written = encode_response(GetQuotationAck(quotation=quotation))
    assert decode_response(parse(written)).quotation.price.value == value


@pytest.mark.parametrize("value", ["", "free", "NaN", "INF", "1e999", "1,5", "0x10"])
def test_price_that_is_no_finite_number_is_refused_by_name(value: str) -> None:
    body = encode_response(GetQuotationAck(quotation=QUOTATION))
    changed = body.replace(b"<value>12.5</value>", f"<value>{value}</value>".encode(), 1)
    assert changed != body
    with pytest.raises(BadMessage) as caught:
        decode_response(parse(changed))
    assert (caught.value.code, caught.value.locator) == ("InvalidParameterValue", "value")


def test_quotation_without_a_group_is_refused() -> None:
    body = encode_response(GetQuotationAck(quotation=replace(QUOTATION, groups=())))
    with pytest.raises(BadMessage) as caught:
        decode_response(parse(body))
    assert (caught.value.code, caught.value.locator) == ("MissingParameterValue", "orderItemGroupPrice")
