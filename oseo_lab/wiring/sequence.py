"""The capabilities document's ``updateSequence``: a number that outlives restarts."""

from __future__ import annotations

import threading
from pathlib import Path
from uuid import uuid4

__all__ = ["Sequence"]


class Sequence:
    """Numbers the versions of a document; the number is kept in a file, so that restarts do not reuse one.

    Parameters
    ----------
    path : Path
        Holds the number and the fingerprint of the newest version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._newest: tuple[str, str] | None = None

    def __call__(self, content: str) -> str:
        """Return the number of a version, by its fingerprint: the newest one's, or the next."""
        newest = self._newest
        if newest is None or newest[1] != content:
            with self._lock:
                newest = self._newest = self._number(content)
        return newest[0]

    def _number(self, content: str) -> tuple[str, str]:
        number, _, known = self._path.read_text().partition(" ") if self._path.exists() else ("0", "", "")
        if known == content:
            return number, content
        number = str(int(number) + 1)
        fresh = self._path.with_name(f".{self._path.name}-{uuid4().hex}")
        fresh.write_text(f"{number} {content}")
        fresh.replace(self._path)
        return number, content
