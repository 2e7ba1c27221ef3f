"""The SOAP endpoint as a foreign client meets it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from serving import TOKEN, V11, V12, Server, envelope, opened, order

from oseo_lab.encoding import soap
from oseo_lab.model.delivery import Secret
from oseo_lab.model.messages import (
    Cancel,
    Capabilities,
    DescribeResultAccess,
    GetCapabilities,
    GetOptions,
    GetOptionsResponse,
    GetStatus,
    Presentation,
    SubmitAck,
)
from oseo_lab.model.order import new_order_id
from oseo_lab.model.status import Status

TYPES = {V11: "text/xml; charset=utf-8", V12: "application/soap+xml; charset=utf-8"}
VERSIONS = pytest.mark.parametrize("version", [V11, V12], ids=["1.1", "1.2"])


@pytest.fixture
def post(server: Server, stranger: httpx.Client) -> Callable[..., httpx.Response]:
    """Post a message; with the token unless other headers are given."""

    def send(message: Any, version: Any = V12, *, headers: Any = None, **more: Any) -> httpx.Response:
        said = server.token if headers is None else headers
        return stranger.post(
            server.soap,
            content=message if isinstance(message, bytes) else envelope(message, version, **more),
            headers={"Content-Type": TYPES[version], **said},
        )

    return send


@VERSIONS
def test_an_order_goes_in_and_its_status_comes_out(post, version):
    answer = post(order("P1", "P2"), version)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == TYPES[version]
    acknowledgement = opened(answer)
    assert isinstance(acknowledgement, SubmitAck)
    status = post(GetStatus(order_id=acknowledgement.order_id, presentation=Presentation.FULL), version)
    [found] = opened(status).orders
    assert [each.specification.item_id for each in found.items] == ["item 1", "item 2"]
    again = post(GetStatus(order_id=acknowledgement.order_id, presentation=Presentation.FULL), version)
    assert again.content == status.content


@VERSIONS
def test_a_kept_answer_gives_way_when_the_order_changes(post, version, finish):
    order_id = opened(post(order(), version)).order_id
    ask = GetStatus(order_id=order_id, presentation=Presentation.FULL)
    assert opened(post(ask, version)).orders[0].status.status is Status.ACCEPTED
    assert opened(post(Cancel(order_id=order_id), version)).status == "success"
    finish()
    [ended] = opened(post(ask, version)).orders
    assert (ended.order_id, ended.status.status) == (order_id, Status.CANCELLED)


@VERSIONS
def test_capabilities_are_open_and_carry_no_cookie(post, version):
    answer = post(GetCapabilities(), version, headers={})
    assert isinstance(opened(answer), Capabilities)
    assert "Set-Cookie" not in answer.headers


def test_a_token_request_gets_no_cookie(post):
    assert "Set-Cookie" not in post(GetOptions(collection_id="things")).headers


@VERSIONS
def test_without_identity_the_fault_says_how(post, version):
    answer = post(GetOptions(collection_id="things"), version, headers={})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.headers["Content-Type"] == TYPES[version]
    [problem] = opened(answer)
    assert (problem.code, problem.locator) == ("AuthenticationFailed", "identity_token")
    assert "UsernameToken" in problem.text


def test_the_answer_relates_to_the_question(post):
    answer = post(order(), message_id="urn:uuid:11111111-1111-4111-8111-111111111111")
    assert b"RelatesTo>urn:uuid:11111111-1111-4111-8111-111111111111<" in answer.content


def test_the_same_message_twice_is_one_order(post):
    first, second = (opened(post(order("P7"), message_id="urn:x:twice")) for _ in range(2))
    assert first.order_id == second.order_id
    [problem] = opened(post(order("P8"), message_id="urn:x:twice"))
    assert (problem.code, problem.locator) == ("InvalidParameterValue", "MessageID")


FAULTS = [
    (GetStatus(order_id=new_order_id()), "InvalidOrderIdentifier", "orderId", 400),
    (GetStatus(order_id="' or 1=1 --"), "InvalidOrderIdentifier", "orderId", 400),
    (DescribeResultAccess(order_id="../../etc/passwd"), "InvalidOrderIdentifier", "orderId", 400),
    (GetOptions(collection_id="nowhere"), None, "collectionId", 400),
    (order("not a product"), "InvalidParameterValue", None, 400),
]


@VERSIONS
@pytest.mark.parametrize(("message", "code", "locator", "status"), FAULTS)
def test_every_refusal_is_a_fault_of_the_version_asked(post, version, message, code, locator, status):
    answer = post(message, version)
    assert answer.status_code == (500 if version is V11 else status)
    assert answer.headers["Content-Type"] == TYPES[version]
    problems = opened(answer)
    assert code is None or problems[0].code == code
    assert locator is None or problems[0].locator == locator


@pytest.mark.parametrize("body", [b"", b"nonsense", b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_what_is_no_message_is_a_fault(post, body):
    answer = post(body)
    assert answer.status_code == 400
    assert opened(answer)[0].code


@pytest.mark.parametrize("content_type", ["application/xml", "text/plain", "application/json", "", "a b c"])
def test_other_content_types_are_refused_in_soap(server, stranger, content_type):
    answer = stranger.post(
        server.soap, content=envelope(GetCapabilities()), headers={"Content-Type": content_type}
    )
    assert answer.status_code == 415
    assert answer.headers["Content-Type"] == TYPES[V12]
    assert "text/xml" in opened(answer)[0].text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused_in_soap(server, http, method):
    answer = http.request(method, server.soap, headers={"Content-Type": TYPES[V12]})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert opened(answer)[0].code == "OperationNotSupported"


def test_the_wsdl_names_this_server(server, stranger):
    answer = stranger.get(f"{server.soap}?wsdl")
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert server.soap.encode() in answer.content
    assert stranger.get(f"{server.soap}?WSDL").content == answer.content


def test_capabilities_by_get(server, stranger):
    answer = stranger.get(f"{server.soap}?SERVICE=OS&request=GetCapabilities&sections=Contents")
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert b"Capabilities" in answer.content and b"ServiceProvider" not in answer.content


@pytest.mark.parametrize(
    ("query", "media_type"),
    [
        ("acceptFormats=image/png,application/xml,text/xml", "application/xml"),
        ("AcceptFormats=text/xml&AcceptLanguages=zh&AcceptVersions=9.9.9,1.0.0", "text/xml"),
    ],
)
def test_capabilities_by_get_are_negotiated(server, stranger, query, media_type):
    answer = stranger.get(f"{server.soap}?service=OS&request=GetCapabilities&{query}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(media_type)


def test_an_unchanged_document_is_not_sent_again(server, stranger):
    url = f"{server.soap}?service=OS&request=GetCapabilities"
    sequence = re.search(r'updateSequence="(\d+)"', stranger.get(url).text)[1]
    assert b"Contents" not in stranger.get(f"{url}&updateSequence={sequence}").content
    assert b"InvalidUpdateSequence" in stranger.get(f"{url}&updateSequence={sequence}1").content


@pytest.mark.parametrize("query", ["service=WMS&request=GetCapabilities", "service=OS&request=Submit"])
def test_another_get_is_a_fault(server, stranger, query):
    answer = stranger.get(f"{server.soap}?{query}")
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert opened(answer)


def test_a_browser_gets_a_page_without_secrets(server, stranger):
    answer = stranger.get(server.soap, headers={"Accept": "text/html,*/*"})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "urn:some/thing" in answer.text and server.soap in answer.text
    assert "GetCapabilities, GetOptions, Submit, GetStatus, DescribeResultAccess, Cancel" in answer.text
    assert TOKEN not in answer.text and str(server.data_dir) not in answer.text
    assert stranger.get(server.soap, headers={"Accept": "*/*"}).headers["Content-Type"].startswith("text/xml")


# ----------------------------------------------------------------------------------------- who is asking


def test_a_cookie_does_not_identify_a_soap_client(server, http, stranger):
    login = httpx.get(f"{server.url}api/status?token={TOKEN}", follow_redirects=True)
    cookies = dict(login.cookies)
    assert cookies
    message = envelope(GetOptions(collection_id="things"))
    answer = httpx.post(server.soap, content=message, headers={"Content-Type": TYPES[V12]}, cookies=cookies)
    assert answer.status_code == 401 and opened(answer)[0].code == "AuthenticationFailed"


def test_a_token_in_the_url_does_not_identify_a_soap_client(server, stranger):
    message = envelope(GetOptions(collection_id="things"))
    answer = stranger.post(
        f"{server.soap}?token={TOKEN}", content=message, headers={"Content-Type": TYPES[V12]}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "said",
    ["token wrong", "Bearer", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Digest username=x", "token \xff"],
)
def test_a_wrong_authorization_is_refused_even_where_none_is_needed(server, said):
    answer = httpx.post(
        server.soap,
        content=envelope(GetCapabilities()),
        headers={"Content-Type": TYPES[V12], "Authorization": said.encode("latin-1")},
    )
    assert answer.status_code == 401
    assert opened(answer)[0].code == "AuthenticationFailed"


@pytest.mark.usefixtures("accounts")
class TestAccounts:
    def test_basic_sees_its_own_orders_alone(self, server, post, submit):
        mine = f"urn:uuid:{submit('P1')}"
        basic = {"Authorization": "Basic " + base64.b64encode(b"alice:alice's secret").decode()}
        hers = opened(post(order(), headers=basic)).order_id
        assert opened(post(GetStatus(order_id=hers), headers=basic)).orders[0].order_id == hers
        others = opened(post(GetStatus(order_id=mine), headers=basic))
        unknown = opened(post(GetStatus(order_id=new_order_id()), headers=basic))
        assert [(each.code, each.locator) for each in others] == [
            (each.code, each.locator) for each in unknown
        ]
        assert opened(post(GetStatus(order_id=hers)))[0].code == "InvalidOrderIdentifier"

    def test_a_password_text_is_accepted_on_loopback(self, post):
        token = soap.UsernameToken(username="alice", password=Secret("alice's secret"))
        answer = opened(post(GetOptions(collection_id="things"), headers={}, username_token=token))
        assert isinstance(answer, GetOptionsResponse) and answer.order_options

    @pytest.mark.parametrize(
        ("name", "password"),
        [("alice", "wrong"), ("nobody", "wrong"), ("eve", "eve's secret"), ("alice", "")],
    )
    def test_unknown_disabled_and_wrong_look_alike(self, post, name, password):
        token = soap.UsernameToken(username=name, password=Secret(password))
        answer = post(GetOptions(collection_id="things"), headers={}, username_token=token)
        assert answer.status_code == 401
        assert [each.text for each in opened(answer)] == ["the account or its password is not right"]

    def test_a_digest_is_accepted_once(self, post):
        token = soap.digest_token("bob", "bob's secret")
        ask = {"headers": {}, "username_token": token}
        assert isinstance(opened(post(GetOptions(collection_id="things"), **ask)), GetOptionsResponse)
        [problem] = opened(post(GetOptions(collection_id="things"), **ask))
        assert problem.code == "AuthenticationFailed" and "Nonce" in problem.text

    def test_a_digest_needs_an_account_made_for_it(self, post):
        token = soap.digest_token("alice", "alice's secret")
        answer = post(GetOptions(collection_id="things"), headers={}, username_token=token)
        assert answer.status_code == 401

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_a_stale_digest_is_refused(self, post, minutes):
        created = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        nonce = b"n" * 16
        digest = Secret(soap.password_digest(nonce, created, "bob's secret"))
        token = soap.UsernameToken(
            username="bob", password=digest, is_digest=True, nonce=nonce, created=created
        )
        [problem] = opened(post(GetOptions(collection_id="things"), headers={}, username_token=token))
        assert "five minutes" in problem.text

    def test_the_message_says_who_asks_before_any_header(self, post):
        token = soap.digest_token("bob", "bob's secret")
        order_id = opened(post(order(), username_token=token)).order_id
        assert opened(post(GetStatus(order_id=order_id)))[0].code == "InvalidOrderIdentifier"
