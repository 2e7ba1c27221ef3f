"""Choices that narrow each other, in the object: refused with a reason, offered or not, told when changed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from oseo_lab.client.composing import compose
from oseo_lab.client.draft import OrderDraft
from oseo_lab.client.options import Options
from oseo_lab.client.session import Session
from oseo_lab.model.collection import OrderOptions, SceneSelectionOption
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.limits import Limits
from oseo_lab.model.messages import GetOptionsResponse
from oseo_lab.model.option_rules import OptionRule
from oseo_lab.model.options import Boolean, Category, DataArray, DataRecord, Field, OptionDefinition, Quantity

POINT = DataRecord(
    fields=(
        Field(name="latitude", component=Quantity(uom="deg")),
        Field(name="longitude", component=Quantity(uom="deg")),
    )
)
FORMAT = OptionDefinition(name="format", component=Category(allowed=("COG", "PNG", "Zarr"), value="COG"))
TYPE = OptionDefinition(
    name="dataType", component=Category(allowed=("native", "uint8", "float32"), value="native")
)
BANDS = OptionDefinition(
    name="bands",
    component=DataArray(
        optional=True, element=Field(name="band", component=Category(allowed=("B04", "B08", "SCL")))
    ),
)
CRS = OptionDefinition(
    name="crs", component=Category(allowed=("EPSG:4326", "EPSG:3035"), pattern=r"EPSG:\d{4,5}", optional=True)
)
FAST = OptionDefinition(name="fast", component=Boolean(value="false"))
POLYGON = OptionDefinition(
    name="sceneBoundingPolygon",
    component=DataArray(optional=True, element=Field(name="point", component=POINT)),
)
RULES = (
    OptionRule(when={"format": ("PNG",)}, then={"dataType": ("native", "uint8")}, reason="PNG holds bytes"),
    OptionRule(when={"bands": ("SCL",)}, then={"format": ("COG", "Zarr")}, reason="classes are no picture"),
    OptionRule(
        when={"format": ("Zarr",)},
        then={"sceneBoundingPolygon": ()},
        reason="Zarr is made of whole chunks",
    ),
)
OFFER = OrderOptions(
    product_order_options_id="standard",
    options=(FORMAT, TYPE, BANDS, CRS, FAST),
    scene_selections=(SceneSelectionOption(parameters=(POLYGON,)),),
    rules=RULES,
)
RING = "POLYGON ((10 45, 11 45, 11 46, 10 45))"


class Here:
    """A transport that answers GetOptions."""

    url = "http://localhost/oseo/"

    def collections(self) -> list[Any]:
        return [{"id": "s2"}]

    def perform(self, message: Any, message_id: str | None = None) -> GetOptionsResponse:
        return GetOptionsResponse(order_options=(OFFER,))


@pytest.fixture
def draft() -> OrderDraft:
    return OrderDraft(Session(Here()), "s2")


def product(name: str, crs: str = "EPSG:32632") -> CatalogueItem:
    return CatalogueItem(identifier=name, collection_id="s2", properties={"proj:code": crs})


def test_a_choice_that_does_not_go_with_another_is_refused_with_the_reason(draft: OrderDraft) -> None:
    draft.options.dataType = "float32"
    said = "dataType float32 does not go with format PNG: PNG holds bytes; allowed: native, uint8"
    with pytest.raises(ValidationError) as refused:
        draft.options.format = "PNG"
    assert [each.text for each in refused.value.problems] == [said]
    assert (draft.options.format, draft.options.chosen) == ("COG", {"dataType": "float32"})


def test_several_set_together_are_judged_together(draft: OrderDraft) -> None:
    draft.options.dataType = "float32"
    draft.options.update(format="PNG", dataType="uint8")
    with pytest.raises(ValidationError, match="PNG holds bytes"):
        draft.options.update(dataType="float32")
    draft.options.update(format=None, dataType="float32")
    assert draft.options.chosen == {"dataType": "float32"}


def test_going_back_to_the_default_is_judged_too(draft: OrderDraft) -> None:
    draft.options.format = "PNG"
    item = draft.items.add("a")
    item.options.format = "COG"
    item.options.dataType = "float32"
    with pytest.raises(ValidationError, match="PNG holds bytes"):
        del item.options.format
    item.options.reset()
    draft.options.reset("format")
    assert draft.options.chosen == item.options.chosen == {}


def test_an_orders_option_is_judged_for_each_item(draft: OrderDraft) -> None:
    draft.items.add("a")
    draft.items.add("b").options.dataType = "float32"
    with pytest.raises(ValidationError, match="PNG holds bytes"):
        draft.options.format = "PNG"
    draft.items.remove("b")
    draft.options.format = "PNG"


def test_an_area_is_judged_as_a_choice(draft: OrderDraft) -> None:
    draft.options.format = "Zarr"
    with pytest.raises(ValidationError, match="sceneBoundingPolygon does not go with format Zarr"):
        draft.area = RING
    assert draft.area is None
    draft.items.add("a")
    with pytest.raises(ValidationError, match="whole chunks"):
        draft.items["a"].area = RING


def test_choices_say_what_goes_with_the_others_and_why_not(draft: OrderDraft) -> None:
    draft.options.bands = "SCL"
    offered = {each.value: each.is_offered for each in draft.options.choices("format")}
    assert offered == {"COG": True, "PNG": False, "Zarr": True}
    refused = draft.options.choices("format")[1]
    assert (
        refused.reason == "format PNG does not go with bands SCL: classes are no picture; allowed: COG, Zarr"
    )
    assert [each.value for each in draft.options.choices("fast")] == [True, False]
    draft.options.update(bands="B04", format="PNG")
    assert [each.label for each in draft.options.choices("bands") if not each.is_offered] == ["SCL"]
    assert draft.options.bands == ["B04"]


def test_the_products_own_crs_comes_first_and_is_hinted_at(draft: OrderDraft) -> None:
    draft.items.add(product("a"))
    assert draft.options.allowed("crs") == ("EPSG:32632", "EPSG:4326", "EPSG:3035")
    assert draft.options.choices("crs")[0].label == "EPSG:32632 (the products' own)"
    with pytest.raises(ValidationError) as refused:
        draft.options.crs = "EPSG:999999"
    assert "hint: the products have EPSG:32632" in str(refused.value)
    assert "nearest: " in str(refused.value)
    with pytest.raises(ValidationError, match="hint: the products have EPSG:32632"):  # in one call too
        compose(draft._session, [product("a")], options={"crs": "EPSG:999999"})


def test_many_allowed_values_are_counted_and_asked_for() -> None:
    many = tuple(f"EPSG:{number}" for number in range(32600, 32642))
    options = Options([OptionDefinition(name="crs", component=Category(allowed=many))], "s2")
    with pytest.raises(ValidationError) as refused:
        options.crs = "EPSG:99999"
    assert "all 42 allowed: draft.options.allowed('crs')" in str(refused.value)
    assert options.allowed("crs") == many


def test_every_change_that_holds_is_told_once(draft: OrderDraft) -> None:
    told: list[OrderDraft] = []
    stop = draft.on_change(told.append)
    item = draft.items.add("a")
    changes = (
        lambda: draft.options.update(format="PNG", dataType="uint8"),
        lambda: setattr(item.options, "dataType", "native"),
        lambda: setattr(draft, "name", "garda"),
        lambda: setattr(draft, "packaging", "zip"),
        lambda: setattr(draft, "priority", "FAST_TRACK"),
        lambda: setattr(draft, "remark", "before Friday"),
        lambda: setattr(draft, "limits", {"max_price": 12, "max_bytes": "1GB"}),
        lambda: setattr(draft, "area", RING),
        lambda: setattr(item, "area", "POLYGON ((10 45, 11 45, 11 47, 10 45))"),
        lambda: draft.items.remove("a"),
    )
    for count, change in enumerate(changes, start=2):
        change()
        assert told == [draft] * count
    assert draft.limits == Limits(max_price=12.0, max_bytes=10**9)
    draft.name = "garda"
    draft.options.format = "PNG"
    with pytest.raises(ValidationError):
        draft.options.dataType = "float32"
    assert len(told) == 11
    stop()
    draft.options.reset()
    assert len(told) == 11


def test_a_callback_sees_what_holds_and_what_it_raises_breaks_nothing(
    draft: OrderDraft, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []

    def broken(changed: OrderDraft) -> None:
        raise RuntimeError("the form is gone")

    draft.on_change(broken)
    draft.on_change(lambda changed: seen.append(changed.options.format))
    with caplog.at_level(logging.ERROR, logger="oseo_lab"):
        draft.options.format = "PNG"
    assert seen == ["PNG"]
    assert "a callback of OrderDraft failed" in caplog.text


def test_completion_knows_options_and_items_without_asking(draft: OrderDraft) -> None:
    draft.items.add("a")
    draft._session.transport.perform = None  # type: ignore[method-assign,assignment]  # nobody answers
    assert {"format", "dataType", "crs"} <= set(dir(draft.options))
    assert draft.options._ipython_key_completions_() == list(draft.options)
    assert draft.items._ipython_key_completions_() == ["a"]


def test_changes_made_together_hold_or_fall_together(draft: OrderDraft) -> None:
    told: list[Any] = []
    draft.on_change(told.append)
    draft.items.extend(["a", "b"])
    told.clear()
    with draft.together():
        draft.options.update(format="PNG", dataType="float32")  # no item is left with that
        for item in draft.items:
            item.options.format = "COG"
    assert told == [draft]
    before = draft.request()
    with pytest.raises(ValidationError, match="PNG holds bytes"), draft.together():
        draft.name = "no more"
        draft.items.remove("b")
        draft.items["a"].options.format = "PNG"
    assert (draft.request(), len(draft.items), draft.name, told) == (before, 2, None, [draft])
    with pytest.raises(ZeroDivisionError), draft.together():
        draft.options.reset("format")
        1 / 0  # noqa: B018
    assert (draft.request(), told) == (before, [draft])
