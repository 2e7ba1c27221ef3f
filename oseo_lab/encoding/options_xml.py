"""Options as XML: selections (``ParameterData``) and definitions (SWE Common 2.0 components).

Used by `order_xml` for what was chosen and by `oseo` for what GetOptions offers. Selected values are
matched by local name in whatever namespace they come (06-141r6 Table 7-18 and the samples disagree), and
leave in the namespace of the samples. A definition travels as a ``swe:DataRecord`` of one field that bears
the option's name, as in the official samples; other forms are read too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lxml import etree

from oseo_lab.encoding.quick import maker
from oseo_lab.encoding.xmltree import (
    LOCAL_NAMES,
    OSEO,
    SWE,
    XLINK,
    attribute,
    escape,
    local_name,
    one,
    option_name,
)
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
    Encoding,
    Field,
    Matrix,
    OptionDefinition,
    ParameterData,
    Quantity,
    QuantityRange,
    Text,
    TextSeparators,
    Time,
    TimeRange,
    Values,
    Vector,
)

__all__ = [
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
_selection = maker(ParameterData)
_HREF = f"{{{XLINK}}}href"
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
        return _selection(values=found)
    return _text_selection(encoding, data[1])


def _text_selection(encoding: str | None, values: etree._Element) -> ParameterData:
    if encoding == "TextEncoding":
        if len(values):
            raise _bad("values", "TextEncoding takes a text of separated values, not elements")
        return ParameterData(encoding=Encoding.TEXT, text=values.text or "")
    if (values.text or "").strip():
        raise _bad("values", "XMLEncoding takes one element for each option, not text")
    return ParameterData()


def _values(element: etree._Element, depth: int = 0) -> Values:
    if depth == _DEEPEST:
        raise _bad(local_name(element), f"values are nested deeper than {_DEEPEST}; no option is")
    return tuple(
        [
            (LOCAL_NAMES[each.tag], _values(each, depth + 1) if len(each) else each.text or "")
            for each in element
        ]
    )


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


def _bad(locator: str, text: str) -> BadMessage:
    return BadMessage.of([Problem(code="InvalidParameterValue", locator=locator, text=text)])  # type: ignore[return-value]


# --- definitions: reading ---------------------------------------------------------------------------------


def read_definition(element: etree._Element) -> OptionDefinition:
    """Read an ``option`` of GetOptions or a ``sceneSelectionParameter``.

    The option's name is that of the record's only field; else the last part of the component's definition
    or identifier; else an array's element type (06-141r6 names it nowhere; the samples differ).

    Raises
    ------
    BadMessage
        If it holds no component, or one that SWE Common 2.0 does not have.
    """
    found = next((each for each in element if each.tag.startswith(_S)), None)
    if found is None:
        raise _bad(local_name(element), f"{local_name(element)} holds no SWE Common component")
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
    for uri in (component.definition, component.identifier):
        if uri and (last := re.split(r"[/:#]", uri)[-1]):
            return last
    return component.element.name if isinstance(component, DataArray) else component.kind


def read_component(element: etree._Element) -> Component:
    """Read one SWE Common 2.0 data component (OGC 08-094r1, clause 8)."""
    kind = local_name(element)
    reader = _READERS.get(kind) if element.tag.startswith(_S) else None
    if reader is None:
        raise _bad(kind, f"{kind} is not a component of SWE Common; allowed: {', '.join(_READERS)}")
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
    return {"value": element.findtext(_S + "value")}


def _pair_of(element: etree._Element) -> dict[str, Any]:
    text = element.findtext(_S + "value")
    return {"value": None if text is None else _pair(text)}


def _pair(text: str) -> tuple[str, str]:
    ends = text.split()
    if len(ends) != 2:
        raise _bad("value", f"a range has two values, not {text[:100]!r}")
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
        raise _bad("significantFigures", f"{figures[:40]!r} is not a number of figures")
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
        raise _bad("name", f"{local_name(element)} has no name")
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
        raise _bad("elementType", f"{local_name(element)} has no elementType")
    item = _field(kind)
    count = element.findtext(f"{_S}elementCount/{_S}Count/{_S}value")
    if count is not None and not re.fullmatch(r"\s*\d{1,9}\s*", count):
        raise _bad("elementCount", f"{count[:40]!r} is not a number of elements")
    return {"element": item, "element_count": None if count is None else int(count)} | _data(element, item)


def _data(element: etree._Element, item: Field) -> dict[str, Any]:
    """Read an array's own data: presets where its elements are single values, else a block of text."""
    values = element.find(_S + "values")
    if values is None:
        return {}
    said = element.find(f"{_S}encoding/{_S}TextEncoding")
    separators = TextSeparators() if said is None else _separators(said)
    text = values.text or ""
    if len(values):
        rows = ([leaf.text or "" for leaf in each.iter() if not len(leaf)] for each in values)
        separators = TextSeparators()
        text = separators.block.join(separators.token.join(row) for row in rows)
    if not isinstance(item.component, _SINGLE):
        return {"encoding": separators, "values": text}
    marks = "|".join(re.escape(mark) for mark in {separators.token, separators.block} if mark)
    return {"preset": tuple(each.strip() for each in re.split(marks, text.strip()) if each.strip())}


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


# --- definitions: writing ---------------------------------------------------------------------------------


