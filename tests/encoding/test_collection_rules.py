"""Rules between options in a collection file, as an operator writes them and as a form reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from oseo_lab.builtin.processor_raster import RASTER
from oseo_lab.encoding.json_form import complete, option_schema, read_collection
from oseo_lab.model.collection import Collection, OptionLevel
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.option_rules import OptionRule
from oseo_lab.model.options import (
    Boolean,
    Category,
    DataArray,
    Field,
    OptionDefinition,
    ParameterData,
    Quantity,
)
from oseo_lab.model.order import ItemSpecification, OrderSpecification

HEAD = 'id = "s2"\n[catalogue]\nuse = "folder"\nhref = "data"\n[processor]\nuse = "raster"\n'
RULE = """
[[rules]]
when = { bands = "SCL" }
then = { resampling = ["nearest", "mode"] }
reason = "SCL holds codes"
"""


def collection(text: str, folder: Path) -> Collection:
    file = read_collection(HEAD + text, folder=folder)
    return complete(file, RASTER.options, RASTER.scene_options, RASTER.rules)


def said(made: Collection, order: dict[str, Any], item: dict[str, Any] | None = None) -> list[str]:
    """Return what is said of an item with these choices of the order's and of its own."""

    def data(values: dict[str, Any]) -> tuple[ParameterData, ...]:
        return (ParameterData(values=tuple(values.items())),) if values else ()

    specification = ItemSpecification(
        item_id="1", identifier=ProductId(identifier="a"), options=data(item or {})
    )
    found = made.check_item(specification, OrderSpecification(options=data(order)))
    return [f"{each.locator}: {each.text}" for each in found]


def test_an_operators_rule_holds_beside_the_processors(tmp_path: Path) -> None:
    made = collection(RULE, tmp_path)
    bands = (("band", "B04"), ("band", "SCL"))
    assert said(made, {"bands": bands, "resampling": "mode"}) == []
    assert said(made, {"bands": bands}) == [
        "resampling: resampling bilinear does not go with bands B04, SCL: SCL holds codes; "
        "allowed: nearest, mode"
    ]
    assert said(made, {"format": "PNG"}, {"dataType": "float32"}) == [
        "dataType: dataType float32 does not go with format PNG: a PNG picture holds bytes; "
        "allowed: native, uint8"
    ]
    assert said(made, {"format": "PNG", "dataType": "float32"}, {"format": "COG"}) == []
    assert said(made, {"format": "PNG", "scaling": "offset-scale"})[0].startswith("scaling: ")


def test_what_is_fixed_narrows_what_is_left(tmp_path: Path) -> None:
    made = collection('fixed = { format = "PNG" }\n', tmp_path)
    assert said(made, {"dataType": "uint8"}) == []
    assert said(made, {"dataType": "float32"}) == [
        "dataType: dataType float32 is not offered: a PNG picture holds bytes; allowed: native, uint8"
    ]
    made = collection('fixed = { dataType = "float32" }\n', tmp_path)
    assert said(made, {"format": "NetCDF"}) == []
    assert said(made, {"format": "PNG"}) == [
        "format: format PNG is not offered: a PNG picture holds bytes; allowed: COG, GeoTIFF, NetCDF"
    ]


def test_what_is_narrowed_away_is_not_allowed_by_a_rule(tmp_path: Path) -> None:
    made = collection('[[options]]\nname = "dataType"\nallowed = ["native", "float32"]\n', tmp_path)
    assert said(made, {"format": "PNG", "dataType": "float32"})[0].endswith("allowed: native")
    made = collection('[[options]]\nname = "format"\nallowed = ["COG", "NetCDF"]\n', tmp_path)
    assert [each.then for each in made.rules] == [{"sceneBoundingPolygon": ()}]


