"""One delivery: where its files lie, what they must be, and how they are described.

The manifest beside the data says which files there are and what their bytes must be; it is fetched first and
written last, so that a folder with a manifest is a whole delivery. ``item.json`` is its STAC item. What both
say comes from a server: it is looked at before it names any file here.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from oseo_lab.client.describing import mapping
from oseo_lab.client.names import folder_name
from oseo_lab.client.transport import FILES
from oseo_lab.model.errors import DeliveryError, ResultExpired
from oseo_lab.model.names import short_id

if TYPE_CHECKING:
    from oseo_lab.client.part import FileTask
    from oseo_lab.client.transport import Transport

__all__ = [
    "ITEM",
    "MANIFEST",
    "Delivery",
    "beside",
    "files_of",
    "local_items",
    "name_of",
    "object_of",
    "place_of",
    "tasks_of",
    "with_files",
    "with_links",
    "write",
]

MANIFEST = "manifest.json"
ITEM = "item.json"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The files of one item.

    Parameters
    ----------
    item_id : str
        The item's name in the order; ``order`` for a package of the whole.
    base : str
        URL of the folder they lie in, with a slash at the end.
    urls : tuple of str
        Of the data files.
    """

    item_id: str
    base: str
    urls: tuple[str, ...]


def beside(transport: Transport, delivery: Delivery, name: str) -> bytes | None:
    """Return a small file that lies beside a delivery's data; None where a server keeps none."""
    from oseo_lab.client.downloads import fetch_small

    if f"/{FILES}" not in delivery.base:
        return None  # no service of ours: whatever it answered there would be no manifest
    try:
        return fetch_small(transport, delivery.base + name)
    except ResultExpired:
        raise
    except DeliveryError:
        return None


def local_items(folder: Path, order_id: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the STAC items of an order's deliveries below a folder, with the folder each lies in.

    Raises
    ------
    DeliveryError
        If there is none.
    """
    is_empty = True
    for path in sorted(folder.rglob(ITEM)):
        item = object_of(path.read_bytes(), str(path))
        if mapping(item.get("properties")).get("oseo:order", order_id) == order_id:
            is_empty = False
            yield with_files(item), f"{path.parent.resolve()}/"
    if is_empty:
        raise DeliveryError(
            f"nothing of order {order_id} lies in or below {folder}: results.download({str(folder)!r}) first"
        )


def place_of(folder: Path, name: str, order_id: str) -> Path:
    """Return the order's own folder; a second order of the same name gets its id behind it."""
    root = folder / folder_name(name)
    for manifest in root.glob(f"*/{MANIFEST}"):
        try:
            other = json.loads(manifest.read_bytes()).get("order")
        except (OSError, ValueError, AttributeError):
            continue  # not a manifest: no other order's
        if other not in (None, order_id):
            return folder / f"{root.name}-{short_id(order_id)}"
    return root


def made(folder: Path) -> Path:
    """Return a folder that files can be written in; it is made if need be.

    Raises
    ------
    DeliveryError
        If it cannot be.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is a file")
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "you may not write there")
    except OSError as wrong:
        said = wrong.strerror or wrong
        raise DeliveryError(
            f"nothing can be kept in {str(folder)[-200:]}: {said}; say another folder"
        ) from None
    return folder


def folder_of(url: str) -> str:
    """Return the URL of the folder a file lies in, with a slash at the end."""
    return url.partition("?")[0].rpartition("/")[0] + "/"


def name_of(url: str) -> str:
    """Return the file name in a URL."""
    return unquote(urlsplit(url).path.rpartition("/")[2]) or "file"


def tasks_of(delivery: Delivery, place: Path, manifest: bytes | None) -> list[FileTask]:
    """Return what to fetch into a folder, as the manifest lists it; without one, the files by their URLs."""
    from oseo_lab.client.part import FileTask

    if manifest is None:
        return [FileTask(url=url, path=place / folder_name(name_of(url))) for url in delivery.urls]
    by_name = {name_of(url): url for url in delivery.urls}
    return [
        FileTask(
            url=by_name.get(name, delivery.base + quote(name, safe="")),
            path=place / folder_name(name),
            size=size,
            sha256=sha256,
            media_type=media_type,
            is_data=name != ITEM,
        )
        for name, size, sha256, media_type in files_of(manifest, f"the manifest of item {delivery.item_id!r}")
    ]


def files_of(body: bytes, what: str) -> list[tuple[str, int, str, str]]:
    """Return name, size, SHA-256 and media type of each file a manifest promises; a name is no path."""
    try:
        found = [
            (str(each["name"]), int(each["size"]), str(each["sha256"]), str(each.get("media_type", "")))
            for each in object_of(body, what)["files"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as wrong:
        raise DeliveryError(f"{what} cannot be read: {wrong!r}; download again") from None
    if any(name in ("", ".", "..") for name, *_ in found):
        raise DeliveryError(f"{what} lists a file without a name")
    return found


def object_of(body: bytes, what: str) -> dict[str, Any]:
    """Return what a server's JSON says, or said when it was downloaded."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise DeliveryError(f"{what} cannot be read: it is no JSON object; download again")
    return said


def _assets(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = mapping(item.get("assets"))
    return {name: dict(asset) for name, asset in found.items() if isinstance(asset, Mapping)}


def with_files(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item whose assets are the files beside it: its links may name any file of this machine."""
    assets = _assets(item)
    for asset in assets.values():
        asset["href"] = f"./{folder_name(name_of(str(asset.get('href', ''))))}"
    return {**item, "assets": assets}


def with_links(item: dict[str, Any], delivery: Delivery) -> dict[str, Any]:
    """Return an item whose assets are at the URLs that were given for them, signatures included."""
    by_name = {name_of(url): url for url in delivery.urls}
    assets = _assets(item)
    for asset in assets.values():
        name = name_of(str(asset.get("href", "")))
        asset["href"] = by_name.get(name, delivery.base + quote(name, safe=""))
    return {**item, "assets": assets}


def write(path: Path, body: bytes) -> None:
    """Write a small file as downloads are: it has its name when it is whole."""
    from oseo_lab.client.part import settle

    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        part.write_bytes(body)
        settle(part, path)
    except OSError as wrong:
        raise DeliveryError(f"{path} could not be written: {wrong}") from wrong
