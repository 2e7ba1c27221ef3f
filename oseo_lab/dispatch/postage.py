"""How much mail goes out for one owner: a service that anybody uses must be nobody's way to flood strangers.

Asked by the relay. Beyond so many an hour mail is not lost, it waits. Counted in this process: a restart
forgets it.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from oseo_lab.model.notify import Channel
from oseo_lab.ports import Notice, UnitOfWork

__all__ = ["HOUR", "Postage"]

HOUR = timedelta(hours=1)


class Postage:
    """Counts what went out, and says until when more must wait.

    Parameters
    ----------
    most : int
        Mails of one owner in an hour.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._sent: dict[str, deque[datetime]] = {}

    def owners(self, work: UnitOfWork, notices: list[Notice]) -> dict[str, str]:
        """Return whose mails these are, by order; of other notices nothing."""
        mails = {each.order_id for each in notices if each.kind == Channel.EMAIL.value}
        orders = work.orders.get_many(mails) if mails else {}
        return {key: order.owner for key, order in orders.items()}

    def later(self, owner: str, more: int, now: datetime) -> datetime | None:
        """Return until when a mail waits, if ``more`` go out before it; None where it need not."""
        sent = self._sent.get(owner, deque[datetime]())
        while sent and not timedelta(0) <= now - sent[0] < HOUR:
            sent.popleft()
        if not sent:
            self._sent.pop(owner, None)
        if len(sent) + more < self._most:
            return None
        return (sent[0] if sent else now) + HOUR

    def count(self, owner: str, now: datetime) -> None:
        """Note that a mail goes out."""
        self._sent.setdefault(owner, deque(maxlen=self._most)).append(now)
