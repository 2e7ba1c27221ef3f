"""Tasking by a file: an operator, or the ground segment, writes down what tasking requests have acquired.

A JSON object or a TOML document: each request id (or ``[requests."<id>"]``) with its ``state`` (waiting,
acquired, failed), the ``product`` that was acquired, and a ``text`` for the user. Read again when it has
changed; what cannot be read is said in the log and leaves everybody waiting.
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.ports import Acquisition, AcquisitionState

__all__ = ["FileTasking"]

log = logging.getLogger("oseo_lab.tasking")

#: Largest file that is read, bytes.
LARGEST = 64 * 1024 * 1024


class FileTasking:
    """What tasking requests have acquired, as a file says.

    Parameters
    ----------
    collection_id : str
        Whose products they become.
    settings : mapping
        ``href``: path of the file, ``.json`` or ``.toml``; it may be written later.

    Raises
    ------
    ConfigurationError
        If ``href`` is missing or has another ending.
    """

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        href = str(settings.get("href") or "")
        self._path = Path(href.removeprefix("file://"))
        if self._path.suffix.lower() not in (".json", ".toml"):
            raise ConfigurationError(f"{collection_id}: tasking.href must name a .json or .toml file")
        self._collection_id = collection_id
        self._version: tuple[int, int] | None = None
        self._said: dict[str, Acquisition] = {}

    def __call__(self, request_ids: Sequence[str]) -> Mapping[str, Acquisition]:
        """Return what became of tasking requests; one that is not named is still waiting."""
        self._refresh()
        return {each: self._said[each] for each in request_ids if each in self._said}

    def _refresh(self) -> None:
        """Read the file if it is another one than last time; keep what was said while it cannot be read."""
        try:
            found = self._path.stat()
            version = found.st_mtime_ns, found.st_size
            if version == self._version:
                return
            self._version = version
            if found.st_size > LARGEST:
                raise ValueError(f"it has {found.st_size} bytes; allowed: {LARGEST}")
            self._said = self._read(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._version, self._said = None, {}
        except (OSError, ValueError, RecursionError) as wrong:
            log.warning("%s: the tasking file %s cannot be read: %s", self._collection_id, self._path, wrong)

    def _read(self, text: str) -> dict[str, Acquisition]:
        said = tomllib.loads(text) if self._path.suffix.lower() == ".toml" else json.loads(text)
        if isinstance(said, dict) and isinstance(said.get("requests"), dict):
            said = said["requests"]
        if not isinstance(said, dict):
            raise ValueError("it holds no object of requests")
        found: dict[str, Acquisition] = {}
        for request_id, entry in said.items():
            try:
                found[request_id] = self._acquisition(entry)
            except (ValueError, TypeError, KeyError) as wrong:
                log.warning("%s: tasking request %r: %s", self._collection_id, request_id[:100], wrong)
        return found

    def _acquisition(self, entry: Mapping[str, Any]) -> Acquisition:
        state = AcquisitionState(str(entry["state"]).lower())
        product = entry.get("product")
        if state is AcquisitionState.ACQUIRED and not (isinstance(product, str) and product):
            raise ValueError("an acquired request names its product")
        f"{product} {entry.get('text')}".encode()  # half a surrogate pair could be neither kept nor told
        return Acquisition(
            state=state,
            product=ProductId(identifier=product, collection_id=self._collection_id)
            if isinstance(product, str) and product
            else None,
            text=str(entry["text"])[:4000] if entry.get("text") else None,
        )
