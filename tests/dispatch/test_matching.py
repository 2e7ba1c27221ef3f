"""Areas against footprints, beside shapely asked for each pair alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box, mapping, shape

from oseo_lab.dispatch.matching import Areas, bounds_of_all
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.subscription import Standing
from tests.dispatch.standing import day

ANYWHERE = Standing(order_id="o", number=1, collection_id="scenes", start=day(0), end=day(10))


def square(west, south, side):
    return ((west, south), (west + side, south), (west + side, south + side), (west, south + side))


def standing(number, ring, start=0, length=10):
    return replace(ANYWHERE, number=number, ring=ring, start=day(start), end=day(start + length))


def product(name, geometry, at=1.0, bbox=None):
    return CatalogueItem(
        identifier=name, collection_id="scenes", geometry=geometry, bbox=bbox, datetime=day(at)
    )


def pairs(standings, products):
    found = Areas(standings).matches(products)
    return {(each.number, match.identifier) for each, matches in found for match in matches}


sides = st.integers(1, 30)
places = st.tuples(st.integers(-170, 140), st.integers(-80, 50), sides)


@given(
    wanted=st.lists(st.tuples(places, st.integers(0, 20), st.booleans()), max_size=6),
    seen=st.lists(st.tuples(places, st.integers(0, 30)), max_size=8),
)
def test_who_waits_for_what_is_as_asked_one_by_one(wanted, seen):
    standings = [
        standing(number, square(*place) if placed else (), start)
        for number, (place, start, placed) in enumerate(wanted)
    ]
    products = [
        product(f"p{number}", mapping(box(west, south, west + side, south + side)), at)
        for number, ((west, south, side), at) in enumerate(seen)
    ]
    expected = {
        (each.number, one.identifier)
        for each in standings
        for one in products
        if each.start <= one.datetime <= each.end
        and (
            not each.ring
            or shape(one.geometry).intersects(
                shape({"type": "Polygon", "coordinates": [[*each.ring, each.ring[0]]]})
            )
        )
    }
    assert pairs(standings, products) == expected


DATELINE = ((170.0, 0.0), (-170.0, 0.0), (-170.0, 10.0), (170.0, 10.0))
ARCTIC = ((0.0, 70.0), (90.0, 70.0), (180.0, 70.0), (-90.0, 70.0))
WORLD = ((-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0))


@pytest.mark.parametrize(
    ("ring", "inside", "outside"),
    [
        (DATELINE, [(175, 5), (-175, 5)], [(0, 5), (160, 5)]),
        (ARCTIC, [(10, 80), (-100, 89), (179, 75)], [(10, 60), (0, -80)]),
        (WORLD, [(0, 0), (-179, 80), (179, -80)], []),
    ],
)
def test_areas_at_the_edges_of_the_map(ring, inside, outside):
    def at(place):
        return product(str(place), mapping(box(*place, place[0] + 0.5, place[1] + 0.5)))

    found = pairs([standing(1, ring)], [at(place) for place in inside + outside])
    assert found == {(1, str(place)) for place in inside}


def test_footprints_that_jump_across_the_antimeridian_are_mended():
    jumps = {"type": "Polygon", "coordinates": [[[178, 0], [-178, 0], [-178, 5], [178, 5], [178, 0]]]}
    assert pairs([standing(1, square(0, 0, 10))], [product("p", jumps)]) == set()
    assert pairs([standing(1, DATELINE)], [product("p", jumps)]) == {(1, "p")}
    assert pairs([standing(1, DATELINE)], [product("p", None, bbox=(178, 0, -178, 5))]) == {(1, "p")}


def nested(depth):
    geometry = {"type": "Point", "coordinates": [1, 1]}
    for _ in range(depth):
        geometry = {"type": "GeometryCollection", "geometries": [geometry]}
    return geometry


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": []},
        {"type": "Nonsense", "coordinates": [1]},
        {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": [[[10**400, 0], [1, 1], [2, 0], [10**400, 0]]]},
        nested(5000),
    ],
    ids=[
        "no coordinates",
        "empty",
        "no type",
        "words",
        "too few",
        "too large a number",
        "nested without end",
    ],
)
def test_a_footprint_that_is_none_touches_no_area_and_harms_nobody(geometry):
    fine = product("fine", mapping(box(1, 1, 2, 2)))
    found = pairs([standing(1, square(0, 0, 10)), standing(2, ())], [product("broken", geometry), fine])
    assert found == {(1, "fine"), (2, "fine"), (2, "broken")}


def test_crossing_rings_and_footprints_count_as_what_they_cover():
    bow_tie = ((0.0, 0.0), (10.0, 10.0), (10.0, 0.0), (0.0, 10.0))
    crossed = {"type": "Polygon", "coordinates": [[[8, 3], [9, 7], [9, 3], [8, 7], [8, 3]]]}
    assert pairs([standing(1, bow_tie)], [product("p", crossed)]) == {(1, "p")}


def test_a_catalogue_is_asked_for_the_box_around_all_areas():
    assert bounds_of_all([standing(1, square(0, 0, 10)), standing(2, square(20, -5, 5))]) == (0, -5, 25, 10)
    assert bounds_of_all([standing(1, square(0, 0, 10)), ANYWHERE]) is None


def test_products_outside_the_dates_are_nobodys():
    late = product("late", mapping(box(1, 1, 2, 2)), at=10.0 + timedelta(seconds=1) / timedelta(days=1))
    assert pairs([ANYWHERE], [late]) == set()


def test_a_tangled_footprint_counts_as_what_surrounds_it_instead_of_being_mended_for_hours():
    places = [[(n * 7919) % 101 - 50.0 + n * 1e-3, (n * 104729) % 103 - 51.0] for n in range(2000)]
    tangle = {"type": "Polygon", "coordinates": [[*places, places[0]]]}
    standings = [standing(1, square(0, 0, 10)), standing(2, square(100, 0, 10))]
    assert pairs(standings, [product("p", tangle)]) == {(1, "p")}
