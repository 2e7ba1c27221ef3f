"""The demo's archive: its catalogue, with one scene that must be restored first, as archives have many.

The STAC catalogue of the box finds the scenes. Since when the one on tape is being restored is a file's age
in the machine's temporary folder, so that the server and its workers agree; some minutes later it is offline
again.
"""

from __future__ import annotations

import getpass
import hashlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from oseo_lab.model.archive import Offline
from oseo_lab.model.job import CatalogueItem
from oseo_lab.plugins import load
from oseo_lab.ports import Catalogue, CatalogueQuery, PicturedCatalogue, Thumbnail

__all__ = ["OFFLINE", "DemoArchive"]

#: The scene on tape.
OFFLINE = "S2-DEMO_20240622"
#: Seconds that a restored scene stays.
_STAYS = 600.0


class DemoArchive:
    """The scenes of the demo, one of them offline.

    Parameters
    ----------
    collection_id : str
        The collection they are ordered from.
    settings : mapping
        As the catalogue ``stac`` has them; ``restore``, seconds that a restore takes.
    """

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        self._inside: Catalogue = load("catalogue", "stac")(collection_id, settings)
        self._takes = float(settings.get("restore") or 0)
        name = hashlib.sha256(str(settings["href"]).encode()).hexdigest()[:16]
        self._asked = Path(tempfile.gettempdir()) / f"oseo_lab-demo-{_user()}" / f"{name}-{OFFLINE}"

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Return the scenes that exist, by identifier."""
        return {name: self._told(item) for name, item in self._inside.find(identifiers).items()}

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Return matching scenes, newest first, and a cursor for more (None at the end)."""
        found, cursor = self._inside.search(query)
        return [self._told(item) for item in found], cursor

    def thumbnail(self, identifier: str) -> Thumbnail | None:
        """Return a scene's small picture: pictures are never on tape."""
        inside = self._inside
        return inside.thumbnail(identifier) if isinstance(inside, PicturedCatalogue) else None

    def restore(self, item: CatalogueItem) -> bool:
        """Ask for the scene on tape; True if it is there after all."""
        if self._told(item).offline is None:
            return True
        if self._age() is None:
            try:
                self._asked.parent.mkdir(mode=0o700, exist_ok=True)
                self._asked.touch()
            except OSError:  # a machine that keeps nothing has no archive either
                return True
        return False

    def _told(self, item: CatalogueItem) -> CatalogueItem:
        age = self._age()
        is_there = age is not None and age >= self._takes
        if item.identifier != OFFLINE or is_there:
            return replace(item, offline=None)
        return replace(item, offline=Offline(usually=self._takes, is_asked=age is not None))

    def _age(self) -> float | None:
        """Return how long ago a restore was asked for, seconds; None where none is under way or holds."""
        try:
            age = time.time() - self._asked.stat().st_mtime
        except OSError:
            return None
        return age if 0 <= age <= self._takes + _STAYS else None


def _user() -> str:
    try:
        return "".join(each for each in getpass.getuser() if each.isalnum()) or "user"
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return "user"
