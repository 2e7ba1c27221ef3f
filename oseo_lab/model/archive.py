"""Products that lie in an archive: they can be ordered, and must be restored before anything is made of them.

A catalogue says which (`CatalogueItem.offline`), a worker asks for the restore and gives the item back, the
dispatcher lets it wait and says so. What is said is read again here: it is all that is kept of the wait.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["Offline", "about", "expected", "look_again", "said", "waits"]

_WAITING = "waiting for the archive"
_SAID = re.compile(
    rf"{_WAITING}, asked (?P<asked>\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d) UTC"
    r"(, usually ≈ (?P<n>[\d.]+) (?P<unit>s|min|h|d)\b)?"
)
#: Units of how long a restore takes: up to how many seconds they are used, and their seconds.
_UNITS = (("s", 120.0, 1.0), ("min", 7200.0, 60.0), ("h", 172_800.0, 3600.0), ("d", float("inf"), 86_400.0))
#: Seconds between two looks at whether a product is there: a part of what a restore takes, within bounds.
_PART, _SOONEST, _LATEST, _UNKNOWN = 8, 2.0, 900.0, 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Offline:
    """That a product must be restored first.

    Parameters
    ----------
    usually : float or None
        Seconds that a restore takes; None where nobody knows.
    is_asked : bool
        Whether the archive is at it already.
    href : str or None
        Where a restore is asked for; told to nobody.
    """

    usually: float | None = None
    is_asked: bool = False
    href: str | None = None


def about(seconds: float) -> str:
    """Return how long a restore takes, in words: ``≈ 4 h``."""
    unit, _, one = next(each for each in _UNITS if seconds < each[1])
    number = float(f"{seconds / one:.2g}")  # 110 s and 120 min rather than 1.1e+02
    return f"≈ {number:g} {unit}"


def said(asked: datetime, usually: float | None, before: str | None = None) -> str:
    """Return what is said of an item that waits; who waits already was asked for then.

    Parameters
    ----------
    asked : datetime
        When the archive was asked, UTC.
    usually : float or None
        Seconds that a restore takes.
    before : str or None
        What was said of the item until now.
    """
    if before is not None and waits(before):
        return before
    usual = "" if usually is None else f", usually {about(usually)}"
    return f"{_WAITING}, asked {asked.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{usual}"


def waits(text: str | None) -> bool:
    """Whether what is said of an item is that it waits for the archive."""
    return text is not None and text.startswith(_WAITING)


def expected(text: str | None) -> datetime | None:
    """Return when an item that waits is likely to be there, UTC; None where nobody knows or it does not."""
    found = _SAID.match(text or "")
    if found is None or found["n"] is None:
        return None
    seconds = float(found["n"]) * next(one for unit, _, one in _UNITS if unit == found["unit"])
    return datetime.fromisoformat(found["asked"]).replace(tzinfo=UTC) + timedelta(seconds=seconds)


def look_again(usually: float | None) -> timedelta:
    """Return after how long it is worth looking whether a product is there."""
    if usually is None:
        return timedelta(seconds=_UNKNOWN)
    return timedelta(seconds=min(max(usually / _PART, _SOONEST), _LATEST))
