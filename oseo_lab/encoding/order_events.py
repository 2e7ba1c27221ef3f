"""What an event of an order says: our own small schema, for the standard's declares none.

06-141r6 7.5 names the topics and the codes. The content is an element of the topic's name, in the standard's
namespace as its examples print it, with an event code and the order's id; the Message of a Notify holds it.
"""

from __future__ import annotations

from lxml import etree

from oseo_lab.encoding.xmltree import OSEO, escape, local_name, text_of
from oseo_lab.model.errors import BadMessage
from oseo_lab.model.notifications import EventCode, Topic

__all__ = ["event_schema", "read_event", "write_event"]

_LONGEST = 1000
#: Where the codes are listed, as the standard's example names it.
_CODE_SPACE = f"{OSEO}#EventCode"
_TOPICS = {each.value: each for each in Topic}
_CODES = {each.value: each for each in EventCode}


def read_event(element: etree._Element) -> tuple[Topic, EventCode, str]:
    """Return an event's topic, code and order id.

    Raises
    ------
    BadMessage
        If it is none of these.
    """
    values = {local_name(each): text_of(each).strip() for each in element}
    topic, code = _TOPICS.get(local_name(element)), _CODES.get(values.get("code", ""))
    if topic is None or code is None or not values.get("orderId"):
        raise BadMessage(
            f"{local_name(element)[:80]!r} is no event of an order with code and orderId", locator="Message"
        )
    return topic, code, values["orderId"][:_LONGEST]


def write_event(topic: Topic, code: EventCode, order_id: str) -> str:
    """Write an event."""
    return (
        f'<os:{topic.value} xmlns:os="{OSEO}"><os:code codeSpace="{_CODE_SPACE}">{code.value}</os:code>'
        f"<os:orderId>{escape(order_id)}</os:orderId></os:{topic.value}>"
    )


def event_schema() -> bytes:
    """Return the schema of what a Notify's Message holds."""
    codes = "".join([f'<xs:enumeration value="{each.value}"/>' for each in EventCode])
    elements = "".join(
        [
            f'<xs:element name="{each.value}" type="os:OrderEventType"/>\n'
            for each in Topic
            if each is not Topic.ORDER_EVENT
        ]
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:os="{OSEO}" targetNamespace="{OSEO}"\n'
        ' elementFormDefault="qualified" version="1.0.0">\n'
        "<xs:annotation><xs:documentation>What an oseo_lab service tells of an order that has ended, in the "
        "Message of a WS-BaseNotification Notify. OGC 06-141r6 names the topics and the codes, and declares "
        "no content.</xs:documentation></xs:annotation>\n"
        f'<xs:simpleType name="EventCodeList"><xs:restriction base="xs:string">{codes}</xs:restriction>'
        "</xs:simpleType>\n"
        '<xs:complexType name="EventCodeType"><xs:simpleContent><xs:extension base="os:EventCodeList">'
        f'<xs:attribute name="codeSpace" type="xs:anyURI" default="{_CODE_SPACE}"/>'
        "</xs:extension></xs:simpleContent></xs:complexType>\n"
        '<xs:complexType name="OrderEventType"><xs:sequence><xs:element name="code" type="os:EventCodeType"/>'
        '<xs:element name="orderId" type="xs:anyURI"/></xs:sequence></xs:complexType>\n'
        f"{elements}</xs:schema>\n"
    ).encode()
