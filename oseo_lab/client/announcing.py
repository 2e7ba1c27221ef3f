"""What the service's operators tell all users, as the service says it of itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from oseo_lab.model.desk import ANNOUNCEMENT_MOST, Announcement

__all__ = ["announcement_of"]


def announcement_of(about: Mapping[str, Any]) -> Announcement | None:
    """Return what a service says of itself that users are told; None where that is nothing, or over."""
    said = about.get("announcement")
    text = said.get("text") if isinstance(said, Mapping) else None
    if not isinstance(said, Mapping) or not isinstance(text, str) or not text:
        return None
    until = _moment(said.get("until"))
    if until is not None and until <= datetime.now(UTC):
        return None
    return Announcement(text=" ".join(text[:ANNOUNCEMENT_MOST].split()), until=until)


def _moment(said: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
