"""What operators' commands share: the settings the server itself would run with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oseo_lab.cli.jupyter import without_iris

if TYPE_CHECKING:
    from oseo_lab.ports import OrderStore
    from oseo_lab.settings import Settings

__all__ = ["DataDir", "operator_settings", "store"]

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="The service's data folder; as configured for the server by default."),
]


def operator_settings(data_dir: Path | None = None) -> Settings:
    """Return the settings of a server started here: configuration files, then OSEO_LAB_ variables.

    Parameters
    ----------
    data_dir : Path or None
        Said on the command line; wins.
    """
    with without_iris():
        from jupyter_server.serverapp import ServerApp

        from oseo_lab.extension import OseoLab

    server = ServerApp()
    server.load_config_file(suppress_errors=False)
    settings = OseoLab(config=server.config).to_settings()
    return settings if data_dir is None else replace(settings, data_dir=data_dir.expanduser().absolute())


@contextmanager
def store(data_dir: Path | None) -> Iterator[OrderStore]:
    """Open the order store of the service, brought up to date, and close it."""
    from oseo_lab.store import open_store
    from oseo_lab.wiring import database_url

    settings = operator_settings(data_dir)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    opened = open_store(database_url(settings))
    try:
        yield opened
    finally:
        opened.close()
