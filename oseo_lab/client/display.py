"""How the client's objects show themselves: live where a widget can be, else HTML, else text.

No display ever calls the network or raises: a broken one falls back to ``repr``. The HTML itself is made in
`oseo_lab.encoding.html`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from html import escape
from typing import Any

from oseo_lab.encoding.html import (
    ROWS,
    ago,
    bar,
    card,
    colour,
    counted,
    facts,
    mark,
    size,
    table,
    when,
)
from oseo_lab.model.errors import OseoError

__all__ = [
    "ROWS",
    "ago",
    "bar",
    "card",
    "colour",
    "counted",
    "facts",
    "in_notebook",
    "mark",
    "safely",
    "say",
    "shown",
    "size",
    "table",
    "when",
]

_LOG = logging.getLogger("oseo_lab.client")


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def say(text: str) -> None:
    """Tell the person at the keyboard one sentence; scripts get it on stderr."""
    print(text, file=sys.stdout if in_notebook() else sys.stderr)


def shown(thing: Any, ask: Callable[[], Any]) -> None:
    """Show what a cell named, asked for now; its ``repr`` and why, if the service does not answer."""
    from IPython.display import display

    try:
        display(ask())  # type: ignore[no-untyped-call]
    except OseoError as away:
        say(f"{thing!r} ({away})")


def safely(thing: Any, render: Callable[[], str]) -> str:
    """Render HTML; a display that fails becomes the escaped ``repr``."""
    try:
        return render()
    except Exception as wrong:
        _LOG.debug("a display failed: %r", wrong)
        return f"<pre>{escape(repr(thing))}</pre>"
