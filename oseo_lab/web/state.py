"""What all doors share: the services once they are there, threads to work in, answers worth keeping.

Made by `oseo_lab.extension` before the services exist; `arrive` or `fail` is called when the start is over.
Imports nothing heavy.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from oseo_lab.model.errors import Unavailable
from oseo_lab.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from oseo_lab.model.collection import Collection
    from oseo_lab.model.job import Progress
    from oseo_lab.operations.context import Context
    from oseo_lab.ports import Catalogue, OrderStore
    from oseo_lab.web.credentials import Credentials
    from oseo_lab.web.hub import Hub

__all__ = ["STATE", "KeptAnswers", "Services", "State"]

T = TypeVar("T")

#: Where the web application's settings keep the doors' `State`.
STATE = "oseo_lab_state"
#: Seconds a request waits for a service that is starting, before it is told to come again.
PATIENCE = 2.0
#: Requests worked on at once; those that only wait for a commit share it.
WORKERS = 16
#: Slow errands (catalogues elsewhere) at once, so that they never take the workers.
ERRANDS = 4
#: Password checks at once, and how many may wait for one.
PASSWORDS = 2
WAITING_PASSWORDS = 64
#: A message longer than this, in bytes, becomes hundreds of megabytes of values: so many at a time.
LONG_MESSAGE = 1024 * 1024
LONG_AT_ONCE = 2
#: A longer answer, in bytes, is neither kept nor held: it is sent while it is read.
LONGEST = 1024 * 1024
#: Such answers at a time, of all and of one owner: each holds a snapshot of the store.
LONG_ANSWERS = 16
LONG_ANSWERS_OF_ONE = 4
#: Bytes of all bodies that are held at a time.
MOST_HELD = 256 * 1024 * 1024


class Forwarding(Protocol):
    """What follows items that are made elsewhere, as far as the doors use it."""

    def knows(self, relates_to: str) -> bool:
        """Say whether a provider was asked under this MessageID."""

    def hint(self, relates_to: str) -> None:
        """Ask that provider at once."""


class Services(Protocol):
    """What `oseo_lab.wiring` builds, as far as the doors use it."""

    settings: Settings
    store: OrderStore
    collections: Mapping[str, Collection]
    dispatcher: Any
    progress_listeners: list[Callable[[str, int, Progress], None]]

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock, UTC."""

    @property
    def instance(self) -> str:
        """A name of this service that outlives its restarts."""

    @property
    def forwarding(self) -> Forwarding:
        """What follows items that are made elsewhere."""

    def checks_values(self, collection_id: str) -> bool:
        """Whether a collection's processor looks at values when they are ordered."""

    def catalogue(self, collection_id: str) -> Catalogue:
        """Return a collection's catalogue."""

    def context(
        self,
        owner: str | None,
        *,
        url: str,
        message_id: str | None = None,
        reply_to: str | None = None,
        soap_version: str = "1.2",
    ) -> Context:
        """Return the surroundings of one request."""

    def is_operator(self, owner: str | None) -> bool:
        """Say whether an owner may do what operators do."""

    def sign(self, path: str, expires: int) -> str:
        """Sign a path until a time."""

    def verify(self, path: str, expires: int, signature: str) -> bool:
        """Say whether a signature is ours."""


class KeptAnswers:
    """Answers as bytes, each for one revision of one order; the least used go first.

    Parameters
    ----------
    limit : int
        Most bytes kept.
    longest : int
        Longest answer kept, bytes.
    """

    def __init__(self, limit: int = 32 * 1024 * 1024, longest: int = LONGEST) -> None:
        self._limit = limit
        self._longest = longest
        self._size = 0
        self._answers: OrderedDict[tuple[str, ...], tuple[int, bytes]] = OrderedDict()

    def get(self, key: tuple[str, ...], revision: int) -> bytes | None:
        """Return the answer kept for this very revision."""
        kept = self._answers.get(key)
        if kept is None or kept[0] != revision:
            return None
        self._answers.move_to_end(key)
        return kept[1]

    def put(self, key: tuple[str, ...], revision: int, answer: bytes) -> None:
        """Keep an answer, in place of the one of an older revision."""
        older = self._answers.pop(key, None)
        if older is not None:
            self._size -= len(older[1])
        if len(answer) > self._longest:
            return
        self._answers[key] = (revision, answer)
        self._size += len(answer)
        while self._size > self._limit:
            _, (_, dropped) = self._answers.popitem(last=False)
            self._size -= len(dropped)


