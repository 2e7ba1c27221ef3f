"""Options as JSON Schema: what a form shows and what a selection's values must look like.

The schema describes ``ParameterData.values`` as JSON (`json_values`): one property per option. One
function per component kind, in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from oseo_lab.encoding.json_rules import rule_schemas
from oseo_lab.model import options
from oseo_lab.model.option_rules import OptionRule
from oseo_lab.model.options import Component, Field, OptionDefinition

__all__ = ["option_schema", "plain_value"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def option_schema(
    definitions: Iterable[OptionDefinition], rules: Iterable[OptionRule] = ()
) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the values of these options.

    The schema is for whoever writes a selection: numbers are numbers there and an array a list; numbers
    written as text are read as well. Required are those options without a preset value that are not
    optional; ``default`` is the preset value, ``x-uom`` the unit (UCUM), ``x-kind`` the SWE Common component.
    Rules are ``if``/``then``, with their reason as ``x-reason``; they hold where an item chooses everything
    itself, for what it leaves to its order is not in its values.
    """
    listed = tuple(definitions)
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "type": "object",
        "properties": {each.name: _definition(each) for each in listed},
        "additionalProperties": False,
    }
    required = [each.name for each in listed if each.required]
    conditions = rule_schemas(rules, listed, plain_value)
    return (
        schema | ({"required": required} if required else {}) | ({"allOf": conditions} if conditions else {})
    )


def _definition(definition: OptionDefinition) -> dict[str, Any]:
    schema = component_schema(definition.component)
    return schema | ({"x-grouping": definition.grouping} if definition.grouping else {})


def component_schema(component: Component) -> dict[str, Any]:
    """Return the JSON Schema of one component's values."""
    notes: dict[str, Any] = {
        "title": component.label,
        "description": component.description,
        "x-definition": component.definition,
        "x-uom": getattr(component, "uom", None),
        "x-kind": component.kind,
    }
    schema = {key: value for key, value in notes.items() if value is not None} | _KINDS[component.kind](
        component
    )
    if (default := component.default) is not None:
        schema["default"] = plain_value(component, default)
    return schema


def plain_value(component: Component, value: Any) -> Any:
    """Return a Python value in its JSON form, with numbers and booleans as such."""
    if isinstance(component, options.Boolean | options.Count | options.Quantity):
        return value
    if isinstance(component, options.DataArray):
        element = component.element
        return {element.name: [plain_value(element.component, each) for each in value]}
    if isinstance(component, options.DataRecord | options.DataChoice):
        parts = component.items if isinstance(component, options.DataChoice) else component.fields
        by_name = {each.name: each.component for each in parts}
        return {name: plain_value(by_name[name], each) for name, each in value.items()}
    ends: Any = getattr(component, "scalar_component", None)
    if ends is not None:
        return {name: plain_value(ends(), each) for name, each in zip(("min", "max"), value, strict=True)}
    return component.render(value)


def _any_of(choices: list[dict[str, Any]], fallback: dict[str, Any]) -> dict[str, Any]:
    if len(choices) == 1:
        return choices[0]
    return {"anyOf": choices} if choices else fallback


def _tokens(component: Any) -> dict[str, Any]:
    choices: list[dict[str, Any]] = []
    if component.allowed:
        choices.append({"type": "string", "enum": list(component.allowed)})
    if component.pattern is not None:
        choices.append({"type": "string", "pattern": f"^(?:{component.pattern})$"})
    return _any_of(choices, {"type": "string"})


def _numbers(component: Any) -> dict[str, Any]:
    kind = "integer" if isinstance(component, options.Count) else "number"
    choices: list[dict[str, Any]] = []
    if component.allowed:
        choices.append({"type": kind, "enum": [component.number(each) for each in component.allowed]})
    choices.extend(
        {"type": kind, "minimum": component.number(low), "maximum": component.number(high)}
        for low, high in component.intervals
    )
    return _any_of(choices, {"type": kind})


def _time(component: Any) -> dict[str, Any]:
    choices: list[dict[str, Any]] = []
    if component.allowed:
        choices.append({"type": "string", "enum": list(component.allowed)})
    choices.extend(
        {"type": "string", "format": "date-time", "x-minimum": low, "x-maximum": high}
        for low, high in component.intervals
    )
    return _any_of(choices, {"type": "string", "format": "date-time"})


def _range(component: Any) -> dict[str, Any]:
    end = component_schema(component.scalar_component())
    return _object({"min": end, "max": end}, ["min", "max"])


def _record(component: Any) -> dict[str, Any]:
    required = [
        each.name
        for each in component.fields
        if not each.component.optional and each.component.default is None
    ]
    return _object({each.name: component_schema(each.component) for each in component.fields}, required)


def _choice(component: Any) -> dict[str, Any]:
    def one(each: Field) -> dict[str, Any]:
        return _object({each.name: component_schema(each.component)}, [each.name])

    return {"oneOf": [one(each) for each in component.items]}


def _array(component: Any) -> dict[str, Any]:
    element = component_schema(component.element.component)
    many: dict[str, Any] = {"type": "array", "items": element}
    count = component.element_count
    if count is not None:
        many |= {"minItems": count, "maxItems": count}
    return _object({component.element.name: many}, [component.element.name] if count else [])


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


_KINDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "Category": _tokens,
    "Text": _tokens,
    "Boolean": lambda component: {"type": "boolean"},
    "Count": _numbers,
    "Quantity": _numbers,
    "Time": _time,
    "CategoryRange": _range,
    "CountRange": _range,
    "QuantityRange": _range,
    "TimeRange": _range,
    "DataRecord": _record,
    "Vector": _record,
    "DataChoice": _choice,
    "DataArray": _array,
    "Matrix": _array,
}
