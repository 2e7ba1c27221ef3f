"""Posts messages and keeps what came back as it came: status, headers, bytes, and only then its meaning."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from oseo_lab.conformance.verdicts import Failed, NotRun, demand
from oseo_lab.encoding import oseo, soap
from oseo_lab.encoding.checking import check
from oseo_lab.encoding.soap_client import ANONYMOUS
from oseo_lab.encoding.soap_identity import Credentials
from oseo_lab.encoding.xmltree import OSEO, OWS, local_name, parse
from oseo_lab.model.errors import OseoError, Problem, TransportError

__all__ = ["ANONYMOUS", "Answer", "Probe"]

#: Most bytes read of one answer, and most complaints kept of the whole run.
_MOST_BYTES = 64 * 1024 * 1024
_MOST_COMPLAINTS = 50
_V12 = soap.SoapVersion.V12


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a server answered.

    Parameters
    ----------
    asked : str
        Name of the request.
    version : SoapVersion
        Of the request.
    status : int
        Of HTTP.
    content_type : str
        As it was said.
    body : bytes
        As it came.
    root, payload : lxml element or None
        The envelope and its Body's child, where it is one.
    complaints : tuple of str
        What the schemas have against it.
    is_anonymous : bool
        Whether nobody in particular asked.
    """

    asked: str
    version: soap.SoapVersion
    status: int
    content_type: str
    body: bytes
    root: Any = None
    payload: Any = None
    complaints: tuple[str, ...] = ()
    is_anonymous: bool = False

    @property
    def name(self) -> str:
        """The element in the Body, or what came instead."""
        return (
            local_name(self.payload)
            if self.payload is not None
            else f"HTTP {self.status} {self.content_type}"
        )

    @property
    def problems(self) -> tuple[Problem, ...] | None:
        """What a fault says; None if it is none."""
        return None if self.payload is None else soap.read_fault(self.payload)

    def message(self) -> Any:
        """Return the response message.

        Raises
        ------
        Failed
            If it is a fault, not the operation's response, or not valid.
        """
        problems = self.refusal()
        if problems is not None:
            raise Failed(f"{self.asked} got a fault: {_said(problems)}")
        demand(self.payload is not None, f"{self.asked} got no SOAP: {self.name}: {self.body[:200]!r}")
        demand(not self.complaints, f"{self.name} is not valid: {'; '.join(self.complaints[:3])}")
        codec = oseo.CODECS.get(self.asked)
        expected = f"{{{OSEO}}}{codec.response_name}" if codec else self.payload.tag
        demand(self.payload.tag == expected, f"{self.asked} got {self.payload.tag}")
        try:
            return oseo.decode_response(self.payload)
        except OseoError as wrong:
            raise Failed(f"{self.name} is not as the schema says: {wrong}"[:500]) from None

    def fault(self, code: str | None = None, locator: str | None = None) -> tuple[Problem, ...]:
        """Return what a fault says, which must have a code and a locator.

        Raises
        ------
        Failed
            If it is no fault, or says something else.
        """
        problems = self.refusal()
        if problems is None:
            raise Failed(f"{self.asked} got {self.name}, not a fault")
        if code is not None:
            fitting = [each for each in problems if each.code == code]
            demand(fitting, f"the fault says {_said(problems)}, not {code}")
            places = {each.locator for each in fitting}
            demand(
                locator is None or locator in places,
                f"{code} has the locator {', '.join(map(str, places))}, not {locator}",
            )
        return problems

    def refusal(self) -> tuple[Problem, ...] | None:
        """Return what a fault says, unless it says that nobody in particular may ask."""
        problems = self.problems
        codes = {each.code for each in problems or ()}
        if self.is_anonymous and codes & {"AuthenticationFailed", "AuthorizationFailed"}:
            raise NotRun(f"{self.asked} needs an identity: --user and --password-file, or --token-file")
        return problems


def _said(problems: tuple[Problem, ...]) -> str:
    return "; ".join(f"{each.code} ({each.locator or 'no locator'}): {each.text}" for each in problems)[:500]


