"""One record of a CSW as this house needs it, whatever schema it came in, and what of it can be fetched.

`catalogue_csw_iso` and `catalogue_csw_dc` make records from XML; here they become catalogue items. An online
resource is data where the record says that it is to be downloaded, or where its name is that of a raster;
services, pages and folders cannot be fetched, and a product that has nothing else cannot be ordered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from oseo_lab.builtin.catalogue_assets import MEDIA_TYPES, RASTER_SUFFIXES, AssetRules, path_of
from oseo_lab.builtin.catalogue_items import read_time
from oseo_lab.encoding.xmltree import timestamp
from oseo_lab.model.job import CatalogueItem

__all__ = ["Box", "Record", "Resource", "period_of", "steps", "to_item", "words"]

#: West, south, east, north; EPSG:4326, degrees.
Box = tuple[float, float, float, float]

_DATE = re.compile(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?")
_MEDIA_TYPE = re.compile(r"(?:application|image|text|audio|video|model)/[\w.+-]+", re.IGNORECASE)
#: Protocols that name a way to fetch a file: the codes of GeoNetwork, EUMETSAT, CSW examples and INSPIRE.
_FETCHES = re.compile(r"download|enclosure|\bfile\b|getfile|\bftp\b", re.IGNORECASE)
#: Services: what answers there is no product.
_SERVES = re.compile(r"ogc|esri|atom|opendap|wms|wfs|wcs|csw|wmts|odata|opensearch", re.IGNORECASE)
_PICTURE = re.compile(r"thumbnail|browse|quick-?look|overview", re.IGNORECASE)
_PAGES = frozenset({".htm", ".html", ".php", ".jsp", ".asp", ".aspx", ".cgi", ".pdf", ".doc", ".docx"})
_CONTAINERS = frozenset(
    {".zip", ".tar", ".tgz", ".gz", ".7z", ".h5", ".hdf", ".he5", ".hdf5", ".grib", ".grb2"}
)
_MOST_RESOURCES = 500
_NAME_LENGTH = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """One online resource of a record, in the words of ISO 19115 (CI_OnlineResource)."""

    url: str
    protocol: str = ""
    name: str = ""
    description: str = ""
    function: str = ""
    media_type: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What one metadata record says of a product.

    Parameters
    ----------
    identifier : str
        ``gmd:fileIdentifier`` or ``dc:identifier``.
    boxes : tuple of Box
        Where it lies; several for a footprint in parts.
    polygons : tuple of tuple
        Rings of (longitude, latitude), where the record has them.
    begin, end : datetime or None
        Acquisition, UTC.
    resources : tuple of Resource
        Where it can be had, and its pictures.
    properties : mapping
        As in a STAC item.
    """

    identifier: str
    boxes: tuple[Box, ...] = ()
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    begin: datetime | None = None
    end: datetime | None = None
    resources: tuple[Resource, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)


def steps(element: Any, path: str) -> Iterator[Any]:
    """Yield the elements below one along a path of local names, ``*`` for any, in any namespace.

    Catalogues mix ``gmd`` with GML 3.1 and 3.2, and ``gmi`` with ``gmd``; names tell, prefixes do not.
    """
    found = [element]
    for name in path.split("/"):
        found = [
            child
            for parent in found
            for child in parent
            if name == "*" or str(child.tag).rpartition("}")[2] == name
        ]
    yield from found


def words(element: Any, most: int = 4000) -> str:
    """Return the text an element holds: of ``gco:CharacterString``, ``gmx:Anchor`` or itself.

    Of a bilingual ``gmd:PT_FreeText`` only the record's own language is read. A code list's value counts
    where its element has no text.
    """
    if element is None:
        return ""
    parts = [element.text or ""]
    for child in element:
        if str(child.tag).rpartition("}")[2] != "PT_FreeText":
            parts.append(words(child, most) or child.get("codeListValue") or "")
    return " ".join(" ".join(parts).split())[:most]


def period_of(text: str) -> tuple[datetime, datetime] | None:
    """Return the first and last moment of what a catalogue calls a date; None where it is none.

    ``2015``, ``2015-06``, ``20150621``, ``2015-06-21``, with a time or without, with an offset or in UTC.
    """
    said = text.strip()
    if (moment := read_time(said)) is not None and len(said) > 10:
        return moment, moment
    matched = _DATE.fullmatch(said.removesuffix("Z"))
    if matched is None:
        return None
    year, month, day = matched.groups()
    try:
        first = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        if day:
            after = first + timedelta(days=1)
        elif month:
            after = (first + timedelta(days=31)).replace(day=1)
        else:
            after = first.replace(year=first.year + 1)
    except (ValueError, OverflowError):
        return None
    return first, after - timedelta(seconds=1)


def to_item(record: Record, collection_id: str, rules: AssetRules, base: str) -> CatalogueItem:
    """Return a record as a catalogue item of this collection.

    Parameters
    ----------
    record : Record
        As it was read.
    collection_id : str
        The collection it is ordered from.
    rules : AssetRules
        What its assets may point to.
    base : str
        URL of the catalogue, for relative addresses.
    """
    found, thumbnail, reason = rules.read(_assets(record.resources), base)
    properties = dict(record.properties)
    if record.begin is not None:
        properties["datetime"] = properties["start_datetime"] = timestamp(record.begin)
        properties["end_datetime"] = timestamp(record.end or record.begin)
    if not any(role == "data" for asset in found for role in asset.roles) and not _holds_data(
        record.resources
    ):
        reason = _nothing_to_fetch(record.resources)
    return CatalogueItem(
        identifier=record.identifier,
        collection_id=collection_id,
        assets=found,
        bbox=_bounds(record),
        geometry=_geometry(record),
        datetime=record.begin,
        properties=properties,
        thumbnail=thumbnail,
        orderable=reason is None,
        reason=reason,
    )


