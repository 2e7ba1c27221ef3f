"""Options as JSON Schema, and Python values into selections."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaError

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from component_strategies import components, components_with_values

from oseo_lab.encoding.json_form import encode_selection, from_plain, option_schema, to_plain
from oseo_lab.encoding.json_options import plain_value
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.options import (
    Boolean,
    Category,
    Count,
    CountRange,
    DataArray,
    DataChoice,
    Field,
    OptionDefinition,
    ParameterData,
    Quantity,
    Text,
    Time,
    Vector,
    check_selections,
    selected,
)

slowly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
POINT = Vector(
    fields=(Field(name="latitude", component=Quantity()), Field(name="longitude", component=Quantity()))
)
DEFINITIONS = (
    OptionDefinition(
        name="format",
        grouping="Processing Option",
        component=Category(label="Format", description="How.", allowed=("COG", "GeoTIFF"), value="COG"),
    ),
    OptionDefinition(
        name="crs", component=Category(allowed=("native",), pattern=r"EPSG:\d{4,5}", value="native")
    ),
    OptionDefinition(
        name="resolution", component=Quantity(uom="m", intervals=(("10", "60"),), optional=True)
    ),
    OptionDefinition(name="bits", component=Count(allowed=("8", "16"), value="16")),
    OptionDefinition(name="masked", component=Boolean(value="false")),
    OptionDefinition(name="since", component=Time(optional=True)),
    OptionDefinition(name="rows", component=CountRange(optional=True)),
    OptionDefinition(
        name="bands",
        component=DataArray(
            element=Field(name="band", component=Category(allowed=("B02", "B03"))), preset=("B02", "B03")
        ),
    ),
    OptionDefinition(
        name="corners", component=DataArray(element=Field(name="point", component=POINT), element_count=2)
    ),
    OptionDefinition(
        name="cut",
        component=DataChoice(
            items=(Field(name="all", component=Boolean()), Field(name="around", component=POINT)),
            optional=True,
        ),
    ),
)
BY_NAME = {each.name: each for each in DEFINITIONS}


# ------------------------------------------------------------------------------------------------- schema


def test_the_schema_shows_what_a_form_needs() -> None:
    schema = option_schema(DEFINITIONS)
    shown = schema["properties"]
    assert shown["format"] == {
        "title": "Format",
        "description": "How.",
        "x-kind": "Category",
        "x-grouping": "Processing Option",
        "type": "string",
        "enum": ["COG", "GeoTIFF"],
        "default": "COG",
    }
    assert shown["crs"]["anyOf"][1]["pattern"] == r"^(?:EPSG:\d{4,5})$"
    assert shown["resolution"] == {
        "x-uom": "m",
        "x-kind": "Quantity",
        "type": "number",
        "minimum": 10,
        "maximum": 60,
    }
    assert shown["bits"]["enum"] == [8, 16]
    assert (shown["bits"]["default"], shown["masked"]["default"]) == (16, False)
    assert shown["since"]["format"] == "date-time"
    assert shown["bands"]["default"] == {"band": ["B02", "B03"]}
    assert shown["corners"]["properties"]["point"]["minItems"] == 2
    assert schema["required"] == ["corners"]


@slowly
@given(components)
def test_the_schema_of_every_component_is_json_schema(component: Any) -> None:
    Draft202012Validator.check_schema(option_schema([OptionDefinition(name="x", component=component)]))


@slowly
@given(components_with_values())
def test_every_value_a_component_takes_fits_its_schema_and_is_read(pair: tuple[Any, Any]) -> None:
    component, value = pair
    definition = OptionDefinition(name="x", component=component)
    plain = {"x": plain_value(component, value)}
    Draft202012Validator(option_schema([definition])).validate(plain)
    for read in (from_plain(ParameterData, {"values": plain}), encode_selection([definition], {"x": value})):
        assert not list(check_selections({"x": definition}, [read]))
        assert selected([definition], [from_plain(ParameterData, to_plain(read))]) == {"x": value}


def test_a_preset_value_fits_its_own_schema() -> None:
    for definition in DEFINITIONS:
        schema = option_schema([definition])["properties"][definition.name]
        if "default" in schema:
            Draft202012Validator(schema).validate(schema["default"])


@pytest.mark.parametrize(
    "values",
    [
        {"format": "JPEG"},
        {"crs": "EPSG:1"},
        {"resolution": 5},
        {"bits": 9},
        {"bands": {"band": ["B99"]}},
        {"corners": {"point": [{"latitude": 1, "longitude": 2}]}},
        {"cut": {"all": True, "around": {"latitude": 1, "longitude": 2}}},
        {"speed": 1},
    ],
)
def test_what_the_schema_refuses_is_refused_when_checked(values: dict[str, Any]) -> None:
    corners = {"point": [{"latitude": 1, "longitude": 2}] * 2}
    with pytest.raises(SchemaError):
        Draft202012Validator(option_schema(DEFINITIONS)).validate({"corners": corners, **values})
    assert list(
        check_selections(BY_NAME, [from_plain(ParameterData, {"values": {"corners": corners, **values}})])
    )


# --------------------------------------------------------------------------------------------- selections


def test_python_values_become_a_selection() -> None:
    corners = [{"latitude": 46, "longitude": 7}, {"latitude": 47.5, "longitude": 8}]
    data = encode_selection(
        DEFINITIONS,
        {
            "format": "GeoTIFF",
            "resolution": 20,
            "bits": 8.0,
            "masked": True,
            "since": datetime(2024, 6, 1, tzinfo=UTC),
            "rows": (1, 100),
            "bands": ["B03"],
            "corners": corners,
            "cut": {"all": False},
            "crs": None,
        },
    )
    assert dict(data.values) == {
        "format": "GeoTIFF",
        "resolution": "20",
        "bits": "8",
        "masked": "true",
        "since": "2024-06-01T00:00:00Z",
        "rows": (("min", "1"), ("max", "100")),
        "bands": (("band", "B03"),),
        "corners": (
            ("point", (("latitude", "46"), ("longitude", "7"))),
            ("point", (("latitude", "47.5"), ("longitude", "8"))),
        ),
        "cut": (("all", "false"),),
    }
    assert selected(DEFINITIONS, [data])["corners"] == corners


@pytest.mark.parametrize(
    ("name", "said", "value"),
    [
        ("bands", "B02,B03", ["B02", "B03"]),
        ("masked", "false", False),
        ("rows", "1 5", (1, 5)),
        ("bits", "8", 8),
    ],
)
def test_text_is_read_as_it_would_be_typed(name: str, said: str, value: Any) -> None:
    assert selected([BY_NAME[name]], [encode_selection(BY_NAME, {name: said})])[name] == value


def test_every_wrong_value_is_named_with_the_nearest_right_one() -> None:
    with pytest.raises(ValidationError) as refused:
        encode_selection(
            DEFINITIONS,
            {
                "format": "cog",
                "bands": ["B02", "b3"],
                "resolution": 5,
                "bit": 8,
                "rows": 3,
                "corners": {"a": 1},
            },
        )
    said = {each.locator: each.text for each in refused.value.problems}
    assert set(said) == {"format", "bands", "resolution", "bit", "rows", "corners"}
    assert said["format"] == "format: 'cog' is not allowed; allowed: COG, GeoTIFF; did you mean 'COG'?"
    assert "did you mean 'B03'" in said["bands"]
    assert "allowed: 10 to 60 m" in said["resolution"]
    assert "did you mean 'bits'" in said["bit"]


@pytest.mark.parametrize("value", [object(), b"COG", [], {}, [["COG"]], float("nan"), ("a", "b"), 10**400])
@pytest.mark.parametrize("name", [each.name for each in DEFINITIONS])
def test_no_python_value_gets_anything_but_a_selection_or_our_error(name: str, value: Any) -> None:
    try:
        encode_selection(DEFINITIONS, {name: value})
    except ValidationError as refused:
        assert refused.problems[0].locator == name


def test_free_text_is_kept() -> None:
    note = OptionDefinition(name="note", component=Text())
    assert selected([note], [encode_selection([note], {"note": "as is, please"})]) == {
        "note": "as is, please"
    }
