"""A file on its way here: it grows under a hidden name beside its final one, and is renamed when it is whole.

Beside it lies the ETag its bytes belong to, so that a run that is cut short goes on from there. What asks for
the bytes is `oseo_lab.client.downloads`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from oseo_lab.client.transport import Fetched
from oseo_lab.model.errors import DeliveryError, ResultExpired

__all__ = ["FileTask", "Part", "is_whole", "settle"]

#: Bytes hashed at a time.
BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class FileTask:
    """One file to fetch.

    Parameters
    ----------
    url : str
        Where it lies.
    path : Path
        Its final name.
    size, sha256 : int or None, str or None
        What it must be, as the manifest promises.
    media_type : str
        What it is.
    is_data : bool
        Whether it is a product, rather than a description of one.
    """

    url: str
    path: Path
    size: int | None = None
    sha256: str | None = None
    media_type: str = ""
    is_data: bool = True


def is_whole(path: Path, size: int | None, sha256: str | None) -> bool:
    """Whether a file has the size and SHA-256 it must have; one nothing is known of is not."""
    if sha256 is None or not path.is_file() or (size is not None and path.stat().st_size != size):
        return False
    return _digest(path).hexdigest() == sha256.lower()


def _digest(path: Path) -> hashlib._Hash:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest


def settle(part: Path, final: Path) -> None:
    """Give a finished file its final name, durably."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(final)
    with contextlib.suppress(OSError):  # a folder cannot be opened everywhere
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Part:
    """The hidden, growing file beside the final one, and the ETag its bytes belong to."""

    def __init__(self, task: FileTask) -> None:
        self._task = task
        self._path = task.path.with_name(f".{task.path.name}.part")
        self._tag = self._path.with_name(f"{self._path.name}.etag")
        self.etag: str | None = None
        self.length = 0
        self._digest = hashlib.sha256()
        self._ended = False
        self._promised: str | None = None

    def __enter__(self) -> Part:
        self._file = self._open()
        self.etag = self._tag.read_text(encoding="utf-8") if self._tag.is_file() else None
        self._digest = _digest(self._path)
        self.length = self._path.stat().st_size
        if self.etag is None or (self._task.size is not None and self.length > self._task.size):
            self.clear()
        self._file.seek(self.length)
        return self

    def _open(self) -> BinaryIO:
        """Open the part for this download alone; while another one writes it, work on one of our own."""
        file = self._path.open("ab+")
        if not _alone(file):
            file.close()
            self._path = self._path.with_name(f"{self._path.name}-{os.getpid()}-{random.getrandbits(32):08x}")
            self._tag = self._path.with_name(f"{self._path.name}.etag")
            file = self._path.open("ab+")
        return file

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._file.close()
        if isinstance(error, DeliveryError) and (isinstance(error, ResultExpired) or self.length == 0):
            self._remove()

    @property
    def resumable(self) -> int:
        """How many bytes need not be fetched again: none without a strong ETag to hold them together."""
        return self.length if self.etag and not self.etag.startswith("W/") else 0

    @property
    def is_full(self) -> bool:
        """Whether all bytes are here."""
        return self._ended if self._task.size is None else self.length == self._task.size

    def begin(self, etag: str | None) -> None:
        """Start at the first byte of what has this ETag."""
        self.clear()
        self.etag = etag
        if etag:
            self._tag.write_text(etag, encoding="utf-8")

    def clear(self) -> None:
        """Forget every byte."""
        self._file.truncate(0)
        self._tag.unlink(missing_ok=True)
        self.etag, self.length, self._digest = None, 0, hashlib.sha256()
        self._ended, self._promised = False, None

    def append(self, chunk: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self.length += len(chunk)

    def ended(self, answer: Fetched, digest: hashlib._Hash) -> None:
        """Note that an answer came to its end, and compare its own digest (RFC 9530)."""
        self._ended = True
        self._promised = _sha256_of(answer.headers.get("repr-digest")) or self._promised
        own = _sha256_of(answer.headers.get("content-digest"))
        if own is not None and answer.status == 200 and own != digest.hexdigest():
            self._promised = own

    @property
    def sha256(self) -> str:
        """Return the digest of what has arrived."""
        return self._digest.hexdigest()

    def wrong(self) -> str:
        """Return what is wrong with the bytes that are here; empty if they are as promised."""
        found = self._digest.hexdigest()
        for promised in (self._task.sha256, self._promised):
            if promised is not None and promised.lower() != found:
                return f"its SHA-256 is {found}, promised was {promised}"
        return ""

    def settle(self) -> None:
        """Give the file its final name."""
        self._file.flush()
        settle(self._path, self._task.path)
        self._tag.unlink(missing_ok=True)

    def _remove(self) -> None:
        self._path.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)


def _alone(file: BinaryIO) -> bool:
    """Lock a file for this process; False where another holds it. Systems without flock do not lock."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sha256_of(header: str | None) -> str | None:
    """Return the SHA-256 in a digest header, hexadecimal (RFC 9530: ``sha-256=:base64:``)."""
    for each in (header or "").split(","):
        name, _, value = each.strip().partition("=")
        if name.lower() == "sha-256":
            with contextlib.suppress(ValueError):
                return base64.b64decode(value.strip(":"), validate=True).hex()
    return None
