"""The notebooks run from top to bottom, against a service with the demo collections, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.serving import TOKEN, Server

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, demo):
    server = Server(tmp_path_factory.mktemp("notebooks"), collections=demo).start()
    yield server
    server.stop()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook, server, tmp_path):
    copy = shutil.copy(notebook, tmp_path)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbmake",
            "--nbmake-timeout=240",
            "-q",
            copy,
            "--rootdir",
            tmp_path,
        ],
        cwd=tmp_path,
        env=os.environ | {"OSEO_LAB_URL": server.url, "OSEO_LAB_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
