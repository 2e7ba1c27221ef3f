"""Products as scientists have them at hand, made into what an order takes.

Identifiers, products of a search, pystac items and collections, results of eodag, GeoJSON, tables, CSV files.
Nothing of those libraries is imported: a thing is known by what it has.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from oseo_lab.client.given import read_whole
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import CatalogueItem

__all__ = ["as_items"]

#: Columns and properties that hold identifiers, in lower case without ``_`` and ``-``; the first counts.
_ID_NAMES = (
    "identifier",
    "productid",
    "productidentifier",
    "id",
    "product",
    "sceneid",
    "scene",
    "granule",
    "title",
)
_COLLECTION_NAMES = ("collection", "collectionid", "parentidentifier", "producttype")
_TABLES = (".csv", ".tsv", ".txt")
_DOCUMENTS = (".json", ".geojson")
_ALLOWED = (
    "what lab.search(...) found, identifiers with collection=..., a pystac Item or ItemCollection, a result "
    "of eodag, GeoJSON, a pandas column or table, a CSV file or text with a column id, identifier, productId"
)


def as_items(products: Any, collection: str | None = None) -> list[CatalogueItem | str]:
    """Return products of a catalogue, and identifiers, from whatever a scientist has at hand.

    Parameters
    ----------
    products : any
        One product or several: `CatalogueItem`, identifier, pystac Item, ItemCollection or ItemSearch,
        product or search result of eodag, GeoJSON feature(s), pandas Series or DataFrame, path of a CSV or
        GeoJSON file, CSV text.
    collection : str, optional
        What they are ordered from; what other libraries call their collection does not count then.

    Raises
    ------
    ValidationError
        If one is none of these; the text says what is allowed.
    """
    products = list(products) if isinstance(products, Iterator) else products
    found = list(_each(products))
    if collection is None:
        return found
    return [each if isinstance(each, str) or _is_ours(products) else each.identifier for each in found]


def _is_ours(products: Any) -> bool:
    """Whether the products say our own collections: a mix-up of those is told."""
    if isinstance(products, CatalogueItem):
        return True
    several = isinstance(products, Sequence) and not isinstance(products, str)
    return several and all(isinstance(each, CatalogueItem | str) for each in products)


def _each(given: Any) -> Iterator[CatalogueItem | str]:
    if isinstance(given, CatalogueItem):
        yield given
    elif isinstance(given, str):
        yield from _of_text(given)
    elif isinstance(given, Path):
        yield from _of_file(given)
    elif isinstance(given, Mapping):
        yield from _of_geojson(given)
    elif hasattr(given, "columns") and hasattr(given, "to_dict"):
        yield from _of_rows(given.to_dict("records"), [str(each) for each in given.columns], given.index)
    elif (one := _of_product(given)) is not None:
        yield one
    elif callable(getattr(given, "item_collection", None)):  # pystac-client's ItemSearch
        yield from _each(given.item_collection())
    elif callable(getattr(given, "tolist", None)):  # a column of pandas or numpy: numbers may be names there
        for each in given.tolist():
            yield from _one(str(each) if isinstance(each, int) else each)
    elif isinstance(given, Iterable):
        for each in given:
            yield from _one(each)
    else:
        raise _strange(given)


def _one(given: Any) -> Iterator[CatalogueItem | str]:
    """Yield one of several products: a text among them is an identifier, whatever it looks like."""
    if isinstance(given, str):
        yield given.strip()
    elif isinstance(given, CatalogueItem | Mapping) or hasattr(given, "properties"):
        yield from _each(given)
    else:
        raise _strange(given)


def _strange(given: Any) -> ValidationError:
    return ValidationError(f"{given!r:.60} is no product; allowed: {_ALLOWED}", locator="orderItem")


def _of_text(text: str) -> Iterator[CatalogueItem | str]:
    """Yield what a text says: an identifier, a file's name, or CSV."""
    if "\n" in text.strip():
        yield from _of_csv(text)
    elif Path(text).suffix.lower() in (*_TABLES, *_DOCUMENTS):
        yield from _of_file(Path(text))
    else:
        yield text.strip()


def _of_file(path: Path) -> Iterator[CatalogueItem | str]:
    text = read_whole(path.expanduser(), "orderItem")
    if path.suffix.lower() not in _DOCUMENTS:
        yield from _of_csv(text)
        return
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise ValidationError(f"{path} is no JSON: {wrong}", locator="orderItem") from None
    yield from _each(document) if isinstance(document, Mapping | list) else _one(document)


