"""Results of a live service: used as they land, opened where they lie, sent to workers without a token."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio

import oseo_lab
from oseo_lab.model.errors import DeliveryError, OrderFailed, WaitTimeout
from tests.acceptance.serving import TOKEN, willed
from tests.client.scenes import make_collections

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def server(folder):
    (folder / "collections").mkdir()
    make_collections(folder / "collections")
    with willed(folder, 4, executor="inline", threads_per_worker=3, retry_delay=0.1) as server:
        yield server


def test_items_come_as_they_are_delivered_each_once_whichever_is_first(lab, will):
    will(W0="wait", W1="fail permanent at source", W2="20", W3="10")
    order = lab.order([f"W{each}" for each in range(4)], "landing", "willed").submit()
    came = []
    for item in order.as_completed(timeout="2 min"):
        came.append(item.id)
        if len(came) == 2:
            will(W0="30")
    assert sorted(came[:2]) == ["W2", "W3"] and came[2:] == ["W0"]
    assert [item.size for item in order.succeeded] == [30, 20, 10]
    assert [each.id for each in order.as_completed(failed=True)] == ["W0", "W2", "W3", "W1"]
    with pytest.raises(OrderFailed, match=r"1 of 4 items of 'landing' .* W1"):
        list(order.as_completed(raise_on_failure=True))
    with pytest.raises(DeliveryError, match="W1 was not delivered: as it was willed"):
        order.items["W1"].open()


def test_any_thread_may_wait_for_them_and_a_server_that_restarts_is_waited_for(lab, will, server):
    will(W0="10", W1="wait", W2="wait")
    order = lab.order(["W0", "W1", "W2"], "restarted", "willed").submit()
    came, first = [], threading.Event()

    def follow():
        for item in lab.orders[order.id].as_completed(timeout=120):
            came.append(item.id)
            first.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert first.wait(60)
    server.kill()
    will(W1="10", W2="10")
    server.start()
    thread.join(120)
    assert not thread.is_alive()
    assert came[0] == "W0" and sorted(came) == ["W0", "W1", "W2"]


def test_waiting_for_items_has_an_end(lab, will):
    will(W0="10", W1="wait")
    order = lab.order(["W0", "W1"], "endless", "willed").submit()
    next(order.as_completed(timeout=60))
    came = []
    with pytest.raises(WaitTimeout, match="nothing was cancelled"):
        for item in order.as_completed(timeout="1 s"):
            came.append(item.id)
    assert came == ["W0"]
    order.cancel().wait()


@pytest.fixture(scope="module")
def cogs(server):
    with oseo_lab.connect(server.url, token=TOKEN) as lab:
        yield lab.order(["SCENE_A", "SCENE_B"], "cogs", "scenes", format="COG").submit().wait(120, check=True)


def pixels(folder, name, band):
    with rasterio.open(folder / "collections" / "scenes" / f"{name}.tif") as source:
        return source.read(band)


def test_an_item_is_opened_where_it_lies_and_nothing_is_read_before_it_is_asked_for(cogs, folder):
    item = cogs.items["SCENE_A"]
    data = item.open(masked=False)
    assert str(item.path).startswith("http://") and data["B03"].chunks is not None
    assert data.rio.crs.to_epsg() == 32632
    assert (data.attrs["order"], data.attrs["item"]) == (cogs.id, "SCENE_A")
    assert str(data["time"].values).startswith("2024-06-01T10")
    np.testing.assert_array_equal(data["B03"].values, pixels(folder, "SCENE_A", 2))


def test_a_whole_order_is_opened_along_time(cogs, folder):
    data = cogs.to_xarray(masked=False, bands=["B02"])
    assert dict(data.sizes) == {"time": 2, "y": 128, "x": 128} and list(data.data_vars) == ["B02"]
    np.testing.assert_array_equal(data["B02"].isel(time=1).values, pixels(folder, "SCENE_B", 1))


@pytest.mark.parametrize(("form", "names"), [("NetCDF", {"B02", "B03"}), ("PNG", {"B02"})])
def test_what_is_read_whole_is_fetched_and_checked_first(lab, folder, form, names):
    order = lab.order(["SCENE_A"], f"as {form}", "scenes", format=form).submit().wait(60, check=True)
    data = order.items[0].open()
    assert set(data.data_vars) == names and data.rio.crs.to_epsg() == 32632
    left, _, _, top = data.rio.bounds()
    assert (left, top) == (600000, 5000000)


OPENS = """
import pickle, sys
item = pickle.loads(sys.stdin.buffer.read())
print(item.status, item.open(masked=False)["B03"].values.sum(), len(item.download(sys.argv[1])))
"""


def test_a_worker_opens_what_it_was_sent_without_logging_in(cogs, folder, tmp_path):
    sent = pickle.dumps(cogs.items["SCENE_B"])
    assert TOKEN.encode() not in sent and b"HttpTransport" not in sent
    clean = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", OPENS, str(tmp_path)], input=sent, capture_output=True, env=clean, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().split()[1:] == [str(pixels(folder, "SCENE_B", 2).sum()), "1"]


def test_everything_that_is_ready_comes_with_one_call(lab, cogs, tmp_path):
    paths = lab.orders.download_ready(tmp_path)
    assert {"SCENE_A.tif", "SCENE_B.tif"} <= {each.name for each in paths}
    assert tmp_path / "cogs" / "SCENE_A" / "SCENE_A.tif" in paths
    assert repr(cogs.verify(tmp_path)) == "4 ok, 0 changed, 0 missing"
    assert sorted(lab.orders.download_ready(tmp_path)) == sorted(paths)


def test_handles_are_the_same_over_soap(server, folder, tmp_path):
    with oseo_lab.connect(soap=server.soap, token=TOKEN) as other:
        order = other.order(["SCENE_A", "SCENE_B"], "soap", "scenes").submit()
        came = {item.id: item for item in order.as_completed(timeout=120)}
        assert sorted(came) == ["SCENE_A", "SCENE_B"]
        data = came["SCENE_B"].open(masked=False)
        np.testing.assert_array_equal(data["B02"].values, pixels(folder, "SCENE_B", 1))
        (path,) = came["SCENE_A"].download(tmp_path)
        assert path == came["SCENE_A"].path and bool(came["SCENE_A"].verify())
        assert list(order.items.table()["can_retry"]) == [False, False]
        assert came["SCENE_A"].refresh().is_delivered
