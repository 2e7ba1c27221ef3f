"""Standing orders: what a subscription (or a massive order) waits for, and which products it has had.

Pure, as the rest of the model. An item that stands for products to come is a *standing item*: it stays
Suspended while it waits, and each product that matches becomes an item of a batch. Options are those that
OGC 06-141r6 Table 7-7 predefines: ``regionOfInterest``, ``dateRange``, ``frequencyObservation``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection as Set
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from oseo_lab.model.errors import Problem
from oseo_lab.model.identifiers import OrderType, ProductId
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.limits import kept_limits
from oseo_lab.model.options import (
    Count,
    DataArray,
    DataRecord,
    Field,
    OptionDefinition,
    ParameterData,
    Quantity,
    TimeRange,
    Vector,
)
from oseo_lab.model.order import ItemSpecification, OrderItem, OrderSpecification
from oseo_lab.model.rings import MOST_CROSSED, is_on_earth, is_tangled

__all__ = [
    "FREQUENCY",
    "MASSIVE_REFERENCE",
    "PERIOD",
    "REGION",
    "SUBSCRIPTION_OPTIONS",
    "Match",
    "Standing",
    "check_standing",
    "chosen_from",
    "generated",
    "is_massive",
    "match_of",
    "period_of",
    "ring_of",
    "standing_of",
    "stems_from",
    "without_period",
]

REGION, PERIOD, FREQUENCY = "regionOfInterest", "dateRange", "frequencyObservation"
#: ``orderReference`` that makes a product order of one item a massive one (pyoseo's convention).
MASSIVE_REFERENCE = "Massive order"
#: Most corners of a region: it is compared with every product.
MOST_POINTS = 1000
#: Longest ``itemId`` of the schema, characters.
ITEM_ID_LENGTH = 80

_DEGREES = "http://www.opengis.net/def/parameter/ESA/1.0/"


def _degrees(name: str, most: int) -> Field:
    component = Quantity(definition=_DEGREES + name, uom="deg", intervals=((f"-{most}", f"{most}"),))
    return Field(name=name, component=component)


#: The option group of subscriptions, without what the collection itself offers.
SUBSCRIPTION_OPTIONS: tuple[OptionDefinition, ...] = (
    OptionDefinition(
        name=REGION,
        grouping="Subscription Option",
        component=DataArray(
            definition=_DEGREES + REGION,
            label="Products that touch this area, a closed ring; everywhere if left out",
            optional=True,
            element=Field(
                name="point", component=Vector(fields=(_degrees("latitude", 90), _degrees("longitude", 180)))
            ),
        ),
    ),
    OptionDefinition(
        name=PERIOD,
        grouping="Subscription Option",
        component=TimeRange(
            definition="http://www.opengis.net/def/dataType:ISO-19108:2002:TM_Period",
            label="Products acquired between these two instants",
        ),
    ),
    OptionDefinition(
        name=FREQUENCY,
        grouping="Subscription Option",
        component=DataRecord(
            label="Most products, and least days between two acquisitions",
            optional=True,
            fields=(
                Field(
                    name="numberOfObservations",
                    component=Count(
                        definition=_DEGREES + "numberOfObservations",
                        optional=True,
                        intervals=(("1", "1000000"),),
                    ),
                ),
                Field(
                    name="observationGap",
                    component=Count(
                        definition=_DEGREES + "observationGap", optional=True, intervals=(("0", "36600"),)
                    ),
                ),
            ),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What one standing item waits for.

    Parameters
    ----------
    order_id, number : str, int
        The standing item.
    collection_id : str
        Whose products.
    start, end : datetime
        Acquired between, both inclusive, UTC.
    ring : tuple of (float, float)
        Outer ring of the area, longitude and latitude in degrees (EPSG:4326), not closed; empty for
        everywhere. An edge longer than 180 degrees runs across the antimeridian.
    observations : int or None
        Most products; further revisions of a product do not count.
    gap : float
        Least days between the acquisitions of two products.
    monthly : int or None
        Most products that join its order in one calendar month, UTC.
    """

    order_id: str
    number: int
    collection_id: str
    start: datetime
    end: datetime
    ring: tuple[tuple[float, float], ...] = ()
    observations: int | None = None
    gap: float = 0.0
    monthly: int | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Order id and number of the standing item."""
        return self.order_id, self.number

    @property
    def is_choosy(self) -> bool:
        """Whether it takes a choice of what matches, by number or by gap."""
        return self.observations is not None or self.gap > 0

    def in_time(self, match: Match) -> bool:
        """Whether a product was acquired within the date range."""
        return match.first <= self.end and match.last >= self.start


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A product as a subscription sees it: which one, which revision of it, acquired when.

    Parameters
    ----------
    identifier : str
        The product.
    revision : str
        Differs between revisions of one product; begins with the acquisition, so that what was delivered
        tells when it was acquired.
    first, last : datetime
        Begin and end of the acquisition, UTC.
    """

    identifier: str
    revision: str
    first: datetime
    last: datetime


