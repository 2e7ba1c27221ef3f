"""The order store's seam: one transaction's view of everything that lasts.

No implementation but `oseo_lab.store`'s: an SQLite file in a temporary folder is the store of the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.messages import FilteringCriteria
from oseo_lab.model.order import (
    Attempt,
    Order,
    OrderItem,
    ProviderOrder,
    ResultFile,
    StatusChange,
)
from oseo_lab.model.reuse import Earlier
from oseo_lab.model.status import Status, Wanted
from oseo_lab.ports.desk import Desk
from oseo_lab.ports.notices import Callbacks, Notifications, Outbox, Sendings, Subscribers
from oseo_lab.ports.prices import Balances, Past, Quotations
from oseo_lab.ports.views import Shares, Views

__all__ = [
    "Account",
    "Accounts",
    "Events",
    "Items",
    "Matches",
    "OrderStore",
    "Orders",
    "ProviderOrders",
    "Results",
    "UnitOfWork",
]

T = TypeVar("T")


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

    def ids(self, owner: str, criteria: FilteringCriteria) -> list[str]:
        """Return the ids of the orders that `search` returns, for those who take them some at a time."""

    def save(self, order: Order) -> None:
        """Save status, wanted, next_ready and updated of an order, and raise its revision by one."""

    def forget_messages(self, before: datetime) -> int:
        """Forget MessageIDs of orders made before a moment; return how many."""

    def standing(self, order_type: OrderType, after: str = "", limit: int = 500) -> list[Order]:
        """Return open orders of a type (subscription or tasking), without items, by id, after an id."""

    def massive(self, after: str = "", limit: int = 500) -> list[Order]:
        """Return open orders whose reference is ``Massive order``, without items, by id, after an id."""


class ProviderOrders(Protocol):
    """The parts of orders that one provider fulfils."""

    def of(self, order_id: str) -> list[ProviderOrder]:
        """Return an order's provider orders."""

    def save(self, provider_order: ProviderOrder) -> None:
        """Save state, tracking id and times."""

    def open(self, limit: int = 500) -> list[ProviderOrder]:
        """Return provider orders of others than LOCAL that are not closed, oldest ``updated`` first."""

    def by_tracking(self, provider: str, tracking_id: str) -> ProviderOrder | None:
        """Return the provider order that a provider knows by this id."""


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

        Claimable: of provider LOCAL, Accepted or InProduction, wanted completed, not leased or with a lease
        that ran out before ``now``, and with no ``retry_at`` after ``now``. Each item is returned as leased
        to ``dispatcher``; no two calls, in whatever process, return the same item under one lease.
        """

    def claim_ended(
        self, dispatcher: str, limit: int, now: datetime, lease_until: datetime
    ) -> list[OrderItem]:
        """Lease open items that are wanted cancelled and that nobody (or this dispatcher) holds."""

    def wished(self, limit: int, now: datetime | None = None) -> list[OrderItem]:
        """Return items that nobody works on and of which their users want something else, oldest first.

        Of provider LOCAL: final with a ``retry_at`` (to be tried again); Accepted or InProduction, not held,
        wanted suspended (to be paused), with ``now`` also those with a lease that ran out before it;
        Suspended with a ``retry_at``, wanted completed (paused, to go on); and of an order that `want` was
        said of, one that waits, Suspended. They are returned until they are saved.
        """

    def is_any_due(self, now: datetime) -> bool:
        """Whether `claim` would find anything: asked of a snapshot, so that who looks holds up no writer."""

    def is_any_ended(self, dispatcher: str, now: datetime) -> bool:
        """Whether `claim_ended` would find anything."""

    def save(self, before: OrderItem, after: OrderItem) -> bool:
        """Save an item if its status and attempt (and lease owner) are still those of ``before``."""

    def save_many(self, changes: Sequence[tuple[OrderItem, OrderItem]]) -> list[bool]:
        """`save` for many items at once."""

    def renew(self, dispatcher: str, keys: Iterable[tuple[str, int]], lease_until: datetime) -> None:
        """Prolong the leases this dispatcher holds."""

    def in_work(self, order_id: str, now: datetime) -> list[OrderItem]:
        """Return an order's items that somebody holds, with a lease that has not run out."""

    def put_off(self, order_id: str, until: datetime) -> int:
        """Let no item of an order be claimed before a moment that nobody holds; return how many."""

    def release(self, dispatcher: str) -> int:
        """Free every item a dead dispatcher holds; return how many."""

    def add(self, items: Sequence[OrderItem]) -> None:
        """Add items to orders that are there already, with their first status changes (batches)."""

    def of_batch(self, order_id: str, batch: int, limit: int | None = None) -> list[OrderItem]:
        """Return the items of one batch of an order, in order."""

    def next_batch(self, order_id: str) -> int | None:
        """Return the lowest batch that has Suspended items; None where there is none."""

    def last_number(self, order_id: str) -> int:
        """Return the highest item number of an order."""

    def of_status(self, order_id: str, status: Status, after: int = 0, limit: int = 500) -> list[OrderItem]:
        """Return an order's items of one status with numbers above ``after``, in order."""

    def want(self, order_id: str, wanted: Wanted, now: datetime) -> int:
        """Set what is wanted of an order's open items; return how many were open."""

    def want_again(self, order_id: str, numbers: Iterable[int], wanted: Wanted, now: datetime) -> int:
        """Note that final items, of provider LOCAL, are to be tried again; return how many are new."""

    def wanted_of(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Wanted]:
        """Return what is wanted of these items, for the ones a dispatcher holds."""

    def keep_recipes(self, recipes: Iterable[tuple[tuple[str, int], str | None]]) -> None:
        """Note by which recipes delivered items were made; None where a result is not to be used again."""


