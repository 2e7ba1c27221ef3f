"""When providers are asked: often while something happens, ever more rarely while nothing does.

Read by `forwarding`, whose clock decides; nothing here knows a store or a provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from oseo_lab.dispatch.planner import Policy

__all__ = ["USUAL", "Timetable", "Turn"]

#: Longest time before a provider that cannot be reached is tried again.
OUTAGE = timedelta(minutes=5)
#: Shortest time between two questions that hints ask for.
HINTED = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timetable:
    """When providers are asked.

    Parameters
    ----------
    first : float
        Seconds before the next question after something has changed.
    longest : float
        Seconds between questions while nothing changes, in the end.
    factor : float
        How pauses grow.
    lease : float
        Seconds that a provider order is held for one question: longer than any answer takes.
    """

    first: float = 2.0
    longest: float = 60.0
    factor: float = 1.6
    lease: float = 180.0


USUAL = Timetable()


@dataclass
class Turn:
    """When a provider order is looked at next, and how its last looks went."""

    due: datetime
    pause: float
    failures: int = 0
    hinted: datetime | None = None

    def heeds(self, now: datetime) -> bool:
        """Whether a hint is followed now: strangers may give any number of them."""
        return self.hinted is None or now - self.hinted >= HINTED

    def ended(self, now: datetime, has_moved: bool, timetable: Timetable, policy: Policy) -> None:
        """Settle when the next look is: soon after news, ever later without, by policy after failures."""
        if self.failures:
            self.due = now + min(policy.delay(self.failures), OUTAGE)
            return
        longer = min(self.pause * timetable.factor, timetable.longest)
        self.pause = timetable.first if has_moved else longer
        self.due = now + timedelta(seconds=self.pause)
