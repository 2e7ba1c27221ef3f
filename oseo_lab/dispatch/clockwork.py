"""The threads that look after what waits for the world outside: new products, tasking requests.

Every second those who know what is due (`calendar`, `massive`, `tasking`) are asked, each in a thread of its
own; they decide by the clock they were given. One that fails is asked again with the next pass, and one that
waits for an answer holds up nobody else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from oseo_lab.model.errors import OseoError

__all__ = ["Clockwork", "Stepper"]

log = logging.getLogger("oseo_lab.dispatch")

#: Seconds between passes.
EVERY = 1.0
#: Seconds that closing waits for steps that run.
FAREWELL = 10.0


class Stepper(Protocol):
    """Somebody who does what is due, and returns how much that was."""

    def step(self) -> int:
        """Do what is due."""

    def close(self) -> None:
        """Ask nobody anything more; a step that runs ends soon."""


class Clockwork:
    """Lets steppers do what is due.

    Parameters
    ----------
    steppers : sequence of Stepper
        Each is asked in a thread of its own.
    """

    def __init__(self, steppers: Sequence[Stepper]) -> None:
        self._steppers = steppers
        self._woken = threading.Event()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._run, args=(each,), name="oseo_lab clockwork", daemon=True)
            for each in steppers
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def step(self) -> int:
        """Do here and now what is due; return how much that was. For those who did not begin."""
        return sum(each.step() for each in self._steppers)

    def close(self) -> None:
        """Stop; what was not done is due in the next life."""
        self._closing = True
        self._woken.set()
        for each in self._steppers:
            each.close()
        end = time.monotonic() + FAREWELL
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=max(0.0, end - time.monotonic()))

    def _run(self, stepper: Stepper) -> None:
        while not self._closing:
            try:
                stepper.step()
            except OseoError as out_of_reach:
                log.warning("the clockwork was interrupted and goes on: %s", out_of_reach)
            except Exception:
                log.exception("a pass of the clockwork failed and will be tried again")
            self._woken.wait(EVERY)
