"""A whole service in this process: the same doors, nothing left behind, once per process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import psutil
import pytest

import oseo_lab as oseo
from oseo_lab.at_home import HomeService
from oseo_lab.at_home.demo import _RUNNING
from oseo_lab.encoding import soap
from oseo_lab.model.errors import ConfigurationError, NotFound, TransportError
from oseo_lab.testing.scenes import write_collections
from tests.only_loopback import environment, tried


@pytest.fixture
def lab():
    with oseo.connect("demo") as lab:
        yield lab


def test_the_first_order_in_this_process(lab):
    scenes = lab.search("demo-s2", time="2024-06/2024-07")
    order = lab.order(scenes[:2], name="lake", format="COG").submit().wait(timeout=120)
    assert order.last_status == "Completed"
    assert order.to_xarray().sizes["time"] == 2
    assert lab.orders["lake"].id == order.id


def test_what_the_lab_says_of_itself(lab):
    shown = lab._repr_html_()
    for said in ("in this process, temporary store", "2 threads", "2: demo-dem, demo-s2", "normal"):
        assert said in shown and said in repr(lab)
    assert lab._service.token not in shown + repr(lab) + repr(vars(lab)) + repr(lab._service)


def test_it_is_started_once_and_ends_with_the_last_who_uses_it():
    one, other = oseo.connect("demo"), oseo.connect("demo")
    assert one.transport.url == other.transport.url
    one.close()
    assert other.collections
    folder = other._service.settings.data_dir
    other.close()
    assert not folder.exists() and not _RUNNING
    with pytest.raises(httpx.ConnectError):
        httpx.get(other.transport.url)
    other.close()  # a second time does nothing


def test_a_lab_whose_service_has_ended_says_so():
    lab = oseo.connect("demo")
    lab.close()
    lab.transport.tries = 1
    with pytest.raises(TransportError, match="could not be reached") as lost:
        lab.collections  # noqa: B018  asking is the point
    assert lost.value.retryable and lost.value.attempts == 1


def test_a_data_folder_keeps_orders_for_another_time(tmp_path):
    with oseo.connect("demo", data_dir=tmp_path / "mine") as lab:
        order = lab.order("DEM-DEMO_NORTH", collection="demo-dem", name="hills").submit().wait(timeout=120)
    with oseo.connect("demo", data_dir=tmp_path / "mine") as lab:
        assert lab.orders["hills"].id == order.id
        assert lab.orders["hills"].to_xarray().sizes["y"] > 0


def test_only_who_knows_the_token_is_let_in(lab):
    api, known = f"{lab.transport.url}oseo/api/v1/", {"Authorization": f"token {lab._service.token}"}
    assert httpx.get(api, headers=known).status_code == 200
    assert httpx.get(api).status_code == 401
    rebound = httpx.get(api, headers=known | {"Host": "rebound.example"})  # a page's name for this machine
    assert rebound.status_code == 403
    listening = psutil.Process().net_connections("tcp")
    assert {each.laddr.ip for each in listening if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    asked = soap.content_type(soap.SoapVersion.V12)
    refused = httpx.post(f"{lab.transport.url}oseo/", content=b"<a/>", headers={"Content-Type": asked})
    assert "Envelope" in refused.text
    assert httpx.get(f"{lab.transport.url}elsewhere").status_code == 404
    with oseo.connect(soap=f"{lab.transport.url}oseo/", token=lab._service.token) as other:
        assert other.capabilities().identification.title == "oseo_lab in this process"


def test_a_data_folder_that_cannot_be_is_told_before_a_service_begins(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ConfigurationError, match="cannot be made: it is a file; say another folder"):
        oseo.connect("demo", data_dir=file)
    with pytest.raises(ConfigurationError, match=r"/proc/x cannot be made: .*; say another folder"):
        oseo.connect("demo", data_dir="/proc/x")


def test_what_does_not_go_with_it_is_refused():
    with pytest.raises(ConfigurationError, match="takes no token"):
        oseo.connect("demo", "a token")
    with pytest.raises(ConfigurationError, match=r"goes with oseo\.connect"):
        oseo.connect("http://127.0.0.1:1/", data_dir="here")


def test_a_word_that_is_nearly_a_service_is_no_address():
    with pytest.raises(ConfigurationError, match=r"nearest: demo\); .* http://dmeo/"):
        oseo.connect("dmeo")


def test_a_collection_that_is_wrong_is_said_and_nothing_runs_on(tmp_path):
    (tmp_path / "wrong.toml").write_text('id = "wrong"\n[processor]\nuse = "none-such"')
    before = threading.active_count()
    with pytest.raises(ConfigurationError, match=r"wrong\.toml"):
        HomeService(tmp_path).start()
    assert threading.active_count() == before


def test_a_loop_that_runs_and_the_signals_are_left_alone(tmp_path):
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    async def in_a_cell() -> str:
        service = HomeService(write_collections(tmp_path / "collections"))
        try:
            service.start()
            async with httpx.AsyncClient(headers={"Authorization": f"token {service.token}"}) as client:
                answer = await client.get(f"{service.url}oseo/api/v1/")
            return str(answer.json()["service"])
        finally:
            service.close()

    assert asyncio.run(in_a_cell()) == "oseo_lab"
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_name_that_is_missing_tells_the_nearest(lab):
    with pytest.raises(NotFound, match="nearest: demo-s2") as missing:
        lab.collections["demo-s3"]
    assert missing.value.close_matches[0] == "demo-s2"
    assert "demo-s3" not in lab.collections


SCRIPT = """
import oseo_lab as oseo
lab = oseo.connect("demo")
order = lab.order("DEM-DEMO_SOUTH", collection="demo-dem").submit()
print(lab._service.settings.data_dir, flush=True)
order.wait(timeout=120, progress=False)
print(order.last_status)
"""


def test_a_script_ends_by_itself_and_leaves_nothing(cache: Path, tmp_path: Path):
    """Without close(), without network, and nothing said but what it prints."""
    more = environment(tmp_path / "loopback") | {"XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=240,
        env=os.environ | more,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    folder, status = done.stdout.split()
    assert status == "Completed" and not Path(folder).exists()
    assert tried(tmp_path / "loopback") == []


_FORKED = """
import os, sys
import httpx
import psutil
from oseo_lab.at_home import HomeService

service = HomeService(None).start()
folder = service.settings.data_dir
child = os.fork()
if child == 0:
    service.close()
    sys.exit()  # what is to be done at the end of a process is done here too
assert os.waitpid(child, 0)[1] == 0
assert httpx.get(f"{service.url}oseo/api/v1/", headers={"Authorization": f"token {service.token}"}).is_success
assert (folder / "keys").is_dir()
service.close()
assert not folder.exists()
"""


def test_a_forked_process_takes_nothing_from_the_service():
    done = subprocess.run([sys.executable, "-c", _FORKED], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
