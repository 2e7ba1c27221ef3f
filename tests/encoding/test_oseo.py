"""Messages as XML, both ways: golden documents, the official schema, the official samples."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from oseo_lab.encoding import xmltree
from oseo_lab.encoding.oseo import (
    CODECS,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from oseo_lab.encoding.soap import open_envelope
from oseo_lab.encoding.xmltree import OSEO, local_name, parse
from oseo_lab.model.delivery import DeliveryInformation, OnlineAddress, Protocol, Secret
from oseo_lab.model.errors import BadMessage, NotSupported, OseoError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import Cancel, CancelAck, GetCapabilities, GetStatusResponse, SubmitAck
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, OrderItem, OrderSpecification, Payment, StatusInfo
from oseo_lab.model.status import Status
from tests.encoding.golden import DATA, ORDER, REQUESTS, RESPONSES
from tests.official import complaints

ALL = [
    *((name, message, decode_request, encode_request) for name, message in REQUESTS.items()),
    *((name, message, decode_response, encode_response) for name, message in RESPONSES.items()),
]
NAMES = [name for name, *_ in ALL]


def canonical(document: bytes) -> bytes:
    tree = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    return etree.tostring(tree, method="c14n2")


@pytest.mark.parametrize(("name", "message", "decode", "encode"), ALL, ids=NAMES)
class TestGolden:
    def test_document_decodes_to_message(self, name: str, message: Any, decode: Any, encode: Any) -> None:
        assert decode(parse((DATA / f"{name}.xml").read_bytes())) == message

    def test_message_encodes_to_document(self, name: str, message: Any, decode: Any, encode: Any) -> None:
        assert canonical(encode(message)) == canonical((DATA / f"{name}.xml").read_bytes())

    def test_what_is_encoded_is_officially_valid(
        self, name: str, message: Any, decode: Any, encode: Any, shared: Path
    ) -> None:
        assert complaints(shared, encode(message)) == []


def test_every_operation_has_golden_request_and_response() -> None:
    assert {type(each) for each in REQUESTS.values()} == {each.request for each in CODECS.values()}
    assert {type(each) for each in RESPONSES.values()} == {each.response for each in CODECS.values()}


def test_every_official_sample_of_the_table_decodes_and_survives_a_round_trip(shared: Path) -> None:
    seen = set()
    for path in sorted((shared / "samples" / "oseo").rglob("*.xml")):
        element = parse(path.read_bytes())
        name = local_name(element)
        for decode, encode, names in (
            (decode_request, encode_request, {each.name for each in CODECS.values()}),
            (decode_response, encode_response, {each.response_name for each in CODECS.values()}),
        ):
            if name in names:
                message = decode(element)
                written = encode(message)
                assert decode(parse(written)) == message, path
                assert complaints(shared, written) == [], path
                seen.add(name)
    assert seen == {name for each in CODECS.values() for name in (each.name, each.response_name)}


def test_every_pyoseo_sample_decodes_and_survives_a_round_trip(shared: Path) -> None:
    paths = sorted((shared / "samples" / "soap-pyoseo").glob("*.xml"))
    assert len(paths) >= 4
    for path in paths:
        payload = open_envelope(path.read_bytes(), content_type="text/xml").payload
        is_request = local_name(payload) in CODECS
        decode, encode = (
            (decode_request, encode_request) if is_request else (decode_response, encode_response)
        )
        message = decode(payload)
        assert decode(parse(encode(message))) == message, path


def test_time_without_zone_is_utc_and_leaves_with_z() -> None:
    body = (DATA / "GetStatus_search.xml").read_bytes().replace(b"12:00:00Z", b"12:00:00")
    request = decode_request(parse(body))
    assert request.filtering_criteria.last_update == datetime(2024, 6, 1, 12, tzinfo=UTC)
    assert b"<lastUpdate>2024-06-01T12:00:00Z</lastUpdate>" in encode_request(request)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2024-06-01T12:00:00+02:00", datetime(2024, 6, 1, 10, tzinfo=UTC)),
        ("2024-06-01", datetime(2024, 6, 1, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2024-06-01Z", datetime(2024, 6, 1, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2024-06-01+02:00", datetime(2024, 6, 1, 21, 59, 59, 999_999, tzinfo=UTC)),
        ("9999-12-31", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2024-06-01T24:00:00Z", datetime(2024, 6, 2, tzinfo=UTC)),
        ("<d>2024-06-01T12:00:00Z</d>", datetime(2024, 6, 1, 12, tzinfo=UTC)),
    ],
)
def test_last_update_end_takes_a_time_or_a_date(said: str, meant: datetime) -> None:
    assert decode_request(parse(search(said))).filtering_criteria.last_update_end == meant


def test_midnight_may_be_the_hour_24_of_the_day_before() -> None:
    body = (DATA / "GetStatus_search.xml").read_bytes().replace(b"T12:00:00Z", b"T24:00:00Z")
    found = decode_request(parse(body)).filtering_criteria.last_update
    assert found == datetime(2024, 6, 2, tzinfo=UTC)


def search(last_update_end: str) -> bytes:
    return (
        f'<GetStatus xmlns="{OSEO}" service="OS" version="1.0.0"><filteringCriteria><lastUpdateEnd>'
        f"{last_update_end}</lastUpdateEnd></filteringCriteria><presentation>brief</presentation></GetStatus>"
    ).encode()


@pytest.mark.parametrize(
    "said",
    ["", "yesterday", "2024-13-01", "0001-01-01T00:00:00+14:00", "9999-12-31-01:00", "2024-06-01T24:30:00"],
)
def test_last_update_end_that_is_no_time_is_refused(said: str) -> None:
    with pytest.raises(BadMessage) as caught:
        decode_request(parse(search(said)))
    assert (caught.value.code, caught.value.locator) == ("InvalidParameterValue", "lastUpdateEnd")


def test_nil_packaging_is_none() -> None:
    nil = b'<packaging xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    body = (DATA / "Submit_everything.xml").read_bytes().replace(b"<packaging>zip</packaging>", nil)
    assert decode_request(parse(body)).specification.packaging is None


def test_empty_update_sequence_is_absent() -> None:
    body = f'<GetCapabilities xmlns="{OSEO}" service="OS" updateSequence=""/>'.encode()
    assert decode_request(parse(body)) == GetCapabilities()


@pytest.mark.parametrize("namespace", ["urn:anything", OSEO])
def test_selected_values_are_matched_by_local_name_in_any_namespace(namespace: str) -> None:
    body = (DATA / "Submit_everything.xml").read_bytes()
    changed = body.replace(b"http://www.opengis.net/oseo/1.0/dataset", namespace.encode())
    assert changed != body
    assert decode_request(parse(changed)) == REQUESTS["Submit_everything"]


def test_comments_and_instructions_do_not_split_a_value() -> None:
    body = (DATA / "Cancel.xml").read_bytes().replace(b"urn:uuid:", b"urn:<!-- x --><?y z?>uuid:")
    assert decode_request(parse(body)) == REQUESTS["Cancel"]


def test_passwords_and_card_data_are_never_echoed() -> None:
    address = OnlineAddress(
        protocol=Protocol.SFTP, server_address="h", user_name="u", user_password=Secret("hunter2")
    )
    item = ItemSpecification(
        item_id="1",
        identifier=ProductId(identifier="p"),
        payment=Payment(payment_method="credit card", credit_card_info="4111"),
    )
    order = replace(
        ORDER,
        specification=OrderSpecification(
            delivery_information=DeliveryInformation(online_addresses=(address,))
        ),
        items=(OrderItem(specification=item, status=StatusInfo(status=Status.ACCEPTED)),),
    )
    written = encode_response(GetStatusResponse(orders=(order,)))
    assert b"hunter2" not in written
    assert b"4111" not in written
    assert b"<userName>u</userName>" in written


def test_passwords_and_card_data_do_not_show_in_what_was_decoded() -> None:
    request = decode_request(parse((DATA / "Submit_everything.xml").read_bytes()))
    assert "cobol" not in repr(request)
    assert "4111" not in repr(request)
    assert encode_request(request) == encode_request(REQUESTS["Submit_everything"])


def test_long_texts_are_cut_and_empty_ones_left_out(shared: Path) -> None:
    info = StatusInfo(status=Status.FAILED, additional="a" * 5000, mission_specific="m" * 5000)
    order = replace(ORDER, status=info, items=())
    written = encode_response(GetStatusResponse(orders=(order,), error_message="e" * 300))
    assert complaints(shared, written) == []
    assert written.count(b"a" * 4000) == 1
    empty = replace(ORDER, status=StatusInfo(status=Status.ACCEPTED, additional=""), items=())
    assert b"additionalStatusInfo" not in encode_response(GetStatusResponse(orders=(empty,)))


def test_operation_not_in_the_table_is_not_supported(shared: Path) -> None:
    element = parse((shared / "samples" / "oseo" / "SubmitResponse.xml").read_bytes())
    with pytest.raises(NotSupported) as caught:
        decode_request(element)
    assert (caught.value.code, caught.value.locator) == ("OperationNotSupported", "SubmitResponse")
    assert "Submit" in caught.value.text


def test_known_name_in_another_namespace_is_told_so() -> None:
    with pytest.raises(NotSupported, match="namespace"):
        decode_request(parse(b'<Submit xmlns="urn:other"/>'))


def test_response_that_is_none_is_refused() -> None:
    with pytest.raises(BadMessage, match="no response"):
        decode_response(parse(b"<html/>"))


def test_option_name_that_is_no_name_is_refused() -> None:
    message = REQUESTS["Submit_least"]
    items = (replace(message.specification.items[0], options=(ParameterData(values=(("a><b", "1"),)),)),)
    with pytest.raises(OseoError, match="cannot be an option's name"):
        encode_request(replace(message, specification=replace(message.specification, items=items)))


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_any_text_comes_through_or_with_a_mark_for_what_xml_cannot_carry(text: str) -> None:
    written = encode_response(SubmitAck(order_id="o", error_message=text))
    read = decode_response(parse(written)).error_message
    kept = "".join(each if xmltree.escape(each) != "\ufffd" else "\ufffd" for each in text)
    assert read == kept[:255]


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=30, alphabet=st.characters(exclude_categories=("Cs", "Cc", "Cn"))))
def test_attributes_keep_their_text(text: str) -> None:
    request = GetCapabilities(update_sequence=text)
    assert decode_request(parse(encode_request(request))) == request


def test_collector_is_left_as_it_was() -> None:
    import gc

    body = encode_request(Cancel(order_id="o"))
    assert gc.isenabled()
    decode_request(parse(body))
    assert gc.isenabled()
    with pytest.raises(BadMessage):
        decode_request(parse(body.replace(b"None", b"Nono")))
    assert gc.isenabled()
    gc.disable()
    try:
        decode_request(parse(body))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_answers_have_no_xml_declaration() -> None:
    assert encode_response(CancelAck()).startswith(b"<CancelAck ")
