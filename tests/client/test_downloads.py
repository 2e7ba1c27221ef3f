"""After any sequence of faults the final name holds the right bytes, or does not exist."""

from __future__ import annotations

import hashlib
import re
import threading
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oseo_lab.client import downloads
from oseo_lab.client.downloads import fetch_all, fetch_file, fetch_small
from oseo_lab.client.part import FileTask, is_whole
from oseo_lab.client.tally import Tally
from oseo_lab.client.transport import HttpTransport
from oseo_lab.model.errors import DeliveryError, IntegrityError, ResultExpired
from tests.client.faults import faulty

BODY = bytes(range(256)) * 800
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(downloads, "_pause", lambda attempt: None)


def task_of(server, tmp_path, **facts) -> FileTask:
    known = {"size": len(BODY), "sha256": SHA256, "media_type": "image/tiff"} | facts
    return FileTask(url=f"{server.url}data.tif", path=tmp_path / "item" / "data.tif", **known)


def left(task: FileTask) -> list[str]:
    return sorted(path.name for path in task.path.parent.iterdir())


@pytest.mark.parametrize(
    "faults",
    [
        [],
        ["cut"],
        ["cut", "cut", "hangup", "cut"],
        ["500", "503", "hangup"],
        ["cut", "500", "other_start"],
        ["flipped"],
        ["cut", "flipped", "cut"],
    ],
    ids="-".join,
)
def test_file_arrives_whole_after(faults, tmp_path):
    with faulty(BODY, *faults) as server:
        task = task_of(server, tmp_path)
        assert fetch_file(HttpTransport(server.url), task)
    assert task.path.read_bytes() == BODY
    assert left(task) == ["data.tif"]


def test_a_cut_download_goes_on_where_it_stopped(tmp_path):
    with faulty(BODY, "cut") as server:
        task = task_of(server, tmp_path)
        fetch_file(HttpTransport(server.url), task)
        first, second = server.requests
    assert "range" not in first
    assert second["range"].startswith("bytes=") and int(second["range"][6:-1]) > 0
    assert second["if-range"] == '"one"'


def test_another_run_goes_on_where_the_first_was_given_up(tmp_path):
    with faulty(BODY, "cut", *["hangup"] * downloads.TRIES) as server:
        task = task_of(server, tmp_path)
        with pytest.raises(DeliveryError, match="run it again"):
            fetch_file(HttpTransport(server.url), task)
        assert not task.path.exists()
        assert fetch_file(HttpTransport(server.url), task)
        assert int(server.requests[-1]["range"][6:-1]) > 0
    assert task.path.read_bytes() == BODY


def test_a_file_that_changes_in_mid_download_is_begun_anew(tmp_path):
    other = bytes(reversed(BODY))
    with faulty(BODY, "changed") as server:
        task = task_of(server, tmp_path, sha256=hashlib.sha256(other).hexdigest())
        fetch_file(HttpTransport(server.url), task)
    assert task.path.read_bytes() == other


def test_a_file_that_changes_and_is_not_the_promised_one_is_not_kept(tmp_path):
    with faulty(BODY, "changed") as server:
        task = task_of(server, tmp_path)
        with pytest.raises(IntegrityError, match="SHA-256"):
            fetch_file(HttpTransport(server.url), task)
    assert left(task) == []


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("page", DeliveryError, "web page"),
        ("disguised_page", DeliveryError, "web page"),
        ("404", DeliveryError, "404"),
        ("410", ResultExpired, "not kept any more"),
        ("longer", IntegrityError, "longer"),
    ],
)
def test_what_is_not_the_file_is_refused_and_not_kept(fault, error, says, tmp_path):
    with faulty(BODY, fault) as server:
        task = task_of(server, tmp_path)
        with pytest.raises(error, match=says):
            fetch_file(HttpTransport(server.url), task)
    assert not task.path.exists()
    assert [name for name in left(task) if not name.startswith(".")] == []


def test_without_a_manifest_the_servers_own_digest_is_compared(tmp_path):
    with faulty(BODY) as server:
        task = task_of(server, tmp_path, size=None, sha256=None)
        assert fetch_file(HttpTransport(server.url), task)
        assert task.path.read_bytes() == BODY
    with faulty(BODY, "longer", "longer") as server:
        task = task_of(server, tmp_path / "more", size=None, sha256=None)
        with pytest.raises(IntegrityError):
            fetch_file(HttpTransport(server.url), task)
        assert not task.path.exists()


