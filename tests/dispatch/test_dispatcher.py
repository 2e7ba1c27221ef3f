"""The dispatcher over a real store, at the moments where things go wrong.

The executor is scripted: it takes jobs and says what the test tells it to say, when the test says so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oseo_lab.dispatch import dispatcher as dispatching
from oseo_lab.dispatch.dispatcher import Dispatcher, Leases
from oseo_lab.dispatch.jobs import Places
from oseo_lab.dispatch.planner import Policy
from oseo_lab.dispatch.sweeper import Sweeper
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.job import DeliveredFile, Failure, FailureClass, ItemReport, Started
from oseo_lab.model.messages import Cancel, GetStatus, Presentation
from oseo_lab.model.order import new_order_id, order_uuid
from oseo_lab.model.status import ProviderOrderState, Status
from oseo_lab.operations import Context, Service, perform
from tests.operations.orders import COLLECTIONS, item, order


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **parts) -> None:
        self.time += timedelta(**parts)


class Scripted:
    """Takes jobs and does nothing with them; the test is the worker."""

    def __init__(self) -> None:
        self.jobs = []
        self.stopped = []
        self.is_broken = False

    def start(self, jobs):
        if self.is_broken:
            raise RuntimeError("the executor went away")
        self.jobs += jobs

    def stop(self, keys):
        self.stopped += keys

    def take(self):
        jobs, self.jobs = self.jobs, []
        return jobs


def started(job):
    return Started(key=job.key, worker="w1", at=datetime(2026, 1, 1, tzinfo=UTC))


def report(job, failure_class=None, reason="it rained"):
    failure = Failure(failure_class=failure_class, reason=reason, detail="trace") if failure_class else None
    file = DeliveredFile(name="data.tif", size=3, sha256="ab" * 32, media_type="image/tiff")
    return ItemReport(
        key=job.key,
        order_id=job.order_id,
        number=job.number,
        attempt=job.attempt,
        files=() if failure else (file,),
        failure=failure,
        worker="w1",
    )


def make(store, clock, executor, name, max_in_flight=50):
    return Dispatcher(
        name=name,
        store=store,
        executor=executor,
        collections=COLLECTIONS,
        places=Places(results="file:///results", scratch="file:///scratch"),
        policy=Policy(max_attempts=3, retry_delay=10),
        leases=Leases(max_in_flight=max_in_flight, lease=60, renew=20),
        now=clock,
    )


@pytest.fixture
def call(store, clock):
    context = Context(
        owner="anna",
        store=store,
        collections=COLLECTIONS,
        service=Service(),
        wake=lambda: None,
        now=clock,
        url="http://localhost/oseo/",
        link=lambda order_id, number, name, expires: name,
    )
    return lambda request: perform(request, context)


@pytest.fixture
def status(call):
    def ask(order_id):
        found = call(GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0]
        return found.status.status, [each.status.status for each in found.items]

    return ask


def two(call, **more):
    return call(order(item("a"), item("b", "S2_2"), **more)).order_id


def test_an_order_goes_its_way(store, dispatcher, executor, call, status):
    order_id = two(call)
    dispatcher.step()
    first, second = executor.take()
    assert status(order_id) == (Status.ACCEPTED, [Status.ACCEPTED] * 2)
    dispatcher.step([started(first)])
    assert status(order_id) == (Status.IN_PRODUCTION, [Status.IN_PRODUCTION, Status.ACCEPTED])
    dispatcher.step([report(first), started(second), report(second)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED] * 2)
    assert dispatcher.in_flight == 0
    with store.read() as snapshot:
        assert [each.name for each in snapshot.results.of(order_id)] == ["data.tif"] * 2
        assert [each.outcome for each in snapshot.events.attempts(order_id)] == ["delivered"] * 2
        assert [each.state for each in snapshot.provider_orders.of(order_id)] == [ProviderOrderState.CLOSED]
        lines = [each.status for each in snapshot.events.of(order_id, 2)]
    assert lines[-2:] == [Status.IN_PRODUCTION, Status.COMPLETED]


def test_dispatcher_stops_between_commit_and_start(store, clock, dispatcher, executor, call, status):
    order_id = call(order()).order_id
    executor.is_broken = True
    with pytest.raises(RuntimeError):
        dispatcher.step()
    healthy = Scripted()
    other = make(store, clock, healthy, "d2")
    other.step()
    assert healthy.take() == []  # the lease of the dead one holds
    clock.advance(seconds=61)
    other.step()
    (job,) = healthy.take()
    assert job.attempt == 2
    other.step([started(job), report(job)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED])


def test_what_the_executor_refused_is_started_again_by_the_same_dispatcher(
    clock, dispatcher, executor, call, status
):
    order_id = call(order()).order_id
    executor.is_broken = True
    with pytest.raises(RuntimeError):
        dispatcher.step()
    executor.is_broken = False
    for _ in range(3):
        clock.advance(seconds=25)
        dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job), report(job)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED])


def test_a_report_the_store_refuses_fails_its_item_alone(dispatcher, executor, call, status):
    order_id = two(call)
    dispatcher.step()
    first, second = executor.take()
    twice = DeliveredFile(name="half\udce9.tif", size=3, sha256="ab" * 32, media_type="image/tiff")
    unheard_of = replace(report(first), files=(twice,))
    dispatcher.step([started(first), started(second), unheard_of, report(second)])
    assert status(order_id) == (Status.COMPLETED, [Status.FAILED, Status.COMPLETED])
    assert dispatcher.in_flight == 0


def test_a_failure_may_quote_bytes_that_are_no_unicode(dispatcher, executor, call, status, store):
    order_id = call(order()).order_id
    dispatcher.step()
    (job,) = executor.take()
    noisy = replace(report(job, FailureClass.PERMANENT, "caf\udce9.tif\0" * 1000), log=("\udce9",))
    dispatcher.step([started(job), noisy])
    assert status(order_id) == (Status.FAILED, [Status.FAILED])
    with store.read() as snapshot:
        info = snapshot.items.get(order_id, 1).status.additional
    assert info.startswith("caf\\udce9.tif\\x00")
    assert len(info) <= 4000


def test_a_report_of_a_lost_lease_changes_nothing(store, clock, dispatcher, executor, call, status):
    order_id = call(order()).order_id
    dispatcher.step()
    (late,) = executor.take()
    clock.advance(seconds=61)
    healthy = Scripted()
    other = make(store, clock, healthy, "d2")
    other.step()
    (job,) = healthy.take()
    other.step([started(job), report(job)])
    dispatcher.step([started(late), report(late)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED])
    with store.read() as snapshot:
        assert {each.attempt for each in snapshot.results.of(order_id)} == {2}
        completed = [each for each in snapshot.events.of(order_id, 1) if each.status is Status.COMPLETED]
    assert len(completed) == 1
    assert dispatcher.in_flight == 0


def test_worker_dies_after_processing_before_report(clock, dispatcher, executor, call, status):
    order_id = call(order()).order_id
    dispatcher.step()
    (first,) = executor.take()
    dispatcher.step([started(first), report(first, FailureClass.TRANSIENT, "the worker died")])
    assert status(order_id) == (Status.IN_PRODUCTION, [Status.IN_PRODUCTION])
    dispatcher.step()
    assert executor.take() == []  # it waits
    clock.advance(seconds=11)
    dispatcher.step()
    (second,) = executor.take()
    assert (second.attempt, second.key) != (first.attempt, first.key)
    dispatcher.step([started(second), report(second)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED])


def test_a_transient_failure_is_given_up_in_the_end(clock, dispatcher, executor, call, status):
    order_id = call(order()).order_id
    for _ in range(3):
        dispatcher.step()
        (job,) = executor.take()
        dispatcher.step([started(job), report(job, FailureClass.TRANSIENT)])
        clock.advance(minutes=5)
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id) == (Status.FAILED, [Status.FAILED])


def test_an_outage_of_the_workers_costs_an_order_nothing_but_time(clock, dispatcher, executor, call, status):
    order_id = call(order()).order_id
    for _ in range(10):  # more than max_attempts
        dispatcher.step()
        (job,) = executor.take()
        lost = report(job, FailureClass.TRANSIENT, "no worker can be reached")
        dispatcher.step([replace(lost, failure=replace(lost.failure, counts=False))])
        clock.advance(seconds=61)
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job), report(job)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED])


def test_one_item_fails_alone(call, dispatcher, executor, status):
    order_id = two(call)
    dispatcher.step()
    first, second = executor.take()
    dispatcher.step([started(first), report(first, FailureClass.PERMANENT), started(second), report(second)])
    assert status(order_id) == (Status.COMPLETED, [Status.FAILED, Status.COMPLETED])
    found = call(GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0]
    assert found.status.additional == "items not delivered: 1 failed (a)"
    assert found.items[0].status.additional == "it rained"


def test_an_order_that_is_over_names_the_first_items_that_failed(call, dispatcher, executor, monkeypatch):
    monkeypatch.setitem(COLLECTIONS, "optical", replace(COLLECTIONS["optical"], max_items=23))
    names = [f"i{number}" for number in range(1, 24)]
    order_id = call(order(*(item(name) for name in names))).order_id
    dispatcher.step()
    while jobs := executor.take():
        assert "(" not in (call(GetStatus(order_id=order_id)).orders[0].status.additional or "")
        ends = [report(job, FailureClass.PERMANENT if job.number > 1 else None) for job in jobs]
        dispatcher.step([*(started(job) for job in jobs), *ends])
    found = call(GetStatus(order_id=order_id)).orders[0].status
    said = f"items not delivered: 22 failed ({', '.join(names[1:21])} and 2 more)"
    assert (found.status, found.additional) == (Status.COMPLETED, said)


def test_cancel_of_what_waits(dispatcher, executor, call, status):
    order_id = two(call)
    call(Cancel(order_id=order_id))
    dispatcher.step()
    assert executor.take() == []
    assert status(order_id) == (Status.CANCELLED, [Status.CANCELLED] * 2)


def test_a_long_order_is_cancelled_a_piece_at_a_time(store, dispatcher, call, status, monkeypatch):
    monkeypatch.setattr(dispatching, "PIECE", 2)
    order_id = call(order(*(item(f"i{number}") for number in range(5)))).order_id
    call(Cancel(order_id=order_id))
    writes, write = [], store.write
    monkeypatch.setattr(store, "write", lambda work: writes.append(work) or write(work))
    dispatcher.step()
    assert status(order_id) == (Status.CANCELLED, [Status.CANCELLED] * 5)
    assert len(writes) == 4  # two, two, one; and the claim that a wish may have made room for


def test_what_a_cancelled_order_has_in_work_does_not_hold_up_the_rest(
    store, clock, executor, call, status, monkeypatch
):
    monkeypatch.setattr(dispatching, "PIECE", 2)
    dispatcher = make(store, clock, executor, "d1", max_in_flight=2)
    order_id = call(order(*(item(f"i{number}") for number in range(5)))).order_id
    dispatcher.step()
    call(Cancel(order_id=order_id))
    dispatcher.step()
    assert status(order_id)[1] == [Status.ACCEPTED] * 2 + [Status.CANCELLED] * 3
    assert len(executor.stopped) == 2


def test_an_idle_dispatcher_writes_nothing(store, clock, dispatcher, executor, call, monkeypatch):
    two(call)
    dispatcher.step()
    dispatcher.step([report(job) for job in executor.take()])
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", lambda work: pytest.fail("an idle dispatcher held the writer"))
        for _ in range(3):
            clock.advance(seconds=2)
            dispatcher.step(look=False)
    two(call)
    clock.advance(seconds=2)
    dispatcher.step(look=False)  # another process submitted it: nobody woke this one
    assert len(executor.take()) == 2


def test_a_clock_that_is_put_back_stops_nobody(clock, dispatcher, executor, call):
    dispatcher.step()
    clock.advance(hours=-1)
    two(call)
    dispatcher.step(look=False)
    assert len(executor.take()) == 2


def test_cancel_arrives_while_delivering(store, clock, dispatcher, executor, call, status):
    """Too late to stop: what was delivered stays delivered, the rest is cancelled."""
    order_id = two(call)
    dispatcher.step()
    first, second = executor.take()
    dispatcher.step([started(first)])
    call(Cancel(order_id=order_id))
    dispatcher.step()
    assert sorted(executor.stopped) == sorted([first.key, second.key])
    with store.read() as snapshot:
        (part,) = snapshot.provider_orders.of(order_id)
    assert part.state is ProviderOrderState.CANCELLING
    dispatcher.step([report(first), report(second, FailureClass.CANCELLED)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED, Status.CANCELLED])


def test_cancel_of_an_item_that_waits_for_its_retry(clock, dispatcher, executor, call, status):
    order_id = call(order()).order_id
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job), report(job, FailureClass.TRANSIENT)])
    call(Cancel(order_id=order_id))
    dispatcher.step()
    assert status(order_id) == (Status.CANCELLED, [Status.CANCELLED])


def test_a_lease_is_renewed_while_the_worker_works(store, clock, dispatcher, executor, call):
    call(order())
    dispatcher.step()
    other = make(store, clock, Scripted(), "d2")
    for _ in range(6):
        clock.advance(seconds=25)
        dispatcher.step()
        other.step()
    assert other.in_flight == 0
    assert dispatcher.in_flight == 1


def test_a_job_that_starts_after_its_first_lease_is_over_is_not_made_twice(
    clock, dispatcher, executor, call, status
):
    """Where many wait for few workers, the word that one has begun comes minutes after its claim."""
    order_id = call(order()).order_id
    dispatcher.step()
    (job,) = executor.take()
    for _ in range(5):
        clock.advance(seconds=25)
        dispatcher.step()
    dispatcher.step([started(job)])
    dispatcher.step()
    assert executor.take() == []
    assert dispatcher.in_flight == 1
    dispatcher.step([report(job)])
    assert status(order_id) == (Status.COMPLETED, [Status.COMPLETED])


def test_no_more_is_held_than_allowed(store, clock, call):
    for _ in range(3):
        two(call)
    executor = Scripted()
    dispatcher = make(store, clock, executor, "d1", max_in_flight=4)
    dispatcher.step()
    jobs = executor.take()
    assert len(jobs) == 4
    dispatcher.step([started(jobs[0]), report(jobs[0])])
    assert len(executor.take()) == 1


def test_closing_gives_the_items_back(store, clock, dispatcher, executor, call):
    two(call)
    dispatcher.step()
    dispatcher.close()
    healthy = Scripted()
    make(store, clock, healthy, "d2").step()
    assert [job.attempt for job in healthy.take()] == [2, 2]


def test_a_package_of_the_whole_order_comes_last(store, clock, dispatcher, executor, call, monkeypatch):
    radar = COLLECTIONS["radar"]
    monkeypatch.setitem(COLLECTIONS, "radar", replace(radar, automatic=True))
    order_id = call(
        order(item("a", "S1_1", options=()), item("b", "S1_2", options=()), packaging=Packaging.ZIP)
    ).order_id
    dispatcher.step()
    first, second = executor.take()
    assert (first.packaging, first.number, second.number) == (None, 1, 2)
    dispatcher.step([started(first), report(first), started(second), report(second, FailureClass.PERMANENT)])
    (package,) = executor.take()
    assert package.is_order_package
    assert package.deliveries == ((1, 1),)
    assert call(GetStatus(order_id=order_id)).orders[0].status.status is Status.IN_PRODUCTION
    dispatcher.step([started(package), report(package)])
    done = call(GetStatus(order_id=order_id)).orders[0].status
    assert (done.status, done.additional) == (Status.COMPLETED, "items not delivered: 1 failed (b)")


@pytest.mark.parametrize(
    ("of_item", "of_package", "said"),
    [
        (FailureClass.PERMANENT, None, "items not delivered: 1 failed (a)"),
        (None, FailureClass.PERMANENT, "the package could not be made: it rained"),
    ],
    ids=["nothing to pack", "the package fails"],
)
def test_what_became_of_a_package_is_not_counted_as_an_item(
    dispatcher, executor, call, of_item, of_package, said, monkeypatch
):
    monkeypatch.setitem(COLLECTIONS, "radar", replace(COLLECTIONS["radar"], automatic=True))
    order_id = call(order(item("a", "S1_1", options=()), packaging=Packaging.ZIP)).order_id
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job), report(job, of_item)])
    for package in executor.take():
        dispatcher.step([started(package), report(package, of_package)])
    assert call(GetStatus(order_id=order_id)).orders[0].status.additional == said


def test_downloaded_when_all_files_were_served(dispatcher, executor, call, status):
    order_id = two(call)
    dispatcher.step()
    jobs = executor.take()
    dispatcher.step([each for job in jobs for each in (started(job), report(job))])
    dispatcher.downloaded(order_id, 1)
    assert status(order_id) == (Status.COMPLETED, [Status.DOWNLOADED, Status.COMPLETED])
    dispatcher.downloaded(order_id, 2)
    dispatcher.downloaded(order_id, 2)
    assert status(order_id) == (Status.DOWNLOADED, [Status.DOWNLOADED] * 2)


def test_an_expired_result_is_removed_and_said_to_be(store, clock, dispatcher, executor, call, tmp_path):
    order_id = call(order()).order_id
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job), report(job)])
    file = tmp_path / order_uuid(order_id) / "1" / "1" / "data.tif"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"abc")
    sweeper = Sweeper(store=store, results=tmp_path, scratch=tmp_path, now=clock)
    assert sweeper.expire() == 0
    clock.advance(days=11)
    assert sweeper.expire() == 1
    assert not file.exists()
    found = call(GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0].items[0]
    assert found.status.status is Status.COMPLETED
    assert "expired" in found.status.additional


def test_items_of_a_packed_order_are_told_when_their_package_goes(
    store, clock, dispatcher, executor, call, tmp_path, monkeypatch
):
    monkeypatch.setitem(COLLECTIONS, "radar", replace(COLLECTIONS["radar"], automatic=True))
    order_id = call(order(item("a", "S1_1", options=()), packaging=Packaging.ZIP)).order_id
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job), report(job)])
    clock.advance(days=5)
    (package,) = executor.take()
    dispatcher.step([started(package), report(package)])
    sweeper = Sweeper(store=store, results=tmp_path, scratch=tmp_path, now=clock)

    def said():
        return call(GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0].items[0].status

    clock.advance(days=6)
    assert sweeper.expire() == 1
    assert said().additional is None
    clock.advance(days=5)
    assert sweeper.expire() == 1
    assert "expired" in said().additional


def test_a_package_holds_what_has_not_expired_before_it(
    store, clock, dispatcher, executor, call, tmp_path, monkeypatch
):
    monkeypatch.setitem(COLLECTIONS, "radar", replace(COLLECTIONS["radar"], automatic=True))
    wanted = order(item("a", "S1_1", options=()), item("b", "S1_2", options=()), packaging=Packaging.ZIP)
    order_id = call(wanted).order_id
    dispatcher.step()
    early, late = executor.take()
    dispatcher.step([started(early), report(early), started(late)])
    clock.advance(days=11)
    Sweeper(store=store, results=tmp_path, scratch=tmp_path, now=clock).expire()
    dispatcher.step()
    dispatcher.step([report(late)])
    (package,) = executor.take()
    assert package.deliveries == ((2, 1),)
    first = call(GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0].items[0]
    assert "expired" in first.status.additional


def test_a_delivery_that_was_never_settled_is_swept(store, clock, dispatcher, executor, call, tmp_path):
    import os

    order_id = call(order()).order_id
    dispatcher.step()
    (job,) = executor.take()
    dispatcher.step([started(job), report(job)])
    for attempt in ("1", "2"):
        folder = tmp_path / order_uuid(order_id) / "1" / attempt
        folder.mkdir(parents=True)
        (folder / "data.tif").write_bytes(b"abc")
        os.utime(folder, (clock.time.timestamp(),) * 2)
    sweeper = Sweeper(store=store, results=tmp_path, scratch=tmp_path, now=clock)
    assert sweeper.remove_orphans() == 0  # young: it may be about to be settled
    clock.advance(hours=2)
    assert sweeper.remove_orphans() == 1
    assert (tmp_path / order_uuid(order_id) / "1" / "1" / "data.tif").exists()


def test_what_is_being_delivered_or_is_of_another_store_is_not_swept(
    store, clock, dispatcher, executor, call, tmp_path
):
    import os

    order_id = call(order()).order_id
    dispatcher.step()
    (job,) = executor.take()
    gathering = tmp_path / order_uuid(order_id) / "1" / ".1-abcdef"
    others = [tmp_path / order_uuid(new_order_id()) / "1" / "1", tmp_path / "notes" / "of" / "1"]
    for folder in (gathering, *others):
        folder.mkdir(parents=True)
        os.utime(folder, (clock.time.timestamp(),) * 2)
    sweeper = Sweeper(store=store, results=tmp_path, scratch=tmp_path, now=clock)
    clock.advance(hours=2)
    assert sweeper.remove_orphans() == 0
    dispatcher.step([started(job), report(job, FailureClass.PERMANENT)])
    assert sweeper.remove_orphans() == 1
    assert [each.exists() for each in (gathering, *others)] == [False, True, True]


def test_scratch_of_a_killed_worker_is_swept_and_that_of_a_living_one_is_not(
    store, clock, dispatcher, executor, call, tmp_path
):
    two(call)
    dispatcher.step()
    first, second = executor.take()
    for job in (first, second):
        (tmp_path / f"job-{job.key}").mkdir()
    dispatcher.step([started(first), report(first)])
    sweeper = Sweeper(store=store, results=tmp_path / "results", scratch=tmp_path, now=clock)
    assert sweeper.remove_scratch() == 1
    assert [each.name for each in tmp_path.glob("job-*")] == [f"job-{second.key}"]
