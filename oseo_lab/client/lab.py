"""The lab: one connection to one service, and all that can be asked of it.

``oseo_lab.connect()`` (`connecting`) finds the server and returns a `Lab`; from there a scientist searches,
composes orders and finds earlier ones again by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from oseo_lab.client import display
from oseo_lab.client.announcing import announcement_of
from oseo_lab.client.promises import InProcess
from oseo_lab.client.session import Session
from oseo_lab.client.transport import Transport
from oseo_lab.model.errors import ConfigurationError, NoSuchKey
from oseo_lab.model.messages import Capabilities, GetCapabilities

if TYPE_CHECKING:
    from datetime import timedelta

    from oseo_lab.client.draft import OrderDraft
    from oseo_lab.client.operator import Operator
    from oseo_lab.client.order import Order
    from oseo_lab.client.orders import Orders
    from oseo_lab.client.quotations import Quotations
    from oseo_lab.client.search import Products
    from oseo_lab.client.subscription import SubscriptionDraft
    from oseo_lab.model.desk import Announcement

__all__ = ["Collections", "Lab"]


class Lab(Session):
    """An ordering service, as one user sees it.

    Parameters
    ----------
    transport : Transport
        How to reach it.
    service : InProcess, optional
        The service, where it runs in this process: it ends when nobody uses it any more.
    """

    def __init__(self, transport: Transport, service: InProcess | None = None) -> None:
        super().__init__(transport)
        self._service = service

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; orders go on, but for those of a service in this process, which ends."""
        super().close()
        service, self._service = self._service, None
        if service is not None:
            service.leave()

    @property
    def collections(self) -> Collections:
        """What can be ordered from."""
        return Collections(self)

    @property
    def orders(self) -> Orders:
        """Your orders: ``lab.orders['name']``, by id, or one after the other, newest first."""
        from oseo_lab.client.orders import Orders

        return Orders(self)

    def subscribe(
        self,
        collection: str,
        *,
        name: str | None = None,
        area: Any = None,
        area_crs: Any = None,
        start: Any = None,
        end: Any = None,
        every: float | timedelta | None = None,
        observations: int | None = None,
        max_items_per_month: int | None = None,
        again: bool = False,
        **options: Any,
    ) -> Order:
        """Order the products of a collection that are yet to come, as they come.

        Parameters
        ----------
        collection : str
            Collection id.
        name : str, optional
            What you will find it by: ``lab.orders[name]``.
        area : optional
            Products that touch it, as in `search`; everywhere without one.
        area_crs : str or int, optional
            CRS of the area's coordinates, if not degrees.
        start, end : str, date or datetime, optional
            Acquired between: today and a year from ``start``, where not said. May begin in the past.
        every : float or timedelta, optional
            Least days between two acquisitions.
        observations : int, optional
            Most products; the subscription is over then.
        max_items_per_month : int, optional
            Most products of one calendar month, UTC; what is more waits for the next, and nothing is lost.
        again : bool
            Make a new one, though the same was submitted before.
        **options
            Values of the collection's options, for every product; also ``packaging``, ``priority``, and
            ``options=draft.options`` for what was chosen in a draft.

        Returns
        -------
        Order
            Its handle: ``items`` grow, ``results()`` hold what has come; ``pause()``, ``resume()``,
            ``cancel()``.

        Raises
        ------
        NotSupported
            If the collection takes no subscriptions.
        ValidationError
            With everything wrong; nothing is stored then.
        """
        draft = self.subscription(
            collection,
            name=name,
            area=area,
            area_crs=area_crs,
            start=start,
            end=end,
            every=every,
            observations=observations,
            max_items_per_month=max_items_per_month,
            **options,
        )
        return draft.submit(again=again)

    def subscription(
        self,
        collection: str,
        *,
        name: str | None = None,
        area: Any = None,
        area_crs: Any = None,
        start: Any = None,
        end: Any = None,
        every: float | timedelta | None = None,
        observations: int | None = None,
        max_items_per_month: int | None = None,
        **options: Any,
    ) -> SubscriptionDraft:
        """Compose a subscription, as `subscribe` does: it can be quoted, and is ordered by ``submit()``."""
        from oseo_lab.client.subscription import compose_subscription

        return compose_subscription(
            self,
            collection,
            name=name,
            area=area,
            area_crs=area_crs,
            start=start,
            end=end,
            every=every,
            observations=observations,
            max_items_per_month=max_items_per_month,
            options=options,
        )

    @property
    def operator(self) -> Operator:
        """The order desk, for operators: ``board()``, ``approve``, ``reject``, ``announce``."""
        from oseo_lab.client.operator import Operator

        return Operator(self)

    @property
    def quotations(self) -> Quotations:
        """Your quotations, newest first, or by id: ``lab.quotations[id]``."""
        from oseo_lab.client.quotations import Quotations

        return Quotations(self)

    @property
    def balances(self) -> dict[str, float]:
        """What your account may still order, by currency or quota unit; what is not there is not limited."""
        found = self.transport.ask("GET", "balances")
        return {str(each["currency"]): float(each["value"]) for each in found.get("balances", ())}

    @property
    def wsdl_url(self) -> str:
        """Where the service describes itself to SOAP clients: ``zeep.Client(lab.wsdl_url)``.

        It can be read by anybody; calls need who calls, as the service's page says.
        """
        from oseo_lab.client.recipes import wsdl_of

        return wsdl_of(self.transport)

    def capabilities(self) -> Capabilities:
        """Return what the service says it can do."""
        answer: Capabilities = self.transport.perform(GetCapabilities())
        return answer

    def search(
        self,
        collection: str,
        area: Any = None,
        time: Any = None,
        text: str | None = None,
        limit: int | None = 500,
        area_crs: Any = None,
        **filters: Any,
    ) -> Products:
        """Find products.

        Parameters
        ----------
        collection : str
            Collection id, as in `collections`.
        area : tuple, str, mapping or object with ``__geo_interface__``, optional
            (west, south, east, north) in degrees, WKT, GeoJSON, shapely, geopandas, a file of these; what
            intersects it.
        time : str, date, datetime or tuple, optional
            ``"2024-06/2024-07"``, a date, or two aware datetimes.
        text : str, optional
            Words in identifier, title, description or keywords.
        limit : int or None
            Most products; None for all.
        area_crs : str or int, optional
            Where the area's coordinates are not degrees: ``"EPSG:32632"``.
        **filters
            Properties: ``cloud_cover_lt=20`` or ``cloud_cover="<20"``, ``platform="sentinel-2a"``,
            ``gsd=(10, 20)``; also STAC's ``bbox``, ``intersects`` and ``datetime``, other words for area
            and time.

        Raises
        ------
        ValidationError
            If the area, the time or a filter cannot be read, or the collection is unknown.
        """
        from oseo_lab.client.area import as_area
        from oseo_lab.client.given import whole
        from oseo_lab.client.looking import in_our_words, why_nothing
        from oseo_lab.client.search import Products, query_of, search

        if limit is not None:
            whole(limit, "limit")
        area, time, filters = in_our_words(area, time, filters)
        place = None if area is None else as_area(area, area_crs)
        query = query_of(place, time, text, filters=filters)
        found = list(search(self.transport, collection, query, limit))
        if not found and (reason := why_nothing(self.transport, collection, place, time, text, filters)):
            display.say(reason)
        return Products(self, collection, found, place)

    def products(self, collection: str, ids: Iterable[str]) -> Products:
        """Return products by their identifiers; those that are not there are left out."""
        from oseo_lab.client.search import Products

        wanted = [ids] if isinstance(ids, str) else ids
        return Products(self, collection, list(self.find(collection, wanted).values()))

    def order(
        self,
        products: Any,
        name: str | None = None,
        collection: str | None = None,
        area: Any = None,
        area_crs: Any = None,
        **options: Any,
    ) -> OrderDraft:
        """Compose an order; nothing is sent before ``submit()``.

        Parameters
        ----------
        products : Products, CatalogueItem, str, or several
            What to order; identifiers alone need ``collection``. Also a pystac Item or ItemCollection, a
            result of eodag, GeoJSON, a pandas column or table, a CSV file or text with a column of ids.
        name : str, optional
            What you will find it by: ``lab.orders[name]``.
        collection : str, optional
            Collection id, where the products do not say.
        area : optional
            What to cut out of every product, as in `search`.
        area_crs : str or int, optional
            CRS of the area's coordinates, if not degrees.
        **options
            Values of the collection's options, such as ``format="COG"``; also ``packaging``, ``priority`` and
            ``group``, where a collection has several groups of options.

        Raises
        ------
        ValidationError
            If an option or value is not offered, or the products are of several collections.
        """
        from oseo_lab.client.composing import compose

        return compose(self, products, name, collection, area, area_crs, options)

    def composer(self, basemap: Any = None) -> Any:
        """Return an application: search, pick, choose options, quote, submit, watch. Voilà serves it too.

        Parameters
        ----------
        basemap : str or basemap of ipyleaflet, optional
            Tiles below maps, such as ``"https://.../{z}/{x}/{y}.png"``; without it no network is needed.

        Raises
        ------
        ConfigurationError
            If widgets are not installed.
        """
        made = display.widget_of(self, "Composer", basemap=basemap)
        if made is None:
            raise ConfigurationError("the composer needs widgets: pip install 'oseo-lab[notebook]'")
        return made

    def order_anew(self, order: Any, items: Any, options: Mapping[str, Any]) -> OrderDraft:
        """Return the draft of a new order of items of an order (`Order.reorder`)."""
        from oseo_lab.client.reordering import reorder

        return reorder(order, items, options)

    def __repr__(self) -> str:
        told = self._told()
        announcement = "" if told is None else f"\nannouncement: {told.sentence}"
        if self._service is None:
            return f"Lab({self.transport.url!r}){announcement}"
        said = " · ".join(f"{name} {text}" for name, text in self._service.facts.items())
        return f"Lab({said}){announcement}"

    def _told(self) -> Announcement | None:
        """Return what operators tell users, as last heard; nothing is asked."""
        return announcement_of(vars(self).get("about") or {})

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [] if self._service is None else list(self._service.facts.items())
        rows = rows or [("server", self.transport.url)]
        rows.append(("orders of", self.owner))
        name = self.about.get("service", "ordering service")
        if (told := self._told()) is not None:
            rows.append(("announcement", told.sentence))
        return display.card(f"{name} {self.about.get('version', '')}", display.facts(rows))


class Collections(Mapping[str, Mapping[str, Any]]):
    """What can be ordered from: facts by collection id, as known when this was asked."""

    def __init__(self, lab: Lab) -> None:
        self._found = {str(each["id"]): each for each in lab.transport.collections()}

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        if name not in self._found:
            close = tuple(difflib.get_close_matches(str(name), self._found, n=3, cutoff=0.5))
            near = f" (nearest: {close[0]})" if close else ""
            raise NoSuchKey(
                f"there is no collection {str(name)[:60]!r}{near}; collections: "
                f"{', '.join(self._found) or 'none'}",
                code="InvalidParameterValue",
                locator="collectionId",
                close_matches=close,
            )
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"{len(self)} collections: {', '.join(self._found)}" if self._found else "no collections"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [
            (name, each.get("title", ""), each.get("description", "")) for name, each in self._found.items()
        ]
        return display.card(f"{len(self)} collections", display.table(("id", "title", ""), rows))
