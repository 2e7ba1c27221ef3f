"""Delivering an item from a kept result, on the worker: checked, linked, told, refused when it is wrong."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pystac
import pytest

from oseo_lab.model.archive import Offline
from oseo_lab.model.job import FailureClass
from oseo_lab.model.order import new_order_id, order_uuid
from oseo_lab.model.reuse import Earlier
from oseo_lab.production.run_item import run_item

DELIVERED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run(job, **more):
    return run_item(job, **{"progress": lambda _: None, "cancelled": lambda: False, "worker": "here", **more})


def place(tmp_path, job):
    return tmp_path / "results" / order_uuid(job.order_id) / str(job.number) / str(job.attempt)


def earlier_of(job, report) -> Earlier:
    return Earlier(
        order_id=job.order_id,
        number=job.number,
        attempt=job.attempt,
        name="lake",
        delivered=DELIVERED,
        files=report.files,
    )


@pytest.fixture
def first(make_job):
    """A job that was delivered, and what an order of the same is made from."""
    job = make_job(recipe="ab" * 16, options={"format": "as it is"})
    report = run(job)
    assert report.failure is None and report.recipe == "ab" * 16
    return job, earlier_of(job, report)


@pytest.fixture
def again(make_job, first):
    """The job of the same item in another order."""
    return make_job(
        key="oseo-2-1", order_id=new_order_id(), item_id="mine", recipe="ab" * 16, earlier=first[1]
    )


def test_files_are_given_a_second_name_that_stays_when_the_first_goes(first, again, tmp_path):
    report = run(again)
    assert report.failure is None and report.earlier is first[1] and not report.is_unusable
    old, new = place(tmp_path, first[0]), place(tmp_path, again)
    kept = {each.name: each for each in first[1].files}
    for each in report.files:
        if each.is_data:
            assert (each.sha256, each.size) == (kept[each.name].sha256, kept[each.name].size)
            assert (new / each.name).stat().st_ino == (old / each.name).stat().st_ino
    before = (old / "item.json").read_bytes()
    for path in old.iterdir():
        path.unlink()
    assert (new / "red.tif").read_bytes().startswith(b"red")
    assert b"reused_from" not in before


def test_what_lies_beside_says_whose_it_is_now_and_where_it_is_from(first, again, tmp_path):
    run(again)
    text = (place(tmp_path, again) / "item.json").read_text()
    item = pystac.Item.from_dict(json.loads(text), preserve_dict=True)
    assert item.properties["oseo:order"] == again.order_id and item.properties["oseo:item"] == "mine"
    origin = {"order": first[0].order_id, "name": "lake", "number": 1, "delivered": "2026-03-01T12:00:00Z"}
    assert item.properties["oseo:reused_from"] == origin
    assert set(item.assets) == {"red.tif", "blue.tif", "empty.txt"}
    manifest = json.loads((place(tmp_path, again) / "manifest.json").read_text())
    assert (manifest["order"], manifest["reused_from"]) == (again.order_id, origin)
    old = json.loads((place(tmp_path, first[0]) / "manifest.json").read_text())
    assert manifest["source"] == old["source"] and "reused_from" not in old


def test_a_reused_result_can_be_reused(first, again, make_job):
    report = run(again)
    third = make_job(order_id=new_order_id(), recipe="ab" * 16, earlier=earlier_of(again, report))
    assert run(third).failure is None


def spoil_data(folder):
    (folder / "red.tif").write_bytes(b"rad" * 50_000)


def spoil_manifest(folder):
    (folder / "manifest.json").write_text("{}")


def lose_data(folder):
    (folder / "blue.tif").unlink()


def lose_all(folder):
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def be_a_folder(folder):
    (folder / "red.tif").unlink()
    (folder / "red.tif").mkdir()


def lead_in_a_circle(folder):
    (folder / "red.tif").unlink()
    (folder / "red.tif").symlink_to("red.tif")


def lead_nowhere(folder):
    (folder / "red.tif").unlink()
    (folder / "red.tif").symlink_to(folder / "moved")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (be_a_folder, "a file of it cannot be read"),
        (lead_in_a_circle, "a file of it cannot be read"),
        (lead_nowhere, "a file of it is gone"),
        (spoil_data, "a file of it is damaged"),
        (spoil_manifest, "a file of it is damaged"),
        (lose_data, "a file of it is gone"),
        (lose_all, "a file of it is gone"),
    ],
)
def test_what_is_damaged_or_gone_is_said_and_nothing_is_delivered(harm, words, first, again, tmp_path):
    harm(place(tmp_path, first[0]))
    report = run(again)
    assert report.is_unusable and report.files == ()
    assert report.failure.failure_class is FailureClass.TRANSIENT and not report.failure.counts
    assert words in report.failure.reason
    assert not place(tmp_path, again).exists()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_product_that_changed_since_is_not_what_would_be_made_now(first, again, source):
    os.utime(source.assets[0].href, (1, 1))
    report = run(again)
    assert report.is_unusable and "the product has changed since" in report.failure.reason


def test_product_that_cannot_be_ordered_any_more_is_not_delivered_from_what_was(again, named, source):
    withdrawn = replace(source, orderable=False, reason="withdrawn: its geometry is wrong")

    class Withdrawn:
        def __init__(self, collection_id, settings):
            pass

        def find(self, identifiers):
            return {each: withdrawn for each in identifiers}

    named.Withdrawn = Withdrawn
    report = run(replace(again, catalogue="production_plugins:Withdrawn"))
    assert not report.is_unusable and report.failure.reason == "withdrawn: its geometry is wrong"


def test_where_files_cannot_have_two_names_they_are_copied(first, again, tmp_path, monkeypatch):
    def cannot(*_):
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", cannot)
    assert run(again).failure is None
    old, new = place(tmp_path, first[0]), place(tmp_path, again)
    assert (new / "red.tif").read_bytes() == (old / "red.tif").read_bytes()
    assert (new / "red.tif").stat().st_ino != (old / "red.tif").stat().st_ino


def test_what_the_operator_moved_and_left_a_link_to_is_used_again(first, again, tmp_path):
    old, new = place(tmp_path, first[0]), place(tmp_path, again)
    (old / "red.tif").rename(tmp_path / "archived.tif")
    (old / "red.tif").symlink_to(tmp_path / "archived.tif")
    assert run(again).failure is None
    assert not (new / "red.tif").is_symlink()
    assert (new / "red.tif").read_bytes() == (tmp_path / "archived.tif").read_bytes()


def test_results_elsewhere_are_copied_through_the_workspace(make_job):
    elsewhere = {"results": "memory://kept-results", "recipe": "ab" * 16}
    job = make_job(order_id=new_order_id(), **elsewhere)
    earlier = earlier_of(job, run(job))
    assert run(make_job(order_id=new_order_id(), earlier=earlier, **elsewhere)).failure is None
    import fsspec

    fs = fsspec.filesystem("memory")
    fs.rm(f"/kept-results/{order_uuid(job.order_id)}/1/1/red.tif")
    report = run(make_job(order_id=new_order_id(), earlier=earlier, **elsewhere))
    assert report.is_unusable and "is gone" in report.failure.reason


def test_cancelled_in_the_middle_it_is_cancelled(again):
    report = run(again, cancelled=lambda: True)
    assert report.failure.failure_class is FailureClass.CANCELLED and not report.is_unusable


def test_product_that_is_offline_by_now_need_not_be_restored_for_that(first, again, named, source):
    away = replace(source, offline=Offline(usually=14_400.0))

    class Archive:
        def __init__(self, collection_id, settings):
            pass

        def find(self, identifiers):
            return {each: away for each in identifiers}

        def restore(self, item):
            raise AssertionError("nobody asked for it")

    named.Archive = Archive
    for asset in source.assets:
        Path(asset.href).rename(f"{asset.href}.away")
    report = run(replace(again, catalogue="production_plugins:Archive"))
    assert report.failure is None
    assert [each.name for each in report.files if each.is_data] == ["red.tif", "blue.tif", "empty.txt"]
