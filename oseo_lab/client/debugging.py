"""``oseo_lab.debug``: what the client asks and what it is answered, and whole tracebacks, while it is on.

Method, path, status, time and request id are told, never headers, queries or bodies: a token is nobody's
business.
"""

from __future__ import annotations

import logging
import sys
from types import TracebackType

from oseo_lab.model.errors import OseoError
from oseo_lab.model.readable import show_all, shown_whole

__all__ = ["debug"]

_LOGGER = logging.getLogger("oseo_lab")


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in stubs alone
    """Writes to stderr as it is when something is said: a cell has its own."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))

    @property
    def stream(self):  # type: ignore[no-untyped-def]  # StreamHandler sets it, we look it up
        """Where stderr goes now."""
        return sys.stderr


class debug:  # used as a function: ``with oseo.debug():``
    """Tell what is going on, and show whole tracebacks.

    As a context manager for one cell, or by `on` and `off`::

        with oseo.debug():
            lab.orders["lake-garda"].refresh()

        oseo.debug.on()

    Each request is told on stderr with its method, path, status, time and request id.
    """

    _handler: logging.Handler | None = None
    _before = logging.NOTSET
    _depth = 0

    @classmethod
    def on(cls) -> None:
        """Begin, until `off`."""
        show_all(True)
        if cls._handler is None:
            cls._handler, cls._before = _Handler(), _LOGGER.level
            _LOGGER.addHandler(cls._handler)
            _LOGGER.setLevel(logging.DEBUG)

    @classmethod
    def off(cls) -> None:
        """Stop."""
        show_all(False)
        if cls._handler is not None:
            _LOGGER.removeHandler(cls._handler)
            _LOGGER.setLevel(cls._before)
            cls._handler = None

    def __enter__(self) -> debug:
        self._was_on = debug._handler is not None
        debug.on()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OseoError):
            shown_whole(error)  # it is shown after this block
        if not self._was_on:
            debug.off()
