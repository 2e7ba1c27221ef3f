"""The executor's seam and the workspace's: where items are made, and what a processor may touch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from oseo_lab.model.job import ItemJob, JobEvent

__all__ = [
    "Executor",
    "Workspace",
]


class Executor(Protocol):
    """Runs item jobs somewhere: in this thread, or on Dask workers."""

    def start(self, jobs: Sequence[ItemJob]) -> None:
        """Hand over jobs; small ones may be packed into one task. Returns at once."""

    def stop(self, keys: Iterable[str]) -> None:
        """Cancel jobs, queued or running; a running one ends within 2 s with a cancelled report."""

    def reports(self, timeout: float) -> list[JobEvent]:
        """Return what has happened, waiting up to ``timeout`` seconds for the first of it."""

    def close(self) -> None:
        """Let go of the workers; what runs is abandoned."""


class Workspace(Protocol):
    """What a processor may touch: a folder of its own, and four ways to say something."""

    root: Path

    def path(self, name: str) -> Path:
        """Return the path of a file of this name in the workspace."""

    def progress(self, fraction: float, stage: str | None = None) -> None:
        """Say how far the item is, 0 to 1; thinned before it travels."""

    def cancelled(self) -> None:
        """Raise `ProcessingFailed` (class CANCELLED) if the item is not wanted any more.

        To be called at least once a second: in each strip, block or chunk.
        """

    def log(self, text: str) -> None:
        """Say something for the operator; kept with the attempt."""
