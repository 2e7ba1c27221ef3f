"""Fetching files so that every byte can be trusted: ranges, digests, and no half file under a final name.

A file grows as a `oseo_lab.client.part.Part`; a run that is cut short goes on from there. It gets its
final name when its size and SHA-256 are those of the manifest.
"""

from __future__ import annotations

import errno
import hashlib
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

from oseo_lab.client import display
from oseo_lab.client.object_store import reachable
from oseo_lab.client.part import FileTask, Part, is_whole
from oseo_lab.client.progress import Interrupted, Progress, ProgressEvent, reporter
from oseo_lab.client.tally import Tally
from oseo_lab.client.transport import Fetched, Transport
from oseo_lab.model.errors import (
    DeliveryError,
    IntegrityError,
    OseoError,
    Problem,
    ResultExpired,
    TransportError,
)

__all__ = ["fetch_all", "fetch_file", "fetch_small"]

#: How often a file is asked for without getting any further.
TRIES = 6
#: Longest small file (manifest, STAC item), bytes.
SMALL = 64 * 1024 * 1024


class _Stopped(Exception):
    """The download was interrupted; what is here stays."""


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


def fetch_file(transport: Transport, task: FileTask, tally: Tally | None = None) -> bool:
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
    tally = tally or Tally([task])
    if is_whole(task.path, task.size, task.sha256):
        tally.kept(task.size)
        return False
    task.path.parent.mkdir(parents=True, exist_ok=True)
    with Part(task) as part:
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


def _fill(transport: Transport, task: FileTask, part: Part, tally: Tally) -> None:
    """Fetch until the file is all there, going on after every interruption that moved it forward."""
    tries = 0
    url = reachable(task.url)
    tally.resumed(part.length, task.size)
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


def _take(answer: Fetched, task: FileTask, part: Part, tally: Tally) -> None:
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
        tally.came(len(chunk))
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


# ------------------------------------------------------------------------------------------- many files


def fetch_all(
    transport: Transport,
    tasks: Sequence[FileTask],
    name: str,
    *,
    workers: int = 4,
    progress: Progress = None,
    here: set[Path] | None = None,
) -> None:
    """Fetch all files, several at a time; what fails is said when the others are here.

    Those that are here and right are added to ``here``, whatever becomes of the others.

    Raises
    ------
    DeliveryError
        Of the first failure's class, with a problem for each file that could not be had.
    """
    tally = Tally(tasks)
    pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="oseo-download")
    futures = {pool.submit(fetch_file, transport, task, tally): task for task in tasks}
    try:
        with reporter(progress) as report:
            _follow(futures, tally, name, report)
    except KeyboardInterrupt:
        tally.stop.set()
        raise Interrupted(
            f"Stopped; what is here of {name!r} stays. Run it again: it goes on where it stopped."
        ) from None
    except BaseException:
        tally.stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if here is not None:
            here.update(
                task.path
                for future, task in futures.items()
                if not future.cancelled() and not future.exception()
            )
    _raise_failures(futures)


def _follow(
    futures: dict[Future[bool], FileTask], tally: Tally, name: str, report: Callable[[ProgressEvent], None]
) -> None:
    """Report until all files are final; the calling thread does the talking."""
    began = time.monotonic()
    pending = set(futures)
    while True:
        _, pending = wait(pending, timeout=0.25, return_when=FIRST_EXCEPTION)
        done = [each for each in futures if each.done()]
        failed = sum(each.exception() is not None for each in done)
        event = ProgressEvent(
            name=name,
            text=tally.story(len(done) - failed, failed, time.monotonic() - began if pending else None),
            done=tally.done,
            total=tally.total,
            failed=failed,
            elapsed=time.monotonic() - began,
        )
        report(event)
        if not pending:
            return


def _told(error: BaseException) -> str:
    """Return what went wrong with a file, and what may help where it is the disk."""
    if not isinstance(error, OSError):
        return str(error)
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "; free some space and run it again, it goes on where it stopped" if full else ""
    return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}{hint}"


def _raise_failures(futures: dict[Future[bool], FileTask]) -> None:
    failures = [(task, error) for future, task in futures.items() if (error := future.exception())]
    if not failures:
        return
    for _, error in failures:
        if not isinstance(error, OseoError | OSError):
            raise error
    problems = [
        Problem(
            code="NoApplicableCode", locator=task.path.name, text=_told(error), item_id=task.path.parent.name
        )
        for task, error in failures
    ]
    first = failures[0][1]
    kind = type(first) if isinstance(first, DeliveryError) else DeliveryError
    text = f"{len(failures)} of {len(futures)} files could not be had: " + "; ".join(
        str(p) for p in problems[:10]
    )
    raise kind(text, problems=problems) from first
