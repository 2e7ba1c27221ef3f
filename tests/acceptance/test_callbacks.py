"""Callbacks and order events from a live service to real receivers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

import oseo_lab
from oseo_lab.builtin.notifier_soap import SoapNotifier
from oseo_lab.dispatch.relay import Patience, Relay
from oseo_lab.encoding import oseo, soap, xmltree
from oseo_lab.encoding.callbacks_xml import decode_callback
from oseo_lab.encoding.notifications_xml import decode_notification, encode_notification
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import Cancel, CancelResponse, GetStatus, Presentation, Submit, SubmitResponse
from oseo_lab.model.notifications import (
    EventCode,
    Notify,
    Subscribe,
    SubscribeResponse,
    Topic,
    Unsubscribe,
    UnsubscribeResponse,
)
from oseo_lab.model.order import ItemSpecification, OrderSpecification, StatusNotification
from oseo_lab.model.status import Status
from oseo_lab.store import open_store
from tests.acceptance.serving import TOKEN, Server, wait_until
from tests.acceptance.test_walk import COLLECTION, write_scene
from tests.official import complaints
from tests.receivers import Received, answer, hang, receiving

V11, V12 = soap.SoapVersion.V11, soap.SoapVersion.V12
A, P, C = Status.ACCEPTED, Status.IN_PRODUCTION, Status.COMPLETED


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("callbacks")
    (folder / "collections" / "scenes").mkdir(parents=True)
    (folder / "data").mkdir()
    scenes = COLLECTION.format(scope="item")
    (folder / "collections" / "scenes.toml").write_text(scenes)
    asked = scenes.replace('id = "scenes"', 'id = "asked"') + "[approval]\nautomatic = false\n"
    (folder / "collections" / "asked.toml").write_text(asked)
    for name in ("SCENE_A", "SCENE_B", "SCENE_C"):
        write_scene(folder / "collections" / "scenes" / f"{name}.tif", size=32)
    server = Server(
        folder / "data",
        collections=folder / "collections",
        executor="inline",
        callback_hosts="localhost,127.0.0.1",
        public_url="https://orders.example/oseo/",
    )
    yield server.start()
    server.stop()


def specification(*names: str, collection: str = "scenes") -> OrderSpecification:
    return OrderSpecification(
        items=tuple(
            ItemSpecification(item_id=name, identifier=ProductId(identifier=name, collection_id=collection))
            for name in names
        )
    )


def ask(server: Server, message: object, version: soap.SoapVersion = V12, **headers: str):
    envelope = soap.request_envelope(oseo.encode_request(message), version, **headers)
    response = server.post(envelope, content_type=soap.content_type(version))
    opened = soap.open_envelope(response.content)
    fault = soap.read_fault(opened.payload)
    assert fault is None, fault
    return oseo.decode_response(opened.payload)


def opened(request: Received, shared: Path) -> tuple[soap.Envelope, object]:
    """Open what a receiver got: valid by the official schemas, envelope and headers too."""
    assert complaints(shared, request.body) == []
    envelope = soap.open_envelope(request.body, content_type=request.headers["Content-Type"])
    return envelope, decode_callback(envelope.payload)


def submit(
    server: Server,
    url: str,
    policy: StatusNotification,
    *names: str,
    version=V12,
    collection: str = "scenes",
) -> tuple[str, str]:
    message_id = f"urn:uuid:{uuid4()}"
    message = Submit(specification=specification(*names, collection=collection), status_notification=policy)
    ack = ask(server, message, version, message_id=message_id, reply_to=url)
    return ack.order_id, message_id


def is_final(server: Server, order_id: str) -> bool:
    order = ask(server, GetStatus(order_id=order_id, presentation=Presentation.BRIEF)).orders[0]
    return order.status.status.is_final


def test_all_tells_every_change_of_a_three_item_order_in_its_sequence(server, shared):
    began = datetime.now(UTC).replace(microsecond=0)
    with receiving() as receiver:
        order_id, message_id = submit(
            server, f"{receiver.url}here?x=1", StatusNotification.ALL, "SCENE_A", "SCENE_B", "SCENE_C"
        )
        requests = receiver.wait(6)
    seen = []
    for request in requests:
        envelope, message = opened(request, shared)
        assert isinstance(message, SubmitResponse)
        assert (request.path, envelope.relates_to) == ("/here?x=1", message_id)
        assert message.order.order_id == order_id
        assert began <= message.time_stamp <= datetime.now(UTC)
        seen.append((message.order.status.status, [each.status.status for each in message.order.items]))
    assert len(receiver.received) == 6
    # each of the three items began and ended once; each message differs from the last by one item
    before = [A, A, A]
    for order_status, items in seen:
        assert sum(one is not other for one, other in zip(before, items, strict=True)) == 1
        assert order_status is (C if items == [C, C, C] else P)
        before = items
    assert seen[-1] == (C, [C, C, C])


@pytest.mark.parametrize("version", [V11, V12], ids=["1.1", "1.2"])
def test_final_tells_once_in_the_version_it_was_asked_in(server, shared, version):
    with receiving() as receiver:
        _, message_id = submit(server, receiver.url, StatusNotification.FINAL, "SCENE_A", version=version)
        envelope, message = opened(receiver.wait(1)[0], shared)
        headers = receiver.received[0].headers
    assert len(receiver.received) == 1
    assert (envelope.version, envelope.relates_to) == (version, message_id)
    assert message.order.status.status is C
    if version is V11:
        assert headers["SOAPAction"] == '"SubmitResponse"'
    else:
        assert 'action="SubmitResponse"' in headers["Content-Type"]
    assert b'RelationshipType="wsa:Response"' in receiver.received[0].body


def test_cancel_is_told_by_its_own_callback(server, shared):
    with receiving() as receiver:
        names = ("SCENE_A", "SCENE_B", "SCENE_C")  # of which none begins before a person has looked
        order_id, _ = submit(server, receiver.url, StatusNotification.NONE, *names, collection="asked")
        message = Cancel(order_id=order_id, status_notification=StatusNotification.FINAL)
        ask(server, message, message_id="urn:the:cancel", reply_to=receiver.url)
        envelope, told = opened(receiver.wait(1)[0], shared)
    assert isinstance(told, CancelResponse)
    assert envelope.relates_to == "urn:the:cancel"
    assert told.order.order_id == order_id
    assert told.order.status.status is Status.CANCELLED


def test_a_receiver_that_is_not_there_changes_no_order_and_its_user_can_read_why(server):
    with receiving() as receiver:
        url = receiver.url
    order_id, _ = submit(server, url, StatusNotification.ALL, "SCENE_A")
    wait_until(lambda: is_final(server, order_id))
    order = ask(server, GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0]
    assert [each.status.status for each in order.items] == [C]
    with oseo_lab.connect(server.url, TOKEN) as lab:
        handle = lab.orders[order_id]
        notices = wait_until(lambda: (found := handle.notices()).sendings and found)
    assert [each.kind for each in notices.waiting] == ["SubmitResponse"] * 2
    assert notices.waiting[0].attempts >= 1
    assert "no answer" in notices.sendings[0].outcome
    assert not notices.sendings[0].is_last
    assert notices.waiting[0].address == url
    assert "waiting" in repr(notices) and "no answer" in notices._repr_html_()


def test_what_was_told_can_be_read_by_its_owner_alone(server):
    with receiving() as receiver:
        order_id, _ = submit(server, receiver.url, StatusNotification.FINAL, "SCENE_B")
        receiver.wait(1)
    path = f"{server.url}oseo/api/v1/orders/{order_id}/notices"
    with server.client as client:
        told = wait_until(lambda: (found := client.get(path).json())["sendings"] and found)
        unknown = client.get(f"{server.url}oseo/api/v1/orders/{uuid4()}/notices")
    assert told["waiting"] == []
    assert [(each["outcome"], each["attempt"]) for each in told["sendings"]] == [("sent", 1)]
    assert unknown.status_code == 404
    assert httpx.get(path).status_code in (401, 403)


def test_a_server_that_dies_while_it_sends_is_followed_by_one_that_sends_again(server, shared, tmp_path):
    mortal = Server(
        tmp_path, collections=server.collections, executor="inline", callback_hosts="127.0.0.1"
    ).start()
    with receiving(hang) as receiver:
        order_id, message_id = submit(mortal, receiver.url, StatusNotification.FINAL, "SCENE_A")
        receiver.wait(1)
        mortal.kill()
        receiver.behaviour = answer()
        receiver.released.set()
        store = open_store(mortal.database)
        relay = Relay(
            store=store,
            send=SoapNotifier({"hosts": ["127.0.0.1"]}),
            patience=Patience(),
            now=lambda: datetime.now(UTC) + timedelta(seconds=Patience().lease),
        )
        assert relay.step(datetime.now(UTC)) == 0  # the dead one's lease still holds
        relay.step(relay._now())
        assert relay.settled(60)
        store.close()
        first, again = (opened(each, shared) for each in receiver.wait(2))
    for envelope, message in (first, again):
        assert envelope.relates_to == message_id
        assert (message.order.order_id, message.order.status.status) == (order_id, C)


def subscribe(server: Server, message: object, url: str = ""):
    envelope = soap.request_envelope(encode_notification(message), V12)
    with server.client as client:
        response = client.post(
            url or server.soap, content=envelope, headers={"Content-Type": "application/soap+xml"}
        )
    return soap.open_envelope(response.content).payload


def test_events_are_told_to_subscribers_until_they_unsubscribe(server, shared):
    with receiving() as consumer, receiving() as receiver:
        payload = subscribe(server, Subscribe(consumer=consumer.url, topic=Topic.ORDER_COMPLETION))
        response = decode_notification(payload)
        assert isinstance(response, SubscribeResponse)
        order_id, _ = submit(server, receiver.url, StatusNotification.FINAL, "SCENE_B")
        request = consumer.wait(1)[0]
        assert complaints(shared, request.body) == []
        told = decode_notification(soap.open_envelope(request.body).payload)
        assert told == Notify(
            topic=Topic.ORDER_COMPLETION,
            producer="https://orders.example/oseo/",
            code=EventCode.COMPLETED,
            order_id=order_id,
        )
        ended = decode_notification(subscribe(server, Unsubscribe(reference=""), response.reference))
        assert isinstance(ended, UnsubscribeResponse)
        submit(server, receiver.url, StatusNotification.FINAL, "SCENE_B")
        receiver.wait(2)  # sent by the same relay, after what a subscriber would have got
    assert len(consumer.received) == 1


def test_the_official_subscribe_is_understood(server, shared):
    body = (shared / "samples" / "oseo" / "Subscribe.xml").read_bytes()
    envelope = soap.request_envelope(body, V12)
    response = server.post(envelope)
    payload = soap.open_envelope(response.content).payload
    assert isinstance(decode_notification(payload), SubscribeResponse)
    assert complaints(shared, xmltree.parse(response.content)) == []


def test_a_refused_notification_is_a_fault_that_relates_to_its_request(server, shared):
    message = Submit(specification=specification("SCENE_A"), status_notification=StatusNotification.ALL)
    for version in (V11, V12):
        envelope = soap.request_envelope(oseo.encode_request(message), version, message_id="urn:m:refused")
        response = server.post(envelope, content_type=soap.content_type(version))
        assert complaints(shared, response.content) == []
        answered = soap.open_envelope(response.content)
        (problem,) = soap.read_fault(answered.payload)
        assert (problem.code, problem.locator) == ("InvalidNotificationValue", "ws-address")
        assert answered.relates_to == "urn:m:refused"
        assert b"Invalid value for notification" in response.content


def test_the_schema_of_events_is_published(server, shared):
    with server.client as client:
        response = client.get(f"{server.soap}order-events.xsd")
    assert response.status_code == 200
    assert b'name="OrderFailure"' in response.content
