"""How an order's status follows its items'."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.status import (
    FINAL,
    OPEN,
    ProviderOrderState,
    Status,
    Wanted,
    provider_order_state,
    roll_up,
    roll_up_of,
)

S, A, P, U = Status.SUBMITTED, Status.ACCEPTED, Status.IN_PRODUCTION, Status.SUSPENDED
C, X, F, T, D = Status.COMPLETED, Status.CANCELLED, Status.FAILED, Status.TERMINATED, Status.DOWNLOADED

counts = st.dictionaries(st.sampled_from(list(Status)), st.integers(0, 5)).filter(lambda c: any(c.values()))


@pytest.mark.parametrize(
    ("items", "order"),
    [
        ([P], P),
        ([S, P], P),
        ([A, P, U], P),
        ([C, P], P),
        ([A, C], P),
        ([S, F], P),
        ([U, X], P),
        ([U], U),
        ([U, A], A),
        ([U, S], S),
        ([A], A),
        ([S, A], A),
        ([S], S),
        ([D], D),
        ([D, C], C),
        ([D, F], C),
        ([C], C),
        ([C, F, X, T], C),
        ([F], F),
        ([F, T, X], F),
        ([T], T),
        ([T, X], T),
        ([X], X),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else value,
)
def test_order_status_follows_its_items(items: list[Status], order: Status) -> None:
    assert roll_up({status: 1 for status in items}) is order


@given(counts)
def test_an_order_is_final_exactly_when_all_its_items_are(count: dict[Status, int]) -> None:
    present = {status for status, n in count.items() if n}
    assert roll_up(count).is_final == present.issubset(FINAL)


@given(counts, st.integers(2, 100_000))
def test_how_many_items_have_a_status_does_not_matter(count: dict[Status, int], times: int) -> None:
    assert roll_up(count) is roll_up({status: n * times for status, n in count.items()})


@given(st.sampled_from(list(Status)), st.integers(1, 100_000))
def test_items_of_one_status_give_the_order_that_status(status: Status, n: int) -> None:
    assert roll_up({status: n}) is status


@given(counts)
def test_anything_delivered_is_never_called_failed(count: dict[Status, int]) -> None:
    if count.get(C) or count.get(D):
        assert roll_up(count) not in (F, T, X)


def test_every_status_is_open_or_final() -> None:
    assert set(Status) == FINAL | OPEN
    assert not FINAL & OPEN


@pytest.mark.parametrize(
    ("items", "wanted", "state"),
    [
        ([S], Wanted.COMPLETED, ProviderOrderState.SUBMITTING),
        ([A], Wanted.COMPLETED, ProviderOrderState.PROCESSING),
        ([P], Wanted.COMPLETED, ProviderOrderState.PROCESSING),
        ([P], Wanted.CANCELLED, ProviderOrderState.CANCELLING),
        ([C, F], Wanted.COMPLETED, ProviderOrderState.CLOSED),
        ([D], Wanted.CANCELLED, ProviderOrderState.CLOSED),
        ([X], Wanted.CANCELLED, ProviderOrderState.CANCELLED),
    ],
)
def test_provider_order_state_follows_its_items(
    items: list[Status], wanted: Wanted, state: ProviderOrderState
) -> None:
    assert provider_order_state({status: 1 for status in items}, wanted) is state


@pytest.mark.parametrize(
    ("counts", "wanted", "expected"),
    [
        ({Status.SUSPENDED: 1}, Wanted.COMPLETED, Status.SUSPENDED),
        ({Status.SUBMITTED: 1}, Wanted.COMPLETED, Status.SUBMITTED),
        ({Status.SUSPENDED: 1, Status.ACCEPTED: 2}, Wanted.COMPLETED, Status.IN_PRODUCTION),
        ({Status.SUSPENDED: 1, Status.IN_PRODUCTION: 1}, Wanted.SUSPENDED, Status.IN_PRODUCTION),
        ({Status.SUSPENDED: 1, Status.COMPLETED: 5, Status.FAILED: 1}, Wanted.COMPLETED, Status.SUSPENDED),
        ({Status.TERMINATED: 1, Status.COMPLETED: 5}, Wanted.COMPLETED, Status.TERMINATED),
        ({Status.TERMINATED: 1, Status.IN_PRODUCTION: 1}, Wanted.COMPLETED, Status.IN_PRODUCTION),
        ({Status.CANCELLED: 1, Status.COMPLETED: 5}, Wanted.CANCELLED, Status.CANCELLED),
        ({Status.CANCELLED: 1, Status.TERMINATED: 1}, Wanted.CANCELLED, Status.CANCELLED),
    ],
)
def test_a_subscription_is_not_over_when_what_came_is_done(counts, wanted, expected):
    assert roll_up_of(OrderType.SUBSCRIPTION_ORDER, counts, wanted) is expected


def test_other_orders_roll_up_as_ever():
    counts = {Status.COMPLETED: 1, Status.FAILED: 1}
    for order_type in (OrderType.PRODUCT_ORDER, OrderType.TASKING_ORDER):
        assert roll_up_of(order_type, counts) is roll_up(counts)
