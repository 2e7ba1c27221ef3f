"""What a collection file says of other files: settings with paths, and a document of options handed in.

Relative paths start at the collection file's folder and stay in it, symbolic links resolved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from oseo_lab.encoding.collection_tables import OPEN_TABLES
from oseo_lab.model.collection import OrderOptions
from oseo_lab.model.errors import Problem

__all__ = ["read_documented", "resolved_settings", "split_settings"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: Keys of a plugin's settings that name a file or folder.
_PATHS = ("href", "root", "password_file", "token_file")
_ANYWHERE = "a path inside it, an absolute path, or a URL"


def split_settings(
    table: Mapping[str, Any],
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Part what plugins alone understand from what every collection has."""
    rest = dict(table)
    settings: dict[str, dict[str, Any]] = {}
    for key, cls in OPEN_TABLES.items():
        given = table.get(key)
        if isinstance(given, dict):
            known = {each.name for each in fields(cls)}
            settings[key] = {name: value for name, value in given.items() if name != "use"}
            rest[key] = {name: value for name, value in given.items() if name in known}
    return settings, rest


def resolved_settings(
    table: str, settings: Mapping[str, Any], folder: Path, problems: list[Problem]
) -> dict[str, Any]:
    """Return a plugin's settings with paths made absolute; those that leave the folder are problems."""
    result = dict(settings)
    for key in _PATHS:
        value = settings.get(key)
        if isinstance(value, str) and value and not _URL.match(value) and not Path(value).is_absolute():
            result[key] = str(_inside(f"{table}.{key}", value, folder, problems, _ANYWHERE))
    return result


def _inside(key: str, value: str, folder: Path, problems: list[Problem], allowed: str) -> Path:
    """Return a relative path made absolute; one that leaves the folder is a problem."""
    home = folder.resolve()
    path = (home / value).resolve() if "\0" not in value else home.parent
    if not path.is_relative_to(home):
        text = f"{key}: {value[:200]!r} leads out of the collection file's folder; allowed: {allowed}"
        problems.append(Problem(code="NoApplicableCode", locator=key, text=text))
    return path


def read_documented(name: str | None, folder: Path, problems: list[Problem]) -> tuple[OrderOptions, ...]:
    """Return the option groups of the document a file names; what is wrong with it is a problem."""
    if name is None:
        return ()
    from oseo_lab.encoding.collection_document import read_document

    before = len(problems)
    path = _inside("options_document", name, folder, problems, "a path inside it")
    if len(problems) > before:
        return ()
    try:
        return read_document(path.read_bytes())
    except OSError as wrong:
        text = f"{name[:200]!r} cannot be read: {wrong.strerror}"
    except ValueError as wrong:
        text = f"{name[:200]!r}: {wrong}"
    said = f"options_document: {text}"
    problems.append(Problem(code="NoApplicableCode", locator="options_document", text=said))
    return ()
