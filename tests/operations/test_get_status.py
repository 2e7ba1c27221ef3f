"""GetStatus: by id and by search, brief and full, and only one's own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from oseo_lab.model.errors import NotFound
from oseo_lab.model.messages import FilteringCriteria, GetStatus, Presentation
from oseo_lab.model.order import StatusInfo
from oseo_lab.model.status import Status
from oseo_lab.operations import perform, perform_in_parts
from oseo_lab.operations.get_status import PAGE
from tests.operations.orders import item, order


@pytest.fixture
def three(context, clock):
    acks = []
    for number in range(3):
        acks.append(perform(order(item(), order_reference=f"ref-{number}"), context()))
        clock.advance(hours=1)
    return [ack.order_id for ack in acks]


def found(context, **criteria):
    response = perform(GetStatus(filtering_criteria=FilteringCriteria(**criteria)), context())
    return [each.order_id for each in response.orders]


def test_brief_has_no_items_and_full_has_all(context, three):
    brief = perform(GetStatus(order_id=three[0]), context()).orders[0]
    full = perform(GetStatus(order_id=three[0], presentation=Presentation.FULL), context()).orders[0]
    assert brief.items == ()
    assert [each.specification.item_id for each in full.items] == ["a"]
    assert brief.specification.order_reference == full.specification.order_reference == "ref-0"


def test_an_empty_search_finds_all_of_ones_own_oldest_first(context, three):
    assert found(context) == three
    response = perform(GetStatus(filtering_criteria=FilteringCriteria()), context("bert"))
    assert response.orders == ()


def test_criteria_are_anded_and_statuses_ored(context, three, clock):
    start = clock.time - timedelta(hours=3)
    assert found(context, order_reference="ref-1") == [three[1]]
    assert found(context, order_statuses=(Status.ACCEPTED, Status.FAILED)) == three
    assert found(context, order_statuses=(Status.FAILED,)) == []
    assert found(context, last_update=start + timedelta(hours=1)) == three[1:]
    assert found(context, last_update_end=start + timedelta(hours=1)) == three[:2]
    assert found(context, last_update=start + timedelta(hours=1), order_reference="ref-0") == []


def test_an_extension_finds_the_orders_that_were_submitted_with_it(context, three, clock):
    made = []
    for extensions in (("campaign=7",), ("campaign=7", "pilot")):
        made.append(perform(order(item(), extensions=extensions), context()).order_id)
        clock.advance(hours=1)
    assert found(context, extensions=("campaign=7",)) == made
    assert found(context, extensions=("pilot", "campaign=7")) == made[1:]
    assert found(context, extensions=("campaign",)) == []
    assert found(context) == three + made


@pytest.mark.parametrize(
    "order_id", ["urn:uuid:00000000-0000-4000-8000-000000000000", "1", "", "urn:x" * 500]
)
def test_an_unknown_order_and_somebody_elses_are_answered_alike(order_id, context, three):
    with pytest.raises(NotFound) as unknown:
        perform(GetStatus(order_id=order_id), context())
    with pytest.raises(NotFound) as foreign:
        perform(GetStatus(order_id=three[0]), context("bert"))
    assert unknown.value.code == foreign.value.code == "InvalidOrderIdentifier"
    assert unknown.value.locator == foreign.value.locator == "orderId"


def test_an_order_id_is_compared_exactly(context, three):
    with pytest.raises(NotFound):
        perform(GetStatus(order_id=three[0].upper()), context())


def items_of(count):
    return [item(str(number), f"S2_9{number}", "any", options=()) for number in range(count)]


@pytest.mark.parametrize("count", [1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
def test_items_come_page_after_page_and_none_is_left_out(context, count):
    order_id = perform(order(*items_of(count)), context()).order_id
    message = GetStatus(order_id=order_id, presentation=Presentation.FULL)
    [(found_order, pages)] = [
        (each, [list(page) for page in pages]) for each, pages in perform_in_parts(message, context())
    ]
    assert found_order.items == ()
    assert all(0 < len(page) <= PAGE for page in pages)
    whole = perform(message, context()).orders[0]
    assert tuple(each for page in pages for each in page) == whole.items
    assert len(whole.items) == count


def test_parts_show_one_moment_whatever_happens_meanwhile(context, store, clock):
    order_id = perform(order(*items_of(2 * PAGE)), context()).order_id
    clock.advance(hours=1)  # of the same moment either could be first
    perform(order(*items_of(1)), context())
    search = GetStatus(filtering_criteria=FilteringCriteria(), presentation=Presentation.FULL)
    parts = perform_in_parts(search, context())
    _, pages = next(parts)
    seen = [each.status.status for each in next(iter(pages))]

    def finish(work):
        for each in work.items.of(order_id):
            work.items.save(each, replace(each, status=StatusInfo(status=Status.FAILED)))

    store.write(finish)
    perform(order(*items_of(1)), context())
    seen += [each.status.status for page in pages for each in page]
    assert seen == [Status.ACCEPTED] * 2 * PAGE
    assert len(list(parts)) == 1, "the order submitted meanwhile is not of that moment"
    now = perform(GetStatus(order_id=order_id, presentation=Presentation.FULL), context()).orders[0]
    assert {each.status.status for each in now.items} == {Status.FAILED}


def test_closing_the_parts_lets_the_snapshot_go(context, tmp_path):
    perform(order(*items_of(2)), context())
    parts = perform_in_parts(GetStatus(filtering_criteria=FilteringCriteria()), context())
    next(parts)
    perform(order(*items_of(1)), context())
    assert is_read(tmp_path / "orders.sqlite")
    parts.close()
    assert not is_read(tmp_path / "orders.sqlite")


def is_read(path) -> bool:
    """Whether somebody reads an older moment of an SQLite file: then its log cannot be emptied."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])


def test_an_unknown_order_is_refused_before_any_part(context, three):
    with pytest.raises(NotFound):
        next(perform_in_parts(GetStatus(order_id=three[0]), context("bert")))


def test_many_orders_come_in_their_order_a_page_at_a_time(context, store, clock):
    made = []
    for number in range(PAGE + 3):
        made.append(perform(order(order_reference=str(number)), context()).order_id)
        clock.advance(seconds=1)
    search = GetStatus(filtering_criteria=FilteringCriteria())
    assert [each.order_id for each, _ in perform_in_parts(search, context())] == made
    with store.read() as snapshot:
        assert snapshot.orders.ids("anna", FilteringCriteria()) == made
        assert snapshot.orders.ids("nobody", FilteringCriteria()) == []
