"""The shortest processor: a product's files as they are. Read this one to write your own.

A processor is called with the job, the inputs and a workspace, and returns the files it made::

    def double(item, inputs, workspace):
        '''Every file twice in a row.'''
        products = []
        for name, path in inputs.paths.items():
            workspace.cancelled()                      # raises if the user has cancelled
            target = workspace.path(f"{name}.bin")     # a file of this job's own folder
            target.write_bytes(Path(path).read_bytes() * 2)
            products.append(Product(path=str(target), name=target.name,
                                    media_type="application/octet-stream"))
        return products

    double.options = double.scene_options = ()         # what GetOptions shows of it

Name it in a collection file as ``use = "my_module:double"``, or install it as an entry point of the group
``oseo_lab.processors``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from oseo_lab.builtin.remote import hosts_of, is_http, open_http
from oseo_lab.model.job import Asset, FailureClass, ItemJob, Product
from oseo_lab.model.options import OptionDefinition
from oseo_lab.ports import Inputs, ProcessingFailed, Workspace

__all__ = ["COPY", "Copy"]

BLOCK = 1 << 20
#: Seconds without an answer from a remote file's server.
PATIENCE = 60


class Copy:
    """Passes a product's assets through unchanged; it has no options."""

    options: Sequence[OptionDefinition] = ()
    scene_options: Sequence[OptionDefinition] = ()

    def __call__(self, item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
        """Copy each asset into the workspace.

        Raises
        ------
        ProcessingFailed
            If there is nothing to copy, it is over ``max_bytes``, the item is cancelled, or a remote file
            ends before its end.
        """
        if not inputs.item.assets:
            raise ProcessingFailed(f"the product {inputs.item.identifier!r} has no files")
        total = sum(asset.size or 0 for asset in inputs.item.assets)
        names: set[str] = set()
        products: list[Product] = []
        done = 0
        for asset in inputs.item.assets:
            name = _name(asset, names)
            path = workspace.path(name)
            with _open(inputs.paths[asset.name], hosts_of(item)) as source, path.open("wb") as target:
                while block := source.read(BLOCK):
                    workspace.cancelled()
                    done += len(block)
                    _check(done, item.max_bytes)
                    target.write(block)
                    workspace.progress(done / total if total else 0.0)
                _check_whole(source, name)
            products.append(_product(asset, str(path), name))
        return products


COPY = Copy()


def _name(asset: Asset, taken: set[str]) -> str:
    """Return a safe file name from the asset's own; a second of the same name has the asset's before it."""
    base = _safe(unquote(urlsplit(asset.href).path).rsplit("/", 1)[-1]) or _safe(asset.name) or "file"
    name = base
    for count in range(2, 1000):
        if name.lower() not in taken | {"item.json", "manifest.json"}:
            break
        name = f"{_safe(asset.name) or 'file'}-{count}-{base}"[-200:]
    taken.add(name.lower())
    return name


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip("._")[-150:].lstrip("._")


def _product(asset: Asset, path: str, name: str) -> Product:
    role = next((role for role in asset.roles if role in ("overview", "metadata")), "data")
    bands = {"bands": [{"name": band} for band in asset.bands]} if asset.bands else {}
    media_type = asset.media_type or "application/octet-stream"
    return Product(path=path, name=name, media_type=media_type, role=role, title=asset.name, properties=bands)


def _check(done: int, max_bytes: int | None) -> None:
    if max_bytes is not None and done > max_bytes:
        raise ProcessingFailed(
            f"the product is over the limit of {max_bytes} bytes; ask the operator to raise it",
            failure_class=FailureClass.QUOTA,
        )


def _check_whole(source: IO[bytes], name: str) -> None:
    """Refuse a body that ended early: `http.client` reads a lost connection as the end of the file."""
    missing = getattr(source, "length", None)
    if missing:
        raise ProcessingFailed(
            f"the connection to the product's server broke off, {missing} bytes of {name} are missing; "
            "this is tried again",
            retry=True,
        )


def _open(path: str, hosts: Sequence[str]) -> IO[bytes]:
    """Open a local path or a URL for reading."""
    if is_http(path):
        return open_http(path, hosts, PATIENCE)
    if "://" not in path:
        return Path(path).open("rb")
    import fsspec

    opened: IO[bytes] = fsspec.open(path, "rb").open()
    return opened
