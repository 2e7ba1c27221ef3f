"""Collection files: read whole, completed by the processor's options, every problem named."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaError

from oseo_lab.encoding.json_form import CollectionFile, collection_schema, complete, read_collection
from oseo_lab.model.collection import Collection, OptionLevel, Scope
from oseo_lab.model.delivery import Packaging, Protocol
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.options import Category, DataArray, Field, OptionDefinition, Quantity

LEAST = """
id = "demo"
[catalogue]
use = "stac"
href = "catalog.json"
"""
WHOLE = """
id = "demo-s2"
title = "Sentinel-2, demonstration"
description = "Twelve scenes."
provider = "LOCAL"

[processor]
use = "raster"
fixed = { resampling = "nearest", bands = ["B03", "B02"] }

[catalogue]
use = "stac"
href = "catalogue/catalog.json"
hosts = ["example.org"]
root = "scenes"
title = "Scenes"

[products]
pattern = 'S2[AB]_MSIL2A_[0-9T]+_T[0-9A-Z]{5}'

[delivery]
access = ["https"]
days = 2.5
packaging = ["zip", "7z"]
scope = "order"

[[options]]
name = "format"
allowed = ["COG"]
description = "Cloud-optimised."

[[options]]
name = "resolution"
interval = [10, 60]
default = 20
level = "order"

[[options]]
name = "quality"
kind = "Category"
label = "Quality of service"
allowed = ["STANDARD", "RUSH"]
default = "STANDARD"
grouping = "Processing Option"

[[options]]
name = "window"
kind = "DataRecord"
optional = true
fields = [
    { name = "from", kind = "Time" },
    { name = "rows", kind = "CountRange", interval = [0, 10980], default = [0, 512] },
]

[[options]]
name = "passes"
kind = "DataArray"
count = 2
element = { name = "pass", kind = "Count", interval = [1, 143] }
default = [5, 12]

[limits]
items = 500
bytes = 2_000_000_000

[approval]
automatic = false
"""
DECLARED = (
    OptionDefinition(
        name="format", component=Category(allowed=("COG", "PNG"), value="COG"), grouping="Processing Option"
    ),
    OptionDefinition(name="resampling", component=Category(allowed=("nearest", "cubic"), value="cubic")),
    OptionDefinition(
        name="resolution", component=Quantity(optional=True, uom="m", intervals=(("1", "1000"),))
    ),
    OptionDefinition(
        name="bands",
        component=DataArray(
            optional=True, element=Field(name="band", component=Category(pattern=r"\w{1,9}"))
        ),
    ),
)
SCENE = (OptionDefinition(name="areaCrs", component=Category(pattern=r"EPSG:\d+", value="EPSG:4326")),)


def read(text: str, folder: Path) -> CollectionFile:
    return read_collection(text, folder=folder)


def completed(text: str, folder: Path) -> Collection:
    return complete(read(text, folder), DECLARED, SCENE)


def wrong(text: str, folder: Path) -> dict[str | None, str]:
    with pytest.raises(ConfigurationError) as refused:
        completed(text, folder)
    assert str(refused.value).splitlines() == [each.text for each in refused.value.problems]
    return {each.locator: each.text for each in refused.value.problems}


def test_a_whole_file_becomes_a_collection(tmp_path: Path) -> None:
    collection = completed(WHOLE, tmp_path)
    assert (collection.id, collection.title) == ("demo-s2", "Sentinel-2, demonstration")
    assert (collection.processor, collection.catalogue) == ("raster", "stac")
    assert collection.catalogue_settings == {
        "href": str(tmp_path / "catalogue" / "catalog.json"),
        "root": str(tmp_path / "scenes"),
        "hosts": ["example.org"],
        "title": "Scenes",
    }
    assert collection.holds("S2A_MSIL2A_20240601T101031_T32TLS")
    assert collection.delivery.access == (Protocol.HTTPS,)
    assert collection.delivery.packaging == (Packaging.ZIP, Packaging.SEVEN_ZIP)
    assert (collection.delivery.days, collection.delivery.scope) == (2.5, Scope.ORDER)
    assert (collection.max_items, collection.max_bytes, collection.automatic) == (500, 2_000_000_000, False)
    assert collection.levels == {"resolution": OptionLevel.ORDER}


def test_the_processors_options_are_narrowed_and_others_added(tmp_path: Path) -> None:
    collection = completed(WHOLE, tmp_path)
    by_name = {each.name: each for each in collection.options}
    assert list(by_name) == ["format", "resolution", "quality", "window", "passes"]
    assert by_name["format"].component.allowed_text == "COG"
    assert by_name["format"].grouping == "Processing Option"
    assert by_name["resolution"].default == 20
    with pytest.raises(ValueError, match="10 to 60 m"):
        by_name["resolution"].component.parse("5")
    assert by_name["quality"].component.label == "Quality of service"
    assert by_name["window"].component.parse((("from", "2024-01-01T00:00:00Z"),))["rows"] == (0, 512)
    assert by_name["passes"].default == [5, 12]
    assert collection.scene_options == SCENE


def test_what_the_operator_settles_is_python_values_and_not_offered(tmp_path: Path) -> None:
    collection = completed(WHOLE, tmp_path)
    assert collection.fixed == {"resampling": "nearest", "bands": ["B03", "B02"]}
    assert not {"resampling", "bands"} & {each.name for each in collection.options}


def test_a_short_file_has_the_defaults(tmp_path: Path) -> None:
    collection = completed(LEAST, tmp_path)
    assert collection == Collection(
        id="demo",
        catalogue="stac",
        catalogue_settings={"href": str(tmp_path / "catalog.json")},
        options=DECLARED,
        scene_options=SCENE,
    )


def test_a_processor_without_options_gets_what_is_fixed_as_it_is(tmp_path: Path) -> None:
    text = LEAST + "[processor]\nfixed = { anything = [1, 2] }\n"
    assert complete(read(text, tmp_path), ()).fixed == {"anything": [1, 2]}


def test_a_scene_option_is_narrowed(tmp_path: Path) -> None:
    collection = completed(LEAST + '[[options]]\nname = "areaCrs"\nallowed = ["EPSG:4326"]\n', tmp_path)
    assert collection.scene_options[0].component.allowed_text == "EPSG:4326"
    assert collection.options == DECLARED


# --------------------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize(
    "href", ["../other/catalog.json", "../x://y", "a/../../other", "..", "link/catalog.json", "link", "a\0b"]
)
def test_a_relative_path_stays_in_the_files_folder(href: str, tmp_path: Path) -> None:
    folder, outside = tmp_path / "collections", tmp_path / "other"
    folder.mkdir()
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    text = LEAST.replace("catalog.json", href.replace("\0", "\\u0000"))
    found = wrong(text, folder)
    assert "leads out of the collection file's folder" in found["catalogue.href"] or "control" in str(found)


@pytest.mark.parametrize(
    "href", ["https://example.org/stac", "/data/catalog.json", "s3://bucket/catalog.json"]
)
def test_urls_and_absolute_paths_are_left_as_they_are(href: str, tmp_path: Path) -> None:
    assert read(LEAST.replace("catalog.json", href), tmp_path).catalogue_settings["href"] == href


def test_a_link_inside_the_folder_may_be_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    href = read(LEAST.replace("catalog.json", "link/c.json"), tmp_path).catalogue_settings["href"]
    assert href == str((tmp_path / "real" / "c.json").resolve())


def test_secrets_of_another_server_lie_beside_the_file_that_names_them(tmp_path: Path) -> None:
    service = '[provider_service]\nuse = "oseo"\nhref = "https://example.org/"\ntoken_file = "token"\n'
    found = read(f'provider = "FAR"\n{LEAST}{service}', tmp_path)
    assert found.provider_settings["token_file"] == str((tmp_path / "token").resolve())


# ------------------------------------------------------------------------------------------------ problems


def test_every_problem_is_said_at_once_with_its_key(tmp_path: Path) -> None:
    text = """
