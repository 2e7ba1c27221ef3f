"""The whole walk over HTTP: SOAP bytes, order store, Dask worker, delivered file, opened raster."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from oseo_lab.encoding import oseo, soap, xmltree
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import (
    Cancel,
    DescribeResultAccess,
    GetOptions,
    GetStatus,
    Presentation,
    Submit,
)
from oseo_lab.model.options import Encoding, ParameterData
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.model.status import Status
from tests.acceptance.serving import Server, wait_until
from tests.official import schema_for

COLLECTION = """
id = "scenes"
title = "Test scenes"
[processor]
use = "raster"
[catalogue]
use = "folder"
href = "scenes"
[products]
pattern = "SCENE_[A-Z]+"
[delivery]
scope = "{scope}"
"""

GROUPS = """
[[groups]]
id = "quicklook"
options = ["format", "bands"]
narrow = [{ name = "format", allowed = ["PNG"], default = "PNG" }]
[[groups]]
id = "data"
options = ["format", "bands", "sceneBoundingRectangle"]
narrow = [{ name = "format", allowed = ["COG", "GeoTIFF"] }]
"""


def write_scene(path: Path, size: int = 256, bands: int = 2) -> np.ndarray:
    rng = np.random.default_rng(5)
    pixels = rng.integers(1, 4000, (bands, size, size)).astype("uint16")
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=size,
        height=size,
        count=bands,
        dtype="uint16",
        crs="EPSG:32632",
        transform=from_origin(600000, 5000000, 10, 10),
        nodata=0,
        tiled=True,
        compress="DEFLATE",
    ) as scene:
        scene.write(pixels)
        scene.descriptions = tuple(f"B0{number + 2}" for number in range(bands))
    return pixels


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("walk")
    (folder / "collections" / "scenes").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "collections" / "scenes.toml").write_text(COLLECTION.format(scope="item"))
    whole = COLLECTION.format(scope="order").replace('id = "scenes"', 'id = "whole"')
    (folder / "collections" / "whole.toml").write_text(whole)
    grouped = COLLECTION.format(scope="item").replace('id = "scenes"', 'id = "grouped"') + GROUPS
    (folder / "collections" / "grouped.toml").write_text(grouped)
    return folder


@pytest.fixture(scope="module")
def pixels(folder) -> np.ndarray:
    found = write_scene(folder / "collections" / "scenes" / "SCENE_A.tif")
    damaged = folder / "collections" / "scenes" / "SCENE_BROKEN.tif"
    write_scene(damaged)
    damaged.write_bytes(damaged.read_bytes()[:3000])
    return found


@pytest.fixture(scope="module")
def server(folder, pixels):
    server = Server(folder / "data", collections=folder / "collections").start()
    yield server
    server.stop()


@pytest.fixture
def call(server, shared):
    """Send a message over SOAP; every answer must be valid against the official schemas."""

    def send(message, version=soap.SoapVersion.V12):
        envelope = soap.request_envelope(oseo.encode_request(message), version)
        answer = server.post(envelope, soap.content_type(version))
        root = xmltree.parse(answer.content)
        schema_for(shared).assertValid(root)
        payload = root[-1][0]
        problems = soap.read_fault(payload)
        return problems if problems else oseo.decode_response(payload)

    return send


def order(*identifiers: str, collection: str = "scenes", packaging=None, **options: str) -> Submit:
    selection = (ParameterData(values=tuple(options.items())),) if options else ()
    items = tuple(
        ItemSpecification(
            item_id=f"item {number}", identifier=ProductId(identifier=each, collection_id=collection)
        )
        for number, each in enumerate(identifiers, start=1)
    )
    return Submit(specification=OrderSpecification(items=items, options=selection, packaging=packaging))


def by_tokens(text: str, group: str | None = None) -> Submit:
    """An order whose options travel in TextEncoding."""
    wanted = order("SCENE_A", collection="grouped").specification
    tokens = (ParameterData(encoding=Encoding.TEXT, text=text),)
    item = replace(wanted.items[0], options=tokens, product_order_options_id=group)
    return Submit(specification=replace(wanted, items=(item,)))


def finished(call, order_id: str):
    def ask():
        found = call(GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0]
        return found if found.status.status.is_final else None

    return wait_until(ask)


@pytest.mark.parametrize("version", list(soap.SoapVersion))
def test_soap_bytes_to_opened_raster(call, server, pixels, tmp_path, version):
    ack = call(order("SCENE_A", format="COG", bands="B03"), version)
    done = finished(call, ack.order_id)
    assert done.status.status is Status.COMPLETED
    (url,) = call(DescribeResultAccess(order_id=ack.order_id), version).urls
    assert url.item_id == "item 1"
    with server.client as client:
        answer = client.get(url.url)
    path = tmp_path / "result.tif"
    path.write_bytes(answer.content)
    with rasterio.open(path) as result:
        assert result.crs.to_epsg() == 32632
        assert result.nodata == 0
        assert result.descriptions == ("B03",)
        np.testing.assert_array_equal(result.read(1), pixels[1])
    downloaded = wait_until(
        lambda: call(GetStatus(order_id=ack.order_id)).orders[0].status.status is Status.DOWNLOADED
    )
    assert downloaded


def test_the_signed_url_needs_nothing_else_and_cannot_be_bent(call, server):
    ack = call(order("SCENE_A", format="PNG"))
    finished(call, ack.order_id)
    url = next(
        each.url for each in call(DescribeResultAccess(order_id=ack.order_id)).urls if ".png" in each.url
    )
    assert httpx.get(url).status_code == 200
    assert httpx.get(url.partition("?")[0]).status_code in (401, 403)
    assert httpx.get(url[:-4] + "0000").status_code in (401, 403)
    other = url.replace(".png", ".tif")
    assert httpx.get(other).status_code in (401, 403, 404)


def test_a_damaged_scene_fails_alone(call):
    ack = call(order("SCENE_A", "SCENE_BROKEN", "SCENE_MISSING"))
    done = finished(call, ack.order_id)
    statuses = [each.status.status for each in done.items]
    assert statuses == [Status.COMPLETED, Status.FAILED, Status.FAILED]
    assert done.status.status is Status.COMPLETED
    assert "2 failed" in done.status.additional
    assert all(each.status.additional for each in done.items[1:])
    assert len(call(DescribeResultAccess(order_id=ack.order_id)).urls) == 1


def test_a_whole_order_in_one_package(call, server):
    ack = call(order("SCENE_A", "SCENE_BROKEN", collection="whole", packaging=Packaging.ZIP))
    done = finished(call, ack.order_id)
    assert [each.status.status for each in done.items] == [Status.COMPLETED, Status.FAILED]
    (url,) = call(DescribeResultAccess(order_id=ack.order_id)).urls
    answer = httpx.get(url.url)
    assert answer.content[:2] == b"PK"
    assert hashlib.sha256(answer.content).hexdigest()


def test_cancelling_a_running_item_leaves_nothing_behind(call, server, folder):
    write_scene(folder / "collections" / "scenes" / "SCENE_HUGE.tif", size=4096, bands=3)
    ack = call(order("SCENE_HUGE", crs="EPSG:4326", resampling="cubic"))
    wait_until(lambda: call(GetStatus(order_id=ack.order_id)).orders[0].status.status is Status.IN_PRODUCTION)
    call(Cancel(order_id=ack.order_id))
    done = finished(call, ack.order_id)
    assert done.status.status is Status.CANCELLED
    uuid = ack.order_id.removeprefix("urn:uuid:")
    assert not list((server.data_dir / "results").glob(f"{uuid}/*/*"))
    wait_until(lambda: not list((server.data_dir / "scratch").rglob(f"*{uuid}*")))


def test_each_option_group_makes_its_own_products_in_either_encoding(call, server):
    groups = call(GetOptions(collection_id="grouped")).order_options
    assert [each.product_order_options_id for each in groups] == ["quicklook", "data"]
    acks = {text: call(by_tokens(text)) for text in ("PNG,Y,1,B03", "GeoTIFF, N")}
    for (text, ack), ending in zip(acks.items(), (".png", ".tif"), strict=True):
        done = finished(call, ack.order_id)
        assert done.status.status is Status.COMPLETED, done.status
        assert done.items[0].specification.options == by_tokens(text).specification.items[0].options
        urls = call(DescribeResultAccess(order_id=ack.order_id)).urls
        assert any(ending in each.url for each in urls)
    both = call(by_tokens("PNG,Y,many,B03", "data"))
    assert [(each.code, each.locator) for each in both] == [("InvalidParameterValue", "bands")]
    refused = call(by_tokens("JPEG"))
    assert {each.locator for each in refused} == {"productOrderOptionsId", "format"}
