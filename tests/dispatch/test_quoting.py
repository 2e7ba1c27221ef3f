"""The quoting loop: retries with pauses, gives up in the end, survives quoters that misbehave, saves once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event, Semaphore

import pytest

from oseo_lab.dispatch.quoting import AT_DOORS, TRIES, Quoting, Seams
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import Problem, Unavailable
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.model.quotation import (
    ItemGroupPrice,
    ItemPrice,
    Price,
    ProviderName,
    QuotationMode,
    QuotationRecord,
    QuotationState,
    new_quotation_id,
)
from oseo_lab.ports import ProcessingFailed
from tests.acceptance.serving import wait_until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LAB = ProviderName(service_name="this lab", organization="lab")
THERE = ProviderName(service_name="", organization="")
COLLECTIONS = {
    "here": Collection(id="here"),
    "abroad": Collection(id="abroad", provider="ESA"),
}


def group(*names: str, price: float = 1.0, currency: str = "EUR", provider=THERE, **more) -> ItemGroupPrice:
    return ItemGroupPrice(
        provider=provider,
        price=Price(value=price, currency=currency),
        items=tuple(ItemPrice(item_id=name, identifier=ProductId(identifier=name)) for name in names),
        **more,
    )


def quoting(store, quote, now=lambda: NOON) -> Quoting:
    def collection_for(identifier, order_type):
        found = COLLECTIONS.get(identifier.collection_id)
        return found or Problem(code="UnsupportedCollection", locator="collectionId", text="it is gone")

    seams = Seams(collection_for=collection_for, quote=quote, find=lambda *_: {}, provider=LAB)
    return Quoting(store=store, seams=seams, now=now)


def asked(store, *names: str, collection: str = "here") -> QuotationRecord:
    items = tuple(
        ItemSpecification(item_id=name, identifier=ProductId(identifier=name, collection_id=collection))
        for name in names or ("a",)
    )
    record = QuotationRecord(
        quotation_id=new_quotation_id(),
        owner="anna",
        specification=OrderSpecification(items=items),
        state=QuotationState.PENDING,
        requested=NOON,
        mode=QuotationMode.MONITORING,
    )
    store.write(lambda work: work.quotations.add(record))
    return record


def kept(store, record: QuotationRecord) -> QuotationRecord:
    with store.read() as snapshot:
        return snapshot.quotations.get(record.quotation_id)


def test_who_cannot_be_reached_is_asked_again_later_and_given_up_in_the_end(store):
    asks = []

    def out_of_reach(request):
        asks.append(request)
        raise ProcessingFailed("the line is dead", retry=True)

    loop, record, now = quoting(store, out_of_reach), asked(store), NOON
    loop.step(now)
    loop.step(now + timedelta(seconds=1))
    assert len(asks) == 1
    for _ in range(TRIES):
        now += timedelta(hours=2)
        loop.step(now)
    assert len(asks) == TRIES
    found = kept(store, record)
    assert (found.state, found.problem) == (QuotationState.FAILED, "here: the line is dead")


def test_when_given_up_what_could_be_priced_is_told(store):
    def half(request):
        if request.collection.id == "here":
            raise ProcessingFailed("closed")
        return [group(*(each.item_id for each in request.items), provider=replace(LAB, service_name="esa"))]

    record = asked(store, "a")
    items = (*record.specification.items, *asked(store, "b", collection="abroad").specification.items)
    made = quoting(store, half).made(replace(record, specification=OrderSpecification(items=items)))
    assert made.state is QuotationState.READY
    assert made.partial == "not quoted: here: closed"
    assert [each.provider.service_name for each in made.quotation.groups] == ["esa"]


def test_this_service_is_named_where_it_is_the_provider(store):
    made = quoting(store, lambda request: [group("a")]).made(asked(store))
    assert made.quotation.groups[0].provider == LAB


def test_foreign_quotation_ids_and_contracts_are_kept(store):
    theirs = group("a", quotation_id="urn:esa:1", contract_information="theirs")
    made = quoting(store, lambda request: [theirs]).made(asked(store, collection="abroad"))
    assert made.quotation.groups[0] == theirs


@pytest.mark.parametrize(
    "groups",
    [
        [group("a"), group("a")],
        [group("a", "stranger")],
        [group("a", price=-1.0)],
        [group("a", price=float("nan"))],
        [group("a", price=float("inf"))],
        [group("a", price=Decimal("0.1"))],
        [group("a", validity_time=datetime(2026, 2, 1))],
        [group("a", currency="")],
        [group("a", currency="x" * 11)],
        [group()],
        "nonsense",
    ],
)
def test_what_no_quoter_may_say_is_an_error_of_its_own_and_harms_nobody(store, groups):
    loop = quoting(store, lambda request: groups)
    record = asked(store)
    assert loop.step(NOON) == 1
    found = kept(store, record)
    assert (found.state, found.problem) == (
        QuotationState.FAILED,
        "here: no price, because of an internal error",
    )


def test_items_a_quoter_leaves_out_and_collections_that_are_gone_are_named(store):
    loop = quoting(store, lambda request: [group("a")])
    assert loop.made(asked(store, "a", "b", "c")).partial == "not quoted: items b, c of here"
    gone = loop.made(asked(store, "a", collection="gone"))
    assert (gone.state, gone.problem) == (QuotationState.FAILED, "item a: it is gone")


def test_balance_is_what_would_be_left_group_after_group(store):
    store.write(lambda work: work.balances.set("anna", "EUR", Decimal("5.5")))
    groups = [group("a", price=2.2), group("b", price=3.0, currency="QUOTA"), group("c", price=4.0)]
    made = quoting(store, lambda request: groups).made(asked(store, "a", "b", "c"))
    left = [each.balance and each.balance.value for each in made.quotation.groups]
    assert left == [3.3, None, -0.7]


def test_quotation_that_somebody_else_made_meanwhile_is_left_alone(store):
    record = asked(store)

    def meanwhile(request):
        done = quoting(store, lambda request: [group("a", price=9.0)]).made(record)
        store.write(lambda work: work.quotations.save(record, done))
        return [group("a", price=1.0)]

    assert quoting(store, meanwhile).step(NOON) == 0
    assert kept(store, record).quotation.price.value == 9


def test_loop_in_its_thread_makes_what_it_is_woken_for(store):
    done = Event()

    def quote(request):
        done.set()
        return [group("a")]

    loop = quoting(store, quote, now=lambda: datetime.now(UTC))
    loop.start()
    record = asked(store)
    loop.wake()
    assert done.wait(10)
    wait_until(lambda: kept(store, record).state is not QuotationState.PENDING, 10)
    loop.close()
    assert kept(store, record).state is QuotationState.READY


def test_server_that_hangs_delays_no_other_collection(store):
    released, made = Event(), Event()

    def quote(request):
        if request.collection.id == "abroad":
            assert released.wait(30)
        else:
            made.set()
        return [group(*(each.item_id for each in request.items))]

    hung = [asked(store, collection="abroad") for _ in range(3)]
    quick = asked(store)
    loop = quoting(store, quote, now=lambda: datetime.now(UTC))
    loop.start()
    assert made.wait(10)
    assert all(kept(store, each).state is QuotationState.PENDING for each in hung)
    released.set()
    wait_until(lambda: all(kept(store, each).state is QuotationState.READY for each in (*hung, quick)), 20)
    loop.close()


def test_server_that_hangs_is_asked_once_however_it_is_combined_with_others(store):
    released, asking = Event(), []

    def quote(request):
        if request.collection.id == "abroad":
            asking.append(request)
            assert released.wait(30)
        return [group(*(each.item_id for each in request.items))]

    def mixed(other):
        record = asked(store, "a")
        both = [
            ItemSpecification(item_id=name, identifier=ProductId(identifier=name, collection_id=collection))
            for name, collection in (("a", "abroad"), ("b", other))
        ]
        mine = replace(
            record, quotation_id=new_quotation_id(), specification=OrderSpecification(items=tuple(both))
        )
        store.write(lambda work: work.quotations.save(record, replace(record, state=QuotationState.FAILED)))
        store.write(lambda work: work.quotations.add(mine))
        return mine

    combined = [mixed(f"gone{number}") for number in range(12)]
    quick = asked(store)
    loop = quoting(store, quote, now=lambda: datetime.now(UTC))
    loop.start()
    wait_until(lambda: kept(store, quick).state is QuotationState.READY, 10)
    assert len(asking) == 1
    assert all(kept(store, each).state is QuotationState.PENDING for each in combined)
    released.set()
    wait_until(lambda: all(kept(store, each).state is QuotationState.READY for each in combined), 20)
    loop.close()


def test_quotation_that_cannot_be_saved_is_tried_again_and_stops_nothing(store):
    class Full:
        """A store whose disk is full."""

        read = staticmethod(store.read)

        @staticmethod
        def write(work):
            refused.set()
            raise Unavailable("the disk is full")

    refused = Event()
    record = asked(store)
    loop = quoting(Full, lambda request: [group("a")], now=lambda: datetime.now(UTC))
    loop.start()
    assert refused.wait(10)
    loop.close()
    assert kept(store, record).state is QuotationState.PENDING


def test_catalogue_that_hangs_does_not_hold_every_door(store, monkeypatch):
    monkeypatch.setattr("oseo_lab.dispatch.quoting.AT_THE_DOOR", 0.01)
    released, held = Event(), Semaphore(0)

    def quote(request):
        held.release()
        assert released.wait(30)
        return [group(*(each.item_id for each in request.items))]

    record, loop = asked(store), quoting(store, quote)
    with ThreadPoolExecutor(AT_DOORS) as doors:
        waiting = [doors.submit(loop.at_once, record) for _ in range(AT_DOORS)]
        assert all(held.acquire(timeout=10) for _ in waiting)
        with pytest.raises(ProcessingFailed, match="many prices are being asked for"):
            loop.at_once(record)
        released.set()
        assert all(each.result(10).state is QuotationState.READY for each in waiting)
    assert loop.at_once(record).state is QuotationState.READY
