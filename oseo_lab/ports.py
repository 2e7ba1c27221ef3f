"""Every seam of the house, as a Protocol: what the pillars ask of the doors, and doors of plugins.

Six kinds of plugin (processor, delivery channel, catalogue, notifier, quoter, provider) are found by
entry point; the box uses the same groups as everyone else. Store, executor and workspace are the house's
own. Nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from oseo_lab.model.job import (
    CatalogueItem,
    DeliveredFile,
    FailureClass,
    ItemJob,
    JobEvent,
    Product,
)
from oseo_lab.model.messages import FilteringCriteria
from oseo_lab.model.options import OptionDefinition
from oseo_lab.model.order import (
    Attempt,
    Order,
    OrderItem,
    ProviderOrder,
    ResultFile,
    StatusChange,
)
from oseo_lab.model.status import Status, Wanted

__all__ = [
    "Account",
    "Accounts",
    "Catalogue",
    "CatalogueQuery",
    "DeliveryChannel",
    "Events",
    "Executor",
    "Inputs",
    "Items",
    "Notice",
    "OrderStore",
    "Orders",
    "Outbox",
    "ProcessingFailed",
    "Processor",
    "ProviderOrders",
    "Results",
    "UnitOfWork",
    "Workspace",
]

T = TypeVar("T")


# ---------------------------------------------------------------------------------------------- the store


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A SOAP client's account: who it is, whose orders it sees, how it proves itself.

    ``password_hash`` is argon2; ``digest_secret`` is the password encrypted with a key outside the store,
    for accounts that use PasswordDigest.
    """

    name: str
    owner: str
    password_hash: str
    digest_secret: bytes | None = None
    disabled: bool = False
    created: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One message owed to a user, waiting in the outbox."""

    order_id: str
    kind: str
    address: str
    body: Mapping[str, Any] = field(default_factory=dict)
    notice_id: int = 0
    attempts: int = 0
    due: datetime | None = None


class Orders(Protocol):
    """Orders without their items."""

    def add(self, order: Order) -> None:
        """Save a new order with its items, provider orders and first status changes."""

    def get(self, order_id: str, owner: str | None = None) -> Order | None:
        """Return an order without its items; None where it is unknown or another owner's."""

    def get_many(self, order_ids: Iterable[str]) -> dict[str, Order]:
        """Return several orders without their items, by id."""

    def by_message(self, owner: str, message_id: str) -> Order | None:
        """Return the order that a Submit with this MessageID made."""

    def revision(self, order_id: str, owner: str) -> int | None:
        """Return an order's revision by one indexed read; None where it is not the owner's."""

    def search(self, owner: str, criteria: FilteringCriteria, limit: int | None = None) -> list[Order]:
        """Return the owner's orders that match, without items, oldest first, ties by id."""

    def save(self, order: Order) -> None:
        """Save status, wanted, next_ready and updated of an order, and raise its revision by one."""

    def forget_messages(self, before: datetime) -> int:
        """Forget MessageIDs of orders made before a moment; return how many."""


class ProviderOrders(Protocol):
    """The parts of orders that one provider fulfils."""

    def of(self, order_id: str) -> list[ProviderOrder]:
        """Return an order's provider orders."""

    def save(self, provider_order: ProviderOrder) -> None:
        """Save state, tracking id and times."""


