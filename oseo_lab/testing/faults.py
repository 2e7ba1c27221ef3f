"""What goes wrong in a test service, and when: said by a test before or while it happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import FailureClass, ItemJob

__all__ = ["CATALOGUE", "Fault", "Faults"]

#: What is said of a catalogue that does not answer.
CATALOGUE = "the catalogue does not answer; this is tried again"
#: What is said of items whose worker died, as Dask's executor says it.
DIED = "the worker died"


@dataclass
class Fault:
    """One thing that goes wrong: for which items, how, and how often."""

    item: str | int | None
    failure_class: FailureClass
    reason: str
    times: int | None

    def is_of(self, job: ItemJob) -> bool:
        """Whether it is of this job's item: by product identifier or number; None is any item."""
        return _is_of(self.item, job)


def _is_of(item: str | int | None, job: ItemJob) -> bool:
    identifier = job.product.identifier if job.product is not None else None
    return item is None or item in (job.number, identifier)


class Faults:
    """What a test lets go wrong. Items are named by product identifier or by number; None is all.

    Nothing goes wrong by itself; `clear` ends everything.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._faults: list[Fault] = []
        self._slow: list[str | int | None] = []
        self.is_parking = False
        self.is_catalogue_down = False

    # ---------------------------------------------------------------------------------------- for tests

    def fail(
        self,
        item: str | int | None = None,
        *,
        times: int | None = 1,
        reason: str = "the test says so",
        retry: bool = True,
        failure_class: FailureClass | None = None,
    ) -> None:
        """Let items fail.

        Parameters
        ----------
        item : str, int or None
            Product identifier, or number of the item in its order.
        times : int or None
            How often; None for ever.
        reason : str
            What the user reads.
        retry : bool
            Whether it may pass: then the service tries again by itself, when the clock has moved.
        failure_class : FailureClass, optional
            More exactly why.

        Examples
        --------
        Item 2 fails twice, then succeeds::

            oseo_server.faults.fail(2, times=2)
        """
        if times is not None and times < 1:
            raise ValidationError(f"times={times} is not allowed; allowed: 1, 2, ..., None", locator="times")
        usual = FailureClass.TRANSIENT if retry else FailureClass.PERMANENT
        self._add(Fault(item, failure_class or usual, reason, times))

    def worker_dies(self, item: str | int | None = None, *, times: int | None = 1) -> None:
        """Let the worker die that makes an item."""
        self._add(Fault(item, FailureClass.TRANSIENT, DIED, times))

    def slow(self, item: str | int | None = None) -> None:
        """Let items begin and stay half done, InProduction, until `release`."""
        with self._changed:
            self._slow.append(item)

    def release(self) -> None:
        """Let what is slow go on."""
        with self._changed:
            self._slow.clear()
            self._changed.notify_all()

    @contextmanager
    def catalogue_down(self) -> Iterator[None]:
        """Let no catalogue answer in this block."""
        self.is_catalogue_down = True
        try:
            yield
        finally:
            self.is_catalogue_down = False

    @contextmanager
    def everything_fails(self, reason: str) -> Iterator[None]:
        """Let every item fail for good that is begun in this block."""
        fault = Fault(None, FailureClass.PERMANENT, reason, None)
        with self._changed:
            self._faults.insert(0, fault)
        try:
            yield
        finally:
            with self._changed:
                self._faults.remove(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._changed:
            self._faults.clear()
        self.is_parking = self.is_catalogue_down = False
        self.release()

    # ------------------------------------------------------------------------------------- for the service

    def take(self, job: ItemJob) -> Fault | None:
        """Return what goes wrong with a job now, and count it."""
        with self._changed:
            for fault in self._faults:
                if fault.is_of(job):
                    if fault.times is not None:
                        fault.times -= 1
                        self._faults = [each for each in self._faults if each.times != 0]
                    return fault
        return None

    def is_slow(self, job: ItemJob) -> bool:
        """Whether a job is to stay half done."""
        return any(_is_of(item, job) for item in self._slow)

    def wait(self, seconds: float) -> None:
        """Wait for a release, so long at most."""
        with self._changed:
            self._changed.wait(seconds)

    def _add(self, fault: Fault) -> None:
        with self._changed:
            self._faults.append(fault)
