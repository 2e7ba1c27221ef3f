"""Pause, resume, look ahead, announce: who may, of which orders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oseo_lab.model.errors import (
    Conflict,
    NotAuthorized,
    NotFound,
    NotSupported,
    Unavailable,
    ValidationError,
)
from oseo_lab.model.identifiers import OrderType, SubscriptionId
from oseo_lab.model.messages import Cancel, Submit
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.model.status import Wanted
from oseo_lab.operations import perform
from oseo_lab.operations.standing import announce, would_match
from oseo_lab.operations.steering import pause, resume
from oseo_lab.ports import ProcessingFailed
from tests.operations.orders import order
from tests.operations.test_order_types import ALL, PERIOD, chosen


@pytest.fixture
def here(context):
    return lambda owner="anna", **more: replace(context(owner), collections=ALL, **more)


@pytest.fixture
def order_id(here):
    item = ItemSpecification(
        item_id="all", identifier=SubscriptionId(collection_id="standing"), options=chosen(PERIOD)
    )
    specification = OrderSpecification(order_type=OrderType.SUBSCRIPTION_ORDER, items=(item,))
    return perform(Submit(specification=specification), here()).order_id


def test_a_subscription_is_paused_and_resumed(order_id, here, woken):
    assert pause(order_id, here()).wanted is Wanted.SUSPENDED
    assert pause(order_id, here()).wanted is Wanted.SUSPENDED
    assert resume(order_id, here()).wanted is Wanted.COMPLETED
    assert len(woken) >= 3


@pytest.mark.parametrize("function", [pause, resume, would_match])
def test_another_owners_is_as_an_unknown_one(order_id, here, function):
    with pytest.raises(NotFound) as refused:
        function(order_id, here("eve"))
    assert (refused.value.code, refused.value.locator) == ("InvalidOrderIdentifier", "orderId")


@pytest.mark.parametrize("function", [pause, resume, would_match])
def test_what_is_to_be_cancelled_is_left_alone(order_id, here, function):
    perform(Cancel(order_id=order_id), here())
    with pytest.raises(Conflict):
        function(order_id, here())


def test_only_subscriptions_look_ahead(context):
    made = perform(order(), context()).order_id
    with pytest.raises(NotSupported, match="SUBSCRIPTION_ORDER"):
        would_match(made, context())


def test_only_operators_announce(here):
    with pytest.raises(NotAuthorized):
        announce("standing", ["S1_1"], here())
    told = []
    operator = here(is_operator=True, announce=lambda *said: told.append(said) or 2)
    assert announce("standing", ["S1_1"], operator) == 2
    assert told == [("standing", ["S1_1"])]


@pytest.mark.parametrize(
    ("collection", "identifiers"), [("none", ["x"]), ("standing", []), ("standing", ["x"] * 1001)]
)
def test_an_announcement_that_cannot_be_matched_is_refused(here, collection, identifiers):
    with pytest.raises(ValidationError):
        announce(collection, identifiers, here(is_operator=True))


def test_a_catalogue_that_does_not_answer_is_said(order_id, here):
    def out(*_):
        raise ProcessingFailed("no answer", retry=True)

    with pytest.raises(Unavailable, match="no answer"):
        announce("standing", ["x"], here(is_operator=True, announce=out))
    with pytest.raises(Unavailable, match="no answer"):
        would_match(order_id, here(would_match=out))
