"""Standing, massive and urgent orders on a live server: SOAP in, products that appear, files out."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import rasterio
from rasterio.warp import transform_bounds

import oseo_lab as oseo
from oseo_lab.encoding import oseo as codec
from oseo_lab.encoding import soap, xmltree
from oseo_lab.model.errors import NotSupported, ValidationError
from oseo_lab.model.identifiers import OrderType, ProductId, SubscriptionId, TaskingRequestId
from oseo_lab.model.messages import (
    Cancel,
    DescribeResultAccess,
    GetOptions,
    GetStatus,
    Presentation,
    SubFunction,
    Submit,
)
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, OrderSpecification, Priority
from oseo_lab.model.status import Status
from tests.acceptance.serving import TOKEN, Server, wait_until
from tests.acceptance.test_walk import write_scene
from tests.at_length import end_of
from tests.official import schema_for

NOW = datetime.now(UTC)
COLLECTION = """
id = "{name}"
title = "Scenes as they come"
[processor]
use = "{processor}"
[catalogue]
use = "folder"
href = "{name}"
[products]
pattern = "[A-Z][A-Za-z0-9_]+"
[limits]
batch = {batch}
"""
SUBSCRIBED = """
[subscription]
every = 0.5
lateness = 5
[tasking]
pattern = "urn:task:[0-9]+"
use = "file"
href = "tasks.json"
every = 0.5
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("standing")
    (folder / "data").mkdir()
    for name, processor, batch in (("coming", "raster", 1000), ("many", "copy", 10), ("slow", "copy", 1000)):
        (folder / "collections" / name).mkdir(parents=True)
        text = COLLECTION.format(name=name, processor=processor, batch=batch)
        (folder / "collections" / f"{name}.toml").write_text(text + (SUBSCRIBED if name == "coming" else ""))
    write_scene(folder / "scene.tif", size=64)
    for number in range(25):
        shutil.copy(
            folder / "scene.tif", folder / "collections" / "many" / f"S_202601{number + 1:02}T100000.tif"
        )
    shutil.copy(folder / "scene.tif", folder / "collections" / "slow" / "SCENE.tif")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    server = Server(
        folder / "data",
        collections=folder / "collections",
        executor="inline",
        max_in_flight=2,
        sps_url="https://sps.example.org/",
    ).start()
    yield server
    server.stop()


@pytest.fixture
def call(server, shared):
    def send(message):
        envelope = soap.request_envelope(codec.encode_request(message), soap.SoapVersion.V12)
        answer = server.post(envelope, soap.content_type(soap.SoapVersion.V12))
        root = xmltree.parse(answer.content)
        schema_for(shared).assertValid(root)
        return soap.read_fault(root[-1][0]) or codec.decode_response(root[-1][0])

    return send


@pytest.fixture
def lab(server):
    with oseo.connect(server.url, TOKEN) as lab:
        yield lab


def appear(folder: Path, name: str) -> None:
    """Put a whole product into the catalogue's folder at once, acquired now."""
    stac = {"type": "Feature", "id": name, "properties": {"datetime": NOW.isoformat(), "version": "1"}}
    (folder / f"{name}.json").write_text(json.dumps(stac))
    (folder / f"{name}.json").rename(folder / "collections" / "coming" / f"{name}.json")
    shutil.copy(folder / "scene.tif", folder / f"{name}.tif")
    (folder / f"{name}.tif").rename(folder / "collections" / "coming" / f"{name}.tif")


def subscription(**options) -> Submit:
    period = (NOW - timedelta(days=1)).isoformat(), (NOW + timedelta(days=30)).isoformat()
    values = (("dateRange", (("min", period[0]), ("max", period[1]))), *options.items())
    item = ItemSpecification(
        item_id="all",
        identifier=SubscriptionId(collection_id="coming"),
        options=(ParameterData(values=values),),
        extensions=("of mine",),
    )
    specification = OrderSpecification(
        order_type=OrderType.SUBSCRIPTION_ORDER,
        order_reference="standing",
        items=(item,),
        extensions=("campaign 7",),
    )
    return Submit(specification=specification)


