"""Limits as they travel, and the rules that hold them, as tables."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.estimates import Finished, likely_size
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.job import FailureClass, can_retry
from oseo_lab.model.limits import (
    Admission,
    Limits,
    admission,
    in_bytes,
    kept_limits,
    limit_problems,
    limits_of,
    over_price,
)
from oseo_lab.model.order import OrderSpecification

START, WAIT, REFUSE = Admission.START, Admission.WAIT, Admission.REFUSE


def of(*extensions):
    return OrderSpecification(extensions=extensions)


@given(st.builds(Limits, max_price=st.floats(0, 1e9), max_bytes=st.integers(0, 10**15)))
def test_what_travels_arrives(limits):
    assert limits_of(of("something else", *limits.extensions())) == limits


@pytest.mark.parametrize(
    ("extensions", "locators"),
    [
        (("max_price=twelve",), ["max_price"]),
        (("max_price=nan",), ["max_price"]),
        (("max_price=inf", "max_bytes=1.5"), ["max_price", "max_bytes"]),
        (("max_bytes=-1",), ["max_bytes"]),
        (("max_bytes=1GB",), ["max_bytes"]),
        (("max_price=1", "max_price=2"), ["max_price", "max_price"]),
        (("max_bytes=",), ["max_bytes"]),
        (("maximum=1", "max_price=0"), []),
    ],
)
def test_what_is_no_limit_is_told_each(extensions, locators):
    assert [each.locator for each in limit_problems(of(*extensions))] == locators
    if locators:
        with pytest.raises(ValueError, match=locators[0]):
            limits_of(of(*extensions))
        assert kept_limits(of(*extensions)) == Limits()


@pytest.mark.parametrize(
    ("limit", "drawn", "more", "says"),
    [
        (None, [("EUR", 100)], [("EUR", 100)], None),
        (12, [], [("EUR", 12)], None),
        (12, [], [("EUR", "12.01")], r"costs 12.01 EUR, and max_price=12 "),
        (12, [("EUR", 10)], [("EUR", 2)], None),
        (12, [("EUR", 10)], [("EUR", 3)], r"costs 3 EUR beside the 10 EUR drawn already"),
        (12, [], [("EUR", 1), ("credits", 1)], "EUR and credits"),
        (12, [], [("EUR", 1), ("credits", 0)], None),
        (0, [], [], None),
    ],
)
def test_the_price_stays_below_its_limit(limit, drawn, more, says):
    def sums(given):
        return [(currency, Decimal(amount)) for currency, amount in given]

    said = over_price(Limits(max_price=limit), sums(drawn), sums(more))
    assert (said is None) if says is None else says in said


@pytest.mark.parametrize(
    ("max_bytes", "delivered", "in_work", "own", "expected"),
    [
        (100, 0, [], 100, START),
        (100, 0, [], 101, REFUSE),
        (100, 90, [], 11, REFUSE),
        (100, 100, [], None, REFUSE),
        (100, 100, [], 0, REFUSE),
        (0, 0, [], None, REFUSE),
        (100, 0, [], None, START),
        (100, 99, [], None, START),
        (100, 0, [None], None, WAIT),
        (100, 0, [None], 1, WAIT),
        (100, 0, [1], None, WAIT),
        (100, 0, [40, 40], 20, START),
        (100, 0, [40, 40], 21, WAIT),
        (100, 20, [40], 41, WAIT),
        (100, 20, [40], 40, START),
        (100, 60, [40], 41, REFUSE),
    ],
)
def test_an_item_begins_where_there_is_room_for_it(max_bytes, delivered, in_work, own, expected):
    assert admission(max_bytes, delivered, in_work, own) is expected


def test_a_size_is_likely_from_items_made_alike():
    past = [Finished(collection_id="c", choice="png", seconds=1, size=size) for size in (10, 20, 30)]
    assert likely_size(past, "png") == 28
    assert likely_size(past, "tiff") is None


def test_sizes_in_words():
    assert [in_bytes(each) for each in (7, 1500, 2.5e6, 10**9)] == ["7 bytes", "1.5 kB", "2.5 MB", "1 GB"]


def test_trying_again_may_help():
    helped = {each for each in FailureClass if each.can_retry}
    assert helped == {FailureClass.TRANSIENT, FailureClass.QUOTA, FailureClass.INTERNAL}
    assert can_retry("quota")
    assert can_retry(None)
    assert not can_retry("permanent at source")


@pytest.mark.parametrize("name", ["max_bytes", "max_items_per_month"])
def test_a_whole_number_that_json_cannot_carry_is_no_limit(name):
    kind = OrderType.SUBSCRIPTION_ORDER
    for most in (2**53 - 1, 2**53, 10**400, 10**4200):
        order = OrderSpecification(order_type=kind, extensions=(f"{name}={most}",))
        assert bool(list(limit_problems(order))) == (most >= 2**53)
    assert in_bytes(2**53 - 1) == "9007 TB"
