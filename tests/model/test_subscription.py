"""What a standing order wants: revisions, frequency, names of the items that come of it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.identifiers import ProductId, SubscriptionId
from oseo_lab.model.job import Asset, CatalogueItem
from oseo_lab.model.order import ItemSpecification
from oseo_lab.model.rings import MOST_CROSSED
from oseo_lab.model.subscription import (
    MOST_POINTS,
    Match,
    Standing,
    check_standing,
    chosen_from,
    generated,
    match_of,
    ring_of,
)

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCT = CatalogueItem(
    identifier="a",
    collection_id="scenes",
    datetime=DAY_0,
    assets=(Asset(name="data", href="/data/a.tif", size=10),),
    properties={"platform": "x"},
)
STANDING = Standing(
    order_id="o", number=1, collection_id="scenes", start=DAY_0, end=DAY_0 + timedelta(days=100)
)


def match(name: str, number: float, revision: str = "1") -> Match:
    at = DAY_0 + timedelta(days=number)
    return Match(identifier=name, revision=f"{at:%Y-%m-%dT%H:%M:%S}Z {revision}", first=at, last=at)


@pytest.mark.parametrize(
    "properties",
    [
        {"version": "2"},
        {"processing:version": "2"},
        {"processing:datetime": "2026-02-02T00:00:00Z"},
        {"updated": "2026-02-02T00:00:00Z"},
    ],
)
def test_a_product_made_anew_is_another_revision(properties):
    assert match_of(PRODUCT).revision != match_of(replace(PRODUCT, properties=properties)).revision


def test_of_products_that_say_nothing_the_files_tell():
    grown = replace(PRODUCT, assets=(replace(PRODUCT.assets[0], size=11),))
    renamed = replace(PRODUCT, properties={"platform": "y"}, thumbnail="/data/a.png")
    assert match_of(grown).revision != match_of(PRODUCT).revision == match_of(renamed).revision


def test_the_order_of_files_is_no_revision():
    two = (*PRODUCT.assets, Asset(name="more", href="/data/b.tif"))
    assert match_of(replace(PRODUCT, assets=two)) == match_of(replace(PRODUCT, assets=two[::-1]))


def test_a_product_without_a_time_is_nobodys():
    assert match_of(replace(PRODUCT, datetime=None)) is None


def test_an_acquisition_that_lasts_is_in_time_when_it_touches():
    long = {"start_datetime": "2025-12-31T23:00:00Z", "end_datetime": "2026-01-01T01:00:00Z"}
    seen = match_of(replace(PRODUCT, properties=long))
    assert STANDING.in_time(seen)
    assert not replace(STANDING, start=DAY_0 + timedelta(hours=2)).in_time(seen)


#: A product has one time of acquisition, whatever becomes of it.
DAYS = dict(zip("abcdefgh", (0, 1, 1, 3, 7, 8, 15, 30), strict=True))
seen = st.builds(
    lambda name, revision: match(name, DAYS[name], revision),
    st.sampled_from("abcdefgh"),
    st.sampled_from("12"),
)
found = st.lists(seen, max_size=25)


@given(
    passes=st.lists(found, max_size=5),
    observations=st.none() | st.integers(1, 4),
    gap=st.integers(0, 10),
)
def test_whatever_a_catalogue_says_each_revision_comes_once_and_the_frequency_holds(
    passes, observations, gap
):
    standing = replace(STANDING, observations=observations, gap=gap)
    had: set[tuple[str, str]] = set()
    firsts: dict[str, datetime] = {}
    for each in passes:
        chosen, is_full = chosen_from(standing, each, had)
        keys = [(one.identifier, one.revision) for one in chosen]
        assert len(set(keys)) == len(keys) and not had & set(keys)
        assert [one.first for one in chosen] == sorted(one.first for one in chosen)
        for one in chosen:
            if one.identifier not in firsts:
                assert all(abs(one.first - other) >= timedelta(days=gap) for other in firsts.values())
                firsts[one.identifier] = one.first
        had.update(keys)
        assert observations is None or len(firsts) <= observations
        assert is_full == (observations is not None and len(firsts) == observations)
        assert chosen_from(standing, each, had)[0] == []


def test_a_revision_of_what_was_delivered_always_comes():
    standing = replace(STANDING, observations=1, gap=5)
    had = {("a", match("a", 1).revision)}
    chosen, is_full = chosen_from(standing, [match("a", 1, "2"), match("b", 20)], had)
    assert [each.identifier for each in chosen] == ["a"] and is_full


def test_items_that_come_of_it_are_named_by_batch_and_place():
    item = ItemSpecification(item_id="all", identifier=SubscriptionId(collection_id="scenes"))
    made = generated(item, ProductId(identifier="a"), 3, 7)
    assert (made.item_id, made.identifier.identifier) == ("all-3.7", "a")
    long = [
        generated(replace(item, item_id=letter * 80), ProductId(identifier="a"), 12, 345) for letter in "xy"
    ]
    assert [len(each.item_id) for each in long] == [80, 80]
    assert long[0].item_id.endswith("-12.345") and long[0].item_id != long[1].item_id


@pytest.mark.parametrize(
    "values",
    [
        {"regionOfInterest": [{"latitude": 1, "longitude": 2}, {"latitude": 1, "longitude": 4}] * 2},
        {"sceneBoundingPolygon": [{"lat": 1, "lon": 2}, {"lat": 1, "lon": 4}] * 2},
    ],
)
def test_an_area_is_read_from_points_named_either_way(values):
    assert ring_of(values) == ((2.0, 1.0), (4.0, 1.0), (2.0, 1.0), (4.0, 1.0))


def test_a_rectangle_is_its_two_corners():
    corners = [{"latitude": 1, "longitude": 2}, {"latitude": 3, "longitude": 4}]
    assert ring_of({"sceneBoundingRectangle": corners}) == ((2, 1), (4, 1), (4, 3), (2, 3))


def tangle(points: int) -> tuple[tuple[float, float], ...]:
    return tuple(((n * 7919) % 101 - 50.0 + n * 1e-3, (n * 104729) % 103 - 51.0) for n in range(points))


def circle(points: int, east: float = 0.0) -> tuple[tuple[float, float], ...]:
    angles = [2 * math.pi * n / points for n in range(points)]
    wrap = [(east + 20 * math.cos(each), 20 * math.sin(each)) for each in angles]
    return tuple(((lon + 180) % 360 - 180, lat) for lon, lat in wrap)


@pytest.mark.parametrize(
    ("ring", "said"),
    [
        (tangle(MOST_CROSSED), None),
        (tangle(MOST_CROSSED + 1), "crosses itself"),
        (circle(MOST_POINTS), None),
        (circle(MOST_POINTS, east=179), None),
        (circle(MOST_POINTS + 1), "1001 points"),
        (((0.0, 0.0), (math.inf, 1.0), (2.0, 2.0)), "leaves the earth"),
        (((0.0, 0.0), (math.nan, 1.0), (2.0, 2.0)), "leaves the earth"),
        (((0.0, 0.0), (1.0, 91.0), (2.0, 2.0)), "leaves the earth"),
    ],
)
def test_an_area_that_would_cost_everybody_dear_is_refused_when_it_is_ordered(ring, said):
    problems = list(check_standing(replace(STANDING, ring=ring), DAY_0, 1000, "a"))
    assert [each.locator for each in problems] == ["regionOfInterest"] * (said is not None)
    assert all(said in each.text for each in problems)
