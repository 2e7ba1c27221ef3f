"""The transition table of an item's status; nothing else moves one.

Source: OGC 06-141r6 7.3.13 names the statuses; it gives no table. This one follows from their meanings.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache

from oseo_lab.model.order import OrderItem, StatusInfo
from oseo_lab.model.status import DELIVERED, Status

__all__ = ["TRANSITIONS", "IllegalTransition", "advance", "reopen", "way"]

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.SUBMITTED: frozenset({Status.ACCEPTED, Status.CANCELLED, Status.FAILED}),
    Status.ACCEPTED: frozenset(
        {Status.IN_PRODUCTION, Status.SUSPENDED, Status.CANCELLED, Status.FAILED, Status.COMPLETED}
    ),
    Status.IN_PRODUCTION: frozenset({Status.COMPLETED, Status.FAILED, Status.SUSPENDED, Status.CANCELLED}),
    Status.SUSPENDED: frozenset(
        {Status.IN_PRODUCTION, Status.ACCEPTED, Status.CANCELLED, Status.FAILED, Status.TERMINATED}
    ),
    Status.COMPLETED: frozenset({Status.DOWNLOADED}),
    Status.CANCELLED: frozenset(),
    Status.FAILED: frozenset(),
    Status.TERMINATED: frozenset(),
    Status.DOWNLOADED: frozenset(),
}
#: Final statuses that asking to try again leads out of, to Accepted: nothing else does. A package is made
#: again also where it was delivered, when it lacks what has been delivered since.
_AGAIN = frozenset({Status.FAILED, Status.CANCELLED, Status.TERMINATED})
_PACKAGE_AGAIN = _AGAIN | DELIVERED


class IllegalTransition(Exception):
    """A status was to be moved where it cannot go: a bug of ours, never a user's fault."""


def advance(item: OrderItem, to: Status, now: datetime, info: str | None = None) -> OrderItem:
    """Return the item with another status; staying where it is only changes what is said of it.

    A final status lets go of the lease and of any retry.

    Raises
    ------
    IllegalTransition
        If the table has no such row.
    """
    current = item.status.status
    if to is not current and to not in TRANSITIONS[current]:
        raise IllegalTransition(f"item {item.number} of {item.order_id}: {current} cannot become {to}")
    moved = replace(item, status=StatusInfo(status=to, additional=info), updated=now)
    if to.is_final:
        return replace(moved, lease_owner=None, lease_until=None, retry_at=None)
    return moved


def reopen(item: OrderItem, now: datetime, info: str | None = None) -> OrderItem:
    """Return a final item as it begins anew, Accepted: its attempts are remembered, its failures are not.

    Raises
    ------
    IllegalTransition
        If it is open, or delivered.
    """
    current = item.status.status
    if current not in (_AGAIN if item.number else _PACKAGE_AGAIN):
        raise IllegalTransition(f"item {item.number} of {item.order_id}: {current} is not tried again")
    status = StatusInfo(status=Status.ACCEPTED, additional=info)
    return replace(item, status=status, updated=now, failures=0, retry_at=None)


@cache
def way(current: Status, to: Status) -> tuple[Status, ...]:
    """Return the shortest legal way between two statuses, without the first; empty where there is none.

    Whoever makes an item elsewhere is asked now and then: what happened in between is made up for.
    """
    ways: list[tuple[Status, ...]] = [()]
    seen = {current}
    while ways:
        longer = []
        for each in ways:
            here = each[-1] if each else current
            if here is to:
                return each
            onward = sorted(TRANSITIONS[here] - seen, key=list(Status).index)
            longer += [(*each, status) for status in onward]
            seen.update(onward)
        ways = longer
    return ()
