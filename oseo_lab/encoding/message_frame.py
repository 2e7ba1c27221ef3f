"""What all messages of the table share: what a codec is, and the outermost element of requests and responses.

Below `options_messages` and `order_messages`, which say how each operation's messages are read and written,
and `oseo`, whose table they make (06-141r6 7.3.1 and 7.3.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from oseo_lab.encoding.xmltree import (
    DATASET,
    OSEO,
    OWS,
    SWE,
    XLINK,
    Readers,
    attribute,
    escape,
    read,
    read_time,
    timestamp,
)
from oseo_lab.model.messages import Request, Response, ResponseStatus
from oseo_lab.model.order import StatusNotification

__all__ = [
    "BASE",
    "HEAD",
    "NOTIFY",
    "ORDER_ID",
    "PLAIN",
    "WITH_OWS",
    "WITH_SWE",
    "WITH_VALUES",
    "Codec",
    "enumerated",
    "request_fields",
    "uri",
    "write_request",
    "write_response",
]

_O = f"{{{OSEO}}}"
#: Namespace declarations of a message's element, by what is inside.
PLAIN = f' xmlns="{OSEO}"'
WITH_VALUES = f'{PLAIN} xmlns:ds="{DATASET}"'
WITH_OWS = f'{PLAIN} xmlns:ows="{OWS}" xmlns:xlink="{XLINK}"'
WITH_SWE = f'{PLAIN} xmlns:swe="{SWE}" xmlns:xlink="{XLINK}"'
#: Longest ``errorMessage``, characters.
_MESSAGE_LENGTH = 255


@dataclass(frozen=True, kw_only=True)
class Codec:
    """One operation: its request and response, element and class, and how each is read and written.

    The readers take a checked element, the writers return text with its own namespace declarations.
    """

    name: str
    request: type
    response_name: str
    response: type
    decode_request: Callable[[etree._Element], Any]
    encode_request: Callable[[Any], str]
    decode_response: Callable[[etree._Element], Any]
    encode_response: Callable[[Any], str]


def uri(element: etree._Element) -> str:
    """Read an ``xs:anyURI``."""
    return (element.text or "").strip()


def enumerated(kind: Any) -> Callable[[etree._Element], Any]:
    """Return what reads a member of an enumeration."""
    members = {each.value: each for each in kind}
    return lambda element: members[element.text or ""]


#: What requests have, what responses have, and the parts that several have.
BASE: Readers = {f"{_O}timeStamp": ("time_stamp", read_time, False)}
HEAD: Readers = {
    f"{_O}status": ("status", enumerated(ResponseStatus), False),
    f"{_O}errorMessage": ("error_message", None, False),
}
ORDER_ID: Readers = {f"{_O}orderId": ("order_id", uri, False)}
NOTIFY: Readers = {f"{_O}statusNotification": ("status_notification", enumerated(StatusNotification), False)}


def request_fields(element: etree._Element, readers: Readers) -> dict[str, Any]:
    """Return the fields that a request fills."""
    return {"version": element.get("version", ""), **read(element, readers)}


def write_request(name: str, request: Request, namespaces: str, body: str) -> str:
    """Write a request around its body."""
    stamp = "" if request.time_stamp is None else f"<timeStamp>{timestamp(request.time_stamp)}</timeStamp>"
    return f'<{name}{namespaces} service="OS" version="{attribute(request.version)}">{stamp}{body}</{name}>'


def write_response(name: str, response: Response, namespaces: str, body: str = "") -> str:
    """Write a response around its body."""
    said = response.error_message
    message = "" if said is None else f"<errorMessage>{escape(said[:_MESSAGE_LENGTH])}</errorMessage>"
    return f"<{name}{namespaces}><status>{response.status.value}</status>{message}{body}</{name}>"
