"""The statements of orders at a glance: each walks an index of just that, or the order's own row."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.store import tables
from oseo_lab.store.events import EVENT
from oseo_lab.store.item_records import ITEM_COLUMNS
from oseo_lab.store.order_records import ORDER_COLUMNS
from oseo_lab.store.orders import TALLIES
from oseo_lab.store.session import Statement, among_statements, limited

__all__ = [
    "COST",
    "COUNT_LINES",
    "EARLIEST",
    "EXPIRES",
    "FAILED_BY_REASON",
    "FAILED_OF_REASON",
    "LAST_BATCH",
    "LATEST",
    "MOST_LINES",
    "MOVED",
    "ONE",
    "OWN",
    "PACKAGES",
    "RETRIED",
    "RETRIED_BY_REASON",
    "RETRIED_OF_REASON",
    "SHARED",
    "STANDING",
    "lines",
    "numbered",
    "outcomes",
]

#: Most lines of one order's history that are counted.
MOST_LINES = 10_000
#: Items among which those are looked for that stand for products to come: they are an order's first.
_FIRST = 100

_o = tables.orders.c
_i = tables.items.c
_e = tables.events.c
_a = tables.attempts.c
_r = tables.results.c
_c = tables.charges.c
_s = tables.shares.c
_ZERO: sa.ColumnElement[int] = sa.literal_column("0")
_ITEM = [_i[name] for name in ITEM_COLUMNS]
_ORDER = [
    _o.id,
    *(_o[name] for name in ORDER_COLUMNS),
    _o.size,
    _o.collections,
    *(_o[name] for name in TALLIES.values()),
]
_OF_ORDER = _i.order_ref == bindparam("order_ref")
#: The sum keeps SQLite from walking the whole order along its primary key instead of an index made for it.
_IS_PRODUCT = _i.number + _ZERO > _ZERO

ONE = Statement(sa.select(*_ORDER).where(_o.uuid == bindparam("uuid")), "uuid")
OWN = Statement(
    limited(
        sa.select(*_ORDER)
        .where(_o.owner == bindparam("owner"), _o.id < bindparam("below", type_=sa.BigInteger))
        .order_by(_o.id.desc())
    ),
    "owner",
    "below",
    "limit",
)
_shared = sa.select(_s.order_ref).where(
    _s.grantee == bindparam("grantee"),
    _s.grantee.is_not(None),  # as the partial index says
    _s.until > bindparam("now", type_=sa.BigInteger),
)
SHARED = Statement(
    limited(
        sa.select(*_ORDER)
        .where(_o.id.in_(_shared), _o.id < bindparam("below", type_=sa.BigInteger))
        .order_by(_o.id.desc())
    ),
    "grantee",
    "now",
    "below",
    "limit",
)
_earliest = (
    sa.select(sa.func.min(_r.expires))
    .where(_r.order_ref == _o.id, _r.removed == _ZERO, _r.position == _ZERO)  # as the partial index says
    .scalar_subquery()
)
EXPIRES = among_statements(_o.id, _o.id, _earliest)
PACKAGES = among_statements(_i.order_ref, _i.order_ref, _i.status, where=_i.number == _ZERO)
STANDING = among_statements(
    _i.order_ref,
    _i.order_ref,
    _i.number,
    _i.status,
    _i.attempt,
    where=sa.and_(_i.number > _ZERO, _i.number <= sa.literal_column(str(_FIRST)), _i.batch == _ZERO),
)


def _of_status(*order: Any) -> Statement:
    query = sa.select(*_ITEM).where(_OF_ORDER, _i.status == bindparam("status"), _IS_PRODUCT)
    return Statement(limited(query.order_by(*order)), "order_ref", "status", "limit")


LATEST = _of_status(_i.updated.desc(), _i.number.desc())
EARLIEST = _of_status(_i.updated, _i.number)
MOVED = Statement(
    limited(
        sa.select(_i.number)
        .where(_OF_ORDER, _i.status == bindparam("status"))
        .order_by(_i.updated.desc(), _i.number.desc())
    ),
    "order_ref",
    "status",
    "limit",
)
LAST_BATCH = Statement(
    sa.select(sa.func.max(_i.batch)).where(_OF_ORDER, _i.batch != _ZERO),  # as the partial index says
    "order_ref",
)

_FAILED = (_OF_ORDER, _i.status == sa.literal_column("12"), _IS_PRODUCT)
_RETRIED = (
    _OF_ORDER,
    _i.retry_at.is_not(None),
    _i.status + _ZERO < sa.literal_column("10"),
    _i.status != sa.literal_column("3"),  # Suspended: paused, and not tried before that is over
    _i.info.is_not(None),  # given back by a server that ended: nothing went wrong
    _IS_PRODUCT,
)


def _by_reason(*where: sa.ColumnElement[bool]) -> Statement:
    count = sa.func.count()
    query = sa.select(_i.info, count).where(*where).group_by(_i.info).order_by(count.desc(), _i.info)
    return Statement(limited(query), "order_ref", "limit")


def _of_reason(*where: sa.ColumnElement[bool]) -> Statement:
    same = _i.info.is_not_distinct_from(bindparam("info", type_=sa.Integer))
    query = sa.select(_i.number).where(*where, same).order_by(_i.number)
    return Statement(limited(query), "order_ref", "info", "limit")


# Reasons, counts and numbers are in the indexes: no item is read to find them.
FAILED_BY_REASON, FAILED_OF_REASON = _by_reason(*_FAILED), _of_reason(*_FAILED)
RETRIED_BY_REASON, RETRIED_OF_REASON = _by_reason(*_RETRIED), _of_reason(*_RETRIED)
RETRIED = Statement(limited(sa.select(_i.number).where(*_RETRIED)), "order_ref", "limit")
COUNT_LINES = Statement(
    sa.select(sa.func.count()).select_from(
        sa.select(sa.literal_column("1").label("one"))
        .where(_e.order_ref == bindparam("order_ref"))
        .limit(sa.literal_column(str(MOST_LINES)))
        .offset(_ZERO)  # keeps SQLite's compiler from adding a parameter of its own
        .subquery()
    ),
    "order_ref",
)
COST = Statement(
    sa.select(_c.currency, sa.func.sum(_c.amount))
    .where(_c.order_ref == bindparam("order_ref"), _c.is_given_back == _ZERO)
    .group_by(_c.currency)
    .order_by(_c.currency),
    "order_ref",
)


def _numbers(column: Any, size: int) -> tuple[sa.ColumnElement[bool], list[str]]:
    names = [f"number_{place}" for place in range(size)]
    return column.in_([bindparam(name, type_=sa.Integer) for name in names]), names


@cache
def lines(size: int) -> Statement:
    """Return the newest lines of so many items of one order."""
    among, names = _numbers(_e.number, size)
    query = sa.select(*EVENT).where(_e.order_ref == bindparam("order_ref"), among)
    # the sum keeps the planner from walking everybody's history backwards
    return Statement(limited(query.order_by((_e.id + _ZERO).desc())), "order_ref", *names, "limit")


@cache
def numbered(size: int) -> Statement:
    """Return so many items of one order by their numbers."""
    among, names = _numbers(_i.number, size)
    query = sa.select(*_ITEM).where(_OF_ORDER, among).order_by(_i.number)
    return Statement(query, "order_ref", *names)


@cache
def outcomes(size: int) -> Statement:
    """Return how the attempts of so many items of one order ended."""
    among, names = _numbers(_a.number, size)
    query = sa.select(_a.number, _a.attempt, _a.outcome).where(
        _a.order_ref == bindparam("order_ref"), _a.outcome.is_not(None), among
    )
    return Statement(query, "order_ref", *names)
