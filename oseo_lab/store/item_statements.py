"""The statements of order items.

``items.due`` says from when on an item can be claimed: 0 at once, the end of its lease or of its wait,
NULL never (final, Submitted, Suspended, another provider's, or not wanted any more); below 0 it is not
claimed but looked at, for its user wants something else of it. It is kept here and in `item_records.due`,
nowhere else.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.status import Status, Wanted
from oseo_lab.store import tables
from oseo_lab.store.item_records import CLAIMABLE, ITEM_COLUMNS, LOOK
from oseo_lab.store.orders import TALLIES
from oseo_lab.store.session import Statement, among_statements, limited
from oseo_lab.store.values import STATUS, WANTED

__all__ = [
    "ANY_ENDED",
    "ANY_FRESH",
    "ANY_LATE",
    "COUNTS",
    "ENDED",
    "FRESH",
    "GET",
    "IN_WORK",
    "KEEP_RECIPE",
    "LAST_NUMBER",
    "LATE",
    "LEASE",
    "NEXT_BATCH",
    "NUDGE",
    "OF",
    "OF_BATCH",
    "OF_NO_BATCH",
    "OF_STATUS",
    "PRIORITIES_OF",
    "PUT_OFF",
    "RELEASE",
    "RENEW",
    "SAVE",
    "WANT",
    "WISHED",
    "WISHED_LATE",
    "want_again",
    "wanted_of_numbers",
]

_i = tables.items.c
_o = tables.orders.c
_ITEM = [_i[name] for name in ITEM_COLUMNS]
#: Literals, not parameters: so that the planner sees that the partial indexes serve.
_OPEN = _i.status < sa.literal_column("10")
_CLAIMABLE: list[Any] = [sa.literal_column(str(STATUS[status])) for status in sorted(CLAIMABLE)]
_LOOK: Any = sa.literal_column(str(LOOK))
_WANTED: Any = {each: sa.literal_column(str(number)) for each, number in WANTED.items()}
_CANCELLED = _i.wanted == sa.literal_column(str(WANTED[Wanted.CANCELLED]))
_SUSPENDED = _i.status == sa.literal_column(str(STATUS[Status.SUSPENDED]))
_IS_OURS = _i.provider == bindparam("local", type_=sa.Integer)


def _big(name: str) -> Any:
    return bindparam(name, type_=sa.BigInteger)


def _due(wanted: Any, is_ours: Any) -> sa.Case[Any]:
    """Return `item_records.due` of an open item that is wanted so, as SQL."""
    lease, retry = _i.lease_until, _i.retry_at
    later = sa.case(
        (sa.and_(lease.is_not(None), sa.or_(retry.is_(None), lease > retry)), lease),
        else_=sa.func.coalesce(retry, sa.literal_column("0")),
    )
    goes_on = sa.and_(_SUSPENDED, retry.is_not(None), wanted == _WANTED[Wanted.COMPLETED])
    never = sa.or_(_i.status.not_in(_CLAIMABLE), wanted == _WANTED[Wanted.CANCELLED])
    is_to_pause = sa.and_(wanted == _WANTED[Wanted.SUSPENDED], _i.lease_owner.is_(None))
    return sa.case(
        (sa.not_(is_ours), sa.null()), (goes_on, _LOOK), (never, sa.null()), (is_to_pause, _LOOK), else_=later
    )


OF = Statement(
    limited(
        sa.select(*_ITEM)
        .where(_i.order_ref == bindparam("order_ref"), _i.number > bindparam("after"))
        .order_by(_i.number)
    ),
    "order_ref",
    "after",
    "limit",
)
GET = Statement(
    sa.select(*_ITEM).where(_i.order_ref == bindparam("order_ref"), _i.number == bindparam("number")),
    "order_ref",
    "number",
)
LAST_NUMBER = Statement(
    sa.select(sa.func.max(_i.number)).where(_i.order_ref == bindparam("order_ref")), "order_ref"
)
OF_STATUS = Statement(
    limited(
        sa.select(*_ITEM)
        .where(
            _i.order_ref == bindparam("order_ref"),
            _i.status == bindparam("status"),
            _i.number > bindparam("after"),
        )
        .order_by(_i.number)
    ),
    "order_ref",
    "status",
    "after",
    "limit",
)


_other = tables.items.alias("other").c
#: Numbers from the partial index alone: without statistics SQLite would rather walk the whole order.
_IN_BATCH = _i.number.in_(
    sa.select(_other.number).where(
        _other.order_ref == bindparam("order_ref"),
        _other.batch == bindparam("batch"),
        _other.batch != sa.literal_column("0"),
    )
)
_IN_NO_BATCH = sa.and_(_i.batch == bindparam("batch"), _i.number > sa.literal_column("0"))  # 0 is a package


def _of_batch(where: sa.ColumnElement[bool]) -> Statement:
    query = sa.select(*_ITEM).where(_i.order_ref == bindparam("order_ref"), where)
    return Statement(limited(query.order_by(_i.number)), "order_ref", "batch", "limit")


OF_BATCH = _of_batch(_IN_BATCH)
OF_NO_BATCH = _of_batch(_IN_NO_BATCH)
NEXT_BATCH = Statement(
    sa.select(sa.func.min(_i.batch)).where(
        _i.order_ref == bindparam("order_ref"), _i.batch != sa.literal_column("0"), _SUSPENDED
    ),
    "order_ref",
)
COUNTS = Statement(sa.select(*(_o[name] for name in TALLIES.values())).where(_o.id == bindparam("id")), "id")


def _claimable(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    query = sa.select(*_ITEM).where(_i.due.is_not(None), _i.rank == bindparam("rank"), *where)
    return limited(query.order_by(_i.order_ref, _i.number))


# Two walks along one index instead of one past everything that is leased or waits.
_fresh = _claimable(_i.due == sa.literal_column("0"))
_passed = sa.and_(_i.due > sa.literal_column("0"), _i.due <= _big("now"))
_late = _claimable(_passed, _i.wanted == _WANTED[Wanted.COMPLETED])
_ended = limited(
    sa.select(*_ITEM)
    .where(
        _CANCELLED,
        _OPEN,
        _IS_OURS,
        sa.or_(
            _i.lease_owner.is_(None),
            _i.lease_owner == bindparam("dispatcher"),
            _i.lease_until <= _big("now"),
        ),
    )
    .order_by(_i.order_ref, _i.number)
)
#: What users want something else of: at once, or when whoever works on it has died.
WISHED = Statement(_claimable(_i.due == _LOOK), "rank", "limit")
WISHED_LATE = Statement(_claimable(_passed, _i.wanted == _WANTED[Wanted.SUSPENDED]), "rank", "now", "limit")
FRESH = Statement(_fresh.with_for_update(skip_locked=True), "rank", "limit")
LATE = Statement(_late.with_for_update(skip_locked=True), "rank", "now", "limit")
ENDED = Statement(_ended.with_for_update(skip_locked=True), "local", "dispatcher", "now", "limit")
#: The same for who only looks whether there is anything.
ANY_FRESH = Statement(_fresh, "rank", "limit")
ANY_LATE = Statement(_late, "rank", "now", "limit")
ANY_ENDED = Statement(_ended, "local", "dispatcher", "now", "limit")
#: Items of one order that somebody works on.
IN_WORK = Statement(
    sa.select(*_ITEM)
    .where(
        _i.order_ref == bindparam("order_ref"),
        _OPEN,
        _i.lease_owner.is_not(None),
        _i.lease_until > _big("now"),
    )
    .order_by(_i.number),
    "order_ref",
    "now",
)
#: ``due`` alone: to be let go later is not said of an item.
PUT_OFF = Statement(
    sa.update(tables.items)
    .values(due=_big("until"))
    .where(
        _i.order_ref == bindparam("key"),
        _i.due >= sa.literal_column("0"),
        _i.due < _big("below"),
        _i.lease_owner.is_(None),
        _i.number > sa.literal_column("0"),
    ),
    "until",
    "key",
    "below",
)
LEASE = Statement(
    sa.update(tables.items)
    .values(
        lease_owner=bindparam("dispatcher"),
        lease_until=_big("until"),
        due=sa.case((_i.due.is_not(None), _big("until"))),
    )
    .where(_i.order_ref == bindparam("key"), _i.number == bindparam("key_number")),
    "dispatcher",
    "until",
    "key",
    "key_number",
)
RENEW = Statement(
    sa.update(tables.items)
    .values(lease_until=_big("until"), due=sa.case((_i.due.is_not(None), _big("until"))))
    .where(
        _i.order_ref == bindparam("key"),
        _i.number == bindparam("key_number"),
        _i.lease_owner == bindparam("dispatcher"),
    ),
    "until",
    "key",
    "key_number",
    "dispatcher",
)
RELEASE = Statement(
    sa.update(tables.items)
    .values(
        lease_owner=sa.null(),
        lease_until=sa.null(),
        due=sa.case(
            (_i.due.is_(None), sa.null()),
            (_i.wanted == _WANTED[Wanted.SUSPENDED], _LOOK),
            else_=sa.func.coalesce(_i.retry_at, sa.literal_column("0")),
        ),
    )
    .where(_i.lease_owner == bindparam("dispatcher"), _OPEN),
    "dispatcher",
)
_wanted_after = sa.func.coalesce(bindparam("to_wanted", type_=sa.SmallInteger), _i.wanted)
SAVE = Statement(
    sa.update(tables.items)
    .values(
        status=bindparam("to_status"),
        info=bindparam("to_info"),
        mission=bindparam("to_mission"),
        wanted=_wanted_after,
        attempt=bindparam("to_attempt"),
        failures=bindparam("to_failures"),
        updated=bindparam("to_updated"),
        retry_at=bindparam("to_retry_at"),
        lease_owner=bindparam("to_lease_owner"),
        lease_until=bindparam("to_lease_until"),
        product=bindparam("to_product"),
        due=sa.case(
            (_wanted_after == _WANTED[Wanted.COMPLETED], _big("to_due")),
            (_wanted_after == _WANTED[Wanted.SUSPENDED], _big("to_due_if_paused")),
        ),
    )
    .where(
        _i.order_ref == bindparam("key"),
        _i.number == bindparam("key_number"),
        _i.status == bindparam("was_status"),
        _i.attempt == bindparam("was_attempt"),
        _i.lease_owner.is_not_distinct_from(bindparam("was_lease_owner", type_=sa.Integer)),
    ),
    "to_status",
    "to_info",
    "to_mission",
    "to_wanted",
    "to_attempt",
    "to_failures",
    "to_updated",
    "to_retry_at",
    "to_lease_owner",
    "to_lease_until",
    "to_product",
    "to_due",
    "to_due_if_paused",
    "key",
    "key_number",
    "was_status",
    "was_attempt",
    "was_lease_owner",
)
WANT = Statement(
    sa.update(tables.items)
    .values(
        wanted=bindparam("to_wanted"),
        due=_due(bindparam("to_wanted", type_=sa.SmallInteger), _IS_OURS),
    )
    .where(_i.order_ref == bindparam("key"), _OPEN),
    "to_wanted",
    "local",
    "key",
)
_first_suspended = (
    sa.select(sa.func.min(_other.number))
    .where(
        _other.order_ref == bindparam("of_order"),
        _other.status == sa.literal_column(str(STATUS[Status.SUSPENDED])),
        _other.provider == bindparam("of_local", type_=sa.Integer),
    )
    .scalar_subquery()
)
#: One that waits stands for all that do: whoever looks at it looks at what they wait for.
NUDGE = Statement(
    sa.update(tables.items)
    .values(due=_LOOK)
    .where(_i.order_ref == bindparam("key"), _i.number == _first_suspended),
    "key",
    "of_order",
    "of_local",
)
KEEP_RECIPE = Statement(
    sa.update(tables.items)
    .values(recipe=bindparam("to_recipe"))
    .where(_i.order_ref == bindparam("key"), _i.number == bindparam("key_number")),
    "to_recipe",
    "key",
    "key_number",
)


@cache
def wanted_of_numbers(size: int) -> Statement:
    """Return what is wanted of this many items of one order."""
    names = [f"number_{place}" for place in range(size)]
    numbers = [bindparam(name, type_=sa.Integer) for name in names]
    query = sa.select(_i.number, _i.wanted).where(
        _i.order_ref == bindparam("order_ref"), _i.number.in_(numbers)
    )
    return Statement(query, "order_ref", *names)


@cache
def want_again(size: int) -> Statement:
    """Return what notes that this many final items of one order are to be tried again."""
    names = [f"number_{place}" for place in range(size)]
    core = (
        sa.update(tables.items)
        .values(
            wanted=bindparam("to_wanted"),
            retry_at=bindparam("to_retry_at"),
            due=_LOOK,
        )
        .where(
            _i.order_ref == bindparam("key"),
            _i.number.in_([bindparam(name, type_=sa.Integer) for name in names]),
            _i.status >= sa.literal_column("10"),
            _i.retry_at.is_(None),
        )
    )
    return Statement(core, "to_wanted", "to_retry_at", "key", *names)


PRIORITIES_OF = among_statements(_o.id, _o.id, _o.priority)
