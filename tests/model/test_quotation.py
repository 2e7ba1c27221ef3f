"""Quotations as values: groups put together, prices parted to the last cent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

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
