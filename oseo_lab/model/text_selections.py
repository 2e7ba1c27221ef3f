"""Selections in TextEncoding: a group's options give a row of tokens its names, and take them away again.

The only place that does so; what a single component's tokens are is the component's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from oseo_lab.model.compounds import put_part, take_part
from oseo_lab.model.definitions import Encoding, OptionDefinition, ParameterData, Values
from oseo_lab.model.text_encoding import TextFault, TextSeparators, Tokens, TokenWriter

__all__ = ["Offered", "by_name", "decoded", "encoded_as_text", "listed", "separators_of"]

#: What is offered: definitions in the order of their group, or the same by name.
Offered = Iterable[OptionDefinition] | Mapping[str, OptionDefinition]


def listed(offered: Offered) -> tuple[OptionDefinition, ...]:
    """Return definitions in their order."""
    return tuple(offered.values()) if isinstance(offered, Mapping) else tuple(offered)


def by_name(definitions: Iterable[OptionDefinition]) -> dict[str, list[OptionDefinition]]:
    """Return definitions by name; those that repeat one are alternatives of each other."""
    found: dict[str, list[OptionDefinition]] = {}
    for each in definitions:
        found.setdefault(each.name, []).append(each)
    return found


def separators_of(offered: Offered) -> TextSeparators:
    """Return what separates the tokens of a group's selections.

    That of the first option with a ``swe:TextEncoding`` of its own; else comma, line feed and point.
    """
    found = (getattr(each.component, "encoding", None) for each in listed(offered))
    return next((each for each in found if each is not None), TextSeparators())


def decoded(offered: Offered, text: str) -> Values:
    """Give the tokens of a selection in TextEncoding their names.

    Tokens stand in the order of the options in their group, each as `text_encoding` says; an option that is
    not optional is left to the order's choice or its preset value by an empty token; the row may end early.

    Raises
    ------
    TextFault
        If the tokens do not fit the options.
    """
    definitions = [each for each, *_ in by_name(listed(offered)).values()]
    tokens = Tokens(text, separators_of(definitions))
    values: list[tuple[str, Any]] = []
    for each in definitions:
        if not tokens.left:
            break
        part = take_part(each.component, tokens, each.name, True)
        if part is not None:
            values.append((each.name, part))
    if tokens.left:
        names = ", ".join(each.name for each in definitions) or "none"
        raise TextFault("values", f"{tokens.left} tokens are left over; options in their order: {names}")
    return tuple(values)


def encoded_as_text(offered: Offered, chosen: Mapping[str, Any]) -> ParameterData:
    """Return a selection in TextEncoding of Python values by option name; the inverse of `decoded`.

    Raises
    ------
    ValueError
        If a value is not of its option's shape, or TextEncoding cannot carry it.
    """
    definitions = [each for each, *_ in by_name(listed(offered)).values()]
    unknown = chosen.keys() - {each.name for each in definitions}
    if unknown:
        raise ValueError(f"there is no option {', '.join(sorted(unknown))}")
    writer = TokenWriter(separators_of(definitions))
    for each in definitions:
        value = each.component.render(chosen[each.name]) if each.name in chosen else None
        try:
            put_part(each.component, value, writer, True)
        except ValueError as wrong:
            raise ValueError(f"{each.name}: {wrong}") from None
    return ParameterData(encoding=Encoding.TEXT, text=writer.text)
