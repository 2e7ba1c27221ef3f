"""Subscribe, Unsubscribe and Notify: order events over WS-BaseNotification 1.3 (OGC 06-141r6 7.5).

Beside the table of `oseo`: another namespace, and of its freedom as much as order events need. What an event
says is in `order_events`, what a refusal says in `notification_faults`.
Sources: OASIS wsn-ws_base_notification-1.3, wsn-ws_topics-1.3 (its dialects).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from oseo_lab.encoding.order_events import read_event, write_event
from oseo_lab.encoding.xmltree import OSEO, escape, instant, local_name, text_of, timestamp
from oseo_lab.model.errors import BadMessage, NotSupported, ValidationError
from oseo_lab.model.notifications import (
    Notify,
    Subscribe,
    SubscribeResponse,
    SubscriptionRefused,
    Topic,
    Unsubscribe,
    UnsubscribeResponse,
)

__all__ = [
    "DIALECTS",
    "NAMESPACE",
    "NOTIFY_ACTION",
    "REQUESTS",
    "RESPONSES",
    "decode_notification",
    "encode_notification",
]

NAMESPACE = "http://docs.oasis-open.org/wsn/b-2"
#: ``wsa:Action`` of Notify.
NOTIFY_ACTION = "http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify"
_WSA = "http://www.w3.org/2005/08/addressing"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_B, _A = f"{{{NAMESPACE}}}", f"{{{_WSA}}}"
_DIALECTS = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/"
#: Dialects by URI: whether a path of topics may be written. The second is in the official samples.
_WITH_PATHS = {
    f"{_DIALECTS}Simple": False,
    "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple": False,
    f"{_DIALECTS}Concrete": True,
}
#: The same, for the capabilities document to say.
DIALECTS = tuple(_WITH_PATHS)
_STEP = re.compile(r"(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)", re.ASCII)
_DURATION = re.compile(
    r"P(?=[\dT])(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?"
    r"(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?"
)
#: Seconds of each part of a duration; a year counts 365 days, a month 30.
_SECONDS = (365 * 86400, 30 * 86400, 86400, 3600, 60, 1)


# --- reading ----------------------------------------------------------------------------------------------


def decode_notification(element: etree._Element) -> Any:
    """Return the message that an element of WS-BaseNotification is.

    Raises
    ------
    NotSupported
        If it is another one than these.
    SubscriptionRefused
        With the specification's fault, if it cannot be had.
    BadMessage
        If it is not as its schema says.
    """
    name = local_name(element)
    reader = _READERS.get(name)
    if reader is None:
        raise NotSupported(
            f"{name[:100]!r} is nothing of WS-Notification that works here; known: {', '.join(_READERS)}",
            locator=name[:100],
        )
    return reader(element)


def _children(element: etree._Element, names: tuple[str, ...]) -> dict[str, etree._Element]:
    """Return an element's children of our namespace: in order, each at most once; others are let pass."""
    found: dict[str, etree._Element] = {}
    order = -1
    for child in element:
        if not str(child.tag).startswith(_B):
            continue
        name = local_name(child)
        place = names.index(name) if name in names else -1
        if place <= order:
            raise BadMessage(
                f"{name[:80]!r} is not expected there; {local_name(element)} holds {', '.join(names)}",
                code="InvalidParameterValue",
                locator=name[:80],
            )
        order = place
        found[name] = child
    return found


def _address(element: etree._Element | None, name: str) -> str:
    address = None if element is None else element.find(f"{_A}Address")
    text = "" if address is None else text_of(address).strip()
    if not text:
        raise ValidationError(f"{name} must hold a wsa:Address", code="MissingParameterValue", locator=name)
    return text


def _subscribe(element: etree._Element) -> Subscribe:
    names = ("ConsumerReference", "Filter", "InitialTerminationTime", "SubscriptionPolicy")
    parts = _children(element, names)
    consumer = parts.get("ConsumerReference")
    address = _address(consumer, "ConsumerReference")
    if consumer is not None and len(consumer.findall(f"{_A}ReferenceParameters/*")):
        raise SubscriptionRefused(
            "ConsumerReference holds ReferenceParameters, which are not sent back here; put what the "
            "consumer needs into its Address",
            fault="SubscribeCreationFailedFault",
            locator="ConsumerReference",
        )
    _check_policy(parts.get("SubscriptionPolicy"))
    return Subscribe(
        consumer=address, topic=_filter(parts.get("Filter")), ends=_ends(parts.get("InitialTerminationTime"))
    )


