from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import py7zr
import pytest

from oseo_lab.model.delivery import REFUSED_PACKAGING, Packaging
from oseo_lab.model.job import FailureClass, Product
from oseo_lab.ports import ProcessingFailed
from oseo_lab.production.packaging import Entry, entries_of, pack
from oseo_lab.production.workspace import JobWorkspace

CONTENT = {"a.tif": b"pixels" * 300_000, "b.xml": b"<b/>", "empty.txt": b""}


@pytest.fixture
def products(workspace):
    for name, content in CONTENT.items():
        workspace.path(name).write_bytes(content)
    return [Product(path=name, name=name, media_type="application/octet-stream") for name in CONTENT]


def read_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def read_tar(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def read_7z(path: Path) -> dict[str, bytes]:
    folder = path.parent / "unpacked"
    with py7zr.SevenZipFile(path) as archive:
        archive.extractall(folder)
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


READERS = {
    Packaging.ZIP: read_zip,
    Packaging.TAR: read_tar,
    Packaging.TGZ: read_tar,
    Packaging.SEVEN_ZIP: read_7z,
}


@pytest.mark.parametrize("packaging", READERS)
def test_a_container_holds_every_file(packaging, products, workspace):
    (packed,) = pack(entries_of(products, workspace), packaging, "item-1", workspace)
    assert packed.name == f"item-1.{packaging}"
    assert READERS[packaging](Path(packed.path)) == CONTENT


@pytest.mark.parametrize(
    ("packaging", "suffix", "unpack"),
    [(Packaging.GZIP, ".gz", gzip.decompress), (Packaging.BZIP2, ".bz2", bz2.decompress)],
)
def test_a_format_of_one_file_makes_one_container_each(packaging, suffix, unpack, products, workspace):
    packed = pack(entries_of(products, workspace), packaging, "item-1", workspace)
    assert [each.name for each in packed] == [name + suffix for name in CONTENT]
    found = [unpack(Path(each.path).read_bytes()) for each in packed]
    assert found == list(CONTENT.values())


@pytest.mark.parametrize("packaging", [*READERS, Packaging.GZIP, Packaging.BZIP2])
def test_the_same_files_give_the_same_bytes(packaging, products, workspace):
    digests = []
    for stem in ("one", "two"):
        packed = pack(entries_of(products, workspace), packaging, stem, workspace)
        digests.append([hashlib.sha256(Path(each.path).read_bytes()).digest() for each in packed])
        for name, content in CONTENT.items():
            workspace.path(name).write_bytes(content)  # other times
    assert digests[0] == digests[1]


@pytest.mark.parametrize("packaging", [*READERS, Packaging.GZIP, Packaging.BZIP2])
def test_packing_stops_when_the_item_is_cancelled(packaging, tmp_path):
    asked = []
    entry = Entry(name="big.bin", size=64 << 20, open=lambda: io.BytesIO(bytes(64 << 20)))

    def is_cancelled() -> bool:
        asked.append(1)
        return len(asked) > 3

    with (
        JobWorkspace(str(tmp_path), "k", progress=lambda _: None, cancelled=is_cancelled) as workspace,
        pytest.raises(ProcessingFailed) as caught,
    ):
        pack([entry], packaging, "item-1", workspace)
    assert caught.value.failure_class is FailureClass.CANCELLED
    assert len(asked) < 12


@pytest.mark.parametrize("packaging", sorted(REFUSED_PACKAGING))
def test_a_format_nobody_should_write_is_refused(packaging, products, workspace):
    with pytest.raises(ProcessingFailed, match="choose one of 7z, bzip2, gzip, tar, tgz, zip") as caught:
        pack(entries_of(products, workspace), packaging, "item-1", workspace)
    assert caught.value.failure_class is FailureClass.BAD_REQUEST


MEASURE = """
import resource, sys
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.job import Product
from oseo_lab.production.packaging import entries_of, pack
from oseo_lab.production.workspace import JobWorkspace
with JobWorkspace(sys.argv[1], "k", progress=print, cancelled=bool) as workspace:
    with workspace.path("big.bin").open("wb") as big:
        for _ in range(int(sys.argv[3])):
            big.write(bytes(1 << 20))
    product = Product(path="big.bin", name="big.bin", media_type="x/y")
    pack(entries_of([product], workspace), Packaging(sys.argv[2]), "item-1", workspace)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.parametrize("packaging", [Packaging.ZIP, Packaging.TGZ, Packaging.SEVEN_ZIP])
def test_memory_does_not_grow_with_the_files(packaging, tmp_path):
    small, large = (
        int(
            subprocess.run(
                [sys.executable, "-c", MEASURE, tmp_path, packaging, str(mebibytes)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for mebibytes in (8, 200)
    )
    assert large - small < 30
