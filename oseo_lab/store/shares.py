"""Who else may read orders: named users, and whoever has a link; until their time is over."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.share import Share
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, among_statements, insert_of
from oseo_lab.store.values import micros, moment_of

__all__ = ["Shares"]

_COLUMNS = ("order_ref", "uuid", "grantee", "created", "until", "secret_hash")
_s = tables.shares.c
_SHARE = [_s[name] for name in _COLUMNS]
_HOLDS = _s.until > bindparam("now", type_=sa.BigInteger)
_OF_ORDER = _s.order_ref == bindparam("order_ref")
_IS_GRANTEE = sa.and_(_s.grantee == bindparam("grantee"), _s.grantee.is_not(None))

_ADD = Statement(insert_of(tables.shares, _COLUMNS), *_COLUMNS)
_OF = Statement(sa.select(*_SHARE).where(_OF_ORDER, _HOLDS).order_by(_s.created, _s.uuid), "order_ref", "now")
_REMOVE = Statement(
    sa.delete(tables.shares).where(_OF_ORDER, _s.uuid == bindparam("uuid")), "order_ref", "uuid"
)
_REPLACED = Statement(sa.delete(tables.shares).where(_OF_ORDER, _IS_GRANTEE), "order_ref", "grantee")
_OVER = Statement(
    sa.delete(tables.shares).where(_OF_ORDER, _s.until <= bindparam("now", type_=sa.BigInteger)),
    "order_ref",
    "now",
)
_GRANTED = Statement(sa.select(*_SHARE).where(_IS_GRANTEE, _OF_ORDER, _HOLDS), "grantee", "order_ref", "now")
_ONE = Statement(
    sa.select(_s.order_ref).where(_OF_ORDER, _s.uuid == bindparam("uuid"), _HOLDS),
    "order_ref",
    "uuid",
    "now",
)
_BY_SECRET = Statement(
    sa.select(*_SHARE).where(_s.secret_hash == bindparam("secret_hash"), _s.secret_hash.is_not(None), _HOLDS),
    "secret_hash",
    "now",
)
_READERS = among_statements(_s.order_ref, _s.order_ref, _s.grantee, _s.until, where=_s.grantee.is_not(None))


class Shares:
    """`oseo_lab.ports.Shares` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, share: Share) -> None:
        """Save one; a second one for the same user takes the place of the first; what is over goes.

        Raises
        ------
        NotFound
            If there is no such order.
        """
        session = self._session
        ref = session.known_refs([share.order_id])[share.order_id]
        session.run(_OVER, (ref, micros(share.created)))
        grantee = session.ref(share.grantee)
        if grantee is not None:
            session.run(_REPLACED, (ref, grantee))
        secret = None if share.secret_hash is None else bytes.fromhex(share.secret_hash)
        row = (ref, _packed(share.share_id), grantee, micros(share.created), micros(share.until), secret)
        session.run(_ADD, row)

    def of(self, order_id: str, now: datetime) -> list[Share]:
        """Return an order's shares whose time is not over, oldest first."""
        ref = self._session.order_ref(order_id)
        rows = [] if ref is None else self._session.all(_OF, (ref, micros(now)))
        return [self._share(row, order_id) for row in rows]

    def remove(self, order_id: str, share_id: str) -> bool:
        """Take one back; False where it is not there."""
        ref, key = self._session.order_ref(order_id), _packed(share_id)
        return ref is not None and key is not None and self._session.run(_REMOVE, (ref, key)) > 0

    def granted(self, order_id: str, reader: str, now: datetime) -> Share | None:
        """Return by which share somebody may read an order now; None where by none."""
        reader_ref, ref = self._session.find(reader), self._session.order_ref(order_id)
        if reader_ref is None or ref is None:
            return None
        row = self._session.one(_GRANTED, (reader_ref, ref, micros(now)))
        return None if row is None else self._share(row, order_id)

    def holds(self, order_id: str, share_id: str, now: datetime) -> bool:
        """Whether a share is there and its time is not over."""
        ref, key = self._session.order_ref(order_id), _packed(share_id)
        if ref is None or key is None:
            return False
        return self._session.one(_ONE, (ref, key, micros(now))) is not None

    def by_secret(self, secret_hash: str, now: datetime) -> Share | None:
        """Return the share whose link has this secret, by its SHA-256; None where its time is over."""
        row = self._session.one(_BY_SECRET, (bytes.fromhex(secret_hash), micros(now)))
        return None if row is None else self._share(row, self._session.order_ids([row[0]])[row[0]])

    def readers(self, order_ids: Iterable[str], now: datetime) -> dict[str, set[str]]:
        """Return whom several orders are shared with; those that are not shared are left out."""
        session, at = self._session, micros(now) or 0
        names = {ref: name for name, ref in session.order_refs(order_ids).items()}
        rows = [row for row in session.among(_READERS, names) if row[2] > at]
        texts = session.texts(row[1] for row in rows)
        found: dict[str, set[str]] = {}
        for ref, grantee, _ in rows:
            found.setdefault(names[ref], set()).add(texts[grantee])
        return found

    def _share(self, row: Sequence[Any], order_id: str) -> Share:
        """Return the share of `_COLUMNS`."""
        return Share(
            order_id=order_id,
            share_id=str(uuid.UUID(bytes=bytes(row[1]))),
            grantee=self._session.text(row[2]),
            created=moment_of(row[3]),
            until=moment_of(row[4]),
            secret_hash=None if row[5] is None else bytes(row[5]).hex(),
        )


def _packed(share_id: str) -> bytes | None:
    """Return the 16 bytes of a share id; None for what is none."""
    try:
        return uuid.UUID(share_id).bytes
    except ValueError:
        return None
