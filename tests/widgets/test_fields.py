"""Controls: what the page shows of a value is what goes back to the object, for every kind of component."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from component_strategies import components_with_values

from oseo_lab.client.options import Options
from oseo_lab.model.components import Component
from oseo_lab.model.options import (
    Boolean,
    Category,
    Count,
    DataArray,
    DataChoice,
    DataRecord,
    Field,
    OptionDefinition,
    Quantity,
    QuantityRange,
    Text,
    Time,
    Vector,
)
from oseo_lab.widgets.fields import About, Control, control_of, reasons_of
from oseo_lab.widgets.option_fields import OptionFields


def options_of(**components: Component) -> Options:
    return Options([OptionDefinition(name=name, component=each) for name, each in components.items()], "lab")


def field(form: OptionFields, key: str) -> dict:
    """Return the node of a field, wherever it is."""

    def look(nodes: list[dict]) -> dict | None:
        for each in nodes:
            if each.get("key") == key:
                return each
            if (found := look([*each.get("children", ()), *each.get("buttons", ())])) is not None:
                return found
        return None

    found = look(form.nodes())
    assert found is not None, key
    return found


@given(components_with_values())
def test_what_a_control_shows_of_a_value_goes_back_as_that_value(pair) -> None:
    component, value = pair
    control = control_of(component, "options/it", "it")
    raw = control.raw(value)
    json.dumps(control.node(raw, About()))
    given_back = control.given(raw)
    if given_back is not None:
        assert component.parse(component.render(given_back)) == component.parse(component.render(value))
    else:
        assert value in (None, [])


def test_few_words_are_radio_buttons_and_many_a_list_to_open() -> None:
    few = Category(allowed=("COG", "PNG"), value="COG")
    many = Category(allowed=tuple(f"EPSG:{code}" for code in range(32601, 32643)))
    form = OptionFields(options_of(few=few, many=many))
    assert field(form, "options/few")["control"] == "radio"
    opened = field(form, "options/many")
    assert opened["control"] == "select" and opened["hint"] == "42 allowed" and opened["required"]
    assert [each["value"] for each in field(form, "options/few")["choices"]] == ["COG", "PNG"]


def test_numbers_have_their_unit_beside_them_and_say_their_interval() -> None:
    form = OptionFields(options_of(size=Quantity(uom="m", intervals=(("10", "500"),), optional=True)))
    node = field(form, "options/size")
    assert (node["control"], node["unit"], node["hint"]) == ("number", "m", "10 to 500")


@pytest.mark.parametrize(
    ("component", "control"),
    [
        (Boolean(optional=True), "radio"),
        (Time(optional=True), "time"),
        (Text(optional=True, pattern="[a-z]+"), "text"),
        (Text(optional=True, pattern="[a-z]+", allowed=("a", "b")), "suggest"),
        (Count(allowed=("1", "2"), value="1"), "radio"),
        (DataArray(element=Field(name="band", component=Category(allowed=("B02", "B03")))), "multi"),
        (DataArray(element=Field(name="day", component=Count())), "text"),
        (
            DataArray(
                element=Field(
                    name="point",
                    component=Vector(
                        fields=tuple(
                            Field(name=each, component=Quantity(uom="deg"))
                            for each in ("latitude", "longitude")
                        )
                    ),
                )
            ),
            "area",
        ),
        (Component(optional=True), "text"),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_each_kind_has_its_control(component, control) -> None:
    assert control_of(component, "options/it", "it").node(None, About())["control"] == control


def test_a_kind_that_nobody_knows_is_a_text_that_the_component_reads() -> None:
    class Strange(Component):
        def parse(self, value):
            return tuple(str(value).split("-"))

        def render(self, value):
            return "-".join(value)

    control = control_of(Strange(), "options/it", "it")
    assert type(control) is Control
    assert control.given("a-b") == ("a", "b")


def test_what_is_refused_is_said_with_the_sentence_of_the_object_and_the_field_shows_what_holds() -> None:
    options = options_of(crs=Category(allowed=("EPSG:32632",), pattern="EPSG:[0-9]+", value="EPSG:32632"))
    form = OptionFields(options)
    form.edit(["crs"], "WGS 84")
    node = field(form, "options/crs")
    assert node["value"] == "EPSG:32632" and options.crs == "EPSG:32632"
    with pytest.raises(Exception) as said:
        options.crs = "WGS 84"
    assert node["problem"] == said.value.text
    form.edit(["crs"], "EPSG:4326")
    assert options.crs == "EPSG:4326" and not field(form, "options/crs")["problem"]


def test_a_record_may_be_filled_in_field_by_field_and_is_no_part_of_the_order_before_it_is_whole() -> None:
    record = DataRecord(
        optional=True,
        fields=(
            Field(name="days", component=Count(intervals=(("1", "30"),))),
            Field(name="how", component=Category(allowed=("even", "odd"))),
        ),
    )
    options = options_of(gap=record)
    form = OptionFields(options)
    form.edit(["gap", "days"], "5")
    assert options.gap is None and form.incomplete == ("gap",)
    assert field(form, "options/gap/days")["value"] == "5"
    assert field(form, "options/gap/how")["required"] and not field(form, "options/gap/how")["problem"]
    assert "not complete yet" in str(form.nodes()[-1])
    form.edit(["gap", "how"], "odd")
    assert options.gap == {"days": 5, "how": "odd"} and form.incomplete == ()
    form.edit(["gap", "days"], "90")
    assert options.gap == {"days": 5, "how": "odd"}
    assert "1 to 30" in field(form, "options/gap/days")["problem"]
    form.edit(["gap"], None)
    assert options.gap is None and form.incomplete == ()


def test_a_range_takes_both_ends_and_says_that_it_runs_backwards() -> None:
    options = options_of(cloud=QuantityRange(optional=True, intervals=(("0", "100"),), uom="%"))
    form = OptionFields(options)
    form.edit(["cloud", "min"], "30")
    form.edit(["cloud", "max"], "10")
    assert options.cloud is None
    assert "backwards" in field(form, "options/cloud")["problem"]
    form.edit(["cloud", "max"], "40")
    assert options.cloud == (30, 40)


def test_a_choice_shows_the_part_it_leads_to() -> None:
    choice = DataChoice(
        optional=True,
        items=(
            Field(name="byDays", component=Count()),
            Field(name="byWord", component=Category(allowed=("all", "best"), value="best")),
        ),
    )
    options = options_of(pick=choice)
    form = OptionFields(options)
    form.edit(["pick", "?"], "byWord")
    assert options.pick == {"byWord": "best"}
    form.edit(["pick", "?"], "byDays")
    assert options.pick == {"byWord": "best"} and form.incomplete == ("pick",)
    form.edit(["pick", "byDays"], "3")
    assert options.pick == {"byDays": 3} and form.incomplete == ()


def test_rows_are_added_edited_and_taken_out() -> None:
    names = DataArray(optional=True, element=Field(name="name", component=Text(pattern="[a-z ]+")))
    options = options_of(names=names)
    form = OptionFields(options)
    form.press(["names"], "add")
    assert options.names is None and form.incomplete == ("names",)
    form.edit(["names", "0"], "lake garda")
    form.press(["names"], "add")
    form.edit(["names", "1"], "po")
    assert options.names == ["lake garda", "po"]
    form.press(["names", "0"], "remove")
    assert options.names == ["po"]
    form.press(["names", "0"], "remove")
    assert options.names is None


def test_bands_keep_the_order_in_which_they_were_chosen() -> None:
    bands = DataArray(
        optional=True, element=Field(name="band", component=Category(allowed=("B02", "B03", "B04")))
    )
    options = options_of(bands=bands)
    form = OptionFields(options)
    form.edit(["bands"], ["B04", "B02"])
    assert options.bands == ["B04", "B02"] and field(form, "options/bands")["value"] == ["B04", "B02"]
    options.bands = ["B02", "B02"]
    form.follow()
    assert field(form, "options/bands") | {"control": "text", "value": "B02, B02"} == field(
        form, "options/bands"
    )


def test_an_area_is_typed_as_a_box_or_wkt_and_what_is_none_is_refused() -> None:
    point = Vector(
        fields=tuple(Field(name=each, component=Quantity(uom="deg")) for each in ("latitude", "longitude"))
    )
    options = options_of(region=DataArray(optional=True, element=Field(name="point", component=point)))
    form = OptionFields(options)
    form.edit(["region"], "10.5, 45.5, 10.7, 45.7")
    assert options.region[0] == {"latitude": 45.5, "longitude": 10.5} and len(options.region) == 5
    assert field(form, "options/region")["value"] == "10.5, 45.5, 10.7, 45.7"
    form.edit(["region"], "POLYGON ((10 45, 11 45, 11 46, 10 45))")
    assert len(options.region) == 4
    form.edit(["region"], "45.5, 10.5, 45.4, 10.7")
    assert len(options.region) == 4 and "empty" in field(form, "options/region")["problem"]


def test_reasons_that_differ_in_the_value_alone_are_said_once() -> None:
    greyed = [
        {"value": each, "label": each, "reason": f"type {each} does not go with PNG"} for each in "abcdef"
    ]
    assert reasons_of(greyed[:1]) == ["type a does not go with PNG"]
    assert reasons_of(greyed) == ["type a, b, c and 3 more does not go with PNG"]
    assert reasons_of([{"value": "x", "label": "x", "reason": None}]) == ["x: not offered now"]
