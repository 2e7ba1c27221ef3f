"""The official schemas, loaded from the shared test data: every message sent must be valid by them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from lxml import etree

__all__ = ["complaints", "schema_for"]


class _OnDisk(etree.Resolver):
    """Maps every official URL to its file below ``schemas/``; anything else is an error."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resolve(self, url: str, _public_id: str, context: object) -> object:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https"):
            return self.resolve_filename(str(self.folder / parts.netloc / parts.path.lstrip("/")), context)
        if Path(url).is_relative_to(self.folder):
            return None
        raise AssertionError(f"a schema asks for {url}, which is not part of the set")


@lru_cache
def schema_for(shared: Path) -> etree.XMLSchema:
    """Return one schema of OSEO 1.0, OWS 2.0, SWE Common 2.0 and both SOAP envelopes."""
    folder = shared / "schemas"
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_OnDisk(folder))
    return etree.XMLSchema(etree.parse(str(folder / "driver" / "all.xsd"), parser))


def complaints(shared: Path, document: bytes | etree._Element) -> list[str]:
    """Return what the official schema has against a document; nothing if it is valid."""
    schema = schema_for(shared)
    root = etree.fromstring(document) if isinstance(document, bytes) else document
    if schema.validate(root):
        return []
    return [str(each.message) for each in schema.error_log]