def full(call, order_id):
    return call(GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0]


def items_of(call, order_id, status):
    return [each for each in full(call, order_id).items if each.status.status is status]


def test_a_product_that_appears_is_delivered_to_its_subscription(call, server, folder, tmp_path):
    order_id = call(subscription(bands="B03")).order_id
    begun = full(call, order_id)
    assert begun.status.status is Status.SUSPENDED
    assert begun.specification.extensions == ("campaign 7",)
    assert begun.items[0].specification.extensions == ("of mine",)
    next_ready = DescribeResultAccess(order_id=order_id, sub_function=SubFunction.NEXT_READY)
    assert call(next_ready).urls == ()
    appear(folder, "FIRST")
    with server.client as client:
        announced = client.post(
            f"{server.url}oseo/api/v1/collections/coming/announce", json={"identifiers": ["FIRST"]}
        )
    assert announced.status_code == 200
    wait_until(lambda: items_of(call, order_id, Status.COMPLETED))
    (url,) = call(next_ready).urls
    assert (url.item_id, url.product_id.identifier) == ("all-1.1", "FIRST")
    with server.client as client:
        (tmp_path / "first.tif").write_bytes(client.get(url.url).content)
    with rasterio.open(tmp_path / "first.tif") as first:
        assert first.descriptions == ("B03",)  # the subscription's option
    assert call(next_ready).urls == ()
    appear(folder, "SECOND")  # and nobody announces it
    wait_until(lambda: len(call(next_ready).urls) == 1)
    wait_until(lambda: full(call, order_id).status.status is Status.SUSPENDED)
    assert full(call, order_id).status.additional == "2 products in 2 batches so far"
    call(Cancel(order_id=order_id))
    wait_until(lambda: full(call, order_id).status.status is Status.CANCELLED)
    urls = call(DescribeResultAccess(order_id=order_id)).urls
    assert [each.product_id.identifier for each in urls] == ["FIRST", "SECOND"]


def test_a_subscription_from_python_is_suspended_and_resumed(lab, folder):
    order = lab.subscribe("coming", name="watch", start=NOW - timedelta(days=1), area=(-180, -90, 180, 90))
    assert order.info in ("subscription is active", None) or "so far" in order.info
    order.pause()
    wait_until(lambda: (order.refresh().info or "").startswith("paused at the user's request"))
    before = len(order.items)
    appear(folder, "LATER")
    assert "LATER" in [each.identifier for each in order.would_match()]
    assert len(order.refresh().items) == before
    order.resume()
    wait_until(
        lambda: (
            "LATER"
            in [getattr(each.specification.identifier, "identifier", "") for each in order.refresh().items]
        )
    )
    assert " batch" in str(order) and " batch" in order._repr_html_()
    assert order.cancel().id == order.id
    with pytest.raises(NotSupported, match="takes no subscriptions"):
        lab.subscribe("many")


def test_a_tasking_order_waits_for_what_is_acquired(call, folder):
    options = call(GetOptions(tasking_request_id=TaskingRequestId(id="urn:task:1")))
    assert options.order_options[0].order_type is OrderType.TASKING_ORDER
    item = ItemSpecification(item_id="task", identifier=TaskingRequestId(id="urn:task:1"))
    specification = OrderSpecification(order_type=OrderType.TASKING_ORDER, items=(item,))
    order_id = call(Submit(specification=specification)).order_id
    assert full(call, order_id).status.status is Status.SUSPENDED
    shutil.copy(folder / "scene.tif", folder / "collections" / "coming" / "TASKED.tif")
    (folder / "collections" / "tasks.json").write_text(
        json.dumps({"urn:task:1": {"state": "acquired", "product": "TASKED"}})
    )
    wait_until(lambda: full(call, order_id).status.status is Status.COMPLETED)
    (url,) = call(DescribeResultAccess(order_id=order_id)).urls
    assert url.product_id.identifier == "TASKED"


