"""The official schemas, where somebody has a copy of them: what they have against a message.

For those who check others, such as the conformance suite. Nothing is fetched: a folder holds the files as
``<host>/<path>`` of their official addresses, and an address that is not there is an error. The service
itself never needs them (see `checking`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from oseo_lab.model.errors import ConfigurationError

__all__ = ["OfficialSchemas"]

#: What is loaded: namespace and official address. SOAP's Body is lax, so whatever is known here is checked.
_ROOTS = (
    ("http://schemas.xmlsoap.org/soap/envelope/", "http://schemas.xmlsoap.org/soap/envelope/envelope.xsd"),
    ("http://www.w3.org/2003/05/soap-envelope", "http://www.w3.org/2003/05/soap-envelope/soap-envelope.xsd"),
    ("http://www.w3.org/2005/08/addressing", "http://www.w3.org/2005/08/addressing/ws-addr.xsd"),
    ("http://docs.oasis-open.org/wsn/b-2", "http://docs.oasis-open.org/wsn/b-2.xsd"),
    ("http://www.opengis.net/oseo/1.0", "http://schemas.opengis.net/oseo/1.0/oseo.xsd"),
)
_DRIVER = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:oseo_lab:all">{}</xs:schema>'
)


class _Folder(etree.Resolver):
    """Maps every official address to its file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.missing: list[str] = []

    def resolve(self, system_url: str, _public_id: str, context: Any) -> Any:  # type: ignore[override]
        parts = urlsplit(system_url)
        if parts.scheme not in ("http", "https"):
            return None
        path = self.folder / parts.netloc / parts.path.lstrip("/")
        if not path.is_file():
            self.missing.append(system_url)
            return self.resolve_string("<absent/>", context)  # type: ignore[call-arg]
        return self.resolve_filename(str(path), context)  # type: ignore[attr-defined]


class OfficialSchemas:
    """OSEO 1.0, OWS 2.0, SWE Common 2.0, WS-Notification and both SOAP envelopes as one schema.

    Parameters
    ----------
    folder : Path
        Holds the files as ``<host>/<path>``: ``schemas.opengis.net/oseo/1.0/oseo.xsd`` and so on.

    Raises
    ------
    ConfigurationError
        If a file is not there; says which.
    """

    def __init__(self, folder: Path) -> None:
        resolver = _Folder(folder)
        parser = etree.XMLParser(no_network=True)
        parser.resolvers.add(resolver)
        imports = "".join(
            f'<xs:import namespace="{namespace}" schemaLocation="{location}"/>'
            for namespace, location in _ROOTS
        )
        driver = etree.fromstring(_DRIVER.format(imports).encode(), parser, base_url="urn:oseo_lab:all")
        try:
            self._schema = etree.XMLSchema(driver)
        except etree.XMLSchemaParseError as wrong:
            missing = ", ".join(sorted(set(resolver.missing))[:5]) or str(wrong)
            raise ConfigurationError(
                f"the official schemas below {folder} are not whole: {missing}; files lie as <host>/<path>"
            ) from None

    def complaints(self, element: etree._Element) -> list[str]:
        """Return what the schemas have against an element; nothing if it is valid."""
        if self._schema.validate(element):
            return []
        found: Any = self._schema.error_log
        return [str(each.message) for each in found]
