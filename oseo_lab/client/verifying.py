"""Checking downloaded files against what was promised, however long ago they were fetched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from oseo_lab.client.deliveries import MANIFEST, files_of, object_of
from oseo_lab.client.names import folder_name
from oseo_lab.model.errors import DeliveryError

__all__ = ["Verification", "verify"]


@dataclass(frozen=True)
class Verification:
    """What checking a folder found: files as promised, changed, missing."""

    ok: tuple[Path, ...] = ()
    changed: tuple[Path, ...] = ()
    missing: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ok) and not self.changed and not self.missing

    def __repr__(self) -> str:
        return f"{len(self.ok)} ok, {len(self.changed)} changed, {len(self.missing)} missing"


def verify(folder: str | Path, order_id: str | None = None) -> Verification:
    """Check every delivery below a folder against its manifest: sizes and SHA-256.

    Parameters
    ----------
    folder : str or Path
        Where to look, and below.
    order_id : str, optional
        Only what was delivered of this order.

    Raises
    ------
    DeliveryError
        If there is no manifest (of that order) below it.
    """
    from oseo_lab.client.part import is_whole

    ok, changed, missing = [], [], []
    bodies = {each: each.read_bytes() for each in sorted(Path(folder).expanduser().rglob(MANIFEST))}
    if order_id is not None:
        bodies = {path: body for path, body in bodies.items() if _is_of(body, str(path), order_id)}
    if not bodies:
        what = f" of order {order_id}" if order_id else ""
        raise DeliveryError(
            f"there is no {MANIFEST}{what} in or below {folder}: nothing was downloaded there"
        )
    for manifest, body in bodies.items():
        for name, size, sha256, _ in files_of(body, str(manifest)):
            path = manifest.parent / folder_name(name)
            if not path.exists():
                missing.append(path)
            elif is_whole(path, size, sha256):
                ok.append(path)
            else:
                changed.append(path)
    return Verification(tuple(ok), tuple(changed), tuple(missing))


def _is_of(manifest: bytes, what: str, order_id: str) -> bool:
    return object_of(manifest, what).get("order") == order_id
