"""An order at a glance from GetStatus alone, and following it where there are no events."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from oseo_lab.client.following import Follower
from oseo_lab.client.order import Order
from oseo_lab.client.session import Session
from oseo_lab.client.showing import keepable
from oseo_lab.client.transport import InProcessTransport
from oseo_lab.client.views import summary_of, view_of
from oseo_lab.encoding.order_html import order_html
from oseo_lab.model.errors import TransportError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import GetStatusResponse
from oseo_lab.model.order import ItemSpecification, OrderItem, OrderSpecification, StatusInfo
from oseo_lab.model.order import Order as Record
from oseo_lab.model.status import Status
from oseo_lab.model.view import Action, ItemRow

ID = "urn:uuid:7f3c0000-0000-4000-8000-000000000000"


def record(*statuses: tuple[Status, str | None], status: Status = Status.IN_PRODUCTION) -> Record:
    """Return an order as another service tells it: items without numbers."""
    items = tuple(
        OrderItem(
            specification=ItemSpecification(
                item_id=f"i{n}", identifier=ProductId(identifier=f"P{n}", collection_id="c")
            ),
            status=StatusInfo(status=each, additional=info),
        )
        for n, (each, info) in enumerate(statuses)
    )
    return Record(
        order_id=ID,
        specification=OrderSpecification(order_reference="elsewhere"),
        status=StatusInfo(status=status),
        items=items,
    )


MIXED = record(
    (Status.COMPLETED, None),
    (Status.FAILED, "no such product"),
    (Status.IN_PRODUCTION, None),
    (Status.FAILED, "no such product"),
    (Status.FAILED, "disk full"),
)


def test_what_failed_comes_first_and_is_grouped_by_what_is_said_of_it():
    view = view_of(MIXED)
    assert [each.item_id for each in view.rows] == ["i1", "i3", "i4", "i2", "i0"]
    assert len({each.number for each in view.rows}) == 5
    assert [(each.reason, each.count, each.item_ids) for each in view.failures] == [
        ("no such product", 2, ("i1", "i3")),
        ("disk full", 1, ("i4",)),
    ]
    assert view.actions == (Action.CANCEL,)
    assert view.summary.collections == ("c",)
    assert view.summary.counts == {Status.COMPLETED: 1, Status.FAILED: 3, Status.IN_PRODUCTION: 1}


def test_final_order_can_only_be_looked_at():
    view = view_of(record((Status.COMPLETED, None), status=Status.COMPLETED))
    assert view.actions == ()
    assert summary_of(MIXED, "ana").owner == "ana"


def test_notebooks_keep_no_signed_link():
    from dataclasses import replace

    row = ItemRow(
        number=1, item_id="a", identifier="P", status=Status.COMPLETED, href="https://x/f.tif?signature=s"
    )
    view = replace(view_of(MIXED), rows=(row,))
    assert keepable(view).rows[0].href == "https://x/f.tif"
    assert "signature" not in order_html(keepable(view))


def session_of(*answers: Record | Exception) -> Session:
    """Return a session with a service that knows GetStatus alone, and these answers, the last for ever."""
    rest = list(answers)

    def perform(request, message_id):
        found = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(found, Exception):
            raise found
        return GetStatusResponse(orders=(found,))

    return Session(InProcessTransport(perform))


def test_order_is_followed_to_its_end_through_a_loss_of_the_service():
    end = record((Status.COMPLETED, None), status=Status.COMPLETED)
    session = session_of(MIXED, TransportError("away"), end)
    order = Order(session, MIXED, full=True)
    told, over = [], threading.Event()

    def hear(each):
        told.append(each)
        if each.view is not None and each.view.summary.status.is_final:
            over.set()

    follower = Follower(session)
    stop = follower.follow(order, hear)
    while not over.wait(0.05):
        follower.news(ID)
    stop()
    assert told[0].view.summary.status is Status.IN_PRODUCTION
    lost = [each for each in told if each.view is None]
    assert [each.reason for each in lost] == ["away"]
    assert lost[0].lost <= datetime.now(UTC)


def test_views_are_made_where_the_service_has_none():
    order = Order(session_of(MIXED), MIXED, full=True)
    assert order.view().summary.name == "elsewhere"
    assert "no such product" in order._repr_html_()
