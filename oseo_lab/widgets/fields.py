"""Controls: one class for each kind of option component, from the very definitions GetOptions returned.

A control knows how a value looks in the page and what of the page goes back to the object; it never judges a
value, the object does (`Options`). Controls of one value are here, those of several parts in
`compound_fields`; `control_of` finds the class for a component, by what it is or derives from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from oseo_lab.client.options import Choice
from oseo_lab.model.components import Component
from oseo_lab.model.options import Boolean, Category, Count, OptionDefinition, Quantity, Text, Time
from oseo_lab.widgets.nodes import Node

__all__ = ["CONTROLS", "About", "Control", "Raw", "control_for", "control_of", "registered"]

#: What a control holds of a value: texts, and lists and mappings of them; None for "not set".
Raw = Any
#: Most choices, and most letters of them, that are shown all at once.
_FEW, _SHORT = 5, 64
#: Stands for the value in a sentence that is said of several.
_VALUE = "\0"
#: Longest description that is shown beside a control; longer ones are its tooltip.
_SENTENCE = 90


@dataclass(frozen=True)
class About:
    """What is said around the controls of one option.

    Parameters
    ----------
    problems : mapping of str to str
        Why something was refused, by the key of the control.
    choices : tuple of Choice
        The listed values, and which of them do not go with the others now.
    chosen : bool
        Whether the value was chosen, rather than preset.
    undo : str
        What "not set" would bring back.
    """

    problems: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    chosen: bool = False
    undo: str = ""

    def inside(self) -> About:
        """Return what holds for a part: refusals only."""
        return About(problems=self.problems)


class Control:
    """A text that the component reads: what is used for kinds that have no control of their own.

    Parameters
    ----------
    component : Component
        What may be chosen.
    key : str
        Names it in the page: ``options/<name>`` and, below, ``/<part>``.
    label : str
        What it is called.
    required : bool
        Whether it must be given.
    """

    control: ClassVar[str] = "text"

    def __init__(self, component: Component, key: str, label: str, required: bool = False) -> None:
        self.component: Any = component
        self.key = key
        self.label = label
        self.required = required

    # ------------------------------------------------------------------------------- between page and object

    def raw(self, value: Any) -> Raw:
        """Return what the control holds for a value of the object."""
        return None if value is None else str(value)

    def given(self, raw: Raw) -> Any:
        """Return what the object is set to; None for "not set"."""
        return None if raw is None else self.component.parse(raw)

    def edited(self, raw: Raw, path: Sequence[str], value: Any) -> Raw:
        """Return what it holds after the edit of itself (an empty path) or of a part."""
        return value

    def blank(self) -> Raw:
        """Return what a new one holds."""
        return self.raw(self.component.default)

    # ------------------------------------------------------------------------------------------ in the page

    def node(self, raw: Raw, about: About) -> Node:
        """Return what the page draws."""
        return {
            "kind": "field",
            "key": self.key,
            "label": self.label,
            "help": self.component.description or self.component.label or "",
            "unit": _unit(self.component),
            "control": self.control,
            "value": raw,
            "required": self.required,
            "problem": about.problems.get(self.key, ""),
            "hint": self.hint(about),
            "chosen": about.chosen,
            "undo": about.undo,
        }

    def hint(self, about: About) -> str:
        """Return the quiet words beside it: what is allowed, and that a value is preset."""
        preset = "default" if not about.chosen and self.component.default is not None and about.undo else ""
        said = " · ".join(filter(None, (self.allowed(), preset)))
        return said or _short(self.component.description or self.component.label or "")

    def allowed(self) -> str:
        """Return in short what is allowed; empty where that can be seen."""
        said: str = self.component.allowed_text
        return said if len(said) <= _SHORT else f"{said[:_SHORT]}…"


#: The control of each kind of component.
CONTROLS: dict[type[Component], type[Control]] = {}


def registered(*kinds: type[Component]) -> Callable[[type[Control]], type[Control]]:
    """Make a class the control of these kinds of component."""

    def take(control: type[Control]) -> type[Control]:
        CONTROLS.update(dict.fromkeys(kinds, control))
        return control

    return take


def control_of(component: Component, key: str, label: str, required: bool = False) -> Control:
    """Return a new control for a component; a text for kinds nobody knows."""
    found = next((CONTROLS[kind] for kind in type(component).__mro__ if kind in CONTROLS), Control)
    return found(component, key, label, required)


def control_for(definition: OptionDefinition) -> Control:
    """Return a new control for an option."""
    return control_of(
        definition.component, f"options/{definition.name}", definition.name, definition.required
    )


def _short(said: str) -> str:
    return said if len(said) <= _SENTENCE else ""


def _unit(component: Component) -> str:
    unit = getattr(component, "uom", "1")
    return "" if unit == "1" or isinstance(component, Time) else str(unit)


class _One(Control):
    """One lexical value: the object is given the text, and judges it."""

    def raw(self, value: Any) -> Raw:
        """Return the lexical form."""
        return None if value is None else str(self.component.render(value))

    def given(self, raw: Raw) -> Any:
        """Return the text: what is wrong with it is the object's to say."""
        return raw

    def listed(self, raw: Raw, about: About) -> list[Node]:
        """Return the choices as the page draws them; those that do not go now are greyed."""
        if about.choices:
            found = [
                {
                    "value": self.raw(each.value),
                    "label": _tidy(each.label),
                    "offered": each.is_offered,
                    "reason": each.reason,
                }
                for each in about.choices
            ]
            return [each for each in found if each["value"] is not None]
        values = dict.fromkeys(str(each) for each in getattr(self.component, "allowed", ()))
        return [{"value": each, "label": each, "offered": True, "reason": None} for each in values]

    def chosen_node(self, raw: Raw, about: About) -> Node:
        """Return a node of listed values: all at once if they are few, else to be opened."""
        node, listed = super().node(raw, about), self.listed(raw, about)
        few = len(listed) <= _FEW and sum(len(each["label"]) for each in listed) <= _SHORT
        greyed = [each for each in listed if not each["offered"]]
        node |= {
            "control": "radio" if few else "select",
            "choices": listed,
            "fixed": self.component.default is not None,
            "reasons": reasons_of(greyed),
        }
        allowed = "" if few else f"{len(listed)} allowed"
        preset = "default" if not about.chosen and about.undo and self.component.default is not None else ""
        about_it = "" if allowed or preset else node["hint"]
        return node | {"hint": " · ".join(filter(None, (allowed, preset, about_it)))}


