"""Speaking SOAP to somebody else's server, as bytes: the request to post, and what came back, read.

For whoever calls other OSEO servers: the client's SOAP transport and the provider plugin, which add HTTP.
Strict in what is sent; what comes back is read by content, not by HTTP status (pyoseo sends faults with 400
and 401, others with 200), mended where only its form is wrong (`mending`), and checked. Sources: OGC
06-141r6 7.4 and its WSDL, SOAP 1.1 and 1.2, OASIS UsernameToken Profile 1.0.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lxml import etree

from oseo_lab.encoding import oseo
from oseo_lab.encoding.callbacks_xml import CALLBACKS, decode_callback, encode_acknowledgement
from oseo_lab.encoding.mending import mend
from oseo_lab.encoding.soap import (
    Envelope,
    SoapVersion,
    close_envelope,
    http_headers,
    read_fault,
    request_envelope,
)
from oseo_lab.encoding.soap_identity import Credentials
from oseo_lab.encoding.xmltree import local_name, parse
from oseo_lab.model.errors import (
    BadMessage,
    NotAuthenticated,
    OseoError,
    Problem,
    TransportError,
    Unavailable,
    ValidationError,
    error_of,
)

__all__ = [
    "ANONYMOUS",
    "Misunderstood",
    "Posted",
    "negotiate",
    "read_answer",
    "read_callback",
    "write_acknowledgement",
    "write_request",
]

T = TypeVar("T")

#: ``wsa:ReplyTo`` of a request whose answer is wanted in the HTTP response alone (WS-Addressing 1.0).
ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
#: Operations whose WSDL binding has MessageID and ReplyTo.
_ADDRESSED = frozenset({"Submit", "Cancel", "GetQuotation"})
#: Answers that mean "not now", whatever else they say.
_PASSING = frozenset({429, 502, 503, 504})
_ENVELOPES = {f"{{{version.value}}}Envelope": version for version in SoapVersion}


class Misunderstood(TransportError):
    """The server answered, and not in SOAP of this version: another version may be worth a try."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """A request as it is posted. Its headers and body hold credentials: neither is for a log."""

    body: bytes
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Posted({len(self.body)} bytes)"


def negotiate(ask: Callable[[SoapVersion], T], wanted: str | None) -> tuple[SoapVersion, T]:
    """Find out which SOAP a server speaks, by asking it something harmless.

    Parameters
    ----------
    ask : callable
        Sends a request in a version and returns its answer.
    wanted : str or None
        ``1.1`` or ``1.2``; None for 1.2, and 1.1 where the server does not understand that.

    Returns
    -------
    tuple of SoapVersion and the answer
        What it speaks, and what it said.
    """
    if wanted is not None:
        version = SoapVersion.V11 if wanted == "1.1" else SoapVersion.V12
        return version, ask(version)
    try:
        return SoapVersion.V12, ask(SoapVersion.V12)
    except Misunderstood as first:
        try:
            return SoapVersion.V11, ask(SoapVersion.V11)
        except Misunderstood:
            raise first from None


def write_request(
    message: Any,
    version: SoapVersion,
    *,
    credentials: Credentials | None = None,
    message_id: str | None = None,
    reply_to: str | None = None,
) -> Posted:
    """Return a request message as an HTTP request.

    Parameters
    ----------
    message : dataclass
        A request of `oseo_lab.model.messages`.
    version : SoapVersion
        Which SOAP.
    credentials : Credentials or None
        Who calls.
    message_id : str or None
        ``wsa:MessageID``; Submit, Cancel and GetQuotation get a fresh one where none is given.
    reply_to : str or None
        Where callbacks shall go; the anonymous address where nobody listens.
    """
    name = type(message).__name__
    is_addressed = name in _ADDRESSED
    body = request_envelope(
        oseo.encode_request(message),
        version,
        message_id=message_id or (uuid.uuid4().urn if is_addressed else None),
        username_token=credentials.username_token() if credentials else None,
        reply_to=(reply_to or ANONYMOUS) if is_addressed else None,
    )
    accepted = "text/xml" if version is SoapVersion.V11 else "application/soap+xml"
    headers = {"Accept": f"{accepted}, text/xml;q=0.9, */*;q=0.1", **http_headers(version, name)}
    return Posted(body=body, headers=headers | (credentials.headers() if credentials else {}))


def read_answer(body: bytes, *, status: int, url: str, request: type) -> Any:
    """Return the response message that a server answered.

    Parameters
    ----------
    body : bytes
        Of the HTTP response; an envelope of either version, or bare.
    status : int
        Of the HTTP response.
    url : str
        Where it came from, for messages.
    request : type
        The class of what was asked: no other operation's response is taken.

    Raises
    ------
    OseoError
        Of the class the server refused it with, whatever the HTTP status.
    Misunderstood
        If it is no SOAP, or the server does not speak this version of it.
    TransportError
        If it is not what the operation answers.
    """
    try:
        root = parse(body)
    except OseoError as wrong:
        raise _without_xml(status, url, wrong) from None
    payload = _payload(root, status, url)
    problems = _problems(payload)
    if problems is not None:
        raise _refusal(payload, problems, status, url)
    if status in _PASSING:
        raise Unavailable(f"{url} is not available now (HTTP {status})")
    return _response(payload, url, request)


def _payload(root: etree._Element, status: int, url: str) -> etree._Element:
    """Return the Body's element, or a bare message: 06-141r6 servers without SOAP exist (pyoseo)."""
    if root.tag not in _ENVELOPES:
        if local_name(root) in ("html", "HTML"):
            raise _without_xml(status, url, BadMessage("a web page"))
        return root
    body = root.find(f"{{{_ENVELOPES[str(root.tag)].value}}}Body")
    if body is None or len(body) == 0:
        raise Misunderstood(f"{url} answered an envelope with nothing in it (HTTP {status})")
    return body[0]


