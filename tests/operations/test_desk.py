"""The order desk: what operators see, what they decide once, and what they tell users."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oseo_lab.model.approval import REASON_MOST, Approval, Decided
from oseo_lab.model.delivery import DeliveryInformation, OnlineAddress, Protocol, Secret
from oseo_lab.model.desk import ANNOUNCEMENT_MOST, SHOWN
from oseo_lab.model.errors import InvalidState, NotAuthenticated, NotAuthorized, NotFound, ValidationError
from oseo_lab.model.messages import Cancel, GetCapabilities
from oseo_lab.model.order import OrderSpecification, Payment, new_order_id
from oseo_lab.model.status import Status
from oseo_lab.operations import perform
from oseo_lab.operations.board import board, look
from oseo_lab.operations.desk import announce, announcement, approve, reject, run_again, withdraw
from oseo_lab.operations.order_types import make_order
from oseo_lab.operations.steering import retry
from tests.operations.orders import COLLECTIONS, item, order


@pytest.fixture
def desk(context):
    """Return the context of an operator, by name."""
    return lambda name="olga": replace(context(name), is_operator=True)


@pytest.fixture
def submitted(context):
    """Return what submits an order that an operator must approve."""

    def submit(owner="anna", count=1, **more):
        items = [item(str(each), f"S1_{each}", options=()) for each in range(1, count + 1)]
        return perform(order(*items, **more), context(owner)).order_id

    return submit


def got(store, order_id):
    with store.read() as snapshot:
        return snapshot.orders.get(order_id)


def lines(store, order_id):
    with store.read() as snapshot:
        return [(each.author, each.info) for each in snapshot.events.of(order_id) if each.number == 0]


# ---------------------------------------------------------------------------------------------- the board


def test_the_board_shows_what_waits_oldest_first(submitted, desk, clock):
    first = submitted(order_reference="lake", order_remark="before the conference, please")
    clock.advance(minutes=12)
    second = submitted("ben", count=2)
    found = board(desk())
    assert [(each.order_id, each.owner, each.items) for each in found.waiting] == [
        (first, "anna", 1),
        (second, "ben", 2),
    ]
    lake = found.waiting[0]
    assert (lake.name, lake.collections, lake.remark) == ("lake", ("radar",), "before the conference, please")
    assert lake.since == clock() - timedelta(minutes=12)
    assert (found.waiting_count, found.stuck, found.queue.items) == (2, (), 0)


def test_more_than_are_shown_are_counted(submitted, desk):
    for _ in range(SHOWN + 3):
        submitted()
    found = board(desk())
    assert (len(found.waiting), found.waiting_count) == (SHOWN, SHOWN + 3)


def test_what_needs_nobody_is_in_the_queue(context, desk, clock):
    perform(order(item("a", "S2_1"), item("b", "S2_2")), context())
    clock.advance(minutes=3)
    queue = board(desk()).queue
    assert (queue.items, queue.oldest) == (2, clock() - timedelta(minutes=3))


def test_collections_that_fail_come_first(store, desk, clock):
    store.write(lambda work: work.desk.is_failing({"radar": "429 Too Many Requests"}, clock()))
    first, *others = board(desk()).collections
    assert (first.collection_id, first.is_ok, first.reason) == ("radar", False, "429 Too Many Requests")
    assert all(each.is_ok for each in others)
    store.write(lambda work: work.desk.is_working(["radar"]))
    assert all(each.is_ok for each in board(desk()).collections)


def test_failures_are_those_of_today(store, desk, clock):
    store.write(lambda work: work.desk.count_failures(clock().date(), {"quota": 2, "internal": 1}))
    store.write(lambda work: work.desk.count_failures(clock().date(), {"internal": 4}))
    assert list(board(desk()).failures.items()) == [("internal", 5), ("quota", 2)]
    clock.advance(days=1)
    assert board(desk()).failures == {}


def test_an_order_is_looked_at_before_it_is_decided_of(submitted, desk, context, store):
    order_id = submitted(count=3, order_remark="for the flood map")
    found = look(order_id, desk())
    assert found.approval == Approval()
    assert (found.asked.order_remark, [each.item_id for each in found.asked.items]) == (
        "for the flood map",
        ["1", "2", "3"],
    )
    assert (found.view.summary.owner, found.view.summary.counts) == ("anna", {Status.SUBMITTED: 3})
    assert found.view.actions == ()
    approve(order_id, desk())
    assert look(order_id, desk("otto")).approval.operator == "olga"


def test_an_operator_sees_neither_addresses_nor_how_it_is_paid(desk, store, clock):
    address = OnlineAddress(
        protocol=Protocol.FTP, server_address="ftp.anna.example", user_password=Secret("anna's")
    )
    specification = OrderSpecification(
        items=(item("a", "S1_1", payment=Payment(payment_method="card", order_account="ACC-1")),),
        delivery_information=DeliveryInformation(online_addresses=(address,)),
    )
    made = make_order(specification, (COLLECTIONS["radar"],), "anna", None, None, clock())
    store.write(lambda work: work.orders.add(made))
    found = look(made.order_id, desk())
    assert found.asked.delivery_information is None
    assert found.asked.items[0].payment is None
    assert "anna.example" not in repr(found)
    assert "ACC-1" not in repr(found)


# ----------------------------------------------------------------------------------------------- decisions


def test_an_approval_is_written_down_with_who_and_when(submitted, desk, store, clock, woken):
    order_id = submitted()
    woken.clear()
    said = approve(order_id, desk())
    assert said.approval == Approval(decided=Decided.APPROVED, operator="olga", at=clock())
    assert said.status.status is Status.SUBMITTED  # the dispatcher moves it
    assert lines(store, order_id)[-1] == ("olga", "approved")
    assert woken == [True]
    assert board(desk()).waiting == ()


def test_a_rejection_says_why(submitted, desk, store):
    order_id = submitted()
    said = reject(order_id, " Radar\nis down until  May; order optical scenes ", desk())
    reason = "Radar is down until May; order optical scenes"
    assert said.approval.reason == reason
    assert lines(store, order_id)[-1] == ("olga", f"rejected by an operator: {reason}")


def test_two_operators_of_one_mind_change_nothing_twice(submitted, desk, store):
    order_id = submitted()
    first = approve(order_id, desk())
    assert approve(order_id, desk("otto")) == first
    assert len(lines(store, order_id)) == 2
    other = submitted()
    first = reject(other, "no", desk())
    assert reject(other, "never", desk("otto")) == first


def test_of_two_operators_of_two_minds_the_first_decides(submitted, desk):
    order_id = submitted()
    approve(order_id, desk())
    with pytest.raises(InvalidState, match="approved by olga on 2026-01-01 at 12:00 UTC") as refused:
        reject(order_id, "no", desk("otto"))
    assert refused.value.http_status == 409
    other = submitted()
    reject(other, "no", desk())
    with pytest.raises(InvalidState, match="rejected by olga"):
        approve(other, desk("otto"))


def test_what_its_user_has_cancelled_is_not_decided_of(submitted, desk, context):
    order_id = submitted()
    perform(Cancel(order_id=order_id), context())
    with pytest.raises(InvalidState, match="cancelled the order meanwhile"):
        approve(order_id, desk())
    assert board(desk()).waiting == ()


def test_what_needs_nobody_is_not_decided_of(context, desk):
    order_id = perform(order(item("a", "S2_1")), context()).order_id
    with pytest.raises(InvalidState, match="needs nobody's approval: it is Accepted"):
        approve(order_id, desk())


def test_trying_again_does_not_lead_past_operators(submitted, desk, context, store):
    order_id = submitted()
    reject(order_id, "not before May", desk())
    end(store, order_id)
    with pytest.raises(InvalidState, match="not before May") as refused:
        retry(order_id, ["1"], context())
    assert refused.value.allowed_actions == ("reorder",)
    other = submitted()
    perform(Cancel(order_id=other), context())
    end(store, other)
    with pytest.raises(InvalidState, match="cancelled before approval"):
        retry(other, ["1"], context())


def end(store, order_id):
    """Let an order be Cancelled, as the dispatcher does."""

    def write(work):
        found = work.orders.get(order_id)
        work.orders.save(replace(found, status=replace(found.status, status=Status.CANCELLED)))

    store.write(write)


@pytest.mark.parametrize(
    "asked",
    [
        board,
        lambda context: approve(new_order_id(), context),
        lambda context: reject(new_order_id(), "no", context),
        lambda context: run_again(new_order_id(), context),
        lambda context: announce("hello", None, context),
        withdraw,
        lambda context: look(new_order_id(), context),
    ],
)
def test_the_desk_is_for_operators(context, asked):
    with pytest.raises(NotAuthorized, match="only operators"):
        asked(context("anna"))
    with pytest.raises(NotAuthenticated):
        asked(context(None))


@pytest.mark.parametrize("order_id", ["urn:uuid:00000000-0000-4000-8000-000000000000", "lake", ""])
def test_an_order_that_is_not_there(desk, order_id):
    with pytest.raises(NotFound):
        approve(order_id, desk())
    with pytest.raises(NotFound):
        look(order_id, desk())


@pytest.mark.parametrize("reason", ["", " \n\t", "x" * (REASON_MOST + 1), "\ud800"])
def test_a_rejection_without_a_reason_is_refused(submitted, desk, reason, store):
    order_id = submitted()
    with pytest.raises(ValidationError, match="reason has") as refused:
        reject(order_id, reason, desk())
    assert refused.value.locator == "reason"
    assert got(store, order_id).approval == Approval()


# --------------------------------------------------------------------------------------------- run again


@pytest.fixture
def held(context, store, clock):
    """Return an order whose two items somebody holds, one of them InProduction."""
    order_id = perform(order(item("a", "S2_1"), item("b", "S2_2")), context()).order_id

    def write(work):
        first, _ = work.items.claim("d1", 2, clock(), clock() + timedelta(minutes=1))
        moved = replace(first, attempt=1, status=replace(first.status, status=Status.IN_PRODUCTION))
        assert work.items.save(first, replace(moved, updated=clock()))

    store.write(write)
    return order_id


def test_what_was_silent_for_long_is_stuck_and_begins_anew_once(held, desk, store, clock):
    clock.advance(minutes=30)
    assert board(desk()).stuck == ()
    clock.advance(minutes=1)
    (stuck,) = board(desk()).stuck
    assert (stuck.item_id, stuck.status, stuck.attempt) == ("a", Status.IN_PRODUCTION, 1)
    assert stuck.since == clock() - timedelta(minutes=31)
    run_again(held, desk())
    assert board(desk()).stuck == ()
    with store.read() as snapshot:
        (line,) = [each for each in snapshot.events.of(held, 1) if each.author == "olga"]
        assert (line.info, line.attempt) == ("begun anew by an operator: nothing was heard of it", 1)
    with pytest.raises(InvalidState, match="nothing of the order is stuck"):
        run_again(held, desk("otto"))
    (again,) = store.write(lambda work: work.items.claim("d2", 9, clock(), clock() + timedelta(minutes=1)))[
        :1
    ]
    assert (again.number, again.attempt, again.status.status) == (1, 1, Status.IN_PRODUCTION)


def test_what_workers_speak_of_is_not_stuck(held, desk, clock):
    clock.advance(hours=2)
    lately = clock() - timedelta(minutes=1)
    busy = replace(desk(), heard=lambda order_id, number: lately)
    assert board(busy).stuck == ()
    assert board(busy).workers.busy == 1


def test_what_no_worker_begins_is_stuck_where_nothing_moves(held, desk, clock):
    since = clock()
    clock.advance(hours=2)
    silent = replace(desk(), heard=lambda order_id, number: since)
    assert [each.number for each in board(silent).stuck] == [1, 2]


# ------------------------------------------------------------------------------------------ announcements


def test_users_are_told_until_it_is_over(desk, context, clock):
    until = clock() + timedelta(hours=6)
    announce("Archive restores\nare slow", until, desk())
    told = announcement(context(None))
    assert told.sentence == "Archive restores are slow (until 2026-01-01 18:00 UTC)"
    assert board(desk()).announcement == told
    clock.advance(hours=6)
    assert announcement(context(None)) is None


def test_the_last_announcement_counts_and_can_be_withdrawn(desk, context):
    announce("one", None, desk())
    announce("two", None, desk())
    assert announcement(context()).text == "two"
    withdraw(desk())
    withdraw(desk())
    assert announcement(context()) is None


def test_the_capabilities_document_tells_it_and_is_another_one(desk, context):
    def asked():
        return perform(GetCapabilities(), context(None)).identification.abstract

    assert asked() is None
    announce("slow today", None, desk())
    assert asked() == "Announcement: slow today"
    withdraw(desk())
    assert asked() is None


def test_an_announcement_that_is_none_is_refused(desk, clock):
    with pytest.raises(ValidationError, match="1 to 500"):
        announce("x" * (ANNOUNCEMENT_MOST + 1), None, desk())
    with pytest.raises(ValidationError, match="is over already"):
        announce("late", clock(), desk())


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text_is_refused_or_told_in_one_line(text):
    from oseo_lab.operations.desk import _text

    try:
        said = _text(text, "text", 60, "")
    except ValidationError:
        return
    assert said.isprintable()
    assert said == " ".join(said.split())
    assert 1 <= len(said) <= 60
