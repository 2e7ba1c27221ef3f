"""DescribeResultAccess: what is ready, what is new, what is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oseo_lab.model.errors import NotFound
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import DescribeResultAccess, ResponseStatus, SubFunction
from oseo_lab.model.order import ResultFile
from oseo_lab.operations import perform
from tests.operations.orders import item, order


@pytest.fixture
def ordered(context):
    return perform(order(item("a"), item("b", "S2_2")), context()).order_id


def deliver(store, order_id, number, expires, name="data.tif"):
    def files(name, is_data):
        return ResultFile(
            order_id=order_id,
            number=number,
            attempt=1,
            name=name,
            size=10,
            sha256="ab" * 32,
            media_type="image/tiff",
            is_data=is_data,
            expires=expires,
        )

    store.write(lambda work: work.results.add([files(name, True), files("manifest.json", False)]))


def ask(context, order_id, sub_function=SubFunction.ALL_READY, owner="anna"):
    return perform(DescribeResultAccess(order_id=order_id, sub_function=sub_function), context(owner))


def test_before_the_first_result_the_list_is_empty_and_the_answer_a_success(context, ordered):
    answer = ask(context, ordered)
    assert (answer.status, answer.urls) == (ResponseStatus.SUCCESS, ())


def test_all_data_files_are_listed_with_their_item_product_and_expiry(context, store, clock, ordered):
    expires = clock.time + timedelta(days=10)
    deliver(store, ordered, 2, expires)
    (url,) = ask(context, ordered).urls
    assert (url.item_id, url.expiration) == ("b", expires)
    assert url.product_id == ProductId(identifier="S2_2")
    assert url.url.endswith("/2/data.tif")


def test_next_ready_lists_each_result_once_and_all_ready_does_not_move_it(context, store, clock, ordered):
    expires = clock.time + timedelta(days=10)
    deliver(store, ordered, 1, expires)
    ask(context, ordered)
    assert [each.item_id for each in ask(context, ordered, SubFunction.NEXT_READY).urls] == ["a"]
    assert ask(context, ordered, SubFunction.NEXT_READY).urls == ()
    deliver(store, ordered, 2, expires)
    assert [each.item_id for each in ask(context, ordered, SubFunction.NEXT_READY).urls] == ["b"]
    assert [each.item_id for each in ask(context, ordered).urls] == ["a", "b"]


def test_expired_files_are_left_out_and_said_to_be(context, store, clock, ordered):
    deliver(store, ordered, 1, clock.time + timedelta(days=1))
    deliver(store, ordered, 2, clock.time + timedelta(days=10))
    clock.advance(days=2)
    answer = ask(context, ordered)
    assert [each.item_id for each in answer.urls] == ["b"]
    assert answer.status is ResponseStatus.PARTIAL
    assert "1 of 2 files have expired" in answer.error_message


@pytest.mark.parametrize("sub_function", list(SubFunction))
def test_somebody_elses_results_are_unknown(context, store, ordered, sub_function):
    with pytest.raises(NotFound):
        ask(context, ordered, sub_function, owner="bert")
