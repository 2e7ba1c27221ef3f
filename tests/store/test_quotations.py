"""Quotations: whole, their owner's alone, answered and ordered once; on SQLite and PostgreSQL alike."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oseo_lab.model.delivery import DeliveryInformation, OnlineAddress, Protocol, Secret
from oseo_lab.model.errors import Conflict, ValidationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.order import (
    Callback,
    CallbackKind,
    ItemSpecification,
    OrderSpecification,
    Payment,
    StatusNotification,
    new_order_id,
)
from oseo_lab.model.quotation import (
    Estimate,
    ItemGroupPrice,
    ItemPrice,
    Price,
    ProviderName,
    Quotation,
    QuotationMode,
    QuotationRecord,
    QuotationState,
    new_quotation_id,
)
from oseo_lab.store import open_store
from tests.store.test_records import item_specification, moments, specification, text

MINUTE = timedelta(minutes=1)

price = st.builds(Price, value=st.floats(allow_nan=False, allow_infinity=False), currency=text)
estimate = st.builds(Estimate, low=st.floats(0, 1e15), typical=st.floats(0, 1e15), high=st.floats(0, 1e15))
item_price = st.builds(
    ItemPrice,
    item_id=text,
    identifier=item_specification.map(lambda item: item.identifier),
    price=st.none() | price,
    price_information=st.none() | text,
    contract_information=st.none() | text,
    size=st.none() | estimate,
    duration=st.none() | estimate,
)
group = st.builds(
    ItemGroupPrice,
    provider=st.builds(ProviderName, service_name=text, organization=text),
    price=price,
    items=st.lists(item_price, max_size=2).map(tuple),
    quotation_id=st.none() | text,
    validity_time=st.none() | moments,
    balance=st.none() | price,
    contract_information=st.none() | text,
)
quotation = st.builds(
    Quotation,
    quotation_id=text,
    groups=st.lists(group, max_size=2).map(tuple),
    validity_time=st.none() | moments,
    price=st.none() | price,
    contract_information=st.none() | text,
    size=st.none() | estimate,
    duration=st.none() | estimate,
)
callback = st.builds(
    Callback,
    kind=st.sampled_from(CallbackKind),
    policy=st.sampled_from(StatusNotification),
    address=text,
    message_id=text,
    soap_version=st.sampled_from(["1.1", "1.2"]),
)
records = st.builds(
    QuotationRecord,
    quotation_id=st.builds(new_quotation_id),
    owner=text,
    specification=st.builds(
        replace, specification, items=st.lists(item_specification, max_size=2).map(tuple)
    ),
    state=st.sampled_from(QuotationState),
    requested=moments,
    mode=st.sampled_from(QuotationMode),
    quotation=st.none() | quotation,
    partial=st.none() | text,
    problem=st.none() | text,
    callback=st.none() | callback,
    order_id=st.none() | st.builds(new_order_id),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records)
def test_any_quotation_comes_back_equal(store, record):
    store.write(lambda unit: unit.quotations.add(record))
    with store.read() as unit:
        assert unit.quotations.get(record.quotation_id) == record


@pytest.fixture
def make_record(now):
    def make(owner="anna", state=QuotationState.PENDING, **rest):
        item = ItemSpecification(item_id="1", identifier=ProductId(identifier="S2A_1"))
        return QuotationRecord(
            quotation_id=new_quotation_id(),
            owner=owner,
            specification=OrderSpecification(items=(item,)),
            state=state,
            requested=now,
            **rest,
        )

    return make


@pytest.fixture
def asked(store, make_record):
    def ask(**wishes):
        record = make_record(**wishes)
        store.write(lambda unit: unit.quotations.add(record))
        return record

    return ask


def test_a_quotation_is_shown_to_its_owner_alone(store, asked):
    record = asked()
    with store.read() as unit:
        assert unit.quotations.get(record.quotation_id, "anna") == record
        assert unit.quotations.get(record.quotation_id, "berta") is None
        assert unit.quotations.get(new_quotation_id()) is None
        assert unit.quotations.get("no such thing") is None


def test_what_waits_to_be_answered_is_counted_by_owner(store, asked):
    asked(), asked(state=QuotationState.WAITING), asked(state=QuotationState.READY)
    asked(state=QuotationState.FAILED), asked(owner="berta")
    with store.read() as unit:
        assert [unit.quotations.unanswered(name) for name in ("anna", "berta", "nobody")] == [2, 1, 0]


def test_an_owners_quotations_come_newest_first(store, asked):
    first, second, _ = asked(), asked(), asked(owner="berta")
    with store.read() as unit:
        assert list(unit.quotations.of("anna")) == [second, first]
        assert list(unit.quotations.of("anna", limit=1)) == [second]
        assert list(unit.quotations.of("nobody")) == []


def test_those_still_to_be_made_come_oldest_first_until_they_are(store, asked):
    first, second = asked(), asked(owner="berta")
    asked(state=QuotationState.READY)
    with store.read() as unit:
        assert unit.quotations.pending() == [first.quotation_id, second.quotation_id]
        assert unit.quotations.pending(limit=1) == [first.quotation_id]
    failed = replace(first, state=QuotationState.FAILED, problem="no rules")
    assert store.write(lambda unit: unit.quotations.save(first, failed)) is True
    with store.read() as unit:
        assert unit.quotations.pending() == [second.quotation_id]
        assert unit.quotations.get(first.quotation_id) == failed


def test_those_that_wait_for_a_person_are_told_apart_from_those_still_to_be_made(store, asked):
    asked(), asked(state=QuotationState.READY)
    first, second = (asked(state=QuotationState.WAITING) for _ in range(2))
    with store.read() as unit:
        assert list(unit.quotations.waiting()) == [first, second]
        assert list(unit.quotations.waiting(limit=1)) == [first]


def test_what_nobody_ordered_is_forgotten_in_time(store, asked, now):
    old, ordered = asked(), asked(order_id=new_order_id())
    assert store.write(lambda unit: unit.quotations.forget(now)) == 0
    assert store.write(lambda unit: unit.quotations.forget(now + MINUTE)) == 1
    with store.read() as unit:
        assert unit.quotations.get(old.quotation_id) is None
        assert list(unit.quotations.of("anna")) == [ordered]


def test_a_quotation_is_answered_once_and_ordered_once(store, asked, now):
    record = asked()
    answer = Quotation(quotation_id=record.quotation_id, groups=(), validity_time=now + MINUTE)
    ready = replace(record, state=QuotationState.READY, quotation=answer, partial="one item left out")
    one, other = (replace(ready, order_id=new_order_id()) for _ in range(2))
    save = lambda before, after: store.write(lambda unit: unit.quotations.save(before, after))  # noqa: E731
    assert save(record, ready) is True
    assert save(record, replace(record, state=QuotationState.FAILED)) is False
    assert save(ready, one) is True
    assert save(ready, other) is False
    assert save(replace(one, quotation_id=new_quotation_id()), other) is False
    with store.read() as unit:
        assert unit.quotations.get(record.quotation_id) == one


def test_the_same_quotation_twice_or_one_without_a_uuid_is_refused(store, asked):
    record = asked()
    with pytest.raises(Conflict):
        store.write(lambda unit: unit.quotations.add(record))
    with pytest.raises(ValidationError, match="UUID"):
        store.write(lambda unit: unit.quotations.add(replace(record, quotation_id="q-1")))


def test_passwords_of_a_quotation_lie_in_their_own_column_and_cards_nowhere(tmp_path, make_record):
    path = tmp_path / "orders.sqlite"
    target = OnlineAddress(
        protocol=Protocol.FTP, server_address="ftp.example", user_password=Secret("hunter2")
    )
    payment = Payment(payment_method="card", order_account="1", credit_card_info="4111111111111111")
    record = make_record()
    paid = replace(record.specification.items[0], payment=payment)
    record = replace(
        record,
        specification=replace(
            record.specification,
            items=(paid,),
            delivery_information=DeliveryInformation(online_addresses=(target,)),
        ),
    )
    store = open_store(f"sqlite:///{path}")
    store.write(lambda unit: unit.quotations.add(record))
    with store.read() as unit:
        kept = unit.quotations.get(record.quotation_id).specification
    store.close()
    assert kept.delivery_information == record.specification.delivery_information
    assert kept.items[0].payment == replace(payment, credit_card_info=None)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT secrets FROM quotations").fetchall() == [('["hunter2"]',)]
    connection.close()


def test_a_quotation_of_ten_thousand_items_takes_little_room(store, make_record):
    record = make_record()
    items = tuple(
        ItemSpecification(item_id=f"item-{n}", identifier=ProductId(identifier=f"S2A_MSIL2A_{n:06d}.SAFE"))
        for n in range(10_000)
    )
    record = replace(record, specification=replace(record.specification, items=items))
    store.write(lambda unit: unit.quotations.add(record))

    def room(unit):
        session = unit.session
        session._cursor.execute("SELECT length(specification) FROM quotations")
        return session._cursor.fetchone()[0]

    assert store.write(room) < 150_000
    with store.read() as unit:
        assert unit.quotations.get(record.quotation_id) == record
