"""Retry, pause and limits at the moments where things go wrong: double clicks, kills, races, orders' ends."""
# ruff: noqa: F811 (fixtures of another module are parameters here)

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from oseo_lab.dispatch.lifecycle import IllegalTransition, advance, reopen
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.errors import Conflict, NotFound, ValidationError
from oseo_lab.model.job import DeliveredFile, FailureClass
from oseo_lab.model.limits import Limits
from oseo_lab.model.messages import Cancel
from oseo_lab.model.order import Callback, CallbackKind, StatusNotification
from oseo_lab.model.quotation import Charge, Finished
from oseo_lab.model.status import Status, Wanted
from oseo_lab.model.view import Action
from oseo_lab.operations import Context, Service
from oseo_lab.operations.steering import pause, resume, retry
from oseo_lab.operations.view import order_view
from tests.dispatch.test_dispatcher import (  # noqa: F401 (call is a fixture)
    Scripted,
    call,
    make,
    report,
    started,
    status,
    two,
)
from tests.operations.orders import COLLECTIONS, item, order

INTERNAL, PERMANENT = FailureClass.INTERNAL, FailureClass.PERMANENT
PAUSED = "paused at the user's request"


@pytest.fixture
def here(store, clock):
    def make(owner="anna"):
        return Context(
            owner=owner,
            store=store,
            collections=COLLECTIONS,
            service=Service(),
            wake=lambda: None,
            now=clock,
            url="http://localhost/oseo/",
            link=lambda order_id, number, name, expires: name,
        )

    return make


@pytest.fixture
def failing(call, dispatcher, executor):
    """Return an order of two items: one delivered, one failed as said."""

    def make(failure_class=INTERNAL, **more):
        order_id = two(call, **more)
        dispatcher.step()
        good, bad = executor.take()
        dispatcher.step([report(good), report(bad, failure_class)])
        return order_id

    return make


def sized(job, size):
    said = report(job)
    file = DeliveredFile(name="data.tif", size=size, sha256="ab" * 32, media_type="image/tiff")
    return replace(said, files=(file,))


def reasons(store, order_id):
    with store.read() as snapshot:
        return [each.status.additional for each in snapshot.items.of(order_id)]


# --------------------------------------------------------------------------------------------------- retry


def test_only_what_failed_begins_anew(failing, dispatcher, executor, status, here, store):
    order_id = failing()
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED, Status.FAILED])
    retry(order_id, None, here())
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED, Status.FAILED])  # a wish moves nothing
    dispatcher.step()
    (job,) = executor.take()
    assert (job.number, job.attempt, job.item_id) == (2, 2, "b")
    assert status(order_id) == (Status.IN_PRODUCTION, [Status.COMPLETED, Status.ACCEPTED])
    dispatcher.step([started(job), report(job)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED, Status.COMPLETED])
    with store.read() as snapshot:
        kept = snapshot.orders.get(order_id)
        assert kept.status.additional is None
        assert [(each.number, each.attempt) for each in snapshot.results.of(order_id)] == [(1, 1), (2, 2)]
        assert {each.state.value for each in kept.provider_orders} == {"CLOSED"}
        assert all(each.closed for each in kept.provider_orders)


@pytest.mark.parametrize("failure_class", [PERMANENT, FailureClass.BAD_REQUEST])
def test_what_cannot_be_helped_is_tried_where_it_is_named(failing, dispatcher, executor, here, failure_class):
    order_id = failing(failure_class)
    with pytest.raises(Conflict, match=r"would not help what failed \(b\)"):
        retry(order_id, None, here())
    retry(order_id, ["b"], here())
    dispatcher.step()
    assert [job.attempt for job in executor.take()] == [2]


def test_a_second_click_changes_nothing(failing, dispatcher, executor, here, clock):
    order_id = failing()
    for _ in range(3):
        retry(order_id, None, here())
        retry(order_id, ["b"], here())
    dispatcher.step()
    retry(order_id, None, here())
    retry(order_id, ["b"], here())
    dispatcher.step()
    assert [job.attempt for job in executor.take()] == [2]


