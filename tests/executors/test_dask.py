"""What only a cluster can do wrong: workers die, tasks do not listen, servers are killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from oseo_lab.executors.dask import DaskExecutor
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.job import FailureClass, ItemReport, Started


@pytest.fixture
def own_dask(plugins, tmp_path) -> Iterator[DaskExecutor]:
    """A cluster of one worker that a test may break, with a dashboard."""
    executor = DaskExecutor(workers=1, scratch=tmp_path, dashboard="127.0.0.1:0")
    assert executor.dashboard is None
    executor.warm(timeout=60)
    yield executor
    executor.close()


def test_worker_dies_while_processing(own_dask, listen, make_job, tmp_path):
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/status", own_dask.dashboard)
    listener = listen(own_dask)
    job, after = make_job(processor="deadly"), make_job(2)
    own_dask.start([job, after])
    reports = listener.until_reported(job.key, after.key)
    assert reports[0].failure.failure_class is FailureClass.TRANSIENT
    assert reports[0].failure.reason == "the worker died"
    listener.quiet()
    assert len((tmp_path / "runs" / job.key).read_text().split()) == 1
    again = make_job(2, attempt=2)
    own_dask.start([again])
    (report,) = listener.until_reported(again.key)
    assert report.failure is None


def test_worker_dies_after_processing_before_report(plugins, listen, make_job, tmp_path):
    executor = DaskExecutor(workers=1, scratch=tmp_path, run=plugins.dies_after_delivery)
    listener = listen(executor)
    job = make_job(product="deadly")
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    assert report.failure.reason == "the worker died"
    again = make_job(attempt=2)
    executor.start([again])
    (report,) = listener.until_reported(again.key)
    assert report.failure is None
    assert len((tmp_path / "runs" / job.key).read_text().split()) == 1
    ends = [event.key for event in listener.events if isinstance(event, ItemReport)]
    assert ends == [job.key, again.key]
    executor.close()


def test_jobs_that_travel_with_a_deadly_one_are_not_lost(own_dask, listen, make_job, tmp_path):
    listener = listen(own_dask)
    warmed = [make_job(number) for number in range(1, 41)]
    own_dask.start(warmed)
    listener.until_reported(*(job.key for job in warmed))
    others = [make_job(number) for number in range(41, 121)]
    deadly = make_job(200, processor="deadly")
    own_dask.start([*others[:40], deadly, *others[40:]])
    reports = listener.until_reported(deadly.key, *(job.key for job in others))
    assert reports[0].failure.reason == "the worker died"
    lost = [report for report in reports[1:] if report.failure is not None]
    assert {report.failure.reason for report in lost} <= {"the worker died"}
    assert len(lost) <= 4, "a death takes along at most what may have begun"
    listener.quiet()
    ends = [event.key for event in listener.events if isinstance(event, ItemReport)]
    assert len(ends) == len(set(ends))


def test_queued_jobs_are_cancelled_at_once(own_dask, listen, make_job, tmp_path):
    listener = listen(own_dask)
    (gate := tmp_path / "gate").touch()
    running = make_job(product=str(gate), processor="deaf")
    own_dask.start([running])
    listener.until_started(running.key)
    queued = [make_job(number) for number in range(2, 50)]
    own_dask.start(queued)
    own_dask.stop([job.key for job in queued])
    reports = listener.until_reported(*(job.key for job in queued))
    assert {report.failure.failure_class for report in reports} == {FailureClass.CANCELLED}
    gate.unlink()
    (report,) = listener.until_reported(running.key)
    assert report.failure is None
    listener.quiet()
    assert [event.key for event in listener.events if isinstance(event, Started)] == [running.key]


def test_a_job_that_does_not_listen_is_reported_and_delivers_nothing(own_dask, listen, make_job, tmp_path):
    listener = listen(own_dask)
    (gate := tmp_path / "gate").touch()
    job = make_job(product=str(gate), processor="deaf")
    own_dask.start([job])
    listener.until_started(job.key)
    own_dask.stop([job.key])
    (report,) = listener.until_reported(job.key)
    assert report.failure.failure_class is FailureClass.CANCELLED
    gate.unlink()
    after = make_job(2)
    own_dask.start([after])
    listener.until_reported(after.key)
    assert [path.parents[1].name for path in (tmp_path / "results").rglob("manifest.json")] == ["2"]
    assert [event.key for event in listener.events if isinstance(event, ItemReport)] == [job.key, after.key]


def test_small_jobs_are_packed_once_their_cost_is_known(plugins, listen, make_job, tmp_path, monkeypatch):
    executor = DaskExecutor(workers=1, scratch=tmp_path, run=plugins.empty)
    sent: list[int] = []
    pack = executor._pack
    monkeypatch.setattr(executor, "_pack", lambda jobs: sent.append(len(jobs)) or pack(jobs))
    listener = listen(executor)
    jobs = [make_job(number) for number in range(1, 401)]
    executor.start(jobs)
    listener.until_reported(*(job.key for job in jobs))
    executor.close()
    assert sent[0] == 1, "a job of unknown cost travels alone"
    assert max(sent) > 10
    assert sum(sent) == 400


SERVER = """
import os
import sys
import time
from oseo_lab.executors.dask import DaskExecutor

