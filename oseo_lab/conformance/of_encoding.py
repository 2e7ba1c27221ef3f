"""Checks of how messages travel (06-141r6 7.4, SOAP 1.1 and 1.2): T-ENC-1 and part A; the last of a run."""

from __future__ import annotations

from oseo_lab.conformance.of_status import UNKNOWN
from oseo_lab.conformance.probe import Answer
from oseo_lab.conformance.subject import Subject
from oseo_lab.conformance.verdicts import Check, NotRun, demand
from oseo_lab.encoding.soap import SoapVersion, http_headers, request_envelope
from oseo_lab.encoding.xmltree import OSEO
from oseo_lab.model.messages import GetCapabilities, GetStatus

__all__ = ["CHECKS"]

_MEDIA = {SoapVersion.V11: "text/xml", SoapVersion.V12: "application/soap+xml"}


def _in_kind(subject: Subject) -> str:
    for version in SoapVersion:
        for message in (GetCapabilities(), GetStatus(order_id=UNKNOWN)):
            answer = subject.probe.ask(message, version)
            demand(answer.root is not None, f"SOAP {version.number} got no SOAP: {answer.name}")
            namespace = answer.root.tag[1:].partition("}")[0]
            demand(namespace == version.value, f"SOAP {version.number} is answered in {namespace}")
            media = answer.content_type.partition(";")[0].strip()
            demand(media == _MEDIA[version], f"SOAP {version.number} is answered as {media}")
    return "1.1 and 1.2"


def _statuses(subject: Subject) -> None:
    allowed = {SoapVersion.V11: (500,), SoapVersion.V12: (400, 500)}
    for version, statuses in allowed.items():
        answer = subject.probe.ask(GetStatus(order_id=UNKNOWN), version)
        answer.fault()
        demand(
            answer.status in statuses,
            f"a fault of SOAP {version.number} comes with HTTP {answer.status}, not {statuses}",
        )


def _sides(subject: Subject) -> None:
    """Demand that faults of the caller say so."""
    codes = {SoapVersion.V11: "Client", SoapVersion.V12: "Sender"}
    for version, code in codes.items():
        answer = subject.probe.ask(GetStatus(order_id=UNKNOWN), version)
        answer.fault()
        said = answer.payload.findtext("faultcode") or answer.payload.findtext(
            f"{{{version.value}}}Code/{{{version.value}}}Value"
        )
        demand(said is not None, f"a fault of SOAP {version.number} has no code")
        demand(
            str(said).rpartition(":")[2] == code, f"a fault of SOAP {version.number} is {said}, not {code}"
        )


def _unknown_operation(subject: Subject) -> None:
    payload = f'<OrderPizza xmlns="{OSEO}" service="OS" version="1.0.0"/>'
    subject.probe.send(payload, "OrderPizza").fault()


def _action(subject: Subject) -> None:
    payload = f'<GetCapabilities xmlns="{OSEO}" service="OS"/>'
    for version in SoapVersion:
        subject.probe.send(payload, "GetCapabilities", version, action="Cancel").fault()


def _posted(subject: Subject, body: bytes) -> Answer:
    version = SoapVersion.V12
    headers = http_headers(version, "GetCapabilities")
    return subject.probe.post(body, "GetCapabilities", version, headers)


def _broken(subject: Subject) -> None:
    payload = f'<GetCapabilities xmlns="{OSEO}" service="OS"/>'.encode()
    whole = request_envelope(payload, SoapVersion.V12)
    for body in (whole[:-20], b"", b"order two pizzas"):
        _posted(subject, body).fault()


def _doctype(subject: Subject) -> None:
    start = '<!DOCTYPE x [<!ENTITY a "OS">]>'
    body = (
        f'<?xml version="1.0"?>{start}<e:Envelope xmlns:e="{SoapVersion.V12.value}"><e:Body>'
        f'<GetCapabilities xmlns="{OSEO}" service="&a;"/></e:Body></e:Envelope>'
    )
    _posted(subject, body.encode()).fault()


def _valid(subject: Subject) -> str:
    found = subject.probe.invalid
    demand(not found, f"{len(found)} answers are not valid: {'; '.join(found[:3])}")
    if not subject.probe.answers:
        raise NotRun("there was no answer")
    return f"{subject.probe.answers} answers"


def _faults(subject: Subject) -> str:
    found = subject.probe.bad_faults
    demand(not found, f"{len(found)} faults are not as they must be: {'; '.join(found[:3])}")
    if not subject.probe.faults:
        raise NotRun("there was no fault")
    return f"{subject.probe.faults} faults"


CHECKS = (
    Check("A2-1", "7.4; WSDL", "SOAP 1.1 and 1.2 are answered in kind, content type too", _in_kind),
    Check("A2-2", "SOAP 1.1, 6.2; SOAP 1.2 part 2, 7.5.2", "HTTP status of faults: 500, or 400", _statuses),
    Check(
        "A2-3", "SOAP 1.1, 4.4.1; SOAP 1.2 part 1, 5.4.6", "faults of the caller say Client, Sender", _sides
    ),
    Check("A3-1", "7.4; WSDL", "an action that names another operation: a fault", _action),
    Check("A4-1", "OWS Common 2.0, 8", "an unknown operation: a fault", _unknown_operation),
    Check("A4-2", "SOAP", "what is no XML: a fault", _broken),
    Check("A4-3", "SOAP 1.1, 3; SOAP 1.2 part 1, 5", "a DOCTYPE with an entity: a fault", _doctype),
    Check("T-ENC-1", "7.4; WSDL", "every fault of the run: its detail is one ows:ExceptionReport", _faults),
    Check("T-ENC-2", "7.4; Annex B", "every answer of the run is schema-valid", _valid),
)
