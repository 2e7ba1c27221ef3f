"""Catalogue in STAC: a static catalogue on disk, or a STAC API.

``href`` decides: a URL is an API (`catalogue_stac_api`), a path is a static catalogue (here): a
``catalog.json`` or ``collection.json`` whose links are followed, a FeatureCollection, or a folder of items.
Files are read when they are first needed and again when they have changed.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from oseo_lab.builtin.catalogue_archive import ask_archive, read_archived, usual
from oseo_lab.builtin.catalogue_assets import RASTER_SUFFIXES, AssetRules, Refused, is_data
from oseo_lab.builtin.catalogue_items import CatalogueFailed
from oseo_lab.builtin.catalogue_rasters import read_facts
from oseo_lab.builtin.catalogue_search import page
from oseo_lab.builtin.catalogue_thumbnails import Pictures
from oseo_lab.model.job import Asset, CatalogueItem
from oseo_lab.ports import CatalogueQuery, Thumbnail

__all__ = ["StacCatalogue"]

_LOG = logging.getLogger(__name__)
_MOST_JSON = 64 * 1024 * 1024
_STARTS = ("catalog.json", "collection.json")


class _Side(Protocol):
    """One of the two ways to ask."""

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]: ...

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]: ...


class StacCatalogue:
    """Products of a static STAC catalogue on disk, or of a STAC API.

    Parameters
    ----------
    collection_id : str
        The collection they are ordered from.
    settings : mapping
        ``href``, an absolute path or a URL; ``hosts`` and ``schemes`` assets may have (an API's own host
        if none is named); ``root``, the folder that local assets lie below (the catalogue's own if not
        given); ``assets``, keys of the assets to take; for an API ``collection``, the collection's id
        there (this one's if not given), and ``timeout`` in seconds; ``restore``, seconds that the archive
        usually takes for products that are offline.
    """

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        self._side: _Side
        self._hosts = AssetRules.of(settings, root=None).hosts
        self._pictures = Pictures(self.find, self._hosts)
        if urlsplit(str(settings["href"])).scheme in ("http", "https"):
            from oseo_lab.builtin.catalogue_stac_api import StacApi

            self._side = StacApi(collection_id, settings)
        else:
            self._side = StaticStac(collection_id, settings)

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Return the products that exist, by identifier.

        Raises
        ------
        CatalogueFailed
            If the catalogue cannot be asked now.
        """
        return self._side.find(identifiers)

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Return matching products, newest first, and a cursor for more (None at the end).

        Raises
        ------
        CatalogueFailed
            If the catalogue cannot be asked now.
        ValidationError
            If the query cannot be understood.
        """
        found, cursor = self._side.search(query)
        self._pictures.note(found)
        return found, cursor

    def restore(self, item: CatalogueItem) -> bool:
        """Ask for a product that is offline; True if it is there after all.

        Raises
        ------
        ProcessingFailed
            If the archive cannot be asked now, or refuses.
        """
        return ask_archive(item, self._hosts)

    def thumbnail(self, identifier: str) -> Thumbnail | None:
        """Return the picture of a product's thumbnail or overview asset.

        Raises
        ------
        CatalogueFailed
            If the catalogue cannot be asked now.
        """
        return self._pictures.read(identifier)


class StaticStac:
    """The static catalogue: JSON files on disk that link to each other."""

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        self._collection_id = collection_id
        href = Path(unquote(urlsplit(str(settings["href"])).path)) if "://" in str(settings["href"]) else None
        self._href = href or Path(str(settings["href"]))
        self._settings = settings
        self._usually = usual(settings)
        self._read: dict[str, tuple[tuple[int, int], Any]] = {}
        self._items: dict[str, tuple[Any, CatalogueItem]] = {}
        self._bands: dict[tuple[str, int], tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Return the products that exist, by identifier; files named after one are read first."""
        wanted = set(identifiers)
        rules, start = self._rules()
        found: dict[str, CatalogueItem] = {}
        files = sorted(self._files(start, rules), key=lambda path: not wanted & {path.stem, path.parent.name})
        for path in files:
            for item in self._items_of(path, rules):
                if item.identifier in wanted:
                    found.setdefault(item.identifier, self._with_bands(item))
            if len(found) == len(wanted):
                break
        return found

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Return matching products, newest first, and a cursor for more."""
        rules, start = self._rules()
        every: dict[str, CatalogueItem] = {}
        for path in self._files(start, rules):
            for item in self._items_of(path, rules):
                every.setdefault(item.identifier, item)
        found, cursor = page(every.values(), query)
        return [self._with_bands(item) for item in found], cursor

    def _rules(self) -> tuple[AssetRules, Path]:
        """Return what files may be touched, and where reading starts."""
        start = self._href
        if start.is_dir():
            start = next((start / name for name in _STARTS if (start / name).is_file()), start)
        folder = start if start.is_dir() else start.parent
        root = Path(self._settings.get("root") or folder).resolve()
        return AssetRules.of(self._settings, root=root), start.resolve()

    def _files(self, start: Path, rules: AssetRules) -> Iterator[Path]:
        """Yield the files that hold items, by following links; each once, none outside the root."""
        if start.is_dir():
            for where, folders, names in os.walk(start):
                folders.sort()
                paths = (Path(where) / name for name in sorted(names))
                yield from (path for path in paths if path.suffix in (".json", ".geojson"))
            return
        self._json(start, must=True)
        waiting, seen = [start], {start}
        while waiting:
            path = waiting.pop()
            read = self._json(path)
            if not isinstance(read, dict) or read.get("type") in ("Feature", "FeatureCollection"):
                yield path
                continue
            for relation, target in _links(read, path, rules, self._collection_id):
                if target in seen:
                    continue
                seen.add(target)
                if relation == "child":
                    waiting.append(target)
                else:
                    yield target

    def _json(self, path: Path, *, must: bool = False) -> Any:
        """Return a file's JSON, read again only when it has changed; None where it cannot be read."""
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            with self._lock:
                known = self._read.get(str(path))
            if known is not None and known[0] == stamp:
                return known[1]
            if status.st_size > _MOST_JSON:
                raise ValueError(f"more than {_MOST_JSON} bytes")
            read = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as broken:
            if must:
                raise CatalogueFailed(
                    f"the catalogue of {self._collection_id} cannot be read now",
                    retry=True,
                    detail=f"{path}: {broken}",
                ) from broken
            _LOG.warning("%s: %s is not read: %s", self._collection_id, path, broken)
            return None
        with self._lock:
            self._read[str(path)] = (stamp, read)
        return read

    def _items_of(self, path: Path, rules: AssetRules) -> Iterator[CatalogueItem]:
        """Yield the items a file holds; those that are no STAC items are left out."""
        read = self._json(path)
        features = read.get("features") if isinstance(read, dict) and "features" in read else [read]
        for feature in features if isinstance(features, list) else ():
            if isinstance(feature, dict) and feature.get("type") == "Feature" and "id" in feature:
                yield read_archived(feature, self._collection_id, rules, path.parent, self._usually)

    def _with_bands(self, item: CatalogueItem) -> CatalogueItem:
        """Give local rasters whose bands the item does not name the names in the file itself."""
        assets = tuple(self._asset_with_bands(asset) for asset in item.assets)
        return item if assets == item.assets else replace(item, assets=assets)

    def _asset_with_bands(self, asset: Asset) -> Asset:
        path = Path(asset.href)
        as_stac = {"href": asset.href, "type": asset.media_type, "roles": asset.roles}
        if asset.bands or not path.is_absolute() or path.suffix.lower() not in RASTER_SUFFIXES:
            return asset
        if not is_data(as_stac):
            return asset
        key = (asset.href, path.stat().st_mtime_ns)
        if key not in self._bands:
            self._bands[key] = read_facts(path).bands
        return replace(asset, bands=self._bands[key])


def _links(
    read: Mapping[str, Any], path: Path, rules: AssetRules, collection_id: str
) -> Iterator[tuple[str, Path]]:
    """Yield the child and item links of a catalogue file that lead to files below the root."""
    links = read.get("links")
    for link in links if isinstance(links, list) else ():
        relation = link.get("rel") if isinstance(link, dict) else None
        if relation not in ("child", "item"):
            continue
        try:
            target = rules.resolve(str(link.get("href") or ""), path.parent)
        except Refused as why:
            _LOG.warning("%s: a link of %s is not followed: %s", collection_id, path, why)
            continue
        if target.startswith("/"):
            yield str(relation), Path(target)
