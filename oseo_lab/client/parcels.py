"""What opens one item's delivery without asking anybody: its URLs, its manifest, its description.

A parcel can be pickled and opened elsewhere, by a Dask worker: the URLs are signed until they expire, no
token goes with them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oseo_lab.client.deliveries import (
    ITEM,
    MANIFEST,
    Delivery,
    beside,
    name_of,
    object_of,
    place_of,
    tasks_of,
    with_files,
    with_links,
    write,
)
from oseo_lab.client.names import folder_name
from oseo_lab.client.undescribed import plain_files, plain_links
from oseo_lab.model.errors import DeliveryError, ResultExpired

if TYPE_CHECKING:
    from oseo_lab.client.results import Results
    from oseo_lab.client.transport import Transport

__all__ = ["Checksum", "ItemFile", "Parcel", "Parcels"]

#: How long before its end a URL is asked for anew.
SPARE = timedelta(minutes=5)


class Checksum(str):
    """A SHA-256, hexadecimal."""

    @property
    def sha256(self) -> str:
        """All of its 64 digits."""
        return str(self)

    @property
    def short(self) -> str:
        """Its first eight digits, to tell files apart by eye."""
        return self[:8]


@dataclass(frozen=True, kw_only=True)
class ItemFile:
    """One file that was delivered.

    Parameters
    ----------
    name : str
        Its file name.
    url : str
        Where it was delivered.
    path : Path or None
        Where it was downloaded to.
    size : int or None
        Bytes, where the service told them.
    checksum : Checksum or None
        SHA-256, where the service told it.
    media_type : str
        What it is.
    """

    name: str
    url: str
    path: Path | None = None
    size: int | None = None
    checksum: Checksum | None = None
    media_type: str = ""

    def __repr__(self) -> str:
        return f"ItemFile({self.name!r}, {self.size} bytes{f', {self.path}' if self.path else ''})"


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One item's delivery.

    Parameters
    ----------
    order_id, order_name : str
        The order it is of.
    delivery : Delivery
        Where the files lie.
    manifest, description : bytes or None
        ``manifest.json`` and ``item.json`` as they lie beside the data; None where a service keeps none.
    """

    order_id: str
    order_name: str
    delivery: Delivery
    manifest: bytes | None = None
    description: bytes | None = None

    def stac(self, place: Path | None) -> tuple[dict[str, Any], str]:
        """Return its STAC item, and what its links are relative to: the folder it lies in, or a URL."""
        if place is not None and self.manifest is not None and not (place / MANIFEST).is_file():
            place = None  # a download that was cut short: the whole lies where it was delivered
        if self.description is None:
            here = plain_files([self.delivery], place.parent) if place else []
            return here[0] if here else plain_links(self.delivery)
        item = object_of(self.description, f"{ITEM} of item {self.delivery.item_id!r}")
        if place is None:
            return with_links(item, self.delivery), self.delivery.base
        return with_files(item), f"{place.resolve()}/"

    def files(self, place: Path | None) -> tuple[ItemFile, ...]:
        """Return its data files."""
        tasks = tasks_of(self.delivery, place or Path(), self.manifest)
        return tuple(
            ItemFile(
                name=name_of(each.url),
                url=each.url,
                path=each.path if place is not None and each.path.is_file() else None,
                size=each.size,
                checksum=Checksum(each.sha256) if each.sha256 else None,
                media_type=each.media_type,
            )
            for each in tasks
            if each.is_data
        )

    def place(self, folder: Path) -> Path:
        """Return where it is downloaded to, below a folder: ``<order name>/<item id>``."""
        return place_of(folder, self.order_name, self.order_id) / folder_name(self.delivery.item_id)

    def fetch(self, place: Path, transport: Transport, **how: Any) -> list[Path]:
        """Download it; its manifest is written last."""
        from oseo_lab.client.downloads import fetch_all

        data = [each for each in tasks_of(self.delivery, place, self.manifest) if each.is_data]
        fetch_all(transport, data, f"{self.order_name}/{self.delivery.item_id}", **how)
        if self.manifest is not None and self.description is not None:
            write(place / ITEM, self.description)
            write(place / MANIFEST, self.manifest)
        return [each.path for each in data]


class Parcels:
    """The parcels of one order, asked for once and kept until their URLs are about to expire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: Results | None = None
        self._kept: dict[str, Parcel] = {}

    def of(self, results: Any, item_ids: Iterable[str]) -> list[Parcel]:
        """Return the parcels of delivered items.

        Parameters
        ----------
        results : callable
            Asks the service for the order's `Results`.
        item_ids : iterable of str
            Of which items.

        Raises
        ------
        ResultExpired
            If the files of one are not kept any more.
        DeliveryError
            If the order was delivered as one package.
        """
        wanted = list(item_ids)
        with self._lock:
            found = self._known(wanted) or self._asked(results, wanted)
            missing = [each for each in wanted if each not in self._kept]
            for parcel in _described(found, missing):
                self._kept[parcel.delivery.item_id] = parcel
            return [self._kept[each] for each in wanted]

    def _known(self, wanted: list[str]) -> Results | None:
        found = self._results
        if found is None or any(each.expiration and _is_late(each.expiration) for each in found):
            return None
        return found if {each.item_id for each in found}.issuperset(wanted) else None

    def _asked(self, results: Any, wanted: list[str]) -> Results:
        found: Results = results()
        known = {each.item_id for each in found}
        if known == {"order"} and "order" not in wanted:
            raise DeliveryError(f"{found.name!r} was packed as one file: order.download(folder) fetches it")
        if gone := [each for each in wanted if each not in known]:
            note = found.note or "its files are not kept any more; order it again"
            raise ResultExpired(f"{', '.join(gone[:5])}: {note}")
        self._results, self._kept = found, {}
        return found


def _is_late(expires: datetime) -> bool:
    return expires - SPARE < datetime.now(UTC)


def _described(results: Results, item_ids: list[str]) -> list[Parcel]:
    """Return parcels with what lies beside their data, several fetched at a time."""
    deliveries = {each.item_id: each for each in results.deliveries}
    wanted = [deliveries[each] for each in item_ids]

    def parcel(delivery: Delivery) -> Parcel:
        return Parcel(
            order_id=results.order_id,
            order_name=results.name,
            delivery=delivery,
            manifest=beside(results.transport, delivery, MANIFEST),
            description=beside(results.transport, delivery, ITEM),
        )

    if len(wanted) < 2:
        return [parcel(each) for each in wanted]
    with ThreadPoolExecutor(8, thread_name_prefix="oseo-describe") as pool:
        return list(pool.map(parcel, wanted))
