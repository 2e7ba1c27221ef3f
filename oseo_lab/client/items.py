"""The items of an order as handles: where each stands, why, and what it delivered.

`Items` can be looked at, sliced, filtered and made a table; an `Item` can be opened and downloaded by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, Self, overload

from oseo_lab.client import display
from oseo_lab.client.counts import DELIVERED
from oseo_lab.client.standing import named
from oseo_lab.model.identifiers import ProductId, SubscriptionId
from oseo_lab.model.order import ItemSpecification, OrderItem
from oseo_lab.model.order import Order as Record
from oseo_lab.model.status import Status

if TYPE_CHECKING:
    from oseo_lab.client.session import Session

__all__ = ["Handle", "Item", "Items", "items_table"]


class Handle(Protocol):
    """What items, and who waits, need of the handle of their order (`oseo_lab.client.order.Order`)."""

    @property
    def id(self) -> str:
        """The service's id."""

    @property
    def name(self) -> str:
        """What you called it."""

    @property
    def session(self) -> Session:
        """Where it was submitted."""

    @property
    def record(self) -> Record:
        """What the service said last."""

    @property
    def last_status(self) -> Status:
        """The status last heard of."""

    @property
    def is_full(self) -> bool:
        """Whether what was last heard held the items."""

    @property
    def known_items(self) -> Items:
        """The items as last heard of."""

    def refresh(self) -> Self:
        """Ask where the order stands."""


class Item:
    """One item of an order, as it stood when it was asked for.

    Parameters
    ----------
    order : Order
        What it belongs to.
    record : OrderItem
        What the service said of it.
    """

    def __init__(self, order: Handle, record: OrderItem) -> None:
        self._order = order
        self._record = record

    @property
    def id(self) -> str:
        """What you called it: the ``itemId``."""
        return self._record.specification.item_id

    @property
    def number(self) -> int:
        """Its position in the order, from 1."""
        return self._record.number

    @property
    def identifier(self) -> str:
        """The product it is made from; of what stands for products to come, the collection or request."""
        found = self._record.product or self._record.specification.identifier
        if isinstance(found, ProductId):
            return found.identifier
        return found.collection_id if isinstance(found, SubscriptionId) else found.id

    @property
    def status(self) -> Status:
        """Where it stands."""
        return self._record.status.status

    @property
    def info(self) -> str | None:
        """What the service says about its status."""
        return self._record.status.additional

    @property
    def reason(self) -> str:
        """Why it stands where it stands: `info`, else the status."""
        return self.info or str(self.status)

    @property
    def specification(self) -> ItemSpecification:
        """What was ordered."""
        return self._record.specification

    @property
    def record(self) -> OrderItem:
        """What the service said of it, as the model's own record."""
        return self._record

    @property
    def is_delivered(self) -> bool:
        """Whether its files can be had."""
        return self.status in DELIVERED

    @property
    def is_failed(self) -> bool:
        """Whether it is final and was not delivered."""
        return self.status.is_final and not self.is_delivered

    def __repr__(self) -> str:
        info = f": {self.info}" if self.info else ""
        return f"Item({named(self._record)!r}, {self.status}{info})"


class Items(Sequence[Item]):
    """Items of an order, by position or item id.

    Parameters
    ----------
    order : Order
        Whose items they are.
    records : iterable of OrderItem or Item
        The items.
    """

    def __init__(self, order: Handle, records: Iterable[OrderItem | Item]) -> None:
        self._order = order
        self._items = tuple(each if isinstance(each, Item) else Item(order, each) for each in records)

    @overload
    def __getitem__(self, key: int | str) -> Item: ...

    @overload
    def __getitem__(self, key: slice) -> Items: ...

    def __getitem__(self, key: int | str | slice) -> Item | Items:
        if isinstance(key, slice):
            return Items(self._order, self._items[key])
        if isinstance(key, int):
            return self._items[key]
        for each in self._items:
            if key in (each.id, each.identifier):
                return each
        raise KeyError(f"{key!r} is not one of these {len(self)} items")

    def __len__(self) -> int:
        return len(self._items)

    @property
    def succeeded(self) -> Items:
        """Those that were delivered."""
        return Items(self._order, (each for each in self if each.is_delivered))

    @property
    def failed(self) -> Items:
        """Those that will not be delivered; ``.reasons`` says why."""
        products = (each for each in self if not isinstance(each.specification.identifier, SubscriptionId))
        return Items(self._order, (each for each in products if each.is_failed))

    @property
    def reasons(self) -> dict[str, str]:
        """What there is to say about each item, by item id."""
        return {each.id: each.info or "" for each in self}

    def __repr__(self) -> str:
        counts = Counter(each.status for each in self)
        return f"{len(self)} items: {display.counted(counts)}" if self else "no items"

    def _repr_html_(self) -> str:
        return display.safely(
            self, lambda: display.card(repr(self), items_table([each.record for each in self]))
        )


def items_table(records: Sequence[OrderItem]) -> str:
    """Return items as an HTML table of the first `ROWS`."""
    rows = [
        (
            f"{display.mark(each.status.status)} {each.status.status}",
            named(each),
            each.status.additional or "",
        )
        for each in records[: display.ROWS]
    ]
    return display.table(("status", "item", ""), rows, total=len(records))
