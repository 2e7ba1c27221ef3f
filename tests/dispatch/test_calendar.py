"""Ninety days of standing orders in a second: late, revised, repeated products, outages, crashes."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from oseo_lab.dispatch import adding
from oseo_lab.dispatch.calendar import Calendar
from oseo_lab.dispatch.planner import Policy
from oseo_lab.dispatch.settle import follow_up
from oseo_lab.model.errors import Unavailable
from oseo_lab.model.options import ParameterData
from oseo_lab.model.status import ProviderOrderState, Status, Wanted
from oseo_lab.store import open_store
from tests.dispatch.standing import (
    LATENESS,
    SCENES,
    SQUARE,
    Clock,
    GrowingCatalogue,
    Made,
    day,
    delivered,
    subscription,
)


class Lab:
    """A store, a clock, a catalogue and the calendar, which can die and live again."""

    def __init__(self, store, made=(), outages=(), collection=SCENES):
        self.store, self.clock = store, Clock()
        self.catalogue = GrowingCatalogue(self.clock, made, outages)
        self.collection = collection
        self.woken = 0
        self.restart()

    def restart(self, store=None):
        self.calendar = Calendar(
            store=store or self.store,
            collections={"scenes": self.collection},
            catalogue=lambda name: self.catalogue,
            now=self.clock,
            wake=self.wake,
        )

    def wake(self):
        self.woken += 1

    def add(self, order):
        self.store.write(lambda work: work.orders.add(order))
        self.calendar.stir()
        return order.order_id

    def at(self, number):
        self.clock.time = day(number)
        return self.calendar.step()

    def order(self, order_id):
        with self.store.read() as snapshot:
            return snapshot.orders.get(order_id)

    def want(self, order_id, wanted):
        def write(work):
            order = work.orders.get(order_id)
            work.orders.save(replace(order, wanted=wanted, updated=self.clock()))

        self.store.write(write)


class Dying:
    """The store of a process that dies: before or after the transactions with these numbers commit."""

    def __init__(self, store, deaths):
        self._store, self._deaths, self._count = store, deaths, 0
        self.read = store.read

    def write(self, work):
        self._count += 1
        how = self._deaths.get(self._count)
        if how == "before":
            raise Unavailable("the process died before the commit")
        result = self._store.write(work)
        if how == "after":
            raise Unavailable("the process died after the commit")
        return result


def test_what_appears_is_ordered_once_with_the_subscriptions_options(store):
    lab = Lab(store, [Made("a", 1, (1.5,)), Made("b", 2, (2.2,)), Made("far", 2, (2.2,), east=40)])
    order_id = lab.add(subscription(ring=SQUARE))
    assert [lab.at(number) for number in (0, 1, 2, 3, 4)] == [0, 0, 1, 1, 0]
    with store.read() as snapshot:
        parent, first, second = snapshot.items.of(order_id)
        order = snapshot.orders.get(order_id)
        parts = snapshot.provider_orders.of(order_id)
    assert (parent.status.status, parent.batch) == (Status.SUSPENDED, 0)
    assert [(each.batch, each.specification.item_id) for each in (first, second)] == [
        (1, "all-1.1"),
        (2, "all-2.1"),
    ]
    assert first.status.status is Status.ACCEPTED
    assert first.specification.options == parent.specification.options
    assert order.status.status is Status.IN_PRODUCTION
    assert order.status.additional == "2 products in 2 batches so far"
    assert [each.state for each in parts] == [ProviderOrderState.PROCESSING]
    assert lab.woken == 2


@st.composite
def worlds(draw):
    """Products with their late and revised publications, subscriptions, and deaths of the process."""
    made = []
    for number in range(draw(st.integers(1, 25))):
        acquired = draw(st.floats(-3, 93))
        late = draw(st.floats(0, LATENESS))
        again = draw(st.lists(st.floats(5, 25), max_size=2))
        published = [acquired + late]
        for pause in again:
            published.append(published[-1] + pause)
        east = draw(st.sampled_from([5.0, 9.9, 40.0]))
        made.append(Made(f"p{number}", acquired, tuple(published), east))
    begun = draw(
        st.lists(st.tuples(st.floats(0, 60), st.floats(1, 30), st.booleans()), min_size=1, max_size=3)
    )
    out = draw(st.floats(1, 85))
    deaths = draw(st.dictionaries(st.integers(1, 40), st.sampled_from(["before", "after"]), max_size=6))
    return made, begun, out, deaths, draw(st.booleans())


#: A world takes a tenth of a second: searching for a smaller one that fails is left out.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(
    max_examples=10,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(world=worlds())
@example(
    world=(
        [Made("late", 20, (30.0,)), Made("twice", 40, (41.0, 50.0)), Made("in the outage", 60, (61.0,))],
        [(0.0, 90.0, True), (0.0, 90.0, False)],
        60.5,
        {1: "before", 3: "after"},
        True,
    )
)
def test_ninety_days_give_exactly_the_expected_deliveries(tmp_path_factory, world):
    live_through(tmp_path_factory, world)


@pytest.mark.long
@settings(
    max_examples=500,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds())
def test_many_times_ninety_days_give_exactly_the_expected_deliveries(tmp_path_factory, world):
    live_through(tmp_path_factory, world)


def live_through(tmp_path_factory, world):
    """Let the days pass, and compare what was delivered with what a catalogue showed while it answered."""
    made, begun, out, deaths, repeats = world
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('days') / 'orders.sqlite'}")
    lab = Lab(store, made, outages=[(out, out + 2)])
    lab.catalogue.repeats = repeats
    lab.restart(Dying(store, deaths))
    ids = [
        lab.add(subscription(start, start + length, ring=SQUARE if placed else ()))
        for start, length, placed in begun
    ]
    expected = [Counter() for _ in begun]
    over = [False] * len(begun)
    for number in range(130):
        lab.clock.time = day(number)
        for place, (start, length, placed) in enumerate(begun):
            if lab.catalogue.is_out or over[place]:
                continue
            for each in lab.catalogue.visible():
                in_time = day(start) <= day(each.acquired) <= day(start + length)
                if in_time and (not placed or each.east < 20):
                    expected[place][each.name, each.revision(lab.clock())] = 1
            over[place] = day(number) > day(start + length) + timedelta(days=LATENESS)
        while True:
            try:
                lab.calendar.step()
                break
            except Unavailable:
                lab.restart(Dying(store, {}) if len(deaths) < 2 else Dying(store, {2: "after"}))
    for place, order_id in enumerate(ids):
        names = Counter(delivered(store, order_id))
        assert names == Counter(name for name, _ in expected[place].elements())
        with store.read() as snapshot:
            assert snapshot.items.get(order_id, 1).status.status is Status.TERMINATED
    store.close()


def test_what_an_outage_hid_comes_when_it_is_over(store):
    lab = Lab(store, [Made("a", 5, (5.1,))], outages=[(4, 8)])
    order_id = lab.add(subscription())
    assert [lab.at(number) for number in range(8)] == [0] * 8
    assert lab.at(8) == 1 and delivered(store, order_id) == ["a"]


def test_a_catalogue_that_fails_on_a_later_page_loses_nothing(store):
    lab = Lab(store, [Made(f"p{number:02}", number / 4, (1.0,)) for number in range(20)])
    order_id = lab.add(subscription(end=30))
    lab.catalogue.fails_at_page = 1
    assert lab.at(6) == 7
    lab.catalogue.fails_at_page = None
    lab.clock.time += timedelta(minutes=2)
    assert lab.calendar.step() == 13
    assert sorted(delivered(store, order_id)) == [f"p{number:02}" for number in range(20)]


def test_while_the_store_fails_the_catalogue_is_left_in_peace(store):
    lab = Lab(store, [Made("a", 1, (1.0,))])
    order_id = lab.add(subscription())
    lab.restart(Dying(store, {number: "before" for number in range(1, 10)}))
    lab.clock.time = day(2)
    for _ in range(5):
        with suppress(Unavailable):
            lab.calendar.step()
        lab.clock.time += timedelta(seconds=1)
    assert lab.catalogue.asked == 1
    lab.calendar._store = store
    lab.clock.time += timedelta(minutes=1)
    assert lab.calendar.step() == 1 and delivered(store, order_id) == ["a"]


def test_many_at_once_are_made_batch_after_batch(store):
    small = replace(SCENES, batch=4)
    lab = Lab(store, [Made(f"p{number:02}", 1, (1.0,)) for number in range(10)], collection=small)
    order_id = lab.add(subscription(collection=small))
    assert lab.at(2) == 10
    with store.read() as snapshot:
        batches = [(each.batch, each.status.status) for each in snapshot.items.of(order_id) if each.batch]
    waits, goes = Status.SUSPENDED, Status.ACCEPTED
    assert batches == [(1, goes)] * 4 + [(2, waits)] * 4 + [(3, waits)] * 2
    for batch in (1, 2, 3):
        complete(store, order_id, batch, day(2))
    assert lab.order(order_id).status.status is Status.SUSPENDED


def complete(store, order_id, batch, now):
    """Say that a batch was made, as a dispatcher does; all of it must have been let go."""

    def write(work):
        items = work.items.of_batch(order_id, batch)
        assert {item.status.status for item in items} == {Status.ACCEPTED}
        done = [
            (item, replace(item, status=replace(item.status, status=Status.COMPLETED), updated=now))
            for item in items
        ]
        assert all(work.items.save_many(done))
        follow_up(work, {order_id}, now, Policy())

    store.write(write)


def test_suspended_it_orders_nothing_and_resumed_what_was_missed(store):
    lab = Lab(store, [Made("a", 1, (1.0,)), Made("b", 20, (20.0,))])
    order_id = lab.add(subscription())
    assert lab.at(2) == 1
    lab.want(order_id, Wanted.SUSPENDED)
    assert [lab.at(number) for number in (21, 22, 45)] == [0, 0, 0]
    lab.want(order_id, Wanted.COMPLETED)
    lab.calendar.stir()
    assert lab.calendar.step() == 1 and delivered(store, order_id) == ["a", "b"]


def test_what_is_said_of_it_follows_the_wish_also_over_a_restart(store):
    lab = Lab(store, [Made("a", 1, (1.0,))])
    order_id = lab.add(subscription())
    lab.at(2)

    def said():
        with store.read() as snapshot:
            item = snapshot.items.get(order_id, 1)
        return lab.order(order_id).status.additional, item.status.additional

    before = said()
    lab.want(order_id, Wanted.SUSPENDED)
    lab.at(3)
    suspended = "paused at the user's request"
    assert said() == (f"{suspended}; 1 product in 1 batch so far", suspended)
    lab.want(order_id, Wanted.COMPLETED)
    lab.restart()
    lab.at(4)
    assert said() == before == ("1 product in 1 batch so far", "subscription is active")


def test_cancelled_it_orders_nothing_more(store):
    lab = Lab(store, [Made("a", 1, (1.0,)), Made("b", 20, (20.0,))])
    order_id = lab.add(subscription())
    lab.at(2)
    lab.want(order_id, Wanted.CANCELLED)
    assert [lab.at(number) for number in (21, 22)] == [0, 0]


def test_its_time_is_over_when_late_products_can_no_longer_come(store):
    lab = Lab(store, [Made("late", 89, (98.0,))])
    order_id = lab.add(subscription())
    lab.at(91)
    assert lab.order(order_id).status.status is Status.SUSPENDED
    assert lab.at(99) == 1
    complete(store, order_id, 1, day(99))
    lab.at(101)
    assert lab.order(order_id).status.status is Status.TERMINATED
    with store.read() as snapshot:
        assert [each.state for each in snapshot.provider_orders.of(order_id)] == [ProviderOrderState.CLOSED]
        assert snapshot.items.get(order_id, 1).status.additional == "the date range is over"


def test_at_most_so_many_observations_and_no_nearer_than_their_gap(store):
    made = [Made(f"p{number}", number, (number + 0.1,)) for number in range(1, 20)]
    made.append(Made("p1", 1, (1.1, 15.0)))
    lab = Lab(store, [each for each in made if each.name != "p1" or len(each.published) == 2])
    order_id = lab.add(subscription(observations=4, gap=3))
    for number in range(1, 20):
        lab.at(number)
    assert delivered(store, order_id) == ["p1", "p4", "p7", "p10"]
    with store.read() as snapshot:
        parent = snapshot.items.get(order_id, 1)
    assert parent.status.status is Status.TERMINATED
    assert parent.status.additional == "all 4 observations have come"


def test_announced_products_are_ordered_at_once_and_not_again(store):
    lab = Lab(store, [Made("a", 1, (1.0,)), Made("b", 1, (1.0,), east=40)])
    order_id = lab.add(subscription(ring=SQUARE))
    lab.clock.time = day(1.5)
    assert lab.calendar.announce("scenes", ["a", "b", "unknown"]) == 1
    assert lab.calendar.announce("scenes", ["a"]) == 0
    assert lab.at(2) == 0 and delivered(store, order_id) == ["a"]


def test_what_would_match_is_told_and_nothing_ordered(store):
    lab = Lab(store, [Made("a", 1, (1.0,)), Made("b", 3, (3.0,)), Made("far", 3, (3.0,), east=40)])
    order_id = lab.add(subscription(ring=SQUARE))
    lab.at(2)
    lab.clock.time = day(4)
    found = lab.calendar.would_match(lab.order(order_id))
    assert [each.identifier for each in found] == ["b"] and delivered(store, order_id) == ["a"]


@pytest.mark.parametrize("name", ["p\ud800", "p\x00", "p\uffff", "p" * 300])
def test_a_product_whose_name_nobody_can_write_down_keeps_nobody_from_the_others(store, name):
    lab = Lab(store, [Made("a", 1, (1.0,)), Made(name, 1, (1.0,))])
    order_id = lab.add(subscription(ring=SQUARE))
    assert lab.at(2) == 1 and delivered(store, order_id) == ["a"]


def test_one_look_serves_all_subscriptions(store):
    lab = Lab(store, [Made("a", 1, (1.0,))])
    ids = [lab.add(subscription(ring=SQUARE)) for _ in range(5)]
    before = lab.catalogue.asked
    assert lab.at(2) == 5 and lab.catalogue.asked == before + 1
    assert all(delivered(store, each) == ["a"] for each in ids)


def test_products_that_cannot_be_ordered_yet_are_left_for_later(store):
    picky = replace(SCENES, pattern="x.*")
    lab = Lab(store, [Made("a", 1, (1.0,)), Made("xa", 1, (1.0,))], collection=picky)
    order_id = lab.add(subscription())
    lab.at(2)
    assert delivered(store, order_id) == ["xa"]


def test_much_at_once_is_added_in_several_transactions(store, monkeypatch):
    monkeypatch.setattr(adding, "AT_ONCE", 3)
    lab = Lab(store, [Made(f"p{number:02}", number, (number,)) for number in range(10)])
    ids = [lab.add(subscription()), lab.add(subscription(observations=5)), lab.add(subscription(end=1))]
    counting = Dying(store, {})
    lab.restart(counting)
    assert lab.at(20) == 10 + 5 + 2
    assert counting._count >= 5
    assert delivered(store, ids[0]) == [f"p{number:02}" for number in range(10)]
    assert delivered(store, ids[1]) == [f"p{number:02}" for number in range(5)]
    assert lab.at(21) == 0


def test_several_calendars_on_one_store_deliver_each_product_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'orders.sqlite'}"
    stores = [open_store(url) for _ in range(3)]
    labs = [Lab(each, [Made(f"p{number:02}", number, (number,)) for number in range(30)]) for each in stores]
    ids = [labs[0].add(subscription()) for _ in range(3)]
    names = [f"p{number:02}" for number in range(30)]

    def work(lab):
        for number in range(0, 32, 3):
            lab.at(number)
            lab.calendar.announce("scenes", names)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, labs))
    for order_id in ids:
        assert sorted(delivered(stores[0], order_id)) == names
        with stores[0].read() as snapshot:
            items = snapshot.items.of(order_id)
        assert [each.number for each in items] == list(range(1, 32))
        assert len({each.specification.item_id for each in items}) == 31
    for each in stores:
        each.close()


def test_a_look_ends_when_the_service_closes_and_is_made_in_the_next_life(store):
    lab = Lab(store, [Made(f"p{number:02}", number / 4, (1.0,)) for number in range(20)])
    order_id = lab.add(subscription(end=30))
    answer = lab.catalogue.search

    def last_page(query):
        lab.calendar.close()
        return answer(query)

    lab.catalogue.search = last_page
    assert lab.at(6) == 7
    lab.catalogue.search = answer
    lab.restart()
    assert lab.calendar.step() == 13 and len(delivered(store, order_id)) == 20


def test_an_order_whose_options_are_none_any_more_stops_nobody(store, caplog):
    lab = Lab(store, [Made("a", 1, (1.0,))])
    strange = subscription()
    item = replace(
        strange.items[0],
        specification=replace(
            strange.items[0].specification, options=(ParameterData(values=(("dateRange", "soon"),)),)
        ),
    )
    lab.add(replace(strange, items=(item,)))
    order_id = lab.add(subscription())
    assert lab.at(2) == 1 and delivered(store, order_id) == ["a"]
    assert "cannot be matched" in caplog.text
