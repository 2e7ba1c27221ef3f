"""Selections on the wire: what the model accepts survives both encodings, what is mutated is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from oseo_lab.encoding.json_form import from_plain, to_plain
from oseo_lab.encoding.options_xml import read_selection, write_selection
from oseo_lab.encoding.xmltree import DATASET, OSEO, parse
from oseo_lab.model.errors import BadMessage
from oseo_lab.model.options import (
    Count,
    DataArray,
    DataRecord,
    Encoding,
    Field,
    OptionDefinition,
    ParameterData,
    Quantity,
    Vector,
    check_selections,
    encoded_as_text,
    selected,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from component_strategies import components, values_of
from mutations import mutated

SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck))


def sent(selection: ParameterData) -> ParameterData:
    """The selection as the other side reads it."""
    text = f'<r xmlns="{OSEO}" xmlns:ds="{DATASET}">{write_selection("option", selection)}</r>'
    read = read_selection(parse(text.encode())[0])
    assert from_plain(ParameterData, to_plain(read)) == read
    return read


@st.composite
def groups_with_values(draw: Any) -> tuple[list[OptionDefinition], dict[str, Any]]:
    """Options of all kinds, and Python values for what is required and some of the rest."""
    made = draw(st.lists(components, min_size=1, max_size=4))
    group = [OptionDefinition(name=f"option{at}", component=each) for at, each in enumerate(made)]
    values = {
        each.name: draw(values_of(each.component)) for each in group if each.required or draw(st.booleans())
    }
    return group, values


def named(group: list[OptionDefinition], values: dict[str, Any]) -> ParameterData:
    by_name = {each.name: each.component for each in group}
    return ParameterData(values=tuple((name, by_name[name].render(value)) for name, value in values.items()))


@SLOW
@given(groups_with_values())
def test_what_is_accepted_is_accepted_after_both_encodings(
    pair: tuple[list[OptionDefinition], dict[str, Any]],
) -> None:
    group, values = pair
    by_name = sent(named(group, values))
    assert not list(check_selections(group, [by_name]))
    assert selected(group, [by_name]) == values
    try:
        tokens = sent(encoded_as_text(group, values))
    except ValueError:
        return  # TextEncoding cannot carry a separator
    assert tokens.encoding is Encoding.TEXT
    assert not list(check_selections(group, [tokens]))
    assert selected(group, [tokens]) == values


@SLOW
@given(groups_with_values(), st.data())
def test_what_is_mutated_is_refused_with_its_place(
    pair: tuple[list[OptionDefinition], dict[str, Any]], data: Any
) -> None:
    group, values = pair
    broken = data.draw(st.sampled_from(group))
    wrong = list(mutated(broken.component))
    assume(wrong)
    selection = named(group, {name: each for name, each in values.items() if name != broken.name})
    pairs = (*selection.values, (broken.name, data.draw(st.sampled_from(wrong))))
    problems = list(check_selections(group, [sent(ParameterData(values=pairs))], item_id="7"))
    assert problems
    assert all(each.locator and each.locator.startswith(broken.name) for each in problems)
    assert {each.item_id for each in problems} == {"7"}
    unknown = ParameterData(values=(*selection.values, ("optoin", "1")))
    assert "optoin" in {each.locator for each in check_selections(group, [sent(unknown)])}


@SLOW
@given(groups_with_values(), st.data())
def test_tokens_cut_short_or_too_many_are_refused(
    pair: tuple[list[OptionDefinition], dict[str, Any]], data: Any
) -> None:
    group, values = pair
    try:
        whole = encoded_as_text(group, values)
    except ValueError:
        return
    more = ParameterData(encoding=Encoding.TEXT, text=f"{whole.text},,,x;;;x|||x   x")
    problems = list(check_selections(group, [sent(more)]))
    assert problems
    assert all(each.locator for each in problems)


# ------------------------------------------------------------------------------- the forms that are in use

POINT = Vector(fields=(Field(name="lat", component=Quantity()), Field(name="lon", component=Quantity())))
REGION = OptionDefinition(
    name="region", component=DataArray(element=Field(name="point", component=POINT), optional=True)
)
BANDS = OptionDefinition(
    name="mdf", component=DataArray(element=Field(name="mdf", component=Count()), optional=True)
)
FREQUENCY = OptionDefinition(
    name="frequency",
    component=DataArray(
        optional=True,
        element_count=1,
        element=Field(
            name="frequency",
            component=DataRecord(
                fields=(
                    Field(name="number", component=Count()),
                    Field(name="gap", component=Count(optional=True)),
                )
            ),
        ),
    ),
)
SPACING = OptionDefinition(
    name="spacing", component=Quantity(uom="m", optional=True, intervals=(("1", "90"),))
)
GROUP = (REGION, BANDS, FREQUENCY, SPACING)


def received(values: str, encoding: str = "XMLEncoding") -> ParameterData:
    text = (
        f'<r xmlns="{OSEO}" xmlns:a="urn:a"><option><ParameterData><encoding>{encoding}</encoding>'
        f"<values>{values}</values></ParameterData></option></r>"
    )
    return read_selection(parse(text.encode())[0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("<a:spacing>12.5</a:spacing>", {"spacing": 12.5}),
        ('<spacing uom="m">12.5</spacing>', {"spacing": 12.5}),
        ("<spacing>12.5 m</spacing>", {"spacing": 12.5}),
        ("<a:mdf>1</a:mdf><mdf>2</mdf>", {"mdf": [1, 2]}),
        ("<mdf><mdf>1</mdf><mdf>2</mdf></mdf>", {"mdf": [1, 2]}),
        ("<mdf>1</mdf>", {"mdf": [1]}),
        ("<frequency><number>3</number></frequency>", {"frequency": [{"number": 3}]}),
        (
            "<frequency><frequency><number>3</number><gap>2</gap></frequency></frequency>",
            {"frequency": [{"number": 3, "gap": 2}]},
        ),
        (
            "<region><point><lat>1</lat><lon>2</lon></point><a:point><lat>3</lat><lon>4</lon></a:point></region>",
            {"region": [{"lat": 1, "lon": 2}, {"lat": 3, "lon": 4}]},
        ),
        (
            "<point><lat>1</lat><lon>2</lon></point><point><lat>3</lat><lon>4</lon></point>",
            {"region": [{"lat": 1, "lon": 2}, {"lat": 3, "lon": 4}]},
        ),
    ],
)
def test_each_form_in_use_is_read(values: str, expected: dict[str, Any]) -> None:
    selection = received(values)
    assert not list(check_selections(GROUP, [selection]))
    assert selected(GROUP, [selection]) == expected


@pytest.mark.parametrize(
    ("values", "locators"),
    [
        ('<spacing uom="km">12.5</spacing>', ["spacing"]),
        ("<spacing>12.5 km</spacing>", ["spacing"]),
        (
            "<frequency><number>x</number><gip>1</gip></frequency>",
            ["frequency.frequency[1].number", "frequency.frequency[1].gip"],
        ),
        ("<frequency><gap>1</gap></frequency>", ["frequency.frequency[1].number"]),
        ("<region><point><lat>1</lat><lon>x</lon></point></region>", ["region.point[1].lon"]),
        (
            "<spacing>1000</spacing><mdf>a</mdf><mdf>2</mdf><nothing>1</nothing>",
            ["spacing", "mdf.mdf[1]", "nothing"],
        ),
        ("<spacing>5</spacing><spacing>6</spacing>", ["spacing"]),
    ],
)
def test_everything_wrong_is_said_at_once_with_its_place(values: str, locators: list[str]) -> None:
    assert [each.locator for each in check_selections(GROUP, [received(values)])] == locators


def test_the_unit_is_said_when_another_is_given() -> None:
    (problem,) = check_selections(GROUP, [received('<spacing uom="km">12.5</spacing>')])
    assert "give the number in m" in problem.text


def test_values_of_the_other_encoding_are_no_message() -> None:
    with pytest.raises(BadMessage, match="TextEncoding takes a text"):
        received("<spacing>1</spacing>", "TextEncoding")
    with pytest.raises(BadMessage, match="XMLEncoding takes one element"):
        received("1,2,3")
