"""The doors of quotations and balances: whose they are, what operators alone may do."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from serving import Server, order

from oseo_lab.encoding import json_form
from oseo_lab.model.order import Callback, CallbackKind, StatusNotification
from oseo_lab.model.quotation import QuotationMode, QuotationRecord, QuotationState, new_quotation_id
from oseo_lab.wiring import Services

UNKNOWN = "00000000-0000-4000-8000-000000000009"
ALICE = ("alice", "alice's secret")
pytestmark = pytest.mark.usefixtures("accounts")


@pytest.fixture
def waiting(services: Services) -> QuotationRecord:
    """Bob's quotation, which a person answers."""
    specification = order("thing").specification
    assert specification is not None
    record = QuotationRecord(
        quotation_id=new_quotation_id(),
        owner="bobs team",
        specification=specification,
        state=QuotationState.WAITING,
        requested=services.dispatcher._now(),
        mode=QuotationMode.OFF_LINE,
        callback=Callback(
            kind=CallbackKind.QUOTATION_RESPONSE,
            policy=StatusNotification.FINAL,
            address="http://bob.example.org/",
            message_id="urn:1",
        ),
    )
    services.store.write(lambda work: work.quotations.add(record))
    return record


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/quotations"),
        ("POST", "/quotations"),
        ("GET", f"/quotations/{UNKNOWN}"),
        ("POST", f"/quotations/{UNKNOWN}/answer"),
        ("GET", "/balances"),
        ("PUT", "/balances/anna/EUR"),
    ],
)
def test_strangers_learn_nothing(server: Server, stranger: httpx.Client, method: str, path: str) -> None:
    assert stranger.request(method, f"{server.api}{path}", json={}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/quotations?waiting=1", None),
        ("POST", f"/quotations/{UNKNOWN}/answer", {"price": 1.0}),
        ("GET", "/balances?owner=local", None),
        ("PUT", "/balances/alice/EUR", {"value": 1e9}),
    ],
)
def test_what_operators_do_is_refused_to_others(server: Server, method: str, path: str, body) -> None:
    answer = httpx.request(method, f"{server.api}{path}", json=body, auth=ALICE)
    assert (answer.status_code, answer.json()["code"]) == (403, "AuthorizationFailed")


def test_quotation_is_its_owners_and_the_operators(
    server: Server, http: httpx.Client, waiting: QuotationRecord
) -> None:
    url = f"{server.api}/quotations/{UUID(waiting.quotation_id)}"
    assert httpx.get(url, auth=ALICE).status_code == 404
    bobs = httpx.get(url, auth=("bob", "bob's secret")).json()
    assert (bobs["quotation_id"], bobs["state"]) == (waiting.quotation_id, "waiting")
    assert http.get(url).json()["owner"] == "bobs team"
    listed = httpx.get(f"{server.api}/quotations", auth=("bob", "bob's secret")).json()["quotations"]
    assert waiting.quotation_id in [each["quotation_id"] for each in listed]
    assert httpx.get(f"{server.api}/quotations", auth=ALICE).json() == {"quotations": []}
    seen = http.get(f"{server.api}/quotations?waiting=true").json()["quotations"]
    assert waiting.quotation_id in [each["quotation_id"] for each in seen]


def test_answer_is_checked_whole_and_kept(
    server: Server, http: httpx.Client, services: Services, waiting: QuotationRecord
) -> None:
    url = f"{server.api}/quotations/{UUID(waiting.quotation_id)}/answer"
    wrong = http.post(url, json={"price": "much", "colour": 1})
    assert wrong.status_code == 422
    assert {each["locator"] for each in wrong.json()["problems"]} == {"price", "colour"}
    said = http.post(url, json={"problem": "not for sale"})
    assert (said.status_code, said.json()["state"]) == (202, "failed")
    with services.store.read() as snapshot:
        kept = snapshot.quotations.get(waiting.quotation_id)
    assert kept == replace(waiting, state=QuotationState.FAILED, problem="not for sale")
    assert http.post(url, json={"price": 1.0}).status_code == 409


def test_operator_sets_balances_and_their_owner_reads_them(
    server: Server, http: httpx.Client, services: Services
) -> None:
    set_ = http.put(f"{server.api}/balances/alice/QUOTA", json={"value": 12.5})
    assert set_.json() == {"balances": [{"owner": "alice", "currency": "QUOTA", "value": 12.5}]}
    assert httpx.get(f"{server.api}/balances", auth=ALICE).json() == set_.json()
    assert http.get(f"{server.api}/balances?owner=alice").json() == set_.json()
    with services.store.read() as snapshot:
        assert snapshot.balances.of("alice") == {"QUOTA": Decimal("12.5")}
    assert http.put(f"{server.api}/balances/alice/QUOTA", json={}).status_code == 422
    for nobody in ("alice/" + "X" * 11, "alice/%00", "alice/E%20R", "al%00ice/QUOTA", "x" * 256 + "/QUOTA"):
        assert http.put(f"{server.api}/balances/{nobody}", json={"value": 1.0}).status_code == 422
    assert http.put(f"{server.api}/balances/alice/QUOTA", json={"value": 1e300}).status_code == 422
    lifted = http.put(f"{server.api}/balances/alice/QUOTA", json={"value": None})
    assert lifted.json() == {"balances": []}


def test_what_is_not_quoted_is_refused_in_words(server: Server, http: httpx.Client) -> None:
    answer = http.post(f"{server.api}/quotations", content=json_form.encode(order().specification))
    assert (answer.status_code, answer.json()["code"]) == (501, "OperationNotSupported")
    assert answer.json()["locator"] == "GetQuotation"
