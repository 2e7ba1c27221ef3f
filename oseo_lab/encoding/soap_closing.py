"""What goes out in SOAP: answers and requests in their envelopes, and faults, written and read.

The last step of a SOAP request at a server; offered by `soap`. Sources: SOAP 1.1 section 4, SOAP 1.2 part 1
section 5, 06-141r6 7.4 and its exception tables.
"""

from __future__ import annotations

import re

from lxml import etree

from oseo_lab.encoding.notification_faults import write_fault
from oseo_lab.encoding.soap_version import WSA, SoapVersion
from oseo_lab.encoding.username_token import UsernameToken, write_token
from oseo_lab.encoding.xmltree import OWS, attribute, escape
from oseo_lab.model.errors import CODE_TEXTS, OseoError, Problem

__all__ = [
    "close_envelope",
    "envelope_ends",
    "fault",
    "fault_status",
    "read_fault",
    "request_envelope",
]

_RELATIONSHIP = ' RelationshipType="wsa:Response"'


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
    return _envelope(payload, version, header + write_token(username_token))


def _envelope(payload: bytes, version: SoapVersion, header: str) -> bytes:
    start, end = _ends(version, header)
    return b"".join((start, payload, end))


def _ends(version: SoapVersion, header: str) -> tuple[bytes, bytes]:
    addressing = f' xmlns:wsa="{WSA}"' if "<wsa:" in header else ""
    header = f"<s:Header>{header}</s:Header>" if header else ""
    start = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="{version.value}"{addressing}>'
        f"{header}<s:Body>"
    )
    return start.encode(), b"</s:Body></s:Envelope>"


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
    about = None if problem.code == "NoApplicableCode" else problem.locator  # the tables give it no locator
    locator = "" if about is None else f' locator="{attribute(about)}"'
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
