"""The SOAP envelope, 1.1 and 1.2: opened here; closed around answers, and faults, by `soap_closing`.

`open_envelope` is the first step of a SOAP request after the bytes arrived, `close_envelope` or `fault`
the last. The Body's child decides what is asked; SOAPAction (or the ``action`` parameter) may only agree.
Understood headers: WS-Addressing (MessageID, ReplyTo, RelatesTo; FaultTo is never followed) and WS-Security's
UsernameToken. Everything about envelopes is offered here, so that callers need one import. Sources: SOAP 1.1
section 4, SOAP 1.2 part 1 section 5, 06-141r6 7.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from lxml import etree

from oseo_lab.encoding.quick import maker
from oseo_lab.encoding.soap_closing import (
    close_envelope,
    envelope_ends,
    fault,
    fault_status,
    read_fault,
    request_envelope,
)
from oseo_lab.encoding.soap_version import (
    MEDIA_TYPES,
    WSA,
    MustUnderstand,
    SoapVersion,
    UnsupportedMediaType,
    VersionMismatch,
    content_type,
    http_headers,
    version_of,
)
from oseo_lab.encoding.username_token import (
    WSSE,
    WSU,
    UsernameToken,
    digest_token,
    password_digest,
    read_token,
)
from oseo_lab.encoding.xmltree import local_name, parse, text_of
from oseo_lab.model.errors import BadMessage

__all__ = [
    "Envelope",
    "MustUnderstand",
    "SoapVersion",
    "UnsupportedMediaType",
    "UsernameToken",
    "VersionMismatch",
    "close_envelope",
    "content_type",
    "digest_token",
    "envelope_ends",
    "fault",
    "fault_status",
    "http_headers",
    "open_envelope",
    "password_digest",
    "read_fault",
    "request_envelope",
    "version_of",
]

_MESSAGE_ID = f"{{{WSA}}}MessageID"
_REPLY_TO = f"{{{WSA}}}ReplyTo"
_RELATES_TO = f"{{{WSA}}}RelatesTo"
_ADDRESS = f"{{{WSA}}}Address"
_SECURITY = f"{{{WSSE}}}Security"
#: Longest MessageID and addresses kept, characters.
_LONGEST = 1000
#: Most namespaces an Envelope and its Body declare: checking a payload costs the square of their number.
_MOST_NAMESPACES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What an envelope held: the payload, and the headers that mean something here."""

    version: SoapVersion
    payload: etree._Element
    message_id: str | None = None
    reply_to: str | None = None
    relates_to: str | None = None
    username_token: UsernameToken | None = None


_new_envelope = maker(Envelope)


def open_envelope(
    body: bytes, *, content_type: str | None = None, soap_action: str | None = None
) -> Envelope:
    """Open a SOAP request or response.

    Parameters
    ----------
    body : bytes
        The HTTP body.
    content_type : str or None
        The HTTP header; None where there is no HTTP.
    soap_action : str or None
        The HTTP header SOAPAction (SOAP 1.1).

    Raises
    ------
    UnsupportedMediaType
        A content type other than text/xml and application/soap+xml, or a charset that is not UTF.
    VersionMismatch, MustUnderstand
        As SOAP names them.
    NotAuthenticated
        A UsernameToken that cannot be read.
    BadMessage
        Not well-formed, not an envelope, a header twice, an action that names something else.
    """
    action = _action_of(content_type)
    root = parse(body)
    version = _VERSIONS.get(root.tag) or _no_version(root)
    header, payload = _parts(root, version)
    for named in (soap_action, action):
        if named:
            _check_action(named, payload)
    if header is None:
        return _new_envelope(version=version, payload=payload)
    headers = _headers(header, version)
    reply_to = headers.get(_REPLY_TO)
    return _new_envelope(
        version=version,
        payload=payload,
        message_id=_header_text(headers.get(_MESSAGE_ID)),
        reply_to=None if reply_to is None else _header_text(reply_to.find(_ADDRESS)),
        relates_to=_header_text(headers.get(_RELATES_TO)),
        username_token=read_token(headers.get(_SECURITY)),
    )


_PARAMETER = re.compile(r";\s*([A-Za-z-]+)\s*=\s*(?:\"([^\"]*)\"|([^\s;]*))")


def _action_of(content_type: str | None) -> str | None:
    """Check a content type and return its ``action`` parameter."""
    if content_type is None:
        return None
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES.values():
        raise UnsupportedMediaType(
            f"content type {media_type[:80]!r} is not SOAP; send text/xml (SOAP 1.1) or "
            "application/soap+xml (SOAP 1.2)"
        )
    given = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(content_type)}
    charset = given.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii", "utf-16"):
        raise UnsupportedMediaType(f"charset {charset[:40]!r} is not accepted; send utf-8")
    return given.get("action")


