"""``oseo-lab collections mount``: a collection file for what another OSEO server offers.

Asks the server for its options, so that they are offered here as they are there, and writes the file an
operator would have written by hand; nothing is changed that is there already.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oseo_lab.cli.output import say, secret_of, usage

if TYPE_CHECKING:
    from oseo_lab.model.messages import GetOptionsResponse

__all__ = ["mount"]

_FILE = """# {title}, ordered from {href}
id = {id}
title = {title}
provider = {provider}
options_document = {document}
{catalogue}
[products]
pattern = {pattern}
[provider_service]
use = "oseo"
href = {href}
collection = {collection}
{identity}"""


def mount(
    soap: Annotated[str, typer.Argument(help="SOAP endpoint of the other server.")],
    collection: Annotated[str, typer.Argument(help="Its collection id.")],
    into: Annotated[Path, typer.Option(help="Folder of collection files.")],
    provider: Annotated[str, typer.Option(help="What to call the other server here.")],
    own_id: Annotated[
        str | None, typer.Option("--id", help="Collection id here; the same by default.")
    ] = None,
    pattern: Annotated[str, typer.Option(help="Regular expression of its product identifiers.")] = ".+",
    user: Annotated[str | None, typer.Option(help="Account there.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with its password.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with a token, instead.")] = None,
    stac: Annotated[str | None, typer.Option(help="STAC API or catalogue of its products.")] = None,
) -> None:
    """Write a collection file for a collection of another OSEO server."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", own_id or collection).strip("._")[-80:] or "mounted"
    file, document = into / f"{name}.toml", into / f"{name}.options.xml"
    if not into.is_dir():
        raise usage(f"there is no folder {into}")
    if there := [each for each in (file, document) if each.exists()]:
        raise usage(f"{there[0]} is there already; move it away, or mount under another --id")
    _check_pattern(pattern)
    secrets = {"password_file": password_file, "token_file": token_file}
    said = {key: str(path.absolute()) for key, path in secrets.items() if path is not None}
    options = _options(soap, collection, user, said)
    values = {
        "id": own_id or collection,
        "title": f"{collection} of {provider}"[:255],
        "provider": provider,
        "document": document.name,
        "pattern": pattern,
        "href": soap,
        "collection": collection,
    }
    identity = {**({"user": user} if user else {}), **said}
    text = _FILE.format(
        **{key: _quoted(value) for key, value in values.items()},
        catalogue=_catalogue(stac),
        identity="".join(f"{key} = {_quoted(value)}\n" for key, value in identity.items()),
    )
    document.write_bytes(options)
    file.write_text(text, encoding="utf-8")
    say(f"{file} mounts {collection!r}; `oseo-lab collections check {into}` looks, a restart offers it")
    if stac is None:
        say("without --stac its products are ordered by their identifiers: no search finds them")


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as wrong:
        raise usage(f"--pattern {pattern[:60]!r} is no regular expression: {wrong}") from None


def _options(soap: str, collection: str, user: str | None, secrets: dict[str, str]) -> bytes:
    """Return the other server's options as a document: those of product orders, which alone are passed on."""
    import oseo_lab as oseo
    from oseo_lab.encoding.oseo import encode_response
    from oseo_lab.model.messages import GetOptions

    read = {key: secret_of(Path(path)) for key, path in secrets.items()}
    with oseo.connect(
        soap=soap, username=user, password=read.get("password_file"), token=read.get("token_file")
    ) as lab:
        answer = lab.transport.perform(GetOptions(collection_id=collection))
    answer = _product_orders(answer, collection)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + encode_response(answer) + b"\n"


def _product_orders(answer: GetOptionsResponse, collection: str) -> GetOptionsResponse:
    """Return an answer without the groups of standing orders and tasking: they are not passed on."""
    from oseo_lab.model.identifiers import OrderType

    taken = tuple(each for each in answer.order_options if each.order_type is OrderType.PRODUCT_ORDER)
    if not taken:
        raise usage(f"{collection[:60]!r} takes no product orders there, and only those are passed on")
    return replace(answer, order_options=taken)


def _catalogue(stac: str | None) -> str:
    """Return the catalogue's table; without one products are ordered by their identifiers."""
    if stac is not None:
        return f'[catalogue]\nuse = "stac"\nhref = {_quoted(stac)}\n'
    return '[catalogue]\nuse = "none"\n'


def _quoted(text: str) -> str:
    """Return a TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in escaped) + '"'
