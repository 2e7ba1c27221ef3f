"""Names are the user's, ids are ours: long names, message ids and folder names that follow from them.

OSEO's ``orderReference`` holds 30 characters; a longer name is kept whole in an extension ``name=...``.
"""

from __future__ import annotations

import hashlib
import re
import uuid

from oseo_lab.model.order import REFERENCE_LENGTH, Order

__all__ = ["NAME", "folder_name", "message_id", "name_of", "reference_of", "short_id"]

#: What an extension that carries a full name begins with.
NAME = "name="


def reference_of(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the order reference of a name, and the extensions that keep it whole.

    Longer than 30 characters: the first 21, ``~`` and 8 hexadecimal digits of its SHA-256.
    """
    if len(name) <= REFERENCE_LENGTH:
        return name, ()
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[:21]}~{digest}", (NAME + name,)


def name_of(order: Order) -> str:
    """Return what a user calls an order: its full name, else its reference, else its short id."""
    for extension in order.specification.extensions:
        if extension.startswith(NAME):
            return extension.removeprefix(NAME)
    return order.specification.order_reference or short_id(order.order_id)


def short_id(order_id: str) -> str:
    """Return the first eight digits of an order id of ours: enough for people; of another the end."""
    own = order_id.removeprefix("urn:uuid:")
    return own[:8] if own != order_id or len(order_id) <= 24 else f"...{order_id[-20:]}"


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
