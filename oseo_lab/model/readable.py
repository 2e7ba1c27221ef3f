"""How an error looks in a notebook: one readable sentence and the user's own line, no traceback of ours.

IPython asks an exception for it (``_render_traceback_``). Plain Python keeps its tracebacks; `shown_whole`
and IPython's ``%xmode Verbose`` bring them back. Standard library only: IPython is used where it is running.
"""

from __future__ import annotations

import linecache
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Protocol

__all__ = ["in_a_cell", "show_all", "shown_whole"]

#: Problems that are said one by one.
MOST = 10
#: Lines of the user's own code that are shown: where it was called last.
LINES = 3
#: Longest line of code that is shown.
LONG = 100
#: Where this package lies: frames in it are ours.
_OURS = str(Path(__file__).resolve().parents[1])

_BOLD, _QUIET, _RED, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"

_shows_all = False


class Readable(Protocol):
    """What is needed of an error (`model.errors.OseoError`)."""

    text: str
    hint: str | None
    request_id: str | None
    problems: tuple[Any, ...]
    __traceback__: TracebackType | None

    @property
    def is_callers_fault(self) -> bool:
        """Whether the caller must change something."""


def show_all(wanted: bool) -> None:
    """Show whole tracebacks from now on, or not any more."""
    global _shows_all
    _shows_all = wanted


def shown_whole(error: BaseException) -> None:
    """Let this error be shown with its whole traceback."""
    error.__dict__["is_shown_whole"] = True


def in_a_cell(error: Readable) -> list[str]:
    """Return the lines a notebook or IPython shows for an error."""
    shell = _shell()
    if _shows_all or error.__dict__.get("is_shown_whole") or _is_verbose(shell):
        return _whole(error, shell)
    lines = [f"{_RED}{type(error).__name__}{_PLAIN}: {_BOLD}{_sentence(error)}{_PLAIN}"]
    lines += [f"  - {each}" for each in _problems(error)]
    if error.hint:
        lines.append(error.hint)
    lines += [f"{_QUIET}{each}{_PLAIN}" for each in _own_lines(error, shell)]
    if error.request_id and not error.is_callers_fault:
        lines.append(f"{_QUIET}request {error.request_id}{_PLAIN}")
    return lines


def _sentence(error: Readable) -> str:
    count = len(error.problems)
    if count < 2:
        return error.text
    before = error.text.partition(str(error.problems[0]))[0].strip()  # what is said before they are listed
    return before or f"{count} things are wrong; nothing was done:"


def _problems(error: Readable) -> list[str]:
    found = [str(each) for each in error.problems]
    if len(found) < 2:
        return []
    more = [f"and {len(found) - MOST} more; .problems has all"] if len(found) > MOST else []
    return [*found[:MOST], *more]


def _shell() -> Any:
    """Return the running IPython, if there is one."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _is_verbose(shell: Any) -> bool:
    return str(getattr(getattr(shell, "InteractiveTB", None), "mode", "")).lower() == "verbose"


def _whole(error: Readable, shell: Any) -> list[str]:
    assert isinstance(error, BaseException)  # what is raised is one
    if shell is None:
        return traceback.format_exception(error)
    lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
    return lines


def _own_lines(error: Readable, shell: Any) -> list[str]:
    """Say where the user's own code was: ``cell [3] line 2: order = draft.submit()``."""
    found = []
    for frame, number in _frames(error):
        path = frame.f_code.co_filename
        name = _cell_name(path, shell)
        if name is None:
            if path.startswith(_OURS) or "site-packages" in path or _is_shell(frame):
                continue
            name = f"{Path(path).name} in {frame.f_code.co_name}()"
        line = linecache.getline(path, number, frame.f_globals).strip()
        found.append(f"{name} line {number}" + (f": {line[:LONG]}" if line else ""))
    return found[-LINES:]


def _frames(error: Readable) -> Iterator[tuple[FrameType, int]]:
    at = error.__traceback__
    while at is not None:
        yield at.tb_frame, at.tb_lineno
        at = at.tb_next


def _is_shell(frame: FrameType) -> bool:
    """Whether a frame is the interpreter's own: what runs cells, or the standard library."""
    module = str(frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] in ("IPython", "ipykernel") or module in sys.stdlib_module_names


def _cell_name(path: str, shell: Any) -> str | None:
    """Return ``cell [3]`` for the code of a cell; None for a file."""
    label = getattr(getattr(shell, "compile", None), "format_code_name", None)
    found = label(path) if label is not None else None
    if not found:
        return "input" if path.startswith("<") else None
    return f"cell {str(found[1]).removeprefix('In')}"
