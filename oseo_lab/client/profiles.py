"""Profiles: services a user connects to often, by name, in one file of the user's own.

``$XDG_CONFIG_HOME/oseo_lab/config.toml`` (``~/.config`` without the variable) holds a table for each::

    [profile.default]
    url = "https://lab.example.org/user/anna/"

    [profile.archive]
    soap = "https://archive.example.org/oseo"
    username = "anna"

A file with a token or password in it must be its owner's alone (0600), else nothing of it is used.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oseo_lab.model.errors import ConfigurationError

__all__ = ["KEYS", "SECRETS", "Profile", "config_path", "read_profile"]

#: What a profile may say: arguments of `connect`.
KEYS = ("url", "token", "soap", "username", "password", "identity", "soap_version", "catalogue")
SECRETS = frozenset({"token", "password"})
#: The profile that is used where none is named.
DEFAULT = "default"


@dataclass(frozen=True)
class Profile:
    """What a user wrote down of one service; secrets are not shown.

    Parameters
    ----------
    name : str
        Of the profile.
    path : Path
        The file.
    values : mapping of str to str
        Some of `KEYS`.
    named_by : str
        Who asked for this profile.
    """

    name: str
    path: Path
    values: Mapping[str, str] = field(repr=False)
    named_by: str = ""

    def __str__(self) -> str:
        return f"[profile.{self.name}] of {self.path}"

    def get(self, key: str) -> str | None:
        """Return what it says of one of `KEYS`."""
        return self.values.get(key)


def config_path() -> Path:
    """Return where the profiles are (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    home = Path(base) if Path(base).is_absolute() else Path.home() / ".config"
    return home / "oseo_lab" / "config.toml"


def read_profile(name: str | None = None) -> Profile | None:
    """Return a profile: the one named, that of ``OSEO_LAB_PROFILE``, or ``default`` if there is one.

    Raises
    ------
    ConfigurationError
        If the profile named is not there, the file cannot be read, says something unknown, or holds secrets
        that others can read.
    """
    path = config_path()
    wanted, named_by = name, "the argument profile"
    if wanted is None and os.environ.get("OSEO_LAB_PROFILE"):
        wanted, named_by = os.environ["OSEO_LAB_PROFILE"], "OSEO_LAB_PROFILE"
    tables = _tables(path)
    if wanted is None:
        wanted, named_by = DEFAULT, "the default profile"
        if wanted not in tables:
            return None
    if wanted not in tables:
        there = ", ".join(tables) or "none"
        close = difflib.get_close_matches(wanted, tables, n=1)
        near = f" (nearest: {close[0]})" if close else ""
        raise ConfigurationError(
            f"{named_by} names {wanted[:60]!r}{near}, which is no profile of {path}; profiles: {there}",
            looked_in=(str(path),),
        )
    return Profile(wanted, path, _values(path, wanted, tables[wanted]), named_by)


def _tables(path: Path) -> dict[str, Any]:
    """Return the profiles of the file, as written."""
    import tomllib

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as broken:
        raise ConfigurationError(f"{path} cannot be read: {broken}", looked_in=(str(path),)) from None
    found = document.get("profile", {})
    unknown = sorted(document.keys() - {"profile"})
    if unknown or not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        said = f"{', '.join(unknown)} is unknown" if unknown else "a profile is a table"
        raise ConfigurationError(
            f"{path}: {said}; write tables such as [profile.default]", looked_in=(str(path),)
        )
    if any(SECRETS & each.keys() for each in found.values()):
        _check_private(path)
    return found


def _check_private(path: Path) -> None:
    """Raise if others can read the file: what is in it must then be taken as known."""
    mode = path.stat().st_mode
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"{path} holds a token or password and others can read it ({stat.filemode(mode)}): "
            f"chmod 600 {path}, and think of a new token",
            looked_in=(str(path),),
        )


def _values(path: Path, name: str, table: Mapping[str, Any]) -> dict[str, str]:
    """Return what one profile says, checked.

    Raises
    ------
    ConfigurationError
        With everything wrong with it.
    """
    problems = [
        f"{key} is unknown{_near(key)}" if key not in KEYS else f"{key} is no text"
        for key, value in table.items()
        if key not in KEYS or not isinstance(value, str)
    ]
    if "url" in table and "soap" in table:
        problems.append("url is one way and soap another: say one of them")
    if not problems and not {"url", "soap"} & table.keys():
        problems.append("neither url nor soap is there")
    if problems:
        allowed = ", ".join(KEYS)
        raise ConfigurationError(
            f"{path}, [profile.{name}]: {'; '.join(problems)}; allowed: {allowed}", looked_in=(str(path),)
        )
    return dict(table)


def _near(key: str) -> str:
    close = difflib.get_close_matches(key, KEYS, n=1)
    return f" (nearest: {close[0]})" if close else ""
