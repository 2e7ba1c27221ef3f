"""The delivery log: every try at sending a notice, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.ports import Sending
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, insert_of, limited
from oseo_lab.store.values import micros, moment_of, pack, unpack

__all__ = ["Sendings"]

_s = tables.sendings.c
_COLUMNS = ("subject", "notice", "kind", "address", "at", "attempt", "outcome", "is_last", "body")

_ADD = Statement(insert_of(tables.sendings, _COLUMNS), *_COLUMNS)
_OF = Statement(
    limited(
        sa.select(*(_s[name] for name in _COLUMNS))
        .where(_s.subject == bindparam("subject"))
        .order_by(_s.id.desc())
    ),
    "subject",
    "limit",
)

_LAST = Statement(
    sa.select(*(_s[name] for name in _COLUMNS)).where(
        _s.subject == bindparam("subject"),
        _s.notice == bindparam("notice"),
        _s.is_last == sa.literal_column("1"),
    ),
    "subject",
    "notice",
)


class Sendings:
    """`oseo_lab.ports.Sendings` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, sendings: Sequence[Sending]) -> None:
        """Append lines."""
        self._session.many(_ADD, [_row(sending) for sending in sendings])

    def of(self, order_id: str, limit: int = 1000) -> list[Sending]:
        """Return the newest lines of one order or quotation, oldest first."""
        return [_sending(row) for row in reversed(self._session.all(_OF, (pack(order_id), limit)))]

    def last(self, order_id: str, notice_id: int) -> Sending | None:
        """Return the last line of a notice that is sent or given up."""
        row = self._session.one(_LAST, (pack(order_id), notice_id))
        return None if row is None else _sending(row)


def _row(sending: Sending) -> tuple[Any, ...]:
    return (
        pack(sending.order_id),
        sending.notice_id,
        sending.kind,
        sending.address,
        micros(sending.at),
        sending.attempt,
        sending.outcome,
        int(sending.is_last),
        None if sending.body is None else json.dumps(dict(sending.body), ensure_ascii=False),
    )


def _sending(row: Sequence[Any]) -> Sending:
    return Sending(
        order_id=unpack(row[0]),
        notice_id=row[1],
        kind=row[2],
        address=row[3],
        at=moment_of(row[4]),
        attempt=row[5],
        outcome=row[6],
        is_last=bool(row[7]),
        body=None if row[8] is None else json.loads(row[8]),
    )
