"""Quotations: what an order would cost, until when that holds, and how large and slow it is likely to be.

`Quotation`, `ItemGroupPrice` and `ItemPrice` are 06-141r6's ``OrderQuotation`` and its parts (7.3.10); the
estimates beside the prices are this project's, and XML says them in words only. A `QuotationRecord` is what
the store keeps: who asked, for what, and what became of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from oseo_lab.model.estimates import Estimate, Finished, total
from oseo_lab.model.identifiers import ItemIdentifier
from oseo_lab.model.order import Callback, OrderSpecification

__all__ = [
    "CONTRACT_LENGTH",
    "INFORMATION_LENGTH",
    "MOST_PRICE",
    "QUOTATION_DAYS",
    "Charge",
    "Estimate",
    "Finished",
    "ItemGroupPrice",
    "ItemPrice",
    "Price",
    "ProviderName",
    "Quotation",
    "QuotationAnswer",
    "QuotationMode",
    "QuotationRecord",
    "QuotationState",
    "Reusable",
    "anew_prices",
    "compose",
    "decimal_of",
    "new_quotation_id",
    "price_of",
    "reusing",
    "shares",
]

#: Longest ``priceInformation`` and ``contractInformation``, characters.
INFORMATION_LENGTH = 255
CONTRACT_LENGTH = 1024
#: Days for which a quotation is kept that nobody orders; none may hold longer.
QUOTATION_DAYS = 400
#: Most that anything may cost, in its currency: what a balance holds exactly.
MOST_PRICE = 1e12


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
class ProviderName:
    """``provider`` of a group: each at most 40 characters."""

    service_name: str
    organization: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reusable:
    """A kept result that an item can be delivered from at no price, if its order says ``reuse=true``.

    Parameters
    ----------
    order_id, name : str
        The order it was delivered by, and what that is called.
    delivered : datetime or None
        When, UTC.
    is_taken : bool
        Whether this quotation counts on it.
    price : Price or None
        What the item costs if it must be made after all; None where only its group has a price.
    """

    order_id: str
    name: str
    delivered: datetime | None = None
    is_taken: bool = False
    price: Price | None = None

    def words(self) -> str:
        """Return it for who reads messages; the name is cut, for there is little room."""
        when = "" if self.delivered is None else f" on {self.delivered:%Y-%m-%d}"
        if self.is_taken:
            return f"reused from {self.name[:40]}, delivered{when}"
        return f"delivered{when} in {self.name[:40]}: free with extension reuse=true"


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
    reuse : Reusable or None
        What was delivered already; this project's, as the estimates.
    restore : float or None
        Seconds that an archive usually takes before the work can begin; None where nothing is restored.
    """

    item_id: str
    identifier: ItemIdentifier
    price: Price | None = None
    price_information: str | None = None
    contract_information: str | None = None
    size: Estimate | None = None
    duration: Estimate | None = None
    reuse: Reusable | None = None
    restore: float | None = None


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
    """``OrderQuotation``. Its validity is the shortest of its groups'; a total only if all are paid alike.

    ``price_reusing`` is the total if everything is reused that can be, where it is another;
    ``needs_approval`` whether a person looks at the order before it begins; ``restore`` the seconds until the
    last product is there that an archive must restore. All are this project's.
    """

    quotation_id: str
    groups: tuple[ItemGroupPrice, ...]
    validity_time: datetime | None = None
    price: Price | None = None
    contract_information: str | None = None
    size: Estimate | None = None
    duration: Estimate | None = None
    price_reusing: Price | None = None
    needs_approval: bool | None = None
    restore: float | None = None


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


def new_quotation_id() -> str:
    """Return a fresh quotation id: ``urn:uuid:`` and a random UUID in lower case."""
    return uuid.uuid4().urn


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
        restore=max((each.restore for each in items if each.restore is not None), default=None),
    )


def decimal_of(price: Price) -> Decimal:
    """Return a price's value as it is written: 0.1 is one tenth."""
    return Decimal(repr(price.value))


def price_of(quotation: Quotation | None, item_id: str) -> tuple[str, Decimal] | None:
    """Return currency and amount that a quotation says of one item; None where it says nothing of it."""
    for group in quotation.groups if quotation is not None else ():
        amount = shares(group).get(item_id)
        if amount:
            return group.price.currency, amount
    return None


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


def reusing(group: ItemGroupPrice, found: Mapping[str, Reusable], *, is_taken: bool) -> ItemGroupPrice:
    """Return a group that tells what was delivered already, by item id; if that is taken, at no price.

    The group's price is less by the shares of what is taken, and so is what it is taken from: what a flat
    fee or a discount adds to an item goes with it.
    """
    if not any(each.item_id in found for each in group.items):
        return group
    parts, currency = shares(group), group.price.currency
    less = sum((parts[each.item_id] for each in group.items if each.item_id in found), Decimal())
    items = []
    for item in group.items:
        own = Price(value=float(parts[item.item_id]), currency=currency)
        known = found.get(item.item_id)
        if known is not None:
            taken = replace(known, is_taken=is_taken, price=own)
            free = Price(value=0.0, currency=currency)
            item = replace(item, reuse=taken)
            item = replace(item, price=free, duration=_AT_ONCE, restore=None) if is_taken else item
        elif is_taken and less and item.price is None:
            item = replace(item, price=own)
        items.append(item)
    price = Price(value=float(decimal_of(group.price) - less), currency=currency)
    return replace(group, items=tuple(items), price=price if is_taken else group.price)


#: What delivering from a kept result takes: nothing that is worth telling.
_AT_ONCE = Estimate(low=0.0, typical=0.0, high=0.0)


def anew_prices(group: ItemGroupPrice) -> dict[str, Decimal]:
    """Return, by item id, what items cost that a quotation counts on reusing, if they must be made."""
    return {
        each.item_id: decimal_of(each.reuse.price)
        for each in group.items
        if each.reuse is not None and each.reuse.is_taken and each.reuse.price is not None
    }