if __name__ == "__main__":
    executor = DaskExecutor(workers=2, scratch=sys.argv[1])
    executor.warm(timeout=60)
    print(*executor.client.run(os.getpid).values(), flush=True)
    time.sleep(600)
"""


def test_workers_end_when_the_server_is_killed(tmp_path):
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    with subprocess.Popen([sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True) as server:
        pids = [int(pid) for pid in server.stdout.readline().split()]
        children = psutil.Process(server.pid).children(recursive=True)
        os.kill(server.pid, signal.SIGKILL)
    assert len(pids) == 2
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_the_scheduler_dies_and_the_next_job_gets_a_new_one(own_dask, listen, make_job):
    listener = listen(own_dask)
    job = make_job(processor="patient")
    own_dask.start([job])
    listener.until_started(job.key)
    own_dask._connection.cluster._process.kill()
    (report,) = listener.until_reported(job.key)
    assert report.failure.failure_class is FailureClass.TRANSIENT
    again = make_job(attempt=2)
    own_dask.start([again])
    (report,) = listener.until_reported(again.key)
    assert report.failure is None


def test_an_existing_scheduler_is_used_and_left_alone(plugins, listen, make_job, tmp_path):
    from distributed import Client, LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", processes=True
    ) as cluster:
        path = tmp_path / "scheduler.json"
        path.write_text(json.dumps({"address": cluster.scheduler_address}))
        for scheduler in (cluster.scheduler_address, f"file:{path}"):
            executor = DaskExecutor(scheduler=scheduler)
            listener = listen(executor)
            job = make_job(1 if scheduler.startswith("tcp") else 2)
            executor.start([job])
            (report,) = listener.until_reported(job.key)
            assert report.failure is None
            executor.close()
        with Client(cluster, set_as_default=False) as client:
            assert len(client.nthreads()) == 1


def test_a_foreign_scheduler_that_repeats_a_dead_workers_job_is_overruled(
    plugins, listen, make_job, tmp_path
):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", processes=True, silence_logs=50
    ) as cluster:
        executor = DaskExecutor(scheduler=cluster.scheduler_address)
        listener = listen(executor)
        job = make_job(processor="deadly")
        executor.start([job])
        (report,) = listener.until_reported(job.key)
        assert report.failure.reason == "the worker died"
        executor.close()


def test_a_cluster_may_come_from_a_factory(plugins, listen, make_job):
    executor = DaskExecutor(
        factory={
            "module": "distributed",
            "class": "LocalCluster",
            "kwargs": {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"},
        }
    )
    listener = listen(executor)
    job = make_job()
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    assert report.failure is None
    executor.close()


@pytest.mark.parametrize(
    ("address", "is_refused"),
    [
        ("tcp://127.0.0.1:8786", False),
        ("127.0.0.1:8786", False),
        ("tcp://localhost:8786", False),
        ("tcp://[::1]:8786", False),
        ("tls://scheduler.example:8786", False),
        ("tcp://scheduler.example:8786", True),
        ("scheduler.example:8786", True),
        ("tcp://10.0.0.7:8786", True),
        ("tcp://127.0.0.1.example:8786", True),
    ],
)
def test_a_scheduler_elsewhere_needs_tls(address, is_refused):
    if is_refused:
        with pytest.raises(ConfigurationError, match="trust_network"):
            DaskExecutor(scheduler=address)
        DaskExecutor(scheduler=address, trust_network=True)
    else:
        DaskExecutor(scheduler=address)


def test_jobs_are_given_back_when_no_scheduler_answers(listen, make_job, monkeypatch):
    monkeypatch.setattr("oseo_lab.executors.cluster.PATIENCE", 0.2)
    executor = DaskExecutor(scheduler="tcp://127.0.0.1:9")
    listener = listen(executor)
    job = make_job()
    executor.start([job])
    (report,) = listener.until_reported(job.key)
    assert report.failure.failure_class is FailureClass.TRANSIENT
    assert report.failure.reason == "no worker can be reached"
    assert not report.failure.counts
    executor.close()


def test_workers_with_other_versions_are_named(monkeypatch):
    from oseo_lab.executors import cluster

    def node(**versions: str) -> dict[str, object]:
        same = dict.fromkeys(cluster.SAME, "1.0")
        return {"packages": {**same, "python": "3.11.7.final.0", **versions}}

    class Client:
        def get_versions(self, packages):
            workers = {"tcp://a": node(distributed="0.9"), "tcp://b": node()}
            return {"client": node(python="3.11.2.final.0"), "scheduler": node(), "workers": workers}

    with pytest.raises(ConfigurationError, match=r"distributed is 1\.0 here and 0\.9 on tcp://a$"):
        cluster.check_versions(Client())


def test_two_executors_on_one_scheduler_hear_of_their_own_jobs_only(plugins, listen, make_job):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", processes=True
    ) as cluster:
        executors = [DaskExecutor(scheduler=cluster.scheduler_address) for _ in range(2)]
        listeners = [listen(executor) for executor in executors]
        jobs = [make_job(1), make_job(2)]
        for executor, job in zip(executors, jobs, strict=True):
            executor.start([job])
        for listener, job in zip(listeners, jobs, strict=True):
            listener.until_reported(job.key)
            listener.quiet()
            assert {event.key for event in listener.events} == {job.key}
        for executor in executors:
            executor.close()


def test_closing_ends_the_workers_and_may_be_repeated(plugins, tmp_path):
    before = set(psutil.Process().children(recursive=True))
    executor = DaskExecutor(workers=1, scratch=tmp_path)
    executor.warm(timeout=60)
    started = set(executor.client.run(os.getpid).values())
    executor.close()
    executor.close()
    assert not started & {child.pid for child in psutil.Process().children(recursive=True)}
    assert all(child.is_running() for child in before)


def test_dask_is_not_imported_before_the_first_job(tmp_path):
    code = (
        "import sys; from oseo_lab.executors.dask import DaskExecutor; DaskExecutor();"
        "print(sorted({'dask', 'distributed', 'numpy', 'fsspec', 'queue'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "['queue']\n"


def test_workers_use_one_thread_and_a_bounded_gdal_cache_each(shared_dask):
    names = ("GDAL_CACHEMAX", "OMP_NUM_THREADS")
    found = shared_dask.client.run(lambda: [os.environ.get(name) for name in names])
    assert list(found.values()) == [["64", "1"]] * 2


def test_workers_and_scheduler_speak_tls_even_on_this_machine(shared_dask):
    assert shared_dask.client.scheduler.address.startswith("tls://127.0.0.1:")
    assert all(address.startswith("tls://127.0.0.1:") for address in shared_dask.client.nthreads())
