"""What accounts may still order, and what orders drew from it; in whole millionths, never in floats.

One transaction writes at a time (`oseo_lab.store.engine`), so a balance that was read is still the same
when it is drawn from: nobody overdraws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.errors import Conflict, Problem, ValidationError
from oseo_lab.model.quotation import Charge
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, among_statements, chunks

__all__ = ["Balances"]

_MILLION = 1_000_000
#: Most that fits, in units: far above any price, far below what sixty-four bits hold.
_MOST = 10**12

_b = tables.balances.c
_c = tables.charges.c
_o = tables.orders.c
_COLUMNS = tuple(column.name for column in tables.charges.columns)
_DRAWN = ("owner", "amount", "is_drawn", "is_given_back")
_CHARGE = [_c[name] for name in _COLUMNS]
_ONE: Any = sa.literal_column("1")
_ZERO: Any = sa.literal_column("0")


def _set_balance(insert: Any) -> Any:
    core = insert(tables.balances).values({name: bindparam(name) for name in ("owner", "currency", "value")})
    return core.on_conflict_do_update(
        index_elements=[_b.owner, _b.currency], set_={"value": core.excluded.value}
    )


def _add_charge(insert: Any) -> Any:
    """Insert a charge, or replace one that was given back: an item may be made again after it failed."""
    core = insert(tables.charges).values({name: bindparam(name) for name in _COLUMNS})
    return core.on_conflict_do_update(
        index_elements=[_c.order_ref, _c.number, _c.currency],
        set_={name: core.excluded[name] for name in _DRAWN},
        where=_c.is_given_back == _ONE,
    )


_OF = Statement(
    sa.select(_b.currency, _b.value).where(_b.owner == bindparam("owner")).order_by(_b.currency), "owner"
)
_SET = Statement(_set_balance, "owner", "currency", "value")
_LIFT = Statement(
    sa.delete(tables.balances).where(_b.owner == bindparam("owner"), _b.currency == bindparam("currency")),
    "owner",
    "currency",
)
_MOVE = Statement(
    sa.update(tables.balances)
    .values(value=_b.value + bindparam("more", type_=sa.BigInteger))
    .where(_b.owner == bindparam("key"), _b.currency == bindparam("key_currency")),
    "more",
    "key",
    "key_currency",
)
_ADD = Statement(_add_charge, *_COLUMNS)
_GIVE_BACK = Statement(
    sa.update(tables.charges)
    .values(is_given_back=_ONE)
    .where(
        _c.order_ref == bindparam("key"),
        _c.number == bindparam("key_number"),
        _c.currency == bindparam("key_currency"),
    ),
    "key",
    "key_number",
    "key_currency",
)
_CHARGES = Statement(
    sa.select(*_CHARGE).where(_c.order_ref == bindparam("order_ref")).order_by(_c.number, _c.currency),
    "order_ref",
)
#: Which orders drew anything: mostly none did.
_CHARGED = among_statements(_o.id, _o.id, where=sa.exists().where(_c.order_ref == _o.id))


@cache
def _not_given_back(size: int) -> Statement:
    names = [f"number_{place}" for place in range(size)]
    numbers = [bindparam(name, type_=sa.Integer) for name in names]
    query = sa.select(*_CHARGE).where(
        _c.order_ref == bindparam("order_ref"), _c.number.in_(numbers), _c.is_given_back == _ZERO
    )
    return Statement(query.order_by(_c.number, _c.currency), "order_ref", *names)


class Balances:
    """`oseo_lab.ports.Balances` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, owner: str) -> dict[str, Decimal]:
        """Return an owner's balances by currency; a currency that is not there is not limited."""
        ref = self._session.find(owner)
        return {} if ref is None else {name: _units(value) for name, value in self._values(ref).items()}

    def set(self, owner: str, currency: str, value: Decimal | None) -> None:
        """Set a balance; None lifts the limit.

        Raises
        ------
        ValidationError
            If the value is not a number, or beyond a million millions.
        """
        if value is None:
            self._session.run(_LIFT, (self._session.ref(owner), currency))
        else:
            self._session.run(_SET, (self._session.ref(owner), currency, _millionths(value)))

    def draw(self, charges: Sequence[Charge]) -> None:
        """Draw charges, all or none; where there is no balance nothing is drawn, but the charge kept.

        What is given back from the beginning is kept too: it is drawn if the item must be made after all.

        Raises
        ------
        Conflict
            If a balance does not suffice, or an item was charged already; locator ``payment``.
        ValidationError
            If an amount is negative, not a number, or beyond a million millions.
        NotFound
            If there is no such order.
        """
        session = self._session
        refs = session.known_refs(charge.order_id for charge in charges)
        needed: Counter[tuple[int, str]] = Counter()
        rows = []
        for charge in charges:
            owner, amount = session.ref(charge.owner), _charged(charge.amount)
            assert owner is not None
            needed[owner, charge.currency] += 0 if charge.is_given_back else amount
            rows.append((refs[charge.order_id], charge.number, charge.currency, owner, amount))
        balances = {owner: self._values(owner) for owner in {owner for owner, _ in needed}}
        _check(needed, balances)
        full = [
            (*row, int(row[2] in balances[row[3]]), int(charge.is_given_back))
            for row, charge in zip(rows, charges, strict=True)
        ]
        with session.savepoint():
            if session.many(_ADD, full) != len(full):
                text = "items of this order were charged already, and not given back; charge each item once"
                raise Conflict(text, locator="payment")
            session.many(
                _MOVE,
                [(-amount, *each) for each, amount in needed.items() if each[1] in balances[each[0]]],
            )

    def give_back(self, keys: Iterable[tuple[str, int]]) -> list[Charge]:
        """Give back what items drew that is not given back yet; return it."""
        session = self._session
        numbers: dict[str, list[int]] = {}
        for name, number in keys:
            numbers.setdefault(name, []).append(number)
        names = {ref: name for name, ref in session.order_refs(numbers).items()}
        charged = [row[0] for row in session.among(_CHARGED, names)]
        rows = {
            row[:3]: row
            for ref in sorted(set(charged))
            for part in chunks(numbers[names[ref]])
            for row in session.all(_not_given_back(len(part)), (ref, *part))
        }
        session.many(_GIVE_BACK, list(rows))
        back: Counter[tuple[int, str]] = Counter()
        for _, _, currency, owner, amount, is_drawn, _ in rows.values():
            back[owner, currency] += amount if is_drawn else 0
        session.many(_MOVE, [(amount, owner, name) for (owner, name), amount in back.items() if amount])
        return [replace(self._charge(row, names[row[0]]), is_given_back=True) for row in rows.values()]

    def charges(self, order_id: str) -> list[Charge]:
        """Return what an order's items drew, by number."""
        ref = self._session.order_ref(order_id)
        rows = [] if ref is None else self._session.all(_CHARGES, (ref,))
        return [self._charge(row, order_id) for row in rows]

    def _values(self, owner: int) -> dict[str, int]:
        return {row[0]: row[1] for row in self._session.all(_OF, (owner,))}

    def _charge(self, row: Sequence[Any], order_id: str) -> Charge:
        return Charge(
            order_id=order_id,
            number=row[1],
            currency=row[2],
            owner=self._session.text(row[3]) or "",
            amount=_units(row[4]),
            is_given_back=bool(row[6]),
        )


def _check(needed: Mapping[tuple[int, str], int], balances: Mapping[int, Mapping[str, int]]) -> None:
    """Raise Conflict for every balance that does not suffice."""
    texts = [
        f"the balance of {_units(balance):f} {currency} does not suffice: {_units(amount):f} {currency} are "
        f"needed; order fewer items or choose cheaper options, or ask the operator to raise the balance"
        for (owner, currency), amount in needed.items()
        if (balance := balances[owner].get(currency)) is not None and balance < amount
    ]
    if texts:
        problems = [Problem(code=Conflict.code, locator="payment", text=text) for text in texts]
        raise Conflict("; ".join(texts), locator="payment", problems=problems)


def _millionths(value: Decimal) -> int:
    if not value.is_finite() or abs(value) > _MOST:
        raise ValidationError(f"{value} cannot be an amount; it must be a number, at most {_MOST}")
    return int((value * _MILLION).to_integral_value(ROUND_HALF_EVEN))


def _charged(value: Decimal) -> int:
    amount = _millionths(value)
    if amount < 0:
        raise ValidationError(f"a charge of {value} is negative; it must be 0 or more")
    return amount


def _units(millionths: int) -> Decimal:
    return Decimal(millionths) / _MILLION
