"""Quotations: what an order would cost, until when that holds, and how large and slow it is likely to be.

`Quotation`, `ItemGroupPrice` and `ItemPrice` are 06-141r6's ``OrderQuotation`` and its parts (7.3.10); the
estimates beside the prices are this project's, and XML says them in words only. A `QuotationRecord` is what
the store keeps: who asked, for what, and what became of it.
"""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any

from oseo_lab.model.identifiers import ItemIdentifier
from oseo_lab.model.order import Callback, OrderSpecification

__all__ = [
    "CONTRACT_LENGTH",
    "INFORMATION_LENGTH",
    "MOST_PRICE",
    "Charge",
    "Estimate",
    "Finished",
    "ItemGroupPrice",
    "ItemPrice",
    "Outlook",
    "Price",
    "ProviderName",
    "Quotation",
    "QuotationAnswer",
    "QuotationMode",
    "QuotationRecord",
    "QuotationState",
    "choice_of",
    "compose",
    "decimal_of",
    "estimate",
    "in_words",
    "new_quotation_id",
    "shares",
    "total",
]

#: Longest ``priceInformation`` and ``contractInformation``, characters.
INFORMATION_LENGTH = 255
CONTRACT_LENGTH = 1024
#: Most that anything may cost, in its currency: what a balance holds exactly.
MOST_PRICE = 1e12
#: Finished items made with the same options that are enough to estimate from them alone.
ENOUGH = 10


class QuotationMode(StrEnum):
    """How a quotation reaches its user: the four flags of ``GetQuotationCapabilities``."""

    SYNCHRONOUS = "synchronous"
    ASYNCHRONOUS = "asynchronous"
    MONITORING = "monitoring"
    OFF_LINE = "off-line"


class QuotationState(StrEnum):
    """Where a quotation stands: still to be made, waiting for a person's answer, or answered."""

    PENDING = "pending"
    WAITING = "waiting"
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
class QuotationAnswer:
    """What an operator answers to a quotation that a person gives.

    Parameters
    ----------
    currency : str
        ISO 4217 code, or a quota unit of at most 10 characters.
    price : float or None
        Of all items together; the sum of ``item_prices`` where it is left out.
    item_prices : mapping of str to float
        By item id.
    validity_time : datetime or None
        Until when it holds, UTC.
    price_information, contract_information : str or None
        For the user.
    problem : str or None
        Why there is no quotation; then nothing else counts.
    """

    currency: str = "EUR"
    price: float | None = None
    item_prices: Mapping[str, float] = field(default_factory=dict)
    validity_time: datetime | None = None
    price_information: str | None = None
    contract_information: str | None = None
    problem: str | None = None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What is likely of an item, and what that is taken from (``basis``, for people)."""

    size: Estimate | None
    duration: Estimate | None
    basis: str


def choice_of(chosen: Mapping[str, Any]) -> str:
    """Return a short digest of an item's chosen options, by which finished items like it are found."""
    said = repr(sorted((name, str(value)) for name, value in chosen.items()))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def estimate(past: Sequence[Finished], choice: str) -> Outlook:
    """Estimate size and time of an item from finished ones: 10th, 50th and 90th percentile.

    Parameters
    ----------
    past : sequence of Finished
        Delivered items of one collection, newest first.
    choice : str
        The item's own choice: ten made alike are enough, or else all of the collection count.
    """
    alike = [each for each in past if each.choice == choice]
    same = len(alike) >= ENOUGH
    found = alike if same else list(past)
    if not found:
        return Outlook(size=None, duration=None, basis="nothing of this collection has been made yet")
    items = "item" if len(found) == 1 else "items"
    return Outlook(
        size=_percentiles([each.size for each in found]),
        duration=_percentiles([each.seconds for each in found]),
        basis=f"of the last {len(found)} {items} {'with these options' if same else 'of the collection'}",
    )


