"""SWE Common 2.0 components with one value, one class each (OGC 08-094r1, 8.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from oseo_lab.model.components import Component, Simple, shown
from oseo_lab.model.text_encoding import Tokens, TokenWriter

__all__ = ["PATTERN_LENGTH", "Boolean", "Category", "Count", "Quantity", "Text", "Time"]

#: Longest text a pattern is tried on, characters: matching may take a time that grows faster than the text.
PATTERN_LENGTH = 255
#: Lexical forms of XML Schema's integer and double; Python's own readers take more (``1_0``, ``nan``).
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_UNIT = re.compile(r"(\S+)\s+(\S+)")
_INFINITE = {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf}
_DOUBLE = re.compile(r"[+-]?([0-9]{1,60}(\.[0-9]{0,60})?|\.[0-9]{1,60})([eE][+-]?[0-9]{1,4})?")


def _number_text(number: float) -> str:
    return repr(int(number)) if float(number).is_integer() and abs(number) < 1e15 else repr(number)


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    r"""Return a pattern; None for one of XML Schema's that Python has no words for, such as ``\p{Lu}``."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _matches(pattern: str, text: str) -> bool:
    """Whether a text has a pattern; another server's that cannot be read here is for that server to check."""
    known = _compiled(pattern)
    return known is None or known.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True)
class _Tokens(Simple):
    """Category and Text: a token, constrained by a list or a pattern (``AllowedTokens``)."""

    allowed: tuple[str, ...] = ()
    pattern: str | None = None

    def parse_text(self, text: str) -> str:
        if not self.allowed and self.pattern is None:
            return text
        if text in self.allowed:
            return text
        if self.pattern is not None and len(text) <= PATTERN_LENGTH and _matches(self.pattern, text):
            return text
        raise ValueError(f"{text[:100]!r} is not allowed; allowed: {self.allowed_text}")

    @property
    def allowed_text(self) -> str:
        parts = [", ".join(self.allowed)] if self.allowed else []
        if self.pattern is not None:
            parts.append(f"text matching {self.pattern}")
        return " or ".join(parts) or "any text"

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        if intervals:
            raise ValueError(f"a {self.kind} has no intervals")
        return replace(self, allowed=tuple(self.parse(each) for each in allowed), pattern=None)


@dataclass(frozen=True, kw_only=True)
class Category(_Tokens):
    """``swe:Category``: one token of a vocabulary."""

    kind: ClassVar[str] = "Category"
    code_space: str | None = None


@dataclass(frozen=True, kw_only=True)
class Text(_Tokens):
    """``swe:Text``: free text, possibly of a pattern."""

    kind: ClassVar[str] = "Text"


@dataclass(frozen=True, kw_only=True)
class Boolean(Simple):
    """``swe:Boolean``: true or false."""

    kind: ClassVar[str] = "Boolean"

    def parse_text(self, text: str) -> bool:
        """Return whether the word means true."""
        words = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() not in words:
            raise ValueError(f"{text[:100]!r} is not allowed; allowed: true, false")
        return words[text.lower()]

    def render_one(self, value: Any) -> str:
        """Return the lexical form of one Python value."""
        if isinstance(value, str):
            value = self.parse_text(value.strip())
        elif not isinstance(value, bool) and value not in (0, 1):
            raise ValueError(f"{shown(value)} is not allowed; allowed: true, false")
        return "true" if value else "false"

    @property
    def allowed_text(self) -> str:
        """What is allowed, for an error message or a form."""
        return "true, false"


