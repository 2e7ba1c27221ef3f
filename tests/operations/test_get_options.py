"""GetOptions: by collection, by products, and what cannot be asked."""

from __future__ import annotations

import pytest

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
