"""Who is alive among the dispatchers of one data folder: a locked file each, let go by the system at death.

A server that comes back finds the locks of its earlier lives open, frees their leases and goes on at once,
instead of waiting for the leases to run out. Where files cannot be locked, leases alone decide.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Presence"]

try:
    import fcntl
except ImportError:  # no file locks on this system: leases run out by themselves
    fcntl = None  # type: ignore[assignment]


class Presence:
    """One dispatcher's sign of life.

    Parameters
    ----------
    folder : Path
        Where the dispatchers of one data folder and one machine leave theirs: another machine's locks may
        not be seen here.
    name : str
        This dispatcher's id, which must make a file name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._path = folder / f"{name}.lock"
        self._handle: int | None = None

    def begin(self) -> None:
        """Show that this dispatcher lives, until `end` or its process's death."""
        if fcntl is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # a file system without locks: an open lock would look like a death
            self._path.unlink(missing_ok=True)
            os.close(handle)
        else:
            self._handle = handle

    def end(self) -> None:
        """Stop showing it."""
        if self._handle is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def dead(self) -> Iterator[str]:
        """Yield the names of dispatchers that died; each one's file is removed when the next is asked for."""
        if fcntl is None:
            return
        for path in sorted(self._folder.glob("*.lock")):
            if path == self._path:
                continue
            try:
                handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield path.stem
                path.unlink(missing_ok=True)
            except OSError:
                continue  # alive, or nothing can be said here
            finally:
                os.close(handle)
