"""The conformance suite against a live service of ours, and against the same service with one thing wrong."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace

import pytest

from oseo_lab.cli import main
from oseo_lab.conformance import CHECKS, Plan, Subject, Verdict, run
from oseo_lab.conformance.probe import Probe
from oseo_lab.encoding import soap
from oseo_lab.encoding.schemas import OfficialSchemas
from oseo_lab.encoding.soap_identity import Credentials
from oseo_lab.encoding.xmltree import OSEO
from oseo_lab.model.delivery import Secret
from tests.acceptance.everything import PASSWORD, TASK, add_account, write_plain
from tests.acceptance.serving import Server
from tests.acceptance.wrong_server import Passing, Wrong, WrongServer

#: Everything is switched on, so these have nothing to refuse.
NOT_APPLICABLE = {"T-SUB-3", "B5-4"}
BY_ID = {each.id: each for each in CHECKS}
PLAN = Plan(
    collection="scenes",
    tasking_id=TASK,
    quoted={"synchronous": "scenes", "monitoring": "slow", "off_line": "off_line", "asynchronous": "scenes"},
    listen=("127.0.0.1", 0),
    wait=60,
    quiet=1,
)


@pytest.fixture(scope="module")
def server(everything):
    return everything


def subject_of(url: str, validity, plan: Plan = PLAN) -> Subject:
    def probe(user: str) -> Probe:
        return Probe(url, Credentials(username=user, secret=Secret(PASSWORD)), validity)

    return Subject(probe("anna"), plan, stranger=probe("bob"))


@pytest.fixture(scope="module")
def validity(shared):
    return OfficialSchemas(shared / "schemas").complaints


@pytest.fixture(scope="module")
def subject(server, validity):
    subject = subject_of(server.soap, validity)
    yield subject
    subject.close()


@pytest.fixture(scope="module")
def outcomes(subject):
    return {each.id: each for each in run(subject)}


@pytest.mark.parametrize("name", BY_ID)
def test_our_service_conforms(name, outcomes):
    outcome = outcomes[name]
    expected = Verdict.NOT_APPLICABLE if name in NOT_APPLICABLE else Verdict.PASSED
    assert outcome.verdict is expected, outcome


def test_what_takes_its_time_comes(outcomes):
    assert outcomes["T-QUO-3"].text == "the quotation came"


def test_ids_are_unique_and_every_row_of_the_standards_tests_is_there():
    assert len(BY_ID) == len(CHECKS)
    rows = {"CAP": 5, "OPT": 5, "SUB": 6, "STA": 5, "DRA": 2, "CAN": 2, "QUO": 4, "ASY": 1, "ENC": 1}
    wanted = {f"T-{area}-{number}" for area, most in rows.items() for number in range(1, most + 1)}
    assert wanted <= BY_ID.keys()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A service that takes product orders and nothing else, and calls nobody."""
    folder = tmp_path_factory.mktemp("plain")
    write_plain(folder)
    server = Server(folder / "data", collections=folder / "collections", executor="inline", callbacks=False)
    server.start()
    for name in ("anna", "bob"):
        add_account(server, name)
    yield server
    server.stop()


def test_a_service_that_does_less_announces_less_and_conforms_too(plain, validity):
    subject = subject_of(plain.soap, validity, replace(PLAN, collection=None, tasking_id=None, quoted={}))
    found = {each.id: each for each in run(subject)}
    subject.close()
    wrong = [each for each in found.values() if each.verdict in (Verdict.FAILED, Verdict.NOT_RUN)]
    # orders are made within the request here, so that hardly any can be cancelled, or asked after too early
    assert {each.id for each in wrong} <= {"T-CAN-1", "B9-117", "T-DRA-1", "T-CAN-2"}, wrong
    assert {each.verdict for each in wrong} <= {Verdict.NOT_RUN}
    assert found["T-SUB-3"].text == "refused: SUBSCRIPTION_ORDER, TASKING_ORDER"
    absent = ("T-QUO-1", "T-QUO-4", "T-SUB-6", "T-SUB-7", "T-SUB-8", "T-ASY-1", "T-CAN-2", "B11-notify")
    assert {found[name].verdict for name in absent} == {Verdict.NOT_APPLICABLE}
    assert {found[name].verdict for name in ("T-SUB-4", "B9-address")} <= {Verdict.PASSED, Verdict.NOT_RUN}


