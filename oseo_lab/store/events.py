"""The status history, which is the event stream, and the attempts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.encoding.quick import maker
from oseo_lab.model.order import Attempt, StatusChange
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, insert_of, limited
from oseo_lab.store.values import STATUS, STATUSES, from_micros, micros, moment_of

__all__ = ["EVENT", "EVENT_COLUMNS", "Events"]

_make_change = maker(StatusChange)
EVENT_COLUMNS = ("order_ref", "number", "status", "at", "author", "attempt", "info", "detail")
_ATTEMPT_COLUMNS = ("order_ref", "number", "attempt", "started", "ended", "worker", "outcome", "detail")

_e = tables.events.c
_a = tables.attempts.c
_o = tables.orders.c
_s = tables.shares.c
EVENT = [*(_e[name] for name in EVENT_COLUMNS), _e.id]
_ATTEMPT = [_a[name] for name in _ATTEMPT_COLUMNS]


def _after(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    query = sa.select(*EVENT).where(_e.id > bindparam("after"), *where).order_by(_e.id)
    return limited(query)


_ADD = Statement(insert_of(tables.events, EVENT_COLUMNS), *EVENT_COLUMNS)
_AFTER = Statement(_after(), "after", "limit")
_IS_OWN = sa.exists().where(_o.id == _e.order_ref, _o.owner == bindparam("owner"))
_IS_SHARED = sa.exists().where(
    _s.grantee == bindparam("grantee"),
    _s.grantee.is_not(None),  # as the partial index says
    _s.order_ref == _e.order_ref,
    _s.until > bindparam("now", type_=sa.BigInteger),
)
_AFTER_OF_OWNER = Statement(_after(_IS_OWN), "after", "owner", "limit")
_AFTER_OF_READER = Statement(_after(sa.or_(_IS_OWN, _IS_SHARED)), "after", "owner", "grantee", "now", "limit")
_LAST = Statement(sa.select(sa.func.max(_e.id)))
_OF = Statement(sa.select(*EVENT).where(_e.order_ref == bindparam("order_ref")).order_by(_e.id), "order_ref")
_OF_ITEM = Statement(
    sa.select(*EVENT)
    .where(_e.order_ref == bindparam("order_ref"), _e.number == bindparam("number"))
    .order_by(_e.id),
    "order_ref",
    "number",
)
_ATTEMPTS = Statement(
    sa.select(*_ATTEMPT).where(_a.order_ref == bindparam("order_ref")).order_by(_a.number, _a.attempt),
    "order_ref",
)
_ATTEMPTS_OF_ITEM = Statement(
    sa.select(*_ATTEMPT)
    .where(_a.order_ref == bindparam("order_ref"), _a.number == bindparam("number"))
    .order_by(_a.attempt),
    "order_ref",
    "number",
)
_COMPLETED = ("started", "ended", "worker", "outcome", "detail")


def _save_attempt(insert: Any) -> Any:
    """Insert a start; an end completes it and keeps what it does not say."""
    core = insert(tables.attempts).values({name: bindparam(name) for name in _ATTEMPT_COLUMNS})
    told = {name: sa.func.coalesce(core.excluded[name], _a[name]) for name in _COMPLETED}
    return core.on_conflict_do_update(index_elements=[_a.order_ref, _a.number, _a.attempt], set_=told)


_SAVE_ATTEMPT = Statement(_save_attempt, *_ATTEMPT_COLUMNS)


class Events:
    """`oseo_lab.ports.Events` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, changes: Sequence[StatusChange]) -> None:
        """Append status changes; their ids rise."""
        session = self._session
        refs = session.known_refs(change.order_id for change in changes)
        session.has_news = session.has_news or bool(changes)
        session.many(_ADD, [_event_row(refs[change.order_id], change, session) for change in changes])

    def after(
        self,
        event_id: int,
        *,
        owner: str | None = None,
        shared_at: datetime | None = None,
        limit: int = 500,
    ) -> list[StatusChange]:
        """Return changes with a higher id, oldest first; with ``shared_at`` also of what is shared then.

        Ids become visible in their order, for one transaction writes at a time: who has seen one has
        seen all below it.
        """
        session = self._session
        if owner is None:
            return self.from_rows(session.all(_AFTER, (event_id, limit)))
        ref = session.find(owner)
        if ref is None:
            return []
        if shared_at is None:
            return self.from_rows(session.all(_AFTER_OF_OWNER, (event_id, ref, limit)))
        values = (event_id, ref, ref, micros(shared_at), limit)
        return self.from_rows(session.all(_AFTER_OF_READER, values))

    def last_id(self) -> int:
        """Return the highest id given so far; 0 where there is none."""
        row = self._session.one(_LAST)
        return 0 if row is None or row[0] is None else int(row[0])

    def of(self, order_id: str, number: int | None = None) -> list[StatusChange]:
        """Return an order's (or item's) history, oldest first."""
        return self.from_rows(self._rows(_OF, _OF_ITEM, order_id, number))

    def save_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Insert or complete attempts, by order, number and attempt; what is None is left as it was."""
        session = self._session
        refs = session.known_refs(attempt.order_id for attempt in attempts)
        rows = [_attempt_row(refs[attempt.order_id], attempt, session) for attempt in attempts]
        session.many(_SAVE_ATTEMPT, rows)

    def attempts(self, order_id: str, number: int | None = None) -> list[Attempt]:
        """Return an order's (or item's) attempts, by number and attempt."""
        rows = self._rows(_ATTEMPTS, _ATTEMPTS_OF_ITEM, order_id, number)
        return [_attempt_from_row(row, order_id, self._session) for row in rows]

    def _rows(
        self, of_order: Statement, of_item: Statement, order_id: str, number: int | None
    ) -> list[tuple[Any, ...]]:
        ref = self._session.order_ref(order_id)
        if ref is None:
            return []
        if number is None:
            return self._session.all(of_order, (ref,))
        return self._session.all(of_item, (ref, number))

    def from_rows(self, rows: Iterable[tuple[Any, ...]]) -> list[StatusChange]:
        """Return the status changes of rows of `EVENT`."""
        found = list(rows)
        self._session.texts(row[6] for row in found)
        names = self._session.order_ids(row[0] for row in found)
        return [_event_from_row(row, names[row[0]], self._session) for row in found]


def _event_row(order_ref: int, change: StatusChange, session: Session) -> tuple[Any, ...]:
    """Return a status change's columns (`EVENT_COLUMNS`); the database gives the id."""
    return (
        order_ref,
        change.number,
        STATUS[change.status],
        micros(change.at),
        session.ref(change.author),
        change.attempt,
        None if change.info is None else session.ref(change.info),
        change.detail,
    )