def test_a_file_that_is_there_and_right_is_not_fetched_again(tmp_path):
    with faulty(BODY) as server:
        task = task_of(server, tmp_path)
        task.path.parent.mkdir()
        task.path.write_bytes(BODY)
        assert not fetch_file(HttpTransport(server.url), task)
        assert server.requests == []


def test_a_file_that_is_there_and_wrong_is_replaced(tmp_path):
    with faulty(BODY) as server:
        task = task_of(server, tmp_path)
        task.path.parent.mkdir()
        task.path.write_bytes(b"half a file")
        assert fetch_file(HttpTransport(server.url), task)
    assert is_whole(task.path, len(BODY), SHA256)


def test_two_downloads_of_one_file_do_not_disturb_each_other(tmp_path):
    with faulty(BODY, "cut", "cut") as server:
        task = task_of(server, tmp_path)
        threads = [
            threading.Thread(target=fetch_file, args=(HttpTransport(server.url), task)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert task.path.read_bytes() == BODY
    assert left(task) == ["data.tif"]


FAULTS = ["cut", "hangup", "500", "503", "page", "404", "410", "flipped", "longer", "other_start"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(FAULTS), max_size=6))
def test_final_name_holds_the_right_bytes_or_nothing(tmp_path_factory, faults):
    folder = tmp_path_factory.mktemp("any")
    with faulty(BODY, *faults) as server:
        task = task_of(server, folder)
        for _ in range(len(faults) + 1):
            try:
                fetch_file(HttpTransport(server.url), task)
                break
            except DeliveryError:
                assert not task.path.exists()
    assert task.path.read_bytes() == BODY


def test_all_others_arrive_before_a_failure_is_said(tmp_path):
    with faulty(BODY) as good, faulty(BODY, "404") as bad:
        tasks = [task_of(good, tmp_path / str(number)) for number in range(3)]
        tasks.insert(0, task_of(bad, tmp_path / "bad"))
        events = []
        with pytest.raises(DeliveryError, match="1 of 4 files") as caught:
            fetch_all(HttpTransport(good.url), tasks, "order", workers=2, progress=events.append)
    assert [task.path.exists() for task in tasks] == [False, True, True, True]
    assert len(caught.value.problems) == 1
    assert events[-1].failed == 1
    assert all(one.done <= other.done for one, other in pairwise(events) if not other.failed)


def test_a_download_run_again_tells_what_was_here_what_was_resumed_and_that_all_is_right(tmp_path):
    with faulty(BODY) as good, faulty(BODY, "cut", *["hangup"] * downloads.TRIES) as cut:
        tasks = [task_of(good, tmp_path / "good"), task_of(cut, tmp_path / "cut")]
        with pytest.raises(DeliveryError, match="run it again"):
            fetch_all(HttpTransport(good.url), tasks, "order", progress=False)
        events = []
        fetch_all(HttpTransport(good.url), tasks, "order", progress=events.append)
    told = events[-1].text
    assert re.fullmatch(
        r"2 of 2 files · .* · 1 here already · 1 resumed at \d+ % · all verified \(SHA-256\)", told
    )
    assert events[-1].done == events[-1].total == 2 * len(BODY)


def test_a_download_tells_how_fast_it_is_while_it_runs(tmp_path):
    tally = Tally([FileTask(url="u", path=tmp_path / "a", size=4_000_000)])
    tally.came(1_000_000)
    assert tally.story(0, 0, 0.5) == "0 of 1 files · 1.0 MB of 4.0 MB · 2.0 MB/s"
    assert tally.story(0, 1, None) == "0 of 1 files · 1.0 MB of 4.0 MB · 1 failed"


def test_a_small_file_is_asked_for_again_while_the_server_is_busy():
    with faulty(b"{}", "503", "hangup") as server:
        assert fetch_small(HttpTransport(server.url), server.url) == b"{}"
        assert len(server.requests) == 3


def test_token_goes_to_its_own_server_only(tmp_path):
    with faulty(BODY) as own, faulty(BODY) as other:
        transport = HttpTransport(own.url, "secret")
        fetch_file(transport, task_of(own, tmp_path / "own"))
        fetch_file(transport, task_of(other, tmp_path / "other"))
        assert own.requests[0]["authorization"] == "token secret"
        assert "authorization" not in other.requests[0]
