"""The fields of one set of options: what they show is what the object holds.

An edit goes to the object; what it refuses is said under the field, which shows again what holds. Only what
has several parts may stay incomplete in the form, and says that it is no part of the order yet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from oseo_lab.client.option_values import shown
from oseo_lab.client.options import Options
from oseo_lab.model.errors import OseoError
from oseo_lab.widgets.array_fields import ADD, REMOVE, AreaField, RowsArray
from oseo_lab.widgets.compound_fields import Choice, Record
from oseo_lab.widgets.compound_fields import Range as TwoEnds
from oseo_lab.widgets.fields import About, Control, Raw, control_for
from oseo_lab.widgets.nodes import Node, fields, head, words

__all__ = ["OptionFields"]

#: Kinds whose parts are given one after the other.
_GROWING = (Choice, Record, RowsArray, TwoEnds)
_PART = re.compile(r"\.[^.\[]+\[(\d+)\]")


class OptionFields:
    """Controls of some options.

    Parameters
    ----------
    options : Options
        The object that they are.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.controls: dict[str, Control] = {}
        self._incomplete: dict[str, Raw] = {}
        self._problems: dict[str, str] = {}
        self._seen: dict[str, Any] = {}
        self._lasting: set[str] = set()  # refused whatever else is chosen
        self.follow()

    def follow(self) -> None:
        """Take in what the object holds now; what was said of values that are gone is gone too."""
        names = list(self.options)
        if names != list(self.controls) or any(
            self.controls[name].component is not self.options.definition(name).component for name in names
        ):
            self.controls = {name: control_for(self.options.definition(name)) for name in names}
            self._incomplete, self._seen = {}, {}
        values = {name: self.options[name] for name in names}
        changed = [name for name in names if values[name] != self._seen.get(name)]
        if changed:
            for name in changed:
                self._incomplete.pop(name, None)
            lasting = [name for name in self._lasting if name not in changed]
            kept = {f"options/{name}" for name in (*self._incomplete, *lasting)}
            self._problems = {key: said for key, said in self._problems.items() if _owner(key) in kept}
        self._seen = values

    # ----------------------------------------------------------------------------------------------- editing

    def edit(self, path: Sequence[str], value: Any) -> None:
        """Let the object take what was typed, picked or drawn in a field."""
        name, *part = path
        control = self.controls[name]
        self._forget(name)
        if value is None and not part:
            self._incomplete.pop(name, None)
            self._set(name, control, None)
            return
        try:
            raw = control.edited(self.raw(name), part, value)
        except (
            KeyError,
            IndexError,
            TypeError,
        ):  # a part that is not there: the page is older than the draft
            return
        except OseoError as wrong:
            self._problems[control.key] = wrong.text
            self._lasting.add(name)
        else:
            self._set(name, control, raw)

    def press(self, path: Sequence[str], verb: str) -> None:
        """Add a row to a list, or take one out."""
        self.edit(path, {"add": ADD, "remove": REMOVE}[verb])

    def _set(self, name: str, control: Control, raw: Raw) -> None:
        try:
            self.options[name] = None if raw is None else control.given(raw)
        except (OseoError, ValueError) as wrong:
            text = wrong.text if isinstance(wrong, OseoError) else str(wrong)
            if isinstance(control, _GROWING) and raw is not None:
                self._incomplete[name] = raw
                self._problems |= self._parts_problems(name, control, raw, text)
            else:
                self._problems[control.key] = text
                if raw is None or not self._takes(name, control, raw):
                    self._lasting.add(name)
        else:
            self._incomplete.pop(name, None)
            self.follow()

    def _parts_problems(self, name: str, control: Control, raw: Raw, text: str) -> dict[str, str]:
        """Return what is wrong with the parts of an incomplete value, by key; or with all of it."""
        definition = self.options.definition(name)
        try:
            travelling = definition.component.render(control.given(raw))
        except (ValueError, TypeError, KeyError):
            return {control.key: text}
        found, lacking = {}, False
        for each in definition.check(travelling):
            if each.code == "MissingParameterValue":  # said beside the part: it is needed
                lacking = True
                continue
            where = each.locator or name
            inside = _PART.sub(lambda at: f"/{int(at[1]) - 1}", where.removeprefix(name))
            key = f"{control.key}{inside.replace('.', '/')}"
            found[key] = each.text.removeprefix(f"{where}: ")
        return found if found or lacking else {control.key: text}

    def _takes(self, name: str, control: Control, raw: Raw) -> bool:
        """Whether the option by itself takes a value: then it was refused because of the others."""
        component = self.options.definition(name).component
        try:
            component.parse(component.render(control.given(raw)))
        except (OseoError, ValueError, TypeError, KeyError, AttributeError):
            return False
        return True

    def _forget(self, name: str) -> None:
        self._lasting.discard(name)
        owner = f"options/{name}"
        self._problems = {key: said for key, said in self._problems.items() if _owner(key) != owner}

    def reset(self) -> None:
        """Go back to the defaults."""
        self._incomplete, self._problems, self._lasting = {}, {}, set()
        self.options.reset()
        self.follow()

    # ----------------------------------------------------------------------------------------------- showing

    def raw(self, name: str) -> Raw:
        """Return what a field shows: what the object holds, or what is not complete yet."""
        return self._incomplete.get(name, self.controls[name].raw(self.options[name]))

    @property
    def incomplete(self) -> tuple[str, ...]:
        """Names of the options that are no part of the order yet."""
        return tuple(self._incomplete)

    def area_field(self, name: str) -> AreaField | None:
        """Return the control of an option that is drawn on a map."""
        found = self.controls.get(name)
        return found if isinstance(found, AreaField) else None

    def nodes(self) -> list[Node]:
        """Return the fields, under their groupings where there are several."""
        groupings = [self.options.definition(name).grouping or "" for name in self.controls]
        found: list[Node] = []
        for grouping in dict.fromkeys(groupings):
            names = [name for name, own in zip(self.controls, groupings, strict=True) if own == grouping]
            if len(set(groupings)) > 1 and grouping:
                found.append(head(grouping, level=4))
            found.append(fields([self._node(name) for name in names]))
        if self._incomplete:
            said = ", ".join(self._incomplete)
            found.append(words(f"not complete yet, so no part of the order: {said}", "warn"))
        return found

    def _node(self, name: str) -> Node:
        default = self.options.definition(name).default
        about = About(
            problems=self._problems,
            choices=self.options.choices(name),
            chosen=name in self.options.chosen,
            undo="back to: not set" if default is None else f"back to the default, {shown(default)[:60]}",
        )
        return self.controls[name].node(self.raw(name), about)


def _owner(key: str) -> str:
    return "/".join(key.split("/")[:2])