def test_a_kill_between_wish_and_move_loses_nothing(failing, here, store, clock, status):
    order_id = failing()
    retry(order_id, None, here())
    other = Scripted()  # the server that was asked is dead
    make(store, clock, other, "d2").step()
    assert [(job.number, job.attempt) for job in other.take()] == [(2, 2)]


def test_cancelled_items_begin_anew_too(call, dispatcher, executor, here, status, store):
    order_id = two(call)
    call(Cancel(order_id=order_id))
    dispatcher.step()
    assert status(order_id)[0] is Status.CANCELLED
    with pytest.raises(Conflict, match="named"):
        retry(order_id, None, here())
    retry(order_id, ["a"], here())
    dispatcher.step()
    (job,) = executor.take()
    assert status(order_id) == (Status.IN_PRODUCTION, [Status.ACCEPTED, Status.CANCELLED])
    dispatcher.step([report(job)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED, Status.CANCELLED])
    with store.read() as snapshot:
        assert snapshot.orders.get(order_id).wanted is Wanted.COMPLETED


def test_an_order_that_is_being_cancelled_is_left_alone(call, dispatcher, executor, here):
    order_id = two(call)
    dispatcher.step()
    bad, _ = executor.take()
    dispatcher.step([report(bad, INTERNAL)])
    call(Cancel(order_id=order_id))
    with pytest.raises(Conflict, match="being cancelled"):
        retry(order_id, None, here())
    with pytest.raises(Conflict, match="being cancelled"):
        pause(order_id, here())


def test_a_cancel_after_the_wish_wins(call, dispatcher, executor, here, status):
    order_id = two(call)
    dispatcher.step()
    bad, other = executor.take()
    dispatcher.step([report(bad, INTERNAL)])
    retry(order_id, None, here())
    call(Cancel(order_id=order_id))
    dispatcher.step([report(other, FailureClass.CANCELLED)])
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id) == (Status.CANCELLED, [Status.CANCELLED, Status.CANCELLED])


def test_a_cancel_right_after_the_click_wins_too(paid, call, dispatcher, executor, here, status, store):
    order_id = paid()
    retry(order_id, None, here())
    assert balance(store) == 6
    call(Cancel(order_id=order_id))  # the order is Completed still
    dispatcher.step()
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED, Status.CANCELLED])
    assert balance(store) == 10
    with pytest.raises(Conflict, match="Completed already"):
        call(Cancel(order_id=order_id))


def test_names_are_checked_all_at_once(failing, here):
    order_id = failing()
    with pytest.raises(ValidationError) as refused:
        retry(order_id, ["a", "bb", "zzz"], here())
    texts = [str(each) for each in refused.value.problems]
    assert len(texts) == 3
    assert any("did you mean 'b'" in each for each in texts)
    with pytest.raises(Conflict, match="delivered"):
        retry(order_id, ["a"], here())
    with pytest.raises(ValidationError, match="0 items"):
        retry(order_id, [], here())
    with pytest.raises(NotFound):
        retry(order_id, None, here("eve"))


def test_items_of_other_providers_are_refused(call, here, store, monkeypatch):
    monkeypatch.setitem(COLLECTIONS, "optical", replace(COLLECTIONS["optical"], provider="ESA"))
    order_id = two(call)
    fail(store, order_id, 2)
    with pytest.raises(Conflict, match="ESA makes it"):
        retry(order_id, ["b"], here())
    fail(store, order_id, 1)
    with pytest.raises(Conflict, match="would not help"):
        retry(order_id, None, here())


def fail(store, order_id, number):
    """Let an item fail, and with the last one its order."""

    def write(work):
        found = work.items.get(order_id, number)
        failed = replace(found, status=replace(found.status, status=Status.FAILED))
        assert work.items.save(found, failed)
        if work.items.counts(order_id) == {Status.FAILED: 2}:
            kept = work.orders.get(order_id)
            work.orders.save(replace(kept, status=replace(kept.status, status=Status.FAILED)))

    store.write(write)


