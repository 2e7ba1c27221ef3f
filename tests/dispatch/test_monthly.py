"""Subscriptions that take so many products a month: what is more waits; nothing is lost or comes twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oseo_lab.dispatch.calendar import Calendar
from oseo_lab.model.limits import Limits, limit_problems, month_after, month_of
from oseo_lab.model.order import OrderSpecification
from oseo_lab.store import open_store
from tests.dispatch.standing import SCENES, Clock, GrowingCatalogue, Made, day, subscription


def limited(most: int, **how):
    order = subscription(**how)
    extensions = Limits(max_items_per_month=most).extensions()
    return replace(order, specification=replace(order.specification, extensions=extensions))


def joined(store, order_id: str) -> list[tuple[str, datetime]]:
    """Return products and when they joined, in order."""
    with store.read() as snapshot:
        items = [each for each in snapshot.items.of(order_id) if each.batch]
    return [(each.specification.identifier.identifier, each.updated) for each in items]


def calendar_of(store, clock, catalogue) -> Calendar:
    return Calendar(
        store=store,
        collections={"scenes": SCENES},
        catalogue=lambda name: catalogue,
        now=clock,
        wake=lambda: None,
    )


def run(store, clock, catalogue, days: int, restarts: frozenset[int] = frozenset()) -> None:
    calendar = calendar_of(store, clock, catalogue)
    for number in range(days):
        clock.time = day(number + 0.25)
        if number in restarts:
            calendar = calendar_of(store, clock, catalogue)
        calendar.stir()
        calendar.step()


def test_ninety_days_of_two_a_week_with_five_a_month(store):
    clock, most = Clock(), 5
    made = [Made(f"P{n:02}", 3.5 * n, (3.5 * n + 0.1,)) for n in range(26)]
    catalogue = GrowingCatalogue(clock, made, outages=[(20, 22)])
    order = limited(most, start=0, end=90)
    store.write(lambda work: work.orders.add(order))
    run(store, clock, catalogue, 185)
    found = joined(store, order.order_id)
    assert sorted(name for name, _ in found) == [each.name for each in made]
    assert max(Counter(month_of(at) for _, at in found).values()) == most
    with store.read() as snapshot:
        over = snapshot.items.get(order.order_id, 1)
    assert over.status.additional == "the date range is over"  # and not before all had come


def test_a_date_range_that_is_over_waits_for_what_is_beyond_the_month(store):
    clock = Clock()
    made = [Made(f"P{n}", 2 + n, (2 + n + 0.1,)) for n in range(8)]
    order = limited(3, start=0, end=12)
    store.write(lambda work: work.orders.add(order))
    run(store, clock, GrowingCatalogue(clock, made), 100)
    found = joined(store, order.order_id)
    assert [name for name, _ in found] == [each.name for each in made]
    assert sorted(Counter(month_of(at).month for _, at in found).items()) == [(1, 3), (2, 3), (3, 2)]


def test_what_is_announced_beyond_the_month_waits_too(store):
    clock = Clock()
    made = [Made(f"P{n}", 1.0, (1.1,)) for n in range(4)]
    catalogue = GrowingCatalogue(clock, made)
    order = limited(1, start=0, end=60)
    store.write(lambda work: work.orders.add(order))
    clock.time = day(2)
    calendar = calendar_of(store, clock, catalogue)
    assert calendar.announce("scenes", [each.name for each in made]) == 1
    assert calendar.announce("scenes", [each.name for each in made]) == 0
    run(store, clock, catalogue, 140)
    assert sorted(name for name, _ in joined(store, order.order_id)) == ["P0", "P1", "P2", "P3"]


@settings(max_examples=10, deadline=None)
@given(
    most=st.integers(2, 6),
    days=st.lists(st.floats(0, 60), min_size=1, max_size=12),
    late=st.lists(st.floats(0, 9), min_size=12, max_size=12),
    revised=st.sets(st.integers(0, 11)),
    restarts=st.frozensets(st.integers(0, 400), max_size=5),
)
def test_each_revision_comes_once_and_no_month_is_too_full(
    tmp_path_factory, most, days, late, revised, restarts
):
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('monthly') / 'orders.sqlite'}")
    try:
        clock = Clock()
        made = [
            Made(f"P{n:02}", at, (at + late[n], at + 9.5) if n in revised else (at + late[n],))
            for n, at in enumerate(days)
        ]
        catalogue = GrowingCatalogue(clock, made, outages=[(30, 33)])
        catalogue.repeats = True
        order = limited(most, start=0, end=60)
        store.write(lambda work: work.orders.add(order))
        run(store, clock, catalogue, 30 * (2 * len(made) // most + 5), restarts)
        with store.read() as snapshot:
            had = snapshot.matches.known([(order.order_id, 1)])[order.order_id, 1]
        found = joined(store, order.order_id)
        assert len(had) == len(found)  # one item for each revision that was seen
        assert {name for name, _ in found} == {each.name for each in made}
        assert max(Counter(month_of(at) for _, at in found).values()) <= most
    finally:
        store.close()


@pytest.mark.parametrize(
    ("moment", "begin", "following"),
    [
        ("2026-01-31T23:59:59+00:00", (2026, 1), (2026, 2)),
        ("2026-12-01T00:00:00+00:00", (2026, 12), (2027, 1)),
        ("2026-03-01T00:30:00+02:00", (2026, 2), (2026, 3)),
    ],
)
def test_a_month_is_utcs(moment, begin, following):
    at = datetime.fromisoformat(moment)
    assert month_of(at) == datetime(*begin, 1, tzinfo=UTC)
    assert month_after(at) == datetime(*following, 1, tzinfo=UTC)


@pytest.mark.parametrize("said", ["0", "-3", "1.5", "many", ""])
def test_a_month_takes_whole_numbers_from_one_on(said):
    order = replace(subscription().specification, extensions=(f"max_items_per_month={said}",))
    (problem,) = limit_problems(order)
    assert "whole numbers of products from 1 on" in problem.text


def test_only_subscriptions_take_so_many_a_month():
    (problem,) = limit_problems(OrderSpecification(extensions=("max_items_per_month=3",)))
    assert "is for subscriptions" in problem.text
