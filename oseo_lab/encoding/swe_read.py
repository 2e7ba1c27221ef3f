"""SWE Common 2.0 data components (OGC 08-094r1, clause 8) from XML: how options are described.

`options_xml` makes option definitions of them; `swe_write` is the inverse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from oseo_lab.encoding.xmltree import SWE, XLINK, local_name
from oseo_lab.model.errors import BadMessage, Problem
from oseo_lab.model.options import (
    Boolean,
    Category,
    CategoryRange,
    Component,
    Count,
    CountRange,
    DataArray,
    DataChoice,
    DataRecord,
    Field,
    Matrix,
    Quantity,
    QuantityRange,
    Text,
    TextSeparators,
    Time,
    TimeRange,
    Vector,
)

__all__ = ["bad", "read_component"]

_S = f"{{{SWE}}}"
_HREF = f"{{{XLINK}}}href"


def bad(locator: str, text: str) -> BadMessage:
    """Return the error of a message that is not as it must be."""
    return BadMessage.of([Problem(code="InvalidParameterValue", locator=locator, text=text)])  # type: ignore[return-value]


def read_component(element: etree._Element) -> Component:
    """Read one SWE Common 2.0 data component (OGC 08-094r1, clause 8)."""
    kind = local_name(element)
    reader = _READERS.get(kind) if element.tag.startswith(_S) else None
    if reader is None:
        raise bad(kind, f"{kind} is not a component of SWE Common; allowed: {', '.join(_READERS)}")
    made, own = reader
    updatable = element.get("updatable")
    return made(
        definition=element.get("definition"),
        identifier=element.findtext(_S + "identifier"),
        label=element.findtext(_S + "label"),
        description=element.findtext(_S + "description"),
        optional=_is_true(element.get("optional")),
        updatable=None if updatable is None else _is_true(updatable),
        **own(element),
    )


def _is_true(text: str | None) -> bool:
    return text is not None and text.strip() in ("true", "1")


def _value_of(element: etree._Element) -> dict[str, Any]:
    return {"value": element.findtext(_S + "value"), **_simple(element)}


def _simple(element: etree._Element) -> dict[str, Any]:
    """Read what all components of one value or a range have: axis, frame, values that mean none."""
    nils = element.iterfind(f"{_S}nilValues/{_S}NilValues/{_S}nilValue")
    return {
        "axis_id": element.get("axisID"),
        "reference_frame": element.get("referenceFrame"),
        "nil_values": tuple((each.get("reason", ""), (each.text or "").strip()) for each in nils),
    }


def _pair_of(element: etree._Element) -> dict[str, Any]:
    text = element.findtext(_S + "value")
    return {"value": None if text is None else _pair(text), **_simple(element)}


def _pair(text: str) -> tuple[str, str]:
    ends = text.split()
    if len(ends) != 2:
        raise bad("value", f"a range has two values, not {text[:100]!r}")
    return ends[0], ends[1]


def _tokens(element: etree._Element) -> dict[str, Any]:
    inside = f"{_S}constraint/{_S}AllowedTokens"
    return {
        "allowed": tuple(each.text or "" for each in element.iterfind(f"{inside}/{_S}value")),
        "pattern": element.findtext(f"{inside}/{_S}pattern"),
    }


def _bounds(element: etree._Element) -> dict[str, Any]:
    inside = element.find(f"{_S}constraint/*")
    if inside is None:
        return {}
    figures = inside.findtext(_S + "significantFigures")
    if figures is not None and not re.fullmatch(r"\s*\d{1,4}\s*", figures):
        raise bad("significantFigures", f"{figures[:40]!r} is not a number of figures")
    return {
        "allowed": tuple((each.text or "").strip() for each in inside.iterfind(_S + "value")),
        "intervals": tuple(_pair(each.text or "") for each in inside.iterfind(_S + "interval")),
        "significant_figures": None if figures is None else int(figures),
    }


def _code_space(element: etree._Element) -> dict[str, Any]:
    found = element.find(_S + "codeSpace")
    return {"code_space": None if found is None else found.get(_HREF)}


def _uom(element: etree._Element) -> dict[str, Any]:
    found = element.find(_S + "uom")
    unit = None if found is None else found.get("code") or found.get(_HREF)
    return {"uom": unit} if unit else {}


def _all(*readers: Callable[[etree._Element], dict[str, Any]]) -> Callable[[etree._Element], dict[str, Any]]:
    def own(element: etree._Element) -> dict[str, Any]:
        return {name: value for reader in readers for name, value in reader(element).items()}

    return own


def _fields(tag: str, field: str) -> Callable[[etree._Element], dict[str, Any]]:
    def own(element: etree._Element) -> dict[str, Any]:
        return {field: tuple(_field(each) for each in element.iterfind(_S + tag))}

    return own


def _field(element: etree._Element) -> Field:
    name = element.get("name")
    if name is None:
        raise bad("name", f"{local_name(element)} has no name")
    if len(element):
        return Field(name=name, component=read_component(element[0]))
    return Field(name=name, component=Text(definition=element.get(_HREF)))


def _frame(element: etree._Element) -> dict[str, Any]:
    frame = element.get("referenceFrame")
    return ({"reference_frame": frame} if frame is not None else {}) | {
        "local_frame": element.get("localFrame")
    }


def _choice_value(element: etree._Element) -> dict[str, Any]:
    found = element.find(f"{_S}choiceValue/{_S}Category")
    return {"choice_value": None if found is None else read_component(found)}


def _array(element: etree._Element) -> dict[str, Any]:
    kind = element.find(_S + "elementType")
    if kind is None:
        raise bad("elementType", f"{local_name(element)} has no elementType")
    item = _field(kind)
    count = element.findtext(f"{_S}elementCount/{_S}Count/{_S}value")
    if count is not None and not re.fullmatch(r"\s*\d{1,9}\s*", count):
        raise bad("elementCount", f"{count[:40]!r} is not a number of elements")
    return {"element": item, "element_count": None if count is None else int(count)} | _data(element, item)


def _data(element: etree._Element, item: Field) -> dict[str, Any]:
    """Read an array's own data: presets where its elements are single values, else a block of text."""
    values = element.find(_S + "values")
    said = element.find(f"{_S}encoding/{_S}TextEncoding")
    separators = None if said is None else _separators(said)
    if values is None or not (len(values) or _text(values)):
        return {"encoding": separators}
    if not isinstance(item.component, _SINGLE):
        return {"encoding": separators or TextSeparators(), "values": _block(values)}
    if len(values):
        return {"preset": tuple((each.text or "").strip() for each in values)}
    marks = separators or TextSeparators()
    found = re.split("|".join(re.escape(each) for each in {marks.token, marks.block} if each), _text(values))
    return {"encoding": separators, "preset": tuple(each.strip() for each in found if each.strip())}


