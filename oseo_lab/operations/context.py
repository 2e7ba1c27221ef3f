"""What an operation may see and do: who asks, the store, the collections, the clock.

Made by `oseo_lab.wiring` for each request; step 5 of the walk hands it over with the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import NotAuthenticated, NotFound, Problem
from oseo_lab.model.job import CatalogueItem, Progress
from oseo_lab.model.order import Order, order_uuid
from oseo_lab.model.quotation import QuotationRecord, QuotationState
from oseo_lab.ports import Catalogue, OrderStore, Quoter, UnitOfWork

__all__ = ["Check", "Context", "Link", "Service", "order_of"]

#: Says what a processor has against options and scene selection of an item.
Check = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[Problem]]


class Link(Protocol):
    """Makes the public URL of a delivered file."""

    def __call__(
        self, order_id: str, number: int, name: str, expires: datetime | None, share: str | None = None
    ) -> str:
        """Return a URL that its user can fetch until ``expires``, or until ``share`` (its id) is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the capabilities document says of the service itself."""

    title: str = "oseo_lab ordering service"
    abstract: str | None = None
    keywords: tuple[str, ...] = ()
    fees: str | None = None
    access_constraints: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    provider_name: str = "oseo_lab"
    provider_site: str | None = None
    contact_name: str | None = None
    contact_position: str | None = None
    contact_phone: str | None = None


def _first(content: str) -> str:
    """Return the number of a document that never changes."""
    return "1"


def _none(collection_id: str) -> Any:
    """Stand for what a service without catalogues or quoters has."""
    return None


def _nothing_matches(order: Order) -> list[CatalogueItem]:
    """Stand for the calendar of standing orders, where there is none."""
    return []


def _nothing_ordered(collection_id: str, identifiers: Sequence[str]) -> int:
    """Stand for the calendar of standing orders, where there is none."""
    return 0


def _nothing_heard(order_id: str) -> Mapping[int, Progress]:
    """Stand for what workers say, where none is listened to."""
    return {}


def _nothing_known(order_id: str, number: int) -> datetime | None:
    """Stand for what dispatchers hear of items, where there is none."""
    return None


def _unlimited() -> float | None:
    """Stand for a disk that is not looked at."""
    return None


def _no_dashboard() -> str | None:
    """Stand for the workers' dashboard, where there is none."""
    return None


def _unquoted(record: QuotationRecord) -> QuotationRecord:
    """Stand for what makes quotations, where nothing does."""
    return replace(record, state=QuotationState.FAILED, problem="nothing is quoted here")


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
    reply_to : str or None
        ``wsa:ReplyTo/wsa:Address`` of the request.
    soap_version : str
        ``1.1`` or ``1.2``: as the request came.
    callbacks : bool
        Whether users are called back.
    mail : bool
        Whether mail can be sent.
    mail_domains : sequence of str
        Where mail may go; anywhere, where none is named.
    sps_url : str or None
        Address of the linked Sensor Planning Service.
    is_operator : bool
        Whether the caller may do what operators do.
    catalogue : callable
        Gives a collection's catalogue, by collection id.
    quoter : callable
        Gives a collection's quoter, by collection id; None where nothing is quoted.
    quote : callable
        Makes a quotation now, of quoters that answer within a request (raises ProcessingFailed where asking
        again may help).
    checker : callable
        Gives what says what a collection's processor has against an item's options and scene selection, by
        their values; None where it does not look.
    would_match : callable
        Says which products a subscription would order now.
    announce : callable
        Matches new products of a collection against its subscriptions; says how many items came of it.
    update_sequence : callable
        Numbers the capabilities document, by a fingerprint of it: higher with every change.
    progress : callable
        Says how far an order's running items are, as workers said last, by item number.
    workers : int
        How many items can be made at a time; 0 where that is not known.
    dashboard : callable
        Gives the address of the workers' Dask dashboard; None where there is none.
    heard : callable
        Says when something was heard last of an item that is held here, by order id and number; else None.
    disk : callable
        Says which part of the disk that holds data and results is free, 0 to 1; None where not known.
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
    reply_to: str | None = None
    soap_version: str = "1.2"
    callbacks: bool = True
    mail: bool = False
    mail_domains: Sequence[str] = ()
    sps_url: str | None = None
    is_operator: bool = False
    catalogue: Callable[[str], Catalogue] = _none
    quoter: Callable[[str], Quoter | None] = _none
    quote: Callable[[QuotationRecord], QuotationRecord] = _unquoted
    checker: Callable[[str], Check | None] = _none
    would_match: Callable[[Order], list[CatalogueItem]] = _nothing_matches
    announce: Callable[[str, Sequence[str]], int] = _nothing_ordered
    update_sequence: Callable[[str], str] = _first
    progress: Callable[[str], Mapping[int, Progress]] = _nothing_heard
    workers: int = 0
    dashboard: Callable[[], str | None] = _no_dashboard
    heard: Callable[[str, int], datetime | None] = _nothing_known
    disk: Callable[[], float | None] = _unlimited

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
