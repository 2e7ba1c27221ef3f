"""Status history and attempts, results, accounts; on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.order import Attempt, ResultFile, StatusChange, new_order_id
from oseo_lab.model.status import Status
from oseo_lab.ports import Account
from oseo_lab.store.results import _united

MINUTE = timedelta(minutes=1)


def _change(order, number, now, **rest):
    return StatusChange(
        order_id=order.order_id, number=number, status=Status.FAILED, at=now, author="d1", **rest
    )


# ---------------------------------------------------------------------------------- history and attempts


def test_changes_come_back_oldest_first_with_rising_ids(store, added, now):
    order = added(items=1)
    change = _change(order, 1, now, attempt=3, info="for the user", detail="for\nthe operator")
    store.write(lambda unit: unit.events.add([change, replace(change, number=0)]))
    with store.read() as unit:
        history = unit.events.of(order.order_id)
        assert [each.number for each in history] == [0, 1, 1, 0]
        assert replace(history[2], event_id=0) == change
        ids = [each.event_id for each in history]
        assert ids == sorted(set(ids))
        assert unit.events.of(order.order_id, 1) == history[1:3]
        assert unit.events.last_id() == ids[-1]
        assert unit.events.of(new_order_id()) == []


def test_the_stream_goes_on_after_an_id_for_one_owner_or_for_all(store, added):
    assert store.write(lambda unit: unit.events.last_id()) == 0
    added(owner="anna", items=1), added(owner="berta", items=1)
    with store.read() as unit:
        everything = unit.events.after(0)
        assert len(everything) == 4
        assert unit.events.after(everything[1].event_id) == everything[2:]
        assert unit.events.after(everything[1].event_id, limit=1) == everything[2:3]
        assert unit.events.after(0, owner="berta") == everything[2:]
        assert unit.events.after(0, owner="nobody") == []


def test_an_attempt_is_begun_and_later_completed(store, added, now):
    order = added(items=2)
    begun = Attempt(order_id=order.order_id, number=1, attempt=1, started=now, worker="tcp://w1")
    ended = Attempt(
        order_id=order.order_id, number=1, attempt=1, ended=now + MINUTE, outcome="transient", detail="why"
    )
    second = replace(begun, attempt=2, started=now + 2 * MINUTE)
    other = replace(begun, number=2)
    store.write(lambda unit: unit.events.save_attempts([begun, other]))
    store.write(lambda unit: unit.events.save_attempts([ended, second]))
    whole = replace(begun, ended=ended.ended, outcome="transient", detail="why")
    with store.read() as unit:
        assert unit.events.attempts(order.order_id) == [whole, second, other]
        assert unit.events.attempts(order.order_id, 1) == [whole, second]
        assert unit.events.attempts(new_order_id()) == []


# --------------------------------------------------------------------------------------------- results


def _file(order, number, name, attempt=1, **rest):
    defaults = {"size": 2**40, "sha256": "0f" * 32, "media_type": "image/tiff"}
    return ResultFile(order_id=order.order_id, number=number, attempt=attempt, name=name, **(defaults | rest))


def test_files_come_back_with_a_sequence_per_delivery(store, added, now):
    order, other = added(items=2), added(items=1)
    files = [
        _file(order, 2, "b.tif", expires=now),
        _file(order, 2, "item.json", is_data=False, sha256="no digest"),
        _file(other, 1, "x.tif"),
        _file(order, 1, "a.tif"),
    ]
    store.write(lambda unit: unit.results.add(files))
    store.write(lambda unit: unit.results.add([_file(order, 0, "all.zip")]))
    with store.read() as unit:
        assert unit.results.of(order.order_id) == [
            _file(order, 0, "all.zip", sequence=3),
            _file(order, 1, "a.tif", sequence=2),
            _file(order, 2, "b.tif", expires=now, sequence=1),
            _file(order, 2, "item.json", is_data=False, sha256="no digest", sequence=1),
        ]
        assert [each.name for each in unit.results.of(order.order_id, data_only=True)] == [
            "all.zip",
            "a.tif",
            "b.tif",
        ]
        assert [each.name for each in unit.results.of(order.order_id, number=0)] == ["all.zip"]
        assert [each.sequence for each in unit.results.of(other.order_id)] == [1]
        assert unit.results.of(new_order_id()) == []


def test_a_file_that_lies_at_its_provider_says_where_and_need_not_be_measured(store, added):
    order = added(items=1)
    file = _file(order, 1, "a.tif", size=0, sha256="", href="https://provider.example/a.tif", sequence=1)
    store.write(lambda unit: unit.results.add([file]))
    with store.read() as unit:
        assert unit.results.of(order.order_id) == [file]


def test_bytes_and_deliveries_of_an_order_are_known_without_its_files(store, added):
    order = added(items=2)
    unknown = new_order_id()
    with store.read() as snapshot:
        assert (snapshot.results.size(order.order_id), snapshot.results.last_sequence(order.order_id)) == (
            0,
            0,
        )
        assert (snapshot.results.size(unknown), snapshot.results.last_sequence(unknown)) == (0, 0)
    data, about = _file(order, 1, "a.tif", size=70), _file(order, 1, "item.json", size=5, is_data=False)
    store.write(lambda unit: unit.results.add([data, about, _file(order, 2, "b.tif", size=30)]))
    store.write(lambda unit: unit.results.add([_file(order, 0, "all.zip", size=90)]))
    with store.read() as snapshot:
        assert snapshot.results.size(order.order_id) == 100
        assert snapshot.results.last_sequence(order.order_id) == 3


def test_of_two_deliveries_of_an_item_the_last_counts(store, added):
    order = added(items=1)
    for attempt in (1, 3):
        store.write(lambda unit, k=attempt: unit.results.add([_file(order, 1, "a.tif", attempt=k, size=k)]))
    with store.read() as unit:
        assert [file.attempt for file in unit.results.of(order.order_id)] == [3]
        assert unit.results.file(order.order_id, 1, "a.tif").size == 3
        assert unit.results.file(order.order_id, 1, "b.tif") is None
        assert unit.results.file(new_order_id(), 1, "a.tif") is None


def test_ranges_fetched_are_united(store, added):
    order = added(items=1)
    file = _file(order, 1, "a.tif", size=100)
    store.write(lambda unit: unit.results.add([file]))
    for ranges in ([(0, 10), (50, 60)], [(10, 20)], [(55, 100), (99, 99)]):
        store.write(lambda unit, r=ranges: unit.results.fetched(file, r))
    with store.read() as unit:
        assert unit.results.file(order.order_id, 1, "a.tif").fetched == ((0, 20), (50, 100))


ranges_of_bytes = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)))


@given(ranges=ranges_of_bytes)
def test_united_ranges_hold_the_same_bytes_and_never_touch(ranges):
    united = _united(ranges)
    assert {place for pair in united for place in range(*pair)} == {
        place for pair in ranges for place in range(*pair)
    }
    assert all(before[1] < after[0] for before, after in pairwise(united))


def test_expired_files_are_listed_until_they_are_removed_however_few_at_a_time(store, added, now):
    order = added(items=3)
    files = [
        _file(order, number, name, expires=now + number * MINUTE)
        for number in (1, 2)
        for name in ("a.tif", "b.tif", "c.tif")
    ]
    store.write(lambda unit: unit.results.add([*files, _file(order, 3, "for ever.tif")]))

    def sweep(at, limit):
        def work(unit):
            found = unit.results.expired(at, limit)
            unit.results.removed(found)
            return sorted(file.name for file in found)

        return store.write(work)

    assert sweep(now, 10) == []
    swept = [sweep(now + MINUTE, 2), sweep(now + MINUTE, 2), sweep(now + MINUTE, 2)]
    assert sorted(name for names in swept for name in names) == ["a.tif", "b.tif", "c.tif"]
    assert len(sweep(now + 9 * MINUTE, 10)) == 3
    with store.read() as unit:
        assert [file.removed for file in unit.results.of(order.order_id)] == [True] * 6 + [False]


# -------------------------------------------------------------------------------------------- accounts


def test_accounts_are_kept_and_replaced(store, now):
    account = Account(name="b", owner="berta", password_hash="argon", digest_secret=b"\0\xff", created=now)
    other = Account(name="a", owner="anna", password_hash="argon")
    store.write(lambda unit: (unit.accounts.save(account), unit.accounts.save(other)))
    with store.read() as unit:
        assert unit.accounts.get("b") == account
        assert unit.accounts.get("c") is None
        assert unit.accounts.list() == [other, account]
    store.write(lambda unit: unit.accounts.save(replace(account, disabled=True)))
    with store.read() as unit:
        assert unit.accounts.get("b").disabled


@pytest.mark.parametrize("ahead", [timedelta(0), 5 * MINUTE], ids=["clock right", "clock ahead"])
def test_a_nonce_is_used_once_while_it_could_be_replayed(store, now, ahead):
    def use(nonce, created):
        return store.write(lambda unit: unit.accounts.use_nonce(nonce, created, created + 10 * MINUTE))

    assert use(b"n", now) is True
    assert use(b"n", now) is False
    assert use(b"other", now + 4 * MINUTE + ahead) is True
    assert use(b"n", now) is False
    assert use(b"much later", now + 60 * MINUTE) is True
    assert use(b"n", now + 60 * MINUTE) is True  # forgotten: its Created is refused by then
