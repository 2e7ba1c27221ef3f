"""Searching a STAC API for a service that has no catalogue of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import oseo_lab as oseo
from oseo_lab.client.stac_search import StacSearch
from oseo_lab.model.errors import ConfigurationError, TransportError
from tests.foreign import foreign_server


def feature(number: int, cloud: float | None) -> dict:
    return {
        "type": "Feature",
        "id": f"LC8_{number}",
        "bbox": [10, 45, 0, 11, 46, 9],
        "geometry": None,
        "properties": {"datetime": f"2024-06-0{number}T10:00:00Z", "eo:cloud_cover": cloud},
        "assets": {},
    }


FEATURES = [feature(1, 5), feature(2, 60), feature(3, None), feature(4, 10)]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        body = self.server.instead
        if body is None:
            start = int(asked.get("token", 0))
            found = [each for each in FEATURES if each["id"] in asked.get("ids", [each["id"]])]
            links = [{"rel": "self", "href": "x"}]
            if start + 2 < len(found):
                href = self.server.next or "/stac/search"
                links.append({"rel": "next", "href": href, "method": "POST", "body": {"token": start + 2}})
            body = json.dumps({"features": found[start : start + 2], "links": links}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.asked, server.instead, server.next = [], None, None
    server.url = f"http://127.0.0.1:{server.server_address[1]}/stac"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_products_are_found_page_by_page_and_ordered_from_a_service_without_a_catalogue(api):
    with (
        foreign_server() as foreign,
        oseo.connect(soap=foreign.url, catalogue=api.url) as lab,
    ):
        found = lab.search("urn:old:landsat", (10, 45, 11, 46), "2024-06", cloud_cover_lt=20)
        assert found.ids == ("LC8_1", "LC8_4")
        assert found[0].datetime == datetime(2024, 6, 1, 10, tzinfo=UTC)
        assert found[0].bbox == (10, 45, 11, 46)
        draft = found.order(name="searched")
        assert draft.validate() == []
        assert draft.submit().id == "http://archive.example/orders/1"
        assert lab.search("urn:old:landsat", text="lc8_2").ids == ("LC8_2",)
        assert lab.products("urn:old:landsat", ["LC8_3", "nothing"]).ids == ("LC8_3",)
    first = api.asked[0]
    assert first["collections"] == ["urn:old:landsat"]
    assert first["bbox"] == [10, 45, 11, 46] and first["datetime"].startswith("2024-06-01")


def test_a_next_page_on_another_host_is_not_asked_for(api):
    api.next = "http://elsewhere.example/search"
    found, cursor = StacSearch(api.url)("c", {"limit": 2})
    assert len(found) == 2 and cursor is None


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"features": 3}', b'{"links": []}'])
def test_what_is_no_stac_api_is_said_to_be_none(api, body):
    api.instead = body
    with pytest.raises(TransportError, match="is it a STAC API"):
        StacSearch(api.url)("c", {})


def test_features_of_any_shape_do_no_harm(api):
    odd = [3, {}, {"id": 7, "properties": [], "geometry": "x", "bbox": "y"}, {"id": "z", "bbox": [1, 2]}]
    api.instead = json.dumps({"features": odd, "links": "none"}).encode()
    found, cursor = StacSearch(api.url)("c", {})
    assert [each.identifier for each in found] == ["", "7", "z"] and cursor is None


def test_an_api_that_is_not_there_is_said():
    with pytest.raises(TransportError, match="could not be reached"):
        StacSearch("http://127.0.0.1:9/")("c", {})
    with pytest.raises(ConfigurationError):
        StacSearch("ftp://x")
