"""One user's connection to one service: what drafts, orders and searches share.

`oseo_lab.client.lab.Lab` adds to it what a scientist calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote

from oseo_lab.client.announcing import announcement_of
from oseo_lab.client.given import text
from oseo_lab.client.options import nearest
from oseo_lab.client.transport import Transport
from oseo_lab.model.collection import OrderOptions
from oseo_lab.model.desk import Announcement
from oseo_lab.model.errors import NotFound, NotSupported, OseoError, Problem, ValidationError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.messages import GetOptions
from oseo_lab.model.options import OptionDefinition
from oseo_lab.model.order import OrderSpecification

__all__ = ["Session"]

#: Identifiers asked for at a time: they travel in a URL.
_IDS = 50
#: Choices whose problems are kept.
_CHECKED = 500


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
        self._offers: dict[str, tuple[OrderOptions, ...]] = {}
        self._facts: dict[str, Mapping[str, Any]] | None = None
        self._checked: dict[tuple[str, bytes], tuple[Problem, ...]] = {}
        self._at_close: list[Callable[[], None]] = []

    def at_close(self, end: Callable[[], None]) -> None:
        """Call this once when the session is closed: threads that use its connection end so."""
        self._at_close.append(end)

    def close(self) -> None:
        """End what goes on beside, and close connections; orders go on."""
        while self._at_close:
            self._at_close.pop()()
        self.transport.close()

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """The service's name and version, and whose orders these are."""
        return self.transport.about()

    @property
    def announcement(self) -> Announcement | None:
        """What the service's operators tell all users now; asked for."""
        self.__dict__["about"] = self.transport.about()
        return announcement_of(self.about)

    @property
    def owner(self) -> str:
        """Whose orders these are."""
        return str(self.about.get("owner") or "local")

    def facts(self, collection_id: str) -> Mapping[str, Any]:
        """Return what the service tells of a collection beside its options; asked once and kept."""
        if self._facts is None:
            self._facts = {str(each.get("id")): each for each in self.transport.collections()}
        return self._facts.get(collection_id, {})

    def offers(self, collection_id: str) -> tuple[OrderOptions, ...]:
        """Return every option group of a collection; asked once and kept.

        Raises
        ------
        ValidationError
            If there is no such collection; those there are, are listed.
        """
        if (
            text(collection_id, "collection", "a collection id; lab.collections lists them")
            not in self._offers
        ):
            answer = self.transport.perform(GetOptions(collection_id=collection_id))
            if not answer.order_options:
                raise NotFound(f"{collection_id} offers nothing to order", locator="collectionId")
            self._offers[collection_id] = tuple(answer.order_options)
        return self._offers[collection_id]

    def offer(
        self,
        collection_id: str,
        group: str | None = None,
        order_type: OrderType = OrderType.PRODUCT_ORDER,
    ) -> OrderOptions:
        """Return one option group of a collection: the one named, or the first of an order type.

        Raises
        ------
        ValidationError
            If there is no such group; those there are, are listed.
        """
        offers = self.offers(collection_id)
        if group is None:
            return next((each for each in offers if each.order_type is order_type), offers[0])
        for each in offers:
            if each.product_order_options_id == group:
                return each
        names = tuple(each.product_order_options_id for each in offers)
        raise ValidationError(
            f"{collection_id} has no option group {group[:60]!r}{nearest(group, names)}; groups: "
            f"{', '.join(names)}",
            locator="productOrderOptionsId",
        )

    def scene_options(self, collection_id: str, group: str | None = None) -> dict[str, OptionDefinition]:
        """Return what can be cut out of a collection's products, by name."""
        scenes = self.offer(collection_id, group).scene_selections
        return {each.name: each for scene in scenes for each in scene.parameters}

    def order_anew(self, order: Any, items: Any, options: Mapping[str, Any]) -> Any:
        """Return the draft of a new order of items of an order; what composes drafts stands above."""
        raise NotSupported("orders are composed by lab.order(...)")

    def check(self, collection_id: str, choices: OrderSpecification) -> tuple[Problem, ...]:
        """Return what the service has against choices, asked once for the same ones.

        A service that does not answer now, or has nowhere to ask, says it when the order is submitted.
        """
        from oseo_lab.encoding.json_form import encode

        key = collection_id, encode(choices)
        if key not in self._checked:
            path = f"collections/{quote(collection_id, safe='')}/check"
            try:
                answer = self.transport.ask("POST", path, body=choices)
            except OseoError:
                return ()
            if len(self._checked) >= _CHECKED:
                self._checked.clear()
            self._checked[key] = tuple(_problem(each) for each in answer.get("problems", ()))
        return self._checked[key]

    def find(self, collection_id: str, identifiers: Iterable[str]) -> dict[str, CatalogueItem]:
        """Return products by their identifiers; those that are not there are left out."""
        found: dict[str, CatalogueItem] = {}
        wanted = list(identifiers)
        for start in range(0, len(wanted), _IDS):
            query = {"ids": ",".join(wanted[start : start + _IDS]), "limit": _IDS}
            page, _ = self.transport.products(collection_id, query)
            found.update((each.identifier, each) for each in page)
        return found


def _problem(plain: Any) -> Problem:
    """Return a problem as the service tells it."""
    said = plain if isinstance(plain, Mapping) else {}
    code, locator = str(said.get("code") or "InvalidParameterValue"), said.get("locator")
    return Problem(code=code, locator=None if locator is None else str(locator), text=str(said.get("text")))
