"""Orders against the option groups of their collections: found wrong at once, accepted in either encoding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oseo_lab.model.collection import Collection, OrderOptions, PaymentOption, SubscriptionRule
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.identifiers import OrderType, ProductId, SubscriptionId
from oseo_lab.model.messages import GetStatus, Presentation, Submit
from oseo_lab.model.options import Category, Count, Encoding, OptionDefinition, ParameterData
from oseo_lab.model.order import ItemSpecification, OrderSpecification, Payment
from oseo_lab.operations import perform
from oseo_lab.operations.checking import check_specification
from tests.operations.orders import selection

LEVEL = OptionDefinition(name="level", component=Category(allowed=("1A", "1B")))
LOOKS = OptionDefinition(name="looks", component=Count(optional=True, intervals=(("1", "8"),)))
SAR = Collection(
    id="sar",
    pattern=r"SAR_\d+",
    groups=(
        OrderOptions(product_order_options_id="one", options=(LEVEL, LOOKS)),
        OrderOptions(
            product_order_options_id="two",
            options=(replace(LEVEL, component=Category(allowed=("2",))), LOOKS),
            payments=(PaymentOption(payment_method="quota"), PaymentOption(payment_method="invoice")),
        ),
    ),
    subscription=SubscriptionRule(),
    max_items=20_000,
)


def item(number=1, **more) -> ItemSpecification:
    return ItemSpecification(item_id=str(number), identifier=ProductId(identifier=f"SAR_{number}"), **more)


def order(*items, **more) -> OrderSpecification:
    return OrderSpecification(items=items, **more)


def tokens(text) -> tuple[ParameterData, ...]:
    return (ParameterData(encoding=Encoding.TEXT, text=text),)


@pytest.fixture
def with_sar(context):
    return lambda: replace(context(), collections={"sar": SAR})


def refused(specification, context) -> list[tuple[str | None, str | None]]:
    with pytest.raises(ValidationError) as refusal:
        check_specification(specification, context)
    return [(each.item_id, each.locator) for each in refusal.value.problems]


def test_items_of_one_order_may_be_of_different_groups(with_sar):
    items = (
        item(1, options=selection(level="1B")),
        item(2, options=tokens("2,Y,4"), payment=Payment(payment_method="quota")),
    )
    assert check_specification(order(*items), with_sar()) == (SAR, SAR)


def test_an_items_options_override_its_orders_in_either_encoding(with_sar):
    specification = order(item(1, options=tokens(",Y,2")), options=tokens("1A,Y,8"))
    check_specification(specification, with_sar())
    assert SAR.chosen(specification, specification.items[0]) == {"level": "1A", "looks": 2}


def test_everything_is_said_at_once_with_its_item(with_sar):
    wrong = order(
        item(1, options=selection(level="9")),
        item(2, options=tokens("2,Y,many"), product_order_options_id="two"),
        item(3, options=selection(level="2"), payment=Payment(payment_method="barter")),
        item(4, product_order_options_id="three"),
        ItemSpecification(
            item_id="5",
            identifier=ProductId(identifier="X", collection_id="sar"),
            options=selection(level="1A"),
        ),
    )
    assert refused(wrong, with_sar()) == [
        ("1", "productOrderOptionsId"),
        ("1", "level"),
        ("2", "looks"),
        ("2", "paymentMethod"),
        ("3", "paymentMethod"),
        ("4", "productOrderOptionsId"),
        ("5", "identifier"),
    ]


def test_items_that_choose_alike_each_get_what_is_wrong(with_sar):
    alike = [
        item(number, product_order_options_id="one", options=selection(level="9")) for number in (1, 2, 3)
    ]
    assert refused(order(*alike), with_sar()) == [("1", "level"), ("2", "level"), ("3", "level")]


def test_an_orders_own_options_are_of_the_groups_of_its_items(with_sar):
    of_one = order(item(1, product_order_options_id="one"), options=selection(level="1A"))
    check_specification(of_one, with_sar())
    both = replace(
        of_one,
        items=(
            *of_one.items,
            item(2, product_order_options_id="two", payment=Payment(payment_method="quota")),
        ),
    )
    assert refused(both, with_sar()) == [(None, "level")]
    assert refused(replace(of_one, options=selection(levl="1A")), with_sar()) == [
        ("1", "level"),
        (None, "levl"),
    ]


def test_a_subscription_is_checked_by_its_own_group(with_sar):
    period = (("min", "2026-01-01T00:00:00Z"), ("max", "2027-01-01T00:00:00Z"))
    plain = Collection(id="sar", options=(LOOKS,), subscription=SubscriptionRule())
    standing = ItemSpecification(item_id="1", identifier=SubscriptionId(collection_id="sar"))
    wanted = order(
        standing, order_type=OrderType.SUBSCRIPTION_ORDER, options=selection(dateRange=period, looks="2")
    )
    context = replace(with_sar(), collections={"sar": plain})
    assert check_specification(wanted, context) == (plain,)
    backwards = (("min", "2027-01-01T00:00:00Z"), ("max", "2026-01-01T00:00:00Z"))
    wrong = replace(wanted, options=selection(dateRange=backwards, looks="20"))
    assert refused(wrong, context) == [(None, "dateRange"), (None, "looks")]
    assert refused(replace(wanted, options=()), context) == [("1", "dateRange")]


def test_a_selection_is_given_back_as_it_came(with_sar):
    context = with_sar()
    sent = order(item(1, options=tokens("1A, N")), options=tokens("1B"))
    acknowledged = perform(Submit(specification=sent), context)
    (found,) = perform(
        GetStatus(order_id=acknowledged.order_id, presentation=Presentation.FULL), context
    ).orders
    assert found.specification.options == sent.options
    assert found.items[0].specification.options == sent.items[0].options