def test_a_group_without_an_option_has_it_at_its_preset_value(tmp_path: Path) -> None:
    text = """
[[groups]]
id = "pictures"
options = ["dataType", "bands"]
[[groups]]
id = "data"
options = ["format", "crs"]
[[options]]
name = "format"
default = "PNG"
"""
    pictures, data = collection(text, tmp_path).option_groups()
    assert [(each.when, each.then) for each in pictures.rules] == [
        ({"dataType": ()}, {"dataType": ("native", "uint8")})
    ]
    assert data.rules == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('when = { formt = "PNG" }\nthen = { dataType = "uint8" }', "rules[0]: when: there is no option"),
        ('when = { format = "JPEG" }\nthen = { dataType = "uint8" }', "rules[0]: when.format: 'JPEG'"),
        ('when = { format = "PNG" }\nthen = { format = "COG" }', "format is on both sides"),
        ('when = { }\nthen = { format = "COG" }', "rules[0].when"),
        ('when = { sceneBoundingPolygon = 1 }\nthen = { format = "COG" }', "has no single values"),
        (
            'when = { format = "COG" }\nthen = { dataType = "uint8" }',
            "the preset values of standard: dataType",
        ),
    ],
)
def test_a_rule_that_cannot_hold_is_said_at_start(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        collection(f'[[rules]]\n{text}\nreason = "because"\n', tmp_path)
    assert says in str(refused.value)


def test_what_is_fixed_otherwise_than_a_rule_asks_is_said_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="dataType is settled otherwise: a PNG picture holds bytes"):
        collection('fixed = { format = "PNG", dataType = "float32" }\n', tmp_path)


DEFINITIONS = (
    OptionDefinition(name="format", component=Category(allowed=("COG", "PNG"), value="COG")),
    OptionDefinition(name="type", component=Category(allowed=("native", "byte", "float"), value="native")),
    OptionDefinition(name="fast", component=Boolean(optional=True)),
    OptionDefinition(name="size", component=Quantity(optional=True)),
    OptionDefinition(
        name="bands",
        component=DataArray(
            optional=True, element=Field(name="band", component=Category(allowed=("B04", "SCL")))
        ),
    ),
)


@pytest.mark.parametrize(
    ("when", "then", "values", "is_right"),
    [
        ({"format": ("PNG",)}, {"type": ("byte",)}, {"format": "PNG", "type": "byte"}, True),
        ({"format": ("PNG",)}, {"type": ("byte",)}, {"format": "PNG"}, False),
        ({"format": ("PNG",)}, {"type": ("byte",)}, {}, True),
        ({"format": ("COG",)}, {"type": ("byte",)}, {"type": "float"}, False),
        ({"format": ("PNG",)}, {"size": ("10", "20")}, {"format": "PNG", "size": 20}, True),
        ({"format": ("PNG",)}, {"size": ("10", "20")}, {"format": "PNG", "size": 30}, False),
        ({"format": ("PNG",)}, {"size": ("10", "20")}, {"format": "PNG"}, True),
        ({"fast": ("true",)}, {"size": ()}, {"fast": True, "size": 3}, False),
        ({"fast": ("true",)}, {"size": ()}, {"fast": False, "size": 3}, True),
        ({"bands": ("SCL",)}, {"type": ("native",)}, {"bands": {"band": ["B04", "SCL"]}}, True),
        ({"bands": ("SCL",)}, {"type": ("byte",)}, {"bands": {"band": ["B04", "SCL"]}}, False),
        ({"bands": ()}, {"type": ("byte",)}, {"bands": {"band": ["B04"]}}, False),
        ({"format": ("PNG",)}, {"bands": ("B04",)}, {"format": "PNG", "bands": {"band": ["SCL"]}}, False),
    ],
)
def test_the_json_schema_says_what_the_service_says(
    when: dict[str, Any], then: dict[str, Any], values: dict[str, Any], is_right: bool
) -> None:
    rule = OptionRule(when=when, then=then, reason="because")
    schema = option_schema(DEFINITIONS, [rule])
    Draft202012Validator.check_schema(schema)
    assert schema["allOf"][0]["x-reason"] == "because"
    assert Draft202012Validator(schema).is_valid(values) is is_right
    made = Collection(id="s2", options=DEFINITIONS, rules=(rule,), levels={"fast": OptionLevel.BOTH})
    travelling = {
        name: tuple(("band", each) for each in value["band"]) if name == "bands" else str(value).lower()
        for name, value in values.items()
    }
    travelling |= {name: values[name] for name in ("format", "type") if name in values}
    assert (said(made, travelling) == []) is is_right


def test_a_schema_without_all_options_of_a_rule_leaves_it_out() -> None:
    rule = OptionRule(when={"format": ("PNG",)}, then={"area": ()}, reason="because")
    assert "allOf" not in option_schema(DEFINITIONS, [rule])


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('use = "stac"', "catalogue.href: is missing"),
        ('use = "none"', "catalogue.use: none finds no files"),
    ],
)
def test_a_catalogue_has_a_place_and_products_made_here_have_a_catalogue(
    tmp_path: Path, table: str, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        read_collection(f'id = "s2"\n[catalogue]\n{table}\n', folder=tmp_path)
