from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from oseo_lab.builtin.processor_copy import COPY, _name
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import Asset, CatalogueItem, FailureClass, ItemJob
from oseo_lab.ports import Inputs, ProcessingFailed, Processor
from oseo_lab.production.workspace import JobWorkspace


@pytest.fixture
def workspace(tmp_path) -> Iterator[JobWorkspace]:
    with JobWorkspace(
        str(tmp_path / "scratch"), "k", progress=lambda _: None, cancelled=lambda: False
    ) as made:
        yield made


def job(**more) -> ItemJob:
    return ItemJob(
        key="k",
        order_id="o",
        number=1,
        attempt=1,
        item_id="i",
        product=ProductId(identifier="p"),
        collection_id="c",
        **more,
    )


def inputs_of(*assets: Asset) -> Inputs:
    item = CatalogueItem(identifier="p", collection_id="c", assets=assets)
    return Inputs(item=item, paths={asset.name: asset.href for asset in assets})


def test_copy_is_a_processor_without_options():
    assert isinstance(COPY, Processor)
    assert (tuple(COPY.options), tuple(COPY.scene_options)) == ((), ())


def test_assets_pass_through_unchanged(tmp_path, workspace):
    (tmp_path / "B04.tif").write_bytes(content := b"pixels" * 400_000)
    fsspec.filesystem("memory").pipe("/archive/B08.tif", b"near infrared")
    assets = (
        Asset(name="red", href=str(tmp_path / "B04.tif"), media_type="image/tiff", bands=("B04",)),
        Asset(name="nir", href="memory://archive/B08.tif", roles=("overview",)),
    )
    red, nir = COPY(job(), inputs_of(*assets), workspace)
    assert (red.name, red.media_type, red.role, red.title) == ("B04.tif", "image/tiff", "data", "red")
    assert red.properties == {"bands": [{"name": "B04"}]}
    assert Path(red.path).read_bytes() == content
    assert (nir.name, nir.role) == ("B08.tif", "overview")
    assert Path(nir.path).read_bytes() == b"near infrared"


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("/archive/B04 10m.tif", "B04_10m.tif"),
        ("https://a.example/x/../../etc/passwd?token=secret", "passwd"),
        ("https://a.example/%2e%2e%2fhidden", "hidden"),
        ("/archive/.hidden", "hidden"),
        ("/archive/äöü.tif", "tif"),
        ("/archive/", "red"),
        ("/archive/item.json", "red-2-item.json"),
        ("/archive/" + "x" * 300 + ".tif", "x" * 146 + ".tif"),
    ],
)
def test_file_names_are_made_safe(href, name, workspace):
    found = _name(Asset(name="red", href=href), set())
    assert found == name
    assert workspace.path(found).name == name


def test_files_of_one_name_do_not_meet(tmp_path, workspace):
    assets = []
    for band in ("B04", "B08"):
        (tmp_path / band).mkdir()
        (tmp_path / band / "image.tif").write_text(band)
        assets.append(Asset(name=band, href=str(tmp_path / band / "image.tif")))
    products = COPY(job(), inputs_of(*assets), workspace)
    assert [each.name for each in products] == ["image.tif", "B08-2-image.tif"]
    assert [Path(each.path).read_text() for each in products] == ["B04", "B08"]


def test_copying_stops_at_the_limit_whatever_the_catalogue_said(tmp_path, workspace):
    (tmp_path / "big.tif").write_bytes(bytes(3 << 20))
    with pytest.raises(ProcessingFailed, match="limit of 1048576 bytes") as caught:
        COPY(job(max_bytes=1 << 20), inputs_of(Asset(name="a", href=str(tmp_path / "big.tif"))), workspace)
    assert caught.value.failure_class is FailureClass.QUOTA


def test_copying_stops_when_the_item_is_cancelled(tmp_path):
    (tmp_path / "big.tif").write_bytes(bytes(8 << 20))
    asked = []
    with (
        JobWorkspace(
            str(tmp_path / "s"),
            "k",
            progress=lambda _: None,
            cancelled=lambda: len(asked) >= 2 or bool(asked.append(1)),
        ) as workspace,
        pytest.raises(ProcessingFailed) as caught,
    ):
        COPY(job(), inputs_of(Asset(name="a", href=str(tmp_path / "big.tif"))), workspace)
    assert caught.value.failure_class is FailureClass.CANCELLED


def test_a_product_without_files_is_refused(workspace):
    with pytest.raises(ProcessingFailed, match="has no files"):
        COPY(job(), inputs_of(), workspace)


class Archive(http.server.SimpleHTTPRequestHandler):
    """Serves files, sends ``/away`` to another host, and breaks off in the middle of ``/half``."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/secrets")
            self.end_headers()
        elif self.path == "/half":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 500)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def archive(tmp_path) -> Iterator[str]:
    (tmp_path / "scene.tif").write_bytes(b"remote")
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Archive, directory=tmp_path)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_remote_files_are_fetched(archive, workspace):
    (product,) = COPY(job(), inputs_of(Asset(name="a", href=f"{archive}/scene.tif")), workspace)
    assert Path(product.path).read_bytes() == b"remote"


def test_an_archive_cannot_send_us_elsewhere(archive, workspace):
    with pytest.raises(ProcessingFailed, match="not followed"):
        COPY(job(), inputs_of(Asset(name="a", href=f"{archive}/away")), workspace)


def test_a_download_that_breaks_off_is_tried_again_and_never_passed_on(archive, workspace):
    with pytest.raises(ProcessingFailed, match="broke off") as broken:
        COPY(job(), inputs_of(Asset(name="a", href=f"{archive}/half")), workspace)
    assert broken.value.failure_class is FailureClass.TRANSIENT
