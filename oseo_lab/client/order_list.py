"""Orders as a table: each at a glance, live where the page can ask the service, else as they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, overload

from oseo_lab.client import display
from oseo_lab.client.order import Order
from oseo_lab.client.views import instance_of, summary_of
from oseo_lab.encoding.order_html import orders_html, status_words
from oseo_lab.model.status import Status
from oseo_lab.model.view import OrderSummary

__all__ = ["ORDERS", "OrderList"]

#: Media type of a table of orders in a cell's output: what the JupyterLab extension draws live.
ORDERS = "application/vnd.oseo-lab.orders+json"
_DELIVERED = (Status.COMPLETED, Status.DOWNLOADED)
_HEAD = ("name", "status", "items", "when", "results")


class OrderList(Sequence[Order]):
    """Orders, newest first, as they were when this was asked.

    Parameters
    ----------
    orders : iterable of Order
        Their handles.
    summaries : iterable of OrderSummary, optional
        The same orders at a glance; made from what the handles know, if not given.
    query : mapping, optional
        What they were asked for by, as the JSON API takes it.
    """

    def __init__(
        self,
        orders: Iterable[Order],
        summaries: Iterable[OrderSummary] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> None:
        self._orders = tuple(orders)
        found = [summary_of(each.record) for each in self._orders] if summaries is None else summaries
        self.summaries = tuple(found)
        self._query = query
        self._as_of = datetime.now(UTC)

    @overload
    def __getitem__(self, index: int) -> Order: ...

    @overload
    def __getitem__(self, index: slice) -> OrderList: ...

    def __getitem__(self, index: int | slice) -> Order | OrderList:
        if isinstance(index, slice):
            return OrderList(self._orders[index], self.summaries[index])
        return self._orders[index]

    def __len__(self) -> int:
        return len(self._orders)

    def __repr__(self) -> str:
        named = ", ".join(repr(each.name) for each in self.summaries[:5])
        more = f" and {len(self) - 5} more" if len(self) > 5 else ""
        return f"{self._counted()}: {named}{more}" if self._orders else "no orders"

    def __str__(self) -> str:
        rows = [_row(each, self._as_of) for each in self.summaries[: display.ROWS]]
        if not rows:
            return "no orders"
        widths = [max(len(row[place]) for row in (_HEAD, *rows)) for place in range(len(_HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (_HEAD, *rows)
        ]
        beyond = len(self) - len(rows)
        return "\n".join([self._counted(), *lines, *([f"and {beyond} more"] if beyond else [])])

    def _counted(self) -> str:
        """Return how many there are, and of what status: ``3 orders · 2 Completed · 1 InProduction``."""
        counts = Counter(status_words(each) for each in self.summaries)
        parts = [f"{count} {words}" for words, count in counts.most_common()]
        return " · ".join([f"{len(self)} order{'' if len(self) == 1 else 's'}", *parts])

    def _repr_html_(self) -> str:
        return display.safely(self, lambda: orders_html(self.summaries))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        found = display.bundle(self, lambda: orders_html(self.summaries), self._live())
        return found | {"text/plain": str(self)}

    def _live(self) -> dict[str, Any]:
        """Return what a page needs to draw them, and to ask for them again, where that can be."""
        from oseo_lab.encoding.json_form import to_plain

        instance = instance_of(self._orders[0].session) if self._orders else None
        if instance is None or self._query is None:
            return {}
        drawn = to_plain(self.summaries[: display.ROWS])
        return {ORDERS: {"instance": instance, "query": dict(self._query), "orders": drawn}}


def _row(order: OrderSummary, now: datetime) -> tuple[str, ...]:
    """Return one order's cells as text: ``✔ Completed``, ``4/4``, when, ``310 MB, kept 6 more days``."""
    done = sum(order.counts.get(each, 0) for each in _DELIVERED)
    total = sum(order.counts.values())
    return (
        order.name,
        f"{display.mark(order.status)} {status_words(order)}",
        f"{done}/{total}" if total else "",
        display.when(order.created),
        _results(order, now),
    )


def _results(order: OrderSummary, now: datetime) -> str:
    kept = ""
    if order.expires is not None:
        left = (order.expires - now).total_seconds()
        kept = f"kept {display.ago(left)} more" if left > 0 else "expired"
        kept = kept.replace(" days more", " more days")
    return ", ".join(filter(None, (display.size(order.size) if order.size else "", kept)))
