"""Dublin Core records of a CSW (``csw:Record``) as catalogues really write them, read into a `Record`.

There is no element for the acquisition: ``dct:temporal`` is read where it is a period or a date, else
``dc:date`` counts. Boxes are in the axis order of their ``crs``; ``ows:WGS84BoundingBox`` is longitude first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from oseo_lab.builtin.catalogue_csw_iso import box_of, number_of
from oseo_lab.builtin.catalogue_csw_record import Box, Record, Resource, period_of, steps, words

__all__ = ["read_dc"]

_MOST_KEYWORDS = 200
#: DCMI Period Encoding Scheme: ``start=2010-01-01; end=2010-12-31; scheme=W3C-DTF;``.
_DCMI = re.compile(r"\b(start|end)\s*=\s*([^;]+)")
#: Properties of one text each: STAC property, Dublin Core elements, the first that says something.
_TEXTS = (
    ("title", ("title", "alternative")),
    ("description", ("abstract", "description")),
    ("parent", ("isPartOf",)),
    ("type", ("type",)),
    ("format", ("format",)),
    ("language", ("language",)),
    ("organisation", ("publisher", "creator")),
    ("license", ("license", "rights")),
    ("created", ("created",)),
    ("published", ("issued",)),
    ("updated", ("modified",)),
)


def read_dc(element: Any) -> Record | None:
    """Return what a ``csw:Record`` says; None where it has no identifier."""
    element = next(steps(element, "Description"), element)  # some wrap it in rdf:Description
    identifier = _first(element, ("identifier",))
    if not identifier:
        return None
    begin, end = _acquired(element)
    properties: dict[str, Any] = {}
    for name, elements in _TEXTS:
        if said := _first(element, elements):
            properties[name] = said
    subjects = dict.fromkeys(filter(None, (words(each, 200) for each in steps(element, "subject"))))
    properties["keywords"] = list(subjects)[:_MOST_KEYWORDS]
    return Record(
        identifier=identifier,
        boxes=tuple(_boxes(element)),
        begin=begin,
        end=end,
        resources=tuple(_resources(element)),
        properties=properties,
    )


def _first(element: Any, names: tuple[str, ...]) -> str:
    texts = (words(each) for name in names for each in steps(element, name))
    return next(filter(None, texts), "")


def _acquired(element: Any) -> tuple[datetime | None, datetime | None]:
    for each in steps(element, "temporal"):
        ends = _ends_of(words(each))
        periods = [period_of(end) for end in ends]
        if periods and (first := periods[0]):
            last = periods[-1]
            return first[0], last[1] if last else None
    for each in steps(element, "date"):
        if period := period_of(words(each)):
            return period
    return None, None


def _ends_of(said: str) -> list[str]:
    """Return the two ends of a period, or the one date that is given."""
    named = dict(_DCMI.findall(said))
    if named:
        return [named.get("start", ""), named.get("end", "")]
    return said.split("/") if said.count("/") == 1 else [said]


def _boxes(element: Any) -> Iterator[Box]:
    for name in ("WGS84BoundingBox", "BoundingBox"):
        for each in steps(element, name):
            corners = [_corner(each, corner) for corner in ("LowerCorner", "UpperCorner")]
            reference = str(each.get("crs") or "")
            if name == "BoundingBox" and _is_north_first(reference):
                corners = [corner[::-1] for corner in corners]
            box = box_of([*corners[0], *corners[1]])
            if box is not None:
                yield box
                return


def _corner(box: Any, name: str) -> list[float | None]:
    said = words(next(steps(box, name), None)).split()
    return [number_of(each) for each in said[:2]] if len(said) >= 2 else [None, None]


def _is_north_first(reference: str) -> bool:
    """Whether a reference means latitude first: EPSG:4326 as a URN or URL, and where none is given.

    Source: OGC 07-006r1, 10.2.5.2 (the default is WGS 84, latitude first); CRS84 has longitude first.
    """
    return "CRS84" not in reference.upper() and not reference.upper().startswith("EPSG:")


def _resources(element: Any) -> Iterator[Resource]:
    for each in steps(element, "URI"):
        yield Resource(
            url=words(each),
            protocol=str(each.get("protocol") or ""),
            name=str(each.get("name") or ""),
            description=str(each.get("description") or "")[:200],
        )
    for each in steps(element, "references"):
        yield Resource(url=words(each), protocol=str(each.get("scheme") or ""))
