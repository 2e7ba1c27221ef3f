"""The table of orders where the page cannot ask the service itself: the same drawing, fed by this kernel.

While a page draws it, a thread asks again when anything is heard of any order, once a second at most, and
touches the trait only. It ends when nothing draws the table any more, or the widget or its session is closed.
"""

from __future__ import annotations

import logging
import threading
import weakref
from typing import Any

import anywidget
import traitlets

from oseo_lab.client.following import follower_of
from oseo_lab.client.order_list import OrderList
from oseo_lab.client.session import Session
from oseo_lab.encoding.json_form import to_plain
from oseo_lab.model.errors import OseoError
from oseo_lab.widgets.assets import last_announcement, module, style

__all__ = ["OrdersTable"]

#: Seconds between two looks at all of them, at least.
PACE = 1.0

_LOG = logging.getLogger("oseo_lab.widgets")

_ADAPTER = """
function render({ model, el: host }) {
  const table = new OrdersTable(host);
  const draw = () => table.update(model.get("orders"));
  const view = `${Date.now()}-${Math.random()}`;
  model.on("change:orders", draw);
  draw();
  table.tellAll(announcementOf(model.get("announcement")));
  model.send({ kind: "drawn", view });
  return () => {
    model.off("change:orders", draw);
    model.send({ kind: "gone", view });
    table.dispose();
  };
}
export default { render };
"""


class OrdersTable(anywidget.AnyWidget):
    """A table of orders.

    Parameters
    ----------
    orders : OrderList
        Which orders.
    """

    _esm = module("dom.js", "orders.js", last=_ADAPTER)
    _css = style()

    orders: Any = traitlets.List().tag(sync=True)
    announcement: Any = traitlets.Dict().tag(sync=True)

    def __init__(self, orders: OrderList) -> None:
        super().__init__(orders=_drawn(orders), announcement=last_announcement(orders.session))
        self._list = orders
        self._views: set[str] = set()
        self._following: _Following | None = None
        self.on_msg(self._heard)
        if self.comm is not None:
            self.comm.on_close(lambda *_: self._end())

    def _heard(self, _: Any, content: Any, *_buffers: Any) -> None:
        """Follow the orders while somebody sees them."""
        kind, view = content.get("kind"), str(content.get("view"))
        if kind == "drawn":
            self._views.add(view)
            session = self._list.session
            if self._following is None and session is not None:
                self._following = _Following(self, session)
                _tables_of(session).add(self)
        elif kind == "gone":
            self._views.discard(view)
            if not self._views:
                self._end()

    def ask(self) -> None:
        """Ask for the orders again, and show them."""
        try:
            self.orders = _drawn(self._list.again())
        except OseoError as away:
            _LOG.debug("the orders could not be asked for: %s", away)
        except Exception:  # whatever a server sends: what is drawn stays
            _LOG.debug("the orders could not be read", exc_info=True)

    def close(self) -> None:
        """Follow the orders no more."""
        self._end()
        super().close()

    def _end(self) -> None:
        following, self._following = self._following, None
        if following is not None:
            following.end()


class _Following:
    """The thread of a table that is drawn."""

    def __init__(self, table: OrdersTable, session: Session) -> None:
        self._table = table
        self._news = threading.Event()
        self._over = threading.Event()
        self._stop = follower_of(session).hear(self._news.set)
        threading.Thread(target=self._follow, name="oseo-orders", daemon=True).start()

    def end(self) -> None:
        """Let the thread go; nothing more is heard."""
        self._stop()
        self._over.set()
        self._news.set()

    def _follow(self) -> None:
        while self._news.wait() and not self._over.wait(PACE):
            self._news.clear()
            self._table.ask()


_TABLES: weakref.WeakKeyDictionary[Session, weakref.WeakSet[OrdersTable]] = weakref.WeakKeyDictionary()


def _tables_of(session: Session) -> weakref.WeakSet[OrdersTable]:
    """Return the tables that follow a session's orders: they end with it."""
    tables = _TABLES.get(session)
    if tables is None:
        tables = _TABLES[session] = weakref.WeakSet()
        session.at_close(lambda: _end_all(session))
    return tables


def _end_all(session: Session) -> None:
    for each in tuple(_TABLES.pop(session, ())):
        each._end()


def _drawn(orders: OrderList) -> list[Any]:
    return [to_plain(each) for each in orders.summaries]