@pytest.fixture
def packed(monkeypatch, call):
    """Return an order of two items that is packed as a whole."""
    monkeypatch.setitem(COLLECTIONS, "radar", replace(COLLECTIONS["radar"], automatic=True))
    items = item("a", "S1_1", options=()), item("b", "S1_2", options=())
    return lambda: call(order(*items, packaging=Packaging.ZIP)).order_id


@pytest.fixture
def half_packed(packed, dispatcher, executor):
    """Return a packed order of which one item was delivered, and one failed as said."""

    def make(failure_class=INTERNAL):
        order_id = packed()
        dispatcher.step()
        good, bad = executor.take()
        dispatcher.step([report(good), report(bad, failure_class)])
        return order_id

    return make


def test_the_package_is_made_again_when_there_is_more(half_packed, dispatcher, executor, status, here, store):
    order_id = half_packed()
    (package,) = executor.take()
    assert package.deliveries == ((1, 1),)
    dispatcher.step([report(package)])
    assert status(order_id)[0] is Status.COMPLETED
    retry(order_id, None, here())
    dispatcher.step()
    (job,) = executor.take()  # the old package stays meanwhile
    with store.read() as snapshot:
        assert snapshot.items.get(order_id, 0).status.status is Status.COMPLETED
    dispatcher.step([report(job)])
    (package,) = executor.take()
    assert (package.attempt, package.deliveries) == (2, ((1, 1), (2, 2)))
    assert status(order_id)[0] is Status.IN_PRODUCTION
    dispatcher.step([report(package)])
    assert status(order_id)[0] is Status.COMPLETED
    with store.read() as snapshot:
        files = snapshot.results.of(order_id, number=0)
        assert [(each.attempt, each.removed) for each in files] == [(2, False)]


def test_a_package_is_not_made_again_for_nothing(half_packed, dispatcher, executor, status, here):
    order_id = half_packed()
    dispatcher.step([report(executor.take()[0])])
    retry(order_id, None, here())
    dispatcher.step()
    dispatcher.step([report(executor.take()[0], INTERNAL)])
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id)[0] is Status.COMPLETED


def test_a_package_that_is_being_made_waits_again(half_packed, dispatcher, executor, status, here, store):
    order_id = half_packed()
    (early,) = executor.take()
    dispatcher.step([started(early)])
    retry(order_id, None, here())
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([report(early)])  # nobody waits for that one any more
    with store.read() as snapshot:
        assert snapshot.items.get(order_id, 0).status.status is Status.SUSPENDED
    dispatcher.step([report(job)])
    (package,) = executor.take()
    assert package.deliveries == ((1, 1), (2, 2))
    dispatcher.step([report(package)])
    assert status(order_id)[0] is Status.COMPLETED


def test_a_package_that_failed_is_tried_again(half_packed, dispatcher, executor, status, here):
    order_id = half_packed(PERMANENT)
    dispatcher.step([report(executor.take()[0], INTERNAL)])
    retry(order_id, None, here())
    dispatcher.step()
    (package,) = executor.take()
    assert (package.number, package.attempt) == (0, 2)
    dispatcher.step([report(package)])
    assert status(order_id)[0] is Status.COMPLETED


def test_that_an_order_is_final_is_told_again(failing, dispatcher, executor, here, store):
    order_id = failing()
    told = Callback(
        kind=CallbackKind.SUBMIT_RESPONSE,
        policy=StatusNotification.FINAL,
        address="http://localhost/told",
        message_id="urn:m",
    )
    store.write(lambda work: work.callbacks.add(order_id, told))
    retry(order_id, None, here())
    dispatcher.step()
    dispatcher.step([report(executor.take()[0])])
    with store.read() as snapshot:
        (notice,) = snapshot.outbox.waiting(order_id)
    assert notice.body["final"] is True
    assert notice.body["order"] == ["Completed"]


