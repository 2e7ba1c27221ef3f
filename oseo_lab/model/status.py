"""Status of orders and items (OGC 06-141r6 ``EnumStatusType``), and how an order's follows its items'.

``Status`` is what happened, ``Wanted`` what the user last asked for. Only `oseo_lab.dispatch` moves a
status; operations write what is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from oseo_lab.model.identifiers import OrderType

__all__ = [
    "DELIVERED",
    "FINAL",
    "OPEN",
    "ProviderOrderState",
    "Status",
    "Wanted",
    "provider_order_state",
    "roll_up",
    "roll_up_of",
]


class Status(StrEnum):
    """OSEO's ``EnumStatusType``, in the order of the schema."""

    SUBMITTED = "Submitted"
    ACCEPTED = "Accepted"
    CANCELLED = "Cancelled"
    COMPLETED = "Completed"
    IN_PRODUCTION = "InProduction"
    SUSPENDED = "Suspended"
    FAILED = "Failed"
    TERMINATED = "Terminated"
    DOWNLOADED = "Downloaded"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be produced."""
        return self in FINAL


FINAL = frozenset({Status.CANCELLED, Status.COMPLETED, Status.FAILED, Status.TERMINATED, Status.DOWNLOADED})
OPEN = frozenset(Status) - FINAL
#: Where an item stands whose files can be had, or could.
DELIVERED = frozenset({Status.COMPLETED, Status.DOWNLOADED})


class Wanted(StrEnum):
    """What the user last asked for."""

    COMPLETED = "completed"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


class ProviderOrderState(StrEnum):
    """ECHO's states of a provider order, those that orders made over OSEO can reach."""

    SUBMITTING = "SUBMITTING"
    SUBMIT_REJECTED = "SUBMIT_REJECTED"
    PROCESSING = "PROCESSING"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    CLOSED = "CLOSED"


def roll_up(counts: Mapping[Status, int]) -> Status:
    """Status of an order (or provider order) from how many of its items have which status.

    Parameters
    ----------
    counts : mapping of Status to int
        Items by status; at least one item.

    Notes
    -----
    First match (``design notes`` of README): any InProduction; any open beside any final;
    all open ones Suspended; any Accepted; any open; all Downloaded; any delivered; any Failed; any
    Terminated; Cancelled.
    """
    has = {status for status, count in counts.items() if count}
    is_open = has & OPEN
    if Status.IN_PRODUCTION in has or (is_open and has & FINAL):
        return Status.IN_PRODUCTION
    if is_open == {Status.SUSPENDED}:
        return Status.SUSPENDED
    if Status.ACCEPTED in is_open:
        return Status.ACCEPTED
    if is_open:
        return Status.SUBMITTED
    if has - {Status.TERMINATED} == {Status.DOWNLOADED}:  # a massive order's own item is Terminated
        return Status.DOWNLOADED
    if has & DELIVERED:
        return Status.COMPLETED
    for status in (Status.FAILED, Status.TERMINATED):
        if status in has:
            return status
    return Status.CANCELLED


def roll_up_of(
    order_type: OrderType, counts: Mapping[Status, int], wanted: Wanted = Wanted.COMPLETED
) -> Status:
    """Status of an order of any type: a subscription is not over when what has come so far is done.

    Parameters
    ----------
    order_type : OrderType
        Of the order.
    counts : mapping of Status to int
        Items by status; at least one item.
    wanted : Wanted
        What the user last asked of the order.

    Notes
    -----
    Subscriptions: anything Accepted or InProduction is InProduction; else Suspended while they wait for
    products; else Submitted while they wait for approval; at the end Terminated, or Cancelled where that is
    what the user wanted or nothing ran its course. Other orders that are paused are Suspended as soon as all
    that is open waits, whatever was delivered before.
    """
    if order_type is not OrderType.SUBSCRIPTION_ORDER:
        is_paused = wanted is Wanted.SUSPENDED
        return Status.SUSPENDED if is_paused and _all_wait(counts) else roll_up(counts)
    has = {status for status, count in counts.items() if count}
    if has & {Status.ACCEPTED, Status.IN_PRODUCTION}:
        return Status.IN_PRODUCTION
    for status in (Status.SUSPENDED, Status.SUBMITTED):
        if status in has:
            return status
    is_over = Status.TERMINATED in has and wanted is not Wanted.CANCELLED
    return Status.TERMINATED if is_over else Status.CANCELLED


def _all_wait(counts: Mapping[Status, int]) -> bool:
    return {status for status, count in counts.items() if count} & OPEN == {Status.SUSPENDED}


def provider_order_state(
    counts: Mapping[Status, int], wanted: Wanted, order_type: OrderType = OrderType.PRODUCT_ORDER
) -> ProviderOrderState:
    """ECHO's state of a provider order from the counts of its items.

    The reverse table of ECHO and OSEO states: Submitted is SUBMITTING, anything open is PROCESSING (or
    CANCELLING where the user asked for that), and at the end CLOSED if anything was delivered.
    """
    status = roll_up_of(order_type, counts, wanted)
    if status in DELIVERED or status is Status.TERMINATED:
        return ProviderOrderState.CLOSED
    if status.is_final:
        return ProviderOrderState.CANCELLED
    if wanted is Wanted.CANCELLED:
        return ProviderOrderState.CANCELLING
    if status is Status.SUBMITTED:
        return ProviderOrderState.SUBMITTING
    return ProviderOrderState.PROCESSING
