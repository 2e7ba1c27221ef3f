"""One writer, grouped commits, snapshots: what `write` and `read` promise, on both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from oseo_lab.model.errors import Conflict, OseoError, Unavailable
from oseo_lab.model.messages import FilteringCriteria
from oseo_lab.store import open_store
from oseo_lab.store.session import Session

PEER = Path(__file__).with_name("peer.py")


@pytest.fixture
def held(store):
    """Keep the writer at work, so that what is submitted meanwhile comes together; call to let it go."""
    begun, go = threading.Event(), threading.Event()

    def hold(unit):
        begun.set()
        assert go.wait(60)

    first = store.submit(hold)
    assert begun.wait(60)

    def release():
        go.set()
        first.result(60)

    yield release
    go.set()


@pytest.fixture
def commits(monkeypatch):
    """Count commits."""
    counted, commit = [], Session.commit

    def count(session):
        counted.append(1)
        commit(session)

    monkeypatch.setattr(Session, "commit", count)
    return counted


def test_writes_that_come_together_share_one_commit(store, held, make_order, commits):
    orders = [make_order() for _ in range(20)]
    futures = [store.submit(lambda unit, o=order: unit.orders.add(o)) for order in orders]
    held()
    wait(futures, 60)
    assert len(commits) == 2  # that of the one that held the writer, and one for all twenty
    with store.read() as unit:
        assert len(unit.orders.search("anna", FilteringCriteria())) == 20


def test_what_one_write_raises_undoes_its_own_changes_only(store, held, make_order):
    before, failing, after = make_order(), make_order(), make_order()

    def fail(unit):
        unit.orders.add(failing)
        raise ZeroDivisionError("mine")

    futures = [
        store.submit(lambda unit: unit.orders.add(before)),
        store.submit(fail),
        store.submit(lambda unit: unit.orders.add(before)),  # there already: an error of the database
        store.submit(lambda unit: unit.orders.add(after)),
    ]
    held()
    assert futures[0].result(60) is None
    with pytest.raises(ZeroDivisionError, match="mine"):
        futures[1].result(60)
    with pytest.raises(Conflict):
        futures[2].result(60)
    assert futures[3].result(60) is None
    with store.read() as unit:
        found = unit.orders.get_many([before.order_id, failing.order_id, after.order_id])
    assert set(found) == {before.order_id, after.order_id}


def test_a_text_first_stored_by_a_failed_write_is_stored_by_the_next(store, make_order):
    order = make_order(owner="somebody never seen before")

    def fail(unit):
        unit.orders.add(order)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(fail)
    store.write(lambda unit: unit.orders.add(replace(order, owner="first take its number")))
    other = make_order(owner="somebody never seen before")
    store.write(lambda unit: unit.orders.add(other))
    with store.read() as unit:
        assert unit.orders.get(order.order_id).owner == "first take its number"
        assert unit.orders.get(other.order_id).owner == "somebody never seen before"


def test_a_commit_that_fails_fails_every_caller_and_the_next_write_works(
    store, held, make_order, monkeypatch
):
    commit = Session.commit

    def refuse(session):
        monkeypatch.setattr(Session, "commit", commit)
        raise Unavailable("the disk is full")

    orders = [make_order() for _ in range(3)]
    futures = [store.submit(lambda unit, o=order: unit.orders.add(o)) for order in orders]
    monkeypatch.setattr(Session, "commit", lambda session: (commit(session), _next(monkeypatch, refuse))[0])
    held()
    for future in futures:
        with pytest.raises(Unavailable, match="disk is full"):
            future.result(60)
    with store.read() as unit:
        assert unit.orders.get_many(order.order_id for order in orders) == {}
    store.write(lambda unit: unit.orders.add(orders[0]))


def _next(monkeypatch, refuse):
    monkeypatch.setattr(Session, "commit", refuse)


def test_a_write_returns_what_its_work_returns(store):
    assert store.write(lambda unit: "this") == "this"
    assert store.submit(lambda unit: "that").result(60) == "that"


def test_a_future_cancelled_before_its_turn_is_not_run(store, held, make_order):
    order = make_order()
    future = store.submit(lambda unit: unit.orders.add(order))
    assert future.cancel()
    held()
    store.write(lambda unit: None)
    with store.read() as unit:
        assert unit.orders.get(order.order_id) is None


def test_a_write_inside_a_write_is_refused_rather_than_waiting_for_itself(store):
    with pytest.raises(RuntimeError, match="unit of work"):
        store.write(lambda unit: store.write(lambda inner: None))


def test_a_snapshot_does_not_move_while_it_is_open(store, added):
    first = added()
    with store.read() as unit:
        assert unit.orders.get(first.order_id) is not None
        second = added()
        assert unit.orders.get(second.order_id) is None
        assert len(unit.orders.search("anna", FilteringCriteria())) == 1
        with store.read() as newer:
            assert newer.orders.get(second.order_id) is not None


def test_a_snapshot_cannot_be_written_to(store, make_order):
    order = make_order()
    with pytest.raises(OseoError), store.read() as unit:
        unit.orders.add(order)
    with store.read() as unit:
        assert unit.orders.get(order.order_id) is None
    store.write(lambda unit: unit.orders.add(order))


def test_many_threads_read_while_one_writes(store, added):
    orders = [added() for _ in range(5)]
    missing = []

    def read():
        for _ in range(50):
            with store.read() as unit:
                missing.extend(order for order in orders if unit.orders.get(order.order_id) is None)

    threads = [threading.Thread(target=read) for _ in range(12)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        added()
    for thread in threads:
        thread.join(60)
    assert missing == []


def test_every_write_of_many_threads_is_durable_and_answered(store, make_order):
    orders = [make_order() for _ in range(120)]

    def write(place):
        for order in orders[place::12]:
            store.write(lambda unit, o=order: unit.orders.add(o))
        return place

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(write, range(12))) == list(range(12))
    with store.read() as unit:
        assert len(unit.orders.get_many(order.order_id for order in orders)) == 120


def test_a_write_inside_a_write_of_another_thread_is_refused_too(store):
    def nested():
        with pytest.raises(RuntimeError, match="unit of work"):
            store.write(lambda unit: store.write(lambda inner: None))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(nested).result(60)


def test_closing_finishes_what_is_queued_and_then_refuses(url, make_order):
    store = open_store(url)
    orders = [make_order() for _ in range(30)]
    futures = [store.submit(lambda unit, o=order: unit.orders.add(o)) for order in orders]
    store.close()
    assert all(future.done() and future.exception() is None for future in futures)
    with pytest.raises(Unavailable, match="closed"):
        store.write(lambda unit: None)
    with pytest.raises(Unavailable, match="closed"), store.read():
        pass
    store.close()


def test_what_write_returned_for_is_there_after_the_process_is_killed(url):
    open_store(url).close()
    peer = subprocess.Popen(
        [sys.executable, str(PEER), "write", url, "anna"], stdout=subprocess.PIPE, text=True
    )
    promised = [peer.stdout.readline().strip() for _ in range(25)]
    peer.kill()
    promised += peer.communicate(timeout=60)[0].split()
    store = open_store(url)
    with store.read() as unit:
        found = unit.orders.get_many(promised)
    store.close()
    assert set(promised) <= set(found)
    assert len(promised) >= 25


def test_four_processes_make_and_fill_one_store_at_once(new_url):
    peers = [subprocess.Popen([sys.executable, str(PEER), "add", new_url, name]) for name in "abcd"]
    assert [peer.wait(120) for peer in peers] == [0, 0, 0, 0]
    store = open_store(new_url)
    with store.read() as unit:
        assert [len(unit.orders.search(name, FilteringCriteria())) for name in "abcd"] == [50] * 4
    store.close()


@pytest.mark.postgres
def test_a_writer_sees_what_was_written_while_it_waited_whatever_the_database_defaults_to(
    new_postgres, make_order
):
    defaults = {"options": "-c default_transaction_isolation=serializable"}
    url = sa.make_url(new_postgres).update_query_dict(defaults).render_as_string(hide_password=False)
    first, second = open_store(url), open_store(url)
    begun, go, order = threading.Event(), threading.Event(), make_order()

    def hold(unit):
        unit.orders.add(order)
        begun.set()
        assert go.wait(60)

    holding = first.submit(hold)
    assert begun.wait(60)
    waiting = second.submit(lambda unit: unit.orders.get(order.order_id))
    engine = sa.create_engine(new_postgres, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        while not connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar():
            assert not waiting.done()
    go.set()
    holding.result(60)
    assert waiting.result(60).order_id == order.order_id
    first.close()
    second.close()
