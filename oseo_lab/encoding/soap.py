"""The SOAP envelope, 1.1 and 1.2: opened for a server, closed around its answer, and faults.

`open_envelope` is the first step of a SOAP request after the bytes arrived, `close_envelope` or `fault`
the last. The Body's child decides what is asked; SOAPAction (or the ``action`` parameter) may only agree.
Understood headers: WS-Addressing (MessageID, ReplyTo, RelatesTo; FaultTo is never followed) and WS-Security's
UsernameToken. Sources: SOAP 1.1 section 4, SOAP 1.2 part 1 section 5, OASIS UsernameToken Profile 1.0,
06-141r6 7.4 and its exception tables.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import ClassVar, NoReturn

from lxml import etree

from oseo_lab.encoding.notification_faults import write_fault
from oseo_lab.encoding.quick import maker
from oseo_lab.encoding.xmltree import OWS, attribute, escape, local_name, parse, text_of, timestamp
from oseo_lab.model.delivery import Secret
from oseo_lab.model.errors import CODE_TEXTS, BadMessage, NotAuthenticated, OseoError, Problem

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

_WSA = "http://www.w3.org/2005/08/addressing"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSSE = f"{_WSS}wssecurity-secext-1.0.xsd"
_WSU = f"{_WSS}wssecurity-utility-1.0.xsd"
_PROFILE = f"{_WSS}username-token-profile-1.0"
_BASE64 = f"{_WSS}soap-message-security-1.0#Base64Binary"
_MESSAGE_ID = f"{{{_WSA}}}MessageID"
_REPLY_TO = f"{{{_WSA}}}ReplyTo"
_RELATES_TO = f"{{{_WSA}}}RelatesTo"
_ADDRESS = f"{{{_WSA}}}Address"
_RELATIONSHIP = ' RelationshipType="wsa:Response"'
_SECURITY = f"{{{_WSSE}}}Security"
#: Longest MessageID and ReplyTo address kept, and longest nonce, characters or bytes.
_LONGEST = 1000
_NONCE = 64
#: Most namespaces an Envelope and its Body declare: checking a payload costs the square of their number.
_MOST_NAMESPACES = 100


class SoapVersion(Enum):
    """A SOAP version; its value is the envelope's namespace."""

    V11 = "http://schemas.xmlsoap.org/soap/envelope/"
    V12 = "http://www.w3.org/2003/05/soap-envelope"

    @property
    def number(self) -> str:
        """Return ``1.1`` or ``1.2``."""
        return "1.1" if self is SoapVersion.V11 else "1.2"


_MEDIA_TYPES = {SoapVersion.V11: "text/xml", SoapVersion.V12: "application/soap+xml"}


class UnsupportedMediaType(BadMessage):
    """The body is of a content type that carries no SOAP."""

    http_status = 415


class VersionMismatch(BadMessage):
    """The envelope is of a SOAP version there is not."""

    fault_code: ClassVar[str] = "VersionMismatch"


class MustUnderstand(BadMessage):
    """A header must be understood, and is not."""

    fault_code: ClassVar[str] = "MustUnderstand"


@dataclass(frozen=True, kw_only=True, slots=True)
class UsernameToken:
    """WS-Security's name and password.

    Parameters
    ----------
    username : str
        Who it is.
    password : Secret
        The password, or under ``is_digest`` its digest as it travels (`password_digest`).
    is_digest : bool
        Whether it is a PasswordDigest.
    nonce : bytes or None
        At most 64 bytes.
    created : str or None
        ``wsu:Created`` as it travels: it goes into the digest letter by letter.
    """

    username: str
    password: Secret
    is_digest: bool = False
    nonce: bytes | None = None
    created: str | None = None


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


# --- opening ----------------------------------------------------------------------------------------------


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
        username_token=_username_token(headers.get(_SECURITY)),
    )