def test_failures_count_anew(failing, dispatcher, executor, here, clock, store):
    order_id = failing()
    retry(order_id, None, here())
    dispatcher.step()
    for _ in range(2):
        dispatcher.step([report(executor.take()[0], FailureClass.TRANSIENT)])
        clock.advance(seconds=60)
        dispatcher.step()
    assert [job.attempt for job in executor.take()] == [4]  # of three tries the third


# --------------------------------------------------------------------------------------------------- money


@pytest.fixture
def paid(failing, store):
    """Return an order of which the failed item was given back its 4 of 10 EUR."""

    def make(balance="10", **more):
        store.write(lambda work: work.balances.set("anna", "EUR", Decimal(100)))
        order_id = failing(INTERNAL, **more)

        def charge(work):
            charges = [
                Charge(order_id=order_id, number=number, owner="anna", currency="EUR", amount=Decimal(4))
                for number in (1, 2)
            ]
            work.balances.draw(charges)
            work.balances.give_back([(order_id, 2)])
            work.balances.set("anna", "EUR", Decimal(balance))

        store.write(charge)
        return order_id

    return make


def balance(store):
    with store.read() as snapshot:
        return snapshot.balances.of("anna")["EUR"]


def test_what_was_given_back_is_drawn_again(paid, here, store, dispatcher, executor):
    order_id = paid()
    retry(order_id, None, here())
    assert balance(store) == 6
    retry(order_id, None, here())
    assert balance(store) == 6
    dispatcher.step()
    dispatcher.step([report(executor.take()[0], INTERNAL)])
    assert balance(store) == 10
    retry(order_id, None, here())
    dispatcher.step()
    dispatcher.step([report(executor.take()[0])])
    assert balance(store) == 6


def test_what_cannot_be_paid_is_not_tried(paid, here, store, dispatcher, executor, status):
    order_id = paid("3")
    with pytest.raises(Conflict, match="balance of 3 EUR does not suffice"):
        retry(order_id, None, here())
    dispatcher.step()
    assert executor.take() == []
    assert balance(store) == 3
    assert status(order_id)[0] is Status.COMPLETED


def test_what_would_cost_too_much_is_not_tried(paid, here, store):
    order_id = paid(extensions=Limits(max_price=7.5).extensions())
    with pytest.raises(Conflict, match="4 EUR beside the 4 EUR drawn already") as refused:
        retry(order_id, None, here())
    assert refused.value.locator == "max_price"
    assert balance(store) == 10


# ------------------------------------------------------------------------------------------- pause, resume


def test_nothing_begins_while_paused(call, dispatcher, executor, here, status, store):
    order_id = two(call)
    pause(order_id, here())
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id) == (Status.SUSPENDED, [Status.SUSPENDED] * 2)
    assert reasons(store, order_id) == [PAUSED, PAUSED]
    with store.read() as snapshot:
        assert snapshot.orders.get(order_id).status.additional == PAUSED
    resume(order_id, here())
    dispatcher.step()
    assert [job.attempt for job in executor.take()] == [1, 1]
    assert status(order_id)[1] == [Status.ACCEPTED] * 2


def test_what_has_begun_is_finished(call, dispatcher, executor, here, status):
    order_id = two(call)
    dispatcher.step()
    first, second = executor.take()
    dispatcher.step([started(first)])
    pause(order_id, here())
    dispatcher.step()
    assert executor.stopped == [second.key]  # handed over, but nobody has begun it
    dispatcher.step([report(second, FailureClass.CANCELLED), report(first)])
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id) == (Status.SUSPENDED, [Status.COMPLETED, Status.SUSPENDED])
    resume(order_id, here())
    dispatcher.step()
    assert [(job.number, job.attempt) for job in executor.take()] == [(2, 2)]


def test_what_fails_for_now_waits_too(call, dispatcher, executor, here, status, clock):
    order_id = two(call)
    dispatcher.step()
    first, second = executor.take()
    dispatcher.step([started(first), started(second)])
    pause(order_id, here())
    dispatcher.step([report(first, FailureClass.TRANSIENT), report(second)])
    dispatcher.step()
    clock.advance(hours=1)
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id)[1] == [Status.SUSPENDED, Status.COMPLETED]
    resume(order_id, here())
    dispatcher.step()
    assert [job.attempt for job in executor.take()] == [2]


