"""Warning of results that expire within two days: once, to whoever asked for it.

Asked by the clockwork; it looks every minute of its clock, at the notifications that want it alone. What
expires in the day after joins the same message, so that an order whose items were delivered one after
another is told of once, and a subscription at most once a day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from oseo_lab.dispatch.telling import gather
from oseo_lab.model.notify import entry_of_expiring, next_digest
from oseo_lab.ports import OrderStore, UnitOfWork

__all__ = ["AHEAD", "Warner"]

#: How long before they expire results are warned of, and of how much more the same message tells.
AHEAD, MORE = timedelta(hours=48), timedelta(hours=24)
#: How often is looked.
EVERY = timedelta(minutes=1)


class Warner:
    """Owes warnings of results that expire soon.

    Parameters
    ----------
    store : OrderStore
        Where results and notifications are.
    now : callable
        The clock, UTC.
    """

    def __init__(self, *, store: OrderStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._looked: datetime | None = None

    def close(self) -> None:
        """Do nothing: a step is short."""

    def step(self) -> int:
        """Owe what is due; return how many are warned."""
        now = self._now()
        if self._looked is not None and timedelta(0) <= now - self._looked < EVERY:
            return 0
        self._looked = now
        with self._store.read() as snapshot:
            if not snapshot.notifications.expiring(now + AHEAD, now + AHEAD):
                return 0
        return self._store.write(partial(_warn, now=now))


def _warn(work: UnitOfWork, now: datetime) -> int:
    until = now + AHEAD + MORE
    warned = 0
    for notification, count, first in work.notifications.expiring(now + AHEAD, until):
        if not work.notifications.warned(notification, until):
            continue
        warned += 1
        entry = entry_of_expiring(count, first, now)
        # a digest that came after them would be no warning
        due = min(next_digest(notification.digest, now), max(now, first - AHEAD / 2))
        waiting = work.outbox.waiting(notification.order_id)
        gather(work, notification, [entry], due, waiting)
    return warned
