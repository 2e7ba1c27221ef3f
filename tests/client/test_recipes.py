"""One draft by five doors: each recipe is followed on a live service and makes the same order."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from oseo_lab.client import Lab, connect
from oseo_lab.client.draft import OrderDraft
from oseo_lab.model.errors import NotSupported, ValidationError
from oseo_lab.model.order import OrderSpecification
from tests.acceptance.serving import TOKEN, Server
from tests.client.scenes import make_collections

IDS = ["SCENE_A", "SCENE_B"]
#: In UTM 32N, as a draft's area: a box, and a ring.
BOX = (600100.0, 4999000.0, 600500.0, 4999500.0)
RING = "POLYGON ((600100 4999000, 600500 4999000, 600500 4999500, 600100 4999000))"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    collections = make_collections(tmp_path_factory.mktemp("collections"))
    server = Server(tmp_path_factory.mktemp("data"), collections=collections, executor="inline").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def lab(server: Server) -> Iterator[Lab]:
    with connect(server.url, TOKEN) as lab:
        yield lab


@pytest.fixture
def draft(lab: Lab) -> OrderDraft:
    """A draft with everything that the same can be chosen of for all items."""
    return lab.order(
        IDS,
        name="five doors & 'quotes'",
        collection="scenes",
        area=BOX,
        area_crs=32632,
        packaging="zip",
        priority="FAST_TRACK",
        remark='for the "lake" -- soon; $HOME',
        max_price=12.5,
        max_bytes="1GB",
        format="GeoTIFF",
        bands=["B04", "B03"],
        resolution=30,
    )


def ordered(lab: Lab, order_id: str) -> OrderSpecification:
    """Return what the service has kept of an order's wishes, with its items' wishes."""
    record = lab.orders[order_id].record
    return OrderSpecification(
        items=tuple(each.specification for each in record.items),
        **{
            name: getattr(record.specification, name)
            for name in ("order_reference", "order_remark", "packaging", "options", "priority", "extensions")
        },
    )


def environment(server: Server) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"OSEO_LAB_TOKEN": TOKEN, "PATH": path}


def run(server: Server, command: list[str]) -> str:
    done = subprocess.run(command, env=environment(server), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(
    shutil.which("curl") is None and "CI" not in os.environ, reason="curl is not installed here"
)
def test_the_curl_recipe_submits_the_draft(server: Server, lab: Lab, draft: OrderDraft) -> None:
    answer = json.loads(run(server, ["sh", "-c", f"{draft.as_request('curl')} -sS --fail-with-body"]))
    assert ordered(lab, answer["order_id"]) == draft.request().specification


def test_the_command_line_recipe_submits_the_draft(server: Server, lab: Lab, draft: OrderDraft) -> None:
    order_id = run(server, ["sh", "-c", draft.as_request("cli")]).strip()
    assert ordered(lab, order_id) == draft.request().specification
    polygon = lab.order(IDS, collection="scenes", area=RING, area_crs=32632)
    order_id = run(server, ["sh", "-c", polygon.as_request("cli")]).strip()
    assert ordered(lab, order_id) == polygon.request().specification


def test_the_python_recipe_submits_the_draft(server: Server, lab: Lab, draft: OrderDraft) -> None:
    draft.items["SCENE_B"].options.update(format="PNG", dataType="uint8")
    draft.items["SCENE_A"].set_area(RING, 32632)
    order_id = run(server, [sys.executable, "-c", f"{draft.as_request('python')}\nprint(order.id)"]).strip()
    assert ordered(lab, order_id) == draft.request().specification


def test_the_json_and_soap_recipes_submit_the_draft(server: Server, lab: Lab, draft: OrderDraft) -> None:
    headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
    with httpx.Client(headers=headers) as client:
        answer = client.post(f"{server.url}oseo/api/v1/orders", content=draft.as_request("json"))
    assert ordered(lab, answer.json()["order_id"]) == draft.request().specification
    answer = server.post(draft.as_request("soap").encode(), "text/xml")
    assert answer.status_code == 200
    found = re.search(r"<(?:\w+:)?orderId>([^<]+)<", answer.text)
    assert found is not None and ordered(lab, found[1]) == draft.request().specification


def test_a_rule_is_said_the_same_by_every_door(server: Server, lab: Lab, draft: OrderDraft) -> None:
    with pytest.raises(ValidationError) as refused:
        draft.options.update(format="PNG", dataType="float32")
    (said,) = [each.text for each in refused.value.problems]
    assert said.startswith("dataType float32 does not go with format PNG: ")
    draft.options.dataType = "float32"
    wrong = {form: draft.as_request(form).replace("GeoTIFF", "PNG") for form in ("json", "soap")}
    headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
    with httpx.Client(headers=headers) as client:
        answer = client.post(f"{server.url}oseo/api/v1/orders", content=wrong["json"])
        schema = client.get(f"{server.url}oseo/api/v1/collections/scenes/schema").json()["options"]
    assert answer.status_code == 422
    assert {each["text"] for each in answer.json()["problems"]} == {said}
    assert said in server.post(wrong["soap"].encode(), "text/xml").text
    assert schema["allOf"][0]["x-reason"] in said
    done = subprocess.run(
        ["sh", "-c", draft.as_request("cli").replace("GeoTIFF", "PNG")],
        env=environment(server),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode and said in " ".join(done.stderr.split())


def test_items_of_their_own_are_not_for_the_command_line(draft: OrderDraft) -> None:
    draft.items[0].options.format = "PNG"
    with pytest.raises(NotSupported, match="the same for every item"):
        draft.as_request("cli")


def test_no_recipe_tells_a_token_or_a_password(lab: Lab, draft: OrderDraft) -> None:
    lab.transport.url, before = "http://ana:hunter2@localhost:1/?token=hunter2", lab.transport.url
    try:
        told = [draft.as_request(form) for form in ("json", "soap", "curl", "python", "cli")]
    finally:
        lab.transport.url = before
    assert not any("hunter2" in each or TOKEN in each for each in (*told, draft.as_code()))
    with pytest.raises(ValidationError, match="json, soap, curl, python, cli"):
        draft.as_request("fax")


def test_a_submitted_order_is_said_by_every_door_as_its_draft_was(lab: Lab, draft: OrderDraft) -> None:
    draft.name = "said again"
    order = draft.submit()
    for form in ("json", "soap", "curl"):
        assert order.as_request(form) == draft.as_request(form), form
    for form in ("python", "cli"):  # options may come one after another otherwise than they were chosen
        said, chosen = order.as_request(form), draft.as_request(form)
        assert sorted(said.rstrip(" \\").split()) == sorted(chosen.rstrip(" \\").split()), form
    found: dict[str, object] = {"lab": lab}
    code = order.as_request("python").replace("lab = oseo.connect", "lab or oseo.connect")
    exec(code, found)  # the same cell once more: the same order
    assert found["order"].id == order.id  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match="json, soap, curl, python, cli"):
        order.as_request("fax")


def test_what_is_chosen_though_it_is_preset_is_said_again(lab: Lab) -> None:
    draft = lab.order(IDS, "preset", "scenes", area=(10.27, 45.13, 10.28, 45.14), format="COG", crs="native")
    draft.items["SCENE_B"].options.resolution = 30
    order = draft.submit()
    code = order.as_request("python")
    assert "format='COG'" in code and "resolution=30.0" in code
    found: dict[str, object] = {"lab": lab}
    exec(code.replace("lab = oseo.connect", "lab or oseo.connect"), found)
    again = found["draft"].request().specification  # type: ignore[attr-defined]
    assert again.order_reference == "preset" and len(again.items) == 2


def test_a_submitted_order_without_a_name_keeps_the_names_of_its_items(lab: Lab) -> None:
    draft = lab.order([], collection="scenes")
    draft.items.add("SCENE_A", "north")
    draft.items.add("SCENE_A", "south").options.format = "PNG"
    order = draft.submit()
    assert order.as_request("python") == draft.as_request("python")
    assert order.as_request("json") == draft.as_request("json")
    with pytest.raises(NotSupported, match="the same for every item"):
        order.as_request("cli")
    named = lab.order([], collection="scenes")
    named.items.add("SCENE_A", "north")
    with pytest.raises(NotSupported, match="no names of their own"):
        named.as_request("cli")


def test_what_no_draft_can_say_is_said_as_a_message_without_its_secrets(server: Server, lab: Lab) -> None:
    secret = "hunter2"
    address = {"protocol": "ftp", "server_address": "ftp.example.org", "user_name": "ana"}
    body = json.loads(lab.order(IDS, collection="scenes").as_request("json"))
    body["specification"]["items"][0]["payment"] = {
        "payment_method": "card",
        "credit_card_info": secret,
    }
    body["specification"]["delivery_information"] = {
        "online_addresses": [{**address, "user_password": secret}],
    }
    headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
    with httpx.Client(headers=headers) as client:
        answer = client.post(f"{server.url}oseo/api/v1/orders", content=json.dumps(body))
    assert answer.is_success, answer.text
    order = lab.orders[answer.json()["order_id"]]
    for form in ("json", "soap", "curl"):
        told = order.as_request(form)
        assert "ftp.example.org" in told and secret not in told
    for form in ("python", "cli"):
        with pytest.raises(NotSupported, match="more than a draft can; allowed: json, soap, curl"):
            order.as_request(form)


def test_the_wsdl_lies_where_the_lab_says_and_asks_for_no_token(server: Server, lab: Lab) -> None:
    assert lab.wsdl_url == f"{server.url}oseo/?wsdl"
    assert "definitions" in httpx.get(lab.wsdl_url).text[:1000]
    with connect(soap=f"{server.url}oseo/", token=TOKEN) as other:
        assert other.wsdl_url == lab.wsdl_url
