"""The closing job of an order that is packed as a whole: the files of its deliveries, as entries to pack.

Each delivery is read by its manifest, so only whole deliveries are packed and every size is known.
"""

from __future__ import annotations

import json
from typing import IO, Any

from oseo_lab.model.job import ItemJob
from oseo_lab.model.order import order_uuid
from oseo_lab.ports import ProcessingFailed
from oseo_lab.production.packaging import Entry
from oseo_lab.production.records import MANIFEST

__all__ = ["entries_of_order"]


def entries_of_order(job: ItemJob) -> list[Entry]:
    """Return the files of an order's deliveries, under their item numbers.

    Raises
    ------
    ProcessingFailed
        If there is nothing to pack, or a delivery is not there any more.
    """
    if not job.deliveries:
        raise ProcessingFailed("no item of this order was delivered, so there is nothing to pack")
    import fsspec

    fs, root = fsspec.core.url_to_fs(job.results)
    base = f"{root.rstrip('/')}/{order_uuid(job.order_id)}"
    return [
        entry
        for number, attempt in sorted(job.deliveries)
        for entry in _entries(fs, f"{base}/{number}/{attempt}", number)
    ]


def _entries(fs: Any, folder: str, number: int) -> list[Entry]:
    try:
        manifest = json.loads(fs.cat_file(f"{folder}/{MANIFEST}"))
    except FileNotFoundError:
        raise ProcessingFailed(f"the result of item {number} is not there any more") from None
    return [
        Entry(
            name=f"{number}/{each['name']}", size=each["size"], open=_Remote(fs, f"{folder}/{each['name']}")
        )
        for each in manifest["files"]
    ]


class _Remote:
    """Opens one delivered file."""

    def __init__(self, fs: Any, path: str) -> None:
        self._fs = fs
        self._path = path

    def __call__(self) -> IO[bytes]:
        opened: IO[bytes] = self._fs.open(self._path, "rb")
        return opened
