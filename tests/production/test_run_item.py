from __future__ import annotations

import errno
import hashlib
import http.client
import json
import urllib.error
from email.message import Message
from pathlib import Path
from typing import Any

import pystac
import pytest

from oseo_lab.model.delivery import Packaging
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.job import FailureClass, ItemReport, Product
from oseo_lab.model.order import order_uuid
from oseo_lab.ports import ProcessingFailed
from oseo_lab.production.run_item import failure_of, run_item


def run(job, **more: Any) -> ItemReport:
    return run_item(job, **{"progress": lambda _: None, "cancelled": lambda: False, "worker": "here", **more})


@pytest.fixture
def delivered(tmp_path):
    """Return the folder of a job's delivery."""
    return lambda job: tmp_path / "results" / order_uuid(job.order_id) / str(job.number) / str(job.attempt)


def test_a_copied_product_lies_whole_beside_its_manifest(make_job, delivered):
    job = make_job()
    report = run(job)
    assert report.failure is None
    assert (report.key, report.number, report.attempt, report.worker) == (job.key, 1, 1, "here")
    assert report.started <= report.ended
    names = ["red.tif", "blue.tif", "empty.txt", "item.json", "manifest.json"]
    assert [each.name for each in report.files] == names
    assert [each.is_data for each in report.files] == [True, True, True, False, False]
    for each in report.files:
        content = (delivered(job) / each.name).read_bytes()
        assert (each.size, each.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    manifest = json.loads((delivered(job) / "manifest.json").read_text())
    assert (manifest["order"], manifest["item"]) == (job.order_id, "my item")
    assert [(each["name"], each["sha256"]) for each in manifest["files"]] == [
        (each.name, each.sha256) for each in report.files[:-1]
    ]


def test_the_item_is_a_stac_item_that_tells_where_it_comes_from(make_job, delivered, tmp_path):
    job = make_job(options={"format": "COG"})
    run(job)
    text = (delivered(job) / "item.json").read_text()
    item = pystac.Item.from_dict(json.loads(text), preserve_dict=True)
    assert item.id == "S2:a product/1-1"
    assert item.bbox == [10.0, 50.0, 11.0, 51.0]
    assert item.geometry["type"] == "Polygon"
    assert item.datetime.isoformat() == "2024-05-01T10:00:00+00:00"
    assert item.properties["eo:cloud_cover"] == 12
    assert "proj:code" not in item.properties
    assert item.properties["oseo:order"] == job.order_id
    assert item.properties["oseo:options"] == {"format": "COG"}
    assert [link.rel for link in item.links] == ["derived_from"]
    asset = item.assets["red.tif"]
    assert asset.href == "./red.tif"
    content = (delivered(job) / "red.tif").read_bytes()
    assert asset.extra_fields["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()
    assert asset.extra_fields["file:size"] == len(content)
    assert str(tmp_path) not in text


def test_a_product_may_say_itself_where_it_lies(make_job, named, delivered):
    def clip(item, inputs, workspace):
        workspace.path("clip.tif").write_bytes(b"clip")
        properties = {"bbox": [1, 2, 3, 4], "proj:code": "EPSG:4326"}
        return [Product(path="clip.tif", name="clip.tif", media_type="image/tiff", properties=properties)]

    named.clip = clip
    job = make_job(processor="production_plugins:clip", packaging=Packaging.ZIP)
    assert run(job).failure is None
    item = json.loads((delivered(job) / "item.json").read_text())
    assert item["bbox"] == [1, 2, 3, 4]
    assert list(item["assets"]) == ["item-1.zip"]
    assert run(make_job(processor="production_plugins:clip", attempt=2)).failure is None


def test_packed_files_are_delivered_as_one(make_job, delivered):
    job = make_job(packaging=Packaging.TGZ)
    report = run(job)
    assert [each.name for each in report.files] == ["item-1.tgz", "item.json", "manifest.json"]


def test_an_order_package_holds_every_delivery(make_job, delivered):
    import zipfile

    items = [make_job(number=number, attempt=number) for number in (1, 2)]
    for job in items:
        run(job)
    package = make_job(
        number=0,
        key="oseo-0",
        is_order_package=True,
        deliveries=((1, 1), (2, 2)),
        packaging=Packaging.ZIP,
        catalogue="nothing",
        collection_id="",
    )
    report = run(package)
    assert report.failure is None
    assert [each.name for each in report.files] == ["order.zip", "item.json", "manifest.json"]
    with zipfile.ZipFile(delivered(package) / "order.zip") as archive:
        assert archive.namelist() == [
            f"{number}/{name}"
            for number in (1, 2)
            for name in ("red.tif", "blue.tif", "empty.txt", "item.json")
        ]
    pystac.Item.from_dict(json.loads((delivered(package) / "item.json").read_text()))


def test_an_order_package_of_what_is_gone_says_which(make_job):
    report = run(make_job(number=0, is_order_package=True, deliveries=((3, 1),)))
    assert report.failure.reason == "the result of item 3 is not there any more"


def test_nothing_stays_in_scratch_or_results_after_a_failure(make_job, named, tmp_path):
    def half(item, inputs, workspace):
        workspace.path("half.tif").write_bytes(b"half")
        workspace.log("got half way")
        raise ProcessingFailed("no more", retry=True)

    named.half = half
    report = run(make_job(processor="production_plugins:half"))
    assert report.failure.failure_class is FailureClass.TRANSIENT
    assert report.log == ("got half way",)
    assert list((tmp_path / "scratch").iterdir()) == []
    assert not (tmp_path / "results").exists()


def test_cancel_arrives_while_delivering(make_job, tmp_path, monkeypatch):
    from oseo_lab.builtin import delivery_access

    arrived = []
    sync = delivery_access._sync
    monkeypatch.setattr(delivery_access, "_sync", lambda folder: (arrived.append(1), sync(folder)))
    report = run(make_job(), cancelled=lambda: bool(arrived))
    assert report.failure.failure_class is FailureClass.CANCELLED
    assert [path for path in (tmp_path / "results").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("made", "text"),
    [
        ([], "at least one file"),
        ([Product(path="a", name="item.json", media_type="x/y")], "item.json"),
        ([Product(path="a", name="a", media_type="x/y")] * 2, "each name once"),
        ([Product(path="/etc/hostname", name="a", media_type="x/y")], "outside the workspace"),
        ([Product(path="a", name="../a", media_type="x/y")], "cannot name a delivered file"),
    ],
)
def test_a_processor_that_breaks_the_rules_is_an_internal_failure(make_job, named, made, text):
    def wrong(item, inputs, workspace):
        workspace.path("a").write_bytes(b"a")
        return made

    named.wrong = wrong
    report = run(make_job(processor="production_plugins:wrong"))
    assert report.failure.failure_class is FailureClass.INTERNAL
    assert text in report.failure.detail


def test_a_product_over_the_limit_is_told_so(make_job):
    report = run(make_job(max_bytes=1000))
    assert report.failure.failure_class is FailureClass.QUOTA
    assert "limit of 1000 bytes" in report.failure.reason


def http_error(code: int) -> urllib.error.HTTPError:
    return urllib.error.HTTPError("http://archive.example", code, "No", Message(), None)


class ReadTimeoutOfSomeLibrary(TimeoutError):
    pass


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), FailureClass.TRANSIENT),
        (OSError(errno.ENOSPC, "No space left on device"), FailureClass.TRANSIENT),
        (OSError(errno.EIO, "Input/output error"), FailureClass.TRANSIENT),
        (ConnectionResetError(), FailureClass.TRANSIENT),
        (ReadTimeoutOfSomeLibrary(), FailureClass.TRANSIENT),
        (urllib.error.URLError("unreachable"), FailureClass.TRANSIENT),
        (http.client.IncompleteRead(b"half"), FailureClass.TRANSIENT),
        (FileNotFoundError(errno.ENOENT, "gone"), FailureClass.INTERNAL),
        (PermissionError(errno.EACCES, "no"), FailureClass.INTERNAL),
        (KeyError("x"), FailureClass.INTERNAL),
        (RecursionError(), FailureClass.INTERNAL),
        (ConfigurationError("no such plugin"), FailureClass.INTERNAL),
        (ProcessingFailed("x", failure_class=FailureClass.BAD_REQUEST), FailureClass.BAD_REQUEST),
    ],
)
def test_what_went_wrong_decides_whether_it_is_tried_again(error, expected):
    assert failure_of(error).failure_class is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [(404, "permanent at source"), (403, "permanent at source"), (429, "transient"), (503, "transient")],
)
def test_an_answer_of_the_archive_decides_whether_it_is_tried_again(code, expected):
    with http_error(code) as error:
        assert failure_of(error).failure_class == expected


