"""A folder per job, removed when the job ends, and the four things a plugin may say from it.

Made by `oseo_lab.production.run_item`, handed to the processor and the delivery channel (`ports.Workspace`).
A folder is named after its job's key, which this house makes: nothing of a message becomes part of a path.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from oseo_lab.model.job import FailureClass, Progress
from oseo_lab.ports import ProcessingFailed

__all__ = ["JobWorkspace", "folder_name", "local_path"]

#: What a file in a workspace or a delivery may be called.
SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}\Z")
#: A key as the dispatcher makes it.
PLAIN_KEY = re.compile(r"[a-z0-9-]{1,100}\Z")
#: Progress messages a job may send per second, and in one burst.
PROGRESS_PER_SECOND = 2.0
#: Stages that are remembered, and characters of each.
STAGES, STAGE_WIDTH = 12, 60
#: Seconds after which a job tells of a new stage by itself: shorter ones nobody sees.
VISIBLE = 1.0
#: Lines a job may log, and characters of each.
LOG_LINES, LOG_WIDTH = 200, 1000


def folder_name(key: str) -> str:
    """Return the name of a job's folder in scratch: its key, or a digest of one that is not of our making."""
    return f"job-{key if PLAIN_KEY.match(key) else hashlib.sha256(key.encode()).hexdigest()}"


def local_path(url: str) -> Path | None:
    """Return the local folder an fsspec URL means; None if it lies elsewhere."""
    if "://" not in url:
        return Path(url)
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme in ("file", "local") else None


class JobWorkspace:
    """The workspace of one job (`ports.Workspace`); a context manager that removes its folder.

    Parameters
    ----------
    scratch : str
        fsspec URL of the folder to work in; this machine's temporary folder where it is empty or remote.
    key : str
        The job's key.
    progress : callable
        Takes `Progress` messages, at most two per second.
    cancelled : callable
        Says whether the job is not wanted any more.
    """

    def __init__(
        self,
        scratch: str,
        key: str,
        *,
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        parent = (local_path(scratch) if scratch else None) or Path(tempfile.gettempdir())
        self.root = parent / folder_name(key)
        self.lines: list[str] = []
        self._key = key
        self._send = progress
        self._is_cancelled = cancelled
        self._stage: str | None = None
        self._ahead: tuple[str, ...] = ()
        self._now: str | None = None
        self._is_told = False
        self._passed: list[str] = []
        self._fraction = 0.0
        self._began = time.monotonic()
        self._allowance = 1.0
        self._since = time.monotonic()

    def __enter__(self) -> JobWorkspace:
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        return self

    def __exit__(self, *exc: object) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, name: str) -> Path:
        """Return the path of a file of this name in the workspace.

        Raises
        ------
        ValueError
            If the name has anything but letters, digits, ``._-`` in it, or starts with a dot.
        """
        if not SAFE_NAME.match(name):
            raise ValueError(f"{name!r} cannot name a file here; use letters, digits, '.', '_' and '-'")
        return self.root / name

    def stage(self, name: str, *ahead: str) -> None:
        """Name what happens from now on, in progress messages that name nothing themselves.

        Parameters
        ----------
        name : str
            What happens.
        ahead : str
            Stages that come after it.
        """
        self._enter(name)
        self._stage, self._ahead, self._is_told = name, ahead, False
        if time.monotonic() - self._began >= VISIBLE:
            self.progress(self._fraction)
            self._is_told = False  # by the job itself

    def _enter(self, name: str | None) -> None:
        """Leave one stage for another; one that a processor has parts of its own for was none."""
        if name == self._now:
            return
        if self._now is not None and (self._is_told or self._now != self._stage or name in self._ahead):
            self._passed.append(self._now)
        if name in self._passed:  # back in it: whatever was done since comes again
            del self._passed[self._passed.index(name) :]
        del self._passed[:-STAGES]
        self._now = name

    def progress(self, fraction: float, stage: str | None = None) -> None:
        """Say how far the item is, 0 to 1; messages over two a second are dropped."""
        self._enter(stage[:STAGE_WIDTH] if stage else self._stage)
        self._fraction = min(max(fraction, 0.0), 1.0)
        now = time.monotonic()
        grown = self._allowance + (now - self._since) * PROGRESS_PER_SECOND
        self._allowance, self._since = min(grown, PROGRESS_PER_SECOND), now
        if self._allowance >= 1:
            self._allowance -= 1
            self._is_told = True
            self._send(
                Progress(
                    key=self._key,
                    fraction=self._fraction,
                    stage=self._now,
                    passed=tuple(self._passed),
                    ahead=self._ahead,
                )
            )

    def cancelled(self) -> None:
        """Raise `ProcessingFailed` (class CANCELLED) if the item is not wanted any more."""
        if self._is_cancelled():
            raise ProcessingFailed("the item was cancelled", failure_class=FailureClass.CANCELLED)

    def log(self, text: str) -> None:
        """Say something for the operator; the first lines are kept, and each only so long."""
        if len(self.lines) < LOG_LINES:
            self.lines.append(text[:LOG_WIDTH])
        elif len(self.lines) == LOG_LINES:
            self.lines.append("... more was said and not kept")
