"""Who may read an order, said in one place: its owner, and whoever it is shared with, until that is over.

A share opens the order itself, its items, history and results, and nothing else: what changes something asks
`oseo_lab.operations.context.order_of`, to which a shared order is as unknown as any stranger's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from oseo_lab.model.errors import NotFound
from oseo_lab.model.order import Order, OrderItem, ResultFile, order_uuid
from oseo_lab.model.share import Share
from oseo_lab.operations.context import Context
from oseo_lab.ports import UnitOfWork

__all__ = ["Reading", "file_url", "reading_of", "shared"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """An order that somebody may read.

    Parameters
    ----------
    order : Order
        Without its items.
    share : Share or None
        By which permission; None for the owner.
    """

    order: Order
    share: Share | None = None

    @property
    def is_own(self) -> bool:
        """Whether the reader is its owner."""
        return self.share is None

    def items(self, items: Iterable[OrderItem]) -> list[OrderItem]:
        """Return items as the reader may see them: how they are paid is their owner's alone."""
        if self.is_own:
            return list(items)
        return [replace(each, specification=replace(each.specification, payment=None)) for each in items]


def reading_of(work: UnitOfWork, order_id: str, reader: str, now: datetime) -> Reading:
    """Return an order that somebody may read.

    Raises
    ------
    NotFound
        If it is unknown, or another owner's and not shared with the reader: all are answered alike.
    """
    order = work.orders.get(order_id) if order_uuid(order_id) else None
    if order is not None:
        if order.owner == reader:
            return Reading(order=order)
        share = work.shares.granted(order_id, reader, now)
        if share is not None:
            return shared(order, share)
    raise NotFound(f"there is no order {order_id[:100]!r} of yours", locator="orderId")


def shared(order: Order, share: Share) -> Reading:
    """Return an order as others may see it: where it is delivered and sent the bill is its owner's alone."""
    seen = replace(order.specification, delivery_information=None, invoice_address=None)
    return Reading(order=replace(order, specification=seen), share=share)


def file_url(file: ResultFile, reading: Reading, context: Context) -> str:
    """Return where a reader fetches a delivered file; a link made for a share ends with it."""
    order_id, share = reading.order.order_id, reading.share
    if file.href is not None:
        return file.href
    if share is None:
        return context.link(order_id, file.number, file.name, file.expires)
    until = share.until if file.expires is None else min(share.until, file.expires)
    return context.link(order_id, file.number, file.name, until, share=share.share_id)
