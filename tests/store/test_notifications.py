"""Who is told of orders, what is gathered, what was sent, months; on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from oseo_lab.model.errors import NotFound
from oseo_lab.model.notify import Channel, Digest, Event, Notification
from oseo_lab.model.order import ResultFile, new_order_id
from oseo_lab.ports import Notice, Sending

DAY = timedelta(days=1)


@pytest.fixture
def order_id(store, make_order):
    order = make_order()
    store.write(lambda unit: unit.orders.add(order))
    return order.order_id


@pytest.fixture
def asked(order_id, now):
    return Notification(
        notification_id=str(uuid4()),
        order_id=order_id,
        channel=Channel.WEBHOOK,
        address="https://lab.example/hook",
        on=(Event.FAILED, Event.EXPIRING),
        digest=Digest.WEEKLY,
        created=now,
        secret=b"0" * 32,
        service="https://service.example/oseo/",
        warned=now,
    )


def of(store, order_id):
    with store.read() as snapshot:
        return snapshot.notifications.of_many([order_id, new_order_id()]).get(order_id, [])


def test_what_is_saved_is_what_is_read_until_it_is_removed(store, asked, order_id, now):
    mail = replace(
        asked,
        notification_id=str(uuid4()),
        channel=Channel.EMAIL,
        created=now - DAY,
        secret=None,
        warned=None,
    )
    store.write(lambda unit: [unit.notifications.save(each) for each in (asked, mail)])
    assert of(store, order_id) == [mail, asked]
    changed = replace(asked, on=(Event.COMPLETED,), digest=Digest.DAILY)
    store.write(lambda unit: unit.notifications.save(changed))
    assert of(store, order_id) == [mail, changed]
    assert store.write(lambda unit: unit.notifications.remove(order_id, mail.notification_id))
    assert not store.write(lambda unit: unit.notifications.remove(order_id, mail.notification_id))
    assert of(store, order_id) == [changed]


def test_nobody_is_told_of_an_order_that_is_not_there(store, asked):
    lost = replace(asked, order_id=new_order_id())
    with pytest.raises(NotFound):
        store.write(lambda unit: unit.notifications.save(lost))


def test_a_message_is_amended_until_it_is_tried(store, order_id, now):
    notice = Notice(
        order_id=order_id, kind="email", address="a@b.example", body={"entries": [1]}, due=now + DAY
    )
    store.write(lambda unit: unit.outbox.add([notice]))
    with store.read() as snapshot:
        (held,) = snapshot.outbox.waiting(order_id)
    more = replace(held, body={"entries": [1, 2]}, due=now)
    assert store.write(lambda unit: unit.outbox.amend(more))
    (claimed,) = store.write(lambda unit: unit.outbox.claim(9, now, now + DAY))
    assert claimed.body == {"entries": [1, 2]}
    assert not store.write(lambda unit: unit.outbox.amend(more))
    store.write(lambda unit: unit.outbox.settle(claimed, due=None))
    assert not store.write(lambda unit: unit.outbox.amend(more))


def test_what_was_sent_is_kept_with_its_last_try(store, order_id, now):
    tried = Sending(
        order_id=order_id, kind="email", address="a@b.example", at=now, attempt=1, outcome="no", notice_id=5
    )
    sent = replace(tried, attempt=2, outcome="sent", is_last=True, body={"entries": ["ü"]})
    store.write(lambda unit: unit.sendings.add([tried]))
    with store.read() as snapshot:
        assert snapshot.sendings.last(order_id, 5) is None
    store.write(lambda unit: unit.sendings.add([sent]))
    with store.read() as snapshot:
        assert snapshot.sendings.last(order_id, 5) == sent
        assert snapshot.sendings.last(new_order_id(), 5) is None
        assert snapshot.sendings.of(order_id) == [tried, sent]


def delivery(order_id, number, expires, name="a.tif"):
    return ResultFile(
        order_id=order_id,
        number=number,
        attempt=1,
        name=name,
        size=1,
        sha256="00" * 32,
        media_type="image/tiff",
        expires=expires,
    )


def test_deliveries_that_expire_soon_are_found_once(store, asked, order_id, now):
    days = {1: 1.0, 2: 2.5, 3: 9.0, 0: 1.0}
    files = [delivery(order_id, number, now + DAY * after) for number, after in days.items()]
    store.write(lambda unit: [unit.notifications.save(asked), unit.results.add(files)])
    soon, until = now + 2 * DAY, now + 3 * DAY

    def expiring(at):
        with store.read() as snapshot:
            return snapshot.notifications.expiring(at, at + DAY)

    assert expiring(now + DAY / 2) == []
    assert expiring(soon) == [(asked, 2, now + DAY)]  # the package, number 0, is none of the items
    assert store.write(lambda unit: unit.notifications.warned(asked, until))
    assert not store.write(lambda unit: unit.notifications.warned(asked, until))  # another server
    assert expiring(soon) == []
    assert [(count, first) for _, count, first in expiring(now + 9 * DAY)] == [(1, now + 9 * DAY)]
    store.write(lambda unit: unit.results.removed(files))
    assert expiring(now + 9 * DAY) == []


def test_who_did_not_ask_is_not_warned(store, asked, order_id, now):
    file = delivery(order_id, 1, now + DAY)
    quiet = replace(asked, on=(Event.FAILED,), warned=None)
    store.write(lambda unit: [unit.notifications.save(quiet), unit.results.add([file])])
    with store.read() as snapshot:
        assert snapshot.notifications.expiring(now + 2 * DAY, now + 3 * DAY) == []


def test_products_are_counted_from_a_moment_on_where_they_are_counted(store, order_id, now):
    def add(number, names, at):
        return store.write(lambda unit: unit.matches.add(order_id, number, [(n, "1") for n in names], at))

    assert add(1, "abc", now) == [True, True, True]
    assert add(1, "cd", now + DAY) == [False, True]
    assert add(2, "a", now + DAY) == [True]
    add(2, "z", None)

    def since(moment):
        with store.read() as snapshot:
            return snapshot.matches.count_since(order_id, moment)

    assert [since(now), since(now + DAY), since(now + 2 * DAY)] == [5, 2, 0]
    with store.read() as snapshot:
        assert snapshot.matches.count_since(new_order_id(), now) == 0
