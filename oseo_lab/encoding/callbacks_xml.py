"""The messages that a service sends to its clients, and what they answer (06-141r6 clauses 11, 13 and 17).

They are requests of the client's port type: with ``service`` and ``version``, and with the order as GetStatus
tells it in full. A table of its own beside `oseo.CODECS`: at the service's own endpoint none of them is an
operation. Our notifier writes them, and whoever listens for them (a notebook's listener, the door that
providers call back at) reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from oseo_lab.encoding.checking import check
from oseo_lab.encoding.options_xml import forget_selections
from oseo_lab.encoding.quotation_xml import read_quotation_response, write_quotation_response
from oseo_lab.encoding.status_xml import read_order, write_order
from oseo_lab.encoding.xmltree import (
    DATASET,
    OSEO,
    Readers,
    attribute,
    escape,
    local_name,
    read,
    read_time,
    timestamp,
)
from oseo_lab.model.errors import BadMessage, NotSupported
from oseo_lab.model.messages import (
    CancelResponse,
    CancelResponseAck,
    GetQuotationResponse,
    GetQuotationResponseAck,
    Response,
    ResponseStatus,
    SubmitResponse,
    SubmitResponseAck,
)

__all__ = [
    "CALLBACKS",
    "CallbackCodec",
    "decode_acknowledgement",
    "decode_callback",
    "encode_acknowledgement",
    "encode_callback",
]

_O = f"{{{OSEO}}}"
#: Longest ``errorMessage``, characters.
_MESSAGE_LENGTH = 255


@dataclass(frozen=True, kw_only=True)
class CallbackCodec:
    """One callback: element and class of the message and of its acknowledgement, read and written.

    ``decode`` and ``decode_ack`` take an element that was checked; the writers return text.
    """

    name: str
    message: type
    decode: Callable[[etree._Element], Any]
    encode: Callable[[Any], str]
    acknowledgement: type

    @property
    def ack_name(self) -> str:
        """The acknowledgement's element."""
        return f"{self.name}Ack"


_STATUSES = {each.value: each for each in ResponseStatus}
_RESPONSE: Readers = {
    f"{_O}timeStamp": ("time_stamp", read_time, False),
    f"{_O}orderMonitorSpecification": ("order", read_order, False),
}
_ACK: Readers = {
    f"{_O}status": ("status", lambda each: _STATUSES[each.text or ""], False),
    f"{_O}errorMessage": ("error_message", None, False),
}


def _write(name: str, message: SubmitResponse | CancelResponse) -> str:
    stamp = "" if message.time_stamp is None else f"<timeStamp>{timestamp(message.time_stamp)}</timeStamp>"
    return (
        f'<{name} xmlns="{OSEO}" xmlns:ds="{DATASET}" service="OS" version="{attribute(message.version)}">'
        f"{stamp}{write_order(message.order)}</{name}>"
    )


def _of_order(message: type, acknowledgement: type) -> CallbackCodec:
    """Return the codec of a callback that tells of an order (``StatusNotificationType``)."""
    name = message.__name__
    return CallbackCodec(
        name=name,
        message=message,
        decode=lambda each: message(version=each.get("version", ""), **read(each, _RESPONSE)),
        encode=lambda each: _write(name, each),
        acknowledgement=acknowledgement,
    )


CALLBACKS: dict[str, CallbackCodec] = {
    codec.name: codec
    for codec in (
        _of_order(SubmitResponse, SubmitResponseAck),
        _of_order(CancelResponse, CancelResponseAck),
        CallbackCodec(
            name="GetQuotationResponse",
            message=GetQuotationResponse,
            decode=read_quotation_response,
            encode=write_quotation_response,
            acknowledgement=GetQuotationResponseAck,
        ),
    )
}
_BY_MESSAGE = {codec.message: codec for codec in CALLBACKS.values()}
_BY_ACK = {codec.acknowledgement: codec for codec in CALLBACKS.values()}
_TAGS = {_O + codec.name: codec for codec in CALLBACKS.values()}
_ACK_TAGS = {_O + codec.ack_name: codec for codec in CALLBACKS.values()}


def decode_callback(element: etree._Element) -> Any:
    """Return the message that a service sent to its client.

    Raises
    ------
    NotSupported
        If no callback has that name.
    BadMessage
        If it is not as 06-141r6 says; lists everything wrong.
    """
    codec = _TAGS.get(str(element.tag))
    if codec is None:
        name = local_name(element)[:100]
        raise NotSupported(
            f"{name!r} is nothing that a service tells its clients; known: {', '.join(CALLBACKS)}",
            locator=name,
        )
    check(element)
    try:
        return codec.decode(element)
    finally:
        forget_selections()


def encode_callback(message: Any) -> bytes:
    """Return a callback as payload bytes (UTF-8, no XML declaration)."""
    return _BY_MESSAGE[type(message)].encode(message).encode()


def decode_acknowledgement(element: etree._Element) -> Any:
    """Return what a client answered to a callback.

    Raises
    ------
    BadMessage
        If it is no acknowledgement, or not as 06-141r6 says.
    """
    codec = _ACK_TAGS.get(str(element.tag))
    if codec is None:
        raise BadMessage(f"{local_name(element)[:100]!r} is no acknowledgement of a callback")
    check(element)
    return codec.acknowledgement(**read(element, _ACK))


def encode_acknowledgement(message: Response) -> bytes:
    """Return an acknowledgement as payload bytes (UTF-8, no XML declaration)."""
    name = _BY_ACK[type(message)].ack_name
    said = message.error_message
    text = "" if said is None else f"<errorMessage>{escape(said[:_MESSAGE_LENGTH])}</errorMessage>"
    return f'<{name} xmlns="{OSEO}"><status>{message.status.value}</status>{text}</{name}>'.encode()
