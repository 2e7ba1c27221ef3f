"""Signed URLs of results, and the key they are signed with."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from oseo_lab.model.order import order_uuid

__all__ = ["Links", "read_key"]


class Links:
    """Makes and judges the URLs that open results without an identity, until their time is over.

    Parameters
    ----------
    key : bytes
        Secret of this service.
    now : callable, optional
        The clock, UTC.
    """

    def __init__(self, key: bytes, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._key = key
        self._now = now

    @property
    def instance(self) -> str:
        """A name of this service that outlives its restarts and says nothing of the key."""
        return hmac.new(self._key, b"instance", hashlib.sha256).hexdigest()[:32]

    def link(
        self,
        url: str,
        order_id: str,
        number: int,
        name: str,
        expires: datetime | None,
        share: str | None = None,
    ) -> str:
        """Return the URL of a delivered file; signed where it expires.

        Parameters
        ----------
        url : str
            Where this service is for whoever asks, ending in ``/oseo/``.
        order_id, number, name : str, int, str
            Which file.
        expires : datetime or None
            Until when it opens, UTC.
        share : str or None
            Id of the share it is made for: it ends with that.
        """
        path = f"files/{order_uuid(order_id)}/{number}/{quote(name)}"
        if expires is None:
            return f"{url}{path}"
        until = int(expires.timestamp())
        if share is not None:
            signature = self.sign(f"{path}?share={share}", until)
            return f"{url}{path}?expires={until}&share={share}&signature={signature}"
        return f"{url}{path}?expires={until}&signature={self.sign(path, until)}"

    def sign(self, path: str, expires: int) -> str:
        """Return the signature of a result's path (``files/…``) that holds until ``expires`` (Unix time)."""
        return hmac.new(self._key, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()

    def verify(self, path: str, expires: int, signature: str) -> bool:
        """Whether a signature is ours and its time is not over."""
        good = hmac.compare_digest(self.sign(path, expires).encode(), signature.encode())
        return good and expires >= self._now().timestamp()


def read_key(path: Path) -> bytes:
    """Return the secret of a key file, made on first use and readable by its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_name(f".{path.name}-{uuid4().hex}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        with suppress(FileExistsError):  # another process was first: its key holds
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()