def _check_policy(policy: etree._Element | None) -> None:
    for each in () if policy is None else policy:
        if each.tag == f"{_B}FixedTopicSet":
            continue  # it is fixed here; the official sample says so in this place
        is_raw = each.tag == f"{_B}UseRaw"
        raise SubscriptionRefused(
            f"the policy {local_name(each)[:80]!r} is not offered; leave it out",
            fault="UnsupportedPolicyRequestFault" if is_raw else "UnrecognizedPolicyRequestFault",
            locator="SubscriptionPolicy",
            names=(str(each.tag)[:300],),
        )


def _filter(element: etree._Element | None) -> Topic:
    """Return the topic a filter asks for: the root of all where it asks for none."""
    expressions = [] if element is None else list(element)
    for each in expressions:
        if each.tag != f"{_B}TopicExpression" or each is not expressions[0]:
            raise SubscriptionRefused(
                "a Filter holds one TopicExpression, and nothing else, here; subscribe once for each topic",
                fault="InvalidFilterFault",
                locator="Filter",
                names=(str(each.tag)[:300],),
            )
    return _topic(expressions[0]) if expressions else Topic.ORDER_EVENT


def _topic(element: etree._Element) -> Topic:
    dialect = (element.get("Dialect") or "").strip()
    if dialect not in _WITH_PATHS:
        raise SubscriptionRefused(
            f"the dialect {dialect[:200]!r} is not known; known: {', '.join(_WITH_PATHS)}",
            fault="TopicExpressionDialectUnknownFault",
            locator="TopicExpression",
        )
    text = text_of(element).strip()
    steps = text.split("/")
    read = [_STEP.fullmatch(each) for each in steps]
    if len(element) or not all(read) or (len(steps) > 1 and not _WITH_PATHS[dialect]):
        raise SubscriptionRefused(
            f"{text[:200]!r} is no topic of that dialect; write OrderEvent, or one below it, as a QName",
            fault="InvalidTopicExpressionFault",
            locator="TopicExpression",
        )
    names = [_name_of(match, element) for match in read if match is not None]
    below = [Topic.ORDER_EVENT.value] if len(names) == 2 else []
    topics = {each.value: each for each in Topic}
    if names[:-1] != below or names[-1] not in topics or (below and names[-1] == below[0]):
        raise SubscriptionRefused(
            f"there is no topic {text[:200]!r}; topics: {', '.join(topics)}, of the namespace {OSEO}",
            fault="TopicNotSupportedFault",
            locator="TopicExpression",
        )
    return topics[names[-1]]


def _name_of(match: re.Match[str], element: etree._Element) -> str:
    """Return a step's name, if it is one of our namespace: without a prefix it is taken for one."""
    prefix, name = match.groups()
    if prefix is None:
        return name
    namespace = element.nsmap.get(prefix)
    if namespace is None:
        raise SubscriptionRefused(
            f"the prefix {prefix[:80]!r} of the topic is not declared",
            fault="InvalidTopicExpressionFault",
            locator="TopicExpression",
        )
    return name if namespace == OSEO else f"{{{namespace}}}{name}"


def _ends(element: etree._Element | None) -> datetime | None:
    """Read an absolute time, or a duration from now."""
    if element is None or element.get(f"{{{_XSI}}}nil") in ("true", "1"):
        return None
    text = text_of(element).strip()
    try:
        return _after(text) if text.startswith("P") else instant(text)
    except (ValueError, OverflowError):
        raise ValidationError(
            f"InitialTerminationTime: {text[:100]!r} is neither a time such as 2024-06-01T10:00:00Z nor a "
            "duration such as P30D",
            locator="InitialTerminationTime",
        ) from None


def _after(duration: str) -> datetime:
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError
    seconds = sum(int(part or 0) * each for part, each in zip(match.groups(), _SECONDS, strict=True))
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def _optional_time(element: etree._Element | None) -> datetime | None:
    return _ends(element) if element is not None and text_of(element).strip() else None


def _subscribe_response(element: etree._Element) -> SubscribeResponse:
    parts = _children(element, ("SubscriptionReference", "CurrentTime", "TerminationTime"))
    return SubscribeResponse(
        reference=_address(parts.get("SubscriptionReference"), "SubscriptionReference"),
        at=_optional_time(parts.get("CurrentTime")),
        ends=_optional_time(parts.get("TerminationTime")),
    )


