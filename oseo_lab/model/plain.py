"""What strangers wrote, for terminals: nothing in it moves the cursor, changes colours or makes own lines.

Names, remarks and reasons come from users, catalogues and servers elsewhere; a terminal obeys what it prints.
"""

from __future__ import annotations

__all__ = ["plain_line", "plain_text"]


def plain_line(text: str) -> str:
    """Return a text as one line: what is not printed is a space, also what turns the direction of text."""
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def plain_text(text: str) -> str:
    """Return lines of text, each of them plain."""
    return text if text.isprintable() else "\n".join(map(plain_line, text.split("\n")))
