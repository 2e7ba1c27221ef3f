"""Equal values of one message as one object: thousands of items mostly choose alike.

Used by the codecs of orders while they read. A third of what an order of ten thousand items holds in memory
is saved so, and what looks at its items later finds equal choices by looking at the same ones again.
`forgetting` bounds how long values are remembered: while one message is read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

__all__ = ["forgetting", "shared"]

T = TypeVar("T")
#: Different values remembered: where items share nothing, remembering would only cost.
_MOST = 1000


class _Known(threading.local):
    """What was made of which values, in this thread."""

    def __init__(self) -> None:
        self.made: dict[Hashable, Any] = {}


_KNOWN = _Known()


def shared(make: Callable[[Any], T], value: Hashable) -> T:
    """Return ``make(value)``, made once for equal values of one message."""
    made = _KNOWN.made
    key = (make, value)
    found = made.get(key)
    if found is None:
        if len(made) >= _MOST:
            made.clear()
        found = made[key] = make(value)
    return found


@contextmanager
def forgetting() -> Iterator[None]:
    """Forget at the end what was made inside."""
    try:
        yield
    finally:
        _KNOWN.made.clear()
