"""Quotations in the client: waiting, showing, limits, ordering once; over a transport without a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from oseo_lab.client.lab import Lab
from oseo_lab.client.quote import Quotation
from oseo_lab.client.transport import InProcessTransport
from oseo_lab.model.errors import NotSupported, OseoError, ValidationError, WaitTimeout
from oseo_lab.model.estimates import Estimate
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import (
    GetQuotation,
    GetQuotationAck,
    GetStatus,
    GetStatusResponse,
    ResponseStatus,
    Submit,
    SubmitAck,
)
from oseo_lab.model.order import Order, OrderSpecification, StatusInfo
from oseo_lab.model.quotation import ItemGroupPrice, ItemPrice, Price, ProviderName, Reusable
from oseo_lab.model.quotation import Quotation as Record
from oseo_lab.model.status import Status

LATER = GetQuotationAck(quotation_id="urn:q")
SOON = datetime.now(UTC) + timedelta(days=3)


def item(name: str, price: float | None, **more) -> ItemPrice:
    paid = None if price is None else Price(value=price, currency="EUR")
    return ItemPrice(item_id=name, identifier=ProductId(identifier=name), price=paid, **more)


def group(price: float, *items: ItemPrice, currency: str = "EUR", **more) -> ItemGroupPrice:
    provider = ProviderName(service_name="<lab>", organization="lab")
    return ItemGroupPrice(provider=provider, price=Price(value=price, currency=currency), items=items, **more)


def ready(*groups: ItemGroupPrice, total: float | None = None, until=SOON, **more) -> GetQuotationAck:
    price = None if total is None else Price(value=total, currency="EUR")
    record = Record(quotation_id="urn:q", groups=groups, price=price, validity_time=until, **more)
    return GetQuotationAck(quotation=record)


class Answering:
    """A service that answers GetQuotation with these, one after the other, the last again and again."""

    def __init__(self, *answers: GetQuotationAck | OseoError) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[object, str | None]] = []

    def __call__(self, request, message_id):
        self.requests.append((request, message_id))
        if isinstance(request, Submit):
            return SubmitAck(order_id="urn:uuid:00000000-0000-4000-8000-000000000001")
        if isinstance(request, GetStatus):
            status = StatusInfo(status=Status.ACCEPTED)
            order = Order(order_id=str(request.order_id), specification=OrderSpecification(), status=status)
            return GetStatusResponse(orders=(order,))
        assert isinstance(request, GetQuotation)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OseoError):
            raise answer
        return answer


def quotation(service: Answering) -> Quotation:
    return Quotation.asked(Lab(InProcessTransport(service)), OrderSpecification())


CHEAP = ready(group(7.5, item("a", 5.0), item("b", 2.5)), total=7.5)


def test_one_that_takes_its_time_is_asked_for_by_its_id_until_it_is_there() -> None:
    service = Answering(LATER, LATER, LATER, CHEAP)
    found = quotation(service)
    assert repr(found) == "Quotation('urn:q', not ready yet: quotation.wait())"
    assert "not ready yet" in found._repr_html_()
    assert found.wait("30 s") is found
    assert [request.quotation_id for request, _ in service.requests] == [None, "urn:q", "urn:q", "urn:q"]
    assert found.refresh().price == Price(value=7.5, currency="EUR")
    assert len(service.requests) == 4


def test_waiting_ends_in_time_and_with_what_went_wrong() -> None:
    with pytest.raises(WaitTimeout, match="urn:q is not ready"):
        quotation(Answering(LATER)).wait(0)
    with pytest.raises(OseoError, match="embargoed"):
        quotation(Answering(LATER, OseoError("embargoed"))).wait(30)


def test_it_says_price_items_size_time_and_validity() -> None:
    size, duration = Estimate(low=7e7, typical=8e7, high=9e7), Estimate(low=60, typical=90, high=300)
    found = quotation(Answering(ready(group(5, item("a", 5.0)), total=5, size=size, duration=duration)))
    said = repr(found)
    assert said.startswith(
        "Quotation(5.00 EUR, 1 item, about 80 MB (70 MB to 90 MB), 90 s of work (60 s to 5 min), valid until"
    )
    assert (found.size, found.duration, found.is_lapsed) == (size, duration, False)


def test_card_escapes_and_shows_every_group_its_balance_and_what_is_left_out() -> None:
    left = Price(value=2.0, currency="QUOTA")
    groups = (
        group(3, item("<a>", 3.0, price_information="1 + 2")),
        group(4, item("b", None), currency="QUOTA", balance=left, contract_information="no & never"),
    )
    answer = ready(*groups)
    partial = GetQuotationAck(
        quotation=answer.quotation, status=ResponseStatus.PARTIAL, error_message="not quoted: c"
    )
    found = quotation(Answering(partial))
    assert found.price is None
    assert "3.00 EUR and 4.00 QUOTA" in repr(found)
    assert "not quoted: c" in repr(found)
    html = found._repr_html_()
    for text in (
        "&lt;a&gt;",
        "&lt;lab&gt;",
        "which leaves 2.00 QUOTA",
        "no &amp; never",
        "in the group",
        "1 + 2",
    ):
        assert text in html
    assert "<a>" not in html
    with pytest.raises(ValidationError, match="is not one price"):
        found.submit(max_price=100)


def test_lapsed_one_says_so() -> None:
    old = datetime(2020, 1, 1, tzinfo=UTC)
    found = quotation(Answering(ready(group(1, item("a", 1.0)), total=1, until=old)))
    assert found.is_lapsed
    assert "lapsed 2020-01-01 00:00:00 UTC" in repr(found)


def test_one_that_never_lapses_says_nothing_of_it() -> None:
    found = quotation(Answering(ready(group(1, item("a", 1.0)), total=1, until=None)))
    assert not found.is_lapsed
    assert "valid" not in repr(found)


def test_ordering_it_again_says_the_same_to_the_service() -> None:
    service = Answering(CHEAP)
    found = quotation(service)
    first, second = found.submit(), found.submit(max_price=7.5)
    assert first.id == second.id
    sent = [(request, name) for request, name in service.requests if isinstance(request, Submit)]
    assert sent[0] == sent[1]
    assert sent[0][0] == Submit(quotation_id="urn:q")
    assert sent[0][1]


def test_price_above_the_limit_is_not_even_sent() -> None:
    service = Answering(CHEAP)
    with pytest.raises(ValidationError, match=r"costs 7.50 EUR, and max_price is 7"):
        quotation(service).submit(max_price=7)
    assert len(service.requests) == 1


def test_where_there_is_no_json_api_lists_and_balances_say_so() -> None:
    lab = Lab(InProcessTransport(Answering(CHEAP)))
    assert lab.quotations["urn:q"].price == Price(value=7.5, currency="EUR")
    for ask in (lambda: list(lab.quotations), lambda: lab.balances):
        with pytest.raises(NotSupported):
            ask()


def test_where_a_person_answers_nobody_is_asked_for_variants() -> None:
    service = Answering(LATER, CHEAP)
    found = quotation(service).wait(5)
    asked = len(service.requests)
    assert found.cheaper() == [] and len(service.requests) == asked


def test_card_says_what_there_is_to_pay_from_what_is_kept_and_who_must_look() -> None:
    left = Price(value=76.0, currency="EUR")
    delivered = datetime.now(UTC) - timedelta(days=2)
    kept = Reusable(order_id="urn:o", name="lake <garda>", delivered=delivered)
    groups = (group(12, item("a", 6.0), item("b", 6.0, reuse=kept), balance=left),)
    less = Price(value=6.0, currency="EUR")
    found = quotation(Answering(ready(*groups, total=12, price_reusing=less, needs_approval=True)))
    html = found._repr_html_()
    for text in (
        "2 items · 12.00 EUR of 88.00 · ",
        "already delivered 2 days ago in lake &lt;garda&gt; → reuse: 0",
        "<td>reusing 1</td><td>6.00 EUR</td>",
        "needed: an operator looks at the order",
        "<code>quote.submit(reuse=True)</code> (reusing 1)",
    ):
        assert text in html
    assert "lake <garda>" not in html
    free = quotation(Answering(ready(group(0, item("a", 0.0)), total=0, needs_approval=False)))
    assert "not needed" in free._repr_html_() and "reuse=True" not in free._repr_html_()


def test_submitting_with_reuse_orders_a_quotation_that_counts_on_it_once() -> None:
    service = Answering(CHEAP)
    found = quotation(service)
    found.submit(reuse=True)
    found.submit(reuse=True)
    asked = [each.specification for each, _ in service.requests if isinstance(each, GetQuotation)]
    assert [each.extensions for each in asked] == [(), ("reuse=true",)]
    assert found.reusing().is_reusing and not found.is_reusing
    assert not found.reusing(False).is_reusing
