"""What goes into columns: enumerations as numbers, moments as microseconds, identifiers packed."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from oseo_lab.model.order import StatusInfo
from oseo_lab.model.status import Status, Wanted
from oseo_lab.store.documents import load
from oseo_lab.store.session import Session, order_id_of, uuid_of

__all__ = [
    "STATUS",
    "STATUSES",
    "WANTED",
    "WANTEDS",
    "from_micros",
    "micros",
    "moment_of",
    "pack",
    "packed_or_none",
    "read_document",
    "status_of",
    "unpack",
    "unpacked_or_none",
]

#: Open statuses are below 10, final ones above: the indexes of `tables` say so too.
STATUS: dict[Status, int] = {
    Status.SUBMITTED: 0,
    Status.ACCEPTED: 1,
    Status.IN_PRODUCTION: 2,
    Status.SUSPENDED: 3,
    Status.CANCELLED: 10,
    Status.COMPLETED: 11,
    Status.FAILED: 12,
    Status.TERMINATED: 13,
    Status.DOWNLOADED: 14,
}
STATUSES = {number: status for status, number in STATUS.items()}
WANTED = {Wanted.COMPLETED: 0, Wanted.SUSPENDED: 1, Wanted.CANCELLED: 2}
WANTEDS = {number: wanted for wanted, number in WANTED.items()}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime | None) -> int | None:
    """Return microseconds since 1970 UTC; a moment without a zone is UTC."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(number: int | None) -> datetime | None:
    """Return the moment, in UTC."""
    return None if number is None else _EPOCH + timedelta(microseconds=number)


def moment_of(number: int) -> datetime:
    """Return the moment, in UTC, of a column that is never NULL."""
    return _EPOCH + timedelta(microseconds=number)


def pack(text: str) -> bytes:
    """Return a text as bytes, identifiers of known shape in half the room; one to one."""
    if len(text) == 45 and (identifier := uuid_of(text)) is not None:
        return b"u" + identifier
    packed: bytes | None = None
    with suppress(ValueError):
        packed = bytes.fromhex(text)
    if packed is not None and packed.hex() == text:
        return b"x" + packed
    return b"t" + text.encode(errors="surrogatepass")


def unpack(packed: bytes) -> str:
    """Return the text that `pack` was given."""
    kind, content = packed[:1], packed[1:]
    if kind == b"u":
        return order_id_of(content)
    return content.hex() if kind == b"x" else content.decode(errors="surrogatepass")


def packed_or_none(text: str | None) -> bytes | None:
    """`pack`, where there may be nothing."""
    return None if text is None else pack(text)


def unpacked_or_none(packed: bytes | None) -> str | None:
    """`unpack`, where there may be nothing."""
    return None if packed is None else unpack(packed)


def status_of(number: int, info: int | None, mission: int | None, session: Session) -> StatusInfo:
    """Return a status and what was said about it, of its three columns."""
    return StatusInfo(
        status=STATUSES[number],
        additional=None if info is None else session.text(info),
        mission_specific=None if mission is None else session.text(mission),
    )


def read_document(cls: type[Any], cache: dict[int, Any], ref: int, session: Session) -> Any:
    """Return what a stored document reads as; kept, for documents never change."""
    found = cache.get(ref)
    if found is None:
        found = load(cls, session.text(ref) or "{}")
        session.remember(cache, ref, found)
    return found
