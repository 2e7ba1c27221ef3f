"""The two versions of SOAP: their namespaces, content types, and what is refused before a message is read.

Below `soap` (opening) and `soap_closing` (answers and faults). Sources: SOAP 1.1 sections 4 and 6, SOAP 1.2
part 1 section 5 and part 2 section 7.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from oseo_lab.model.errors import BadMessage

__all__ = [
    "MEDIA_TYPES",
    "WSA",
    "MustUnderstand",
    "SoapVersion",
    "UnsupportedMediaType",
    "VersionMismatch",
    "content_type",
    "http_headers",
    "version_of",
]

#: Namespace of WS-Addressing.
WSA = "http://www.w3.org/2005/08/addressing"


class SoapVersion(Enum):
    """A SOAP version; its value is the envelope's namespace."""

    V11 = "http://schemas.xmlsoap.org/soap/envelope/"
    V12 = "http://www.w3.org/2003/05/soap-envelope"

    @property
    def number(self) -> str:
        """Return ``1.1`` or ``1.2``."""
        return "1.1" if self is SoapVersion.V11 else "1.2"


MEDIA_TYPES = {SoapVersion.V11: "text/xml", SoapVersion.V12: "application/soap+xml"}


class UnsupportedMediaType(BadMessage):
    """The body is of a content type that carries no SOAP."""

    http_status = 415


class VersionMismatch(BadMessage):
    """The envelope is of a SOAP version there is not."""

    fault_code: ClassVar[str] = "VersionMismatch"


class MustUnderstand(BadMessage):
    """A header must be understood, and is not."""

    fault_code: ClassVar[str] = "MustUnderstand"


def content_type(version: SoapVersion) -> str:
    """Return the content type of an answer."""
    return f"{MEDIA_TYPES[version]}; charset=utf-8"


def http_headers(version: SoapVersion, action: str) -> dict[str, str]:
    """Return the HTTP headers of a request: SOAPAction in SOAP 1.1, the ``action`` parameter in 1.2."""
    if version is SoapVersion.V11:
        return {"Content-Type": content_type(version), "SOAPAction": f'"{action}"'}
    return {"Content-Type": f'{content_type(version)}; action="{action}"'}


def version_of(content_type: str | None, body: bytes = b"") -> SoapVersion:
    """Guess the version to answer in where a request could not be opened; SOAP 1.1 if nothing tells."""
    if SoapVersion.V12.value.encode() in body[:4096]:
        return SoapVersion.V12
    if SoapVersion.V11.value.encode() in body[:4096] or not content_type:
        return SoapVersion.V11
    named = content_type.partition(";")[0].strip().lower()
    return SoapVersion.V12 if named == MEDIA_TYPES[SoapVersion.V12] else SoapVersion.V11