def _notify(element: etree._Element) -> Notify:
    """Read the first message of a Notify; events of another service's schema are refused."""
    message = element.find(f"{_B}NotificationMessage")
    content = None if message is None else message.find(f"{_B}Message")
    if message is None or content is None or len(content) != 1:
        raise BadMessage("a Notify holds a NotificationMessage with one Message", locator="Notify")
    topic, code, order_id = read_event(content[0])
    producer = message.find(f"{_B}ProducerReference/{_A}Address")
    return Notify(
        topic=topic,
        producer="" if producer is None else text_of(producer).strip(),
        code=code,
        order_id=order_id,
    )


#: What a service takes, by tag, and what it answers.
REQUESTS = frozenset({f"{_B}Subscribe", f"{_B}Unsubscribe"})
RESPONSES = frozenset({SubscribeResponse, UnsubscribeResponse})

_READERS: dict[str, Callable[[etree._Element], Any]] = {
    "Subscribe": _subscribe,
    "SubscribeResponse": _subscribe_response,
    "Unsubscribe": lambda element: Unsubscribe(reference=""),
    "UnsubscribeResponse": lambda element: UnsubscribeResponse(),
    "Notify": _notify,
}


# --- writing ----------------------------------------------------------------------------------------------


def _element(name: str, inside: str) -> str:
    return f'<wsnt:{name} xmlns:wsnt="{NAMESPACE}" xmlns:wsa="{_WSA}">{inside}</wsnt:{name}>'


def _reference(name: str, address: str) -> str:
    return f"<wsnt:{name}><wsa:Address>{escape(address)}</wsa:Address></wsnt:{name}>"


def _expression(name: str, topic: Topic) -> str:
    """Write a topic by its path from the root, in the dialect that has paths."""
    path = "" if topic is Topic.ORDER_EVENT else f"/{topic.value}"
    return (
        f'<wsnt:{name} xmlns:os="{OSEO}" Dialect="{_DIALECTS}Concrete">'
        f"os:{Topic.ORDER_EVENT.value}{path}</wsnt:{name}>"
    )


def _write_subscribe(message: Subscribe) -> str:
    ends = message.ends
    until = (
        ""
        if ends is None
        else f"<wsnt:InitialTerminationTime>{timestamp(ends)}</wsnt:InitialTerminationTime>"
    )
    return _element(
        "Subscribe",
        f"{_reference('ConsumerReference', message.consumer)}"
        f"<wsnt:Filter>{_expression('TopicExpression', message.topic)}</wsnt:Filter>{until}",
    )


def _write_subscribe_response(message: SubscribeResponse) -> str:
    at, ends = message.at, message.ends
    now = "" if at is None else f"<wsnt:CurrentTime>{timestamp(at)}</wsnt:CurrentTime>"
    until = "" if ends is None else f"<wsnt:TerminationTime>{timestamp(ends)}</wsnt:TerminationTime>"
    if at is not None and ends is None:
        until = f'<wsnt:TerminationTime xmlns:xsi="{_XSI}" xsi:nil="true"/>'
    return _element(
        "SubscribeResponse", f"{_reference('SubscriptionReference', message.reference)}{now}{until}"
    )


def _write_notify(message: Notify) -> str:
    producer = "" if not message.producer else _reference("ProducerReference", message.producer)
    event = write_event(message.topic, message.code, message.order_id)
    return _element(
        "Notify",
        f"<wsnt:NotificationMessage>{_expression('Topic', message.topic)}{producer}"
        f"<wsnt:Message>{event}</wsnt:Message></wsnt:NotificationMessage>",
    )


_WRITERS: dict[type, Callable[[Any], str]] = {
    Subscribe: _write_subscribe,
    SubscribeResponse: _write_subscribe_response,
    Unsubscribe: lambda message: _element("Unsubscribe", ""),
    UnsubscribeResponse: lambda message: _element("UnsubscribeResponse", ""),
    Notify: _write_notify,
}


def encode_notification(message: Any) -> bytes:
    """Return a message of WS-BaseNotification as payload bytes (UTF-8, no XML declaration)."""
    return _WRITERS[type(message)](message).encode()
