"""Consumers of order events, until they leave or their time is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.notifications import Subscriber, Topic
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, insert_of
from oseo_lab.store.values import from_micros, micros

__all__ = ["Subscribers"]

_s = tables.subscribers.c
_COLUMNS = tuple(column.name for column in tables.subscribers.columns)

_ADD = Statement(insert_of(tables.subscribers, _COLUMNS), *_COLUMNS)
_GET = Statement(sa.select(tables.subscribers).where(_s.reference == bindparam("reference")), "reference")
_OF = Statement(
    sa.select(tables.subscribers)
    .where(
        _s.owner == bindparam("owner"),
        sa.or_(_s.ends.is_(None), _s.ends > bindparam("now", type_=sa.BigInteger)),
    )
    .order_by(_s.created, _s.reference),
    "owner",
    "now",
)
_REMOVE = Statement(sa.delete(tables.subscribers).where(_s.reference == bindparam("reference")), "reference")
_REMOVE_ENDED = Statement(
    sa.delete(tables.subscribers).where(_s.ends <= bindparam("now", type_=sa.BigInteger)), "now"
)


class Subscribers:
    """`oseo_lab.ports.Subscribers` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, subscriber: Subscriber) -> None:
        """Save one, and forget those whose time is over by then.

        Raises
        ------
        Conflict
            If there is one of this reference.
        """
        self._session.run(_REMOVE_ENDED, (micros(subscriber.created),))
        row = (
            subscriber.reference,
            self._session.ref(subscriber.owner),
            subscriber.consumer,
            subscriber.topic.value,
            micros(subscriber.created),
            micros(subscriber.ends),
            subscriber.producer or None,
        )
        self._session.run(_ADD, row)

    def get(self, reference: str) -> Subscriber | None:
        """Return one by its reference."""
        row = self._session.one(_GET, (reference,))
        return None if row is None else self._subscriber(row)

    def of(self, owner: str, now: datetime) -> list[Subscriber]:
        """Return an owner's, those whose time is not over, oldest first."""
        ref = self._session.find(owner)
        rows = [] if ref is None else self._session.all(_OF, (ref, micros(now)))
        return [self._subscriber(row) for row in rows]

    def remove(self, reference: str) -> None:
        """Forget one."""
        self._session.run(_REMOVE, (reference,))

    def _subscriber(self, row: Sequence[Any]) -> Subscriber:
        created = from_micros(row[4])
        assert created is not None  # never NULL
        return Subscriber(
            reference=row[0],
            owner=self._session.text(row[1]) or "",
            consumer=row[2],
            topic=Topic(row[3]),
            created=created,
            ends=from_micros(row[5]),
            producer=row[6] or "",
        )
