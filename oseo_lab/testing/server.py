"""A service for tests: in this process, on loopback, with a clock to move and faults to inject.

It is the service of `oseo_lab.at_home`, real to the last door; only that nothing is done by a timetable: what
the world outside would bring (new products, quotations, expiry, messages) is looked after in `settle`.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

from oseo_lab.at_home.clock import Clock
from oseo_lab.at_home.service import HomeService
from oseo_lab.client import Lab, connect
from oseo_lab.model.errors import ConfigurationError, Unavailable, WaitTimeout
from oseo_lab.model.job import CatalogueItem, JobEvent
from oseo_lab.ports import Catalogue, CatalogueQuery, ProcessingFailed
from oseo_lab.store import open_store
from oseo_lab.testing.executor import WatchedExecutor
from oseo_lab.testing.faults import CATALOGUE, Faults
from oseo_lab.testing.scenes import write_collections, write_scene
from oseo_lab.wiring import Services

__all__ = ["OseoServer"]

#: Seconds in which everything must have come to rest.
PATIENCE = 60.0
#: How far the clock moves first.
FIRST_STEP = timedelta(seconds=6)
#: Seconds between looks at what is still moving.
LOOK = 0.005


class OseoServer(HomeService):
    """A service for tests, from `start` to `close`; also ``with OseoServer() as server:``.

    Parameters
    ----------
    collections : Path, optional
        Folder of collection files; small scenes of its own (``test-scenes``, ``test-desk``) without one.
    data_dir : Path, optional
        Where orders and results are kept; a temporary folder without one.
    settings : mapping, optional
        Further settings, by name (`oseo_lab.settings.Settings`).

    Attributes
    ----------
    url, token : str
        Where it is, and who says it is the owner.
    faults : Faults
        What goes wrong.
    clock : Clock
        Which time it is for the service.
    """

    def __init__(
        self,
        collections: Path | None = None,
        *,
        data_dir: Path | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self._own = tempfile.TemporaryDirectory(prefix="oseo_lab-testing-") if collections is None else None
        folder = collections or write_collections(Path(self._own.name if self._own else "") / "collections")
        self.collections_dir = folder
        self.faults = Faults()
        super().__init__(folder, data_dir=data_dir, settings=settings)
        self._labs: list[Lab] = []
        self._passed = threading.Condition()
        self._passes = 0
        self._heard = 0
        self._moving = threading.Lock()
        self._stepping = threading.Lock()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _executor(self) -> WatchedExecutor:
        self.watched = WatchedExecutor(self.faults, self.clock)
        return self.watched

    def start(self) -> Self:
        """Open the doors; see `HomeService.start`."""
        if not self.settings.database_url:
            _lay_store(self.settings.data_dir / "orders.sqlite")
        super().start()
        return self

    def close(self) -> None:
        """Close the doors and end the work."""
        self.faults.clear()
        for lab in self._labs:
            lab.close()
        super().close()
        if self._own is not None:
            self._own.cleanup()

    def restart(self) -> None:
        """Stop the service and start it again, on what it has stored and at the same address."""
        self.faults.release()
        self.stop()
        self.start()

    def _begin(self, services: Services) -> None:
        """Begin with what is done at once; the rest waits for `settle`."""
        ask = services.plugins.catalogue
        self._replace(
            services.plugins, "catalogue", lambda name: _Guarded(ask(name), self.faults, self.clock)
        )
        self._heard = 0
        self._replace(services.dispatcher, "step", self._alone(self._counted(services.dispatcher.step)))
        self._replace(services.relay, "step", self._alone(services.relay.step))
        services.dispatcher.start()
        if self.settings.callbacks:
            services.relay.start()

    @staticmethod
    def _replace(thing: object, name: str, by: Callable[..., Any]) -> None:
        """Put something else in the place of a method of one object."""
        setattr(thing, name, by)

    # ------------------------------------------------------------------------------------------- for users

    @property
    def soap(self) -> str:
        """The SOAP endpoint."""
        return f"{self.url}oseo/"

    @property
    def headers(self) -> dict[str, str]:
        """Headers by which any HTTP client is known."""
        return {"Authorization": f"token {self.token}"}

    @property
    def lab(self) -> Lab:
        """A client of its owner's, over HTTP."""
        if not self._labs:
            self._labs.append(connect(self.url, self.token))
        return self._labs[0]

    def publish(self, identifier: str, time: datetime | None = None) -> None:
        """Let a new product appear; subscriptions hear of it in the next `settle`.

        Parameters
        ----------
        identifier : str
            ``TEST_`` and digits.
        time : datetime, optional
            Of its acquisition, UTC; the service's now without one.

        Raises
        ------
        ConfigurationError
            If the collections are not the test service's own.
        """
        if self._own is None:
            raise ConfigurationError("publish() writes scenes into the test service's own collections only")
        moment = (time or self.clock()).astimezone(UTC).replace(tzinfo=None)
        write_scene(self.collections_dir, identifier, moment - timedelta(hours=10))

    def advance(self, **by: float) -> datetime:
        """Move the service's clock (``hours=1``, ``days=30``, as `datetime.timedelta`), then `settle`.

        Quotations lapse, results expire, retries come due, subscriptions look again. It moves in growing
        steps, each of which is settled: what follows from one another has its time.
        """
        left, step = timedelta(**by), FIRST_STEP
        while left > step:
            self.clock.advance(step)
            self.settle()
            left, step = left - step, 2 * step
        now = self.clock.advance(left)
        self.settle()
        return now

    def settle(self, timeout: float = PATIENCE) -> None:
        """Return when nothing moves any more, but what a fault or a later time holds.

        Raises
        ------
        WaitTimeout
            If something still moves after so many seconds.
        """
        end = time.monotonic() + timeout
        with self._stepping:
            while True:
                moved = self._look_after(end)
                self._pass(end)  # what it waits for may have begun before
                self._pass(end)
                if not moved and self._is_quiet():
                    return
                if time.monotonic() > end:
                    raise WaitTimeout(f"{self.watched.busy} items still move after {timeout:g} s")
                time.sleep(LOOK)

    # ----------------------------------------------------------------------------------------- coming to rest

    def _look_after(self, end: float) -> int:
        """Do what is done by a timetable elsewhere; return how much that was."""
        services, now = self.services, self.clock()
        services.calendar.stir()
        moved = 0
        try:
            moved += services.clockwork.step()
            moved += services.quoting.step(now)
            moved += services.forwarding.step()
            moved += services.sweeper.expire()
        except Unavailable:
            moved += 1
        if self.settings.callbacks:
            services.relay.wake()
            services.relay.settled(max(0.0, end - time.monotonic()))
        return moved

    def _alone(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Let nobody look while something is claimed that is not begun yet."""

        def alone(*arguments: Any, **options: Any) -> Any:
            with self._moving:
                return step(*arguments, **options)

        return alone

    def _counted(self, step: Callable[..., None]) -> Callable[..., None]:
        """Count passes, and what they heard of workers; a pass that fails hears it again."""

        def counted(events: Sequence[JobEvent] = (), **options: Any) -> None:
            try:
                step(events, **options)
                self._heard += len(events)
            finally:
                with self._passed:
                    self._passes += 1
                    self._passed.notify_all()

        return counted

    def _pass(self, end: float) -> None:
        """Let the dispatcher make a pass, and wait for its end."""
        with self._passed:
            before = self._passes
            self.services.dispatcher.wake()
            self._passed.wait_for(lambda: self._passes > before, max(0.0, end - time.monotonic()))

    def _is_quiet(self) -> bool:
        with self._moving:
            return self._is_at_rest()

    def _is_at_rest(self) -> bool:
        """Whether all that workers said is recorded, and nothing else is under way or due."""
        services, now = self.services, self.clock()
        dispatcher, watched = services.dispatcher, self.watched
        if watched.busy or self._heard != watched.told or dispatcher.in_flight != watched.resting:
            return False
        if not services.relay.settled(0):
            return False
        with services.store.read() as snapshot:
            items = snapshot.items
            if items.is_any_due(now) or items.wished(1, now) or items.is_any_ended(dispatcher.name, now):
                return False
            return not (self.settings.callbacks and snapshot.outbox.is_any_due(now, ()))


@cache
def _empty_store() -> bytes:
    """Return an empty order store of today's revision: made once, as that takes longer than most tests."""
    with tempfile.TemporaryDirectory(prefix="oseo_lab-testing-") as folder:
        path = Path(folder) / "orders.sqlite"
        open_store(f"sqlite:///{path}").close()
        return path.read_bytes()


def _lay_store(path: Path) -> None:
    """Put an empty store where there is none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(_empty_store())


class _Guarded:
    """A catalogue that does not answer while a fault says so, and whose products lie where faults say."""

    def __init__(self, catalogue: Catalogue, faults: Faults, clock: Clock) -> None:
        self._catalogue = catalogue
        self._faults = faults
        self._clock = clock

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        found = self._asked.find(identifiers)
        return {name: self._faults.offline(each, self._clock()) for name, each in found.items()}

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        found, cursor = self._asked.search(query)
        return [self._faults.offline(each, self._clock()) for each in found], cursor

    @property
    def _asked(self) -> Catalogue:
        if self._faults.is_catalogue_down:
            raise ProcessingFailed(CATALOGUE, retry=True)
        return self._catalogue

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalogue, name)
