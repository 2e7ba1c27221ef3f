"""Which files of a product may be touched: every href of a catalogue is foreign, and judged here.

Allowed are files below the collection's root (links resolved) and URLs whose scheme and host the
collection names. Nothing that GDAL would read as an instruction (``/vsi…``, ``NETCDF:…``, VRT) passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from oseo_lab.model.job import Asset

__all__ = [
    "MEDIA_TYPES",
    "PICTURE_SUFFIXES",
    "RASTER_SUFFIXES",
    "AssetRules",
    "Refused",
    "is_data",
    "path_of",
    "read_bands",
    "read_classes",
]

#: Media type by file name suffix, of what the box can serve from a folder.
MEDIA_TYPES = {
    ".tif": "image/tiff; application=geotiff",
    ".tiff": "image/tiff; application=geotiff",
    ".nc": "application/x-netcdf",
    ".nc4": "application/x-netcdf",
    ".jp2": "image/jp2",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".xml": "application/xml",
    ".json": "application/json",
    ".txt": "text/plain",
}
#: Pictures that are shown as thumbnails.
PICTURE_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/webp"})
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
RASTER_SUFFIXES = frozenset({".tif", ".tiff", ".nc", ".nc4", ".jp2"})

_RASTER_TYPES = ("image/tiff", "image/jp2", "application/x-netcdf", "application/netcdf", "application/x-hdf")
_SIDE_ROLES = frozenset({"thumbnail", "overview", "metadata", "visual", "index", "tilejson", "wms"})
_CODES = ("classification:classes", "classification:bitfields")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_+.-]*:")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")


class Refused(Exception):
    """An href that this collection must not touch; says why in one sentence."""


def is_data(asset: Mapping[str, Any]) -> bool:
    """Whether a STAC asset is what a user orders, rather than a preview or a description of it."""
    roles = {str(role) for role in asset.get("roles") or ()}
    if "data" in roles:
        return True
    if roles & _SIDE_ROLES:
        return False
    media_type = str(asset.get("type") or "").lower()
    return (
        media_type.startswith(_RASTER_TYPES) or path_of(asset.get("href")).suffix.lower() in RASTER_SUFFIXES
    )


def path_of(href: Any) -> PurePosixPath:
    """Return the path of an address; empty where it cannot be read, such as one with half an IPv6 host."""
    try:
        return PurePosixPath(urlsplit(str(href or "")).path)
    except ValueError:
        return PurePosixPath()


def read_bands(asset: Mapping[str, Any]) -> tuple[str, ...]:
    """Return band names as a STAC asset gives them; empty where it gives none or not all.

    Source: STAC 1.1 common metadata ``bands``; extensions eo 1.x ``eo:bands`` and raster 1.x
    ``raster:bands``.
    """
    for key in ("bands", "eo:bands", "raster:bands"):
        bands = asset.get(key)
        if isinstance(bands, list) and bands:
            names = [band.get("name") if isinstance(band, Mapping) else None for band in bands]
            if all(isinstance(name, str) and name for name in names):
                return tuple(str(name) for name in names)
    return ()


def read_classes(name: str, asset: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the bands that a STAC asset says hold codes; its own name where it says it of itself.

    Source: STAC extension classification 2.0, ``classification:classes`` and ``classification:bitfields``.
    """
    if any(asset.get(key) for key in _CODES):
        return (name,)
    found = []
    for key in ("bands", "eo:bands", "raster:bands"):
        listed = asset.get(key)
        bands = listed if isinstance(listed, list) else []
        for band in bands:
            if isinstance(band, Mapping) and any(band.get(each) for each in _CODES):
                found.append(str(band.get("name") or (name if len(bands) == 1 else "")))
    return tuple(dict.fromkeys(each for each in found if each))


