"""What an order draws from its owner's balance, in the transaction that saves it.

Only collections with a quoter draw anything, and only in currencies the owner has a balance of.
"""

from __future__ import annotations

from collections.abc import Sequence

from oseo_lab.model.order import Order
from oseo_lab.model.quotation import Charge, QuotationRecord
from oseo_lab.operations.context import Context

__all__ = ["charges_of"]


def charges_of(order: Order, quoted: QuotationRecord | None, context: Context) -> Sequence[Charge]:
    """Return what an order's items draw: what was quoted, or what its quoters say now."""
    return ()
