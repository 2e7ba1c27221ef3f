"""Option groups: which one an item is of, and what its choices have against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oseo_lab.model.collection import (
    Collection,
    OptionLevel,
    OrderOptions,
    PaymentOption,
    ProductDelivery,
    SceneSelectionOption,
    SubscriptionRule,
    TaskingRule,
)
from oseo_lab.model.delivery import (
    DeliveryOptions,
    MediaDelivery,
    OnlineDataAccess,
    OnlineDataDelivery,
    PackageMedium,
    Protocol,
)
from oseo_lab.model.identifiers import OrderType, ProductId, SubscriptionId
from oseo_lab.model.options import (
    Category,
    Count,
    DataArray,
    DataRecord,
    Encoding,
    Field,
    OptionDefinition,
    ParameterData,
    Quantity,
    QuantityRange,
    TimeRange,
)
from oseo_lab.model.order import ItemSpecification, OrderSpecification, Payment

FORMAT = OptionDefinition(name="format", component=Category(allowed=("COG", "CEOS"), optional=True))
LEVEL_1 = OptionDefinition(name="level", component=Category(allowed=("1A", "1B")))
LEVEL_2 = OptionDefinition(name="level", component=Category(allowed=("2",)))
LOOKS = OptionDefinition(name="looks", component=Count(value="1"))
GROUPS = (
    OrderOptions(product_order_options_id="one", options=(LEVEL_1, FORMAT)),
    OrderOptions(product_order_options_id="two", options=(LEVEL_2, LOOKS)),
    OrderOptions(product_order_options_id="any", options=(FORMAT,)),
)
COLLECTION = Collection(id="sar", groups=GROUPS)


def values(**chosen: Any) -> tuple[ParameterData, ...]:
    return (ParameterData(values=tuple(chosen.items())),) if chosen else ()


def item(**more: Any) -> ItemSpecification:
    return ItemSpecification(item_id="7", identifier=ProductId(identifier="p"), **more)


def problems(
    collection: Collection, item: ItemSpecification, order: OrderSpecification | None = None
) -> list[tuple[str, str | None]]:
    found = list(collection.check_item(item, order))
    assert all(each.item_id == "7" for each in found)
    return [(each.code, each.locator) for each in found]


# ------------------------------------------------------------------------------------------ which group


@pytest.mark.parametrize(
    ("chosen", "group"),
    [({"level": "1B"}, "one"), ({"level": "2"}, "two"), ({"level": "2", "looks": "3"}, "two"), ({}, "any")],
)
def test_the_only_group_that_takes_the_options_is_found(chosen: dict[str, str], group: str) -> None:
    found = COLLECTION.group_of(OrderSpecification(), item(options=values(**chosen)))
    assert isinstance(found, OrderOptions)
    assert found.product_order_options_id == group


def test_what_was_chosen_for_the_order_counts() -> None:
    order = OrderSpecification(options=values(level="1A"))
    found = COLLECTION.group_of(order, item(options=values(format="CEOS")))
    assert isinstance(found, OrderOptions)
    assert found.product_order_options_id == "one"
    assert COLLECTION.chosen(order, item(options=values(format="CEOS"))) == {"level": "1A", "format": "CEOS"}


def test_tokens_without_names_find_their_group() -> None:
    tokens = (ParameterData(encoding=Encoding.TEXT, text="2,7"),)
    assert problems(COLLECTION, item(options=tokens)) == []
    assert COLLECTION.chosen(OrderSpecification(), item(options=tokens)) == {"level": "2", "looks": 7}


def test_options_of_several_groups_need_a_name() -> None:
    twice = replace(COLLECTION, groups=(*GROUPS, replace(GROUPS[2], product_order_options_id="same")))
    assert problems(twice, item()) == [("MissingParameterValue", "productOrderOptionsId")]
    assert problems(twice, item(product_order_options_id="same")) == []


def test_options_of_no_group_say_what_the_nearest_one_lacks() -> None:
    found = problems(COLLECTION, item(options=values(level="3", looks="2")))
    assert found == [("InvalidParameterValue", "productOrderOptionsId"), ("InvalidParameterValue", "level")]


def test_an_unknown_group() -> None:
    found = list(COLLECTION.check_item(item(product_order_options_id="three"), OrderSpecification()))
    assert [each.locator for each in found] == ["productOrderOptionsId"]
    assert "'one', 'two', 'any'" in found[0].text


def test_a_named_group_decides() -> None:
    wanted = item(product_order_options_id="two", options=values(level="1A", format="COG"))
    assert problems(COLLECTION, wanted) == [
        ("InvalidParameterValue", "level"),
        ("InvalidParameterValue", "format"),
    ]


def test_required_at_neither_level_is_missing() -> None:
    assert problems(COLLECTION, item(product_order_options_id="one")) == [("MissingParameterValue", "level")]


def test_an_option_belongs_to_its_level() -> None:
    levels = {"format": OptionLevel.ORDER, "level": OptionLevel.ITEM}
    collection = Collection(id="sar", options=(LEVEL_1, FORMAT), levels=levels)
    wanted = item(options=values(level="1A", format="COG"))
    (problem,) = collection.check_item(wanted, OrderSpecification())
    assert (problem.locator, problem.text) == ("format", "option 'format' is chosen for the order only")
    order = OrderSpecification(options=values(level="1A", format="COG"))
    (problem,) = collection.check_order(order)
    assert (problem.locator, problem.text) == ("level", "option 'level' is chosen for the item only")


def test_what_a_group_leaves_out_is_as_it_is_preset() -> None:
    quick = OrderOptions(product_order_options_id="quick", options=(FORMAT,))
    collection = Collection(id="sar", options=(LOOKS, FORMAT), groups=(quick,))
    assert collection.chosen(OrderSpecification(), item(options=values(format="COG"))) == {
        "looks": 1,
        "format": "COG",
    }
    assert problems(collection, item(options=values(looks="2"))) == [("InvalidParameterValue", "looks")]


# ------------------------------------------------------------------------------------------- order types


def test_each_order_type_that_is_taken_has_its_groups() -> None:
    collection = Collection(
        id="sar",
        options=(FORMAT,),
        scene_options=(LOOKS,),
        subscription=SubscriptionRule(),
        tasking=TaskingRule(pattern=".+", use="folder"),
    )
    product, subscription, tasking = collection.option_groups()
    assert [each.order_type for each in (product, subscription, tasking)] == list(OrderType)
    assert product.scene_selections and not subscription.scene_selections
    assert [each.name for each in subscription.options] == [
        "regionOfInterest",
        "dateRange",
        "frequencyObservation",
        "format",
    ]
    assert [each.name for each in tasking.options] == ["format"]
    assert all(each.deliveries for each in (product, subscription, tasking))


def test_without_product_orders_there_is_no_group_of_them() -> None:
    collection = Collection(id="sar", product_orders=False, subscription=SubscriptionRule())
    assert [each.order_type for each in collection.option_groups()] == [OrderType.SUBSCRIPTION_ORDER]
    assert collection.option_groups(OrderType.PRODUCT_ORDER) == ()


def test_what_a_subscription_waits_for_is_apart_from_how_products_are_made() -> None:
    collection = Collection(id="sar", options=(FORMAT,), subscription=SubscriptionRule())
    period = (("min", "2024-01-01T00:00:00Z"), ("max", "2024-02-01T00:00:00Z"))
    order = OrderSpecification(
        order_type=OrderType.SUBSCRIPTION_ORDER, options=values(dateRange=period, format="CEOS")
    )
    standing = ItemSpecification(item_id="7", identifier=SubscriptionId(collection_id="sar"))
    assert problems(collection, standing, order) == []
    assert collection.chosen(order, standing) == {"format": "CEOS"}
    assert set(collection.awaited(order, standing)) == {"dateRange"}
    without = OrderSpecification(order_type=OrderType.SUBSCRIPTION_ORDER)
    assert problems(collection, standing, without) == [("MissingParameterValue", "dateRange")]


# ---------------------------------------------------------------------------------- delivery and payment

OFFERS = OrderOptions(
    product_order_options_id="disks",
    deliveries=(
        ProductDelivery(media=(PackageMedium.DVD,)),
        ProductDelivery(online_delivery=(Protocol.FTP,)),
    ),
    payments=(PaymentOption(payment_method="quota"), PaymentOption(payment_method="Credit Card")),
)
ELSEWHERE = Collection(id="disks", provider="EO-PROVIDER", provider_plugin="oseo", groups=(OFFERS,))


@pytest.mark.parametrize(
    ("delivery", "locators"),
    [
        (MediaDelivery(package_medium=PackageMedium.DVD), []),
        (MediaDelivery(package_medium=PackageMedium.LTO), ["packageMedium"]),
        (OnlineDataDelivery(protocol=Protocol.FTP), []),
        (OnlineDataDelivery(protocol=Protocol.SFTP), ["protocol"]),
        (OnlineDataAccess(protocol=Protocol.HTTP), ["deliveryOptions"]),
    ],
)
def test_what_another_server_delivers_is_as_it_says(delivery: Any, locators: list[str]) -> None:
    wanted = item(
        delivery_options=DeliveryOptions(delivery=delivery), payment=Payment(payment_method="quota")
    )
    assert [each for _, each in problems(ELSEWHERE, wanted)] == locators


def test_what_this_service_delivers_is_its_own_whatever_a_document_says() -> None:
    here = Collection(id="disks", groups=(OFFERS,))
    assert here.order_options().deliveries == (ProductDelivery(online_access=here.delivery.access),)


@pytest.mark.parametrize(
    ("payment", "expected"),
    [
        (Payment(payment_method="quota"), []),
        (Payment(payment_method="quota", order_account="project"), []),
        (Payment(payment_method="invoice"), [("InvalidParameterValue", "paymentMethod")]),
        (Payment(payment_method="Credit Card"), [("MissingParameterValue", "creditCardInfo")]),
        (Payment(payment_method="Credit Card", credit_card_info="4111"), []),
        (None, [("MissingParameterValue", "paymentMethod")]),
    ],
)
def test_a_payment_is_of_a_method_that_is_offered(payment: Payment | None, expected: Any) -> None:
    assert problems(ELSEWHERE, item(payment=payment)) == expected


def test_one_method_needs_no_naming_and_none_is_not_asked_for() -> None:
    one = Collection(id="sar", payments=(PaymentOption(payment_method="quota"),))
    assert one.order_options().payments == one.payments
    assert problems(one, item()) == []
    assert problems(one, item(payment=Payment(payment_method="bill"))) == [
        ("InvalidParameterValue", "paymentMethod")
    ]
    assert problems(Collection(id="sar"), item(payment=Payment(payment_method="bill"))) == []


# ------------------------------------------------------------------------------------------ scene selection


def parameter(name: str, component: Any, *restrictions: Any) -> OptionDefinition:
    return OptionDefinition(name=name, component=component, restrictions=restrictions)


def table(name: str, rows: str, *fields: tuple[str, Any]) -> DataArray:
    record = DataRecord(fields=tuple(Field(name=key, component=each) for key, each in fields))
    return DataArray(element=Field(name=name, component=record), values=rows)


PHASES = table(
    "WRSInformation",
    "1,100,0,10,2\n101,200,0,20,1",
    ("FromOrbit", Count()),
    ("ToOrbit", Count()),
    ("FirstFrameNumber", Count()),
    ("LastFrameNumber", Count()),
    ("FrameNumberStep", Count()),
)
LENGTHS = table("FloatingPassLenght", "15,120,0.5", ("Length", QuantityRange()), ("Step", Quantity()))
WIDTH = DataArray(element=Field(name="SceneWidth", component=Quantity()), preset=("450",))
SCENE = parameter("sceneType", Category(allowed=("FloatingScene",)))
PASS = parameter("sceneType", Category(allowed=("FloatingPass",)))
TIME = parameter("sceneStartStopTime", TimeRange(), LENGTHS)
POLICIES = (
    SceneSelectionOption(
        name="frame",
        parameters=(
            SCENE,
            parameter("frame", Count(), PHASES),
            parameter("orbit", Count(optional=True), PHASES),
        ),
    ),
    SceneSelectionOption(
        name="pass",
        parameters=(
            PASS,
            TIME,
            parameter("alongTrackSize", Quantity(optional=True), LENGTHS),
            parameter("acrossTrackSize", Quantity(optional=True), WIDTH),
        ),
    ),
)
SCENES = Collection(
    id="sar", groups=(OrderOptions(product_order_options_id="one", scene_selections=POLICIES),)
)
PERIOD = (("min", "2010-01-01T11:55:00Z"), ("max", "2010-01-01T12:00:00Z"))


@pytest.mark.parametrize(
    ("chosen", "locators"),
    [
        ({}, []),
        ({"sceneType": "FloatingScene", "frame": "4"}, []),
        ({"sceneType": "FloatingScene", "frame": "4", "sceneStartStopTime": PERIOD}, []),
        ({"sceneType": "FloatingPass", "sceneStartStopTime": PERIOD}, []),
        ({"sceneType": "FullPass"}, ["sceneType", "frame"]),
        ({"sceneType": "FloatingScene"}, ["frame"]),
        ({"sceneType": "FloatingPass", "frame": "4"}, ["sceneType"]),
        ({"sceneType": "FloatingScene", "frame": "4", "colour": "red"}, ["colour"]),
        ({"sceneType": "FloatingScene", "frame": "x"}, ["frame"]),
        ({"sceneType": "FloatingScene", "frame": "3", "orbit": "150"}, []),
        ({"sceneType": "FloatingScene", "frame": "3", "orbit": "50"}, ["frame"]),
        ({"sceneType": "FloatingScene", "frame": "4", "orbit": "500"}, ["orbit"]),
        ({"sceneType": "FloatingScene", "frame": "21"}, ["frame"]),
        ({"sceneType": "FloatingPass", "sceneStartStopTime": PERIOD, "alongTrackSize": "15.5"}, []),
        (
            {"sceneType": "FloatingPass", "sceneStartStopTime": PERIOD, "alongTrackSize": "15.7"},
            ["alongTrackSize"],
        ),
        (
            {"sceneType": "FloatingPass", "sceneStartStopTime": PERIOD, "alongTrackSize": "10"},
            ["alongTrackSize"],
        ),
        ({"sceneType": "FloatingPass", "sceneStartStopTime": PERIOD, "acrossTrackSize": "450"}, []),
        (
            {"sceneType": "FloatingPass", "sceneStartStopTime": PERIOD, "acrossTrackSize": "451"},
            ["acrossTrackSize"],
        ),
    ],
)
def test_one_policy_must_take_a_scene_selection(chosen: dict[str, Any], locators: list[str]) -> None:
    assert [each for _, each in problems(SCENES, item(scene_selections=values(**chosen)))] == locators


def test_a_scenes_values_are_of_its_policy() -> None:
    wanted = item(scene_selections=values(sceneType="FloatingScene", frame="4", sceneStartStopTime=PERIOD))
    found = SCENES.scene(wanted, OrderSpecification())
    assert (found["sceneType"], found["frame"]) == ("FloatingScene", 4)
    assert set(found) == {"sceneType", "frame", "sceneStartStopTime"}
    assert SCENES.scene(item()) == {}


def test_a_scene_may_be_tokens_of_one_policy() -> None:
    tokens = (ParameterData(encoding=Encoding.TEXT, text="FloatingScene,4,N"),)
    assert problems(SCENES, item(scene_selections=tokens)) == []
    assert SCENES.scene(item(scene_selections=tokens)) == {"sceneType": "FloatingScene", "frame": 4}


def test_a_scene_that_cannot_be_cut_out_is_refused() -> None:
    assert problems(COLLECTION, item(scene_selections=values(frame="4")))[0][1] == "productOrderOptionsId"
    assert problems(Collection(id="sar"), item(scene_selections=values(frame="4"))) == [
        ("InvalidParameterValue", "frame")
    ]
