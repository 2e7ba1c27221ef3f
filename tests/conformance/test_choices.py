"""Values for options nobody has seen before: allowed ones are, forbidden ones are not."""

from __future__ import annotations

import pytest

from oseo_lab.conformance import choices
from oseo_lab.model.collection import OrderOptions, PaymentOption, ProductDelivery
from oseo_lab.model.delivery import MediaDelivery, OnlineDataAccess, PackageMedium, Protocol
from oseo_lab.model.options import (
    Boolean,
    Category,
    Count,
    CountRange,
    DataArray,
    DataChoice,
    DataRecord,
    Field,
    OptionDefinition,
    Quantity,
    Text,
    Time,
    TimeRange,
)

COMPONENTS = [
    Category(allowed=("COG", "PNG")),
    Text(pattern="[ab]+"),
    Boolean(),
    Count(intervals=(("5", "9"),)),
    Quantity(allowed=("6.25", "12.5"), uom="m"),
    Time(),
    CountRange(intervals=(("1", "9"),)),
    TimeRange(),
    DataRecord(fields=(Field(name="x", component=Count()), Field(name="y", component=Boolean()))),
    DataChoice(items=(Field(name="one", component=Category(allowed=("a",))),)),
]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.kind)
def test_what_is_chosen_is_allowed_and_what_is_forbidden_is_not(component):
    found = choices.allowed(component)
    assert found
    for value in found:
        component.parse(value)
    wrong = choices.forbidden(component)
    with pytest.raises(ValueError):
        component.parse(wrong)


def test_a_descriptor_that_takes_anything_forbids_nothing():
    assert choices.forbidden(Text()) is None


def test_what_no_value_is_known_for_is_left_to_the_server():
    array = OptionDefinition(name="polygon", component=DataArray(element_count=7))
    assert choices.needed((array,)) == {}


def test_needed_are_those_that_an_order_must_name():
    options = (
        OptionDefinition(name="format", component=Category(allowed=("COG", "PNG"))),
        OptionDefinition(name="preset", component=Category(allowed=("a", "b"), value="a")),
        OptionDefinition(name="optional", component=Category(allowed=("a", "b"), optional=True)),
    )
    assert choices.needed(options) == {"format": "COG"}
    group = OrderOptions(product_order_options_id="g", options=options)
    assert [name for name, *_ in choices.switchable(group)] == ["format", "preset", "optional"]


def test_delivery_and_payment_are_what_the_group_offers():
    media = ProductDelivery(media=(PackageMedium.CD_ROM,))
    access = ProductDelivery(online_access=(Protocol.HTTPS,))
    both = OrderOptions(
        product_order_options_id="g",
        deliveries=(media, access),
        payments=(PaymentOption(payment_method="quota"),),
    )
    assert choices.delivery_of(both).delivery == OnlineDataAccess(protocol=Protocol.HTTPS)
    assert choices.payment_of(both).payment_method == "quota"
    parcel = OrderOptions(product_order_options_id="g", deliveries=(media,))
    assert isinstance(choices.delivery_of(parcel).delivery, MediaDelivery)
    assert choices.payment_of(parcel) is None
    assert choices.delivery_of(OrderOptions(product_order_options_id="g")) is None
