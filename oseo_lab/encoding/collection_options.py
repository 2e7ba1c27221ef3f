"""The [[options]] of a collection file: options declared anew, or the processor's narrowed.

A table with a kind of its own declares an option of any SWE Common component; one that names an option of
the processor may only take away: fewer values, a narrower interval, another preset value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from oseo_lab.encoding.collection_option_table import Kind, OptionTable
from oseo_lab.encoding.component_checks import check_constraints
from oseo_lab.encoding.json_values import nearest, python_value
from oseo_lab.model import options
from oseo_lab.model.collection import OptionLevel
from oseo_lab.model.errors import Problem
from oseo_lab.model.options import Component, Field, OptionDefinition

__all__ = ["check_options", "merge_options", "settle_fixed"]


# ---------------------------------------------------------------------------------------------- components

#: Component class of each kind.
_CLASSES: dict[str, Any] = {kind.value: getattr(options, kind.value) for kind in Kind}
#: Key of a table and field of a component that it fills, as it stands.
_PLAIN_KEYS = {
    "label": "label",
    "description": "description",
    "definition": "definition",
    "optional": "optional",
    "allowed": "allowed",
    "interval": "intervals",
    "pattern": "pattern",
    "significant_figures": "significant_figures",
    "nil": "nil_values",
    "uom": "uom",
    "code_space": "code_space",
    "reference_frame": "reference_frame",
    "count": "element_count",
}
#: Keys by which a table takes away from an option that is there.
_NARROWING = ("allowed", "interval", "default")
_LABELS = ("label", "description", "optional")


def component_of(table: OptionTable) -> Component:
    """Return the component a table with a kind declares.

    Raises
    ------
    ValueError
        With what does not belong to its kind or contradicts itself; begins with the key.
    """
    if table.kind is None:
        raise ValueError(f"kind: is missing; allowed: {', '.join(Kind)}")
    cls = _CLASSES[table.kind]
    known = {each.name for each in fields(cls)}
    given = {**_plain_parts(table), **_compound_parts(table, cls)}
    strange = [key for key, (target, _) in given.items() if target not in known]
    if strange:
        raise ValueError(f"{strange[0]}: does not belong to a {table.kind}")
    component: Component = cls(**dict(given.values()))
    check_constraints(component)
    return component if table.default is None else _with_default(component, table.default)


def _plain_parts(table: OptionTable) -> dict[str, tuple[str, Any]]:
    return {
        key: (target, getattr(table, key))
        for key, target in _PLAIN_KEYS.items()
        if getattr(table, key) is not None
    }


def _compound_parts(table: OptionTable, cls: type) -> dict[str, tuple[str, Any]]:
    """Return the parts made of further tables; a compound kind without its parts is an error."""
    needs = {"fields", "items", "element"} & {each.name for each in fields(cls)}
    if needs and not (table.element if needs == {"element"} else table.fields):
        raise ValueError(
            f"{'element' if needs == {'element'} else 'fields'}: is missing; a {table.kind} has it"
        )
    parts: dict[str, tuple[str, Any]] = {}
    if table.fields:
        made = tuple(Field(name=each.name, component=component_of(each)) for each in table.fields)
        parts["fields"] = ("items" if "items" in needs else "fields", made)
    if table.element is not None:
        made_element = Field(name=table.element.name, component=component_of(table.element))
        parts["element"] = ("element", made_element)
    return parts


def _with_default(component: Component, default: Any) -> Component:
    try:
        return component.with_preset(default)
    except ValueError as wrong:
        raise ValueError(f"default: {wrong}") from None


# ------------------------------------------------------------------------------------------------- checks


def _problem(key: str, text: str) -> Problem:
    return Problem(code="NoApplicableCode", locator=key, text=f"{key}: {text}")


def check_options(tables: Sequence[OptionTable]) -> Iterator[Problem]:
    """Yield what is wrong with tables by themselves: names twice, components that contradict themselves."""
    seen: set[str] = set()
    for at, table in enumerate(tables):
        key = f"options[{at}]"
        if table.name in seen:
            yield _problem(f"{key}.name", f"{table.name!r} is declared twice")
        seen.add(table.name)
        if table.kind is not None and not _is_narrowing(table):
            try:
                component_of(table)
            except ValueError as wrong:
                yield _problem(f"{key} ({table.name})", str(wrong))


def _is_narrowing(table: OptionTable) -> bool:
    """Whether a table of a compound kind leaves its parts to the option it narrows."""
    compound = table.kind in (Kind.DATA_ARRAY, Kind.MATRIX, Kind.DATA_RECORD, Kind.VECTOR, Kind.DATA_CHOICE)
    return compound and not table.fields and table.element is None


# ------------------------------------------------------------------------------------------------ merging


def merge_options(
    tables: Sequence[OptionTable],
    declared: Sequence[OptionDefinition],
    scene: Sequence[OptionDefinition],
    problems: list[Problem],
) -> tuple[tuple[OptionDefinition, ...], tuple[OptionDefinition, ...]]:
    """Return the processor's options and scene options with the operator's tables applied; adds problems."""
    merged = {each.name: each for each in declared}
    merged_scene = {each.name: each for each in scene}
    for at, table in enumerate(tables):
        key = f"options[{at}] ({table.name})"
        where = merged_scene if table.name in merged_scene else merged
        try:
            if (where is merged_scene or table.scene) and table.level is OptionLevel.ORDER:
                raise ValueError("level: a scene selection belongs to an item; allowed: item, both")
            if table.name in where:
                where[table.name] = _narrowed(table, where[table.name])
            else:
                target = merged_scene if table.scene else merged
                target[table.name] = _new(table, (*merged, *merged_scene))
        except ValueError as wrong:
            problems.append(_problem(key, str(wrong)))
    return tuple(merged.values()), tuple(merged_scene.values())


def _new(table: OptionTable, known: Iterable[str]) -> OptionDefinition:
    if table.kind is None:
        names = tuple(known)
        raise ValueError(
            f"the processor has no option of this name{nearest(table.name, names)}; its options: "
            f"{', '.join(names) or 'none'}; to declare a new one, give its kind"
        )
    return OptionDefinition(name=table.name, component=component_of(table), grouping=table.grouping)


def _narrowed(table: OptionTable, there: OptionDefinition) -> OptionDefinition:
    component = there.component
    if table.kind is not None and table.kind != component.kind:
        raise ValueError(f"kind: the processor's {there.name} is a {component.kind}, not a {table.kind}")
    fixed_keys = [*(key for key in _PLAIN_KEYS if key not in (*_NARROWING, *_LABELS)), "element", "fields"]
    for key in fixed_keys:
        if getattr(table, key) not in (None, ()) and getattr(table, key) != getattr(component, key, None):
            raise ValueError(
                f"{key}: cannot be changed, as the processor declares it; allowed: "
                f"{', '.join((*_NARROWING, *_LABELS, 'grouping', 'level'))}"
            )
    relabelled = {key: getattr(table, key) for key in _LABELS if getattr(table, key) is not None}
    grouping = there.grouping if table.grouping is None else table.grouping
    definition = replace(there, component=replace(component, **relabelled), grouping=grouping)
    return definition.narrowed(table.allowed, table.default, table.interval or ())


def settle_fixed(
    fixed: Mapping[str, Any], offered: Sequence[OptionDefinition], problems: list[Problem]
) -> dict[str, Any]:
    """Return the Python values of options an operator has settled; adds problems.

    A processor that declares no options gets what is written, as it is.
    """
    by_name = {each.name: each for each in offered}
    if not by_name:
        return dict(fixed)
    settled: dict[str, Any] = {}
    for name, value in fixed.items():
        key = f"processor.fixed.{name}"
        if name not in by_name:
            hint = nearest(name, by_name)
            problems.append(_problem(key, f"is no option{hint}; options: {', '.join(by_name)}"))
            continue
        try:
            settled[name] = python_value(by_name[name].component, value)
        except ValueError as wrong:
            problems.append(_problem(key, str(wrong)))
    return settled
