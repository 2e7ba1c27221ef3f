"""Documents of options that a data provider hands in: option groups as OSEO or ROSEO writes them.

A document is a GetOptionsResponse (OGC 06-141r6 9.3) or an OrderOptions (OGC 13-042). Loaded only where a
collection file names one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from oseo_lab.encoding import oseo
from oseo_lab.encoding.component_checks import faults_of
from oseo_lab.encoding.xmltree import OSEO, local_name, parse
from oseo_lab.model.collection import OrderOptions
from oseo_lab.model.errors import OseoError
from oseo_lab.model.messages import GetOptionsResponse

__all__ = ["read_document"]

#: Largest document read, bytes; the largest official one has 70 000.
LARGEST = 4_000_000
_O = f"{{{OSEO}}}"
_R = "{http://www.opengis.net/roseo/1.0}"


def read_document(body: bytes) -> tuple[OrderOptions, ...]:
    """Return the option groups of a document.

    Raises
    ------
    ValueError
        If it is no such document, with everything wrong in it.
    """
    if len(body) > LARGEST:
        raise ValueError(f"has {len(body)} bytes; allowed: {LARGEST}")
    try:
        element = parse(body)
        if element.tag == f"{_R}OrderOptions":
            element = _as_response(element)
        found = oseo.decode_response(element)
    except OseoError as wrong:
        raise ValueError("; ".join(each.text for each in wrong.problems) or wrong.text) from None
    if not isinstance(found, GetOptionsResponse):
        raise ValueError(f"is a {local_name(element)}; allowed: GetOptionsResponse, roseo:OrderOptions")
    if not found.order_options:
        raise ValueError("has no option group (orderOptions)")
    faults = [fault for group in found.order_options for fault in _faults(group)]
    if faults:
        raise ValueError("; ".join(faults[:50]))
    return tuple(replace(each, identifier=None) for each in found.order_options)


def _faults(group: OrderOptions) -> Iterator[str]:
    """Yield what keeps a group's selections from being checked."""
    parameters = [each for policy in group.scene_selections for each in policy.parameters]
    for definition in (*group.options, *parameters):
        for fault in faults_of(definition):
            yield f"{group.product_order_options_id}: {fault}"


def _as_response(element: etree._Element) -> etree._Element:
    """Return a ROSEO OrderOptions as a GetOptionsResponse, without what only ROSEO has."""
    response = etree.Element(f"{_O}GetOptionsResponse", nsmap={"oseo": OSEO})
    etree.SubElement(response, f"{_O}status").text = "success"
    for group in element.iterfind(f"{_R}OrderOptionGroup"):
        group.tag = f"{_O}orderOptions"
        for own in list(group.iterchildren(f"{_R}*")):
            group.remove(own)
        response.append(group)
    return response