def _of_csv(text: str) -> Iterator[CatalogueItem | str]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    try:
        read = list(csv.reader(io.StringIO(text.strip()), delimiter=delimiter))
    except csv.Error as wrong:
        raise ValidationError(f"this is no CSV: {wrong}", locator="orderItem") from None
    rows = [row for row in ([cell.strip() for cell in each] for each in read) if any(row)]
    if not rows:
        return
    head = rows[0]
    if _named(head, _ID_NAMES) is None and max(map(len, rows)) == 1:
        yield from (row[0] for row in rows)  # identifiers alone, without a title
        return
    yield from _of_rows([dict(zip(head, row, strict=False)) for row in rows[1:]], head, None)


def _of_rows(
    rows: Iterable[Mapping[Any, Any]], columns: Sequence[str], index: Any
) -> Iterator[CatalogueItem | str]:
    """Yield the products of a table, whose column of identifiers is known by its name."""
    column = _named(columns, _ID_NAMES)
    if column is None and index is not None and _named([str(index.name)], _ID_NAMES):
        yield from (str(each) for each in index)
        return
    if column is None:
        raise ValidationError(
            f"no column holds identifiers: {', '.join(columns)[:200]}; call it id, identifier or productId",
            locator="orderItem",
        )
    place = _named(columns, _COLLECTION_NAMES)
    for row in rows:
        identifier = row.get(column)
        if identifier in (None, "") or identifier != identifier:  # an empty cell, or NaN
            continue
        home = row.get(place) if place else None
        yield _product(identifier, home)


def _of_geojson(given: Mapping[str, Any]) -> Iterator[CatalogueItem | str]:
    if given.get("type") == "FeatureCollection":
        features = given.get("features")
        for each in features if isinstance(features, list | tuple) else [features]:
            if not isinstance(each, Mapping) or each.get("type") == "FeatureCollection":
                raise _strange(each)
            yield from _of_geojson(each)
        return
    properties = given.get("properties") or {}
    if given.get("type") != "Feature" or not isinstance(properties, Mapping):
        raise _strange(given)
    name = _named([str(each) for each in properties], _ID_NAMES)
    identifier = given.get("id") or (properties[name] if name else None)
    if not identifier:
        raise ValidationError(
            f"a feature has no id: {str(dict(properties))[:100]}; give it one, or a property identifier",
            locator="orderItem",
        )
    if not isinstance(identifier, str | int | float) or identifier != identifier:
        raise _strange(identifier)
    home = given.get("collection") or next(
        (properties[each] for each in ("collection",) if each in properties), None
    )
    yield _product(identifier, home, given.get("geometry"), given.get("bbox"), properties)


def _of_product(given: Any) -> CatalogueItem | str | None:
    """Return what another library's product is: pystac's Item, eodag's EOProduct; None if it is none."""
    properties = getattr(given, "properties", None)
    if not isinstance(properties, Mapping):
        return None
    name = _named([str(each) for each in properties], _ID_NAMES)
    identifier = getattr(given, "id", None) or (properties[name] if name else None)
    if not identifier:
        return None
    home = next((found for each in _HOMES if isinstance(found := getattr(given, each, None), str)), None)
    geometry = getattr(given, "geometry", None)
    shape = geometry if isinstance(geometry, Mapping) else getattr(geometry, "__geo_interface__", None)
    return _product(identifier, home, shape, getattr(given, "bbox", None), properties)


#: Where other libraries' products say their collection.
_HOMES = ("collection_id", "collection", "product_type")


def _product(
    identifier: Any,
    home: Any,
    geometry: Any = None,
    bbox: Any = None,
    properties: Mapping[str, Any] | None = None,
) -> CatalogueItem | str:
    """Return a product of a collection that is told, else its identifier alone."""
    name = (
        str(int(identifier)) if isinstance(identifier, float) and identifier.is_integer() else str(identifier)
    )
    if not isinstance(home, str) or not home.strip():
        return name.strip()
    corners = list(bbox) if isinstance(bbox, Iterable) and not isinstance(bbox, str) else []
    is_box = len(corners) == 4 and all(isinstance(each, int | float) for each in corners)
    box = tuple(float(each) for each in corners) if is_box else None
    return CatalogueItem(
        identifier=name.strip(),
        collection_id=home.strip(),
        geometry=geometry if isinstance(geometry, Mapping) else None,
        bbox=box,  # type: ignore[arg-type]  # four, counted above
        properties=dict(properties or {}),
    )


def _named(names: Sequence[str], known: Sequence[str]) -> str | None:
    """Return the name that is known, the most telling first; None if none is."""
    plain = {
        name.lower().replace("_", "").replace("-", "").replace(" ", ""): name for name in reversed(names)
    }
    return next((plain[each] for each in known if each in plain), None)
