"""Catalogue of a plain folder: each GeoTIFF or NetCDF file, and each sub-folder of files, is a product.

The identifier is the file's name without suffix, or the sub-folder's name. A STAC item beside the file
(``<name>.json``) or in the sub-folder adds what it knows, and a picture there is its thumbnail; assets are
matched by file name, for the files that count are those in the folder. A damaged file is listed with what is
known of it: what is wrong with it is found, and said, when it is processed.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oseo_lab.builtin.catalogue_assets import (
    MEDIA_TYPES,
    PICTURE_SUFFIXES,
    RASTER_SUFFIXES,
    AssetRules,
    read_bands,
)
from oseo_lab.builtin.catalogue_items import CatalogueFailed, bounds_of, read_time
from oseo_lab.builtin.catalogue_rasters import RasterFacts, read_facts, time_in_name
from oseo_lab.builtin.catalogue_search import page
from oseo_lab.builtin.catalogue_thumbnails import read_thumbnail
from oseo_lab.model.job import Asset, CatalogueItem
from oseo_lab.ports import CatalogueQuery, Thumbnail

__all__ = ["FolderCatalogue"]

_LOG = logging.getLogger(__name__)
#: Suffixes of files that somebody is still writing.
_PROVISIONAL = frozenset({".part", ".tmp", ".partial", ".filepart", ".crdownload"})
_MOST_FILES = 5000  # of one sub-folder; more is not one product
_MOST_JSON = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a product, and what tells that it changed."""

    path: str
    changed: int
    size: int

    @property
    def suffix(self) -> str:
        return Path(self.path).suffix.lower()

    @property
    def is_raster(self) -> bool:
        return self.suffix in RASTER_SUFFIXES


