"""What callers hand over, looked at where it comes in: a wrong type is told, and nothing is sent."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from operator import index
from pathlib import Path
from typing import Any

from oseo_lab.model.errors import ConfigurationError, NoSuchKey, ValidationError

__all__ = [
    "address",
    "folder_at",
    "known_words",
    "no_such_key",
    "number",
    "read_whole",
    "seconds",
    "text",
    "whole",
    "word_of",
]


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
        If it is no text, or of another kind than HTTP.
    """
    scheme, found, _ = given.partition("://") if isinstance(given, str) else ("", "", "")
    if not isinstance(given, str) or (found and scheme.strip().lower() not in ("http", "https")):
        said = repr(given)[:60] if not found else f"{scheme.strip()[:20]}://..."  # what follows may be secret
        raise ConfigurationError(f"{name}={said} is no address; allowed: 'http://...', 'https://...'")
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


def whole(given: Any, name: str, least: int = 1) -> int:
    """Return a whole number that a caller gave.

    Raises
    ------
    ValidationError
        If it is none, or below the least that is allowed.
    """
    is_number = hasattr(given, "__index__") and not isinstance(given, bool)  # numpy's are whole numbers too
    if not is_number or index(given) < least:
        raise ValidationError(
            f"{name} {given!r:.60} is not allowed; allowed: whole numbers from {least} on", locator=name
        )
    return index(given)


def no_such_key(key: Any, known: Iterable[str], what: str) -> NoSuchKey:
    """Return what is raised where a name is not ``what``: with those that are, the nearest first."""
    names = list(known)
    close = difflib.get_close_matches(str(key), names, n=3, cutoff=0.5)
    said = (
        f"nearest: {', '.join(close)}" if close else ", ".join([*names[:3], *(["..."] if names[3:] else [])])
    )
    return NoSuchKey(
        f"{str(key)[:60]!r} is not {what}{f' ({said})' if said else ''}",
        code="InvalidParameterValue",
        locator="itemId",
        close_matches=tuple(close),
    )


def folder_at(given: Any, name: str = "folder") -> Path:
    """Return a folder that a caller gave; ``~`` is theirs.

    Raises
    ------
    ValidationError
        If it is no path.
    """
    if not isinstance(given, str | os.PathLike):
        raise ValidationError(f"{name} {given!r:.60} is no path; allowed: such as 'data'", locator=name)
    return Path(given).expanduser()


def known_words(given: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Look whether all keywords that a caller gave are known.

    Raises
    ------
    ValidationError
        With those that are not, and the nearest that are.
    """
    for name in given:
        if name not in allowed:
            close = difflib.get_close_matches(name, allowed, n=1, cutoff=0.5)
            near = f" (nearest: {close[0]})" if close else ""
            raise ValidationError(
                f"{name[:60]}=... is not known here{near}; allowed: {', '.join(allowed)}", locator=name[:60]
            )


def seconds(given: float | timedelta | str | None, name: str, *, dates: bool = False) -> float | None:
    """Return a duration that a caller gave, in seconds; None stays None.

    Parameters
    ----------
    given : float, timedelta, str or None
        What it is.
    name : str
        Of what.
    dates : bool
        Whether the caller takes dates too, which are not read here: the text of the error names them.

    Raises
    ------
    ValidationError
        If it is none: a number of seconds, a timedelta, or a text such as ``"2h"``, ``"90 min"``.
    """
    allowed = "seconds from 0 on, a timedelta, or '30 s', '90 min', '2h', '1 day'"
    if dates:
        allowed = "'7d', '2h', '90 min', a timedelta, a date such as '2026-12-31', or an aware datetime"
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
