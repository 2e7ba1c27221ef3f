"""Values of options as people write and read them; what `Options` is made of.

``32632`` is ``EPSG:32632``, ``"B04"`` a list of one band, ``"netcdf"`` the word ``NetCDF``; and a wrong value
gets a sentence with the nearest right ones, how many there are, and what is known of the products chosen.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from oseo_lab.model.errors import ValidationError
from oseo_lab.model.options import (
    Boolean,
    Component,
    DataArray,
    DataChoice,
    DataRecord,
    OptionDefinition,
)

__all__ = ["Choice", "allowed_of", "checked", "listed_of", "nearest", "shown"]

#: More allowed values than these are counted, not listed.
_MANY = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """One listed value of an option.

    Parameters
    ----------
    value : object
        What to set the option to (of an array: one element).
    label : str
        How people read it.
    is_offered : bool
        Whether it goes with what else is chosen now.
    reason : str or None
        Why not, in one sentence.
    """

    value: Any
    label: str
    is_offered: bool = True
    reason: str | None = None


def allowed_of(component: Component) -> tuple[str, ...]:
    """Return the values a component lists; empty where it has none to list."""
    if isinstance(component, DataArray):
        return allowed_of(component.element.component)
    return tuple(getattr(component, "allowed", ()))


def listed_of(component: Component) -> tuple[Any, ...]:
    """Return the Python values a component lists: those of an array's elements, both of a Boolean."""
    if isinstance(component, DataArray):
        return listed_of(component.element.component)
    if isinstance(component, Boolean):
        return (True, False)
    return tuple(component.parse(each) for each in allowed_of(component))


def checked(definition: OptionDefinition, value: Any, where: str, known: tuple[str, ...] = ()) -> Any:
    """Return a value as the option holds it.

    Parameters
    ----------
    definition : OptionDefinition
        Of the option.
    value : object
        As somebody wrote it.
    where : str
        What offers it, for the message.
    known : tuple of str
        Values that the chosen products have themselves, such as their CRS.

    Raises
    ------
    ValidationError
        If it is not offered: with up to three near values, what is allowed, and what the products have.
    """
    component = definition.component
    try:
        return component.parse(component.render(_friendly(definition, value)))
    except (ValueError, TypeError, KeyError, AttributeError) as wrong:
        text = str(value if isinstance(value, str) else repr(value))[:60]
        close = nearest(str(value), tuple(dict.fromkeys((*known, *allowed_of(component)))), most=3)
        inside = f" ({wrong})" if isinstance(component, DataRecord | DataChoice | DataArray) else ""
        hint = f"; hint: the products have {', '.join(known)}" if known else ""
        raise ValidationError(
            f"{definition.name} {text!r} is not offered by {where}{close}; "
            f"{_allowed(definition)}{inside}{hint}",
            locator=definition.name,
        ) from None


def _allowed(definition: OptionDefinition) -> str:
    count = len(allowed_of(definition.component))
    if count > _MANY:
        return f"all {count} allowed: draft.options.allowed({definition.name!r})"
    return f"allowed: {definition.component.allowed_text}"


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


def nearest(given: str, among: tuple[str, ...], most: int = 1) -> str:
    """Return `` (nearest: COG)`` for the nearest words, at most so many, or nothing."""
    lowered = {each.lower(): each for each in among}
    close = difflib.get_close_matches(given.lower(), lowered, n=most, cutoff=0.5)
    return f" (nearest: {', '.join(lowered[each] for each in close)})" if close else ""


def shown(value: Any) -> str:
    """Return a value as people read it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(shown(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(each)}" for name, each in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
