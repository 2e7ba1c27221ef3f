"""Products in an archive, from search to delivery, against a real STAC API with an archive behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from oseo_lab.model.job import FailureClass
from oseo_lab.testing import OseoServer
from tests.client.scenes import write_scene
from tests.peers.stac_api import StacServer

COLLECTION = """
id = "archived"
title = "Scenes of an archive"
[processor]
use = "{processor}"
[catalogue]
use = "stac"
href = "{api}"
hosts = ["127.0.0.1"]
restore = 14400
[products]
pattern = "SCENE_[A-Z0-9_]+"
[quotation]
use = "tariff"
currency = "CREDIT"
item = 1.5
"""


class Archive:
    """Files behind HTTP, some on tape: asked for by POST to ``/order/{id}``, or by fetching them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.on_tape: set[str] = set()
        self.asked: list[str] = []
        self.refuses: int | None = None
        archive = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                name = unquote(self.path.removeprefix("/order/"))
                self.rfile.read(int(self.headers["Content-Length"]))
                again = name in archive.asked
                archive.asked.append(name)
                status = archive.refuses or (409 if again else 202)
                if name not in archive.on_tape and not archive.refuses:
                    self.send(200, json.dumps({"order:status": "succeeded"}).encode())
                else:
                    self.send(status, json.dumps({"order:status": "shipping"}).encode())

            def do_GET(self) -> None:
                name = unquote(self.path.removeprefix("/files/")).removesuffix(".tif")
                if name in archive.on_tape:
                    archive.asked.append(name)
                    self.send(202, b"restoring")
                    return
                self.send(200, (archive.folder / f"{name}.tif").read_bytes())

            do_HEAD = do_GET

            def send(self, status: int, body: bytes) -> None:
                unit, _, span = self.headers.get("Range", "").partition("=")
                if unit == "bytes" and status == 200:
                    first, _, last = span.partition("-")
                    part = body[int(first) : int(last or len(body)) + 1]
                    self.send_response(206)
                    self.send_header(
                        "Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(body)}"
                    )
                    body = part
                else:
                    self.send_response(status)
                    self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def item(self, name: str, *, link: bool = True) -> dict:
        box = [10.2, 45.1, 10.3, 45.2]
        ring = [[10.2, 45.1], [10.3, 45.1], [10.3, 45.2], [10.2, 45.2], [10.2, 45.1]]
        return {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": name,
            "collection": "archived",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "bbox": box,
            "properties": {"datetime": "2024-06-01T10:00:00Z"},
            "links": [{"rel": "order", "href": f"{self.url}/order/{name}"}] if link else [],
            "assets": {
                "data": {
                    "href": f"{self.url}/files/{name}.tif",
                    "type": "image/tiff; application=geotiff",
                    "roles": ["data"],
                }
            },
        }


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("files")
    for day, name in enumerate(("SCENE_A", "SCENE_B", "SCENE_C"), 1):
        write_scene(folder / f"{name}.tif", day)
    made = Archive(folder)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def api(archive: Archive) -> Iterator[StacServer]:
    items = [archive.item("SCENE_A"), archive.item("SCENE_B"), archive.item("SCENE_C", link=False)]
    with StacServer(items, [{"type": "Collection", "id": "archived"}]) as server:
        yield server


@pytest.fixture(scope="module")
def server(api: StacServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OseoServer]:
    folder = tmp_path_factory.mktemp("collections")
    text = COLLECTION.format(processor="raster", api=api.url)
    (folder / "archived.toml").write_text(text)
    with OseoServer(folder, data_dir=tmp_path_factory.mktemp("data")) as server:
        yield server


def offline(archive: Archive, api: StacServer, name: str, status: str = "orderable") -> dict:
    """Put a product on tape, and let the catalogue say so; return its properties there."""
    archive.on_tape.add(name)
    archive.asked.clear()
    archive.refuses = None
    for each in api.items:
        each["properties"].pop("order:status", None)
    said = next(each for each in api.items if each["id"] == name)["properties"]
    said["order:status"] = status
    return said


def test_search_says_what_is_ready_and_what_must_be_restored(server, archive, api):
    offline(archive, api, "SCENE_B")
    found = server.lab.search("archived")
    assert repr(found).endswith(" · 2 ready · 1 offline (restore ≈ 4 h)")
    assert "yes, after restore (≈ 4 h)" in found._repr_html_()
    (product,) = [each for each in found if each.offline]
    assert (product.identifier, product.offline.usually, product.orderable) == ("SCENE_B", 14400.0, True)
    assert product.offline.href is None  # where its archive is asked is nobody's business


