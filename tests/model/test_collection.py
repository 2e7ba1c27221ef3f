"""What a collection accepts of an order and of its items."""

from __future__ import annotations

from typing import Any

import pytest

from oseo_lab.model.collection import Collection, DeliveryRule, OptionLevel
from oseo_lab.model.delivery import (
    DeliveryOptions,
    MediaDelivery,
    OnlineDataAccess,
    OnlineDataDelivery,
    PackageMedium,
    Packaging,
    Protocol,
)
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.options import Category, OptionDefinition, ParameterData, Quantity
from oseo_lab.model.order import ItemSpecification, OrderSpecification


def option(name: str, **constraints: Any) -> OptionDefinition:
    return OptionDefinition(name=name, component=Category(**constraints))


COLLECTION = Collection(
    id="demo",
    title="Demonstration",
    pattern=r"S2[AB]_\d+",
    delivery=DeliveryRule(access=(Protocol.HTTP,), packaging=(Packaging.ZIP,)),
    options=(
        option("format", allowed=("COG", "PNG"), value="COG"),
        option("quality", allowed=("RUSH", "STANDARD"), value="STANDARD"),
        option("band", allowed=("B02", "B03")),
    ),
    scene_options=(OptionDefinition(name="cloud", component=Quantity(optional=True)),),
    levels={"quality": OptionLevel.ORDER, "band": OptionLevel.ITEM},
    fixed={"resampling": "nearest"},
)


def chosen(**values: str) -> tuple[ParameterData, ...]:
    return (ParameterData(values=tuple(values.items())),)


def item(**more: Any) -> ItemSpecification:
    given = {
        "item_id": "1",
        "identifier": ProductId(identifier="S2A_1"),
        "options": chosen(band="B02"),
        **more,
    }
    return ItemSpecification(**given)


def delivery(how: Any) -> DeliveryOptions:
    return DeliveryOptions(delivery=how)


@pytest.mark.parametrize(
    ("order", "locators"),
    [
        (OrderSpecification(), []),
        (OrderSpecification(options=chosen(format="PNG", quality="RUSH")), []),
        (OrderSpecification(options=chosen(band="B02")), ["band"]),
        (OrderSpecification(options=chosen(format="JPEG", speed="1")), ["format", "speed"]),
        (OrderSpecification(packaging=Packaging.ZIP), []),
        (OrderSpecification(packaging=Packaging.RAR), ["packaging"]),
        (OrderSpecification(packaging=Packaging.TAR), ["packaging"]),
        (OrderSpecification(delivery_options=delivery(OnlineDataAccess())), []),
        (
            OrderSpecification(delivery_options=delivery(OnlineDataAccess(protocol=Protocol.FTP))),
            ["protocol"],
        ),
        (
            OrderSpecification(delivery_options=delivery(OnlineDataDelivery(protocol=Protocol.FTP))),
            ["deliveryOptions"],
        ),
        (
            OrderSpecification(
                packaging=Packaging.RAR,
                delivery_options=delivery(MediaDelivery(package_medium=PackageMedium.DVD)),
            ),
            ["packaging", "deliveryOptions"],
        ),
    ],
)
def test_what_is_wrong_with_an_orders_own_part(order: OrderSpecification, locators: list[str]) -> None:
    problems = list(COLLECTION.check_order(order))
    assert [each.locator for each in problems] == locators
    assert all(each.item_id is None for each in problems)


@pytest.mark.parametrize(
    ("wanted", "locators"),
    [
        (item(), []),
        (item(options=()), ["band"]),
        (item(options=chosen(quality="RUSH", band="B02")), ["quality"]),
        (item(scene_selections=chosen(cloud="20")), []),
        (item(scene_selections=chosen(cloud="few")), ["cloud"]),
        (item(product_order_options_id="standard"), []),
        (item(product_order_options_id="other"), ["productOrderOptionsId"]),
        (item(identifier=ProductId(identifier="S2A_1x")), ["identifier"]),
        (item(identifier=ProductId(identifier="S2A_1\n")), ["identifier"]),
        (item(identifier=ProductId(identifier="S2A_" + "1" * 300)), ["identifier"]),
        (
            item(
                options=chosen(band="B99"),
                identifier=ProductId(identifier="L8"),
                delivery_options=delivery(OnlineDataAccess(protocol=Protocol.HTTPS)),
            ),
            ["band", "protocol", "identifier"],
        ),
    ],
)
def test_what_is_wrong_with_one_item(wanted: ItemSpecification, locators: list[str]) -> None:
    problems = list(COLLECTION.check_item(wanted))
    assert [each.locator for each in problems] == locators
    assert all(each.item_id == "1" for each in problems)


def test_a_required_option_chosen_for_the_order_need_not_be_repeated() -> None:
    assert not list(COLLECTION.check_item(item(options=()), OrderSpecification(options=chosen(band="B03"))))


def test_chosen_is_item_over_order_over_preset_then_fixed() -> None:
    order = OrderSpecification(options=chosen(format="PNG", quality="RUSH"))
    assert COLLECTION.chosen(order, item(options=chosen(format="COG", band="B03"))) == {
        "format": "COG",
        "quality": "RUSH",
        "band": "B03",
        "resampling": "nearest",
    }
    assert COLLECTION.chosen(OrderSpecification(), item())["format"] == "COG"


def test_scene_is_the_items_alone() -> None:
    assert COLLECTION.scene(item(scene_selections=chosen(cloud="20"))) == {"cloud": 20.0}
    assert COLLECTION.scene(item()) == {}


def test_every_offered_option_is_in_the_group_that_get_options_answers() -> None:
    group = COLLECTION.order_options("S2A_1")
    assert group.options == COLLECTION.options
    assert group.identifier == "S2A_1"
    assert group.deliveries[0].online_access == (Protocol.HTTP,)
    assert group.scene_selections[0].parameters == COLLECTION.scene_options


def test_refused_packagings_are_never_offered_by_default() -> None:
    assert {Packaging.RAR, Packaging.COMPRESS, Packaging.BZIP}.isdisjoint(DeliveryRule().packaging)