def reasons_of(greyed: Sequence[Node]) -> list[str]:
    """Return why choices are greyed: one sentence for those that differ in the value alone, at most three."""
    said: dict[str, list[str]] = {}
    for each in greyed:
        value, reason = str(each["value"]), str(each["reason"] or "not offered now")
        told = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", _VALUE, reason, count=1)
        said.setdefault(told if _VALUE in told else f"{_VALUE}: {told}", []).append(value)
    return [told.replace(_VALUE, _few(values)) for told, values in list(said.items())[:3]]


def _few(labels: Sequence[str]) -> str:
    return ", ".join(labels) if len(labels) <= 4 else f"{', '.join(labels[:3])} and {len(labels) - 3} more"


def _tidy(label: str) -> str:
    return label if len(label) <= 60 else f"{label[:59]}…"


@registered(Category, Text)
class Word(_One):
    """Category and Text: a word of a list, a word of a list or of a pattern, or any text."""

    def node(self, raw: Raw, about: About) -> Node:
        """Return a choice, a text with suggestions, or a text."""
        listed = self.listed(raw, about)
        if self.component.pattern is None and listed:
            return self.chosen_node(raw, about)
        node = super().node(raw, about)
        if listed:
            greyed = [each for each in listed if not each["offered"]]
            node |= {"control": "suggest", "choices": listed, "reasons": reasons_of(greyed)}
        elif not self.component.allowed:
            node["wide"] = self.component.pattern is None
        return node

    def allowed(self) -> str:
        """Return the pattern, if there is one."""
        pattern, listed = self.component.pattern, self.component.allowed
        if pattern is None:
            return ""
        others = (
            f"{', '.join(listed) if len(listed) <= _FEW else f'{len(listed)} suggested'}, or "
            if listed
            else ""
        )
        return f"{others}text matching {pattern}"


@registered(Boolean)
class YesNo(_One):
    """Boolean: yes, no, or neither of them yet."""

    _WORDS: ClassVar[Mapping[str, str]] = {"true": "yes", "false": "no"}

    def listed(self, raw: Raw, about: About) -> list[Node]:
        """Return yes and no."""
        said = {self.raw(each.value): each for each in about.choices}
        return [
            {
                "value": value,
                "label": word,
                "offered": said[value].is_offered if value in said else True,
                "reason": said[value].reason if value in said else None,
            }
            for value, word in self._WORDS.items()
        ]

    def node(self, raw: Raw, about: About) -> Node:
        """Return two radio buttons."""
        return self.chosen_node(raw, about)


@registered(Count, Quantity)
class Number(_One):
    """Count and Quantity: a number with its unit, of a list or of intervals."""

    control = "number"

    def node(self, raw: Raw, about: About) -> Node:
        """Return a choice where numbers are listed and nothing else is allowed, else a field to type in."""
        listed = self.listed(raw, about)
        if listed and not self.component.intervals:
            return self.chosen_node(raw, about)
        node = super().node(raw, about)
        return node | ({"control": "suggest", "choices": listed} if listed else {})

    def allowed(self) -> str:
        """Return the intervals, without the unit that stands beside the field."""
        parts = [f"{low} to {high}" for low, high in self.component.intervals]
        return ", ".join((*self.component.allowed[:6], *parts))


@registered(Time)
class Moment(_One):
    """Time: an instant, picked in UTC or in the zone of the page, told in UTC."""

    control = "time"

    def node(self, raw: Raw, about: About) -> Node:
        """Return a picker, or a choice where instants are listed."""
        if self.component.allowed and not self.component.intervals:
            return self.chosen_node(raw, about)
        return super().node(raw, about)

    def allowed(self) -> str:
        """Return the intervals."""
        return ", ".join(f"{low} to {high}" for low, high in self.component.intervals)
