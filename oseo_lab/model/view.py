"""The view of an order: all that is shown of it at a glance, however many items it has.

What cards, tables of orders, shared pages and the command line draw: counts, the few rows that matter most,
what failed and whether trying again helps, time left. Made by `oseo_lab.operations.view` from one snapshot,
sent as JSON at ``api/v1/orders/{id}/view``; a client of another service makes it from GetStatus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from oseo_lab.model.estimates import Estimate
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.limits import Limits
from oseo_lab.model.quotation import Price
from oseo_lab.model.status import Status, Wanted

__all__ = ["LOG_LINES", "ROWS", "Action", "FailureGroup", "ItemRow", "LogLine", "OrderSummary", "OrderView"]

#: Most items shown of one order: what failed first, then what runs, what waits, what was delivered last.
ROWS = 50
#: Most lines of the history shown.
LOG_LINES = 12


class Action(StrEnum):
    """What whoever looks may do with the order as it stands."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    SHARE = "share"


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemRow:
    """One item as a card shows it.

    Parameters
    ----------
    number, item_id, identifier : int, str, str
        Which item, and the product it is made from.
    status : Status
        Where it stands.
    info : str or None
        What is said of it, for its user.
    stage, fraction : str or None, float
        What a running item is at, and how much of it is done, 0 to 1.
    passed, ahead : tuple of str
        Stages that are behind a running item, and those that are known to come.
    provider : str or None
        Who makes it, where that is another service.
    since : datetime or None
        When it came to its status, UTC.
    attempt : int
        The attempt that runs or ran last.
    retry_at : datetime or None
        When it is tried again by itself, UTC.
    failure : str or None
        Class of its last failure (`FailureClass` value).
    can_retry : bool
        Whether trying again may help now that it is final.
    size : int
        Bytes of its data files, once delivered.
    href, name : str or None
        Where its first data file lies, and that file's name, once delivered.
    """

    number: int
    item_id: str
    identifier: str
    status: Status
    info: str | None = None
    stage: str | None = None
    fraction: float = 0.0
    passed: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    provider: str | None = None
    since: datetime | None = None
    attempt: int = 0
    retry_at: datetime | None = None
    failure: str | None = None
    can_retry: bool = False
    size: int = 0
    href: str | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureGroup:
    """Items that failed for one reason, or wait to be tried again because of it.

    Parameters
    ----------
    failure : str or None
        `FailureClass` value; None where it is not known.
    reason : str
        One sentence for the user.
    count : int
        How many items.
    item_ids : tuple of str
        The first of them, at most twenty.
    can_retry : bool
        Whether trying again may help, now that they are final.
    retry_at : datetime or None
        When the first of them is tried again by itself, UTC; None for those that are final.
    """

    failure: str | None
    reason: str
    count: int
    item_ids: tuple[str, ...] = ()
    can_retry: bool = False
    retry_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One line of the status history; ``item_id`` is None for the order itself."""

    at: datetime
    status: Status
    author: str
    item_id: str | None = None
    info: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderSummary:
    """One order as a table of orders shows it.

    Parameters
    ----------
    order_id, name, owner : str
        Its id, what its owner calls it, and whose it is.
    status : Status
        Rolled up from the items.
    info : str or None
        What is said of it.
    order_type : OrderType
        Product, subscription, massive or tasking order.
    collections : tuple of str
        What it orders from.
    counts : mapping of Status to int
        Products by status; what stands for products to come is none, nor is the package.
    created, updated : datetime or None
        When it was accepted, and last changed, UTC.
    size : int
        Bytes delivered.
    expires : datetime or None
        When the first of its results is removed, UTC.
    wanted : Wanted
        What its owner last asked of it.
    """

    order_id: str
    name: str
    owner: str
    status: Status
    info: str | None = None
    order_type: OrderType = OrderType.PRODUCT_ORDER
    collections: tuple[str, ...] = ()
    counts: Mapping[Status, int] = field(default_factory=dict)
    created: datetime | None = None
    updated: datetime | None = None
    size: int = 0
    expires: datetime | None = None
    wanted: Wanted = Wanted.COMPLETED


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderView:
    """One order as a card shows it.

    Parameters
    ----------
    summary : OrderSummary
        The order at a glance.
    revision : int
        Grows with every change of the order or an item of it.
    as_of : datetime
        When this was true, UTC.
    rows : tuple of ItemRow
        The items that matter most, at most `ROWS`; those that failed first.
    failures : tuple of FailureGroup
        What failed or is to be tried again, by reason; the largest group first.
    remaining : Estimate or None
        Seconds until everything is delivered, from finished items like these; None where nothing is known,
        or nothing is left to do.
    log : tuple of LogLine
        The newest lines of the history, newest first, at most `LOG_LINES`.
    log_length : int
        How many lines there are; no more than some thousands are counted.
    actions : tuple of Action
        What whoever asked may do now; nothing on an order that is shared with them.
    limits : Limits
        What the order may cost and deliver altogether.
    cost : tuple of Price
        What it drew and did not give back.
    joined : int or None
        How many products joined it this month, UTC, where ``limits`` say how many may; None where that is
        not known.
    batches : int
        How many batches there are; 0 where there are none.
    workers : int
        How many items can be made at a time; 0 where that is not known.
    package_href : str or None
        Where the one package lies that holds all items, once it is made.
    dashboard : str or None
        Address of the Dask dashboard of the workers, where there is one; told to operators only.
    """

    summary: OrderSummary
    revision: int
    as_of: datetime
    rows: tuple[ItemRow, ...] = ()
    failures: tuple[FailureGroup, ...] = ()
    remaining: Estimate | None = None
    log: tuple[LogLine, ...] = ()
    log_length: int = 0
    actions: tuple[Action, ...] = ()
    limits: Limits = Limits()  # noqa: RUF009 (frozen)
    cost: tuple[Price, ...] = ()
    joined: int | None = None
    batches: int = 0
    workers: int = 0
    package_href: str | None = None
    dashboard: str | None = None