def most_in_work(server, order_id) -> int:
    """Return the most items that were open and not Suspended at any event of the history."""
    with server.client as client:
        answer = client.get(f"{server.url}oseo/api/v1/orders/{order_id}/history").json()
    state, most = {}, 0
    for line in answer["history"]:
        if line.get("number"):
            state[line["number"]] = Status(line["status"])
            busy = [each for each in state.values() if not each.is_final and each is not Status.SUSPENDED]
            most = max(most, len(busy))
    return most


def product(collection: str, identifier: str, number: int, **more) -> ItemSpecification:
    return ItemSpecification(
        item_id=f"i{number}",
        identifier=ProductId(identifier=identifier, collection_id=collection),
        **more,
    )


def test_a_large_order_never_has_more_than_a_batch_in_work(call, server):
    items = tuple(product("many", f"S_202601{number + 1:02}T100000", number) for number in range(25))
    order_id = call(Submit(specification=OrderSpecification(items=items))).order_id
    wait_until(lambda: full(call, order_id).status.status.is_final)
    done = full(call, order_id)
    assert {each.status.status for each in done.items} == {Status.COMPLETED}
    assert most_in_work(server, order_id) == 10


def test_a_date_range_is_filled_from_the_catalogue(call, server):
    order_id = call(massive_order()).order_id
    wait_until(lambda: full(call, order_id).status.status.is_final)
    done = full(call, order_id)
    assert done.status.status is Status.COMPLETED
    assert done.specification.order_type is OrderType.PRODUCT_ORDER
    assert len(call(DescribeResultAccess(order_id=order_id)).urls) == 14
    assert most_in_work(server, order_id) == 10


def test_a_massive_order_without_a_date_range_is_refused(call):
    item = product("many", "many", 1)
    specification = OrderSpecification(order_reference="Massive order", items=(item,))
    (problem,) = call(Submit(specification=specification))
    assert (problem.code, problem.locator) == ("MissingParameterValue", "dateRange")


def test_a_fast_track_order_is_made_before_those_submitted_earlier(call, server):
    many = tuple(product("slow", "SCENE", number) for number in range(60))
    slow = call(Submit(specification=OrderSpecification(items=many))).order_id
    urgent = OrderSpecification(items=(product("slow", "SCENE", 1),), priority=Priority.FAST_TRACK)
    fast = call(Submit(specification=urgent)).order_id
    wait_until(lambda: full(call, slow).status.status.is_final)

    def completed(order_id):
        with server.client as client:
            lines = client.get(f"{server.url}oseo/api/v1/orders/{order_id}/history").json()["history"]
        return [each["event_id"] for each in lines if each.get("number") and each["status"] == "Completed"]

    (made,) = completed(fast)
    assert sum(event > made for event in completed(slow)) > 10


def test_the_scene_selection_reaches_the_processor(call, server, folder, tmp_path):
    shutil.copy(folder / "scene.tif", folder / "collections" / "coming" / "CUT.tif")
    with rasterio.open(folder / "scene.tif") as scene:
        west, south, east, north = transform_bounds(scene.crs, "EPSG:4326", *scene.bounds)
    half = (west + east) / 2, (south + north) / 2
    points = tuple(
        ("point", (("latitude", str(latitude)), ("longitude", str(longitude))))
        for latitude, longitude in ((south, west), (half[1], half[0]))
    )
    item = product(
        "coming", "CUT", 1, scene_selections=(ParameterData(values=(("sceneBoundingRectangle", points),)),)
    )
    answer = call(Submit(specification=OrderSpecification(items=(item,))))
    order_id = answer.order_id
    wait_until(lambda: full(call, order_id).status.status.is_final)
    (url,) = call(DescribeResultAccess(order_id=order_id)).urls
    with server.client as client:
        (tmp_path / "cut.tif").write_bytes(client.get(url.url).content)
    with rasterio.open(tmp_path / "cut.tif") as cut:
        assert cut.width < 40 and cut.height < 40


def test_what_is_announced_must_be_of_a_collection(lab):
    with pytest.raises(ValidationError, match="no collection"):
        lab.transport.ask("POST", "collections/none/announce", body={"identifiers": ["x"]})


