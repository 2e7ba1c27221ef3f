"""What is sent to other servers, and what is made of what they answer: official samples and near misses."""

from __future__ import annotations

from pathlib import Path

import pytest

from oseo_lab.encoding import oseo, soap, xmltree
from oseo_lab.encoding.mending import mend
from oseo_lab.encoding.soap_client import (
    ANONYMOUS,
    Misunderstood,
    negotiate,
    read_answer,
    write_request,
)
from oseo_lab.encoding.soap_identity import Credentials, Identity
from oseo_lab.model.delivery import Secret
from oseo_lab.model.errors import BadMessage, OseoError, TransportError
from oseo_lab.model.messages import (
    Cancel,
    GetCapabilities,
    GetStatus,
    GetStatusResponse,
    Submit,
    SubmitAck,
)
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.status import Status
from tests.official import schema_for

V11, V12 = soap.SoapVersion.V11, soap.SoapVersion.V12
URL = "http://archive.example/"
NS = 'xmlns="http://www.opengis.net/oseo/1.0"'
ACK = f"<SubmitAck {NS}><status>success</status><orderId>urn:o:1</orderId></SubmitAck>"


def answered(body: str | bytes, request: type = Submit, status: int = 200):
    raw = body.encode() if isinstance(body, str) else body
    return read_answer(raw, status=status, url=URL, request=request)


def enveloped(body: str, version: soap.SoapVersion = V12) -> bytes:
    return soap.close_envelope(body.encode(), version)


@pytest.mark.parametrize("version", [V11, V12])
@pytest.mark.parametrize("identity", list(Identity))
def test_a_request_says_who_calls_in_its_own_way_and_is_valid(version, identity, shared: Path):
    credentials = Credentials(username="anna", secret=Secret("hush"), identity=identity)
    posted = write_request(GetStatus(order_id="urn:o:1"), version, credentials=credentials)
    schema_for(shared).assertValid(xmltree.parse(posted.body))
    opened = soap.open_envelope(posted.body, content_type=posted.headers["Content-Type"])
    in_body = opened.username_token is not None
    assert in_body == (identity in (Identity.TEXT, Identity.DIGEST))
    assert ("Authorization" in posted.headers) != in_body
    assert (b"hush" in posted.body) == (identity is Identity.TEXT)
    assert "hush" not in repr(posted) + repr(credentials)


def test_what_may_be_called_back_has_a_message_id_and_an_address():
    posted = write_request(Cancel(order_id="urn:o:1"), V12)
    opened = soap.open_envelope(posted.body)
    assert opened.reply_to == ANONYMOUS and opened.message_id is not None
    named = write_request(Cancel(order_id="urn:o:1"), V12, message_id="urn:m:1", reply_to="http://me/")
    opened = soap.open_envelope(named.body)
    assert (opened.reply_to, opened.message_id) == ("http://me/", "urn:m:1")
    assert soap.open_envelope(write_request(GetCapabilities(), V12).body).reply_to is None


@pytest.mark.parametrize(
    "body",
    [
        ACK,
        enveloped(ACK),
        enveloped(ACK, V11),
        ACK.replace(f" {NS}", ' xmlns="http://www.opengis.net/oseo/1.0/"'),
        ACK.replace(f" {NS}", ""),
        ACK.replace("<status>success</status>", ""),
        ACK.replace("success", " success "),
        ACK.replace("<SubmitAck ", '<SubmitAck service="OS" version="1.0.0" '),
        ACK.replace("</orderId>", "</orderId><orderReference/>"),
        ACK.replace("</orderId>", '</orderId><its:own xmlns:its="urn:its"/>'),
        f"<SubmitAck {NS}><orderId>urn:o:1</orderId><status>success</status></SubmitAck>",
    ],
)
def test_an_answer_whose_form_alone_is_wrong_is_read(body):
    assert answered(body) == SubmitAck(order_id="urn:o:1")


