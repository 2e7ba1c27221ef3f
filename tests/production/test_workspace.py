from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.job import FailureClass, Progress
from oseo_lab.ports import ProcessingFailed
from oseo_lab.production import workspace as module
from oseo_lab.production.workspace import JobWorkspace, folder_name, local_path


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden", "a\\b", "a b", "ä", "x\n", "a" * 201, "nul\0"],
)
def test_names_that_could_lead_elsewhere_are_refused(workspace, name):
    with pytest.raises(ValueError, match="cannot name a file"):
        workspace.path(name)


def test_ordinary_names_lie_in_the_folder(workspace):
    assert workspace.path("B04_10m.tif") == workspace.root / "B04_10m.tif"


@given(key=st.text())
def test_whatever_a_key_is_its_folder_has_a_plain_name(key):
    assert re.fullmatch(r"job-[a-z0-9-]{1,100}", folder_name(key))


def test_an_operator_can_tell_whose_folder_it_is():
    assert folder_name("oseo-3f1c-7-1") == "job-oseo-3f1c-7-1"


def test_progress_is_thinned_to_two_a_second(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    heard: list[Progress] = []
    made = JobWorkspace(str(tmp_path), "k", progress=heard.append, cancelled=lambda: False)
    for step in range(1000):
        clock[0] = step / 100
        made.progress(step / 1000)
    assert 18 <= len(heard) <= 22
    assert heard[0].fraction == 0.0


def test_progress_is_bounded_and_says_the_stage(tmp_path):
    heard: list[Progress] = []
    made = JobWorkspace(str(tmp_path), "k", progress=heard.append, cancelled=lambda: False)
    made.stage("packing")
    made.progress(7.0)
    assert heard == [Progress(key="k", fraction=1.0, stage="packing")]


def test_stages_that_are_over_travel_with_whatever_is_told(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    heard: list[Progress] = []
    made = JobWorkspace(str(tmp_path), "k", progress=heard.append, cancelled=lambda: False)
    made.stage("staging", "processing", "delivering")
    made.stage("processing", "delivering")
    made.progress(0.0, "opening")  # a processor's own stages take the place of the one around them
    clock[0] = 0.1
    made.progress(0.2, "clip")  # dropped, as they come too close
    clock[0] = 2.0
    made.progress(0.6, "reproject")
    made.stage("delivering")  # after a second each stage is told of by itself
    said = [(each.stage, each.passed, each.ahead) for each in heard]
    assert said == [
        ("opening", ("staging",), ("delivering",)),
        ("reproject", ("staging", "opening", "clip"), ("delivering",)),
        ("delivering", ("staging", "opening", "clip", "reproject"), ()),
    ]
    assert heard[-1].fraction == 0.6


def test_a_stage_that_comes_again_is_not_over(tmp_path):
    heard: list[Progress] = []
    made = JobWorkspace(str(tmp_path), "k", progress=heard.append, cancelled=lambda: False)
    made.stage("processing")
    for stage in ("read", "write", "read"):
        made._allowance = 1.0
        made.progress(0.5, stage)
    assert (heard[-1].stage, heard[-1].passed) == ("read", ())


def test_a_cancelled_job_hears_it_as_a_failure(tmp_path):
    made = JobWorkspace(str(tmp_path), "k", progress=lambda _: None, cancelled=lambda: True)
    with pytest.raises(ProcessingFailed) as caught:
        made.cancelled()
    assert caught.value.failure_class is FailureClass.CANCELLED


def test_the_log_is_bounded(workspace):
    for _ in range(10_000):
        workspace.log("x" * 5000)
    assert len(workspace.lines) == module.LOG_LINES + 1
    assert max(map(len, workspace.lines)) == module.LOG_WIDTH


def test_what_a_killed_worker_left_is_gone_when_the_same_job_runs_again(tmp_path):
    left = tmp_path / folder_name("k")
    left.mkdir()
    (left / "half.tif").touch()
    with JobWorkspace(str(tmp_path), "k", progress=lambda _: None, cancelled=lambda: False) as made:
        assert list(made.root.iterdir()) == []
    assert not left.exists()


def test_local_urls_are_paths():
    assert str(local_path("file:///a%20b/c")) == "/a b/c"
    assert str(local_path("/a/b")) == "/a/b"
    assert local_path("memory://a") is None
