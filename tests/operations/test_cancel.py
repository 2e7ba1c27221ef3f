"""Cancel: writes a wish and never a status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oseo_lab.model.errors import Conflict, NotFound, ValidationError
from oseo_lab.model.messages import Cancel, ResponseStatus
from oseo_lab.model.order import StatusInfo, StatusNotification
from oseo_lab.model.status import Status, Wanted
from oseo_lab.operations import perform
from tests.operations.orders import item, order


def test_the_wish_is_written_and_the_status_is_not(context, store, woken):
    ack = perform(order(item("a"), item("b", "S2_2")), context())
    woken.clear()
    assert perform(Cancel(order_id=ack.order_id), context()).status is ResponseStatus.SUCCESS
    with store.read() as snapshot:
        assert snapshot.orders.get(ack.order_id).wanted is Wanted.CANCELLED
        assert {each.wanted for each in snapshot.items.of(ack.order_id)} == {Wanted.CANCELLED}
        assert snapshot.items.counts(ack.order_id) == {Status.ACCEPTED: 2}
    assert woken == [True]


def test_items_that_are_final_make_it_partial(context, store):
    ack = perform(order(item("a"), item("b", "S2_2")), context())

    def complete(work):
        before = work.items.get(ack.order_id, 1)
        assert work.items.save(before, replace(before, status=StatusInfo(status=Status.COMPLETED)))

    store.write(complete)
    answer = perform(Cancel(order_id=ack.order_id), context())
    assert answer.status is ResponseStatus.PARTIAL
    assert "1 items were final" in answer.error_message


def test_a_final_order_cannot_be_cancelled(context, store):
    ack = perform(order(), context())

    def end(work):
        work.orders.save(replace(work.orders.get(ack.order_id), status=StatusInfo(status=Status.FAILED)))

    store.write(end)
    with pytest.raises(Conflict) as refusal:
        perform(Cancel(order_id=ack.order_id), context())
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "orderId")


def test_somebody_elses_order_stays(context, store):
    ack = perform(order(), context())
    with pytest.raises(NotFound):
        perform(Cancel(order_id=ack.order_id), context("bert"))
    with store.read() as snapshot:
        assert snapshot.orders.get(ack.order_id).wanted is Wanted.COMPLETED


def test_notifications_are_refused_before_anything_is_written(context, store):
    ack = perform(order(), context())
    with pytest.raises(ValidationError) as refusal:
        perform(Cancel(order_id=ack.order_id, status_notification=StatusNotification.ALL), context())
    assert (refusal.value.code, refusal.value.locator) == ("InvalidNotificationValue", "ws-address")
    with store.read() as snapshot:
        assert snapshot.orders.get(ack.order_id).wanted is Wanted.COMPLETED
