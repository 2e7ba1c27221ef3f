"""The clock of a service at home: this machine's, which tests may move forward."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from oseo_lab.model.errors import ValidationError

__all__ = ["Clock"]


class Clock:
    """Tells the time, UTC: this machine's, and what it was moved forward by."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) + self._ahead

    @property
    def ahead(self) -> timedelta:
        """How far it was moved forward."""
        return self._ahead

    def advance(self, by: timedelta) -> datetime:
        """Move it forward; return the new time.

        Raises
        ------
        ValidationError
            If it should go back: what has happened has happened.
        """
        if by < timedelta():
            raise ValidationError(f"a clock goes forward only, not by {by}", locator="by")
        with self._lock:
            self._ahead += by
        return self()

    def __str__(self) -> str:
        return f"{self._ahead} ahead" if self._ahead else "normal"

    def __repr__(self) -> str:
        return f"Clock({self})"
