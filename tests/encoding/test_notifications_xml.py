"""WS-BaseNotification: official samples, the OASIS schema, dialects and topics, and the faults by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from oseo_lab.encoding.notification_faults import write_fault
from oseo_lab.encoding.notifications_xml import NAMESPACE, decode_notification, encode_notification
from oseo_lab.encoding.order_events import event_schema
from oseo_lab.encoding.soap import SoapVersion, fault, open_envelope
from oseo_lab.encoding.xmltree import OSEO, parse
from oseo_lab.model.errors import BadMessage, NotSupported, OseoError, ValidationError
from oseo_lab.model.notifications import (
    EventCode,
    Notify,
    Subscribe,
    SubscribeResponse,
    SubscriptionRefused,
    Topic,
    Unsubscribe,
    UnsubscribeResponse,
)
from tests.official import complaints

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SIMPLE = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple"
OLD = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple"
CONCRETE = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
MESSAGES = [
    Subscribe(consumer="http://x.example/?a=1&b=2"),
    *(Subscribe(consumer="http://x.example/", topic=each, ends=AT) for each in Topic),
    SubscribeResponse(reference="http://y.example/"),
    SubscribeResponse(reference="http://y.example/", at=AT, ends=AT),
    SubscribeResponse(reference="http://y.example/", at=AT),
    Unsubscribe(reference=""),
    UnsubscribeResponse(),
    Notify(
        topic=Topic.ORDER_FAILURE, producer="http://y.example/", code=EventCode.FAILED, order_id="urn:a&b"
    ),
    Notify(topic=Topic.ORDER_COMPLETION, producer="", code=EventCode.COMPLETED, order_id="urn:1"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
def test_messages_survive_a_round_trip_and_are_officially_valid(shared, message):
    written = encode_notification(message)
    assert decode_notification(parse(written)) == message
    assert complaints(shared, written) == []


def test_the_official_samples_are_understood(shared):
    folder = shared / "samples" / "oseo"
    assert decode_notification(parse((folder / "Subscribe.xml").read_bytes())) == Subscribe(
        consumer="http://www.opengis.net/oseo/1.0/OrderingConsumer", topic=Topic.ORDER_FAILURE
    )
    assert decode_notification(parse((folder / "SubscribeResponse.xml").read_bytes())) == SubscribeResponse(
        reference="http://www.opengis.net/oseo/1.0/OrderingSubscription"
    )


def subscribe(filter_: str = "", more: str = "", consumer: str | None = None):
    reference = "<a:Address>http://x.example/</a:Address>" if consumer is None else consumer
    return decode_notification(
        parse(
            f'<n:Subscribe xmlns:n="{NAMESPACE}" xmlns:a="http://www.w3.org/2005/08/addressing" '
            f'xmlns:os="{OSEO}" xmlns:other="urn:other">'
            f"<n:ConsumerReference>{reference}</n:ConsumerReference>"
            f"{f'<n:Filter>{filter_}</n:Filter>' if filter_ else ''}{more}</n:Subscribe>".encode()
        )
    )


def topic(text: str, dialect: str = SIMPLE) -> str:
    return f'<n:TopicExpression Dialect="{dialect}">{text}</n:TopicExpression>'


@pytest.mark.parametrize(
    ("text", "dialect", "meant"),
    [
        ("os:OrderFailure", SIMPLE, Topic.ORDER_FAILURE),
        ("\n os:OrderFailure \n", OLD, Topic.ORDER_FAILURE),
        ("OrderCompletion", SIMPLE, Topic.ORDER_COMPLETION),
        ("os:OrderEvent", SIMPLE, Topic.ORDER_EVENT),
        ("os:OrderEvent/OrderCancellation", CONCRETE, Topic.ORDER_CANCELLATION),
        ("os:OrderEvent/os:OrderFailure", CONCRETE, Topic.ORDER_FAILURE),
        ("os:OrderFailure", CONCRETE, Topic.ORDER_FAILURE),
    ],
)
def test_topics_in_each_dialect_with_prefix_and_without(text, dialect, meant):
    assert subscribe(topic(text, dialect)).topic is meant


@pytest.mark.parametrize(
    ("filter_", "more", "fault_name"),
    [
        (topic("os:OrderSunrise"), "", "TopicNotSupportedFault"),
        (topic("other:OrderFailure"), "", "TopicNotSupportedFault"),
        (topic("os:OrderFailure/OrderFailure", CONCRETE), "", "TopicNotSupportedFault"),
        (topic("os:OrderEvent/OrderEvent", CONCRETE), "", "TopicNotSupportedFault"),
        (topic("os:OrderEvent/OrderFailure"), "", "InvalidTopicExpressionFault"),
        (topic("unknown:OrderFailure"), "", "InvalidTopicExpressionFault"),
        (topic(""), "", "InvalidTopicExpressionFault"),
        (topic("os:OrderFailure | os:OrderCompletion"), "", "InvalidTopicExpressionFault"),
        (topic("//*", CONCRETE), "", "InvalidTopicExpressionFault"),
        (topic("os:OrderFailure", "urn:mine"), "", "TopicExpressionDialectUnknownFault"),
        (topic("os:OrderFailure") * 2, "", "InvalidFilterFault"),
        ('<n:MessageContent Dialect="urn:xpath">true()</n:MessageContent>', "", "InvalidFilterFault"),
        ("<other:Filter/>", "", "InvalidFilterFault"),
        ("", "<n:SubscriptionPolicy><n:UseRaw/></n:SubscriptionPolicy>", "UnsupportedPolicyRequestFault"),
        (
            "",
            "<n:SubscriptionPolicy><other:Fast/></n:SubscriptionPolicy>",
            "UnrecognizedPolicyRequestFault",
        ),
    ],
)
@pytest.mark.parametrize("version", list(SoapVersion), ids=["1.1", "1.2"])
def test_what_cannot_be_had_is_refused_by_the_specifications_name(shared, filter_, more, fault_name, version):
    with pytest.raises(SubscriptionRefused) as refused:
        subscribe(filter_, more)
    assert refused.value.fault == fault_name
    body = fault(refused.value, version)
    assert complaints(shared, body) == []
    assert open_envelope(body).payload.find(f".//{{{NAMESPACE}}}{fault_name}") is not None


def test_a_time_that_is_over_names_the_earliest(shared):
    refused = SubscriptionRefused(
        "over",
        fault="UnacceptableInitialTerminationTimeFault",
        locator="InitialTerminationTime",
        names=(AT.isoformat(),),
    )
    assert complaints(shared, write_fault(refused).encode()) == []
    assert write_fault(OseoError("no")) == ""


def test_a_consumer_that_wants_parameters_back_is_refused():
    with pytest.raises(SubscriptionRefused, match="ReferenceParameters"):
        subscribe(
            consumer="<a:Address>http://x.example/</a:Address>"
            "<a:ReferenceParameters><other:k/></a:ReferenceParameters>"
        )


@pytest.mark.parametrize("reference", ["", "<a:Address> </a:Address>"])
def test_a_consumer_without_an_address_is_missing(reference):
    with pytest.raises(ValidationError) as refused:
        subscribe(consumer=reference)
    assert (refused.value.code, refused.value.locator) == ("MissingParameterValue", "ConsumerReference")


def ends(text: str):
    return subscribe(more=f"<n:InitialTerminationTime>{text}</n:InitialTerminationTime>").ends


def test_the_end_is_a_time_or_a_duration():
    assert ends("2026-01-02T03:04:05Z") == AT
    assert ends("2026-01-02T05:04:05+02:00") == AT
    before = datetime.now(UTC)
    for text, meant in (("P1D", 86400), ("PT1H30M", 5400), ("P1Y2M", (365 + 60) * 86400), ("PT1.5S", 1)):
        assert abs(ends(text) - before - timedelta(seconds=meant)) < timedelta(seconds=60)
    nil = '<n:InitialTerminationTime xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
    assert subscribe(more=nil).ends is None


@pytest.mark.parametrize("text", ["", "tomorrow", "P", "PT", "P1S", "-P1D", "P999999999Y", "P1DT"])
def test_an_end_that_is_neither_is_refused(text):
    with pytest.raises(ValidationError) as refused:
        ends(text)
    assert refused.value.locator == "InitialTerminationTime"


def test_parts_out_of_place_are_refused():
    with pytest.raises(BadMessage):
        subscribe(more="<n:SubscriptionPolicy/><n:InitialTerminationTime>P1D</n:InitialTerminationTime>")
    with pytest.raises(BadMessage):
        subscribe(more="<n:Nonsense/>")
    assert subscribe(more="<other:Anything/>") == Subscribe(consumer="http://x.example/")


@pytest.mark.parametrize("name", ["GetCurrentMessage", "PauseSubscription", "Renew"])
def test_other_messages_of_the_specification_are_not_supported(name):
    with pytest.raises(NotSupported) as refused:
        decode_notification(parse(f'<{name} xmlns="{NAMESPACE}"/>'.encode()))
    assert refused.value.locator == name


def test_events_are_valid_by_the_schema_we_publish():
    schema = etree.XMLSchema(etree.fromstring(event_schema()))
    for message in MESSAGES:
        if isinstance(message, Notify):
            event = parse(encode_notification(message)).find(f".//{{{NAMESPACE}}}Message")[0]
            assert schema.validate(event), schema.error_log
            assert event.find(f"{{{OSEO}}}code").get("codeSpace") == f"{OSEO}#EventCode"


@pytest.mark.parametrize("inside", ["", "<other/>", "<OrderFailure><code>NO</code></OrderFailure>"])
def test_a_notify_that_is_not_ours_is_refused(inside):
    with pytest.raises(BadMessage):
        decode_notification(
            parse(
                f'<Notify xmlns="{NAMESPACE}"><NotificationMessage><Message>{inside}</Message>'
                "</NotificationMessage></Notify>".encode()
            )
        )
