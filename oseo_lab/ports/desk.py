"""What operators see and decide: a member of the order store's seam.

Each question is answered from an index or from few rows, whatever the store holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from oseo_lab.model.approval import Approval
from oseo_lab.model.desk import Announcement, Queue, WaitingOrder
from oseo_lab.model.order import OrderItem
from oseo_lab.model.status import Status

__all__ = ["Desk", "Held"]


@dataclass(frozen=True, slots=True)
class Held:
    """An item that somebody works on, or has it wait: which, where it stands, and since when."""

    order_id: str
    number: int
    status: Status
    updated: datetime | None


class Desk(Protocol):
    """Decisions of operators, items in work, failures of a day, conditions of collections, announcements."""

    def waiting(self, limit: int) -> list[WaitingOrder]:
        """Return the orders that wait for approval, oldest first."""

    def count_waiting(self, most: int) -> int:
        """Count them, up to ``most``."""

    def decide(self, order_id: str, approval: Approval, now: datetime) -> bool:
        """Save what was decided of an order that waits; False where it does not (any more)."""

    def decided(self, limit: int) -> list[str]:
        """Return orders that were decided, oldest first, and have items that were not moved accordingly."""

    def in_work(self, most: int) -> list[Held]:
        """Return the items that somebody holds, of ``most`` looked at."""

    def items(self, keys: Iterable[tuple[str, int]]) -> list[OrderItem]:
        """Return items that somebody holds, by order id and number."""

    def queue(self, most: int) -> Queue:
        """Return how many items could be made now, up to ``most``, and since when the next one waits."""

    def set_free(self, order_id: str, numbers: Iterable[int], now: datetime) -> list[OrderItem]:
        """Take open items from whoever holds them, so that they can be claimed at once; return those."""

    def quotations_waiting(self, most: int) -> int:
        """Count the quotations that a person must answer, up to ``most``."""

    def count_failures(self, day: date, kinds: Mapping[str, int]) -> None:
        """Add to the failures of a day, by class."""

    def failures(self, day: date) -> dict[str, int]:
        """Return how many items failed on a day, by class; the most first."""

    def is_working(self, collection_ids: Iterable[str]) -> None:
        """Note that items of these collections were made."""

    def is_failing(self, reasons: Mapping[str, str], now: datetime) -> None:
        """Note that an item of these collections could not be made, and why."""

    def failing(self) -> dict[str, tuple[str, datetime]]:
        """Return the collections whose last item could not be made: why, and when."""

    def announce(self, announcement: Announcement | None, author: str, now: datetime) -> None:
        """Tell users something in place of what was told before; None: nothing any more."""

    def announcement(self, now: datetime) -> Announcement | None:
        """Return what users are told now."""
