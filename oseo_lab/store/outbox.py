"""Messages owed to users: saved with the change they tell of, claimed by the relay.

Of all notices of one subject (an order or a quotation) to one address only the oldest is in the index that
the relay's claims walk. It is taken out when it is settled, and the next one takes its place; so finding
work costs the same however much waits behind an address that does not answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.ports import MOST_SKIPPED, Notice
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, limited
from oseo_lab.store.values import from_micros, micros, pack, unpack

__all__ = ["Outbox"]

_n = tables.outbox.c
_older = tables.outbox.alias("older").c
_COLUMNS = ("subject", "kind", "address", "body", "attempts", "due")
_NOTICE = [_n.id, *(_n[name] for name in _COLUMNS)]
_ONE: Any = sa.literal_column("1")
_ZERO: Any = sa.literal_column("0")

#: Parameters of the addresses that a claim passes over.
_SKIPS = tuple(f"skip_{place}" for place in range(MOST_SKIPPED))

_is_behind = sa.exists().where(
    _older.subject == bindparam("behind_subject"), _older.address == bindparam("behind_address")
)
_ADD = Statement(
    sa.insert(tables.outbox).values(
        **{name: bindparam(name) for name in _COLUMNS}, is_next=sa.case((_is_behind, _ZERO), else_=_ONE)
    ),
    "subject",
    "kind",
    "address",
    "body",
    "attempts",
    "due",
    "behind_subject",
    "behind_address",
)
_due = limited(
    sa.select(*_NOTICE)
    .where(
        _n.is_next == _ONE,
        _n.due <= bindparam("now", type_=sa.BigInteger),
        _n.address.not_in([bindparam(name, type_=sa.Text) for name in _SKIPS]),
    )
    .order_by(_n.due, _n.id)
)
_CLAIM = Statement(_due.with_for_update(skip_locked=True), "now", *_SKIPS, "limit")
_ANY_DUE = Statement(_due, "now", *_SKIPS, "limit")
_LEASE = Statement(
    sa.update(tables.outbox)
    .values(due=bindparam("to_due"), attempts=_n.attempts + _ONE)
    .where(_n.id == bindparam("key")),
    "to_due",
    "key",
)
_KEEP = Statement(
    sa.update(tables.outbox)
    .values(due=bindparam("to_due"), attempts=bindparam("to_attempts"))
    .where(_n.id == bindparam("key")),
    "to_due",
    "to_attempts",
    "key",
)
_AMEND = Statement(
    sa.update(tables.outbox)
    .values(due=bindparam("to_due"), body=bindparam("to_body"))
    .where(_n.id == bindparam("key"), _n.attempts == _ZERO),
    "to_due",
    "to_body",
    "key",
)
_REMOVE = Statement(sa.delete(tables.outbox).where(_n.id == bindparam("key")), "key")
_oldest = (
    sa.select(sa.func.min(_older.id))
    .where(_older.subject == bindparam("subject"), _older.address == bindparam("address"))
    .scalar_subquery()
)
_ADVANCE = Statement(
    sa.update(tables.outbox).values(is_next=_ONE).where(_n.id == _oldest), "subject", "address"
)
_WAITING = Statement(sa.select(*_NOTICE).where(_n.subject == bindparam("subject")).order_by(_n.id), "subject")


class Outbox:
    """`oseo_lab.ports.Outbox` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, notices: Sequence[Notice]) -> None:
        """Save notices in the transaction of the change they tell of; due at once if they do not say."""
        rows = []
        for notice in notices:
            subject = pack(notice.order_id)
            body = _written(notice)
            due = micros(notice.due) or 0
            queue = subject, notice.address
            rows.append((subject, notice.kind, notice.address, body, notice.attempts, due, *queue))
        self._session.many(_ADD, rows)

    def claim(
        self, limit: int, now: datetime, lease_until: datetime, skip: Sequence[str] = ()
    ) -> list[Notice]:
        """Lease notices that are due, in order per subject and address, those first that waited longest.

        At most one per subject and address, its oldest: the next one waits until that is settled, however
        long it takes. ``attempts`` counts this try already, so a relay that dies is counted too.
        """
        rows = self._session.all(_CLAIM, (micros(now), *_skipped(skip), limit))
        until = micros(lease_until)
        self._session.many(_LEASE, [(until, row[0]) for row in rows])
        return [_notice((*row[:5], row[5] + 1, until)) for row in rows]

    def is_any_due(self, now: datetime, skip: Sequence[str] = ()) -> bool:
        """Whether `claim` would find anything."""
        return bool(self._session.all(_ANY_DUE, (micros(now), *_skipped(skip), 1)))

    def settle(self, notice: Notice, *, due: datetime | None) -> None:
        """Remove a notice that was sent (``due`` None), or keep it, with its attempts, until ``due``."""
        if due is not None:
            self._session.run(_KEEP, (micros(due), notice.attempts, notice.notice_id))
            return
        self._session.run(_REMOVE, (notice.notice_id,))
        self._session.run(_ADVANCE, (pack(notice.order_id), notice.address))

    def amend(self, notice: Notice) -> bool:
        """Save body and due of a notice that was not tried yet; False where it was, or is gone."""
        row = (micros(notice.due) or 0, _written(notice), notice.notice_id)
        return self._session.run(_AMEND, row) > 0

    def waiting(self, order_id: str) -> list[Notice]:
        """Return an order's (or quotation's) notices that are not sent yet, oldest first."""
        return [_notice(row) for row in self._session.all(_WAITING, (pack(order_id),))]


def _written(notice: Notice) -> str:
    return json.dumps(dict(notice.body), ensure_ascii=False)


def _skipped(addresses: Sequence[str]) -> tuple[str, ...]:
    return *addresses[:MOST_SKIPPED], *[""] * (MOST_SKIPPED - len(addresses))


def _notice(row: Sequence[Any]) -> Notice:
    return Notice(
        notice_id=row[0],
        order_id=unpack(row[1]),
        kind=row[2],
        address=row[3],
        body=json.loads(row[4]),
        attempts=row[5],
        due=from_micros(row[6] or None),
    )
