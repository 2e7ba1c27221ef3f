"""Fetching files so that every byte can be trusted: ranges, digests, and no half file under a final name.

A file grows under a hidden name beside its final one, with the ETag it belongs to; a run that is cut short
goes on from there. It is renamed when its size and SHA-256 are those of the manifest.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from oseo_lab.client import display
from oseo_lab.client.object_store import reachable
from oseo_lab.client.progress import Progress, ProgressEvent, reporter
from oseo_lab.client.transport import Fetched, Transport
from oseo_lab.model.errors import (
    DeliveryError,
    IntegrityError,
    OseoError,
    Problem,
    ResultExpired,
    TransportError,
)

__all__ = ["FileTask", "fetch_all", "fetch_file", "fetch_small", "is_whole", "settle"]

#: How often a file is asked for without getting any further.
TRIES = 6
#: Longest small file (manifest, STAC item), bytes.
SMALL = 64 * 1024 * 1024
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


class _Tally:
    """Bytes that are here, counted by several threads; and whether to stop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.done = 0
        self.stop = threading.Event()

    def add(self, count: int) -> None:
        with self._lock:
            self.done += count


class _Stopped(Exception):
    """The download was interrupted; what is here stays."""


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


# ---------------------------------------------------------------------------------------------- one file


def fetch_small(transport: Transport, url: str) -> bytes:
    """Return a small file's bytes.

    Raises
    ------
    DeliveryError
        If it cannot be had.
    """
    for attempt in range(TRIES):
        try:
            with transport.fetch(url) as answer:
                _check_answer(answer, FileTask(url=url, path=Path(url), media_type="application/json"))
                if answer.status == 200:
                    return _all_of(answer, url)
        except TransportError as lost:
            if attempt == TRIES - 1:
                raise DeliveryError(lost.text) from lost
        _pause(attempt)
    raise DeliveryError(f"{_shown(url)} could not be had: the server is busy; try again later")


def _all_of(answer: Fetched, url: str) -> bytes:
    body = bytearray()
    for chunk in answer.chunks:
        body += chunk
        if len(body) > SMALL:
            raise DeliveryError(f"{_shown(url)} is longer than {display.size(SMALL)}")
    return bytes(body)


def fetch_file(transport: Transport, task: FileTask, tally: _Tally | None = None) -> bool:
    """Fetch one file; return whether it had to be fetched.

    Raises
    ------
    IntegrityError
        If its bytes are not those promised, twice.
    ResultExpired
        If its time is over.
    DeliveryError
        If it cannot be had.
    """
    tally = tally or _Tally()
    if is_whole(task.path, task.size, task.sha256):
        tally.add(task.size or 0)
        return False
    task.path.parent.mkdir(parents=True, exist_ok=True)
    with _Part(task) as part:
        for again in (True, False):
            _fill(transport, task, part, tally)
            wrong, found = part.wrong(), part.sha256
            if not wrong:
                part.settle()
                return True
            tally.add(-part.length)
            part.clear()
            if not again:
                raise IntegrityError(
                    f"{task.path.name}: {wrong}, twice; nothing was kept",
                    expected=task.sha256,
                    actual=found,
                    path=task.path,
                )
    raise AssertionError("unreachable: the second try settles or raises")


def _fill(transport: Transport, task: FileTask, part: _Part, tally: _Tally) -> None:
    """Fetch until the file is all there, going on after every interruption that moved it forward."""
    tries = 0
    url = reachable(task.url)
    counted = part.length
    tally.add(counted)
    while not part.is_full:
        before = part.length
        try:
            with transport.fetch(url, start=part.resumable, etag=part.etag) as answer:
                _check_answer(answer, task)
                if answer.status in (200, 206, 416):
                    _take(answer, task, part, tally)
        except TransportError as lost:
            if tries + 1 >= TRIES:
                raise DeliveryError(
                    f"{lost.text}; {part.length} bytes are kept, run it again to go on"
                ) from lost
        if part.is_full:
            return
        tries = 0 if part.length > before else tries + 1
        if tries >= TRIES:
            raise DeliveryError(
                f"{task.path.name} does not come: {part.length} of {task.size} bytes are here"
            )
        _pause(tries)