def test_what_a_dead_server_held_waits_too(call, dispatcher, executor, here, status, clock, store):
    order_id = two(call)
    dispatcher.step()
    pause(order_id, here())
    other = Scripted()
    successor = make(store, clock, other, "d2")
    successor.step()
    assert status(order_id)[1] == [Status.ACCEPTED] * 2  # it may still come back
    clock.advance(seconds=61)
    successor.step()
    assert status(order_id)[1] == [Status.SUSPENDED] * 2
    assert other.take() == []


def test_a_paused_order_can_be_cancelled(call, dispatcher, executor, here, status):
    order_id = two(call)
    pause(order_id, here())
    dispatcher.step()
    call(Cancel(order_id=order_id))
    dispatcher.step()
    assert status(order_id) == (Status.CANCELLED, [Status.CANCELLED] * 2)
    with pytest.raises(Conflict, match="Cancelled already"):
        resume(order_id, here())


def test_trying_again_waits_too(failing, dispatcher, executor, here, status, call):
    order_id = two(call)
    dispatcher.step()
    bad, other = executor.take()
    dispatcher.step([report(bad, INTERNAL), started(other)])
    pause(order_id, here())
    retry(order_id, None, here())
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id)[1] == [Status.SUSPENDED, Status.IN_PRODUCTION]
    resume(order_id, here())
    dispatcher.step()
    assert [(job.number, job.attempt) for job in executor.take()] == [(1, 2)]


def test_the_package_waits_and_is_not_forgotten(packed, dispatcher, executor, here, status):
    order_id = packed()
    dispatcher.step()
    first, second = executor.take()
    dispatcher.step([started(first), started(second)])
    pause(order_id, here())
    dispatcher.step([report(first), report(second)])
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id)[0] is Status.SUSPENDED
    resume(order_id, here())
    dispatcher.step()
    (package,) = executor.take()
    assert package.deliveries == ((1, 1), (2, 1))


def test_batches_wait_and_are_not_forgotten(dispatcher, executor, here, call, monkeypatch):
    monkeypatch.setitem(COLLECTIONS, "optical", replace(COLLECTIONS["optical"], batch=1))
    order_id = two(call)
    dispatcher.step()
    (first,) = executor.take()
    dispatcher.step([started(first)])
    pause(order_id, here())
    dispatcher.step([report(first)])
    dispatcher.step()
    assert executor.take() == []
    resume(order_id, here())
    dispatcher.step()
    assert [job.number for job in executor.take()] == [2]


def test_pause_and_resume_before_anybody_looks(call, dispatcher, executor, here, status):
    order_id = two(call)
    pause(order_id, here())
    resume(order_id, here())
    dispatcher.step()
    assert len(executor.take()) == 2


# -------------------------------------------------------------------------------------------------- limits


def limited(call, max_bytes, count=4):
    items = [item(f"i{number}", f"S2_{number}") for number in range(count)]
    return call(order(*items, extensions=Limits(max_bytes=max_bytes).extensions())).order_id


def made_alike(store, clock, size):
    from oseo_lab.model.estimates import choice_of

    collection = COLLECTIONS["optical"]
    request = order(item("x", "S2_0"))
    choice = choice_of(collection.chosen(request.specification, request.specification.items[0]))
    finished = Finished(collection_id=collection.id, choice=choice, seconds=1, size=size)
    store.write(lambda work: work.past.add([finished]))