# --- what is wrong must be found --------------------------------------------------------------------------

_ENVELOPE = '<s:Envelope xmlns:s="{}"><s:Body>{}</s:Body></s:Envelope>'
_SUCCESS = "<status>success</status>"
_ID = "urn:uuid:11111111-1111-4111-8111-111111111111"
_ANSWERS = {
    "GetCapabilities": '<Capabilities {} version="1.0.0"/>',
    "GetOptions": f"<GetOptionsResponse {{}}>{_SUCCESS}</GetOptionsResponse>",
    "GetQuotation": f"<GetQuotationAck {{}}>{_SUCCESS}<quotationId>{_ID}</quotationId></GetQuotationAck>",
    "Submit": f"<SubmitAck {{}}>{_SUCCESS}<orderId>{_ID}</orderId></SubmitAck>",
    "GetStatus": f"<GetStatusResponse {{}}>{_SUCCESS}</GetStatusResponse>",
    "DescribeResultAccess": f"<DescribeResultAccessResponse {{}}>{_SUCCESS}</DescribeResultAccessResponse>",
    "Cancel": f"<CancelAck {{}}>{_SUCCESS}</CancelAck>",
}


def obliging(asked: Passing, answer: Passing) -> Passing:
    """Answer with success whatever is asked."""
    if not answer.is_fault:
        return answer
    payload = _ANSWERS.get(asked.name, _ANSWERS["Cancel"]).format(f'xmlns="{OSEO}"')
    version = soap.version_of(answer.content_type, answer.body).value
    return replace(answer, name="", body=_ENVELOPE.format(version, payload).encode(), status=200)


def forgetful(asked: Passing, answer: Passing) -> Passing:
    """Refuse whatever is asked."""
    fault = soap.fault(soap.BadMessage("no"), soap.SoapVersion.V12)
    return replace(answer, name="Fault", body=fault, status=400)


def answering(pattern: str, new: str, *, to: str = ""):
    """Return a change of what is answered (to one operation)."""

    def change(asked: Passing, answer: Passing) -> Passing:
        if to and asked.name != to:
            return answer
        return replace(answer, body=re.sub(pattern, new, answer.body.decode(), flags=re.DOTALL).encode())

    return Wrong(answer=change)


def asking(pattern: str, new: str):
    """Return a change of what the server gets to see."""

    def change(passing: Passing) -> Passing:
        return replace(passing, body=re.sub(pattern, new, passing.body.decode(), flags=re.DOTALL).encode())

    return Wrong(request=change)


def calling(pattern: str, new: str):
    """Return a change of what the server calls with."""

    def change(passing: Passing) -> Passing:
        return replace(passing, body=re.sub(pattern, new, passing.body.decode(), flags=re.DOTALL).encode())

    return Wrong(call=change)


def coded(code: str, other: str = "Strange"):
    return answering(f'exceptionCode="{code}"', f'exceptionCode="{other}"')


def with_status(status: int):
    return Wrong(answer=lambda asked, answer: replace(answer, status=status) if answer.is_fault else answer)


def unsorted(asked: Passing, answer: Passing) -> Passing:
    """Let the middle one of three orders be the oldest."""
    times = re.findall(r"<orderDateTime>(.*?)</orderDateTime>", answer.body.decode())
    if len(times) < 3:
        return answer
    return replace(answer, body=answer.body.replace(times[1].encode(), b"1999-01-01T00:00:00Z"))


def brief_lacks(asked: Passing, answer: Passing) -> Passing:
    if b"<orderItem>" in answer.body:
        return answer
    return replace(answer, body=re.sub(rb"<orderReference>.*?</orderReference>", b"", answer.body))