def _assets(resources: Sequence[Resource]) -> dict[str, dict[str, Any]]:
    """Return what can be fetched as STAC assets by key, so that the rules of all catalogues judge them."""
    by_url: dict[str, Resource] = {}
    for each in resources[:_MOST_RESOURCES]:
        by_url.setdefault(each.url, each)
    wanted = [(each, role) for each in by_url.values() if (role := _role(each))]
    given = Counter(_slug(each.name) for each, _ in wanted)
    stems = Counter(_slug(path_of(each.url).stem) for each, _ in wanted)
    assets: dict[str, dict[str, Any]] = {}
    for each, role in wanted:
        name = _slug(each.name)
        if not name or given[name] > 1:
            name = stem if stems[stem := _slug(path_of(each.url).stem)] == 1 else ""
        name = name or role
        key, number = name, 2
        while key in assets:
            key, number = f"{name}-{number}", number + 1
        assets[key] = {"href": each.url, "type": _media_type(each), "roles": [role]}
    return assets


def _role(each: Resource) -> str:
    """Return the STAC role of an online resource; nothing where it cannot be fetched."""
    suffix, said = path_of(each.url).suffix.lower(), f"{each.protocol} {each.function}"
    is_image = (_media_type(each) or "").startswith("image/")
    if _PICTURE.search(f"{said} {each.description[:80]}") or (each.name and _PICTURE.search(each.name)):
        return "thumbnail" if is_image else ""
    is_folder = not path_of(each.url).name or re.split("[?#]", each.url)[0].endswith("/")
    if is_folder or _SERVES.search(each.protocol):
        return ""
    if suffix in RASTER_SUFFIXES or suffix in _CONTAINERS:
        return "data"
    if suffix in _PAGES:
        return ""
    is_offered = bool(_FETCHES.search(said)) or bool(_MEDIA_TYPE.fullmatch(each.protocol))
    return "data" if is_offered else ""


def _holds_data(resources: Sequence[Resource]) -> bool:
    return any(_role(each) == "data" for each in resources[:_MOST_RESOURCES])


def _nothing_to_fetch(resources: Sequence[Resource]) -> str:
    """Return why a product without data cannot be ordered."""
    others = [each for each in resources if each.url and _role(each) != "thumbnail"]
    if not others:
        return "its record names no online resource to fetch it from"
    kinds = Counter(each.protocol[:40] or "a page or folder" for each in others)
    shown = ", ".join(kind for kind, _ in kinds.most_common(3))
    return f"its record names {len(others)} online resources and none is a file that can be fetched ({shown})"


def _media_type(each: Resource) -> str | None:
    for said in (each.media_type, each.protocol):
        if matched := _MEDIA_TYPE.search(said):
            return matched[0].lower()
    return MEDIA_TYPES.get(path_of(each.url).suffix.lower())


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name.strip(), flags=re.ASCII).strip("_.")[:_NAME_LENGTH]


def _bounds(record: Record) -> Box | None:
    boxes = [*record.boxes, *(_box_of(ring) for ring in record.polygons if not record.boxes)]
    if not boxes:
        return None
    if len(boxes) == 1:
        return boxes[0]
    west, south, east, north = zip(*boxes, strict=True)
    return (min(west), min(south), max(east), max(north))


def _box_of(ring: Sequence[tuple[float, float]]) -> Box:
    east, north = zip(*ring, strict=True)
    return (min(east), min(north), max(east), max(north))


def _geometry(record: Record) -> dict[str, Any] | None:
    """Return the footprint as GeoJSON: of polygons where there are any, else of boxes."""
    shapes = [{"type": "Polygon", "coordinates": [list(map(list, ring))]} for ring in record.polygons] or [
        shape for box in record.boxes for shape in _shapes(box)
    ]
    if len(shapes) < 2:
        return shapes[0] if shapes else None
    if all(each["type"] == "Polygon" for each in shapes):
        return {"type": "MultiPolygon", "coordinates": [each["coordinates"] for each in shapes]}
    return {"type": "GeometryCollection", "geometries": shapes}


def _shapes(box: Box) -> Iterator[dict[str, Any]]:
    """Yield a box as GeoJSON: two where it crosses the antimeridian (RFC 7946, section 3.1.9).

    A box without width or height is a point or a line: a polygon without area would touch nothing.
    """
    west, south, east, north = box
    for left, right in ((west, 180.0), (-180.0, east)) if west > east else ((west, east),):
        if left == right and south == north:
            yield {"type": "Point", "coordinates": [left, south]}
        elif left == right or south == north:
            yield {"type": "LineString", "coordinates": [[left, south], [right, north]]}
        else:
            ring = [[left, south], [right, south], [right, north], [left, north], [left, south]]
            yield {"type": "Polygon", "coordinates": [ring]}