def version_of(content_type: str | None, body: bytes = b"") -> SoapVersion:
    """Guess the version to answer in where a request could not be opened; SOAP 1.1 if nothing tells."""
    if SoapVersion.V12.value.encode() in body[:4096]:
        return SoapVersion.V12
    if SoapVersion.V11.value.encode() in body[:4096] or not content_type:
        return SoapVersion.V11
    named = content_type.partition(";")[0].strip().lower()
    return SoapVersion.V12 if named == _MEDIA_TYPES[SoapVersion.V12] else SoapVersion.V11


_PARAMETER = re.compile(r";\s*([A-Za-z-]+)\s*=\s*(?:\"([^\"]*)\"|([^\s;]*))")


def _action_of(content_type: str | None) -> str | None:
    """Check a content type and return its ``action`` parameter."""
    if content_type is None:
        return None
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES.values():
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
        f"{{{_WSA}}}{name}"
        for name in ("MessageID", "ReplyTo", "FaultTo", "From", "To", "Action", "RelatesTo")
    ),
}
_SECURITY_PARTS = {f"{{{_WSSE}}}UsernameToken", f"{{{_WSU}}}Timestamp"}
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


def _username_token(security: etree._Element | None) -> UsernameToken | None:
    tokens = [] if security is None else security.findall(f"{{{_WSSE}}}UsernameToken")
    if not tokens:
        return None
    if len(tokens) > 1:
        raise _bad_token("there are two UsernameTokens; send one")
    token = tokens[0]
    names = [str(each.tag) for each in token]
    if len(names) != len(set(names)):
        raise _bad_token("a part of the UsernameToken comes twice")
    username = (token.findtext(f"{{{_WSSE}}}Username") or "").strip()
    password = token.find(f"{{{_WSSE}}}Password")
    if not username or password is None:
        raise _bad_token("a UsernameToken has a Username and a Password")
    kind = password.get("Type", f"{_PROFILE}#PasswordText").strip()
    if kind not in (f"{_PROFILE}#PasswordText", f"{_PROFILE}#PasswordDigest"):
        raise _bad_token("a Password is of type PasswordText or PasswordDigest")
    created = token.findtext(f"{{{_WSU}}}Created")
    return UsernameToken(
        username=username,
        password=Secret(password.text or ""),
        is_digest=kind.endswith("#PasswordDigest"),
        nonce=_nonce(token.findtext(f"{{{_WSSE}}}Nonce")),
        created=None if created is None else created.strip(),
    )


def _nonce(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        nonce = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise _bad_token("the Nonce is not base64") from None
    if len(nonce) > _NONCE:
        raise _bad_token(f"the Nonce has {len(nonce)} bytes; at most {_NONCE} are allowed")
    return nonce


def _bad_token(text: str) -> NotAuthenticated:
    return NotAuthenticated(text, locator="identity_token")


def password_digest(nonce: bytes, created: str, password: str) -> str:
    """Return a PasswordDigest: base64 of SHA-1 of nonce, creation time and password (profile 1.0, 3.1)."""
    made = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False)
    return base64.b64encode(made.digest()).decode("ascii")


def digest_token(username: str, password: str) -> UsernameToken:
    """Return a fresh token that proves a password without sending it."""
    nonce, created = secrets.token_bytes(16), timestamp(datetime.now(UTC).replace(microsecond=0))
    digest = Secret(password_digest(nonce, created, password))
    return UsernameToken(username=username, password=digest, is_digest=True, nonce=nonce, created=created)


# --- closing ----------------------------------------------------------------------------------------------


def content_type(version: SoapVersion) -> str:
    """Return the content type of an answer."""
    return f"{_MEDIA_TYPES[version]}; charset=utf-8"


def http_headers(version: SoapVersion, action: str) -> dict[str, str]:
    """Return the HTTP headers of a request: SOAPAction in SOAP 1.1, the ``action`` parameter in 1.2."""
    if version is SoapVersion.V11:
        return {"Content-Type": content_type(version), "SOAPAction": f'"{action}"'}
    return {"Content-Type": f'{content_type(version)}; action="{action}"'}


