"""Options as XML: every SWE Common component both ways, and the odd forms found in the wild."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from oseo_lab.encoding.options_xml import (
    read_component,
    read_definition,
    read_selection,
    write_component,
    write_definition,
    write_selection,
)
from oseo_lab.encoding.oseo import decode_response, encode_response
from oseo_lab.encoding.xmltree import DATASET, OSEO, SWE, XLINK, parse
from oseo_lab.model.collection import OrderOptions, ProductDelivery
from oseo_lab.model.delivery import Protocol
from oseo_lab.model.errors import BadMessage
from oseo_lab.model.messages import GetOptionsResponse
from oseo_lab.model.options import (
    Category,
    DataArray,
    DataRecord,
    Encoding,
    Field,
    OptionDefinition,
    ParameterData,
    Quantity,
    Text,
    TextSeparators,
    Time,
    Vector,
)
from tests.official import complaints

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from component_strategies import components, names, words

NAMESPACES = f'xmlns="{OSEO}" xmlns:swe="{SWE}" xmlns:xlink="{XLINK}" xmlns:ds="{DATASET}"'


def wrapped(text: str) -> etree._Element:
    return parse(f"<r {NAMESPACES}>{text}</r>".encode())[0]


def option(text: str) -> OptionDefinition:
    return read_definition(wrapped(f"<option>{text}</option>"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(components)
def test_every_component_survives_a_round_trip(component: Any) -> None:
    assert read_component(wrapped(write_component(component))) == component


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(names, components)
def test_every_definition_survives_a_round_trip(name: str, component: Any) -> None:
    definition = OptionDefinition(name=name, component=component, grouping="Processing Option")
    assert read_definition(wrapped(write_definition("option", definition))) == definition


travelling = st.recursive(
    words, lambda inner: st.lists(st.tuples(names, inner), min_size=1, max_size=3).map(tuple), max_leaves=8
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(names, travelling), max_size=4).map(tuple))
def test_every_selection_survives_a_round_trip(values: Any) -> None:
    selection = ParameterData(values=values)
    assert read_selection(wrapped(write_selection("option", selection))) == selection


def test_definitions_are_officially_valid(shared: Path) -> None:
    bands = DataArray(
        element=Field(name="band", component=Category(allowed=("B02", "B03"))), preset=("B03", "B02")
    )
    group = OrderOptions(
        product_order_options_id="a",
        deliveries=(ProductDelivery(online_access=(Protocol.HTTP,)),),
        options=(OptionDefinition(name="bands", component=bands),),
    )
    written = encode_response(GetOptionsResponse(order_options=(group,)))
    assert complaints(shared, written) == []
    assert decode_response(parse(written)).order_options == (group,)


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        ('<swe:Count definition="http://example.org/def/bitsOutput"/>', "bitsOutput"),
        ("<swe:Count><swe:identifier>urn:def:frame</swe:identifier></swe:Count>", "frame"),
        (
            "<swe:DataArray><swe:elementCount><swe:Count/></swe:elementCount>"
            '<swe:elementType name="mdf_adf"><swe:Text/></swe:elementType></swe:DataArray>',
            "mdf_adf",
        ),
        ('<swe:DataRecord><swe:field name="x"><swe:Text/></swe:field></swe:DataRecord>', "x"),
        (
            '<swe:DataRecord definition="urn:look"><swe:field name="x"><swe:Text/></swe:field>'
            '<swe:field name="y"><swe:Text/></swe:field></swe:DataRecord>',
            "look",
        ),
        ("<swe:Text/>", "Text"),
    ],
)
def test_option_name_is_found_in_every_form(definition: str, name: str) -> None:
    assert option(definition).name == name


def test_optional_record_makes_its_only_field_optional() -> None:
    found = option(
        '<swe:DataRecord optional="1"><swe:field name="x"><swe:Text/></swe:field></swe:DataRecord>'
    )
    assert found.component == Text(optional=True)


def test_array_of_points_with_xml_values_keeps_the_numbers_as_text() -> None:
    found = read_component(
        wrapped(
            "<swe:DataArray><swe:elementCount><swe:Count/></swe:elementCount>"
            '<swe:elementType name="point"><swe:Vector referenceFrame="urn:epsg:4326">'
            '<swe:coordinate name="lat"><swe:Quantity><swe:uom code="deg"/></swe:Quantity></swe:coordinate>'
            '<swe:coordinate name="lon"><swe:Quantity><swe:uom code="deg"/></swe:Quantity></swe:coordinate>'
            "</swe:Vector></swe:elementType><swe:encoding><swe:XMLEncoding/></swe:encoding><swe:values>"
            "<point><lat>48.0</lat><lon>18.0</lon></point><point><lat>21</lat><lon>47</lon></point>"
            "</swe:values></swe:DataArray>"
        )
    )
    assert isinstance(found, DataArray)
    assert found.values == "48.0,18.0\n21,47"
    assert found.encoding == TextSeparators()
    assert isinstance(found.element.component, Vector)


def test_text_values_of_an_array_of_tokens_are_presets() -> None:
    found = read_component(
        wrapped(
            "<swe:DataArray><swe:elementCount><swe:Count/></swe:elementCount>"
            '<swe:elementType name="band"><swe:Category/></swe:elementType><swe:encoding>'
            '<swe:TextEncoding tokenSeparator=";" blockSeparator="&#10;"/></swe:encoding>'
            "<swe:values>B04; B03&#10;B02</swe:values></swe:DataArray>"
        )
    )
    assert isinstance(found, DataArray)
    assert found.preset == ("B04", "B03", "B02")


def test_field_by_reference_is_free_text_of_that_definition() -> None:
    found = read_component(
        wrapped('<swe:DataRecord><swe:field name="a" xlink:href="urn:x"/></swe:DataRecord>')
    )
    assert found == DataRecord(fields=(Field(name="a", component=Text(definition="urn:x")),))


def test_unit_that_is_no_symbol_travels_as_reference() -> None:
    assert '<swe:uom xlink:href="http://example.org/uom"/>' in write_component(
        Quantity(uom="http://example.org/uom")
    )
    assert '<swe:uom code="m"/>' in write_component(Quantity(uom="m"))
    assert "xlink:href" in write_component(Time())


@pytest.mark.parametrize(
    ("definition", "locator"),
    [
        ("", "option"),
        ("<swe:DataStream/>", "DataStream"),
        ("<swe:DataArray/>", "elementType"),
        ("<swe:DataRecord><swe:field><swe:Text/></swe:field></swe:DataRecord>", "name"),
        ("<swe:CountRange><swe:value>1 2 3</swe:value></swe:CountRange>", "value"),
        (
            "<swe:DataArray><swe:elementCount><swe:Count><swe:value>many</swe:value></swe:Count></swe:elementCount>"
            '<swe:elementType name="a"><swe:Text/></swe:elementType></swe:DataArray>',
            "elementCount",
        ),
        (
            "<swe:Count><swe:constraint><swe:AllowedValues><swe:significantFigures>x</swe:significantFigures>"
            "</swe:AllowedValues></swe:constraint></swe:Count>",
            "significantFigures",
        ),
    ],
)
def test_definition_that_cannot_be_read_is_refused(definition: str, locator: str) -> None:
    with pytest.raises(BadMessage) as caught:
        option(definition)
    assert caught.value.locator == locator


def test_text_encoding_keeps_its_block_of_tokens() -> None:
    selection = ParameterData(encoding=Encoding.TEXT, text="a,b\nc")
    assert read_selection(wrapped(write_selection("option", selection))) == selection


@pytest.mark.parametrize(
    ("encoding", "values"), [("TextEncoding", "<ds:a>1</ds:a>"), ("XMLEncoding", "one two")]
)
def test_values_of_the_other_encoding_are_refused(encoding: str, values: str) -> None:
    inside = f"<encoding>{encoding}</encoding><values>{values}</values>"
    with pytest.raises(BadMessage) as caught:
        read_selection(wrapped(f"<option><ParameterData>{inside}</ParameterData></option>"))
    assert caught.value.locator == "values"


def test_value_that_is_neither_text_nor_named_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="travelling"):
        write_selection("option", ParameterData(values=(("a", 1),)))
