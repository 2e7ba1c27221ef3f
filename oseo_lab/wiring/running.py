"""How far running items are, as workers said last: kept in memory, of so many items at most."""

from __future__ import annotations

import threading
from collections import OrderedDict

from oseo_lab.model.job import Progress

__all__ = ["MOST_ITEMS", "MOST_ORDERS", "Running"]

#: Orders, and items of each, whose progress is kept; those heard of longest ago are forgotten.
MOST_ORDERS = 500
MOST_ITEMS = 500


class Running:
    """The last progress of each item, in every order heard of lately."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, OrderedDict[int, Progress]] = OrderedDict()
        self._lock = threading.Lock()

    def tell(self, order_id: str, number: int, progress: Progress) -> None:
        """Remember how far an item is; called from any thread."""
        with self._lock:
            items = self._orders.setdefault(order_id, OrderedDict())
            self._orders.move_to_end(order_id)
            items[number] = progress
            items.move_to_end(number)
            if len(items) > MOST_ITEMS:
                items.popitem(last=False)
            if len(self._orders) > MOST_ORDERS:
                self._orders.popitem(last=False)

    def of(self, order_id: str) -> dict[int, Progress]:
        """Return what was last said of an order's items, by number."""
        with self._lock:
            return dict(self._orders.get(order_id, {}))
