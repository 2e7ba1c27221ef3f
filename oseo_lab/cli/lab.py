"""``oseo-lab lab``: JupyterLab at a notebook, with the service running and the demo collections loaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from oseo_lab.cli.output import say

__all__ = ["lab"]


def lab(
    notebook: Annotated[Path, typer.Argument(help="Notebook or folder to open.")] = Path("notebooks"),
    data_dir: Annotated[Path, typer.Option(help="Orders, results, scratch and keys.")] = Path(".demo"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Start JupyterLab with the ordering service and the demo collections."""
    from importlib.util import find_spec

    from oseo_lab.demo import make_demo
    from oseo_lab.model.errors import ConfigurationError

    if find_spec("jupyterlab") is None:
        raise ConfigurationError("JupyterLab is not installed: pip install 'oseo-lab[notebook]'")
    data_dir = data_dir.absolute()
    say("drawing the demo scenes, if they are not there yet …")
    collections = make_demo(data_dir / "demo")
    arguments = [
        "--ServerApp.jpserver_extensions={'oseo_lab': True, 'jupyterlab': True}",
        f"--OseoLab.data_dir={data_dir}",
        f"--OseoLab.collections={collections}",
        f"--port={port}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        say("oseo-lab: running as root, which JupyterLab need not")
        arguments.append("--allow-root")
    if not browser:
        arguments.append("--no-browser")
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *arguments, str(notebook)])
