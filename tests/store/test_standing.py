"""Standing orders, batches, other providers, matches and the past; on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from oseo_lab.model.errors import Conflict, NotFound
from oseo_lab.model.identifiers import OrderType, ProductId, TaskingRequestId
from oseo_lab.model.order import LOCAL, Priority, ProviderOrder, StatusInfo, new_order_id
from oseo_lab.model.quotation import Finished, new_quotation_id
from oseo_lab.model.status import ProviderOrderState, Status, Wanted
from oseo_lab.model.subscription import MASSIVE_REFERENCE
from oseo_lab.store.past import KEPT

MINUTE = timedelta(minutes=1)


def _claim(store, now, limit=100):
    return store.write(lambda unit: unit.items.claim("d1", limit, now, now + MINUTE))


def _more(order, numbers, status=Status.ACCEPTED, batch=1, **rest):
    template = order.items[0]
    return [
        replace(
            template,
            number=number,
            batch=batch,
            status=StatusInfo(status=status),
            specification=replace(template.specification, item_id=f"1-{batch}.{number}"),
            **rest,
        )
        for number in numbers
    ]


# --------------------------------------------------------------------------------------------- batches


def test_items_added_later_are_in_the_order_its_counts_and_its_history(store, added, now):
    order = added(items=1, status=Status.SUSPENDED)
    later = now + timedelta(hours=1)
    items = _more(order, (2, 3), updated=later)
    store.write(lambda unit: unit.items.add(items))
    with store.read() as unit:
        assert unit.items.of(order.order_id) == [*order.items, *items]
        assert unit.items.counts(order.order_id) == {Status.SUSPENDED: 1, Status.ACCEPTED: 2}
        found = unit.orders.get(order.order_id)
        assert (found.revision, found.updated) == (1, later)
        (change,) = unit.events.of(order.order_id, 3)
        assert (change.status, change.at, change.author) == (Status.ACCEPTED, later, "dispatcher")
        assert unit.items.last_number(order.order_id) == 3
        assert unit.items.last_number(new_order_id()) == 0
    assert [item.number for item in _claim(store, now)] == [2, 3]


def test_items_are_added_to_several_orders_at_once_fast_track_ones_first_to_be_claimed(store, added, now):
    slow, fast = (
        added(items=1, status=Status.SUSPENDED, priority=each) for each in (None, Priority.FAST_TRACK)
    )
    store.write(lambda unit: unit.items.add([*_more(slow, (2,)), *_more(fast, (2, 3))]))
    assert [item.order_id for item in _claim(store, now)] == [fast.order_id, fast.order_id, slow.order_id]


def test_items_of_no_order_or_of_a_number_that_is_taken_are_refused(store, added, make_order):
    order = added(items=2)
    with pytest.raises(Conflict):
        store.write(lambda unit: unit.items.add(_more(order, (2, 3))))
    with pytest.raises(NotFound):
        store.write(lambda unit: unit.items.add(_more(make_order(), (1,))))
    with store.read() as unit:
        assert unit.items.last_number(order.order_id) == 2


def test_batches_are_told_apart_and_the_lowest_that_waits_is_next(store, added):
    order = added(items=2)  # of no batch
    held = [*_more(order, (3, 4), Status.SUSPENDED, 1), *_more(order, (5, 6, 7), Status.SUSPENDED, 2)]
    store.write(lambda unit: unit.items.add(held))
    with store.read() as unit:
        assert unit.items.of_batch(order.order_id, 1) == held[:2]
        assert unit.items.of_batch(order.order_id, 2, limit=2) == held[2:4]
        assert unit.items.of_batch(order.order_id, 3) == []
        assert unit.items.of_batch(order.order_id, 0) == list(order.items)
        assert unit.items.of_batch(new_order_id(), 1) == []
        assert unit.items.next_batch(order.order_id) == 1
        assert unit.items.next_batch(new_order_id()) is None
    released = [(item, replace(item, status=StatusInfo(status=Status.ACCEPTED))) for item in held[:2]]
    assert store.write(lambda unit: unit.items.save_many(released)) == [True, True]
    with store.read() as unit:
        assert unit.items.next_batch(order.order_id) == 2


def test_an_item_that_is_let_go_can_be_claimed_at_once(store, added, now):
    order = added(items=1, status=Status.COMPLETED)
    (held,) = _more(order, (2,), Status.SUSPENDED, 2)
    store.write(lambda unit: unit.items.add([held]))
    assert _claim(store, now) == []
    store.write(lambda unit: unit.items.save(held, replace(held, status=StatusInfo(status=Status.ACCEPTED))))
    assert [item.number for item in _claim(store, now)] == [2]


def test_items_of_a_status_are_read_in_pages(store, added):
    order = added(items=4)
    done = [(item, replace(item, status=StatusInfo(status=Status.COMPLETED))) for item in order.items[:3]]
    store.write(lambda unit: unit.items.save_many(done))
    with store.read() as unit:
        of_status = unit.items.of_status
        assert [item.number for item in of_status(order.order_id, Status.COMPLETED, limit=2)] == [1, 2]
        assert [item.number for item in of_status(order.order_id, Status.COMPLETED, after=2)] == [3]
        assert of_status(order.order_id, Status.FAILED) == []
        assert of_status(new_order_id(), Status.COMPLETED) == []


def test_what_a_tasking_request_acquired_is_saved_with_its_item(store, added):
    order = added(items=1, status=Status.SUSPENDED)
    (item,) = order.items
    acquired = replace(item, product=ProductId(identifier="S2A_new", collection_id="urn:c"))
    assert store.write(lambda unit: unit.items.save(item, acquired)) is True
    request = replace(acquired.specification, identifier=TaskingRequestId(id="t-1"))
    second = replace(acquired, number=2, specification=request)
    store.write(lambda unit: unit.items.add([second]))
    with store.read() as unit:
        assert unit.items.of(order.order_id) == [acquired, second]


# ------------------------------------------------------------------------------------- standing orders


def _standing(order, order_type):
    return replace(order, specification=replace(order.specification, order_type=order_type))


def test_open_orders_of_a_type_are_read_in_pages_by_id(store, make_order):
    kinds = [OrderType.SUBSCRIPTION_ORDER] * 5 + [OrderType.TASKING_ORDER, OrderType.PRODUCT_ORDER]
    orders = [_standing(make_order(items=1), kind) for kind in kinds]
    over = _standing(make_order(items=1, status=Status.TERMINATED), OrderType.SUBSCRIPTION_ORDER)
    store.write(lambda unit: [unit.orders.add(order) for order in (*orders, over)])
    expected = sorted(order.order_id for order in orders[:5])
    with store.read() as unit:
        first = unit.orders.standing(OrderType.SUBSCRIPTION_ORDER, limit=3)
        rest = unit.orders.standing(OrderType.SUBSCRIPTION_ORDER, after=first[-1].order_id)
        assert [order.order_id for order in (*first, *rest)] == expected
        assert all(order.items == () for order in first)
        (tasking,) = unit.orders.standing(OrderType.TASKING_ORDER)
        assert tasking.order_id == orders[5].order_id
    ended = replace(tasking, status=StatusInfo(status=Status.CANCELLED))
    store.write(lambda unit: unit.orders.save(ended))
    with store.read() as unit:
        assert unit.orders.standing(OrderType.TASKING_ORDER) == []


def test_open_massive_orders_are_read_in_pages_by_id(store, added):
    orders = [added(items=1, reference=MASSIVE_REFERENCE) for _ in range(3)]
    added(items=1), added(items=1, reference=MASSIVE_REFERENCE, status=Status.COMPLETED)
    expected = sorted(order.order_id for order in orders)
    with store.read() as unit:
        first = unit.orders.massive(limit=2)
        rest = unit.orders.massive(after=first[-1].order_id)
    assert [order.order_id for order in (*first, *rest)] == expected


def test_an_order_remembers_the_quotation_it_was_ordered_by(store, make_order):
    order = replace(make_order(), quotation_id=new_quotation_id())
    store.write(lambda unit: unit.orders.add(order))
    with store.read() as unit:
        assert unit.orders.get(order.order_id).quotation_id == order.quotation_id


# ------------------------------------------------------------------------------------- other providers


@pytest.fixture
def forwarded(store, make_order):
    def forward(provider="Vexcel", tracking_id=None, updated=None, status=Status.ACCEPTED):
        order = make_order(items=1, status=status)
        part = ProviderOrder(
            order_id=order.order_id,
            provider=provider,
            state=ProviderOrderState.PROCESSING,
            tracking_id=tracking_id,
            updated=updated,
        )
        items = tuple(replace(item, provider=provider) for item in order.items)
        order = replace(order, items=items, provider_orders=(part,))
        store.write(lambda unit: unit.orders.add(order))
        return order

    return forward


def _none_can_be_claimed(store, now):
    later = now + timedelta(days=1)
    ended = store.write(lambda unit: unit.items.claim_ended("d1", 10, later, later + MINUTE))
    return _claim(store, later) == [] and ended == []


def test_items_of_another_provider_are_never_claimed(store, forwarded, now):
    order = forwarded()
    assert _none_can_be_claimed(store, now)
    (item,) = order.items
    started = replace(item, status=StatusInfo(status=Status.IN_PRODUCTION))
    assert store.write(lambda unit: unit.items.save(item, started)) is True
    for wanted in (Wanted.SUSPENDED, Wanted.COMPLETED, Wanted.CANCELLED):
        store.write(lambda unit, wanted=wanted: unit.items.want(order.order_id, wanted, now))
        assert _none_can_be_claimed(store, now)
    with store.read() as unit:
        assert unit.items.get(order.order_id, 1).wanted is Wanted.CANCELLED


def test_open_parts_of_other_providers_come_oldest_first(store, added, forwarded, now):
    added()  # LOCAL
    old, young = forwarded(updated=now), forwarded(updated=now + MINUTE)
    new = forwarded()  # never asked about
    with store.read() as unit:
        ids = [part.order_id for part in unit.provider_orders.open()]
        assert ids == [new.order_id, old.order_id, young.order_id]
        assert unit.provider_orders.open(limit=1) == list(new.provider_orders)
    asked = replace(old.provider_orders[0], updated=now + 2 * MINUTE, tracking_id="v-1")
    closed = replace(new.provider_orders[0], state=ProviderOrderState.CLOSED, closed=now, updated=now)
    store.write(lambda unit: [unit.provider_orders.save(part) for part in (asked, closed)])
    with store.read() as unit:
        assert unit.provider_orders.open() == [young.provider_orders[0], asked]


def test_a_part_is_found_by_the_id_its_provider_gave_it(store, forwarded):
    order = forwarded(tracking_id="v-1")
    forwarded(tracking_id="v-2"), forwarded("Airbus", "v-1")
    with store.read() as unit:
        assert unit.provider_orders.by_tracking("Vexcel", "v-1") == order.provider_orders[0]
        assert unit.provider_orders.by_tracking("Airbus", "v-2") is None
        assert unit.provider_orders.by_tracking("nobody", "v-1") is None
        assert unit.provider_orders.by_tracking(LOCAL, "v-1") is None


# --------------------------------------------------------------------------------------------- matches


def test_a_revision_of_a_product_matches_a_subscription_once(store, added):
    order = added(items=2)
    products = [("S2A_1", "r1"), ("S2A_2", "r1"), ("S2A_1", "r1")]
    add = lambda number, these: store.write(  # noqa: E731
        lambda unit: unit.matches.add(order.order_id, number, these)
    )
    assert add(1, products) == [True, True, False]
    assert add(1, [("S2A_1", "r2"), ("S2A_1", "r1")]) == [True, False]
    assert add(2, [("S2A_1", "r1")]) == [True]
    assert add(1, []) == []
    with store.read() as unit:
        keys = [(order.order_id, 1), (order.order_id, 3), (new_order_id(), 1)]
        known = unit.matches.known(keys)
        assert known == {keys[0]: {*products, ("S2A_1", "r2")}, keys[1]: set(), keys[2]: set()}
        assert unit.matches.count(order.order_id, 1) == 3
        assert unit.matches.count(new_order_id(), 1) == 0
    with pytest.raises(NotFound):
        store.write(lambda unit: unit.matches.add(new_order_id(), 1, products))


def test_many_products_are_remembered_in_one_go(store, added):
    order = added(items=1)
    products = [(f"S2A_{n:05d}", "r1") for n in range(1000)]
    store.write(lambda unit: unit.matches.add(order.order_id, 1, products[::3]))
    new = store.write(lambda unit: unit.matches.add(order.order_id, 1, products))
    assert new == [place % 3 != 0 for place in range(1000)]
    with store.read() as unit:
        assert unit.matches.known([(order.order_id, 1)])[order.order_id, 1] == set(products)


# ------------------------------------------------------------------------------------------------ past


def _finished(serial, collection="urn:c"):
    return Finished(collection_id=collection, choice=f"choice {serial % 3}", seconds=serial / 8, size=2**40)


def test_the_latest_of_a_collection_come_newest_first(store):
    mine, other = [_finished(n) for n in range(5)], _finished(9, "urn:d")
    store.write(lambda unit: unit.past.add([*mine, other]))
    with store.read() as unit:
        assert unit.past.of("urn:c") == mine[::-1]
        assert unit.past.of("urn:c", limit=2) == mine[:-3:-1]
        assert unit.past.of("urn:d") == [other]
        assert unit.past.of("urn:e") == []
    store.write(lambda unit: unit.past.add([]))


def test_only_the_last_few_hundred_of_a_collection_are_kept(store):
    other = _finished(0, "urn:d")
    store.write(lambda unit: unit.past.add([other]))
    for first in range(0, 1600, 40):
        store.write(lambda unit, first=first: unit.past.add([_finished(n) for n in range(first, first + 40)]))
    with store.read() as unit:
        kept = unit.past.of("urn:c", limit=10_000)
        assert KEPT <= len(kept) <= KEPT * 3 // 2 + 40
        assert kept == [_finished(n) for n in range(1599, 1599 - len(kept), -1)]
        assert unit.past.of("urn:d") == [other]


def _of_size(serial, scale):
    choice = f"{serial % 3:016x}" + ("" if scale is None else f"@{scale}")
    return Finished(collection_id="urn:c", choice=choice, seconds=1.0, size=serial)


def test_many_chips_leave_room_for_a_lake_and_a_whole_scene(store):
    lake, whole = [_of_size(n, -4) for n in range(3)], [_of_size(n, None) for n in range(2)]
    store.write(lambda unit: unit.past.add([*lake, *whole]))
    for first in range(0, 1200, 60):
        chips = [_of_size(n, -12) for n in range(first, first + 60)]
        store.write(lambda unit, chips=chips: unit.past.add(chips))
    with store.read() as unit:
        past = unit.past
        assert past.of("urn:c", [lake[0].choice]) == lake[::-1]
        assert past.of("urn:c", [whole[0].choice]) == whole[::-1]
        assert len(past.of("urn:c", ["x@-12"])) == 200
        assert past.of("urn:c", ["x@-6"]) == lake[::-1]  # the next larger
        assert past.of("urn:c", ["x@3"]) == whole[::-1]
        both = past.of("urn:c", ["x@-12", lake[0].choice])
        assert len(both) == 203 and set(lake) < set(both)
        assert KEPT <= len(past.of("urn:c", ["x@-12"], limit=10_000)) <= KEPT * 3 // 2 + 60


def test_nothing_larger_was_made_so_the_largest_of_the_smaller_tells(store):
    store.write(lambda unit: unit.past.add([_of_size(1, -12), _of_size(2, -9)]))
    with store.read() as unit:
        assert [each.size for each in unit.past.of("urn:c", ["x"])] == [2]
