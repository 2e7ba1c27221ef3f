"""Massive orders by pyoseo's convention: one item with a date range, filled from the catalogue as it goes.

When nothing of such an order is in work, its catalogue is asked for as many products as may be, and they
become its next batch; the submitted item itself stays Suspended until the catalogue has no more. What was
added is remembered with it (`Matches`), so a product is ordered once, wherever this process dies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from oseo_lab.dispatch.adding import add_batches
from oseo_lab.dispatch.batches import has_room
from oseo_lab.dispatch.matching import Areas, bounds_of_all
from oseo_lab.dispatch.planner import NotComing, Policy, TimeIsOver, decide
from oseo_lab.dispatch.settle import Change, follow_up, save
from oseo_lab.dispatch.standing import standing_from
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import OseoError, Unavailable
from oseo_lab.model.order import Order, OrderItem
from oseo_lab.model.status import Status, Wanted
from oseo_lab.model.subscription import Match, Standing, is_massive
from oseo_lab.ports import Catalogue, CatalogueQuery, OrderStore, ProcessingFailed, UnitOfWork

__all__ = ["MassiveOrders"]

log = logging.getLogger("oseo_lab.dispatch")

#: Most products asked of a catalogue at a time.
PAGE = 1000
#: Most pages asked for one batch, against a catalogue whose pages never end.
MOST_PAGES = 100_000
#: When a catalogue that did not answer is asked again.
AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Next:
    """What comes next for a massive order: products, where to go on, and whether there are more."""

    matches: Sequence[Match]
    cursor: str | None
    is_last: bool


class MassiveOrders:
    """Fills massive orders. `step` does what can be done now; it waits for nothing.

    Parameters
    ----------
    store : OrderStore
        Where orders are.
    collections : mapping of str to Collection
        By id.
    catalogue : callable
        Gives a collection's catalogue, by collection id.
    now : callable
        The clock, UTC.
    wake : callable
        Tells the dispatcher that there are new items.
    """

    def __init__(
        self,
        *,
        store: OrderStore,
        collections: Mapping[str, Collection],
        catalogue: Callable[[str], Catalogue],
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._collections = collections
        self._catalogue = catalogue
        self._now = now
        self._wake = wake
        self._cursors: dict[str, str | None] = {}
        self._later: dict[str, datetime] = {}
        self._is_closing = False

    def close(self) -> None:
        """Ask no catalogue for another page."""
        self._is_closing = True

    def step(self) -> int:
        """Fill every massive order that has nothing in work; return how many items were added."""
        now, added = self._now(), 0
        for order, parent in self._idle(now):
            collection = self._collections.get(parent.collection_id)
            if collection is not None:
                added += self._fill(order, parent, collection, now)
        if added:
            self._wake()
        return added

    def _idle(self, now: datetime) -> Iterator[tuple[Order, OrderItem]]:
        """Yield massive orders of which nothing is in work, with the item that was submitted."""
        after = ""
        open_orders: set[str] = set()
        while True:
            with self._store.read() as snapshot:
                orders = snapshot.orders.massive(after=after)
                open_orders.update(order.order_id for order in orders)
                pairs = [(order, parent) for order in orders if (parent := _parent(snapshot, order))]
            yield from (pair for pair in pairs if self._later.get(pair[0].order_id, now) <= now)
            if not orders:
                break
            after = orders[-1].order_id
        self._cursors = {key: cursor for key, cursor in self._cursors.items() if key in open_orders}
        self._later = {key: moment for key, moment in self._later.items() if key in open_orders}

    def _fill(self, order: Order, parent: OrderItem, collection: Collection, now: datetime) -> int:
        standing = standing_from(order, parent, collection)
        if standing is None:
            return 0
        try:
            coming = self._ask(standing, collection)
        except ProcessingFailed as failed:
            return self._put_off(order, failed.reason, now)
        except OseoError as failed:
            return self._put_off(order, str(failed), now)
        except Exception:
            log.exception("massive order %s: the catalogue failed", order.order_id)
            return self._put_off(order, "the catalogue failed", now)
        adding = partial(_add, key=parent.key, coming=coming, collections=self._collections, now=now)
        try:
            added = self._store.write(adding)
        except Unavailable:
            raise
        except Exception:  # whatever is wrong with one order must not keep the catalogue from the next
            log.exception("massive order %s: what was found cannot be added", order.order_id)
            return self._put_off(order, "what was found cannot be added", now)
        self._cursors[order.order_id] = coming.cursor
        return added

    def _put_off(self, order: Order, why: str, now: datetime) -> int:
        log.warning("massive order %s: %s; asked again", order.order_id, why)
        self._later[order.order_id] = now + AGAIN
        self._cursors.pop(order.order_id, None)
        return 0

    def _ask(self, standing: Standing, collection: Collection) -> _Next:
        """Return the next products that the order has not had, at most a batch of them."""
        with self._store.read() as snapshot:
            had = snapshot.matches.known([standing.key]).get(standing.key, set())
        areas, catalogue = Areas([standing]), self._catalogue(collection.id)
        cursor = self._cursors.get(standing.order_id)
        fresh: dict[tuple[str, str], Match] = {}
        for _ in range(MOST_PAGES):
            if self._is_closing:
                raise Unavailable("the service is closing")
            query = CatalogueQuery(
                bbox=bounds_of_all([standing]),
                start=standing.start,
                end=standing.end,
                limit=min(PAGE, collection.batch),
                cursor=cursor,
            )
            page, following = catalogue.search(query)
            good = [each for each in page if each.orderable and collection.holds(each.identifier)]
            for match in (match for _, matches in areas.matches(good) for match in matches):
                key = match.identifier, match.revision
                if key not in had:
                    fresh[key] = match
                if len(fresh) == collection.batch:
                    return _Next(matches=list(fresh.values()), cursor=cursor, is_last=False)
            if following is None or following == cursor:
                return _Next(matches=list(fresh.values()), cursor=cursor, is_last=True)
            cursor = following
        return _Next(matches=list(fresh.values()), cursor=None, is_last=True)


def _parent(snapshot: UnitOfWork, order: Order) -> OrderItem | None:
    """Return the submitted item of a massive order that can be filled now; None where it cannot."""
    if not is_massive(order.specification) or order.wanted is not Wanted.COMPLETED:
        return None
    parent = snapshot.items.get(order.order_id, 1)
    if parent is None or parent.batch or parent.status.status is not Status.SUSPENDED:
        return None
    if parent.wanted is not Wanted.COMPLETED or not has_room(snapshot.items.counts(order.order_id)):
        return None
    return parent if snapshot.items.next_batch(order.order_id) is None else None


def _add(
    work: UnitOfWork,
    key: tuple[str, int],
    coming: _Next,
    collections: Mapping[str, Collection],
    now: datetime,
) -> int:
    """Add the next batch, and end the submitted item with the last one; all within one transaction."""
    order = work.orders.get(key[0])
    parent = _parent(work, order) if order is not None else None
    if order is None or parent is None:
        return 0  # cancelled meanwhile, or filled by another process
    products = [(each.identifier, each.revision) for each in coming.matches]
    is_new = work.matches.add(*key, products) if products else []
    fresh = [each.identifier for each, new in zip(coming.matches, is_new, strict=True) if new]
    unpaid = add_batches(work, order, parent, fresh, collections[parent.collection_id].batch, now)
    if coming.is_last:
        count = work.items.last_number(order.order_id) - parent.number
        over = (
            TimeIsOver(text=f"{count} products were found")
            if count
            else NotComing(text=f"{parent.collection_id} has no products in the date range")
        )
        save(
            work,
            [Change(before=parent, decisions=(decide(parent, over, now, Policy()),))],
            collections,
            now,
            Policy(),
        )
    elif fresh:
        follow_up(work, {order.order_id}, now, Policy(), {order.order_id: unpaid})
    return len(fresh)
