"""What the commands share: exit codes, where text goes, the options that find a server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from oseo_lab.client.lab import Lab

__all__ = [
    "FAILED",
    "OK",
    "PARTLY",
    "STILL_RUNNING",
    "USAGE",
    "AsJson",
    "Token",
    "Url",
    "connected",
    "pairs",
    "print_json",
    "print_table",
    "say",
    "secret_of",
    "usage",
]

OK, FAILED, USAGE, PARTLY, STILL_RUNNING = range(5)

Url = Annotated[
    str | None, typer.Option("--url", help="Base URL of the server; found by itself where it can be.")
]
Token = Annotated[
    str | None,
    typer.Option("--token", help="Jupyter token; better in OSEO_LAB_TOKEN, where ps does not show it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]


def say(text: str) -> None:
    """Tell the person at the terminal; programs read stdout."""
    from oseo_lab.model.plain import plain_text

    print(plain_text(text), file=sys.stderr, flush=True)


def usage(text: str) -> typer.BadParameter:
    """Return the error of a wrong argument (exit code 2)."""
    return typer.BadParameter(text)


def connected(url: str | None, token: str | None) -> Lab:
    """Return the service that the options or the surroundings name."""
    from oseo_lab.client.connecting import connect

    return connect(url, token)


def print_json(value: Any) -> None:
    """Print one value as JSON, model values included."""
    from oseo_lab.encoding.json_form import to_plain

    is_read = sys.stdout.isatty()  # by a person, whose terminal obeys what it prints
    text = json.dumps(to_plain(value), ensure_ascii=False, indent=2 if is_read else None)
    print("".join(_escaped(each) for each in text) if is_read and not text.isprintable() else text)


def _escaped(character: str) -> str:
    """Return a character of JSON, escaped if it is not printed."""
    return character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1]


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; into a pipe, tab-separated lines without a head."""
    from oseo_lab.model.plain import plain_line

    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(plain_line(str(cell)) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in head:
        table.add_column(name, no_wrap=name == "id")  # an id is there to be copied whole
    for row in rows:
        table.add_row(*(Text(plain_line(str(cell))) for cell in row))
    Console().print(table)


def secret_of(path: Path) -> str:
    """Return the password or token that a file holds."""
    try:
        said = path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as wrong:
        raise usage(f"{path} cannot be read: {getattr(wrong, 'strerror', None) or 'it is no text'}") from None
    if not said:
        raise usage(f"{path} is empty; it holds the password or token, and nothing else")
    return said


def pairs(given: Iterable[str], what: str) -> dict[str, str]:
    """Read ``name=value`` arguments."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise usage(f"{what} {each!r} is written name=value")
        found[name] = value
    return found
