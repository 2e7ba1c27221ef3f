"""Composing a subscription, which then is an order like any other.

`Lab.subscribe` submits it and returns its handle, whose items grow with each product that comes; what can be
asked of it beside is in `standing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from oseo_lab.client.area import Area, as_area, as_period
from oseo_lab.client.composing import in_one_area
from oseo_lab.client.draft import OrderDraft
from oseo_lab.client.given import number
from oseo_lab.client.options import Options
from oseo_lab.model.errors import NotSupported, Problem, ValidationError
from oseo_lab.model.identifiers import OrderType, SubscriptionId
from oseo_lab.model.messages import Submit
from oseo_lab.model.names import reference_of
from oseo_lab.model.offers import OptionLevel
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.model.reuse import reuse_extensions
from oseo_lab.model.subscription import FREQUENCY, PERIOD, REGION

if TYPE_CHECKING:
    from oseo_lab.client.session import Session

__all__ = ["SubscriptionDraft", "compose_subscription"]

#: Days a subscription runs if no end is named.
A_YEAR = 365


class SubscriptionDraft(OrderDraft):
    """A subscription while it can still be changed.

    Parameters
    ----------
    session : Session
        Where it will be submitted.
    collection : str
        Whose coming products are wanted.
    name : str, optional
        What you will find it by.

    Raises
    ------
    NotSupported
        If the collection takes no subscriptions.
    """

    def __init__(self, session: Session, collection: str, name: str | None = None) -> None:
        super().__init__(session, collection, name)
        self.offer = session.offer(collection, order_type=OrderType.SUBSCRIPTION_ORDER)
        if self.offer.order_type is not OrderType.SUBSCRIPTION_ORDER:
            raise NotSupported(
                f"{collection} takes no subscriptions; lab.collections says what can be ordered from it",
                code="SubscriptionNotSupported",
                locator="orderType",
            )
        self.options = self.fresh_options(OptionLevel.ITEM)

    def request(self) -> Submit:
        """Return the subscription as the message that submits it."""
        reference, extensions = reference_of(self.name) if self.name else (None, ())
        item = ItemSpecification(
            item_id=self.collection[:80],
            identifier=SubscriptionId(collection_id=self.collection),
            product_order_options_id=self.offer.product_order_options_id,
            options=self.options.parameters(),
        )
        return Submit(
            specification=OrderSpecification(
                order_type=OrderType.SUBSCRIPTION_ORDER,
                items=(item,),
                order_reference=reference,
                order_remark=self.remark,
                packaging=self.packaging,
                priority=self.priority,
                extensions=(*extensions, *self.limits.extensions(), *reuse_extensions(self.reuse)),
            )
        )

    def _gaps(self) -> Iterator[Problem]:
        """Yield what can be seen without asking anybody; products come later."""
        yield from self.options.missing()

    def __repr__(self) -> str:
        name = f"{self.name!r}, " if self.name else ""
        return f"SubscriptionDraft({name}{self.collection})"


def compose_subscription(
    session: Session,
    collection: str,
    *,
    name: str | None = None,
    area: Any = None,
    area_crs: Any = None,
    start: Any = None,
    end: Any = None,
    every: float | timedelta | None = None,
    observations: int | None = None,
    max_items_per_month: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> SubscriptionDraft:
    """Return a draft of a subscription (`Lab.subscribe` says what the parameters may be)."""
    draft = SubscriptionDraft(session, collection, name)
    draft.limits = {"max_items_per_month": max_items_per_month}
    area, values = in_one_area(area, options or {}, draft.options)
    values = {**_as_chosen(values.pop("options", None)), **values}
    for own in ("packaging", "priority", "remark"):
        if own in values:
            setattr(draft, own, values.pop(own))
    values[PERIOD] = _period(start, end)
    if area is not None:
        values[REGION] = region_of(as_area(area, area_crs))
    most = None if observations is None else _whole(observations, "observations", "whole numbers from 1 on")
    frequency = {"numberOfObservations": most, "observationGap": _days(every)}
    if given := {key: value for key, value in frequency.items() if value is not None}:
        values[FREQUENCY] = given
    draft.options.update(**values)
    return draft


def _as_chosen(options: Any) -> dict[str, Any]:
    """Return the values of options that were chosen elsewhere: those of a draft, or a mapping."""
    if options is None:
        return {}
    if isinstance(options, Options):
        return options.chosen
    if isinstance(options, Mapping):
        return dict(options)
    raise ValidationError(
        f"options {options!r:.60} are none; allowed: draft.options, or a mapping of names to values",
        locator="options",
    )


def _period(start: Any, end: Any) -> tuple[datetime, datetime]:
    """Return the date range: from today on, for a year, where nothing else is said."""
    begin = datetime.combine(datetime.now(UTC).date(), time(), UTC) if start is None else start
    first = as_period(begin)
    assert first is not None
    last = first[0] + timedelta(days=A_YEAR) if end is None else end
    whole = as_period((first[0], last if isinstance(last, str | date) else str(last)))
    assert whole is not None
    return whole


def _days(every: float | timedelta | None) -> int | None:
    """Return whole days between two observations."""
    if every is None:
        return None
    days = every.total_seconds() / 86400 if isinstance(every, timedelta) else every
    return _whole(days, "every", "whole days, or a timedelta of them")


def _whole(given: Any, name: str, what: str) -> int:
    value = number(given, name, what)
    if value != int(value):
        raise ValidationError(f"{name} {given!r} is not allowed; allowed: {what}", locator=name)
    return int(value)


def region_of(area: Area) -> list[dict[str, float]]:
    """Return an area as the closed ring that ``regionOfInterest`` is.

    Raises
    ------
    ValidationError
        If it has several parts or holes, which a ring cannot say.
    """
    west, south, east, north = area.bbox
    if area.is_box and area.crs is None:
        ring: Sequence[tuple[float, float]] = ((west, south), (east, south), (east, north), (west, north))
    else:
        ring = area.points if area.crs is None else _outer(area)
    if not ring:
        raise ValidationError(
            "the area has several parts or holes and a subscription holds one ring: subscribe to the parts "
            "apart, or take their hull (shapely: .convex_hull)",
            locator="area",
        )
    crosses = area.is_box and west > east
    points = list(ring if crosses else _with_short_edges(ring))
    if points[0] != points[-1]:
        points.append(points[0])
    return [{"latitude": y, "longitude": x} for x, y in points]


def _outer(area: Area) -> Sequence[tuple[float, float]]:
    coordinates = area.geometry["coordinates"]
    is_one = area.geometry["type"] == "Polygon" and len(coordinates) == 1
    return [(float(x), float(y)) for x, y, *_ in coordinates[0]] if is_one else ()


def _with_short_edges(ring: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield a ring whose edges are below 180 degrees: a longer one would run the other way round."""
    for (x, y), (to_x, to_y) in zip(ring, (*ring[1:], ring[0]), strict=True):
        yield x, y
        if abs(to_x - x) >= 180:
            for part in (1 / 3, 2 / 3):
                yield x + (to_x - x) * part, y + (to_y - y) * part
