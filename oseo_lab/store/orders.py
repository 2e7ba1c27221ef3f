"""Orders: saving, finding, searching."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.errors import DuplicateReference
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.messages import FilteringCriteria
from oseo_lab.model.order import Order
from oseo_lab.model.status import Status
from oseo_lab.model.subscription import MASSIVE_REFERENCE
from oseo_lab.store import tables
from oseo_lab.store.events import EVENT_COLUMNS
from oseo_lab.store.item_records import ITEM_COLUMNS, item_rows
from oseo_lab.store.order_records import (
    ORDER_COLUMNS,
    ORDER_TYPE,
    RANK,
    collections_text,
    order_from_row,
    order_row,
    provider_order_row,
)
from oseo_lab.store.provider_orders import ADD_PART, PARTS
from oseo_lab.store.session import (
    NO_LIMIT,
    Session,
    Statement,
    among_statements,
    insert_of,
    limited,
    order_id_of,
    uuid_of,
)
from oseo_lab.store.values import STATUS, WANTED, micros, pack

__all__ = ["ADD_EVENT", "ADD_ITEM", "TALLIES", "Orders", "raise_revisions"]

#: Order: the columns that count its items by status.
TALLIES: dict[Status, str] = {
    Status.SUBMITTED: "submitted",
    Status.ACCEPTED: "accepted",
    Status.IN_PRODUCTION: "in_production",
    Status.SUSPENDED: "suspended",
    Status.CANCELLED: "cancelled",
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.TERMINATED: "terminated",
    Status.DOWNLOADED: "downloaded",
}

_o = tables.orders.c
_ORDER = [_o[name] for name in ORDER_COLUMNS]


_NEW_ORDER = (*ORDER_COLUMNS, "sequence", "collections", *TALLIES.values())


def _add_order(insert: Any) -> Any:
    """No row comes back where there is such an order: then nothing failed, and the transaction goes on."""
    core = insert(tables.orders).values({name: bindparam(name) for name in _NEW_ORDER})
    return core.on_conflict_do_nothing().returning(_o.id)


_ADD = Statement(_add_order, *_NEW_ORDER)
ADD_ITEM = Statement(insert_of(tables.items, ITEM_COLUMNS), *ITEM_COLUMNS)
ADD_EVENT = Statement(insert_of(tables.events, EVENT_COLUMNS), *EVENT_COLUMNS)
_GET = Statement(sa.select(_o.id, *_ORDER).where(_o.uuid == bindparam("uuid")), "uuid")
_GET_MANY = among_statements(_o.uuid, _o.id, *_ORDER)
_BY_MESSAGE = Statement(
    sa.select(_o.id, *_ORDER).where(
        _o.owner == bindparam("owner"),
        _o.message == bindparam("message"),
        _o.message.is_not(None),
    ),
    "owner",
    "message",
)
_REVISION = Statement(
    sa.select(_o.revision).where(_o.uuid == bindparam("uuid"), _o.owner == bindparam("owner")),
    "uuid",
    "owner",
)
_SAVE = Statement(
    sa.update(tables.orders)
    .values(
        status=bindparam("status"),
        info=bindparam("info"),
        mission=bindparam("mission"),
        updated=bindparam("updated"),
        revision=_o.revision + sa.literal_column("1"),
        wanted=bindparam("wanted"),
        next_ready=bindparam("next_ready"),
    )
    .where(_o.uuid == bindparam("key")),
    "status",
    "info",
    "mission",
    "updated",
    "wanted",
    "next_ready",
    "key",
)
_STANDING = Statement(
    limited(
        sa.select(_o.id, *_ORDER)
        .where(
            _o.order_type == bindparam("order_type"),
            _o.order_type > sa.literal_column("0"),  # as the partial index says
            _o.status < sa.literal_column("10"),
            _o.uuid > bindparam("after"),
        )
        .order_by(_o.uuid)
    ),
    "order_type",
    "after",
    "limit",
)
_MASSIVE = Statement(
    limited(
        sa.select(_o.id, *_ORDER)
        .where(
            _o.reference == sa.literal_column(f"'{MASSIVE_REFERENCE}'"),  # as the partial index says
            _o.status < sa.literal_column("10"),
            _o.uuid > bindparam("after"),
        )
        .order_by(_o.uuid)
    ),
    "after",
    "limit",
)
_FORGET = Statement(
    sa.update(tables.orders)
    .values(message=sa.null(), request_digest=sa.null())
    .where(_o.message.is_not(None), _o.created < bindparam("before")),
    "before",
)
_RAISE = Statement(
    sa.update(tables.orders)
    .values(
        revision=_o.revision + sa.literal_column("1"),
        updated=sa.case(
            (sa.or_(_o.updated.is_(None), _o.updated < bindparam("at")), bindparam("at")),
            else_=_o.updated,
        ),
        **{name: _o[name] + bindparam(f"more_{name}") for name in TALLIES.values()},
    )
    .where(_o.id == bindparam("order_ref")),
    "at",
    *(f"more_{name}" for name in TALLIES.values()),
    "order_ref",
)


def raise_revisions(session: Session, changes: Mapping[int, tuple[Counter[Status], int]]) -> None:
    """Tell orders that items of theirs changed: revision, time of change and counts, one row each.

    Parameters
    ----------
    session : Session
        Of the writer.
    changes : mapping
        By order number: how many more items have each status (negative: fewer), and when, microseconds.
    """
    rows = [
        (at, *(tallies[status] for status in TALLIES), order_ref)
        for order_ref, (tallies, at) in changes.items()
    ]
    session.many(_RAISE, rows)


@cache
def _search(is_whole: bool, statuses: int, has_start: bool, has_end: bool, has_reference: bool) -> Statement:
    """Return the search for this many statuses and these limits; few combinations exist.

    ``is_whole``: for whole rows, else for UUIDs.
    """
    names = ["owner", *(f"status_{place}" for place in range(statuses))]
    where = [_o.owner == bindparam("owner"), _o.status.in_([bindparam(name) for name in names[1:]])]
    if has_start:
        where.append(_o.updated >= bindparam("start"))
        names.append("start")
    if has_end:
        where.append(_o.updated <= bindparam("end"))
        names.append("end")
    if has_reference:
        where.append(_o.reference == bindparam("reference"))
        names.append("reference")
    columns = (_o.id, *_ORDER) if is_whole else (_o.uuid,)
    query = sa.select(*columns).where(*where).order_by(_o.created, _o.uuid)
    return Statement(limited(query), *names, "limit")


class Orders:
    """`oseo_lab.ports.Orders` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, order: Order) -> None:
        """Save a new order with its items, provider orders and first status changes.

        The first status changes (the order's and each item's) are written from the order itself, at the
        time it was made, by its owner.

        Raises
        ------
        Conflict
            If an order of this id, or of this owner and MessageID, is there already.
        """
        session = self._session
        tallies = Counter(item.status.status for item in order.items)
        row = order_row(order, session)
        named = session.ref(collections_text(order))
        added = session.one(_ADD, (*row, 0, named, *(tallies[status] for status in TALLIES)))
        if added is None:
            text = f"order {order.order_id}, or another of its MessageID, is stored already"
            raise DuplicateReference(text, locator="MessageID", order=order.order_id)
        ref = int(added[0])
        session.remember_order(ref, order.order_id)
        rank = RANK[order.specification.priority]
        session.many(ADD_ITEM, item_rows(ref, rank, order.items, session))
        session.many(ADD_PART, [provider_order_row(ref, part, session) for part in order.provider_orders])
        self._add_first_changes(ref, row, order)

    def _add_first_changes(self, ref: int, row: tuple[Any, ...], order: Order) -> None:
        session = self._session
        at = micros(order.created or datetime.now(UTC))
        owner, status, info = row[1:4]
        changes = [(ref, 0, status, at, owner, 0, info, None)]
        changes += [
            (
                ref,
                item.number,
                STATUS[item.status.status],
                at,
                owner,
                item.attempt,
                session.ref(item.status.additional),
                None,
            )
            for item in order.items
        ]
        session.has_news = True
        session.many(ADD_EVENT, changes)

    def get(self, order_id: str, owner: str | None = None) -> Order | None:
        """Return an order without its items; None where it is unknown or another owner's."""
        key = uuid_of(order_id)
        rows = [] if key is None else self._session.all(_GET, (key,))
        if rows:
            self._session.remember_order(rows[0][0], order_id)  # its items are asked for next
        found = self._orders(rows)
        if not found or (owner is not None and found[0].owner != owner):
            return None
        return found[0]

    def get_many(self, order_ids: Iterable[str]) -> dict[str, Order]:
        """Return several orders without their items, by id."""
        keys = {key for order_id in order_ids if (key := uuid_of(order_id)) is not None}
        rows = {row[0]: row for row in self._session.among(_GET_MANY, keys)}
        return {order.order_id: order for order in self._orders(list(rows.values()))}

    def by_message(self, owner: str, message_id: str) -> Order | None:
        """Return the order that a Submit with this MessageID made."""
        owner_ref = self._session.find(owner)
        if owner_ref is None:
            return None
        found = self._orders(self._session.all(_BY_MESSAGE, (owner_ref, pack(message_id))))
        return found[0] if found else None

    def revision(self, order_id: str, owner: str) -> int | None:
        """Return an order's revision by one indexed read; None where it is not the owner's."""
        key, owner_ref = uuid_of(order_id), self._session.find(owner)
        if key is None or owner_ref is None:
            return None
        row = self._session.one(_REVISION, (key, owner_ref))
        return None if row is None else row[0]

    def search(self, owner: str, criteria: FilteringCriteria, limit: int | None = None) -> list[Order]:
        """Return the owner's orders that match, without items, oldest first, ties by id."""
        return self._orders(self._found(owner, criteria, limit, is_whole=True))

    def ids(self, owner: str, criteria: FilteringCriteria) -> list[str]:
        """Return the ids of the orders that `search` returns, for those who take them some at a time."""
        return [order_id_of(row[0]) for row in self._found(owner, criteria, None, is_whole=False)]

    def _found(
        self, owner: str, criteria: FilteringCriteria, limit: int | None, *, is_whole: bool
    ) -> list[tuple[Any, ...]]:
        owner_ref = self._session.find(owner)
        if owner_ref is None:
            return []
        statuses = sorted({STATUS[status] for status in criteria.order_statuses} or STATUS.values())
        start, end = micros(criteria.last_update), micros(criteria.last_update_end)
        reference = criteria.order_reference
        given = [value for value in (start, end, reference) if value is not None]
        limits = (each is not None for each in (start, end, reference))
        statement = _search(is_whole, len(statuses), *limits)
        values = (owner_ref, *statuses, *given, NO_LIMIT if limit is None else limit)
        return self._session.all(statement, values)

    def save(self, order: Order) -> None:
        """Save status, wanted, next_ready and updated of an order, and raise its revision by one."""
        session = self._session
        status = order.status
        values = (
            STATUS[status.status],
            session.ref(status.additional),
            session.ref(status.mission_specific),
            micros(order.updated),
            WANTED[order.wanted],
            order.next_ready,
            uuid_of(order.order_id),
        )
        session.run(_SAVE, values)

    def forget_messages(self, before: datetime) -> int:
        """Forget MessageIDs of orders made before a moment; return how many."""
        return self._session.run(_FORGET, (micros(before),))

    def standing(self, order_type: OrderType, after: str = "", limit: int = 500) -> list[Order]:
        """Return open orders of a type (subscription or tasking), without items, by id, after an id."""
        values = (ORDER_TYPE[order_type], uuid_of(after) or b"", limit)
        return self._orders(self._session.all(_STANDING, values))

    def massive(self, after: str = "", limit: int = 500) -> list[Order]:
        """Return open orders called a massive order, without items, by id, after an id."""
        return self._orders(self._session.all(_MASSIVE, (uuid_of(after) or b"", limit)))

    def _orders(self, rows: list[tuple[Any, ...]]) -> list[Order]:
        """Return the orders of rows that begin with the order's number, with their provider orders."""
        session = self._session
        refs = {row[0] for row in rows}
        session.texts(ref for row in rows for ref in (row[2], row[4], row[5], row[17], row[21]))
        parts: dict[int, list[tuple[Any, ...]]] = {}
        for part in session.among(PARTS, refs):
            parts.setdefault(part[0], []).append(part)
        return [order_from_row(row[1:], session, parts.get(row[0], [])) for row in rows]
