"""How far it is: one event, and who shows it: a callable, rich in a terminal, a bar in a notebook.

Scripts are silent unless ``progress=True``. Reporters are called from the thread that waits, never from
another: what is printed lands in the cell that asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from html import escape
from typing import Any

from oseo_lab.client import display
from oseo_lab.model.status import Status

__all__ = ["Interrupted", "Progress", "ProgressEvent", "reporter"]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, and what becomes of what was going on: a notebook shows the sentence alone."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        if not display.in_notebook():
            display.say(text)

    def _render_traceback_(self) -> list[str]:
        return [str(self)]  # IPython shows this instead of a traceback


@dataclass(frozen=True, kw_only=True)
class ProgressEvent:
    """How far an order or a download is.

    Parameters
    ----------
    name : str
        Of the order.
    text : str
        What there is to say, in words.
    done, total : int
        Items that are final (waiting), or bytes that are here (downloading).
    running : float
        Sum of the fractions that items in work have reached.
    failed : int
        Items or files that will not come.
    status : Status or None
        The order's, while waiting.
    counts : mapping of Status to int
        Items by status, while waiting.
    elapsed : float
        Seconds since the waiting began.
    """

    name: str
    text: str
    done: int
    total: int
    running: float = 0.0
    failed: int = 0
    status: Status | None = None
    counts: dict[Status, int] = field(default_factory=dict)
    elapsed: float = 0.0

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1."""
        return (self.done + self.running) / self.total if self.total else 0.0


#: What a caller may say about progress: None decides by where this runs, a callable gets every event.
Progress = bool | Callable[[ProgressEvent], None] | None


class _Silent(AbstractContextManager["_Silent"]):
    """Shows nothing."""

    def __call__(self, event: ProgressEvent) -> None:
        """Take an event."""

    def __exit__(self, *failure: object) -> None:
        """End."""


class _Callable(_Silent):
    """Hands every event to the caller's function."""

    def __init__(self, function: Callable[[ProgressEvent], None]) -> None:
        self._function = function

    def __call__(self, event: ProgressEvent) -> None:
        self._function(event)


class _Lines(_Silent):
    """A line on stderr whenever the words change: for logs."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, event: ProgressEvent) -> None:
        if event.text != self._last:
            self._last = event.text
            print(f"{event.name}: {event.text}", file=sys.stderr, flush=True)


class _Terminal(_Silent):
    """A rich bar on stderr."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[said]}", markup=False),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._task: Any = None

    def __enter__(self) -> _Terminal:
        self._bar.start()
        return self

    def __call__(self, event: ProgressEvent) -> None:
        if self._task is None:
            self._task = self._bar.add_task(event.name, total=None, said="")
        self._bar.update(
            self._task, completed=event.done + event.running, total=event.total or None, said=event.text
        )

    def __exit__(self, *failure: object) -> None:
        self._bar.stop()


class _Notebook(_Silent):
    """An HTML bar in the output of the cell, updated in place."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._last = ""

    def __call__(self, event: ProgressEvent) -> None:
        html = _bar(event)
        both = {"text/html": html, "text/plain": f"{event.name}: {event.text}"}
        if self._handle is None:
            self._handle = display.put(both, raw=True, display_id=True)
        elif html != self._last:
            self._handle.update(both, raw=True)
        self._last = html


def _bar(event: ProgressEvent) -> str:
    """Return the bar as HTML; the text beside it says the same without colour."""
    if event.counts:
        bar = display.bar(event.counts, event.running)
    else:
        width = f"width:{100 * event.fraction:.1f}%;background:#2f9e5b"
        bar = (
            f'<div class="bar" role="img" aria-label="{event.fraction:.0%}"><div style="{width}"></div></div>'
        )
    return display.card(event.name, f"{bar}<div>{escape(event.text)}</div>", display.ago(event.elapsed))


def reporter(progress: Progress) -> _Silent:
    """Return who shows progress: as told, else by where this runs."""
    if callable(progress):
        return _Callable(progress)
    if progress is False:
        return _Silent()
    if display.in_notebook():
        return _Notebook()
    if progress is None and not hasattr(sys, "ps1"):
        return _Silent()
    return _Terminal() if sys.stderr.isatty() else _Lines()
