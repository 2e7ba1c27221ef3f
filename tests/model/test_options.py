"""What may be chosen, what was chosen, and what is said when they disagree."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

sys.path.insert(0, str(Path(__file__).parent))

from component_strategies import components, components_with_values, travelling

from oseo_lab.model.arrays import MOST_ELEMENTS
from oseo_lab.model.options import (
    Boolean,
    Category,
    CategoryRange,
    Component,
    Count,
    CountRange,
    DataArray,
    DataChoice,
    DataRecord,
    Encoding,
    Field,
    OptionDefinition,
    ParameterData,
    Quantity,
    QuantityRange,
    Text,
    Time,
    Vector,
    check_selections,
    selected,
)

FORMAT = Category(allowed=("COG", "GeoTIFF"), value="COG")
POINT = Vector(
    fields=(Field(name="latitude", component=Quantity()), Field(name="longitude", component=Quantity()))
)
RECORD = DataRecord(
    fields=(
        Field(name="gap", component=Count()),
        Field(name="unit", component=Category(allowed=("day", "week"), value="day")),
        Field(name="note", component=Text(optional=True)),
    )
)
CHOICE = DataChoice(items=(Field(name="small", component=Count()), Field(name="large", component=POINT)))
BANDS = DataArray(element=Field(name="band", component=Category(allowed=("B02", "B03"))))
CORNERS = DataArray(element=Field(name="point", component=POINT), element_count=2)


def point(latitude: str, longitude: str) -> tuple[Any, ...]:
    return (("latitude", latitude), ("longitude", longitude))


def option(name: str, component: Component) -> OptionDefinition:
    return OptionDefinition(name=name, component=component)


def data(*values: tuple[str, Any], encoding: Encoding = Encoding.XML) -> ParameterData:
    return ParameterData(values=values, encoding=encoding)


# ------------------------------------------------------------------------------------------------- parsing

ACCEPTED = [
    (FORMAT, " COG\n", "COG"),
    (Category(pattern=r"EPSG:\d+"), "EPSG:4326", "EPSG:4326"),
    (Category(pattern=r"\p{Lu}+"), "ABC", "ABC"),  # XML Schema's, which Python cannot read: its server can
    (Text(pattern="(" * 5000), "ABC", "ABC"),
    (Text(), "anything at all", "anything at all"),
    (Boolean(), "true", True),
    (Boolean(), "0", False),
    (Count(), "-7", -7),
    (Count(allowed=("8", "16")), "16", 16),
    (Quantity(), "1e3", 1000.0),
    (Quantity(intervals=(("0", "1"), ("5", "6"))), "5.5", 5.5),
    (Quantity(allowed=("12.5",)), "12.50", 12.5),
    (Time(), "2024-06-01T10:00:00Z", datetime(2024, 6, 1, 10, tzinfo=UTC)),
    (Time(), "2024-06-01T10:00:00", datetime(2024, 6, 1, 10, tzinfo=UTC)),
    (CountRange(), "1 5", (1, 5)),
    (QuantityRange(), (("min", "1"), ("max", "2.5")), (1.0, 2.5)),
    (CategoryRange(allowed=("low", "high")), "low high", ("low", "high")),
    (RECORD, (("gap", "3"),), {"gap": 3, "unit": "day"}),
    (RECORD, (("note", "x"), ("gap", "3"), ("unit", "week")), {"gap": 3, "unit": "week", "note": "x"}),
    (POINT, point("46.5", "7"), {"latitude": 46.5, "longitude": 7.0}),
    (CHOICE, (("small", "3"),), {"small": 3}),
    (Quantity(uom="m"), "12.5 m", 12.5),
    (Quantity(significant_figures=2), "1200", 1200),
    (Quantity(significant_figures=3), "0.0125", 0.0125),
    (Quantity(intervals=(("0", "INF"),)), "1e9", 1e9),
    (Count(intervals=(("-INF", "5"),)), "-900", -900),
    (Count(nil_values=(("urn:unknown", "-1"),), intervals=(("0", "5"),)), "-1", None),
    (QuantityRange(uom="m"), (("min", "1 m"), ("max", "2 m")), (1.0, 2.0)),
    (QuantityRange(nil_values=(("urn:open", "none"),)), (("min", "1"), ("max", "none")), (1.0, None)),
    (BANDS, (("band", "B02"), ("band", "B03")), ["B02", "B03"]),
    (BANDS, "B02,B03", ["B02", "B03"]),
    (BANDS, "B02 B03", ["B02", "B03"]),
    (BANDS, (), []),
    (DataArray(element=Field(name="p", component=POINT)), point("1", "2"), [{"latitude": 1, "longitude": 2}]),
    (DataArray(element=Field(name="p", component=POINT)), (), []),
    (CORNERS, (("point", point("1", "2")), ("point", point("3", "4"))), None),
]


@pytest.mark.parametrize(("component", "value", "expected"), ACCEPTED)
def test_a_travelling_value_becomes_a_python_value(component: Component, value: Any, expected: Any) -> None:
    parsed = component.parse(value)
    assert expected is None or parsed == expected
    assert component.parse(component.render(parsed)) == parsed


REFUSED = [
    (FORMAT, "cog", "COG, GeoTIFF"),
    (FORMAT, (("COG", ""),), "one value is expected"),
    (Category(pattern=r"EPSG:\d+"), "EPSG:4326\nx", "text matching"),
    (Category(pattern=r"\d+"), "1" * 256, "text matching"),
    (Boolean(), "yes", "true, false"),
    (Count(), "1.5", "whole number"),
    (Count(), "1_0", "whole number"),
    (Count(), "\u0661", "whole number"),
    (Count(), "9" * 31, "whole number"),
    (Count(), "", "whole number"),
    (Quantity(), "nan", "not a number"),
    (Quantity(), "inf", "not a number"),
    (Quantity(), "1e999", "not a number"),
    (Quantity(), "1_000", "not a number"),
    (Quantity(intervals=(("10", "60"),), uom="m"), "5", "allowed: 10 to 60 m"),
    (Quantity(uom="m"), "12.5 km", "give the number in m"),
    (QuantityRange(uom="m"), (("min", "1"), ("max", "2 km")), "give the number in m"),
    (Quantity(significant_figures=2), "1.25", "2 significant figures"),
    (Quantity(intervals=(("0", "INF"),)), "INF", "not a number"),
    (Count(nil_values=(("urn:unknown", "-1"),), intervals=(("0", "5"),)), "-2", "0 to 5"),
    (Time(), "yesterday", "2024-06-01T10:00:00Z"),
    (CountRange(), "5 1", "runs backwards"),
    (CountRange(), "5", "two values"),
    (CountRange(), (("min", "1"),), "min and a max"),
    (CountRange(), (("min", "1"), ("min", "2")), "min and a max"),
    (CountRange(), (("min", (("a", "1"),)), ("max", "2")), "one value"),
    (RECORD, "3", "a record is expected"),
    (RECORD, (), "gap is missing"),
    (RECORD, (("gap", "1"), ("gap", "2")), "repeated"),
    (RECORD, (("gap", "1"), ("gip", "2")), "gip does not belong here"),
    (CHOICE, (("small", "3"), ("large", point("1", "2"))), "exactly one"),
    (CHOICE, "small", "exactly one"),
    (BANDS, (("band", "B99"),), "B02, B03"),
    (BANDS, (("bnad", "B02"),), "repeat band"),
    (CORNERS, (("point", point("1", "2")),), "2 of point are needed, not 1"),
]


@pytest.mark.parametrize(("component", "value", "said"), REFUSED)
def test_a_value_that_is_not_allowed_is_refused_with_what_is(
    component: Component, value: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        component.parse(value)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 1000


@given(components, travelling)
def test_no_travelling_value_raises_anything_but_value_error(component: Component, value: Any) -> None:
    try:
        parsed = component.parse(value)
    except ValueError:
        return
    assert component.parse(component.render(parsed)) == parsed


@given(components_with_values())
def test_render_then_parse_gives_every_value_back(pair: tuple[Component, Any]) -> None:
    component, value = pair
    assert component.parse(component.render(value)) == value


@pytest.mark.parametrize(
    ("component", "value"),
    [
        (FORMAT, ["COG"]),
        (FORMAT, {"COG": 1}),
        (Boolean(), "maybe"),
        (Boolean(), 7),
        (Quantity(), "wide"),
        (Quantity(), None),
        (Quantity(), [1]),
        (CountRange(), 5),
        (CountRange(), "1"),
        (CountRange(), (1, 2, 3)),
        (RECORD, 3),
        (RECORD, {"gop": 1}),
        (CHOICE, {}),
        (CHOICE, {"huge": 1}),
        (BANDS, "B02"),
        (BANDS, 2),
        (BANDS, {"band": "B02"}),
    ],
)
def test_a_python_value_of_another_shape_is_refused_when_written(component: Component, value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        component.render(value)


@pytest.mark.parametrize(
    ("word", "meant"), [("false", "false"), (" TRUE ", "true"), (0, "false"), (True, "true")]
)
def test_a_boolean_said_as_a_word_means_the_word(word: Any, meant: str) -> None:
    assert Boolean().render(word) == meant


def test_a_whole_float_is_a_count() -> None:
    assert Count().render(8.0) == "8"


@given(components)
def test_every_component_can_say_what_is_allowed(component: Component) -> None:
    assert component.allowed_text


# ------------------------------------------------------------------------------------------------ defaults


@pytest.mark.parametrize(
    ("component", "default"),
    [
        (FORMAT, "COG"),
        (Category(), None),
        (CountRange(value=("1", "5")), (1, 5)),
        (RECORD, None),
        (DataRecord(fields=(Field(name="gap", component=Count(value="3")),)), {"gap": 3}),
        (
            DataRecord(
                fields=(
                    Field(name="gap", component=Count(value="3")),
                    Field(name="note", component=Text(optional=True)),
                )
            ),
            {"gap": 3},
        ),
        (replace(BANDS, preset=("B02",)), ["B02"]),
        (BANDS, None),
        (CHOICE, None),
    ],
)
def test_the_preset_value(component: Component, default: Any) -> None:
    assert component.default == default
    assert option("x", component).required is (default is None)


def test_an_optional_option_is_not_required() -> None:
    assert not option("x", Count(optional=True)).required


# ----------------------------------------------------------------------------------------------- narrowing


def test_an_operator_narrows_an_option() -> None:
    narrow = option("format", FORMAT).narrowed(["GeoTIFF"], "GeoTIFF")
    assert narrow.component.parse("GeoTIFF") == "GeoTIFF" == narrow.default
    with pytest.raises(ValueError, match="GeoTIFF"):
        narrow.component.parse("COG")


def test_a_pattern_is_narrowed_to_a_list() -> None:
    narrow = option("crs", Category(allowed=("native",), pattern=r"EPSG:\d+")).narrowed(["EPSG:4326"])
    with pytest.raises(ValueError, match="EPSG:4326"):
        narrow.component.parse("EPSG:3857")


def test_more_elements_than_anybody_needs_are_refused_without_reading_each() -> None:
    bands = option("bands", BANDS)
    many = tuple(("band", "B02") for _ in range(MOST_ELEMENTS + 1))
    wrong = tuple(("band", "B99") for _ in range(3 * MOST_ELEMENTS))
    row = ",".join([str(MOST_ELEMENTS + 1), *["B02"] * (MOST_ELEMENTS + 1)])
    for selection in (
        ParameterData(values=(("bands", many),)),
        ParameterData(encoding=Encoding.TEXT, text=row),
    ):
        (problem,) = check_selections([bands], [selection])
        assert problem.text == f"bands: {MOST_ELEMENTS + 1} of band are too many; allowed: {MOST_ELEMENTS}"
    problems = list(check_selections([bands], [ParameterData(values=(("bands", wrong),))]))
    assert len(problems) == MOST_ELEMENTS + 1
    assert not list(check_selections([bands], [ParameterData(values=(("bands", many[1:]),))]))


def test_an_array_is_narrowed_in_what_it_holds() -> None:
    narrow = option("bands", BANDS).narrowed(["B03"], ["B03"])
    assert narrow.default == ["B03"]
    with pytest.raises(ValueError, match="B03"):
        narrow.component.parse((("band", "B02"),))


def test_a_range_is_narrowed_in_both_ends() -> None:
    narrow = option("rows", CountRange(intervals=(("0", "100"),))).narrowed(
        intervals=[("10", "20")], value="10 15"
    )
    assert narrow.default == (10, 15)
    with pytest.raises(ValueError, match="10 to 20"):
        narrow.component.parse("5 15")


@pytest.mark.parametrize(
    ("component", "narrowing", "said"),
    [
        (FORMAT, {"allowed": ["PNG"]}, "COG, GeoTIFF"),
        (FORMAT, {"allowed": ["GeoTIFF"]}, "no longer allowed"),
        (FORMAT, {"value": "PNG"}, "COG, GeoTIFF"),
        (FORMAT, {"value": ["COG", "GeoTIFF"]}, "one value"),
        (FORMAT, {"intervals": [("1", "2")]}, "no intervals"),
        (Quantity(intervals=(("0", "1"),)), {"intervals": [("0.5", "2")]}, "not within"),
        (Quantity(allowed=("0", "1")), {"intervals": [("0", "1")]}, "not within"),
        (Quantity(), {"intervals": [("2", "1")]}, "backwards"),
        (CountRange(), {"value": "1"}, "two values"),
        (RECORD, {"allowed": ["1"]}, "no list"),
        (CHOICE, {"value": "small"}, "no preset value"),
        (Boolean(), {"allowed": ["true"]}, "no list"),
    ],
)
def test_an_option_is_never_widened(component: Component, narrowing: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        option("x", component).narrowed(**narrowing)


# ---------------------------------------------------------------------------------------------- selections

OFFERED = {
    each.name: each
    for each in (
        option("format", FORMAT),
        option("bands", BANDS),
        option("scale", Quantity(optional=True)),
        option("passes", DataArray(element=Field(name="passes", component=POINT), optional=True)),
    )
}


def test_everything_wrong_with_a_selection_is_said_at_once() -> None:
    problems = list(
        check_selections(OFFERED, [data(("format", "JPEG"), ("frmt", "COG"), ("scale", "wide"))], item_id="7")
    )
    assert [(each.code, each.locator) for each in problems] == [
        ("InvalidParameterValue", "format"),
        ("InvalidParameterValue", "frmt"),
        ("InvalidParameterValue", "scale"),
        ("MissingParameterValue", "bands"),
    ]
    assert {each.item_id for each in problems} == {"7"}


@pytest.mark.parametrize(
    ("component", "value", "places"),
    [
        (RECORD, (("gap", "x"), ("unit", "year"), ("gip", "1")), [".gap", ".unit", ".gip"]),
        (RECORD, (("gap", "1"), ("gap", "2")), [".gap"]),
        (RECORD, (), [".gap"]),
        (RECORD, "3", [""]),
        (CHOICE, (("large", point("x", "2")),), [".large.latitude"]),
        (CHOICE, (("huge", "1"),), [""]),
        (CORNERS, (("point", point("1", "y")),), ["", ".point[1].longitude"]),
        (CountRange(), (("min", "x"), ("max", "y")), [".min", ".max"]),
        (CountRange(), (("min", "5"), ("max", "1")), [""]),
    ],
)
def test_every_part_that_is_wrong_is_said_with_its_place(
    component: Component, value: Any, places: list[str]
) -> None:
    assert [each.path for each in component.faults(value)] == places
    assert [each.locator for each in option("x", component).check(value)] == [f"x{each}" for each in places]


def test_a_value_that_means_none_leaves_the_option_out() -> None:
    nil = option("gain", Count(value="3", nil_values=(("urn:unknown", "-1"),)))
    assert selected([nil], []) == {"gain": 3}
    assert selected([nil], [data(("gain", "-1"))]) == {}
    assert nil.component.render(None) == "-1"


def test_an_option_may_be_described_more_than_once() -> None:
    twice = [option("level", Category(allowed=("1A",))), option("level", Category(allowed=("2",)))]
    assert not list(check_selections(twice, [data(("level", "2"))]))
    assert selected(twice, [data(("level", "2"))]) == {"level": "2"}
    assert [each.locator for each in check_selections(twice, [data(("level", "3"))])] == ["level"]


def test_a_required_option_chosen_for_the_order_is_not_missing_in_its_items() -> None:
    assert not list(check_selections(OFFERED, [], inherited=["bands"]))


def test_at_order_level_nothing_is_missing() -> None:
    assert not list(check_selections(OFFERED, [], check_missing=False))


def test_tokens_that_do_not_fit_are_said_with_the_option_they_should_be() -> None:
    text = [ParameterData(encoding=Encoding.TEXT, text="COG,many")]
    problems = list(check_selections(OFFERED, text, inherited=["bands"]))
    assert [each.locator for each in problems] == ["bands"]
    assert "number of elements" in problems[0].text


def test_a_name_given_twice_is_a_list_or_a_mistake() -> None:
    assert list(check_selections(OFFERED, [data(("format", "COG"), ("format", "COG"))], inherited=["bands"]))
    twice = [data(("passes", point("1", "2")), ("passes", point("3", "4")))]
    assert not list(check_selections(OFFERED, twice, inherited=["bands"]))
    assert len(selected(OFFERED.values(), twice)["passes"]) == 2


def test_the_items_choice_beats_the_orders_beats_the_preset() -> None:
    order, item = data(("format", "GeoTIFF"), ("scale", "2")), data(("scale", "3"))
    assert selected(OFFERED.values(), [order], [item]) == {"format": "GeoTIFF", "scale": 3.0}
    assert selected(OFFERED.values(), [order, item]) == {"format": "GeoTIFF", "scale": 3.0}
    assert selected(OFFERED.values(), []) == {"format": "COG"}
