"""Option rules as JSON Schema: ``if``/``then`` with the reason, for forms and clients of any kind.

Joined by `json_options` to the schema of the options. It holds for effective values, as the rules do: what
is left out counts as its preset value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from oseo_lab.model.option_rules import OptionRule
from oseo_lab.model.options import Component, DataArray, OptionDefinition

__all__ = ["rule_schemas"]

Plain = Callable[[Component, Any], Any]


def rule_schemas(
    rules: Iterable[OptionRule], definitions: Iterable[OptionDefinition], plain: Plain
) -> list[dict[str, Any]]:
    """Return one schema for each rule that is about these options alone.

    Parameters
    ----------
    rules : iterable of OptionRule
        Which choices go together.
    definitions : iterable of OptionDefinition
        What the schema describes.
    plain : callable
        Returns a component's Python value in its JSON form.
    """
    known = {each.name: each for each in definitions}
    return [
        {
            "if": _all(_when(known[name], texts, plain) for name, texts in rule.when.items()),
            "then": _all(_then(known[name], texts, plain) for name, texts in rule.then.items()),
            "x-reason": rule.reason,
        }
        for rule in rules
        if {*rule.when, *rule.then} <= known.keys()
    ]


def _all(parts: Iterable[Any]) -> Any:
    """Return a schema that is all of these."""
    found = list(parts)
    return found[0] if len(found) == 1 else {"allOf": found}


def _when(definition: OptionDefinition, texts: tuple[str, ...], plain: Plain) -> Mapping[str, Any]:
    """Return the schema of values that have this option so: chosen, or by its preset value."""
    name, preset = definition.name, definition.default
    if not texts:
        return {} if preset is not None else {"required": [name]}
    values = _values(definition, texts, plain)
    if isinstance(definition.component, DataArray):
        inner = definition.component.element.name
        has = {"properties": {inner: {"contains": values}}, "required": [inner]}
    else:
        has = values
    is_preset = _is_among(definition, preset, texts, any)
    return {"properties": {name: has}, **({} if is_preset else {"required": [name]})}


def _then(definition: OptionDefinition, texts: tuple[str, ...], plain: Plain) -> Any:
    """Return the schema of values that have this option so or, without a preset value, not at all."""
    name, preset = definition.name, definition.default
    if not texts:
        return {"not": {"required": [name]}} if preset is None else False
    values = _values(definition, texts, plain)
    if isinstance(definition.component, DataArray):
        values = {"properties": {definition.component.element.name: {"items": values}}}
    may_be_left_out = preset is None or _is_among(definition, preset, texts, all)
    return {"properties": {name: values}, **({} if may_be_left_out else {"required": [name]})}


def _values(definition: OptionDefinition, texts: tuple[str, ...], plain: Plain) -> dict[str, Any]:
    scalar = _scalar(definition)
    return {"enum": [plain(scalar, scalar.parse(each)) for each in texts]}


def _is_among(
    definition: OptionDefinition, preset: Any, texts: tuple[str, ...], how: Callable[[Iterable[bool]], bool]
) -> bool:
    """Whether a preset value is (of an array: any or all of its elements are) among a rule's."""
    scalar = _scalar(definition)
    wanted = [scalar.parse(each) for each in texts]
    parts = preset if isinstance(preset, list) else [preset]
    return preset is not None and how(each in wanted for each in parts)


def _scalar(definition: OptionDefinition) -> Component:
    component = definition.component
    return component.element.component if isinstance(component, DataArray) else component
