"""What of a quotation was delivered already, in words: the service says so (`ItemPrice.reuse`).

Of another service, which says nothing of it, nothing is claimed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from oseo_lab.client.prices import Quoted
from oseo_lab.model.quotation import Reusable

__all__ = ["delivered_before", "reusable"]


def delivered_before(quotation: Quoted) -> dict[str, str]:
    """Return, by item id, when and in which order it was delivered, and what it costs if that is used."""
    if not quotation.is_ready:
        return {}
    return {each.item_id: _words(each.reuse) for each in quotation.items if each.reuse is not None}


def reusable(quotation: Quoted) -> int:
    """Return how many items could be reused that the quotation does not count on yet."""
    found = quotation.items if quotation.is_ready else []
    return sum(1 for each in found if each.reuse is not None and not each.reuse.is_taken)


def _words(known: Reusable) -> str:
    if known.is_taken:
        return f"reused from {known.name}{_ago(known.delivered, ', delivered')}"
    return f"already delivered{_ago(known.delivered)} in {known.name} → reuse: 0"


def _ago(moment: datetime | None, before: str = "") -> str:
    """Return how long ago something was, in days."""
    if moment is None:
        return ""
    days = (datetime.now(UTC).date() - moment.date()).days
    return f"{before} {'today' if days <= 0 else 'yesterday' if days == 1 else f'{days} days ago'}"
