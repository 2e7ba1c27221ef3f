"""Collection files: order types, payment, plugins' own keys, option groups and documents handed in."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from oseo_lab.encoding.json_form import collection_schema, complete, read_collection
from oseo_lab.model.collection import Collection, PaymentOption, SubscriptionRule, TaskingRule
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.options import Category, OptionDefinition, Quantity

LEAST = 'id = "demo"\nHERE\n[catalogue]\nuse = "stac"\nhref = "catalog.json"\n'
DECLARED = (
    OptionDefinition(name="format", component=Category(allowed=("COG", "PNG"), value="COG")),
    OptionDefinition(name="resolution", component=Quantity(optional=True, uom="m", intervals=(("1", "99"),))),
)
SCENE = (OptionDefinition(name="areaCrs", component=Category(optional=True, allowed=("EPSG:4326",))),)
TABLES = """
[subscription]
every = 600
lateness = 3.5
[tasking]
pattern = 'urn:sps:\\d+'
use = "folder"
href = "acquired"
every = 5
keep = true
[quotation]
currency = "EUR"
per_item = 3
[quotation.discount]
from = 10
[[payment]]
method = "quota"
[[payment]]
method = "invoice"
info = "https://example.org/pay"
[limits]
batch = 50
[orders]
product = false
[provider_service]
href = "https://example.org/oseo"
collection = "urn:there"
"""
WHOLE = LEAST.replace("HERE", 'provider = "ELSEWHERE"') + TABLES
DOCUMENT = """<GetOptionsResponse xmlns="http://www.opengis.net/oseo/1.0" xmlns:swe="http://www.opengis.net/swe/2.0">
<status>success</status><orderOptions><productOrderOptionsId>raw</productOrderOptionsId>
<orderType>PRODUCT_ORDER</orderType><option><swe:DataRecord><swe:field name="format"><swe:Category>
<swe:constraint><swe:AllowedTokens><swe:value>CEOS</swe:value></swe:AllowedTokens></swe:constraint>
</swe:Category></swe:field></swe:DataRecord></option><productDeliveryOptions><mediaDelivery>
<packageMedium>DVD</packageMedium></mediaDelivery></productDeliveryOptions></orderOptions></GetOptionsResponse>
"""


def completed(text: str, folder: Path) -> Collection:
    return complete(read_collection(text, folder=folder), DECLARED, SCENE)


def wrong(text: str, folder: Path) -> dict[str | None, str]:
    with pytest.raises(ConfigurationError) as refused:
        completed(text, folder)
    assert str(refused.value).splitlines() == [each.text for each in refused.value.problems]
    return {each.locator: each.text for each in refused.value.problems}


def test_every_table_reaches_the_collection(tmp_path: Path) -> None:
    found = completed(WHOLE, tmp_path)
    assert found.subscription == SubscriptionRule(every=600, lateness=3.5)
    assert found.tasking == TaskingRule(
        pattern=r"urn:sps:\d+",
        use="folder",
        settings={"href": str(tmp_path / "acquired"), "keep": True},
        every=5,
    )
    assert (found.quoter, found.quoter_settings) == (
        "tariff",
        {"currency": "EUR", "per_item": 3, "discount": {"from": 10}},
    )
    assert found.payments == (
        PaymentOption(payment_method="quota"),
        PaymentOption(payment_method="invoice", info_url="https://example.org/pay"),
    )
    assert (found.batch, found.product_orders, found.provider) == (50, False, "ELSEWHERE")
    assert found.provider_plugin == "oseo"
    assert found.provider_settings == {"href": "https://example.org/oseo", "collection": "urn:there"}
    Draft202012Validator(collection_schema()).validate(tomllib.loads(WHOLE))


def test_without_the_tables_nothing_is_switched_on(tmp_path: Path) -> None:
    found = completed(LEAST.replace("HERE", ""), tmp_path)
    assert (found.subscription, found.tasking, found.quoter, found.payments) == (None, None, "", ())
    assert (found.product_orders, found.batch, found.provider_plugin) == (True, 1000, "")
    assert completed(LEAST.replace("HERE", "subscription = {}"), tmp_path).subscription == SubscriptionRule()


def test_every_wrong_key_is_named(tmp_path: Path) -> None:
    text = """
