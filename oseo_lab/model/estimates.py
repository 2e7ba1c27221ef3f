"""Estimates: how large and slow an item is likely to be, taken from items that were delivered before.

Pure, as the rest of the model: the dispatcher remembers what delivered items took (`Finished`), quoters
estimate from that, quotations show it beside their prices.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from oseo_lab.model.definitions import ParameterData

__all__ = [
    "Estimate",
    "Finished",
    "Outlook",
    "choice_of",
    "estimate",
    "far",
    "in_words",
    "likely_size",
    "scale_of",
    "total",
]

#: What of their squared deviations items of one order have in common: the area that is cut out of all of
#: them, the machine of the day, and that they are estimated from the same ones.
_COMMON = 0.5
#: Widest that a range is told, as the logarithm of a factor: of two that differ nothing is sure.
_WIDEST = math.log(4)
#: Finished items made with the same options that are enough to estimate from them alone.
ENOUGH = 10
#: Between the digest of a choice and how large an area it is of.
_AREA = "@"
_AXES = ("latitude", "longitude", "x", "y")
#: Logarithms of areas that are told apart: from less than a square metre, in degrees, to any in metres.
_MOST = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What is likely: of ten items like it, nine lie between ``low`` and ``high``."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """What one delivered item of a collection took: what estimates are made of.

    ``seconds`` of work on the worker, ``size`` in bytes of its data files; ``choice`` tells apart items made
    with different options.
    """

    collection_id: str
    choice: str
    seconds: float
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What is likely of an item, and what that is taken from (``basis``, for people)."""

    size: Estimate | None
    duration: Estimate | None
    basis: str


def choice_of(chosen: Mapping[str, Any], scenes: Sequence[ParameterData] = ()) -> str:
    """Return a short digest of an item's chosen options, by which finished items like it are found.

    What is cut out counts by how large it is, in powers of two: a chip tells nothing of a whole scene.

    Parameters
    ----------
    chosen : mapping
        Values of its options.
    scenes : sequence of ParameterData
        Its scene selections; whole products without them.
    """
    said = repr(sorted((name, str(value)) for name, value in chosen.items()))
    scale = _scale(scenes)
    return hashlib.sha256(said.encode()).hexdigest()[:16] + ("" if scale is None else f"{_AREA}{scale}")


def _scale(scenes: Sequence[ParameterData]) -> int | None:
    """Return the logarithm (base 2) of the box around what is cut out; None where nothing is."""
    axes: dict[str, list[float]] = {}
    for each in scenes:
        _collect(each.values, axes)
    sides = [max(found) - min(found) for found in axes.values()]
    surface = math.prod(sides) if len(sides) == 2 else 0.0
    return min(max(round(math.log2(surface)), -_MOST), _MOST) if 0 < surface < math.inf else None


def scale_of(choice: str) -> int | None:
    """Return how large an area a choice is of, as a logarithm (base 2); None for whole products."""
    text = choice.partition(_AREA)[2]
    return int(text) if text.removeprefix("-").isdecimal() else None


def _collect(values: Any, axes: dict[str, list[float]]) -> None:
    """Sort the coordinates of corners by axis."""
    for name, value in values:
        if isinstance(value, tuple):
            _collect(value, axes)
        elif name in _AXES:
            with suppress(ValueError, TypeError):
                number = float(value)
                axes.setdefault(name, []).append(number)


def estimate(past: Sequence[Finished], choice: str) -> Outlook:
    """Estimate size and time of an item from finished ones: their median, and where nine of ten will lie.

    Parameters
    ----------
    past : sequence of Finished
        Delivered items of one collection, newest first.
    choice : str
        The item's own choice: ten made alike are enough, or else those of an area as large count, or else
        those of the next larger area, which are more rather than less.
    """
    found, which = _that_count(past, choice)
    if not found:
        return Outlook(size=None, duration=None, basis="nothing of this collection has been made yet")
    items = "item" if len(found) == 1 else "items"
    return Outlook(
        size=_likely([each.size for each in found]),
        duration=_likely([each.seconds for each in found]),
        basis=f"of the last {len(found)} {items} {which}",
    )


