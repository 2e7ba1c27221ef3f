"""Limits of an order as people write them: ``max_price=12``, ``max_bytes="1GB"``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from oseo_lab.client.given import number
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.limits import Limits

__all__ = ["as_limits"]

#: Bytes of a unit; decimal ones, as files are sold by.
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_NAMES = frozenset({"max_price", "max_bytes", "max_items_per_month"})
_MONTH = "whole numbers of products from 1 on"
_SIZES = "numbers of bytes, or such as '500 MB', '1GB', '2 GiB'"


def as_limits(given: Limits | Mapping[str, Any] | None) -> Limits:
    """Return limits that a caller gave.

    Raises
    ------
    ValidationError
        If one is unknown, no number or below zero.
    """
    if given is None or isinstance(given, Limits):
        return given or Limits()
    if not isinstance(given, Mapping) or set(given) - _NAMES:
        raise ValidationError(
            f"limits {given!r:.60} are not known; allowed: {', '.join(sorted(_NAMES))}", locator="limits"
        )
    price, size, month = (given.get(name) for name in ("max_price", "max_bytes", "max_items_per_month"))
    return Limits(
        max_price=None if price is None else number(price, "max_price"),
        max_bytes=None if size is None else _bytes(size),
        max_items_per_month=None if month is None else _items(month),
    )


def _items(given: Any) -> int:
    """Return a number of products."""
    value = number(given, "max_items_per_month", _MONTH)
    if value != int(value) or value < 1:
        raise ValidationError(
            f"max_items_per_month {given!r:.40} is not allowed; allowed: {_MONTH}",
            locator="max_items_per_month",
        )
    return int(value)


def _bytes(given: Any) -> int:
    """Return a size in bytes."""
    if not isinstance(given, str):
        return int(number(given, "max_bytes", _SIZES))
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", given.strip().lower())
    if found is None or found[2] not in _UNITS:
        raise ValidationError(f"max_bytes {given[:40]!r} is no size; allowed: {_SIZES}", locator="max_bytes")
    return int(number(float(found[1]) * _UNITS[found[2]], "max_bytes", _SIZES))