@dataclass
class Probe:
    """Speaks SOAP to one server as one caller.

    Parameters
    ----------
    url : str
        The SOAP endpoint.
    credentials : Credentials or None
        Who calls.
    validity : callable
        Returns what schemas have against an envelope.
    timeout : float
        Seconds for one answer.
    """

    url: str
    credentials: Credentials | None = None
    validity: Callable[[Any], list[str]] = field(default=lambda root: valid_by_table(root))
    timeout: float = 60.0
    #: Of the whole run: faults that are not as they must be, and answers that are not valid.
    bad_faults: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    faults: int = 0
    answers: int = 0

    def __post_init__(self) -> None:
        headers = self.credentials.headers() if self.credentials else {}
        self.http = httpx.Client(headers=headers, timeout=self.timeout, follow_redirects=False)

    def reach(self) -> None:
        """Look whether anything is there: a table of checks that all failed for that would say nothing.

        Raises
        ------
        TransportError
            If no connection can be made.
        """
        try:
            with self.http.stream("GET", self.url):
                pass
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as away:
            raise TransportError(
                f"{self.url} could not be reached ({away}); the address is that of the SOAP endpoint"
            ) from None
        except httpx.HTTPError:
            return  # something is there: what it does wrong is for the checks to say

    def ask(
        self,
        message: Any,
        version: soap.SoapVersion = _V12,
        *,
        reply_to: str | None = None,
        message_id: str | None = None,
    ) -> Answer:
        """Send a request message.

        Parameters
        ----------
        message : dataclass
            A request of `oseo_lab.model.messages`.
        version : SoapVersion
            Which SOAP.
        reply_to, message_id : str or None
            WS-Addressing headers, where the check is about them.
        """
        name = type(message).__name__
        return self.send(
            oseo.encode_request(message).decode(), name, version, reply_to=reply_to, message_id=message_id
        )

    def send(
        self,
        payload: str,
        name: str,
        version: soap.SoapVersion = _V12,
        *,
        reply_to: str | None = None,
        message_id: str | None = None,
        action: str | None = None,
    ) -> Answer:
        """Send an element as text, valid or not; ``action`` other than its name where a check is about it."""
        token = self.credentials.username_token() if self.credentials else None
        body = soap.request_envelope(
            payload.encode(),
            version,
            message_id=message_id or (uuid.uuid4().urn if reply_to else None),
            username_token=token,
            reply_to=reply_to,
        )
        return self.post(body, name, version, soap.http_headers(version, action or name))

    def post(self, body: bytes, name: str, version: soap.SoapVersion, headers: dict[str, str]) -> Answer:
        """Send bytes, and read what comes back."""
        end = time.monotonic() + self.timeout
        try:
            with self.http.stream("POST", self.url, content=body, headers=headers) as response:
                received = bytearray()
                for chunk in response.iter_bytes():
                    received += chunk
                    demand(len(received) <= _MOST_BYTES, f"{name} got more than {_MOST_BYTES} bytes")
                    demand(time.monotonic() < end, f"{name} got no whole answer in {self.timeout:.0f} s")
        except httpx.HTTPError as broken:
            raise Failed(f"{name} got no answer: {type(broken).__name__}: {broken}") from None
        answer = self._opened(name, version, response, bytes(received))
        self._remember(answer)
        return answer

    def _opened(self, name: str, version: soap.SoapVersion, response: httpx.Response, body: bytes) -> Answer:
        facts: dict[str, Any] = {
            "asked": name,
            "version": version,
            "status": response.status_code,
            "content_type": response.headers.get("Content-Type", ""),
            "body": body,
            "is_anonymous": self.credentials is None,
        }
        try:
            root = parse(body)
            payload = soap.open_envelope(body).payload
        except OseoError:
            return Answer(**facts)
        return Answer(root=root, payload=payload, complaints=tuple(self.validity(root)[:5]), **facts)

    def _remember(self, answer: Answer) -> None:
        self.answers += 1
        if answer.complaints and len(self.invalid) < _MOST_COMPLAINTS:
            self.invalid.append(f"{answer.asked} got {answer.name}: {answer.complaints[0]}")
        is_answer = answer.problems is None and answer.payload is not None
        if is_answer or answer.asked in _OTHERS_FAULTS:
            return
        self.faults += 1
        wrong = _wrong_with_fault(answer)
        if wrong and len(self.bad_faults) < _MOST_COMPLAINTS:
            self.bad_faults.append(f"{answer.asked}: {wrong}")

    def close(self) -> None:
        """Let go of the connection."""
        self.http.close()


#: Requests whose faults are WS-BaseNotification's, not the standard's.
_OTHERS_FAULTS = ("Subscribe", "Unsubscribe")
#: Where the report lies in a fault, by version.
_DETAIL = {soap.SoapVersion.V11: "detail", _V12: f"{{{_V12.value}}}Detail"}


def _wrong_with_fault(answer: Answer) -> str | None:
    """Say what is wrong with a fault; None if nothing is (06-141r6 exception clauses, its WSDL)."""
    if answer.payload is None:
        return f"the answer is no SOAP: {answer.name}: {answer.body[:120]!r}"
    namespace = answer.payload.tag[1:].partition("}")[0]
    detail = answer.payload.find(_DETAIL[soap.SoapVersion(namespace)])
    if detail is None or len(detail) != 1 or detail[0].tag != f"{{{OWS}}}ExceptionReport":
        return "its detail is not one ows:ExceptionReport of OWS 2.0"
    report = detail[0]
    exceptions = report.findall(f"{{{OWS}}}Exception")
    if not report.get("version") or not exceptions or len(exceptions) != len(report):
        return "its ows:ExceptionReport lacks the version, or holds something else than ows:Exception"
    if not all(each.get("exceptionCode") for each in exceptions):
        return "an ows:Exception lacks its exceptionCode"
    strange = [each.tag for one in exceptions for each in one if each.tag != f"{{{OWS}}}ExceptionText"]
    return f"an ows:Exception holds {strange[0]}" if strange else None


def valid_by_table(root: Any) -> list[str]:
    """Return what our own table of the standard's messages has against an envelope (no official schema)."""
    payload = root[-1][0]
    if soap.read_fault(payload) is not None or not payload.tag.startswith(f"{{{OSEO}}}"):
        return []
    try:
        check(payload)
    except OseoError as wrong:
        return [str(wrong)[:500]]
    return []
