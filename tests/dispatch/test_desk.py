"""What operators decide is carried out: approved orders begin as any other, rejected ones end and say why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oseo_lab.dispatch import desk as desk_of_dispatch
from oseo_lab.dispatch import dispatcher as dispatching
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.errors import InvalidState
from oseo_lab.model.identifiers import OrderType, TaskingRequestId
from oseo_lab.model.job import FailureClass
from oseo_lab.model.messages import Cancel, GetStatus, Presentation
from oseo_lab.model.notices import of_body
from oseo_lab.model.order import ItemSpecification, OrderSpecification, StatusNotification
from oseo_lab.model.quotation import Charge
from oseo_lab.model.status import Status
from oseo_lab.operations import Context, Service, perform
from oseo_lab.operations.board import board
from oseo_lab.operations.desk import approve, reject, run_again
from oseo_lab.operations.order_types import make_order
from oseo_lab.operations.steering import pause, resume, retry
from tests.dispatch.standing import SCENES, day, massive, subscription
from tests.dispatch.test_dispatcher import Scripted, make, report, started
from tests.dispatch.test_massive import TEN, Lab, by_size
from tests.dispatch.test_tasking import RADAR as TASKED
from tests.operations.orders import COLLECTIONS, item, order


@pytest.fixture
def here(store, clock):
    """Return a maker of contexts, by owner; olga is an operator."""

    def make_context(owner="anna", **more):
        return Context(
            owner=owner,
            store=store,
            collections=COLLECTIONS,
            service=Service(),
            wake=lambda: None,
            now=clock,
            url="http://localhost/oseo/",
            link=lambda order_id, number, name, expires: name,
            is_operator=owner == "olga",
            **more,
        )

    return make_context


@pytest.fixture
def submitted(here):
    """Return what submits a radar order of so many items, which an operator must approve."""

    def submit(count=2, message=None, **more):
        items = [item(f"i{each}", f"S1_{each}", options=()) for each in range(1, count + 1)]
        made = order(*items, **more)
        if message:
            made = type(made)(specification=made.specification, status_notification=message)
            surroundings = here(message_id="urn:m:1", reply_to="http://receiver.example/")
            return perform(made, surroundings).order_id
        return perform(made, here()).order_id

    return submit


@pytest.fixture
def status(here):
    def ask(order_id):
        found = perform(GetStatus(order_id=order_id, presentation=Presentation.FULL), here()).orders[0]
        return found.status, [each.status for each in found.items]

    return ask


def history(store, order_id):
    with store.read() as snapshot:
        return [(each.number, each.author, each.status) for each in snapshot.events.of(order_id)]


# ------------------------------------------------------------------------------------------------ approved


def test_an_order_waits_for_its_operator_and_is_made_then(
    submitted, store, dispatcher, executor, here, status
):
    order_id = submitted()
    dispatcher.step()
    assert executor.take() == []
    found, _ = status(order_id)
    assert (found.status, found.additional) == (Status.SUBMITTED, "waiting for an operator's approval")
    approve(order_id, here("olga"))
    dispatcher.step()
    jobs = executor.take()
    assert len(jobs) == 2
    found, items = status(order_id)
    assert (found.status, found.additional) == (Status.ACCEPTED, None)
    assert {(each.status, each.additional) for each in items} == {(Status.ACCEPTED, None)}
    assert (1, "olga", Status.ACCEPTED) in history(store, order_id)
    dispatcher.step([report(job) for job in jobs])
    assert status(order_id)[0].status is Status.COMPLETED


def tasking(collection):
    items = tuple(
        ItemSpecification(item_id=name, identifier=TaskingRequestId(id=f"urn:task:{name}")) for name in "ab"
    )
    specification = OrderSpecification(order_type=OrderType.TASKING_ORDER, items=items)
    return make_order(specification, (collection,) * 2, "anna", None, None, day(50))


@pytest.mark.parametrize(
    ("make_one", "collection"),
    [
        (lambda each: by_size(3, each), TEN),
        (lambda each: by_size(25, each), TEN),
        (lambda each: massive(0, 24, each), TEN),
        (lambda each: subscription(collection=each), SCENES),
        (tasking, TASKED),
        (
            lambda each: by_size(3, each, packaging=Packaging.ZIP),
            replace(TEN, delivery=COLLECTIONS["radar"].delivery),
        ),
    ],
    ids=["product", "batches", "massive", "subscription", "tasking", "packed"],
)
def test_an_approved_order_begins_as_one_that_nobody_need_approve(store, here, clock, make_one, collection):
    automatic = make_one(collection)
    approved = make_one(replace(collection, automatic=False))
    assert {each.status.status for each in approved.items if each.number} == {Status.SUBMITTED}
    for each in (automatic, approved):
        store.write(lambda work, each=each: work.orders.add(each))
    approve(approved.order_id, here("olga"))
    lab = Lab(store, collection=collection)
    lab.dispatcher._leases = replace(lab.dispatcher._leases, max_in_flight=0)
    lab.dispatcher.step()
    with store.read() as snapshot:
        for one, other in zip(
            snapshot.items.of(automatic.order_id), snapshot.items.of(approved.order_id), strict=True
        ):
            assert (other.status, other.batch, other.wanted) == (one.status, one.batch, one.wanted)
        one, other = (snapshot.orders.get(each.order_id) for each in (automatic, approved))
        assert other.status.status is one.status.status
        assert [each.state for each in other.provider_orders] == [each.state for each in one.provider_orders]
        if one.status.status is Status.SUSPENDED:
            assert other.status == one.status
        assert snapshot.desk.decided(9) == []


def test_an_approved_massive_order_is_filled(store, here):
    from tests.dispatch.standing import Made

    lab = Lab(store, [Made(f"p{number:02}", number, (number,)) for number in range(12)])
    order_id = lab.add(massive(0, 24, replace(TEN, automatic=False)))
    lab.massive.step()
    assert (lab.work(), lab.order(order_id).status.status) == (0, Status.SUBMITTED)
    approve(order_id, here("olga"))
    lab.work()
    given = []
    for _ in range(3):
        lab.massive.step()
        given.append(lab.work())
    assert (given, lab.order(order_id).status.status) == ([10, 2, 0], Status.COMPLETED)


def test_a_batch_waits_for_the_one_before_it_that_was_approved(store, here):
    lab = Lab(store)
    order_id = lab.add(by_size(25, replace(TEN, automatic=False)))
    assert lab.work() == 0
    approve(order_id, here("olga"))
    assert [lab.work() for _ in range(4)] == [10, 10, 5, 0]
    assert lab.order(order_id).status.status is Status.COMPLETED


def test_a_long_order_is_approved_a_piece_at_a_time(store, here, monkeypatch):
    monkeypatch.setattr(dispatching, "PIECE", 7)
    lab = Lab(store, collection=replace(TEN, batch=100))
    order_id = lab.add(by_size(25, replace(TEN, automatic=False, batch=100)))
    approve(order_id, here("olga"))
    assert lab.work() == 25
    assert lab.order(order_id).status.status is Status.COMPLETED


def test_many_orders_at_once(store, here, submitted, dispatcher, executor, monkeypatch):
    monkeypatch.setattr(desk_of_dispatch, "_ORDERS", 2)
    for order_id in [submitted(1) for _ in range(5)]:
        approve(order_id, here("olga"))
    dispatcher.step()
    assert len(executor.take()) == 5


def test_a_paused_order_stays_paused_when_it_is_approved(submitted, here, dispatcher, executor, status):
    order_id = submitted()
    pause(order_id, here())
    approve(order_id, here("olga"))
    dispatcher.step()
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id)[0].status is Status.SUSPENDED
    resume(order_id, here())
    dispatcher.step()
    assert len(executor.take()) == 2


# ------------------------------------------------------------------------------------------------ rejected


def test_a_rejected_order_says_why_in_every_status(submitted, here, dispatcher, executor, store, status):
    order_id = submitted(packaging=Packaging.ZIP)
    reject(order_id, "radar is down until May", here("olga"))
    dispatcher.step()
    assert executor.take() == []
    found, items = status(order_id)
    sentence = "rejected by an operator: radar is down until May"
    assert (found.status, found.additional) == (Status.CANCELLED, sentence)
    assert {(each.status, each.additional) for each in items} == {(Status.CANCELLED, sentence)}
    assert (1, "olga", Status.CANCELLED) in history(store, order_id)
    with store.read() as snapshot:
        assert snapshot.items.get(order_id, 0).status.status is Status.CANCELLED


@pytest.mark.parametrize(
    "make_one", [lambda each: massive(0, 24, each), lambda each: subscription(collection=each), tasking]
)
def test_an_order_of_any_type_can_be_rejected(store, here, make_one):
    collection = replace(TEN, automatic=False, subscription=SCENES.subscription, tasking=TASKED.tasking)
    lab = Lab(store)
    order_id = lab.add(make_one(collection))
    reject(order_id, "no", here("olga"))
    lab.dispatcher.step()
    found = lab.order(order_id)
    assert (found.status.status, found.status.additional) == (Status.CANCELLED, "rejected by an operator: no")


def test_what_a_rejected_order_drew_is_given_back(submitted, here, store, dispatcher):
    order_id = submitted(1)
    store.write(lambda work: work.balances.set("anna", "EUR", Decimal(10)))
    charge = Charge(order_id=order_id, number=1, owner="anna", currency="EUR", amount=Decimal(4))
    store.write(lambda work: work.balances.draw([charge]))
    reject(order_id, "no", here("olga"))
    dispatcher.step()
    with store.read() as snapshot:
        assert snapshot.balances.of("anna") == {"EUR": Decimal(10)}


def test_a_long_order_is_never_in_work_while_it_is_rejected(store, here, monkeypatch):
    monkeypatch.setattr(dispatching, "PIECE", 7)
    lab = Lab(store)
    order_id = lab.add(by_size(25, replace(TEN, automatic=False)))
    reject(order_id, "too much", here("olga"))
    lab.dispatcher.step()
    assert lab.order(order_id).status.status is Status.CANCELLED
    assert {status for number, _, status in history(store, order_id) if not number} == {
        Status.SUBMITTED,
        Status.CANCELLED,
    }


def test_what_is_cancelled_of_an_order_that_is_being_rejected_is_not_tried_again(
    submitted, here, store, clock, status
):
    order_id = submitted(3)
    reject(order_id, "too much", here("olga"))
    policy = dispatching.Policy()
    store.write(lambda work: desk_of_dispatch.obey(work, 1, COLLECTIONS, clock(), policy))
    found, items = status(order_id)
    assert (found.status, items[0].status) == (Status.SUBMITTED, Status.CANCELLED)
    with pytest.raises(InvalidState, match="too much"):
        retry(order_id, ["i1"], here())


@pytest.mark.parametrize(
    ("decide", "told"),
    [
        (approve, [Status.ACCEPTED, Status.IN_PRODUCTION, Status.COMPLETED]),
        (lambda order_id, context: reject(order_id, "no", context), [Status.CANCELLED]),
    ],
)
def test_decisions_are_told_to_who_asked_to_be_called(
    submitted, here, dispatcher, executor, store, decide, told
):
    order_id = submitted(1, message=StatusNotification.ALL)
    decide(order_id, here("olga"))
    dispatcher.step()
    for job in executor.take():
        dispatcher.step([started(job)])
        dispatcher.step([report(job)])
    with store.read() as snapshot:
        found = [of_body(each.body).order.status for each in snapshot.outbox.waiting(order_id)]
    assert list(dict.fromkeys(found)) == told


# --------------------------------------------------------------------------------------------------- races


def test_its_user_cancels_what_was_approved_just_now(submitted, here, dispatcher, executor, status):
    order_id = submitted()
    approve(order_id, here("olga"))
    perform(Cancel(order_id=order_id), here())
    dispatcher.step()
    assert executor.take() == []
    found, items = status(order_id)
    assert found.status is Status.CANCELLED
    assert {each.additional for each in items} == {"cancelled at the user's request"}


def test_its_user_cancels_what_was_rejected_just_now_and_reads_why(submitted, here, dispatcher, status):
    order_id = submitted()
    reject(order_id, "no", here("olga"))
    perform(Cancel(order_id=order_id), here())
    dispatcher.step()
    assert status(order_id)[0].additional == "rejected by an operator: no"


def test_a_server_dies_between_decision_and_carrying_it_out(submitted, here, store, clock, status):
    order_id = submitted()
    approve(order_id, here("olga"))
    executor = Scripted()
    make(store, clock, executor, "d2").step()
    assert len(executor.take()) == 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deeds=st.lists(st.sampled_from(["approve", "reject", "cancel", "pause", "resume", "step"]), max_size=8)
)
def test_whatever_happens_an_order_is_made_only_if_it_was_approved(moderated, deeds):
    lab, context = moderated
    order_id = lab.add(by_size(2, lab.collections["scenes"]))
    done = {
        "approve": lambda: approve(order_id, context),
        "reject": lambda: reject(order_id, "no", context),
        "cancel": lambda: perform(Cancel(order_id=order_id), context),
        "pause": lambda: pause(order_id, context),
        "resume": lambda: resume(order_id, context),
        "step": lab.work,
    }
    took = []
    for deed in deeds:
        try:
            done[deed]()
            took.append(deed)
        except InvalidState:
            pass
    for _ in range(3):
        lab.work()
    found = lab.order(order_id)
    decisions = {each for each in took if each in ("approve", "reject")}
    assert len(decisions) <= 1
    assert found.status.status is not Status.COMPLETED or decisions == {"approve"}
    if set(took) <= {"pause", "resume", "step"}:
        assert found.status.status is Status.SUBMITTED
    if "reject" in decisions:
        assert found.status.additional == "rejected by an operator: no"
        assert found.status.status is Status.CANCELLED
    with lab.store.read() as snapshot:
        assert snapshot.desk.decided(1) == []


@pytest.fixture
def moderated(store):
    """Return a service whose orders an operator must approve, and how it is spoken to."""
    lab = Lab(store, collection=replace(TEN, automatic=False))
    context = Context(
        owner="anna",
        store=store,
        collections={},
        service=Service(),
        wake=lambda: None,
        now=lab.clock,
        url="http://localhost/oseo/",
        link=lambda order_id, number, name, expires: name,
        is_operator=True,
    )
    return lab, context


# ------------------------------------------------------------------------------------------------ run again


def test_what_is_stuck_begins_anew_and_the_old_attempt_is_not_heard(
    here, dispatcher, executor, clock, status
):
    order_id = perform(order(item("a")), here()).order_id
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job)])
    for _ in range(40):
        clock.advance(minutes=1)
        dispatcher.step()  # renews its lease: the worker hangs, the dispatcher does not
    olga = here("olga", heard=dispatcher.heard)
    (stuck,) = board(olga).stuck
    assert (stuck.item_id, stuck.since) == ("a", clock() - timedelta(minutes=40))
    run_again(order_id, olga)
    dispatcher.step()
    (again,) = executor.take()
    assert (again.attempt, executor.stopped) == (2, [job.key])
    dispatcher.step([report(job)])
    assert status(order_id)[0].status is Status.IN_PRODUCTION
    dispatcher.step([report(again)])
    assert status(order_id)[0].status is Status.COMPLETED
    assert board(olga).stuck == ()


def test_what_waits_behind_others_on_the_workers_is_not_stuck(here, dispatcher, executor, clock):
    perform(order(item("a"), item("b", "S2_2")), here())
    dispatcher.step()
    first, second = executor.take()
    for _ in range(40):
        clock.advance(minutes=1)
        dispatcher.step([started(first)])
    olga = here("olga", heard=dispatcher.heard)
    assert board(olga).stuck == ()
    for _ in range(40):
        clock.advance(minutes=1)
        dispatcher.step()
    assert [each.number for each in board(olga).stuck] == [1, 2]
    dispatcher.step([report(first), report(second)])
    assert board(olga).stuck == ()
    assert dispatcher.heard(first.order_id, 1) is None and dispatcher.heard(second.order_id, 2) is None


# ------------------------------------------------------------------------------------ how the service is


def test_what_fails_is_told_until_it_works_again(here, dispatcher, executor, store):
    perform(order(*(item(f"i{each}", f"S2_{each}") for each in range(1, 5))), here())
    dispatcher.step()
    one, two, three, four = executor.take()
    dispatcher.step([report(one, FailureClass.INTERNAL, "429 Too Many Requests")])
    dispatcher.step([report(two, FailureClass.BAD_REQUEST, "no such band")])
    dispatcher.step([report(three, FailureClass.TRANSIENT, "503 Slow Down")])
    found = board(here("olga"))
    assert found.failures == {"bad request": 1, "internal": 1}  # the transient one is tried again
    (optical,) = [each for each in found.collections if not each.is_ok]
    assert (optical.collection_id, optical.reason) == ("optical", "503 Slow Down")
    dispatcher.step([report(four)])
    assert all(each.is_ok for each in board(here("olga")).collections)
