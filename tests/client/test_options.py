"""Options teach themselves: what is offered, chosen, refused, without a network."""

from __future__ import annotations

import pytest

from oseo_lab.builtin.raster_options import OPTIONS
from oseo_lab.client.options import Options
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.options import (
    Boolean,
    Category,
    Count,
    DataArray,
    DataRecord,
    Field,
    OptionDefinition,
    check_selections,
)


@pytest.fixture
def options() -> Options:
    more = (
        OptionDefinition(name="level", component=Category(allowed=("1A", "1B"))),
        OptionDefinition(name="gain", component=Boolean(value="false")),
        OptionDefinition(name="looks", component=Count(intervals=(("1", "8"),), optional=True)),
    )
    return Options((*OPTIONS, *more), "demo-s2")


def test_defaults_are_read_and_values_set(options):
    assert options.format == "COG" and options.resolution is None
    options.format = "NetCDF"
    options["resolution"] = 20
    assert (options.format, options.resolution) == ("NetCDF", 20.0)
    del options.format
    options.resolution = None
    assert options.chosen == {}


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("crs", 32632, "EPSG:32632"),
        ("format", "netcdf", "NetCDF"),
        ("bands", "B04,B08", ["B04", "B08"]),
        ("bands", ("B04",), ["B04"]),
        ("gain", "yes" and True, True),
        ("gain", "true", True),
        ("looks", 3, 3),
    ],
)
def test_values_as_people_write_them(options, name, value, kept):
    options[name] = value
    assert options[name] == kept


def test_a_record_of_an_array_may_stand_alone_and_a_list_word_hold_a_blank():
    point = DataRecord(fields=(Field(name="gap", component=Count()),))
    named = DataArray(element=Field(name="how", component=Category(allowed=("bi linear", "cubic"))))
    options = Options(
        (
            OptionDefinition(name="frequency", component=DataArray(element=Field(name="f", component=point))),
            OptionDefinition(name="how", component=named),
        ),
        "sar",
    )
    options.frequency = {"gap": 3}
    options.how = "bi linear"
    assert (options.frequency, options.how) == ([{"gap": 3}], ["bi linear"])
    with pytest.raises(ValidationError, match="not a whole number"):
        options.frequency = {"gap": "wide"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("format", "Zarr", "'Zarr' is not offered by demo-s2; allowed: COG, GeoTIFF, NetCDF, PNG"),
        ("format", "GeoTif", "nearest: GeoTIFF"),
        ("crs", "EPSG:x", "allowed: native or text matching"),
        ("crs", "/vsicurl/http://evil", "allowed"),
        ("looks", 9, "1 to 8"),
        ("looks", "many", "1 to 8"),
        ("gain", "perhaps", "true, false"),
        ("resolution", object(), "allowed"),
        ("bands", 7.5, None),
    ],
)
def test_a_wrong_value_is_refused_at_once_in_one_sentence(options, name, value, says):
    if says is None:
        options[name] = value
        assert options[name] == ["7.5"]
        return
    with pytest.raises(ValidationError) as caught:
        options[name] = value
    assert says in str(caught.value)
    assert caught.value.locator == name
    assert options.chosen == {}


def test_an_unknown_option_names_the_nearest(options):
    with pytest.raises(ValidationError, match="nearest: resampling"):
        options.resamplng = "nearest"
    with pytest.raises(AttributeError, match="nearest: format"):
        _ = options.fromat


def test_all_wrong_ones_are_said_at_once_and_nothing_is_changed(options):
    with pytest.raises(ValidationError) as caught:
        options.update(crs="EPSG:4326", format="Zarr", foo=1)
    assert len(caught.value.problems) == 2
    assert options.chosen == {}


def test_completion_lists_the_options(options):
    assert {"format", "crs", "bands"} <= set(dir(options))


def test_an_items_options_rest_on_its_orders(options):
    own = Options(OPTIONS, "demo-s2", base=options)
    options.format = "PNG"
    assert own.format == "PNG"
    own.format = "COG"
    assert (own.format, options.format) == ("COG", "PNG")
    assert own.chosen == {"format": "COG"}


def test_required_options_without_a_value_are_missing(options):
    assert [each.locator for each in options.missing()] == ["level"]
    options.level = "1A"
    assert list(options.missing()) == []


def test_what_travels_is_what_the_server_accepts(options):
    options.update(format="PNG", crs=4326, bands="B04 B08", resolution=0.001, level="1B", looks=2, gain=True)
    offered = {name: options.definition(name) for name in options}
    assert list(check_selections(offered, options.parameters())) == []


def test_repr_and_html_show_chosen_default_and_allowed(options):
    options.crs = "EPSG:3035"
    lines = repr(options).splitlines()
    assert "crs" in lines[2] and "EPSG:3035" in lines[2] and "(default)" not in lines[2]
    assert "COG (default)" in lines[1] and "allowed: COG, GeoTIFF, NetCDF, PNG" in lines[1]
    assert "EPSG:3035" in options._repr_html_()