#: Properties of a STAC item that change when a product is made anew.
_REVISED = ("version", "processing:version", "processing:datetime", "updated")


def match_of(product: CatalogueItem) -> Match | None:
    """Return what a subscription needs to know of a product; None where it has no time of acquisition.

    Another revision is one whose STAC ``version``, ``processing:version``, ``processing:datetime`` or
    ``updated`` differs; of products that have none of these, one whose files differ by name, place or size.
    """
    first = _instant(product.properties.get("start_datetime")) or product.datetime
    last = _instant(product.properties.get("end_datetime")) or product.datetime or first
    if first is None or last is None:
        return None
    said: list[Any] = [str(value) for name in _REVISED if (value := product.properties.get(name)) is not None]
    if not said:
        said = sorted([each.name, each.href, each.size or 0] for each in product.assets)
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
    return Match(
        identifier=product.identifier, revision=f"{first:%Y-%m-%dT%H:%M:%S}Z {digest}", first=first, last=last
    )


def _instant(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _acquired(revision: str) -> datetime | None:
    return _instant(revision.partition(" ")[0])


def chosen_from(
    standing: Standing, found: Iterable[Match], had: Set[tuple[str, str]]
) -> tuple[list[Match], bool]:
    """Return which of the products found are delivered next, and whether the number of them is then full.

    Parameters
    ----------
    standing : Standing
        Who waits.
    found : iterable of Match
        Products in its area; may repeat, and may hold what it has had.
    had : set of (str, str)
        Identifier and revision of what it has had.

    Notes
    -----
    Oldest acquisition first. A further revision of a product that was delivered always comes; another
    product comes while ``observations`` are not reached and no delivered one lies within ``gap`` days.
    """
    known = {identifier for identifier, _ in had}
    if not standing.is_choosy:
        fresh = {(each.identifier, each.revision): each for each in found if standing.in_time(each)}
        chosen = [each for key, each in fresh.items() if key not in had]
        return sorted(chosen, key=_order), False
    times = [time for _, revision in had if (time := _acquired(revision)) is not None]
    gap, most, chosen, taken = timedelta(days=standing.gap), standing.observations, [], set(had)
    for each in sorted(found, key=_order):
        key = (each.identifier, each.revision)
        if key in taken or not standing.in_time(each):
            continue
        if each.identifier not in known:
            is_full = most is not None and len(known) >= most
            if is_full or any(abs(each.first - time) < gap for time in times):
                continue
            known.add(each.identifier)
            times.append(each.first)
        taken.add(key)
        chosen.append(each)
    return chosen, most is not None and len(known) >= most


def _order(match: Match) -> tuple[datetime, str, str]:
    return match.first, match.identifier, match.revision


# ------------------------------------------------------------------------------------- from what was ordered


def standing_of(
    specification: OrderSpecification, item: OrderItem, values: Mapping[str, Any]
) -> Standing | None:
    """Return what a standing item waits for; None where its date range cannot be read any more.

    Parameters
    ----------
    specification : OrderSpecification
        The order's own part.
    item : OrderItem
        The standing item.
    values : mapping
        Python values of its options and scene selection, by option name.
    """
    period = values.get(PERIOD) or period_of((*specification.options, *item.specification.options))
    if not isinstance(period, tuple):
        return None
    frequency = _frequency(values.get(FREQUENCY))
    return Standing(
        order_id=item.order_id,
        number=item.number,
        collection_id=item.collection_id,
        start=_utc(period[0]),
        end=_utc(period[1]),
        ring=ring_of(values),
        observations=frequency.get("numberOfObservations"),
        gap=float(frequency.get("observationGap") or 0),
        monthly=kept_limits(specification).max_items_per_month,
    )


def _frequency(value: Any) -> Mapping[str, Any]:
    """Return the record; the standard's own samples wrap it into an array of one."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, Mapping) else {}


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def ring_of(values: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    """Return the area of option values as longitude and latitude, not closed; empty where there is none.

    ``regionOfInterest``, or else the polygon or rectangle of a scene selection.
    """
    for name in (REGION, "sceneBoundingPolygon", "sceneBoundingRectangle"):
        points = [_position(each) for each in values.get(name) or ()]
        if not points:
            continue
        if len(points) == 2:
            (west, south), (east, north) = points
            points = [(west, south), (east, south), (east, north), (west, north)]
        return tuple(points[:-1] if points[0] == points[-1] else points)
    return ()


def _position(point: Mapping[str, Any]) -> tuple[float, float]:
    """Return longitude and latitude of a point, whose coordinates are named in full or in short."""
    by_name = {name.lower()[:3]: float(value) for name, value in point.items()}
    return by_name["lon"], by_name["lat"]


def check_standing(standing: Standing, now: datetime, max_days: float, item_id: str) -> Iterator[Problem]:
    """Yield what is wrong with a new subscription beyond its single values.

    Parameters
    ----------
    standing : Standing
        As it was asked for.
    now : datetime
        UTC.
    max_days : float
        Longest date range of the collection, days.
    item_id : str
        The item concerned.
    """

    def problem(locator: str, text: str) -> Problem:
        return Problem(code="InvalidParameterValue", locator=locator, text=text, item_id=item_id)

    if standing.end < now:
        yield problem(PERIOD, f"the date range is over since {standing.end:%Y-%m-%d}; name a later end")
    if standing.end - standing.start > timedelta(days=max_days):
        yield problem(PERIOD, f"the date range is too long; allowed: {max_days:g} days")
    if standing.ring and len(set(standing.ring)) < 3:
        yield problem(REGION, "the region has no surface; give a ring of at least three different points")
    if len(standing.ring) > MOST_POINTS:
        yield problem(
            REGION, f"the region has {len(standing.ring)} points; allowed: {MOST_POINTS}; simplify it"
        )
    elif not is_on_earth(standing.ring):
        yield problem(REGION, "the region leaves the earth; allowed: latitudes -90 to 90, finite longitudes")
    elif is_tangled(standing.ring):
        text = f"the region crosses itself; allowed up to {MOST_CROSSED} points; mend or simplify it"
        yield problem(REGION, text)


def generated(standing: ItemSpecification, product: ProductId, batch: int, place: int) -> ItemSpecification:
    """Return the specification of a product that matched: the standing item's, with the product's name.

    ``itemId`` is ``<itemId>-<batch>.<place>``, shortened where the schema's 80 characters do not hold it.
    """
    tail = f"-{batch}.{place}"
    head = standing.item_id
    if len(head) + len(tail) > ITEM_ID_LENGTH:
        mark = "~" + hashlib.sha256(head.encode()).hexdigest()[:8]
        head = head[: ITEM_ID_LENGTH - len(tail) - len(mark)] + mark
    return replace(standing, item_id=head + tail, identifier=product)


def stems_from(item: ItemSpecification, standing: ItemSpecification) -> bool:
    """Whether an item is one that `generated` made of a standing item."""
    batch, _, place = item.item_id.rpartition("-")[2].partition(".")
    if not (batch.isdecimal() and place.isdecimal() and isinstance(item.identifier, ProductId)):
        return False
    return generated(standing, item.identifier, int(batch), int(place)).item_id == item.item_id


# ------------------------------------------------------------------------------------------- massive orders

_PERIOD_NAMES = frozenset({"dateRange", "DateRange"})
_SPOKEN = re.compile(r"start:\s*(\S+)\s+stop:\s*(\S+)", re.IGNORECASE)
_ENDS = (("min", "max"), ("start", "stop"), ("begin", "end"))


def is_massive(specification: OrderSpecification) -> bool:
    """Whether an order is a massive one by pyoseo's convention: to be filled from the catalogue."""
    return (
        specification.order_type is OrderType.PRODUCT_ORDER
        and specification.order_reference == MASSIVE_REFERENCE
    )


def period_of(selections: Iterable[ParameterData]) -> tuple[datetime, datetime] | None:
    """Return the date range among selections, in any form that is in use; None where there is none.

    A ``TimeRange`` (``min`` and ``max``, or two instants), or pyoseo's ``start: … stop: …``.
    """
    given = [value for each in selections for name, value in each.values if name in _PERIOD_NAMES]
    ends = _ends(given[-1]) if given else ()
    instants = [_instant(end) for end in ends]
    if len(instants) != 2 or instants[0] is None or instants[1] is None or instants[0] > instants[1]:
        return None
    return instants[0], instants[1]


def _ends(value: Any) -> Sequence[Any]:
    if isinstance(value, tuple):
        named = {str(name).lower(): end for name, end in value}
        return next(([named[low], named[high]] for low, high in _ENDS if {low, high} == named.keys()), [])
    spoken = _SPOKEN.search(str(value))
    return list(spoken.groups()) if spoken else str(value).replace("/", " ").split()


def without_period(specification: OrderSpecification) -> OrderSpecification:
    """Return a massive order without its date range, which no processor knows."""

    def others(selections: Sequence[ParameterData]) -> tuple[ParameterData, ...]:
        kept = [
            replace(each, values=tuple(pair for pair in each.values if pair[0] not in _PERIOD_NAMES))
            for each in selections
        ]
        return tuple(each for each in kept if each.values or each.text is not None)

    items = tuple(replace(each, options=others(each.options)) for each in specification.items)
    return replace(specification, options=others(specification.options), items=items)
