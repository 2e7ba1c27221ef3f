"""Files that can only be read whole (NetCDF, pictures): fetched once for this session, removed at its end."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oseo_lab.client.names import folder_name
from oseo_lab.client.object_store import S3, reachable
from oseo_lab.model.errors import DeliveryError

if TYPE_CHECKING:
    from oseo_lab.client.transport import Transport

__all__ = ["is_remote", "local_copy", "sha256_of"]

#: STAC ``file:checksum`` of a SHA-256: multihash function 0x12, 0x20 bytes.
_SHA256 = "1220"


def is_remote(href: str) -> bool:
    """Whether a file does not lie in this machine's file system.

    Raises
    ------
    DeliveryError
        If it is an address of a kind that no data are read from.
    """
    if "://" in href and not href.startswith(("http://", "https://", S3)):
        raise DeliveryError(f"{href.partition('?')[0]} is no address that data are read from")
    return "://" in href


def sha256_of(asset: Mapping[str, Any]) -> str | None:
    """Return the SHA-256 that a STAC asset promises, hexadecimal."""
    checksum = str(asset.get("file:checksum", ""))
    return checksum[len(_SHA256) :] if checksum.startswith(_SHA256) and len(checksum) == 68 else None


def local_copy(href: str, asset: Mapping[str, Any], transport: Transport | None) -> Path:
    """Return a copy of a remote file on this machine; fetched once, and checked if a digest is promised.

    Parameters
    ----------
    href : str
        ``http:``, ``https:`` or ``s3:``.
    asset : mapping
        Its STAC asset.
    transport : Transport or None
        How to reach the service; without one the URL opens by its signature alone.

    Raises
    ------
    DeliveryError
        If it cannot be had as promised.
    """
    from oseo_lab.client.downloads import fetch_file
    from oseo_lab.client.part import FileTask
    from oseo_lab.client.transport import HttpTransport

    bare = href.partition("?")[0]
    place = _folder() / hashlib.sha256(f"{bare} {sha256_of(asset)}".encode()).hexdigest()[:24]
    path = place / folder_name(bare.rpartition("/")[2] or "file")
    place.mkdir(exist_ok=True)
    size = asset.get("file:size")
    task = FileTask(
        url=href,
        path=path,
        size=size if isinstance(size, int) else None,
        sha256=sha256_of(asset),
        media_type=str(asset.get("type", "")),
    )
    fetch_file(transport or HttpTransport(reachable(href)), task)
    return path


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="oseo-lab-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
