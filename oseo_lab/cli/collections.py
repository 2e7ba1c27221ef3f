"""``oseo-lab collections``: what can be ordered from, and whether an operator's files are as they must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from oseo_lab.cli.mount import mount
from oseo_lab.cli.output import AsJson, Token, Url, connected, print_json, print_table, say, usage

__all__ = ["app"]

app = typer.Typer(help="Collections: what can be ordered from.", no_args_is_help=True)
app.command()(mount)


@app.command("list")
def list_collections(as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """List the collections of a server."""
    with connected(url, token) as lab:
        found = lab.collections
    if as_json:
        print_json(list(found.values()))
    else:
        print_table(("id", "title"), [(name, facts.get("title", "")) for name, facts in found.items()])


@app.command()
def show(
    collection: Annotated[str, typer.Argument(help="Collection id.")],
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Show the options of a collection."""
    from oseo_lab.client.options import Options

    with connected(url, token) as lab:
        offer = lab.offer(collection)
    if as_json:
        print_json(offer)
    else:
        print(repr(Options(offer.options, collection)))


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A collection file (TOML), or a folder of them.")],
    as_json: AsJson = False,
) -> None:
    """Check collection files as the server would at its start; every problem is named."""
    from oseo_lab.wiring import read_collections

    if path.is_dir():
        found = read_collections(path)
    elif path.is_file():
        found = _check_file(path)
    else:
        raise usage(f"there is nothing at {path}")
    if as_json:
        print_json({name: {"title": each.title, "processor": each.processor} for name, each in found.items()})
    else:
        say(f"{len(found)} collections are as they must be: {', '.join(found) or 'none'}")


def _check_file(path: Path) -> dict:  # type: ignore[type-arg]
    """Check one file as `wiring` checks a folder of them."""
    from oseo_lab.encoding.json_form import complete, read_collection
    from oseo_lab.plugins import load

    file = read_collection(path.read_text(encoding="utf-8"), folder=path.absolute().parent)
    processor = load("processor", file.processor)
    load("catalogue", file.catalogue)(file.id, file.catalogue_settings)
    collection = complete(file, processor.options, processor.scene_options, getattr(processor, "rules", ()))
    return {collection.id: collection}


@app.command()
def schema() -> None:
    """Print the JSON Schema of collection files."""
    from oseo_lab.encoding.json_form import collection_schema

    print(json.dumps(collection_schema(), indent=2, ensure_ascii=False))
