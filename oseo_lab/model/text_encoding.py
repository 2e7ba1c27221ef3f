"""TextEncoding of SWE Common 2.0 (OGC 08-094r1, 8.5): values as a row of tokens, without names.

`Tokens` is read by the components themselves (`Component.take`), `TokenWriter` written by them
(`Component.put`): what a component's tokens are is known in one place. A selection's rules are in `options`.

Rules, of the standard's 8.5.2 where not said otherwise: a component of one value is one token, a range two; a
record's fields and a vector's coordinates follow each other; what is ``optional`` is preceded by ``Y``, or is
``N`` alone; of a choice comes the item's name first; of an array without a fixed count the number of its
elements. Ours: block separators count as token separators, so that rows may stand on lines of their own, and
an empty token in place of a field that has a preset value leaves it at that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

__all__ = ["NO", "YES", "TextFault", "TextSeparators", "TokenWriter", "Tokens"]

YES, NO = "Y", "N"


@dataclass(frozen=True, kw_only=True, slots=True)
class TextSeparators:
    """``swe:TextEncoding``: what separates tokens and blocks, and the decimal mark."""

    token: str = ","
    block: str = "\n"
    decimal: str = "."
    collapse_white_spaces: bool = True


class TextFault(ValueError):
    """A row of tokens that does not fit its components.

    Parameters
    ----------
    path : str
        Name of the option, and of parts inside it, at which reading stopped.
    text : str
        What was wrong and what is expected.
    """

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path


class Tokens:
    """A row of tokens, taken one after another.

    Parameters
    ----------
    text : str
        As it came.
    separators : TextSeparators
        What separates the tokens.
    """

    def __init__(self, text: str, separators: TextSeparators) -> None:
        self.separators = separators
        self._found = _split(text, separators)
        self._at = 0

    @property
    def left(self) -> int:
        """How many tokens have not been taken."""
        return len(self._found) - self._at

    @property
    def is_empty_next(self) -> bool:
        """Whether the next token is there, and empty."""
        return self.left > 0 and not self._found[self._at]

    def take(self, path: str, meaning: str) -> str:
        """Return the next token; raises `TextFault` where there is none."""
        if not self.left:
            raise TextFault(path, f"the tokens end where {meaning} is expected")
        token = self._found[self._at]
        self._at += 1
        return token

    def take_number(self, path: str, meaning: str) -> str:
        """Return the next token with the decimal mark of XML."""
        token = self.take(path, meaning)
        mark = self.separators.decimal
        return token if mark in (".", "") else token.replace(mark, ".")

    def take_flag(self, path: str) -> bool:
        """Return whether an optional component follows."""
        token = self.take(path, f"{YES} or {NO}")
        if token not in (YES, NO):
            self.refuse(path, token, f"{YES} before a value, or {NO} alone, as it is optional")
        return token == YES

    def take_count(self, path: str) -> int:
        """Return how many elements follow; never more than there are tokens."""
        token = self.take(path, "a number of elements")
        if not re.fullmatch(r"[0-9]{1,9}", token) or int(token) > self.left:
            self.refuse(path, token, f"a number of elements, at most {self.left}, then the elements")
        return int(token)

    def refuse(self, path: str, token: str, expected: str) -> NoReturn:
        """Raise `TextFault` for a token that is none of what is expected."""
        raise TextFault(path, f"{token[:60]!r} stands where {expected[:500]} is expected")


def _split(text: str, separators: TextSeparators) -> list[str]:
    """Return the tokens; in time that grows with the text alone, however blank it is."""
    token, block = separators.token, separators.block
    if not separators.collapse_white_spaces:
        marks = [re.escape(each) for each in (token, block) if each]
        return re.split("|".join(marks), text) if text and marks else [text][: bool(text)]
    text = text.strip()
    if token.isspace():
        return (text.replace(block, token) if block else text).split()
    found = []
    for piece in text.split(token) if text and token else [text][: bool(text)]:
        row = piece.strip()
        found += [each.strip() for each in row.split(block)] if block else [row]
    return found


@dataclass
class TokenWriter:
    """A row of tokens being written."""

    separators: TextSeparators = field(default_factory=TextSeparators)
    tokens: list[str] = field(default_factory=list)

    def put(self, token: str) -> None:
        """Add a token.

        Raises
        ------
        ValueError
            If it could not be told apart from its neighbours again.
        """
        marks = [each for each in (self.separators.token, self.separators.block) if each]
        bare = token
        if self.separators.collapse_white_spaces:
            bare = "".join(token.split()) if self.separators.token.isspace() else token.strip()
        if not (token or self.separators.token.strip()):
            raise ValueError("nothing cannot stand between blanks; it can travel in XMLEncoding")
        if bare != token or any(each in token for each in marks):
            raise ValueError(
                f"{token[:60]!r} holds a separator; it can travel in XMLEncoding, not in TextEncoding"
            )
        self.tokens.append(token)

    def put_number(self, token: str) -> None:
        """Add a number, with the decimal mark that is asked for."""
        self.put(token.replace(".", self.separators.decimal))

    @property
    def text(self) -> str:
        """The row."""
        return self.separators.token.join(self.tokens)
