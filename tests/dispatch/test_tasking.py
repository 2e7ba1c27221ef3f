"""Tasking orders wait for their tasking service; what it acquired is made like any product."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest

from oseo_lab.dispatch.tasking import TaskingDesk
from oseo_lab.model.collection import Collection, TaskingRule
from oseo_lab.model.identifiers import OrderType, ProductId, TaskingRequestId
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.model.status import Status
from oseo_lab.operations.order_types import make_order
from oseo_lab.plugins import load
from oseo_lab.ports import ProcessingFailed
from tests.dispatch.standing import Clock
from tests.dispatch.test_dispatcher import make as make_dispatcher

RADAR = Collection(id="radar", tasking=TaskingRule(pattern="urn:task:.*", use="file", every=60))


class Lab:
    def __init__(self, store, path):
        self.store, self.path, self.clock = store, path, Clock()
        self.plugin = load("tasking", "file")("radar", {"href": str(path)})
        self.desk = TaskingDesk(
            store=store,
            collections={"radar": RADAR},
            tasking=lambda name: self.plugin,
            now=self.clock,
            wake=lambda: None,
        )
        items = tuple(
            ItemSpecification(item_id=name, identifier=TaskingRequestId(id=f"urn:task:{name}"))
            for name in "abc"
        )
        order = make_order(
            OrderSpecification(order_type=OrderType.TASKING_ORDER, items=items),
            (RADAR,) * 3,
            "anna",
            None,
            None,
            self.clock(),
        )
        store.write(lambda work: work.orders.add(order))
        self.order_id = order.order_id
        self.writes = 0

    def say(self, text):
        self.path.write_text(text if isinstance(text, str) else json.dumps(text))
        self.writes += 1
        os.utime(self.path, ns=(self.writes, self.writes))

    def ask(self):
        self.clock.time += timedelta(minutes=1)
        moved = self.desk.step()
        with self.store.read() as snapshot:
            order = snapshot.orders.get(self.order_id)
            items = snapshot.items.of(self.order_id)
        return moved, order.status.status, items


@pytest.fixture
def lab(store, tmp_path):
    return Lab(store, tmp_path / "tasks.json")


def test_items_wait_until_their_request_has_a_product(lab):
    moved, status, items = lab.ask()
    assert (moved, status) == (0, Status.SUSPENDED)
    assert {each.status.additional for each in items} == {"waiting for the tasking service"}
    lab.say({"urn:task:a": {"state": "acquired", "product": "SAR_1"}, "urn:task:b": {"state": "waiting"}})
    moved, status, items = lab.ask()
    assert (moved, status) == (1, Status.ACCEPTED)
    assert items[0].product == ProductId(identifier="SAR_1", collection_id="radar")
    assert [each.status.status for each in items] == [Status.ACCEPTED, Status.SUSPENDED, Status.SUSPENDED]


def test_the_job_of_an_item_names_what_was_acquired(lab, store):
    from tests.dispatch.test_dispatcher import Scripted

    lab.say({"urn:task:a": {"state": "acquired", "product": "SAR_1"}})
    lab.ask()
    executor = Scripted()
    dispatcher = make_dispatcher(store, lab.clock, executor, "d1")
    dispatcher._collections = {"radar": RADAR}
    dispatcher.step()
    (job,) = executor.take()
    assert (job.item_id, job.product.identifier) == ("a", "SAR_1")


def test_a_request_that_failed_fails_its_item_with_the_text(lab):
    lab.say({"urn:task:a": {"state": "failed", "text": "clouds all month"}})
    _, status, items = lab.ask()
    assert (items[0].status.status, items[0].status.additional) == (Status.FAILED, "clouds all month")
    assert status is Status.IN_PRODUCTION


def test_it_is_asked_on_its_timetable_only(lab):
    lab.ask()
    lab.say({"urn:task:a": {"state": "acquired", "product": "SAR_1"}})
    lab.clock.time += timedelta(seconds=30)
    assert lab.desk.step() == 0
    assert lab.ask()[0] == 1


@pytest.mark.parametrize(
    "garbage",
    ["", "{", "[]", '{"requests": 3}', '{"urn:task:a": "acquired"}', '{"urn:task:a": {"state": "?"}}'],
)
def test_garbage_leaves_everybody_waiting_and_is_logged(lab, garbage, caplog):
    lab.say(garbage)
    moved, status, _ = lab.ask()
    assert (moved, status) == (0, Status.SUSPENDED)
    assert caplog.messages or garbage == '{"requests": 3}'
    lab.say({"urn:task:a": {"state": "acquired", "product": "SAR_1"}})
    assert lab.ask()[0] == 1


def test_a_service_that_does_not_answer_is_asked_again(lab):
    def out(ids):
        raise ProcessingFailed("no answer", retry=True)

    good, lab.plugin = lab.plugin, out
    assert lab.ask()[0] == 0
    lab.plugin = good
    lab.say({"urn:task:a": {"state": "acquired", "product": "SAR_1"}})
    assert lab.ask()[0] == 1


def test_toml_says_the_same(store, tmp_path):
    lab = Lab(store, tmp_path / "tasks.toml")
    lab.say('[requests."urn:task:a"]\nstate = "acquired"\nproduct = "SAR_1"\n')
    assert lab.ask()[0] == 1
