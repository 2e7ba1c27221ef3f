"""Which messages are owed for what happened to an order, and what each tells."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.notices import Moment, Step, as_body, moments, of_body, owed, shown
from oseo_lab.model.order import (
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    StatusInfo,
    StatusNotification,
)
from oseo_lab.model.status import Status, roll_up

ALL, FINAL, NONE = StatusNotification.ALL, StatusNotification.FINAL, StatusNotification.NONE
A, P, C, F = Status.ACCEPTED, Status.IN_PRODUCTION, Status.COMPLETED, Status.FAILED


def info(status: Status, text: str | None = None) -> StatusInfo:
    return StatusInfo(status=status, additional=text)


def item(number: int, status: Status, text: str | None = None) -> OrderItem:
    specification = ItemSpecification(item_id=f"item-{number}", identifier=ProductId(identifier="P1"))
    return OrderItem(specification=specification, status=info(status, text), number=number)


def order(status: Status) -> Order:
    return Order(order_id="urn:uuid:1", specification=OrderSpecification(), status=info(status))


def step(number: int, before: Status, after: Status) -> Step:
    return Step(number=number, before=info(before), after=info(after))


def happened(status: Status, after: Status, items: list[OrderItem], *steps: Step) -> list[Moment]:
    counts = Counter(each.status.status for each in items)
    return moments(order(status), info(after, "said"), counts, items, steps)


def seen(moment: Moment) -> tuple[Status, list[Status]]:
    return moment.order.status, [each.status for each in moment.items.values()]


def test_each_step_of_a_batch_is_a_moment_as_it_was():
    found = happened(
        A, C, [item(1, C), item(2, F)], step(1, A, P), step(2, A, P), step(1, P, C), step(2, P, F)
    )
    assert [seen(each) for each in found] == [(P, [P, A]), (P, [P, P]), (P, [C, P]), (C, [C, F])]
    assert found[-1].order == info(C, "said")
    assert all(each.order.additional is None for each in found[:-1])


def test_an_orders_own_change_is_one_moment():
    assert [seen(each) for each in happened(A, P, [item(1, A)])] == [(P, [A])]


def test_what_changed_no_status_is_no_moment():
    assert happened(P, P, [item(1, P)]) == []


@pytest.mark.parametrize(
    ("policy", "before", "told"),
    [
        (ALL, A, [P, P, C]),
        (FINAL, A, [C]),
        (NONE, A, []),
        (ALL, C, [P, P, C]),
        (FINAL, C, []),
    ],
)
def test_policies(policy, before, told):
    made = [Moment(order=info(each)) for each in (P, P, C)]
    assert [each.order.status for each in owed(policy, before, made)] == told


def test_final_is_told_once_though_more_follows_in_the_same_batch():
    made = [Moment(order=info(each)) for each in (C, Status.DOWNLOADED)]
    assert [each.order.status for each in owed(FINAL, P, made)] == [Status.DOWNLOADED]


_STATUSES = st.sampled_from(list(Status))
_INFO = st.builds(
    StatusInfo,
    status=_STATUSES,
    additional=st.none() | st.text(max_size=5),
    mission_specific=st.none() | st.text(max_size=5),
)


@given(_INFO, st.dictionaries(st.integers(1, 100), _INFO, max_size=5))
def test_a_body_is_json_and_means_the_same_moment(status, items):
    moment = Moment(order=status, items=items)
    assert of_body(json.loads(json.dumps(as_body(moment)))) == moment


def test_the_body_of_a_large_order_means_now():
    assert of_body(as_body(Moment(order=info(P)))) is None


@given(st.data())
def test_moments_lead_from_before_to_after_one_item_at_a_time(data):
    """Whatever happened: the order always follows from the items told with it."""
    statuses = data.draw(st.lists(_STATUSES, min_size=1, max_size=4))
    start = list(statuses)
    steps = []
    for number, after in data.draw(
        st.lists(st.tuples(st.integers(1, len(start)), _STATUSES), min_size=1, max_size=6)
    ):
        if statuses[number - 1] is not after:
            steps.append(step(number, statuses[number - 1], after))
            statuses[number - 1] = after
    before, after = roll_up(Counter(start)), roll_up(Counter(statuses))
    found = happened(before, after, [item(n, each) for n, each in enumerate(statuses, start=1)], *steps)
    assert len(found) == len(steps) or (not steps and before is after)
    last = start
    for moment in found:
        status, items = seen(moment)
        assert sum(one is not other for one, other in zip(last, items, strict=True)) == 1
        assert status is roll_up(Counter(items))
        last = items


def test_an_order_is_shown_as_it_was_without_what_came_later():
    whole = Order(
        order_id="urn:uuid:1",
        specification=OrderSpecification(),
        status=info(C),
        items=(item(1, C), item(2, C)),
    )
    was = shown(whole, Moment(order=info(P), items={1: info(P)}))
    assert (was.status.status, [each.status.status for each in was.items]) == (P, [P])
    assert shown(whole, None) == whole
