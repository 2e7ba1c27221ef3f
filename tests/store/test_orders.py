"""Orders in the store, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from oseo_lab.model.errors import Conflict, NotFound, ValidationError
from oseo_lab.model.messages import FilteringCriteria
from oseo_lab.model.order import StatusChange, StatusInfo, new_order_id
from oseo_lab.model.status import ProviderOrderState, Status, Wanted


def test_an_order_comes_back_as_it_was_saved(store, added):
    order = added(items=12, message_id="any text")
    with store.read() as unit:
        assert unit.orders.get(order.order_id) == replace(order, items=())
        assert tuple(unit.items.of(order.order_id)) == order.items
        assert unit.provider_orders.of(order.order_id) == list(order.provider_orders)


def test_an_order_of_nobody_or_of_another_is_not_found(store, added):
    order = added(owner="anna")
    with store.read() as unit:
        assert unit.orders.get(order.order_id, "anna").order_id == order.order_id
        assert unit.orders.get(order.order_id, "berta") is None
        assert unit.orders.get(new_order_id()) is None
        assert unit.orders.get("an identifier of somebody else") is None
        assert unit.orders.revision(order.order_id, "berta") is None
        assert unit.orders.revision(new_order_id(), "anna") is None


def test_a_new_order_has_a_first_line_of_history_for_itself_and_each_item(store, added):
    order = added(items=2)
    with store.read() as unit:
        history = unit.events.of(order.order_id)
    assert [(change.number, change.status, change.author) for change in history] == [
        (0, Status.ACCEPTED, "anna"),
        (1, Status.ACCEPTED, "anna"),
        (2, Status.ACCEPTED, "anna"),
    ]
    assert {change.at for change in history} == {order.created}


def test_many_orders_are_read_at_once(store, added):
    orders = [added(items=1) for _ in range(70)]
    with store.read() as unit:
        found = unit.orders.get_many([order.order_id for order in orders] + [new_order_id(), "no order"])
        assert unit.orders.get_many([]) == {}
    assert found == {order.order_id: replace(order, items=()) for order in orders}


def test_saving_an_order_raises_its_revision(store, added, now):
    order = added()
    done = StatusInfo(status=Status.CANCELLED, additional="as asked", mission_specific="at night")
    changed = replace(order, status=done, updated=now, wanted=Wanted.CANCELLED, next_ready=4)
    store.write(lambda unit: unit.orders.save(changed))
    with store.read() as unit:
        assert unit.orders.get(order.order_id) == replace(changed, items=(), revision=1)
        assert unit.orders.revision(order.order_id, "anna") == 1


def test_a_provider_order_is_saved(store, added, now):
    order = added()
    part = replace(
        order.provider_orders[0], state=ProviderOrderState.CLOSED, tracking_id="T-1", updated=now, closed=now
    )
    store.write(lambda unit: unit.provider_orders.save(part))
    with store.read() as unit:
        assert unit.provider_orders.of(order.order_id) == [part]
        assert unit.provider_orders.of(new_order_id()) == []


def test_the_same_message_twice_is_a_conflict_and_the_first_order_is_found(store, added, make_order):
    first = added(owner="anna", message_id="urn:uuid:12345678-1234-4234-8234-123456789abc")
    again = make_order(owner="anna", message_id=first.message_id)

    def submit(unit):
        try:
            unit.orders.add(again)
        except Conflict:
            return unit.orders.by_message("anna", first.message_id).order_id  # the transaction goes on
        return again.order_id

    assert store.write(submit) == first.order_id
    with store.read() as unit:
        assert unit.orders.get(again.order_id) is None
        assert unit.orders.by_message("berta", first.message_id) is None
        assert unit.orders.by_message("anna", "another") is None


def test_two_owners_may_use_the_same_message_id_and_many_orders_none(store, added):
    first, second = added(owner="anna", message_id="m"), added(owner="berta", message_id="m")
    added(owner="anna"), added(owner="anna")
    with store.read() as unit:
        assert unit.orders.by_message("anna", "m").order_id == first.order_id
        assert unit.orders.by_message("berta", "m").order_id == second.order_id


def test_old_messages_are_forgotten(store, added):
    old, young = added(message_id="old"), added(message_id="young")
    assert store.write(lambda unit: unit.orders.forget_messages(young.created)) == 1
    with store.read() as unit:
        assert unit.orders.by_message("anna", "old") is None
        assert unit.orders.get(old.order_id).message_id is None
        assert unit.orders.by_message("anna", "young") is not None


def test_an_order_id_that_is_not_ours_is_refused(store, make_order):
    order = make_order()
    with pytest.raises(ValidationError, match="lower case"):
        store.write(lambda unit: unit.orders.add(replace(order, order_id=order.order_id.upper())))


def test_history_of_an_order_that_is_not_there_is_refused(store, now):
    change = StatusChange(order_id=new_order_id(), number=0, status=Status.FAILED, at=now, author="x")
    with pytest.raises(NotFound):
        store.write(lambda unit: unit.events.add([change]))


@pytest.fixture
def searched(store, added):
    """Four orders of anna, one of berta; a search that gives the places of those found."""
    orders = [added(reference=f"r{place}") for place in range(4)]
    added(owner="berta", reference="r0")
    store.write(lambda unit: unit.orders.save(replace(orders[2], status=StatusInfo(status=Status.COMPLETED))))
    places = {order.order_id: place for place, order in enumerate(orders)}

    def search(limit=None, owner="anna", **criteria):
        with store.read() as unit:
            found = unit.orders.search(owner, FilteringCriteria(**criteria), limit)
        return [places.get(order.order_id) for order in found]

    return search, orders


def test_a_search_without_criteria_finds_all_of_the_owner_oldest_first(searched):
    search, _ = searched
    assert search() == [0, 1, 2, 3]
    assert search(limit=2) == [0, 1]
    assert search(owner="nobody") == []


def test_a_search_is_or_of_statuses_and_and_of_the_rest(searched):
    search, orders = searched
    assert search(order_statuses=(Status.COMPLETED,)) == [2]
    assert search(order_statuses=(Status.COMPLETED, Status.ACCEPTED)) == [0, 1, 2, 3]
    assert search(order_statuses=(Status.FAILED,)) == []
    assert search(order_reference="r3") == [3]
    assert search(order_reference="r3", order_statuses=(Status.COMPLETED,)) == []
    assert search(last_update=orders[1].updated) == [1, 2, 3]
    assert search(last_update_end=orders[1].updated) == [0, 1]
    assert search(last_update=orders[1].updated, last_update_end=orders[2].updated) == [1, 2]
    assert search(last_update=orders[3].updated + timedelta(microseconds=1)) == []
