"""Message ids and folder names that follow from what a user calls things (`oseo_lab.model.names`)."""

from __future__ import annotations

import hashlib
import re
import uuid

__all__ = ["folder_name", "message_id"]


def message_id(*parts: str | bytes) -> str:
    """Return a message id that says the same for the same parts: ``urn:uuid:`` of their SHA-256."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return uuid.UUID(bytes=digest.digest()[:16], version=5).urn  # 5: made from a name


def folder_name(text: str) -> str:
    """Return a name that is one folder or file on every system: letters, digits, ``._-``.

    What had to be changed gets six hexadecimal digits of its SHA-256, so that two names stay two.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:80].lstrip(".").rstrip(". ") or "_"
    if safe.partition(".")[0].upper() in _RESERVED:
        safe = f"_{safe}"
    if safe == text:
        return safe
    return f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}
