"""Finding the server: each place in its order, real runtime files, errors that list what was looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import oseo_lab
from oseo_lab.client.discovery import find_server
from oseo_lab.client.transport import HttpTransport, server_url
from oseo_lab.model.errors import ConfigurationError, NotAuthenticated, TransportError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("OSEO_LAB_", "JUPYTERHUB_", "JPY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def runtime(tmp_path):
    """Write a runtime file as Jupyter Server does."""

    def write(url: str, token: str = "its-token", pid: int | None = None, name: str = "1") -> None:
        facts = {"url": url, "token": token, "pid": os.getpid() if pid is None else pid}
        (tmp_path / f"jpserver-{name}.json").write_text(json.dumps(facts))

    return write


@contextmanager
def answering(
    status: int = 200, body: bytes = b'{"service": "oseo_lab", "owner": "anna"}', token="its-token"
):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.headers.get("Authorization") == f"token {token}"
            self.send_response(status if known else 403)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body if known else b'{"message": "Forbidden"}')

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_argument_comes_first(monkeypatch):
    monkeypatch.setenv("OSEO_LAB_URL", "http://environment/")
    place = find_server("http://argument:1/", "t")
    assert (place.url, place.token) == ("http://argument:1/", "t")


def test_then_the_environment(monkeypatch):
    monkeypatch.setenv("OSEO_LAB_URL", "http://environment:8888/lab?token=abc")
    place = find_server()
    assert (place.url, place.token, place.found_by) == ("http://environment:8888/", "abc", "OSEO_LAB_URL")


def test_then_the_hub(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://0.0.0.0:8888/user/anna/")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/anna/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub-token")
    place = find_server()
    assert (place.url, place.token) == ("http://127.0.0.1:8888/user/anna/", "hub-token")


def test_a_service_of_the_hub_is_found_where_the_own_server_has_none(monkeypatch):
    with answering(404) as own, answering(token="hub-token") as hub:
        monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", own)
        monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/anna/")
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub-token")
        monkeypatch.setenv("JUPYTERHUB_PUBLIC_HUB_URL", f"{hub}hub/")
        place = find_server()
        assert (place.url, place.token) == (f"{hub}services/oseo-lab/", "hub-token")
        assert place.found_by == "JupyterHub's service oseo-lab"
        monkeypatch.setenv("OSEO_LAB_HUB_SERVICE", "orders")
        assert find_server().url == f"{hub}services/orders/"


def test_the_own_server_comes_before_the_hubs_service(monkeypatch):
    with answering(token="hub-token") as own, answering(token="hub-token") as hub:
        monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", own)
        monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/anna/")
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub-token")
        monkeypatch.setenv("JUPYTERHUB_PUBLIC_HUB_URL", f"{hub}hub/")
        assert find_server().url == f"{own}user/anna/"


def test_a_program_run_as_a_service_of_the_hub_finds_itself(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_NAME", "oseo-lab")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:10101")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/services/oseo-lab/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "service-token")
    place = find_server()
    assert (place.url, place.token) == ("http://127.0.0.1:10101/services/oseo-lab/", "service-token")
    assert place.found_by == "JupyterHub's service oseo-lab"


def test_then_the_server_of_this_kernel(monkeypatch, runtime):
    with answering() as mine, answering(token="no") as other:
        runtime(other, name="other", token="no")
        runtime(mine, pid=os.getppid())
        monkeypatch.setenv("JPY_PARENT_PID", str(os.getppid()))
        place = find_server()
        assert (place.url, place.token) == (mine, "its-token")
        assert place.found_by == "the server of this kernel"


def test_where_the_server_of_this_kernel_has_no_service_another_is_looked_for(monkeypatch, runtime):
    with answering(404) as mine, answering() as other:
        runtime(mine, pid=os.getppid())
        runtime(other, name="other")
        monkeypatch.setenv("JPY_PARENT_PID", str(os.getppid()))
        assert find_server().url == other


def test_then_the_only_one_that_answers(runtime):
    with answering() as url, answering(404) as other:
        runtime(url, name="ours")
        runtime(other, name="another")
        lab = oseo_lab.connect()
        assert (lab.transport.url, lab.owner) == (url, "anna")
        lab.close()


def test_several_that_answer_are_listed(runtime):
    with answering() as one, answering() as two:
        runtime(one, name="1")
        runtime(two, name="2")
        with pytest.raises(ConfigurationError, match="2 servers answer") as several:
            find_server()
        assert one in str(several.value) and two in str(several.value)
        assert any(one in each for each in several.value.looked_in)


def test_none_lists_every_place_looked_at(runtime, tmp_path):
    (tmp_path / "jpserver-broken.json").write_text("{")
    with answering(token="another") as url, answering(404) as other:
        runtime(url, name="1")
        runtime(other, name="2")
        with pytest.raises(ConfigurationError) as none:
            find_server()
    text = str(none.value)
    assert all(each in text for each in none.value.looked_in)
    for said in (
        "OSEO_LAB_URL: not set",
        "JUPYTERHUB",
        "JPY_PARENT_PID",
        "refuses the token",
        "does not answer",
    ):
        assert said in text
    assert "its-token" not in text and "oseo-lab serve" in text


def test_files_of_dead_servers_are_passed_over(runtime):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    runtime("http://127.0.0.1:1/", pid=process.pid)
    with pytest.raises(ConfigurationError, match="running Jupyter Servers: none"):
        find_server()


def test_a_url_alone_gets_its_token_from_the_runtime_file(runtime):
    runtime("http://127.0.0.1:8888/")
    assert find_server("http://localhost:8888").token == "its-token"


@pytest.mark.parametrize(
    ("pasted", "base", "token"),
    [
        ("http://h:8888", "http://h:8888/", None),
        ("h:8888/", "http://h:8888/", None),
        ("http://h:8888/lab?token=t", "http://h:8888/", "t"),
        ("http://h/user/x/lab/tree/a.ipynb", "http://h/user/x/", None),
        ("https://h/user/x/oseo/", "https://h/user/x/", None),
        ("https://h/labour/", "https://h/labour/", None),
    ],
)
def test_what_users_paste_is_understood(pasted, base, token):
    assert server_url(pasted) == (base, token)


def test_a_token_never_shows():
    transport = HttpTransport("http://h/", "very secret")
    assert "very secret" not in repr(transport) + str(vars(transport)) + repr(
        find_server("http://h/", "very secret")
    )


def test_a_wrong_token_and_a_wrong_server_say_so(runtime):
    with answering(token="right") as url, pytest.raises(NotAuthenticated, match="wants a token"):
        oseo_lab.connect(url, "wrong")
    with answering(body=b"<html>") as url, pytest.raises(TransportError, match="not JSON"):
        oseo_lab.connect(url, "its-token")


def test_importing_the_client_loads_nothing_heavy():
    heavy = [
        "httpx",
        "pydantic",
        "rich",
        "numpy",
        "xarray",
        "rasterio",
        "tornado",
        "IPython",
        "jupyter_server",
    ]
    said = f"import oseo_lab, sys; oseo_lab.connect; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
