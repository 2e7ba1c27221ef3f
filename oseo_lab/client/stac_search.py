"""Searching a STAC API from the client, for services that take orders and have no catalogue of their own.

Only where the server is somebody else's (`soap_transport`): our own asks its catalogues itself. What the API
does not filter by (text, properties) is looked at here, page by page.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from oseo_lab.client.given import address
from oseo_lab.model.errors import ConfigurationError, TransportError
from oseo_lab.model.job import CatalogueItem

__all__ = ["StacSearch"]

#: Most bytes of one page.
LONGEST = 64 * 1024 * 1024
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_OWN = frozenset({"bbox", "geometry", "datetime", "ids", "text", "limit", "cursor"})


class StacSearch:
    """A STAC API's item search (STAC API 1.0, ``POST /search``).

    Parameters
    ----------
    url : str
        Landing page of the API.
    timeout : float
        Seconds to wait for an answer.
    """

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        if urlsplit(address(url, "catalogue")).scheme not in ("http", "https"):
            raise ConfigurationError(f"catalogue={url!r} is no address; allowed: http://..., https://...")
        self.url = url.rstrip("/") + "/"
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"StacSearch({self.url!r})"

    def __call__(
        self, collection_id: str, query: Mapping[str, Any]
    ) -> tuple[list[CatalogueItem], str | None]:
        """Return one page of a collection's products, and the cursor of the next.

        Raises
        ------
        TransportError
            If the API cannot be reached, or answers no features.
        """
        asked, link = _asked(collection_id, query), urljoin(self.url, "search")
        if query.get("cursor"):
            link, asked = json.loads(query["cursor"])
        answer = self._posted(link, asked)
        features = answer.get("features")
        if not isinstance(features, list):
            raise TransportError(f"{self.url} answered no features: is it a STAC API?")
        found = [_item(each, collection_id) for each in features if isinstance(each, Mapping)]
        return [each for each in found if _matches(each, query)], self._next(answer, link, asked)

    def _posted(self, link: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        import httpx

        try:
            with httpx.stream("POST", link, json=dict(asked), timeout=self._timeout) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LONGEST:
                        raise TransportError(f"{self.url} answered more than {LONGEST >> 20} MiB")
            answer = json.loads(bytes(body)) if response.is_success else None
        except (httpx.HTTPError, httpx.InvalidURL) as lost:
            raise TransportError(f"{self.url} could not be reached: {lost or type(lost).__name__}") from None
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, Mapping):
            raise TransportError(f"{self.url} answered HTTP {response.status_code}: is it a STAC API?")
        return answer

    def _next(self, answer: Mapping[str, Any], link: str, asked: Mapping[str, Any]) -> str | None:
        """Return where the next page is, as a cursor; a page of another host is none."""
        links = answer.get("links")
        for each in links if isinstance(links, list) else ():
            if isinstance(each, Mapping) and each.get("rel") == "next":
                href = urljoin(link, str(each.get("href") or ""))
                body = each.get("body")
                more = dict(body) if isinstance(body, Mapping) else {}
                if urlsplit(href).netloc == urlsplit(self.url).netloc:
                    return json.dumps([href, {**asked, **more}])
        return None


def _asked(collection_id: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a query as the API reads it."""
    asked: dict[str, Any] = {"collections": [collection_id], "limit": int(query.get("limit") or 100)}
    if "geometry" in query:
        asked["intersects"] = query["geometry"]
    elif "bbox" in query:
        asked["bbox"] = [float(each) for each in str(query["bbox"]).split(",")]
    if "datetime" in query:
        asked["datetime"] = query["datetime"]
    if "ids" in query:
        asked["ids"] = str(query["ids"]).split(",")
    return asked


def _item(feature: Mapping[str, Any], collection_id: str) -> CatalogueItem:
    properties = feature.get("properties")
    properties = dict(properties) if isinstance(properties, Mapping) else {}
    geometry, box = feature.get("geometry"), feature.get("bbox")
    return CatalogueItem(
        identifier=str(feature.get("id") or ""),
        collection_id=collection_id,
        bbox=_bbox(box),
        geometry=geometry if isinstance(geometry, Mapping) else None,
        datetime=_time(properties.get("datetime") or properties.get("start_datetime")),
        properties=properties,
    )


def _bbox(box: Any) -> tuple[float, float, float, float] | None:
    try:
        numbers = [float(each) for each in box]
    except (TypeError, ValueError):
        return None
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else None


def _time(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _matches(item: CatalogueItem, query: Mapping[str, Any]) -> bool:
    """Whether an item has the words and property values that were asked for."""
    text = str(query.get("text") or "").lower()
    if text and text not in f"{item.identifier} {item.properties.get('title', '')}".lower():
        return False
    return all(_has(item, name, wanted) for name, wanted in query.items() if name not in _OWN)


def _has(item: CatalogueItem, name: str, wanted: Any) -> bool:
    stem, _, word = name.rpartition(".")
    if not stem or word not in (*_COMPARED, "eq"):
        stem, word = name, "eq"
    by_short = {key.rpartition(":")[2]: value for key, value in item.properties.items()}
    held = item.properties.get(stem, by_short.get(stem))
    if word == "eq":
        return str(held) == str(wanted)
    try:
        return _COMPARED[word](float(held), float(wanted))
    except (TypeError, ValueError):
        return False
