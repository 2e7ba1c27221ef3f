"""Orders in cells: a live card at once, never waiting; at the end what became of it, written into the cell.

A saved notebook tells how an order ended though its kernel has gone: when the order is final, the output that
shows it is replaced by its last state (the same card, without what needs a kernel). That works from a thread
on ipykernel 6 and 7, for display handles find their output by themselves.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from oseo_lab.client import display
from oseo_lab.client.following import Told, follower_of
from oseo_lab.client.items import Handle
from oseo_lab.client.views import instance_of
from oseo_lab.model.errors import OseoError
from oseo_lab.model.view import OrderView

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ORDER", "Showable", "keepable", "order_data", "settle", "show_order", "story"]

#: Media type of an order in a cell's output: what the JupyterLab extension draws live.
ORDER = "application/vnd.oseo-lab.order+json"


class Showable(Handle, Protocol):
    """What is needed of an order that is shown (`oseo_lab.client.order.Order`)."""

    @property
    def last_view(self) -> OrderView:
        """The order at a glance, as last heard of."""

    def view(self) -> OrderView:
        """Ask for the order at a glance."""

    def saw(self, view: OrderView) -> None:
        """Keep what another thread heard of it."""

    def _repr_mimebundle_(self) -> Mapping[str, Any]: ...


@dataclass
class _Shown:
    """One output that shows an order."""

    handle: Any
    is_final: bool
    revision: int = -1


#: Most orders whose outputs are written back, and most outputs of one: a kernel may live for months, and an
#: output that is let go of keeps what it showed last. Orders that are over go first, then those shown longest
#: ago.
MOST_ORDERS, MOST_OUTPUTS = 200, 20

_SHOWN: dict[str, list[_Shown]] = {}
#: What ends following orders for their outputs, by id.
_FOLLOWED: dict[str, Callable[[], None]] = {}
_LOCK = threading.Lock()
#: Held while an end is written, so that a cell that waited for it is not over before that.
_WRITING = threading.Lock()


def order_data(order: Showable, view: OrderView) -> dict[str, Any]:
    """Return what a page needs to draw an order, and to find it again on its server."""
    from oseo_lab.encoding.json_form import to_plain

    plain = to_plain(keepable(view))
    return {"order_id": order.id, "instance": instance_of(order.session), "view": plain}


def keepable(view: OrderView) -> OrderView:
    """Return a view as it may be saved in a notebook: signed links open files to whoever has them."""
    rows = (replace(each, href=each.href and each.href.partition("?")[0]) for each in view.rows)
    return replace(view, rows=tuple(rows))


def story(order: Showable, view: OrderView) -> dict[str, Any]:
    """Return an order as a saved notebook keeps it: without what needs its kernel."""
    from oseo_lab.encoding.order_html import order_html

    return {
        ORDER: order_data(order, view),
        "text/html": display.safely(order, lambda: order_html(keepable(view))),
        "text/plain": repr(order),
    }


def show_order(order: Showable) -> None:
    """Show an order in the cell that runs, live where that can be; its end is written back."""
    if display.in_notebook():
        _look(order)
    bundle = order._repr_mimebundle_()
    if not display.in_notebook():
        display.put(bundle, raw=True)
        return
    handle = display.put(bundle, raw=True, display_id=True)
    shown = _Shown(handle, order.last_view.summary.status.is_final)
    with _LOCK:
        outputs = [*_SHOWN.pop(order.id, ()), shown]
        _SHOWN[order.id] = outputs[-MOST_OUTPUTS:]  # shown last, so last in the order of the mapping
        is_first = order.id not in _FOLLOWED
        if is_first:
            _FOLLOWED[order.id] = _nothing
        ends = _let_go()
    for end in ends:
        end()
    if is_first:
        stop = follower_of(order.session).follow(order, lambda told: _told(order, told))
        with _LOCK:
            is_kept = order.id in _FOLLOWED
            if is_kept:
                _FOLLOWED[order.id] = stop
        if not is_kept:
            stop()


def _look(order: Showable) -> None:
    """Ask once for all there is of an order that is over: nobody follows it, and this is what is kept."""
    last = order.last_view
    if last.summary.status.is_final and not last.revision:  # made from GetStatus
        with contextlib.suppress(OseoError):  # then what is known is shown
            order.view()


def _nothing() -> None:
    """Stand for what ends following, until it has begun."""


def _let_go() -> list[Callable[[], None]]:
    """Forget outputs of orders there is no room for; return what ends following these."""
    surplus = len(_SHOWN) - MOST_ORDERS
    if surplus <= 0:
        return []
    *earlier, _ = _SHOWN
    earlier.sort(key=lambda each: not all(output.is_final for output in _SHOWN[each]))
    for each in earlier[:surplus]:
        del _SHOWN[each]
    return [_FOLLOWED.pop(each) for each in earlier[:surplus] if each in _FOLLOWED]


def settle(order: Showable) -> None:
    """Write what became of a final order into the cells that show it; called by whoever waited for it."""
    with _WRITING, _LOCK:
        waiting = any(not each.is_final for each in _SHOWN.get(order.id, ()))
    if waiting:
        try:
            _write(order, order.view())
        except OseoError:
            return  # the follower comes back to it


def _told(order: Showable, told: Told) -> None:
    if told.is_end:  # shown again, through another lab, it is followed again
        with _LOCK:
            _FOLLOWED.pop(order.id, None)
    if told.view is not None:
        order.saw(told.view)
        _write(order, told.view)


def _write(order: Showable, view: OrderView) -> None:
    """Write a final state back once; an order that goes on (tried again) is written back at its next end."""
    is_final = view.summary.status.is_final
    with _WRITING:
        with _LOCK:
            shown = _SHOWN.get(order.id, ())
            due = [
                each for each in shown if is_final and not (each.is_final and each.revision == view.revision)
            ]
            for each in shown:
                each.is_final = is_final
                each.revision = view.revision
        for each in due:
            each.handle.update(story(order, view), raw=True)
