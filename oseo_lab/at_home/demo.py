"""The demo collections in a service in this process: ``oseo_lab.connect("demo")``.

The scenes are drawn once per machine, into a cache; one service runs per process and data folder, however
often somebody connects to it.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from oseo_lab.at_home.service import HomeService
from oseo_lab.demo import make_demo
from oseo_lab.model.errors import ConfigurationError

__all__ = ["DemoService", "demo_archive", "open_demo"]

_LOCK = threading.Lock()
#: The services that run, by data folder (None: temporary).
_RUNNING: dict[Path | None, DemoService] = {}


class DemoService(HomeService):
    """The demo service: shared by all who connect, closed with the last of them."""

    def __init__(self, collections: Path, folder: Path | None) -> None:
        # whoever uses it runs in this computer already: a webhook may be here too
        super().__init__(collections, data_dir=folder, settings={"callback_hosts": ("127.0.0.1",)})
        self._folder = folder
        self._users = 0

    def join(self) -> None:
        """Count somebody who uses it."""
        self._users += 1

    def leave(self) -> None:
        """Count somebody who does not need it any more; without anybody it ends."""
        with _LOCK:
            self._users -= 1
            if self._users > 0:
                return
            _RUNNING.pop(self._folder, None)
        self.close()


def open_demo(data_dir: str | Path | None = None) -> DemoService:
    """Return the demo service of this process, started on first use.

    Parameters
    ----------
    data_dir : str or Path, optional
        Where orders and results are kept for another time; a temporary folder without one.

    Raises
    ------
    ConfigurationError
        If there is no room for the scenes, or the data folder is another service's.
    """
    folder = Path(data_dir).expanduser().absolute() if data_dir else None
    with _LOCK:
        service = _RUNNING.get(folder)
        if service is None:
            if folder is not None:
                _make(folder)
            service = DemoService(demo_archive(), folder)
            service.start()
            _RUNNING[folder] = service
        service.join()
        return service


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        said = "it is a file" if folder.is_file() else wrong.strerror or str(wrong)
        raise ConfigurationError(
            f"data_dir {str(folder)[-200:]} cannot be made: {said}; say another folder, or none for a "
            "temporary one"
        ) from None


def demo_archive() -> Path:
    """Return the folder of the demo collections and their scenes, drawn once per machine.

    Raises
    ------
    ConfigurationError
        If there is no room for them.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")  # XDG Base Directory Specification
    home = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return make_demo(home / "oseo_lab" / "demo", say=print)
