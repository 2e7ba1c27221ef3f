"""The catalogue ``none``: of a collection whose products are ordered by their identifiers alone.

What is mounted from another server without a catalogue has it (`oseo-lab collections mount`). It says that it
does not know, rather than that there is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from oseo_lab.model.errors import NotSupported
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import CatalogueQuery

__all__ = ["NoCatalogue"]


class NoCatalogue:
    """Knows no product, and says so.

    Parameters
    ----------
    collection_id : str
        Whose catalogue it would be.
    settings : mapping
        None are needed.
    """

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        self._collection_id = collection_id

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Refuse to say which products exist."""
        self._refuse()

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Refuse to search."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotSupported(
            f"{self._collection_id} has no catalogue here: its products are ordered by their identifiers",
            locator="collection",
        )
