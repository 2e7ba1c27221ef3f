"""My orders, found again by name or id: after a restart, from another notebook, next week.

Nothing is kept on this side: the service knows them all. Services of ours tell them at a glance, counted and
page by page; others are asked by GetStatus.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from oseo_lab.client import display
from oseo_lab.client.area import as_period
from oseo_lab.client.given import seconds, text
from oseo_lab.client.order import Order
from oseo_lab.client.order_list import OrderList, listed
from oseo_lab.client.views import summary_of
from oseo_lab.model.errors import NotFound, NotSupported, ValidationError
from oseo_lab.model.messages import FilteringCriteria, GetStatus
from oseo_lab.model.names import reference_of
from oseo_lab.model.order import order_uuid
from oseo_lab.model.status import Status

if TYPE_CHECKING:
    from pathlib import Path

    from oseo_lab.client.linked import LinkedOrder
    from oseo_lab.client.session import Session
    from oseo_lab.client.shared_orders import SharedOrders

__all__ = ["OrderList", "Orders"]

#: What "of late" is, for a look at one's orders.
RECENT = timedelta(days=30)


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
        found = self._told(FilteringCriteria(order_reference=reference_of(key)[0]))
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
        if not (found := self.filter(limit=1)):
            raise NotFound("you have no orders yet; lab.search(...).order(...).submit() makes one")
        return found[0].refresh()

    @property
    def shared(self) -> SharedOrders:
        """Orders of others that are shared with you: ``lab.orders.shared["ana/lake-garda"]``."""
        from oseo_lab.client.shared_orders import SharedOrders

        return SharedOrders(self._session)

    def open(self, link: str) -> LinkedOrder:
        """Return the order that a link opens, to read only; whoever made the link can end it.

        Raises
        ------
        NotFound
            If the link opens nothing, or not any more.
        """
        from oseo_lab.client.linked import LinkedOrder

        return LinkedOrder(link)

    def filter(
        self,
        name: str | None = None,
        status: str | Iterable[str] = (),
        since: Any = None,
        until: Any = None,
        collection: str | None = None,
        limit: int | None = None,
    ) -> OrderList:
        """Return the orders that match all of this, newest first.

        Parameters
        ----------
        name : str, optional
            A name, or a pattern with ``*`` and ``?``.
        status : str or several
            ``"Completed"``, ``["Accepted", "InProduction"]``.
        since, until : str, date, aware datetime or timedelta, optional
            When the order last changed: ``"7d"`` and timedeltas count back from now.
        collection : str, optional
            Only orders from this collection.
        limit : int, optional
            Most orders; all without it.
        """
        for word, said in (("name", name), ("collection", collection)):
            if said is not None:
                text(said, word, f"a text: filter({word}='...')")
        statuses = _statuses(status)
        begin, end = _moment(since, 0, "since"), _moment(until, 1, "until")
        query = {
            "name": name,
            "status": ",".join(statuses),
            "since": None if begin is None else begin.isoformat(),
            "until": None if end is None else end.isoformat(),
            "collection": collection,
        }
        try:
            return listed(self._session, {key: said for key, said in query.items() if said}, limit)
        except NotSupported:  # another service: GetStatus is all there is
            criteria = FilteringCriteria(
                order_statuses=statuses, last_update=begin, last_update_end=end, order_reference=_exact(name)
            )
            found = [each for each in self._told(criteria) if _is_called(each, name)]
            if collection is not None:
                found = [
                    each for each in found if collection in summary_of(each.refresh().record).collections
                ]
            return OrderList(found[:limit])

    def _told(self, criteria: FilteringCriteria) -> list[Order]:
        """Return what GetStatus tells, newest first."""
        answer = self._session.transport.perform(GetStatus(filtering_criteria=criteria))
        return [Order(self._session, each) for each in reversed(answer.orders)]

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
        names = list(dict.fromkeys(each.name for each in self.filter(since=RECENT).summaries))
        close = difflib.get_close_matches(key, names, n=3, cutoff=0.5)
        said = ", ".join(repr(each) for each in close or names[:3]) or "none yet"
        return NotFound(
            f"you have no order {key[:100]!r}; yours: {said}", locator="orderId", close_matches=tuple(close)
        )

    def _ipython_display_(self) -> None:
        """Show the orders of late, asked for now: a cell that says ``lab.orders`` wants to see them."""
        display.shown(self, lambda: self.filter(since=RECENT))

    def __repr__(self) -> str:
        return "your orders: lab.orders['name'], lab.orders.latest(), lab.orders.filter(status='Completed')"


def _exact(name: str | None) -> str | None:
    """Return the reference of a name; None of a pattern."""
    return reference_of(name)[0] if name and not set(name) & set("*?[") else None


def _is_called(order: Order, name: str | None) -> bool:
    return name is None or _exact(name) is not None or fnmatchcase(order.name, name)


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


def _moment(given: Any, end: int, name: str) -> datetime | None:
    """Return a moment: what a timedelta or a text like ``7d`` counts back to, or a date's begin or end."""
    if given is None:
        return None
    is_back = isinstance(given, timedelta) or (isinstance(given, str) and given.strip()[-1:].isalpha())
    if is_back and not (isinstance(given, str) and given.strip().upper().endswith("Z")):
        back = seconds(given, name, dates=True)
        return None if back is None else datetime.now(UTC) - timedelta(seconds=back)
    period = as_period(given)
    return None if period is None else period[end]
