"""Whom to call back: everything is refused by one code and locator before anything is stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oseo_lab.encoding.soap import SoapVersion, fault
from oseo_lab.model.errors import Conflict, ValidationError
from oseo_lab.model.messages import Cancel, Submit, SubmitAck
from oseo_lab.model.order import Callback, CallbackKind, StatusInfo, StatusNotification
from oseo_lab.model.status import Status, Wanted
from oseo_lab.operations import perform
from oseo_lab.operations.replying import address_problem
from tests.operations.orders import order

ALL, FINAL = StatusNotification.ALL, StatusNotification.FINAL
URL = "https://receiver.example:8443/cb?x=1"
WSA = "http://www.w3.org/2005/08/addressing"

BAD = [
    "",
    " ",
    "receiver.example",
    "/relative",
    "ftp://receiver.example/",
    "file:///etc/passwd",
    "gopher://receiver.example/",
    "mailto:anna@receiver.example",
    "http:///nowhere",
    "http://:80/",
    "http://receiver.example:port/",
    "http://receiver.example:0/",
    "http://receiver.example:99999/",
    "http://anna:secret@receiver.example/",
    "http://anna@receiver.example/",
    "http://[::1/",
    "http://receiver.example/with space",
    "http://receiver.example/\r\nHost: other",
    "http://empfänger.example/",
    f"http://receiver.example/{'x' * 1000}",
    f"{WSA}/anonymous",
    f"{WSA}/none",
]


@pytest.mark.parametrize("address", BAD)
def test_addresses_that_lead_nowhere(address):
    assert address_problem(address)


@pytest.mark.parametrize(
    "address",
    [
        URL,
        "http://receiver.example",
        "HTTP://RECEIVER.EXAMPLE/",
        "http://10.0.0.1/",
        "http://[2001:db8::1]:81/x",
    ],
)
def test_addresses_that_look_as_if_they_led_somewhere(address):
    assert address_problem(address) is None


@pytest.fixture
def ask(context):
    def perform_with(request, *, reply_to=URL, message_id="urn:m:1", **more):
        return perform(request, replace(context(message_id=message_id), reply_to=reply_to, **more))

    return perform_with


def submit(policy) -> Submit:
    return replace(order(), status_notification=policy)


@pytest.mark.parametrize("policy", [ALL, FINAL])
@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"reply_to": None}, "wsa:ReplyTo"),
        ({"reply_to": f"{WSA}/anonymous"}, "nobody listens"),
        ({"reply_to": "ftp://x.example/"}, "allowed: http, https"),
        ({"message_id": None}, "wsa:MessageID"),
        ({"callbacks": False}, "nobody is called back here"),
    ],
    ids=["no address", "anonymous", "ftp", "no MessageID", "off"],
)
def test_it_is_refused_before_anything_is_stored(ask, store, policy, header, said):
    with pytest.raises(ValidationError) as refused:
        ask(submit(policy), **header)
    (problem,) = refused.value.problems
    assert (problem.code, problem.locator) == ("InvalidNotificationValue", "ws-address")
    assert said in problem.text
    for version in SoapVersion:
        assert b"Invalid value for notification" in fault(refused.value, version)
    with store.read() as snapshot:
        assert snapshot.events.last_id() == 0


def test_none_needs_nothing_and_is_never_called_back(ask, store):
    ack = ask(submit(StatusNotification.NONE), reply_to="nonsense", message_id=None, callbacks=False)
    with store.read() as snapshot:
        assert snapshot.callbacks.of_many([ack.order_id]) == {}


def test_who_is_to_be_called_is_stored_with_the_order(ask, store):
    ack = ask(submit(ALL), soap_version="1.1")
    assert isinstance(ack, SubmitAck)
    with store.read() as snapshot:
        assert snapshot.callbacks.of_many([ack.order_id]) == {
            ack.order_id: [
                Callback(
                    kind=CallbackKind.SUBMIT_RESPONSE,
                    policy=ALL,
                    address=URL,
                    message_id="urn:m:1",
                    soap_version="1.1",
                )
            ]
        }


class TestCancel:
    def end(self, store, order_id, status=Status.CANCELLED):
        def ended(work):
            work.orders.save(replace(work.orders.get(order_id), status=StatusInfo(status=status)))

        store.write(ended)

    def test_asks_for_a_callback_of_its_own(self, ask, store):
        ack = ask(submit(ALL))
        ask(Cancel(order_id=ack.order_id, status_notification=FINAL), message_id="urn:m:2")
        with store.read() as snapshot:
            kinds = {each.kind: each for each in snapshot.callbacks.of_many([ack.order_id])[ack.order_id]}
            assert snapshot.orders.get(ack.order_id).wanted is Wanted.CANCELLED
        assert set(kinds) == {CallbackKind.SUBMIT_RESPONSE, CallbackKind.CANCEL_RESPONSE}
        assert kinds[CallbackKind.CANCEL_RESPONSE].message_id == "urn:m:2"

    def test_that_comes_again_is_acknowledged_again(self, ask, store):
        ack = ask(submit(StatusNotification.NONE))
        message = Cancel(order_id=ack.order_id, status_notification=FINAL)
        first = ask(message, message_id="urn:m:2")
        assert ask(message, message_id="urn:m:2") == first
        self.end(store, ack.order_id)
        assert ask(message, message_id="urn:m:2") == first
        with pytest.raises(Conflict):
            ask(message, message_id="urn:m:3")

    def test_of_what_is_final_leaves_no_callback(self, ask, store):
        ack = ask(submit(StatusNotification.NONE))
        self.end(store, ack.order_id, Status.COMPLETED)
        with pytest.raises(Conflict):
            ask(Cancel(order_id=ack.order_id, status_notification=ALL), message_id="urn:m:2")
        with store.read() as snapshot:
            assert snapshot.callbacks.of_many([ack.order_id]) == {}