def close_envelope(payload: bytes, version: SoapVersion, *, relates_to: str | None = None) -> bytes:
    """Put an answer into an envelope.

    Parameters
    ----------
    payload : bytes
        One element with its namespace declarations, UTF-8, no XML declaration.
    version : SoapVersion
        That of the request.
    relates_to : str or None
        MessageID of the request, for ``wsa:RelatesTo``.
    """
    start, end = envelope_ends(version, relates_to=relates_to)
    return b"".join((start, payload, end))


def envelope_ends(version: SoapVersion, *, relates_to: str | None = None) -> tuple[bytes, bytes]:
    """Return what `close_envelope` puts before and after an answer."""
    header = "" if relates_to is None else f"<wsa:RelatesTo>{escape(relates_to)}</wsa:RelatesTo>"
    return _ends(version, header)


def request_envelope(
    payload: bytes,
    version: SoapVersion,
    *,
    message_id: str | None = None,
    username_token: UsernameToken | None = None,
    reply_to: str | None = None,
    relates_to: str | None = None,
    to: str | None = None,
    action: str | None = None,
) -> bytes:
    """Put a request into an envelope, as a client sends it, or a service that calls its client back.

    Parameters
    ----------
    payload : bytes
        One element with its namespace declarations, UTF-8, no XML declaration.
    version : SoapVersion
        Which envelope.
    message_id : str or None
        ``wsa:MessageID``.
    username_token : UsernameToken or None
        Who it is from.
    reply_to : str or None
        ``wsa:ReplyTo/wsa:Address``: where callbacks shall go.
    relates_to : str or None
        MessageID of the request that a callback belongs to; with the ``RelationshipType`` that 06-141r6
        7.4.3 prints (WS-Addressing 1.0 knows no such type; whatever a callback says there is accepted).
    to, action : str or None
        ``wsa:To`` and ``wsa:Action``.
    """
    reply = None if reply_to is None else f"<wsa:Address>{escape(reply_to)}</wsa:Address>"
    headers = (
        ("To", "", None if to is None else escape(to)),
        ("Action", "", None if action is None else escape(action)),
        ("MessageID", "", None if message_id is None else escape(message_id)),
        ("RelatesTo", _RELATIONSHIP, None if relates_to is None else escape(relates_to)),
        ("ReplyTo", "", reply),
    )
    header = "".join(
        [f"<wsa:{name}{more}>{inside}</wsa:{name}>" for name, more, inside in headers if inside is not None]
    )
    return _envelope(payload, version, header + _write_token(username_token))


def _envelope(payload: bytes, version: SoapVersion, header: str) -> bytes:
    start, end = _ends(version, header)
    return b"".join((start, payload, end))


def _ends(version: SoapVersion, header: str) -> tuple[bytes, bytes]:
    addressing = f' xmlns:wsa="{_WSA}"' if "<wsa:" in header else ""
    header = f"<s:Header>{header}</s:Header>" if header else ""
    start = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="{version.value}"{addressing}>'
        f"{header}<s:Body>"
    )
    return start.encode(), b"</s:Body></s:Envelope>"


def _write_token(token: UsernameToken | None) -> str:
    if token is None:
        return ""
    kind = "PasswordDigest" if token.is_digest else "PasswordText"
    nonce = created = ""
    if token.nonce is not None:
        encoded = base64.b64encode(token.nonce).decode("ascii")
        nonce = f'<wsse:Nonce EncodingType="{_BASE64}">{encoded}</wsse:Nonce>'
    if token.created is not None:
        created = f'<wsu:Created xmlns:wsu="{_WSU}">{escape(token.created)}</wsu:Created>'
    return (
        f'<wsse:Security xmlns:wsse="{_WSSE}"><wsse:UsernameToken>'
        f"<wsse:Username>{escape(token.username)}</wsse:Username>"
        f'<wsse:Password Type="{_PROFILE}#{kind}">{escape(token.password.reveal())}</wsse:Password>'
        f"{nonce}{created}</wsse:UsernameToken></wsse:Security>"
    )


# --- faults -----------------------------------------------------------------------------------------------

