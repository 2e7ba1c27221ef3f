"""What travels to a worker for one item and what comes back: plain, picklable, without secrets.

A worker needs nothing but the `ItemJob`: the item, its collection's resolved section, where inputs,
scratch and results lie, and the names of plugins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from oseo_lab.model.archive import Offline
from oseo_lab.model.delivery import DeliveredFile, Packaging
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.reuse import Earlier

__all__ = [
    "Asset",
    "CatalogueItem",
    "DeliveredFile",
    "Failure",
    "FailureClass",
    "ItemJob",
    "ItemReport",
    "JobEvent",
    "Product",
    "Progress",
    "Started",
    "can_retry",
    "job_key",
]


class FailureClass(StrEnum):
    """Why an item was not made; ``TRANSIENT`` ones are tried again by the service itself.

    ``WAITING`` is no failure: the product is being restored from its archive, and the item goes on when it is
    there, however often that is looked at.
    """

    TRANSIENT = "transient"
    QUOTA = "quota"
    LIMIT = "limit of the order"
    PERMANENT = "permanent at source"
    BAD_REQUEST = "bad request"
    CANCELLED = "cancelled"
    INTERNAL = "internal"
    WAITING = "waiting for the archive"

    @property
    def can_retry(self) -> bool:
        """Whether it may help if the user has an item tried again that failed so."""
        return _MAY_HELP[self]


#: Whether trying an item again may help, by why it was not made.
_MAY_HELP: Mapping[str, bool] = {
    FailureClass.TRANSIENT: True,  # given up after the tries that the service makes by itself
    FailureClass.QUOTA: True,  # a balance or a limit may have been raised
    FailureClass.LIMIT: False,  # `max_bytes` stands as long as its order: a new one may have another
    FailureClass.PERMANENT: False,
    FailureClass.BAD_REQUEST: False,
    FailureClass.CANCELLED: False,  # nobody wanted it
    FailureClass.INTERNAL: True,
    FailureClass.WAITING: False,  # it goes on by itself
}


def can_retry(failure: str | None) -> bool:
    """Whether trying an item again may help, by what the outcome of its last attempt says.

    Parameters
    ----------
    failure : str or None
        Value of a `FailureClass`; where it is none, nothing is known against trying again.
    """
    return _MAY_HELP.get(failure or "", True)


#: Longest ``reason``, characters: room for what the dispatcher adds below the 4000 of the schema.
REASON_LENGTH = 3500


def storable(text: str) -> str:
    """Return a text as every store and every message can hold it.

    Plugins quote file names, libraries and servers elsewhere, whose bytes need be no Unicode; databases
    refuse NUL, XML 1.0 all control characters but tab and line ends, terminals obey some.
    """
    whole = text.encode("utf-8", "backslashreplace").decode()
    return whole if whole.isprintable() else _CONTROLS.sub(_escaped, whole)


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def _escaped(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why one attempt ended without a delivery.

    Parameters
    ----------
    failure_class : FailureClass
        What may help.
    reason : str
        One sentence for the user; becomes ``additionalStatusInfo``. Cut at 3500 characters.
    detail : str or None
        For the operator: exception, trace, command.
    counts : bool
        Whether it is one of the item's tries; not, where nobody was there to begin it.
    usually : float or None
        Of ``WAITING``: seconds that a restore takes, as far as anybody knows.
    """

    failure_class: FailureClass
    reason: str
    detail: str | None = None
    counts: bool = True
    usually: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", storable(self.reason)[:REASON_LENGTH])
        if self.detail is not None:
            object.__setattr__(self, "detail", storable(self.detail))


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """One file of a catalogued product.

    Parameters
    ----------
    name : str
        Asset key, such as a band name.
    href : str
        Where it lies; already checked against the collection's root, schemes and hosts.
    media_type : str or None
        As the catalogue says.
    bands : tuple of str
        Band names, in the file's order; empty if the catalogue does not say.
    roles : tuple of str
        STAC roles.
    size : int or None
        Bytes, if known.
    classes : tuple of str
        Which of the bands hold codes of classes or flags; the asset's own name stands for all of them.
    """

    name: str
    href: str
    media_type: str | None = None
    bands: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    size: int | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueItem:
    """One product as a catalogue describes it.

    Parameters
    ----------
    identifier, collection_id : str
        What to order it by.
    assets : tuple of Asset
        Its files.
    bbox : tuple of float or None
        West, south, east, north; EPSG:4326, degrees.
    geometry : mapping or None
        GeoJSON footprint; EPSG:4326.
    datetime : datetime or None
        Acquisition, UTC.
    properties : mapping
        The rest, as in a STAC item.
    thumbnail : str or None
        Where a small picture is, if there is one; a service tells the path below its ``api/v1/``.
    orderable, reason : bool, str or None
        Whether it can be ordered, and why not.
    offline : Offline or None
        That it must be restored from an archive first; None where its files are there.
    """

    identifier: str
    collection_id: str
    assets: tuple[Asset, ...] = ()
    bbox: tuple[float, float, float, float] | None = None
    geometry: Mapping[str, Any] | None = None
    datetime: datetime | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    thumbnail: str | None = None
    orderable: bool = True
    reason: str | None = None
    offline: Offline | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemJob:
    """Everything a worker needs to make and deliver one item.

    Parameters
    ----------
    key : str
        Names the item and the attempt.
    order_id, number, attempt, item_id : str, int, int, str
        Which item, which try.
    product : ProductId
        What to make it from.
    collection_id, collection_title : str
        Whose it is.
    options, scene : mapping
        Checked Python values, by option name.
    processor, catalogue, delivery : str
        Plugins, by entry-point name or ``module:attr``.
    catalogue_settings : mapping
        What the catalogue needs.
    packaging : Packaging or None
        Container of this item's files; None also where the whole order is packed.
    results, scratch : str
        fsspec URLs of the folders to deliver into and to work in.
    delivery_days : float
        Days the result stays.
    max_bytes : int or None
        Most bytes of input.
    priority : int
        Higher runs earlier.
    is_order_package : bool
        Whether this closing job packs the whole order: its inputs are the delivered items.
    deliveries : tuple of (int, int)
        For an order package: number and attempt of each delivery to pack.
    recipe : str or None
        Digest of all that the result depends on (`oseo_lab.model.reuse`); None where there is none.
    earlier : Earlier or None
        A kept result of the same recipe that it is to be delivered from.
    """

    key: str
    order_id: str
    number: int
    attempt: int
    item_id: str
    product: ProductId
    collection_id: str
    collection_title: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    scene: Mapping[str, Any] = field(default_factory=dict)
    processor: str = "copy"
    catalogue: str = "folder"
    delivery: str = "onlineDataAccess"
    catalogue_settings: Mapping[str, Any] = field(default_factory=dict)
    packaging: Packaging | None = None
    results: str = ""
    scratch: str = ""
    delivery_days: float = 10.0
    max_bytes: int | None = None
    priority: int = 0
    is_order_package: bool = False
    deliveries: tuple[tuple[int, int], ...] = ()
    recipe: str | None = None
    earlier: Earlier | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """One file a processor made in its workspace.

    Parameters
    ----------
    path : str
        Inside the workspace.
    name : str
        Its file name in the delivery: letters, digits, ``._-``; never from a message.
    media_type : str
        What it is.
    role : str
        STAC asset role: ``data``, ``overview``, ``metadata``.
    title : str or None
        For people.
    properties : mapping
        STAC asset fields, such as ``proj:code``, ``bands``, ``gsd``. ``geometry`` (GeoJSON) and ``bbox``,
        EPSG:4326, say where the result lies, if not where its source does; they go to the delivery's item.
    """

    path: str
    name: str
    media_type: str
    role: str = "data"
    title: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """A worker has begun an item."""

    key: str
    worker: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a worker is with an item.

    Parameters
    ----------
    key : str
        The job's.
    fraction : float
        How much of it is done, 0 to 1.
    stage : str or None
        What it is at.
    passed, ahead : tuple of str
        Stages that are behind it, and those that are known to come.
    """

    key: str
    fraction: float
    stage: str | None = None
    passed: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemReport:
    """How an attempt ended: with files, or with a failure.

    Parameters
    ----------
    key : str
        The job's.
    order_id, number, attempt : str, int, int
        Which item, which try.
    files : tuple of DeliveredFile
        What was delivered; empty on failure.
    failure : Failure or None
        Why nothing was.
    worker : str or None
        Where it ran.
    started, ended : datetime or None
        When, UTC.
    log : tuple of str
        What the processor had to say.
    recipe : str or None
        The job's.
    earlier : Earlier or None
        The kept result that it was, or was to be, delivered from.
    is_unusable : bool
        Whether it failed because that result cannot be used: it is damaged, gone, or out of date.
    """

    key: str
    order_id: str
    number: int
    attempt: int
    files: tuple[DeliveredFile, ...] = ()
    failure: Failure | None = None
    worker: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    log: tuple[str, ...] = ()
    recipe: str | None = None
    earlier: Earlier | None = None
    is_unusable: bool = False

    def __post_init__(self) -> None:
        if self.log:
            object.__setattr__(self, "log", tuple(storable(line) for line in self.log))


JobEvent = Started | Progress | ItemReport


def job_key(order_id: str, number: int, attempt: int) -> str:
    """Return the name of one try at an item, on workers and in what they say."""
    return f"oseo-{order_id.removeprefix('urn:uuid:')}-{number}-{attempt}"
