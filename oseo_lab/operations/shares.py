"""Sharing an order, to read only: with a named user, or with whoever has a link, until a date.

Beside the standard. Only the owner shares, sees who it is shared with and takes that back; who may read then
is said in `oseo_lab.operations.reading`. Of a link's secret only the SHA-256 is kept.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from oseo_lab.model.errors import Conflict, NotFound, ValidationError
from oseo_lab.model.messages import DescribeResultAccessResponse
from oseo_lab.model.share import Share
from oseo_lab.model.view import OrderView
from oseo_lab.operations.context import Context, order_of
from oseo_lab.operations.describe_result_access import results_of
from oseo_lab.operations.reading import Reading, shared
from oseo_lab.operations.view import view_of
from oseo_lab.ports import UnitOfWork

__all__ = [
    "LONGEST",
    "MOST_SHARES",
    "Made",
    "NewShare",
    "list_shares",
    "share",
    "shared_results",
    "shared_view",
    "unshare",
]

#: Longest time for which an order is shared.
LONGEST = timedelta(days=366)
#: Most shares of one order at a time, and the longest name of a user, characters.
MOST_SHARES = 100
LONGEST_NAME = 255
#: Bytes of chance in a link: 256 bits are not guessed.
SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class NewShare:
    """What is asked for: with whom (None for whoever has the link), and until when, UTC."""

    until: datetime
    grantee: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A share that was made, and the secret of its link, which is told this once."""

    share: Share
    secret: str | None = None


def share(order_id: str, wish: NewShare, context: Context) -> Made:
    """Share one of the caller's orders; with the same user again, the new date holds.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    ValidationError
        If the date is over or more than a year away, or the user is the caller, or no name.
    Conflict
        If it is shared too often already.
    """
    owner, now = context.caller, context.now()
    with context.store.read() as snapshot:
        order_of(snapshot, order_id, owner)
    until = wish.until if wish.until.tzinfo else wish.until.replace(tzinfo=UTC)
    _check(replace(wish, until=until), owner, now)
    secret = None if wish.grantee is not None else secrets.token_urlsafe(SECRET_BYTES)
    made = Share(
        order_id=order_id,
        share_id=str(uuid.uuid4()),
        grantee=wish.grantee,
        created=now,
        until=until,
        secret_hash=None if secret is None else hash_of(secret),
    )

    def write(work: UnitOfWork) -> None:
        order_of(work, order_id, owner)
        others = [each for each in work.shares.of(order_id, now) if each.grantee != wish.grantee or secret]
        if len(others) >= MOST_SHARES:
            raise Conflict(f"the order has {len(others)} shares; take one back first", locator="orderId")
        work.shares.add(made)

    context.store.write(write)
    return Made(share=replace(made, secret_hash=None), secret=secret)


def _check(wish: NewShare, owner: str, now: datetime) -> None:
    if not now < wish.until <= now + LONGEST:
        raise ValidationError(
            f"until {wish.until:%Y-%m-%dT%H:%M:%SZ} cannot be; allowed: later than now, and no more than "
            f"{LONGEST.days} days ahead",
            locator="until",
        )
    name = wish.grantee
    if name is None:
        return
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValidationError(
            f"{name[:50]!r} is no user's name; write it as the service knows it, such as 'ben'",
            locator="grantee",
        )
    if name == owner:
        raise ValidationError("the order is yours: share it with somebody else", locator="grantee")


def list_shares(order_id: str, context: Context) -> list[Share]:
    """Return who one of the caller's orders is shared with, oldest first; links without their secrets.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    """
    with context.store.read() as snapshot:
        order_of(snapshot, order_id, context.caller)
        return [replace(each, secret_hash=None) for each in snapshot.shares.of(order_id, context.now())]


def unshare(order_id: str, share_id: str, context: Context) -> None:
    """Take a share of one of the caller's orders back; it ends at once.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's, or has no such share.
    """
    owner = context.caller

    def write(work: UnitOfWork) -> None:
        order_of(work, order_id, owner)
        if not work.shares.remove(order_id, share_id):
            raise NotFound(f"the order has no share {share_id[:100]!r}", locator="shareId")

    context.store.write(write)


def shared_view(secret: str, context: Context) -> OrderView:
    """Return the view of the order that a link opens.

    Raises
    ------
    NotFound
        If there is no such link, or its time is over: the two are answered alike.
    """
    with context.store.read() as snapshot:
        return view_of(snapshot, _opened(snapshot, secret, context), context)


def shared_results(secret: str, context: Context) -> DescribeResultAccessResponse:
    """Return where the results of the order lie that a link opens. Raises as `shared_view`."""
    with context.store.read() as snapshot:
        return results_of(snapshot, _opened(snapshot, secret, context), context)


def _opened(snapshot: UnitOfWork, secret: str, context: Context) -> Reading:
    found = snapshot.shares.by_secret(hash_of(secret), context.now())
    order = snapshot.orders.get(found.order_id) if found is not None else None
    if found is None or order is None:
        raise NotFound("this link opens nothing, or not any more: ask for a new one", locator="secret")
    return shared(order, found)


def hash_of(secret: str) -> str:
    """Return what is kept of a link's secret."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
