"""What every executor promises, asked of each."""

from __future__ import annotations

import json
import time
from pathlib import Path

from oseo_lab.model.job import FailureClass, ItemReport, Progress, Started
from oseo_lab.model.order import order_uuid


def test_a_job_starts_goes_on_and_ends_with_one_report(executor, listener, make_job, tmp_path):
    job = make_job()
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    listener.quiet()
    kinds = [type(event) for event in listener.events]
    assert kinds == [Started, Progress, ItemReport]
    assert (listener.events[1].fraction, listener.events[1].stage) == (0.5, "halfway")
    assert report.failure is None
    assert [each.name for each in report.files] == ["hello.txt", "item.json", "manifest.json"]
    folder = tmp_path / "results" / order_uuid(job.order_id) / "1" / "1"
    assert (folder / "hello.txt").read_text() == "hello item 1"
    assert json.loads((folder / "manifest.json").read_text())["attempt"] == 1
    assert list((tmp_path / "scratch").iterdir()) == []


def test_many_small_jobs_all_report_once(executor, listener, make_job):
    jobs = [make_job(number) for number in range(1, 121)]
    executor.start(jobs[:60])
    executor.start(jobs[60:])
    reports = listener.until_reported(*(job.key for job in jobs))
    listener.quiet()
    assert [report.failure for report in reports] == [None] * 120
    for kind in (Started, ItemReport):
        keys = [event.key for event in listener.events if isinstance(event, kind)]
        assert sorted(keys) == sorted(job.key for job in jobs)
    for job in jobs:
        mine = [type(event) for event in listener.events if event.key == job.key]
        assert mine[0] is Started
        assert mine[-1] is ItemReport


def test_a_job_handed_over_twice_runs_once(executor, listener, make_job, tmp_path):
    (gate := tmp_path / "gate").touch()
    job = make_job(product=str(gate), processor="deaf")
    executor.start([job])
    executor.start([job])
    listener.until_started(job.key)
    gate.unlink()
    listener.until_reported(job.key)
    listener.quiet()
    assert [type(event) for event in listener.events if not isinstance(event, Progress)] == [
        Started,
        ItemReport,
    ]


def test_a_second_attempt_lies_beside_the_first(executor, listener, make_job, tmp_path):
    first, second = make_job(), make_job(attempt=2)
    executor.start([first, second])
    reports = listener.until_reported(first.key, second.key)
    assert [report.failure for report in reports] == [None, None]
    folder = tmp_path / "results" / order_uuid(first.order_id) / "1"
    assert sorted(each.name for each in folder.iterdir()) == ["1", "2"]


def test_a_finished_attempt_is_never_overwritten(executor, listener, make_job, tmp_path):
    job = make_job()
    executor.start([job])
    listener.until_reported(job.key)
    (manifest,) = (tmp_path / "results").rglob("manifest.json")
    before = manifest.read_bytes()
    listener.events.clear()
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    assert report.failure.reason == "already delivered"
    assert manifest.read_bytes() == before
    assert [each.name for each in manifest.parents[1].iterdir()] == ["1"]


def test_what_a_processor_refuses_is_said_in_its_words(executor, listener, make_job):
    job = make_job(processor="refuses")
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    assert report.failure.failure_class is FailureClass.PERMANENT
    assert (report.failure.reason, report.failure.detail) == ("there are clouds on it", "98 %")


def test_a_bug_in_a_processor_shows_only_to_the_operator(executor, listener, make_job):
    job = make_job(processor="has_a_bug")
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    assert report.failure.failure_class is FailureClass.INTERNAL
    assert "secret_table" not in report.failure.reason
    assert "secret_table" in report.failure.detail


def test_a_missing_plugin_is_a_report(executor, listener, make_job):
    job = make_job(processor="no_such_processor")
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    assert report.failure.failure_class is FailureClass.INTERNAL
    assert "no_such_processor" in report.failure.detail


def test_an_unknown_product_is_a_permanent_failure(executor, listener, make_job):
    job = make_job(product="unknown")
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    assert report.failure.failure_class is FailureClass.PERMANENT
    assert report.failure.reason.startswith("there is no product 'unknown'")


def test_cancelling_reaches_running_and_queued_jobs(executor, listener, make_job, tmp_path):
    running = [make_job(number, processor="patient") for number in (1, 2)]
    executor.start(running)
    listener.until_started(running[0].key)
    queued = [make_job(number) for number in range(3, 9)]
    executor.start(queued)
    keys = [job.key for job in [*running, *queued]]
    executor.stop(keys)
    before = time.monotonic()
    reports = listener.until_reported(*keys)
    assert time.monotonic() - before < 30
    listener.quiet()
    assert {report.failure.failure_class for report in reports[:2]} == {FailureClass.CANCELLED}
    ended = [event.key for event in listener.events if isinstance(event, ItemReport)]
    assert sorted(ended) == sorted(keys)
    delivered = {path.parents[1].name for path in (tmp_path / "results").rglob("manifest.json")}
    assert delivered == {str(each.number) for each in reports if each.failure is None}


def test_stopping_what_is_not_held_is_no_error(executor, listener, make_job):
    executor.stop(["oseo-nobody-1-1"])
    job = make_job()
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    assert report.failure is None


def test_no_file_of_a_failed_job_stays(executor, listener, make_job, tmp_path):
    job = make_job(processor="refuses")
    executor.start([job])
    listener.until_reported(job.key)
    left = [path for path in Path(tmp_path).rglob("*") if path.is_file()]
    assert left == []
