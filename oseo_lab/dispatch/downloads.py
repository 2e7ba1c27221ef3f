"""What was downloaded whole is said of its items, and of their order: an end of the walk that users make.

Called by the dispatcher when the web floor has served all data files of an item, or of a whole order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from oseo_lab.dispatch.planner import Downloaded, Policy, decide
from oseo_lab.dispatch.settle import Change, save
from oseo_lab.model.collection import Collection
from oseo_lab.ports import UnitOfWork

__all__ = ["mark_downloaded"]


def mark_downloaded(
    work: UnitOfWork,
    order_id: str,
    number: int,
    collections: Mapping[str, Collection],
    now: datetime,
    policy: Policy,
) -> None:
    """Say of an item that it was downloaded; with number 0 of the package, and of all that it holds."""
    of_order = [] if number else work.items.of(order_id)
    changes = []
    for item in (work.items.get(order_id, number), *of_order):
        decision = decide(item, Downloaded(), now, policy) if item else None
        if item and decision and decision.item != item:
            changes.append(Change(before=item, decisions=(decision,)))
    save(work, changes, collections, now, policy)
