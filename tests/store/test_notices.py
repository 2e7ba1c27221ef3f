"""Callbacks, subscribers, the outbox and the delivery log; on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from oseo_lab.model.errors import Conflict, NotFound
from oseo_lab.model.notifications import Subscriber, Topic
from oseo_lab.model.order import Callback, CallbackKind, StatusNotification, new_order_id
from oseo_lab.model.quotation import new_quotation_id
from oseo_lab.ports import MOST_SKIPPED, Notice, Sending

MINUTE = timedelta(minutes=1)
CALLBACK = Callback(
    kind=CallbackKind.SUBMIT_RESPONSE,
    policy=StatusNotification.ALL,
    address="https://client.example/inbox",
    message_id=new_order_id(),
)


@pytest.fixture
def claim(store):
    return lambda at, limit=10: store.write(lambda unit: unit.outbox.claim(limit, at, at + MINUTE))


@pytest.fixture
def settle(store):
    return lambda notice, due=None: store.write(lambda unit: unit.outbox.settle(notice, due=due))


def _owe(store, *notices):
    store.write(lambda unit: unit.outbox.add(notices))


# ---------------------------------------------------------------------------------------------- outbox


def test_notices_of_an_order_go_out_one_after_the_other(store, claim, settle, now):
    first, second = new_order_id(), new_order_id()
    notices = [
        Notice(order_id=first, kind="a", address="mailto:x", body={"n": [1, "ü"]}, due=now),
        Notice(order_id=first, kind="b", address="mailto:x", due=now),
        Notice(order_id=second, kind="c", address="mailto:y", due=now + MINUTE),
    ]
    _owe(store, *notices)
    (taken,) = claim(now)
    assert taken == replace(notices[0], notice_id=taken.notice_id, attempts=1, due=now + MINUTE)
    assert claim(now) == []
    settle(taken, due=now + 5 * MINUTE)
    assert [each.kind for each in claim(now + MINUTE)] == ["c"]
    (again,) = [each for each in claim(now + 5 * MINUTE) if each.kind == "a"]
    assert again.attempts == 2
    settle(again)
    assert [each.kind for each in claim(now + 5 * MINUTE)] == ["b"]


def test_an_address_that_does_not_answer_holds_up_no_other_of_the_order(store, claim, settle, now):
    order = new_order_id()
    _owe(store, *(Notice(order_id=order, kind=kind, address=kind[0]) for kind in ("x1", "y1", "x2", "y2")))
    x1, y1 = claim(now)
    settle(x1, due=now + 9 * MINUTE)
    settle(y1)
    assert [each.kind for each in claim(now)] == ["y2"]


def test_a_notice_without_a_time_is_due_at_once_whatever_the_clock_says(store, claim, now):
    _owe(store, Notice(order_id=new_order_id(), kind="a", address="x"))
    (taken,) = claim(now - timedelta(days=9999))
    assert taken.attempts == 1


def test_a_lease_that_ran_out_is_claimed_again_and_counted(store, claim, now):
    _owe(store, Notice(order_id=new_order_id(), kind="a", address="x"))
    claim(now)
    assert claim(now + MINUTE - timedelta(microseconds=1)) == []
    assert [each.attempts for each in claim(now + MINUTE)] == [2]


def test_those_that_waited_longest_are_claimed_first_and_no_more_than_asked_for(store, claim, now):
    ids = [new_order_id() for _ in range(4)]
    dues = (4, 2, 3, 1)
    _owe(
        store,
        *(
            Notice(order_id=name, kind=str(due), address="x", due=now + due * MINUTE)
            for name, due in zip(ids, dues, strict=True)
        ),
    )
    assert [each.kind for each in claim(now + 9 * MINUTE, limit=3)] == ["1", "2", "3"]


def test_a_claim_passes_over_addresses_that_are_busy(store, now):
    names = [f"address {place}" for place in range(MOST_SKIPPED + 2)]
    _owe(store, *(Notice(order_id=new_order_id(), kind="a", address=name) for name in names))

    def claim(skip):
        return store.write(lambda unit: unit.outbox.claim(99, now, now + MINUTE, skip))

    def is_any(skip):
        with store.read() as unit:
            return unit.outbox.is_any_due(now, skip)

    assert is_any(names)
    assert [each.address for each in claim(names)] == names[MOST_SKIPPED:]
    assert not is_any(names)
    assert [each.address for each in claim(names[1:3])] == [names[0], *names[3:MOST_SKIPPED]]
    assert is_any(()) and not is_any(names[1:3])


def test_what_waits_is_told_by_order_or_quotation(store, claim, settle, now):
    order, quotation = new_order_id(), new_quotation_id()
    _owe(
        store,
        Notice(order_id=order, kind="a", address="x", body={"k": 1}),
        Notice(order_id=quotation, kind="b", address="x"),
        Notice(order_id=order, kind="c", address="x", due=now),
    )
    with store.read() as unit:
        assert [(each.kind, each.due) for each in unit.outbox.waiting(order)] == [("a", None), ("c", now)]
        assert unit.outbox.waiting(order)[0].body == {"k": 1}
        assert [each.order_id for each in unit.outbox.waiting(quotation)] == [quotation]
        assert unit.outbox.waiting(new_order_id()) == []
    for notice in claim(now):
        settle(notice)
    with store.read() as unit:
        assert [each.kind for each in unit.outbox.waiting(order)] == ["c"]
        assert unit.outbox.waiting(quotation) == []


def test_a_queue_that_went_empty_begins_anew(store, claim, settle, now):
    order = new_order_id()
    for kind in "ab":
        _owe(store, Notice(order_id=order, kind=kind, address="x"))
        (taken,) = claim(now)
        assert taken.kind == kind
        settle(taken)
    assert claim(now) == []


# ------------------------------------------------------------------------------------------- callbacks


def test_a_callback_comes_back_and_a_second_one_of_its_kind_replaces_it(store, added):
    order, other, silent = added(), added(), added()
    later = replace(CALLBACK, policy=StatusNotification.FINAL, message_id="free text", soap_version="1.1")
    cancel = replace(CALLBACK, kind=CallbackKind.CANCEL_RESPONSE)

    def work(unit):
        unit.callbacks.add(order.order_id, cancel)
        unit.callbacks.add(order.order_id, CALLBACK)
        unit.callbacks.add(other.order_id, CALLBACK)
        unit.callbacks.add(other.order_id, later)

    store.write(work)
    with store.read() as unit:
        ids = [order.order_id, other.order_id, silent.order_id, new_order_id()]
        assert unit.callbacks.of_many(ids) == {order.order_id: [CALLBACK, cancel], other.order_id: [later]}
        assert unit.callbacks.of_many([]) == {}


def test_a_callback_of_no_order_is_refused(store):
    with pytest.raises(NotFound):
        store.write(lambda unit: unit.callbacks.add(new_order_id(), CALLBACK))


# ----------------------------------------------------------------------------------------- subscribers


def test_subscribers_are_an_owners_until_their_time_is_over_or_they_leave(store, now):
    consumer = {"consumer": "https://client.example/events", "topic": Topic.ORDER_EVENT}
    endless = Subscriber(reference="r1", owner="anna", created=now, producer="http://x/oseo/", **consumer)
    brief = Subscriber(reference="r2", owner="anna", created=now + MINUTE, ends=now + 5 * MINUTE, **consumer)
    foreign = Subscriber(reference="r3", owner="berta", created=now, **consumer)
    store.write(lambda unit: [unit.subscribers.add(each) for each in (foreign, brief, endless)])
    with store.read() as unit:
        assert unit.subscribers.get("r2") == brief
        assert unit.subscribers.get("r9") is None
        assert unit.subscribers.of("anna", now) == [endless, brief]
        assert unit.subscribers.of("anna", now + 5 * MINUTE) == [endless]
        assert unit.subscribers.of("nobody", now) == []
    with pytest.raises(Conflict):
        store.write(lambda unit: unit.subscribers.add(endless))
    store.write(lambda unit: unit.subscribers.remove("r1"))
    with store.read() as unit:
        assert unit.subscribers.of("anna", now) == [brief]


# --------------------------------------------------------------------------------------- delivery log


def test_the_delivery_log_tells_every_try_oldest_first(store, now):
    quotation = new_quotation_id()
    lines = [
        Sending(
            order_id=quotation,
            kind="GetQuotationResponse",
            address="https://client.example/inbox",
            at=now + attempt * MINUTE,
            attempt=attempt,
            outcome="sent" if attempt == 3 else "connection refused",
            notice_id=7,
            is_last=attempt == 3,
        )
        for attempt in (1, 2, 3)
    ]
    store.write(lambda unit: unit.sendings.add([*lines, replace(lines[0], order_id=new_order_id())]))
    with store.read() as unit:
        assert unit.sendings.of(quotation) == lines
        assert unit.sendings.of(quotation, limit=2) == lines[-2:]
        assert unit.sendings.of(new_order_id()) == []


def test_a_notice_that_is_put_back_was_not_tried(store, claim, settle, now):
    _owe(store, Notice(order_id=new_order_id(), kind="a", address="to:x", due=now))
    (taken,) = claim(now)
    settle(replace(taken, attempts=taken.attempts - 1), now)
    (again,) = claim(now)
    assert again.attempts == 1
