"""Estimates from what was delivered before: percentiles, sums, words."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.definitions import ParameterData
from oseo_lab.model.estimates import Estimate, Finished, choice_of, estimate, in_words, scale_of, total


def past(*sizes: int, choice: str = "x") -> list[Finished]:
    return [Finished(collection_id="c", choice=choice, seconds=size / 10, size=size) for size in sizes]


def test_nothing_made_yet_is_said_and_not_guessed() -> None:
    outlook = estimate([], "x")
    assert (outlook.size, outlook.duration) == (None, None)
    assert "nothing of this collection has been made yet" in outlook.basis


def test_ten_items_made_alike_count_alone() -> None:
    outlook = estimate([*past(*range(100, 111)), *past(*[10**9] * 50, choice="other")], "x")
    size, duration = outlook.size, outlook.duration
    assert size is not None and duration is not None
    assert (round(size.low), size.typical, round(size.high)) == (99, 105, 111)
    assert (round(duration.low, 1), duration.typical, round(duration.high, 1)) == (9.9, 10.5, 11.1)
    assert outlook.basis == "of the last 11 items with these options"


def test_fewer_made_alike_are_joined_by_the_rest_of_the_collection() -> None:
    outlook = estimate([*past(*[100] * 9), *past(200, choice="other")], "x")
    assert outlook.basis == "of the last 10 items of the collection"
    assert outlook.size is not None
    assert outlook.size.typical == 100


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50))
def test_an_estimate_is_in_order_and_about_what_happened(sizes: list[int]) -> None:
    found = estimate(past(*sizes), "y").size
    assert found is not None
    assert min(sizes) <= found.typical <= max(sizes)
    assert min(sizes) / 5 <= found.low <= found.typical <= found.high <= max(sizes) * 5


def test_of_one_and_of_those_that_do_not_differ_no_spread_is_made_up() -> None:
    for sizes in ((80,), (80, 80, 80)):
        found = estimate(past(*sizes), "x").size
        assert found is not None and found.low == pytest.approx(80) and found.high == pytest.approx(80)


@pytest.mark.parametrize("count", [7, 12, 20, 200])
@pytest.mark.parametrize("items", [1, 4, 12])
def test_what_comes_lies_in_the_range_nine_times_of_ten(count: int, items: int) -> None:
    chance, within = random.Random(count * 100 + items), 0
    for _ in range(1000):
        known = [round(10**6 * math.exp(chance.gauss(0, 0.3))) for _ in range(count)]
        one = estimate(past(*known), "x").size
        whole = total([one] * items)
        assert whole is not None
        within += whole.low <= sum(10**6 * math.exp(chance.gauss(0, 0.3)) for _ in range(items)) <= whole.high
    assert within >= (880 if count > 7 else 850)


def test_a_sum_of_many_is_surer_than_each() -> None:
    one = Estimate(low=80, typical=100, high=130)
    several = total([one] * 100)
    assert several is not None
    assert several.typical == pytest.approx(10_000)
    assert 2_000 > several.typical - several.low > 200 and 3_000 > several.high - several.typical > 300
    alone = total([one])
    assert alone is not None and (alone.low, alone.high) == (pytest.approx(80), pytest.approx(130))
    assert total([one, None]) is None
    assert total([]) is None


def test_words_leave_out_a_spread_that_is_none() -> None:
    assert in_words(None, None) == ""
    assert in_words(Estimate(low=8e7, typical=8e7, high=8e7), None) == "about 80 MB"
    assert in_words(None, Estimate(low=60, typical=90, high=4000)) == "90 s of work (60 s to 67 min)"


def test_choice_is_the_same_for_the_same_options_in_any_order() -> None:
    assert choice_of({"a": 1, "b": "x"}) == choice_of({"b": "x", "a": 1})
    assert choice_of({"a": 1}) != choice_of({"a": 2})


def box(width: float) -> tuple[ParameterData, ...]:
    corners = tuple(
        ("point", (("latitude", str(45 + each)), ("longitude", str(10 + each)))) for each in (0.0, width)
    )
    return (ParameterData(values=(("sceneBoundingRectangle", corners),)),)


def test_a_chip_tells_nothing_of_a_whole_scene() -> None:
    chip, lake, whole = (choice_of({"a": 1}, each) for each in (box(0.01), box(0.11), ()))
    assert choice_of({"a": 1}, box(0.0101)) == chip != lake and whole == choice_of({"a": 1})
    made = [*past(*[20_000] * 200, choice=chip), *past(1_900_000, choice=choice_of({"a": 2}, box(0.12)))]
    outlook = estimate(made, lake)
    assert outlook.size is not None and outlook.size.typical == 1_900_000
    assert outlook.basis == "of the last 1 item of an area as large"


def test_where_none_is_as_large_the_next_larger_tells_as_it_is_more_rather_than_less() -> None:
    chip, lake, whole = (choice_of({"a": 1}, each) for each in (box(0.01), box(0.11), ()))
    made = [*past(20_000, choice=chip), *past(9_000_000, choice=whole)]
    larger = estimate(made, lake)
    assert larger.size is not None and larger.size.typical == 9_000_000
    assert larger.basis == "of the last 1 item of larger areas"
    smaller = estimate(past(20_000, choice=chip), whole)
    assert smaller.basis == "of the last 1 item of smaller areas, so it may be more"


def test_areas_beyond_all_measure_are_bounded() -> None:
    assert scale_of(choice_of({}, box(1e-12))) == -60
    assert scale_of(choice_of({}, box(1e30))) == 60
    assert scale_of(choice_of({})) is None


def test_what_says_no_corners_has_no_size() -> None:
    odd = (ParameterData(values=(("point", (("latitude", "north"),)), ("track", "7"))),)
    assert choice_of({}, odd) == choice_of({}, box(0.0)) == choice_of({})
