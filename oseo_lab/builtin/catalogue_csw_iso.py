"""ISO 19139 metadata as catalogues really write it, read into a `Record`.

The 2007 schema is not required of anybody: GML comes as 3.1 or 3.2, text as ``gco:CharacterString`` or
``gmx:Anchor``, products as ``gmd:MD_Metadata`` or ``gmi:MI_Metadata``; what is missing, empty or nil is left
out, and what cannot be read of one record hides no other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from oseo_lab.builtin.catalogue_csw_record import Box, Record, Resource, period_of, steps, words

__all__ = ["read_iso"]

_MOST_KEYWORDS = 200
#: Keywords of the form ``eo:productType:S2MSI2A``, as pycsw and pygeometa write the EO properties of a
#: product, and the STAC property each becomes.
_EO_KEYWORDS = {
    "eo:productType": "product:type",
    "eo:orbitNumber": "sat:relative_orbit",
    "eo:orbitDirection": "sat:orbit_state",
    "eo:cloudCover": "eo:cloud_cover",
    "eo:snowCover": "eo:snow_cover",
    "eo:processingLevel": "processing:level",
    "eo:instrument": "instrument",
    "eo:platform": "platform",
}
_IDENTIFICATION = "identificationInfo/*"
_EXTENT = f"{_IDENTIFICATION}/extent/EX_Extent"
_IMAGE = "contentInfo/MD_ImageDescription"
_PLATFORM = "acquisitionInformation/MI_AcquisitionInformation/platform/MI_Platform"
#: Properties of one text each: STAC property, where it stands.
_TEXTS = (
    ("title", f"{_IDENTIFICATION}/citation/CI_Citation/title"),
    ("description", f"{_IDENTIFICATION}/abstract"),
    ("parent", "parentIdentifier"),
    ("type", "hierarchyLevel"),
    ("language", "language"),
    ("organisation", f"{_IDENTIFICATION}/pointOfContact/CI_ResponsibleParty/organisationName"),
    ("format", "distributionInfo/MD_Distribution/distributionFormat/MD_Format/name"),
    ("platform", f"{_PLATFORM}/identifier"),
    ("instrument", f"{_PLATFORM}/instrument/MI_Instrument/type"),
    ("processing:level", f"{_IMAGE}/processingLevelCode/*/code"),
)
#: Properties of one number each.
_NUMBERS = (
    ("eo:cloud_cover", f"{_IMAGE}/cloudCoverPercentage"),
    ("view:sun_elevation", f"{_IMAGE}/illuminationElevationAngle"),
    ("view:sun_azimuth", f"{_IMAGE}/illuminationAzimuthAngle"),
    ("gsd", f"{_IDENTIFICATION}/spatialResolution/MD_Resolution/distance/Distance"),
)


def read_iso(element: Any) -> Record | None:
    """Return what a ``gmd:MD_Metadata`` or ``gmi:MI_Metadata`` says; None where it has no identifier."""
    identifier = _first(element, "fileIdentifier")
    if not identifier:
        return None
    begin, end = _acquired(element)
    boxes = tuple(_boxes(element))
    return Record(
        identifier=identifier,
        boxes=boxes,
        polygons=tuple(_polygons(element, boxes)),
        begin=begin,
        end=end,
        resources=tuple(_resources(element)),
        properties=_properties(element),
    )


def _first(element: Any, path: str) -> str:
    """Return the first text found along a path that is not empty."""
    return next(filter(None, (words(each) for each in steps(element, path))), "")


def number_of(text: str) -> float | None:
    """Return a finite number, however its decimals are marked; None where it is none."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _properties(element: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, path in _TEXTS:
        if said := _first(element, path):
            found[name] = said
    for name, path in _NUMBERS:
        if (value := number_of(_first(element, path))) is not None:
            found[name] = value
    found.update(_dates(element))
    keywords = [
        words(each, 200) for each in steps(element, f"{_IDENTIFICATION}/descriptiveKeywords/*/keyword")
    ]
    found["keywords"] = list(dict.fromkeys(filter(None, keywords)))[:_MOST_KEYWORDS]
    for keyword in found["keywords"]:
        name, _, value = keyword.rpartition(":")
        if (known := _EO_KEYWORDS.get(name)) and value:
            as_number = number_of(value)
            found.setdefault(known, value.lower() if as_number is None and "orbit" in known else value)
            if as_number is not None:
                found[known] = as_number
    return found


def _dates(element: Any) -> Iterator[tuple[str, str]]:
    """Yield when the product and its description were made."""
    if stamp := _first(element, "dateStamp"):
        yield "updated", stamp
    for each in steps(element, f"{_IDENTIFICATION}/citation/CI_Citation/date/CI_Date"):
        kind, said = _first(each, "dateType").lower(), _first(each, "date")
        if kind in ("creation", "publication", "revision") and said:
            yield {"creation": "created", "publication": "published", "revision": "revised"}[kind], said


