"""``oseo-lab``: nouns and verbs for scientists and operators, beside the Python client.

What is asked for goes to stdout (``--json`` for programs), everything else to stderr. Exit codes: 0 ok,
1 failed, 2 wrong usage, 3 partly, 4 still running. Each command imports what it needs when it runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from oseo_lab.cli import balances, collections, config, database, desk, orders, quotations, users
from oseo_lab.cli.conformance import conformance
from oseo_lab.cli.doctor import doctor
from oseo_lab.cli.lab import lab
from oseo_lab.cli.output import FAILED, STILL_RUNNING, say
from oseo_lab.cli.search import search
from oseo_lab.cli.serve import serve
from oseo_lab.model.errors import OseoError

__all__ = ["app", "main"]

app = typer.Typer(
    name="oseo-lab",
    help="Order Earth-observation products, and serve those who do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(orders.app, name="orders")
app.add_typer(quotations.app, name="quotations")
app.add_typer(balances.app, name="balances")
app.add_typer(desk.app, name="desk")
app.add_typer(collections.app, name="collections")
app.add_typer(config.app, name="config")
app.add_typer(users.app, name="users")
app.add_typer(database.app, name="db")
app.command()(search)
app.command()(serve)
app.command()(lab)
app.command()(doctor)
app.command()(conformance)


@app.command()
def demo(
    data_dir: Annotated[Path, typer.Option(help="Where everything it makes is kept.")] = Path(".demo"),
) -> None:
    """Send a real order to a service of its own, follow it, fetch it, check it."""
    from rich.console import Console

    from oseo_lab.cli.demo import run

    raise typer.Exit(run(data_dir, Console()))


def main() -> None:
    """Run the command line; every refusal is one message and an exit code."""
    try:
        app()
    except OseoError as refused:
        say(f"oseo-lab: {refused}")
        sys.exit(refused.exit_code)
    except KeyboardInterrupt as left:
        say(str(left) or "interrupted")
        sys.exit(STILL_RUNNING if str(left) else 130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has had enough (head, less): nothing to complain about
        sys.exit(FAILED)
