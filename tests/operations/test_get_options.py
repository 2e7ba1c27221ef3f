"""GetOptions: by collection, by products, and what cannot be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oseo_lab.model.collection import (
    Collection,
    OrderOptions,
    PaymentOption,
    SubscriptionRule,
    TaskingRule,
)
from oseo_lab.model.errors import NotSupported, ValidationError
from oseo_lab.model.identifiers import TaskingRequestId
from oseo_lab.model.messages import GetOptions
from oseo_lab.operations import perform


def test_a_collection_has_one_group_with_a_delivery(context):
    (group,) = perform(GetOptions(collection_id="optical"), context()).order_options
    assert [each.name for each in group.options] == ["format", "level", "bands"]
    assert group.deliveries
    assert [each.name for each in group.scene_selections[0].parameters] == ["size"]
    assert group.identifier is None


def test_each_product_has_its_group_with_its_identifier(context):
    groups = perform(GetOptions(identifiers=("S2_1", "S1_1")), context()).order_options
    assert [each.identifier for each in groups] == ["S2_1", "S1_1"]
    assert [each.description for each in groups] == ["Optical scenes", "radar"]


def test_an_unknown_collection(context):
    with pytest.raises(ValidationError) as refusal:
        perform(GetOptions(collection_id="nowhere"), context())
    assert (refusal.value.code, refusal.value.locator) == ("UnsupportedCollection", "collectionId")
    assert "optical" in refusal.value.text


def test_every_unknown_product_is_named(context):
    with pytest.raises(ValidationError) as refusal:
        perform(GetOptions(identifiers=("X", "S2_1", "Y")), context())
    assert [each.locator for each in refusal.value.problems] == ["identifier"] * 2
    assert "'X'" in refusal.value.text
    assert "'Y'" in refusal.value.text


def test_more_products_than_an_answer_can_hold(context):
    with pytest.raises(ValidationError, match="501 identifiers are too many") as refusal:
        perform(GetOptions(identifiers=("S2_1",) * 501), context())
    assert refusal.value.locator == "identifier"


def test_a_tasking_request(context):
    with pytest.raises(NotSupported) as refusal:
        perform(GetOptions(tasking_request_id=TaskingRequestId(id="urn:t")), context())
    assert refusal.value.code == "FutureProductNotSupported"


# -------------------------------------------------------------------------------- several groups, order types

SAR = Collection(
    id="sar",
    pattern=r"SAR_\d+",
    groups=(
        OrderOptions(product_order_options_id="one", description="Level 1", info_url="https://example.org/1"),
        OrderOptions(product_order_options_id="two"),
    ),
    payments=(PaymentOption(payment_method="quota"),),
    subscription=SubscriptionRule(),
    tasking=TaskingRule(pattern=r"urn:sps:sar:\d+", use="folder"),
)


def offered(context, request, sps_url="https://example.org/sps"):
    with_sar = replace(context(), collections={"sar": SAR}, sps_url=sps_url)
    return perform(request, with_sar).order_options


def test_a_collection_answers_all_its_groups(context):
    groups = offered(context, GetOptions(collection_id="sar"))
    assert [(each.product_order_options_id, each.order_type.value) for each in groups] == [
        ("one", "PRODUCT_ORDER"),
        ("two", "PRODUCT_ORDER"),
        ("subscription", "SUBSCRIPTION_ORDER"),
        ("tasking", "TASKING_ORDER"),
    ]
    assert groups[0].info_url == "https://example.org/1"
    assert all(each.payments == SAR.payments and each.deliveries for each in groups)


def test_a_product_has_the_groups_of_product_orders(context):
    groups = offered(context, GetOptions(identifiers=("SAR_1", "SAR_2")))
    assert [(each.product_order_options_id, each.identifier) for each in groups] == [
        ("one", "SAR_1"),
        ("two", "SAR_1"),
        ("one", "SAR_2"),
        ("two", "SAR_2"),
    ]


def test_a_tasking_request_has_the_groups_of_its_collection(context):
    request = GetOptions(tasking_request_id=TaskingRequestId(id="urn:sps:sar:7"))
    assert [each.product_order_options_id for each in offered(context, request)] == ["tasking"]
    with pytest.raises(ValidationError) as refusal:
        offered(context, GetOptions(tasking_request_id=TaskingRequestId(id="urn:other:7")))
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "taskingRequestId")


def test_where_nothing_is_ordered_so_there_is_no_empty_answer(context):
    only_standing = Collection(
        id="standing", pattern="SUB_.+", product_orders=False, subscription=SubscriptionRule()
    )
    only_tasked = Collection(
        id="tasked", pattern="T_.+", product_orders=False, tasking=TaskingRule(pattern="urn:t", use="x:y")
    )
    there = replace(context(), collections={each.id: each for each in (only_standing, only_tasked)})
    assert perform(GetOptions(collection_id="standing"), there).order_options
    for asked, code, locator in (
        (GetOptions(identifiers=("SUB_1",)), "InvalidParameterValue", "identifier"),
        (GetOptions(collection_id="tasked"), "UnsupportedCollection", "collectionId"),
    ):
        with pytest.raises(ValidationError) as refusal:
            perform(asked, there)
        assert (refusal.value.code, refusal.value.locator) == (code, locator)


def test_without_a_planning_service_nothing_is_tasked(context):
    with pytest.raises(NotSupported) as refusal:
        offered(context, GetOptions(tasking_request_id=TaskingRequestId(id="urn:sps:sar:7")), sps_url=None)
    assert refusal.value.code == "FutureProductNotSupported"
    groups = offered(context, GetOptions(collection_id="sar"), sps_url=None)
    assert "tasking" not in {each.product_order_options_id for each in groups}


def test_products_that_are_not_ordered_one_by_one(context):
    only = replace(context(), collections={"sar": replace(SAR, groups=(), product_orders=False)})
    with pytest.raises(ValidationError, match="not ordered one by one") as refusal:
        perform(GetOptions(identifiers=("SAR_1",)), only)
    assert refusal.value.locator == "identifier"
