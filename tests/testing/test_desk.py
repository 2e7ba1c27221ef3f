"""What operators do, by the service for tests: approve, reject, run again what hangs."""

from __future__ import annotations

from oseo_lab.testing import make_order


def test_an_approved_order_is_made(oseo_server):
    order = make_order(oseo_server, "submitted", items=2)
    oseo_server.lab.operator.approve(order)
    oseo_server.settle()
    assert order.refresh().status == "Completed"


def test_a_rejected_order_tells_why_and_is_ordered_anew(oseo_server):
    order = make_order(oseo_server, "rejected", items=1)
    assert (order.status, order.info) == (
        "Cancelled",
        "rejected by an operator: the archive is closed until May",
    )
    again = order.reorder().submit()
    assert again.id != order.id
    assert [each.order_id for each in oseo_server.lab.operator.board().waiting] == [again.id]


def test_what_hangs_is_seen_and_begins_anew(oseo_server):
    operator = oseo_server.lab.operator
    order = make_order(oseo_server, "running", items=2)
    assert operator.board().workers.busy == 2
    oseo_server.advance(minutes=31)
    assert [(each.item_id, each.attempt) for each in operator.board().stuck] == [
        ("TEST_001", 1),
        ("TEST_002", 1),
    ]
    operator.run_again(operator.board().stuck[0])
    oseo_server.faults.release()
    oseo_server.settle()
    assert order.refresh().status == "Completed"
    assert operator.board().stuck == ()
    assert {each.attempt for each in order.history() if each.info and "begun anew" in each.info} == {1}


def test_what_fails_is_counted_and_its_collection_is_told(oseo_server):
    operator = oseo_server.lab.operator
    make_order(oseo_server, "failed", items=3)
    board = operator.board()
    assert sum(board.failures.values()) == 3
    (failing,) = [each for each in board.collections if not each.is_ok]
    assert (failing.collection_id, failing.reason) == ("test-scenes", "the source file is damaged")
    make_order(oseo_server, "completed", items=1)
    assert all(each.is_ok for each in operator.board().collections)
