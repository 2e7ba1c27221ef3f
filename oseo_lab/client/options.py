"""Options that explain themselves: what may be chosen, what is preset, what was chosen, what goes together.

Built from the very definitions and rules GetOptions returned, so a new option on a server needs no new
client. A wrong value, or one that does not go with the others, is refused at once with the sentence the
server would have said; nothing has changed then. So what can be composed is what the server accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from oseo_lab.client import display
from oseo_lab.client.option_values import Choice, allowed_of, checked, listed_of, nearest, shown
from oseo_lab.model.errors import Problem, ValidationError
from oseo_lab.model.option_rules import OptionRule, broken
from oseo_lab.model.options import DataArray, OptionDefinition, ParameterData

__all__ = ["Choice", "Holder", "Options", "allowed_of", "nearest"]


class Holder(Protocol):
    """What options may belong to: a draft, whose items rest on them."""

    def rule_problems(self) -> Iterator[Problem]:
        """Yield the rules that its items' options break as they stand."""

    def value_problems(self) -> Iterator[Problem]:
        """Yield what the service has against the values as they stand, where it looks at them."""

    def known_values(self, name: str) -> tuple[str, ...]:
        """Return what the chosen products have themselves of an option, such as their CRS."""

    def options_changed(self) -> None:
        """Hear that another choice holds."""


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
    rules : iterable of OptionRule
        What goes together.
    holder : Holder or None
        What they belong to.
    elsewhere : mapping of str to str
        Options that are not chosen here, and where they are: ``order`` or ``item``.
    """

    def __init__(
        self,
        definitions: Iterable[OptionDefinition],
        where: str,
        base: Options | None = None,
        rules: Iterable[OptionRule] = (),
        holder: Holder | None = None,
        elsewhere: Mapping[str, str] | None = None,
    ) -> None:
        vars(self).update(
            _definitions={each.name: each for each in definitions},
            _where=where,
            _base=base,
            _rules=tuple(rules),
            _holder=holder,
            _elsewhere=dict(elsewhere or {}),
            _chosen={},
            _alike=None,
        )

    _definitions: dict[str, OptionDefinition]
    _where: str
    _base: Options | None
    _rules: tuple[OptionRule, ...]
    _holder: Holder | None
    _elsewhere: dict[str, str]
    _chosen: dict[str, Any]
    _alike: str | None

    # ------------------------------------------------------------------------------- reading and setting

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._definitions]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._definitions)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._definitions:
            raise AttributeError(self._unknown(name).text)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self[name] = None

    def __contains__(self, name: object) -> bool:
        return name in self._definitions

    def __iter__(self) -> Iterator[str]:
        return iter(self._definitions)

    def __len__(self) -> int:
        return len(self._definitions)

    def __getitem__(self, name: str) -> Any:
        definition = self.definition(name)
        if name in self._chosen:
            return self._chosen[name]
        return self._base[name] if self._base is not None else definition.default

    def __setitem__(self, name: str, value: Any) -> None:
        self.update(**{name: value})

    def update(self, /, **values: Any) -> None:
        """Set several options, judged together; None goes back to the default.

        Raises
        ------
        ValidationError
            With every wrong one and every rule their combination breaks; nothing has changed then.
        """
        problems: list[Problem] = []
        found = {}
        for name, value in values.items():
            try:
                found[self.definition(name).name] = None if value is None else self._checked(name, value)
            except ValidationError as wrong:
                problems.extend(wrong.problems)
        if problems:
            raise ValidationError.of(problems)
        self._take({**self._chosen, **found})

    def _checked(self, name: str, value: Any) -> Any:
        definition = self.definition(name)
        if name in self._elsewhere:
            raise ValidationError(self._level(name), locator=name)
        return checked(definition, value, self._where, self._known(name))

    def _level(self, name: str) -> str:
        return f"option {name!r} is chosen for the {self._elsewhere[name]} only"

    def reset(self, name: str | None = None) -> None:
        """Go back to the default of one option, or of all; refused where the rest does not go with it."""
        self._take({} if name is None else {**self._chosen, self.definition(name).name: None})

    def _take(self, wanted: Mapping[str, Any]) -> None:
        """Let these choices hold, if they break no rule."""
        wanted = {name: value for name, value in wanted.items() if value is not None}
        if wanted == self._chosen:
            return
        if problems := list(dict.fromkeys(self._problems_with(wanted, asked=True))):
            raise ValidationError.of(problems)
        vars(self).update(_chosen=wanted, _alike=None)
        if self._holder is not None:
            self._holder.options_changed()

    def _problems_with(self, wanted: dict[str, Any], *, asked: bool = False) -> list[Problem]:
        """Return the rules that would be broken if these were the choices; if ``asked``, the service too."""
        before, holder = self._chosen, self._holder
        vars(self)["_chosen"] = wanted
        try:
            if holder is None:
                return list(broken(self._rules, self._definitions, self.values))
            found = list(holder.rule_problems()) if self._rules else []
            return found or list(holder.value_problems() if asked else ())
        finally:
            vars(self)["_chosen"] = before

    # ------------------------------------------------------------------------------------- what is there

    @property
    def chosen(self) -> dict[str, Any]:
        """What was chosen here, by name."""
        return dict(self._chosen)

    @property
    def values(self) -> dict[str, Any]:
        """What holds, by name: chosen here, or for the order, or preset; None where nothing is."""
        return {name: self[name] for name in self._definitions}

    @property
    def alike(self) -> str:
        """What is the same for options of which the same was chosen: of thousands one is judged."""
        if self._alike is None:
            vars(self)["_alike"] = repr(sorted(self._chosen.items()))
        return str(self._alike)

    def definition(self, name: str) -> OptionDefinition:
        """Return what the service says of an option: its component, its grouping, its default."""
        if name not in self._definitions:
            raise self._unknown(name)
        return self._definitions[name]

    def allowed(self, name: str) -> tuple[Any, ...]:
        """Return an option's listed values, those that the chosen products have first.

        Empty where there is no list, as of numbers and free text: ``definition(name).component`` says more.
        """
        definition = self.definition(name)
        own = []
        for each in self._known(name):
            try:
                own.append(definition.component.parse(each))
            except ValueError:  # the products have it, and it is not offered
                continue
        return tuple(dict.fromkeys((*own, *listed_of(definition.component))))

    def choices(self, name: str) -> tuple[Choice, ...]:
        """Return an option's listed values, and whether each goes with what else is chosen now."""
        is_array = isinstance(self.definition(name).component, DataArray)
        own = self._known(name)
        found = []
        for value in self.allowed(name):
            wanted = {**self._chosen, name: [value] if is_array else value}
            reasons = [each.text for each in self._problems_with(wanted)]
            if name in self._elsewhere:
                reasons.insert(0, self._level(name))
            label = f"{shown(value)} (the products' own)" if value in own else shown(value)
            found.append(Choice(value, label, not reasons, reasons[0] if reasons else None))
        return tuple(found)

    def parameters(self) -> tuple[ParameterData, ...]:
        """Return the selection as it travels; empty where nothing was chosen."""
        values = tuple(
            (name, definition.component.render(self._chosen[name]))
            for name, definition in self._definitions.items()
            if name in self._chosen
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

    def regroup(self, other: Options) -> None:
        """Take the options of another group, with what was chosen; refused where a value is not offered."""
        chosen = {name: other._checked(name, value) for name, value in self._chosen.items()}
        vars(self).update(vars(other) | {"_chosen": chosen, "_base": self._base})

    def _known(self, name: str) -> tuple[str, ...]:
        return () if self._holder is None else self._holder.known_values(name)

    def _unknown(self, name: str) -> ValidationError:
        close = nearest(name, tuple(self._definitions), most=3)
        return ValidationError(
            f"{self._where} has no option {name!r}{close}; options: {', '.join(self._definitions) or 'none'}",
            locator=name,
        )

    # ------------------------------------------------------------------------------------------- showing

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
            value = "not set" if self[name] is None else f"{shown(self[name])}{mark}"
            rows.append((name, value, f"allowed: {definition.component.allowed_text}"))
        return rows

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = []
        for name, definition in self._definitions.items():
            default = "" if definition.default is None else shown(definition.default)
            chosen = shown(self._chosen[name]) if name in self._chosen else ""
            about = definition.component.description or definition.component.label or ""
            rows.append((name, chosen, default, definition.component.allowed_text, about))
        table = display.table(("option", "chosen", "default", "allowed", ""), rows)
        return display.card(f"options of {self._where}", table)

    def _table(self) -> str:
        """Return chosen and preset values as a short HTML table."""
        return display.table(("option", "value"), [row[:2] for row in self._rows()])
