"""The notifier against real receivers, hostile ones above all: what it sends, what it makes of answers."""

from __future__ import annotations

import gzip
import socket
from datetime import UTC, datetime

import pytest

from oseo_lab.builtin import callback_http
from oseo_lab.builtin.callback_http import Limits
from oseo_lab.builtin.notifier_soap import SoapNotifier
from oseo_lab.encoding import soap
from oseo_lab.encoding.callbacks_xml import decode_callback
from oseo_lab.encoding.notifications_xml import decode_notification
from oseo_lab.model.delivery import DeliveryInformation, OnlineAddress, Protocol, Secret
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import FailureClass
from oseo_lab.model.notifications import EventCode, Notify, Topic
from oseo_lab.model.order import (
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    Payment,
    StatusInfo,
)
from oseo_lab.model.status import Status
from oseo_lab.ports import Notice, ProcessingFailed
from tests.certificates import certificate
from tests.official import complaints
from tests.receivers import ACK, answer, close_early, drip, hang, receiving

BRIEF = Limits(connect=1.0, total=1.0)
PATIENT = Limits(connect=10.0, total=60.0)
ORDER = Order(
    order_id="urn:uuid:00000000-0000-4000-8000-000000000001",
    specification=OrderSpecification(
        order_reference="mine",
        delivery_information=DeliveryInformation(
            online_addresses=(
                OnlineAddress(
                    protocol=Protocol.FTP,
                    server_address="ftp.example",
                    user_name="anna",
                    user_password=Secret("swordfish"),
                ),
            )
        ),
    ),
    status=StatusInfo(status=Status.COMPLETED),
    created=datetime(2026, 1, 1, tzinfo=UTC),
    items=(
        OrderItem(
            specification=ItemSpecification(
                item_id="a",
                identifier=ProductId(identifier="S2_1"),
                payment=Payment(payment_method="card", credit_card_info="4111 1111"),
            ),
            status=StatusInfo(status=Status.COMPLETED),
        ),
    ),
)


def notice(address, **body) -> Notice:
    return Notice(
        order_id=ORDER.order_id,
        kind="SubmitResponse",
        address=address,
        body={"order": ORDER, "relates_to": "urn:m:1", "soap": "1.2", **body},
    )


def notifier(limits=PATIENT, hosts=("127.0.0.1",)):
    return SoapNotifier({"hosts": hosts, "url": "", "limits": limits})


def failure(address, limits=PATIENT, hosts=("127.0.0.1",)):
    with pytest.raises(ProcessingFailed) as failed:
        notifier(limits, hosts)(notice(address))
    return failed.value


@pytest.mark.parametrize("version", list(soap.SoapVersion), ids=["1.1", "1.2"])
def test_what_is_sent_is_officially_valid_and_tells_no_secrets(shared, version):
    with receiving() as receiver:
        notifier()(notice(f"{receiver.url}cb", soap=version.number))
        (request,) = receiver.received
    assert complaints(shared, request.body) == []
    envelope = soap.open_envelope(
        request.body,
        content_type=request.headers["Content-Type"],
        soap_action=request.headers.get("SOAPAction"),
    )
    assert (envelope.version, envelope.relates_to) == (version, "urn:m:1")
    assert f"<wsa:To>{receiver.url}cb</wsa:To>".encode() in request.body
    assert decode_callback(envelope.payload).order.order_id == ORDER.order_id
    assert b"swordfish" not in request.body
    assert b"4111" not in request.body
    assert request.headers["Host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize(
    ("public", "producer"),
    [("", "http://lab.example/oseo/"), ("https://orders.example/oseo/", "https://orders.example/oseo/")],
)
def test_an_event_says_who_it_is_from_where_nothing_is_set_where_it_was_subscribed_to(
    shared, public, producer
):
    body = {
        "topic": "OrderFailure",
        "code": "ORDERING_FAILED",
        "reference": "urn:s:1",
        "producer": "http://lab.example/oseo/",
    }
    with receiving(answer(204, b"")) as receiver:
        owed = Notice(order_id=ORDER.order_id, kind="Notify", address=receiver.url, body=body)
        SoapNotifier({"hosts": ("127.0.0.1",), "url": public, "limits": PATIENT})(owed)
        (request,) = receiver.received
    assert complaints(shared, request.body) == []
    assert decode_notification(soap.open_envelope(request.body).payload) == Notify(
        topic=Topic.ORDER_FAILURE, producer=producer, code=EventCode.FAILED, order_id=ORDER.order_id
    )