@pytest.mark.parametrize(
    "body",
    [
        ACK.replace("<orderId>urn:o:1</orderId>", ""),
        ACK.replace("success", "failure"),
        ACK.replace("</orderId>", "</orderId><price>3</price>"),
        ACK.replace("SubmitAck", "CancelAck"),
        ACK.replace("<orderId>", "<orderId>a</orderId><orderId>"),
    ],
)
def test_an_answer_that_means_something_else_is_refused(body):
    with pytest.raises(TransportError, match=r"archive\.example"):
        answered(body)


@pytest.mark.parametrize("body", [b"", b"<", b"\x89PNG", "<html/>", enveloped(""), "<!DOCTYPE a><a/>"])
def test_what_is_no_soap_is_misunderstood(body):
    with pytest.raises(Misunderstood):
        answered(body)


def test_mending_says_nothing_of_values_that_are_foreign():
    body = (
        f"<GetStatusResponse {NS}><orderMonitorSpecification><option><ParameterData><encoding>XMLEncoding"
        '</encoding><values><a xmlns=""> 1 <b/></a></values></ParameterData></option><orderType>PRODUCT_ORDER'
        "</orderType><orderId>u</orderId><orderStatusInfo><status>Completed</status></orderStatusInfo>"
        "</orderMonitorSpecification></GetStatusResponse>"
    )
    element = xmltree.parse(body.encode())
    mend(element)
    assert element.find(".//a").getchildren()[0].tag == "b"
    answer = answered(body, GetStatus)
    assert answer.orders[0].status.status is Status.COMPLETED


def test_a_mended_answer_is_valid_by_the_official_schema(shared: Path):
    body = (
        '<GetStatusResponse xmlns="http://www.opengis.net/oseo/1.0/" service="OS"><orderMonitorSpecification>'
        "<orderId> u </orderId><orderReference/><orderType> PRODUCT_ORDER </orderType><orderStatusInfo>"
        "<additionalStatusInfo/><status>Completed</status></orderStatusInfo>"
        "</orderMonitorSpecification></GetStatusResponse>"
    )
    element = xmltree.parse(body.encode())
    mend(element)
    schema_for(shared).assertValid(element)
    found = oseo.decode_response(element)
    assert isinstance(found, GetStatusResponse) and found.orders[0].order_id == "u"


@pytest.mark.parametrize("name", ["GetStatusResponse_soap11.xml", "SubmitAck_soap11.xml"])
def test_answers_of_another_server_of_this_standard_are_read(shared: Path, name: str):
    body = (shared / "samples" / "soap-pyoseo" / name).read_bytes()
    request = GetStatus if name.startswith("GetStatus") else Submit
    answer = answered(body, request)
    assert type(answer).__name__ == name.partition("_")[0]


def test_the_officially_published_responses_are_read(shared: Path):
    folder = shared / "samples" / "oseo"
    read = 0
    for name, codec in oseo.CODECS.items():
        path = folder / f"{codec.response_name}.xml"
        if path.exists():
            assert type(answered(path.read_bytes(), codec.request)) is codec.response, name
            read += 1
    assert read >= 6


def test_a_version_is_negotiated_by_asking():
    asked = []

    def only(*spoken):
        def ask(version):
            asked.append(version)
            if version not in spoken:
                raise Misunderstood(f"not {version.number}")
            return "ok"

        return ask

    assert negotiate(only(V12), None) == (V12, "ok")
    assert negotiate(only(V11), None) == (V11, "ok")
    assert negotiate(only(V11, V12), "1.1") == (V11, "ok")
    with pytest.raises(Misunderstood, match=r"not 1\.2"):
        negotiate(only(), None)
    with pytest.raises(Misunderstood):
        negotiate(only(V11), "1.2")
    assert asked == [V12, V12, V11, V11, V12, V11, V12]


def test_requests_are_never_mended():
    with pytest.raises(BadMessage):
        oseo.decode_request(xmltree.parse(f'<Submit {NS} service="OS" version="1.0.0"/>'.encode()))
    posted = write_request(Submit(specification=OrderSpecification()), V12)
    with pytest.raises(OseoError):
        oseo.decode_request(soap.open_envelope(posted.body).payload)
