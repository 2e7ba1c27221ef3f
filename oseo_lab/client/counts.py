"""How many items of an order stand where, and how that is said in a few words."""

from __future__ import annotations

from collections import Counter

from oseo_lab.client import display
from oseo_lab.client.standing import products_of
from oseo_lab.model.order import Order as Record
from oseo_lab.model.status import DELIVERED, Status

__all__ = ["counts_of", "in_short", "of_items", "summary"]


def counts_of(record: Record) -> dict[Status, int]:
    """Count products by status: what stands for products to come is none."""
    return dict(Counter(each.status.status for each in products_of(record.items)))


def in_short(counts: dict[Status, int]) -> str:
    """Return counts in a few words: an order may be Completed though an item failed."""
    if not counts:
        return "no products yet"
    said = f"{sum(counts.get(each, 0) for each in DELIVERED)}/{sum(counts.values())} delivered"
    failed = counts.get(Status.FAILED, 0)
    return f"{said}, {failed} failed" if failed else said


def summary(counts: dict[Status, int]) -> str:
    """Return counts as a sentence: what is done first, then the rest by status."""
    total = sum(counts.values())
    if not total:
        return "no products yet"
    delivered = sum(counts.get(each, 0) for each in DELIVERED)
    rest = {status: count for status, count in counts.items() if status not in DELIVERED}
    words = f"{delivered} of {total} delivered"
    return f"{words} · {display.counted(rest)}" if rest else words


def of_items(record: Record) -> str:
    """Return how far the items are, and in how many batches they are made."""
    batches = max((each.batch for each in record.items), default=0)
    words = summary(counts_of(record))
    return f"{words} · {batches} {'batches' if batches > 1 else 'batch'}" if batches else words
