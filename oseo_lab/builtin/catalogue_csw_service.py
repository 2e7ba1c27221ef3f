"""One CSW 2.0.2 server: OWSLib writes its requests and takes its answers apart, the network is this house's.

OWSLib would follow any redirect, read answers of any length for any time and parse them with entities; so
its one method that talks is replaced: a request goes to the operator's address (or another on a named host),
an answer is bounded in bytes and seconds, and parsed by the house's hardened parser.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

from owslib.catalogue.csw2 import CatalogueServiceWeb
from owslib.util import bind_url, element_to_string

from oseo_lab.builtin.remote import open_http
from oseo_lab.encoding.xmltree import local_name, parse, text_of
from oseo_lab.model.errors import BadMessage, TooLarge

__all__ = ["DUBLIN_CORE", "ISO", "CswService", "Facts", "NoCsw", "RefusedByServer"]

#: Output schemas, as CSW names them.
ISO = "http://www.isotc211.org/2005/gmd"
DUBLIN_CORE = "http://www.opengis.net/cat/csw/2.0.2"
TYPE_NAMES = {ISO: "gmd:MD_Metadata", DUBLIN_CORE: "csw:Record"}

MOST_BYTES = 32 * 1024 * 1024
#: Seconds for one whole answer, however lively it drips.
MOST_SECONDS = 120.0
_TRIES = 3
#: How many records match, where a server does not say.
_UNTOLD = 1_000_000_000
_BUSY = (429, 502, 503, 504)
#: Declared encodings that are read beside UTF-8: old catalogues still write them.
_OLD = re.compile(
    rb"""^(<\?xml\s[^>]{0,100}?encoding\s*=\s*["'])(iso-8859-1|iso-8859-15|latin1|windows-1252)(["'])""",
    re.IGNORECASE,
)


class NoCsw(Exception):
    """What answered is no CSW, or not as one must."""


class RefusedByServer(Exception):
    """The server's own ExceptionReport.

    Parameters
    ----------
    text : str
        What it said.
    code : str
        Its exception code.
    """

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a server says of itself, as far as searches need it.

    Parameters
    ----------
    schemas : frozenset of str
        Output schemas of GetRecords; empty where it does not say.
    queryables : frozenset of str
        Names that filters may use, in lower case without prefix; empty where it does not say.
    address : str
        Where GetRecords is posted to.
    """

    schemas: frozenset[str]
    queryables: frozenset[str]
    address: str


class CswService(CatalogueServiceWeb):  # type: ignore[misc]  # OWSLib has no types
    """A server, asked through OWSLib over this house's network. For one thread, for one errand.

    Parameters
    ----------
    href : str
        The operator's address of it.
    hosts : sequence of str
        Where redirects and its own capabilities may lead, beside its own host.
    timeout : float
        Seconds without a byte.
    """

    def __init__(self, href: str, hosts: Sequence[str], timeout: float) -> None:
        super().__init__(href, version="2.0.2", timeout=timeout, skip_caps=True)
        self._href = href
        self._hosts = tuple(hosts)
        self._address = href
        self.found: list[Any] = []

    def facts(self) -> Facts:
        """Ask for the capabilities.

        Raises
        ------
        NoCsw, RefusedByServer, ProcessingFailed, OSError
            If there are none to be had.
        """
        self.request = urlencode({"service": "CSW", "version": self.version, "request": "GetCapabilities"})
        self._invoke()
        if local_name(self._exml.getroot()) != "Capabilities":
            raise NoCsw(f"GetCapabilities was answered with {local_name(self._exml.getroot())}")
        operation = next(
            (each for each in self._exml.iter("{*}Operation") if each.get("name") == "GetRecords"), None
        )
        if operation is None:
            raise NoCsw("its capabilities have no GetRecords")
        values: dict[str, set[str]] = {}
        for each in operation.iter("{*}Parameter", "{*}Constraint"):
            said = values.setdefault(str(each.get("name")).lower(), set())
            said.update((value.text or "").strip() for value in each.iter("{*}Value"))
        named = (said for name, said in values.items() if name.endswith("queryables"))
        return Facts(
            schemas=frozenset(values.get("outputschema", ())),
            queryables=frozenset(one.rpartition(":")[2].lower() for said in named for one in said),
            address=self._posted_to(operation),
        )

    def records(
        self, filters: Sequence[Any], *, schema: str, start: int, limit: int, sort: Any, address: str
    ) -> tuple[list[Any], int, int]:
        """Return a page of records as elements, how many match, and where the next page starts (0: nowhere).

        Parameters
        ----------
        filters : sequence
            Expressions of `owslib.fes`, all of which must hold.
        schema : str
            ``ISO`` or ``DUBLIN_CORE``.
        start, limit : int
            First record, from 1, and most of them.
        sort : owslib.fes.SortBy or None
            In which order.
        address : str
            Where to ask, of `facts`.

        Raises
        ------
        NoCsw, RefusedByServer, ProcessingFailed, OSError
            If they cannot be had.
        """
        self._address, self.found = address, []
        self.getrecords2(
            constraints=[list(filters)] if len(filters) > 1 else list(filters),
            typenames=TYPE_NAMES[schema],
            esn="full",
            outputschema=schema,
            startposition=start,
            maxrecords=limit,
            sortby=sort,
        )
        return self.found, self.results["matches"], self.results["nextrecord"]

    def _invoke(self) -> None:
        """Send the request that OWSLib has made and keep the answer for it; in place of OWSLib's own."""
        if isinstance(self.request, str):
            url, body = bind_url(self._href) + self.request, None
        else:
            url, body = self._address, element_to_string(self.request, encoding="utf-8")
        self._exml = self._answer(url, body).getroottree()
        root = self._exml.getroot()
        if local_name(root) == "ExceptionReport":
            raise _report(root)
        self.exceptionreport = None
        if local_name(root) not in ("Capabilities", "GetRecordsResponse"):
            raise NoCsw(f"it answered with {local_name(root)[:60]!r}")
        _complete(root)

    def _parserecords(self, outputschema: str, esn: str) -> None:
        """Keep the records' elements; `catalogue_csw_iso` and `catalogue_csw_dc` read them more patiently."""
        del outputschema, esn  # always what was asked for
        for results in self._exml.iter("{*}SearchResults"):
            self.found = [each for each in results if isinstance(each.tag, str)]

    def _answer(self, url: str, body: bytes | None) -> Any:
        """Return the root of what a server answers; its busy moments are waited for, shortly."""
        end = time.monotonic() + MOST_SECONDS
        headers = {"Accept": "application/xml, text/xml", "User-Agent": "oseo_lab"}
        if body is not None:
            headers["Content-Type"] = "application/xml; charset=UTF-8"
        for left in reversed(range(_TRIES)):
            try:
                with open_http(url, self._hosts, self.timeout, body=body, headers=headers) as opened:
                    return _parsed(_whole(opened, end))
            except HTTPError as refused:
                with refused:
                    if refused.code in _BUSY and left:
                        time.sleep(0.2)
                        continue
                    raise _explained(refused, end) from refused
            except HTTPException as broken:
                raise OSError(f"{type(broken).__name__}: {broken}") from broken
        raise NoCsw("it is never ready")  # the last try has returned or raised

    def _posted_to(self, operation: Any) -> str:
        """Return where the capabilities want GetRecords posted, if that host may be asked; else the href.

        Many servers tell an address of their inside, or of where they once were.
        """
        own = urlsplit(self._href)
        for each in operation.iter("{*}Post"):
            href = next((str(value) for name, value in each.items() if name.endswith("href")), "")
            if any((value.text or "").upper() == "SOAP" for value in each.iter("{*}Value")):
                continue
            parts = urlsplit(href)
            is_named = any(fnmatchcase((parts.hostname or "").lower(), pattern) for pattern in self._hosts)
            if parts.scheme in ("http", "https") and (parts.netloc == own.netloc or is_named):
                return href
        return self._href


def _whole(opened: IO[bytes], end: float) -> bytes:
    body = bytearray()
    read = getattr(opened, "read1", opened.read)
    while chunk := read(1 << 16):
        body += chunk
        if len(body) > MOST_BYTES:
            raise NoCsw(f"its answer is longer than {MOST_BYTES} bytes")
        if time.monotonic() > end:
            raise TimeoutError(f"no whole answer within {MOST_SECONDS:g} s")
    return bytes(body)


def _parsed(body: bytes) -> Any:
    old = _OLD.match(body)
    if old:
        body = body[old.end() :].decode(old[2].decode("ascii"), "replace").encode()
        body = old[1] + b"utf-8" + old[3] + body
    try:
        return parse(body)
    except (BadMessage, TooLarge) as wrong:
        raise NoCsw(f"its answer cannot be read: {wrong}") from wrong


def _explained(refused: HTTPError, end: float) -> Exception:
    """Return what an error answer says: the ExceptionReport inside, if there is one."""
    try:
        root = _parsed(_whole(refused, end))
    except (NoCsw, OSError, HTTPException):
        return refused
    return _report(root) if local_name(root) == "ExceptionReport" else refused


def _report(root: Any) -> RefusedByServer:
    """Return an ExceptionReport (OWS Common 1.0 to 2.0) as an exception."""
    texts: Iterable[str] = (" ".join(text_of(each).split()) for each in root.iter("{*}ExceptionText"))
    first = next(root.iter("{*}Exception"), None)
    attributes: Mapping[str, str] = {} if first is None else dict(first.attrib)
    code = str(attributes.get("exceptionCode") or "NoApplicableCode")
    said = "; ".join(filter(None, texts)) or code
    locator = attributes.get("locator")
    return RefusedByServer(f"{said} ({locator})"[:1000] if locator else said[:1000], code)


def _complete(root: Any) -> None:
    """Say in a page of results what servers leave out and OWSLib needs: the counts, the next record."""
    for results in root.iter("{*}SearchResults"):
        here = sum(isinstance(each.tag, str) for each in results)
        for name, instead in (("numberOfRecordsMatched", _UNTOLD), ("numberOfRecordsReturned", here)):
            if not (results.get(name) or "").strip().isdecimal():
                results.set(name, str(instead))
        if not (results.get("nextRecord") or "").strip().isdecimal():
            results.set("nextRecord", "-1" if here else "0")
