"""Balances and charges: drawn all or none, given back once, never overdrawn; on both databases."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oseo_lab.model.errors import Conflict, NotFound, ValidationError
from oseo_lab.model.order import new_order_id
from oseo_lab.model.quotation import Charge
from oseo_lab.store import open_store


def _charge(order, number=1, amount="1", currency="QUOTA", owner="anna"):
    return Charge(
        order_id=order.order_id, number=number, owner=owner, currency=currency, amount=Decimal(amount)
    )


@pytest.fixture
def draw(store):
    return lambda *charges: store.write(lambda unit: unit.balances.draw(charges))


@pytest.fixture
def give_back(store):
    return lambda *keys: store.write(lambda unit: unit.balances.give_back(keys))


@pytest.fixture
def grant(store):
    def grant(value, currency="QUOTA", owner="anna"):
        amount = None if value is None else Decimal(value)
        store.write(lambda unit: unit.balances.set(owner, currency, amount))

    return grant


def _balances(store, owner="anna"):
    with store.read() as unit:
        return unit.balances.of(owner)


def test_a_balance_is_set_and_lifted(store, grant):
    assert _balances(store) == {}
    grant("10"), grant("2.5", "EUR"), grant("7", owner="berta")
    assert _balances(store) == {"EUR": Decimal("2.5"), "QUOTA": Decimal(10)}
    grant("3"), grant(None, "EUR")
    assert _balances(store) == {"QUOTA": Decimal(3)}


def test_charges_are_drawn_and_told_by_order(store, added, grant, draw):
    order, other = added(), added()
    grant("10")
    charges = [_charge(order, 1, "2.5"), _charge(order, 2, "0.000001"), _charge(order, 3, "0")]
    draw(*charges, _charge(other))
    assert _balances(store) == {"QUOTA": Decimal("6.499999")}
    with store.read() as unit:
        assert unit.balances.charges(order.order_id) == charges
        assert unit.balances.charges(new_order_id()) == []


def test_what_does_not_suffice_draws_nothing_and_says_what_is_there_and_needed(store, added, grant, draw):
    order = added()
    grant("5"), grant("1", "EUR"), grant("9", "USD")
    with pytest.raises(Conflict) as caught:
        draw(
            _charge(order, 1, "3"),
            _charge(order, 2, "3"),
            _charge(order, 1, "2.5", "EUR"),
            _charge(order, 1, "1", "USD"),
        )
    assert caught.value.locator == "payment"
    first, second = (problem.text for problem in caught.value.problems)
    assert "5 QUOTA" in first and "6 QUOTA are needed" in first and "operator" in first
    assert "1 EUR" in second and "2.5 EUR" in second
    assert _balances(store) == {"QUOTA": Decimal(5), "EUR": Decimal(1), "USD": Decimal(9)}
    with store.read() as unit:
        assert unit.balances.charges(order.order_id) == []


def test_a_balance_can_be_drawn_to_nothing(store, added, grant, draw):
    grant("5")
    draw(_charge(added(), 1, "5"))
    assert _balances(store) == {"QUOTA": Decimal(0)}
    with pytest.raises(Conflict):
        draw(_charge(added(), 1, "0.000001"))


def test_without_a_balance_nothing_is_drawn_and_the_charge_is_kept(store, added, draw, give_back, grant):
    order = added()
    draw(_charge(order, 1, "1000000"))
    assert _balances(store) == {}
    with store.read() as unit:
        assert unit.balances.charges(order.order_id) == [_charge(order, 1, "1000000")]
    grant("5")  # from now on limited: what was never drawn does not come back
    assert [charge.amount for charge in give_back((order.order_id, 1))] == [Decimal(1_000_000)]
    assert _balances(store) == {"QUOTA": Decimal(5)}


def test_where_nothing_is_limited_an_order_may_cost_more_than_a_balance_holds(store, added, draw, grant):
    order = added()
    dear = [_charge(order, number=number, amount="1000000000000") for number in range(1, 21)]
    draw(*dear)
    with store.read() as unit:
        assert sum(each.amount for each in unit.balances.charges(order.order_id)) == 20 * Decimal(10**12)
    other = added()
    grant("1000000000000")
    with pytest.raises(Conflict, match="20000000000000 QUOTA are needed"):
        draw(*(replace(each, order_id=other.order_id) for each in dear))


def test_what_items_drew_is_given_back_exactly_once(store, added, grant, draw, give_back):
    order, other = added(), added()
    grant("10"), grant("10", "EUR", "berta")
    draw(
        *(_charge(order, number, "2") for number in (1, 2)),
        _charge(other, 1, "4", "EUR", "berta"),
        _charge(other, 2, "1", "EUR", "berta"),
    )
    keys = [(order.order_id, 1), (order.order_id, 1), (order.order_id, 9), (other.order_id, 1)]
    back = give_back(*keys, (new_order_id(), 1))
    assert [(each.number, each.amount, each.is_given_back) for each in back] == [
        (1, Decimal(2), True),
        (1, Decimal(4), True),
    ]
    assert _balances(store) == {"QUOTA": Decimal(8)}
    assert _balances(store, "berta") == {"EUR": Decimal(9)}
    assert give_back(*keys) == []
    assert _balances(store) == {"QUOTA": Decimal(8)}
    with store.read() as unit:
        assert [each.is_given_back for each in unit.balances.charges(order.order_id)] == [True, False]


def test_an_item_is_charged_once_unless_it_was_given_back(store, added, grant, draw, give_back):
    order = added()
    grant("10")
    draw(_charge(order, 1, "2"))
    with pytest.raises(Conflict, match="charged already"):
        draw(_charge(order, 2, "2"), _charge(order, 1, "2"))
    assert _balances(store) == {"QUOTA": Decimal(8)}
    give_back((order.order_id, 1))
    draw(_charge(order, 1, "3"))
    assert _balances(store) == {"QUOTA": Decimal(7)}
    assert [each.amount for each in give_back((order.order_id, 1))] == [Decimal(3)]


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e13"])
def test_an_amount_that_cannot_be_is_refused(added, draw, amount):
    with pytest.raises(ValidationError):
        draw(_charge(added(), 1, amount))


def test_a_charge_of_no_order_is_refused(draw, make_order):
    with pytest.raises(NotFound):
        draw(_charge(make_order()))


def test_orders_at_the_same_moment_do_not_overdraw(store, url, added, grant):
    grant("50")
    orders = [added(items=1) for _ in range(60)]
    second = open_store(url)  # as another process has it

    def attempt(pair):
        place, order = pair
        chosen = second if place % 2 else store
        try:
            chosen.write(lambda unit: unit.balances.draw([_charge(order)]))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(attempt, enumerate(orders)))
    second.close()
    assert outcomes == {True: 50, False: 10}
    assert _balances(store) == {"QUOTA": Decimal(0)}


def test_two_that_give_back_at_the_same_moment_give_back_once(store, added, grant, draw):
    order = added(items=20)
    grant("20")
    draw(*(_charge(order, number) for number in range(1, 21)))
    keys = [(order.order_id, number) for number in range(1, 21)]
    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(lambda _: store.write(lambda unit: unit.balances.give_back(keys)), range(4)))
    assert sorted(map(len, given)) == [0, 0, 0, 20]
    assert _balances(store) == {"QUOTA": Decimal(20)}


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('bank')}/orders.sqlite")
    yield store
    store.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(0, 20),
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 5), st.integers(0, 9)), max_size=12),
)
def test_whatever_is_drawn_and_given_back_the_sum_stays(bank, make_order, start, steps):
    order = replace(make_order(items=5), owner=new_order_id())
    owner, total = order.owner, Decimal(start)
    bank.write(lambda unit: (unit.orders.add(order), unit.balances.set(owner, "QUOTA", total)))
    for is_draw, number, amount in steps:
        charge = _charge(order, number, str(amount), owner=owner)
        try:
            if is_draw:
                bank.write(lambda unit, charge=charge: unit.balances.draw([charge]))
            else:
                bank.write(lambda unit, key=(order.order_id, number): unit.balances.give_back([key]))
        except Conflict:
            pass  # too little, or charged already: nothing moved
        with bank.read() as unit:
            left = unit.balances.of(owner)["QUOTA"]
            out = sum(each.amount for each in unit.balances.charges(order.order_id) if not each.is_given_back)
        assert left >= 0
        assert left + out == total
