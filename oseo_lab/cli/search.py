"""``oseo-lab search``: products of a collection, as a table, as JSON lines, or as identifiers to pipe on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from oseo_lab.cli.output import AsJson, Token, Url, connected, pairs, print_table, say, usage

__all__ = ["AreaCrs", "AreaOption", "read_area", "search"]

AreaOption = Annotated[
    str | None,
    typer.Option("--area", help="west,south,east,north in degrees, WKT, or a GeoJSON file."),
]
AreaCrs = Annotated[
    str | None, typer.Option("--area-crs", help="CRS of the area, if not degrees: EPSG:32632.")
]


def read_area(given: str | None) -> Any:
    """Return an area option as the client takes it: corners, WKT or GeoJSON."""
    if given is None:
        return None
    parts = given.split(",")
    if len(parts) == 4 and "(" not in given:
        try:
            return tuple(float(part) for part in parts)
        except ValueError:
            raise usage(f"area {given!r} is four numbers: west,south,east,north") from None
    path = Path(given)
    if path.suffix.lower() in (".json", ".geojson"):
        if not path.is_file():
            raise usage(f"there is no file {given}")
        return json.loads(path.read_text(encoding="utf-8"))
    return given


def search(
    collection: Annotated[str, typer.Argument(help="Collection id; `oseo-lab collections list` shows them.")],
    area: AreaOption = None,
    area_crs: AreaCrs = None,
    time: Annotated[str | None, typer.Option(help="2024-06, 2024-06-01/2024-06-30, ../2024-06.")] = None,
    text: Annotated[str | None, typer.Option(help="Words in identifiers or properties.")] = None,
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="A property, such as cloud_cover_lt=20; may repeat.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most products.")] = 100,
    ids: Annotated[bool, typer.Option("--ids", help="Identifiers alone, one a line.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Find products that can be ordered."""
    from oseo_lab.encoding.json_form import to_plain

    with connected(url, token) as lab:
        place = read_area(area)
        found = lab.search(
            collection, place, time, text, limit=limit, area_crs=area_crs, **pairs(filters or (), "--filter")
        )
    if as_json:
        for each in found:
            print(json.dumps(to_plain(each), ensure_ascii=False))
    elif ids:
        for identifier in found.ids:
            print(identifier)
    else:
        rows = [
            (
                each.identifier,
                "" if each.datetime is None else f"{each.datetime:%Y-%m-%d %H:%M}",
                _orderable(each),
            )
            for each in found
        ]
        print_table(("id", "time (UTC)", "can be ordered"), rows)
        say(repr(found))


def _orderable(product: Any) -> str:
    from oseo_lab.client.found import can_be_ordered

    return can_be_ordered(product)
