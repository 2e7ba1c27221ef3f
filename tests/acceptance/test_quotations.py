"""Quotations over a live service: the four modes, ordering by them, balances drawn and given back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

import oseo_lab
from oseo_lab.encoding import oseo, soap
from oseo_lab.encoding.callbacks_xml import decode_callback
from oseo_lab.model.errors import Conflict, OseoError, ValidationError, WaitTimeout
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import (
    GetQuotation,
    GetQuotationAck,
    GetQuotationResponse,
    GetStatus,
    Presentation,
    ResponseStatus,
    Submit,
)
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from tests.acceptance.serving import TOKEN, Server
from tests.acceptance.test_walk import COLLECTION, write_scene
from tests.official import complaints
from tests.receivers import receiving

V12 = soap.SoapVersion.V12
TARIFFS = {
    "scenes": '[quotation]\ncurrency = "QUOTA"\nitem = 3\noptions.format = {COG = 2}\norder = 1\n',
    "slow": '[quotation]\nmode = "monitoring"\nitem = 4\ncurrency = "CREDIT"\n',
    "by_hand": '[quotation]\nuse = "by_hand"\n',
    "unpriced": "",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quotations")
    scenes = folder / "collections" / "scenes"
    scenes.mkdir(parents=True)
    (folder / "data").mkdir()
    for name, tariff in TARIFFS.items():
        text = COLLECTION.format(scope="item").replace('id = "scenes"', f'id = "{name}"')
        (folder / "collections" / f"{name}.toml").write_text(f"{text}\n{tariff}")
    for name in ("SCENE_A", "SCENE_B", "SCENE_BROKEN"):
        write_scene(scenes / f"{name}.tif", size=32)
    broken = scenes / "SCENE_BROKEN.tif"
    broken.write_bytes(broken.read_bytes()[:300])
    server = Server(
        folder / "data", collections=folder / "collections", executor="inline", callback_hosts="127.0.0.1"
    )
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def lab(server):
    with oseo_lab.connect(server.url, TOKEN) as lab:
        yield lab


def specification(*items: tuple[str, str], **options: str) -> OrderSpecification:
    return OrderSpecification(
        items=tuple(
            ItemSpecification(
                item_id=f"{name}-{number}",
                identifier=ProductId(identifier=name, collection_id=collection),
                options=(ParameterData(values=tuple(options.items())),) if options else (),
            )
            for number, (name, collection) in enumerate(items)
        )
    )


def answered(server: Server, message: object, shared: Path, **headers: str):
    """Send a SOAP message; return what it was answered, a fault as problems."""
    response = server.post(soap.request_envelope(oseo.encode_request(message), V12, **headers))
    assert complaints(shared, response.content) == []
    opened = soap.open_envelope(response.content)
    return soap.read_fault(opened.payload) or oseo.decode_response(opened.payload)


def put_balance(lab, value: float | None, currency: str = "QUOTA") -> None:
    lab.transport.ask("PUT", f"balances/{lab.owner}/{currency}", body={"value": value})


def fault_of(found) -> tuple[str, str | None]:
    (problem,) = found
    return problem.code, problem.locator


def test_synchronous_quotation_comes_with_the_acknowledgement_and_is_ordered_once(server, shared):
    asked = GetQuotation(
        specification=specification(("SCENE_A", "scenes"), ("SCENE_B", "scenes"), format="COG")
    )
    ack = answered(server, asked, shared, message_id=uuid4().urn)
    assert ack.status is ResponseStatus.SUCCESS
    quotation = ack.quotation
    assert (quotation.price.value, quotation.price.currency) == (11, "QUOTA")
    (group,) = quotation.groups
    assert [each.price.value for each in group.items] == [5, 5]
    assert group.provider.service_name
    assert group.validity_time == quotation.validity_time

    submit = Submit(quotation_id=quotation.quotation_id)
    message_id = uuid4().urn
    first = answered(server, submit, shared, message_id=message_id)
    again = answered(server, submit, shared, message_id=message_id)
    assert again.order_id == first.order_id
    refused = answered(server, submit, shared, message_id=uuid4().urn)
    assert fault_of(refused) == ("InvalidParameterValue", "quotationId")
    assert first.order_id in refused[0].text or refused[0].text == "Invalid value for Parameter"
    status = answered(server, GetStatus(order_id=first.order_id, presentation=Presentation.FULL), shared)
    assert [each.specification for each in status.orders[0].items] == list(asked.specification.items)


def test_anonymous_reply_to_wants_the_answer_in_the_acknowledgement(server, shared):
    asked = GetQuotation(specification=specification(("SCENE_A", "scenes")))
    anonymous = "http://www.w3.org/2005/08/addressing/anonymous"
    ack = answered(server, asked, shared, message_id=uuid4().urn, reply_to=anonymous)
    assert (ack.quotation.price.value, ack.quotation.price.currency) == (6.0, "QUOTA")


def test_asynchronous_quotation_is_sent_to_whom_asked_and_can_be_asked_for(server, shared):
    asked = GetQuotation(specification=specification(("SCENE_A", "scenes"), ("SCENE_B", "unpriced")))
    message_id = uuid4().urn
    with receiving() as receiver:
        ack = answered(server, asked, shared, message_id=message_id, reply_to=receiver.url)
        assert ack.quotation is None
        (request,) = receiver.wait(1)
    assert complaints(shared, request.body) == []
    envelope = soap.open_envelope(request.body, content_type=request.headers["Content-Type"])
    message = decode_callback(envelope.payload)
    assert isinstance(message, GetQuotationResponse)
    assert envelope.relates_to == message_id
    assert message.quotation.quotation_id == ack.quotation_id
    assert message.status is ResponseStatus.PARTIAL
    assert "unpriced has no quotations" in message.error_message
    polled = answered(server, GetQuotation(quotation_id=ack.quotation_id), shared)
    assert polled.quotation == message.quotation
    ordered = answered(server, Submit(quotation_id=ack.quotation_id), shared)
    status = answered(server, GetStatus(order_id=ordered.order_id, presentation=Presentation.FULL), shared)
    assert [each.specification.item_id for each in status.orders[0].items] == ["SCENE_A-0"]


def test_address_that_nobody_can_be_told_at_is_refused(server, shared):
    asked = GetQuotation(specification=specification(("SCENE_A", "scenes")))
    refused = answered(server, asked, shared, message_id=uuid4().urn, reply_to="mailto:me@example.org")
    assert fault_of(refused) == ("InvalidNotificationValue", "ws-address")


def test_quotation_that_takes_its_time_is_polled_until_it_is_there(lab):
    quotation = lab.order("SCENE_A", collection="slow").quote()
    assert not quotation.is_ready
    assert "not ready yet" in repr(quotation)
    with pytest.raises(OseoError, match=r"wait\(\)"):
        _ = quotation.price
    assert quotation.wait(30).price.value == 4
    assert "4.00 CREDIT" in repr(quotation)
    assert lab.quotations[quotation.id].price == quotation.price
    assert quotation.id in [each.quotation_id for each in lab.quotations]


def test_person_answers_what_only_a_person_can_price(lab, server, shared):
    quotation = lab.order(["SCENE_A", "SCENE_B"], collection="by_hand").quote()
    with pytest.raises(WaitTimeout):
        quotation.wait(0.01)
    refused = answered(server, Submit(quotation_id=quotation.id), shared)
    assert fault_of(refused) == ("InvalidParameterValue", "quotationId")
    (waiting,) = lab.quotations.records(waiting=True)
    assert waiting.quotation_id == quotation.id
    path = f"quotations/{UUID(quotation.id)}/answer"
    with pytest.raises(ValidationError) as caught:
        lab.transport.ask("POST", path, body={"currency": "X" * 20, "item_prices": {"nobody": -1.0}})
    assert {each.locator for each in caught.value.problems} == {"currency", "item_prices", "price"}
    answer = {"price": 12.5, "item_prices": {"SCENE_A": 10.0}, "contract_information": "by phone"}
    lab.transport.ask("POST", path, body=answer)
    with pytest.raises(Conflict):
        lab.transport.ask("POST", path, body=answer)
    quotation.wait(30)
    assert (quotation.price.value, quotation.price.currency) == (12.5, "EUR")
    assert [each.price and each.price.value for each in quotation.items] == [10, None]
    assert quotation.groups[0].provider.organization
    assert quotation.submit().id == quotation.submit().id


def test_person_may_refuse_and_asking_then_faults(lab, server, shared):
    quotation = lab.order("SCENE_A", collection="by_hand").quote()
    lab.transport.ask("POST", f"quotations/{UUID(quotation.id)}/answer", body={"problem": "embargoed"})
    with pytest.raises(OseoError, match="embargoed"):
        quotation.wait(30)
    found = answered(server, GetQuotation(quotation_id=quotation.id), shared)
    assert fault_of(found) == ("NoApplicableCode", None)


def test_what_is_quoted_nowhere_is_refused_by_name(lab):
    with pytest.raises(OseoError) as caught:
        lab.order("SCENE_A", collection="unpriced").quote()
    assert (caught.value.code, caught.value.locator) == ("OperationNotSupported", "GetQuotation")
    assert "quoted are: by_hand, scenes, slow" in caught.value.text


def test_order_is_checked_as_submit_checks_it(server, shared):
    asked = GetQuotation(
        specification=specification(("SCENE_A", "scenes"), ("nowhere", "scenes"), format="BMP")
    )
    found = answered(server, asked, shared)
    assert {(each.code, each.locator) for each in found} == {
        ("InvalidParameterValue", "format"),
        ("InvalidParameterValue", "identifier"),
    }


@pytest.mark.parametrize("identifier", ["urn:uuid:00000000-0000-4000-8000-000000000009", "urn:somebody:else"])
def test_unknown_quotation_is_refused_alike_by_both_operations(server, shared, identifier):
    for message in (GetQuotation(quotation_id=identifier), Submit(quotation_id=identifier)):
        assert fault_of(answered(server, message, shared)) == ("InvalidParameterValue", "quotationId")


def test_balance_is_drawn_and_what_failed_is_given_back(lab, server, shared):
    put_balance(lab, 20)
    try:
        draft = lab.order(["SCENE_A", "SCENE_BROKEN"], name="drawn", collection="scenes", format="PNG")
        quotation = draft.quote()
        assert quotation.price.value == 7
        assert quotation.groups[0].balance.value == 13
        order = quotation.submit(max_price=7)
        charges = lab.transport.ask("GET", f"orders/{order.id}/charges")["charges"]
        assert sum(each["amount"] for each in charges) == 7  # also what a quick failure has given back
        order.wait(60)
        assert [each.specification.item_id for each in order.failed] == ["SCENE_BROKEN"]
        assert lab.balances["QUOTA"] == 16.5  # its half of the fee too
        assert [(each.value, each.currency) for each in order.cost()] == [(3.5, "QUOTA")]
        ack = answered(server, GetQuotation(specification=draft.request().specification), shared)
        assert isinstance(ack, GetQuotationAck)
        assert ack.quotation.groups[0].balance.value == 9.5
    finally:
        put_balance(lab, None)
    assert "QUOTA" not in lab.balances


def test_order_without_quotation_draws_what_it_costs_now_or_is_refused_whole(lab):
    put_balance(lab, 6)
    try:
        before = len(list(lab.orders))
        dear = lab.order(["SCENE_A", "SCENE_B"], collection="scenes", format="PNG")
        with pytest.raises(Conflict) as caught:
            dear.submit()
        assert caught.value.locator == "payment"
        assert "6 QUOTA does not suffice: 7 QUOTA" in caught.value.text
        with pytest.raises(ValidationError, match="GetQuotation first"):
            lab.order("SCENE_A", collection="slow").submit()
        assert len(list(lab.orders)) == before
        assert lab.balances["QUOTA"] == 6
        lab.order("SCENE_A", collection="scenes", format="PNG").submit(again=True)
        assert lab.balances["QUOTA"] == 2
        lab.order("SCENE_A", collection="unpriced").submit(again=True)
        assert lab.balances["QUOTA"] == 2
    finally:
        put_balance(lab, None)


def test_what_was_delivered_teaches_later_quotations(lab):
    lab.order("SCENE_B", collection="scenes", format="PNG").submit(again=True).wait(60)
    quotation = lab.order("SCENE_A", collection="scenes", format="PNG").quote()
    assert 0 < quotation.size.low <= quotation.size.typical <= quotation.size.high
    assert 0 < quotation.duration.low <= quotation.duration.typical <= quotation.duration.high
    assert "estimates are of the last" in quotation.items[0].price_information
    assert "about" in repr(quotation)
    html = quotation._repr_html_()
    for word in ("quotation", "SCENE_A", "QUOTA", "an item", "valid until"):
        assert word in html


def test_price_above_what_the_user_allows_orders_nothing(lab):
    quotation = lab.order("SCENE_A", collection="scenes").quote()
    with pytest.raises(ValidationError) as caught:
        quotation.submit(max_price=1)
    assert caught.value.locator == "max_price"
    assert all(each.order_id is None for each in lab.quotations if each.quotation_id == quotation.id)


def test_json_door_asks_and_shows_a_quotation(lab, server):
    asked = replace(specification(("SCENE_A", "scenes")), order_reference="json")
    made = lab.transport.ask("POST", "quotations", body=asked)
    uuid = UUID(made["quotation"]["quotation_id"])
    record = lab.transport.ask("GET", f"quotations/{uuid}")
    assert record["state"] == "ready"
    assert record["specification"]["order_reference"] == "json"
    with server.client as client:
        assert client.get(f"{server.url}oseo/api/v1/quotations/{uuid4()}").status_code == 404