def write_definition(name: str, definition: OptionDefinition) -> str:
    """Write an ``option`` or ``sceneSelectionParameter`` (``name``) of GetOptions."""
    field = Field(name=definition.name, component=definition.component)
    grouping = one("grouping", None if definition.grouping is None else definition.grouping[:40])
    restrictions = "".join(
        f"<sceneRestriction>{write_component(each)}</sceneRestriction>" for each in definition.restrictions
    )
    tail = restrictions if name == "sceneSelectionParameter" else grouping
    return f"<{name}><swe:DataRecord>{_named('field', field)}</swe:DataRecord>{tail}</{name}>"


def write_component(component: Component) -> str:
    """Write one SWE Common 2.0 data component; the prefixes are declared by the message."""
    attributes = "" if component.definition is None else f' definition="{attribute(component.definition)}"'
    attributes += ' optional="true"' if component.optional else ""
    if component.updatable is not None:
        attributes += f' updatable="{"true" if component.updatable else "false"}"'
    head = (
        one("swe:identifier", component.identifier)
        + one("swe:label", component.label)
        + one("swe:description", component.description)
    )
    kind = component.kind
    own, body = _WRITERS[kind](component)
    return f"<swe:{kind}{attributes}{own}>{head}{body}</swe:{kind}>"


def _named(tag: str, field: Field) -> str:
    return f'<swe:{tag} name="{attribute(field.name)}">{write_component(field.component)}</swe:{tag}>'


def _write_single(component: Any) -> tuple[str, str]:
    """Write what scalars and ranges have: vocabulary or unit, constraint, preset value."""
    value = component.value if isinstance(component.value, str | None) else " ".join(component.value)
    return "", _vocabulary(component) + _constraint(component) + one("swe:value", value)


def _vocabulary(component: Any) -> str:
    if getattr(component, "code_space", None) is not None:
        return f'<swe:codeSpace xlink:href="{attribute(component.code_space)}"/>'
    if not hasattr(component, "uom"):
        return ""
    by = "code" if re.fullmatch(r"[^: \n\r\t]+", component.uom) else "xlink:href"
    return f'<swe:uom {by}="{attribute(component.uom)}"/>'


def _constraint(component: Any) -> str:
    values = "".join([one("swe:value", each) for each in getattr(component, "allowed", ())])
    if hasattr(component, "pattern"):
        inside, kind = values + one("swe:pattern", component.pattern), "AllowedTokens"
    elif hasattr(component, "intervals"):
        values += "".join([one("swe:interval", " ".join(each)) for each in component.intervals])
        figures = component.significant_figures
        inside = values + one("swe:significantFigures", None if figures is None else str(figures))
        kind = "AllowedTimes" if component.kind.startswith("Time") else "AllowedValues"
    else:
        return ""
    return f"<swe:constraint><swe:{kind}>{inside}</swe:{kind}></swe:constraint>" if inside else ""


def _write_record(component: Any) -> tuple[str, str]:
    return "", "".join([_named("field", each) for each in component.fields])


def _write_frame(component: Any) -> str:
    frames = (("referenceFrame", component.reference_frame), ("localFrame", component.local_frame))
    return "".join(f' {name}="{attribute(frame)}"' for name, frame in frames if frame is not None)


def _write_vector(component: Any) -> tuple[str, str]:
    return _write_frame(component), "".join([_named("coordinate", each) for each in component.fields])


def _write_choice(component: Any) -> tuple[str, str]:
    chosen = component.choice_value
    head = "" if chosen is None else f"<swe:choiceValue>{write_component(chosen)}</swe:choiceValue>"
    return "", head + "".join([_named("item", each) for each in component.items])


def _write_array(component: Any) -> tuple[str, str]:
    count = "" if component.element_count is None else f"<swe:value>{component.element_count}</swe:value>"
    body = f"<swe:elementCount><swe:Count>{count}</swe:Count></swe:elementCount>"
    body += _named("elementType", component.element)
    if component.preset:
        joined = "".join(component.preset)
        token = next(mark for mark in (",", ";", "|", "\t", "\x1f") if mark not in joined)
        body += _write_data(TextSeparators(token=token), token.join(component.preset))
    elif component.values is not None:
        body += _write_data(component.encoding or TextSeparators(), component.values)
    frame = _write_frame(component) if isinstance(component, Matrix) else ""
    return frame, body


def _write_data(separators: TextSeparators, text: str) -> str:
    collapse = "" if separators.collapse_white_spaces else ' collapseWhiteSpaces="false"'
    return (
        f'<swe:encoding><swe:TextEncoding tokenSeparator="{attribute(separators.token)}"'
        f' blockSeparator="{attribute(separators.block)}"'
        f' decimalSeparator="{attribute(separators.decimal)}"{collapse}/></swe:encoding>'
        f"<swe:values>{escape(text)}</swe:values>"
    )


_WRITERS: dict[str, Callable[[Any], tuple[str, str]]] = {
    **dict.fromkeys(("Category", "Text", "Boolean", "Count", "Quantity", "Time"), _write_single),
    **dict.fromkeys(("CategoryRange", "CountRange", "QuantityRange", "TimeRange"), _write_single),
    "DataRecord": _write_record,
    "Vector": _write_vector,
    "DataChoice": _write_choice,
    "DataArray": _write_array,
    "Matrix": _write_array,
}
