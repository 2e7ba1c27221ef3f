"""Products that lie in an archive: they can be ordered, and must be restored before anything is made of them.

A catalogue says which (`CatalogueItem.offline`, read by `offline_in`), a worker asks for the restore and
gives the item back, the dispatcher lets it wait and says so. What is said is read again here: nothing else is
kept of the wait.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["Offline", "about", "expected", "look_again", "offline_in", "restore_words", "said", "waits"]

_WAITING = "waiting for the archive"
_SAID = re.compile(
    rf"{_WAITING}, asked (?P<asked>\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d) UTC"
    r"(, usually ≈ (?P<n>[\d.]+) (?P<unit>s|min|h|d)\b)?"
)
#: Units of how long a restore takes: up to how many seconds they are used, and their seconds.
_UNITS = (("s", 120.0, 1.0), ("min", 7200.0, 60.0), ("h", 172_800.0, 3600.0), ("d", float("inf"), 86_400.0))
#: Seconds beyond which nobody waits: who says so is mistaken.
_LONGEST = 1e8
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


_THERE = "succeeded"
#: What catalogues say of products that are not at hand, in lower case, by property: STAC's extensions order
#: 1.1 and storage 1.0, and older properties of archives.
_AWAY = {
    "order:status": frozenset({"orderable", "ordered", "pending", "shipping", "failed", "canceled"}),
    "storage:tier": frozenset(
        {"archive", "deep archive", "deep_archive", "glacier", "offline", "cold", "tape"}
    ),
    "storagestatus": frozenset({"offline", "staging"}),
    "online": frozenset({"false"}),
}
#: Of these the restore was asked for.
_UNDER_WAY = frozenset({"ordered", "pending", "shipping", "staging"})
#: How long a restore takes, in seconds or as an ISO 8601 duration.
_TIMES = ("oseo:restore_time", "storage:restore_time", "restore_time")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z")


def offline_in(fields: Mapping[str, Any], now: datetime) -> Offline | None:
    """Return what the properties of a product, or of one of its files, say of an archive; None for nothing.

    An order that has succeeded counts more than where the files are stored, until it expires.
    """
    lowered = {str(name).lower(): str(value).lower() for name, value in fields.items()}
    if lowered.get("order:status") == _THERE and not _is_over(fields.get("order:expiration_date"), now):
        return None
    said = {lowered[name] for name, words in _AWAY.items() if lowered.get(name) in words}
    if lowered.get("order:status") == _THERE:
        said.add("orderable")
    if not said:
        return None
    told = next((fields[name] for name in _TIMES if name in fields), None)
    return Offline(usually=_seconds(told), is_asked=not said.isdisjoint(_UNDER_WAY))


def _is_over(text: Any, now: datetime) -> bool:
    try:
        end = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return False
    return end is not None and (end if end.tzinfo else end.replace(tzinfo=UTC)) <= now


def _seconds(said: Any) -> float | None:
    """Return how long a restore takes by what a catalogue says, if that can be believed."""
    if not isinstance(said, str):
        return _believed(said)
    found = _DURATION.fullmatch(said)
    if found is None:
        return None
    days, hours, minutes, seconds = (float(each or 0) for each in found.groups())
    return _believed(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _believed(seconds: Any) -> float | None:
    """Return a number of seconds that somebody may wait; None for anything else, whoever says it."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return float(seconds) if is_number and 0 < seconds <= _LONGEST else None


def about(seconds: float) -> str:
    """Return how long a restore takes, in words: ``≈ 4 h``."""
    unit, _, one = next(each for each in _UNITS if seconds < each[1])
    number = float(f"{seconds / one:.2g}")  # 110 s and 120 min rather than 1.1e+02
    return f"≈ {number:g} {unit}"


def restore_words(usually: float | None) -> str:
    """Return what is said beforehand of an item that will have to wait."""
    usual = "" if usually is None else f" ({about(usually)})"
    return f"offline: restore from archive first{usual}"


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
    usually = _believed(usually)
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
    usually = _believed(usually)
    if usually is None:
        return timedelta(seconds=_UNKNOWN)
    return timedelta(seconds=min(max(usually / _PART, _SOONEST), _LATEST))
