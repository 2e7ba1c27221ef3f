"""A real JupyterLab with the service in it, as `oseo-lab lab` starts it, and Notebook 7 beside it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port

TOKEN = "browser-token"
ROOT = Path(__file__).resolve().parents[2]
_COLLECTION = """
id = "watched"
title = "Small things made to be watched"
[processor]
use = "tests.browser.plugins:WATCHED"
[catalogue]
use = "folder"
href = "products"
[products]
pattern = "[QTSDF][0-9]+"
"""
#: Beside it one whose orders a person looks at first, and one whose products are yet to come.
_MORE = {
    "weighed": "[approval]\nautomatic = false\n",
    "yet-to-come": "[subscription]\nevery = 0.5\nlateness = 5\n",
}
_QUIET = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
    "--ServerApp.open_browser=False",
    "--allow-root",
)


class LabServer:
    """Starts, ends and starts again one JupyterLab on one folder and port."""

    def __init__(self, folder: Path, demo: Path | None = None, **settings: object) -> None:
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.notebooks.mkdir(parents=True)
        self.collections = folder / "collections"
        make_collections(self.collections, demo)
        self.settings = {"executor": "inline", "threads_per_worker": 2, "lease": 3, "renew": 1} | settings
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def environment(self) -> dict[str, str]:
        """What the server and its kernels run in: folders of their own, nothing of this machine's user."""
        own = {
            name: str(self.folder / name.lower())
            for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        }
        own |= {f"OSEO_LAB_{name.upper()}": str(value) for name, value in self.settings.items()}
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("OSEO_", "JUPYTER"))
        }
        python = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        return kept | own | {"PYTHONPATH": python, "JUPYTER_TOKEN": TOKEN}

    def start(self) -> LabServer:
        # what JupyterLab would ask in a dialog, which swallows every click
        _settings(self.folder, "notification", {"fetchNews": "false", "checkForUpdates": False})
        command = [sys.executable, "-m", "jupyterlab", *_QUIET]
        command += [f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"]
        command += [f"--ServerApp.root_dir={self.notebooks}"]
        command += [
            "--ServerApp.jpserver_extensions={'oseo_lab': True, 'jupyterlab': True, 'notebook': True}"
        ]
        command += [f"--OseoLab.data_dir={self.folder / 'data'}", f"--OseoLab.collections={self.collections}"]
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self.environment, start_new_session=True, cwd=self.folder
            )
        self.wait_until_up()
        return self

    def wait_until_up(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if self.ask("GET", "").get("service"):
                    return
            except (httpx.HTTPError, ValueError):
                pass
            failed = "could not be started" in self.log()
            if failed or self.process is None or self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise AssertionError(f"JupyterLab did not start:\n{self.log()[-5000:]}")

    def ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Ask the JSON API."""
        headers = {"Authorization": f"token {TOKEN}"}
        answer = httpx.request(
            method, f"{self.url}oseo/api/v1/{path}", headers=headers, timeout=30, **request
        )
        return dict(answer.raise_for_status().json())

    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def theme(self, name: str) -> None:
        """Let pages opened from now on have this theme."""
        _settings(self.folder, "themes", {"theme": name})

    def stop(self) -> None:
        """End the server; its kernels with it."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def write(self, name: str, *sources: str, outputs: list[list[dict[str, Any]]] | None = None) -> str:
        """Write a notebook of these cells; return its name."""
        cells = [
            {
                "cell_type": "code",
                "id": f"cell{number}",
                "source": source,
                "metadata": {},
                "execution_count": None,
                "outputs": outputs[number] if outputs else [],
            }
            for number, source in enumerate(sources)
        ]
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (self.notebooks / name).write_text(json.dumps(notebook))
        return name

    def read(self, name: str) -> dict[str, Any]:
        """Return a notebook as it is saved."""
        return dict(json.loads((self.notebooks / name).read_text()))


def make_collections(folder: Path, demo: Path | None = None) -> None:
    """Make the collection to be watched; beside the demo's, if that is given."""
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    if demo is None:
        folder.mkdir()
    else:
        shutil.copytree(demo, folder, copy_function=os.link)
    products = folder / "products"
    products.mkdir()
    (folder / "watched.toml").write_text(_COLLECTION)
    for name, more in _MORE.items():
        own = _COLLECTION.replace("watched", name, 1).replace('"products"', f'"{name}"') + more
        (folder / f"{name}.toml").write_text(own.replace("[0-9]+", "[0-9T_]+"))
        (folder / name).mkdir()
    profile = {"driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "uint8", "crs": "EPSG:32632"}
    profile["transform"] = from_origin(600000, 5000000, 10, 10)
    for name in [f"{kind}{number}" for kind in "QTSDF" for number in range(1, 13)]:
        with rasterio.open(products / f"{name}.tif", "w", **profile) as scene:
            scene.write(np.full((1, 8, 8), 1, "uint8"))
    for number in (1, 2):
        shutil.copy(products / "Q1.tif", folder / "weighed" / f"Q{number}.tif")


def _settings(folder: Path, plugin: str, said: dict[str, Any]) -> None:
    place = folder / "jupyter_config_dir" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{plugin}.jupyterlab-settings").write_text(json.dumps(said))
