"""What the suite may do with a server, and with what: said by whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the suite may do, and with what.

    Parameters
    ----------
    collection : str or None
        What to order from; the first that takes product orders, where none is named.
    products : tuple of str
        Products that can be ordered and made; found where the server offers a way.
    subscription : str or None
        Collection to subscribe to; the first that takes subscriptions, where none is named.
    tasking_id : str or None
        A tasking request that the server knows.
    quoted : mapping of str to str
        Collection that is quoted in a mode (``synchronous``, ``monitoring``, ``off-line``), by mode.
    listen : tuple of str and int, or None
        Where to listen for callbacks; None for nowhere.
    callback_url : str or None
        Where the server reaches that place, if not by the same name: a proxy, a forwarded port.
    wait : float
        Seconds to wait for an order to end, or a callback to come.
    quiet : float
        Seconds without a callback after which none is expected any more.
    """

    collection: str | None = None
    products: tuple[str, ...] = ()
    subscription: str | None = None
    tasking_id: str | None = None
    quoted: Mapping[str, str] = field(default_factory=dict)
    listen: tuple[str, int] | None = None
    callback_url: str | None = None
    wait: float = 120.0
    quiet: float = 2.0
