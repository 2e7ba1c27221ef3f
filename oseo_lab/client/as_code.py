"""A draft as the Python cell that composes an equal one: what "copy as code" gives.

Products stand by their identifiers. Nothing secret is in a draft; the cell finds ``lab`` as it was connected.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from oseo_lab.model.identifiers import OrderType

if TYPE_CHECKING:
    from oseo_lab.client.area import Area
    from oseo_lab.client.draft_items import DraftItem, DraftItems
    from oseo_lab.client.options import Options
    from oseo_lab.model.collection import OrderOptions
    from oseo_lab.model.limits import Limits
    from oseo_lab.model.messages import Submit
    from oseo_lab.model.options import OptionDefinition

__all__ = ["Draft", "code_of"]

#: What `Lab.order` takes beside options: an option of such a name is set by itself.
_PARAMETERS = frozenset({"products", "name", "collection", "area", "area_crs", "self"})


_LIMITS = ("max_price", "max_bytes", "max_items_per_month")


class Draft(Protocol):
    """A draft, as recipes read it and orders return it: `oseo_lab.client.draft.OrderDraft`."""

    collection: str
    items: DraftItems
    options: Options
    offer: OrderOptions
    scene_options: dict[str, OptionDefinition]

    @property
    def name(self) -> str | None:
        """What it is called."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The option groups there are."""

    @property
    def group(self) -> str:
        """The option group ordered by."""

    @property
    def area(self) -> Area | None:
        """What is cut out."""

    @property
    def packaging(self) -> str | None:
        """The container."""

    @property
    def priority(self) -> str | None:
        """How soon."""

    @property
    def remark(self) -> str | None:
        """For the operators."""

    @property
    def limits(self) -> Limits:
        """The most it may cost and deliver."""

    def request(self) -> Submit:
        """Return the message that submits it."""

    @property
    def reuse(self) -> bool:
        """Whether kept results are used again."""

    def submit(
        self,
        again: bool = False,
        max_price: float | None = None,
        max_bytes: Any = None,
        reuse: bool | None = None,
    ) -> Any:
        """Send it and return the `Order`."""


def code_of(draft: Draft) -> str:
    """Return the statements that make an equal draft of ``lab``, an `oseo_lab.client.lab.Lab`."""
    chosen = draft.options.chosen
    own = _own(draft)
    plain = _plain(draft)
    special = [
        each
        for n, each in enumerate(draft.items)
        if n >= plain or each.own_options is not None or each.own_area is not None
    ]
    is_order = draft.offer.order_type is not OrderType.SUBSCRIPTION_ORDER
    is_plain = all(_is_argument(each) for each in chosen) and own.keys().isdisjoint(draft.options)
    lines, indent = _opening(draft, is_order), ""
    if is_order and is_plain and not (special and draft.offer.rules):
        area = [] if draft.area is None else _area_arguments(draft.area)
        lines += [f"    {each}," for each in (*_arguments(own), *area, *_arguments(chosen))]
        lines.append(")")
    else:  # judged as a whole: on the way to it, parts may not go together
        indent = "    "
        lines += [")", "with draft.together():", *(indent + each for each in _statements(draft, own))]
        lines += [] if chosen or own or draft.area or special else [f"{indent}pass"]
    added = set(list(draft.items)[plain:])
    lines += [indent + line for each in special for line in _item(each, is_added=each in added)]
    code = "\n".join(lines)
    return f"import datetime\n\n{code}" if "datetime." in code else code


def _opening(draft: Draft, is_order: bool) -> list[str]:
    """Return the beginning of the call that composes it: what it is of, and its name."""
    name = [f"    name={draft.name!r},"] if draft.name else []
    if not is_order:
        return ["draft = lab.subscription(", f"    {draft.collection!r},", *name]
    products = f"    {[each.identifier for each in draft.items[: _plain(draft)]]!r},"
    return ["draft = lab.order(", products, *name, f"    collection={draft.collection!r},"]


def _plain(draft: Draft) -> int:
    """Return how many items come before the first that has a name of its own: they are said by product."""
    return next((n for n, each in enumerate(draft.items) if draft.items.is_named(each)), len(draft.items))


def _own(draft: Draft) -> dict[str, Any]:
    """Return what is chosen beside options and area, by the names of `Lab.order` and of the draft."""
    found = {
        "group": draft.group if len(draft.groups) > 1 else None,
        "packaging": draft.packaging and str(draft.packaging),
        "priority": draft.priority and str(draft.priority),
        "remark": draft.remark,
        "max_price": draft.limits.max_price,
        "max_bytes": draft.limits.max_bytes,
        "max_items_per_month": draft.limits.max_items_per_month,
        "reuse": draft.reuse or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _is_argument(name: str) -> bool:
    """Whether an option can be an argument of `Lab.order`."""
    return name.isidentifier() and not keyword.iskeyword(name) and name not in _PARAMETERS


def _arguments(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={_said(value)}" for name, value in values.items()]


def _statements(draft: Draft, own: dict[str, Any]) -> Iterator[str]:
    """Yield what sets everything of an order but its items."""
    limits = {name: own.pop(name) for name in _LIMITS if name in own}
    for name, value in own.items():
        yield f"draft.{name} = {_said(value)}"
    if limits:
        yield f"draft.limits = {_said(limits)}"
    if draft.area is not None:
        yield f"draft.set_area({', '.join(_area(draft.area))})"
    if draft.options.chosen:
        yield _update("draft.options", draft.options.chosen)


def _item(item: DraftItem, *, is_added: bool) -> Iterator[str]:
    """Yield what adds an item, and sets its own options and area."""
    if is_added:
        yield f"draft.items.add({item.identifier!r}, item_id={item.item_id!r})"
    name = f"draft.items[{item.item_id!r}]"
    if item.own_options is not None:
        yield _update(f"{name}.options", item.own_options.chosen)
    if item.own_area is not None:
        yield f"{name}.set_area({', '.join(_area(item.own_area))})"


def _update(options: str, values: Mapping[str, Any]) -> str:
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in values):
        return f"{options}.update({', '.join(_arguments(values))})"
    return f"{options}.update(**{_said(dict(values))})"


def _area(area: Area) -> list[str]:
    """Return an area as it was given, and its CRS if it is not degrees."""
    if area.is_box:
        place = repr(tuple(each for point in area.points for each in point))
    else:
        place = _said({"type": "Polygon", "coordinates": [[list(point) for point in area.points]]})
    return [place, *([repr(area.crs)] if area.crs else [])]


def _area_arguments(area: Area) -> list[str]:
    return [f"{name}={each}" for name, each in zip(("area", "area_crs"), _area(area), strict=False)]


def _said(value: Any) -> str:
    """Return a value as Python reads it; instants need ``import datetime``."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: {_said(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        inside = ", ".join(_said(each) for each in value)
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)
