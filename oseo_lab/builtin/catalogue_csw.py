"""Catalogue behind a CSW 2.0.2 server, asked through OWSLib; every answer is checked again on this side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oseo_lab.builtin.catalogue_items import CatalogueFailed
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import CatalogueQuery

__all__ = ["CswCatalogue"]


class CswCatalogue:
    """Products of a CSW server.

    Parameters
    ----------
    collection_id : str
        The collection they are ordered from.
    settings : mapping
        ``href``, the server's URL.
    """

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        self._collection_id = collection_id
        self._href = str(settings["href"])

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Return the products that exist, by identifier."""
        raise self._failed(f"{len(identifiers)} identifiers")

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Return matching products, newest first, and a cursor for more (None at the end)."""
        raise self._failed(str(query))

    def _failed(self, asked: str) -> CatalogueFailed:
        return CatalogueFailed(
            f"the catalogue of {self._collection_id} cannot be asked yet", retry=False, detail=asked
        )
