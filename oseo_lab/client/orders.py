"""My orders, found again by name or id: after a restart, from another notebook, next week.

Nothing is kept on this side: the service knows them all.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, overload

from oseo_lab.client import display
from oseo_lab.client.area import as_period
from oseo_lab.client.given import text
from oseo_lab.client.order import Order
from oseo_lab.model.errors import NotFound, ValidationError
from oseo_lab.model.messages import FilteringCriteria, GetStatus
from oseo_lab.model.names import name_of, reference_of
from oseo_lab.model.order import order_uuid
from oseo_lab.model.status import Status

if TYPE_CHECKING:
    from pathlib import Path

    from oseo_lab.client.session import Session

__all__ = ["OrderList", "Orders"]

#: What "of late" is, for a look at one's orders.
RECENT = timedelta(days=30)


class OrderList(Sequence[Order]):
    """Orders, newest first, as they were when this was asked."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self._orders = tuple(orders)

    @overload
    def __getitem__(self, index: int) -> Order: ...

    @overload
    def __getitem__(self, index: slice) -> OrderList: ...

    def __getitem__(self, index: int | slice) -> Order | OrderList:
        return OrderList(self._orders[index]) if isinstance(index, slice) else self._orders[index]

    def __len__(self) -> int:
        return len(self._orders)

    def __repr__(self) -> str:
        named = ", ".join(repr(each.name) for each in self._orders[:5])
        more = f" and {len(self) - 5} more" if len(self) > 5 else ""
        return f"{len(self)} orders: {named}{more}" if self._orders else "no orders"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [
            (
                each.name,
                f"{display.mark(each.last_status)} {each.last_status}",
                display.when(each.created),
                each.id,
            )
            for each in self._orders[: display.ROWS]
        ]
        head = ("name", "status", "made", "id")
        return display.card(f"{len(self)} orders", display.table(head, rows, total=len(self)))


class Orders:
    """All orders of one owner.

    Parameters
    ----------
    session : Session
        Whose.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getitem__(self, key: str) -> Order:
        """Return the newest order of this name, or the one with this id.

        Raises
        ------
        NotFound
            If there is none; the nearest names are listed.
        """
        text(key, "name", "an order's name or id; lab.orders.filter()[0] is the newest")
        order_id = key if key.startswith("urn:uuid:") else f"urn:uuid:{key}"
        if order_uuid(order_id.lower()):
            return Order.of_id(self._session, order_id.lower())
        found = self._ask(FilteringCriteria(order_reference=reference_of(key)[0]))
        for order in found:
            if key in (order.name, order.record.specification.order_reference):
                return order.refresh()
        if ":" in key:  # another service's ids are URIs of its own
            return self._by_id(key)
        raise self._unknown(key)

    def _by_id(self, key: str) -> Order:
        try:
            return Order.of_id(self._session, key)
        except NotFound:
            raise self._unknown(key) from None

    def __contains__(self, key: object) -> bool:
        try:
            return isinstance(key, str) and self[key] is not None
        except NotFound:
            return False

    def get(self, key: str, default: Order | None = None) -> Order | None:
        """Return an order by name or id, or ``default``."""
        try:
            return self[key]
        except NotFound:
            return default

    def __iter__(self) -> Iterator[Order]:
        return iter(self.filter())

    def __len__(self) -> int:
        return len(self.filter())

    def latest(self) -> Order:
        """Return the order made last.

        Raises
        ------
        NotFound
            If there is none.
        """
        if not (found := self.filter()):
            raise NotFound("you have no orders yet; lab.search(...).order(...).submit() makes one")
        return found[0].refresh()

    def filter(
        self,
        status: str | Iterable[str] = (),
        name: str | None = None,
        since: Any = None,
        until: Any = None,
    ) -> OrderList:
        """Return the orders that match all of this, newest first.

        Parameters
        ----------
        status : str or several
            ``"Completed"``, ``["Accepted", "InProduction"]``.
        name : str, optional
            A name, or a pattern with ``*`` and ``?``.
        since, until : date, aware datetime, timedelta or str, optional
            When the order last changed; a timedelta counts back from now.
        """
        exact = name is not None and not set(name) & set("*?[")
        criteria = FilteringCriteria(
            order_statuses=_statuses(status),
            order_reference=reference_of(name)[0] if exact and name else None,
            last_update=_moment(since, 0),
            last_update_end=_moment(until, 1),
        )
        found = self._ask(criteria)
        return OrderList(each for each in found if name is None or fnmatchcase(each.name, name) or exact)

    def _ask(self, criteria: FilteringCriteria) -> OrderList:
        answer = self._session.transport.perform(GetStatus(filtering_criteria=criteria))
        return OrderList(Order(self._session, each) for each in reversed(answer.orders))

    def download_ready(self, folder: Any = ".", **how: Any) -> list[Path]:
        """Download everything of yours that is ready, whoever started it and whenever.

        What is there already and right is not fetched again: run it as often as you like.

        Parameters
        ----------
        folder : str or Path
            Where to: each order gets its own folder, ``<folder>/<order name>/<item id>``.
        **how
            ``workers``, ``progress``, as in `Order.download`.

        Returns
        -------
        list of Path
            The data files of all orders.

        Raises
        ------
        DeliveryError
            If something could not be had, after all others were tried.
        """
        from oseo_lab.client.collecting import download_ready

        return download_ready(self.filter(), folder, **how)

    def _unknown(self, key: str) -> NotFound:
        names = [name_of(each.record) for each in self.filter(since=RECENT)]
        close = difflib.get_close_matches(key, names, n=3, cutoff=0.5) or list(dict.fromkeys(names))[:3]
        listed = ", ".join(repr(each) for each in close) or "none yet"
        return NotFound(f"you have no order {key[:100]!r}; yours: {listed}", locator="orderId")

    def _ipython_display_(self) -> None:
        """Show the orders of late, asked for now: a cell that says ``lab.orders`` wants to see them."""
        display.shown(self, lambda: self.filter(since=RECENT))

    def __repr__(self) -> str:
        return "your orders: lab.orders['name'], lab.orders.latest(), lab.orders.filter(status='Completed')"


def _statuses(given: str | Iterable[str]) -> tuple[Status, ...]:
    words = [given] if isinstance(given, str) else list(given)
    known = {each.lower(): each for each in Status}
    if wrong := [each for each in words if str(each).lower() not in known]:
        raise ValidationError(
            f"status {', '.join(repr(str(each)[:60]) for each in wrong)} is not known; "
            f"allowed: {', '.join(Status)}",
            locator="status",
        )
    return tuple(known[str(each).lower()] for each in words)


def _moment(given: Any, end: int) -> datetime | None:
    if given is None:
        return None
    if isinstance(given, timedelta):
        return datetime.now(UTC) - given
    period = as_period(given)
    return None if period is None else period[end]