def test_an_item_waits_for_its_archive_without_a_worker_and_is_made_when_it_is_there(server, archive, api):
    said = offline(archive, api, "SCENE_B")
    order = server.lab.order(["SCENE_A", "SCENE_B"], collection="archived").submit()
    server.settle()
    (waiting,) = [each for each in order.view().rows if each.identifier == "SCENE_B"]
    first = waiting.info
    assert first.startswith("waiting for the archive, asked 20") and first.endswith("UTC, usually ≈ 4 h")
    assert waiting.failure == FailureClass.WAITING
    assert timedelta(0) < waiting.retry_at - server.clock() <= timedelta(minutes=15)
    assert order.view().failures == ()
    assert "waiting for the archive" in order._repr_html_() and "tried again" not in order._repr_html_()
    assert server.services.executor.busy == 0 and archive.asked == ["SCENE_B"]
    for _ in range(6):  # more looks than a failing item has tries
        server.advance(minutes=20)
    record = server.services.store
    with record.read() as snapshot:
        item = snapshot.items.get(order.id, 2)
    assert (item.status.additional, item.failures) == (first, 0)
    assert len(archive.asked) > 4
    left = order.view().remaining
    assert left is not None and 1 * 3600 < left.typical < 3 * 3600
    archive.on_tape.discard("SCENE_B")
    said["order:status"] = "succeeded"
    server.advance(minutes=20)
    assert order.refresh().last_status == "Completed"
    assert len(order.items) == 2 and not order.view().rows[0].info


def test_an_archive_that_restores_what_is_fetched_needs_no_link(server, archive, api):
    said = offline(archive, api, "SCENE_C")
    order = server.lab.order(["SCENE_C"], collection="archived").submit()
    server.settle()
    assert "waiting for the archive" in order.view().rows[0].info
    archive.on_tape.discard("SCENE_C")
    said.pop("order:status")
    server.advance(minutes=20)
    assert order.refresh().last_status == "Completed"


def test_a_catalogue_that_does_not_know_is_told_by_the_file_itself(server, archive, api):
    offline(archive, api, "SCENE_C").pop("order:status")
    order = server.lab.order(["SCENE_C"], collection="archived", format="NetCDF").submit()
    server.settle()
    assert order.view().rows[0].info.endswith("usually ≈ 4 h")
    archive.on_tape.discard("SCENE_C")
    server.advance(minutes=20)
    assert order.refresh().last_status == "Completed"


def test_a_waiting_item_can_be_cancelled(server, archive, api):
    offline(archive, api, "SCENE_B")
    order = server.lab.order(["SCENE_B"], collection="archived", crs="EPSG:3035").submit()
    server.settle()
    order.cancel()
    server.settle()
    assert order.refresh().last_status == "Cancelled"


def test_an_archive_that_refuses_fails_the_item_with_a_sentence(server, archive, api):
    offline(archive, api, "SCENE_B")
    archive.refuses = 403
    order = server.lab.order(["SCENE_B"], collection="archived", crs="EPSG:3857").submit()
    server.settle()
    assert order.refresh().last_status == "Failed"
    assert "does not restore 'SCENE_B' (HTTP 403)" in order.view().failures[0].reason


def test_a_quotation_counts_the_restore_and_says_what_would_be_quicker(server, archive, api):
    offline(archive, api, "SCENE_B")
    quote = server.lab.order(["SCENE_A", "SCENE_B"], collection="archived").quote()
    assert {each.item_id: each.restore for each in quote.items} == {"SCENE_A": None, "SCENE_B": 14400.0}
    assert quote.record.restore == 14400.0
    html = quote._repr_html_()
    assert "offline: restore from archive first (≈ 4 h)" in html and "after ≈ 4 h for the archive" in html
    assert any(
        "without SCENE_B" in each.text and "no wait for the archive" in each.text for each in quote.cheaper()
    )


def test_a_quotation_over_soap_says_so_in_its_words(server, archive, api):
    import oseo_lab as oseo

    offline(archive, api, "SCENE_B")
    with oseo.connect(soap=server.soap, token=server.token) as lab:
        quote = lab.order(["SCENE_B"], collection="archived").quote()
        assert "offline: restore from archive first (≈ 4 h)" in quote.items[0].price_information