def _percentiles(values: Sequence[float]) -> Estimate:
    """Return percentiles by linear interpolation between the sorted values."""
    ordered = sorted(values)

    def at(part: float) -> float:
        place = part * (len(ordered) - 1)
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (ordered[above] - ordered[below]) * (place - below)

    return Estimate(low=at(0.1), typical=at(0.5), high=at(0.9))


def total(estimates: Sequence[Estimate | None]) -> Estimate | None:
    """Add estimates; None where one is missing.

    Items vary independently of each other, so their deviations add in squares: a sum of many is surer than
    each of them.
    """
    known = [each for each in estimates if each is not None]
    if not known or len(known) < len(estimates):
        return None
    typical = math.fsum(each.typical for each in known)
    below = math.sqrt(math.fsum((each.typical - each.low) ** 2 for each in known))
    above = math.sqrt(math.fsum((each.high - each.typical) ** 2 for each in known))
    return Estimate(low=max(0.0, typical - below), typical=typical, high=typical + above)


def in_words(size: Estimate | None, duration: Estimate | None) -> str:
    """Return what is likely as words: ``about 80 MB (70 MB to 95 MB), 1.5 min of work (1 min to 3 min)``."""
    parts = []
    if size is not None:
        low, typical, high = (_bytes(each) for each in (size.low, size.typical, size.high))
        parts.append(f"about {typical}" + (f" ({low} to {high})" if low != high else ""))
    if duration is not None:
        low, typical, high = (_seconds(each) for each in (duration.low, duration.typical, duration.high))
        parts.append(f"{typical} of work" + (f" ({low} to {high})" if low != high else ""))
    return ", ".join(parts)


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def _seconds(number: float) -> str:
    for limit, unit, divisor in ((100.0, "s", 1), (6000.0, "min", 60), (172_800.0, "h", 3600)):
        if number < limit:
            return f"{number / divisor:.2g} {unit}"
    return f"{number / 86_400:.3g} days"


def compose(
    quotation_id: str, groups: Sequence[ItemGroupPrice], specification: OrderSpecification
) -> Quotation:
    """Put groups together (06-141r6 7.3.10).

    The quotation holds as long as its shortest group; it has a total only if all groups are of one currency
    and their items are paid by one method.
    """
    ends = [each.validity_time for each in groups if each.validity_time is not None]
    currencies = {each.price.currency for each in groups}
    paid = {
        each.item_id: each.payment.payment_method if each.payment else None for each in specification.items
    }
    methods = {paid.get(each.item_id) for group in groups for each in group.items}
    price = None
    if len(currencies) == 1 and len(methods) == 1:
        value = sum((decimal_of(each.price) for each in groups), Decimal())
        price = Price(value=float(value), currency=groups[0].price.currency)
    items = [each for group in groups for each in group.items]
    return Quotation(
        quotation_id=quotation_id,
        groups=tuple(groups),
        validity_time=min(ends, default=None),
        price=price,
        size=total([each.size for each in items]),
        duration=total([each.duration for each in items]),
    )


def decimal_of(price: Price) -> Decimal:
    """Return a price's value as it is written: 0.1 is one tenth."""
    return Decimal(repr(price.value))


def shares(group: ItemGroupPrice) -> dict[str, Decimal]:
    """Part a group's price among its items, by item id; the shares add up to it exactly.

    Parted in proportion to the items' own prices, where they have any (a flat fee or discount of the group
    so falls on them alike), else evenly; rounded to the places the prices have, at most six.
    """
    price = decimal_of(group.price)
    own = [decimal_of(each.price) if each.price is not None else Decimal() for each in group.items]
    places = max(-6, min(0, *(int(each.as_tuple().exponent) for each in (price, *own))))
    weights = own if sum(own) > 0 else [Decimal(1)] * len(own)
    whole = sum(weights)
    parted: dict[str, Decimal] = {}
    so_far = given = Decimal()
    for item, weight in zip(group.items, weights, strict=True):
        so_far += weight
        until = (price * so_far / whole).quantize(Decimal(1).scaleb(places), ROUND_HALF_EVEN)
        parted[item.item_id] = until - given
        given = until
    return parted
