"""What operators see and decide; on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from oseo_lab.model.approval import Approval, Decided
from oseo_lab.model.desk import Announcement, Queue
from oseo_lab.model.order import new_order_id
from oseo_lab.model.status import Status, Wanted
from oseo_lab.store.tables import METADATA

MINUTE = timedelta(minutes=1)
APPROVED = Approval(decided=Decided.APPROVED, operator="olga")


@pytest.fixture
def waiting(store, make_order):
    """Save orders that wait for approval."""

    def add(**wishes):
        made = replace(make_order(status=Status.SUBMITTED, **wishes), approval=Approval())
        store.write(lambda unit: unit.orders.add(made))
        return made

    return add


def test_what_waits_is_listed_oldest_first_and_counted(store, added, waiting):
    first, second, _ = waiting(items=2), waiting(owner="ben"), waiting()
    added(status=Status.SUBMITTED)  # whose approval nobody asks for
    with store.read() as unit:
        found = unit.desk.waiting(2)
        assert [(each.order_id, each.owner, each.items) for each in found] == [
            (first.order_id, "anna", 2),
            (second.order_id, "ben", 3),
        ]
        assert (found[0].name, found[0].collections) == ("a reference", ("urn:eop:DEMO:S2",))
        assert found[0].since == first.created
        assert (unit.desk.count_waiting(99), unit.desk.count_waiting(2)) == (3, 2)


def test_a_decision_is_made_once_and_remembered(store, waiting, now):
    order = waiting(items=1)
    made = replace(APPROVED, at=now, reason="welcome")
    assert store.write(lambda unit: unit.desk.decide(order.order_id, made, now))
    assert not store.write(
        lambda unit: unit.desk.decide(order.order_id, replace(made, decided=Decided.REJECTED), now)
    )
    with store.read() as unit:
        found = unit.orders.get(order.order_id)
        assert (found.approval, found.revision, found.updated) == (made, 1, now)
        assert unit.orders.search("anna", _everything())[0].approval == made
        assert unit.desk.waiting(9) == []
        assert unit.desk.decided(9) == [order.order_id]


def _everything():
    from oseo_lab.model.messages import FilteringCriteria

    return FilteringCriteria()


def test_what_was_decided_is_done_when_no_item_waits(store, waiting, now):
    order = waiting(items=1)
    store.write(lambda unit: unit.desk.decide(order.order_id, APPROVED, now))

    def move(unit):
        (item,) = unit.items.of(order.order_id)
        moved = replace(item, status=replace(item.status, status=Status.ACCEPTED))
        assert unit.items.save(item, moved)

    store.write(move)
    with store.read() as unit:
        assert unit.desk.decided(9) == []


def test_what_its_user_does_not_want_or_nobody_asked_is_not_decided(store, added, waiting, now):
    order, other = waiting(), added(status=Status.SUBMITTED)
    store.write(lambda unit: unit.orders.save(replace(order, wanted=Wanted.CANCELLED)))
    for order_id in (order.order_id, other.order_id, new_order_id(), "no id"):
        assert not store.write(lambda unit, order_id=order_id: unit.desk.decide(order_id, APPROVED, now))
    with store.read() as unit:
        assert unit.desk.waiting(9) == []
        assert unit.desk.count_waiting(9) == 0


def test_two_operators_at_once_decide_once(store, waiting, now):
    orders = [waiting(items=1).order_id for _ in range(10)]
    took = []

    def decide(decided):
        for order_id in orders:
            made = Approval(decided=decided, operator=decided.value, at=now)
            if store.write(lambda unit, order_id=order_id, made=made: unit.desk.decide(order_id, made, now)):
                took.append(order_id)

    threads = [threading.Thread(target=decide, args=(each,)) for each in (Decided.APPROVED, Decided.REJECTED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took) == sorted(orders)


def test_the_queue_is_what_nobody_works_on(store, added, now):
    with store.read() as unit:
        assert unit.desk.queue(9) == Queue()
    order = added(items=5)
    with store.read() as unit:
        assert unit.desk.queue(9) == Queue(items=5, oldest=order.created)
        assert unit.desk.queue(3).items == 3
    store.write(lambda unit: unit.items.claim("d1", 2, now, now + MINUTE))
    with store.read() as unit:
        assert unit.desk.queue(9).items == 3
        assert [(each.number, each.status) for each in unit.desk.in_work(9)] == [
            (1, Status.ACCEPTED),
            (2, Status.ACCEPTED),
        ]


def test_what_is_set_free_can_be_claimed_at_once_and_its_holder_has_lost_it(store, added, now):
    order = added(items=3)
    first, second, _ = store.write(lambda unit: unit.items.claim("d1", 3, now, now + MINUTE))
    later = now + MINUTE / 2
    freed = store.write(lambda unit: unit.desk.set_free(order.order_id, [1, 2, 2, 9], later))
    assert [each.number for each in freed] == [1, 2]
    with store.read() as unit:
        assert unit.orders.get(order.order_id).revision == 1
        assert [each.number for each in unit.desk.in_work(9)] == [3]
    assert not store.write(lambda unit: unit.items.save(first, replace(first, attempt=1)))
    again = store.write(lambda unit: unit.items.claim("d2", 9, later, later + MINUTE))
    assert [each.number for each in again] == [1, 2]
    assert again[1].updated == later != second.updated
    assert store.write(lambda unit: unit.desk.set_free(order.order_id, [], later)) == []
    assert store.write(lambda unit: unit.desk.set_free(new_order_id(), [1], later)) == []


def test_what_is_to_wait_is_not_claimed_when_it_is_set_free(store, added, now):
    order = added(items=1)
    store.write(lambda unit: unit.items.claim("d1", 1, now, now + MINUTE))
    store.write(lambda unit: unit.items.want(order.order_id, Wanted.SUSPENDED, now))
    store.write(lambda unit: unit.desk.set_free(order.order_id, [1], now))
    assert store.write(lambda unit: unit.items.claim("d2", 9, now, now + MINUTE)) == []
    with store.read() as unit:
        assert [each.number for each in unit.items.wished(9)] == [1]


def test_failures_of_a_day_add_up(store, now):
    day = now.date()
    store.write(lambda unit: unit.desk.count_failures(day, {"internal": 1, "quota": 2}))
    store.write(lambda unit: unit.desk.count_failures(day, {"internal": 3}))
    store.write(lambda unit: unit.desk.count_failures(day + timedelta(days=1), {"quota": 9}))
    with store.read() as unit:
        assert list(unit.desk.failures(day).items()) == [("internal", 4), ("quota", 2)]


def test_a_collection_fails_until_it_works(store, now):
    store.write(lambda unit: unit.desk.is_failing({"s1": "429", "s2": "503"}, now))
    store.write(lambda unit: unit.desk.is_failing({"s1": "timeout"}, now + MINUTE))
    store.write(lambda unit: unit.desk.is_working(["s2", "never heard of"]))
    with store.read() as unit:
        assert unit.desk.failing() == {"s1": ("timeout", now + MINUTE)}


def test_the_last_announcement_counts_until_it_is_over(store, now):
    with store.read() as unit:
        assert unit.desk.announcement(now) is None
    for announcement in (Announcement(text="one"), Announcement(text="two", until=now + MINUTE)):
        store.write(lambda unit, said=announcement: unit.desk.announce(said, "olga", now))
        with store.read() as unit:
            assert unit.desk.announcement(now) == announcement
    with store.read() as unit:
        assert unit.desk.announcement(now + MINUTE) is None
    store.write(lambda unit: unit.desk.announce(None, "olga", now))
    with store.read() as unit:
        assert unit.desk.announcement(now) is None


def test_quotations_that_wait_are_counted(store):
    with store.read() as unit:
        assert unit.desk.quotations_waiting(9) == 0


def test_submitting_without_approval_touches_no_index_of_the_desk():
    indexes = {each.name: each for each in METADATA.tables["orders"].indexes}
    for name in ("orders_waiting", "orders_decided"):
        assert "approval" in str(indexes[name].dialect_options["sqlite"]["where"])
