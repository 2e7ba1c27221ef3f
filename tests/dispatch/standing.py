"""Standing orders of the tests: a catalogue that grows with the clock, and orders as Submit makes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from oseo_lab.model.collection import Collection, SubscriptionRule
from oseo_lab.model.identifiers import OrderType, ProductId, SubscriptionId
from oseo_lab.model.job import Asset, CatalogueItem
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, Order, OrderSpecification
from oseo_lab.operations.order_types import make_order
from oseo_lab.ports import CatalogueQuery, ProcessingFailed

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
LATENESS = 10.0
SCENES = Collection(
    id="scenes", batch=1000, subscription=SubscriptionRule(every=86400, lateness=LATENESS, max_days=400)
)
SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))


def day(number: float) -> datetime:
    return DAY_0 + timedelta(days=number)


class Clock:
    def __init__(self) -> None:
        self.time = DAY_0

    def __call__(self) -> datetime:
        return self.time


@dataclass(frozen=True)
class Made:
    """A product: acquired when, published when (each revision), and where."""

    name: str
    acquired: float
    published: tuple[float, ...]
    east: float = 5.0

    def revision(self, now: datetime) -> int:
        """Return which revision the catalogue knows now; 0 where it knows none."""
        return sum(day(each) <= now for each in self.published)


class GrowingCatalogue:
    """Answers as a remote one would: in pages, newest first, with what it repeats, not during outages."""

    def __init__(
        self, clock: Clock, made: Iterable[Made], outages: Sequence[tuple[float, float]] = ()
    ) -> None:
        self.clock = clock
        self.made = list(made)
        self.outages = outages
        self.repeats = False
        self.fails_at_page: int | None = None
        self.asked = 0

    @property
    def is_out(self) -> bool:
        return any(day(begin) <= self.clock() < day(end) for begin, end in self.outages)

    def seen(self, each: Made) -> CatalogueItem:
        half = 0.5
        west, east = each.east - half, each.east + half
        ring = [[west, 5.0], [east, 5.0], [east, 6.0], [west, 6.0], [west, 5.0]]
        return CatalogueItem(
            identifier=each.name,
            collection_id="scenes",
            assets=(Asset(name="data", href=f"/data/{each.name}.tif", size=10),),
            geometry={"type": "Polygon", "coordinates": [ring]},
            datetime=day(each.acquired),
            properties={"version": str(each.revision(self.clock()))},
        )

    def visible(self) -> list[Made]:
        known = [each for each in self.made if each.revision(self.clock())]
        return sorted(known, key=lambda each: (-each.acquired, each.name))

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        return {each.name: self.seen(each) for each in self.visible() if each.name in identifiers}

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        self.asked += 1
        start = int(query.cursor or 0)
        page_size = min(query.limit, 7)
        if self.is_out or self.fails_at_page == start // page_size:
            raise ProcessingFailed("the catalogue does not answer", retry=True)
        found = [self.seen(each) for each in self.visible() if query.start <= day(each.acquired) <= query.end]
        page = found[start : start + page_size]
        if self.repeats and start:
            page = found[start - 2 : start + page_size]
        following = start + page_size
        return page, str(following) if following < len(found) else None


def values_of(start: float, end: float, ring=(), observations=None, gap=None):
    values = [("dateRange", (("min", day(start).isoformat()), ("max", day(end).isoformat())))]
    if ring:
        points = [(("latitude", str(north)), ("longitude", str(east))) for east, north in (*ring, ring[0])]
        values.append(("regionOfInterest", tuple(("point", each) for each in points)))
    frequency = [("numberOfObservations", observations), ("observationGap", gap)]
    if given := tuple((name, str(value)) for name, value in frequency if value is not None):
        values.append(("frequencyObservation", given))
    return (ParameterData(values=tuple(values)),)


def subscription(
    start: float = 0, end: float = 90, *, now: datetime = DAY_0, collection=SCENES, **choice
) -> Order:
    item = ItemSpecification(
        item_id="all",
        identifier=SubscriptionId(collection_id="scenes"),
        options=values_of(start, end, **choice),
    )
    specification = OrderSpecification(order_type=OrderType.SUBSCRIPTION_ORDER, items=(item,))
    return make_order(specification, (collection,), "anna", None, None, now)


def massive(start: float, end: float, collection: Collection, now: datetime = DAY_0) -> Order:
    item = ItemSpecification(
        item_id="span",
        identifier=ProductId(identifier="scenes", collection_id="scenes"),
        options=values_of(start, end),
    )
    specification = OrderSpecification(order_reference="Massive order", items=(item,))
    return make_order(specification, (collection,), "anna", None, None, now)


def delivered(store, order_id: str) -> list[str]:
    """Return the products that became items, in their order."""
    with store.read() as snapshot:
        items = [item for item in snapshot.items.of(order_id) if item.batch]
    return [item.specification.identifier.identifier for item in items]