def test_of_unknown_size_one_is_made_at_a_time(call, dispatcher, executor, status, clock, store):
    order_id = limited(call, 100)
    dispatcher.step()
    (first,) = executor.take()
    clock.advance(seconds=5)
    dispatcher.step()
    assert executor.take() == []
    dispatcher.step([replace(sized(first, 40), started=clock(), ended=clock())])
    clock.advance(seconds=5)
    dispatcher.step()
    (second,) = executor.take()  # two more of 40 would be too many
    dispatcher.step([replace(sized(second, 40), started=clock(), ended=clock())])
    clock.advance(seconds=5)
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id)[1] == [Status.COMPLETED] * 2 + [Status.FAILED] * 2
    assert "80 bytes were delivered" in reasons(store, order_id)[2]
    assert "likely to have 40 bytes" in reasons(store, order_id)[2]
    with store.read() as snapshot:
        assert snapshot.results.size(order_id) == 80
        outcomes = [each.outcome for each in snapshot.events.attempts(order_id)]
    assert outcomes == ["delivered", "delivered", "limit of the order", "limit of the order"]


@pytest.mark.parametrize("named", [None, ["i0"]])
def test_what_the_limit_stopped_is_not_tried_again_below_it(
    call, dispatcher, executor, clock, store, here, named
):
    order_id = limited(call, 100, count=1)
    dispatcher.step()
    dispatcher.step([sized(executor.take()[0], 101)])
    view = order_view(order_id, here())
    assert Action.RETRY not in view.actions
    assert not any(each.can_retry for each in (*view.rows, *view.failures))
    with pytest.raises(Conflict, match=r"max_bytes=100 \(100 bytes\), .* raise it by a new order"):
        retry(order_id, named, here())


def test_what_is_made_at_once_is_reserved(call, dispatcher, executor, clock, store, status):
    made_alike(store, clock, 30)
    order_id = limited(call, 100)
    other = Scripted()
    dispatcher.step()
    assert len(executor.jobs) == 3
    clock.advance(seconds=5)
    make(store, clock, other, "d2").step()  # what another server holds counts too
    assert other.take() == []
    dispatcher.step([sized(job, 5) for job in executor.take()])
    clock.advance(seconds=5)
    dispatcher.step()
    (last,) = executor.take()  # the others were smaller than likely
    dispatcher.step([sized(last, 30)])
    assert status(order_id)[0] is Status.COMPLETED
    with store.read() as snapshot:
        assert snapshot.results.size(order_id) == 45


def test_what_is_too_large_is_not_delivered(call, dispatcher, executor, clock, store, status):
    order_id = limited(call, 100, count=2)
    dispatcher.step()
    (first,) = executor.take()
    dispatcher.step([sized(first, 101)])
    assert "made, but not delivered: it has 101 bytes" in reasons(store, order_id)[0]
    clock.advance(seconds=5)
    dispatcher.step()
    (second,) = executor.take()
    dispatcher.step([sized(second, 100)])
    assert status(order_id)[1] == [Status.FAILED, Status.COMPLETED]
    with store.read() as snapshot:
        assert [each.number for each in snapshot.results.of(order_id)] == [2]


def test_orders_behind_one_that_waits_are_not_kept(call, dispatcher, executor, clock, store):
    limited(call, 100, count=5)
    plain = two(call)
    small = make(store, clock, executor, "d1", max_in_flight=4)
    small.step()
    assert [job.order_id == plain for job in executor.take()] == [False, True, True]


# ------------------------------------------------------------------------------------------- the lifecycle


@pytest.mark.parametrize("final", [each for each in Status if each.is_final])
@pytest.mark.parametrize("number", [0, 1])
def test_only_asking_again_leads_out_of_the_end(final, number, clock, store, packed):
    order_id = packed()
    with store.read() as snapshot:
        found = snapshot.items.get(order_id, number)
    ended = replace(found, status=replace(found.status, status=final), failures=2)
    with pytest.raises(IllegalTransition):
        advance(ended, Status.ACCEPTED, clock())
    if number and final in (Status.COMPLETED, Status.DOWNLOADED):
        with pytest.raises(IllegalTransition):
            reopen(ended, clock())
    else:
        anew = reopen(ended, clock())
        assert (anew.status.status, anew.failures, anew.retry_at) == (Status.ACCEPTED, 0, None)
