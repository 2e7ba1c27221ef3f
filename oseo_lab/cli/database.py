"""``oseo-lab db``: the order store's tables brought up to date, and a copy of it while it is in use."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from oseo_lab.cli.operator import DataDir, operator_settings
from oseo_lab.cli.output import say

__all__ = ["app"]

app = typer.Typer(help="The order store.", no_args_is_help=True)


@app.command()
def upgrade(data_dir: DataDir = None) -> None:
    """Bring the order store to this version's tables; an SQLite file is copied first."""
    from oseo_lab.store import upgrade as bring_up
    from oseo_lab.wiring import database_url

    settings = operator_settings(data_dir)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    copy = bring_up(database_url(settings))
    say("the order store is up to date" + (f"; as it was before: {copy}" if copy else ""))


@app.command()
def backup(
    to: Annotated[
        Path | None, typer.Option(help="File to write; dated, beside the store, by default.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Copy the order store, while it is in use, into a new file; prints its path."""
    from oseo_lab.store import backup as copy
    from oseo_lab.wiring import database_url

    settings = operator_settings(data_dir)
    target = to or settings.data_dir / f"orders-{datetime.now(UTC):%Y%m%dT%H%M%S}.sqlite"
    print(copy(database_url(settings), target))
