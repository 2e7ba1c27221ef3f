"""The tariff: what an item costs by each of its rules, discounts, rounding, and what is wrong at start."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.builtin.quoter_by_hand import ByHand
from oseo_lab.builtin.quoter_tariff import TariffQuoter
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.estimates import Finished, choice_of
from oseo_lab.model.identifiers import OrderType, ProductId, SubscriptionId
from oseo_lab.model.job import Asset, CatalogueItem
from oseo_lab.model.options import Boolean, Category, DataArray, Field, OptionDefinition, ParameterData
from oseo_lab.model.order import ItemSpecification, OrderSpecification, Payment
from oseo_lab.model.quotation import QuotationMode, decimal_of, shares
from oseo_lab.ports import ProcessingFailed, QuoteRequest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLLECTION = Collection(
    id="optical",
    options=(
        OptionDefinition(name="format", component=Category(allowed=("COG", "PNG"), value="PNG")),
        OptionDefinition(name="clean", component=Boolean(value="false")),
        OptionDefinition(
            name="bands",
            component=DataArray(
                element=Field(name="band", component=Category(allowed=("B02", "B03"))), optional=True
            ),
        ),
    ),
)
PRODUCT = CatalogueItem(
    identifier="p",
    collection_id="optical",
    properties={"proj:shape": [3000, 4000]},
    assets=(Asset(name="a", href="a", size=250_000_000),),
)
PAST = [
    Finished(
        collection_id="optical", choice=choice_of({"format": "PNG", "clean": False}), seconds=9, size=size
    )
    for size in range(500_000_000, 500_000_011)
]


def item(name: str = "a", method: str | None = None, **options) -> ItemSpecification:
    return ItemSpecification(
        item_id=name,
        identifier=ProductId(identifier="p"),
        payment=Payment(payment_method=method) if method else None,
        options=(ParameterData(values=tuple(options.items())),) if options else (),
    )


def request(*items: ItemSpecification, past=(), found=PRODUCT) -> QuoteRequest:
    return QuoteRequest(
        owner="anna",
        specification=OrderSpecification(),
        items=items or (item(),),
        collection=COLLECTION,
        now=NOON,
        past=past,
        find=lambda identifiers: {each: found for each in identifiers if found},
    )


def quoted(settings, *items: ItemSpecification, **more):
    return TariffQuoter("optical", settings)(request(*items, **more))


RULES = [
    ({}, item(), 0, "free"),
    ({"item": 1.5}, item(), 1.5, "1.5 an item"),
    ({"megapixel": 0.01}, item(), 0.12, "12 MP at 0.01"),
    ({"gigabyte": 2}, item(), 0.5, "about 0.25 GB at 2"),
    ({"options": {"format": {"COG": 2}}}, item(), 0, "free"),
    ({"options": {"format": {"PNG": 0.25}}}, item(), 0.25, "format PNG 0.25"),
    ({"options": {"clean": {"true": 3}}}, item(clean="true"), 3, "clean true 3"),
    (
        {"options": {"bands": {"B02": 1, "B03": 2}}},
        item(bands=(("band", "B02"), ("band", "B03"))),
        3,
        "B03 2",
    ),
    ({"item": 1, "megapixel": 0.5, "options": {"format": {"PNG": 1}}}, item(), 8, "1 an item + 12 MP"),
    ({"item": 0.125}, item(), 0.13, "0.125 an item"),
    ({"item": 0.125, "decimals": 3}, item(), 0.125, "an item"),
    ({"item": 7, "currency": "QUOTA", "decimals": 0}, item(), 7, "7 an item"),
    ({"free": True}, item(), 0, "free"),
]


@pytest.mark.parametrize(("settings", "ordered", "price", "said"), RULES, ids=lambda each: str(each)[:40])
def test_rule(settings, ordered, price, said) -> None:
    (group,) = quoted(settings, ordered)
    assert group.price.value == price
    assert group.price.currency == settings.get("currency", "EUR")
    assert group.items[0].price == group.price
    assert said in group.items[0].price_information
    assert group.validity_time == NOON + timedelta(days=30)


def test_gigabytes_are_those_likely_to_be_delivered_once_something_was() -> None:
    (group,) = quoted({"gigabyte": 2}, past=PAST)
    assert group.price.value == 1
    assert group.items[0].size.typical == 500_000_005
    assert "of the last 11 items with these options" in group.items[0].price_information


def test_a_fee_is_paid_once_an_order_and_its_contract_goes_along() -> None:
    groups = quoted(
        {"item": 1, "order": 5, "contract": "no resale"},
        item("a", "invoice"),
        item("b", "quota"),
        item("c", "invoice"),
    )
    assert [each.price.value for each in groups] == [7, 1]
    assert [[item.item_id for item in each.items] for each in groups] == [["a", "c"], ["b"]]
    assert groups[0].contract_information == "5.00 EUR once an order; no resale"
    assert groups[1].contract_information == "no resale"


def test_volume_makes_later_items_cheaper() -> None:
    steps = [{"items": 3, "percent": 10}, {"items": 4, "percent": 50}]
    (group,) = quoted({"item": 10, "discounts": steps}, *(item(str(n)) for n in range(5)))
    assert [each.price.value for each in group.items] == [10, 10, 9, 5, 5]
    assert "10 an item, less 10 %" in group.items[2].price_information


@given(
    st.integers(0, 10_000).map(lambda cents: cents / 100),
    st.lists(st.tuples(st.integers(2, 40), st.integers(1, 100)), max_size=4, unique_by=(lambda e: e[0],)),
    st.integers(1, 40),
)
def test_more_items_never_cost_less_and_each_never_more(price, steps, count) -> None:
    steps = sorted(steps)
    percents = sorted({percent for _, percent in steps})
    discounts = [{"items": at, "percent": percent} for (at, _), percent in zip(steps, percents, strict=False)]
    quoter = TariffQuoter("optical", {"item": price, "order": 3, "discounts": discounts})
    (less,) = quoter(request(*(item(str(n)) for n in range(count))))
    (more,) = quoter(request(*(item(str(n)) for n in range(count + 1))))
    assert more.price.value >= less.price.value
    assert more.price.value / (count + 1) <= less.price.value / count + 1e-9
    own = sum((decimal_of(each.price) for each in less.items), Decimal())
    assert own + 3 == decimal_of(less.price) == sum(shares(less).values())


def test_a_subscription_is_priced_by_the_product() -> None:
    standing = ItemSpecification(item_id="a", identifier=SubscriptionId(collection_id="optical"))
    asked = replace(
        request(standing), specification=OrderSpecification(order_type=OrderType.SUBSCRIPTION_ORDER)
    )
    (group,) = TariffQuoter("optical", {"item": 2, "order": 5})(asked)
    assert group.price.value == 2
    assert group.contract_information is None
    assert "for each product delivered" in group.items[0].price_information


@pytest.mark.parametrize("settings", [{"megapixel": 1}, {"gigabyte": 1}])
def test_what_nobody_knows_the_size_of_has_no_price(settings) -> None:
    with pytest.raises(ProcessingFailed, match="item a is priced by its"):
        quoted(settings, found=None)


def test_everything_wrong_with_a_tariff_is_said_at_once() -> None:
    settings = {
        "currency": "far too long",
        "item": -1,
        "price": 3,
        "decimals": 9,
        "mode": "off-line",
        "validity_days": 0,
        "discounts": [{"items": 1, "percent": 200}],
        "contract": "x" * 2000,
    }
    with pytest.raises(ConfigurationError) as caught:
        TariffQuoter("optical", settings)
    said = str(caught.value)
    for name in (*settings, "items", "percent"):
        assert name in said
    assert all(each.text.startswith("quotation.") for each in caught.value.problems)


@pytest.mark.parametrize(
    "settings",
    [
        {"discounts": [{"items": 5, "percent": 20}, {"items": 9, "percent": 10}]},
        {"discounts": [{"items": 5, "percent": 20}, {"items": 5, "percent": 30}]},
        {"free": True, "item": 1},
        {"options": {"format": {"COG": -1}}},
    ],
)
def test_a_tariff_that_contradicts_itself_is_refused(settings) -> None:
    with pytest.raises(ConfigurationError, match=r"quotation\."):
        TariffQuoter("optical", settings)


def test_a_price_of_what_is_not_offered_is_a_problem() -> None:
    quoter = TariffQuoter("optical", {"options": {"fromat": {"COG": 1}, "format": {"JPEG": 1, "COG": 1}}})
    assert [each.partition(":")[0].partition(" ")[0] for each in quoter.problems(COLLECTION)] == [
        "quotation.options.fromat",
        "quotation.options.format.JPEG",
    ]


def test_a_tariff_may_take_its_time_and_a_person_always_does() -> None:
    assert TariffQuoter("optical", {"mode": "monitoring"}).mode is QuotationMode.MONITORING
    assert TariffQuoter("optical", {}).mode is QuotationMode.SYNCHRONOUS
    assert ByHand("optical", {}).mode is QuotationMode.OFF_LINE
    with pytest.raises(ProcessingFailed):
        ByHand("optical", {})(request())
    with pytest.raises(ConfigurationError, match="by_hand"):
        ByHand("optical", {"item": 1})
