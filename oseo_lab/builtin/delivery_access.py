"""On-line data access: finished products into the results folder, whole under their final name or not at all.

The worker's last step. On a local file system the files are gathered in a hidden sibling folder, synced,
and renamed to ``<results>/<order uuid>/<item number>/<attempt>``, which must not exist yet: a late attempt
never overwrites. Elsewhere (object stores) they are uploaded in the order given, the manifest last.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from oseo_lab.model.job import DeliveredFile, FailureClass, ItemJob, Product
from oseo_lab.model.order import order_uuid
from oseo_lab.ports import ProcessingFailed, Workspace

__all__ = ["OnlineAccess"]

SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}\Z")
#: Files beside the data, by which a delivery is described and known to be whole.
BESIDE = frozenset({"item.json", "manifest.json"})
BLOCK = 1 << 20
#: Multihash prefix of SHA-256, as ``file:checksum`` has it.
SHA256 = "1220"


class OnlineAccess:
    """Delivery channel ``onlineDataAccess``; the server hands out URLs to what it delivers."""

    def __call__(
        self, item: ItemJob, products: Sequence[Product], workspace: Workspace
    ) -> list[DeliveredFile]:
        """Deliver all products as one.

        Raises
        ------
        ProcessingFailed
            Class INTERNAL where this attempt was delivered before; CANCELLED where it is not wanted.
        """
        order = order_uuid(item.order_id)
        if order is None or item.number < 0 or item.attempt < 0:
            raise ValueError(f"{item.order_id!r} item {item.number} is not one of this service's")
        sources = [_source(product, workspace) for product in products]
        place = f"{order}/{item.number}/{item.attempt}"
        local = _local(item.results)
        if local is not None:
            return _deliver_locally(local / place, products, sources, workspace)
        return _upload(item.results.rstrip("/") + "/" + place, products, sources, workspace)


def _source(product: Product, workspace: Workspace) -> Path:
    """Return where a product's file lies; inside the workspace, under a name that is safe anywhere."""
    if not SAFE_NAME.match(product.name):
        raise ValueError(f"{product.name!r} cannot name a delivered file")
    path = (workspace.root / product.path).resolve()
    if not path.is_relative_to(workspace.root.resolve()):
        raise ValueError(f"{product.path!r} is outside the workspace")
    return path


def _local(url: str) -> Path | None:
    if "://" not in url:
        return Path(url)
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme in ("file", "local") else None


def _deliver_locally(
    final: Path, products: Sequence[Product], sources: Sequence[Path], workspace: Workspace
) -> list[DeliveredFile]:
    final.parent.mkdir(parents=True, exist_ok=True)
    gathering = final.parent / f".{final.name}-{secrets.token_hex(6)}"
    gathering.mkdir()
    try:
        delivered = [
            _move(product, source, gathering / product.name, workspace)
            for product, source in zip(products, sources, strict=True)
        ]
        _sync(gathering)
        workspace.cancelled()
        _settle(gathering, final)
    except BaseException:
        shutil.rmtree(gathering, ignore_errors=True)
        raise
    _sync(final.parent)
    return delivered


def _settle(gathering: Path, final: Path) -> None:
    """Give the folder its final name; a folder that holds something is never replaced by a rename."""
    try:
        gathering.rename(final)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise _delivered_before(str(final)) from None
        raise


def _delivered_before(where: str) -> ProcessingFailed:
    return ProcessingFailed(
        "already delivered",
        failure_class=FailureClass.INTERNAL,
        detail=f"{where} exists; an earlier run of the same attempt got there first",
    )


def _move(product: Product, source: Path, target: Path, workspace: Workspace) -> DeliveredFile:
    """Move a file within one file system, copy it to another; synced, with its size and digest known."""
    known = str(product.properties.get("file:checksum", "")).removeprefix(SHA256)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with source.open("rb") as read, target.open("wb") as write:
            copied = _copy(read, write, workspace)
            _compare(product, known, copied)
            known = copied
    with target.open("rb") as moved:
        known = known or _copy(moved, None, workspace)
        os.fsync(moved.fileno())
        size = os.fstat(moved.fileno()).st_size
    return _file(product, size, known)


def _copy(source: IO[bytes], target: Any, workspace: Workspace) -> str:
    """Copy in blocks, asking before each whether to go on; return the SHA-256 digest."""
    digest = hashlib.sha256()
    while block := source.read(BLOCK):
        workspace.cancelled()
        digest.update(block)
        if target is not None:
            target.write(block)
    return digest.hexdigest()


def _compare(product: Product, known: str, copied: str) -> None:
    if known and known != copied:
        raise ProcessingFailed(
            "a file changed while it was delivered; this is tried again",
            retry=True,
            detail=f"{product.name}: {known} before, {copied} after",
        )


def _file(product: Product, size: int, sha256: str) -> DeliveredFile:
    return DeliveredFile(
        name=product.name,
        size=size,
        sha256=sha256,
        media_type=product.media_type,
        is_data=product.name not in BESIDE,
    )


def _upload(
    url: str, products: Sequence[Product], sources: Sequence[Path], workspace: Workspace
) -> list[DeliveredFile]:
    """Upload in the order given; the manifest comes last, and only what has one is a delivery."""
    import fsspec

    fs, folder = fsspec.core.url_to_fs(url)
    if fs.exists(f"{folder}/manifest.json"):
        raise _delivered_before(url)
    fs.makedirs(folder, exist_ok=True)
    ordered = sorted(zip(products, sources, strict=True), key=lambda pair: pair[0].name == "manifest.json")
    delivered = []
    for product, source in ordered:
        known = str(product.properties.get("file:checksum", "")).removeprefix(SHA256)
        workspace.cancelled()
        with source.open("rb") as read, fs.open(f"{folder}/{product.name}", "wb") as write:
            copied = _copy(read, write, workspace)
        _compare(product, known, copied)
        delivered.append(_file(product, source.stat().st_size, copied))
    return delivered


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