def _problems(payload: etree._Element) -> tuple[Problem, ...] | None:
    """Return what a fault or a bare exception report says; None for anything else."""
    if local_name(payload) == "ExceptionReport":
        wrapped = etree.Element(f"{{{SoapVersion.V11.value}}}Fault")
        wrapped.append(payload)
        return read_fault(wrapped)
    return read_fault(payload)


def _fault_code(payload: etree._Element) -> str:
    for path in ("faultcode", "{*}faultcode", "{*}Code/{*}Value"):
        if said := payload.findtext(path):
            return said.strip().rpartition(":")[2]
    return ""


def _refusal(payload: etree._Element, problems: tuple[Problem, ...], status: int, url: str) -> OseoError:
    """Return a fault as the exception it is."""
    if _fault_code(payload) == "VersionMismatch":
        return Misunderstood(f"{url} does not speak this version of SOAP: {problems[0].text}")
    error = error_of(problems)
    if type(error) is OseoError and status in (401, 403):
        return NotAuthenticated(error.text, locator="identity_token", problems=problems)
    if type(error) is OseoError and status in _PASSING:
        return Unavailable(error.text, problems=problems)
    if type(error) is OseoError and _fault_code(payload) in ("Client", "Sender"):
        return ValidationError(error.text, code=error.code, locator=error.locator, problems=problems)
    return error


def _without_xml(status: int, url: str, wrong: OseoError) -> OseoError:
    """Return what an answer means that is no XML."""
    if status in (401, 403):
        return NotAuthenticated(
            f"{url} does not let you in (HTTP {status}): check username and password, or token, and how "
            "the server wants them (identity=...)",
            locator="identity_token",
        )
    if status in _PASSING:
        return Unavailable(f"{url} is not available now (HTTP {status})")
    return Misunderstood(
        f"{url} answered HTTP {status} and no SOAP message ({wrong.text[:200]}): is it the URL of an OSEO "
        "service's SOAP endpoint?"
    )


def _response(payload: etree._Element, url: str, request: type) -> Any:
    """Read a response, mended if need be; what still is not as the standard says is named."""
    codec = next((each for each in oseo.CODECS.values() if each.request is request), None)
    assert codec is not None, f"{request.__name__} is no operation"
    if local_name(payload) != codec.response_name:
        raise TransportError(
            f"{url} answered {codec.name} with {local_name(payload)[:80]!r}, not with {codec.response_name}"
        )
    try:
        return oseo.decode_response(payload)
    except OseoError:
        mend(payload)
    try:
        return oseo.decode_response(payload)
    except OseoError as wrong:
        raise TransportError(
            f"{url} answered {codec.name} with what 06-141r6 does not allow: {wrong.text[:1000]}",
            problems=wrong.problems,
        ) from None


def read_callback(envelope: Envelope) -> Any:
    """Return the callback that came to whoever listens, in an envelope that was opened.

    Raises
    ------
    OseoError
        If it is no callback, or not as 06-141r6 says even when its form is mended.
    """
    try:
        return decode_callback(envelope.payload)
    except BadMessage:
        mend(envelope.payload)
    return decode_callback(envelope.payload)


def write_acknowledgement(message: Any, version: SoapVersion) -> bytes:
    """Return the answer to a callback that was taken."""
    acknowledgement = CALLBACKS[type(message).__name__].acknowledgement()
    return close_envelope(encode_acknowledgement(acknowledgement), version)
