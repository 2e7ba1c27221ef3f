"""Results that are used again, as the dispatcher decides: whose, which, at what price, what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from oseo_lab.dispatch.jobs import recipe_then
from oseo_lab.dispatch.sweeper import Sweeper
from oseo_lab.model.collection import Scope
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.job import Failure, FailureClass
from oseo_lab.model.messages import Cancel, GetStatus, Presentation
from oseo_lab.model.quotation import Charge
from oseo_lab.model.status import Status
from oseo_lab.operations import Context, Service, perform
from tests.dispatch.test_dispatcher import Scripted, make, report, started
from tests.operations.orders import COLLECTIONS, OPTICAL, item, order, selection

REUSE = {"extensions": ("reuse=true",)}


@pytest.fixture
def as_owner(store, clock):
    def calling(owner):
        context = Context(
            owner=owner,
            store=store,
            collections=COLLECTIONS,
            service=Service(),
            wake=lambda: None,
            now=clock,
            url="http://localhost/oseo/",
            link=lambda *_: "",
        )
        return lambda request: perform(request, context)

    return calling


@pytest.fixture
def call(as_owner):
    return as_owner("anna")


def done(job, **more):
    """Return what a worker says that has delivered a job."""
    return replace(report(job), recipe=job.recipe, earlier=job.earlier, **more)


def unusable(job):
    failure = Failure(failure_class=FailureClass.TRANSIENT, reason="it is damaged", counts=False)
    return done(job, files=(), failure=failure, is_unusable=True)


def delivered(dispatcher, executor, call, *items, **more):
    """Order and deliver; return the order's id."""
    order_id = call(order(*items, **more)).order_id
    dispatcher.step()
    jobs = executor.take()
    dispatcher.step([event for job in jobs for event in (started(job), done(job))])
    return order_id


def taken(dispatcher, executor, call, *items, **more):
    """Order what may be reused; return its id and its one job."""
    order_id = call(order(*items, **(REUSE | more))).order_id
    dispatcher.step()
    (job,) = executor.take()
    return order_id, job


def items_of(call, order_id):
    return call(GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0].items


def test_item_is_delivered_from_what_its_owner_has_and_says_so(dispatcher, executor, call):
    first = delivered(dispatcher, executor, call, order_reference="lake")
    order_id, job = taken(dispatcher, executor, call)
    assert (job.earlier.order_id, job.earlier.number, job.earlier.name) == (first, 1, "lake")
    assert [each.name for each in job.earlier.files] == ["data.tif"]
    dispatcher.step([started(job), done(job)])
    (only,) = items_of(call, order_id)
    assert only.status.status is Status.COMPLETED
    assert only.status.additional == "reused from lake, delivered 2026-01-01 00:00 UTC"


def test_without_the_wish_nothing_is_looked_for(dispatcher, executor, call):
    delivered(dispatcher, executor, call)
    for extensions in ((), ("reuse=false",)):
        _, job = taken(dispatcher, executor, call, extensions=extensions)
        assert job.earlier is None
        dispatcher.step([started(job), done(job)])


def test_nobody_is_given_anybody_elses(dispatcher, executor, call, as_owner):
    delivered(dispatcher, executor, call)
    _, job = taken(dispatcher, executor, as_owner("berta"))
    assert job.earlier is None


OTHERS = [
    item("a", "S2_2"),
    item("a", options=selection(level="1B")),
    item("a", options=selection(level="2A", format="PNG")),
    item("a", scene_selections=selection(size="10")),
    item("a", "S2_91", collection_id="any", options=()),
]


@pytest.mark.parametrize("other", OTHERS, ids=["product", "value", "preset", "area", "collection"])
def test_what_differs_in_anything_is_not_the_same(other, dispatcher, executor, call):
    delivered(dispatcher, executor, call)
    assert taken(dispatcher, executor, call, other)[1].earlier is None


