"""How the model looks as HTML: framed blocks, tables, bars, and numbers and times as people read them.

Plain text made offline, everything escaped; colours follow JupyterLab's theme where there is one. What
notebooks, exported pages and shared links show is made of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape

from oseo_lab.model.status import Status

__all__ = ["ROWS", "ago", "bar", "card", "colour", "counted", "facts", "mark", "size", "table", "when"]

#: Shape and colour of each status: the word is always beside them.
_MARKS: dict[Status, tuple[str, str]] = {
    Status.SUBMITTED: ("○", "#7a7a7a"),
    Status.ACCEPTED: ("◔", "#3b7dd8"),
    Status.IN_PRODUCTION: ("▶", "#3b7dd8"),
    Status.SUSPENDED: ("‖", "#b7791f"),
    Status.CANCELLED: ("⊘", "#7a7a7a"),
    Status.COMPLETED: ("✔", "#2f9e5b"),
    Status.DOWNLOADED: ("✔", "#2f9e5b"),
    Status.FAILED: ("✖", "#d1453b"),
    Status.TERMINATED: ("✖", "#d1453b"),
}

_STYLE = (
    "<style>.oseo{font:13px/1.45 var(--jp-ui-font-family,system-ui,sans-serif);"
    "color:var(--jp-ui-font-color1,inherit);border:1px solid rgba(128,128,128,.35);border-radius:6px;"
    "padding:.6em .9em;max-width:60em;overflow-x:auto}"
    ".oseo .head{display:flex;gap:1em;justify-content:space-between;font-weight:600}"
    ".oseo .quiet{opacity:.7;font-weight:400}"
    ".oseo table{border-collapse:collapse;font-size:inherit;margin:.4em 0;background:transparent;"
    "color:inherit}"
    ".oseo th,.oseo td{text-align:left!important;padding:.15em .8em .15em 0;background:transparent;"
    "vertical-align:top;color:inherit}"
    ".oseo td:nth-child(-n+2){white-space:nowrap}"
    ".oseo td:nth-child(n+3){min-width:9em;overflow-wrap:anywhere}"
    ".oseo td.long{white-space:normal!important;min-width:14em;overflow-wrap:anywhere}"
    ".oseo .facts td:nth-child(1){white-space:normal;max-width:16em}"
    ".oseo .facts td:nth-child(2){white-space:normal;overflow-wrap:anywhere}"
    ".oseo .rows{max-height:30em;overflow:auto}"
    ".oseo .bar{display:flex;height:8px;border-radius:4px;overflow:hidden;margin:.45em 0;"
    "background:rgba(128,128,128,.25)}</style>"
)

#: Most rows of a table in a display; what is beyond is counted.
ROWS = 50
#: Characters from which a cell is wrapped.
LONG = 44


def mark(status: Status) -> str:
    """Return the shape of a status."""
    return _MARKS[status][0]


def colour(status: Status) -> str:
    """Return the colour of a status, readable on light and dark."""
    return _MARKS[status][1]


def card(title: str, body: str, aside: str = "") -> str:
    """Return a framed block: a title line, and HTML below it."""
    head = f'<div class="head"><span>{escape(title)}</span><span class="quiet">{escape(aside)}</span></div>'
    return (
        f'{_STYLE}<div class="oseo" role="group" aria-label="{escape(title, quote=True)}">{head}{body}</div>'
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]], total: int | None = None) -> str:
    """Return a table of escaped cells, of at most `ROWS` rows."""
    rows = list(rows)
    cells = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    lines = "".join("<tr>" + "".join(_cell(str(each)) for each in row) + "</tr>" for row in rows[:ROWS])
    beyond = (len(rows) if total is None else total) - min(len(rows), ROWS)
    more = f'<div class="quiet">and {beyond} more</div>' if beyond > 0 else ""
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>{more}"


def _cell(said: str) -> str:
    return f"<td{' class=long' if len(said) > LONG else ''}>{escape(said)}</td>"


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """Return what there is to say of one thing: a table of names and escaped values, long ones wrapped."""
    lines = "".join(f"<tr><td>{escape(name)}</td><td>{escape(str(said))}</td></tr>" for name, said in rows)
    return f'<table class="facts"><tbody>{lines}</tbody></table>'


def bar(counts: Mapping[Status, int], running: float = 0.0) -> str:
    """Return a bar of items by status: final ones in their colour, what is done of running ones in theirs."""
    total = sum(counts.values()) or 1
    parts = "".join(
        f'<div style="width:{100 * counts[status] / total:.2f}%;background:{colour(status)}" '
        f'title="{escape(status)}: {counts[status]}"></div>'
        for status in _MARKS
        if counts.get(status) and status.is_final
    )
    if running:
        shade = f"width:{100 * running / total:.2f}%;background:{colour(Status.IN_PRODUCTION)}"
        parts += f'<div style="{shade}" title="in work"></div>'
    return f'<div class="bar" role="img" aria-label="{escape(counted(counts))}">{parts}</div>'


def counted(counts: Mapping[Status, int]) -> str:
    """Return counts by status as words."""
    return " · ".join(f"{counts[each]} {each}" for each in _MARKS if counts.get(each)) or "no items"


def when(moment: datetime | None) -> str:
    """Return a moment as people read it, in UTC."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def ago(seconds: float) -> str:
    """Return a duration in its largest unit."""
    for limit, unit, divisor in ((120, "s", 1), (7200, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / divisor:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"


def size(number: float) -> str:
    """Return bytes as people read them (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
