"""Who is told of orders by mail or webhook: read for every batch of orders that move, in one statement."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.notify import Channel, Digest, Event, Notification
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, among_statements
from oseo_lab.store.values import from_micros, micros, moment_of

__all__ = ["Notifications"]

_n, _r = tables.notifications.c, tables.results.c
_COLUMNS = tuple(column.name for column in tables.notifications.columns)
_CHANNELS = {0: Channel.EMAIL, 1: Channel.WEBHOOK}
_DIGESTS = {0: Digest.IMMEDIATE, 1: Digest.DAILY, 2: Digest.WEEKLY}
_CHANNEL = {channel: number for number, channel in _CHANNELS.items()}
_DIGEST = {digest: number for number, digest in _DIGESTS.items()}
_BIT = {event: 1 << place for place, event in enumerate(Event)}


def _save(insert: Any) -> Any:
    core = insert(tables.notifications).values({name: bindparam(name) for name in _COLUMNS})
    told = {name: core.excluded[name] for name in _COLUMNS[2:]}
    return core.on_conflict_do_update(index_elements=[_n.order_ref, _n.uuid], set_=told)


_SAVE = Statement(_save, *_COLUMNS)
_OF = among_statements(_n.order_ref, *(_n[name] for name in _COLUMNS))
_REMOVE = Statement(
    sa.delete(tables.notifications).where(
        _n.order_ref == bindparam("order_ref"), _n.uuid == bindparam("uuid")
    ),
    "order_ref",
    "uuid",
)
_WARNED = Statement(
    sa.update(tables.notifications)
    .values(warned=bindparam("to_warned"))
    .where(
        _n.order_ref == bindparam("order_ref"),
        _n.uuid == bindparam("key"),
        _n.warned < bindparam("before", type_=sa.BigInteger),
    ),
    "to_warned",
    "order_ref",
    "key",
    "before",
)


def _soon(until: Any, *columns: Any) -> Any:
    """Select from deliveries of items that expire until a moment and were not warned of."""
    return (
        sa.select(*columns)
        .select_from(tables.results)
        .where(
            _r.order_ref == _n.order_ref,
            _r.expires > _n.warned,
            _r.expires <= until,
            _r.removed == sa.literal_column("0"),
            _r.position == sa.literal_column("0"),
            _r.number > sa.literal_column("0"),
        )
        .correlate(tables.notifications)
    )


_UNTIL = bindparam("until", type_=sa.BigInteger)
_EXPIRING = Statement(
    sa.select(
        *(_n[name] for name in _COLUMNS),
        _soon(_UNTIL, sa.func.count()).scalar_subquery(),
        _soon(_UNTIL, sa.func.min(_r.expires)).scalar_subquery(),
    ).where(
        _n.warned.is_not(None),
        _soon(bindparam("soon", type_=sa.BigInteger), sa.literal_column("1")).exists(),
    ),
    "until",
    "soon",
)


class Notifications:
    """`oseo_lab.ports.Notifications` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save(self, notification: Notification) -> None:
        """Insert or replace one.

        Raises
        ------
        NotFound
            If there is no such order.
        """
        row = (
            self._session.known_refs((notification.order_id,))[notification.order_id],
            uuid.UUID(notification.notification_id).bytes,
            _CHANNEL[notification.channel],
            notification.address,
            sum(_BIT[each] for each in set(notification.on)),
            _DIGEST[notification.digest],
            micros(notification.created),
            notification.secret,
            notification.service,
            micros(notification.warned),
        )
        self._session.run(_SAVE, row)

    def of_many(self, order_ids: Iterable[str]) -> dict[str, list[Notification]]:
        """Return the notifications of several orders, oldest first; orders without any are left out."""
        names = {ref: name for name, ref in self._session.order_refs(order_ids).items()}
        found: dict[str, list[Notification]] = {}
        for row in self._session.among(_OF, names):
            found.setdefault(names[row[0]], []).append(_notification(row, names[row[0]]))
        return {name: sorted(each, key=_age) for name, each in found.items()}

    def remove(self, order_id: str, notification_id: str) -> bool:
        """Forget one; False where it is not there."""
        ref, key = self._session.order_ref(order_id), _packed(notification_id)
        return ref is not None and key is not None and self._session.run(_REMOVE, (ref, key)) > 0

    def expiring(self, soon: datetime, until: datetime) -> list[tuple[Notification, int, datetime]]:
        """Return who is to be warned of deliveries that expire by ``soon``, and were not.

        With how many of them expire by ``until``, and when the first one does.
        """
        rows = self._session.all(_EXPIRING, (micros(until), micros(soon)))
        names = self._session.order_ids(row[0] for row in rows)
        return [(_notification(row, names[row[0]]), row[-2], moment_of(row[-1])) for row in rows]

    def warned(self, notification: Notification, until: datetime) -> bool:
        """Note that it is warned of what expires by ``until``; False where somebody else did."""
        ref, last = self._session.order_ref(notification.order_id), micros(until)
        row = (last, ref, _packed(notification.notification_id), last)
        return self._session.run(_WARNED, row) > 0


def _notification(row: Sequence[Any], order_id: str) -> Notification:
    return Notification(
        notification_id=str(uuid.UUID(bytes=bytes(row[1]))),
        order_id=order_id,
        channel=_CHANNELS[row[2]],
        address=row[3],
        on=tuple(event for event, bit in _BIT.items() if row[4] & bit),
        digest=_DIGESTS[row[5]],
        created=moment_of(row[6]),
        secret=None if row[7] is None else bytes(row[7]),
        service=row[8],
        warned=from_micros(row[9]),
    )


def _age(notification: Notification) -> tuple[datetime, str, str]:
    return notification.created, notification.channel.value, notification.notification_id


def _packed(notification_id: str) -> bytes | None:
    """Return the 16 bytes of a notification id; None for what is none."""
    try:
        return uuid.UUID(notification_id).bytes
    except ValueError:
        return None
