"""Products into the container the user asked for (06-141r6 ``EnumPackagingType``), one table of writers.

Streaming, so memory does not grow with the files; asking once a mebibyte whether the item is still wanted;
and the same input gives the same bytes: no times, no owners.
"""

from __future__ import annotations

import bz2
import gzip
import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from oseo_lab.model.delivery import Packaging
from oseo_lab.model.job import FailureClass, Product
from oseo_lab.ports import ProcessingFailed, Workspace

__all__ = ["Entry", "entries_of", "pack"]

#: Bytes moved at a time, between two questions whether to go on.
BLOCK = 1 << 20
#: Rasters are compressed already: little effort, as the rest is lost time.
LEVEL = 1


class Opener(Protocol):
    """Opens an entry's bytes."""

    def __call__(self) -> IO[bytes]:
        """Return the opened source."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One file to pack.

    Parameters
    ----------
    name : str
        Path inside the container, ``/`` between folders.
    size : int
        Bytes.
    open : callable
        Opens it.
    """

    name: str
    size: int
    open: Opener


def entries_of(products: Sequence[Product], workspace: Workspace) -> list[Entry]:
    """Return products as entries under their own names."""
    paths = [workspace.root / product.path for product in products]
    return [
        Entry(name=product.name, size=path.stat().st_size, open=_opener(path))
        for product, path in zip(products, paths, strict=True)
    ]


def _opener(path: Path) -> Opener:
    return lambda: path.open("rb")


def pack(entries: Sequence[Entry], packaging: Packaging, stem: str, workspace: Workspace) -> list[Product]:
    """Pack entries into one container, or each into its own where the format holds one file only.

    Parameters
    ----------
    entries : sequence of Entry
        What to pack; order is kept.
    packaging : Packaging
        The format; ``gzip`` and ``bzip2`` hold one file and make one container per entry.
    stem : str
        Name of the container, without suffix.
    workspace : Workspace
        Where to write.

    Raises
    ------
    ProcessingFailed
        If the format is not written here, or the item is cancelled meanwhile.
    """
    if packaging in _SINGLE:
        suffix, media_type, opener = _SINGLE[packaging]
        return [_pack_one(entry, suffix, media_type, opener, workspace) for entry in entries]
    if packaging not in _WRITERS:
        allowed = ", ".join(sorted([*_WRITERS, *_SINGLE]))
        raise ProcessingFailed(
            f"packaging {packaging.value!r} is not written here; choose one of {allowed}",
            failure_class=FailureClass.BAD_REQUEST,
        )
    suffix, media_type, writer = _WRITERS[packaging]
    target = workspace.path(f"{stem}.{suffix}")
    writer(target, entries, workspace)
    return [Product(path=str(target), name=target.name, media_type=media_type, title="All files in one")]


def _pack_one(
    entry: Entry, suffix: str, media_type: str, opener: Callable[[IO[bytes]], Any], workspace: Workspace
) -> Product:
    target = workspace.path(f"{entry.name.replace('/', '-')}.{suffix}")
    with target.open("wb") as raw, opener(raw) as packed, _watched(entry, workspace) as source:
        shutil.copyfileobj(source, packed, BLOCK)
    return Product(path=str(target), name=target.name, media_type=media_type)


class _Watched(io.RawIOBase):
    """A source that asks whether the item is still wanted before each read."""

    def __init__(self, source: IO[bytes], workspace: Workspace) -> None:
        self._source = source
        self._workspace = workspace

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def readinto(self, buffer: Any) -> int:
        self._workspace.cancelled()
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _watched(entry: Entry, workspace: Workspace) -> Iterator[io.BufferedReader]:
    with entry.open() as source:
        yield io.BufferedReader(_Watched(source, workspace), BLOCK)


def _zip(target: Path, entries: Sequence[Entry], workspace: Workspace) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name)  # its time is 1980-01-01
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.file_size = entry.size
            with _watched(entry, workspace) as source, archive.open(info, "w") as packed:
                shutil.copyfileobj(source, packed, BLOCK)


def _tar_into(raw: Any, entries: Sequence[Entry], workspace: Workspace) -> None:
    with tarfile.open(fileobj=raw, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)  # its time is 0, its owner 0
            info.size = entry.size
            with _watched(entry, workspace) as source:
                archive.addfile(info, source)


def _tar(target: Path, entries: Sequence[Entry], workspace: Workspace) -> None:
    with target.open("wb") as raw:
        _tar_into(raw, entries, workspace)


def _tgz(target: Path, entries: Sequence[Entry], workspace: Workspace) -> None:
    with target.open("wb") as raw, _gzip(raw) as packed:
        _tar_into(packed, entries, workspace)


def _seven_zip(target: Path, entries: Sequence[Entry], workspace: Workspace) -> None:
    import py7zr
    from py7zr.helpers import ArchiveTimestamp

    epoch = ArchiveTimestamp.from_datetime(0)
    filters = [{"id": py7zr.FILTER_LZMA2, "preset": LEVEL}]
    with py7zr.SevenZipFile(target, "w", filters=filters) as archive:
        for entry in entries:
            with _watched(entry, workspace) as source:
                archive.writef(source, entry.name)
            times = dict.fromkeys(("creationtime", "lastwritetime", "lastaccesstime"), epoch)
            archive.header.files_info.files[-1].update(times)


def _gzip(raw: IO[bytes]) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=raw, mtime=0)


def _bzip2(raw: IO[bytes]) -> bz2.BZ2File:
    return bz2.BZ2File(raw, "wb")


#: Containers of many files: suffix, media type, writer.
_WRITERS: dict[Packaging, tuple[str, str, Callable[[Path, Sequence[Entry], Workspace], None]]] = {
    Packaging.ZIP: ("zip", "application/zip", _zip),
    Packaging.TAR: ("tar", "application/x-tar", _tar),
    Packaging.TGZ: ("tgz", "application/gzip", _tgz),
    Packaging.SEVEN_ZIP: ("7z", "application/x-7z-compressed", _seven_zip),
}
#: Formats that hold one file: suffix, media type, what opens the compressed stream.
_SINGLE: dict[Packaging, tuple[str, str, Callable[[IO[bytes]], Any]]] = {
    Packaging.GZIP: ("gz", "application/gzip", _gzip),
    Packaging.BZIP2: ("bz2", "application/x-bzip2", _bzip2),
}
