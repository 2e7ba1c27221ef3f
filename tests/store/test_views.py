"""Orders at a glance, whatever their size: the newest of each status, what failed by reason, pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from oseo_lab.model.delivery import Packaging
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.order import Attempt, ResultFile, StatusChange, StatusInfo, new_order_id
from oseo_lab.model.quotation import Charge, Price
from oseo_lab.model.share import Share
from oseo_lab.model.status import Status, Wanted

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def move(store, now):
    """Move items of an order: ``move(order, {1: Status.FAILED}, "why")``, each change a minute later."""
    minutes = iter(range(1, 10_000))

    def to(order, statuses, info=None, **more):
        at = now + next(minutes) * MINUTE
        with store.read() as unit:
            items = {each.number: each for each in unit.items.of(order.order_id)}
        changes = []
        for number, status in statuses.items():
            after = replace(
                items[number], status=StatusInfo(status=status, additional=info), updated=at, **more
            )
            changes.append((items[number], after))

        def write(unit):
            assert all(unit.items.save_many(changes))
            unit.events.add(
                [
                    StatusChange(
                        order_id=order.order_id,
                        number=after.number,
                        status=after.status.status,
                        at=at,
                        author="d",
                        info=info,
                    )
                    for _, after in changes
                ]
            )

        store.write(write)

    return to


def _file(order, number, size, now, **more):
    return ResultFile(
        order_id=order.order_id,
        number=number,
        attempt=1,
        size=size,
        sha256="00" * 32,
        media_type="image/tiff",
        **{"expires": now + DAY, "name": f"{number}.tif", **more},
    )


# ------------------------------------------------------------------------------------------- at a glance


def test_an_order_at_a_glance_counts_its_products_and_the_bytes_of_their_data(store, added, move, now):
    order = added(items=4)
    move(order, {1: Status.COMPLETED, 2: Status.FAILED})
    files = [
        _file(order, 1, 100, now),
        _file(order, 1, 7, now, name="item.json", is_data=False),
        _file(order, 2, 20, now, expires=now + 2 * DAY),
    ]
    store.write(lambda unit: unit.results.add(files))
    with store.read() as unit:
        summary = unit.views.summary(unit.orders.get(order.order_id))
    assert summary.counts == {Status.ACCEPTED: 2, Status.COMPLETED: 1, Status.FAILED: 1}
    assert (summary.size, summary.expires) == (120, now + DAY)
    assert (summary.name, summary.owner, summary.wanted) == ("a reference", "anna", Wanted.COMPLETED)
    assert summary.collections == ("urn:eop:DEMO:S2",)
    assert summary.created == order.created


def test_what_is_removed_does_not_expire_any_more(store, added, now):
    order = added(items=2)
    files = [_file(order, 1, 5, now), _file(order, 2, 5, now, expires=now + 3 * DAY)]
    store.write(lambda unit: unit.results.add(files))
    store.write(lambda unit: unit.results.removed([unit.results.of(order.order_id, number=1)[0]]))
    with store.read() as unit:
        assert unit.views.summary(order).expires == now + 3 * DAY


def test_a_package_is_no_product_and_its_bytes_are_those_of_the_products_again(store, make_order, now):
    order = make_order(items=2)
    package = replace(order.items[0], number=0, status=StatusInfo(status=Status.SUSPENDED))
    order = replace(
        order,
        items=(package, *order.items),
        specification=replace(order.specification, packaging=Packaging.ZIP),
    )
    store.write(lambda unit: unit.orders.add(order))
    store.write(lambda unit: unit.results.add([_file(order, 0, 50, now), _file(order, 1, 50, now)]))
    with store.read() as unit:
        summary = unit.views.summary(order)
        assert (summary.counts, summary.size) == ({Status.ACCEPTED: 2}, 50)
        assert unit.views.latest(order, Status.SUSPENDED, 9) == []


def test_what_stands_for_products_to_come_is_no_product(store, make_order):
    order = make_order(items=3, status=Status.SUSPENDED)
    standing, *found = order.items
    order = replace(
        order,
        specification=replace(order.specification, order_type=OrderType.SUBSCRIPTION_ORDER),
        items=(standing, *(replace(each, batch=1) for each in found)),
    )
    store.write(lambda unit: unit.orders.add(order))
    with store.read() as unit:
        assert unit.views.summary(order).counts == {Status.SUSPENDED: 2}
        assert [each.number for each in unit.views.latest(order, Status.SUSPENDED, 9)] == [3, 2]
        assert unit.views.last_batch(order.order_id) == 1


def test_the_newest_of_a_status_come_first_or_the_oldest(store, added, move):
    order = added(items=5)
    for number in (3, 1, 5):
        move(order, {number: Status.COMPLETED})
    with store.read() as unit:
        assert [each.number for each in unit.views.latest(order, Status.COMPLETED, 2)] == [5, 1]
        earliest = unit.views.latest(order, Status.COMPLETED, 2, newest=False)
        assert [each.number for each in earliest] == [3, 1]
        assert unit.views.latest(order, Status.COMPLETED, 0) == []
        assert unit.views.latest(replace(order, order_id=new_order_id()), Status.ACCEPTED, 9) == []


# -------------------------------------------------------------------------------------------- what failed


def test_failures_are_told_by_reason_with_what_may_help(store, added, move, now):
    order = added(items=8)
    move(order, {1: Status.FAILED, 2: Status.FAILED, 3: Status.FAILED}, "the source is damaged", attempt=1)
    move(order, {4: Status.FAILED}, "the quota is used up", attempt=2)
    later = now + DAY
    move(order, {5: Status.IN_PRODUCTION, 6: Status.IN_PRODUCTION}, "busy; later", attempt=1, retry_at=later)
    move(order, {7: Status.SUSPENDED}, "paused", attempt=1, retry_at=later)
    outcomes = {1: (1, "permanent at source"), 4: (2, "quota"), 5: (1, "transient"), 2: (1, "delivered")}
    attempts = [
        Attempt(order_id=order.order_id, number=number, attempt=attempt, outcome=outcome)
        for number, (attempt, outcome) in outcomes.items()
    ]
    store.write(lambda unit: unit.events.save_attempts(attempts))
    with store.read() as unit:
        damaged, busy, quota = unit.views.failures(order.order_id)
        assert [each.number for each in unit.views.retried(order.order_id, 9)] == [5, 6]
        items = unit.items.of(order.order_id)
        assert unit.views.failure_classes(items) == {1: "permanent at source", 4: "quota", 5: "transient"}
        assert unit.views.failure_classes([]) == {}
        assert unit.views.failures(new_order_id()) == []
    assert (damaged.reason, damaged.count, damaged.failure) == (
        "the source is damaged",
        3,
        "permanent at source",
    )
    assert damaged.item_ids == ("item-1", "item-2", "item-3") and not damaged.can_retry
    assert (busy.count, busy.retry_at, busy.can_retry) == (2, later, False)
    assert (quota.count, quota.retry_at, quota.can_retry) == (1, None, True)


def test_of_many_that_failed_alike_twenty_are_named(store, added, move):
    order = added(items=60)
    move(order, dict.fromkeys(range(1, 51), Status.FAILED))
    with store.read() as unit:
        (group,) = unit.views.failures(order.order_id)
    assert (group.count, len(group.item_ids), group.reason) == (50, 20, "no reason was given")


# ------------------------------------------------------------------------------------- history, cost, files


def test_the_newest_lines_of_an_order_are_its_own_whoever_else_is_busy(store, added, move):
    order, other = added(items=6), added(items=6)
    for number in (2, 4, 6):
        move(order, {number: Status.IN_PRODUCTION})
        move(other, {number: Status.IN_PRODUCTION})
    move(order, {4: Status.COMPLETED}, "made")
    with store.read() as unit:
        whole = unit.events.of(order.order_id)
        assert unit.views.lines(order.order_id, 4) == whole[:-5:-1]
        assert unit.views.lines(order.order_id, 100) == whole[::-1]
        assert unit.views.count_lines(order.order_id) == len(whole)
        assert unit.views.lines(new_order_id(), 4) == [] and unit.views.count_lines(new_order_id()) == 0


def test_cost_is_what_was_drawn_and_not_given_back(store, added):
    order = added(items=3)
    charges = [
        Charge(order_id=order.order_id, number=number, owner="anna", currency=currency, amount=Decimal("2.5"))
        for number, currency in ((1, "EUR"), (2, "EUR"), (3, "QUOTA"))
    ]
    store.write(lambda unit: unit.balances.draw(charges))
    store.write(lambda unit: unit.balances.give_back([(order.order_id, 2)]))
    with store.read() as unit:
        assert unit.views.cost(order.order_id) == [
            Price(value=2.5, currency="EUR"),
            Price(value=2.5, currency="QUOTA"),
        ]
        assert unit.views.cost(new_order_id()) == []


def test_the_files_of_items_are_their_data(store, added, now):
    order = added(items=3)
    files = [_file(order, 1, 5, now), _file(order, 2, 5, now, is_data=False, name="item.json")]
    store.write(lambda unit: unit.results.add(files))
    with store.read() as unit:
        found = unit.views.files(order.order_id, [1, 2, 3])
    assert {number: [each.name for each in files] for number, files in found.items()} == {1: ["1.tif"]}


# -------------------------------------------------------------------------------------------------- pages


def test_orders_come_newest_first_page_by_page_and_new_ones_shift_nothing(store, added):
    made = [added(items=1).order_id for _ in range(5)]
    added(owner="berta", items=1)
    with store.read() as unit:
        first = unit.views.summaries("anna", limit=2)
    added(items=1)
    with store.read() as unit:
        second = unit.views.summaries("anna", before=first[-1].order_id, limit=2)
        third = unit.views.summaries("anna", before=second[-1].order_id, limit=2)
        assert unit.views.summaries("anna", before=new_order_id()) == []
        assert unit.views.summaries("nobody") == []
    assert [each.order_id for each in (*first, *second, *third)] == made[::-1]


def test_orders_that_are_shared_come_as_long_as_they_are(store, added, now):
    order = added(items=1)
    added(items=1)
    share = Share(
        order_id=order.order_id,
        share_id="00000000-0000-4000-8000-000000000001",
        grantee="ben",
        created=now,
        until=now + DAY,
    )
    store.write(lambda unit: unit.shares.add(share))
    with store.read() as unit:
        assert [each.order_id for each in unit.views.summaries("ben", shared_at=now)] == [order.order_id]
        assert unit.views.summaries("ben", shared_at=now + DAY) == []
        assert unit.views.summaries("ben") == []
        assert unit.views.summaries("anna", shared_at=now) == []
