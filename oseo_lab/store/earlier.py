"""Finding kept results that were made by the same recipe: what orders that allow it are delivered from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.names import name_of
from oseo_lab.model.reuse import Earlier
from oseo_lab.store import tables
from oseo_lab.store.orders import Orders
from oseo_lab.store.session import Session, Statement, chunks, order_id_of
from oseo_lab.store.values import from_micros, micros

__all__ = ["find_earlier"]

_a = tables.attempts.c
_i = tables.items.c
_o = tables.orders.c
_r = tables.results.c
_OF_ITEM = sa.and_(_r.order_ref == _i.order_ref, _r.number == _i.number, _r.attempt == _i.attempt)


@cache
def of_recipes(size: int) -> Statement:
    """Return an owner's kept results of this many recipes, oldest order first; a package has no recipe."""
    names = [f"recipe_{place}" for place in range(size)]
    recipes = [bindparam(name, type_=sa.LargeBinary) for name in names]
    is_try = sa.and_(_a.order_ref == _i.order_ref, _a.number == _i.number, _a.attempt == _i.attempt)
    size_of = (
        sa.select(sa.func.sum(_r.size))
        .where(_OF_ITEM, _r.is_data == sa.literal_column("1"))
        .correlate(tables.items)
        .scalar_subquery()
    )
    query = (
        sa.select(_i.recipe, _o.uuid, _i.number, _i.attempt, _a.ended, size_of)
        .select_from(tables.items)
        .join(tables.orders, _o.id == _i.order_ref)
        .join(tables.results, sa.and_(_OF_ITEM, _r.position == sa.literal_column("0")))
        .join(tables.attempts, is_try)
        .where(
            _i.recipe.in_(recipes),
            _i.recipe.is_not(None),  # so that the planner sees that the partial index serves
            # Not to be looked for by: an owner may have thousands of orders, a recipe has few results.
            _o.owner + sa.literal_column("0") == bindparam("owner", type_=sa.Integer),
            _r.removed == sa.literal_column("0"),
            _r.href.is_(None),
            sa.or_(_r.expires.is_(None), _r.expires > bindparam("at", type_=sa.BigInteger)),
        )
        .order_by(_i.order_ref, _i.number)
    )
    return Statement(query, *names, "owner", "at")


def find_earlier(session: Session, owner: str, recipes: Iterable[str], at: datetime) -> dict[str, Earlier]:
    """Return an owner's newest kept result of each recipe that stays until ``at``, without its files."""
    ref = session.find(owner)
    keys = [] if ref is None else [bytes.fromhex(each) for each in dict.fromkeys(recipes)]
    rows = [
        row for part in chunks(keys) for row in session.all(of_recipes(len(part)), (*part, ref, micros(at)))
    ]
    orders = Orders(session).get_many({order_id_of(bytes(row[1])) for row in rows})
    found: dict[str, Earlier] = {}
    for recipe, uuid, number, attempt, ended, size in rows:
        order_id = order_id_of(bytes(uuid))
        found[bytes(recipe).hex()] = Earlier(
            order_id=order_id,
            number=number,
            attempt=attempt,
            name=name_of(orders[order_id]),
            delivered=from_micros(ended),
            size=int(size or 0),
        )
    return found
