"""Massive orders: filled from the catalogue, or split by size; never more in work than configured."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from oseo_lab.dispatch import massive as massive_orders
from oseo_lab.dispatch.dispatcher import Dispatcher, Leases
from oseo_lab.dispatch.jobs import Places
from oseo_lab.dispatch.massive import MassiveOrders
from oseo_lab.dispatch.planner import Policy
from oseo_lab.model.collection import Scope
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.errors import Unavailable
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import Cancel
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.model.status import Status
from oseo_lab.operations import Context, Service, perform
from oseo_lab.operations.order_types import make_order
from tests.dispatch.standing import SCENES, Clock, GrowingCatalogue, Made, day, delivered, massive
from tests.dispatch.test_calendar import Dying
from tests.dispatch.test_dispatcher import Scripted, report

TEN = replace(SCENES, batch=10, subscription=None)


class Lab:
    """A dispatcher whose worker is the test, and what fills massive orders."""

    def __init__(self, store, made=(), collection=TEN):
        self.store, self.clock = store, Clock()
        self.clock.time = day(50)
        self.catalogue = GrowingCatalogue(self.clock, made)
        self.collections = {"scenes": collection}
        self.executor = Scripted()
        self.dispatcher = Dispatcher(
            name="d1",
            store=store,
            executor=self.executor,
            collections=self.collections,
            places=Places(results="file:///results", scratch="file:///scratch"),
            policy=Policy(),
            leases=Leases(),
            now=self.clock,
        )
        self.restart(store)

    def restart(self, store):
        self.massive = MassiveOrders(
            store=store,
            collections=self.collections,
            catalogue=lambda name: self.catalogue,
            now=self.clock,
            wake=lambda: None,
        )

    def add(self, order):
        self.store.write(lambda work: work.orders.add(order))
        return order.order_id

    def work(self):
        """Let a worker deliver everything it is given; return how many it was given at once."""
        self.dispatcher.step()
        jobs = self.executor.take()
        self.dispatcher.step([report(job) for job in jobs])
        return len(jobs)

    def order(self, order_id):
        with self.store.read() as snapshot:
            return snapshot.orders.get(order_id)

    def most_in_work(self, order_id):
        """Return the most items that were open and not Suspended at any moment of the history."""
        with self.store.read() as snapshot:
            lines = snapshot.events.of(order_id)
        state, most = {}, 0
        for line in lines:
            if line.number:
                state[line.number] = line.status
                busy = [each for each in state.values() if not each.is_final and each is not Status.SUSPENDED]
                most = max(most, len(busy))
        return most


def by_size(count, collection=TEN, **more):
    items = tuple(
        ItemSpecification(item_id=f"i{number}", identifier=ProductId(identifier=f"p{number}"))
        for number in range(1, count + 1)
    )
    specification = OrderSpecification(items=items, **more)
    return make_order(specification, (collection,) * count, "anna", None, None, day(50))


def test_a_large_order_is_made_batch_after_batch(store):
    lab = Lab(store)
    order_id = lab.add(by_size(25))
    assert [lab.work() for _ in range(4)] == [10, 10, 5, 0]
    order = lab.order(order_id)
    assert (order.status.status, order.status.additional) == (Status.COMPLETED, None)
    assert lab.most_in_work(order_id) == 10


def test_a_large_order_says_which_batch_is_being_made(store):
    lab = Lab(store)
    order_id = lab.add(by_size(25))
    with store.read() as snapshot:
        last = snapshot.items.get(order_id, 25)
    assert (last.status.status, last.status.additional, last.batch) == (
        Status.SUSPENDED,
        "waits for batch 2",
        3,
    )
    lab.work()
    assert lab.order(order_id).status.additional == "batch 2 of 3 is being made"


def test_an_order_of_one_batch_has_no_batches(store):
    assert {item.batch for item in by_size(10).items} == {0}


def test_the_package_of_a_large_order_waits_for_all_batches(store):
    whole = replace(TEN, delivery=replace(TEN.delivery, scope=Scope.ORDER))
    lab = Lab(store, collection=whole)
    order_id = lab.add(by_size(12, whole, packaging=Packaging.ZIP))
    assert [lab.work() for _ in range(3)] == [10, 2, 1]
    assert lab.order(order_id).status.status is Status.COMPLETED


def test_cancel_in_mid_order_ends_the_waiting_batches(store):
    lab = Lab(store)
    order_id = lab.add(by_size(25))
    lab.work()
    context = Context(
        owner="anna",
        store=store,
        collections=lab.collections,
        service=Service(),
        wake=lambda: None,
        now=lab.clock,
        url="http://localhost/oseo/",
        link=lambda order_id, number, name, expires: name,
    )
    perform(Cancel(order_id=order_id), context)
    assert [lab.work() for _ in range(3)] == [10, 0, 0]  # batch 2 was with the worker already
    with store.read() as snapshot:
        counts = snapshot.items.counts(order_id)
    assert counts == {Status.COMPLETED: 20, Status.CANCELLED: 5}


def test_a_date_range_is_filled_from_the_catalogue_in_batches(store):
    lab = Lab(store, [Made(f"p{number:02}", number, (number,)) for number in range(40)])
    order_id = lab.add(massive(0, 24, TEN))
    assert lab.order(order_id).status.status is Status.SUSPENDED
    given = []
    for _ in range(4):
        lab.massive.step()
        assert lab.massive.step() == 0  # nothing more while these are in work
        given.append(lab.work())
    assert given == [10, 10, 5, 0]
    assert sorted(delivered(store, order_id)) == [f"p{number:02}" for number in range(25)]
    assert lab.most_in_work(order_id) == 10
    order = lab.order(order_id)
    assert order.status.status is Status.COMPLETED
    assert order.status.additional == "25 products in 3 batches"
    with store.read() as snapshot:
        assert snapshot.items.get(order_id, 1).status.additional == "25 products were found"


def test_a_date_range_without_products_fails_with_the_reason(store):
    lab = Lab(store, [Made("p", 30, (30,))])
    order_id = lab.add(massive(0, 20, TEN))
    lab.massive.step()
    with store.read() as snapshot:
        parent = snapshot.items.get(order_id, 1)
    assert parent.status.additional == "scenes has no products in the date range"
    assert lab.order(order_id).status.status is Status.FAILED


def test_each_product_is_ordered_once_wherever_the_process_dies(store):
    lab = Lab(store, [Made(f"p{number:02}", number, (number,)) for number in range(25)])
    order_id = lab.add(massive(0, 30, TEN))
    for death in ("before", "after", None, "after", "before", None, None):
        lab.restart(Dying(store, {1: death}))
        try:
            lab.massive.step()
        except Unavailable:
            continue
        lab.work()
    lab.restart(store)
    while lab.massive.step() or lab.work():
        pass
    assert sorted(delivered(store, order_id)) == [f"p{number:02}" for number in range(25)]
    assert lab.order(order_id).status.status is Status.COMPLETED


def test_an_order_to_which_nothing_can_be_added_keeps_nothing_from_the_next(store, monkeypatch):
    lab = Lab(store, [Made("p", 1, (1,))])
    first, second = lab.add(massive(0, 20, TEN)), lab.add(massive(0, 20, TEN))
    adding = massive_orders._add

    def add(work, key, **found):
        if key[0] == first:
            raise TypeError("a product that nobody foresaw")
        return adding(work, key, **found)

    monkeypatch.setattr(massive_orders, "_add", add)
    assert lab.massive.step() == 1
    assert (delivered(store, first), delivered(store, second)) == ([], ["p"])


def test_a_catalogue_that_does_not_answer_is_asked_again(store):
    lab = Lab(store, [Made("p", 1, (1,))])
    order_id = lab.add(massive(0, 20, TEN))
    lab.catalogue.outages = [(49, 51)]
    assert lab.massive.step() == 0
    lab.catalogue.outages = []
    assert lab.massive.step() == 0  # not before a minute has passed
    lab.clock.time += timedelta(minutes=2)
    assert lab.massive.step() == 1 and delivered(store, order_id) == ["p"]
