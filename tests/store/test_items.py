"""Items: claims, leases, compare-and-set, what is wanted; on SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oseo_lab.model.order import Priority, StatusInfo, new_order_id
from oseo_lab.model.status import Status, Wanted
from oseo_lab.store import open_store

PEER = Path(__file__).with_name("peer.py")
MINUTE = timedelta(minutes=1)


def _status(item, status, **changes):
    return replace(item, status=StatusInfo(status=status), **changes)


@pytest.fixture
def claim(store, now):
    def claim(limit=100, dispatcher="d1", at=now):
        return store.write(lambda unit: unit.items.claim(dispatcher, limit, at, at + MINUTE))

    return claim


@pytest.fixture
def save(store):
    return lambda *changes: store.write(lambda unit: unit.items.save_many(list(changes)))


def _items(store, order_id):
    with store.read() as unit:
        return unit.items.of(order_id)


def test_items_are_read_in_pages(store, added):
    order = added(items=7)
    with store.read() as unit:
        assert [item.number for item in unit.items.of(order.order_id, after=2, limit=3)] == [3, 4, 5]
        assert [item.number for item in unit.items.of(order.order_id, after=7)] == []
        assert unit.items.get(order.order_id, 4) == order.items[3]
        assert unit.items.get(order.order_id, 8) is None
        assert unit.items.get(new_order_id(), 1) is None
        assert unit.items.of(new_order_id()) == []


def test_fast_track_is_claimed_first_then_the_oldest(claim, added):
    oldest, fast = added(items=2), added(items=1, priority=Priority.FAST_TRACK)
    younger = added(items=2)
    claimed = claim(limit=4)
    assert [(item.order_id, item.number) for item in claimed] == [
        (fast.order_id, 1),
        (oldest.order_id, 1),
        (oldest.order_id, 2),
        (younger.order_id, 1),
    ]


def test_a_claimed_item_is_leased_as_returned_and_not_claimed_again(store, claim, added, now):
    order = added(items=2)
    claimed = claim()
    assert {(item.lease_owner, item.lease_until) for item in claimed} == {("d1", now + MINUTE)}
    assert claimed == _items(store, order.order_id)
    assert claim(dispatcher="d2") == []
    with store.read() as unit:
        assert unit.orders.revision(order.order_id, "anna") == 0  # a lease is nobody's news


def test_an_item_is_claimed_again_when_its_lease_has_run_out(claim, added, now):
    added(items=2)
    claim()
    assert claim(dispatcher="d2", at=now + MINUTE - timedelta(microseconds=1)) == []
    assert [item.lease_owner for item in claim(dispatcher="d2", at=now + 2 * MINUTE)] == ["d2", "d2"]


def test_an_item_whose_lease_ran_out_keeps_its_place_before_younger_ones(claim, added, now):
    old = added(items=1)
    claim()
    young = added(items=1)
    assert [item.order_id for item in claim(at=now + 2 * MINUTE)] == [old.order_id, young.order_id]


def test_who_looks_sees_whether_a_claim_would_find_anything(store, claim, added, now):
    def is_any(at=now):
        with store.read() as unit:
            return unit.items.is_any_due(at), unit.items.is_any_ended("d2", at)

    assert is_any() == (False, False)
    order = added(items=1)
    assert is_any() == (True, False)
    claim()
    assert is_any() == (False, False)
    assert is_any(now + MINUTE) == (True, False)
    store.write(lambda unit: unit.items.want(order.order_id, Wanted.CANCELLED, now))
    assert is_any() == (False, False)  # d1 has it
    assert is_any(now + MINUTE) == (False, True)


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.SUSPENDED, Status.COMPLETED, Status.FAILED])
def test_what_cannot_start_is_not_claimed(claim, added, status):
    added(status=status)
    assert claim() == []


def test_an_item_that_waits_for_a_retry_is_claimed_when_it_is_due(claim, save, added, now):
    added(items=1)
    (item,) = claim()
    waiting = replace(item, retry_at=now + 5 * MINUTE, lease_owner=None, lease_until=None)
    assert save((item, waiting)) == [True]
    assert claim(at=now + 4 * MINUTE) == []
    assert [each.number for each in claim(at=now + 5 * MINUTE)] == [1]


def test_leases_are_renewed_by_their_holder_only(store, claim, added, now):
    order = added(items=2)
    claim(limit=1, dispatcher="d1")
    claim(limit=1, dispatcher="d2")
    keys = [(order.order_id, 1), (order.order_id, 2), (new_order_id(), 1)]
    store.write(lambda unit: unit.items.renew("d1", keys, now + 9 * MINUTE))
    assert [item.lease_until for item in _items(store, order.order_id)] == [now + 9 * MINUTE, now + MINUTE]
    assert [item.number for item in claim(dispatcher="d3", at=now + 2 * MINUTE)] == [2]


def test_a_save_counts_only_if_status_attempt_and_holder_are_as_before(store, claim, save, added):
    added(items=1)
    (item,) = claim()
    for outdated in (
        _status(item, Status.SUBMITTED),
        replace(item, attempt=7),
        replace(item, lease_owner=None),
        replace(item, lease_owner="d2"),
        replace(item, order_id=new_order_id()),
    ):
        assert save((outdated, _status(item, Status.FAILED))) == [False]
    started = _status(item, Status.IN_PRODUCTION, attempt=1, failures=2)
    assert store.write(lambda unit: unit.items.save(item, started)) is True
    assert _items(store, item.order_id) == [started]


def test_of_a_batch_those_that_moved_meanwhile_are_left_and_the_others_saved(store, claim, save, added):
    order = added(items=5)
    items = claim()
    assert save((items[2], _status(items[2], Status.CANCELLED))) == [True]
    saved = save(*((item, _status(item, Status.COMPLETED)) for item in items))
    assert saved == [True, True, False, True, True]
    with store.read() as unit:
        assert unit.items.counts(order.order_id) == {Status.CANCELLED: 1, Status.COMPLETED: 4}


def test_an_order_hears_once_per_batch_that_its_items_changed(store, claim, save, added, now):
    first, second = added(items=3), added(items=1)
    later = now + timedelta(hours=1)
    claimed = claim()
    save(*((item, _status(item, Status.COMPLETED, updated=later)) for item in claimed))
    with store.read() as unit:
        for order in (first, second):
            found = unit.orders.get(order.order_id)
            assert (found.revision, found.updated) == (1, later)


def test_a_cancel_between_claim_and_save_stays(store, claim, save, added, now):
    order = added(items=1)
    (item,) = claim()
    assert store.write(lambda unit: unit.items.want(order.order_id, Wanted.CANCELLED, now)) == 1
    freed = _status(item, Status.ACCEPTED, lease_owner=None, lease_until=None)
    assert save((item, freed)) == [True]
    assert _items(store, order.order_id)[0].wanted is Wanted.CANCELLED
    assert claim() == []


def test_open_items_are_wanted_otherwise_final_ones_are_not(store, claim, save, added, now):
    order = added(items=3)
    items = claim(limit=1)
    save((items[0], _status(items[0], Status.COMPLETED, lease_owner=None, lease_until=None)))
    assert store.write(lambda unit: unit.items.want(order.order_id, Wanted.CANCELLED, now + MINUTE)) == 2
    keys = [(order.order_id, number) for number in (1, 2, 3, 4)] + [(new_order_id(), 1)]
    with store.read() as unit:
        assert unit.items.wanted_of(keys) == {
            (order.order_id, 1): Wanted.COMPLETED,
            (order.order_id, 2): Wanted.CANCELLED,
            (order.order_id, 3): Wanted.CANCELLED,
        }
        assert unit.orders.get(order.order_id).updated == now + MINUTE
    assert store.write(lambda unit: unit.items.want(new_order_id(), Wanted.CANCELLED, now)) == 0


def test_items_wanted_cancelled_are_claimed_to_be_ended_unless_another_holds_them(store, claim, added, now):
    order = added(items=3)
    claim(limit=1, dispatcher="d1")
    claim(limit=1, dispatcher="d2")
    store.write(lambda unit: unit.items.want(order.order_id, Wanted.CANCELLED, now))

    def ended(at):
        return store.write(lambda unit: unit.items.claim_ended("d1", 10, at, at + MINUTE))

    assert [(item.number, item.lease_owner) for item in ended(now)] == [(1, "d1"), (3, "d1")]
    assert [item.number for item in ended(now + 2 * MINUTE)] == [1, 2, 3]
    assert claim(at=now + 9 * MINUTE) == []


def test_submitted_items_can_be_ended_too(store, added, now):
    order = added(items=1, status=Status.SUBMITTED)
    store.write(lambda unit: unit.items.want(order.order_id, Wanted.CANCELLED, now))
    assert len(store.write(lambda unit: unit.items.claim_ended("d1", 10, now, now + MINUTE))) == 1


def test_suspending_and_resuming_leaves_a_lease_and_a_wait_as_they_were(store, claim, save, added, now):
    order = added(items=3)
    leased, waiting = claim(limit=2)
    save((waiting, replace(waiting, retry_at=now + 3 * MINUTE, lease_owner=None, lease_until=None)))
    store.write(lambda unit: unit.items.want(order.order_id, Wanted.SUSPENDED, now))
    assert claim(at=now + 9 * MINUTE) == []
    store.write(lambda unit: unit.items.want(order.order_id, Wanted.COMPLETED, now))
    assert [item.number for item in claim(limit=9, at=now)] == [3]
    assert [item.number for item in claim(limit=9, at=now + 3 * MINUTE)] == [leased.number, 2, 3]


def test_wishes_of_what_nobody_works_on_are_found_until_they_are_saved(store, claim, save, added, now):
    order = added(items=4)
    leased, idle = claim(limit=2)
    waiting = replace(idle, retry_at=now + 3 * MINUTE, lease_owner=None, lease_until=None)
    save((idle, waiting))

    def wished(at=now):
        with store.read() as snapshot:
            return [item.number for item in snapshot.items.wished(10, at)]

    assert wished() == []
    store.write(lambda unit: unit.items.want(order.order_id, Wanted.SUSPENDED, now))
    assert wished() == wished() == [2, 3, 4]
    assert wished(now + 9 * MINUTE) == [1, 2, 3, 4]  # whoever held the first is dead
    assert claim(at=now + 9 * MINUTE) == []
    with store.read() as snapshot:
        paused = snapshot.items.get(order.order_id, 3)
    held = _status(paused, Status.SUSPENDED, retry_at=now)
    assert save((paused, held)) == [True]
    assert wished() == [2, 4]
    store.write(lambda unit: unit.items.want(order.order_id, Wanted.COMPLETED, now))
    assert wished() == [3]
    assert [item.number for item in claim(limit=9, at=now)] == [4]
    assert [item.number for item in claim(limit=9, at=now + 3 * MINUTE)] == [leased.number, 2, 4]


def test_a_final_item_is_wished_again_by_its_retry_at(store, claim, save, added, now):
    added(items=1)
    (item,) = claim()
    failed = _status(item, Status.FAILED, lease_owner=None, lease_until=None)
    again = replace(failed, retry_at=now)
    assert save((item, failed)) == save((failed, again)) == [True]
    with store.read() as snapshot:
        assert [each.status.status for each in snapshot.items.wished(10, now)] == [Status.FAILED]
    assert claim(at=now + 9 * MINUTE) == []
    accepted = _status(again, Status.ACCEPTED, retry_at=None)
    assert save((again, accepted)) == [True]
    assert [each.number for each in claim(at=now)] == [1]


def test_final_items_are_wished_again_once_and_only_they(store, claim, save, added, now):
    order = added(items=4)
    first, second, third, _ = claim()
    for item in (first, second):
        save((item, _status(item, Status.FAILED, lease_owner=None, lease_until=None)))
    save((third, _status(third, Status.CANCELLED, lease_owner=None, wanted=Wanted.CANCELLED)))

    def again(*numbers, wanted=Wanted.COMPLETED):
        return store.write(lambda unit: unit.items.want_again(order.order_id, numbers, wanted, now))

    with store.read() as snapshot:
        before = snapshot.orders.get(order.order_id).revision
    assert again(1, 3, 4) == 2  # the fourth is in work
    assert again(1, 2, wanted=Wanted.SUSPENDED) == 1
    with store.read() as snapshot:
        found = [(each.number, each.wanted) for each in snapshot.items.wished(10)]
        assert snapshot.orders.get(order.order_id).revision == before + 2
    assert found == [(1, Wanted.COMPLETED), (2, Wanted.SUSPENDED), (3, Wanted.COMPLETED)]
    assert store.write(lambda unit: unit.items.want_again(new_order_id(), [1], Wanted.COMPLETED, now)) == 0


def test_one_that_waits_is_looked_at_when_its_order_goes_on(store, added, save, now):
    order = added(items=3, status=Status.SUSPENDED)
    store.write(lambda unit: unit.items.want(order.order_id, Wanted.COMPLETED, now))
    with store.read() as snapshot:
        (first,) = snapshot.items.wished(10, now)
    assert first.number == 1
    save((first, first))
    with store.read() as snapshot:
        assert snapshot.items.wished(10, now) == []


def test_items_that_are_put_off_come_back_by_themselves(store, claim, added, now):
    order = added(items=3)
    (held,) = claim(limit=1)
    assert store.write(lambda unit: unit.items.put_off(order.order_id, now + MINUTE)) == 2
    assert claim(limit=9, at=now) == []
    with store.read() as snapshot:
        assert [each.number for each in snapshot.items.in_work(order.order_id, now)] == [held.number]
        assert snapshot.items.in_work(order.order_id, now + 9 * MINUTE) == []
    assert [each.number for each in claim(limit=9, at=now + 3 * MINUTE)] == [1, 2, 3]


def test_an_operator_may_want_a_final_item_again(claim, save, added):
    added(items=1)
    (item,) = claim()
    failed = _status(item, Status.FAILED, lease_owner=None, lease_until=None, wanted=Wanted.CANCELLED)
    assert save((item, failed)) == [True]
    assert save((failed, _status(failed, Status.ACCEPTED, wanted=Wanted.COMPLETED))) == [True]
    assert [each.number for each in claim()] == [1]


def test_four_threads_claim_two_hundred_items_each_exactly_once(store, claim, added):
    for _ in range(4):
        added(items=50)

    def work(name):
        mine = []
        while found := claim(limit=7, dispatcher=name):
            mine += [item.key for item in found]
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [key for mine in pool.map(work, "abcd") for key in mine]
    assert len(claimed) == len(set(claimed)) == 200


def test_four_processes_claim_two_hundred_items_each_exactly_once(store, url, added):
    for _ in range(4):
        added(items=50)
    peers = [
        subprocess.Popen([sys.executable, str(PEER), "claim", url, name], stdout=subprocess.PIPE, text=True)
        for name in "abcd"
    ]
    answers = [peer.communicate(timeout=120)[0] for peer in peers]
    assert [peer.returncode for peer in peers] == [0, 0, 0, 0]
    claimed = Counter(tuple(key) for answer in answers for key in json.loads(answer))
    assert len(claimed) == 200
    assert set(claimed.values()) == {1}


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('counts')}/orders.sqlite")
    yield store
    store.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(list(Status)))), max_size=5))
def test_counts_are_those_of_the_items_after_any_moves(counted, make_order, moves):
    order = make_order(items=5)
    counted.write(lambda unit: unit.orders.add(order))
    for batch in moves:
        changes = [(order.items[place], _status(order.items[place], status)) for place, status in batch]
        counted.write(lambda unit, changes=changes: unit.items.save_many(changes))
        with counted.read() as unit:
            truth = Counter(item.status.status for item in unit.items.of(order.order_id))
            assert unit.items.counts(order.order_id) == truth
