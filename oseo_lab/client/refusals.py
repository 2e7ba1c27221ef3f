"""Answers of a server that are no success, or none of ours: turned into the exceptions they were."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oseo_lab.model.errors import (
    BadMessage,
    Conflict,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    NotSupported,
    OseoError,
    QuotaExceeded,
    ResultExpired,
    TooLarge,
    TransportError,
    Unavailable,
    ValidationError,
)

if TYPE_CHECKING:
    import httpx

__all__ = [
    "cursor_of",
    "entries_of",
    "mapping_of",
    "not_ours",
    "refusal",
    "retry_after",
    "said_of",
    "shown",
    "stays_here",
]

_BY_STATUS: dict[int, type[OseoError]] = {
    400: BadMessage,
    401: NotAuthenticated,
    403: NotAuthorized,
    404: NotFound,
    409: Conflict,
    410: ResultExpired,
    413: TooLarge,
    422: ValidationError,
    429: QuotaExceeded,
    501: NotSupported,
    503: Unavailable,
}


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds a server asks to wait, at most a minute; 0 where it does not say."""
    text = headers.get("retry-after", "")
    return min(float(text), 60.0) if text.isascii() and text.isdigit() else 0.0


def said_of(lost: Exception) -> str:
    """Return what a lost connection says of itself."""
    return str(lost) or type(lost).__name__


def shown(url: str) -> str:
    """Return a URL without its query: signatures are nobody's business."""
    return url.partition("?")[0]


def stays_here(url: str) -> bool:
    """Whether plain http to this machine itself: no proxy of the environment is asked to carry that."""
    parts = urlsplit(url)
    if parts.scheme != "http":
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def mapping_of(answer: Any) -> Mapping[str, Any]:
    """Return an answer that is a JSON object.

    Raises
    ------
    TransportError
        If it is something else.
    """
    if not isinstance(answer, Mapping):
        raise TransportError(f"the server answered a JSON {type(answer).__name__} where an object belongs")
    return answer


def entries_of(answer: Any, name: str) -> list[Mapping[str, Any]]:
    """Return the objects that an answer lists under a name; none where it has no such list.

    Raises
    ------
    TransportError
        If it is something else.
    """
    found = mapping_of(answer).get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise TransportError(f"the server's {name} are no list of JSON objects")
    return found


def cursor_of(answer: Mapping[str, Any]) -> str | None:
    """Return what leads to the next page; None at the last one.

    Raises
    ------
    TransportError
        If it is no text that can be sent back.
    """
    found = answer.get("cursor")
    if found is None or (isinstance(found, str) and found.isprintable()):
        return found or None
    raise TransportError("the server leads to a next page that it cannot be asked for")


def not_ours(response: httpx.Response) -> TransportError:
    """Say that no service of ours answered so."""
    kind = response.headers.get("content-type", "nothing").partition(";")[0]
    return TransportError(
        f"{shown(str(response.url))} answered {response.status_code} with {kind}, not JSON: "
        "is the extension oseo_lab enabled there, and is the URL the server's base URL?",
        status=response.status_code,
    )


def refusal(response: httpx.Response) -> OseoError:
    """Turn an answer that is no success into the exception it was."""
    from oseo_lab.encoding.json_form import read_error

    if "problem+json" not in response.headers.get("content-type", ""):
        return _plain_refusal(response)
    return read_error(response.content, _BY_STATUS.get(response.status_code))


def _plain_refusal(response: httpx.Response) -> OseoError:
    status = response.status_code
    if status in (301, 302, 303, 307, 308, 401, 403):
        return NotAuthenticated(
            f"{shown(str(response.url))} wants a token it knows (HTTP {status}): pass token=..., "
            "or set OSEO_LAB_TOKEN"
        )
    if status in _BY_STATUS and status != 404:
        return _BY_STATUS[status](f"the server answered HTTP {status} {response.reason_phrase}")
    return not_ours(response)