def test_no_failure_shows_a_trace_to_the_user(make_job, named):
    named.broken = lambda *_: 1 / 0
    report = run(make_job(processor="production_plugins:broken"))
    assert "Traceback" not in report.failure.reason
    assert "ZeroDivisionError" in report.failure.detail


@pytest.mark.parametrize(
    "href", ["/vsicurl/http://x", "vrt://x", "zip::http://x", "http://x::y", "gopher://x"]
)
def test_an_asset_that_lies_nowhere_we_open_is_refused(make_job, source, named, href):
    from dataclasses import replace

    odd = replace(source, assets=(replace(source.assets[0], href=href),))
    named.One.find = lambda self, identifiers: dict.fromkeys(identifiers, odd)
    report = run(make_job())
    assert report.failure.failure_class is FailureClass.PERMANENT
    assert href in report.failure.detail
    assert href not in report.failure.reason


def test_results_in_an_object_store_have_the_manifest_last(make_job):
    import fsspec

    fs = fsspec.filesystem("memory")
    job = make_job(results="memory://bucket/results")
    report = run(job)
    assert report.failure is None
    folder = f"/bucket/results/{order_uuid(job.order_id)}/1/1"
    names = {Path(name).name for name in fs.ls(folder, detail=False)}
    assert names == {each.name for each in report.files}
    created = {name: fs.created(f"{folder}/{name}") for name in names}
    assert max(created, key=created.get) == "manifest.json"
    assert run(job).failure.reason == "already delivered"
