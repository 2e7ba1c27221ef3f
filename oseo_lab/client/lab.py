"""The lab: one connection to one service, and all that can be asked of it.

``oseo_lab.connect()`` finds the server and returns a `Lab`; from there a scientist searches, composes
orders and finds earlier ones again by name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from oseo_lab.client import display
from oseo_lab.client.discovery import find_server
from oseo_lab.client.given import address
from oseo_lab.client.session import Session
from oseo_lab.client.transport import HttpTransport, Transport
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.messages import Capabilities, GetCapabilities

if TYPE_CHECKING:
    from datetime import timedelta

    from oseo_lab.client.draft import OrderDraft
    from oseo_lab.client.listener import CallbackListener
    from oseo_lab.client.order import Order
    from oseo_lab.client.orders import Orders
    from oseo_lab.client.quote import Quotations
    from oseo_lab.client.search import Products
    from oseo_lab.client.subscription import SubscriptionDraft

__all__ = ["Collections", "Lab", "connect"]


def connect(
    url: str | None = None,
    token: str | None = None,
    *,
    transport: Transport | None = None,
    soap: str | None = None,
    username: str | None = None,
    password: str | None = None,
    identity: str | None = None,
    soap_version: str | None = None,
    listen: bool | str | CallbackListener = False,
    catalogue: str | None = None,
) -> Lab:
    """Connect to an ordering service.

    Parameters
    ----------
    url : str, optional
        Base URL of its Jupyter Server, or the address Jupyter prints with ``?token=``. Without it:
        ``OSEO_LAB_URL``, JupyterHub, the server of this kernel, or the only one running.
    token : str, optional
        Jupyter token; ``OSEO_LAB_TOKEN`` or the server's runtime file otherwise.
    transport : Transport, optional
        Another way to reach a service; then nothing is looked for.
    soap : str, optional
        SOAP endpoint of any OSEO 1.0 service, ours or not; what follows is for that alone.
    username, password : str, optional
        An account there; ``OSEO_LAB_PASSWORD`` where the password is not given. Or ``token``, sent as
        ``Authorization: Bearer``.
    identity : str, optional
        How the password is said: ``text`` (default) and ``digest`` in WS-Security, or ``basic`` in HTTP.
    soap_version : str, optional
        ``1.2`` or ``1.1``; without it 1.2, and 1.1 where the service refuses that.
    listen : bool or str, optional
        Take callbacks: True on this machine alone, or the URL the service reaches you at
        (``http://me.example.org:9000/``). Without it orders are asked after.
    catalogue : str, optional
        A STAC API that `Lab.search` asks: an OSEO service has no product search.

    Raises
    ------
    ConfigurationError
        If no server is found (every place looked at is listed), or several are; if something is said that
        belongs to the other way.
    NotAuthenticated
        If the server does not know the token.
    TransportError
        If it does not answer.
    """
    elsewhere = {
        "username": username,
        "password": password,
        "identity": identity,
        "soap_version": soap_version,
        "listen": listen,
        "catalogue": catalogue,
    }
    _check_way(url, soap, [name for name, value in elsewhere.items() if value])
    if soap is not None:
        transport = _soap(
            soap, token, username, password, identity, soap_version, listen=listen, catalogue=catalogue
        )
    if transport is None:
        place = find_server(url, token)
        transport = HttpTransport(place.url, place.token)
    lab = Lab(transport)
    _ = lab.about
    return lab


def _check_way(url: str | None, soap: str | None, elsewhere: list[str]) -> None:
    """Raise if what was given belongs to two ways at once: what is not looked at would surprise."""
    for name, place in (("url", url), ("soap", soap)):
        if place is not None:
            address(place, name)
    if url is not None and soap is not None:
        raise ConfigurationError("url=... is one way and soap=... another: say one of them")
    if soap is None and elsewhere:
        named = ", ".join(f"{each}=..." for each in elsewhere)
        raise ConfigurationError(f"{named} goes with soap=..., the SOAP endpoint of any OSEO service")


def _soap(
    url: str,
    token: str | None,
    username: str | None,
    password: str | None,
    identity: str | None,
    soap_version: str | None,
    *,
    listen: bool | str | CallbackListener,
    catalogue: str | None,
) -> Transport:
    """Return the way to any OSEO service."""
    from oseo_lab.client.listener import CallbackListener
    from oseo_lab.client.soap_calls import credentials_of
    from oseo_lab.client.soap_transport import SoapTransport
    from oseo_lab.client.stac_search import StacSearch

    if username and not password:
        password = os.environ.get("OSEO_LAB_PASSWORD")
    return SoapTransport(
        url,
        credentials_of(username, password, token, identity),
        soap_version=soap_version,
        search=StacSearch(catalogue) if catalogue else None,
        listener=CallbackListener.of(listen),
    )


class Lab(Session):
    """An ordering service, as one user sees it.

    Parameters
    ----------
    transport : Transport
        How to reach it.
    """

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; orders go on."""
        self.transport.close()

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
        again : bool
            Make a new one, though the same was submitted before.
        **options
            Values of the collection's options, for every product; also ``packaging``, ``priority``.

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
            options=options,
        )

    @property
    def quotations(self) -> Quotations:
        """Your quotations, newest first, or by id: ``lab.quotations[id]``."""
        from oseo_lab.client.quote import Quotations

        return Quotations(self)

    @property
    def balances(self) -> dict[str, float]:
        """What your account may still order, by currency or quota unit; what is not there is not limited."""
        found = self.transport.ask("GET", "balances")
        return {str(each["currency"]): float(each["value"]) for each in found.get("balances", ())}

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
            (west, south, east, north) in degrees, WKT, GeoJSON, shapely, geopandas; what intersects it.
        time : str, date, datetime or tuple, optional
            ``"2024-06/2024-07"``, a date, or two aware datetimes.
        text : str, optional
            Words in identifiers or properties.
        limit : int or None
            Most products; None for all.
        area_crs : str or int, optional
            Where the area's coordinates are not degrees: ``"EPSG:32632"``.
        **filters
            Properties: ``cloud_cover_lt=20``, ``platform="sentinel-2a"``, ``gsd=(10, 20)``.

        Raises
        ------
        ValidationError
            If the area, the time or a filter cannot be read, or the collection is unknown.
        """
        from oseo_lab.client.area import as_area, swapped
        from oseo_lab.client.search import Products, query_of, search

        place = None if area is None else as_area(area, area_crs)
        query = query_of(place, time, text, filters=filters)
        found = list(search(self.transport, collection, query, limit))
        if not found and place is not None and (other := swapped(place)) is not None:
            query = query_of(other, time, text, filters=filters)
            if list(search(self.transport, collection, query, 1)):
                display.say(
                    f"Nothing is there, but something is at {other.bbox}: were latitude and longitude "
                    "exchanged? The order is (west, south, east, north)."
                )
        return Products(self, collection, found, place)

    def products(self, collection: str, ids: Iterable[str]) -> Products:
        """Return products by their identifiers; those that are not there are left out."""
        from oseo_lab.client.search import Products

        return Products(self, collection, list(self.find(collection, ids).values()))

    def order(
        self,
        products: Iterable[CatalogueItem | str] | CatalogueItem | str,
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
            What to order; identifiers alone need ``collection``.
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

    def __repr__(self) -> str:
        return f"Lab({self.transport.url!r})"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [
            ("server", self.transport.url),
            ("service", f"{self.about.get('service', '')} {self.about.get('version', '')}"),
            ("orders of", self.owner),
        ]
        return display.card("ordering service", display.facts(rows))


class Collections(Mapping[str, Mapping[str, Any]]):
    """What can be ordered from: facts by collection id, as known when this was asked."""

    def __init__(self, lab: Lab) -> None:
        self._found = {str(each["id"]): each for each in lab.transport.collections()}

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        if name not in self._found:
            raise KeyError(f"{name!r}; collections: {', '.join(self._found) or 'none'}")
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