titel = "x"
[catalogue]
use = "stac; rm"
href = "../x"
[products]
pattern = "(a+)+"
[delivery]
access = ["ftp"]
days = 0
packaging = ["rar", "zip", "compress", "bzip"]
scope = "both"
[[options]]
name = "1st"
kind = "Quantiti"
[limits]
items = 0
bytes = "10 GB"
[approval]
automatic = "yes"
"""
    found = wrong(text, tmp_path)
    assert set(found) == {
        "id",
        "titel",
        "catalogue.use",
        "catalogue.href",
        "products.pattern",
        "delivery.access",
        "delivery.days",
        "delivery.packaging",
        "delivery.scope",
        "options[0].name",
        "options[0].kind",
        "limits.items",
        "limits.bytes",
        "approval.automatic",
    }
    assert "did you mean 'title'" in found["titel"]
    assert "rar, compress, bzip" in found["delivery.packaging"]
    assert "allowed: zip, tar, tgz, bzip2, gzip, 7z" in found["delivery.packaging"]
    assert "allowed: http, https" in found["delivery.access"]
    assert "DataArray" in found["options[0].kind"]
    assert all(key is not None and text.startswith(key) for key, text in found.items())


@pytest.mark.parametrize(
    ("options", "key", "said"),
    [
        ('name = "formt"', "options[0] (formt)", "did you mean 'format'"),
        ('name = "format"\nallowed = ["JPEG"]', "options[0] (format)", "COG, PNG"),
        ('name = "format"\nallowed = ["PNG"]', "options[0] (format)", "no longer allowed"),
        ('name = "format"\nallowed = []', "options[0].allowed", "list of values"),
        ('name = "format"\ndefault = "JPEG"', "options[0] (format)", "COG, PNG"),
        ('name = "format"\nkind = "Text"', "options[0] (format)", "is a Category, not a Text"),
        ('name = "format"\npattern = "x"', "options[0] (format)", "pattern: cannot be changed"),
        ('name = "resolution"\ninterval = [0.1, 5]', "options[0] (resolution)", "not within"),
        ('name = "resolution"\ninterval = [5]', "options[0].interval", "[least, most]"),
        ('name = "resolution"\nuom = "km"', "options[0] (resolution)", "uom: cannot be changed"),
        ('name = "bands"\nallowed = ["B 4"]', "options[0] (bands)", "text matching"),
        ('name = "areaCrs"\nlevel = "order"', "options[0] (areaCrs)", "belongs to an item"),
        (
            'name = "x"\nkind = "Count"\npattern = "a"',
            "options[0] (x)",
            "pattern: does not belong to a Count",
        ),
        (
            'name = "x"\nkind = "Count"\nallowed = ["a"]',
            "options[0] (x)",
            "allowed: 'a' is not a whole number",
        ),
        ('name = "x"\nkind = "Count"\ninterval = [5, 1]', "options[0] (x)", "interval: runs backwards"),
        (
            'name = "x"\nkind = "Count"\ndefault = 1.5',
            "options[0] (x)",
            "default: '1.5' is not a whole number",
        ),
        ('name = "x"\nkind = "DataArray"', "options[0] (x)", "element: is missing"),
        ('name = "x"\nkind = "DataChoice"', "options[0] (x)", "fields: is missing"),
        (
            'name = "x"\nkind = "Category"\nelement = {name = "y", kind = "Text"}',
            "options[0] (x)",
            "element:",
        ),
        ('name = "x"\nkind = "Text"\npattern = "("', "options[0].pattern", "no regular expression"),
        ('name = "x"\nkind = "Text"\ncolour = "red"', "options[0].colour", "not known here"),
        ('name = "x"\nkind = "Text"\n[[options]]\nname = "x"\nkind = "Text"', "options[1].name", "twice"),
    ],
)
def test_what_is_wrong_with_an_option(options: str, key: str, said: str, tmp_path: Path) -> None:
    found = wrong(f"{LEAST}[[options]]\n{options}\n", tmp_path)
    assert said in found[key]


@pytest.mark.parametrize(
    ("fixed", "said"),
    [('fromat = "COG"', "did you mean 'format'"), ('format = "JPEG"', "COG, PNG"), ("bands = 7", "no list")],
)
def test_what_is_wrong_with_what_is_fixed(fixed: str, said: str, tmp_path: Path) -> None:
    name = fixed.partition(" ")[0]
    assert said in wrong(f"{LEAST}[processor]\nfixed = {{ {fixed} }}\n", tmp_path)[f"processor.fixed.{name}"]


@pytest.mark.parametrize("text", ["id = ", "id = 'a'\nid = 'b'", "\x00", "[[options]\n"])
def test_what_is_no_toml_is_said(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not TOML"):
        read(text, tmp_path)


@pytest.mark.parametrize(
    "text", ["id = 1", "catalogue = 3\nid = 'x'", "options = 'x'", "id = 'x'\ndelivery = []"]
)
def test_a_part_of_another_shape_is_a_problem_not_a_crash(text: str, tmp_path: Path) -> None:
    assert wrong(text, tmp_path)


@pytest.mark.parametrize(("identifier", "is_right"), [("", False), ("x" * 255, True), ("x" * 256, False)])
def test_a_collection_id_has_1_to_255_characters(identifier: str, is_right: bool, tmp_path: Path) -> None:
    text = LEAST.replace("demo", identifier)
    if is_right:
        assert read(text, tmp_path).id == identifier
    else:
        assert "255" in wrong(text, tmp_path)["id"] or "at least 1" in wrong(text, tmp_path)["id"]


# -------------------------------------------------------------------------------------------------- schema


def test_the_schema_takes_the_files_that_are_read() -> None:
    schema = collection_schema()
    Draft202012Validator.check_schema(schema)
    for text in (LEAST, WHOLE):
        Draft202012Validator(schema).validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "change",
    [{"titel": "x"}, {"id": ""}, {"id": 7}, {"delivery": {"scope": "both"}}, {"options": [{"kind": "Text"}]}],
)
def test_the_schema_refuses_what_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        Draft202012Validator(collection_schema()).validate({**tomllib.loads(LEAST), **change})


def test_every_key_of_the_schema_explains_itself() -> None:
    for name, definition in collection_schema()["$defs"].items():
        for key, about in definition.get("properties", {}).items():
            assert about.get("description"), f"{name}.{key}"


def test_the_schema_knows_the_keys_of_the_catalogues_in_the_box_and_leaves_room_for_others() -> None:
    def catalogue(**keys: Any) -> dict[str, Any]:
        return {"id": "x", "catalogue": {"use": "csw", "href": "https://csw.example/csw", **keys}}

    schema = Draft202012Validator(collection_schema())
    schema.validate(catalogue(parent="S2MSI2A", where={"apiso:Type": "dataset"}, schema="dc", my_own=[1]))
    for wrong_key in ({"schema": "marc"}, {"axis_order": "up"}, {"hosts": "a"}, {"where": {"a": [1]}}):
        assert not schema.is_valid(catalogue(**wrong_key)), wrong_key
