"""Standing orders: a thousand subscriptions matched against ten thousand new products in one pass.

The pass is the calendar's own: it reads the subscriptions, asks the catalogue page by page, matches areas and
dates, and saves each product and its item in the store. Beside it a floor: nothing but the same areas in a
plain STRtree asked for the same footprints, from the same GeoJSON, without dates, revisions, orders or store.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from oseo_lab.dispatch.calendar import Calendar
from oseo_lab.model.collection import Collection, SubscriptionRule
from oseo_lab.model.identifiers import OrderType, SubscriptionId
from oseo_lab.model.job import Asset, CatalogueItem
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, Order, OrderSpecification
from oseo_lab.operations.order_types import make_order
from oseo_lab.ports import CatalogueQuery
from oseo_lab.store import open_store
from tests.benchmarks import Row

SUBSCRIPTIONS, PRODUCTS = 1_000, 10_000
#: Seconds that one pass may take.
LIMIT = 10.0
#: Sides of areas and footprints, degrees: each product is wanted by about two subscriptions.
AREA, FOOTPRINT = 8.0, 1.0
NOW = datetime(2026, 7, 1, tzinfo=UTC)
SCENES = Collection(id="scenes", subscription=SubscriptionRule(every=60, lateness=10))


def _square(chance: random.Random, side: float) -> list[tuple[float, float]]:
    west, south = chance.uniform(-175, 165), chance.uniform(-60, 60)
    east, north = west + side, south + side
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


def subscriptions() -> list[Order]:
    chance = random.Random(1)
    orders = []
    for number in range(SUBSCRIPTIONS):
        ring = _square(chance, AREA)
        points = tuple(("point", (("latitude", f"{y}"), ("longitude", f"{x}"))) for x, y in ring)
        period = (("min", "2026-06-01T00:00:00Z"), ("max", "2027-06-01T00:00:00Z"))
        item = ItemSpecification(
            item_id=f"area {number}",
            identifier=SubscriptionId(collection_id="scenes"),
            options=(ParameterData(values=(("dateRange", period), ("regionOfInterest", points))),),
        )
        specification = OrderSpecification(order_type=OrderType.SUBSCRIPTION_ORDER, items=(item,))
        orders.append(make_order(specification, (SCENES,), f"user{number % 50}", None, None, NOW))
    return orders


def products() -> list[CatalogueItem]:
    chance = random.Random(2)
    return [
        CatalogueItem(
            identifier=f"S2B_MSIL2A_{number:06}",
            collection_id="scenes",
            assets=tuple(
                Asset(name=f"B{band:02}", href=f"/data/{number}/B{band:02}.tif", size=10**7)
                for band in range(12)
            ),
            geometry={"type": "Polygon", "coordinates": [_square(chance, FOOTPRINT)]},
            datetime=NOW - timedelta(seconds=number),
            properties={"platform": "sentinel-2b", "updated": "2026-07-01T00:00:00Z", "eo:cloud_cover": 7},
        )
        for number in range(PRODUCTS)
    ]


class Catalogue:
    """Ten thousand products, newest first, a page at a time."""

    def __init__(self, found: Sequence[CatalogueItem]) -> None:
        self.found = found

    def search(self, query: CatalogueQuery) -> tuple[Sequence[CatalogueItem], str | None]:
        start = int(query.cursor or 0)
        end = start + query.limit
        return self.found[start:end], str(end) if end < len(self.found) else None


def floor(orders: Sequence[Order], found: Sequence[CatalogueItem]) -> tuple[float, int]:
    """Return seconds and matches of a bare STRtree."""
    from shapely import Polygon, STRtree
    from shapely.geometry import shape

    chance = random.Random(1)
    began = time.perf_counter()
    tree = STRtree([Polygon(_square(chance, AREA)) for _ in orders])
    pairs = tree.query([shape(each.geometry) for each in found], predicate="intersects")
    return time.perf_counter() - began, pairs.shape[1]


def run() -> list[Row]:
    """Return what one pass takes, and the next one that finds nothing new."""
    orders, found = subscriptions(), products()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'orders.sqlite'}")
        for order in orders:
            store.write(lambda work, order=order: work.orders.add(order))
        clock = [NOW]
        catalogue = Catalogue([])
        calendar = Calendar(
            store=store,
            collections={"scenes": replace(SCENES)},
            catalogue=lambda name: catalogue,
            now=lambda: clock[0],
            wake=lambda: None,
        )
        calendar.step()  # the subscriptions have been looked after for a while
        catalogue.found = found
        took, added = _pass(calendar, clock)
        again, nothing = _pass(calendar, clock)
        store.close()
    bare, expected = floor(orders, found)
    assert (added, nothing) == (expected, 0), (added, nothing, expected)
    what = f"{SUBSCRIPTIONS} subscriptions, {PRODUCTS} new products"
    return [
        Row(what=f"{what}: one pass", ours=took, floor=LIMIT, unit="s", target=1.0, note=f"{added} items"),
        Row(what=f"{what}: beside a bare STRtree", ours=took, floor=bare, unit="s"),
        Row(what=f"{what}: the next pass", ours=again, floor=bare, unit="s", note="nothing is new"),
    ]


def _pass(calendar: Calendar, clock: list[datetime]) -> tuple[float, int]:
    clock[0] += timedelta(minutes=2)
    began = time.perf_counter()
    added = calendar.step()
    return time.perf_counter() - began, added