class Items(Protocol):
    """Order items: the truth about what is done."""

    def of(self, order_id: str, after: int = 0, limit: int | None = None) -> list[OrderItem]:
        """Return an order's items with numbers above ``after``, in order (so never number 0, a package)."""

    def get(self, order_id: str, number: int) -> OrderItem | None:
        """Return one item."""

    def counts(self, order_id: str) -> dict[Status, int]:
        """Count an order's items by status, in one query."""

    def claim(self, dispatcher: str, limit: int, now: datetime, lease_until: datetime) -> list[OrderItem]:
        """Lease up to ``limit`` items that can start, fast track first, then oldest first.

        Claimable: Accepted or InProduction, wanted completed, not leased or with a lease that ran out
        before ``now``, and with no ``retry_at`` after ``now``. Each item is returned as leased to
        ``dispatcher``; no two calls, in whatever process, return the same item under one lease.
        """

    def claim_ended(
        self, dispatcher: str, limit: int, now: datetime, lease_until: datetime
    ) -> list[OrderItem]:
        """Lease open items that are wanted cancelled and that nobody (or this dispatcher) holds."""

    def save(self, before: OrderItem, after: OrderItem) -> bool:
        """Save an item if its status and attempt (and lease owner) are still those of ``before``."""

    def save_many(self, changes: Sequence[tuple[OrderItem, OrderItem]]) -> list[bool]:
        """`save` for many items at once."""

    def renew(self, dispatcher: str, keys: Iterable[tuple[str, int]], lease_until: datetime) -> None:
        """Prolong the leases this dispatcher holds."""

    def release(self, dispatcher: str) -> int:
        """Free every item a dead dispatcher holds; return how many."""

    def want(self, order_id: str, wanted: Wanted, now: datetime) -> int:
        """Set what is wanted of an order's open items; return how many were open."""

    def wanted_of(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Wanted]:
        """Return what is wanted of these items, for the ones a dispatcher holds."""


class Results(Protocol):
    """Delivered files."""

    def add(self, files: Sequence[ResultFile]) -> None:
        """Save the files of one delivery; all of one delivery share a new ``sequence`` of their order."""

    def of(self, order_id: str, *, data_only: bool = False, number: int | None = None) -> list[ResultFile]:
        """Return an order's files (or one item's), by item number and name."""

    def file(self, order_id: str, number: int, name: str) -> ResultFile | None:
        """Return one file of the delivery that counts."""

    def fetched(self, file: ResultFile, ranges: Sequence[tuple[int, int]]) -> None:
        """Save which byte ranges of a file have been served, united."""

    def expired(self, now: datetime, limit: int) -> list[ResultFile]:
        """Return files whose time is over and that are still there."""

    def removed(self, files: Sequence[ResultFile]) -> None:
        """Mark files as removed."""


class Events(Protocol):
    """The status history, which is the event stream, and the attempts."""

    def add(self, changes: Sequence[StatusChange]) -> None:
        """Append status changes; their ids rise."""

    def after(self, event_id: int, *, owner: str | None = None, limit: int = 500) -> list[StatusChange]:
        """Return changes with a higher id, oldest first."""

    def last_id(self) -> int:
        """Return the highest id given so far; 0 where there is none."""

    def of(self, order_id: str, number: int | None = None) -> list[StatusChange]:
        """Return an order's (or item's) history, oldest first."""

    def save_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Insert or complete attempts, by order, number and attempt."""

    def attempts(self, order_id: str, number: int | None = None) -> list[Attempt]:
        """Return an order's (or item's) attempts, oldest first."""


class Outbox(Protocol):
    """Messages owed to users."""

    def add(self, notices: Sequence[Notice]) -> None:
        """Save notices in the transaction of the change they tell of."""

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> list[Notice]:
        """Lease notices that are due, in order per order."""

    def settle(self, notice: Notice, *, due: datetime | None) -> None:
        """Remove a notice that was sent (``due`` None), or keep it until ``due``."""


class Accounts(Protocol):
    """SOAP clients' accounts and the nonces they have used."""

    def get(self, name: str) -> Account | None:
        """Return one account."""

    def list(self) -> list[Account]:
        """Return all, by name."""

    def save(self, account: Account) -> None:
        """Insert or replace an account."""

    def use_nonce(self, nonce: bytes, created: datetime, keep_until: datetime) -> bool:
        """Remember a nonce; False if it was used before. Forgets those whose time is over."""


class UnitOfWork(Protocol):
    """One transaction's view of everything in the store."""

    orders: Orders
    provider_orders: ProviderOrders
    items: Items
    results: Results
    events: Events
    outbox: Outbox
    accounts: Accounts


