"""Executes the notebooks as a reader's computer would, and keeps what they show: ``make notebooks``.

Each runs in an empty folder, against a service of its own with the demo collections. What is kept is what
tells the story without a kernel (HTML, pictures, text); widgets and this machine's paths are left out.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from oseo_lab.demo import make_demo
from tests.acceptance.serving import TOKEN, Server

__all__ = ["FOLDER", "demo_server", "execute", "notebooks", "surroundings"]

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
#: What is drawn anew where there is a kernel, and useless without.
_LIVE = ("application/vnd.jupyter.widget-view+json",)


def notebooks() -> list[Path]:
    """Return the notebooks of the story, in its order."""
    return sorted(FOLDER.glob("0*.ipynb"))


def demo_server(data_dir: Path, collections: Path) -> Server:
    """Start a service as ``oseo-lab lab`` does: it may call back this computer."""
    return Server(data_dir, collections=collections, callback_hosts="127.0.0.1").start()


@contextmanager
def surroundings(server: Server) -> Iterator[None]:
    """Let kernels started in here find a service, and the commands beside this Python."""
    before = dict(os.environ)
    os.environ |= {
        "OSEO_LAB_URL": server.url,
        "OSEO_LAB_TOKEN": TOKEN,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def execute(path: Path, folder: Path) -> Any:
    """Return a notebook as it is after running in a folder; a cell that fails is an error."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return notebook


def tidy(notebook: Any, folder: Path, url: str) -> Any:
    """Leave out what is of this run alone."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            for live in _LIVE:
                output.get("data", {}).pop(live, None)
            output.update(_told(dict(output), folder, url))
    notebook.metadata.pop("widgets", None)
    return notebook


def _told(value: Any, folder: Path, url: str) -> Any:
    """Return a value whose texts name no folder and no port of this run."""
    if isinstance(value, dict):
        return {name: _told(each, folder, url) for name, each in value.items()}
    if isinstance(value, list):
        return [_told(each, folder, url) for each in value]
    if not isinstance(value, str):
        return value
    text = value.replace(url, "http://127.0.0.1:8888/").replace(str(folder), ".")
    return re.sub(rf"{re.escape(tempfile.gettempdir())}/[A-Za-z0-9_.-]+", "/tmp/…", text)


def main() -> None:
    """Execute all notebooks, or those named, and write them back."""
    wanted = {Path(each).name for each in sys.argv[1:]}
    with tempfile.TemporaryDirectory() as there:
        server = demo_server(Path(there), make_demo(Path(there) / "demo"))
        try:
            with surroundings(server):
                for path in notebooks():
                    if wanted and path.name not in wanted:
                        continue
                    print(path.name, flush=True)
                    folder = Path(tempfile.mkdtemp(dir=there))
                    done = tidy(execute(path, folder), folder, server.url)
                    nbformat.write(done, path)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
