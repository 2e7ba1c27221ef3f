"""A real service in a process of its own, as ``oseo-lab serve`` starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
import sqlalchemy as sa

from tests.ports import free_port

TOKEN = "acceptance-token"
#: A folder with which processes start sooner, whatever else a test lets them find.
LIGHTER = str(Path(__file__).resolve().parents[1] / "lighter")
#: URL of a PostgreSQL in which each server gets a database of its own, to try any of these tests by hand.
ON_POSTGRES = os.environ.get("OSEO_LAB_TEST_SERVERS_ON", "")


def new_database(server: str) -> str:
    """Make a database in a PostgreSQL server; return its URL."""
    url, name = sa.make_url(server).set(drivername="postgresql+psycopg"), f"oseo_{uuid.uuid4().hex}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


class Server:
    """Starts, kills and starts again one service on one data folder."""

    def __init__(
        self,
        data_dir: Path,
        *,
        collections: Path | None = None,
        demo: bool = False,
        port: int = 0,
        **traits: object,
    ) -> None:
        self.data_dir = data_dir
        self.collections = collections
        self.demo = demo
        self.port = port
        self.traits = traits
        if ON_POSTGRES and "database_url" not in traits:
            self.traits = traits | {"database_url": new_database(ON_POSTGRES)}
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self.soap = ""

    def start(self) -> Server:
        command = [sys.executable, "-m", "oseo_lab", "serve", "--data-dir", str(self.data_dir)]
        command += ["--port", str(self.port)]
        if self.demo:
            command.append("--demo")
        python = os.pathsep.join(filter(None, [LIGHTER, os.environ.get("PYTHONPATH")]))
        environment = os.environ | {"OSEO_LAB_TOKEN": TOKEN, "PYTHONPATH": python}
        if self.collections:
            environment["OSEO_LAB_COLLECTIONS"] = str(self.collections)
        environment |= {f"OSEO_LAB_{name.upper()}": str(value) for name, value in self.traits.items()}
        log = (self.data_dir / "server.log").open("a")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True, start_new_session=True
        )
        log.close()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.log_tail())
        answer = json.loads(line)
        self.url, self.soap = answer["url"], answer["soap"]
        return self

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(headers={"Authorization": f"token {TOKEN}"}, timeout=30)

    def post(self, envelope: bytes, content_type: str = "application/soap+xml") -> httpx.Response:
        with self.client as client:
            return client.post(self.soap, content=envelope, headers={"Content-Type": content_type})

    @property
    def database(self) -> str:
        """The URL of its order store."""
        return str(self.traits.get("database_url") or f"sqlite:///{self.data_dir / 'orders.sqlite'}")

    def workers(self) -> list[psutil.Process]:
        """Return the Dask worker processes of this server."""
        found = []
        for each in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # one that died, and perhaps is not buried yet
                if "spawn_main" in " ".join(each.cmdline()):
                    found.append(each)
        return found

    def log_tail(self) -> str:
        """Return the end of the server's log, for a failure's message."""
        return (self.data_dir / "server.log").read_text()[-6000:]

    def kill(self) -> None:
        """End the server process as a power cut would: nothing is asked of it."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self) -> None:
        """End the server politely."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


WILLED = """
id = "willed"
title = "Things made as they are willed"
[processor]
use = "tests.acceptance.plugins:WILLED"
[catalogue]
use = "folder"
href = "products"
[products]
pattern = "W[0-9]+"
"""


@contextmanager
def willed(folder: Path, products: int, more: str = "", **traits: object) -> Iterator[Server]:
    """Serve products ``W0`` and so on, of which `Will` says what becomes of them."""
    collections = folder / "collections"
    (collections / "products").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "will").mkdir()
    for number in range(products):
        (collections / "products" / f"W{number}.tif").write_bytes(b"II*\0")
    (collections / "willed.toml").write_text(WILLED + more)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
        patched.setenv("OSEO_TEST_WILL", str(folder / "will"))
        server = Server(folder / "data", collections=collections, port=free_port(), **traits)
        try:
            yield server.start()
        finally:
            server.stop()


class Will:
    """What becomes of products, by name: ``will(W1="fail internal", W3="100")``; see `plugins.Willed`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "will"

    def __call__(self, **said: object) -> None:
        for name, text in said.items():
            path = self.folder / f"{name}.new"
            path.write_text(str(text))
            path.rename(self.folder / name)

    def forget(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()


def wait_until(condition, timeout: float = 60.0, every: float = 0.05):
    """Wait for something to become true; fail by name if it does not."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"not within {timeout} s: {condition}")
