"""The table of orders where the page cannot ask the service itself: the same drawing, fed by this kernel.

A thread asks again when anything is heard of any order, once a second at most, and touches the trait only.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import anywidget
import traitlets

from oseo_lab.client.following import follower_of
from oseo_lab.client.order_list import OrderList
from oseo_lab.encoding.json_form import to_plain
from oseo_lab.model.errors import OseoError
from oseo_lab.widgets.assets import module, style

__all__ = ["OrdersTable"]

#: Seconds between two looks at all of them, at least.
PACE = 1.0

_LOG = logging.getLogger("oseo_lab.widgets")

_ADAPTER = """
function render({ model, el: host }) {
  const table = new OrdersTable(host);
  const draw = () => table.update(model.get("orders"));
  model.on("change:orders", draw);
  draw();
  model.send({ kind: "drawn" });
  return () => {
    model.off("change:orders", draw);
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

    def __init__(self, orders: OrderList) -> None:
        super().__init__(orders=_drawn(orders))
        self._list = orders
        self._news = threading.Event()
        self._over = threading.Event()
        self._stop: Any = None
        self.on_msg(self._begin)

    def _begin(self, _: Any, content: Any, *_buffers: Any) -> None:
        """Follow the orders once somebody sees them."""
        if content.get("kind") == "drawn" and self._stop is None and self._list.session is not None:
            self._stop = follower_of(self._list.session).hear(self._news.set)
            self._list.session.at_close(self._end)
            threading.Thread(target=self._follow, name="oseo-orders", daemon=True).start()

    def _follow(self) -> None:
        while self._news.wait() and not self._over.wait(PACE):
            self._news.clear()
            try:
                self.orders = _drawn(self._list.again())
            except OseoError as away:
                _LOG.debug("the orders could not be asked for: %s", away)
            except Exception:  # whatever a server sends: what is drawn stays
                _LOG.debug("the orders could not be read", exc_info=True)

    def close(self) -> None:
        """Follow the orders no more."""
        if self._stop is not None:
            self._stop()
        self._end()
        super().close()

    def _end(self) -> None:
        self._over.set()
        self._news.set()


def _drawn(orders: OrderList) -> list[Any]:
    return [to_plain(each) for each in orders.summaries]
