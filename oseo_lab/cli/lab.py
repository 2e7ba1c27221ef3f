"""``oseo-lab lab``: JupyterLab at a notebook, with the service running and the demo collections loaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from oseo_lab.cli.output import say

__all__ = ["lab"]

#: JupyterLab asks its makers for news and newer versions; this works without a network, and asks nobody.
_NO_NETWORK = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


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
    if not notebook.exists():
        raise ConfigurationError(f"there is no notebook or folder {notebook}; name one: oseo-lab lab PATH")
    data_dir, notebook = data_dir.absolute(), notebook.absolute()
    folder = notebook if notebook.is_dir() else notebook.parent
    collections = make_demo(data_dir / "demo", say=say)
    arguments = [
        "--ServerApp.jpserver_extensions={'oseo_lab': True, 'jupyterlab': True}",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{quote('' if notebook.is_dir() else notebook.name)}",
        f"--OseoLab.data_dir={data_dir}",
        f"--OseoLab.collections={collections}",
        "--OseoLab.callback_hosts=127.0.0.1",  # webhooks of your own computer; the service is yours alone
        f"--port={port}",
        *_NO_NETWORK,
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        say("oseo-lab: running as root, which JupyterLab need not")
        arguments.append("--allow-root")
    if not browser:
        arguments.append("--no-browser")
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *arguments])
