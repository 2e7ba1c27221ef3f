"""The thread that looks after what waits for the world outside: new products, tasking requests.

Every second it asks those who know what is due (`calendar`, `massive`, `tasking`); they decide by the clock
they were given. One that fails is asked again with the next pass, and holds up nobody else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

from oseo_lab.model.errors import OseoError

__all__ = ["Clockwork", "Stepper"]

log = logging.getLogger("oseo_lab.dispatch")

#: Seconds between passes.
EVERY = 1.0


class Stepper(Protocol):
    """Somebody who does what is due, and returns how much that was."""

    def step(self) -> int:
        """Do what is due."""

    def close(self) -> None:
        """Ask nobody anything more; a step that runs ends soon."""


class Clockwork:
    """Lets steppers do what is due, one after the other.

    Parameters
    ----------
    steppers : sequence of Stepper
        In their order.
    """

    def __init__(self, steppers: Sequence[Stepper]) -> None:
        self._steppers = steppers
        self._woken = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="oseo_lab clockwork", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop; what was not done is due in the next life."""
        self._closing = True
        self._woken.set()
        for each in self._steppers:
            each.close()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._closing:
            for each in self._steppers:
                try:
                    each.step()
                except OseoError as out_of_reach:
                    log.warning("the clockwork was interrupted and goes on: %s", out_of_reach)
                except Exception:
                    log.exception("a pass of the clockwork failed and will be tried again")
            self._woken.wait(EVERY)
