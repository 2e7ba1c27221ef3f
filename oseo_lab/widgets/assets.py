"""The browser modules that widgets and the JupyterLab extension share, put together for a widget.

A widget's code travels as one text: the ES modules beside the extension (``labextension/static``) are joined,
their imports of each other and the word ``export`` left out. One source, both ways of drawing.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from oseo_lab.client.announcing import announcement_of
from oseo_lab.client.session import Session
from oseo_lab.encoding.json_form import to_plain

__all__ = ["last_announcement", "module", "style"]

_STATIC = Path(__file__).parent / "labextension" / "static"
#: Imports of one of our modules, and exports of names.
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[a-z]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|class|const)", re.MULTILINE)


@cache
def module(*names: str, last: str) -> str:
    """Return the text of an ES module: those named, then what exports the widget.

    Parameters
    ----------
    names : str
        Files below ``static``, each after those it imports.
    last : str
        Source that uses them and exports ``default``.
    """
    joined = "\n".join((_STATIC / each).read_text(encoding="utf-8") for each in names)
    return _EXPORT.sub("", _IMPORT.sub("", joined)) + "\n" + last


@cache
def style() -> str:
    """Return the style sheet of cards and tables."""
    return (_STATIC / "card.css").read_text(encoding="utf-8")


def last_announcement(session: Session | None) -> dict[str, Any]:
    """Return what the service's operators tell everybody, as last heard; nothing is asked."""
    found = None if session is None else announcement_of(vars(session).get("about") or {})
    return {} if found is None else dict(to_plain(found))
