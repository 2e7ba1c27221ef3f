"""``oseo-lab collections``: what can be ordered from, and whether an operator's files are as they must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oseo_lab.cli.mount import mount
from oseo_lab.cli.output import (
    FAILED,
    AsJson,
    Token,
    Url,
    connected,
    print_json,
    print_table,
    say,
    usage,
)

if TYPE_CHECKING:
    from oseo_lab.model.collection import Collection

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
    ask: Annotated[bool, typer.Option(help="Ask each catalogue for its newest product, too.")] = False,
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
    answers = {name: _answer_of(each) for name, each in found.items()} if ask else {}
    if as_json:
        facts = {name: {"title": each.title, "processor": each.processor} for name, each in found.items()}
        print_json(
            {name: each | ({"answers": answers[name][1]} if ask else {}) for name, each in facts.items()}
        )
    else:
        say(f"{len(found)} collections are as they must be: {', '.join(found) or 'none'}")
        for name, (good, text) in answers.items():
            print(f"{'ok  ' if good else 'BAD '} {name}: {text}")
    if not all(good for good, _ in answers.values()):
        raise typer.Exit(FAILED)


def _answer_of(collection: Collection) -> tuple[bool, str]:
    """Return whether a collection's catalogue answers, and what there is to say of it."""
    from oseo_lab.model.errors import NotSupported, OseoError
    from oseo_lab.plugins import load
    from oseo_lab.ports import CatalogueQuery, ProcessingFailed

    try:
        catalogue = load("catalogue", collection.catalogue)(collection.id, collection.catalogue_settings)
        newest, more = catalogue.search(CatalogueQuery(limit=1))
    except NotSupported as unasked:
        return True, str(unasked)
    except ProcessingFailed as failed:
        return False, f"{failed.reason} ({failed.detail})" if failed.detail else failed.reason
    except (OseoError, OSError) as wrong:
        return False, str(wrong)
    if not newest:
        return True, "it answers and holds no products"
    first = newest[0]
    can = "can be ordered" if first.orderable else f"cannot be ordered: {first.reason}"
    return True, f"it answers; {'the newest' if more else 'its only'} product {first.identifier} {can}"


def _check_file(path: Path) -> dict:  # type: ignore[type-arg]
    """Check one file as `wiring` checks a folder of them."""
    from oseo_lab.encoding.json_form import complete, read_collection
    from oseo_lab.plugins import load
    from oseo_lab.wiring.reading import try_catalogue

    file = read_collection(path.read_text(encoding="utf-8"), folder=path.absolute().parent)
    processor = load("processor", file.processor)
    try_catalogue(file)
    collection = complete(file, processor.options, processor.scene_options, getattr(processor, "rules", ()))
    return {collection.id: collection}


@app.command()
def schema() -> None:
    """Print the JSON Schema of collection files."""
    from oseo_lab.encoding.json_form import collection_schema

    print(json.dumps(collection_schema(), indent=2, ensure_ascii=False))
