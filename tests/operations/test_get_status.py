"""GetStatus: by id and by search, brief and full, and only one's own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oseo_lab.model.errors import NotFound
from oseo_lab.model.messages import FilteringCriteria, GetStatus, Presentation
from oseo_lab.model.status import Status
from oseo_lab.operations import perform
from tests.operations.orders import item, order


@pytest.fixture
def three(context, clock):
    acks = []
    for number in range(3):
        acks.append(perform(order(item(), order_reference=f"ref-{number}"), context()))
        clock.advance(hours=1)
    return [ack.order_id for ack in acks]


def found(context, **criteria):
    response = perform(GetStatus(filtering_criteria=FilteringCriteria(**criteria)), context())
    return [each.order_id for each in response.orders]


def test_brief_has_no_items_and_full_has_all(context, three):
    brief = perform(GetStatus(order_id=three[0]), context()).orders[0]
    full = perform(GetStatus(order_id=three[0], presentation=Presentation.FULL), context()).orders[0]
    assert brief.items == ()
    assert [each.specification.item_id for each in full.items] == ["a"]
    assert brief.specification.order_reference == full.specification.order_reference == "ref-0"


def test_an_empty_search_finds_all_of_ones_own_oldest_first(context, three):
    assert found(context) == three
    response = perform(GetStatus(filtering_criteria=FilteringCriteria()), context("bert"))
    assert response.orders == ()


def test_criteria_are_anded_and_statuses_ored(context, three, clock):
    start = clock.time - timedelta(hours=3)
    assert found(context, order_reference="ref-1") == [three[1]]
    assert found(context, order_statuses=(Status.ACCEPTED, Status.FAILED)) == three
    assert found(context, order_statuses=(Status.FAILED,)) == []
    assert found(context, last_update=start + timedelta(hours=1)) == three[1:]
    assert found(context, last_update_end=start + timedelta(hours=1)) == three[:2]
    assert found(context, last_update=start + timedelta(hours=1), order_reference="ref-0") == []


@pytest.mark.parametrize(
    "order_id", ["urn:uuid:00000000-0000-4000-8000-000000000000", "1", "", "urn:x" * 500]
)
def test_an_unknown_order_and_somebody_elses_are_answered_alike(order_id, context, three):
    with pytest.raises(NotFound) as unknown:
        perform(GetStatus(order_id=order_id), context())
    with pytest.raises(NotFound) as foreign:
        perform(GetStatus(order_id=three[0]), context("bert"))
    assert unknown.value.code == foreign.value.code == "InvalidOrderIdentifier"
    assert unknown.value.locator == foreign.value.locator == "orderId"


def test_an_order_id_is_compared_exactly(context, three):
    with pytest.raises(NotFound):
        perform(GetStatus(order_id=three[0].upper()), context())
