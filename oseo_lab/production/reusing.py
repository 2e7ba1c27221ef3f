"""Delivering an item from a result that is kept: linked or copied, every byte checked, told where it is from.

The dispatcher found the result (`ItemJob.earlier`); here is looked whether it still is what would be made
now. Whatever is wrong with it is `Unusable`: then the item is made as any other.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oseo_lab.model.job import DeliveredFile, ItemJob, Product
from oseo_lab.model.order import order_uuid
from oseo_lab.model.reuse import Earlier
from oseo_lab.ports import Inputs, Workspace
from oseo_lab.production.packaging import BLOCK
from oseo_lab.production.records import ITEM, MANIFEST, measured, sha256_of
from oseo_lab.production.workspace import SAFE_NAME, local_path

__all__ = ["Kept", "Unusable", "fetch", "source_of"]

#: What is wrong with a file that no other try will read.
_UNREADABLE = frozenset({errno.EACCES, errno.EPERM, errno.EIO, errno.EISDIR, errno.ENOTDIR, errno.ELOOP})
#: Properties of a catalogued product that change when it is made anew.
_REVISED = ("version", "processing:version", "processing:datetime", "updated")


class Unusable(Exception):
    """Why a kept result cannot be used again, for its user."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a kept result holds, in the workspace: its data files, its STAC item, what it was made from."""

    source: str
    products: list[Product]
    document: dict[str, Any]


def source_of(inputs: Inputs) -> str:
    """Return what tells one state of a product from another: digests of what is said of it, and of its files.

    The files of a product that is offline cannot be looked at: then the second is left out.
    """
    said = [str(inputs.item.properties.get(name, "")) for name in _REVISED]
    files: list[str] = []
    for asset in inputs.item.assets:
        said += [asset.name, asset.href, str(asset.size or "")]
        place = local_path(inputs.paths[asset.name]) if asset.name in inputs.paths else None
        with suppress(OSError):  # not there: the processor will say so
            if place is not None:
                found = place.stat()
                files += [str(found.st_size), str(found.st_mtime_ns)]
    described = _digest(said)
    return f"{described}." if inputs.item.offline is not None else f"{described}.{_digest(files)}"


def _digest(said: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(said).encode(errors="backslashreplace")).hexdigest()[:32]


def fetch(job: ItemJob, earlier: Earlier, inputs: Inputs, workspace: Workspace) -> Kept:
    """Bring the files of a kept result into the workspace.

    Raises
    ------
    Unusable
        If one is gone or damaged, or the product has changed since.
    """
    files = {each.name: each for each in earlier.files}
    get = _getter(job, earlier)
    manifest = _document(files.get(MANIFEST), get, workspace)
    made_from = str(manifest.get("source", ""))
    if not made_from.startswith(source_of(inputs)):
        raise Unusable("the product has changed since")
    document = _document(files.get(ITEM), get, workspace)
    products = []
    for number, file in enumerate(earlier.files):
        if not file.is_data:
            continue
        workspace.cancelled()
        workspace.progress(number / len(earlier.files))
        products.append(_checked(file, get, workspace))
    if not products:
        raise Unusable("it has no files")
    return Kept(source=made_from, products=products, document=document)


def _checked(
    file: DeliveredFile, get: Callable[[str, Path, Workspace], None], workspace: Workspace
) -> Product:
    """Return one file of it, as it was delivered: of the same digest."""
    if not SAFE_NAME.match(file.name):
        raise Unusable("it has a file of an odd name")
    target = workspace.root / file.name
    try:
        get(file.name, target, workspace)
        product = measured(Product(path=str(target), name=file.name, media_type=file.media_type), workspace)
    except FileNotFoundError:
        raise Unusable("a file of it is gone") from None
    except OSError as wrong:
        if wrong.errno not in _UNREADABLE:
            raise
        raise Unusable("a file of it cannot be read") from None
    if sha256_of(product) != file.sha256:
        raise Unusable("a file of it is damaged")
    return product


def _document(
    file: DeliveredFile | None, get: Callable[[str, Path, Workspace], None], workspace: Workspace
) -> dict[str, Any]:
    """Return one of the two documents that lie beside the data."""
    if file is None:
        raise Unusable("what describes it is gone")
    path = workspace.root / _checked(file, get, workspace).path
    document = json.loads(path.read_bytes())
    path.unlink()  # this delivery has its own
    if not isinstance(document, dict):
        raise Unusable("what describes it cannot be read")
    return document


def _getter(job: ItemJob, earlier: Earlier) -> Callable[[str, Path, Workspace], None]:
    """Return what brings a file of an earlier delivery to a path: by a link, where that is possible."""
    place = f"{order_uuid(earlier.order_id)}/{earlier.number}/{earlier.attempt}"
    folder = local_path(job.results)
    if folder is not None:
        return lambda name, target, workspace: _link(folder / place / name, target, workspace)
    import fsspec

    fs, root = fsspec.core.url_to_fs(job.results)

    def download(name: str, target: Path, workspace: Workspace) -> None:
        with fs.open(f"{root.rstrip('/')}/{place}/{name}", "rb") as source:
            _copy(source, target, workspace)

    return download


def _link(source: Path, target: Path, workspace: Workspace) -> None:
    """Give a file a second name, which stays when the first goes; copy it where it cannot have one."""
    try:
        # what lies elsewhere by now has only a link here: the second name would be the link's
        os.link(os.path.realpath(source, strict=True), target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        with source.open("rb") as opened:
            _copy(opened, target, workspace)


def _copy(source: Any, target: Path, workspace: Workspace) -> None:
    with target.open("wb") as written:
        while block := source.read(BLOCK):
            workspace.cancelled()
            written.write(block)
