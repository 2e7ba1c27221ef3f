"""The shape of one table of [[options]] in a collection file: keys, what they mean, and their checks.

`collection_options` makes options of such tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from oseo_lab.encoding.collection_patterns import check_pattern
from oseo_lab.encoding.json_values import lexical
from oseo_lab.model.collection import OptionLevel

__all__ = ["Kind", "OptionTable"]


class Kind(StrEnum):
    """The SWE Common 2.0 components an option may be."""

    CATEGORY = "Category"
    TEXT = "Text"
    BOOLEAN = "Boolean"
    COUNT = "Count"
    QUANTITY = "Quantity"
    TIME = "Time"
    CATEGORY_RANGE = "CategoryRange"
    COUNT_RANGE = "CountRange"
    QUANTITY_RANGE = "QuantityRange"
    TIME_RANGE = "TimeRange"
    DATA_RECORD = "DataRecord"
    VECTOR = "Vector"
    DATA_CHOICE = "DataChoice"
    DATA_ARRAY = "DataArray"
    MATRIX = "Matrix"


def _scalars(values: Any) -> tuple[str, ...]:
    found = [lexical(each) for each in values] if isinstance(values, list | tuple) else [None]
    texts = tuple(each for each in found if each is not None)
    if not texts or len(texts) < len(found):
        raise ValueError("must be a list of values: text, numbers, booleans or times")
    return texts


def _preset(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, list | tuple):
        return _scalars(value)
    text = lexical(value)
    if text is None:
        raise ValueError("must be one value, or a list for ranges and arrays")
    return text


def _intervals(value: Any) -> tuple[tuple[str, str], ...]:
    pairs = value if isinstance(value, list | tuple) else []
    if pairs and not isinstance(pairs[0], list | tuple):
        pairs = [pairs]
    if not pairs or any(not isinstance(each, list | tuple) or len(each) != 2 for each in pairs):
        raise ValueError("must be [least, most], or a list of such pairs")
    return tuple((low, high) for low, high in (_scalars(each) for each in pairs))


def _figures(number: int) -> int:
    if not 1 <= number <= 28:
        raise ValueError(f"{number} is not allowed; allowed: 1 to 28")
    return number


def _nil_values(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError('must be a table of values by reason, such as { "urn:unknown" = "-1" }')
    return tuple(zip((str(reason) for reason in value), _scalars(list(value.values())), strict=True))


def _name(name: str) -> str:
    if not (name[:1].isalpha() or name.startswith("_")) or not all(c.isalnum() or c in "_-." for c in name):
        raise ValueError(f"{name[:100]!r} is no option name; allowed: a letter, then letters, digits, _ - .")
    return name


def _maybe(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the check for keys that may be left out."""
    return lambda value: None if value is None else check(value)


def _said(text: str, **more: Any) -> dict[str, Any]:
    return {"description": text, **more}


@dataclass(frozen=True, kw_only=True)
class OptionTable:
    """One table of [[options]], or of the parts inside one."""

    name: str = field(metadata=_said("On the wire and in Python.", length=(1, 60), check=_name))
    kind: Kind | None = field(
        default=None, metadata=_said("SWE Common component; may be left out for an option of the processor.")
    )
    label: str | None = field(default=None, metadata=_said("For people, short."))
    description: str | None = field(default=None, metadata=_said("For people."))
    grouping: str | None = field(default=None, metadata=_said("Such as Processing Option.", length=(1, 40)))
    definition: str | None = field(default=None, metadata=_said("URI of what it means."))
    level: OptionLevel = field(
        default=OptionLevel.BOTH, metadata=_said("Whether chosen for the order, the item, or both.")
    )
    scene: bool = field(
        default=False, metadata=_said("Whether a new option is of the scene selection: what is cut out.")
    )
    optional: bool | None = field(default=None, metadata=_said("Whether it may be left out."))
    allowed: Any = field(default=None, metadata=_said("Allowed values.", check=_maybe(_scalars)))
    interval: Any = field(
        default=None, metadata=_said("[least, most], or several.", check=_maybe(_intervals))
    )
    pattern: str | None = field(
        default=None, metadata=_said("Regular expression of allowed text.", check=_maybe(check_pattern))
    )
    default: Any = field(default=None, metadata=_said("Preset value.", check=_maybe(_preset)))
    significant_figures: int | None = field(
        default=None, metadata=_said("Most significant figures of a number.", check=_maybe(_figures))
    )
    nil: Any = field(
        default=None,
        metadata=_said("Values that mean none, by their reason (URI).", check=_maybe(_nil_values)),
    )
    uom: str | None = field(default=None, metadata=_said("Unit (UCUM) of a Quantity."))
    code_space: str | None = field(default=None, metadata=_said("Vocabulary of a Category."))
    reference_frame: str | None = field(default=None, metadata=_said("CRS of a Vector."))
    fields: tuple[OptionTable, ...] = field(
        default=(), metadata=_said("Parts of a DataRecord, coordinates of a Vector, items of a DataChoice.")
    )
    element: OptionTable | None = field(default=None, metadata=_said("What a DataArray holds."))
    count: int | None = field(default=None, metadata=_said("How many a DataArray holds; any if left out."))
