"""Small pictures of products: where they are found, and what is not passed on as one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from oseo_lab.builtin import catalogue_thumbnails
from oseo_lab.builtin.catalogue_assets import AssetRules
from oseo_lab.builtin.catalogue_folder import FolderCatalogue
from oseo_lab.builtin.catalogue_thumbnails import MOST_BYTES, read_thumbnail
from oseo_lab.model.job import Asset, CatalogueItem
from oseo_lab.ports import PicturedCatalogue

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(100)


def pictured(href: str | None, *assets: Asset) -> CatalogueItem:
    return CatalogueItem(identifier="P", collection_id="c", thumbnail=href, assets=assets)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = self.server.content  # type: ignore[attr-defined]
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/x.png")
            content = b""
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as made:
        made.content = PNG  # type: ignore[attr-defined]
        made.handle_error = lambda request, address: None  # type: ignore[method-assign]  # hung up on
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.mark.parametrize(
    ("content", "media_type"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
)
def test_a_picture_is_what_its_signature_says(tmp_path: Path, content: bytes, media_type: str) -> None:
    path = tmp_path / "picture.bin"
    path.write_bytes(content)

    found = read_thumbnail(pictured(str(path)), ())
    assert found is not None and (found.content, found.media_type) == (content, media_type)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"GIF89a" + bytes(100),
        b"II*\x00" + bytes(100),
        PNG[:8][::-1] + PNG,
        PNG + bytes(MOST_BYTES),
    ],
)
def test_what_is_no_small_picture_is_not_passed_on(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)

    assert read_thumbnail(pictured(str(path)), ()) is None


def test_a_picture_that_is_gone_is_none_and_the_next_one_is_taken(tmp_path: Path) -> None:
    (tmp_path / "overview.jpg").write_bytes(JPEG)
    overview = Asset(name="o", href=str(tmp_path / "overview.jpg"), roles=("overview",))

    assert read_thumbnail(pictured(str(tmp_path / "gone.png")), ()) is None
    found = read_thumbnail(pictured(str(tmp_path / "gone.png"), overview), ())
    assert found is not None and found.media_type == "image/jpeg"
    assert read_thumbnail(None, ()) is None
    assert read_thumbnail(pictured("s3://bucket/x.png"), ()) is None


def test_a_remote_picture_is_read_and_redirects_are_judged(server: ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{server.server_address[1]}"

    for href, hosts, found in (("x.png", (), PNG), ("away", (), None), ("away", ("localhost",), PNG)):
        picture = read_thumbnail(pictured(f"{url}/{href}"), hosts)
        assert (picture and picture.content) == found


def test_a_remote_picture_without_end_is_given_up(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{server.server_address[1]}/x.png"
    server.content = PNG + bytes(2 * MOST_BYTES)  # type: ignore[attr-defined]
    assert read_thumbnail(pictured(url), ()) is None
    server.content = PNG  # type: ignore[attr-defined]
    monkeypatch.setattr(catalogue_thumbnails, "_SECONDS", -1.0)
    assert read_thumbnail(pictured(url), ()) is None


def test_a_picture_beside_a_file_is_its_thumbnail(tmp_path: Path) -> None:
    place = {"crs": "EPSG:32632", "transform": from_origin(600000, 5000000, 10, 10)}
    for name in ("A", "B"):
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", width=8, height=8, count=1, dtype="uint8", **place
        ) as file:
            file.write(np.ones((1, 8, 8), "uint8"))
    (tmp_path / "A.webp").write_bytes(WEBP)
    (tmp_path / "other.png").write_bytes(PNG)
    folder = FolderCatalogue("c", {"href": str(tmp_path)})

    assert isinstance(folder, PicturedCatalogue)
    found = folder.thumbnail("A")
    assert found is not None and found.media_type == "image/webp"
    assert folder.thumbnail("B") is None and folder.thumbnail("other") is None


@pytest.mark.parametrize(
    ("assets", "expected"),
    [
        ({"thumbnail": {"href": "https://a/p.jpg", "type": "image/png"}}, "https://a/p.jpg"),
        ({"x": {"href": "https://a/p.jpg", "roles": ["thumbnail"]}}, "https://a/p.jpg"),
        (
            {
                "overview": {"href": "https://a/o.png", "type": "image/png", "roles": ["overview"]},
                "t": {"href": "https://a/t.png", "type": "image/png", "roles": ["thumbnail"]},
            },
            "https://a/t.png",
        ),
        ({"o": {"href": "https://a/o.tif", "type": "image/tiff", "roles": ["overview"]}}, None),
        ({"t": {"href": "https://a/t.svg", "type": "image/svg+xml", "roles": ["thumbnail"]}}, None),
        ({"t": {"href": "https://b/t.png", "roles": ["thumbnail"]}}, None),
    ],
)
def test_the_thumbnail_of_a_stac_item_is_the_picture_that_can_be_shown(
    assets: dict, expected: str | None
) -> None:
    _, thumbnail, _ = AssetRules(hosts=("a",)).read(assets, None)
    assert thumbnail == expected
