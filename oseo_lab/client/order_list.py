"""Orders as a table: each at a glance, live where the page can ask the service, else as they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, overload

from oseo_lab.client import display
from oseo_lab.client.given import whole
from oseo_lab.client.order import Order
from oseo_lab.client.refusals import cursor_of, entries_of
from oseo_lab.client.views import instance_of, summary_of
from oseo_lab.encoding.order_html import orders_html, status_words
from oseo_lab.model.names import reference_of, short_id
from oseo_lab.model.order import Order as Record
from oseo_lab.model.order import OrderSpecification, StatusInfo
from oseo_lab.model.status import DELIVERED
from oseo_lab.model.view import OrderSummary

if TYPE_CHECKING:
    from oseo_lab.client.session import Session

__all__ = ["ORDERS", "OrderList", "listed"]

#: Media type of a table of orders in a cell's output: what the JupyterLab extension draws live.
ORDERS = "application/vnd.oseo-lab.orders+json"
#: Orders asked for at a time.
PAGE = 500
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
    session : Session, optional
        Where they can be asked for again by that, also when there are none yet.
    """

    def __init__(
        self,
        orders: Iterable[Order],
        summaries: Iterable[OrderSummary] | None = None,
        query: Mapping[str, str] | None = None,
        session: Session | None = None,
    ) -> None:
        self._orders = tuple(orders)
        found = [summary_of(each.record) for each in self._orders] if summaries is None else summaries
        self.summaries = tuple(found)
        self._query = query
        self._session = session
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

    @property
    def session(self) -> Session | None:
        """Where they were asked for, if they can be asked for again."""
        return self._session if self._query is not None else None

    def again(self) -> OrderList:
        """Ask for the same again."""
        session = self.session
        return self if session is None or self._query is None else listed(session, self._query, PAGE)

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

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        found = display.bundle(self, lambda: orders_html(self.summaries), self._live())
        return found | {"text/plain": str(self)}

    def _live(self) -> dict[str, Any]:
        """Return what a page needs to draw them, and to ask for them again, where that can be."""
        from oseo_lab.encoding.json_form import to_plain

        instance = None if self.session is None else instance_of(self.session)
        if instance is None or self._query is None:
            return {}
        drawn = to_plain(self.summaries[: display.ROWS])
        return {ORDERS: {"instance": instance, "query": dict(self._query), "orders": drawn}}


def _row(order: OrderSummary, now: datetime) -> tuple[str, ...]:
    """Return one order's cells as text: ``✔ Completed``, ``4/4``, when, ``310 MB, kept 6 more days``."""
    done = sum(order.counts.get(each, 0) for each in DELIVERED)
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


def listed(session: Session, query: Mapping[str, str], limit: int | None = None) -> OrderList:
    """Return orders at a glance, as the service's JSON API lists them, page after page.

    Raises
    ------
    NotSupported
        If the service has no such API.
    """
    from oseo_lab.encoding.json_form import from_plain

    if limit is not None:
        limit = whole(limit, "limit")
    found: list[OrderSummary] = []
    cursor: str | None = ""
    seen: set[str | None] = {None}
    while cursor is not None and (limit is None or len(found) < limit):
        room = PAGE if limit is None else min(PAGE, limit - len(found))
        params = {**query, "limit": str(room), **({"cursor": cursor} if cursor else {})}
        answer = session.transport.ask("GET", "orders/summaries", params=params)
        found += [from_plain(OrderSummary, each) for each in entries_of(answer, "orders")]
        cursor = cursor_of(answer)
        if cursor in seen:
            break  # a page that leads back
        seen.add(cursor)
    return OrderList([Order(session, _record(each)) for each in found], found, query, session)


def _record(summary: OrderSummary) -> Record:
    """Return what is known of an order at a glance as its record; its handle asks for the rest."""
    is_named = summary.name != short_id(summary.order_id)
    reference, extensions = reference_of(summary.name) if is_named else (None, ())
    return Record(
        order_id=summary.order_id,
        specification=OrderSpecification(
            order_type=summary.order_type, order_reference=reference, extensions=extensions
        ),
        status=StatusInfo(status=summary.status, additional=summary.info),
        created=summary.created,
        updated=summary.updated,
        owner=summary.owner,
        wanted=summary.wanted,
    )
