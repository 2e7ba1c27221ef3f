"""GetQuotation and Submit by quotation, over a real store, with quoters of these tests."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from oseo_lab.dispatch.quoting import Quoting, Seams
from oseo_lab.dispatch.sweeper import Sweeper
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import (
    Conflict,
    NotAuthorized,
    NotSupported,
    OseoError,
    QuotaExceeded,
    Unavailable,
    ValidationError,
)
from oseo_lab.model.messages import GetQuotation, ResponseStatus, Submit
from oseo_lab.model.order import ItemSpecification, Payment
from oseo_lab.model.quotation import (
    ItemGroupPrice,
    ItemPrice,
    Price,
    ProviderName,
    QuotationAnswer,
    QuotationMode,
    QuotationState,
)
from oseo_lab.operations import perform
from oseo_lab.operations.answer_quotation import answer_quotation
from oseo_lab.operations.get_quotation import get_quotation
from oseo_lab.operations.order_types import collection_for
from oseo_lab.ports import ProcessingFailed, QuoteRequest
from tests.operations.orders import COLLECTIONS, item, order

LAB = ProviderName(service_name="lab", organization="lab")
OPTICAL = item("a", "S2_1", "optical")
RADAR = ItemSpecification(
    item_id="r", identifier=replace(OPTICAL.identifier, identifier="S1_1", collection_id="radar")
)


class Fixed:
    """Every item costs the same; or nothing can be said."""

    def __init__(
        self, price: float = 2.0, mode=QuotationMode.SYNCHRONOUS, fails: ProcessingFailed | None = None
    ):
        self.price, self.mode, self.fails = price, mode, fails

    def __call__(self, request: QuoteRequest) -> list[ItemGroupPrice]:
        if self.fails is not None:
            raise self.fails
        price = Price(value=self.price, currency="EUR")
        items = tuple(
            ItemPrice(item_id=each.item_id, identifier=each.identifier, price=price) for each in request.items
        )
        total = Price(value=self.price * len(items), currency="EUR")
        until = request.now + timedelta(days=1)
        return [ItemGroupPrice(provider=LAB, price=total, items=items, validity_time=until)]


class Service:
    """Contexts of a service whose collections have these quoters, and what makes its quotations."""

    def __init__(self, context, store, clock, quoters) -> None:
        self.make, self.quoters, self.clock = context, quoters, clock
        self.collections: dict[str, Collection] = COLLECTIONS
        seams = Seams(
            collection_for=lambda identifier, kind: collection_for(identifier, kind, context()),
            quote=self.quote,
            find=lambda collection_id, identifiers: {},
            provider=LAB,
        )
        self.quoting = Quoting(store=store, seams=seams, now=clock)

    def quote(self, request: QuoteRequest):
        quoter = self.quoters.get(request.collection.id)
        return None if quoter is None else quoter(request)

    def context(self, owner: str = "anna", message_id: str | None = None, **more):
        return replace(
            self.make(owner, message_id),
            quoter=self.quoters.get,
            quote=lambda record: self.quoting.made(record, is_last=False),
            **more,
        )

    def ask(self, *items, owner: str = "anna", **more):
        request = GetQuotation(specification=order(*(items or (OPTICAL,))).specification)
        return perform(request, self.context(owner, **more))

    def submit(self, quotation_id: str, owner: str = "anna", message_id: str | None = None):
        return perform(Submit(quotation_id=quotation_id), self.context(owner, message_id))


@pytest.fixture
def service(context, store, clock):
    return lambda **quoters: Service(context, store, clock, quoters)


def test_every_answer_at_once_where_everybody_answers_at_once(service, store):
    ack = service(optical=Fixed()).ask(OPTICAL, item("b", "S2_2", "optical"))
    assert (ack.status, ack.quotation.price.value) == (ResponseStatus.SUCCESS, 4)
    with store.read() as snapshot:
        record = snapshot.quotations.get(ack.quotation.quotation_id, "anna")
    assert (record.state, record.mode) == (QuotationState.READY, QuotationMode.SYNCHRONOUS)


def test_partial_where_one_collection_has_no_quoter(service):
    ack = service(optical=Fixed()).ask(OPTICAL, RADAR)
    assert ack.status is ResponseStatus.PARTIAL
    assert "radar has no quotations" in ack.error_message
    assert [each.item_id for group in ack.quotation.groups for each in group.items] == ["a"]


def test_refused_where_nothing_is_quoted_naming_what_is(service):
    with pytest.raises(NotSupported) as caught:
        service(optical=Fixed()).ask(RADAR)
    assert (caught.value.code, caught.value.locator) == ("OperationNotSupported", "GetQuotation")
    assert "quoted are: optical" in caught.value.text
    with pytest.raises(NotSupported, match="nothing is quoted here"):
        service().ask()


@pytest.mark.parametrize(
    ("fails", "error"),
    [(ProcessingFailed("no idea"), OseoError), (ProcessingFailed("asleep", retry=True), Unavailable)],
)
def test_nothing_is_kept_of_a_quotation_that_could_not_be_made_at_once(service, store, fails, error):
    with pytest.raises(error, match=fails.reason):
        service(optical=Fixed(fails=fails)).ask()
    with store.read() as snapshot:
        assert list(snapshot.quotations.of("anna")) == []


def test_slow_one_is_pending_until_it_is_made_and_then_told(service, clock, woken):
    slow = service(optical=Fixed(mode=QuotationMode.MONITORING))
    ack = slow.ask()
    assert (ack.quotation, woken) == (None, [True])
    again = perform(GetQuotation(quotation_id=ack.quotation_id), slow.context())
    assert again.quotation_id == ack.quotation_id
    with pytest.raises(ValidationError, match="not ready yet"):
        slow.submit(ack.quotation_id)
    assert slow.quoting.step(clock()) == 1
    made = perform(GetQuotation(quotation_id=ack.quotation_id), slow.context())
    assert made.quotation.price.value == 2
    assert slow.quoting.step(clock()) == 0


def test_nobody_floods_the_quotations_that_others_wait_for(service, clock, monkeypatch):
    monkeypatch.setattr(sys.modules[get_quotation.__module__], "MOST_UNANSWERED", 2)
    slow = service(optical=Fixed(mode=QuotationMode.MONITORING), radar=Fixed())
    slow.ask(), slow.ask()
    with pytest.raises(QuotaExceeded, match="anna has 2 quotations that are not answered yet"):
        slow.ask()
    slow.ask(RADAR)  # what is answered at once waits for nobody
    slow.ask(owner="berta")
    slow.quoting.step(clock())
    slow.ask()


def test_what_cannot_be_made_later_is_a_fault_for_whoever_asks_and_no_callback(service, clock, store):
    slow = service(optical=Fixed(fails=ProcessingFailed("no idea")))
    asks = {"reply_to": "http://me.example.org/", "message_id": "urn:1"}
    ack = slow.ask(**asks)
    slow.quoting.step(clock())
    with pytest.raises(OseoError, match="no idea") as caught:
        perform(GetQuotation(quotation_id=ack.quotation_id), slow.context())
    assert (caught.value.code, caught.value.locator) == ("NoApplicableCode", None)
    with pytest.raises(ValidationError, match="could not be made"):
        slow.submit(ack.quotation_id)
    with store.read() as snapshot:
        assert snapshot.outbox.waiting(ack.quotation_id) == []


def test_real_reply_to_is_told_in_the_transaction_that_makes_it(service, clock, store):
    asked = service(optical=Fixed())
    ack = asked.ask(reply_to="http://me.example.org/", message_id="urn:1")
    assert ack.quotation is None
    asked.quoting.step(clock())
    with store.read() as snapshot:
        (notice,) = snapshot.outbox.waiting(ack.quotation_id)
    assert (notice.kind, notice.address) == ("GetQuotationResponse", "http://me.example.org/")


@pytest.mark.parametrize(
    "headers",
    [
        {"reply_to": "ftp://me.example.org/", "message_id": "urn:1"},
        {"reply_to": "http://me.example.org/"},
        {"reply_to": "http://me.example.org/", "message_id": "urn:1", "callbacks": False},
    ],
)
def test_reply_to_that_cannot_be_told_is_refused_with_everything_else(service, headers):
    with pytest.raises(ValidationError) as caught:
        service(optical=Fixed()).ask(item("a", "S1_1", "optical"), **headers)
    found = {(each.code, each.locator) for each in caught.value.problems}
    assert found == {("InvalidNotificationValue", "ws-address"), ("InvalidParameterValue", "identifier")}


def test_nobody_elses_quotation_is_seen_or_ordered(service):
    asked = service(optical=Fixed())
    quotation_id = asked.ask().quotation.quotation_id
    for request in (GetQuotation(quotation_id=quotation_id), Submit(quotation_id=quotation_id)):
        with pytest.raises(ValidationError) as caught:
            perform(request, asked.context("bob"))
        assert (caught.value.code, caught.value.locator) == ("InvalidParameterValue", "quotationId")


def test_order_is_what_was_quoted_and_both_know_each_other(service, store):
    asked = service(optical=Fixed())
    quotation_id = asked.ask(OPTICAL, RADAR).quotation.quotation_id
    ack = asked.submit(quotation_id)
    with store.read() as snapshot:
        made = snapshot.orders.get(ack.order_id)
        items = snapshot.items.of(ack.order_id)
        record = snapshot.quotations.get(quotation_id)
    assert made.quotation_id == quotation_id
    assert record.order_id == ack.order_id
    assert [each.specification for each in items] == [OPTICAL]


def test_ordered_once_but_the_same_message_again_is_the_same_order(service):
    asked = service(optical=Fixed())
    quotation_id = asked.ask().quotation.quotation_id
    first = asked.submit(quotation_id, message_id="urn:1")
    assert asked.submit(quotation_id, message_id="urn:1") == first
    with pytest.raises(ValidationError, match=f"ordered already, as {first.order_id}"):
        asked.submit(quotation_id, message_id="urn:2")


def test_two_orders_at_once_by_one_quotation_are_one(service, store):
    asked = service(optical=Fixed())
    quotation_id = asked.ask().quotation.quotation_id
    context = asked.context()
    real = store.write

    class Late:
        """A store in which somebody else orders just before us."""

        read = staticmethod(store.read)

        @staticmethod
        def write(work):
            asked.submit(quotation_id)
            return real(work)

    with pytest.raises(Conflict) as caught:
        perform(Submit(quotation_id=quotation_id), replace(context, store=Late))
    assert caught.value.locator == "quotationId"
    with store.read() as snapshot:
        assert len(snapshot.orders.search("anna", _all())) == 1


def _all():
    from oseo_lab.model.messages import FilteringCriteria

    return FilteringCriteria()


def test_lapsed_quotation_is_refused_with_the_way_to_a_new_one(service, clock):
    asked = service(optical=Fixed())
    quotation_id = asked.ask().quotation.quotation_id
    clock.advance(days=2)
    with pytest.raises(ValidationError) as caught:
        asked.submit(quotation_id)
    assert caught.value.locator == "quotationId"
    assert "lapsed on 2026-01-02 12:00:00 UTC" in caught.value.text
    assert "GetQuotation with the same orderSpecification" in caught.value.text


def test_quoted_order_draws_shares_and_too_small_a_balance_stores_nothing(service, store):
    asked = service(optical=Fixed(price=0.1))
    items = [item(name, f"S2_{number}", "optical") for number, name in enumerate("abc")]
    quotation_id = asked.ask(*items).quotation.quotation_id
    store.write(lambda work: work.balances.set("anna", "EUR", Decimal("0.2")))
    with pytest.raises(Conflict) as caught:
        asked.submit(quotation_id)
    assert caught.value.locator == "payment"
    assert "0.2 EUR does not suffice: 0.3 EUR" in caught.value.text
    with store.read() as snapshot:
        assert snapshot.orders.search("anna", _all()) == []
        assert snapshot.quotations.get(quotation_id).order_id is None
    store.write(lambda work: work.balances.set("anna", "EUR", Decimal("0.5")))
    ack = asked.submit(quotation_id)
    with store.read() as snapshot:
        assert snapshot.balances.of("anna") == {"EUR": Decimal("0.2")}
        charges = snapshot.balances.charges(ack.order_id)
    assert [(each.number, each.amount) for each in charges] == [(n, Decimal("0.1")) for n in (1, 2, 3)]


def test_person_waits_for_nobody_but_operators_answer(service, store, clock):
    by_hand = service(optical=Fixed(mode=QuotationMode.OFF_LINE), any=Fixed(price=7))
    ack = by_hand.ask(OPTICAL, item("n", "S2_9", "any", options=()))
    assert by_hand.quoting.step(clock()) == 0
    answer = QuotationAnswer(price=10, currency="EUR")
    with pytest.raises(NotAuthorized):
        answer_quotation(ack.quotation_id, answer, by_hand.context())
    operator = by_hand.context("boss", is_operator=True)
    with pytest.raises(ValidationError, match="validity_time is over, or too far"):
        answer_quotation(ack.quotation_id, replace(answer, validity_time=clock()), operator)
    with pytest.raises(ValidationError, match="what the items cost together"):
        beyond = {"a": 9e11, "n": 9e11}
        answer_quotation(ack.quotation_id, replace(answer, price=None, item_prices=beyond), operator)
    answer_quotation(ack.quotation_id, answer, operator)
    assert by_hand.quoting.step(clock()) == 1
    made = perform(GetQuotation(quotation_id=ack.quotation_id), by_hand.context()).quotation
    assert [each.price.value for each in made.groups] == [10, 7]
    assert made.price.value == 17
    with pytest.raises(Conflict):
        answer_quotation(ack.quotation_id, answer, operator)


def test_what_nobody_orders_is_forgotten_in_the_end_and_what_was_ordered_is_not(
    service, store, clock, tmp_path
):
    asked = service(optical=Fixed())
    forgotten, kept = asked.ask().quotation.quotation_id, asked.ask().quotation.quotation_id
    asked.submit(kept)
    sweeper = Sweeper(store=store, results=tmp_path, scratch=tmp_path, now=clock)
    clock.advance(days=399)
    assert sweeper.forget_quotations() == 0
    clock.advance(days=2)
    assert sweeper.forget_quotations() == 1
    with store.read() as snapshot:
        assert [each.quotation_id for each in snapshot.quotations.of("anna")] == [kept]
        assert snapshot.quotations.get(forgotten) is None


def test_what_is_paid_in_several_ways_is_answered_item_by_item(service, clock):
    by_hand = service(optical=Fixed(mode=QuotationMode.OFF_LINE))
    ways = [
        item(name, "S2_1", "optical", payment=Payment(payment_method=way)) for name, way in ("aq", "bi", "cq")
    ]
    ack, operator = by_hand.ask(*ways), by_hand.context("boss", is_operator=True)
    prices = {"a": 1.0, "b": 2.0, "c": 4.0}
    for wrong in (
        QuotationAnswer(price=7),
        QuotationAnswer(price=7, item_prices=prices),
        QuotationAnswer(item_prices={"a": 1.0}),
    ):
        with pytest.raises(ValidationError, match="several methods"):
            answer_quotation(ack.quotation_id, wrong, operator)
    answer_quotation(ack.quotation_id, QuotationAnswer(item_prices=prices), operator)
    by_hand.quoting.step(clock())
    made = perform(GetQuotation(quotation_id=ack.quotation_id), by_hand.context()).quotation
    assert [(each.price.value, [one.item_id for one in each.items]) for each in made.groups] == [
        (5, ["a", "c"]),
        (2, ["b"]),
    ]
    assert made.price is None