def _that_count(past: Sequence[Finished], choice: str) -> tuple[Sequence[Finished], str]:
    """Return the finished items an estimate is made of, and how they are like the item."""
    alike = [each for each in past if each.choice == choice]
    if len(alike) >= ENOUGH:
        return alike, "with these options"
    wanted = scale_of(choice)
    as_large = [each for each in past if scale_of(each.choice) == wanted]
    if as_large:
        whole = "of the collection" if len(as_large) == len(past) else "of whole products"
        return as_large, whole if wanted is None else "of an area as large"
    scales = {scale_of(each.choice) for each in past}
    nearest = min(scales, key=lambda each: far(each, wanted), default=None)
    words = "of smaller areas, so it may be more" if far(nearest, wanted)[0] else "of larger areas"
    return [each for each in past if scale_of(each.choice) == nearest], words


def far(scale: int | None, wanted: int | None) -> tuple[bool, int]:
    """Return how little what was made of one size of area tells of another: a larger one tells the most.

    Whole products are larger than all that is cut out of them.
    """
    there, asked = (_MOST + 1 if each is None else each for each in (scale, wanted))
    return there < asked, abs(there - asked)


def likely_size(past: Sequence[Finished], choice: str) -> float | None:
    """Return the bytes that nine of ten items made with the same options stay below; None where none was."""
    alike = [each.size for each in past if each.choice == choice]
    return _percentiles(alike).high if alike else None


def _likely(values: Sequence[float]) -> Estimate:
    """Return the median, and between what the next value lies, nine times of ten.

    Sizes and times vary by factors rather than by amounts, so their logarithms are taken as normally
    distributed: Student's prediction interval, which is the wider the fewer there are. Of one nothing is
    known but itself.
    """
    found, count = _percentiles(values), len(values)
    if count < 2 or min(values) <= 0:
        return found
    middle = found.typical
    logarithms = [math.log(each) for each in values]
    mean = math.fsum(logarithms) / count
    spread = math.sqrt(math.fsum((each - mean) ** 2 for each in logarithms) / (count - 1))
    half = min(_student(count - 1) * spread * math.sqrt(1 + 1 / count), _WIDEST)
    low, high = math.exp(mean - half), math.exp(mean + half)
    return Estimate(low=min(middle, low), typical=middle, high=max(middle, high))


def _student(freedom: int) -> float:
    """Return the 95th percentile of Student's distribution, by its expansion about the normal one."""
    z = 1.6448536
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _percentiles(values: Sequence[float]) -> Estimate:
    """Return percentiles by linear interpolation between the sorted values."""
    ordered = sorted(values)

    def at(part: float) -> float:
        place = part * (len(ordered) - 1)
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (ordered[above] - ordered[below]) * (place - below)

    return Estimate(low=at(0.1), typical=at(0.5), high=at(0.9))


def total(estimates: Sequence[Estimate | None]) -> Estimate | None:
    """Add estimates; None where one is missing.

    Half of what items vary by is their own and adds in squares, so a sum of many is surer than each of
    them; half they have in common (the area that is cut out of all, the machine, what they are estimated
    from), which does not cancel out.
    """
    known = [each for each in estimates if each is not None]
    if not known or len(known) < len(estimates):
        return None
    typical = math.fsum(each.typical for each in known)
    below = _together([each.typical - each.low for each in known])
    above = _together([each.high - each.typical for each in known])
    return Estimate(low=max(0.0, typical - below), typical=typical, high=typical + above)


def _together(deviations: Sequence[float]) -> float:
    """Return the deviation of a sum; of one item its own."""
    own = math.fsum(each**2 for each in deviations)
    return math.sqrt(own + _COMMON * (math.fsum(deviations) ** 2 - own))


def in_words(size: Estimate | None, duration: Estimate | None) -> str:
    """Return what is likely as words: ``about 80 MB (70 MB to 95 MB), 1.5 min of work (1 min to 3 min)``."""
    parts = []
    if size is not None:
        low, typical, high = (_bytes(each) for each in (size.low, size.typical, size.high))
        parts.append(f"about {typical}" + (f" ({low} to {high})" if low != high else ""))
    if duration is not None:
        low, typical, high = (_seconds(each) for each in (duration.low, duration.typical, duration.high))
        parts.append(f"{typical} of work" + (f" ({low} to {high})" if low != high else ""))
    return ", ".join(parts)


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def _seconds(number: float) -> str:
    for limit, unit, divisor in ((100.0, "s", 1), (6000.0, "min", 60), (172_800.0, "h", 3600)):
        if number < limit:
            return f"{number / divisor:.2g} {unit}"
    return f"{number / 86_400:.3g} days"
