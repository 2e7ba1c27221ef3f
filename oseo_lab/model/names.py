"""Names are the user's, ids are ours: how long names travel, and what an order is called.

OSEO's ``orderReference`` holds 30 characters; a longer name is kept whole in an extension ``name=...``.
"""

from __future__ import annotations

import hashlib

from oseo_lab.model.order import REFERENCE_LENGTH, Order

__all__ = ["NAME", "name_of", "reference_of", "short_id"]

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
