"""What people mean when they search: other libraries' words, and why nothing was found."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oseo_lab.client.area import Area, swapped
from oseo_lab.client.search import query_of, search
from oseo_lab.model.errors import ValidationError

if TYPE_CHECKING:
    from oseo_lab.client.transport import Transport

__all__ = ["in_our_words", "why_nothing"]

#: What STAC's clients and others call what is searched by here.
_OTHER_WORDS = {"bbox": "area", "intersects": "area", "aoi": "area", "datetime": "time"}
_BOUNDS = ("lt", "lte", "gt", "gte")


def in_our_words(area: Any, time: Any, filters: Mapping[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """Return area, time and the other filters, where some may be told by another library's word.

    Raises
    ------
    ValidationError
        If one thing is told twice.
    """
    told = {"area": area, "time": time}
    rest = dict(filters)
    for word, ours in _OTHER_WORDS.items():
        if (value := rest.pop(word, None)) is None:
            continue
        if told[ours] is not None:
            raise ValidationError(f"{word}= is another word for {ours}=, which is given too", locator=ours)
        told[ours] = value
    return told["area"], told["time"], rest


def why_nothing(
    transport: Transport,
    collection: str,
    place: Area | None,
    time: Any,
    text: Any,
    filters: Mapping[str, Any],
) -> str | None:
    """Return what may have been mistyped in a search that found nothing, if something else would be found."""

    def first(area: Area | None, when: Any, words: Any, kept: Mapping[str, Any]) -> Any:
        return next(search(transport, collection, query_of(area, when, words, filters=kept), 1), None)

    if place is not None and (other := swapped(place)) is not None and first(other, time, text, filters):
        return (
            f"Nothing is there, but something is at {other.bbox}: were latitude and longitude "
            "exchanged? The order is (west, south, east, north)."
        )
    if filters and (product := first(None, None, None, {})) is not None:
        short = sorted({each.rpartition(":")[2] for each in product.properties})
        names = {*short, *product.properties}
        for name in map(_property, filters):
            if names and name not in names:
                begins = sorted(each for each in short if each.startswith(name))
                close = begins or difflib.get_close_matches(name, names, n=1, cutoff=0.5)
                near = f" (nearest: {close[0]})" if close else ""
                return (
                    f"Nothing was found: {product.identifier} of {collection} has no property "
                    f"{name!r}{near}; "
                    f"it has {', '.join(short)}."
                )
        for name, value in filters.items():
            if (said := _of_another_kind(_property(name), value, product.properties)) is not None:
                return f"Nothing was found: {said}"
    return None


def _of_another_kind(name: str, value: Any, properties: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a text that is compared with numbers; None if it is not."""
    own = next((each for key, each in properties.items() if key.rpartition(":")[2] == name), None)
    is_number = isinstance(own, int | float) and not isinstance(own, bool)
    if not is_number or not isinstance(value, str) or value.replace(".", "", 1).lstrip("-").isdigit():
        return None
    return f"{name} is a number such as {own}, and was compared with {value!r}; {name}_lt=20 is below 20."


def _property(name: str) -> str:
    stem, found, word = name.rpartition("_")
    return stem if found and word in _BOUNDS else name
