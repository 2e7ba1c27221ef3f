"""What the dispatcher's changes owe: saved with the change, in the order things happened."""

from __future__ import annotations

import pytest

from oseo_lab.model.job import FailureClass
from oseo_lab.model.messages import Cancel
from oseo_lab.model.notices import of_body
from oseo_lab.model.notifications import Subscriber, Topic
from oseo_lab.model.order import Callback, CallbackKind, StatusNotification
from oseo_lab.model.status import Status
from oseo_lab.operations import Context, Service, perform
from oseo_lab.store.callbacks import Callbacks
from tests.dispatch.test_dispatcher import (  # the scripted executor and its words
    report,
    started,
)
from tests.operations.orders import COLLECTIONS, item, order

ALL, FINAL = StatusNotification.ALL, StatusNotification.FINAL
A, P, C, X = Status.ACCEPTED, Status.IN_PRODUCTION, Status.COMPLETED, Status.CANCELLED
URL = "http://receiver.example/"


@pytest.fixture
def call(store, clock):
    def perform_as(request, **more):
        context = Context(
            owner="anna",
            store=store,
            collections=COLLECTIONS,
            service=Service(),
            wake=lambda: None,
            now=clock,
            url="http://localhost/oseo/",
            link=lambda order_id, number, name, expires: name,
            **more,
        )
        return perform(request, context)

    return perform_as


def submit(call, policy, *names) -> str:
    items = [item(name, f"S2_{number}") for number, name in enumerate(names)]
    message = order(*items)
    message = type(message)(specification=message.specification, status_notification=policy)
    return call(message, message_id="urn:m:1", reply_to=URL).order_id


def waiting(store, order_id):
    with store.read() as snapshot:
        return snapshot.outbox.waiting(order_id)


def told(notices):
    moments = [of_body(each.body) for each in notices]
    return [(each.order.status, [info.status for info in each.items.values()]) for each in moments]


def test_submit_owes_nothing_for_the_status_its_acknowledgement_tells(store, call):
    assert waiting(store, submit(call, ALL, "a")) == []


def test_all_owes_every_change_in_its_sequence(store, call, dispatcher, executor):
    order_id = submit(call, ALL, "a", "b")
    dispatcher.step()
    first, second = executor.take()
    dispatcher.step([started(first)])
    dispatcher.step([report(first), started(second), report(second, FailureClass.PERMANENT)])
    notices = waiting(store, order_id)
    assert told(notices) == [
        (P, [P, A]),
        (P, [C, A]),
        (P, [C, P]),
        (C, [C, Status.FAILED]),
    ]
    assert {(each.kind, each.address) for each in notices} == {("SubmitResponse", URL)}
    assert {each.body["relates_to"] for each in notices} == {"urn:m:1"}
    assert [each.body["final"] for each in notices] == [False, False, False, True]


def test_final_owes_one(store, call, dispatcher, executor):
    order_id = submit(call, FINAL, "a", "b")
    dispatcher.step()
    first, second = executor.take()
    dispatcher.step([started(first), report(first)])
    assert waiting(store, order_id) == []
    dispatcher.step([started(second), report(second)])
    assert told(waiting(store, order_id)) == [(C, [C, C])]
    dispatcher.downloaded(order_id, 1)
    dispatcher.downloaded(order_id, 2)
    assert len(waiting(store, order_id)) == 1


def test_a_cancelled_order_is_told_to_whoever_submitted_and_whoever_cancelled(store, call, dispatcher):
    order_id = submit(call, FINAL, "a", "b")
    call(Cancel(order_id=order_id, status_notification=ALL), message_id="urn:m:2", reply_to=f"{URL}x")
    dispatcher.step()
    notices = waiting(store, order_id)
    by_kind = {kind: [each for each in notices if each.kind == kind] for kind in CallbackKind}
    assert told(by_kind["SubmitResponse"]) == [(X, [X, X])]
    assert told(by_kind["CancelResponse"]) == [(P, [X, A]), (X, [X, X])]
    assert {each.body["relates_to"] for each in by_kind["CancelResponse"]} == {"urn:m:2"}


def test_what_is_not_saved_owes_nothing(store, call, dispatcher, executor, monkeypatch):
    """The crash between a change and its commit: neither is there, and it is decided again."""
    order_id = submit(call, ALL, "a")
    dispatcher.step()
    (job,) = executor.take()
    written = store.write

    def interrupted(work):
        def then_fail(unit):
            work(unit)
            raise RuntimeError("the process dies here")

        return written(then_fail)

    monkeypatch.setattr(store, "write", interrupted)
    with pytest.raises(RuntimeError):
        dispatcher.step([started(job)])
    monkeypatch.setattr(store, "write", written)
    assert waiting(store, order_id) == []
    dispatcher.step([started(job)])
    assert told(waiting(store, order_id)) == [(P, [P])]


def test_a_large_order_has_at_most_one_waiting_beside_the_final_one(store, call, dispatcher, executor):
    big = COLLECTIONS["optical"]
    names = [f"i{number}" for number in range(big.max_items)]
    order_id = submit(call, ALL, *names)
    dispatcher.step()
    jobs = executor.take()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oseo_lab.dispatch.notices.MOST_ITEMS", 3)
        for job in jobs:
            dispatcher.step([started(job)])
        assert [each.body["final"] for each in waiting(store, order_id)] == [False]
        for job in jobs:
            dispatcher.step([report(job)])
    notices = waiting(store, order_id)
    assert [each.body["final"] for each in notices] == [False, True]
    assert [of_body(each.body) for each in notices] == [None, None]


def test_subscribers_hear_of_their_own_orders_that_ended(store, call, clock, dispatcher, executor):
    def subscribe(work):
        for owner, topic in (
            ("anna", Topic.ORDER_EVENT),
            ("anna", Topic.ORDER_FAILURE),
            ("bert", Topic.ORDER_EVENT),
        ):
            work.subscribers.add(
                Subscriber(
                    reference=f"urn:{owner}:{topic}",
                    owner=owner,
                    consumer=f"http://{owner}.example/{topic}",
                    topic=topic,
                    created=clock(),
                    producer="http://lab.example/oseo/",
                )
            )

    store.write(subscribe)
    order_id = submit(call, StatusNotification.NONE, "a")
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job)])
    assert waiting(store, order_id) == []
    dispatcher.step([report(job)])
    (notice,) = waiting(store, order_id)
    assert (notice.kind, notice.address) == ("Notify", "http://anna.example/OrderEvent")
    assert (notice.body["topic"], notice.body["code"]) == ("OrderCompletion", "ORDERING_COMPLETED")
    assert notice.body["producer"] == "http://lab.example/oseo/"


def test_orders_nobody_asked_about_cost_one_look(call, dispatcher, executor, monkeypatch):
    for _ in range(5):
        call(order(item("a")))
    looks = []
    asked = Callbacks.of_many
    monkeypatch.setattr(
        Callbacks, "of_many", lambda self, ids: looks.append(list(ids)) or asked(self, looks[-1])
    )
    dispatcher.step()
    dispatcher.step([started(job) for job in executor.take()])
    assert [len(each) for each in looks] == [5]


def test_a_callback_of_another_order_owes_nothing_here(store, call, dispatcher, executor):
    other = submit(call, ALL, "a")
    mine = call(order(item("a"))).order_id
    with store.read() as snapshot:
        assert snapshot.callbacks.of_many([mine]) == {}
        assert snapshot.callbacks.of_many([mine, other]) == {
            other: [
                Callback(kind=CallbackKind.SUBMIT_RESPONSE, policy=ALL, address=URL, message_id="urn:m:1")
            ]
        }
