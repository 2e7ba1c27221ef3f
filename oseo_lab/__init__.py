"""Order Earth-observation products from a notebook.

A Jupyter Server extension answers OGC OSEO 1.0 over a durable order store, Dask workers make the
items, and a Python client composes, submits, follows and opens orders::

    import oseo_lab as oseo
    lab = oseo.connect()

The house has floors; a module imports from floors below its own, never above and never beside::

    9   cli | testing, and __main__ above them        who starts things
    8   at_home                                       a whole service in this process
    7   extension | widgets                           the faces in Jupyter: of the server, of a notebook
    6   wiring                                        who knows everybody
    5   web | client | store | executors | builtin    doors: each owns one outside world
        | demo | conformance
    4   operations | dispatch | production | encoding four pillars, strangers to each other
    3   plugins | settings
    2   ports                                         every seam, as a Protocol
    1   model                                         nouns; standard library only

This module imports nothing heavy: what it offers is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oseo_lab.client import connect as connect
    from oseo_lab.client import debug as debug
    from oseo_lab.model import errors as errors
    from oseo_lab.model.errors import NotFound as NotFound
    from oseo_lab.model.errors import OrderFailed as OrderFailed
    from oseo_lab.model.errors import OseoError as OseoError
    from oseo_lab.model.errors import ValidationError as ValidationError
    from oseo_lab.model.errors import WaitTimeout as WaitTimeout
    from oseo_lab.model.webhooks import verify_webhook as verify_webhook

__all__ = [
    "NotFound",
    "OrderFailed",
    "OseoError",
    "ValidationError",
    "WaitTimeout",
    "__version__",
    "connect",
    "debug",
    "errors",
    "verify_webhook",
]

#: Where each name comes from, on first use.
_HOMES = {
    "connect": "oseo_lab.client",
    "debug": "oseo_lab.client",
    "errors": "oseo_lab.model",
    "NotFound": "oseo_lab.model.errors",
    "OrderFailed": "oseo_lab.model.errors",
    "OseoError": "oseo_lab.model.errors",
    "ValidationError": "oseo_lab.model.errors",
    "WaitTimeout": "oseo_lab.model.errors",
    "verify_webhook": "oseo_lab.model.webhooks",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        home = import_module(_HOMES[name])
        return import_module(f"{_HOMES[name]}.{name}") if name == "errors" else getattr(home, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("oseo-lab")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server where the extension is (Jupyter Server, *Extension points*)."""
    from oseo_lab.extension import OseoLab

    return [{"module": "oseo_lab", "app": OseoLab}]
