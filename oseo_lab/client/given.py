"""What callers hand over, looked at where it comes in: a wrong type is told, and nothing is sent."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from oseo_lab.model.errors import ConfigurationError, ValidationError

__all__ = ["address", "number", "read_whole", "seconds", "text", "word_of"]


_MOST = sys.float_info.max
#: Longest file of products, or of an area, that is read, bytes.
_LONGEST = 64 * 1024 * 1024


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


def read_whole(path: Path, locator: str) -> str:
    """Return the text of a file that a caller named.

    Raises
    ------
    ValidationError
        If it is no file, such as a device that never ends, too long, or no UTF-8.
    """
    try:
        if not path.is_file():
            raise FileNotFoundError("there is no such file")
        with path.open("rb") as opened:
            content = opened.read(_LONGEST + 1)
        if len(content) > _LONGEST:
            raise OSError(f"it is longer than {_LONGEST >> 20} MiB")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise ValidationError(f"{str(path)[-200:]} cannot be read: {wrong}", locator=locator) from None


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
    if wrong or not 0 <= given <= _MOST:
        raise ValidationError(f"{name} {given!r:.60} is not allowed; allowed: {what}", locator=name)
    return float(given)


_UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}


def seconds(given: float | timedelta | str | None, name: str) -> float | None:
    """Return a duration that a caller gave, in seconds; None stays None.

    Raises
    ------
    ValidationError
        If it is none: a number of seconds, a timedelta, or a text such as ``"2h"``, ``"90 min"``.
    """
    allowed = "seconds from 0 on, a timedelta, or '30 s', '90 min', '2h', '1 day'"
    if given is None:
        return None
    if isinstance(given, timedelta):
        return number(given.total_seconds(), name, allowed)
    if not isinstance(given, str):
        return number(given, name, allowed)
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+?)s?\s*", given.lower())
    if found is None or (unit := _UNITS.get(found[2])) is None:
        raise ValidationError(f"{name} {given!r:.60} is not allowed; allowed: {allowed}", locator=name)
    return float(found[1]) * unit


def word_of(offered: Sequence[Any], given: str | None, name: str) -> Any:
    """Return the word that a caller gave, as it is offered; None for none.

    Raises
    ------
    ValidationError
        If it is another; those that are offered are listed.
    """
    if given is None:
        return None
    by_name = {str(each).lower(): each for each in offered}
    if str(given).lower() not in by_name:
        allowed = ", ".join(str(each) for each in offered) or f"none: leave {name} out"
        raise ValidationError(f"{name} {str(given)[:60]!r} is not offered; allowed: {allowed}", locator=name)
    return by_name[str(given).lower()]
