"""The card of an order where the page cannot ask the service itself: VS Code, Colab, Voilà, another server.

The same drawing as in JupyterLab, fed by this kernel: a thread follows the order and touches traits only.
Buttons come as messages and are carried out in a thread of their own, so that a slow service holds up nobody;
while a cell runs they wait, for the kernel hears no messages then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import anywidget
import traitlets

from oseo_lab.client import display
from oseo_lab.client.following import Told, follower_of
from oseo_lab.client.order import Order
from oseo_lab.encoding.json_form import to_plain
from oseo_lab.model.errors import OseoError
from oseo_lab.model.messages import Cancel
from oseo_lab.model.view import Action, OrderView
from oseo_lab.widgets.assets import last_announcement, module, style

__all__ = ["OrderCard"]

#: Seconds between two states sent to a page that has not said that it draws the card.
UNSEEN = 1.0

_LOG = logging.getLogger("oseo_lab.widgets")

_ADAPTER = """
function render({ model, el: host }) {
  const waiting = new Map();
  let last = 0;
  const card = new Card(host, {
    act: (action, body) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        model.send({ kind: "act", number: last, action, body });
      }),
    href: (address) => (/^https?:/.test(address) ? address : null),
  });
  const view = `${Date.now()}-${Math.random()}`;
  const draw = () => card.update(model.get("view"));
  const connect = () => card.connect(model.get("state"));
  const hear = (message) => {
    const asker = waiting.get(message.number);
    if (message.kind !== "done" || !asker) return;
    waiting.delete(message.number);
    if (message.text) asker.reject(new Error(message.text));
    else asker.resolve(message.answer ?? {});
  };
  model.on("change:view", draw);
  model.on("change:state", connect);
  model.on("msg:custom", hear);
  draw();
  card.tellAll(announcementOf(model.get("announcement")));
  connect();
  model.send({ kind: "drawn", view });
  return () => {
    model.off("change:view", draw);
    model.off("change:state", connect);
    model.off("msg:custom", hear);
    model.send({ kind: "gone", view });
    card.dispose();
  };
}
export default { render };
"""


class OrderCard(anywidget.AnyWidget):
    """A live card.

    Parameters
    ----------
    order : Order
        Which order.
    """

    _esm = module("dom.js", "words.js", "card.js", last=_ADAPTER)
    _css = style()

    view = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    announcement = traitlets.Dict().tag(sync=True)

    def __init__(self, order: Order) -> None:
        announcement = last_announcement(order.session)
        super().__init__(view=to_plain(order.last_view), state={"kind": "still"}, announcement=announcement)
        self._order = order
        self._views: set[str] = set()
        self._sent = time.monotonic()
        self._last: OrderView | None = None
        self.on_msg(self._asked)
        self._stop = follower_of(order.session).follow(order, self._told)
        if self.comm is not None:
            self.comm.on_close(lambda *_: self._stop())

    def close(self) -> None:
        """Follow the order no more."""
        self._stop()
        super().close()

    # ------------------------------------------------------------------------------- from the follower

    def _told(self, told: Told) -> None:
        if told.view is None:
            since = None if told.lost is None else told.lost.isoformat()
            self.state = {"kind": "lost" if since else "still", "since": since, "text": told.reason}
            return
        self._last = told.view
        is_final = told.view.summary.status.is_final
        if self._views or is_final or time.monotonic() - self._sent >= UNSEEN:
            self._send_view()

    def _send_view(self) -> None:
        if self._last is not None:
            self._sent = time.monotonic()
            self.view = to_plain(self._last)
            self.state = {"kind": "live"}

    # ----------------------------------------------------------------------------------- from the page

    def _asked(self, _: Any, content: Mapping[str, Any], *_buffers: Any) -> None:
        if content.get("kind") == "drawn":
            self._views.add(str(content.get("view")))
            self._send_view()
        elif content.get("kind") == "gone":
            self._views.discard(str(content.get("view")))
        elif content.get("kind") == "act":
            threading.Thread(target=self._carry_out, args=(content,), name="oseo-card", daemon=True).start()

    def _carry_out(self, content: Mapping[str, Any]) -> None:
        """Do what a button says; the answer goes back to the button."""
        done: dict[str, Any] = {"kind": "done", "number": content.get("number")}
        said: list[str] = []
        try:
            with display.telling(said.append):
                body = dict(content.get("body") or {})
                done["answer"] = to_plain(self._act(Action(str(content.get("action"))), body))
        except (OseoError, ValueError) as refused:
            done["text"] = str(refused)
        except Exception as odd:  # a thread has nobody to raise to: said where the button was pressed
            _LOG.debug("a button could not be carried out", exc_info=True)
            done["text"] = f"that went wrong: {odd!r:.200}"
        follower_of(self._order.session).news(self._order.id)
        self.send(done)

    def _act(self, action: Action, body: Mapping[str, Any]) -> Any:
        transport = self._order.session.transport
        if action is Action.CANCEL:  # every OSEO service knows this one
            transport.perform(Cancel(order_id=self._order.id))
            return {}
        sent = {"item_ids": body.get("item_ids")} if action is Action.RETRY else dict(body)
        path = "shares" if action is Action.SHARE else action.value
        return dict(transport.ask("POST", f"orders/{quote(self._order.id, safe='')}/{path}", body=sent))