@dataclass(frozen=True, kw_only=True)
class AssetRules:
    """What one collection's assets may point to.

    Parameters
    ----------
    root : Path or None
        Folder that local files lie below, resolved; None where no local file is allowed.
    hosts : tuple of str
        Host names URLs may have; ``*.example.org`` allows every host below.
    schemes : tuple of str
        URL schemes allowed.
    names : tuple of str
        Asset keys to take, with ``*`` as wildcard; all where empty.
    """

    root: Path | None = None
    hosts: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("https", "http")
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any], *, root: Path | None, hosts: Iterable[str] = ()) -> AssetRules:
        """Read the rules from a collection's ``[catalogue]`` section."""
        return cls(
            root=root,
            hosts=tuple(str(host).lower() for host in settings.get("hosts") or hosts),
            schemes=tuple(str(scheme).lower() for scheme in settings.get("schemes") or cls.schemes),
            names=tuple(settings.get("assets") or ()),
        )

    @classmethod
    def of_server(cls, settings: Mapping[str, Any], href: str) -> tuple[AssetRules, tuple[str, ...]]:
        """Read the rules for products of a server, and which hosts may be asked: its own is always one."""
        own = (urlsplit(href).hostname or "").lower()
        rules = cls.of(settings, root=None, hosts=(own,))
        return rules, (own, *rules.hosts)

    def takes(self, name: str) -> bool:
        """Whether an asset of this key is part of the product."""
        return not self.names or any(fnmatchcase(name, pattern) for pattern in self.names)

    def resolve(self, href: str, base: Path | str | None) -> str:
        """Return the absolute path or URL an href stands for.

        Parameters
        ----------
        href : str
            As the catalogue has it.
        base : Path, str or None
            Folder (Path) or URL (str) of the item file, for relative hrefs.

        Raises
        ------
        Refused
            If it is outside what the collection allows.
        """
        if not href or len(href) > 4000 or _UNSAFE.search(href) or href != href.strip():
            raise Refused("its address has characters that are not allowed")
        if _PREFIX.match(href):
            return self._file_url(href) if href.lower().startswith("file:") else self._url(href)
        if href.startswith("/vsi"):
            raise Refused("GDAL file systems are not allowed")
        if isinstance(base, str):
            return self._url(urljoin(base, href))
        return self._path(href, base)

    def _url(self, href: str) -> str:
        if " " in href:
            raise Refused("its address has characters that are not allowed")
        try:
            parts = urlsplit(href)
            host = (parts.hostname or "").lower()
        except ValueError:
            raise Refused("its address cannot be read") from None
        if parts.scheme.lower() not in self.schemes:
            allowed = ", ".join(self.schemes)
            raise Refused(f"scheme {parts.scheme[:20]!r} is not allowed; allowed: {allowed}")
        if parts.username is not None or parts.password is not None:
            raise Refused("addresses with a user name are not allowed")
        if not any(fnmatchcase(host, pattern) for pattern in self.hosts):
            allowed = ", ".join(self.hosts) or "none (name them as hosts in the collection file)"
            raise Refused(f"host {host[:100]!r} is not allowed; allowed: {allowed}")
        _refuse_vrt(parts.path)
        return href

    def _file_url(self, href: str) -> str:
        parts = urlsplit(href)
        if parts.netloc not in ("", "localhost"):
            raise Refused("files of other machines are not allowed")
        return self._path(unquote(parts.path), None)

    def _path(self, href: str, folder: Path | None) -> str:
        if self.root is None:
            raise Refused("files of this machine are not allowed here")
        path = (folder or self.root) / href
        try:
            resolved = path.resolve()
            if not resolved.exists() and "%" in href:
                resolved = ((folder or self.root) / unquote(href)).resolve()
            there = resolved.is_file()
        except (OSError, RuntimeError, ValueError):
            raise Refused("its address cannot be read") from None
        if not resolved.is_relative_to(self.root):
            raise Refused("its file lies outside the collection's folder")
        _refuse_vrt(resolved.name)
        if not there:
            raise Refused(f"there is no file {resolved.name[:100]!r}")
        return str(resolved)

    def read(
        self, assets: Mapping[str, Any], base: Path | str | None
    ) -> tuple[tuple[Asset, ...], str | None, str | None]:
        """Return the assets that may be touched, the thumbnail's address, and what is wrong, if anything.

        A refused asset that holds data makes the product not orderable; a refused preview or
        description is left out.
        """
        found: list[Asset] = []
        reason = None
        holds_data = False
        for name, asset in assets.items():
            if not isinstance(asset, Mapping) or not self.takes(str(name)):
                continue
            data = is_data(asset)
            holds_data |= data
            try:
                href = self.resolve(str(asset.get("href") or ""), base)
            except Refused as why:
                reason = reason or (f"its asset {str(name)[:60]!r} cannot be used: {why}" if data else None)
                continue
            found.append(_asset(str(name), href, asset))
        if not holds_data:
            reason = reason or "it has no asset that holds data"
        return tuple(found), _thumbnail(found), reason


def _thumbnail(assets: Iterable[Asset]) -> str | None:
    """Return the address of the picture to show: a thumbnail, or else an overview that is one."""
    pictures = [each for each in assets if _is_picture(each)]
    for role in ("thumbnail", "overview"):
        for each in pictures:
            if role in each.roles or (not each.roles and each.name == role):
                return each.href
    return None


def _is_picture(asset: Asset) -> bool:
    """Whether an asset may be a picture that is shown: PNG, JPEG or WebP, as far as the catalogue says."""
    suffix = path_of(asset.href).suffix.lower()
    said = (asset.media_type or "").partition(";")[0].strip().lower()
    return said in PICTURE_TYPES or (not said and suffix in ("", *PICTURE_SUFFIXES))


def _refuse_vrt(path: str) -> None:
    if path.lower().rstrip("/").endswith(".vrt"):
        raise Refused("virtual rasters (VRT) are not allowed")


def _asset(name: str, href: str, asset: Mapping[str, Any]) -> Asset:
    size = asset.get("file:size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        size = Path(href).stat().st_size if href.startswith("/") else None
    media_type = asset.get("type")
    return Asset(
        name=name,
        href=href,
        media_type=str(media_type) if media_type else None,
        bands=read_bands(asset),
        roles=tuple(str(role) for role in asset.get("roles") or ()),
        size=size,
        classes=read_classes(name, asset),
    )
