"""Products that lie in an archive and must be brought back before anything is made of them.

Read from what catalogues say in their own words: STAC's order and storage extensions, and older properties.
"""

from __future__ import annotations

import re

from oseo_lab.model.estimates import Estimate, in_words
from oseo_lab.model.job import CatalogueItem

__all__ = ["is_offline", "offline_words"]

#: What catalogues say of products that are not at hand, in lower case, by property.
_OFFLINE = {
    "order:status": {"orderable", "ordered", "pending", "shipping"},
    "storage:tier": {"archive", "deep archive", "deep_archive", "glacier", "offline", "cold", "tape"},
    "storagestatus": {"offline", "staging"},
    "online": {"false"},
}
#: How long bringing it back takes, in seconds or as an ISO 8601 duration.
_RESTORE = ("oseo:restore_time", "storage:restore_time", "restore_time")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z")


def is_offline(product: CatalogueItem) -> bool:
    """Whether a catalogue says that a product is not at hand."""
    return any(
        str(value).lower() in _OFFLINE[name.lower()]
        for name, value in product.properties.items()
        if name.lower() in _OFFLINE
    )


def offline_words(product: CatalogueItem) -> str:
    """Return that it must be restored, and how long that takes where the catalogue says; else nothing."""
    if not is_offline(product):
        return ""
    said = next((product.properties[name] for name in _RESTORE if name in product.properties), None)
    seconds = _seconds(said)
    if seconds is None:
        return "offline: restored from its archive first"
    whole = in_words(None, Estimate(low=seconds, typical=seconds, high=seconds)).replace(" of work", "")
    return f"offline: restored from its archive first (about {whole})"


def _seconds(said: object) -> float | None:
    if isinstance(said, int | float) and said > 0:
        return float(said)
    found = _DURATION.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        return None
    days, hours, minutes, seconds = (float(each or 0) for each in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds or None