OBLIGING = Wrong(answer=obliging)
FORGETFUL = Wrong(answer=forgetful)
NO_RELATION = calling(r"(<wsa:RelatesTo[^>]*>)[^<]*", r"\1urn:another")
_URL = (
    "<URLs><itemId>item 77</itemId><itemAddress><ResourceAddress><URL>http://localhost/x</URL>"
    "</ResourceAddress></itemAddress></URLs>"
)

#: Check, and what makes a right server fail it.
WRONG = [
    ("T-CAP-1", answering(r'(<Capabilities[^>]*) version="1.0.0"', r"\1")),
    ("T-CAP-2", answering(r'<ows:Operation name="GetStatus">.*?</ows:Operation>', "")),
    ("T-CAP-2", answering(r'<ows:Operation name="Cancel">.*?</ows:Operation>', "")),
    ("T-CAP-3", answering('full="true"', 'full="false"')),
    ("T-CAP-4", answering("<ContentsType>.*</ContentsType>", "")),
    ("T-CAP-5", OBLIGING),
    ("B1-2", OBLIGING),
    ("B1-sections", asking(">Contents<", ">OperationsMetadata<")),
    ("B1-sequence", asking(r' updateSequence="[^"]*"', "")),
    ("B1-languages", FORGETFUL),
    (
        "B1-flags",
        answering(
            '<GetQuotationCapabilities supported="true"', '<GetQuotationCapabilities supported="false"'
        ),
    ),
    ("T-OPT-1", answering("<productDeliveryOptions>.*?</productDeliveryOptions>", "")),
    ("T-OPT-2", answering("<identifier>SCENE_.<", "<identifier>SCENE_Z<", to="GetOptions")),
    ("T-OPT-3", answering(">SUBSCRIPTION_ORDER<", ">PRODUCT_ORDER<", to="GetOptions")),
    ("T-OPT-4", answering(">TASKING_ORDER<", ">PRODUCT_ORDER<", to="GetOptions")),
    ("T-OPT-5", coded("UnsupportedCollection")),
    ("B2-1", answering("<identifier>SCENE_B<", "<identifier>SCENE_A<", to="GetOptions")),
    ("B2-choice", OBLIGING),
    ("B2-4", answering("(<productOrderOptionsId>)subscription<", r"\1standard<", to="GetOptions")),
    ("B2-5", answering('name="format"', 'name="Format"', to="GetOptions")),
    ("T-QUO-1", answering("<itemId>item 2<", "<itemId>item 9<", to="GetQuotation")),
    ("T-QUO-2", NO_RELATION),
    ("T-QUO-3", answering("<quotationId>urn:uuid:.{8}", "<quotationId>urn:uuid:00000000", to="GetQuotation")),
    ("T-QUO-4", answering("<quotationId>urn:uuid:.{8}", "<quotationId>urn:uuid:00000000", to="GetQuotation")),
    ("T-SUB-6", answering("<itemId>item 2<", "<itemId>item 9<", to="GetStatus")),
    ("B3-unknown", OBLIGING),
    ("B3-choice", OBLIGING),
    ("T-SUB-1", answering("<orderId>urn:uuid:.{8}", "<orderId>urn:uuid:00000000", to="Submit")),
    ("T-SUB-2", answering(r"(<[\w:]*format>)GeoTIFF<", r"\1COG<", to="GetStatus")),
    ("T-SUB-3", answering('<SubscriptionOrders supported="true"', '<SubscriptionOrders supported="false"')),
    ("T-SUB-4", coded("InvalidNotificationValue")),
    ("T-SUB-5", coded("InvalidParameterValue")),
    ("T-SUB-7", answering(">SUBSCRIPTION_ORDER<", ">PRODUCT_ORDER<", to="GetStatus")),
    ("T-SUB-8", answering("<ID>[^<]*<", "<ID>urn:another<", to="GetStatus")),
    ("B5-1", answering(r"<orderStatusInfo><status>\w+<", "<orderStatusInfo><status>Failed<")),
    ("B5-2", OBLIGING),
    ("B5-3", answering('locator="noSuchOptionAnywhere"', "")),
    ("B5-4", answering('localOrderOptions="true"', 'localOrderOptions="false"')),
    ("B5-5", answering('maxNumberOfProducts="40"', 'maxNumberOfProducts="5"')),
    ("B5-7", answering('locator="orderType"', 'locator="orderItem"')),
    ("B5-8", OBLIGING),
    ("B5-group", OBLIGING),
    ("B5-collection", coded("UnsupportedCollection")),
    ("B5-echo", answering("<extension>[^<]*</extension>", "", to="GetStatus")),
    (
        "B9-subscription",
        replace(asking("(<Cancel .*<orderId>urn:uuid:).{8}", r"\g<1>00000000"), answer=obliging),
    ),
    (
        "F-secrets",
        answering("</serverAddress>", "</serverAddress><userPassword>kept-to-itself</userPassword>"),
    ),
    ("B5-encoding", asking(">TextEncoding<", ">XMLEncoding<")),
    ("T-STA-1", asking("<presentation>full<", "<presentation>brief<")),
    ("T-STA-1", asking("<presentation>brief<", "<presentation>full<")),
    ("T-STA-2", asking("<lastUpdate>[^<]*</lastUpdate>", "")),
    ("T-STA-2", asking("<lastUpdateEnd>[^<]*</lastUpdateEnd>", "")),
    ("T-STA-3", asking("<orderStatus>[^<]*</orderStatus>", "")),
    ("T-STA-4", Wrong(answer=unsorted)),
    ("T-STA-5", coded("InvalidOrderIdentifier")),
    ("T-STA-5b", OBLIGING),
    ("B7-brief", Wrong(answer=brief_lacks)),
    ("B7-items", answering("<itemId>item 2<", "<itemId>item 1<", to="GetStatus")),
    ("B7-none", asking("<orderReference>no such reference</orderReference>", "")),
    ("B7-choice", OBLIGING),
    ("T-DRA-1", answering("</status>", f"</status>{_URL}", to="DescribeResultAccess")),
    ("T-DRA-2", asking(">nextReady<", ">allReady<")),
    ("B8-all", answering("<itemId>item ", "<itemId>thing ", to="DescribeResultAccess")),
    ("B8-fetch", answering("/files/", "/lost/", to="DescribeResultAccess")),
    ("B8-unknown", coded("InvalidOrderIdentifier")),
    ("B8-choice", OBLIGING),
    ("T-ASY-1", NO_RELATION),
    ("T-ASY-1", calling("<orderItem>.*</orderItem>", "")),
    ("B6-final", asking("<statusNotification>Final<", "<statusNotification>All<")),
    ("B6-none", asking("(ReplyTo.*)<statusNotification>None<", r"\1<statusNotification>Final<")),
    ("B6-order", Wrong(are_calls_reversed=True)),
    ("B11-notify", calling("urn:uuid:.{8}", "urn:uuid:00000000")),
    ("B11-refuse", OBLIGING),
    ("B9-113", coded("InvalidOrderIdentifier", "OperationNotSupported")),
    ("B9-114", OBLIGING),
    ("T-CAN-1", replace(asking("(<Cancel .*<orderId>urn:uuid:).{8}", r"\g<1>00000000"), answer=obliging)),
    ("B9-117", answering(">success<", ">partial<", to="Cancel")),
    ("T-CAN-2", NO_RELATION),
    ("B9-unknown", coded("InvalidOrderIdentifier")),
    ("B9-final", OBLIGING),
    ("B9-address", coded("InvalidNotificationValue")),
    ("A2-1", Wrong(answer=lambda asked, answer: replace(answer, content_type="text/plain"))),
    ("A2-2", with_status(200)),
    ("A2-3", answering("s:(Sender|Client)<", "s:Receiver<")),
    ("A3-1", OBLIGING),
    ("A4-1", OBLIGING),
    ("A4-2", OBLIGING),
    ("A4-3", OBLIGING),
    (
        "T-ENC-1",
        answering("http://www.opengis.net/ows/2.0", "http://www.opengis.net/ows/1.1", to="GetStatus"),
    ),
    ("T-ENC-2", answering('full="true"', 'full="perhaps"')),
]
#: What a check of the whole run needs to have been asked before it.
BEFORE = {"T-ENC-1": ("T-STA-5",), "T-ENC-2": ("T-CAP-1",)}


