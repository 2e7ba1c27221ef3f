"""Quotations: what an order would cost, until when that holds, and how large and slow it is likely to be.

`Quotation`, `ItemGroupPrice` and `ItemPrice` are 06-141r6's ``OrderQuotation`` and its parts (7.3.10); the
estimates beside the prices are this project's, and XML says them in words only. A `QuotationRecord` is what
the store keeps: who asked, for what, and what became of it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from oseo_lab.model.identifiers import ItemIdentifier
from oseo_lab.model.order import Callback, OrderSpecification

__all__ = [
    "Charge",
    "Estimate",
    "Finished",
    "ItemGroupPrice",
    "ItemPrice",
    "Price",
    "ProviderName",
    "Quotation",
    "QuotationMode",
    "QuotationRecord",
    "QuotationState",
    "new_quotation_id",
]


class QuotationMode(StrEnum):
    """How a quotation reaches its user: the four flags of ``GetQuotationCapabilities``."""

    SYNCHRONOUS = "synchronous"
    ASYNCHRONOUS = "asynchronous"
    MONITORING = "monitoring"
    OFF_LINE = "off-line"


class QuotationState(StrEnum):
    """Where a quotation stands."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """``CurrencyType``: a value, and an ISO 4217 code or a quota unit such as ``QUOTA`` (at most 10)."""

    value: float
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What is likely: of ten finished items like it, one was below ``low`` and one above ``high``."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderName:
    """``provider`` of a group: each at most 40 characters."""

    service_name: str
    organization: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemPrice:
    """``OrderItemPrice``: what one item costs.

    Parameters
    ----------
    item_id : str
        The client's name for the item.
    identifier : ItemIdentifier
        Which product, subscription or tasking request.
    price : Price or None
        None where only the group has a price.
    price_information : str or None
        How it came about, at most 255 characters.
    contract_information : str or None
        At most 1024 characters.
    size : Estimate or None
        Bytes delivered.
    duration : Estimate or None
        Seconds of work.
    """

    item_id: str
    identifier: ItemIdentifier
    price: Price | None = None
    price_information: str | None = None
    contract_information: str | None = None
    size: Estimate | None = None
    duration: Estimate | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemGroupPrice:
    """``OrderItemGroupPrice``: items priced together, by one provider and paid by one method.

    ``balance`` is what the caller's account would be left with.
    """

    provider: ProviderName
    price: Price
    items: tuple[ItemPrice, ...]
    quotation_id: str | None = None
    validity_time: datetime | None = None
    balance: Price | None = None
    contract_information: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotation:
    """``OrderQuotation``. Its validity is the shortest of its groups'; a total only if all are paid alike."""

    quotation_id: str
    groups: tuple[ItemGroupPrice, ...]
    validity_time: datetime | None = None
    price: Price | None = None
    contract_information: str | None = None
    size: Estimate | None = None
    duration: Estimate | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotationRecord:
    """A quotation that was asked for.

    Parameters
    ----------
    quotation_id : str
        ``urn:uuid:`` in lower case.
    owner : str
        Who asked; nobody else may see or order it.
    specification : OrderSpecification
        What was asked, with its items.
    state : QuotationState
        Where it stands.
    requested : datetime
        When it was asked for, UTC.
    mode : QuotationMode
        How its answer travels.
    quotation : Quotation or None
        The answer, once it is ready.
    partial : str or None
        What could not be quoted, if some items could not.
    problem : str or None
        Why it failed.
    callback : Callback or None
        Where the answer is sent, if asynchronously.
    order_id : str or None
        The order it became.
    """

    quotation_id: str
    owner: str
    specification: OrderSpecification
    state: QuotationState
    requested: datetime
    mode: QuotationMode = QuotationMode.SYNCHRONOUS
    quotation: Quotation | None = None
    partial: str | None = None
    problem: str | None = None
    callback: Callback | None = None
    order_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """What one item drew from its owner's balance; given back if it fails or is cancelled."""

    order_id: str
    number: int
    owner: str
    currency: str
    amount: Decimal
    is_given_back: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """What one delivered item of a collection took: what estimates are made of.

    ``seconds`` of work on the worker, ``size`` in bytes of its data files; ``choice`` tells apart items made
    with different options.
    """

    collection_id: str
    choice: str
    seconds: float
    size: int


def new_quotation_id() -> str:
    """Return a fresh quotation id: ``urn:uuid:`` and a random UUID in lower case."""
    return uuid.uuid4().urn