@pytest.mark.parametrize(
    "behaviour",
    [
        answer(),
        answer(202, b""),
        answer(204, b""),
        answer(200, b"\x00\xff garbage <"),
        answer(200, b"<html><body>thanks</body></html>", Content_Type="text/html"),
        answer(200, b"x" * 100_000),
        answer(200, gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip"),
    ],
    ids=["ack", "202", "204", "garbage", "html", "longer than is read", "bomb"],
)
def test_an_answer_from_200_to_299_that_is_no_fault_is_delivered(behaviour):
    with receiving(behaviour) as receiver:
        notifier()(notice(receiver.url))
        assert len(receiver.received) == 1


def test_fifty_megabytes_of_answer_are_not_read():
    # the receiver's write breaks off when the notifier hangs up: it read what it reads of anybody
    with receiving(answer(200, b"0" * 50_000_000)) as receiver:
        notifier()(notice(receiver.url))


FAULT = soap.fault(ValidationError("no such order here"), soap.SoapVersion.V12)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (answer(200, FAULT), "fault: no such order here"),
        (answer(500, FAULT), "fault: no such order here"),
        (answer(500, b"oops"), "HTTP 500"),
        (answer(404, b""), "HTTP 404"),
        (answer(401, ACK), "HTTP 401"),
        (answer(302, b"", Location="http://127.0.0.1:1/"), "redirects are not followed"),
        (answer(307, b"", Location="/elsewhere"), "redirects are not followed"),
        (close_early, "no answer"),
        (drip(b"\x16\x03\x01 this is no HTTP\r\n\r\n", b"x"), "no answer"),
    ],
    ids=["fault", "500 fault", "500", "404", "401", "302", "307", "closes early", "no HTTP"],
)
def test_any_other_answer_is_not_and_is_tried_again(behaviour, said):
    with receiving(behaviour) as receiver:
        failed = failure(receiver.url)
        assert said in failed.reason
        assert failed.failure_class is FailureClass.TRANSIENT
        assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        hang,
        drip(b"HTTP/1.1 200 OK\r\n", b"X-Long: y\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"z"),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["hangs", "drips headers", "drips a body", "continues for ever"],
)
def test_who_takes_too_long_is_left(behaviour):
    with receiving(behaviour) as receiver:
        failed = failure(receiver.url, BRIEF)
    assert failed.reason == "no answer within 1 s"
    assert failed.failure_class is FailureClass.TRANSIENT


def test_who_refuses_the_connection_is_tried_again():
    with receiving() as receiver:
        url = receiver.url
    failed = failure(url)
    assert "no answer" in failed.reason
    assert failed.failure_class is FailureClass.TRANSIENT


def test_a_redirect_inside_leads_nowhere():
    with (
        receiving() as inside,
        receiving(answer(302, b"", Location=inside.url)) as receiver,
    ):
        failure(receiver.url)
        assert not inside.received


def test_what_is_not_public_gets_nothing_and_is_not_tried_again():
    with receiving() as receiver:
        failed = failure(receiver.url, hosts=())
        assert "no public address" in failed.reason
        assert failed.failure_class is FailureClass.PERMANENT
        assert not receiver.received


class Names:
    """A resolver that answers each question as the next of a list; addresses lead to themselves."""

    def __init__(self, **known: list[list[str]]) -> None:
        self.known = {name.replace("_", "."): answers for name, answers in known.items()}
        self.asked: list[str] = []
        self.real = socket.getaddrinfo

    def __call__(self, host, port, *args, **named):
        if host not in self.known:
            return self.real(host, port, *args, **named)
        self.asked.append(host)
        answers = self.known[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]


@pytest.fixture
def resolve(monkeypatch):
    def with_names(**known):
        names = Names(**known)
        monkeypatch.setattr(socket, "getaddrinfo", names)
        return names

    return with_names


def test_a_name_that_changes_its_mind_is_asked_once(resolve):
    with receiving() as receiver:
        names = resolve(rebind_example=[["127.0.0.1"], ["10.0.0.1"]])
        notifier()(notice(f"http://rebind.example:{receiver.port}/"))
        assert names.asked == ["rebind.example"]
        assert receiver.received[0].headers["Host"] == f"rebind.example:{receiver.port}"
        failed = failure(f"http://rebind.example:{receiver.port}/")
        assert "10.0.0.1" in failed.detail


def test_the_next_address_of_a_name_is_tried_if_the_first_refuses(resolve):
    with receiving() as receiver:
        resolve(two_example=[["127.0.0.2", "127.0.0.1"]])
        notifier(hosts=("127.0.0.0/8",))(notice(f"http://two.example:{receiver.port}/"))
        assert len(receiver.received) == 1


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch):
    with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        notifier()(notice(receiver.url))
        assert len(receiver.received) == 1
        assert not proxy.received


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"), "good.example")


def test_a_certificate_must_be_the_names_though_the_address_was_pinned(resolve, monkeypatch, certified):
    server, client = certified
    monkeypatch.setattr(callback_http, "_tls", lambda: client)
    with receiving(tls=server) as receiver:
        resolve(good_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
        notifier()(notice(f"https://good.example:{receiver.port}/"))
        assert len(receiver.received) == 1
        failed = failure(f"https://other.example:{receiver.port}/")
        assert "certificate" in failed.reason.lower()
        assert len(receiver.received) == 1


def test_a_certificate_nobody_vouches_for_is_not_trusted(resolve, certified):
    with receiving(tls=certified[0]) as receiver:
        resolve(good_example=[["127.0.0.1"]])
        assert "certificate" in failure(f"https://good.example:{receiver.port}/").reason.lower()
        assert not receiver.received


def test_who_speaks_no_tls_under_https_is_left():
    with receiving(hang) as receiver:
        failed = failure(f"https://127.0.0.1:{receiver.port}/", BRIEF)
        assert failed.failure_class is FailureClass.TRANSIENT
        assert not receiver.received
