"""How long ``make test-long MINUTES=…`` gives each kind of test."""

from __future__ import annotations

import os
import time

__all__ = ["end_of"]


def end_of(share: float) -> float:
    """Return the monotonic time at which a share of the minutes is over."""
    return time.monotonic() + 60 * share * float(os.environ.get("OSEO_LAB_TEST_MINUTES", "30"))
