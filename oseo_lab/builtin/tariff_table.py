"""A tariff: the keys of a collection's ``[quotation]`` table, read whole and said whole when wrong.

``[quotation]`` in a collection's file::

    use = "tariff"
    currency = "EUR"            # ISO 4217, or a quota unit such as QUOTA
    item = 1.5                  # an item
    megapixel = 0.01            # a megapixel of the catalogued product
    gigabyte = 2                # a gigabyte (10^9 bytes) of what is likely to be delivered
    order = 5                   # once an order
    options.format = {COG = 2}  # by option value, an item
    discounts = [{items = 10, percent = 20}]  # from the tenth item on a fifth less

Read at start by `quoter_tariff`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from oseo_lab.encoding.json_read import from_plain
from oseo_lab.model.errors import ConfigurationError, Problem, ValidationError
from oseo_lab.model.quotation import QUOTATION_DAYS, QuotationMode

__all__ = ["Discount", "Tariff", "read_tariff"]

_CURRENCY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,9}")


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is no currency; allowed: ISO 4217, or a quota unit of at most 10")
    return text


def _not_below(number: float) -> float:
    if not 0 <= number <= 1e9:
        raise ValueError(f"{number} is not allowed; allowed: 0 to 1000000000")
    return number


def _days(number: float) -> float:
    if not 0 < number <= QUOTATION_DAYS:
        raise ValueError(f"{number} is not allowed; allowed: above 0, at most {QUOTATION_DAYS}")
    return number


def _percent(number: float) -> float:
    if not 0 < number <= 100:
        raise ValueError(f"{number} is not allowed; allowed: above 0, at most 100")
    return number


def _place(number: int) -> int:
    if number < 2:
        raise ValueError(f"{number} is not allowed; allowed: 2 or more, the first item that costs less")
    return number


def _decimals(number: int) -> int:
    if not 0 <= number <= 6:
        raise ValueError(f"{number} is not allowed; allowed: 0 to 6")
    return number


def _mode(mode: QuotationMode) -> QuotationMode:
    if mode not in (QuotationMode.SYNCHRONOUS, QuotationMode.MONITORING):
        raise ValueError(f"{mode} is not allowed; allowed: synchronous, monitoring")
    return mode


@dataclass(frozen=True, kw_only=True)
class Discount:
    """From which item of an order on, how much less an item costs."""

    items: int = field(metadata={"check": _place})
    percent: float = field(metadata={"check": _percent})


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """The keys of ``[quotation]``; see the module for their units."""

    currency: str = field(default="EUR", metadata={"check": _currency})
    item: float = field(default=0.0, metadata={"check": _not_below})
    megapixel: float = field(default=0.0, metadata={"check": _not_below})
    gigabyte: float = field(default=0.0, metadata={"check": _not_below})
    order: float = field(default=0.0, metadata={"check": _not_below})
    options: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    discounts: tuple[Discount, ...] = ()
    free: bool = False
    decimals: int = field(default=2, metadata={"check": _decimals})
    validity_days: float = field(default=30.0, metadata={"check": _days})
    contract: str | None = field(default=None, metadata={"length": (0, 1024)})
    mode: QuotationMode = field(default=QuotationMode.SYNCHRONOUS, metadata={"check": _mode})


def read_tariff(settings: Mapping[str, Any]) -> Tariff:
    """Read a tariff.

    Raises
    ------
    ConfigurationError
        With everything wrong with it.
    """
    try:
        tariff = from_plain(Tariff, settings)
    except ValidationError as wrong:
        problems = [
            Problem(
                code="NoApplicableCode", locator=f"quotation.{each.locator}", text=f"quotation.{each.text}"
            )
            for each in wrong.problems
        ]
        raise ConfigurationError("\n".join(each.text for each in problems), problems=problems) from None
    problems = [Problem(code="NoApplicableCode", locator="quotation", text=each) for each in _wrong(tariff)]
    if problems:
        raise ConfigurationError("\n".join(each.text for each in problems), problems=problems)
    return tariff


def _wrong(tariff: Tariff) -> Iterator[str]:
    """Yield what is wrong with a tariff beyond its single values."""
    for option, values in tariff.options.items():
        for value, price in values.items():
            if not 0 <= price <= 1e9:
                yield f"quotation.options.{option}.{value}: {price} is not allowed; allowed: 0 to 1000000000"
    steps = sorted(tariff.discounts, key=lambda each: each.items)
    for low, high in pairwise(steps):
        if low.items == high.items or low.percent >= high.percent:
            yield (
                f"quotation.discounts: {high.percent:g} % from item {high.items} on is no more than "
                f"{low.percent:g} % from item {low.items} on; percents rise with items"
            )
    prices = (tariff.item, tariff.megapixel, tariff.gigabyte, tariff.order, tariff.options)
    if tariff.free and any(prices):
        yield "quotation.free: what is free has no prices; leave them all out, or free"
