"""When something was heard last of items that this process holds: what the order desk calls stuck.

Told by the dispatcher of what it starts and of every event; asked by operations, from other threads.
"""

from __future__ import annotations

from datetime import datetime

__all__ = ["Hearing"]

#: An order id and an item's number.
Key = tuple[str, int]


class Hearing:
    """The last news of each item that is held.

    Parameters
    ----------
    now : datetime
        UTC.
    """

    def __init__(self, now: datetime) -> None:
        self._last: dict[Key, tuple[datetime, bool]] = {}
        self._of_any = now

    def held(self, key: Key, now: datetime) -> None:
        """Note that an item was handed to the executor."""
        self._last[key] = now, False

    def heard(self, key: Key, now: datetime, *, is_begun: bool) -> None:
        """Note that something was said of an item; ``is_begun`` where a worker is at it."""
        self._of_any = now
        if is_begun:
            self._last[key] = now, True

    def forget(self, key: Key) -> None:
        """Hold an item no more."""
        self._last.pop(key, None)

    def last(self, key: Key) -> datetime | None:
        """Return when something was heard last of an item; None where it is not held here.

        Of one that no worker has begun: while others end before it, it has its place in a queue.
        """
        at, is_begun = self._last.get(key, (None, False))
        return at if at is None or is_begun else max(at, self._of_any)
