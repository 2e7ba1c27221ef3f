"""Messages owed to users: saved with the change they tell of, claimed by the relay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.ports import Notice
from oseo_lab.store import tables
from oseo_lab.store.records import micros
from oseo_lab.store.session import Session, Statement, insert_of, limited

__all__ = ["Outbox"]

_n = tables.outbox.c
_earlier = tables.outbox.alias("earlier").c
_COLUMNS = ("order_ref", "kind", "address", "body", "attempts", "due")

_ADD = Statement(insert_of(tables.outbox, _COLUMNS), *_COLUMNS)
_CLAIM = Statement(
    limited(
        sa.select(_n.id, *(_n[name] for name in _COLUMNS))
        .where(
            _n.due <= bindparam("now", type_=sa.BigInteger),
            ~sa.exists().where(_earlier.order_ref == _n.order_ref, _earlier.id < _n.id),
        )
        .order_by(_n.id)
    ).with_for_update(of=tables.outbox, skip_locked=True),
    "now",
    "limit",
)
_LEASE = Statement(
    sa.update(tables.outbox)
    .values(due=bindparam("to_due"), attempts=_n.attempts + sa.literal_column("1"))
    .where(_n.id == bindparam("key")),
    "to_due",
    "key",
)
_KEEP = Statement(
    sa.update(tables.outbox).values(due=bindparam("to_due")).where(_n.id == bindparam("key")),
    "to_due",
    "key",
)
_REMOVE = Statement(sa.delete(tables.outbox).where(_n.id == bindparam("key")), "key")


class Outbox:
    """`oseo_lab.ports.Outbox` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, notices: Sequence[Notice]) -> None:
        """Save notices in the transaction of the change they tell of; due now if they do not say."""
        refs = self._session.known_refs(notice.order_id for notice in notices)
        now = micros(datetime.now(UTC))
        rows = [
            (
                refs[notice.order_id],
                notice.kind,
                notice.address,
                json.dumps(dict(notice.body), ensure_ascii=False),
                notice.attempts,
                now if notice.due is None else micros(notice.due),
            )
            for notice in notices
        ]
        self._session.many(_ADD, rows)

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> list[Notice]:
        """Lease notices that are due, in order per order.

        At most one per order, its oldest: the next one waits until that is settled, however long it
        takes. ``attempts`` counts this try already, so a relay that dies is counted too.
        """
        rows = self._session.all(_CLAIM, (micros(now), limit))
        self._session.many(_LEASE, [(micros(lease_until), row[0]) for row in rows])
        names = self._session.order_ids(row[1] for row in rows)
        return [
            Notice(
                notice_id=row[0],
                order_id=names[row[1]],
                kind=row[2],
                address=row[3],
                body=json.loads(row[4]),
                attempts=row[5] + 1,
                due=lease_until,
            )
            for row in rows
        ]

    def settle(self, notice: Notice, *, due: datetime | None) -> None:
        """Remove a notice that was sent (``due`` None), or keep it until ``due``."""
        if due is None:
            self._session.run(_REMOVE, (notice.notice_id,))
        else:
            self._session.run(_KEEP, (micros(due), notice.notice_id))
