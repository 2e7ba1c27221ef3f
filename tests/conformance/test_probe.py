"""What the probe sees: answers that are no SOAP, faults that are not as they must be, and nobody there."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oseo_lab.conformance import of_encoding
from oseo_lab.conformance.probe import Probe
from oseo_lab.conformance.verdicts import Failed, NotRun
from oseo_lab.encoding import soap
from oseo_lab.model.errors import NotAuthenticated, NotFound, TransportError
from oseo_lab.model.messages import GetCapabilities, GetStatus

V12 = soap.SoapVersion.V12
GOOD = soap.fault(NotFound("no such order", locator="orderId"), V12)


class Canned(BaseHTTPRequestHandler):
    """Answers what it was told to."""

    answer: tuple[int, str, bytes]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, content_type, body = self.answer
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def told():
    """Return a maker of probes of a server that answers one thing."""
    opened = []

    def tell(body: bytes, status: int = 200, content_type: str = "application/soap+xml") -> Probe:
        handler = type("Handler", (Canned,), {"answer": (status, content_type, body)})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        probe = Probe(f"http://127.0.0.1:{server.server_address[1]}/")
        opened.append((server, probe))
        return probe

    yield tell
    for server, probe in opened:
        probe.close()
        server.shutdown()
        server.server_close()


def test_a_fault_is_read_with_code_and_locator(told):
    answer = told(GOOD, 400).ask(GetStatus(order_id="x"))
    assert answer.fault("InvalidOrderIdentifier", "orderId")[0].text == "no such order"
    with pytest.raises(Failed, match="not NoApplicableCode"):
        answer.fault("NoApplicableCode")
    with pytest.raises(Failed, match="not itemId"):
        answer.fault("InvalidOrderIdentifier", "itemId")
    with pytest.raises(Failed, match="got a fault"):
        answer.message()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html><body>502 Bad Gateway</body></html>", "no SOAP"),
        (b"", "no SOAP"),
        (GOOD.replace(b"ows/2.0", b"ows/1.1"), "OWS 2.0"),
        (GOOD.replace(b' version="1.0.0"', b""), "lacks the version"),
        (GOOD.replace(b' exceptionCode="InvalidOrderIdentifier"', b""), "lacks its exceptionCode"),
        (GOOD.replace(b"ows:ExceptionText", b"ows:Reason"), "Reason"),
    ],
)
def test_a_fault_that_is_not_as_it_must_be_is_remembered(told, body, said):
    probe = told(body, 500, "text/html")
    probe.ask(GetStatus(order_id="x"))
    assert said in probe.bad_faults[0]
    assert probe.faults == 1


def test_a_good_fault_is_only_counted(told):
    probe = told(GOOD, 400)
    probe.ask(GetStatus(order_id="x"))
    assert (probe.bad_faults, probe.faults) == ([], 1)


def test_another_operations_answer_is_none(told):
    payload = b'<CancelAck xmlns="http://www.opengis.net/oseo/1.0"><status>success</status></CancelAck>'
    with pytest.raises(Failed, match="GetCapabilities got"):
        told(soap.close_envelope(payload, V12)).ask(GetCapabilities()).message()


def test_an_answer_that_is_not_valid_is_remembered_without_schemas_too(told):
    payload = b'<CancelAck xmlns="http://www.opengis.net/oseo/1.0"><status>fine</status></CancelAck>'
    probe = told(soap.close_envelope(payload, V12))
    probe.ask(GetCapabilities())
    assert "fine" in probe.invalid[0]


def test_nobody_is_told_to_say_who_he_is(told):
    body = soap.fault(NotAuthenticated("who are you", locator="identity_token"), V12)
    with pytest.raises(NotRun, match="--user"):
        told(body, 401).ask(GetStatus(order_id="x")).message()


def test_an_answer_that_never_ends_is_left(told):
    probe = told(b"<" + b" " * 3_000_000)
    probe.timeout = 0
    with pytest.raises(Failed, match="no whole answer"):
        probe.ask(GetCapabilities())


def test_where_nobody_is_nothing_passes():
    probe = Probe("http://127.0.0.1:9/")
    with pytest.raises(Failed, match="no answer"):
        probe.ask(GetCapabilities())
    probe.close()


def test_an_address_where_nothing_is_is_told_before_any_check():
    with pytest.raises(TransportError, match="could not be reached"):
        Probe("http://127.0.0.1:9/", None).reach()


@pytest.mark.parametrize("check", [each for each in of_encoding.CHECKS if each.id.startswith("T-ENC")])
def test_no_answer_at_all_is_no_valid_one(check):
    class Subject:
        probe = Probe("http://127.0.0.1:9/", None)

    with pytest.raises(NotRun):
        check.function(Subject())
