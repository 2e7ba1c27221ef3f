"""Who is told when something changes: callbacks of a draft, so that a form can be the same object.

A change is told once it holds, never before, and several made together are told once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["Changes", "copied"]

_log = logging.getLogger("oseo_lab")


class Changes:
    """Callbacks to call when something has changed.

    Parameters
    ----------
    of : object
        What is handed to each callback.
    """

    def __init__(self, of: Any) -> None:
        self._of = of
        self._callbacks: dict[object, Callable[[Any], object]] = {}
        self._held = 0
        self._waiting = False

    def tell(self, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call ``callback(what changed)`` after each change from now on; returns what stops that."""
        key = object()
        self._callbacks[key] = callback

        def stop() -> None:
            self._callbacks.pop(key, None)

        return stop

    def made(self) -> None:
        """Tell everybody, or remember to if changes are held together."""
        if self._held:
            self._waiting = True
            return
        for each in tuple(self._callbacks.values()):
            try:
                each(self._of)
            except Exception:  # the change holds, whoever hears of it: a broken form must not undo it
                _log.exception("a callback of %s failed", type(self._of).__name__)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Hold changes back until the block ends, and tell them as one; if it raises there was none."""
        self._held += 1
        try:
            yield
        except BaseException:
            self._waiting = self._waiting and self._held > 1
            raise
        finally:
            self._held -= 1
        if self._waiting and not self._held:
            self._waiting = False
            self.made()


def copied(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an object's state that is not changed with it."""
    return {
        name: type(value)(value) if isinstance(value, list | dict | set) else value
        for name, value in state.items()
    }
