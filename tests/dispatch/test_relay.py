"""The relay over a real store, at the moments where things go wrong; the clock moves when it is told to.

The notifier is scripted: what it gets it remembers, and it fails, hangs or dies as the test says.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from oseo_lab.dispatch.relay import Patience, Relay
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.notices import Moment, as_body
from oseo_lab.model.notify import Channel, Event, Notification
from oseo_lab.model.order import (
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    ProviderOrder,
    StatusInfo,
    new_order_id,
)
from oseo_lab.model.status import Status
from oseo_lab.ports import Notice, ProcessingFailed

URL = "http://receiver.example/"
P, C = Status.IN_PRODUCTION, Status.COMPLETED
PATIENCE = Patience(tries=3, first=10.0, longest=60.0, lease=100.0)


class Scripted:
    """A notifier: remembers what it got, and does what the test wants with it."""

    def __init__(self) -> None:
        self.sent: list[Notice] = []
        self.wrong: dict[str, Exception] = {}
        self.hanging: set[str] = set()
        self.released = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, notice: Notice) -> None:
        with self.lock:
            self.sent.append(notice)
        if notice.address in self.hanging:
            self.released.wait(30)
            raise ProcessingFailed("no answer within 30 s", retry=True)
        if notice.address in self.wrong:
            raise self.wrong[notice.address]

    def texts(self, address: str = URL) -> list[str]:
        return [each.body["text"] for each in self.sent if each.address == address]


@pytest.fixture
def notifier():
    scripted = Scripted()
    yield scripted
    scripted.released.set()


@pytest.fixture
def relay(store, notifier, clock):
    return Relay(store=store, send=notifier, patience=PATIENCE, now=clock)


@pytest.fixture
def pass_(relay, clock):
    """Make one pass after another until nothing is due; wait for what each has begun."""

    def run() -> int:
        total = 0
        while begun := relay.step(clock()):
            assert relay.settled(30)
            total += begun
        return total

    return run


@pytest.fixture
def make(store):
    def add(status: Status = C, items: int = 1, owner: str = "anna") -> str:
        order_id, now = new_order_id(), datetime(2026, 1, 1, tzinfo=UTC)
        order = Order(
            order_id=order_id,
            owner=owner,
            specification=OrderSpecification(),
            status=StatusInfo(status=status),
            created=now,
            updated=now,
            items=tuple(
                OrderItem(
                    specification=ItemSpecification(item_id=f"i{n}", identifier=ProductId(identifier="P1")),
                    status=StatusInfo(status=status),
                    order_id=order_id,
                    number=n,
                    collection_id="c",
                    updated=now,
                )
                for n in range(1, items + 1)
            ),
            provider_orders=(ProviderOrder(order_id=order_id, updated=now),),
        )
        store.write(lambda work: work.orders.add(order))
        return order_id

    return add


@pytest.fixture
def owe(store):
    def add(order_id: str, *texts: str, address: str = URL, kind: str = "SubmitResponse", **body) -> None:
        notices = [
            Notice(order_id=order_id, kind=kind, address=address, body={"text": text, **body})
            for text in texts
        ]
        store.write(lambda work: work.outbox.add(notices))

    return add


def waiting(store, order_id):
    with store.read() as snapshot:
        return snapshot.outbox.waiting(order_id)


def log(store, order_id):
    with store.read() as snapshot:
        return [(each.attempt, each.outcome, each.is_last) for each in snapshot.sendings.of(order_id)]


def test_notices_of_an_order_go_out_in_their_order(store, make, owe, notifier, pass_):
    order_id = make()
    owe(order_id, "one", "two", "three")
    assert pass_() == 3
    assert notifier.texts() == ["one", "two", "three"]
    assert waiting(store, order_id) == []
    assert log(store, order_id) == [(1, "sent", True)] * 3


def test_a_notice_that_is_wanted_at_once_while_it_is_on_its_way_is_sent_once(
    store, make, owe, notifier, clock, relay
):
    order_id = make()
    owe(order_id, "one")
    notifier.hanging.add(URL)
    relay.step(clock())
    (mine,) = waiting(store, order_id)
    store.write(lambda work: work.outbox.settle(mine, due=clock()))  # as its user asks
    relay.step(clock())
    notifier.released.set()
    assert relay.settled(30)
    assert notifier.texts() == ["one"]
    (after,) = waiting(store, order_id)
    assert after.attempts == 1 and after.due > clock()


def test_a_failure_is_tried_again_later_and_what_follows_waits(store, make, owe, notifier, clock, pass_):
    order_id = make()
    owe(order_id, "one", "two")
    notifier.wrong[URL] = ProcessingFailed("answered HTTP 500", retry=True)
    pass_()
    assert notifier.texts() == ["one"]
    assert pass_() == 0
    (first, second) = waiting(store, order_id)
    assert (first.attempts, second.attempts) == (1, 0)
    assert timedelta(seconds=5) <= first.due - clock() <= timedelta(seconds=10)
    notifier.wrong.clear()
    clock.advance(seconds=10)
    pass_()
    assert notifier.texts() == ["one", "one", "two"]
    assert log(store, order_id) == [(1, "answered HTTP 500", False), (2, "sent", True), (1, "sent", True)]


def test_it_is_given_up_after_so_many_tries_and_with_it_what_is_older_than_the_newest(
    store, make, owe, notifier, clock, pass_, caplog
):
    order_id = make()
    owe(order_id, "one", "two", "three")
    notifier.wrong[URL] = ProcessingFailed("no answer", retry=True)
    for _ in range(3):
        pass_()
        clock.advance(seconds=60)
    assert "was given up" in caplog.text
    assert [each.body["text"] for each in waiting(store, order_id)] == ["three"]
    assert log(store, order_id)[2:] == [
        (3, "no answer", True),
        (0, "not tried: notice 1 before it was given up", True),
        (1, "no answer", False),
    ]
    notifier.wrong.clear()
    pass_()
    assert notifier.texts() == ["one"] * 3 + ["three"] * 2


def test_what_cannot_be_sent_anywhere_is_given_up_at_once(store, make, owe, notifier, pass_):
    order_id = make()
    owe(order_id, "one")
    notifier.wrong[URL] = ProcessingFailed("leads to 10.0.0.1, which is not a public address", retry=False)
    pass_()
    assert waiting(store, order_id) == []
    assert log(store, order_id)[0][2]


def test_a_notifier_with_a_bug_is_a_failure_like_any_other(store, make, owe, notifier, pass_, caplog):
    order_id = make()
    owe(order_id, "one")
    notifier.wrong[URL] = ZeroDivisionError()
    pass_()
    assert log(store, order_id) == [(1, "it could not be sent: ZeroDivisionError", False)]
    assert "ZeroDivisionError" in caplog.text


def test_a_relay_that_dies_between_sending_and_settling_is_followed_by_one_that_sends_again(
    store, make, owe, notifier, clock, relay, pass_, monkeypatch
):
    order_id = make()
    owe(order_id, "one", "two")
    with monkeypatch.context() as dying:
        dying.setattr(Relay, "_settle", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("power cut")))
        relay.step(clock())
        assert relay.settled(30)
    assert notifier.texts() == ["one"]
    assert pass_() == 0  # its lease still holds
    clock.advance(seconds=101)
    pass_()
    assert notifier.texts() == ["one", "one", "two"]
    assert waiting(store, order_id) == []


def test_a_notice_that_outlived_its_tries_in_dying_relays_is_not_tried_for_ever(
    store, make, owe, notifier, clock, pass_
):
    order_id = make()
    owe(order_id, "one")
    for _ in range(3):
        store.write(lambda work: work.outbox.claim(1, clock(), clock() + timedelta(seconds=100)))
        clock.advance(seconds=101)
    pass_()
    assert notifier.sent == []
    assert waiting(store, order_id) == []


def test_an_address_that_hangs_delays_nobody_else(store, make, owe, notifier, clock, relay):
    slow = "http://slow.example/"
    notifier.hanging.add(slow)
    stuck = [make() for _ in range(20)]
    for order_id in stuck:
        owe(order_id, "never", address=slow)
    quick = [make() for _ in range(20)]
    for order_id in quick:
        owe(order_id, "now")
    while any(waiting(store, each) for each in quick):
        relay.step(clock())
        clock.advance(seconds=1)
        with relay._condition:
            relay._condition.wait_for(
                lambda: all(each.address == slow for each in relay._running.values()), 30
            )
    assert notifier.texts() == ["now"] * 20
    assert len(notifier.texts(slow)) == PATIENCE.per_address
    assert {each.attempts for order_id in stuck for each in waiting(store, order_id)} == {0, 1}


def test_after_a_slow_failure_the_address_rests_and_what_waits_is_not_counted(
    store, make, owe, notifier, clock
):
    relay = Relay(store=store, send=notifier, patience=replace(PATIENCE, slow=0.0), now=clock)
    orders = [make() for _ in range(3)]
    for order_id in orders:
        owe(order_id, "text")
    notifier.wrong[URL] = ProcessingFailed("no answer within 20 s", retry=True)
    relay.step(clock())
    assert relay.settled(30)
    clock.advance(seconds=1)
    assert relay.step(clock()) == 0
    assert sorted(waiting(store, each)[0].attempts for each in orders) == [0, 1, 1]
    notifier.wrong.clear()
    clock.advance(seconds=60)
    while relay.step(clock()):
        assert relay.settled(30)
        clock.advance(seconds=1)
    assert len(notifier.sent) == 5
    assert not any(waiting(store, each) for each in orders)


def test_a_quick_address_gets_what_many_orders_owe_it_without_a_pause(store, make, owe, notifier, pass_):
    orders = [make() for _ in range(50)]
    for order_id in orders:
        owe(order_id, "text")
    pass_()  # the clock stands still
    assert len(notifier.sent) == 50
    assert {outcome for each in orders for outcome in log(store, each)} == {(1, "sent", True)}


def test_a_host_of_many_addresses_has_so_many_at_a_time(store, make, owe, notifier, clock, relay):
    addresses = [f"http://slow.example/{number}" for number in range(12)]
    notifier.hanging.update(addresses)
    for address in addresses:
        owe(make(), "never", address=address)
    assert relay.step(clock()) == PATIENCE.per_host
    assert relay.step(clock()) == 0
    owe(make(), "now")
    assert relay.step(clock()) == 1


def test_who_names_ever_new_addresses_that_hang_delays_nobody_else(store, make, owe, notifier, clock):
    relay = Relay(store=store, send=notifier, patience=replace(PATIENCE, slow=0.0, per_owner=3), now=clock)
    first = "http://first.example/"
    notifier.wrong[first] = ProcessingFailed("no answer", retry=True)
    owe(make(), "fails slowly", address=first)
    assert relay.step(clock()) == 1 and relay.settled(30)
    addresses = [f"http://slow{number}.example/" for number in range(100)]
    notifier.hanging.update(addresses)
    for address in addresses:
        owe(make(), "never", address=address)
    owe(make(owner="berta"), "now", address=URL)
    assert relay.step(clock()) == 4
    assert relay.step(clock()) == 0
    clock.advance(seconds=5)
    assert relay.step(clock()) == 0
    assert [each.address for each in notifier.sent if each.address not in addresses] == [first, URL]


def test_two_relays_send_everything_once(store, make, owe, notifier, clock):
    relays = [Relay(store=store, send=notifier, patience=PATIENCE, now=clock) for _ in range(2)]
    orders = [make() for _ in range(10)]
    for order_id in orders:
        owe(order_id, "a", "b", address=f"http://{order_id[-12:]}.example/")
    while any(waiting(store, each) for each in orders):
        for relay in relays:
            relay.step(clock())
        for relay in relays:
            assert relay.settled(30)
    assert len(notifier.sent) == 20


def test_what_is_told_is_the_moment_and_the_whole_order(store, make, owe, notifier, pass_):
    order_id = make(C, items=2)
    info = StatusInfo(status=P, additional="first")
    moment = Moment(order=StatusInfo(status=P), items={1: info, 2: info})
    owe(order_id, "then", **as_body(moment))
    owe(order_id, "now", **as_body(Moment(order=StatusInfo(status=P))))
    pass_()
    then, now = (each.body["order"] for each in notifier.sent)
    assert (then.status.status, [each.status for each in then.items]) == (P, [info, info])
    assert (now.status.status, [each.status.status for each in now.items]) == (C, [C, C])
    assert now.items[0].specification.item_id == "i1"


def test_what_an_order_that_is_gone_owes_is_given_up(store, owe, notifier, pass_):
    order_id = new_order_id()
    owe(order_id, "one")
    pass_()
    assert notifier.sent == []
    assert log(store, order_id) == [(1, "what it tells of is not there any more", True)]


def test_a_closed_relay_begins_nothing_and_waits_for_what_is_on_its_way(store, make, owe, notifier, clock):
    relay = Relay(store=store, send=notifier, patience=PATIENCE, now=clock)
    relay.start()
    order_id = make()
    owe(order_id, "one")
    relay.wake()
    with relay._condition:
        assert relay._condition.wait_for(lambda: notifier.sent, 30)
    relay.close()
    assert waiting(store, order_id) == []
    owe(order_id, "two")
    assert relay.step(clock()) == 0


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 5, 10), (2, 10, 20), (3, 20, 40), (4, 30, 60), (5000, 30, 60)]
)
def test_pauses_double_up_to_the_longest(attempt, least, most):
    delays = [PATIENCE.delay(attempt, chance).total_seconds() for chance in (1.0, 0.0)]
    assert delays == [least, most]


def test_an_idle_relay_writes_nothing(store, clock, relay, make, owe, pass_, monkeypatch):
    owe(make(), "one")
    assert pass_() == 1
    monkeypatch.setattr(store, "write", lambda work: pytest.fail("an idle relay held the writer"))
    assert relay.step(clock()) == 0


def test_of_mail_an_owner_sends_so_much_an_hour_and_the_rest_waits(store, notifier, clock, make):
    relay = Relay(store=store, send=notifier, patience=replace(PATIENCE, mails=3), now=clock)

    def ask(owner, count):
        """Let an owner's orders owe mail: each to somebody else, as a flood would be."""
        for number in range(count):
            order_id = make(owner=owner)
            made = Notification(
                notification_id=str(uuid4()),
                order_id=order_id,
                channel=Channel.EMAIL,
                address=f"{owner}{number}@elsewhere.example",
                on=(Event.COMPLETED,),
                created=clock(),
            )
            body = {
                "notification": made.notification_id,
                "message": "m",
                "digest": "immediate",
                "entries": [],
            }
            notice = Notice(order_id=order_id, kind="email", address=made.address, body=body)
            store.write(
                lambda work, made=made, notice=notice: (
                    work.notifications.save(made),
                    work.outbox.add([notice]),
                )
            )

    def pass_():
        before = len(notifier.sent)
        while relay.step(clock()):
            assert relay.settled(30)
        return [each.address[:4] for each in notifier.sent[before:]]

    ask("anna", 7)
    ask("bert", 2)
    assert sorted(pass_()) == ["anna"] * 3 + ["bert"] * 2
    clock.advance(minutes=59)
    assert pass_() == []
    clock.advance(minutes=1)
    assert pass_() == ["anna"] * 3
    clock.advance(hours=1)
    assert pass_() == ["anna"]


def test_what_a_server_answers_can_be_read_in_the_log(store, relay, notifier, pass_, make, owe):
    order_id = make()
    owe(order_id, "one")
    notifier.wrong[URL] = ProcessingFailed("the mail server answered 550: \x1b[2J\x9b1m no\x07", retry=False)
    pass_()
    ((_, outcome, is_last),) = log(store, order_id)
    assert is_last
    assert outcome.isprintable()
    assert outcome.startswith("the mail server answered 550")