def _take(answer: Fetched, task: FileTask, part: _Part, tally: _Tally) -> None:
    """Append an answer's bytes, or begin anew where the server sends all of it."""
    if answer.status == 416 or (answer.status == 206 and _start_of(answer) != part.length):
        tally.add(-part.length)
        part.clear()
        return
    if answer.status == 200:
        tally.add(-part.length)
        part.begin(answer.headers.get("etag"))
    digest = hashlib.sha256()
    first = True
    for chunk in answer.chunks:
        if tally.stop.is_set():
            raise _Stopped
        if first and answer.status == 200:
            _check_page(chunk, task)
        first = False
        if task.size is not None and part.length + len(chunk) > task.size:
            raise IntegrityError(
                f"{task.path.name} is longer than the {task.size} bytes promised",
                expected=f"{task.size} bytes",
                path=task.path,
            )
        part.append(chunk)
        digest.update(chunk)
        tally.add(len(chunk))
    part.ended(answer, digest)


def _start_of(answer: Fetched) -> int:
    """Return the first byte of a partial answer; -1 where it does not say."""
    unit, _, span = answer.headers.get("content-range", "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else -1


def _check_answer(answer: Fetched, task: FileTask) -> None:
    """Raise what an answer means that no further try will change."""
    if answer.status == 410:
        raise ResultExpired(f"{task.path.name} is not kept any more: order it again, or see order.items")
    if answer.status in (401, 403, 404):
        raise DeliveryError(
            f"{_shown(task.url)} is not given out (HTTP {answer.status}): its link may be over; "
            "order.results() makes new ones"
        )
    kind = answer.headers.get("content-type", "")
    if answer.status in (200, 206) and kind.startswith("text/html") and "html" not in task.media_type:
        raise DeliveryError(
            f"{_shown(task.url)} is a web page, not the data: a proxy or login page? nothing was kept"
        )
    if answer.status >= 400 and answer.status not in (408, 416, 425, 429) and answer.status < 500:
        raise DeliveryError(f"{_shown(task.url)} is refused with HTTP {answer.status}")


def _check_page(chunk: bytes, task: FileTask) -> None:
    head = chunk[:64].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")) and "html" not in task.media_type:
        raise DeliveryError(f"{task.path.name} came as a web page, not as data; nothing was kept")


def _pause(attempt: int) -> None:
    time.sleep(min(0.1 * 2**attempt, 8.0) * random.uniform(0.5, 1.0))


def _shown(url: str) -> str:
    return url.partition("?")[0]


class _Part:
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

    def __enter__(self) -> _Part:
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


# ------------------------------------------------------------------------------------------- many files


def fetch_all(
    transport: Transport,
    tasks: Sequence[FileTask],
    name: str,
    *,
    workers: int = 4,
    progress: Progress = None,
) -> None:
    """Fetch all files, several at a time; what fails is said when the others are here.

    Raises
    ------
    DeliveryError
        Of the first failure's class, with a problem for each file that could not be had.
    """
    tally = _Tally()
    pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="oseo-download")
    futures = {pool.submit(fetch_file, transport, task, tally): task for task in tasks}
    try:
        with reporter(progress) as report:
            _follow(futures, tally, name, report)
    except BaseException:
        tally.stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    _raise_failures(futures)


def _follow(futures: dict[Future[bool], FileTask], tally: _Tally, name: str, report: object) -> None:
    """Report until all files are final; the calling thread does the talking."""
    began = time.monotonic()
    total = sum(each.size or 0 for each in futures.values())
    pending = set(futures)
    while True:
        _, pending = wait(pending, timeout=0.25, return_when=FIRST_EXCEPTION)
        done = [each for each in futures if each.done()]
        failed = sum(each.exception() is not None for each in done)
        said = f"{len(done) - failed} of {len(futures)} files · {display.size(tally.done)}"
        event = ProgressEvent(
            name=name,
            text=said
            + (f" of {display.size(total)}" if total else "")
            + (f" · {failed} failed" if failed else ""),
            done=tally.done,
            total=total,
            failed=failed,
            elapsed=time.monotonic() - began,
        )
        report(event)  # type: ignore[operator]
        if not pending:
            return


def _raise_failures(futures: dict[Future[bool], FileTask]) -> None:
    failures = [(task, error) for future, task in futures.items() if (error := future.exception())]
    if not failures:
        return
    for _, error in failures:
        if not isinstance(error, OseoError | OSError):
            raise error
    problems = [
        Problem(
            code="NoApplicableCode", locator=task.path.name, text=str(error), item_id=task.path.parent.name
        )
        for task, error in failures
    ]
    first = failures[0][1]
    kind = type(first) if isinstance(first, DeliveryError) else DeliveryError
    text = f"{len(failures)} of {len(futures)} files could not be had: " + "; ".join(
        str(p) for p in problems[:10]
    )
    raise kind(text, problems=problems) from first
