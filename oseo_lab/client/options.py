"""Options that explain themselves: what may be chosen, what is preset, what was chosen.

Built from the very definitions GetOptions returned, so a new option on a server needs no new client. A
wrong value is refused at once, with the sentence the server would have said and the nearest right one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from oseo_lab.client import display
from oseo_lab.model.errors import Problem, ValidationError
from oseo_lab.model.options import (
    Component,
    DataArray,
    DataChoice,
    DataRecord,
    OptionDefinition,
    ParameterData,
)

__all__ = ["Options", "allowed_of", "nearest"]


def allowed_of(component: Component) -> tuple[str, ...]:
    """Return the values a component lists; empty where it has none to list."""
    if isinstance(component, DataArray):
        return allowed_of(component.element.component)
    return tuple(getattr(component, "allowed", ()))


class Options:
    """Values chosen for some options: attributes to read and set, ``del`` to go back to the default.

    Parameters
    ----------
    definitions : iterable of OptionDefinition
        What is offered.
    where : str
        What offers it, for messages.
    base : Options or None
        Where values come from that are not chosen here: an item's options rest on its order's.
    """

    def __init__(
        self, definitions: Iterable[OptionDefinition], where: str, base: Options | None = None
    ) -> None:
        vars(self).update(
            _definitions={each.name: each for each in definitions}, _where=where, _base=base, _chosen={}
        )

    _definitions: dict[str, OptionDefinition]
    _where: str
    _base: Options | None
    _chosen: dict[str, Any]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._definitions]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._definitions:
            raise AttributeError(self._unknown(name).text)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self._chosen.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._definitions

    def __iter__(self) -> Iterator[str]:
        return iter(self._definitions)

    def __len__(self) -> int:
        return len(self._definitions)

    def __getitem__(self, name: str) -> Any:
        definition = self._definition(name)
        if name in self._chosen:
            return self._chosen[name]
        return self._base[name] if self._base is not None else definition.default

    def __setitem__(self, name: str, value: Any) -> None:
        definition = self._definition(name)
        if value is None:
            self._chosen.pop(name, None)
        else:
            self._chosen[name] = self._checked(definition, value)

    def update(self, **values: Any) -> None:
        """Set several options, refusing all wrong ones at once and changing nothing then."""
        problems: list[Problem] = []
        checked = {}
        for name, value in values.items():
            try:
                definition = self._definition(name)
                checked[name] = None if value is None else self._checked(definition, value)
            except ValidationError as wrong:
                problems.extend(wrong.problems)
        if problems:
            raise ValidationError.of(problems)
        for name, value in checked.items():
            if value is None:
                self._chosen.pop(name, None)
            else:
                self._chosen[name] = value

    @property
    def chosen(self) -> dict[str, Any]:
        """What was chosen here, by name."""
        return dict(self._chosen)

    def parameters(self) -> tuple[ParameterData, ...]:
        """Return the selection as it travels; empty where nothing was chosen."""
        values = tuple(
            (name, self._definitions[name].component.render(value)) for name, value in self._chosen.items()
        )
        return (ParameterData(values=values),) if values else ()

    def missing(self) -> Iterator[Problem]:
        """Yield the required options that have no value."""
        for name, definition in self._definitions.items():
            if definition.required and self[name] is None:
                yield Problem(
                    code="MissingParameterValue",
                    locator=name,
                    text=f"option {name!r} is required; allowed: {definition.component.allowed_text}",
                )

    def _regroup(self, definitions: Iterable[OptionDefinition]) -> None:
        """Take the options of another group, with what was chosen; refused where a value is not offered."""
        other = Options(definitions, self._where, self._base)
        other.update(**self._chosen)
        vars(self).update(_definitions=other._definitions, _chosen=other._chosen)

    def _definition(self, name: str) -> OptionDefinition:
        if name not in self._definitions:
            raise self._unknown(name)
        return self._definitions[name]

    def _unknown(self, name: str) -> ValidationError:
        close = nearest(name, tuple(self._definitions))
        return ValidationError(
            f"{self._where} has no option {name!r}{close}; options: {', '.join(self._definitions) or 'none'}",
            locator=name,
        )

    def _checked(self, definition: OptionDefinition, value: Any) -> Any:
        component = definition.component
        try:
            return component.parse(component.render(_friendly(definition, value)))
        except (ValueError, TypeError, KeyError, AttributeError) as wrong:
            shown = value if isinstance(value, str) else repr(value)
            close = nearest(str(value), allowed_of(component))
            inside = f" ({wrong})" if isinstance(component, DataRecord | DataChoice | DataArray) else ""
            raise ValidationError(
                f"{definition.name} {str(shown)[:60]!r} is not offered by {self._where}{close}; "
                f"allowed: {component.allowed_text}{inside}",
                locator=definition.name,
            ) from None

    def __repr__(self) -> str:
        if not self._definitions:
            return f"no options are offered by {self._where}"
        rows = self._rows()
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        lines = [f"{name:<{widths[0]}}  {value:<{widths[1]}}  {allowed}" for name, value, allowed in rows]
        return "\n".join([f"options of {self._where}", *(f"  {line}".rstrip() for line in lines)])

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = []
        for name, definition in self._definitions.items():
            mark = "" if name in self._chosen else " (default)"
            value = "not set" if self[name] is None else f"{_shown(self[name])}{mark}"
            rows.append((name, value, f"allowed: {definition.component.allowed_text}"))
        return rows

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = []
        for name, definition in self._definitions.items():
            default = "" if definition.default is None else _shown(definition.default)
            chosen = _shown(self._chosen[name]) if name in self._chosen else ""
            about = definition.component.description or definition.component.label or ""
            rows.append((name, chosen, default, definition.component.allowed_text, about))
        head = ("option", "chosen", "default", "allowed", "")
        return display.card(f"options of {self._where}", display.table(head, rows))

    def _table(self) -> str:
        """Return chosen and preset values as a short HTML table."""
        rows = [(name, value) for name, value, _ in self._rows()]
        return display.table(("option", "value"), rows)


def _friendly(definition: OptionDefinition, value: Any) -> Any:
    """Return a value in the form its component renders: ``32632`` is ``EPSG:32632``, ``"B04"`` a list."""
    if isinstance(definition.component, DataArray):
        if isinstance(value, str):
            is_one = value in allowed_of(definition.component)
            return [value] if is_one else value.replace(",", " ").split()
        is_list = isinstance(value, Iterable) and not isinstance(value, Mapping)
        return list(value) if is_list else [value]
    if isinstance(value, int) and not isinstance(value, bool) and "crs" in definition.name.lower():
        return f"EPSG:{value}"
    if isinstance(definition.component.default, bool) and not isinstance(value, bool):
        return definition.component.parse(str(value))
    text = value if isinstance(value, str) else None
    allowed = allowed_of(definition.component)
    if text is not None and text not in allowed:
        return next((each for each in allowed if each.lower() == text.lower()), text)
    return value


def nearest(given: str, among: tuple[str, ...]) -> str:
    """Return `` (nearest: COG)`` for the nearest word, or nothing."""
    lowered = {each.lower(): each for each in among}
    close = difflib.get_close_matches(given.lower(), lowered, n=1, cutoff=0.5)
    return f" (nearest: {lowered[close[0]]})" if close else ""


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_shown(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
