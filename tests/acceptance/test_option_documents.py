"""Every official option document, handed in by an operator: loaded, offered, and selections checked by it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from component_strategies import values_of
from mutations import mutated

from oseo_lab.encoding import oseo, xmltree
from oseo_lab.encoding.collection_document import read_document
from oseo_lab.encoding.json_form import complete, read_collection
from oseo_lab.model.collection import Collection, OrderOptions, ProductDelivery
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import GetOptions
from oseo_lab.model.options import ParameterData, encoded_as_text
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.operations import Context, Service, perform
from tests.official import schema_for

#: Documents of the shared samples, and how many option groups each has.
DOCUMENTS = {
    "oseo/GetOptionsResponse.xml": 5,
    "oseo/GetOptionsResponse_subscription_with_restriction.xml": 1,
    "oseo/OrderOptions/GetOptionResponse_AATSR_OrderOptions.xml": 2,
    "oseo/OrderOptions/GetOptionResponse_ASA_AP_OrderOptions.xml": 6,
    "oseo/OrderOptions/GetOptionResponse_ASA_GM_OrderOptions.xml": 1,
    "oseo/OrderOptions/GetOptionResponse_LANDSAT_OrderOptions.xml": 1,
    "oseo/OrderOptions/GetOptionResponse_MER_FR_OrderOptions.xml": 2,
    "oseo/OrderOptions/GetOptionResponse_MIPAS_OrderOptions.xml": 2,
    "oseo/OrderOptions/GetOptionResponse_PALSAR_FBS_OrderOptions.xml": 3,
    "oseo/SceneSelectionOptions/GetOptionResponse_AATSR_Scene_Selection.xml": 1,
    "oseo/SceneSelectionOptions/GetOptionResponse_ASAR_GM_Scene_Selection.xml": 1,
    "oseo/SceneSelectionOptions/GetOptionResponse_ERS_SAR.xml": 1,
    "oseo/SceneSelectionOptions/GetOptionResponse_MERIS_FR_Scene_Selection.xml": 1,
    "oseo/SceneSelectionOptions/GetOptionResponse_SCIAMACHY_Scene_Selection.xml": 1,
    "roseo/Sentinel-1/OrderOptions_AsIs.xml": 1,
    "roseo/Sentinel-1/OrderOptions_IWSwath.xml": 1,
    "roseo/Sentinel-1/OrderOptions_S1_SAR_EW_DUAL_POL.xml": 3,
    "roseo/Sentinel-1/OrderOptions_S1_SAR_IW_SINGLE_POL.xml": 3,
    "roseo/Sentinel-1/OrderOptions_S1_SAR_SM_DUAL_POL.xml": 3,
    "roseo/Sentinel-1/OrderOptions_Swath_POL.xml": 1,
    "roseo/Sentinel-2/OrderOptions_S2.xml": 1,
    "roseo/Sentinel-3/OrderOptions_S3_OLCI_1_EFR.xml": 1,
    "roseo/Sentinel-3/OrderOptions_S3_SLSTR_1_RBT.xml": 2,
    "roseo/examples/example_OrderOptions_by_product.xml": 5,
    "roseo/examples/example_OrderOptions_by_product_simple.xml": 3,
}
COLLECTION = """
id = "handed-in"
provider = "LOCAL"
options_document = "options.xml"
[catalogue]
use = "stac"
href = "catalog.json"
[subscription]
every = 60
"""
ELSEWHERE = COLLECTION.replace("LOCAL", "EO-PROVIDER") + '[provider_service]\nhref = "https://example.org"\n'


def handed_in(shared: Path, document: str, folder: Path, text: str = COLLECTION) -> Collection:
    (folder / "options.xml").write_bytes((shared / "samples" / document).read_bytes())
    return complete(read_collection(text, folder=folder), ())


def context(collection: Collection) -> Context:
    return Context(
        owner="anna",
        store=None,
        collections={collection.id: collection},
        service=Service(),
        wake=lambda: None,
        now=lambda: datetime(2024, 6, 1, tzinfo=UTC),
        url="http://localhost/oseo/",
        link=lambda order_id, number, name, expires: "",
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_is_offered_as_it_was_handed_in(document: str, shared: Path, tmp_path: Path) -> None:
    original = read_document((shared / "samples" / document).read_bytes())
    assert len(original) == DOCUMENTS[document]
    answers = {}
    for name, text in (("here", COLLECTION), ("elsewhere", ELSEWHERE)):
        collection = handed_in(shared, document, tmp_path, text)
        answer = perform(GetOptions(collection_id=collection.id), context(collection))
        body = xmltree.parse(oseo.encode_response(answer))
        schema_for(shared).assertValid(body)
        answers[name] = oseo.decode_response(body)
    mine = [
        each for each in answers["elsewhere"].order_options if each.product_order_options_id in ids(original)
    ]
    assert mine == list(original)
    for each in answers["here"].order_options:
        assert each.deliveries == (ProductDelivery(online_access=collection.delivery.access),)


def ids(groups: tuple[OrderOptions, ...]) -> set[str]:
    return {each.product_order_options_id for each in groups}


def every_group(shared: Path, tmp_path: Path) -> list[tuple[Collection, OrderOptions]]:
    found = []
    for document in DOCUMENTS:
        collection = handed_in(shared, document, tmp_path)
        found += [(collection, each) for each in collection.groups]
    return found


def item(group: OrderOptions, options: Any = (), scene: Any = ()) -> ItemSpecification:
    return ItemSpecification(
        item_id="1",
        identifier=ProductId(identifier="p", collection_id="handed-in"),
        product_order_options_id=group.product_order_options_id,
        options=options,
        scene_selections=scene,
    )


def wrong(collection: Collection, group: OrderOptions, options: Any = (), scene: Any = ()) -> list[Any]:
    order = OrderSpecification(order_type=group.order_type)
    return list(collection.check_item(item(group, options, scene), order))


def needed(definitions: Any, draw: Any) -> dict[str, Any]:
    """Python values of every option, drawn by what its component allows."""
    return {each.name: draw(values_of(each.component)) for each in definitions}


def travelling(definitions: Any, values: dict[str, Any]) -> ParameterData:
    by_name = {each.name: each for each in definitions}
    return ParameterData(
        values=tuple((name, by_name[name].component.render(value)) for name, value in values.items())
    )


@pytest.fixture(scope="module")
def groups(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Collection, OrderOptions]]:
    return every_group(shared, tmp_path_factory.mktemp("documents"))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_a_document_allows_is_accepted_in_both_encodings(groups: Any, data: Any) -> None:
    for collection, group in groups:
        values = needed(group.options, data.draw)
        assert not wrong(collection, group, (travelling(group.options, values),)), group
        try:
            tokens = encoded_as_text(group.options, values)
        except ValueError:
            continue  # a value holds a separator
        assert not wrong(collection, group, (tokens,)), group
        order = OrderSpecification(order_type=group.order_type)
        by_name = collection.chosen(order, item(group, (travelling(group.options, values),)))
        assert collection.chosen(order, item(group, (tokens,))) == by_name


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_mutated_value_is_refused_with_its_place(groups: Any, data: Any) -> None:
    for collection, group in groups:
        values = needed(group.options, data.draw)
        right = travelling(group.options, values)
        for definition in group.options:
            for mutation in mutated(definition.component):
                others = [pair for pair in right.values if pair[0] != definition.name]
                chosen = ParameterData(values=(*others, (definition.name, mutation)))
                problems = wrong(collection, group, (chosen,))
                assert problems, (group.product_order_options_id, definition.name, mutation)
                assert all(each.locator.startswith(definition.name) for each in problems)
                assert all(each.item_id == "1" for each in problems)
            without = ParameterData(values=tuple(pair for pair in right.values if pair[0] != definition.name))
            missing = wrong(collection, group, (without,))
            assert [each.locator for each in missing] == ([definition.name] if definition.required else [])
        unknown = ParameterData(values=(*right.values, ("noSuchOption", "1")))
        assert [each.locator for each in wrong(collection, group, (unknown,))] == ["noSuchOption"]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_policy_of_scene_selection_is_checked(groups: Any, data: Any) -> None:
    met = 0
    for collection, group in groups:
        options = (travelling(group.options, needed(group.options, data.draw)),)
        for policy in group.scene_selections:
            parameters = {each.name: each for each in policy.parameters}.values()
            values = needed(parameters, data.draw)
            if "frame" in values:
                values["frame"] = 7191
            if "orbit" in values:
                values["orbit"] = 1000
            assert not wrong(collection, group, options, (travelling(parameters, values),)), policy
            met += 1
            for name in values:
                others = {key: value for key, value in values.items() if key != name}
                for mutation in mutated(next(each for each in parameters if each.name == name).component):
                    chosen = travelling(parameters, others)
                    scene = (ParameterData(values=(*chosen.values, (name, mutation))),)
                    problems = wrong(collection, group, options, scene)
                    assert problems and any(each.locator.startswith(name) for each in problems), (
                        name,
                        mutation,
                    )
    assert met > 30


def test_a_frame_outside_the_reference_system_is_refused(groups: Any) -> None:
    collection, group = next(
        (collection, group)
        for collection, group in groups
        if any("orbit and frame" in (each.name or "") for each in group.scene_selections)
    )

    def refused(**values: str) -> list[tuple[str, str]]:
        scene = ParameterData(values=tuple({"sceneType": "FloatingScene", **values}.items()))
        options = ParameterData(values=(("XXX1", "5"),))
        return [(each.locator, each.text) for each in wrong(collection, group, (options,), (scene,))]

    assert refused(orbit="1000", frame="7199") == []
    ((locator, text),) = refused(orbit="1000", frame="7200")
    assert locator == "frame"
    assert "0 to 7199 by 1" in text


def test_the_official_submit_fits_the_official_options(shared: Path, tmp_path: Path) -> None:
    collection = handed_in(shared, "oseo/GetOptionsResponse.xml", tmp_path, ELSEWHERE)
    submit = oseo.decode_request(xmltree.parse((shared / "samples/oseo/Submit.xml").read_bytes()))
    assert not list(collection.check_item(submit.specification.items[0], submit.specification))