@pytest.fixture(scope="module")
def wrong_server(server):
    wrong = WrongServer(server.soap)
    yield wrong
    wrong.close()


@pytest.mark.parametrize(
    ("name", "wrong"), WRONG, ids=[f"{name}-{number}" for number, (name, _) in enumerate(WRONG)]
)
def test_what_is_wrong_is_found(name, wrong, wrong_server, subject, outcomes, validity):
    mutated = subject_of(wrong_server.url, validity, replace(PLAN, wait=4, quiet=0.5))
    # what a right server said is known already, so that only what the check itself asks goes wrong
    mutated._products = subject._products
    mutated.__dict__["completed"] = subject.completed
    if name.startswith(("T-QUO", "T-SUB", "B5", "B6", "T-ASY", "T-CAN", "B9", "T-STA", "T-DRA", "B11")):
        mutated._options = subject._options
    wrong_server.wrong, wrong_server.held = wrong, []
    wrong_server.listener = mutated.listener.url
    checks = [BY_ID[each] for each in (*BEFORE.get(name, ()), name)]
    try:
        (*_, outcome) = run(mutated, checks)
    finally:
        wrong_server.wrong = Wrong()
        mutated.listener.close()
        mutated.probe.close()
        mutated.stranger.close()
    assert outcome.verdict is Verdict.FAILED, outcome


