"""Items with names of their own: one product several times in one order."""

from __future__ import annotations

import pytest

from oseo_lab.model.errors import ValidationError

CHIPS = {"north": (10.62, 45.65, 10.66, 45.69), "south": (10.62, 45.60, 10.66, 45.64)}


@pytest.fixture
def draft(lab):
    draft = lab.order(["SCENE_A"], collection="scenes")
    for name, area in CHIPS.items():
        draft.items.add("SCENE_A", item_id=name).area = area
    return draft


def test_by_another_name_a_product_is_ordered_once_more(draft):
    assert [each.item_id for each in draft.items] == ["SCENE_A", "north", "south"]
    sent = draft.request().specification.items
    assert {each.identifier.identifier for each in sent} == {"SCENE_A"}
    assert len({each.scene_selections for each in sent}) == 3


def test_the_same_name_again_is_the_same_item(draft):
    assert draft.items.add("SCENE_A", item_id="north") is draft.items["north"]
    assert len(draft.items) == 3


def test_a_name_that_another_product_has_is_refused(draft):
    with pytest.raises(ValidationError, match="'north' is taken by"):
        draft.items.add("another", item_id="north")
    with pytest.raises(ValidationError, match="1 to 80 characters"):
        draft.items.add("another", item_id="x" * 81)
    assert len(draft.items) == 3


def test_the_product_is_still_found_when_its_first_item_has_gone(draft):
    draft.items.remove("SCENE_A")
    assert draft.items["SCENE_A"].item_id == "north"
    draft.items.remove(draft.items["south"])
    assert [each.item_id for each in draft.items] == ["north"]


def test_copied_code_names_the_items(draft, lab):
    there = {"lab": lab}
    exec(draft.as_code(), there)
    assert there["draft"] == draft


def test_a_draft_says_which_areas_are_its_items_own(draft):
    assert "whole scenes; 2 of 3 items have their own" in draft._repr_html_()
    draft.items.remove("SCENE_A")
    assert "of each item its own" in draft._repr_html_()
    assert "2: " not in draft._repr_html_()