class FolderCatalogue:
    """Products of a folder.

    Parameters
    ----------
    collection_id : str
        The collection they are ordered from.
    settings : mapping
        ``href``, the folder (absolute); ``root``, a folder above it that links may lead into, if any;
        ``settle``, seconds that a product must have lain unchanged before it is found (0 if not given).
    """

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        self._collection_id = collection_id
        self._folder = Path(str(settings["href"]))
        self._settings = settings
        self._settle = float(settings.get("settle") or 0)
        self._known: dict[str, tuple[tuple[_File, ...], CatalogueItem]] = {}
        self._lock = threading.Lock()

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Return the products that exist, by identifier; opens no other files."""
        wanted = set(identifiers)
        entries = {name: parts for name, parts in self._entries().items() if name in wanted}
        found = {}
        for item, why_not in self._describe_all(entries):
            found[item.identifier] = replace(item, orderable=False, reason=why_not) if why_not else item
        return found

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Return matching products, newest first, and a cursor for more (None at the end)."""
        entries = self._entries()
        found = page((item for item, why_not in self._describe_all(entries) if not why_not), query)
        with self._lock:
            for gone in self._known.keys() - entries.keys():
                del self._known[gone]
        return found

    def thumbnail(self, identifier: str) -> Thumbnail | None:
        """Return the picture that lies beside a product's file or in its sub-folder."""
        return read_thumbnail(self.find([identifier]).get(identifier), ())

    def _entries(self) -> dict[str, list[os.DirEntry[str]]]:
        """Return the folder's entries by the identifier they belong to; sidecars beside their raster."""
        try:
            with os.scandir(self._folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as broken:
            raise CatalogueFailed(
                f"the catalogue of {self._collection_id} cannot be read now", retry=True, detail=str(broken)
            ) from broken
        found: dict[str, list[os.DirEntry[str]]] = {}
        sidecars: list[os.DirEntry[str]] = []
        for entry in entries:
            suffix = Path(entry.name).suffix.lower()
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                found.setdefault(entry.name, []).append(entry)
            elif suffix in RASTER_SUFFIXES:
                found.setdefault(Path(entry.name).stem, []).append(entry)
            elif suffix == ".json" or suffix in PICTURE_SUFFIXES:
                sidecars.append(entry)
        for entry in sidecars:
            if Path(entry.name).stem in found:
                found[Path(entry.name).stem].append(entry)
        return found

    def _describe_all(
        self, entries: Mapping[str, list[os.DirEntry[str]]]
    ) -> Iterator[tuple[CatalogueItem, str | None]]:
        """Yield products, each with what says that it is still being copied, if anything does."""
        for identifier, parts in entries.items():
            try:
                files = tuple(_files(parts))
            except OSError as gone:
                _LOG.warning("%s: %s left out: %s", self._collection_id, identifier, gone)
                continue
            if not any(file.is_raster for file in files):
                continue
            with self._lock:
                known = self._known.get(identifier)
            if known is None or known[0] != files:
                known = (files, self._describe(identifier, files))
                with self._lock:
                    self._known[identifier] = known
            yield known[1], self._arriving(files)

    def _arriving(self, files: Sequence[_File]) -> str | None:
        """Return why a product is not whole yet: a file's provisional name, or a change just now."""
        for file in files:
            if file.suffix in _PROVISIONAL:
                return f"it is still being copied: {Path(file.path).name[:100]} has a provisional name"
        age = time.time() - max(file.changed for file in files) / 1e9
        if 0 <= age < self._settle:
            return (
                f"it is still being copied, perhaps: it changed {age:.0f} s ago; allowed: {self._settle:g} s"
            )
        return None

    def _describe(self, identifier: str, files: Sequence[_File]) -> CatalogueItem:
        rules = AssetRules.of(self._settings, root=Path(self._settings.get("root") or self._folder).resolve())
        stac = dict(_stac_items(files))
        features = list(stac.values())
        named = _assets_by_file(features)
        facts = {file.path: _facts(file, rules) for file in files if file.is_raster}
        assets, thumbnail, reason = rules.read(
            _stac_assets([file for file in files if file.path not in stac], named, facts), self._folder
        )
        first: Mapping[str, Any] = features[0] if features else {}
        told = first.get("properties")
        properties = {**_properties(facts), **(told if isinstance(told, Mapping) else {})}
        geometry = first.get("geometry") or next(
            (each.geometry for each in facts.values() if each.geometry), None
        )
        return CatalogueItem(
            identifier=identifier,
            collection_id=self._collection_id,
            assets=_with_file_bands(assets, facts),
            bbox=bounds_of(first.get("bbox"), geometry),
            geometry=geometry,
            datetime=_time(identifier, properties, files, facts),
            properties=properties,
            thumbnail=thumbnail,
            orderable=reason is None,
            reason=reason,
        )


def _files(parts: Sequence[os.DirEntry[str]]) -> Iterator[_File]:
    count = 0
    for part in parts:
        for path in _walk(part.path) if part.is_dir() else (part.path,):
            count += 1
            if count > _MOST_FILES:
                return
            status = Path(path).stat()
            yield _File(path, status.st_mtime_ns, status.st_size)


def _walk(folder: str) -> Iterator[str]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (str(Path(where) / name) for name in sorted(names) if not name.startswith("."))


def _stac_items(files: Sequence[_File]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the STAC items among a product's files, by path."""
    for file in files:
        if file.suffix != ".json" or file.size > _MOST_JSON:
            continue
        try:
            read = json.loads(Path(file.path).read_bytes())
        except (OSError, ValueError, RecursionError) as broken:
            _LOG.warning("%s is not read: %s", file.path, broken)
            continue
        if isinstance(read, dict) and read.get("type") == "Feature" and "stac_version" in read:
            yield file.path, read


def _assets_by_file(features: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return the assets that STAC items tell of, by file name: their key, and what is said of them."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for feature in features:
        assets = feature.get("assets")
        for key, asset in assets.items() if isinstance(assets, dict) else ():
            if isinstance(asset, dict):
                found.setdefault(str(asset.get("href")).rpartition("/")[2], (str(key), asset))
    return found


def _stac_assets(
    files: Sequence[_File],
    named: Mapping[str, tuple[str, Mapping[str, Any]]],
    facts: Mapping[str, RasterFacts],
) -> dict[str, dict[str, Any]]:
    """Return the files as STAC assets by key: the STAC item's key, or the part of the name that differs."""
    prefix = _common_prefix([Path(file.path).stem for file in files if file.is_raster])
    assets: dict[str, dict[str, Any]] = {}
    for file in files:
        path = Path(file.path)
        key, told = named.get(path.name, (_key(path, prefix, len(facts)), {}))
        if key in assets:
            key = path.name
        assets[key] = {
            "href": file.path,
            "type": told.get("type") or MEDIA_TYPES.get(file.suffix, "application/octet-stream"),
            "roles": list(told.get("roles") or [_role(file)]),
            "file:size": file.size,
            "bands": [{"name": name} for name in read_bands(told)],
        }
    return assets


def _role(file: _File) -> str:
    if file.is_raster:
        return "data"
    return "thumbnail" if file.suffix in PICTURE_SUFFIXES else "metadata"


def _key(path: Path, prefix: str, rasters: int) -> str:
    if path.suffix.lower() not in RASTER_SUFFIXES:
        return path.name
    return "data" if rasters == 1 else path.stem.removeprefix(prefix) or path.stem


def _common_prefix(stems: Sequence[str]) -> str:
    """Return what all names begin with, up to a separator: ``LC08_…_T2_`` of a Landsat folder."""
    columns = zip(*stems, strict=False) if len(stems) > 1 else ()
    shared = "".join(column[0] for column in itertools.takewhile(lambda each: len(set(each)) == 1, columns))
    return shared[: max(shared.rfind(mark) for mark in "_-.") + 1]


def _facts(file: _File, rules: AssetRules) -> RasterFacts:
    """Return what a raster says of itself, if it lies where files of this collection may lie."""
    inside = rules.root is not None and Path(file.path).resolve().is_relative_to(rules.root)
    return read_facts(file.path) if inside else RasterFacts()


def _with_file_bands(assets: Sequence[Asset], facts: Mapping[str, RasterFacts]) -> tuple[Asset, ...]:
    """Give assets that no STAC item told the bands of those that the file itself tells."""
    bands = {str(Path(path).resolve()): each.bands for path, each in facts.items()}
    return tuple(
        asset if asset.bands or not bands.get(asset.href) else replace(asset, bands=bands[asset.href])
        for asset in assets
    )


def _properties(facts: Mapping[str, RasterFacts]) -> dict[str, Any]:
    """Return the properties that all rasters of a product agree on."""
    every = [each.properties for each in facts.values() if each.properties]
    if not every:
        return {}
    return {
        key: value for key, value in every[0].items() if all(each.get(key) == value for each in every[1:])
    }


def _time(
    identifier: str, properties: Mapping[str, Any], files: Sequence[_File], facts: Mapping[str, RasterFacts]
) -> datetime:
    """Return the time of acquisition: from the STAC item, the tags, the name, or else the file's own."""
    told = read_time(properties.get("datetime")) or read_time(properties.get("start_datetime"))
    tagged = next((each.time for each in facts.values() if each.time), None)
    latest = max(file.changed for file in files if file.is_raster)
    return told or tagged or time_in_name(identifier) or datetime.fromtimestamp(latest / 1e9, UTC)
