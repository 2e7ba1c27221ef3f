"""The planner as a table: no clock, no database, no Dask."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.dispatch.lifecycle import TRANSITIONS, IllegalTransition, advance
from oseo_lab.dispatch.planner import (
    Cancelled,
    Claimed,
    Downloaded,
    Expired,
    Instruction,
    PackageOutdated,
    PackageReady,
    Paused,
    Policy,
    Resumed,
    TriedAgain,
    WaitsAgain,
    WantedChanged,
    decide,
)
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import DeliveredFile, Failure, FailureClass, ItemReport, Started
from oseo_lab.model.order import ItemSpecification, OrderItem, StatusInfo
from oseo_lab.model.status import Status, Wanted

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(max_attempts=3, retry_delay=5)


def item(status=Status.ACCEPTED, attempt=0, **more) -> OrderItem:
    return OrderItem(
        specification=ItemSpecification(item_id="a", identifier=ProductId(identifier="P1")),
        status=StatusInfo(status=status),
        order_id="urn:uuid:00000000-0000-4000-8000-000000000001",
        number=1,
        attempt=attempt,
        lease_owner="d1",
        lease_until=NOW + timedelta(seconds=60),
        **more,
    )


def report(attempt=1, failure=None) -> ItemReport:
    files = (
        () if failure else (DeliveredFile(name="a.tif", size=1, sha256="0" * 64, media_type="image/tiff"),)
    )
    return ItemReport(
        key="k",
        order_id="urn:uuid:00000000-0000-4000-8000-000000000001",
        number=1,
        attempt=attempt,
        files=files,
        failure=failure,
    )


def failed(failure_class) -> Failure:
    return Failure(failure_class=failure_class, reason="it rained", detail="trace")


STARTED = Started(key="k", worker="w1", at=NOW)
RUNNING = item(Status.IN_PRODUCTION, 1)
UNWANTED = item(Status.IN_PRODUCTION, 1, wanted=Wanted.CANCELLED)
TO_WAIT = item(Status.ACCEPTED, 1, wanted=Wanted.SUSPENDED)
HELD_BACK = replace(item(Status.SUSPENDED), lease_owner=None, lease_until=None, retry_at=NOW)
WAITING_PACKAGE = replace(item(Status.SUSPENDED), number=0)

TABLE = {
    "a claimed item is on its next attempt and starts": (
        item(),
        Claimed(),
        (Status.ACCEPTED, 1, Instruction.START),
    ),
    "what a dead dispatcher had in production starts again": (
        item(Status.IN_PRODUCTION, 1),
        Claimed(),
        (Status.IN_PRODUCTION, 2, Instruction.START),
    ),
    "in production comes with the worker's word": (item(attempt=1), STARTED, (Status.IN_PRODUCTION, 1, None)),
    "a delivery completes": (RUNNING, report(), (Status.COMPLETED, 1, Instruction.SETTLE)),
    "a delivery whose start was never heard of completes": (
        item(attempt=1),
        report(),
        (Status.COMPLETED, 1, Instruction.SETTLE),
    ),
    "a report of an older attempt is ignored": (
        item(Status.IN_PRODUCTION, 2),
        report(1),
        (Status.IN_PRODUCTION, 2, Instruction.DROP),
    ),
    "a report after the end is ignored": (
        item(Status.CANCELLED, 1),
        report(1),
        (Status.CANCELLED, 1, Instruction.DROP),
    ),
    "a permanent failure ends it": (
        RUNNING,
        report(failure=failed(FailureClass.PERMANENT)),
        (Status.FAILED, 1, None),
    ),
    "a quota failure ends it": (
        RUNNING,
        report(failure=failed(FailureClass.QUOTA)),
        (Status.FAILED, 1, None),
    ),
    "a bug of ours ends it": (
        RUNNING,
        report(failure=failed(FailureClass.INTERNAL)),
        (Status.FAILED, 1, None),
    ),
    "a bad request ends it": (
        RUNNING,
        report(failure=failed(FailureClass.BAD_REQUEST)),
        (Status.FAILED, 1, None),
    ),
    "a transient failure waits": (
        RUNNING,
        report(failure=failed(FailureClass.TRANSIENT)),
        (Status.IN_PRODUCTION, 1, None),
    ),
    "the last transient failure ends it": (
        item(Status.IN_PRODUCTION, 3, failures=2),
        report(3, failed(FailureClass.TRANSIENT)),
        (Status.FAILED, 3, None),
    ),
    "a transient failure of an unwanted item cancels it": (
        UNWANTED,
        report(failure=failed(FailureClass.TRANSIENT)),
        (Status.CANCELLED, 1, None),
    ),
    "a stopped attempt of an unwanted item cancels it": (
        UNWANTED,
        report(failure=failed(FailureClass.CANCELLED)),
        (Status.CANCELLED, 1, None),
    ),
    "a stopped attempt of a wanted item is free for the next": (
        RUNNING,
        report(failure=failed(FailureClass.CANCELLED)),
        (Status.IN_PRODUCTION, 1, None),
    ),
    "a delivery that beat the stop stays delivered": (
        UNWANTED,
        report(),
        (Status.COMPLETED, 1, Instruction.SETTLE),
    ),
    "an unwanted running item is stopped": (
        UNWANTED,
        WantedChanged(),
        (Status.IN_PRODUCTION, 1, Instruction.STOP),
    ),
    "a wanted one goes on": (RUNNING, WantedChanged(), (Status.IN_PRODUCTION, 1, None)),
    "an unwanted waiting item is cancelled": (item(), Cancelled(), (Status.CANCELLED, 0, None)),
    "downloaded": (item(Status.COMPLETED, 1), Downloaded(), (Status.DOWNLOADED, 1, None)),
    "downloaded twice": (item(Status.DOWNLOADED, 1), Downloaded(), (Status.DOWNLOADED, 1, None)),
    "a failed item cannot have been downloaded": (
        item(Status.FAILED, 1),
        Downloaded(),
        (Status.FAILED, 1, None),
    ),
    "an expired item stays what it was": (
        item(Status.DOWNLOADED, 1),
        Expired(),
        (Status.DOWNLOADED, 1, None),
    ),
    "a package goes when there is something to pack": (
        WAITING_PACKAGE,
        PackageReady(delivered=2),
        (Status.ACCEPTED, 0, None),
    ),
    "a package of nothing is cancelled": (
        WAITING_PACKAGE,
        PackageReady(delivered=0),
        (Status.CANCELLED, 0, None),
    ),
    "what no worker has begun is taken back when it is to wait": (
        TO_WAIT,
        WantedChanged(has_begun=False),
        (Status.ACCEPTED, 1, Instruction.STOP),
    ),
    "what a worker has begun is finished when the rest is to wait": (
        TO_WAIT,
        WantedChanged(has_begun=True),
        (Status.ACCEPTED, 1, None),
    ),
    "nobody works on it, so it waits": (item(), Paused(), (Status.SUSPENDED, 0, None)),
    "what was to be tried later waits too": (
        item(Status.IN_PRODUCTION, 2),
        Paused(),
        (Status.SUSPENDED, 2, None),
    ),
    "what was paused goes on": (HELD_BACK, Resumed(), (Status.ACCEPTED, 0, None)),
    "what failed begins anew": (item(Status.FAILED, 3), TriedAgain(), (Status.ACCEPTED, 3, None)),
    "what was cancelled begins anew": (item(Status.CANCELLED, 0), TriedAgain(), (Status.ACCEPTED, 0, None)),
    "what is being made is put back": (
        item(Status.IN_PRODUCTION, 1),
        WaitsAgain(text="it waits"),
        (Status.SUSPENDED, 1, None),
    ),
    "a package that lacks something is made again": (
        replace(item(Status.DOWNLOADED, 1), number=0),
        PackageOutdated(),
        (Status.ACCEPTED, 1, None),
    ),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_decision(row):
    before, event, expected = row
    decision = decide(before, event, NOW, POLICY)
    assert (decision.item.status.status, decision.item.attempt, decision.instruction) == expected


def test_waiting_for_a_retry_holds_no_lease_and_backs_off():
    first = decide(RUNNING, report(failure=failed(FailureClass.TRANSIENT)), NOW, POLICY)
    assert (first.item.lease_owner, first.item.retry_at) == (None, NOW + timedelta(seconds=5))
    assert first.detail == "trace"
    assert "it rained" in first.item.status.additional
    again = decide(first.item, Claimed(), NOW, POLICY)
    assert again.item.retry_at is None
    second = decide(again.item, report(2, failed(FailureClass.TRANSIENT)), NOW, POLICY)
    assert second.item.retry_at == NOW + timedelta(seconds=10)


def test_a_final_status_lets_go_of_lease_and_retry():
    done = decide(RUNNING, report(), NOW, POLICY).item
    assert (done.lease_owner, done.lease_until, done.retry_at) == (None, None, None)


def test_a_paused_item_keeps_the_moment_from_which_it_may_go_on():
    later = NOW + timedelta(hours=1)
    held = decide(item(Status.IN_PRODUCTION, 1, retry_at=later), Paused(), NOW, POLICY).item
    assert (held.retry_at, held.lease_owner) == (later, None)
    assert decide(held, Resumed(), NOW, POLICY).item.retry_at == later
    assert decide(held, Resumed(), later, POLICY).item.retry_at is None


def test_trying_again_counts_failures_anew_and_follows_its_order():
    failed = replace(item(Status.FAILED, 3, failures=3, wanted=Wanted.CANCELLED), retry_at=NOW)
    anew = decide(failed, TriedAgain(wanted=Wanted.COMPLETED), NOW, POLICY)
    assert (anew.item.failures, anew.item.retry_at, anew.item.wanted) == (0, None, Wanted.COMPLETED)
    assert (anew.author, anew.item.status.additional) == ("user", "tried again at the user's request")


def test_an_expired_result_says_so():
    gone = decide(item(Status.COMPLETED, 1), Expired(), NOW, POLICY).item
    assert "expired and was removed on 2026-01-01" in gone.status.additional


@pytest.mark.parametrize("current", list(Status))
@pytest.mark.parametrize("to", list(Status))
def test_only_the_table_moves_a_status(current, to):
    before = item(current)
    if to is current or to in TRANSITIONS[current]:
        assert advance(before, to, NOW).status.status is to
    else:
        with pytest.raises(IllegalTransition):
            advance(before, to, NOW)


EVENTS = st.one_of(
    st.sampled_from([Claimed(), STARTED, WantedChanged(), Cancelled(), Downloaded(), Expired()]),
    st.builds(report, st.integers(0, 4)),
    st.builds(
        lambda attempt, kind: report(attempt, failed(kind)), st.integers(0, 4), st.sampled_from(FailureClass)
    ),
)


@given(
    st.sampled_from([Status.ACCEPTED, Status.IN_PRODUCTION]),
    st.sampled_from(Wanted),
    st.lists(EVENTS, max_size=12),
)
def test_no_sequence_of_worker_events_makes_an_item_delivered_twice(status, wanted, events):
    """Whatever workers say and in whatever order, one attempt is settled at most once."""
    current = item(status, wanted=wanted)
    settled = 0
    for event in events:
        if current.status.status.is_final and not isinstance(event, ItemReport | Downloaded | Expired):
            continue  # a dispatcher holds no final item
        decision = decide(current, event, NOW, POLICY)
        settled += decision.instruction is Instruction.SETTLE
        current = decision.item
    assert settled <= 1


def test_waiting_for_an_archive_is_no_try_and_remembers_since_when():
    restoring = Failure(failure_class=FailureClass.WAITING, reason="it is on tape", usually=14400.0)
    first = decide(RUNNING, report(failure=restoring), NOW, POLICY).item
    assert (
        first.status.additional
        == f"waiting for the archive, asked {NOW:%Y-%m-%d %H:%M:%S} UTC, usually ≈ 4 h"
    )
    assert (first.failures, first.lease_owner, first.retry_at) == (0, None, NOW + timedelta(minutes=15))
    waiting, later = first, NOW
    for attempt in range(2, 30):
        later += timedelta(minutes=15)
        waiting = decide(waiting, Claimed(), later, POLICY).item
        waiting = decide(waiting, Started(key="k", worker="w", at=later), later, POLICY).item
        waiting = decide(waiting, report(attempt, restoring), later, POLICY).item
    assert waiting.status.additional == first.status.additional and waiting.failures == 0
    claimed = decide(waiting, Claimed(), later, POLICY).item
    assert decide(claimed, report(30), later, POLICY).item.status.additional is None
