"""What callers hand over, looked at where it comes in: a wrong type is told, and nothing is sent."""

from __future__ import annotations

import math
from typing import Any

from oseo_lab.model.errors import ConfigurationError, ValidationError

__all__ = ["address", "number", "text"]


def text(given: Any, name: str, example: str) -> str:
    """Return a text that a caller gave.

    Raises
    ------
    ValidationError
        If it is something else; ``example`` says what is allowed.
    """
    if not isinstance(given, str):
        raise ValidationError(f"{name} {given!r:.60} is no text; allowed: {example}", locator=name)
    return given


def address(given: Any, name: str) -> str:
    """Return an address that a caller gave.

    Raises
    ------
    ConfigurationError
        If it is no text.
    """
    if not isinstance(given, str):
        raise ConfigurationError(f"{name}={given!r:.60} is no address; allowed: 'http://...', 'https://...'")
    return given


def number(given: Any, name: str, what: str = "numbers from 0 on") -> float:
    """Return a number that a caller gave: 0 or more.

    Raises
    ------
    ValidationError
        If it is none, negative or not finite; ``what`` says what is allowed.
    """
    wrong = isinstance(given, bool) or not isinstance(given, int | float)
    if wrong or not math.isfinite(given) or given < 0:
        raise ValidationError(f"{name} {given!r:.60} is not allowed; allowed: {what}", locator=name)
    return float(given)
