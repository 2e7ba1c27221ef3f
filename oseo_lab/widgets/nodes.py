"""What panels are made of: plain nodes, as ``panel.js`` draws them.

A node is a mapping with a ``kind``; the functions here say what each kind needs. Everything in a node is
text or numbers: nothing of it is ever read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oseo_lab.encoding.html import ROWS

__all__ = [
    "Node",
    "button",
    "buttons",
    "chips",
    "code",
    "facts",
    "fields",
    "group",
    "head",
    "listed",
    "spark",
    "status",
    "table",
    "words",
]

Node = dict[str, Any]


def head(title: str, aside: str = "", *, until: str | None = None, level: int = 3) -> Node:
    """Return a title line; ``until`` (ISO 8601, UTC) adds a countdown that presses ``lapsed`` at its end."""
    return {
        "kind": "head",
        "title": title,
        "aside": aside,
        "until": until,
        "key": "lapsed",
        "level": level,
    }


def words(text: str, tone: str = "") -> Node:
    """Return a sentence; tones: ``quiet``, ``warn``, ``error``, ``good``."""
    return {"kind": "text", "text": text, "tone": tone}


def status(text: str, tone: str = "quiet", *, busy: bool = False) -> Node:
    """Return what is being done or was done, told to screen readers too."""
    return {"kind": "status", "text": text, "tone": tone, "busy": busy}


def listed(items: Iterable[str], tone: str = "") -> Node:
    """Return a list of sentences."""
    return {"kind": "list", "items": list(items), "tone": tone}


def facts(rows: Iterable[tuple[str, object]]) -> Node:
    """Return names and what is said of each."""
    return {"kind": "facts", "rows": [[name, str(said)] for name, said in rows]}


def button(
    key: str, label: str, *, tone: str = "normal", reason: str | None = None, off: bool = False
) -> Node:
    """Return a button that presses ``key``; ``reason`` says what it does, or why it is off."""
    return {"key": key, "label": label, "tone": tone, "reason": reason, "disabled": off}


def buttons(*each: Node) -> Node:
    """Return a row of buttons."""
    return {"kind": "buttons", "buttons": list(each)}


def code(text: str, label: str) -> Node:
    """Return a block of code with a button that copies it."""
    return {"kind": "code", "text": text, "label": label}


def chips(label: str, items: Sequence[Mapping[str, Any]], most: int = 12) -> Node:
    """Return small labels (``label``, ``reason``), each with a button that presses its ``key``, if any."""
    beyond = len(items) - most
    return {
        "kind": "chips",
        "label": label,
        "items": list(items[:most]),
        "more": f"and {beyond} more" if beyond > 0 else "",
    }


def fields(children: Iterable[Node], *, row: bool = False) -> Node:
    """Return fields below each other, or in a row."""
    return {"kind": "fields", "children": list(children), "row": row}


def group(label: str, children: Iterable[Node], *, help: str = "", problem: str = "", hint: str = "") -> Node:
    """Return a framed group of fields."""
    children = list(children)
    return {
        "kind": "group",
        "label": label,
        "help": help,
        "children": children,
        "problem": problem,
        "hint": hint,
    }


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    label: str,
    right: Sequence[int] = (),
    choosable: tuple[str, Sequence[str], Sequence[str], Mapping[str, str]] | None = None,
    pictures: Sequence[str | None] | None = None,
) -> Node:
    """Return a table of at most fifty rows.

    Parameters
    ----------
    columns, rows : sequences
        Heads and cells.
    label : str
        What it is a table of, for screen readers.
    right : sequence of int
        Columns of numbers.
    choosable : tuple, optional
        Key, the rows' values, those chosen, and why some cannot be: rows get a check box; an edit of the
        key carries the chosen values.
    pictures : sequence of str or None, optional
        ``data:`` URL of a small picture for each row.
    """
    made: Node = {
        "kind": "table",
        "label": label,
        "head": list(columns),
        "rows": [[str(cell) for cell in row] for row in rows[:ROWS]],
        "total": len(rows),
        "right": list(right),
    }
    if choosable is not None:
        key, values, chosen, reasons = choosable
        made |= {"key": key, "values": list(values[:ROWS]), "chosen": list(chosen), "reasons": dict(reasons)}
    if pictures is not None and any(pictures):
        made["pictures"] = list(pictures[:ROWS])
    return made


def spark(values: Sequence[float], labels: Sequence[str], text: str) -> Node:
    """Return a small column chart; ``text`` says the same in words."""
    return {"kind": "spark", "values": list(values), "labels": list(labels), "label": text, "text": text}
