"""How far a download is, counted by the threads that fetch, told by the one that waits."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from oseo_lab.client import display
from oseo_lab.client.part import FileTask

__all__ = ["Tally"]


class Tally:
    """What is here of some files; and whether to stop.

    Parameters
    ----------
    tasks : sequence of FileTask
        The files.

    Attributes
    ----------
    done, total : int
        Bytes that are here, and those there will be, as far as they are told.
    stop : threading.Event
        Set when nobody wants the rest any more.
    """

    def __init__(self, tasks: Sequence[FileTask]) -> None:
        self.stop = threading.Event()
        self.done = 0
        self.total = sum(each.size or 0 for each in tasks)
        self._files = len(tasks)
        self._is_promised = all(each.sha256 for each in tasks)
        self._lock = threading.Lock()
        self._came = 0
        self._kept = 0
        self._resumed: list[float] = []

    def add(self, count: int) -> None:
        """Count bytes; fewer than none where some are fetched anew."""
        with self._lock:
            self.done += count

    def came(self, count: int) -> None:
        """Count bytes that came now."""
        with self._lock:
            self.done += count
            self._came += count

    def kept(self, size: int | None) -> None:
        """Count a file that was here and right."""
        with self._lock:
            self.done += size or 0
            self._kept += 1

    def resumed(self, count: int, size: int | None) -> None:
        """Count the bytes that an earlier run left of a file."""
        with self._lock:
            self.done += count
            if count:
                self._resumed.append(count / size if size else 0.0)

    def story(self, here: int, failed: int, running: float | None) -> str:
        """Return how far all is: ``3 of 4 files · 233.0 MB of 310.0 MB · 41.0 MB/s · 1 resumed at 62 %``.

        Parameters
        ----------
        here, failed : int
            Files that are here, and those that will not come.
        running : float or None
            For how many seconds already; None at the end.
        """
        with self._lock:
            done, came, kept, resumed = self.done, self._came, self._kept, list(self._resumed)
        is_all = done == self.total or not self.total
        share = f" at {100 * resumed[0]:.0f} %" if len(resumed) == 1 and resumed[0] else ""
        parts = {
            f"{here} of {self._files} files": True,
            display.size(done) + ("" if is_all else f" of {display.size(self.total)}"): True,
            f"{display.size(came / max(running or 0, 0.01))}/s": came and (running or 0) >= 0.5,
            f"{kept} here already": kept,
            f"{len(resumed)} resumed{share}": resumed,
            f"{failed} failed": failed,
            "all verified (SHA-256)": running is None and not failed and self._is_promised,
        }
        return " · ".join(part for part, is_so in parts.items() if is_so)
