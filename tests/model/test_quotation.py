"""Quotations as values: estimates from the past, groups put together, prices parted to the last cent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.estimates import Estimate, Finished, choice_of, estimate, in_words, total
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.order import ItemSpecification, OrderSpecification, Payment
from oseo_lab.model.quotation import (
    ItemGroupPrice,
    ItemPrice,
    Price,
    ProviderName,
    compose,
    decimal_of,
    shares,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LAB = ProviderName(service_name="lab", organization="lab")
CENTS = st.integers(0, 10**9).map(lambda cents: cents / 100)


def group(
    price: float, *items: tuple[str, float | None], currency: str = "EUR", until=None
) -> ItemGroupPrice:
    return ItemGroupPrice(
        provider=LAB,
        price=Price(value=price, currency=currency),
        validity_time=until,
        items=tuple(
            ItemPrice(
                item_id=name,
                identifier=ProductId(identifier=name),
                price=None if own is None else Price(value=own, currency=currency),
            )
            for name, own in items
        ),
    )


def specification(**methods: str | None) -> OrderSpecification:
    return OrderSpecification(
        items=tuple(
            ItemSpecification(
                item_id=name,
                identifier=ProductId(identifier=name),
                payment=Payment(payment_method=method) if method else None,
            )
            for name, method in methods.items()
        )
    )


def past(*sizes: int, choice: str = "x") -> list[Finished]:
    return [Finished(collection_id="c", choice=choice, seconds=size / 10, size=size) for size in sizes]


def test_nothing_made_yet_is_said_and_not_guessed() -> None:
    outlook = estimate([], "x")
    assert (outlook.size, outlook.duration) == (None, None)
    assert "nothing of this collection has been made yet" in outlook.basis


def test_ten_items_made_alike_count_alone() -> None:
    outlook = estimate([*past(*range(100, 111)), *past(*[10**9] * 50, choice="other")], "x")
    assert outlook.size == Estimate(low=101, typical=105, high=109)
    assert outlook.duration == Estimate(low=10.1, typical=10.5, high=10.9)
    assert outlook.basis == "of the last 11 items with these options"


def test_fewer_made_alike_are_joined_by_the_rest_of_the_collection() -> None:
    outlook = estimate([*past(*[100] * 9), *past(200, choice="other")], "x")
    assert outlook.basis == "of the last 10 items of the collection"
    assert outlook.size is not None
    assert outlook.size.typical == 100


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50))
def test_an_estimate_lies_within_what_happened_and_is_in_order(sizes: list[int]) -> None:
    found = estimate(past(*sizes), "y").size
    assert found is not None
    assert min(sizes) <= found.low <= found.typical <= found.high <= max(sizes)


def test_a_sum_of_many_is_surer_than_each() -> None:
    one = Estimate(low=80, typical=100, high=130)
    several = total([one] * 100)
    assert several is not None
    assert several.typical == pytest.approx(10_000)
    assert (several.low, several.high) == (pytest.approx(9_800), pytest.approx(10_300))
    assert total([one, None]) is None
    assert total([]) is None


def test_words_leave_out_a_spread_that_is_none() -> None:
    assert in_words(None, None) == ""
    assert in_words(Estimate(low=8e7, typical=8e7, high=8e7), None) == "about 80 MB"
    assert in_words(None, Estimate(low=60, typical=90, high=4000)) == "90 s of work (60 s to 67 min)"


def test_choice_is_the_same_for_the_same_options_in_any_order() -> None:
    assert choice_of({"a": 1, "b": "x"}) == choice_of({"b": "x", "a": 1})
    assert choice_of({"a": 1}) != choice_of({"a": 2})


def test_a_quotation_holds_as_long_as_its_shortest_group() -> None:
    early, late = NOON + timedelta(days=1), NOON + timedelta(days=9)
    groups = [group(1, ("a", 1), until=late), group(2, ("b", 2), until=early), group(0, ("c", 0))]
    made = compose("q", groups, specification(a=None, b=None, c=None))
    assert made.validity_time == early
    assert made.price == Price(value=3, currency="EUR")


def test_no_total_over_methods_or_currencies() -> None:
    two = [group(1, ("a", 1)), group(2, ("b", 2))]
    assert compose("q", two, specification(a="quota", b="invoice")).price is None
    other = [group(1, ("a", 1)), group(2, ("b", 2), currency="QUOTA")]
    assert compose("q", other, specification(a=None, b=None)).price is None
    same = compose("q", two, specification(a="invoice", b="invoice"))
    assert same.price == Price(value=3, currency="EUR")


def test_a_total_is_added_in_decimals() -> None:
    groups = [group(0.1, ("a", 0.1)), group(0.2, ("b", 0.2))]
    made = compose("q", groups, specification(a=None, b=None))
    assert made.price == Price(value=0.3, currency="EUR")


@given(CENTS, st.lists(st.none() | CENTS, min_size=1, max_size=30))
def test_shares_add_up_to_the_price_whatever_the_items_say(price: float, own: list[float | None]) -> None:
    made = group(price, *((str(number), each) for number, each in enumerate(own)))
    parted = shares(made)
    assert len(parted) == len(own)
    assert sum(parted.values()) == decimal_of(made.price)
    assert all(each >= 0 for each in parted.values())


@given(st.lists(CENTS, min_size=1, max_size=30))
def test_shares_are_the_items_prices_where_these_make_up_the_price(own: list[float]) -> None:
    whole = sum((Decimal(repr(each)) for each in own), Decimal())
    parted = shares(group(float(whole), *((str(number), each) for number, each in enumerate(own))))
    if whole:
        assert list(parted.values()) == [Decimal(repr(each)) for each in own]
