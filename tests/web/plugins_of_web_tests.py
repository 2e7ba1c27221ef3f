"""A processor and a catalogue for tests of the web floor: bytes out of nothing, every product there is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from jupyter_server.auth import Authorizer

from oseo_lab.model.job import Asset, CatalogueItem, ItemJob, Product
from oseo_lab.ports import CatalogueQuery, Inputs, ProcessingFailed, Workspace

#: More than two sockets hold between them (Linux: 4 MiB to send): who breaks off has not been sent it all.
SIZE = 6_000_000


def content(identifier: str) -> bytes:
    """What the data file of a product holds: SIZE bytes that depend on its identifier."""
    seed = hashlib.sha256(identifier.encode()).digest()
    return (seed * (SIZE // len(seed) + 1))[:SIZE]


class Bytes:
    """Makes one data file of a product."""

    options = ()
    scene_options = ()

    def __call__(self, item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
        path = workspace.path("data.bin")
        path.write_bytes(content(item.product.identifier))
        return [Product(path=str(path), name="data.bin", media_type="application/octet-stream")]


BYTES = Bytes()


class Everything:
    """Finds every identifier that begins with P; the collection "broken" never answers."""

    def __init__(self, collection_id: str, settings: object) -> None:
        self._collection_id = collection_id

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        return {each: self._item(each) for each in identifiers if each.startswith("P")}

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        if self._collection_id == "broken":
            raise ProcessingFailed("no answer from catalogue.example", retry=True)
        start = int(query.cursor or 0)
        found = [self._item(f"P{number}") for number in range(start, start + query.limit)]
        properties = {"asked": repr(query)}
        items = [
            CatalogueItem(identifier=each.identifier, collection_id=each.collection_id, properties=properties)
            for each in found
        ]
        return items, str(start + query.limit)

    def _item(self, identifier: str) -> CatalogueItem:
        hrefs = ("/srv/secret/a.tif", "file:///srv/secret/b.tif", "https://data.example/c.tif")
        is_local = identifier == "P-local"
        return CatalogueItem(
            identifier=identifier,
            collection_id=self._collection_id,
            assets=tuple(Asset(name=each[-5], href=each) for each in hrefs if is_local),
            thumbnail="/srv/secret/t.png" if is_local else None,
        )


class NoWriting(Authorizer):
    """Lets everybody look and nobody order."""

    def is_authorized(self, handler: object, user: object, action: str, resource: str) -> bool:
        return not (resource == "oseo_lab:orders" and action == "write")
