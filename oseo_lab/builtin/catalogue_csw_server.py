"""The server behind a CSW catalogue: what it can do, its records page by page, and what went wrong.

Stateless but for its capabilities, which are asked for once an hour: any thread may ask.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oseo_lab.builtin.catalogue_items import CatalogueFailed
from oseo_lab.encoding.xmltree import local_name
from oseo_lab.ports import ProcessingFailed

if TYPE_CHECKING:
    from oseo_lab.builtin.catalogue_csw_service import CswService, Facts

__all__ = ["CswServer"]

_KNOWN_FOR = 3600.0  # seconds that a server's capabilities are remembered
_MOST_RECORDS = 100_000  # of one errand, however many a server has
#: What any CSW can be filtered by, where its capabilities do not list it (07-006r1, table 53; 07-045).
_CORE = frozenset({"anytext", "identifier", "boundingbox"})
_OF_ISO = frozenset({"tempextent_begin", "tempextent_end", "parentidentifier"})


class CswServer:
    """One server, for one collection.

    Parameters
    ----------
    collection_id : str
        For what goes wrong.
    href : str
        The operator's address of it.
    hosts : sequence of str
        Where redirects and its own capabilities may lead, its own host among them.
    schema : str
        ``iso`` or ``dc``; empty for what it offers, ISO 19139 first.
    timeout : float
        Seconds without a byte.
    page : int
        Records asked for at a time.
    """

    def __init__(
        self, collection_id: str, href: str, *, hosts: Sequence[str], schema: str, timeout: float, page: int
    ) -> None:
        self._collection_id = collection_id
        self._href = href
        self._hosts = hosts
        self._schema = schema
        self._timeout = timeout
        self._page = page
        self._facts: tuple[float, Facts] | None = None
        self._lock = threading.Lock()

    def _known(self) -> Facts:
        """Return the server's capabilities, asked for once an hour."""
        with self._lock:
            known = self._facts
        if known is None or known[0] < time.monotonic():
            known = time.monotonic() + _KNOWN_FOR, self._asked(lambda service: service.facts())
            with self._lock:
                self._facts = known
        return known[1]

    def schema(self) -> str:
        """Return which records are asked for: ``iso`` or ``dc``."""
        from oseo_lab.builtin.catalogue_csw_service import ISO

        return self._schema or ("iso" if ISO in self._known().schemas else "dc")

    def can(self, name: str) -> bool:
        """Whether a property can be filtered by: its name in lower case, without prefix."""
        assumed = _CORE | _OF_ISO if self.schema() == "iso" else _CORE
        return name in (self._known().queryables or assumed)

    def records(self, filters: Sequence[Any], sort: Any) -> Iterator[Any]:
        """Yield the records that match, as elements, page after page.

        Parameters
        ----------
        filters : sequence
            Expressions of `owslib.fes`, all of which must hold.
        sort : owslib.fes.SortBy or None
            In which order.

        Raises
        ------
        CatalogueFailed
            If the server cannot be asked now.
        """
        from oseo_lab.builtin.catalogue_csw_service import DUBLIN_CORE, ISO

        schema, address = ISO if self.schema() == "iso" else DUBLIN_CORE, self._known().address
        start, read = 1, 0
        while start > 0:
            found, matched, following = self._asked(
                lambda service, at=start: service.records(
                    filters, schema=schema, start=at, limit=self._page, sort=sort, address=address
                )
            )
            read += len(found)
            yield from (each for each in found if _is_record(each))
            if following < 0:  # the server does not say
                following = start + len(found)
            goes_on = found and start < following and read < min(matched, _MOST_RECORDS)
            start = following if goes_on else 0

    def _asked(self, ask: Any) -> Any:
        """Do one errand at the server; say what went wrong as a catalogue does."""
        from oseo_lab.builtin.catalogue_csw_service import CswService, NoCsw, RefusedByServer

        service: CswService = CswService(self._href, self._hosts, self._timeout)
        try:
            return ask(service)
        except RefusedByServer as refused:
            raise self._failed(refused, retry=False, said=str(refused)) from refused
        except NoCsw as wrong:
            raise self._failed(wrong, retry=False) from wrong
        except ProcessingFailed as elsewhere:
            raise self._failed(elsewhere, retry=False, said=elsewhere.reason) from elsewhere
        except OSError as broken:
            raise self._failed(broken, retry=_may_pass(broken)) from broken
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as wrong:
            raise self._failed(wrong, retry=False) from wrong  # OWSLib met what it did not expect

    def _failed(self, why: Exception, *, retry: bool, said: str = "") -> CatalogueFailed:
        host = urlsplit(self._href).netloc.rpartition("@")[2]
        then = "it is tried again" if retry else "the operator must look at it"
        told = f": {said[:500].rstrip('.')}" if said else ""
        return CatalogueFailed(
            f"the catalogue of {self._collection_id} at {host} does not answer as it should{told}; {then}",
            retry=retry,
            detail=f"{type(why).__name__}: {str(why)[:2000]}",
        )


def _is_record(element: Any) -> bool:
    return local_name(element) in ("MD_Metadata", "MI_Metadata", "Record", "SummaryRecord", "BriefRecord")


def _may_pass(broken: OSError) -> bool:
    """Whether asking again may help: no answer, an overload, or a fault of the server."""
    code = getattr(broken, "code", None)
    return code is None or code >= 500 or code == 429