class State:
    """The doors' common ground.

    Parameters
    ----------
    settings : Settings
        What the operator settled; known before anything is built.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.kept = KeptAnswers()
        self.credentials: Credentials | None = None
        self.hub: Hub | None = None
        self.reads_block = settings.database_url.startswith("postgres")
        self._services: Services | None = None
        self._failure: str | None = None
        self._over = asyncio.Event()
        self._workers = ThreadPoolExecutor(WORKERS, "oseo-door")
        self._errands = ThreadPoolExecutor(ERRANDS, "oseo-errand")
        self._passwords = ThreadPoolExecutor(PASSWORDS, "oseo-password")
        self._waiting = 0
        self._long = asyncio.Semaphore(LONG_AT_ONCE)
        self._held = 0
        self._readers: Counter[str] = Counter()

    def hold(self, size: int) -> bool:
        """Count bytes of a body that is kept; say whether there is room for them."""
        if self._held + size > MOST_HELD:
            return False
        self._held += size
        return True

    def let_go(self, size: int) -> None:
        """Count bytes of a body whose request is over."""
        self._held -= size

    def turn(self, size: int) -> AbstractAsyncContextManager[None]:
        """Return what to enter for working on a message of so many bytes: long ones wait their turn."""
        return self._long if size > LONG_MESSAGE else nullcontext()

    @contextmanager
    def reading_long(self, owner: str) -> Iterator[None]:
        """Count a long answer while it is sent.

        Raises
        ------
        Unavailable
            If too many are being sent already.
        """
        if self._readers.total() >= LONG_ANSWERS or self._readers[owner] >= LONG_ANSWERS_OF_ONE:
            raise Unavailable("many long answers are being read; try again when one of yours is at its end")
        self._readers[owner] += 1
        try:
            yield
        finally:
            self._readers[owner] -= 1
            self._readers += Counter()  # those of nobody are forgotten

    def arrive(self, services: Services, credentials: Credentials, hub: Hub) -> None:
        """Open the doors; called on the loop."""
        self.credentials = credentials
        self.hub = hub
        self._services = services
        self._over.set()

    def fail(self, reason: str) -> None:
        """Answer every request with the reason from now on; called on the loop."""
        self._failure = reason
        self._over.set()

    async def services(self) -> Services:
        """Return the services, waiting a moment for a start that is not over.

        Raises
        ------
        Unavailable
            If they are still starting, or could not be started.
        """
        if self._services is not None:
            return self._services
        if self._failure is None:
            try:
                await asyncio.wait_for(self._over.wait(), PATIENCE)
            except TimeoutError:
                raise Unavailable("the ordering service is starting; try again in a moment") from None
        if self._services is None:
            raise Unavailable(
                f"the ordering service could not be started: {self._failure}; see the server's log"
            )
        return self._services

    async def work(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run ordinary code in one of the doors' threads."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, function, *arguments)

    async def errand(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run code that asks somebody elsewhere and may take long."""
        return await asyncio.get_running_loop().run_in_executor(self._errands, function, *arguments)

    async def check_password(self, name: str, password: str) -> str:
        """Return the owner behind a name and password; two are checked at once.

        Raises
        ------
        NotAuthenticated
            If they do not belong together.
        Unavailable
            If too many wait to be checked.
        """
        await self.services()
        assert self.credentials is not None
        owner = await self.work(self.credentials.remembered, name, password)
        if owner is not None:
            return owner
        if self._waiting >= WAITING_PASSWORDS:
            raise Unavailable("too many passwords are being checked; try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._passwords, self.credentials.check_password, name, password
            )
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Let listeners go and close the doors; what the threads have in hand they finish."""
        if self.hub is not None:
            await self.hub.close()
        for pool in (self._passwords, self._errands, self._workers):
            pool.shutdown(wait=False, cancel_futures=True)
        self._services, self._failure = None, "it is stopping"