def test_a_container_counts_where_it_holds_the_item_and_not_where_it_holds_the_order():
    specification = order().specification
    packed = replace(specification, packaging=Packaging.ZIP)
    whole = replace(OPTICAL, delivery=replace(OPTICAL.delivery, scope=Scope.ORDER))

    def recipe(collection, asked):
        return recipe_then("anna", collection, asked, asked.items[0])

    assert recipe(OPTICAL, packed) != recipe(OPTICAL, specification)
    assert recipe(whole, packed) == recipe(whole, specification)
    other = replace(OPTICAL, processor="raster"), replace(OPTICAL, catalogue_settings={"href": "x"})
    assert len({recipe(each, specification) for each in (OPTICAL, *other)}) == 3


def test_preset_said_or_not_is_the_same(dispatcher, executor, call):
    first = delivered(dispatcher, executor, call)
    said = item("another name", options=selection(format="COG", level="2A"))
    assert taken(dispatcher, executor, call, said)[1].earlier.order_id == first


def test_what_expires_is_not_taken(dispatcher, executor, call, clock):
    delivered(dispatcher, executor, call)
    clock.advance(days=10, seconds=-30)  # it would go while it is copied
    assert taken(dispatcher, executor, call)[1].earlier is None


def test_what_was_removed_is_not_looked_for_any_more(
    store,
    dispatcher,
    executor,
    call,
    clock,
    tmp_path,
):
    order_id = delivered(dispatcher, executor, call)
    clock.advance(days=11)
    (tmp_path / "results").mkdir()
    sweeper = Sweeper(store=store, results=tmp_path / "results", scratch=tmp_path, now=clock)
    assert sweeper.expire() == 1
    clock.advance(days=-11)
    with store.read() as snapshot:
        assert snapshot.results.earlier("anna", [recipe_of(snapshot, order_id)], clock()) == {}
    assert taken(dispatcher, executor, call)[1].earlier is None


def recipe_of(snapshot, order_id):
    kept, only = snapshot.orders.get(order_id), snapshot.items.get(order_id, 1)
    return recipe_then("anna", OPTICAL, kept.specification, only.specification)


def test_result_that_goes_while_it_is_copied_is_forgotten_and_the_item_made(
    store,
    dispatcher,
    executor,
    call,
    clock,
):
    first = delivered(dispatcher, executor, call)
    second = delivered(dispatcher, executor, call)
    order_id, job = taken(dispatcher, executor, call)
    assert job.earlier.order_id == second  # the newest
    dispatcher.step([started(job), unusable(job)])
    (job,) = executor.take()
    assert (job.attempt, job.earlier.order_id) == (2, first)
    dispatcher.step([started(job), unusable(job)])
    (job,) = executor.take()
    assert (job.attempt, job.earlier) == (3, None)
    dispatcher.step([started(job), done(job)])
    (only,) = items_of(call, order_id)
    assert only.status.status is Status.COMPLETED and only.status.additional is None
    with store.read() as snapshot:
        lines = [each.info for each in snapshot.events.of(order_id, 1)]
        recipe = recipe_of(snapshot, order_id)
        assert snapshot.results.earlier("anna", [recipe], clock())[recipe].order_id == order_id
    assert lines.count("it is damaged") == 2


def test_results_used_again_or_damaged_say_nothing_of_their_source(store, dispatcher, executor, call):
    def failing():
        with store.read() as snapshot:
            return {name: reason for name, (reason, _) in snapshot.desk.failing().items()}

    delivered(dispatcher, executor, call)
    _, job = taken(dispatcher, executor, call)
    dispatcher.step([started(job), unusable(job)])
    assert failing() == {}
    (job,) = executor.take()
    dispatcher.step([started(job), report(job, FailureClass.PERMANENT, "its archive burns")])
    assert failing() == {"optical": "its archive burns"}
    delivered(dispatcher, executor, call, item("b", "S2_2"))
    assert failing() == {}
    _, job = taken(dispatcher, executor, call, item("b", "S2_2"))
    other = call(order()).order_id
    dispatcher.step()
    (made,) = executor.take()
    dispatcher.step([started(made), report(made, FailureClass.PERMANENT, "it burns again")])
    dispatcher.step([started(job), done(job)])
    assert items_of(call, other)[0].status.status is Status.FAILED
    assert failing() == {"optical": "it burns again"}


