"""Balances and the past at the ends of items: given back once, remembered, drawn by products to come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from oseo_lab.model.estimates import choice_of
from oseo_lab.model.job import DeliveredFile, FailureClass
from oseo_lab.model.messages import Cancel
from oseo_lab.model.quotation import (
    Charge,
    ItemGroupPrice,
    ItemPrice,
    Price,
    ProviderName,
    QuotationRecord,
    QuotationState,
    compose,
    new_quotation_id,
)
from oseo_lab.model.status import Status
from oseo_lab.operations import Context, Service, perform
from tests.dispatch.standing import SQUARE, Made, subscription
from tests.dispatch.test_calendar import Lab
from tests.dispatch.test_dispatcher import report
from tests.operations.orders import COLLECTIONS, item, order


@pytest.fixture
def call(store, clock):
    context = Context(
        owner="anna",
        store=store,
        collections=COLLECTIONS,
        service=Service(),
        wake=lambda: None,
        now=clock,
        url="http://localhost/oseo/",
        link=lambda *_: "",
    )
    return lambda request: perform(request, context)


START = datetime(2026, 1, 1, tzinfo=UTC)


def charged(store, order_id, **amounts):
    charges = [
        Charge(order_id=order_id, number=int(name[1:]), owner="anna", currency="EUR", amount=Decimal(amount))
        for name, amount in amounts.items()
    ]
    store.write(lambda work: work.balances.set("anna", "EUR", Decimal(100)))
    store.write(lambda work: work.balances.draw(charges))


def balance(store):
    with store.read() as snapshot:
        return snapshot.balances.of("anna")["EUR"]


def two(call):
    return call(order(item("a", "S2_1", "optical"), item("b", "S2_2", "optical"))).order_id


def test_what_failed_is_given_back_once_and_what_was_delivered_is_not(call, store, dispatcher, executor):
    order_id = two(call)
    charged(store, order_id, n1="10.5", n2="20")
    dispatcher.step()
    good, bad = executor.take()
    failed = report(bad, FailureClass.PERMANENT)
    dispatcher.step([report(good), failed])
    assert balance(store) == Decimal("89.5")
    dispatcher.step([failed])
    assert balance(store) == Decimal("89.5")
    with store.read() as snapshot:
        charges = snapshot.balances.charges(order_id)
    assert [each.is_given_back for each in charges] == [False, True]


def test_try_that_is_tried_again_gives_nothing_back(call, store, dispatcher, executor):
    order_id = two(call)
    charged(store, order_id, n1="10", n2="10")
    dispatcher.step()
    first, _ = executor.take()
    dispatcher.step([report(first, FailureClass.TRANSIENT)])
    assert balance(store) == 80


def test_what_is_cancelled_is_given_back(call, store, dispatcher):
    order_id = two(call)
    charged(store, order_id, n1="10", n2="20")
    call(Cancel(order_id=order_id))
    dispatcher.step()
    assert balance(store) == 100


def test_delivered_items_are_remembered_with_their_choice_time_and_bytes(call, store, dispatcher, executor):
    order_id = two(call)
    dispatcher.step()
    good, bad = executor.take()
    files = (
        DeliveredFile(name="a.tif", size=700, sha256="ab" * 32, media_type="image/tiff"),
        DeliveredFile(name="b.json", size=9, sha256="ab" * 32, media_type="x", is_data=False),
    )
    took = replace(report(good), files=files, started=START, ended=START + timedelta(seconds=12.5))
    dispatcher.step([took, report(bad, FailureClass.PERMANENT)])
    with store.read() as snapshot:
        (found,) = snapshot.past.of("optical")
        assert snapshot.past.of("radar") == []
    assert (found.seconds, found.size) == (12.5, 700)
    assert found.choice == choice_of({"format": "COG", "level": "2A"})
    assert order_id


@pytest.fixture
def standing(store):
    """A subscription ordered by a quotation of 4 EUR a product, whose owner has 10."""
    lab = Lab(store, [Made(name, 1 + number, (1.5 + number,)) for number, name in enumerate("abcd")])
    asked = subscription(ring=SQUARE)
    (parent,) = [each for each in asked.items if each.number]
    price = Price(value=4.0, currency="EUR")
    priced = ItemPrice(
        item_id=parent.specification.item_id, identifier=parent.specification.identifier, price=price
    )
    group = ItemGroupPrice(
        provider=ProviderName(service_name="lab", organization="lab"), price=price, items=(priced,)
    )
    specification = replace(asked.specification, items=(parent.specification,))
    record = QuotationRecord(
        quotation_id=new_quotation_id(),
        owner=asked.owner,
        specification=specification,
        state=QuotationState.READY,
        requested=START,
        quotation=compose("q", (group,), specification),
        order_id=asked.order_id,
    )
    store.write(lambda work: work.quotations.add(record))
    store.write(lambda work: work.balances.set(asked.owner, "EUR", Decimal(10)))
    order_id = lab.add(replace(asked, quotation_id=record.quotation_id))
    return lab, order_id, asked.owner


def test_each_product_of_a_subscription_draws_until_the_balance_is_used_up(standing, store):
    lab, order_id, owner = standing
    for number in range(6):
        lab.at(number)
    with store.read() as snapshot:
        parent, *items = snapshot.items.of(order_id)
        assert snapshot.balances.of(owner) == {"EUR": Decimal(2)}
    assert parent.status.status is Status.SUSPENDED
    assert [each.status.status is Status.FAILED for each in items] == [False, False, True, True]
    assert "your balance does not suffice for 4 EUR more" in items[-1].status.additional


def test_raised_balance_lets_the_next_products_come(standing, store):
    lab, order_id, owner = standing
    for number in range(4):
        lab.at(number)
    store.write(lambda work: work.balances.set(owner, "EUR", Decimal(50)))
    for number in (4, 5):
        lab.at(number)
    with store.read() as snapshot:
        last = snapshot.items.of(order_id)[-1]
    assert last.status.status is not Status.FAILED
