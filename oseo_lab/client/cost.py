"""What an order cost: its charges, as the service's JSON API lists them, added up for `Order.cost`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from oseo_lab.model.quotation import Price

__all__ = ["cost_of"]


def cost_of(answer: Mapping[str, Any]) -> list[Price]:
    """Add up the charges of an order that were not given back, by currency."""
    sums: dict[str, Decimal] = {}
    for each in answer.get("charges", ()):
        if not each["is_given_back"]:
            currency = str(each["currency"])
            sums[currency] = sums.get(currency, Decimal()) + Decimal(repr(each["amount"]))
    return [Price(value=float(value), currency=currency) for currency, value in sums.items()]
