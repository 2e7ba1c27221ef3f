"""What an operation may see and do: who asks, the store, the collections, the clock.

Made by `oseo_lab.wiring` for each request; step 5 of the walk hands it over with the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import NotAuthenticated, NotFound
from oseo_lab.model.order import Order, order_uuid
from oseo_lab.ports import OrderStore, UnitOfWork

__all__ = ["Context", "Link", "Service", "order_of"]


class Link(Protocol):
    """Makes the public URL of a delivered file."""

    def __call__(self, order_id: str, number: int, name: str, expires: datetime | None) -> str:
        """Return a URL that its user can fetch until ``expires``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the capabilities document says of the service itself."""

    title: str = "oseo_lab ordering service"
    abstract: str | None = None
    provider_name: str = "oseo_lab"
    provider_site: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The surroundings of one request.

    Parameters
    ----------
    owner : str or None
        Whose request it is; None for nobody in particular, as GetCapabilities allows.
    store : OrderStore
        The order store.
    collections : mapping of str to Collection
        What can be ordered from, by id.
    service : Service
        For the capabilities document.
    wake : callable
        Tells the dispatcher that there is something to do.
    now : callable
        The clock, UTC.
    url : str
        Where this service is, with a slash at the end.
    link : Link
        Makes URLs of delivered files.
    message_id : str or None
        ``wsa:MessageID`` of the request.
    """

    owner: str | None
    store: OrderStore
    collections: Mapping[str, Collection]
    service: Service
    wake: Callable[[], None]
    now: Callable[[], datetime]
    url: str
    link: Link
    message_id: str | None = None

    @property
    def caller(self) -> str:
        """Return whose request it is.

        Raises
        ------
        NotAuthenticated
            If nobody in particular asks.
        """
        if self.owner is None:
            raise NotAuthenticated(
                "this operation needs an identity: a Jupyter token, HTTP Basic or a UsernameToken",
                locator="identity_token",
            )
        return self.owner


def order_of(store: UnitOfWork, order_id: str, owner: str) -> Order:
    """Return one of the owner's orders.

    Raises
    ------
    NotFound
        If it is unknown or another owner's: the two are answered alike.
    """
    order = store.orders.get(order_id, owner) if order_uuid(order_id) else None
    if order is None:
        raise NotFound(f"there is no order {order_id[:100]!r} of yours", locator="orderId")
    return order
