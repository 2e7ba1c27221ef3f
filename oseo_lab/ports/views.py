"""What is shown of orders at a glance, and who else may see them: two members of the order store's seam.

Reading for displays is bounded: whatever an order's size, each question is answered from an index or from
the order's own row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from oseo_lab.model.order import Order, OrderItem, ResultFile, StatusChange
from oseo_lab.model.quotation import Price
from oseo_lab.model.share import Share
from oseo_lab.model.status import Status
from oseo_lab.model.view import FailureGroup, OrderSummary

__all__ = ["Shares", "Views"]


class Views(Protocol):
    """Orders at a glance; packages and what stands for products to come are no products."""

    def summary(self, order: Order) -> OrderSummary:
        """Return one order at a glance."""

    def summaries(
        self, reader: str, *, shared_at: datetime | None = None, before: str = "", limit: int = 200
    ) -> list[OrderSummary]:
        """Return a page of somebody's orders, newest first, those made before the order ``before``.

        With ``shared_at`` the orders of others that are shared with them at that moment.
        """

    def latest(self, order: Order, status: Status, limit: int, *, newest: bool = True) -> list[OrderItem]:
        """Return products of one status, those first that changed last, or longest ago."""

    def retried(self, order_id: str, limit: int) -> list[OrderItem]:
        """Return products that wait to be tried again by themselves."""

    def failures(self, order_id: str, limit: int = 20) -> list[FailureGroup]:
        """Return what failed or is to be tried again, by reason; the largest groups first."""

    def failure_classes(self, items: Iterable[OrderItem]) -> dict[int, str]:
        """Return how the last attempts of items of one order ended, by item number."""

    def files(self, order_id: str, numbers: Iterable[int]) -> Mapping[int, list[ResultFile]]:
        """Return the data files of the deliveries that count, by item number."""

    def lines(self, order_id: str, limit: int) -> list[StatusChange]:
        """Return the newest lines of an order's history, newest first."""

    def count_lines(self, order_id: str) -> int:
        """Return how many lines of history an order has; of very long ones, not all are counted."""

    def cost(self, order_id: str) -> list[Price]:
        """Return what an order drew and did not give back, by currency."""

    def last_batch(self, order_id: str) -> int:
        """Return the highest batch of an order; 0 where it has none."""


class Shares(Protocol):
    """Who else may read orders, and until when."""

    def add(self, share: Share) -> None:
        """Save one; a second one for the same user takes the place of the first."""

    def of(self, order_id: str, now: datetime) -> list[Share]:
        """Return an order's shares whose time is not over, oldest first."""

    def remove(self, order_id: str, share_id: str) -> bool:
        """Take one back; False where it is not there."""

    def granted(self, order_id: str, reader: str, now: datetime) -> Share | None:
        """Return by which share somebody may read an order now; None where by none."""

    def holds(self, order_id: str, share_id: str, now: datetime) -> bool:
        """Whether a share is there and its time is not over."""

    def by_secret(self, secret_hash: str, now: datetime) -> Share | None:
        """Return the share whose link has this secret, by its SHA-256; None where its time is over."""

    def readers(self, order_ids: Iterable[str], now: datetime) -> dict[str, set[str]]:
        """Return whom several orders are shared with; those that are not shared are left out."""