provider = "ELSEWHERE"
[subscription]
every = 0
lateness = -1
evry = 5
[tasking]
pattern = "(a+)+"
use = "x y"
href = "../out"
[quotation]
use = ""
[[payment]]
method = ""
info = "ftp://example.org"
[limits]
batch = 0
[orders]
products = true
[[groups]]
id = ""
order_type = "ORDER"
"""
    found = wrong(LEAST.replace("HERE", "") + text.replace("\nprovider", "\n[x]\nprovider"), tmp_path)
    assert set(found) == {
        "x",
        "subscription.every",
        "subscription.lateness",
        "subscription.evry",
        "tasking.pattern",
        "tasking.use",
        "tasking.href",
        "quotation.use",
        "payment[0].method",
        "payment[0].info",
        "limits.batch",
        "orders.products",
        "groups[0].id",
        "groups[0].order_type",
    }


@pytest.mark.parametrize(
    "text",
    [LEAST.replace("HERE", 'provider = "ELSEWHERE"'), LEAST.replace("HERE", "") + "[provider_service]\n"],
)
def test_a_provider_has_a_name_and_a_service(text: str, tmp_path: Path) -> None:
    assert "provider_service" in wrong(text, tmp_path)["provider"]


def test_something_can_be_ordered(tmp_path: Path) -> None:
    nothing = LEAST.replace("HERE", "orders = { product = false }")
    assert "add [subscription] or [tasking]" in wrong(nothing, tmp_path)["orders.product"]
    assert completed(nothing + "[subscription]\n", tmp_path).product_orders is False


def test_groups_are_chosen_of_the_options_and_narrowed(tmp_path: Path) -> None:
    text = """
[[groups]]
id = "level 1"
description = "Calibrated."
info = "https://example.org/level1"
options = ["format", "areaCrs"]
narrow = [{ name = "format", allowed = ["PNG"], default = "PNG" }]
[[groups]]
id = "level 2"
"""
    first, second = completed(LEAST.replace("HERE", "") + text, tmp_path).groups
    assert (first.product_order_options_id, first.description) == ("level 1", "Calibrated.")
    assert first.info_url == "https://example.org/level1"
    assert [each.name for each in first.options] == ["format"]
    assert first.options[0].component.allowed_text == "PNG"
    assert first.scene_selections[0].parameters == SCENE
    assert (second.options, second.order_type) == (DECLARED, OrderType.PRODUCT_ORDER)


def test_what_is_wrong_with_a_group_is_said_with_its_key(tmp_path: Path) -> None:
    text = """
[[groups]]
id = "one"
options = ["formt"]
[[groups]]
id = "one"
order_type = "SUBSCRIPTION_ORDER"
"""
    found = wrong(LEAST.replace("HERE", "") + text, tmp_path)
    assert set(found) == {"groups[0].id", "groups[1].id", "groups[1].order_type"}
    assert "[subscription]" in found["groups[1].order_type"]
    text = '[[groups]]\nid = "one"\noptions = ["formt"]\nnarrow = [{ name = "format", allowed = ["JPEG"] }]\n'
    found = wrong(LEAST.replace("HERE", "") + text, tmp_path)
    assert "did you mean 'format'" in found["groups[0].options"]
    assert "JPEG" in found["groups[0].narrow"]


def test_a_document_handed_in_gives_the_groups(tmp_path: Path) -> None:
    (tmp_path / "options.xml").write_text(DOCUMENT)
    text = LEAST.replace("HERE", 'options_document = "options.xml"')
    (group,) = completed(text, tmp_path).groups
    assert group.product_order_options_id == "raw"
    assert group.options[0].component.allowed_text == "CEOS"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "No such file"),
        ("<a/>", "no response"),
        ("no xml", "options_document"),
        (DOCUMENT.replace("PRODUCT_ORDER", "ORDER"), "orderType"),
        (DOCUMENT.replace("swe:Category", "swe:Categorie"), "Categorie"),
        (DOCUMENT.replace("PRODUCT_ORDER", "TASKING_ORDER"), "[tasking]"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + DOCUMENT, "options_document"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(body: str | None, said: str, tmp_path: Path) -> None:
    if body is not None:
        (tmp_path / "options.xml").write_text(body)
    found = wrong(LEAST.replace("HERE", 'options_document = "options.xml"'), tmp_path)
    assert said in found["options_document"]


def test_a_document_stays_in_its_folder(tmp_path: Path) -> None:
    found = wrong(LEAST.replace("HERE", 'options_document = "../options.xml"'), tmp_path)
    assert "leads out" in found["options_document"]


def test_numbers_values_that_mean_none_and_scenes_are_declared(tmp_path: Path) -> None:
    text = """
[[options]]
name = "spacing"
kind = "Quantity"
uom = "m"
significant_figures = 3
nil = { "urn:native" = -1 }
[[options]]
name = "frame"
kind = "Count"
scene = true
optional = true
"""
    found = completed(LEAST.replace("HERE", "") + text, tmp_path)
    spacing = found.options[-1].component
    assert (spacing.parse("12.5"), spacing.parse("-1")) == (12.5, None)
    with pytest.raises(ValueError, match="3 significant figures"):
        spacing.parse("12.55")
    assert [each.name for each in found.scene_options] == ["areaCrs", "frame"]
    assert [each.name for each in found.order_options().scene_selections[0].parameters] == [
        "areaCrs",
        "frame",
    ]
    bad = text.replace("= 3", "= 0").replace('{ "urn:native" = -1 }', "-1")
    assert set(wrong(LEAST.replace("HERE", "") + bad, tmp_path)) == {
        "options[0].significant_figures",
        "options[0].nil",
    }
