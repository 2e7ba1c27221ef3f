"""What users are told: four members of the order store's seam, and what lies in them.

A notice waits in the outbox from the transaction that owes it until it is sent; each try leaves a line in the
delivery log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from oseo_lab.model.notifications import Subscriber
from oseo_lab.model.notify import Notification
from oseo_lab.model.order import Callback

__all__ = [
    "MOST_SKIPPED",
    "Callbacks",
    "Notice",
    "Notifications",
    "Outbox",
    "Sending",
    "Sendings",
    "Subscribers",
]

#: Most addresses that one claim of notices passes over.
MOST_SKIPPED = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One message owed to a user, waiting in the outbox.

    Parameters
    ----------
    order_id : str
        What it tells of: an order, or a quotation. Notices of one such thing to one address go out in order.
    kind : str
        Which notifier sends it: a `CallbackKind`, or ``Notify``.
    address : str
        Where to.
    body : mapping
        What the notifier needs to write it; plain, as JSON can hold it.
    notice_id : int
        Rises; never used twice.
    attempts : int
        Tries so far, the present one counted.
    due : datetime or None
        Next try, UTC; None for at once.
    """

    order_id: str
    kind: str
    address: str
    body: Mapping[str, Any] = field(default_factory=dict)
    notice_id: int = 0
    attempts: int = 0
    due: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """One line of the delivery log: a try at sending a notice; ``outcome`` is ``sent``, or why not.

    ``body`` is kept with the last try of a notice, so that it can be sent again.
    """

    order_id: str
    kind: str
    address: str
    at: datetime
    attempt: int
    outcome: str
    notice_id: int = 0
    is_last: bool = False
    body: Mapping[str, Any] | None = None


class Callbacks(Protocol):
    """Whom to tell about orders."""

    def add(self, order_id: str, callback: Callback) -> None:
        """Save one; a second one of its kind replaces the first."""

    def of_many(self, order_ids: Iterable[str]) -> dict[str, list[Callback]]:
        """Return the callbacks of several orders; orders without any are left out."""


class Subscribers(Protocol):
    """Consumers of order events (WS-Notification)."""

    def add(self, subscriber: Subscriber) -> None:
        """Save one, and forget those whose time is over by then."""

    def get(self, reference: str) -> Subscriber | None:
        """Return one by its reference."""

    def of(self, owner: str, now: datetime) -> list[Subscriber]:
        """Return an owner's, those whose time is not over."""

    def remove(self, reference: str) -> None:
        """Forget one."""


class Notifications(Protocol):
    """Who is told of orders by mail or webhook."""

    def save(self, notification: Notification) -> None:
        """Insert or replace one."""

    def of_many(self, order_ids: Iterable[str]) -> dict[str, list[Notification]]:
        """Return the notifications of several orders, oldest first; orders without any are left out."""

    def remove(self, order_id: str, notification_id: str) -> bool:
        """Forget one; False where it is not there."""

    def expiring(self, soon: datetime, until: datetime) -> list[tuple[Notification, int, datetime]]:
        """Return who is to be warned of deliveries that expire by ``soon``, and were not.

        With how many of them expire by ``until``, and when the first one does.
        """

    def warned(self, notification: Notification, until: datetime) -> bool:
        """Note that it is warned of what expires by ``until``; False where somebody else did."""


class Sendings(Protocol):
    """The delivery log of notices."""

    def add(self, sendings: Sequence[Sending]) -> None:
        """Append lines."""

    def of(self, order_id: str, limit: int = 1000) -> list[Sending]:
        """Return the newest lines of one order or quotation, oldest first, each with its body."""

    def last(self, order_id: str, notice_id: int) -> Sending | None:
        """Return the last line of a notice that is sent or given up."""


class Outbox(Protocol):
    """Messages owed to users."""

    def add(self, notices: Sequence[Notice]) -> None:
        """Save notices in the transaction of the change they tell of."""

    def claim(
        self, limit: int, now: datetime, lease_until: datetime, skip: Sequence[str] = ()
    ) -> list[Notice]:
        """Lease notices that are due, in order per order; none to the first `MOST_SKIPPED` of ``skip``."""

    def is_any_due(self, now: datetime, skip: Sequence[str] = ()) -> bool:
        """Whether `claim` would find anything: asked of a snapshot, so that who looks holds up no writer."""

    def settle(self, notice: Notice, *, due: datetime | None) -> None:
        """Remove a notice that was sent (``due`` None), or keep it, with its attempts, until ``due``."""

    def amend(self, notice: Notice) -> bool:
        """Save body and due of a notice that was not tried yet; False where it was, or is gone."""

    def waiting(self, order_id: str) -> list[Notice]:
        """Return an order's (or quotation's) notices that are not sent yet, oldest first."""
