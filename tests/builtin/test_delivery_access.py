from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from oseo_lab.builtin.delivery_access import OnlineAccess
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import FailureClass, ItemJob, Product
from oseo_lab.model.order import new_order_id, order_uuid
from oseo_lab.ports import DeliveryChannel, ProcessingFailed
from oseo_lab.production.workspace import JobWorkspace

ORDER = new_order_id()


@pytest.fixture
def workspace(tmp_path) -> Iterator[JobWorkspace]:
    with JobWorkspace(
        str(tmp_path / "scratch"), "k", progress=lambda _: None, cancelled=lambda: False
    ) as made:
        yield made


@pytest.fixture
def products(workspace) -> list[Product]:
    for name in ("a.tif", "manifest.json"):
        workspace.path(name).write_text(name)
    return [Product(path=name, name=name, media_type="x/y") for name in ("a.tif", "manifest.json")]


def job(tmp_path: Path, **more) -> ItemJob:
    return ItemJob(
        **{
            "key": "k",
            "order_id": ORDER,
            "number": 3,
            "attempt": 2,
            "item_id": "../../etc",
            "product": ProductId(identifier="../../p"),
            "collection_id": "../c",
            "results": (tmp_path / "results").as_uri(),
            **more,
        }
    )


def test_it_is_a_delivery_channel():
    assert isinstance(OnlineAccess(), DeliveryChannel)


def test_files_lie_under_names_of_this_house_only(tmp_path, products, workspace):
    delivered = OnlineAccess()(job(tmp_path), products, workspace)
    folder = tmp_path / "results" / order_uuid(ORDER) / "3" / "2"
    assert sorted(each.name for each in folder.iterdir()) == ["a.tif", "manifest.json"]
    assert [
        path for path in (tmp_path / "results").rglob("*") if path.is_file() and path.parent != folder
    ] == []
    assert [(each.name, each.is_data) for each in delivered] == [("a.tif", True), ("manifest.json", False)]
    assert delivered[0].sha256 == hashlib.sha256(b"a.tif").hexdigest()
    assert delivered[0].size == 5


def test_a_late_attempt_never_overwrites(tmp_path, products, workspace):
    OnlineAccess()(job(tmp_path), products, workspace)
    workspace.path("a.tif").write_text("late!")
    workspace.path("manifest.json").write_text("late")
    with pytest.raises(ProcessingFailed, match="already delivered") as caught:
        OnlineAccess()(job(tmp_path), products, workspace)
    assert caught.value.failure_class is FailureClass.INTERNAL
    folder = tmp_path / "results" / order_uuid(ORDER) / "3"
    assert (folder / "2" / "a.tif").read_text() == "a.tif"
    assert [each.name for each in folder.iterdir()] == ["2"]


def test_a_full_disk_leaves_no_half_delivery(tmp_path, products, workspace, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        OnlineAccess()(job(tmp_path), products, workspace)
    assert list((tmp_path / "results" / order_uuid(ORDER) / "3").iterdir()) == []


def test_files_are_copied_and_checked_from_another_file_system(tmp_path, products, workspace, monkeypatch):
    def other_device(self: Path, target: Path) -> Path:
        if self.is_file():
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        os.rename(self, target)  # noqa: PTH104 - Path.rename is what is replaced here
        return target

    monkeypatch.setattr(Path, "rename", other_device)
    delivered = OnlineAccess()(job(tmp_path), products, workspace)
    assert delivered[0].sha256 == hashlib.sha256(b"a.tif").hexdigest()
    assert (tmp_path / "results" / order_uuid(ORDER) / "3" / "2" / "a.tif").read_text() == "a.tif"
    changed = Product(
        path="b.tif", name="b.tif", media_type="x/y", properties={"file:checksum": "1220" + "0" * 64}
    )
    workspace.path("b.tif").write_text("not what was measured")
    with pytest.raises(ProcessingFailed, match="changed while") as caught:
        OnlineAccess()(job(tmp_path, attempt=3), [changed], workspace)
    assert caught.value.failure_class is FailureClass.TRANSIENT


@pytest.mark.parametrize(
    "order_id", ["urn:uuid:../..", "../../etc", "", "URN:UUID:00000000-0000-4000-8000-000000000009"]
)
def test_an_order_id_that_is_not_ours_never_becomes_a_path(tmp_path, products, workspace, order_id):
    with pytest.raises(ValueError, match="not one of this service's"):
        OnlineAccess()(job(tmp_path, order_id=order_id), products, workspace)
    assert not (tmp_path / "results").exists()


def test_a_link_out_of_the_workspace_is_not_delivered(tmp_path, workspace):
    (tmp_path / "secret").write_text("secret")
    workspace.path("a.tif").symlink_to(tmp_path / "secret")
    product = Product(path="a.tif", name="a.tif", media_type="x/y")
    with pytest.raises(ValueError, match="outside the workspace"):
        OnlineAccess()(job(tmp_path), [product], workspace)
