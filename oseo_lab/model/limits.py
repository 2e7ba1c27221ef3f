"""Limits of one order: what it may cost and deliver altogether, held by the service when an item starts.

OSEO has no element for them: they travel as extensions of the order specification, ``max_price=12.5`` and
``max_bytes=1000000000``, through every door alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from oseo_lab.model.order import OrderSpecification

__all__ = ["MAX_BYTES", "MAX_PRICE", "Limits", "kept_limits", "limits_of", "over_price"]

Number = TypeVar("Number", int, float)

#: What the extensions begin with.
MAX_PRICE = "max_price="
MAX_BYTES = "max_bytes="


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The most an order may cost and deliver.

    Parameters
    ----------
    max_price : float or None
        In the currency the order is paid in; None for no limit.
    max_bytes : int or None
        Bytes of data files; None for no limit.
    """

    max_price: float | None = None
    max_bytes: int | None = None

    def extensions(self) -> tuple[str, ...]:
        """Return the limits as they travel."""
        price = () if self.max_price is None else (f"{MAX_PRICE}{self.max_price!r}",)
        size = () if self.max_bytes is None else (f"{MAX_BYTES}{self.max_bytes}",)
        return (*price, *size)


def limits_of(specification: OrderSpecification) -> Limits:
    """Return the limits that an order's extensions say.

    Raises
    ------
    ValueError
        If one is no number, not finite or below zero, or is said twice.
    """
    said: dict[str, str] = {}
    for extension in specification.extensions:
        for name in (MAX_PRICE, MAX_BYTES):
            if extension.startswith(name):
                if name in said:
                    raise ValueError(f"{name.rstrip('=')} is said twice")
                said[name] = extension.removeprefix(name)
    return Limits(max_price=_number(said, MAX_PRICE, float), max_bytes=_number(said, MAX_BYTES, int))


def kept_limits(specification: OrderSpecification) -> Limits:
    """Return the limits of an order that is kept; what was stored before limits were checked has none."""
    try:
        return limits_of(specification)
    except ValueError:
        return Limits()


def over_price(
    limits: Limits, drawn: Iterable[tuple[str, Decimal]], more: Iterable[tuple[str, Decimal]]
) -> str | None:
    """Say why an order may not draw more: None where it may.

    Parameters
    ----------
    limits : Limits
        Of the order.
    drawn, more : iterable of (str, Decimal)
        Currency and amount of what it drew and did not give back, and of what it would draw now.
    """
    if limits.max_price is None:
        return None
    coming, total = _sums(more), _sums(drawn)
    for currency, amount in coming.items():
        total[currency] = total.get(currency, Decimal()) + amount
    if len(total) > 1:
        named = " and ".join(sorted(total))
        return f"the order is paid in {named}, of which one max_price says nothing: order what is paid alike"
    limit = Decimal(repr(limits.max_price))
    for currency, amount in total.items():
        if amount > limit:
            now = coming.get(currency, Decimal())
            before = f" beside the {_words(amount - now)} {currency} drawn already" if amount > now else ""
            return (
                f"this costs {_words(now)} {currency}{before}, and max_price={_words(limit)} is the most "
                "it may cost: order less, or allow more"
            )
    return None


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Add amounts up by currency; what costs nothing has none."""
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        if amount > 0:
            sums[currency] = sums.get(currency, Decimal()) + amount
    return sums


def _words(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _number(said: dict[str, str], name: str, kind: type[Number]) -> Number | None:
    if name not in said:
        return None
    try:
        found = kind(said[name])
    except ValueError:
        found = kind(-1)
    if not 0 <= found < float("inf"):
        raise ValueError(f"{name}{said[name][:40]} is no limit; allowed: numbers from 0 on")
    return found