def _event_from_row(row: Sequence[Any], order_id: str, session: Session) -> StatusChange:
    """Return the status change of `EVENT_COLUMNS` and its id."""
    return _make_change(
        order_id=order_id,
        number=row[1],
        status=STATUSES[row[2]],
        at=moment_of(row[3]),
        author=session.text(row[4]) or "",
        attempt=row[5],
        info=session.text(row[6]),
        detail=row[7],
        event_id=row[8],
    )


def _attempt_row(order_ref: int, attempt: Attempt, session: Session) -> tuple[Any, ...]:
    """Return an attempt's columns (`_ATTEMPT_COLUMNS`)."""
    return (
        order_ref,
        attempt.number,
        attempt.attempt,
        micros(attempt.started),
        micros(attempt.ended),
        session.ref(attempt.worker),
        session.ref(attempt.outcome),
        attempt.detail,
    )


def _attempt_from_row(row: Sequence[Any], order_id: str, session: Session) -> Attempt:
    """Return the attempt of `_ATTEMPT_COLUMNS`."""
    return Attempt(
        order_id=order_id,
        number=row[1],
        attempt=row[2],
        started=from_micros(row[3]),
        ended=from_micros(row[4]),
        worker=session.text(row[5]),
        outcome=session.text(row[6]),
        detail=row[7],
    )
