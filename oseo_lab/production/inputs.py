"""Before a processor runs: what the catalogue says of the product, and where its assets may be opened.

Asks the collection's catalogue plugin; existence is a worker's question, so that Submit asks nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from oseo_lab.model.archive import Offline
from oseo_lab.model.job import CatalogueItem, FailureClass, ItemJob
from oseo_lab.plugins import load
from oseo_lab.ports import Catalogue, Inputs, ProcessingFailed, RestoringCatalogue
from oseo_lab.production.workspace import local_path

__all__ = ["find_inputs"]

#: Schemes an asset may be opened by. The collection's own, narrower list is the catalogue's to apply.
SCHEMES = frozenset({"file", "local", "http", "https", "s3", "gs", "ftp", "sftp", "memory"})


def find_inputs(job: ItemJob, *, restores: bool = True) -> Inputs:
    """Return the product a job works from and where each of its assets lies.

    Parameters
    ----------
    job : ItemJob
        What is to be made.
    restores : bool
        Whether an archive is asked for what is offline; not, where nothing is read of it.

    Raises
    ------
    ProcessingFailed
        If there is no such product, it cannot be ordered, it is over the collection's limit, or an asset
        lies where nothing is opened; with ``FailureClass.WAITING`` if its archive is restoring it.
    """
    identifier = job.product.identifier
    catalogue = _catalogue(job)
    item = catalogue.find([identifier]).get(identifier)
    if item is None:
        raise ProcessingFailed(f"there is no product {identifier!r} in the collection {job.collection_id!r}")
    if not item.orderable:
        raise ProcessingFailed(item.reason or f"the product {identifier!r} cannot be ordered")
    _check_size(item, job.max_bytes)
    if item.offline is not None and restores:
        _restore(catalogue, item, item.offline)
    return Inputs(item=item, paths={asset.name: _openable(asset.href) for asset in item.assets})


def _restore(catalogue: Catalogue, item: CatalogueItem, offline: Offline) -> None:
    """Ask the archive for a product; whoever waits for it goes on when it is there."""
    if not isinstance(catalogue, RestoringCatalogue):
        raise ProcessingFailed(
            f"the product {item.identifier!r} is offline, and its archive cannot be asked from here"
        )
    if not catalogue.restore(item):
        raise ProcessingFailed(
            "the product is being restored from its archive",
            failure_class=FailureClass.WAITING,
            usually=offline.usually,
        )


def _catalogue(job: ItemJob) -> Catalogue:
    settings = json.dumps(job.catalogue_settings, sort_keys=True, default=str)
    return _made(job.catalogue, job.collection_id, settings, _Held(job.catalogue_settings))


class _Held:
    """Settings that ride along into the cache; the JSON text beside them is what tells them apart."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=64)
def _made(name: str, collection_id: str, settings: str, held: _Held) -> Catalogue:
    catalogue: Catalogue = load("catalogue", name)(collection_id, held.settings)
    return catalogue


def _check_size(item: CatalogueItem, max_bytes: int | None) -> None:
    size = sum(asset.size or 0 for asset in item.assets)
    if max_bytes is not None and size > max_bytes:
        raise ProcessingFailed(
            f"the product {item.identifier!r} has {size} bytes and the limit is {max_bytes}; "
            "ask the operator to raise it",
            failure_class=FailureClass.QUOTA,
        )


def _openable(href: str) -> str:
    """Return a local path for what is local, the URL for what is not; refuse anything cleverer."""
    local = local_path(href)
    if local is not None and not href.startswith("/vsi"):
        return str(local)
    if href.partition("://")[0].lower() in SCHEMES and "::" not in href:
        return href
    raise ProcessingFailed(
        "a file of this product lies where this service opens nothing",
        detail=f"refused {href!r}; allowed: local paths, {', '.join(sorted(SCHEMES))}",
    )