#: Which side is at fault, in the words of each version.
_SIDES = {
    SoapVersion.V11: {True: "Client", False: "Server"},
    SoapVersion.V12: {True: "Sender", False: "Receiver"},
}


def _fault_code(error: OseoError, version: SoapVersion) -> str:
    return getattr(error, "fault_code", None) or _SIDES[version][error.is_callers_fault]


def fault_status(error: OseoError, version: SoapVersion) -> int:
    """Return the HTTP status of a fault.

    401 for a missing identity (clients read the fault all the same) and 415 for another content type; else
    500 in SOAP 1.1 (section 6.2), and 400 or 500 by side in SOAP 1.2 (part 2, 7.5.2.2).
    """
    if error.http_status in (401, 415):
        return error.http_status
    return 400 if version is SoapVersion.V12 and _fault_code(error, version) == "Sender" else 500


def fault(error: OseoError, version: SoapVersion, *, relates_to: str | None = None) -> bytes:
    """Return a whole envelope with the fault an error is: one ``ows:Exception`` per problem.

    Each exception has the standard's literal text first (06-141r6 exception tables), then our sentence. A
    refused subscription has WS-BaseNotification's own fault beside the report.
    """
    code = _fault_code(error, version)
    reason = escape(f"Request rejected: {error.text}"[:2000])
    report = write_fault(error) + _report(error)
    if version is SoapVersion.V11:
        inside = (
            f"<faultcode>s:{code}</faultcode><faultstring>{reason}</faultstring><detail>{report}</detail>"
        )
    else:
        inside = (
            f'<s:Code><s:Value>s:{code}</s:Value><s:Subcode><s:Value xmlns:ows="{OWS}">'
            f"ows:{_ncname(error.code)}</s:Value></s:Subcode></s:Code>"
            f'<s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason><s:Detail>{report}</s:Detail>'
        )
    return close_envelope(f"<s:Fault>{inside}</s:Fault>".encode(), version, relates_to=relates_to)


def _ncname(code: str) -> str:
    return code if re.fullmatch(r"[A-Za-z_][\w.-]*", code, re.ASCII) else "NoApplicableCode"


def _report(error: OseoError) -> str:
    exceptions = "".join([_exception(each) for each in error.problems])
    return (
        f'<ows:ExceptionReport xmlns:ows="{OWS}" version="1.0.0" xml:lang="en">{exceptions}'
        "</ows:ExceptionReport>"
    )


def _exception(problem: Problem) -> str:
    literal = CODE_TEXTS.get(problem.code)
    texts = ([literal] if literal else []) + [str(problem)]
    inside = "".join(f"<ows:ExceptionText>{escape(each)}</ows:ExceptionText>" for each in texts)
    locator = "" if problem.locator is None else f' locator="{attribute(problem.locator)}"'
    return f'<ows:Exception exceptionCode="{attribute(problem.code)}"{locator}>{inside}</ows:Exception>'


def read_fault(payload: etree._Element) -> tuple[Problem, ...] | None:
    """Return what a fault says, for `oseo_lab.model.errors.error_of`; None if the payload is no fault.

    The exception report is read first; a fault without one gives its reason, as ``NoApplicableCode``.
    """
    namespace, _, name = str(payload.tag).removeprefix("{").rpartition("}")
    if name != "Fault" or namespace not in {each.value for each in SoapVersion}:
        return None
    found = tuple(
        _problem(each) for each in payload.iter("{*}Exception") if each.get("exceptionCode") is not None
    )
    if found:
        return found
    said = payload.findtext("faultstring") or payload.findtext(f".//{{{namespace}}}Text") or "no reason given"
    return (Problem(code="NoApplicableCode", locator=None, text=said.strip()),)


def _problem(exception: etree._Element) -> Problem:
    code = exception.get("exceptionCode", "NoApplicableCode")
    texts = [(each.text or "").strip() for each in exception.iterfind("{*}ExceptionText")]
    own = [each for each in texts if each and each != CODE_TEXTS.get(code)]
    text = "; ".join(own or texts) or code
    return Problem(code=code, locator=exception.get("locator"), text=text)
