"""Regular expressions of operators' files: bounded, and refused where they could take forever.

Patterns run on identifiers and option values that users send. A repetition inside a repetition tries
exponentially many ways to fail, so it is refused; so is a long row of repetitions over the same characters,
which tries polynomially many. Texts are at most ``model.options.PATTERN_LENGTH`` characters long.
"""

from __future__ import annotations

import re
import string

__all__ = ["check_pattern"]

#: Longest pattern, characters.
LONGEST = 500
#: Most repetitions in a row that may take the same characters: each multiplies the ways to fail.
MOST_IN_A_ROW = 3

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?[^:)<]*[:)]|\?<?[=!]|\?P<\w+>)?|[\s\S]")
_PRINTABLE = string.digits + string.ascii_letters + string.punctuation + " "
_REPEAT = re.compile(r"[*+]|\{(\d*)(,?)(\d*)\}")


def check_pattern(pattern: str) -> str:
    """Return a pattern that is safe to run on users' text.

    Raises
    ------
    ValueError
        If it is too long, no regular expression, or one whose time grows without bounds.
    """
    if not pattern or len(pattern) > LONGEST:
        raise ValueError(f"a pattern of {len(pattern)} characters is not allowed; allowed: 1 to {LONGEST}")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as wrong:
        raise ValueError(f"{pattern!r} is no regular expression: {wrong}") from None
    if _has_nested_repeat(pattern):
        raise ValueError(
            f"{pattern!r} repeats a group that itself repeats or offers alternatives, which can take "
            "forever; write it without, such as [A-Z0-9_]+"
        )
    row = _longest_row(pattern)
    if row > MOST_IN_A_ROW:
        raise ValueError(
            f"{pattern!r} has {row} repetitions in a row that take the same characters, such as .* or .+; "
            f"allowed: {MOST_IN_A_ROW}; say which characters are meant, such as [0-9T]+ between underscores"
        )
    return pattern


def _has_nested_repeat(pattern: str) -> bool:
    """Whether a group that holds a repetition or alternatives is itself repeated without (small) end."""
    loops = [False]
    at = 0
    while at < len(pattern):
        repeat = _REPEAT.match(pattern, at)
        if repeat:
            at = repeat.end()
            loops[-1] = loops[-1] or _is_long(repeat)
            continue
        token = _TOKEN.match(pattern, at)
        assert token is not None  # its last alternative takes any character
        at = token.end()
        if token[0].startswith("("):
            loops.append(False)
        elif token[0] == "|" and len(loops) > 1:
            loops[-1] = True
        elif token[0] == ")" and len(loops) > 1:
            inner = loops.pop()
            after = _REPEAT.match(pattern, at)
            if inner and after and _is_long(after):
                return True
            loops[-1] = loops[-1] or inner
    return False


def _is_long(repeat: re.Match[str]) -> bool:
    low, comma, high = repeat.groups()
    if low is None:
        return True
    return bool(comma and not high) or int(high or low or 0) > 10


def _longest_row(pattern: str) -> int:
    """Return how many repetitions in a row, and what is between them, can take the same characters."""
    longest = row = at = 0
    before: frozenset[str] = frozenset()
    between: list[frozenset[str]] = []
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        assert token is not None  # its last alternative takes any character
        repeat = _REPEAT.match(pattern, token.end())
        at = repeat.end() if repeat else token.end()
        if token[0] in "|)^$?" or token[0].startswith("("):
            continue
        taken = _taken(token[0])
        if repeat is None or not _is_long(repeat):
            between.append(taken)
            continue
        shared = before & taken
        row = row + 1 if shared and all(shared & each for each in between) else 1
        longest, before, between = max(longest, row), taken, []
    return longest


def _taken(atom: str) -> frozenset[str]:
    """Return the printable characters an atom takes; one that is no atom by itself may take them all."""
    try:
        return frozenset(char for char in _PRINTABLE if re.fullmatch(atom, char))
    except re.error:
        return frozenset(_PRINTABLE)
