"""The view of an order: the rows that matter most, time left, what may be done; nobody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.errors import NotFound
from oseo_lab.model.estimates import Estimate, choice_of
from oseo_lab.model.job import Progress, job_key
from oseo_lab.model.limits import Limits
from oseo_lab.model.order import (
    Attempt,
    Order,
    OrderItem,
    OrderSpecification,
    ResultFile,
    StatusInfo,
    new_order_id,
    order_uuid,
)
from oseo_lab.model.quotation import Finished
from oseo_lab.model.status import Status, Wanted, roll_up
from oseo_lab.model.view import ROWS, Action
from oseo_lab.operations import perform
from oseo_lab.operations.outlook import time_left
from oseo_lab.operations.view import order_view
from tests.operations.orders import OPTICAL, item, order, selection


@pytest.fixture
def submit(context):
    def send(count=3, **more):
        items = [item(f"i{n}", f"S2_{n}") for n in range(1, count + 1)]
        return perform(order(*items, **more), context()).order_id

    return send


@pytest.fixture
def move(store, clock):
    """Move items of an order: ``move(order_id, Status.FAILED, 1, 2, info="why")``."""

    def to(order_id, status, *numbers, info=None, **more):
        clock.advance(seconds=1)

        def write(work):
            before = [work.items.get(order_id, number) for number in numbers]
            said = StatusInfo(status=status, additional=info)
            after = [replace(each, status=said, updated=clock(), **more) for each in before]
            work.items.save_many(list(zip(before, after, strict=True)))
            found = work.orders.get(order_id)
            rolled = StatusInfo(status=roll_up(work.items.counts(order_id)))
            work.orders.save(replace(found, status=rolled, updated=clock()))

        store.write(write)

    return to


def test_the_dashboard_is_for_operators_and_stages_are_those_of_the_attempt_that_runs(submit, move, context):
    order_id = submit()
    move(order_id, Status.IN_PRODUCTION, 1, 2, attempt=1)
    said = Progress(
        key=job_key(order_id, 1, 1), fraction=0.5, stage="clip", passed=("staging",), ahead=("delivering",)
    )
    earlier = replace(said, key=job_key(order_id, 2, 0))
    here = replace(
        context(), dashboard=lambda: "/proxy/8787/status", progress=lambda _: {1: said, 2: earlier}
    )
    view = order_view(order_id, here)
    assert view.dashboard is None
    rows = {each.number: (each.passed, each.stage, each.ahead) for each in view.rows}
    assert rows[1] == (("staging",), "clip", ("delivering",)) and rows[2] == ((), None, ())
    assert order_view(order_id, replace(here, is_operator=True)).dashboard == "/proxy/8787/status"


def _delivered(store, order_id, *numbers, expires=None):
    files = [
        ResultFile(
            order_id=order_id,
            number=number,
            attempt=1,
            name=f"{number}.tif",
            size=1000,
            sha256="00" * 32,
            media_type="image/tiff",
            expires=expires,
        )
        for number in numbers
    ]
    store.write(lambda work: work.results.add(files))


# ----------------------------------------------------------------------------------------------- the rows


def test_rows_say_what_failed_first_then_what_runs_waits_and_was_delivered(
    store, context, clock, submit, move
):
    order_id = submit(5)
    move(order_id, Status.COMPLETED, 1, attempt=1)
    _delivered(store, order_id, 1)
    move(order_id, Status.FAILED, 2, info="the source is damaged", attempt=1)
    move(order_id, Status.IN_PRODUCTION, 3, attempt=2)
    later = clock() + timedelta(minutes=5)
    move(order_id, Status.IN_PRODUCTION, 4, info="busy", attempt=1, retry_at=later)
    failed = Attempt(order_id=order_id, number=2, attempt=1, outcome="permanent at source")
    store.write(lambda work: work.events.save_attempts([failed]))
    heard = {3: Progress(key=job_key(order_id, 3, 2), fraction=0.4, stage="warp")}
    view = order_view(order_id, replace(context(), progress={order_id: heard}.get))
    assert [row.number for row in view.rows] == [2, 3, 4, 5, 1]
    damaged, running, waiting, accepted, delivered = view.rows
    assert (damaged.failure, damaged.can_retry, damaged.info) == (
        "permanent at source",
        False,
        "the source is damaged",
    )
    assert (running.stage, running.fraction, running.attempt) == ("warp", 0.4, 2)
    assert waiting.retry_at == later and waiting.stage is None
    assert (accepted.identifier, accepted.item_id, accepted.fraction) == ("S2_5", "i5", 0.0)
    assert (delivered.size, delivered.name, delivered.fraction) == (1000, "1.tif", 1.0)
    assert delivered.href == f"http://localhost/oseo/files/{order_id.removeprefix('urn:uuid:')}/1/1.tif"
    assert {each.reason for each in view.failures} == {"busy", "the source is damaged"}
    assert view.summary.counts == {
        Status.ACCEPTED: 1,
        Status.IN_PRODUCTION: 2,
        Status.COMPLETED: 1,
        Status.FAILED: 1,
    }


def test_what_was_said_of_an_earlier_try_is_not_shown_of_this_one(context, submit, move):
    order_id = submit(1)
    move(order_id, Status.IN_PRODUCTION, 1, attempt=2)
    heard = {1: Progress(key=job_key(order_id, 1, 1), fraction=0.9, stage="warp")}
    (row,) = order_view(order_id, replace(context(), progress=lambda _: heard)).rows
    assert (row.fraction, row.stage) == (0.0, None)


def test_a_result_whose_time_is_over_has_no_href(store, context, clock, submit, move):
    order_id = submit(1)
    move(order_id, Status.COMPLETED, 1, attempt=1)
    _delivered(store, order_id, 1, expires=clock() + timedelta(days=1))
    assert order_view(order_id, context()).rows[0].href.endswith(f"/files/{order_uuid(order_id)}/1/1.tif")
    clock.advance(days=1)
    assert order_view(order_id, context()).rows[0].href is None


def test_of_each_kind_some_are_shown_however_many_failed(store, context, make_large):
    order_id = make_large({Status.FAILED: 100, Status.IN_PRODUCTION: 100, Status.COMPLETED: 100})
    view = order_view(order_id, context())
    shown = [row.status for row in view.rows]
    assert len(shown) == ROWS
    assert shown.count(Status.FAILED) >= 15 and shown.count(Status.IN_PRODUCTION) >= 15
    assert shown.count(Status.COMPLETED) == 5
    assert shown[0] is Status.FAILED and shown[-1] is Status.COMPLETED


@pytest.fixture
def make_large(store, clock):
    """Store an order with so many items of each status."""

    def make(counts, **more):
        order_id = new_order_id()
        statuses = [status for status, count in counts.items() for _ in range(count)]
        items = tuple(
            OrderItem(
                order_id=order_id,
                number=number,
                collection_id="optical",
                status=StatusInfo(status=status),
                updated=clock(),
                specification=item(f"i{number}", f"S2_{number}"),
            )
            for number, status in enumerate(statuses, 1)
        )
        made = Order(
            order_id=order_id,
            owner="anna",
            specification=OrderSpecification(order_reference="large"),
            status=StatusInfo(status=Status.IN_PRODUCTION),
            created=clock(),
            updated=clock(),
            items=items,
            **more,
        )
        store.write(lambda work: work.orders.add(made))
        return order_id

    return make


# ------------------------------------------------------------------------------------ around the rows


def test_the_log_names_items_as_their_user_does(context, submit):
    order_id = submit(2)
    view = order_view(order_id, context())
    assert {each.item_id for each in view.log} == {"i1", "i2", None}
    assert view.log_length == 3 and view.log[0].author == "anna"


def test_actions_follow_from_what_is_wanted_and_from_what_may_help(store, context, submit, move):
    order_id = submit(2)
    first = order_view(order_id, context())
    assert first.actions == (Action.CANCEL, Action.PAUSE, Action.SHARE)
    for wanted, allowed in (
        (Wanted.SUSPENDED, (Action.CANCEL, Action.RESUME, Action.SHARE)),
        (Wanted.CANCELLED, (Action.SHARE,)),
    ):
        store.write(
            lambda work, wanted=wanted: work.orders.save(replace(work.orders.get(order_id), wanted=wanted))
        )
        assert order_view(order_id, context()).actions == allowed
    store.write(lambda work: work.orders.save(replace(work.orders.get(order_id), wanted=Wanted.COMPLETED)))
    move(order_id, Status.FAILED, 1, 2, info="the disk was full", attempt=1)
    assert order_view(order_id, context()).actions == (Action.RETRY, Action.SHARE)


def test_limits_are_those_the_order_carries(context, submit):
    order_id = submit(1, extensions=Limits(max_price=5.0).extensions())
    assert order_view(order_id, context()).limits == Limits(max_price=5.0)


@pytest.mark.parametrize("owner", ["ben", ""])
def test_anybody_elses_order_is_unknown(context, submit, owner):
    with pytest.raises(NotFound):
        order_view(submit(1), context(owner))
    with pytest.raises(NotFound):
        order_view("urn:uuid:nonsense", context())


# ----------------------------------------------------------------------------------------------- time left


def test_time_left_is_taken_from_items_like_these(store, context, submit, move, clock):
    order_id = submit(4)
    chosen = choice_of(OPTICAL.chosen(order().specification, item(options=selection(level="2A"))))
    past = [Finished(collection_id="optical", choice=chosen, seconds=60, size=1) for _ in range(20)]
    assert order_view(order_id, replace(context(), workers=2)).remaining is None
    store.write(lambda work: work.past.add(past))
    assert order_view(order_id, replace(context(), workers=2)).remaining.typical == pytest.approx(120)
    move(order_id, Status.COMPLETED, 1, 2, 3, attempt=1)
    move(order_id, Status.IN_PRODUCTION, 4, attempt=1)
    heard = {4: Progress(key=job_key(order_id, 4, 1), fraction=0.75)}
    left = order_view(order_id, replace(context(), progress=lambda _: heard)).remaining
    assert left.typical == pytest.approx(15)
    move(order_id, Status.IN_PRODUCTION, 4, attempt=1, info="busy", retry_at=clock() + timedelta(seconds=600))
    assert order_view(order_id, context()).remaining.typical == pytest.approx(659)
    move(order_id, Status.COMPLETED, 4, attempt=1)
    assert order_view(order_id, context()).remaining is None


@given(
    left=st.integers(1, 10**6),
    running=st.lists(st.floats(0, 1), max_size=50),
    workers=st.integers(0, 1000),
    spread=st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100)),
)
def test_time_left_has_its_spread_around_it_and_more_workers_never_take_longer(
    left, running, workers, spread
):
    low, typical, high = sorted(spread)
    one = Estimate(low=low, typical=typical, high=high)
    running = running[:left]
    found = time_left(one, left, running, workers)
    assert 0 <= found.low <= found.typical <= found.high
    assert time_left(one, left, running, workers + 1).typical <= found.typical
