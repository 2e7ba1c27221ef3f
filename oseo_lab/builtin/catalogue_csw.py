"""Catalogue behind a CSW 2.0.2 server, asked through OWSLib; every answer is checked again on this side.

What the server's capabilities say it can filter by, it is asked to filter: area, time, words, collection. Its
comparisons are often of texts, so what it is asked is a little wider than the query, and `Matcher` decides: a
query means the same with every catalogue. Filters are kept flat, for servers differ in what else they read.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from oseo_lab.builtin.catalogue_assets import AssetRules
from oseo_lab.builtin.catalogue_csw_dc import read_dc
from oseo_lab.builtin.catalogue_csw_iso import read_iso
from oseo_lab.builtin.catalogue_csw_query import (
    AXIS_ORDERS,
    OutOfOrder,
    area_filters,
    in_order,
    newest_first,
    period_filters,
    word_filters,
)
from oseo_lab.builtin.catalogue_csw_record import to_item
from oseo_lab.builtin.catalogue_csw_server import CswServer
from oseo_lab.builtin.catalogue_search import Matcher, cursor_of, page, position, position_of, read_cursor
from oseo_lab.builtin.catalogue_thumbnails import Pictures
from oseo_lab.model.errors import ConfigurationError, ValidationError
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import CatalogueQuery, Thumbnail

__all__ = ["CswCatalogue"]

_LOG = logging.getLogger(__name__)
_IDS_AT_A_TIME = 50
_MOST_READ = 10_000  # records one search may look through
_SCHEMAS = ("iso", "dc")
#: Property names by schema: what OGC 07-045 (ISO) and 07-006r1 (Dublin Core) call what we filter by.
_IDENTIFIER = {"iso": "apiso:Identifier", "dc": "dc:identifier"}
_PARENTS = {"parentidentifier": "apiso:ParentIdentifier", "ispartof": "dct:isPartOf"}


class CswCatalogue:
    """Products of a CSW server.

    Parameters
    ----------
    collection_id : str
        The collection they are ordered from.
    settings : mapping
        ``href``, the server's URL; ``schema``, ``iso`` or ``dc`` (what the server offers, ISO 19139 first,
        if not given); ``parent``, the identifier that the collection's records name as their parent;
        ``where``, a table of CSW properties and what they must be, ``*`` for any characters; ``axis_order``
        of its areas, ``lat,lon`` or ``lon,lat``; ``hosts`` and ``schemes`` online resources may have (the
        server's own host if none is named); ``assets``, names of the resources to take; ``timeout`` in
        seconds; ``page``, records asked for at a time.

    Raises
    ------
    ConfigurationError
        If a setting is not what it must be.
    """

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        self._collection_id = collection_id
        self._href = str(settings["href"])
        schema = str(settings.get("schema") or "")
        self._axis_order = str(settings.get("axis_order") or "lat,lon").replace(" ", "")
        self._parent = str(settings.get("parent") or "")
        self._where = dict(settings.get("where") or {})
        _check(self._href, schema, self._axis_order, self._where)
        self._rules, hosts = AssetRules.of_server(settings, self._href)
        self._pictures = Pictures(self.find, hosts)
        self._server = CswServer(
            collection_id,
            self._href,
            hosts=hosts,
            schema=schema,
            timeout=float(settings.get("timeout") or 30),
            page=min(max(int(settings.get("page") or 100), 1), 1000),
        )

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Return the products that exist, by identifier.

        Raises
        ------
        CatalogueFailed
            If the server cannot be asked now.
        """
        from owslib.fes import Or, PropertyIsEqualTo

        wanted = list(dict.fromkeys(identifiers))
        found: dict[str, CatalogueItem] = {}
        for start in range(0, len(wanted), _IDS_AT_A_TIME):
            some = wanted[start : start + _IDS_AT_A_TIME]
            name = _IDENTIFIER[self._server.schema()]
            each = [PropertyIsEqualTo(name, identifier) for identifier in some]
            for item in self._items([*self._fixed(), Or(each) if len(each) > 1 else each[0]], None):
                if item.identifier in some:
                    found.setdefault(item.identifier, item)
        return found

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Return matching products, newest first, and a cursor for more (None at the end).

        Raises
        ------
        CatalogueFailed
            If the server cannot be asked now.
        ValidationError
            If the query cannot be understood, or would look through more than is looked through.
        """
        found, cursor = self._found(query)
        self._pictures.note(found)
        return found, cursor

    def thumbnail(self, identifier: str) -> Thumbnail | None:
        """Return the picture of a record's browse graphic.

        Raises
        ------
        CatalogueFailed
            If the server cannot be asked now.
        """
        return self._pictures.read(identifier)

    # ------------------------------------------------------------------------------------------- asking

    def _found(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        matches, after = Matcher(query), read_cursor(query.cursor)
        filters = [*self._fixed(), *self._filters(query)]
        if self._can_time():
            try:
                return self._in_pages(self._newest_first(filters, query, after), matches, after, query.limit)
            except OutOfOrder:
                _LOG.info("%s: the catalogue does not sort; all that matches is read", self._collection_id)
        items = list(itertools.islice(self._items(filters, None), _MOST_READ + 1))
        if len(items) > _MOST_READ:
            raise ValidationError(
                f"the catalogue of {self._collection_id} finds more than {_MOST_READ} products and cannot "
                "sort them; say less at once: an area, a time, a word",
                locator="limit",
            )
        return page(items, query)

    def _newest_first(
        self, filters: Sequence[Any], query: CatalogueQuery, after: tuple[datetime | None, str] | None
    ) -> Iterator[CatalogueItem]:
        """Yield products in our order, from about where the last answer ended.

        Those without a time come last, and no server can be asked for them alone: who goes on past the last
        time reads over everything once more.
        """
        sort = newest_first()
        wants_time = query.start is not None or query.end is not None
        newest = after[0] if after else None
        if after is None or newest is not None:
            yield from in_order(self._items([*filters, *period_filters(query, newest)], sort))
        if after is not None and not wants_time:
            yield from sorted(
                (item for item in self._items(filters, sort) if item.datetime is None), key=position
            )

    def _in_pages(
        self,
        items: Iterable[CatalogueItem],
        matches: Matcher,
        after: tuple[datetime | None, str] | None,
        limit: int,
    ) -> tuple[list[CatalogueItem], str | None]:
        """Read until the answer is full; no more than one search may look through."""
        last = position_of(after)
        found: list[CatalogueItem] = []
        looked_at = 0
        for item in items:
            if last is not None and position(item) <= last:
                continue
            if matches(item):
                if len(found) == max(1, limit):
                    return found, cursor_of(found[-1])
                found.append(item)
            looked_at += 1
            if looked_at == _MOST_READ:
                return found, cursor_of(item)  # more may match: whoever asks goes on from here
        return found, None

    def _items(self, filters: Sequence[Any], sort: Any) -> Iterator[CatalogueItem]:
        """Yield the products of all pages, each once; what has no identifier is left out."""
        read = read_iso if self._server.schema() == "iso" else read_dc
        asked_for = self._parent if self._parent_name() else None  # Dublin Core need not say it again
        seen: set[str] = set()
        for element in self._server.records(filters, sort):
            record = read(element)
            if record is None or record.identifier in seen:
                continue
            if self._parent and record.properties.get("parent", asked_for) != self._parent:
                continue  # of another collection: this server was not asked for one, or did not listen
            seen.add(record.identifier)
            yield to_item(record, self._collection_id, self._rules, self._href)

    # ---------------------------------------------------------------------------- what is asked for

    def _can_time(self) -> bool:
        """Whether times can be asked for: Dublin Core has no acquisition, whatever its server knows of it."""
        return self._server.schema() == "iso" and self._server.can("tempextent_begin")

    def _parent_name(self) -> str:
        return next((name for each, name in _PARENTS.items() if self._server.can(each)), "")

    def _fixed(self) -> list[Any]:
        """Return what makes a record one of this collection."""
        from owslib.fes import PropertyIsEqualTo, PropertyIsLike

        wanted = dict(self._where)
        if self._parent and (name := self._parent_name()):
            wanted[name] = self._parent
        return [
            PropertyIsLike(property_name, str(value), wildCard="*", singleChar="?")
            if "*" in str(value)
            else PropertyIsEqualTo(property_name, str(value))
            for property_name, value in wanted.items()
        ]

    def _filters(self, query: CatalogueQuery) -> list[Any]:
        """Return what the server can be asked of a query's area and text; never narrower than the query."""
        filters: list[Any] = []
        if self._server.can("boundingbox"):
            filters += area_filters(query, self._axis_order)
        if self._server.can("anytext"):
            filters += word_filters(query.text or "")
        return filters


def _check(href: str, schema: str, axis_order: str, where: Mapping[str, Any]) -> None:
    problems = []
    if urlsplit(href).scheme not in ("http", "https"):
        problems.append(f"catalogue.href: {href[:100]!r} is no URL of a CSW; allowed: http or https")
    if schema and schema not in _SCHEMAS:
        problems.append(f"catalogue.schema: {schema[:40]!r} is unknown; allowed: {', '.join(_SCHEMAS)}")
    if axis_order not in AXIS_ORDERS:
        problems.append(
            f"catalogue.axis_order: {axis_order[:40]!r} is unknown; allowed: {', '.join(AXIS_ORDERS)}"
        )
    if wrong := [name for name, value in where.items() if isinstance(value, dict | list)]:
        problems.append(
            f"catalogue.where: {wrong[0][:60]!r} is no text; allowed: a text, * for any characters"
        )
    if problems:
        raise ConfigurationError("\n".join(problems))
