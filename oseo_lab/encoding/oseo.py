"""The table of messages: which element is which message of the model, and the four functions between.

Inside the envelope (`soap`) or bare: `decode_request` checks an element against the grammar and reads it;
`encode_response` writes the answer as text. The client uses the other two, so both sides cannot disagree.
Only operations that work are in the table: any other name is answered `OperationNotSupported`.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from lxml import etree

from oseo_lab.encoding import capabilities_xml, notifications_xml, options_messages, order_messages
from oseo_lab.encoding.checking import check
from oseo_lab.encoding.message_frame import WITH_OWS, Codec
from oseo_lab.encoding.older_forms import modernised
from oseo_lab.encoding.options_xml import forget_selections
from oseo_lab.encoding.order_messages import encode_status
from oseo_lab.encoding.xmltree import OSEO, attribute, local_name
from oseo_lab.model.errors import BadMessage, NotSupported
from oseo_lab.model.messages import Capabilities, GetCapabilities

__all__ = [
    "CODECS",
    "Codec",
    "decode_request",
    "decode_response",
    "encode_request",
    "encode_response",
    "encode_status",
]

_O = f"{{{OSEO}}}"


def _write_get_capabilities(request: GetCapabilities) -> str:
    sequence = request.update_sequence
    updated = "" if sequence is None else f' updateSequence="{attribute(sequence)}"'
    inside = capabilities_xml.write_request(request)
    return f'<GetCapabilities{WITH_OWS} service="OS"{updated}>{inside}</GetCapabilities>'


def _write_capabilities(response: Capabilities) -> str:
    sequence = response.update_sequence
    updated = "" if sequence is None else f' updateSequence="{attribute(sequence)}"'
    inside = capabilities_xml.write_capabilities(response)
    return f'<Capabilities{WITH_OWS} version="{attribute(response.version)}"{updated}>{inside}</Capabilities>'


CODECS: dict[str, Codec] = {
    codec.name: codec
    for codec in (
        Codec(
            name="GetCapabilities",
            request=GetCapabilities,
            response_name="Capabilities",
            response=Capabilities,
            decode_request=capabilities_xml.read_request,
            encode_request=_write_get_capabilities,
            decode_response=capabilities_xml.read_capabilities,
            encode_response=_write_capabilities,
        ),
        *options_messages.CODECS,
        *order_messages.CODECS,
    )
}
_BY_REQUEST = {codec.request: codec for codec in CODECS.values()}
_BY_RESPONSE = {codec.response: codec for codec in CODECS.values()}
_REQUEST_TAGS = {_O + codec.name: codec for codec in CODECS.values()}
_RESPONSE_TAGS = {_O + codec.response_name: codec for codec in CODECS.values()}


def decode_request(element: etree._Element) -> Any:
    """Return the request message that an element is.

    Parameters
    ----------
    element : lxml element
        The payload, as `soap.open_envelope` or `xmltree.parse` gave it.

    Raises
    ------
    NotSupported
        If no operation here has that name.
    BadMessage
        If it is not as 06-141r6 says; lists everything wrong.
    """
    codec = _REQUEST_TAGS.get(str(element.tag))
    if codec is None:
        if str(element.tag) in notifications_xml.REQUESTS:
            return notifications_xml.decode_notification(element)
        raise _unknown(element)
    return _checked(element, codec.decode_request, _check_request)


def _check_request(element: etree._Element) -> None:
    try:
        check(element)
    except BadMessage:
        if not modernised(element):
            raise
        check(element)


def _checked(
    element: etree._Element,
    decode: Callable[[etree._Element], Any],
    check: Callable[[etree._Element], None] = check,
) -> Any:
    """Check and read an element, with no garbage collection in between.

    Everything made here is kept, so a collection would find nothing; on a thousand items looking for it
    costs an eighth of the whole (measured).
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        check(element)
        return decode(element)
    finally:
        forget_selections()
        if collecting:
            gc.enable()


def _unknown(element: etree._Element) -> NotSupported:
    name = local_name(element)[:100]
    here = ", ".join(CODECS)
    said = f"there is no operation {name!r} here"
    if name in CODECS:
        said = f"{name} must be in the namespace {OSEO}"
    return NotSupported(f"{said}; operations: {here}", locator=name)


def encode_request(message: Any) -> bytes:
    """Return a request as payload bytes (UTF-8, no XML declaration)."""
    return _BY_REQUEST[type(message)].encode_request(message).encode()


def decode_response(element: etree._Element) -> Any:
    """Return the response message that an element is.

    Raises
    ------
    BadMessage
        If it is not a response of the table, or not as 06-141r6 says.
    """
    codec = _RESPONSE_TAGS.get(str(element.tag))
    if codec is None:
        known = ", ".join(each.response_name for each in CODECS.values())
        raise BadMessage(f"{local_name(element)[:100]!r} is no response known here; known: {known}")
    return _checked(element, codec.decode_response)


def encode_response(message: Any) -> bytes:
    """Return a response as payload bytes (UTF-8, no XML declaration)."""
    if type(message) in notifications_xml.RESPONSES:
        return notifications_xml.encode_notification(message)
    return _BY_RESPONSE[type(message)].encode_response(message).encode()
