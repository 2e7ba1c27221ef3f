"""Results that are used again, over a live service: quoted, ordered by every door, told, paid once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from uuid import uuid4

import pytest

import oseo_lab
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.messages import GetQuotation, GetStatus, Presentation, Submit
from oseo_lab.model.order import order_uuid
from oseo_lab.model.reuse import with_reuse
from oseo_lab.model.status import Status
from tests.acceptance.serving import TOKEN, Server
from tests.acceptance.test_quotations import answered, put_balance
from tests.acceptance.test_walk import COLLECTION, write_scene

TARIFF = '\n[quotation]\ncurrency = "QUOTA"\nitem = 3\noptions.format = {COG = 2}\norder = 1\n'
NAMES = ("SCENE_A", "SCENE_B", "SCENE_C", "SCENE_D", "SCENE_E")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reuse")
    scenes = folder / "collections" / "scenes"
    scenes.mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "collections" / "scenes.toml").write_text(COLLECTION.format(scope="item") + TARIFF)
    for name in NAMES:
        write_scene(scenes / f"{name}.tif", size=32)
    server = Server(folder / "data", collections=folder / "collections", executor="inline")
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def lab(server):
    with oseo_lab.connect(server.url, TOKEN) as lab:
        yield lab


@pytest.fixture
def balance(lab):
    put_balance(lab, 100)
    yield lambda: lab.balances["QUOTA"]
    put_balance(lab, None)


def made(lab, products, name, **options):
    order = lab.order(products, name=name, collection="scenes", **options).submit()
    return order.wait(60)


def folder_of(server, order, number=1, attempt=1):
    return server.data_dir / "results" / str(order_uuid(order.id)) / str(number) / str(attempt)


def on_command_line(*words):
    done = subprocess.run(
        [sys.executable, "-m", "oseo_lab", *words], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def infos(order):
    return {each.specification.item_id: each.status.additional for each in order.refresh().record.items}


def test_quotation_tells_what_was_delivered_already_and_what_it_would_cost_then(lab, balance):
    made(lab, ["SCENE_A"], "first", format="COG")
    quotation = lab.order(["SCENE_A", "SCENE_B"], collection="scenes", format="COG").quote()
    assert (quotation.price.value, quotation.record.price_reusing.value) == (11, 5.5)
    known = {each.item_id: each.reuse for each in quotation.items}
    assert known["SCENE_B"] is None
    assert (known["SCENE_A"].name, known["SCENE_A"].is_taken) == ("first", False)
    assert quotation.record.needs_approval is False
    assert "SCENE_A" in quotation.delivered_before()
    other = lab.order(["SCENE_A"], collection="scenes", format="PNG").quote()
    assert other.items[0].reuse is None


def test_reused_item_is_a_delivery_of_its_own_costs_nothing_and_says_where_it_is_from(lab, server, balance):
    first = made(lab, ["SCENE_B"], "the first of two", format="COG")
    left = balance()
    draft = lab.order(["SCENE_B", "SCENE_C"], name="again", collection="scenes", format="COG")
    quotation = draft.quote()
    order = quotation.submit(reuse=True, max_price=5.5).wait(60)
    assert order.status is Status.COMPLETED
    assert infos(order)["SCENE_B"].startswith("reused from the first of two, delivered 20")
    assert infos(order)["SCENE_C"] is None
    assert float(left) - float(balance()) == 5.5
    assert [each.value for each in order.cost()] == [5.5]
    assert order.items["SCENE_B"].checksum == first.items["SCENE_B"].checksum
    manifest = json.loads((folder_of(server, order) / "manifest.json").read_text())
    assert manifest["reused_from"]["order"] == first.id
    item = json.loads((folder_of(server, order) / "item.json").read_text())
    assert item["properties"]["oseo:reused_from"]["name"] == "the first of two"
    assert item["properties"]["oseo:order"] == order.id
    assert any("reused from" in (each.info or "") for each in order.view().log)
    (row,) = [each for each in order.view().rows if each.item_id == "SCENE_B"]
    assert row.info.startswith("reused from")
    order.items["SCENE_B"].open().close()


def test_damaged_result_is_not_delivered_again_but_made_and_paid(lab, server, balance):
    first = made(lab, ["SCENE_D"], "to be damaged", format="COG")
    (data,) = folder_of(server, first).glob("*.tif")
    whole = data.read_bytes()
    data.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    left = balance()
    order = lab.order(["SCENE_D"], name="after damage", collection="scenes", format="COG").submit(reuse=True)
    order.wait(60)
    assert order.status is Status.COMPLETED
    assert order.items["SCENE_D"].checksum == first.items["SCENE_D"].checksum
    assert float(left) - float(balance()) == 6
    assert any("a file of it is damaged" in (each.info or "") for each in order.view().log)
    quotation = lab.order(["SCENE_D"], collection="scenes", format="COG").quote()
    assert quotation.items[0].reuse.name == "after damage"


def test_changed_product_is_made_anew(lab, server, balance):
    made(lab, ["SCENE_E"], "before the change")
    scene = server.collections / "scenes" / "SCENE_E.tif"
    os.utime(scene, (1, 1))
    order = lab.order(["SCENE_E"], name="after the change", collection="scenes").submit(reuse=True).wait(60)
    assert order.status is Status.COMPLETED
    assert infos(order)["SCENE_E"] is None
    assert [each.value for each in order.cost()] == [6]


def test_every_door_says_it_and_old_clients_get_the_same_numbers(lab, server, shared, balance):
    made(lab, ["SCENE_A"], "by doors")
    draft = lab.order(["SCENE_A"], collection="scenes", reuse=True)
    specification = draft.request().specification
    ack = answered(server, GetQuotation(specification=specification), shared)
    ours = draft.quote()
    assert ack.quotation.price == ours.price
    assert [each.price for group in ack.quotation.groups for each in group.items] == [
        each.price for each in ours.items
    ]
    assert ours.price.value == 0
    plain = answered(server, GetQuotation(specification=with_reuse(specification, False)), shared)
    assert plain.quotation.price.value == 6
    by_soap = answered(server, Submit(specification=specification), shared, message_id=uuid4().urn)
    order = lab.orders[by_soap.order_id].wait(60)
    assert infos(order)["SCENE_A"].startswith("reused from")
    assert order.cost() == []
    words = ["orders", "submit", "scenes", "SCENE_A", "--reuse", "--again", "--wait", "--json"]
    said = on_command_line(*words, "--url", server.url, "--token", TOKEN)
    assert said["items"][0]["status"]["additional"].startswith("reused from")
    status = answered(server, GetStatus(order_id=order.id, presentation=Presentation.FULL), shared)
    assert status.orders[0].items[0].status.additional.startswith("reused from")


def test_draft_that_reuses_is_said_by_every_recipe(lab):
    draft = lab.order(["SCENE_A"], collection="scenes", reuse=True)
    said = {"lab": lab}
    exec(draft.as_code(), said)
    assert said["draft"] == draft and said["draft"].reuse
    assert "--reuse" in draft.as_request("cli").split()
    for form in ("json", "soap", "curl"):
        assert "reuse=true" in draft.as_request(form)
    again = draft.submit().wait(60).reorder()
    assert not again.reuse


def test_what_cannot_be_meant_is_refused(lab, server, shared):
    draft = lab.order(["SCENE_A"], collection="scenes")
    with pytest.raises(ValidationError, match="allowed: True, False"):
        draft.reuse = "yes"
    said = draft.request().specification
    found = answered(server, Submit(specification=replace(said, extensions=("reuse=maybe",))), shared)
    assert [(each.code, each.locator) for each in found] == [("InvalidParameterValue", "reuse")]
