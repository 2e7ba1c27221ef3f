"""Results that lie in an object store: a real S3 server, read by ranges, without downloading."""

from __future__ import annotations

import logging
import pickle

import numpy as np
import pytest

from oseo_lab.client.deliveries import Delivery
from oseo_lab.client.object_store import reachable
from oseo_lab.client.object_store import store as object_store
from oseo_lab.client.opening import How, open_dataset, open_item
from oseo_lab.client.results import Results
from oseo_lab.client.transport import HttpTransport
from oseo_lab.client.undescribed import plain_links
from oseo_lab.model.delivery import ItemURL
from oseo_lab.model.errors import DeliveryError
from tests.client.scenes import write_scene

s3fs = pytest.importorskip("s3fs", reason="the extra s3 is not installed")
moto = pytest.importorskip("moto.server", reason="moto is not installed")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """A bucket with a scene and the same as NetCDF, and how many bytes were asked for."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", "testing")
        patched.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patched.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patched.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        object_store.cache_clear()
        store = object_store()
        store.mkdir("results")
        folder = tmp_path_factory.mktemp("bucket")
        for name, day in (("a", 1), ("b", 2)):
            write_scene(folder / f"{name}.tif", day)
            store.put(str(folder / f"{name}.tif"), f"results/made elsewhere/{name}.tif")
        yield store
    object_store.cache_clear()
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


pytestmark = pytest.mark.usefixtures("bucket")


def delivery(name: str) -> Delivery:
    base = "s3://results/made elsewhere/"
    return Delivery(item_id=name, base=base, urls=(f"{base}{name}.tif",))


def test_a_scene_is_opened_where_it_lies():
    data = open_item(*plain_links(delivery("a")), How(masked=False))
    assert set(data.data_vars) == {"B02", "B03"} and data["B02"].chunks is not None
    expected = np.random.default_rng(1).integers(1, 4000, (2, 128, 128)).astype("uint16")
    np.testing.assert_array_equal(data["B03"].values, expected[1])
    assert data.rio.crs.to_epsg() == 32632


def test_several_become_one_dataset():
    data = open_dataset([plain_links(delivery(each)) for each in ("a", "b")])
    assert dict(data.sizes) == {"time": 2, "y": 128, "x": 128}
    assert float(data["B02"].isel(time=0).mean()) != float(data["B02"].isel(time=1).mean())


def test_a_handle_of_it_can_be_sent_without_keys():
    data = open_item(*plain_links(delivery("a")), How(chunks={}))
    sent = pickle.dumps(data)
    assert b"AWS_SECRET" not in sent and float(pickle.loads(sent)["B02"].mean()) == float(data["B02"].mean())


def test_a_bucket_is_public_where_there_are_no_keys(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    object_store.cache_clear()
    s3fs.S3FileSystem.clear_instance_cache()
    assert "Signature" not in reachable("s3://results/made elsewhere/a.tif")
    object_store.cache_clear()
    s3fs.S3FileSystem.clear_instance_cache()


def test_what_is_not_there_is_told_in_a_sentence():
    with pytest.raises(DeliveryError, match=r"s3://results/made elsewhere/c\.tif cannot be opened"):
        open_item(*plain_links(delivery("c")), How())


def test_they_are_downloaded_like_others(tmp_path):
    urls = [ItemURL(item_id="a", url=delivery("a").urls[0])]
    results = Results(HttpTransport("http://127.0.0.1:9/"), "urn:x", "far away", urls)
    (path,) = results.download(tmp_path)
    assert path.name == "a.tif"
    assert path.read_bytes()[:4] in (b"II*\0", b"MM\0*")
    assert results.to_xarray().sizes["x"] == 128
