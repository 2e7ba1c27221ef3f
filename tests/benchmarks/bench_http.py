"""Requests per second at the SOAP door, against a bare handler and a composed floor in the same server."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from oseo_lab.encoding import oseo, soap
from oseo_lab.model.delivery import DeliveryOptions, OnlineDataAccess, Protocol
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import GetStatus, Presentation, Submit, SubmitAck
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from tests.benchmarks import Row

HERE = Path(__file__).parent
TOKEN = "benchmark"
V12 = soap.SoapVersion.V12
ITEMS = 10
ROUNDS = int(os.environ.get("OSEO_LAB_BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("OSEO_LAB_BENCH_SECONDS", "2"))
COLLECTION = """
id = "bench"
title = "Nothing at all"
[processor]
use = "floors_of_bench_http:NOTHING"
[catalogue]
use = "floors_of_bench_http:Everything"
href = "."
[products]
pattern = "P[0-9]+"
"""


@contextmanager
def served(folder: Path, *, dispatch: bool) -> Iterator[httpx.Client]:
    """Start a Jupyter Server with the extension and the floors; yield a client of it."""
    (folder / "collections").mkdir(parents=True)
    (folder / "collections" / "bench.toml").write_text(COLLECTION)
    environment = os.environ | {
        "PYTHONPATH": str(HERE),
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_CONFIG_DIR": str(folder),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "OSEO_LAB_DATA_DIR": str(folder / "data"),
        "OSEO_LAB_COLLECTIONS": str(folder / "collections"),
        "OSEO_LAB_EXECUTOR": "inline",
        "OSEO_LAB_DISPATCH": str(dispatch).lower(),
    }
    with (folder / "server.log").open("w+") as log:
        extensions = {"oseo_lab": True, "floors_of_bench_http": True, "jupyterlab": False}
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0"]
        command += [f"--ServerApp.root_dir={folder}", f"--ServerApp.jpserver_extensions={extensions}"]
        command += ["--log-level=WARN"]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            yield client_of(folder, process)
        finally:
            process.terminate()
            process.wait(60)


def client_of(folder: Path, process: subprocess.Popen[bytes]) -> httpx.Client:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            [info] = (folder / "runtime").glob("jpserver-*.json")
            url = json.loads(info.read_text())["url"]
            client = httpx.Client(base_url=url, headers={"Authorization": f"token {TOKEN}"})
            client.get("oseo/api/v1/").raise_for_status()
            return client
        except (OSError, ValueError, httpx.HTTPError):
            time.sleep(0.1)
    raise RuntimeError((folder / "server.log").read_text())


def request(client: httpx.Client, path: str, body: bytes) -> bytes:
    """Return a whole HTTP request, as the load generator sends it."""
    url = client.base_url
    head = (
        f"POST {url.path}{path} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n"
        f"Authorization: token {TOKEN}\r\nContent-Type: application/soap+xml; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def press(client: httpx.Client, sent: bytes, clients: int, seconds: float = SECONDS) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "load.py"), "127.0.0.1", str(client.base_url.port)]
    done = subprocess.run([*command, str(clients), str(seconds)], input=sent, capture_output=True, check=True)
    return json.loads(done.stdout)


def submission() -> bytes:
    items = tuple(
        ItemSpecification(
            item_id=f"item {n}",
            identifier=ProductId(identifier=f"P{n}", collection_id="bench"),
            remark=f"the scene of day {n}, for the comparison of the two harvests",
            delivery_options=DeliveryOptions(delivery=OnlineDataAccess(protocol=Protocol.HTTP)),
        )
        for n in range(1, ITEMS + 1)
    )
    message = Submit(specification=OrderSpecification(order_reference="benchmark", items=items))
    return soap.request_envelope(oseo.encode_request(message), V12)


def post(client: httpx.Client, body: bytes) -> httpx.Response:
    answer = client.post("oseo/", content=body, headers={"Content-Type": "application/soap+xml"})
    return answer.raise_for_status()


def compare(client: httpx.Client, ours: bytes, floor: bytes, clients: int) -> tuple[float, float]:
    """Return the median requests/s of both, pressed in turn; a failure is an error."""
    rates: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for sent, rate in zip((ours, floor), rates, strict=True):
            done = press(client, sent, clients)
            if done["bad"]:
                raise RuntimeError(f"{done['bad']} of {done['good'] + done['bad']} requests failed")
            rate.append(done["good"] / done["seconds"])
    return statistics.median(rates[0]), statistics.median(rates[1])


def quiet_rows(folder: Path) -> Iterator[Row]:
    with served(folder, dispatch=False) as client:
        acknowledgement = oseo.decode_response(soap.open_envelope(post(client, submission()).content).payload)
        assert isinstance(acknowledgement, SubmitAck)
        ask = GetStatus(order_id=acknowledgement.order_id, presentation=Presentation.FULL)
        message = soap.request_envelope(oseo.encode_request(ask), V12)
        size = len(post(client, message).content)
        status = request(client, "oseo/", message)
        constant = request(client, f"floor/constant/{size}", message)
        ours, floor = compare(client, status, constant, 16)
        yield Row(
            what=f"GetStatus full, {ITEMS} items, 16 clients / JupyterHandler constant",
            ours=ours,
            floor=floor,
            unit="req/s",
            target=0.7,
            higher_is_better=True,
            note=f"answer {size} bytes",
        )
        submit = request(client, "oseo/", submission())
        composed = request(client, "floor/submit", submission())
        ours, floor = compare(client, submit, composed, 16)
        yield Row(
            what=f"Submit, {ITEMS} items, durable, 16 clients / composed floor",
            ours=ours,
            floor=floor,
            unit="req/s",
            target=0.65,
            higher_is_better=True,
            note="dispatch off",
        )


def busy_rows(folder: Path) -> Iterator[Row]:
    with served(folder, dispatch=True) as client:
        submit = request(client, "oseo/", submission())
        for clients in (16, 64):
            done = press(client, submit, clients, SECONDS * 2)
            yield Row(
                what=f"Submit, {clients} clients, dispatcher running: answered / asked",
                ours=done["good"],
                floor=done["good"] + done["bad"],
                unit="req",
                target=1.0,
                higher_is_better=True,
                note=f"{done['good'] / done['seconds']:.0f} req/s",
            )


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="oseo-bench-") as folder:
        return [*quiet_rows(Path(folder) / "quiet"), *busy_rows(Path(folder) / "busy")]
