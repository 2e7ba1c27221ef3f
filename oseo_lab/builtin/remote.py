"""Asking somebody else's server: redirects lead only to hosts that the collection names.

An asset's href was judged by the catalogue (`catalogue_assets`); where its server then points is judged
here. GDAL follows redirects anywhere and cannot be told not to, so it is given a URL only after a look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from http.client import HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from oseo_lab.model.job import FailureClass, ItemJob
from oseo_lab.ports import ProcessingFailed

__all__ = ["check_redirects", "hosts_of", "is_http", "open_http"]

#: Answers of archives that begin to restore a file because it is fetched, or have begun before.
_NOT_YET = frozenset({202, 409})
#: Headers that a redirected request gets anew.
_OF_ONE_HOST = frozenset({"host", "content-length"})


def hosts_of(item: ItemJob) -> tuple[str, ...]:
    """Return the hosts an item's collection names; ``*.example.org`` stands for all below."""
    return tuple(str(host).lower() for host in item.catalogue_settings.get("hosts") or ())


def is_http(path: str) -> bool:
    """Whether a location is asked for over HTTP."""
    return urlsplit(path).scheme in ("http", "https")


class _NamedHosts(HTTPRedirectHandler):
    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        host = (urlsplit(newurl).hostname or "").lower()
        own = (urlsplit(req.full_url).hostname or "").lower()
        if host != own and not any(fnmatchcase(host, pattern) for pattern in self._hosts):
            fp.close()
            raise ProcessingFailed(
                f"{own} sends on to {host[:100]!r}, which is not followed; the collection's operator can "
                "name it among the catalogue's hosts"
            )
        if req.data is not None and code != 303:  # what was posted is posted there, not asked for by GET
            again = {name: value for name, value in req.header_items() if name.lower() not in _OF_ONE_HOST}
            return Request(newurl, data=req.data, headers=again)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_http(
    url: str,
    hosts: Sequence[str],
    timeout: float,
    first: int | None = None,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> IO[bytes]:
    """Open a URL for reading.

    Parameters
    ----------
    url : str
        Of http or https.
    hosts : sequence of str
        Where it may lead, beside its own host.
    timeout : float
        Seconds without an answer.
    first : int or None
        How many bytes are wanted; all if None.
    body : bytes or None
        What is posted; a GET if None.
    headers : mapping, optional
        What else to say.

    Raises
    ------
    ProcessingFailed
        If it leads elsewhere; with ``FailureClass.WAITING`` if what is asked for lies in an archive.
    OSError
        If it cannot be had (`urllib.error.HTTPError` where there is an answer).
    """
    said = dict(headers or {}) | ({} if first is None else {"Range": f"bytes=0-{first - 1}"})
    request = Request(url, data=body, headers=said)
    try:
        opened: Any = build_opener(_NamedHosts(hosts)).open(request, timeout=timeout)
    except HTTPError as refused:
        if body is None and refused.code in _NOT_YET:
            refused.close()
            raise _restoring() from refused
        raise
    if body is None and opened.status in _NOT_YET:
        opened.close()
        raise _restoring()
    found: IO[bytes] = opened
    return found


def _restoring() -> ProcessingFailed:
    text = "the product is being restored from its archive"
    return ProcessingFailed(text, failure_class=FailureClass.WAITING)


def check_redirects(url: str, hosts: Sequence[str], timeout: float = 10.0) -> None:
    """Look where a URL leads; whoever opens it next says what else is wrong with it.

    Raises
    ------
    ProcessingFailed
        If it leads to a host that is not named, or it is being restored from an archive.
    """
    with suppress(OSError):
        open_http(url, hosts, timeout, first=1).close()
