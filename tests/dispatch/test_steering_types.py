"""Retry and pause of orders of every type: large ones, standing ones, those for a planning service."""
# ruff: noqa: F811 (fixtures of other modules are parameters here)

from __future__ import annotations

from decimal import Decimal

import pytest

from oseo_lab.model.errors import Conflict
from oseo_lab.model.job import FailureClass
from oseo_lab.model.limits import Limits
from oseo_lab.model.status import Status, Wanted
from oseo_lab.operations import Context, Service
from oseo_lab.operations.steering import pause, resume, retry
from tests.dispatch.standing import Made, massive
from tests.dispatch.test_accounting import standing  # noqa: F401 (a fixture)
from tests.dispatch.test_dispatcher import Scripted, make, report
from tests.dispatch.test_massive import TEN, Lab, by_size
from tests.dispatch.test_tasking import RADAR, make_dispatcher
from tests.dispatch.test_tasking import Lab as TaskingLab


def here(lab, owner="anna"):
    return Context(
        owner=owner,
        store=lab.store,
        collections={},
        service=Service(),
        wake=lambda: None,
        now=lab.clock,
        url="http://localhost/oseo/",
        link=lambda order_id, number, name, expires: name,
    )


def statuses(store, order_id):
    with store.read() as snapshot:
        return [each.status.status for each in snapshot.items.of(order_id)]


def test_items_of_a_batch_that_is_done_begin_anew_beside_the_next_ones(store):
    lab = Lab(store)
    order_id = lab.add(by_size(25))
    lab.dispatcher.step()
    first, *others = lab.executor.take()
    lab.dispatcher.step([report(first, FailureClass.INTERNAL), *(report(job) for job in others)])
    second = lab.executor.take()
    retry(order_id, None, here(lab))
    lab.dispatcher.step()
    (again,) = lab.executor.take()
    assert (again.number, again.attempt, len(second)) == (1, 2, 10)
    lab.dispatcher.step([report(job) for job in second])
    assert lab.executor.take() == []  # the third batch waits for what was tried again
    lab.dispatcher.step([report(again)])
    assert lab.work() == 5
    assert set(statuses(store, order_id)) == {Status.COMPLETED}


def test_a_large_order_goes_on_where_it_was_paused(store):
    lab = Lab(store)
    order_id = lab.add(by_size(25))
    pause(order_id, here(lab))
    assert lab.work() == 0
    assert lab.order(order_id).status.status is Status.SUSPENDED
    resume(order_id, here(lab))
    assert [lab.work() for _ in range(4)] == [10, 10, 5, 0]
    assert lab.order(order_id).status.status is Status.COMPLETED
    assert lab.most_in_work(order_id) == 10


def test_nothing_is_asked_of_the_catalogue_for_a_paused_order(store):
    lab = Lab(store, [Made(f"p{number:02}", number, (number,)) for number in range(40)])
    order_id = lab.add(massive(0, 24, TEN))
    lab.massive.step()
    pause(order_id, here(lab))
    assert (lab.work(), lab.massive.step()) == (0, 0)
    resume(order_id, here(lab))
    given = []
    for _ in range(4):
        given.append(lab.work())
        lab.massive.step()
    assert given == [10, 10, 5, 0]
    assert lab.order(order_id).status.status is Status.COMPLETED


def test_the_item_that_was_filled_is_not_tried_again(store):
    lab = Lab(store, [Made("p", 30, (30,))])
    order_id = lab.add(massive(0, 20, TEN))
    lab.massive.step()
    with pytest.raises(Conflict, match="name those, or order anew"):
        retry(order_id, ["span"], here(lab))


# --------------------------------------------------------------------------------------------- subscriptions


def test_a_product_that_could_not_be_paid_is_made_once_it_can(standing, store):
    lab, order_id, owner = standing
    for number in range(6):
        lab.at(number)
    with pytest.raises(Conflict, match="does not suffice"):
        retry(order_id, None, here(lab, owner))
    store.write(lambda work: work.balances.set(owner, "EUR", Decimal(8)))
    retry(order_id, None, here(lab, owner))
    with store.read() as snapshot:
        assert snapshot.balances.of(owner) == {"EUR": Decimal(0)}
    dispatcher = make(store, lab.clock, Scripted(), "d1")
    dispatcher._collections = {"scenes": lab.collection}
    dispatcher.step()
    assert Status.FAILED not in statuses(store, order_id)


