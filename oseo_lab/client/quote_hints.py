"""What would be cheaper than what was quoted: variants of the order that the service was asked to quote.

Nothing is guessed: a hint is a quotation of the variant, and says what differs. At most three are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from oseo_lab.client.option_values import shown
from oseo_lab.client.prices import Quoted, money
from oseo_lab.model.archive import about
from oseo_lab.model.errors import OseoError
from oseo_lab.model.estimates import Estimate, in_words
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import OrderSpecification, Priority

__all__ = ["MOST", "Hint", "hints_for", "variants"]

#: Most variants that are quoted.
MOST = 3
#: What a variant must save of size or time to be worth a word.
_WORTH = 0.8


@dataclass(frozen=True)
class Hint:
    """A variant that costs less, or is smaller or quicker.

    Parameters
    ----------
    text : str
        What differs, in one line.
    quotation : Quoted
        The variant's own, which can be submitted.
    """

    text: str
    quotation: Quoted

    def __repr__(self) -> str:
        return self.text


def hints_for(quotation: Quoted, presets: Mapping[str, Any]) -> list[Hint]:
    """Return the variants that are better in something; a variant that cannot be quoted is left out.

    ``presets`` are the values that options have which nobody chose, by name.
    """
    found = []
    for number, (what, specification) in enumerate(variants(quotation, presets)):
        if number >= MOST:
            break
        try:
            other = quotation.again(specification)
        except OseoError:  # not to be had so: then it is no hint
            continue
        if other.is_ready and not other.left_out and (gain := _gain(quotation, other)):
            found.append(Hint(f"{what}: {gain}", other))
    return found


def variants(quotation: Quoted, presets: Mapping[str, Any]) -> Iterator[tuple[str, OrderSpecification]]:
    """Yield what could be ordered instead, likeliest gain first: what differs, and the whole order."""
    known = quotation.specification
    if known is None or not quotation.is_ready:
        return
    if known.priority is Priority.FAST_TRACK:
        yield "as STANDARD instead of FAST_TRACK", replace(known, priority=Priority.STANDARD)
    yield from quotation.composed.smaller
    for item_id in _dearest(quotation):
        items = tuple(each for each in known.items if each.item_id != item_id)
        yield f"without {item_id}", replace(known, items=items)
    for name, value in _chosen(known.options):
        preset = shown(presets[name])[:40] if presets.get(name) is not None else f"no {name}"
        yield (
            f"{name} {preset} instead of {_said(value)}",
            replace(known, options=_without(known.options, name)),
        )


def _dearest(quotation: Quoted) -> list[str]:
    """Return the items that stand out: the costliest and the slowest, if others cost or take clearly less."""
    items = quotation.items
    prices = {each.item_id: each.price.value for each in items if each.price is not None}
    times = {each.item_id: each.duration.typical for each in items if each.duration is not None}
    if any(each.restore for each in items):
        times = {each.item_id: times.get(each.item_id, 0.0) + (each.restore or 0.0) for each in items}
    found = []
    for values in (prices, times):
        if len(values) > 1 and len(values) == len(items):
            top = max(values, key=lambda each: values[each])
            others = [value for name, value in values.items() if name != top]
            if values[top] > 1.2 * sum(others) / len(others):
                found.append(top)
    return list(dict.fromkeys(found))


def _chosen(options: tuple[ParameterData, ...]) -> Iterator[tuple[str, Any]]:
    for each in options:
        yield from each.values


def _without(options: tuple[ParameterData, ...], name: str) -> tuple[ParameterData, ...]:
    kept = [replace(each, values=tuple(pair for pair in each.values if pair[0] != name)) for each in options]
    return tuple(each for each in kept if each.values or each.text is not None)


def _said(value: Any) -> str:
    return shown([each for _, each in value] if isinstance(value, tuple) else value)[:40]


def _gain(ours: Quoted, other: Quoted) -> str:
    """Return what a variant saves; empty where that is nothing, or where it costs more."""
    said = []
    if ours.price is not None and other.price is not None and ours.price.currency == other.price.currency:
        if other.price.value > ours.price.value:
            return ""
        if other.price.value < ours.price.value:
            said.append(f"{money(other.price)} instead of {money(ours.price)}")
    if _less(other.size, ours.size):
        said.append(in_words(other.size, None).partition(" (")[0])
    if _less(other.duration, ours.duration):
        said.append(in_words(None, other.duration).partition(" (")[0])
    ours_waits, other_waits = ours.record.restore or 0.0, other.record.restore or 0.0
    if other_waits < _WORTH * ours_waits:
        after = f"after {about(other_waits)} for the archive"
        said.append(after if other_waits else "no wait for the archive")
    return ", ".join(said)


def _less(other: Estimate | None, ours: Estimate | None) -> bool:
    return other is not None and ours is not None and other.typical < _WORTH * ours.typical
