"""Selections as tokens without names: what is a token, what may be left out, what is said of a wrong row."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from component_strategies import components, values_of

from oseo_lab.model.options import (
    Boolean,
    Category,
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
    Text,
    TextFault,
    TextSeparators,
    Vector,
    check_selections,
    decoded,
    encoded_as_text,
    selected,
)

POINT = Vector(
    fields=(Field(name="latitude", component=Quantity()), Field(name="longitude", component=Quantity()))
)


def option(name: str, component: Any) -> OptionDefinition:
    return OptionDefinition(name=name, component=component)


GROUP = (
    option("format", Category(allowed=("COG", "PNG"), value="COG")),
    option("scale", Quantity(optional=True, uom="m")),
    option("rows", CountRange(value=("0", "9"))),
    option("area", DataArray(optional=True, element=Field(name="point", component=POINT))),
    option(
        "mode",
        DataChoice(items=(Field(name="plain", component=Boolean()), Field(name="deep", component=POINT))),
    ),
    option(
        "window",
        DataRecord(
            optional=True,
            fields=(
                Field(name="from", component=Count(value="7")),
                Field(name="note", component=Text(optional=True)),
            ),
        ),
    ),
)


def row(text: str) -> ParameterData:
    return ParameterData(encoding=Encoding.TEXT, text=text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {"format": "COG", "rows": (0, 9)}),
        ("PNG", {"format": "PNG", "rows": (0, 9)}),
        ("PNG,N,1,5", {"format": "PNG", "rows": (1, 5)}),
        (",Y,12.5,,N,plain,true", {"format": "COG", "scale": 12.5, "rows": (0, 9), "mode": {"plain": True}}),
        (
            " PNG , Y, 2\n1, 5\nY,2,\n 46, 7,\n 47, 8\ndeep,1,2 ",
            {
                "format": "PNG",
                "scale": 2.0,
                "rows": (1, 5),
                "area": [{"latitude": 46, "longitude": 7}, {"latitude": 47, "longitude": 8}],
                "mode": {"deep": {"latitude": 1, "longitude": 2}},
            },
        ),
        (
            ",N,,N,plain,0,Y,,N",
            {"format": "COG", "rows": (0, 9), "mode": {"plain": False}, "window": {"from": 7}},
        ),
        (
            ",N,,N,plain,0,Y,3,Y,",
            {"format": "COG", "rows": (0, 9), "mode": {"plain": False}, "window": {"from": 3, "note": ""}},
        ),
    ],
)
def test_a_row_of_tokens_is_a_selection(text: str, values: dict[str, Any]) -> None:
    assert selected(GROUP, [row(text)]) == {"window": {"from": 7}} | values


@pytest.mark.parametrize(
    ("text", "locator", "said"),
    [
        ("PNG,12", "scale", "Y before a value, or N alone"),
        ("PNG,Y", "scale", "tokens end"),
        ("PNG,N,1", "rows.max", "tokens end"),
        ("PNG,N,1,2,Y,x", "area", "number of elements"),
        ("PNG,N,1,2,Y,9,1,2", "area", "at most 2"),
        ("PNG,N,1,2,Y,1,1", "area.point[1].longitude", "tokens end"),
        ("PNG,N,1,2,N,shallow,1", "mode", "one of plain, deep"),
        (
            "PNG,N,1,2,N,plain,0,N,7",
            "values",
            "1 tokens are left over; options in their order: format, scale",
        ),
        ("PNG,N,1,2,N,plain,0,Y,7,maybe", "window.note", "'maybe'"),
    ],
)
def test_a_row_that_does_not_fit_says_where(text: str, locator: str, said: str) -> None:
    (problem,) = check_selections(GROUP, [row(text)])
    assert (problem.code, problem.locator) == ("InvalidParameterValue", locator)
    assert said in problem.text
    with pytest.raises(TextFault):
        selected(GROUP, [row(text)])


def test_every_wrong_token_is_said_at_once() -> None:
    text = "JPEG,Y,12 km,5,1,Y,1,a,b,plain,maybe"
    problems = {each.locator: each.text for each in check_selections(GROUP, [row(text)], item_id="7")}
    assert list(problems) == [
        "format",
        "scale",
        "rows",
        "area.point[1].latitude",
        "area.point[1].longitude",
        "mode.plain",
    ]
    assert "another unit" in problems["scale"]


def test_what_is_left_out_and_needed_is_missing() -> None:
    (problem,) = check_selections(GROUP, [row("PNG,N")])
    assert (problem.code, problem.locator) == ("MissingParameterValue", "mode")


def test_the_descriptors_own_separators_count() -> None:
    own = TextSeparators(token=";", block="@@", decimal=",")
    group = (
        option("scale", Quantity()),
        option("bands", DataArray(element=Field(name="band", component=Text()), encoding=own)),
    )
    assert selected(group, [row("2,5;2@@B02;B03")]) == {"scale": 2.5, "bands": ["B02", "B03"]}
    assert encoded_as_text(group, {"scale": 2.5, "bands": ["a,b"]}).text == "2,5;1;a,b"


def test_blanks_may_separate_and_may_count() -> None:
    blank = (
        option(
            "a", DataArray(element=Field(name="b", component=Count()), encoding=TextSeparators(token=" "))
        ),
    )
    assert selected(blank, [row(" 2  5\n6 ")]) == {"a": [5, 6]}
    kept = TextSeparators(collapse_white_spaces=False)
    exact = (option("a", DataArray(element=Field(name="b", component=Text()), encoding=kept)),)
    assert decoded(exact, "2, x ,y") == (("a", (("b", " x "), ("b", "y"))),)


def test_a_long_row_of_blanks_takes_no_long_time() -> None:
    text = [option("a", Text())]
    assert list(check_selections(text, [row("x" + " " * 2_000_000 + ",y")]))


@pytest.mark.parametrize(
    ("component", "value"),
    [
        (Text(), "a,b"),
        (Text(), "a\nb"),
        (Text(), ""),
        (DataArray(element=Field(name="b", component=Text())), ["a,b"]),
        (DataRecord(fields=(Field(name="a", component=Text()),)), {}),
        (DataArray(element=Field(name="b", component=DataRecord())), [{}]),
    ],
)
def test_what_tokens_cannot_carry_is_refused_when_written(component: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"x: "):
        encoded_as_text([option("x", component)], {"x": value})


def test_an_unknown_option_is_not_written() -> None:
    with pytest.raises(ValueError, match="no option y"):
        encoded_as_text(GROUP, {"y": 1})


@st.composite
def groups_with_values(draw: Any) -> tuple[list[OptionDefinition], dict[str, Any]]:
    """A few options, and Python values for what is required and some of the rest."""
    made = draw(st.lists(components, min_size=1, max_size=4))
    group = [option(f"option{at}", each) for at, each in enumerate(made)]
    chosen = {
        each.name: draw(values_of(each.component)) for each in group if each.required or draw(st.booleans())
    }
    return group, chosen


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(groups_with_values())
def test_what_is_written_as_tokens_reads_the_same(
    pair: tuple[list[OptionDefinition], dict[str, Any]],
) -> None:
    group, chosen = pair
    try:
        written = encoded_as_text(group, chosen)
    except ValueError:
        assume(False)
    assert not list(check_selections(group, [written]))
    assert selected(group, [written]) == {name: value for name, value in chosen.items() if value is not None}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(components, max_size=4), st.text(max_size=60) | st.text("Y,N1 2\n.;", max_size=40))
def test_no_row_raises_anything_but_a_fault(made: list[Any], text: str) -> None:
    group = [option(f"option{at}", each) for at, each in enumerate(made)]
    problems = list(check_selections(group, [row(text)]))
    if not problems:
        selected(group, [row(text)])
    assert all(each.locator for each in problems)
