"""A whole service in this process: nothing to install, no account, nothing leaves this machine.

``oseo_lab.connect("demo")`` finds `open_demo` by the entry point ``demo`` of the group
``oseo_lab.services``: the client stands below this room. The doors, the store and the dispatcher are those of
a Jupyter Server; what is different is that items are made by threads, and that everything ends with the
process or with the last ``lab.close()``. Importing this package loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oseo_lab.at_home.clock import Clock as Clock
    from oseo_lab.at_home.demo import demo_archive as demo_archive
    from oseo_lab.at_home.demo import open_demo as open_demo
    from oseo_lab.at_home.service import HomeService as HomeService

__all__ = ["Clock", "HomeService", "demo_archive", "open_demo"]

_HOMES = {"Clock": "clock", "HomeService": "service", "demo_archive": "demo", "open_demo": "demo"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"oseo_lab.at_home.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
