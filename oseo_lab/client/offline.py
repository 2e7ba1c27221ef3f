"""Products that lie in an archive and must be brought back before anything is made of them, in words."""

from __future__ import annotations

from datetime import UTC, datetime

from oseo_lab.model.archive import Offline, offline_in, restore_words
from oseo_lab.model.job import CatalogueItem

__all__ = ["offline_of", "offline_words"]


def offline_of(product: CatalogueItem) -> Offline | None:
    """Return what the service knows of a product's archive, else what its own properties say."""
    return product.offline or offline_in(product.properties, datetime.now(UTC))


def offline_words(product: CatalogueItem) -> str:
    """Return that it must be restored, and how long that takes where it is known; else nothing."""
    offline = offline_of(product)
    return "" if offline is None else restore_words(offline.usually)
