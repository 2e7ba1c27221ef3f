"""What a subscription would have brought: the catalogue's last weeks, chosen as the service would choose.

Asked before anything is ordered, so that nobody subscribes to nothing, or to everything.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from oseo_lab.client.composing import compose
from oseo_lab.client.prices import money
from oseo_lab.client.search import query_of, search
from oseo_lab.client.subscription import SubscriptionDraft
from oseo_lab.model.errors import OseoError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.subscription import FREQUENCY, PERIOD, Match, Standing, chosen_from, match_of, ring_of

__all__ = ["DAYS", "Preview", "would_have_matched"]

#: Days that are looked back, and most products that are looked at.
DAYS, MOST = 90, 2000


@dataclass(frozen=True)
class Preview:
    """What would have come.

    Parameters
    ----------
    matches : tuple of Match
        Products, oldest first.
    since, until : datetime
        The time looked at, UTC.
    price : str
        What one of them costs; empty where that is not known.
    is_all : bool
        Whether all products of that time were looked at.
    """

    matches: tuple[Match, ...]
    since: datetime
    until: datetime
    price: str = ""
    is_all: bool = True

    def weeks(self) -> tuple[list[int], list[str]]:
        """Return how many came in each week, and when each began."""
        count = max(1, -(-(self.until - self.since).days // 7))
        starts = [self.since + timedelta(days=7 * at) for at in range(count)]
        held = Counter(min(count - 1, max(0, (each.first - self.since).days // 7)) for each in self.matches)
        return [held[at] for at in range(count)], [f"week of {each:%Y-%m-%d}" for each in starts]

    def __str__(self) -> str:
        count = len(self.matches)
        found = f"{'at least ' if not self.is_all else ''}{count} {'scene' if count == 1 else 'scenes'}"
        days = (self.until - self.since).days
        price = f" · one costs {self.price}" if self.price else ""
        return f"would have matched in the last {days} days: {found}{price}"


def would_have_matched(draft: SubscriptionDraft, days: int = DAYS, now: datetime | None = None) -> Preview:
    """Return what a subscription would have brought in the last days, had it run then.

    Parameters
    ----------
    draft : SubscriptionDraft
        As it stands.
    days : int
        How far to look back.
    now : datetime, optional
        The end of the time looked at, UTC.

    Raises
    ------
    OseoError
        If the catalogue cannot be asked.
    """
    until = now or datetime.now(UTC)
    since = until - timedelta(days=days)
    values = {name: draft.options[name] for name in draft.options}
    ring = ring_of(values)
    closed = [*ring, ring[0]] if ring else []
    area = {"type": "Polygon", "coordinates": [closed]} if closed else None
    query = query_of(area=area, time=(since, until))
    products = list(search(draft.session.transport, draft.collection, query, MOST))
    frequency = values.get(FREQUENCY) or {}
    standing = Standing(
        order_id="",
        number=0,
        collection_id=draft.collection,
        start=since,
        end=until,
        ring=ring,
        observations=frequency.get("numberOfObservations"),
        gap=float(frequency.get("observationGap") or 0),
    )
    matches, _ = chosen_from(standing, filter(None, map(match_of, products)), set())
    price = _price(draft, products[0], values) if products else ""
    return Preview(tuple(matches), since, until, price, len(products) < MOST)


def _price(draft: SubscriptionDraft, product: CatalogueItem, values: dict[str, Any]) -> str:
    """Return what one product costs with these options; empty where the service does not say at once."""
    offered = {
        each.name
        for offer in draft.session.offers(draft.collection)
        if offer.order_type is OrderType.PRODUCT_ORDER
        for each in offer.options
    }
    own = {name for name in draft.options.chosen if name != PERIOD}
    try:
        options = {name: values[name] for name in own & offered}
        quoted = compose(draft.session, [product], options=options).quote()
    except OseoError:  # no quotation, no price
        return ""
    return money(quoted.price) if quoted.is_ready and quoted.price is not None else ""
