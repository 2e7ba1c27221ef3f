"""Starts and stops a real pycsw on loopback, in the environment that make keeps for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

PYTHON = (
    Path(os.environ.get("OSEO_LAB_PEERS") or Path(__file__).resolve().parents[2] / ".peers") / "bin/python"
)
SERVER = Path(__file__).with_name("pycsw_server.py")


class Pycsw:
    """One server over metadata files.

    Parameters
    ----------
    folder : Path
        An empty folder for its repository, settings and log.
    records : Path
        Files or folders of ISO 19139 or Dublin Core records.
    """

    def __init__(self, folder: Path, *records: Path) -> None:
        self.folder = folder
        self.records = records
        self.url = ""

    def __enter__(self) -> Pycsw:
        if not PYTHON.exists():
            reason = "pycsw has an environment of its own, and it is missing: make .peers/.ready"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(PYTHON), str(SERVER), str(self.folder), *map(str, self.records)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        with (self.folder / "pycsw.log").open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )
        port = self.process.stdout.readline().strip()
        if not port:
            self.__exit__()
            raise RuntimeError((self.folder / "pycsw.log").read_text()[-4000:])
        self.url = f"http://127.0.0.1:{port}/"
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
