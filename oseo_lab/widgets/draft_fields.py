"""The fields of a draft beside its options: name, area, group, packaging, priority, limits.

Each is one attribute of the draft: read as text, set as text, refused by the draft itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from oseo_lab.client.draft import OrderDraft
from oseo_lab.model.errors import OseoError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.order import Priority
from oseo_lab.widgets.area_text import area_given, area_text
from oseo_lab.widgets.nodes import Node, button

__all__ = ["ATTRIBUTES", "DraftFields"]


@dataclass(frozen=True)
class Attribute:
    """One attribute of a draft as a field: how it is read and set, and what the page needs to draw it."""

    label: str
    read: Callable[[OrderDraft], str | None]
    write: Callable[[OrderDraft, Any], None]
    node: Callable[[OrderDraft], Node] = lambda draft: {}
    is_there: Callable[[OrderDraft], bool] = lambda draft: True


def _set(name: str) -> Callable[[OrderDraft, Any], None]:
    return lambda draft, value: setattr(draft, name, value)


def _read(name: str) -> Callable[[OrderDraft], str | None]:
    def read(draft: OrderDraft) -> str | None:
        found = getattr(draft, name)
        return None if found is None else str(found)

    return read


def _choice(values: Iterable[object], none: str) -> Node:
    choices = [{"value": str(each), "label": str(each), "offered": True, "reason": None} for each in values]
    return {"control": "select", "choices": choices, "hint": none, "fixed": False}


def _limit(name: str) -> Callable[[OrderDraft, Any], None]:
    def write(draft: OrderDraft, value: Any) -> None:
        kept = asdict(draft.limits)
        given = value if name == "max_bytes" or value is None else _number(value)
        draft.limits = {**kept, name: given}

    return write


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _shown_limit(name: str) -> Callable[[OrderDraft], str | None]:
    def read(draft: OrderDraft) -> str | None:
        found = getattr(draft.limits, name)
        return None if found is None else f"{found:.15g}"

    return read


def _area_node(draft: OrderDraft) -> Node:
    crs = draft.area.crs if draft.area is not None else None
    return {
        "control": "area",
        "placeholder": "west, south, east, north · or WKT",
        "hint": f"given in {crs}, shown in degrees" if crs else "" if draft.area else "whole scenes",
        "buttons": [button("draft/area:map", "Map", reason="draw it on a map")],
    }


def _cuts_areas(draft: OrderDraft) -> bool:
    return any(name.startswith("sceneBounding") for name in draft.scene_options)


#: Attributes by name, in the order in which they are shown.
ATTRIBUTES: dict[str, Attribute] = {
    "name": Attribute(
        "name", _read("name"), _set("name"), lambda draft: {"hint": "what you will find it by", "wide": True}
    ),
    "group": Attribute(
        "option group",
        _read("group"),
        _set("group"),
        lambda draft: _choice(draft.groups, "each is one valid combination of options") | {"fixed": True},
        lambda draft: len(draft.groups) > 1,
    ),
    "area": Attribute(
        "area",
        lambda draft: area_text(draft.area),
        lambda draft, value: setattr(draft, "area", area_given(value)),
        _area_node,
        _cuts_areas,
    ),
    "packaging": Attribute(
        "packaging",
        _read("packaging"),
        _set("packaging"),
        lambda draft: _choice(draft.packagings, ""),
    ),
    "priority": Attribute(
        "priority", _read("priority"), _set("priority"), lambda draft: _choice(Priority, "")
    ),
    "max_price": Attribute(
        "max price",
        _shown_limit("max_price"),
        _limit("max_price"),
        lambda draft: {"control": "number", "help": "no item starts that would cost more altogether"},
    ),
    "max_bytes": Attribute(
        "max size",
        _shown_limit("max_bytes"),
        _limit("max_bytes"),
        lambda draft: {
            "control": "number",
            "help": "no item starts that would deliver more altogether",
            "placeholder": "1GB",
        },
    ),
    "max_items_per_month": Attribute(
        "max a month",
        _shown_limit("max_items_per_month"),
        _limit("max_items_per_month"),
        lambda draft: {"control": "number", "help": "what is more waits for the next month"},
        lambda draft: draft.offer.order_type is OrderType.SUBSCRIPTION_ORDER,
    ),
}


class DraftFields:
    """Fields of a draft's own attributes.

    Parameters
    ----------
    draft : OrderDraft
        The object that they are.
    """

    def __init__(self, draft: OrderDraft) -> None:
        self.draft = draft
        self._problems: dict[str, str] = {}

    def follow(self) -> None:
        """Forget what was refused: something else holds now."""
        self._problems = {}

    def edit(self, name: str, value: Any) -> None:
        """Let the draft take what was typed, picked or drawn."""
        try:
            ATTRIBUTES[name].write(self.draft, value)
        except OseoError as wrong:
            self._problems[name] = wrong.text
        else:
            self._problems.pop(name, None)

    def nodes(self, *names: str) -> list[Node]:
        """Return the fields of these attributes, those that the draft has."""
        return [self._node(name) for name in names if ATTRIBUTES[name].is_there(self.draft)]

    def _node(self, name: str) -> Node:
        known = ATTRIBUTES[name]
        value = known.read(self.draft)
        return {
            "kind": "field",
            "key": f"draft/{name}",
            "label": known.label,
            "control": "text",
            "value": value,
            "problem": self._problems.get(name, ""),
            "chosen": value is not None and name not in ("name", "group"),
            "undo": "back to: not set",
        } | known.node(self.draft)
