"""WS-Addressing headers, as clients send them and as callbacks carry them."""

from __future__ import annotations

import pytest

from oseo_lab.encoding.oseo import encode_request
from oseo_lab.encoding.soap import (
    SoapVersion,
    close_envelope,
    fault,
    http_headers,
    open_envelope,
    request_envelope,
)
from oseo_lab.encoding.xmltree import parse
from oseo_lab.model.errors import BadMessage
from oseo_lab.model.messages import Cancel
from tests.official import complaints

BOTH = pytest.mark.parametrize("version", list(SoapVersion), ids=["1.1", "1.2"])
PAYLOAD = encode_request(Cancel(order_id="urn:uuid:1"))
WSA = "http://www.w3.org/2005/08/addressing"


@BOTH
def test_what_is_written_is_read_and_officially_valid(shared, version):
    body = request_envelope(
        PAYLOAD,
        version,
        message_id="urn:m:1",
        reply_to="http://x.example/?a=1&b=<2>",
        relates_to="urn:m:0",
        to="http://y.example/",
        action="Cancel",
    )
    envelope = open_envelope(body)
    assert envelope.message_id == "urn:m:1"
    assert envelope.reply_to == "http://x.example/?a=1&b=<2>"
    assert envelope.relates_to == "urn:m:0"
    root = parse(body)
    assert root.findtext(f".//{{{WSA}}}To") == "http://y.example/"
    assert root.findtext(f".//{{{WSA}}}Action") == "Cancel"
    assert root.find(f".//{{{WSA}}}RelatesTo").get("RelationshipType") == "wsa:Response"
    assert complaints(shared, body) == []


@BOTH
def test_without_addressing_there_is_no_header(version):
    assert b"Header" not in request_envelope(PAYLOAD, version)


@BOTH
def test_an_answer_relates_to_its_request(version):
    body = close_envelope(PAYLOAD, version, relates_to="urn:m:1")
    assert open_envelope(body).relates_to == "urn:m:1"
    assert b"RelationshipType" not in body


@BOTH
def test_a_fault_relates_to_its_request_too(shared, version):
    body = fault(BadMessage("no"), version, relates_to="urn:m:1")
    assert open_envelope(body).relates_to == "urn:m:1"
    assert complaints(shared, body) == []
    assert b"Header" not in fault(BadMessage("no"), version)


@pytest.mark.parametrize(
    "kind",
    ["", 'RelationshipType="wsa:Response"', f'RelationshipType="{WSA}/reply"', 'RelationshipType="urn:x"'],
)
def test_any_relationship_is_accepted(kind):
    assert opened(f"<a:RelatesTo {kind}> urn:m:1 </a:RelatesTo>").relates_to == "urn:m:1"


def test_of_several_messages_it_relates_to_the_first_counts():
    headers = "<a:RelatesTo>urn:m:1</a:RelatesTo><a:RelatesTo>urn:m:2</a:RelatesTo>"
    assert opened(headers).relates_to == "urn:m:1"
    with pytest.raises(BadMessage, match="twice"):
        opened("<a:MessageID>urn:m:1</a:MessageID><a:MessageID>urn:m:2</a:MessageID>")


def opened(headers: str):
    version = SoapVersion.V12.value
    return open_envelope(
        f'<e:Envelope xmlns:e="{version}" xmlns:a="{WSA}"><e:Header>{headers}</e:Header><e:Body>'.encode()
        + PAYLOAD
        + b"</e:Body></e:Envelope>"
    )


def test_the_action_travels_as_each_version_has_it():
    assert http_headers(SoapVersion.V11, "Cancel") == {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": '"Cancel"',
    }
    said = http_headers(SoapVersion.V12, "Cancel")
    assert said == {"Content-Type": 'application/soap+xml; charset=utf-8; action="Cancel"'}
    open_envelope(request_envelope(PAYLOAD, SoapVersion.V12), content_type=said["Content-Type"])