def _text(values: etree._Element) -> str:
    return (values.text or "").strip()


def _block(values: etree._Element) -> str:
    """Return data as a block of tokens; of elements, the leaves in their order."""
    if not len(values):
        return values.text or ""
    rows = ([leaf.text or "" for leaf in each.iter() if not len(leaf)] for each in values)
    separators = TextSeparators()
    return separators.block.join(separators.token.join(row) for row in rows)


def _separators(element: etree._Element) -> TextSeparators:
    return TextSeparators(
        token=element.get("tokenSeparator", ","),
        block=element.get("blockSeparator", "\n"),
        decimal=element.get("decimalSeparator", "."),
        collapse_white_spaces=_is_true(element.get("collapseWhiteSpaces", "true")),
    )


_SINGLE = (Category, Text, Boolean, Count, Quantity, Time)
_READERS: dict[str, tuple[type[Component], Callable[[etree._Element], dict[str, Any]]]] = {
    "Category": (Category, _all(_tokens, _code_space, _value_of)),
    "Text": (Text, _all(_tokens, _value_of)),
    "Boolean": (Boolean, _value_of),
    "Count": (Count, _all(_bounds, _value_of)),
    "Quantity": (Quantity, _all(_bounds, _uom, _value_of)),
    "Time": (Time, _all(_bounds, _uom, _value_of)),
    "CategoryRange": (CategoryRange, _all(_tokens, _code_space, _pair_of)),
    "CountRange": (CountRange, _all(_bounds, _pair_of)),
    "QuantityRange": (QuantityRange, _all(_bounds, _uom, _pair_of)),
    "TimeRange": (TimeRange, _all(_bounds, _uom, _pair_of)),
    "DataRecord": (DataRecord, _fields("field", "fields")),
    "Vector": (Vector, _all(_fields("coordinate", "fields"), _frame)),
    "DataChoice": (DataChoice, _all(_fields("item", "items"), _choice_value)),
    "DataArray": (DataArray, _array),
    "Matrix": (Matrix, _all(_array, _frame)),
}
