"""Sharing an order, to read only: with a named user, or with whoever has a link, until a date.

A share lets others see the order (view, items, history) and fetch its results; it never lets them change
anything, and it ends when its time is over or its owner takes it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Share"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """One permission to read one order.

    Parameters
    ----------
    order_id : str
        Which order.
    share_id : str
        The share's own name, a UUID; of a link it says nothing about its secret.
    grantee : str or None
        Owner name of who may read; None for whoever has the link.
    created : datetime
        When it was made, UTC.
    until : datetime
        Until when it holds, UTC.
    secret_hash : str or None
        SHA-256 of the secret in the link; None for a named user. Never leaves the service.
    """

    order_id: str
    share_id: str
    created: datetime
    until: datetime
    grantee: str | None = None
    secret_hash: str | None = None