_VERSIONS = {f"{{{version.value}}}Envelope": version for version in SoapVersion}


def _no_version(root: etree._Element) -> NoReturn:
    namespace, _, name = str(root.tag).removeprefix("{").rpartition("}")
    if name != "Envelope":
        raise BadMessage(f"a SOAP Envelope is expected, not {name[:80]!r}")
    known = " and ".join(each.value for each in SoapVersion)
    raise VersionMismatch(f"there is no SOAP of namespace {namespace[:120]!r}; known: {known}")


_SHAPES = {
    version: ([f"{{{version.value}}}Body"], [f"{{{version.value}}}Header", f"{{{version.value}}}Body"])
    for version in SoapVersion
}


def _parts(root: etree._Element, version: SoapVersion) -> tuple[etree._Element | None, etree._Element]:
    """Return the Header, if any, and the Body's only child."""
    if [each.tag for each in root] not in _SHAPES[version]:
        raise BadMessage("an Envelope holds at most one Header, then exactly one Body, and nothing else")
    body = root[-1]
    if len(body.nsmap) > _MOST_NAMESPACES:
        raise BadMessage(f"Envelope and Body declare more than {_MOST_NAMESPACES} namespaces")
    if len(body) != 1:
        raise BadMessage(f"a Body holds exactly one element, not {len(body)}")
    payload = body[0]
    if (body.text or payload.tail) and text_of(body).strip():
        raise BadMessage("a Body holds an element, and no text beside it")
    return (root[0] if len(root) == 2 else None), payload


#: Headers that may say mustUnderstand: what they ask is done, or (FaultTo) deliberately is nothing.
_UNDERSTOOD = {
    _SECURITY,
    *(
        f"{{{WSA}}}{name}"
        for name in ("MessageID", "ReplyTo", "FaultTo", "From", "To", "Action", "RelatesTo")
    ),
}
_SECURITY_PARTS = {f"{{{WSSE}}}UsernameToken", f"{{{WSU}}}Timestamp"}
#: Who a header is for: these, or nobody named, are us.
_US = {
    None,
    "",
    "http://schemas.xmlsoap.org/soap/actor/next",
    "http://www.w3.org/2003/05/soap-envelope/role/next",
    "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
}


_MANDATORY = {version: f"{{{version.value}}}mustUnderstand" for version in SoapVersion}
_ROLES = {
    SoapVersion.V11: f"{{{SoapVersion.V11.value}}}actor",
    SoapVersion.V12: f"{{{SoapVersion.V12.value}}}role",
}


def _headers(header: etree._Element, version: SoapVersion) -> dict[str, etree._Element]:
    """Return header blocks by name; each name once, each mandatory one understood."""
    found: dict[str, etree._Element] = {}
    mandatory, role = _MANDATORY[version], _ROLES[version]
    for block in header:
        tag = str(block.tag)
        if tag in found:
            if tag == _RELATES_TO:
                continue  # a message may relate to several; the first one counts
            raise BadMessage(f"the header {local_name(block)} comes twice; send it once")
        found[tag] = block
        said = block.get(mandatory)
        if said is None or said.strip() not in ("1", "true") or block.get(role) not in _US:
            continue
        if not _is_understood(block):
            name = local_name(block)
            raise MustUnderstand(f"the header {tag[:200]} must be understood, and is not", locator=name)
    return found


def _is_understood(block: etree._Element) -> bool:
    if block.tag not in _UNDERSTOOD:
        return False
    return block.tag != _SECURITY or all(each.tag in _SECURITY_PARTS for each in block)


def _check_action(action: str, payload: etree._Element) -> None:
    """Refuse an action that names something else than the Body's child; empty and absent are fine."""
    named = re.split(r"[/#]", action.strip().strip("\"'").rstrip("/"))[-1]
    # WS-BaseNotification's actions end in Request
    if named and named.removesuffix("Request") != local_name(payload):
        raise BadMessage(
            f"the action names {named[:80]!r} and the Body holds {local_name(payload)[:80]!r}; "
            "leave the action out or let them agree",
            locator="SOAPAction",
        )


def _header_text(element: etree._Element | None) -> str | None:
    text = "" if element is None else (element.text or "").strip()
    if element is not None and len(text) > _LONGEST:
        name = local_name(element)
        raise BadMessage(
            f"{name} has {len(text)} characters; at most {_LONGEST} are allowed",
            code="InvalidParameterValue",
            locator=name,
        )
    return text or None
