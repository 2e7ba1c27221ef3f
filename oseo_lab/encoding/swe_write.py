"""SWE Common 2.0 data components (OGC 08-094r1, clause 8) as XML; the inverse of `swe_read`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from oseo_lab.encoding.xmltree import attribute, escape, one, option_name
from oseo_lab.model.options import Component, Field, Matrix, TextSeparators

__all__ = ["write_component"]


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
    """Write what scalars and ranges have: nil values, vocabulary or unit, constraint, preset value."""
    frames = (("referenceFrame", component.reference_frame), ("axisID", component.axis_id))
    own = "".join([f' {name}="{attribute(said)}"' for name, said in frames if said is not None])
    nils = "".join(
        [
            f'<swe:nilValue reason="{attribute(reason)}">{escape(value)}</swe:nilValue>'
            for reason, value in component.nil_values
        ]
    )
    head = f"<swe:nilValues><swe:NilValues>{nils}</swe:NilValues></swe:nilValues>" if nils else ""
    value = component.value if isinstance(component.value, str | None) else " ".join(component.value)
    return own, head + _vocabulary(component) + _constraint(component) + one("swe:value", value)


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
        body += _write_presets(component)
    elif component.values is not None:
        body += _write_data(component.encoding or TextSeparators(), component.values)
    elif component.encoding is not None:
        body += _write_data(component.encoding, "")
    frame = _write_frame(component) if isinstance(component, Matrix) else ""
    return frame, body


def _write_presets(component: Any) -> str:
    if component.encoding is not None:
        return _write_data(component.encoding, component.encoding.token.join(component.preset))
    tag = option_name(component.element.name)
    values = "".join([f"<{tag}>{escape(each)}</{tag}>" for each in component.preset])
    return f"<swe:encoding><swe:XMLEncoding/></swe:encoding><swe:values>{values}</swe:values>"


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
