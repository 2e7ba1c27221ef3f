"""The envelope: SOAP 1.1 and 1.2, headers, actions, tokens and faults."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from zeep.wsse.username import UsernameToken as ForeignToken

from oseo_lab.encoding.oseo import decode_request, encode_request, encode_response
from oseo_lab.encoding.soap import (
    MustUnderstand,
    SoapVersion,
    UnsupportedMediaType,
    UsernameToken,
    VersionMismatch,
    close_envelope,
    content_type,
    digest_token,
    fault,
    fault_status,
    open_envelope,
    password_digest,
    read_fault,
    request_envelope,
    version_of,
)
from oseo_lab.encoding.xmltree import parse
from oseo_lab.model.delivery import Secret
from oseo_lab.model.errors import (
    CODE_TEXTS,
    BadMessage,
    NotAuthenticated,
    NotFound,
    NotSupported,
    OseoError,
    Problem,
    Unavailable,
    ValidationError,
    error_of,
)
from oseo_lab.model.messages import Cancel, CancelAck
from tests.official import complaints

V11, V12 = SoapVersion.V11, SoapVersion.V12
BOTH = pytest.mark.parametrize("version", list(SoapVersion), ids=["1.1", "1.2"])
CANCEL = Cancel(order_id="urn:uuid:1")
PAYLOAD = encode_request(CANCEL)
WSA = "http://www.w3.org/2005/08/addressing"
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"


def envelope(header: str = "", version: SoapVersion = V12, payload: bytes = PAYLOAD) -> bytes:
    return (
        (
            f'<e:Envelope xmlns:e="{version.value}" xmlns:a="{WSA}" xmlns:w="{WSS}wssecurity-secext-1.0.xsd" '
            f'xmlns:u="{WSS}wssecurity-utility-1.0.xsd"><e:Header>{header}</e:Header><e:Body>'
        ).encode()
        + payload
        + b"</e:Body></e:Envelope>"
    )


@BOTH
def test_request_envelope_opens_to_what_was_put_in(version: SoapVersion, shared: Path) -> None:
    token = UsernameToken(username="grace <h>", password=Secret("cobol & <59>"))
    body = request_envelope(PAYLOAD, version, message_id="urn:m:1", username_token=token)
    opened = open_envelope(body, content_type=content_type(version), soap_action='"Cancel"')
    assert opened.version is version
    assert decode_request(opened.payload) == CANCEL
    assert opened.message_id == "urn:m:1"
    assert opened.username_token == token
    assert opened.username_token is not None
    assert opened.username_token.password.reveal() == "cobol & <59>"
    assert complaints(shared, body) == []


@BOTH
def test_answer_envelope_names_the_request(version: SoapVersion, shared: Path) -> None:
    body = close_envelope(encode_response(CancelAck()), version, relates_to="urn:m:1")
    assert b"<wsa:RelatesTo>urn:m:1</wsa:RelatesTo>" in body
    assert complaints(shared, body) == []


def test_digest_proves_a_password_without_sending_it() -> None:
    body = request_envelope(PAYLOAD, V12, username_token=digest_token("grace", "cobol"))
    assert b"cobol" not in body
    token = open_envelope(body).username_token
    assert token is not None and token.is_digest and token.nonce and token.created
    assert token.password.reveal() == password_digest(token.nonce, token.created, "cobol")


def test_digest_of_a_foreign_client_is_the_one_we_compute() -> None:
    signed, _ = ForeignToken("grace", "cobol", use_digest=True).apply(parse(envelope()), {})
    found = open_envelope(etree.tostring(signed)).username_token
    assert found is not None and found.is_digest and found.nonce and found.created
    assert found.password.reveal() == password_digest(found.nonce, found.created, "cobol")


def test_addressing_headers_are_read_and_fault_to_is_not_followed() -> None:
    header = (
        "<a:MessageID> urn:m:1 </a:MessageID><a:ReplyTo><a:Address>https://x.example/cb</a:Address></a:ReplyTo>"
        "<a:FaultTo e:mustUnderstand='true'><a:Address>http://169.254.169.254/</a:Address></a:FaultTo>"
    )
    opened = open_envelope(envelope(header))
    assert (opened.message_id, opened.reply_to) == ("urn:m:1", "https://x.example/cb")


@pytest.mark.parametrize(
    "action", [None, "", '""', "Cancel", '"Cancel"', "http://x.example/oseo/1.0/Cancel", "urn:x#Cancel"]
)
def test_action_that_agrees_is_fine(action: str | None) -> None:
    assert decode_request(open_envelope(envelope(), soap_action=action).payload) == CANCEL
    named = "application/soap+xml" + (
        "" if action is None else f'; charset=utf-8; action="{action.strip(chr(34))}"'
    )
    assert decode_request(open_envelope(envelope(), content_type=named).payload) == CANCEL


def test_action_that_names_something_else_is_refused() -> None:
    with pytest.raises(BadMessage, match="action names 'Submit'"):
        open_envelope(envelope(version=V11), content_type="text/xml", soap_action='"Submit"')
    with pytest.raises(BadMessage, match="action names 'Submit'"):
        open_envelope(envelope(), content_type='application/soap+xml;action="Submit"')


@pytest.mark.parametrize(
    "named",
    [
        "application/json",
        "multipart/related; type=text/xml",
        "",
        "text/html",
        "text/xml; charset=iso-8859-1",
        'application/soap+xml; charset="utf-7"',
    ],
)
def test_other_content_types_are_415(named: str) -> None:
    with pytest.raises(UnsupportedMediaType) as caught:
        open_envelope(envelope(), content_type=named)
    assert fault_status(caught.value, V11) == fault_status(caught.value, V12) == 415


def test_unknown_soap_version_is_a_version_mismatch() -> None:
    body = envelope().replace(V12.value.encode(), b"http://www.w3.org/2001/12/soap-envelope")
    with pytest.raises(VersionMismatch) as caught:
        open_envelope(body)
    assert b"<faultcode>s:VersionMismatch</faultcode>" in fault(caught.value, V11)
    assert fault_status(caught.value, V12) == 500


@BOTH
@pytest.mark.parametrize("flag", ["1", "true"])
def test_header_that_must_be_understood_and_is_not_is_a_fault(version: SoapVersion, flag: str) -> None:
    with pytest.raises(MustUnderstand) as caught:
        open_envelope(envelope(f'<x:t xmlns:x="urn:x" e:mustUnderstand="{flag}"/>', version))
    assert b"s:MustUnderstand<" in fault(caught.value, version)


@pytest.mark.parametrize(
    "header",
    [
        '<x:t xmlns:x="urn:x"/>',
        '<x:t xmlns:x="urn:x" e:mustUnderstand="0"/>',
        '<x:t xmlns:x="urn:x" e:mustUnderstand="1" e:role="urn:somebody:else"/>',
        '<a:To e:mustUnderstand="1">urn:x</a:To><a:Action e:mustUnderstand="1">any</a:Action>',
    ],
)
def test_header_that_need_not_be_understood_is_passed_over(header: str) -> None:
    assert decode_request(open_envelope(envelope(header)).payload) == CANCEL


def test_signature_that_must_be_understood_is_not() -> None:
    header = '<w:Security e:mustUnderstand="1"><d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#"/></w:Security>'
    with pytest.raises(MustUnderstand):
        open_envelope(envelope(header))


@pytest.mark.parametrize(
    "header",
    [
        "<a:MessageID>1</a:MessageID><a:MessageID>2</a:MessageID>",
        "<w:Security/><w:Security/>",
        '<x:t xmlns:x="urn:x"/><x:t xmlns:x="urn:x"/>',
    ],
)
def test_header_that_comes_twice_is_a_fault(header: str) -> None:
    with pytest.raises(BadMessage, match="twice"):
        open_envelope(envelope(header))


def test_message_id_of_any_length_is_not_kept() -> None:
    with pytest.raises(BadMessage) as caught:
        open_envelope(envelope(f"<a:MessageID>{'m' * 1001}</a:MessageID>"))
    assert (caught.value.code, caught.value.locator) == ("InvalidParameterValue", "MessageID")


def token(inside: str) -> str:
    return f"<w:Security><w:UsernameToken>{inside}</w:UsernameToken></w:Security>"


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<w:Username>u</w:Username>",
        "<w:Password>p</w:Password>",
        "<w:Username> </w:Username><w:Password>p</w:Password>",
        "<w:Username>u</w:Username><w:Username>v</w:Username><w:Password>p</w:Password>",
        "<w:Username>u</w:Username><w:Password Type='urn:other'>p</w:Password>",
        "<w:Username>u</w:Username><w:Password>p</w:Password><w:Nonce>***</w:Nonce>",
        f"<w:Username>u</w:Username><w:Password>p</w:Password><w:Nonce>{'QUFB' * 22}</w:Nonce>",
    ],
)
def test_token_that_cannot_be_read_is_no_identity(inside: str) -> None:
    with pytest.raises(NotAuthenticated) as caught:
        open_envelope(envelope(token(inside)))
    assert caught.value.locator == "identity_token"
    assert fault_status(caught.value, V11) == fault_status(caught.value, V12) == 401


def test_two_tokens_are_refused() -> None:
    one = "<w:UsernameToken><w:Username>u</w:Username><w:Password>p</w:Password></w:UsernameToken>"
    with pytest.raises(NotAuthenticated, match="two"):
        open_envelope(envelope(f"<w:Security>{one}{one}</w:Security>"))


def test_password_never_shows() -> None:
    opened = open_envelope(envelope(token("<w:Username>u</w:Username><w:Password>hunter2</w:Password>")))
    assert "hunter2" not in f"{opened!r} {opened}"


@pytest.mark.parametrize(
    "body",
    [
        PAYLOAD,
        envelope(payload=b""),
        envelope(payload=PAYLOAD * 2),
        envelope(payload=b"text" + PAYLOAD),
        envelope().replace(b"</e:Body>", b"</e:Body><e:Body><a/></e:Body>"),
        envelope().replace(b"</e:Body>", b"</e:Body><e:Header/>"),
        envelope().replace(b"<e:Header></e:Header>", b"<e:Header/><e:Header/>"),
        f'<e:Envelope xmlns:e="{V12.value}"/>'.encode(),
    ],
)
def test_what_is_no_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessage):
        open_envelope(body)


def test_envelope_in_an_envelope_is_an_unknown_operation() -> None:
    opened = open_envelope(envelope(payload=envelope()))
    with pytest.raises(NotSupported):
        decode_request(opened.payload)


ERRORS = [
    (NotFound("no such order", locator="orderId"), "Client", "Sender", 400),
    (NotSupported("not here", locator="GetQuotation"), "Client", "Sender", 400),
    (NotAuthenticated("who?", locator="identity_token"), "Client", "Sender", 401),
    (Unavailable("starting"), "Server", "Receiver", 500),
    (OseoError("broken; quote 1234"), "Server", "Receiver", 500),
]


@pytest.mark.parametrize(
    ("error", "client", "sender", "status"), ERRORS, ids=[type(e[0]).__name__ for e in ERRORS]
)
def test_fault_says_whose_it_is_and_comes_back_as_the_same_error(
    error: OseoError, client: str, sender: str, status: int, shared: Path
) -> None:
    for version, side, expected in ((V11, client, 401 if status == 401 else 500), (V12, sender, status)):
        body = fault(error, version)
        assert complaints(shared, body) == []
        assert f">s:{side}<".encode() in body
        assert fault_status(error, version) == expected
        read = read_fault(open_envelope(body).payload)
        assert read == error.problems
        assert type(error_of(read)) is (type(error) if error.code != "NoApplicableCode" else OseoError)
    assert f">ows:{error.code}</s:Value>".encode() in fault(error, V12)


@BOTH
def test_fault_lists_every_problem_with_the_literal_text_first(version: SoapVersion, shared: Path) -> None:
    found = (
        Problem(code="InvalidParameterValue", locator="format", text="a <b> & c", item_id="i\x00"),
        Problem(code="MissingParameterValue", locator='say "x"', text="crs is missing"),
        Problem(code="Odd code", locator=None, text=""),
    )
    body = fault(ValidationError.of(found), version)
    assert complaints(shared, body) == []
    read = read_fault(open_envelope(body).payload)
    assert read is not None
    assert [(each.code, each.locator) for each in read] == [(each.code, each.locator) for each in found]
    assert read[0].text == "item i\ufffd: a <b> & c"
    first = parse(body).find(".//{*}ExceptionText")
    assert first is not None and first.text == CODE_TEXTS["InvalidParameterValue"]


@pytest.mark.parametrize("version", [V11, V12])
def test_no_applicable_code_has_no_locator_and_the_literal_text_first(version: SoapVersion) -> None:
    body = fault(BadMessage("the action names something else", locator="SOAPAction"), version)
    exception = parse(body).find(".//{*}Exception")
    assert exception is not None and dict(exception.attrib) == {"exceptionCode": "NoApplicableCode"}
    assert [each.text for each in exception] == ["Code not applicable", "the action names something else"]


def test_fault_of_a_foreign_server_without_a_report_gives_its_reason() -> None:
    v11 = f'<e:Fault xmlns:e="{V11.value}"><faultstring>no</faultstring></e:Fault>'
    v12 = f'<e:Fault xmlns:e="{V12.value}"><e:Reason><e:Text>no</e:Text></e:Reason></e:Fault>'
    for text in (v11, v12):
        assert read_fault(parse(text.encode())) == (
            Problem(code="NoApplicableCode", locator=None, text="no"),
        )
    assert read_fault(parse(PAYLOAD)) is None


def test_version_to_answer_in_is_guessed_where_nothing_could_be_opened() -> None:
    assert version_of("application/soap+xml; charset=utf-8") is V12
    assert version_of("text/xml") is V11
    assert version_of(None) is V11
    assert version_of("text/xml", envelope()) is V12
    assert version_of("application/soap+xml", envelope(version=V11)) is V11
    assert version_of("text/plain", b"garbage") is V11