class Results(Protocol):
    """Delivered files."""

    def add(self, files: Sequence[ResultFile]) -> None:
        """Save the files of one delivery; all of one delivery share a new ``sequence`` of their order."""

    def of(self, order_id: str, *, data_only: bool = False, number: int | None = None) -> list[ResultFile]:
        """Return an order's files (or one item's), by item number and name."""

    def file(self, order_id: str, number: int, name: str) -> ResultFile | None:
        """Return one file of the delivery that counts."""

    def last_sequence(self, order_id: str) -> int:
        """Return the sequence of an order's last delivery; 0 before the first."""

    def size(self, order_id: str) -> int:
        """Return the bytes of data files that an order has delivered; a package holds them again."""

    def earlier(self, owner: str, recipes: Iterable[str], at: datetime) -> dict[str, Earlier]:
        """Return an owner's newest kept result of each recipe that stays until ``at``, without its files."""

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

    def after(
        self,
        event_id: int,
        *,
        owner: str | None = None,
        shared_at: datetime | None = None,
        limit: int = 500,
    ) -> list[StatusChange]:
        """Return changes with a higher id, oldest first; with ``shared_at`` also of what is shared then."""

    def last_id(self) -> int:
        """Return the highest id given so far; 0 where there is none."""

    def of(self, order_id: str, number: int | None = None) -> list[StatusChange]:
        """Return an order's (or item's) history, oldest first."""

    def save_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Insert or complete attempts, by order, number and attempt."""

    def attempts(self, order_id: str, number: int | None = None) -> list[Attempt]:
        """Return an order's (or item's) attempts, oldest first."""


class Matches(Protocol):
    """Which products a subscription has had, each revision once."""

    def add(
        self, order_id: str, number: int, products: Sequence[tuple[str, str]], at: datetime | None = None
    ) -> list[bool]:
        """Remember products (identifier, revision) of a subscription's item; say of each if it is new."""

    def count_since(self, order_id: str, moment: datetime) -> int:
        """Return how many products joined an order from a moment on, of those added with ``at``."""

    def known(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], set[tuple[str, str]]]:
        """Return what several subscriptions' items (order id, number) have had."""

    def count(self, order_id: str, number: int) -> int:
        """Return how many products an item has had."""


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
    quotations: Quotations
    callbacks: Callbacks
    balances: Balances
    past: Past
    matches: Matches
    subscribers: Subscribers
    sendings: Sendings
    notifications: Notifications
    views: Views
    shares: Shares
    desk: Desk


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

    def when_news(self, told: Callable[[], None]) -> Callable[[], None]:
        """Have ``told`` called after each commit of this process that adds to the history.

        It is called by whoever writes, and must neither take time nor raise. Return what ends that.
        """

    def close(self) -> None:
        """Finish what is queued and let go of the database."""
