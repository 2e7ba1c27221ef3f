"""Kept results by their recipes: whose, which of several, while they stay; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from oseo_lab.model.order import Attempt, ResultFile
from oseo_lab.model.status import Status

DAY = timedelta(days=1)
MINE, OTHER = "ab" * 16, "cd" * 16


@pytest.fixture
def delivered(store, added, now):
    """Deliver the first item of an order, by a recipe."""

    def deliver(recipe=MINE, number=1, **wishes):
        order = added(items=2, **wishes)
        key = order.order_id, number
        (before,) = (each for each in order.items if each.number == number)
        after = replace(before, attempt=1, status=replace(before.status, status=Status.COMPLETED))
        files = [
            ResultFile(
                order_id=order.order_id,
                number=number,
                attempt=1,
                name=name,
                size=size,
                sha256="0f" * 32,
                media_type="image/tiff",
                is_data=is_data,
                expires=now + 10 * DAY,
            )
            for name, size, is_data in (("a.tif", 7, True), ("b.tif", 5, True), ("item.json", 3, False))
        ]

        def work(unit):
            assert unit.items.save(before, after)
            unit.results.add(files)
            attempt = Attempt(
                order_id=order.order_id, number=number, attempt=1, ended=now, outcome="delivered"
            )
            unit.events.save_attempts([attempt])
            unit.items.keep_recipes([(key, recipe)])

        store.write(work)
        return order, files

    return deliver


def found(store, recipes, at, owner="anna"):
    with store.read() as unit:
        return unit.results.earlier(owner, recipes, at)


def test_the_newest_of_each_recipe_is_found_with_its_name_time_and_size(store, delivered, now):
    delivered()
    second, _ = delivered(reference="lake", number=2)
    third, _ = delivered(OTHER)
    both = found(store, [MINE, OTHER, "ef" * 16], now)
    assert set(both) == {MINE, OTHER}
    mine = both[MINE]
    assert (mine.order_id, mine.number, mine.attempt) == (second.order_id, 2, 1)
    assert (mine.name, mine.delivered, mine.size) == ("lake", now, 12)
    assert both[OTHER].order_id == third.order_id


def test_nobody_finds_anybody_elses(store, delivered, now):
    delivered(owner="berta")
    assert found(store, [MINE], now) == {}
    assert set(found(store, [MINE], now, owner="berta")) == {MINE}
    assert found(store, [MINE], now, owner="who never ordered") == {}


def test_what_does_not_stay_was_removed_or_is_unusable_is_not_found(store, delivered, now):
    _, files = delivered()
    assert set(found(store, [MINE], now + 9 * DAY)) == {MINE}
    assert found(store, [MINE], now + 10 * DAY) == {}
    store.write(lambda unit: unit.results.removed(files))
    assert found(store, [MINE], now) == {}
    spoilt, _ = delivered(OTHER)
    store.write(lambda unit: unit.items.keep_recipes([((spoilt.order_id, 1), None)]))
    assert found(store, [OTHER], now) == {}


def test_many_are_looked_for_at_once_and_none_costs_nothing(store, delivered, now):
    delivered()
    many = [f"{number:032x}" for number in range(600)]
    assert set(found(store, [*many, MINE, MINE], now)) == {MINE}
    assert found(store, [], now) == {}
    store.write(lambda unit: unit.items.keep_recipes([]))