@dataclass(frozen=True, kw_only=True)
class _Ordered(Simple):
    """Count, Quantity and Time: values and closed intervals (``AllowedValues``, ``AllowedTimes``)."""

    allowed: tuple[str, ...] = ()
    intervals: tuple[tuple[str, str], ...] = ()
    significant_figures: int | None = None
    unit: ClassVar[str] = ""

    def number(self, text: str) -> Any:
        """Read one lexical value as something that can be compared."""
        raise NotImplementedError

    def bound(self, text: str) -> Any:
        """Read one end of an interval, which may lie at infinity (``-INF``, ``INF``)."""
        return _INFINITE[text] if text in _INFINITE else self.number(text)

    @cached_property
    def _numbers(self) -> frozenset[Any]:
        return frozenset(self.number(value) for value in self.allowed)

    @cached_property
    def _bounds(self) -> tuple[tuple[Any, Any], ...]:
        return tuple((self.bound(low), self.bound(high)) for low, high in self.intervals)

    def parse_text(self, text: str) -> Any:
        number = self.number(text)
        if (
            (self.allowed or self.intervals)
            and number not in self._numbers
            and not any(low <= number <= high for low, high in self._bounds)
        ):
            raise ValueError(f"{text[:100]} is not allowed; allowed: {self.allowed_text}")
        self.check_figures(text)
        return number

    def check_figures(self, text: str) -> None:
        """Refuse a number written with more significant figures than are taken."""
        most = self.significant_figures
        if most and len(Decimal(text.split()[0]).normalize().as_tuple().digits) > most:
            raise ValueError(f"{text[:100]} is too precise; allowed: {most} significant figures")

    @property
    def allowed_text(self) -> str:
        parts = [*self.allowed, *(f"{low} to {high}" for low, high in self.intervals)]
        return (", ".join(parts) or self._any) + self._unit

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        for value in allowed:
            self.parse(value)
        for low, high in intervals:
            self._check_interval(low, high)
        return replace(self, allowed=tuple(allowed), intervals=tuple(intervals))

    def _check_interval(self, low: str, high: str) -> None:
        first, last = self.bound(low), self.bound(high)
        if first > last:
            raise ValueError(f"the interval runs backwards: {low} is above {high}")
        if not self.allowed and not self.intervals:
            return
        if not any(least <= first and last <= most for least, most in self._bounds):
            raise ValueError(f"{low} to {high} is not within what is allowed: {self.allowed_text}")

    @property
    def _unit(self) -> str:
        uom = getattr(self, "uom", "1")
        return "" if uom == "1" else f" {uom}"

    _any: ClassVar[str] = "any value"


@dataclass(frozen=True, kw_only=True)
class Count(_Ordered):
    """``swe:Count``: a whole number."""

    kind: ClassVar[str] = "Count"
    _any: ClassVar[str] = "a whole number"

    def number(self, text: str) -> int:
        """Read one lexical value."""
        if not _INTEGER.fullmatch(text):
            raise ValueError(f"{text[:100]!r} is not a whole number; allowed: {self.allowed_text}")
        return int(text)

    def render_one(self, value: Any) -> str:
        """Return the lexical form of one Python value."""
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return super().render_one(value)


@dataclass(frozen=True, kw_only=True)
class Quantity(_Ordered):
    """``swe:Quantity``: a number with a unit (UCUM code)."""

    kind: ClassVar[str] = "Quantity"
    _any: ClassVar[str] = "a number"
    uom: str = "1"

    def take(self, tokens: Tokens, path: str) -> Any:
        """Return the next token, with the decimal mark of XML."""
        return tokens.take_number(path, self.allowed_text)

    def put(self, value: Any, writer: TokenWriter) -> None:
        """Write a number, with the decimal mark that is asked for."""
        writer.put_number(value)

    def number(self, text: str) -> float:
        """Read one lexical value."""
        if with_unit := _UNIT.fullmatch(text):
            text, unit = with_unit.groups()
            if unit != self.uom:
                raise ValueError(f"{text[:60]} {unit[:40]} is in another unit; give the number in {self.uom}")
        found = float(text) if _DOUBLE.fullmatch(text) else math.nan
        if not math.isfinite(found):
            raise ValueError(f"{text[:100]!r} is not a number; allowed: {self.allowed_text}")
        return found

    def render_one(self, value: Any) -> str:
        """Return the lexical form of one Python value."""
        if isinstance(value, str):
            value = self.number(value.strip())
        try:
            return _number_text(float(value))
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{shown(value)} is not a number; allowed: {self.allowed_text}") from None


@dataclass(frozen=True, kw_only=True)
class Time(_Ordered):
    """``swe:Time``: an instant, ISO 8601; without a zone it is UTC."""

    kind: ClassVar[str] = "Time"
    _any: ClassVar[str] = "a time such as 2024-06-01T10:00:00Z"
    uom: str = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"

    def number(self, text: str) -> datetime:
        """Read one lexical value."""
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text[:100]!r} is not a time; allowed: {self.allowed_text}") from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    @property
    def _unit(self) -> str:
        return ""

    def check_figures(self, text: str) -> None:
        """Take any fraction of a second: figures of an instant mean nothing."""

    def render_one(self, value: Any) -> str:
        """Return the lexical form of one Python value."""
        if isinstance(value, date):
            return value.isoformat().replace("+00:00", "Z")
        return super().render_one(value)
