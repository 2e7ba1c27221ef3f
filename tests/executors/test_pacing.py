from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.executors.pacing import MOST, TASK_SECONDS, Backlog, Pace
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import ItemJob


def job(number: int, **more) -> ItemJob:
    return ItemJob(
        **{
            "key": f"{number}",
            "order_id": "o",
            "number": number,
            "attempt": 1,
            "item_id": str(number),
            "product": ProductId(identifier="p"),
            "collection_id": "c",
            **more,
        }
    )


def take_all(backlog: Backlog, pace: Pace, threads: int) -> list[list[str]]:
    """Take tasks until there is no room."""
    tasks: list[list[str]] = []
    while jobs := backlog.take(pace, len(tasks), threads, lambda key: True):
        tasks.append([each.key for each in jobs])
    return tasks


def filled(*jobs: ItemJob) -> Backlog:
    backlog = Backlog()
    for each in jobs:
        backlog.add(each)
    return backlog


def paced(seconds: float, ahead: int = 1) -> Pace:
    pace = Pace(ahead)
    pace.note(job(0), seconds)
    return pace


def test_jobs_of_unknown_cost_go_alone_one_per_thread():
    assert take_all(filled(*map(job, range(50))), Pace(), threads=2) == [["0"], ["1"]]


def test_long_jobs_go_alone_and_none_waits_behind_another():
    assert take_all(filled(*map(job, range(50))), paced(60), threads=2) == [["0"], ["1"]]


def test_a_cluster_that_grows_sees_that_more_is_waiting():
    assert len(take_all(filled(*map(job, range(50))), paced(60, ahead=2), threads=2)) == 4


def test_many_short_jobs_share_few_tasks():
    tasks = take_all(filled(*map(job, range(120))), paced(0.0001), threads=2)
    assert [len(task) for task in tasks] == [20] * 6


def test_few_short_jobs_have_a_task_each():
    assert [len(task) for task in take_all(filled(*map(job, range(4))), paced(0.0001), threads=2)] == [1] * 4


def test_what_is_tried_again_travels_alone():
    backlog = filled(job(1), job(2, attempt=2), job(3), job(4, attempt=3))
    tasks = take_all(backlog, paced(0.0001), threads=8)
    assert ["2"] in tasks
    assert ["4"] in tasks


def test_the_highest_priority_goes_first_then_the_oldest():
    backlog = filled(job(1), job(2, packaging=Packaging.ZIP), job(3, priority=10), job(4))
    order = [task[0] for task in take_all(backlog, Pace(), threads=4)]
    assert order == ["3", "1", "2", "4"]


def test_what_is_not_wanted_is_dropped():
    backlog = filled(*map(job, range(10)))
    assert backlog.take(Pace(), 0, 1, lambda key: key == "7")[0].key == "7"


def test_durations_are_learnt_and_forgotten():
    pace = paced(0.0001)
    for _ in range(20):
        pace.note(job(1), 10.0)
    assert pace.chunk(job(1), waiting=100, room=1) == 1


@given(
    seconds=st.floats(0, 1000),
    waiting=st.integers(1, 10_000),
    room=st.integers(1, 100),
)
def test_a_task_is_never_empty_nor_too_long(seconds, waiting, room):
    size = paced(seconds).chunk(job(1), waiting, room)
    assert 1 <= size <= min(MOST, waiting)
    assert size == 1 or size * seconds <= TASK_SECONDS * 1.0001


@pytest.mark.parametrize("tasks", [2, 3, 100])
def test_there_is_no_room_when_workers_are_busy_with_long_jobs(tasks):
    assert filled(job(1)).take(paced(60), tasks, 2, lambda key: True) == []
