"""A real Jupyter Server with the extension, in a process of its own, and messages to send it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from oseo_lab.encoding import oseo, soap
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import Submit
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from tests.acceptance.serving import LIGHTER
from tests.ports import free_port

HERE = Path(__file__).parent
TOKEN = "the token of these tests"
V11, V12 = soap.SoapVersion.V11, soap.SoapVersion.V12

COLLECTION = """
id = "{id}"
title = "Things"
[processor]
use = "plugins_of_web_tests:BYTES"
[catalogue]
use = "plugins_of_web_tests:Everything"
href = "products"
[products]
pattern = "P[0-9]+"
"""


def write_collections(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        (folder / f"collection{number}.toml").write_text(COLLECTION.format(id=name))
    return folder


class Server:
    """Where a running server is, and who may speak to it."""

    def __init__(self, url: str, data_dir: Path, collections: Path) -> None:
        self.url = url
        self.data_dir = data_dir
        self.collections = collections
        self.soap = f"{url}oseo/"
        self.api = f"{url}oseo/api/v1"
        self.token = {"Authorization": f"token {TOKEN}"}

    @property
    def address(self) -> tuple[str, int]:
        parts = httpx.URL(self.url)
        return parts.host, int(parts.port or 80)


@contextmanager
def running(
    folder: Path, *, base_url: str = "/user/zoe/", config: str = "", **traits: Any
) -> Iterator[Server]:
    """Start a Jupyter Server, wait until it answers, and end it."""
    port = free_port()
    data_dir = folder / "data"
    collections = write_collections(folder / "collections", "things", "urn:some/thing", "broken")
    settings = {
        "data_dir": str(data_dir),
        "collections": str(collections),
        "dispatch": False,
        "executor": "inline",
    }
    lines = [f"c.OseoLab.{name} = {value!r}" for name, value in (settings | traits).items()]
    (folder / "jupyter_server_config.py").write_text("\n".join([*lines, config]))
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE), LIGHTER]),
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_CONFIG_DIR": str(folder),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
    }
    command = [sys.executable, "-m", "jupyter_server", f"--port={port}", "--no-browser", "--allow-root"]
    command += [
        f"--ServerApp.base_url={base_url}",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.port_retries=0",
    ]
    extensions = {"oseo_lab": True, "jupyterlab": False, "jupyter_lsp": False, "notebook_shim": False}
    command += [f"--ServerApp.jpserver_extensions={extensions}"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    server = Server(f"http://127.0.0.1:{port}{base_url}", data_dir, collections)
    try:
        wait_for(server, process, folder / "server.log")
        yield server
    finally:
        process.terminate()
        process.wait(30)


def wait_for(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            answer = httpx.get(f"{server.api}/", headers=server.token, timeout=20)
            if answer.status_code == 200:
                return
            if "could not be started" in answer.text:
                break
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(log.read_text()[:5000])


def order(*identifiers: str, collection_id: str = "things") -> Submit:
    items = tuple(
        ItemSpecification(
            item_id=f"item {number}", identifier=ProductId(identifier=each, collection_id=collection_id)
        )
        for number, each in enumerate(identifiers or ("P1",), start=1)
    )
    return Submit(specification=OrderSpecification(order_reference="mine", items=items))


def envelope(message: Any, version: soap.SoapVersion = V12, **more: Any) -> bytes:
    return soap.request_envelope(oseo.encode_request(message), version, **more)


def opened(response: httpx.Response) -> Any:
    """Return the response message, or the problems of a fault."""
    found = soap.open_envelope(response.content, content_type=response.headers["Content-Type"])
    return soap.read_fault(found.payload) or oseo.decode_response(found.payload)