def test_a_subscription_draws_no_more_than_its_limit(standing, store):
    lab, order_id, owner = standing
    store.write(lambda work: work.balances.set(owner, "EUR", Decimal(100)))
    with_limit(store, order_id, Limits(max_price=9.0))
    for number in range(6):
        lab.at(number)
    assert [each is Status.FAILED for each in statuses(store, order_id)[1:]] == [False, False, True, True]
    with store.read() as snapshot:
        assert snapshot.balances.of(owner) == {"EUR": Decimal(92)}
        last = snapshot.items.of(order_id)[-1]
    assert last.status.additional == "not made: max_price does not allow the order 4 EUR more"
    with pytest.raises(Conflict, match="max_price=9"):
        retry(order_id, None, here(lab, owner))


def with_limit(store, order_id, limits):
    """Let an order that is there have been submitted with a limit."""
    from oseo_lab.store.order_records import OrderRest, dump

    def write(work):
        cursor = work.items._session._cursor
        text = work.items._session.ref(dump(OrderRest(extensions=limits.extensions())))
        cursor.execute("UPDATE orders SET rest = ?", (text,))

    store.write(write)


def test_products_of_a_subscription_that_is_over_begin_anew(standing, store):
    lab, order_id, owner = standing
    for number in range(6):
        lab.at(number)
    executor = Scripted()
    dispatcher = make(store, lab.clock, executor, "d1")
    dispatcher._collections = {"scenes": lab.collection}
    dispatcher.step()
    dispatcher.step([report(job, FailureClass.INTERNAL) for job in executor.take()])
    lab.at(200)
    with store.read() as snapshot:
        assert snapshot.orders.get(order_id).status.status is Status.TERMINATED
        names = [each.specification.item_id for each in snapshot.items.of(order_id)]
    with pytest.raises(Conflict, match="subscribe anew"):
        retry(order_id, names[:1], here(lab, owner))
    retry(order_id, names[1:2], here(lab, owner))
    dispatcher.step()
    with store.read() as snapshot:
        assert snapshot.orders.get(order_id).status.status is Status.IN_PRODUCTION
    dispatcher.step([report(job) for job in executor.take()])
    with store.read() as snapshot:
        assert snapshot.orders.get(order_id).status.status is Status.TERMINATED


def test_a_paused_subscription_holds_back_what_it_has_ordered(standing, store):
    lab, order_id, owner = standing
    for number in range(3):
        lab.at(number)
    executor = Scripted()
    dispatcher = make(store, lab.clock, executor, "d1")
    dispatcher._collections = {"scenes": lab.collection}
    pause(order_id, here(lab, owner))
    dispatcher.step()
    lab.at(4)
    assert executor.take() == []
    with store.read() as snapshot:
        kept = snapshot.orders.get(order_id)
    assert (kept.status.status, kept.wanted) == (Status.SUSPENDED, Wanted.SUSPENDED)
    assert kept.status.additional.startswith("paused at the user's request; ")
    resume(order_id, here(lab, owner))
    lab.at(5)
    dispatcher.step()
    assert executor.take()


# ------------------------------------------------------------------------------------------- planning service


def test_a_request_that_failed_is_asked_about_again(store, tmp_path):
    lab = TaskingLab(store, tmp_path / "tasks.json")
    lab.say({f"urn:task:{name}": {"state": "failed", "text": "clouds"} for name in "abc"})
    _, status, _ = lab.ask()
    assert status is Status.FAILED
    retry(lab.order_id, ["b"], here(lab))
    executor = Scripted()
    dispatcher = make_dispatcher(store, lab.clock, executor, "d1")
    dispatcher._collections = {"radar": RADAR}
    dispatcher.step()
    lab.say({"urn:task:b": {"state": "waiting"}})
    _, status, items = lab.ask()
    assert items[1].status.additional == "waiting for the tasking service"
    pause(lab.order_id, here(lab))
    lab.say({"urn:task:b": {"state": "acquired", "product": "SAR_1"}})
    assert lab.ask()[0] == 0
    resume(lab.order_id, here(lab))
    assert lab.ask()[0] == 1
    dispatcher.step()
    assert [job.product.identifier for job in executor.take()] == ["SAR_1"]