def test_cancelled_while_its_result_is_found_unusable_it_is_not_made(
    store,
    dispatcher,
    executor,
    call,
):
    delivered(dispatcher, executor, call)
    order_id, job = taken(dispatcher, executor, call)
    call(Cancel(order_id=order_id))
    dispatcher.step()
    dispatcher.step([unusable(job)])
    assert executor.take() == []
    assert items_of(call, order_id)[0].status.status is Status.CANCELLED


def test_two_orders_at_once_are_delivered_once_each(dispatcher, executor, call):
    ids = [call(order(**REUSE)).order_id for _ in range(2)]
    dispatcher.step()
    jobs = executor.take()
    assert [each.earlier for each in jobs] == [None, None]  # nothing is there yet: both are made
    dispatcher.step([event for job in jobs for event in (started(job), done(job))])
    third, fourth = (taken(dispatcher, executor, call) for _ in range(2))
    assert third[1].earlier == fourth[1].earlier is not None  # both of one, at once
    dispatcher.step([done(third[1]), done(fourth[1])])
    for order_id in (*ids, third[0], fourth[0]):
        assert [each.status.status for each in items_of(call, order_id)] == [Status.COMPLETED]


def test_restart_in_the_middle_delivers_once(store, dispatcher, executor, call, clock):
    delivered(dispatcher, executor, call)
    order_id, job = taken(dispatcher, executor, call)
    clock.advance(seconds=61)  # nobody renews its lease any more
    after = Scripted()
    other = make(store, clock, after, "d2")
    other.step()
    (again,) = after.take()
    assert again.attempt == job.attempt + 1 and again.earlier == job.earlier
    other.step([started(again), done(again)])
    dispatcher.step([done(job)])  # the late one is nobody's any more
    with store.read() as snapshot:
        assert [each.attempt for each in snapshot.results.of(order_id)] == [again.attempt]
        assert len(snapshot.events.attempts(order_id)) == 1


# ---------------------------------------------------------------------------------------------- prices


def charge(store, order_id, *, is_given_back, amount="3"):
    drawn = Charge(
        order_id=order_id,
        number=1,
        owner="anna",
        currency="EUR",
        amount=Decimal(amount),
        is_given_back=is_given_back,
    )
    store.write(lambda work: work.balances.draw([drawn]))


def balance(store):
    with store.read() as snapshot:
        return snapshot.balances.of("anna")["EUR"]


@pytest.fixture
def money(store):
    store.write(lambda work: work.balances.set("anna", "EUR", Decimal(10)))
    return lambda: balance(store)


def test_what_it_drew_comes_back_when_it_is_reused_once(store, dispatcher, executor, call, money):
    delivered(dispatcher, executor, call)
    order_id = call(order(**REUSE)).order_id
    charge(store, order_id, is_given_back=False)
    assert money() == 7
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job), done(job), done(job)])
    assert money() == 10
    with store.read() as snapshot:
        assert [each.is_given_back for each in snapshot.balances.charges(order_id)] == [True]


def test_what_was_to_cost_nothing_draws_its_price_when_it_must_be_made(
    store,
    dispatcher,
    executor,
    call,
    money,
):
    order_id = call(order(**REUSE)).order_id
    charge(store, order_id, is_given_back=True)
    assert money() == 10
    dispatcher.step()
    (job,) = executor.take()
    assert job.earlier is None and money() == 7
    dispatcher.step([started(job), done(job)])
    assert money() == 7


@pytest.mark.parametrize(("amount", "extensions"), [("11", ()), ("3", ("max_price=2",))])
def test_what_must_be_made_and_cannot_be_paid_is_not_made_and_says_so(
    amount,
    extensions,
    store,
    dispatcher,
    executor,
    call,
    money,
    clock,
):
    order_id = call(order(extensions=(*REUSE["extensions"], *extensions))).order_id
    charge(store, order_id, is_given_back=True, amount=amount)
    dispatcher.step()
    assert executor.take() == [] and money() == 10
    (only,) = items_of(call, order_id)
    assert only.status.status is Status.FAILED
    assert only.status.additional.startswith("no earlier result is left to be used again")
    clock.advance(seconds=timedelta(days=1).total_seconds())
    dispatcher.step()
    assert executor.take() == []