def _acquired(element: Any) -> tuple[datetime | None, datetime | None]:
    """Return the acquisition: the whole of all temporal extents, of any GML. An open end is left open."""
    begins: list[datetime] = []
    ends: list[datetime] = []
    for extent in steps(element, f"{_EXTENT}/temporalElement/*/extent/*"):
        for path, side in (
            ("beginPosition", begins),
            ("endPosition", ends),
            ("begin/TimeInstant/timePosition", begins),
            ("end/TimeInstant/timePosition", ends),
            ("timePosition", begins),
            ("timePosition", ends),
        ):
            for each in steps(extent, path):
                if period := period_of(words(each)):
                    side.append(period[0] if side is begins else period[1])
    begin = min(begins, default=min(ends, default=None))
    return begin, max(ends, default=None)


def _boxes(element: Any) -> Iterator[Box]:
    for each in steps(element, f"{_EXTENT}/geographicElement/EX_GeographicBoundingBox"):
        said = [
            number_of(_first(each, name))
            for name in (
                "westBoundLongitude",
                "southBoundLatitude",
                "eastBoundLongitude",
                "northBoundLatitude",
            )
        ]
        box = box_of(said)
        if box is not None:
            yield box


def box_of(said: list[float | None]) -> Box | None:
    """Return west, south, east, north where all four are degrees; south and north are put in order."""
    west, south, east, north = said
    if west is None or south is None or east is None or north is None:
        return None
    south, north = min(south, north), max(south, north)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and south >= -90 and north <= 90):
        return None
    return (west, south, east, north)


def _polygons(element: Any, boxes: tuple[Box, ...]) -> Iterator[tuple[tuple[float, float], ...]]:
    for each in steps(element, f"{_EXTENT}/geographicElement/EX_BoundingPolygon/polygon/*"):
        for ring in steps(each, "exterior/LinearRing"):
            numbers = [number_of(part) for path in ("posList", "pos") for part in _parts(ring, path)]
            pairs = [
                (first, second)
                for first, second in zip(numbers[::2], numbers[1::2], strict=False)
                if first is not None and second is not None
            ]
            if len(pairs) >= 4 and len(pairs) * 2 == len(numbers):
                yield from _east_first(pairs, boxes, str(each.get("srsName") or ""))


def _parts(ring: Any, path: str) -> Iterator[str]:
    for each in steps(ring, path):
        yield from (each.text or "").split()


def _east_first(
    pairs: list[tuple[float, float]], boxes: tuple[Box, ...], reference: str
) -> Iterator[tuple[tuple[float, float], ...]]:
    """Yield a ring as longitude, latitude: the order whose bounds its record's box confirms.

    Without a box the reference decides: EPSG:4326 as a URN or URL means latitude first, and so does a number
    beyond 90 in second place mean the same.
    """
    turned = [(second, first) for first, second in pairs]
    if boxes:
        straight = min(boxes, key=lambda box: _differs(pairs, box))
        is_turned = _differs(turned, straight) < _differs(pairs, straight)
    else:
        is_turned = ("EPSG" in reference and not reference.upper().startswith("EPSG:")) or any(
            abs(second) > 90 for _, second in pairs
        )
    yield tuple(turned if is_turned else pairs)


def _differs(ring: list[tuple[float, float]], box: Box) -> float:
    east, north = zip(*ring, strict=True)
    bounds = (min(east), min(north), max(east), max(north))
    return math.fsum(abs(one - other) for one, other in zip(bounds, box, strict=True))


def _resources(element: Any) -> Iterator[Resource]:
    """Yield the online resources of the distribution, then the pictures."""
    options = "transferOptions/MD_DigitalTransferOptions/onLine/CI_OnlineResource"
    for path in (
        f"distributionInfo/MD_Distribution/{options}",
        f"distributionInfo/MD_Distribution/distributor/MD_Distributor/distributorTransferOptions/"
        f"{options.partition('/')[2]}",
    ):
        for each in steps(element, path):
            yield Resource(
                url=_first(each, "linkage"),
                protocol=_first(each, "protocol"),
                name=_first(each, "name"),
                description=_first(each, "description"),
                function=_first(each, "function"),
                media_type=next((str(one.get("type") or "") for one in steps(each, "name/MimeFileType")), ""),
            )
    for each in steps(element, f"{_IDENTIFICATION}/graphicOverview/MD_BrowseGraphic"):
        if url := _first(each, "fileName"):
            yield Resource(
                url=url, protocol="browse graphic", name="thumbnail", media_type=_first(each, "fileType")
            )
