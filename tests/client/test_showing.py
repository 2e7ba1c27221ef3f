"""Orders in cells: their end is written back; of very many only so many are remembered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oseo_lab.client import display, showing
from oseo_lab.client.following import Told
from oseo_lab.model.status import Status
from tests.encoding.test_order_html import SUMMARY, VIEW


class Handle:
    def __init__(self):
        self.written = []

    def update(self, bundle, raw):
        self.written.append(bundle)


class Follower:
    """Follows orders as those of sessions do; tells when it is told to."""

    def __init__(self):
        self.followed = {}

    def follow(self, order, listener):
        self.followed[order.id] = listener
        return lambda: self.followed.pop(order.id)


class Shown:
    """An order, as far as showing it needs one."""

    session = None

    def __init__(self, order_id, status):
        self.id = order_id
        self.last_view = replace(VIEW, summary=replace(SUMMARY, order_id=order_id, status=status))

    def saw(self, view):
        self.last_view = view

    def view(self):
        self.last_view = replace(self.last_view, revision=VIEW.revision or 1)
        return self.last_view

    def _repr_mimebundle_(self):
        return {}


@pytest.fixture
def follower(monkeypatch):
    found = Follower()
    monkeypatch.setattr(showing, "_SHOWN", {})
    monkeypatch.setattr(showing, "_FOLLOWED", {})
    monkeypatch.setattr(showing, "MOST_ORDERS", 3)
    monkeypatch.setattr(showing, "follower_of", lambda session: found)
    monkeypatch.setattr(showing, "story", lambda order, view: {"order": order.id})
    monkeypatch.setattr(display, "in_notebook", lambda: True)
    return found


@pytest.fixture
def show(follower, monkeypatch):
    import IPython.display

    handles = []

    def made(*_, **__):
        handles.append(Handle())
        return handles[-1]

    monkeypatch.setattr(IPython.display, "display", made)

    def shown(order_id, status=Status.IN_PRODUCTION):
        order = Shown(order_id, status)
        showing.show_order(order)
        return order, handles[-1]

    return shown


def test_orders_that_are_over_are_forgotten_first_and_followed_no_more(show, follower):
    for order_id in ("old", "over", "new", "newer"):
        show(order_id, Status.COMPLETED if order_id == "over" else Status.IN_PRODUCTION)
    assert list(showing._SHOWN) == list(follower.followed) == ["old", "new", "newer"]
    show("newest")
    assert list(showing._SHOWN) == list(follower.followed) == ["new", "newer", "newest"]


def test_an_order_shown_again_is_the_last_to_go(show):
    for order_id in ("a", "b", "c", "a", "d"):
        show(order_id)
    assert list(showing._SHOWN) == ["c", "a", "d"]


def test_of_one_order_the_last_outputs_are_written_back(show, follower):
    outputs = [show("one") for _ in range(showing.MOST_OUTPUTS + 5)]
    order = outputs[0][0]
    end = replace(order.last_view, summary=replace(order.last_view.summary, status=Status.COMPLETED))
    follower.followed["one"](Told(view=end))
    follower.followed["one"](Told(view=end))  # once
    written = [len(handle.written) for _, handle in outputs]
    assert written == [0] * 5 + [1] * showing.MOST_OUTPUTS


def test_an_order_that_is_over_is_shown_with_all_there_is_however_often(follower, monkeypatch):
    import IPython.display

    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: Handle())
    for status, asked in ((Status.COMPLETED, True), (Status.CANCELLED, True), (Status.IN_PRODUCTION, False)):
        order = Shown("one", status)
        order.last_view = replace(order.last_view, revision=0)  # as GetStatus tells it
        showing.show_order(order)
        assert bool(order.last_view.revision) is asked
