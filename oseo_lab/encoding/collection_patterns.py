"""Regular expressions of operators' files: bounded, and refused where they could take forever.

Patterns run on identifiers and option values that users send. A repetition inside a repetition tries
exponentially many ways to fail, so it is refused; texts are at most `PATTERN_LENGTH` characters long.
"""

from __future__ import annotations

import re

from oseo_lab.model.options import PATTERN_LENGTH

__all__ = ["check_pattern"]

#: Longest pattern, characters.
LONGEST = 500
#: Most wildcards without end (``.*``, ``.+``): each multiplies the ways to fail by a text's length.
MOST_WILDCARDS = 3

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?[^:)<]*[:)]|\?<?[=!]|\?P<\w+>)?|[\s\S]")
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
    wildcards = len(re.findall(r"(?<!\\)\.[*+]", pattern))
    if wildcards > MOST_WILDCARDS:
        raise ValueError(
            f"{pattern!r} has {wildcards} of .* or .+; allowed: {MOST_WILDCARDS}, as identifiers have up to "
            f"{PATTERN_LENGTH} characters; say which characters are meant, such as [0-9T]+"
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
