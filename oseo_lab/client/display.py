"""How the client's objects show themselves: live where a widget can be, else HTML, else text.

No display ever calls the network or raises: a broken one falls back to ``repr``. The HTML itself is made in
`oseo_lab.encoding.html`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from importlib.metadata import entry_points
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
    "bundle",
    "card",
    "colour",
    "counted",
    "facts",
    "in_notebook",
    "mark",
    "put",
    "safely",
    "say",
    "shown",
    "size",
    "table",
    "telling",
    "when",
    "widget_of",
]

#: Media type of a widget in a cell's output (ipywidgets).
WIDGET = "application/vnd.jupyter.widget-view+json"
#: Media type by which the JupyterLab extension knows a widget of ours: it shows the HTML once that is gone.
OURS = "application/vnd.oseo-lab.widget+json"

#: Who hears what is said, where it must not be printed: threads of widgets.
_HEARD: ContextVar[Callable[[str], None] | None] = ContextVar("heard", default=None)

_LOG = logging.getLogger("oseo_lab.client")


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


@contextmanager
def telling(hear: Callable[[str], None]) -> Iterator[None]:
    """Let what this thread would tell the person at the keyboard be heard by a widget instead of printed."""
    before = _HEARD.set(hear)
    try:
        yield
    finally:
        _HEARD.reset(before)


def say(text: str) -> None:
    """Tell the person at the keyboard one sentence; scripts get it on stderr."""
    if (hear := _HEARD.get()) is not None:
        hear(text)
        return
    print(text, file=sys.stdout if in_notebook() else sys.stderr)


def put(thing: Any, **how: Any) -> Any:
    """Show a thing in the cell that runs (``IPython.display.display``); return its handle, if asked for."""
    from IPython import display as ipython

    show: Any = ipython.display  # it tells no types
    return show(thing, **how)


def shown(thing: Any, ask: Callable[[], Any]) -> None:
    """Show what a cell named, asked for now; its ``repr`` and why, if the service does not answer."""
    try:
        put(ask())
    except OseoError as away:
        say(f"{thing!r} ({away})")


def safely(thing: Any, render: Callable[[], str]) -> str:
    """Render HTML; a display that fails becomes the escaped ``repr``."""
    try:
        return render()
    except Exception as wrong:
        _LOG.debug("a display failed: %r", wrong)
        return f"<pre>{escape(repr(thing))}</pre>"


def bundle(thing: Any, html: Callable[[], str], data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what a notebook keeps of a thing: a live widget if there can be one, HTML, and text.

    Parameters
    ----------
    thing : object
        What is shown; the name of its class finds the widget.
    html : callable
        Makes the HTML that tells the story without a kernel.
    data : mapping, optional
        Further media types and their contents, such as what the JupyterLab card reads.
    """
    found: dict[str, Any] = dict(data or {})
    found["text/plain"] = repr(thing)
    found["text/html"] = safely(thing, html)
    if in_notebook() and (widget := widget_of(thing)) is not None:
        if not data:
            found[OURS] = {"model_id": widget.model_id}
        found[WIDGET] = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return found


def widget_of(thing: Any, name: str | None = None, **more: Any) -> Any | None:
    """Return a new widget of a thing; None where widgets are not installed or this one fails.

    Widgets stand above the client: they are found by the entry points ``oseo_lab.widgets``, by class name,
    or by another ``name``.
    """
    for entry in entry_points(group="oseo_lab.widgets", name=name or type(thing).__name__):
        try:
            return entry.load()(thing, **more)
        except ImportError as missing:
            _LOG.debug("no widgets: %s", missing)
        except Exception as wrong:
            _LOG.debug("the widget of %r failed: %r", thing, wrong)
    return None
