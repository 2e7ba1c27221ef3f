"""What mail and webhooks are owed: gathered while a batch runs, told when it is done, each item once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.dispatch.telling import HOLD, Turn, tell
from oseo_lab.model.notices import Step
from oseo_lab.model.notify import (
    MOST_ENTRIES,
    MOST_NAMED,
    Channel,
    Digest,
    Event,
    Notification,
    about,
    added,
    address_of_mail,
    entry_of_items,
    entry_of_order,
    next_digest,
    sentence,
)
from oseo_lab.model.order import StatusInfo
from oseo_lab.model.status import Status
from tests.dispatch.standing import SCENES, subscription

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)  # a Thursday
P, C, F, S = Status.IN_PRODUCTION, Status.COMPLETED, Status.FAILED, Status.SUSPENDED


@pytest.fixture
def order(store):
    """A subscription with six products in one batch."""
    from oseo_lab.dispatch.adding import add_batches

    made = subscription()
    names = [f"P{number}" for number in range(1, 7)]

    def write(work):
        work.orders.add(made)
        add_batches(work, made, made.items[0], names, SCENES.batch, NOW)

    store.write(write)
    return made


@pytest.fixture
def ask(store, order):
    def make(*on: Event, digest=Digest.IMMEDIATE):
        made = Notification(
            notification_id=str(uuid4()),
            order_id=order.order_id,
            channel=Channel.EMAIL,
            address="anna@lab.example",
            on=on,
            digest=digest,
            created=NOW,
        )
        store.write(lambda work: work.notifications.save(made))
        return made

    return make


@pytest.fixture
def happen(store, order):
    """Tell of a turn: items by number that reached a status, and how many are in work after it."""

    def write(after: dict[int, Status], in_work: int, at=NOW, status=S, before=P):
        steps = [
            Step(number=n, before=StatusInfo(status=before), after=StatusInfo(status=each, additional="why"))
            for n, each in after.items()
        ]
        turn = Turn(
            order=replace(order, status=StatusInfo(status=Status.IN_PRODUCTION)),
            status=StatusInfo(status=status),
            counts={P: in_work, S: 1},
            steps=steps,
        )
        store.write(lambda work: tell(work, [turn], at))

    return write


def waiting(store, order):
    with store.read() as snapshot:
        return snapshot.outbox.waiting(order.order_id)


def test_while_a_batch_runs_what_is_delivered_is_gathered_and_then_told_at_once(store, order, ask, happen):
    ask(Event.DELIVERED)
    happen({2: C}, in_work=2)
    happen({3: C}, in_work=1, at=NOW + timedelta(minutes=1))
    (held,) = waiting(store, order)
    assert held.due == NOW + HOLD  # of the first, however many join it
    happen({4: C}, in_work=0, at=NOW + timedelta(minutes=2))
    (told,) = waiting(store, order)
    assert told.due == NOW + timedelta(minutes=2)
    assert told.body["entries"][0]["items"] == ["P1", "P2", "P3"]
    assert about("email", told.body) == "3 delivered"


def test_what_was_gathered_is_let_go_by_whatever_ends_the_batch(store, order, ask, happen):
    ask(Event.DELIVERED)
    happen({2: C}, in_work=1)
    happen({3: F}, in_work=0, at=NOW + timedelta(minutes=5))
    (told,) = waiting(store, order)
    assert told.due == NOW + timedelta(minutes=5)
    assert [each["event"] for each in told.body["entries"]] == ["delivered"]


def test_the_next_batch_that_is_let_go_does_not_keep_the_last_one_from_being_told(store, order, ask, happen):
    ask(Event.DELIVERED)
    happen({2: C}, in_work=1)
    turn = Turn(
        order=order,
        status=order.status,
        counts={Status.ACCEPTED: 2, S: 1},
        steps=[
            Step(number=3, before=StatusInfo(status=P), after=StatusInfo(status=C)),
            *(
                Step(number=n, before=StatusInfo(status=S), after=StatusInfo(status=Status.ACCEPTED))
                for n in (4, 5)
            ),
        ],
    )
    store.write(lambda work: tell(work, [turn], NOW))
    assert waiting(store, order)[0].due == NOW


def test_failures_of_one_reason_are_one_line(store, order, ask, happen):
    ask(Event.FAILED)
    happen({2: F, 3: F, 4: C}, in_work=0)
    (told,) = waiting(store, order)
    assert [sentence(each) for each in told.body["entries"]] == ["2 items failed (P1, P2): why"]


def test_that_a_subscription_is_over_is_told_once_and_is_no_product(store, order, ask, happen):
    ask(Event.COMPLETED, Event.DELIVERED)
    happen({1: C}, in_work=0, status=C, before=S)
    (told,) = waiting(store, order)
    assert [sentence(each) for each in told.body["entries"]] == ["completed"]


def test_what_is_being_sent_is_left_and_what_follows_is_another_message(store, order, ask, happen):
    ask(Event.DELIVERED)
    happen({2: C}, in_work=0)
    store.write(lambda work: work.outbox.claim(9, NOW, NOW + HOLD))
    happen({3: C}, in_work=0)
    first, second = waiting(store, order)
    assert [each.body["entries"][0]["items"] for each in (first, second)] == [["P1"], ["P2"]]
    assert first.body["message"] != second.body["message"]


def test_orders_nobody_asked_about_owe_nothing(store, order, happen):
    happen({2: C}, in_work=0)
    assert not waiting(store, order)


@pytest.mark.parametrize(
    ("digest", "at", "then"),
    [
        (Digest.IMMEDIATE, "2026-01-01T12:00", "2026-01-01T12:00"),
        (Digest.DAILY, "2026-01-01T07:59", "2026-01-01T08:00"),
        (Digest.DAILY, "2026-01-01T08:00", "2026-01-02T08:00"),
        (Digest.DAILY, "2026-12-31T23:00", "2027-01-01T08:00"),
        (Digest.WEEKLY, "2026-01-01T12:00", "2026-01-05T08:00"),
        (Digest.WEEKLY, "2026-01-05T07:00", "2026-01-05T08:00"),
        (Digest.WEEKLY, "2026-01-05T08:00", "2026-01-12T08:00"),
    ],
)
def test_digests_go_out_at_eight_and_weekly_ones_on_mondays(digest, at, then):
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert next_digest(digest, moment) == datetime.fromisoformat(then).replace(tzinfo=UTC)


@given(st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=30), min_size=1, max_size=20))
def test_however_much_is_gathered_it_is_counted_and_a_message_stays_small(parts):
    entries: list = []
    for part in parts:
        names = [f"P{each}" for each in part]
        entries = added(entries, [entry_of_items(Event.DELIVERED, names, None, NOW)])
    (entry,) = entries
    assert entry["count"] == sum(len(part) for part in parts)
    assert len(entry["items"]) <= MOST_NAMED
    assert str(entry["count"]) in sentence(entry)


def test_that_an_order_is_over_is_told_however_many_reasons_were_told_before():
    entries: list = []
    for number in range(500):
        entries = added(entries, [entry_of_items(Event.FAILED, [f"P{number}"], f"no band {number}", NOW)])
    for _ in range(30):
        entries = added(entries, [entry_of_order(Event.COMPLETED, C, "499 of 500 failed", NOW)])
    assert sum(each.get("count", 0) for each in entries) == 500
    assert len(entries) <= MOST_ENTRIES + 1
    assert sentence(entries[-1]) == "completed: 499 of 500 failed"


def test_what_happens_while_a_message_is_sent_once_more_is_another_message(store, order, ask, happen):
    ask(Event.DELIVERED)
    happen({2: C}, in_work=0)
    (first,) = waiting(store, order)
    again = replace(first, body={**first.body, "again": True})
    store.write(lambda work: work.outbox.amend(again))
    happen({3: C}, in_work=0)
    first, second = waiting(store, order)
    assert first.body["entries"][0]["items"] == ["P1"]
    assert first.body["message"] != second.body["message"]


@given(st.text(max_size=40))
def test_an_address_is_one_line_of_ascii_with_one_at(text):
    if address_of_mail(text):
        assert text.isascii()
        assert text.isprintable()
        assert " " not in text
        assert text.count("@") == 1


@pytest.mark.parametrize(
    "address", ["=?utf-8?q?victim=40evil.example=2c?=@lab.example", "=?utf-8?b?YQ==?=@lab.example"]
)
def test_an_address_that_would_be_read_as_another_is_none(address):
    assert not address_of_mail(address)
    assert address_of_mail("anna+list=owner@lab.example")
