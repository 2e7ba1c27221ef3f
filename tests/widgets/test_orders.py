"""The table of orders fed by a kernel: it is followed while somebody draws it, and no longer."""

from __future__ import annotations

import threading

import pytest

from oseo_lab.client.lab import Lab
from oseo_lab.client.order_list import OrderList
from oseo_lab.client.transport import HttpTransport
from oseo_lab.widgets.orders import OrdersTable
from tests.client.test_following import order_of, server  # noqa: F401 (a fixture)


@pytest.fixture
def lab(server):  # noqa: F811
    with Lab(HttpTransport(f"http://127.0.0.1:{server.server_port}/", "the token", tries=1)) as found:
        yield found


@pytest.fixture
def table(lab):
    return OrdersTable(OrderList([order_of(lab)], query={}, session=lab))


def tell(table, kind, view="one"):
    table._handle_custom_msg({"kind": kind, "view": view}, [])


def threads():
    return [each for each in threading.enumerate() if each.name == "oseo-orders"]


def are_over(found):
    for each in found:
        each.join(5)
    return not any(each.is_alive() for each in found)


def test_nothing_is_followed_before_somebody_draws_it(table):
    assert threads() == []


def test_the_last_one_who_stops_drawing_ends_its_thread(table):
    for view in ("one", "two", "two"):
        tell(table, "drawn", view)
    (thread,) = threads()
    tell(table, "gone", "one")
    assert threads() == [thread]
    tell(table, "gone", "two")
    assert are_over([thread])
    tell(table, "drawn", "three")  # seen again, it is live again
    assert len(threads()) == 1
    tell(table, "gone", "three")
    assert are_over(threads())


@pytest.mark.parametrize(
    "end",
    [
        lambda table, lab: table.close(),
        lambda table, lab: lab.close(),
        lambda table, lab: table.comm.handle_close({"content": {"data": {}}}),
    ],
    ids=["the widget is closed", "the lab is closed", "its page closed the connection"],
)
def test_whatever_ends_it_ends_its_thread(table, lab, end):
    tell(table, "drawn")
    found = threads()
    assert len(found) == 1
    end(table, lab)
    assert are_over(found)