def test_every_check_can_fail():
    assert {name for name, _ in WRONG} == BY_ID.keys()


def test_who_does_not_say_who_he_is_learns_that_he_must(server, validity):
    nobody = Subject(Probe(server.soap, None, validity), Plan(collection="scenes", products=("SCENE_A",)))
    found = {each.id: each for each in run(nobody)}
    nobody.close()
    failed = [each for each in found.values() if each.verdict is Verdict.FAILED]
    assert failed == []
    assert (found["T-CAP-1"].verdict, found["T-OPT-1"].verdict) == (Verdict.PASSED, Verdict.NOT_RUN)
    assert "--user" in found["T-OPT-1"].text


# --- the command ------------------------------------------------------------------------------------------


@pytest.fixture
def command(server, tmp_path, monkeypatch, capsys):
    """Return a runner of ``oseo-lab conformance``: exit code, stdout, stderr."""

    def run_it(*more: str, url: str = server.soap) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["oseo-lab", "conformance", url, *more])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run_it


@pytest.fixture
def as_anna(tmp_path):
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    return ("--user", "anna", "--password-file", str(password))


def test_the_command_prints_the_table(command, as_anna):
    code, said, beside = command(*as_anna, "--only", "T-CAP-1", "--only", "T-ASY-1")
    assert code == 3, beside
    rows = [line.split("\t") for line in said.splitlines()]
    assert [(row[0], row[3]) for row in rows] == [("T-CAP-1", "passed"), ("T-ASY-1", "not run")]
    assert "--listen" in rows[1][4]
    assert "1 passed, 1 not run" in beside
    assert PASSWORD not in said + beside


def test_the_command_writes_json_and_says_when_nothing_is_wrong(command, as_anna):
    code, said, _ = command(*as_anna, "--json", "--only", "T-CAP-3")
    assert code == 0
    (found,) = json.loads(said)
    assert (found["id"], found["verdict"]) == ("T-CAP-3", "passed")


def test_the_command_fails_where_a_check_does(server, command):
    wrong = WrongServer(server.soap)
    wrong.wrong = OBLIGING
    try:
        code, said, _ = command("--only", "T-CAP-5", url=wrong.url)
    finally:
        wrong.close()
    assert code == 1
    assert "failed" in said


@pytest.mark.parametrize(
    "wrong",
    [
        ("--only", "T-NO-1"),
        ("--listen", "8080"),
        ("--identity", "guess"),
        ("--other-user", "bob"),
        ("--schemas", "/nonexistent"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(wrong, command, as_anna):
    code, _, beside = command(*as_anna, *wrong)
    assert code in (1, 2) and beside