def test_the_command_line_suspends_resumes_and_looks_ahead(server, lab, folder):
    order = lab.subscribe("coming", name="by command", start=NOW - timedelta(days=1), bands="B02")

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "oseo_lab", "orders", *words, "--url", server.url, "--token", TOKEN],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("pause", "by command")
    wait_until(lambda: (order.refresh().info or "").startswith("paused at the user's request"))
    appear(folder, "AHEAD")
    assert "AHEAD" in run("match", "by command")
    assert json.loads(run("resume", "by command", "--json"))["order_id"] == order.id
    wait_until(lambda: "AHEAD" in [_name(each) for each in order.refresh().items])
    order.cancel()


def _name(item) -> str:
    return getattr(item.specification.identifier, "identifier", "")


@pytest.mark.parametrize("verb", ["pause", "resume", "match"])
def test_orders_that_are_not_there_are_not_found(server, verb):
    nobodys = "00000000-0000-4000-8000-000000000000"
    with server.client as client:
        answer = client.post(f"{server.url}oseo/api/v1/orders/{nobodys}/{verb}")
        assert answer.status_code == 404
        assert answer.json()["problems"][0]["code"] == "InvalidOrderIdentifier"
        assert client.get(f"{server.url}oseo/api/v1/orders/{nobodys}/{verb}").status_code == 405
    with httpx.Client() as stranger:
        assert stranger.post(f"{server.url}oseo/api/v1/orders/{nobodys}/{verb}").status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"identifiers": "x"}', b'{"identifiers": []}', b'{"identifiers": [1]}', b"\xff"]
)
def test_an_announcement_that_is_none_is_refused(server, body):
    with server.client as client:
        answer = client.post(
            f"{server.url}oseo/api/v1/collections/coming/announce",
            content=body,
            headers={"Content-Type": "application/json"},
        )
    assert answer.status_code in (400, 422), answer.text


def survive(folder: Path, data: Path, kills: int, seed: int) -> None:
    """Kill a server again and again while products appear and a massive order is filled."""
    chance = random.Random(seed)
    data.mkdir()
    server = Server(
        data, collections=folder / "collections", executor="inline", lease=2, renew=0.5, max_in_flight=2
    ).start()
    names: list[str] = []
    try:
        with oseo.connect(server.url, TOKEN) as lab:
            order = lab.subscribe("coming", start=NOW - timedelta(days=1), bands="B02")
            massive = lab.transport.perform(massive_order(), message_id="urn:once").order_id
        for _ in range(kills):
            for _ in range(3):
                names.append(f"KILLED{seed}_{len(names)}")
                appear(folder, names[-1])
            time.sleep(chance.uniform(0.05, 0.8))  # the moment is the test's
            server.kill()
            server.start()
        with oseo.connect(server.url, TOKEN) as lab:
            order, filled = lab.orders[order.id], lab.orders[massive]
            wait_until(lambda: filled.refresh().last_status.is_final)
            wait_until(lambda: set(names) <= {_name(each) for each in order.refresh().succeeded})
            made = Counter(_name(each) for each in order.refresh().items)
            parts = Counter(_name(each) for each in filled.refresh().succeeded)
    finally:
        server.stop()
    assert {made[name] for name in names} == {1}
    assert sorted(parts.values()) == [1] * 14


def massive_order() -> Submit:
    period = (("start", "2026-01-01T00:00:00Z"), ("stop", "2026-01-15T00:00:00Z"))
    item = product("many", "many", 1, options=(ParameterData(values=(("DateRange", period),)),))
    return Submit(specification=OrderSpecification(order_reference="Massive order", items=(item,)))


def test_a_server_that_is_killed_delivers_each_product_once(folder, tmp_path):
    survive(folder, tmp_path / "killed", kills=1, seed=1)


@pytest.mark.long
def test_servers_killed_for_minutes_deliver_each_product_once(folder, tmp_path):
    end, seed = end_of(0.05), 2
    while time.monotonic() < end:
        survive(folder, tmp_path / f"killed{seed}", kills=6, seed=seed)
        seed += 1
