"""Work beside the kernel: what asks a service is done in a thread, so that cells go on.

The thread touches nothing but traits: it never prints.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from oseo_lab.client import display
from oseo_lab.model.errors import OseoError

__all__ = ["Worker"]

_LOG = logging.getLogger("oseo_lab.widgets")
_LOG.addHandler(logging.NullHandler())  # threads print nothing into a notebook that has set up no log


class Worker:
    """Does one thing at a time for one widget; what is asked for meanwhile is refused.

    Parameters
    ----------
    changed : callable
        Called whenever `busy` or `said` changed: the widget draws itself again.

    Attributes
    ----------
    busy : str
        What is being done; empty if nothing is.
    said : str
        The sentence that came of the last work, if one did.
    tone : str
        How it is meant: ``error``, ``warn`` or ``good``.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._thread: threading.Thread | None = None
        self.busy = self.said = self.tone = ""

    def start(self, what: str, work: Callable[[], Any], done: Callable[[Any], None]) -> bool:
        """Do some work in a thread and hand over what came of it; False where something is done already."""
        if self.busy:
            return False
        self.busy, self.said = what, ""
        self._changed()
        self._thread = threading.Thread(target=self._run, args=(work, done), daemon=True, name=f"oseo {what}")
        self._thread.start()
        return True

    def _run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        heard: list[str] = []
        try:
            with display.telling(heard.append):
                found = work()
                self.busy = ""
                done(found)
            if heard:
                self.tell(" ".join(heard), "warn")
        except OseoError as wrong:
            self.tell(str(wrong), "error")
        except Exception as wrong:  # a thread has nobody to raise to: said where it was asked for
            _LOG.exception("%s went wrong", self.busy or "a widget's work")
            self.tell(f"that went wrong: {wrong!r:.200}; the kernel's log says more", "error")
        finally:
            self.busy = ""
            self._changed()

    def tell(self, text: str, tone: str) -> None:
        """Say a sentence where the work was asked for."""
        self.said, self.tone = text, tone

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing is being done; for scripts and tests."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