class OrderStore(Protocol):
    """The durable order store: snapshots to read, one writer whose commits are grouped."""

    def read(self) -> AbstractContextManager[UnitOfWork]:
        """Open a snapshot; what it shows does not move while it is open."""

    def write(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run ``work`` on the one writer under a savepoint; return its result after a durable commit.

        Concurrent calls share a commit. What ``work`` raises is raised here, and only its own changes
        are undone.
        """

    def submit(self, work: Callable[[UnitOfWork], T]) -> Future[T]:
        """Queue ``work`` as `write` does and return at once; the future is done after the commit."""

    def close(self) -> None:
        """Finish what is queued and let go of the database."""


# ------------------------------------------------------------------------------------------- the executor


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


# --------------------------------------------------------------------------------------------- the plugins


class ProcessingFailed(Exception):
    """What plugins raise to say that an item cannot be made, and whether trying again may help.

    Parameters
    ----------
    reason : str
        One sentence for the user.
    retry : bool
        Whether the failure is transient.
    failure_class : FailureClass, optional
        More exactly why; TRANSIENT or PERMANENT by ``retry`` if not given.
    detail : str, optional
        For the operator.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool = False,
        failure_class: FailureClass | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        default = FailureClass.TRANSIENT if retry else FailureClass.PERMANENT
        self.failure_class = failure_class or default
        self.detail = detail

    def __reduce__(self) -> Any:
        return _failed, (self.reason, self.failure_class, self.detail)


def _failed(reason: str, failure_class: FailureClass, detail: str | None) -> ProcessingFailed:
    return ProcessingFailed(reason, failure_class=failure_class, detail=detail)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """The product to work from: what the catalogue says of it, and where its assets lie.

    ``paths`` holds, by asset name, what to open: a local path, or a URL of a scheme that the collection
    allows.
    """

    item: CatalogueItem
    paths: Mapping[str, str]


@runtime_checkable
class Processor(Protocol):
    """Makes products from inputs. Knows neither Dask, nor store, nor delivery."""

    options: Sequence[OptionDefinition]
    scene_options: Sequence[OptionDefinition]

    def __call__(self, item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
        """Make the item's files in the workspace.

        Raises
        ------
        ProcessingFailed
            If it cannot be made.
        """


@runtime_checkable
class DeliveryChannel(Protocol):
    """Puts an item's finished products where its user gets them."""

    def __call__(
        self, item: ItemJob, products: Sequence[Product], workspace: Workspace
    ) -> list[DeliveredFile]:
        """Deliver all products as one: complete under their final names, or not at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueQuery:
    """What to search for; everything given must hold.

    Parameters
    ----------
    geometry : mapping or None
        GeoJSON geometry the footprint intersects; EPSG:4326.
    bbox : tuple of float or None
        West, south, east, north; EPSG:4326, degrees.
    start, end : datetime or None
        Acquisition between, both inclusive, UTC.
    text : str or None
        Words found in the identifier, title or description.
    filters : mapping
        Property name to wanted value, or to ``{"lt": …, "lte": …, "gt": …, "gte": …, "eq": …}``.
    limit : int
        Most products in one answer.
    cursor : str or None
        Where the last answer ended.
    """

    geometry: Mapping[str, Any] | None = None
    bbox: tuple[float, float, float, float] | None = None
    start: datetime | None = None
    end: datetime | None = None
    text: str | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    limit: int = 100
    cursor: str | None = None


class Catalogue(Protocol):
    """Says what can be ordered and where it lies.

    Made once per collection, as ``Plugin(collection_id, settings)``.
    """

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Return the products that exist, by identifier."""

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Return matching products, newest first, and a cursor for more (None at the end)."""


class Notifier(Protocol):
    """Sends one notice to its user."""

    def __call__(self, notice: Notice) -> None:
        """Send it, or raise: it is tried again later."""


class Quoter(Protocol):
    """Prices an order."""

    def __call__(self, order: Order, history: Mapping[str, Any]) -> Any:
        """Return the quotation."""


class Provider(Protocol):
    """Fulfils provider orders elsewhere; runs on the server, from the dispatch loop."""

    def submit(self, order: Order, items: Sequence[OrderItem]) -> str:
        """Pass the items on; return the provider's tracking id."""

    def cancel(self, provider_order: ProviderOrder) -> None:
        """Ask for cancellation."""

    def poll(self, provider_order: ProviderOrder) -> Sequence[StatusChange]:
        """Return what has changed there."""

    def quote(self, order: Order, items: Sequence[OrderItem]) -> Any:
        """Ask what the items would cost."""
