"""What goes wrong in a test service, and when: said by a test before or while it happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from oseo_lab.model.archive import Offline
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import CatalogueItem, FailureClass, ItemJob

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
        self._archived: dict[str | int | None, tuple[float, datetime | None]] = {}
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

    def archived(self, item: str | int | None = None, *, hours: float = 4.0) -> None:
        """Let products lie in an archive, which restores them so many hours after they were first ordered.

        Until then their items wait, which is no failure: `OseoServer.advance` brings them on.

        Examples
        --------
        The scene is there when the clock has moved::

            oseo_server.faults.archived("TEST_002", hours=4)
            order = my_script()
            oseo_server.advance(hours=5)
        """
        if not 0 < hours <= 10_000:
            raise ValidationError(
                f"hours={hours!r} is not allowed; allowed: above 0 to 10000", locator="hours"
            )
        with self._changed:
            self._archived[item] = (hours * 3600, None)

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
            self._archived.clear()
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

    def restoring(self, job: ItemJob, now: datetime) -> float | None:
        """Return how long a restore takes, seconds, if a job's product is not there yet; asks for it."""
        with self._changed:
            for item, (takes, asked) in self._archived.items():
                if _is_of(item, job):
                    since = asked or now
                    self._archived[item] = takes, since
                    return takes if now < since + timedelta(seconds=takes) else None
        return None

    def offline(self, product: CatalogueItem, now: datetime) -> CatalogueItem:
        """Return a product as the catalogue tells of it: offline, if it lies in an archive."""
        with self._changed:
            takes, asked = self._archived.get(product.identifier) or self._archived.get(None) or (0.0, None)
        if not takes or (asked is not None and now >= asked + timedelta(seconds=takes)):
            return product
        return replace(product, offline=Offline(usually=takes, is_asked=asked is not None))

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
