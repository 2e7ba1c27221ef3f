"""One user's connection to one service: what drafts, orders and searches share.

`oseo_lab.client.lab.Lab` adds to it what a scientist calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from oseo_lab.client.transport import Transport
from oseo_lab.model.collection import OrderOptions
from oseo_lab.model.errors import NotFound
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.messages import GetOptions
from oseo_lab.model.options import OptionDefinition

__all__ = ["Session"]

#: Identifiers asked for at a time: they travel in a URL.
_IDS = 50


class Session:
    """A transport, and what has been learnt through it.

    Parameters
    ----------
    transport : Transport
        How to reach the service.

    Attributes
    ----------
    submitted_here : set of str
        Ids of the orders that were submitted in this session.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.submitted_here: set[str] = set()
        self._offers: dict[str, OrderOptions] = {}

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """The service's name and version, and whose orders these are."""
        return self.transport.about()

    @property
    def owner(self) -> str:
        """Whose orders these are."""
        return str(self.about.get("owner") or "local")

    def offer(self, collection_id: str) -> OrderOptions:
        """Return the options a collection offers; asked once and kept.

        Raises
        ------
        ValidationError
            If there is no such collection; those there are, are listed.
        """
        if collection_id not in self._offers:
            answer = self.transport.perform(GetOptions(collection_id=collection_id))
            if not answer.order_options:
                raise NotFound(f"{collection_id} offers nothing to order", locator="collectionId")
            self._offers[collection_id] = answer.order_options[0]
        return self._offers[collection_id]

    def scene_options(self, collection_id: str) -> dict[str, OptionDefinition]:
        """Return what can be cut out of a collection's products, by name."""
        scenes = self.offer(collection_id).scene_selections
        return {each.name: each for scene in scenes for each in scene.parameters}

    def find(self, collection_id: str, identifiers: Iterable[str]) -> dict[str, CatalogueItem]:
        """Return products by their identifiers; those that are not there are left out."""
        found: dict[str, CatalogueItem] = {}
        wanted = list(identifiers)
        for start in range(0, len(wanted), _IDS):
            query = {"ids": ",".join(wanted[start : start + _IDS]), "limit": _IDS}
            page, _ = self.transport.products(collection_id, query)
            found.update((each.identifier, each) for each in page)
        return found
