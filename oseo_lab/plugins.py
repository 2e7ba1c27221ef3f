"""Finding plugins: ``load(kind, name)`` through entry points, with errors an operator can act on.

Names come from operators' files only, never from a message. A name is an entry point of the kind's group
or ``module:attr``.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from oseo_lab.model.errors import ConfigurationError

__all__ = ["GROUPS", "installed", "load", "version_of"]

#: Entry-point group of each kind of plugin.
GROUPS = {
    "processor": "oseo_lab.processors",
    "delivery": "oseo_lab.deliveries",
    "catalogue": "oseo_lab.catalogues",
    "notifier": "oseo_lab.notifiers",
    "quoter": "oseo_lab.quoters",
    "provider": "oseo_lab.providers",
    "tasking": "oseo_lab.tasking",
}


@lru_cache(maxsize=len(GROUPS))
def installed(kind: str) -> dict[str, EntryPoint]:
    """Return the entry points of one kind, by name."""
    return {point.name: point for point in entry_points(group=GROUPS[kind])}


@lru_cache(maxsize=256)
def load(kind: str, name: str) -> Any:
    """Return a plugin.

    Parameters
    ----------
    kind : str
        One of `GROUPS`.
    name : str
        Entry-point name, or ``module:attr``.

    Raises
    ------
    ConfigurationError
        If there is none of that name, or it cannot be imported; says which there are.
    """
    try:
        if ":" in name:
            module, _, attribute = name.partition(":")
            return getattr(importlib.import_module(module), attribute)
        return installed(kind)[name].load()
    except KeyError:
        there = ", ".join(sorted(installed(kind))) or "none"
        raise ConfigurationError(
            f"there is no {kind} {name!r}; installed: {there}; or name one as module:attr"
        ) from None
    except (ImportError, AttributeError) as broken:
        raise ConfigurationError(f"the {kind} {name!r} cannot be loaded: {broken}") from broken


@lru_cache(maxsize=256)
def version_of(kind: str, name: str) -> str:
    """Return the version of what ships a plugin: its distribution's, or its package's own word.

    Empty where nobody says one. What is made by another version is another result.
    """
    point = installed(kind).get(name)
    if point is not None and point.dist is not None:
        return f"{point.dist.name} {point.dist.version}"
    module = point.module if point is not None else name.partition(":")[0]
    try:
        package = importlib.import_module(module.partition(".")[0])
    except ImportError:
        return ""
    return str(getattr(package, "__version__", ""))
