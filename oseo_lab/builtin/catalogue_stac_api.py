"""Catalogue behind a STAC API, asked by pystac-client; every answer is checked again on this side.

An API may not know filters, sorting or free text: what it cannot do is done here, so that a query means
the same with every catalogue.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urljoin, urlsplit

from oseo_lab.builtin.catalogue_archive import read_archived, usual
from oseo_lab.builtin.catalogue_assets import AssetRules
from oseo_lab.builtin.catalogue_items import CatalogueFailed
from oseo_lab.builtin.catalogue_search import Matcher, cursor_of, page, position, position_of, read_cursor
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import CatalogueQuery

__all__ = ["StacApi"]

#: Property names users write without their extension's prefix (STAC extensions eo, view, proj, sat, sar).
_PREFIXED = {
    "cloud_cover": "eo:cloud_cover",
    "snow_cover": "eo:snow_cover",
    "off_nadir": "view:off_nadir",
    "sun_elevation": "view:sun_elevation",
    "sun_azimuth": "view:sun_azimuth",
    "orbit_state": "sat:orbit_state",
    "relative_orbit": "sat:relative_orbit",
    "instrument_mode": "sar:instrument_mode",
    "product_type": "sar:product_type",
}
_IDS_AT_A_TIME = 100
_MOST_READ = 10_000  # products one search may look through
_RETRIED = (429, 502, 503, 504)


class _ForeignHost(ValueError):
    """The API wants us to ask a host that the operator has not named."""


class StacApi:
    """One collection of a STAC API."""

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        self._collection_id = collection_id
        self._href = str(settings["href"])
        self._collection = str(settings.get("collection") or collection_id)
        self._timeout = float(settings.get("timeout") or 30)
        self._rules, self._hosts = AssetRules.of_server(settings, self._href)
        self._usually = usual(settings)
        self._threads = threading.local()

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Return the products that exist, by identifier."""
        wanted = list(dict.fromkeys(identifiers))
        found: dict[str, CatalogueItem] = {}
        for start in range(0, len(wanted), _IDS_AT_A_TIME):
            ids = wanted[start : start + _IDS_AT_A_TIME]
            for item in self._items({"ids": ids, "limit": len(ids)}):
                if item.identifier in ids:
                    found.setdefault(item.identifier, item)
        return found

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Return matching products, newest first, and a cursor for more."""
        matches, after = Matcher(query), read_cursor(query.cursor)
        asked = self._parameters(query, after[0] if after else None)
        items = itertools.islice(self._items(asked), _MOST_READ)
        if "sortby" not in asked:
            return page(items, query)
        last = position_of(after)
        found: list[CatalogueItem] = []
        for item in _by_identifier(items):
            if (last is not None and position(item) <= last) or not matches(item):
                continue
            if len(found) == max(1, query.limit):
                return found, cursor_of(found[-1])
            found.append(item)
        return found, None

    def _parameters(self, query: CatalogueQuery, newest: datetime | None) -> dict[str, Any]:
        """Return what the API itself can be asked; its other conditions are checked here."""
        asked: dict[str, Any] = {"limit": min(max(query.limit + 1, 10), 250)}
        if query.geometry is not None:
            asked["intersects"] = dict(query.geometry)
        elif query.bbox is not None:
            asked["bbox"] = list(query.bbox)
        ends = [end for end in (query.end, newest) if end is not None]
        if query.start is not None or ends:
            asked["datetime"] = (query.start, min(ends) if ends else None)
        client = self._client()
        if client.conforms_to("SORT"):
            asked["sortby"] = "-properties.datetime"
        if query.filters and client.conforms_to("QUERY"):
            asked["query"] = {
                _PREFIXED.get(name, name): dict(wanted) if isinstance(wanted, Mapping) else {"eq": wanted}
                for name, wanted in query.filters.items()
            }
        return asked

    def _items(self, asked: Mapping[str, Any]) -> Iterator[CatalogueItem]:
        """Yield the products an API's pages hold, one page after the other."""
        seen: set[str] = set()
        for answer in self._pages(asked):
            features = answer.get("features")
            fresh = [
                feature
                for feature in (features if isinstance(features, list) else ())
                if isinstance(feature, Mapping) and "id" in feature and str(feature["id"]) not in seen
            ]
            if not fresh:
                return  # an empty page, or a page that links to itself
            seen.update(str(feature["id"]) for feature in fresh)
            for feature in fresh:
                base = _address(feature) or self._href
                yield read_archived(feature, self._collection_id, self._rules, base, self._usually)

    def _pages(self, asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        from pystac_client.exceptions import APIError
        from requests import RequestException

        try:
            search = self._client().search(collections=[self._collection], **asked)
            yield from search.pages_as_dicts()
        except APIError as refused:
            raise self._failed(refused, retry=_may_pass(refused)) from refused
        except RequestException as broken:
            raise self._failed(broken, retry=True) from broken
        except (ValueError, KeyError, TypeError, NotImplementedError) as wrong:
            raise self._failed(wrong, retry=False) from wrong

    def _client(self) -> Any:
        """Return this thread's client; a session is not to be shared between threads."""
        client = getattr(self._threads, "client", None)
        if client is None:
            client = self._threads.client = self._open()
        return client

    def _open(self) -> Any:
        import pystac_client
        from pystac.errors import STACError
        from pystac_client.exceptions import APIError
        from pystac_client.stac_api_io import StacApiIO
        from requests import RequestException
        from urllib3 import Retry

        retries = Retry(
            total=2,
            backoff_factor=0.2,
            status_forcelist=_RETRIED,
            allowed_methods=None,  # a search by POST changes nothing either
            respect_retry_after_header=False,
        )
        # The request modifier sees every request, next pages too: a link may name any host.
        # from_file sets both on the channel, to nothing where they are not given.
        checks: dict[str, Any] = {"timeout": self._timeout, "request_modifier": self._check_request}
        try:
            channel = StacApiIO(max_retries=retries)
            # A client lives as long as its thread, and nobody says when that ends: no socket waits with it.
            channel.session.headers["Connection"] = "close"
            channel.session.hooks["response"].append(self._check_redirect)
            client = pystac_client.Client.from_file(self._href, stac_io=channel, **checks)
        except (APIError, RequestException, OSError) as broken:
            raise self._failed(broken, retry=True) from broken
        except (STACError, ValueError, KeyError, TypeError) as wrong:
            raise self._failed(wrong, retry=False) from wrong
        if not client.conforms_to("ITEM_SEARCH"):
            reason = "it is no STAC API with item search; a static catalogue is read from disk only"
            raise self._failed(ValueError(reason), retry=False)
        return client

    def _check_request(self, request: Any) -> Any:
        self._check_host(str(request.url))
        return request

    def _check_redirect(self, response: Any, **_: Any) -> None:
        if response.is_redirect:
            try:
                self._check_host(urljoin(response.url, response.headers["location"]))
            except _ForeignHost:
                response.close()
                raise

    def _check_host(self, address: str) -> None:
        host = (urlsplit(address).hostname or "").lower()
        if not any(fnmatchcase(host, pattern) for pattern in self._hosts):
            raise _ForeignHost(f"the API leads to host {host!r}, which this collection does not name")

    def _failed(self, why: Exception, *, retry: bool) -> CatalogueFailed:
        host = urlsplit(self._href).netloc.rpartition("@")[2]
        then = "it is tried again" if retry else "the operator must look at it"
        return CatalogueFailed(
            f"the catalogue of {self._collection_id} at {host} does not answer as it should; {then}",
            retry=retry,
            detail=f"{type(why).__name__}: {str(why)[:2000]}",
        )


def _may_pass(refused: Any) -> bool:
    """Whether asking again may help: no answer, an overload, or a fault of the server."""
    code = getattr(refused, "status_code", None)  # pystac-client sets it where there was an answer
    if code is None:
        return not isinstance(refused.__context__, _ForeignHost)
    return bool(code >= 500 or code == 429)


def _address(feature: Mapping[str, Any]) -> str | None:
    """Return an item's own address, which its relative hrefs are relative to."""
    links = feature.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping) and link.get("rel") == "self":
            href = str(link.get("href") or "")
            return href if urlsplit(href).scheme in ("http", "https") else None
    return None


def _by_identifier(items: Iterator[CatalogueItem]) -> Iterator[CatalogueItem]:
    """Put products of the same time in order of identifier; the API has sorted them by time only."""
    for _, same_time in itertools.groupby(items, key=lambda item: item.datetime):
        yield from sorted(same_time, key=position)
