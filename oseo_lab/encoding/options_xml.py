"""Options as XML: selections (``ParameterData``) and definitions.

Used by `order_xml` for what was chosen and by `oseo` for what GetOptions offers. Selected values are
matched by local name in whatever namespace they come (06-141r6 Table 7-18 and the samples disagree), and
leave in the namespace of the samples. A definition travels as a ``swe:DataRecord`` of one field that bears
the option's name, as in the official samples; other forms are read too. Components are read by `swe_read`
and written by `swe_write`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from lxml import etree

from oseo_lab.encoding.quick import maker
from oseo_lab.encoding.swe_read import bad, read_component
from oseo_lab.encoding.swe_write import write_component
from oseo_lab.encoding.xmltree import LOCAL_NAMES, OSEO, SWE, attribute, escape, local_name, one, option_name
from oseo_lab.model.options import (
    Component,
    DataArray,
    DataRecord,
    Encoding,
    OptionDefinition,
    ParameterData,
    Values,
)

__all__ = [
    "forget_selections",
    "read_component",
    "read_definition",
    "read_selection",
    "write_component",
    "write_definition",
    "write_selection",
]

_S = f"{{{SWE}}}"
#: Deepest nesting of selected values; the deepest of the standard's samples has four.
_DEEPEST = 32
#: Option names that the standard predefines: orders, subscriptions, scene selection.
PREDEFINED = frozenset(
    [
        "processingLevel",
        "productType",
        "qualityOfService",
        "processingMode",
        "format",
        "consolidation",
        "polarisation",
        "radioCorrection",
        "geoCorrection",
        "mapProjection",
        "mapDirection",
        "resampling",
        "earthModel",
        "pixelSpacing",
        "bitsOutput",
        "dopplerGrid",
        "spectralBandComposition",
        "spectralBandColorComposition",
        "regionOfInterest",
        "dateRange",
        "frequencyObservation",
        "SAT",
        "sceneCentreCoordinates",
        "frame",
        "alongTrackSize",
        "acrossTrackSize",
        "sceneBoundingPolygon",
        "sceneBoundingRectangle",
        "sceneStartStopTime",
        "lookAngleP",
        "orbit",
        "track",
        "rowsExtraction",
        "columnsExtraction",
        "sceneType",
    ]
)
_selection = maker(ParameterData)
_GROUPING = f"{{{OSEO}}}grouping"
_RESTRICTION = f"{{{OSEO}}}sceneRestriction"


# --- selections -------------------------------------------------------------------------------------------


def read_selection(element: etree._Element) -> ParameterData:
    """Read an ``option`` or ``sceneSelection``: its one ``ParameterData``.

    Raises
    ------
    BadMessage
        If the values are not of the encoding they say they are.
    """
    data = element[0]
    encoding = data[0].text
    found = _values(data[1])
    if found and encoding == "XMLEncoding":
        return _selected(found)
    return _text_selection(encoding, data[1])


@lru_cache(maxsize=1000)
def _selected(values: Values) -> ParameterData:
    """Make a selection; items that choose alike share it, which saves a third of a large order's memory."""
    return _selection(values=values)


def forget_selections() -> None:
    """Let go of what items share: each message does so at its end, whatever was in it."""
    _selected.cache_clear()


def _text_selection(encoding: str | None, values: etree._Element) -> ParameterData:
    if encoding == "TextEncoding":
        if len(values):
            raise bad("values", "TextEncoding takes a text of separated values, not elements")
        return ParameterData(encoding=Encoding.TEXT, text=values.text or "")
    if (values.text or "").strip():
        raise bad("values", "XMLEncoding takes one element for each option, not text")
    return ParameterData()


def _values(element: etree._Element, depth: int = 0) -> Values:
    if depth == _DEEPEST:
        raise bad(local_name(element), f"values are nested deeper than {_DEEPEST}; no option is")
    return tuple(
        [
            (
                LOCAL_NAMES[each.tag],
                _values(each, depth + 1)
                if len(each)
                else (each.text or "" if (unit := each.get("uom")) is None else _with_unit(each.text, unit)),
            )
            for each in element
        ]
    )


def _with_unit(text: str | None, unit: str) -> str:
    """Return a value with the unit beside it (``uom``, as GML's measures have it) behind a blank."""
    return f"{(text or '').strip()} {unit.strip()}"


def write_selection(name: str, selection: ParameterData) -> str:
    """Write an ``option`` or ``sceneSelection`` (``name``); the prefix ``ds`` is declared by the message."""
    if selection.encoding is Encoding.TEXT:
        values = escape(selection.text or "")
    else:
        values = "".join([_write_value(*each) for each in selection.values])
    return (
        f"<{name}><ParameterData><encoding>{selection.encoding.value}</encoding>"
        f"<values>{values}</values></ParameterData></{name}>"
    )


def _write_value(name: str, value: Any) -> str:
    tag = option_name(name)
    if isinstance(value, str):
        return f"<ds:{tag}>{escape(value)}</ds:{tag}>"
    if isinstance(value, tuple):
        return f"<ds:{tag}>{''.join([_write_value(*each) for each in value])}</ds:{tag}>"
    raise TypeError(f"{name}: a travelling value is text or named values, not {type(value).__name__}")


# --- definitions ------------------------------------------------------------------------------------------


def read_definition(element: etree._Element) -> OptionDefinition:
    """Read an ``option`` of GetOptions or a ``sceneSelectionParameter``.

    The option's name is that of the record's only field; else a predefined name (06-141r6 Tables 7-6 to
    7-9) that ends the component's definition or identifier; else what ends its definition or identifier;
    else an array's element type (06-141r6 names it nowhere; the samples differ).

    Raises
    ------
    BadMessage
        If it holds no component, or one that SWE Common 2.0 does not have.
    """
    found = next((each for each in element if each.tag.startswith(_S)), None)
    if found is None:
        raise bad(local_name(element), f"{local_name(element)} holds no SWE Common component")
    component = read_component(found)
    if type(component) is DataRecord and len(component.fields) == 1:
        name, inner = component.fields[0].name, component.fields[0].component
        component = replace(inner, optional=True) if component.optional else inner
    else:
        name = _own_name(component)
    return OptionDefinition(
        name=name,
        component=component,
        grouping=element.findtext(_GROUPING),
        restrictions=tuple(read_component(each[0]) for each in element.iterfind(_RESTRICTION) if len(each)),
    )


def _own_name(component: Component) -> str:
    said = [re.split(r"[/:#]", uri)[-1] for uri in (component.definition, component.identifier) if uri]
    known = [each for each in said if each in PREDEFINED]
    return next(
        (each for each in (*known, *said) if each),
        component.element.name if isinstance(component, DataArray) else component.kind,
    )


def write_definition(name: str, definition: OptionDefinition) -> str:
    """Write an ``option`` or ``sceneSelectionParameter`` (``name``) of GetOptions."""
    grouping = one("grouping", None if definition.grouping is None else definition.grouping[:40])
    restrictions = "".join(
        f"<sceneRestriction>{write_component(each)}</sceneRestriction>" for each in definition.restrictions
    )
    inside = write_component(definition.component)
    named = f'<swe:field name="{attribute(definition.name)}">{inside}</swe:field>'
    record = f"<swe:DataRecord>{named}</swe:DataRecord>"
    tail = restrictions if name == "sceneSelectionParameter" else grouping
    return f"<{name}>{record}{tail}</{name}>"
