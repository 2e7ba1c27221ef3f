"""Cancel ends every type of order: what is suspended, waits for its batch, or for somebody else, too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oseo_lab.model.collection import Collection, TaskingRule
from oseo_lab.model.identifiers import OrderType, ProductId, TaskingRequestId
from oseo_lab.model.messages import Cancel, ResponseStatus
from oseo_lab.model.order import (
    Callback,
    CallbackKind,
    ItemSpecification,
    Order,
    OrderSpecification,
    StatusInfo,
    StatusNotification,
)
from oseo_lab.model.status import Status, Wanted
from oseo_lab.operations import Context, Service, perform
from oseo_lab.operations.order_types import make_order
from tests.dispatch.standing import DAY_0, Clock, subscription
from tests.dispatch.test_dispatcher import Scripted, make

SCENES = Collection(id="scenes", batch=2, tasking=TaskingRule(pattern=".*", use="x"))


def product_order() -> Order:
    """Five items in batches of two: the second and third batch are Suspended."""
    items = tuple(
        ItemSpecification(item_id=f"i{n}", identifier=ProductId(identifier=f"P{n}")) for n in range(1, 6)
    )
    specification = OrderSpecification(items=items)
    return make_order(specification, (SCENES,) * 5, "anna", None, None, DAY_0)


def tasking_order() -> Order:
    items = tuple(
        ItemSpecification(item_id=f"t{n}", identifier=TaskingRequestId(id=f"urn:task:{n}")) for n in (1, 2)
    )
    specification = OrderSpecification(order_type=OrderType.TASKING_ORDER, items=items)
    return make_order(specification, (SCENES,) * 2, "anna", None, None, DAY_0)


def cancel(store, order_id: str, policy: StatusNotification = StatusNotification.ALL):
    context = Context(
        owner="anna",
        store=store,
        collections={"scenes": SCENES},
        service=Service(),
        wake=lambda: None,
        now=Clock(),
        url="http://localhost/oseo/",
        link=lambda order_id, number, name, expires: name,
        message_id="urn:m:cancel",
        reply_to="http://receiver.example/",
    )
    return perform(Cancel(order_id=order_id, status_notification=policy), context)


@pytest.mark.parametrize(
    ("made", "suspended"),
    [(product_order, 3), (tasking_order, 2), (subscription, 1)],
    ids=["batches", "tasking", "subscription"],
)
def test_every_item_of_every_type_ends_cancelled(store, made, suspended):
    order = made()
    store.write(lambda work: work.orders.add(order))
    with store.read() as snapshot:
        counts = snapshot.items.counts(order.order_id)
    assert counts[Status.SUSPENDED] == suspended
    assert cancel(store, order.order_id).status is ResponseStatus.SUCCESS
    make(store, Clock(), Scripted(), "d1").step()
    with store.read() as snapshot:
        assert snapshot.items.counts(order.order_id) == {Status.CANCELLED: len(order.items)}
        assert snapshot.orders.get(order.order_id).status.status is Status.CANCELLED
        told = snapshot.outbox.waiting(order.order_id)
    assert {each.kind for each in told} == {CallbackKind.CANCEL_RESPONSE}
    assert [each.body["final"] for each in told][-1] is True
    assert [each.body["order"][0] for each in told][-1] == "Cancelled"


@pytest.mark.parametrize("wanted", [Wanted.SUSPENDED, Wanted.COMPLETED])
def test_a_suspended_subscription_ends_too(store, wanted):
    order = subscription()
    store.write(lambda work: work.orders.add(order))

    def suspend(work):
        work.items.want(order.order_id, wanted, DAY_0)
        work.orders.save(replace(work.orders.get(order.order_id), wanted=wanted))

    store.write(suspend)
    cancel(store, order.order_id)
    make(store, Clock(), Scripted(), "d1").step()
    with store.read() as snapshot:
        assert snapshot.orders.get(order.order_id).status.status is Status.CANCELLED


def test_what_was_delivered_stays_and_the_rest_is_cancelled(store):
    order = product_order()
    store.write(lambda work: work.orders.add(order))

    def deliver(work):
        item = work.items.get(order.order_id, 1)
        assert work.items.save(item, replace(item, status=StatusInfo(status=Status.COMPLETED)))

    store.write(deliver)
    ack = cancel(store, order.order_id, StatusNotification.FINAL)
    assert ack.status is ResponseStatus.PARTIAL
    make(store, Clock(), Scripted(), "d1").step()
    with store.read() as snapshot:
        assert snapshot.items.counts(order.order_id) == {Status.COMPLETED: 1, Status.CANCELLED: 4}
        (told,) = snapshot.outbox.waiting(order.order_id)
        assert snapshot.callbacks.of_many([order.order_id])[order.order_id] == [
            Callback(
                kind=CallbackKind.CANCEL_RESPONSE,
                policy=StatusNotification.FINAL,
                address="http://receiver.example/",
                message_id="urn:m:cancel",
            )
        ]
    assert told.body["order"][0] == "Completed"
    assert sorted(each[0] for each in told.body["items"].values()) == ["Cancelled"] * 4 + ["Completed"]
