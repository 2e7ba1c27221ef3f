"""Rasters on somebody else's server: read by ranges, and what is said when the server does not play along."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from oseo_lab.model.job import Asset, FailureClass
from oseo_lab.ports import ProcessingFailed

PIXELS = np.arange(64, dtype="uint8").reshape(1, 8, 8)


class Archive(BaseHTTPRequestHandler):
    """Gives one file out, whole or in parts, or answers ``server.code``; ``/away`` is on another host."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/scene.tif")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content, code = self.server.content, self.server.code
        asked = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        start, end = int(asked[0]), min(int(asked[2] or len(content)), len(content) - 1) + 1
        if code == 200 and "Range" in self.headers:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        else:
            self.send_response(code)
            end = end if code == 200 else start
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[start:end])

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def archive(tmp_path) -> Iterator[ThreadingHTTPServer]:
    path = tmp_path / "scene.tif"
    place = {"crs": "EPSG:32632", "transform": from_origin(600000, 5000000, 10, 10)}
    with rasterio.open(path, "w", driver="GTiff", width=8, height=8, count=1, dtype="uint8", **place) as file:
        file.write(PIXELS)
    with ThreadingHTTPServer(("127.0.0.1", 0), Archive) as server:
        server.content, server.code = path.read_bytes(), 200
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def url(archive) -> str:
    return f"http://127.0.0.1:{archive.server_address[1]}/scene.tif"


def test_a_remote_raster_is_read(url, make_raster):
    with rasterio.open(make_raster({"data": url}, {"format": "GeoTIFF"})) as made:
        assert np.array_equal(made.read(), PIXELS)


@pytest.mark.parametrize("code", [503, 429])
def test_a_server_that_does_not_answer_now_is_asked_again_by_the_same_worker(code, archive, url, make_raster):
    archive.code = code
    with pytest.raises(ProcessingFailed, match="does not answer as it should") as failed:
        make_raster({"data": url})
    assert failed.value.failure_class is FailureClass.TRANSIENT
    archive.code = 200
    make_raster({"data": url})


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_file_that_is_not_given_out_is_not_called_damaged(code, archive, url, make_raster):
    archive.code = code
    with pytest.raises(ProcessingFailed, match=rf"does not give out scene.tif \(HTTP {code}\)") as failed:
        make_raster({"data": url})
    assert failed.value.failure_class is FailureClass.PERMANENT


def test_no_server_at_all_is_a_passing_failure(make_raster):
    with pytest.raises(ProcessingFailed, match="does not answer") as failed:
        make_raster({"data": "http://127.0.0.1:9/scene.tif"})
    assert failed.value.failure_class is FailureClass.TRANSIENT


def test_a_server_leads_only_to_hosts_that_the_collection_names(url, make_raster):
    away = url.replace("scene.tif", "away")
    asset = (Asset(name="data", href=away, media_type="image/tiff"),)
    with pytest.raises(ProcessingFailed, match="sends on to 'localhost', which is not followed"):
        make_raster({"data": away}, assets=asset)
    make_raster({"data": away}, assets=asset, settings={"hosts": ["local*"]})
