"""The timetable of standing orders: catalogues are looked through, and what matches becomes items.

One look through a collection's catalogue serves all its subscriptions, which are matched in memory. Products
are remembered (`Matches`) in the very transaction that adds their items, so each revision of each product
is delivered once, wherever this process dies and however often a catalogue repeats itself. What a catalogue
could not say for a while is asked for again: nothing is counted as looked at before it was answered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from oseo_lab.dispatch.adding import Found, Joined, add_found, portions
from oseo_lab.dispatch.matching import Areas, bounds_of_all
from oseo_lab.dispatch.planner import Policy, TimeIsOver, decide
from oseo_lab.dispatch.settle import Change, save
from oseo_lab.dispatch.standing import StandingOrders
from oseo_lab.model.collection import Collection, SubscriptionRule
from oseo_lab.model.errors import OseoError, Unavailable
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.limits import month_after
from oseo_lab.model.order import Order
from oseo_lab.model.status import Wanted
from oseo_lab.model.subscription import (
    Match,
    Standing,
    chosen_from,
)
from oseo_lab.ports import Catalogue, CatalogueQuery, OrderStore, ProcessingFailed, UnitOfWork

__all__ = ["Calendar"]

log = logging.getLogger("oseo_lab.dispatch")

#: Products asked of a catalogue at a time.
PAGE = 1000
#: Most products of one look, against a catalogue whose pages never end.
MOST = 10_000_000
#: How often the whole date range is looked through, beyond the lateness: also at every start.
DEEP = timedelta(days=1)
#: How often somebody else's new subscriptions are looked for.
LOOK = timedelta(seconds=30)
#: When a catalogue that did not answer is asked again, at the latest.
AGAIN = timedelta(minutes=1)
#: Standing items whose deliveries are read at once, at a start.
READ_AT_ONCE = 20


@dataclass
class _Seen:
    """What this process has looked at for one standing item, and what it has had or turned down (hashes).

    What was turned down once (too near to another observation, or all are there) will always be. Where a
    month's number is reached, nothing more is looked for until ``held``, and then everything.
    """

    had: set[int]
    looked: datetime | None = None
    whole: datetime | None = None
    held: datetime | None = None

    def waits(self, now: datetime) -> bool:
        """Whether nothing more may join it this month."""
        return self.held is not None and now < self.held

    def begins(self, standing: Standing, lateness: timedelta, now: datetime) -> datetime:
        """Return from when on products must be looked at."""
        is_new_month = self.held is not None and not self.waits(now)
        if self.looked is None or self.whole is None or now - self.whole >= DEEP or is_new_month:
            return standing.start
        return max(standing.start, self.looked - lateness)


@dataclass
class _Look:
    """One look through a catalogue: what it found, and whether it came to the end."""

    found: dict[tuple[str, int], list[Match]] = field(default_factory=dict)
    is_whole: bool = False


class Calendar:
    """Looks through catalogues for standing orders. `step` does what is due; it waits for nothing.

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
        self._seen: dict[tuple[str, int], _Seen] = {}
        self._standing = StandingOrders(store, collections, now)
        self._due: dict[str, datetime] = {}
        self._looked: datetime | None = None
        self._is_stirred = False
        self._is_closing = False

    def close(self) -> None:
        """Ask no catalogue for another page: what was not looked at is looked at in the next life."""
        self._is_closing = True

    def stir(self) -> None:
        """Say that there are new standing orders: they are looked at in the next step."""
        self._is_stirred = True

    def step(self) -> int:
        """Look through every catalogue that is due; return how many products were ordered."""
        now = self._now()
        rules = {each.id: rule for each in self._collections.values() if (rule := each.subscription)}
        due = {name for name in rules if self._due.get(name, now) <= now}
        is_time = self._looked is None or now - self._looked >= LOOK
        if not due and not self._is_stirred and not is_time:
            return 0
        self._is_stirred, self._looked = False, now
        active = self._active(now)
        self._seen = {key: self._seen[key] for key in self._seen.keys() & active.keys()}
        added = 0
        for name, rule in rules.items():
            mine = [each for each in active.values() if each.collection_id == name]
            if name not in due:
                mine = [each for each in mine if each.key not in self._seen]
            if mine:
                added += self._pass(name, rule, mine, now, is_regular=name in due)
            elif name in due:
                self._due[name] = now + timedelta(seconds=rule.every)
        return added

    def _active(self, now: datetime) -> dict[tuple[str, int], Standing]:
        """Return who waits, and end those whose time was over while nobody looked for them."""
        found: dict[tuple[str, int], Standing] = {}
        for order, standing in self._standing.read():
            collection = self._collections.get(standing.collection_id)
            is_served = collection is not None and collection.subscription is not None
            if is_served and order.wanted is Wanted.COMPLETED:
                found[standing.key] = standing
            elif order.wanted is not Wanted.CANCELLED and self._is_over(standing, now):
                self._store.write(partial(self._end, ended=[standing.key], now=now))
        return found

    # --------------------------------------------------------------------------- one look, one collection

    def _pass(
        self, name: str, rule: SubscriptionRule, mine: Sequence[Standing], now: datetime, is_regular: bool
    ) -> int:
        """Look through one catalogue for some subscriptions, order what is new, end what is over."""
        every, before = timedelta(seconds=rule.every), self._due.get(name, now)
        self._due[name] = now + min(every, AGAIN)  # whatever goes wrong here
        self._remember(mine)
        lateness = timedelta(days=rule.lateness)
        begin = min(self._seen[each.key].begins(each, lateness, now) for each in mine)
        look = self._look(name, mine, begin, now)
        added = self._order(mine, look.found, now)
        if not look.is_whole:
            return added
        self._due[name] = now + every if is_regular else before
        ended = []
        for each in mine:
            seen = self._seen[each.key]
            if begin <= each.start:
                seen.whole = now
                seen.held = seen.held if seen.waits(now) else None
            seen.looked = now
            if self._is_over(each, now) and seen.held is None:
                ended.append(each.key)
        if ended:
            self._store.write(partial(self._end, ended=ended, now=now))
        return added

    def _remember(self, standings: Sequence[Standing]) -> None:
        """Read once what standing items have had; what is added later is remembered as it is added."""
        fresh = [each.key for each in standings if each.key not in self._seen]
        if not fresh:
            return
        with self._store.read() as snapshot:
            for start in range(0, len(fresh), READ_AT_ONCE):
                some = fresh[start : start + READ_AT_ONCE]
                for key, had in snapshot.matches.known(some).items():
                    self._seen[key] = _Seen(had={hash(each) for each in had})

    def _look(self, name: str, mine: Sequence[Standing], begin: datetime, now: datetime) -> _Look:
        """Ask a catalogue page by page; what it said before it failed counts all the same."""
        look = _Look()
        areas = Areas(mine)
        query = CatalogueQuery(
            bbox=bounds_of_all(mine), start=begin, end=max(each.end for each in mine), limit=PAGE
        )
        try:
            for page in self._pages(name, query):
                for standing, matches in areas.matches(page):
                    if self._seen[standing.key].waits(now):
                        continue
                    had = self._seen[standing.key].had
                    fresh = [one for one in matches if hash((one.identifier, one.revision)) not in had]
                    if fresh:
                        look.found.setdefault(standing.key, []).extend(fresh)
            look.is_whole = True
        except ProcessingFailed as failed:
            log.warning("subscriptions of %s: %s; it is asked again", name, failed.reason)
        except OseoError as failed:
            log.warning("subscriptions of %s: %s; it is asked again", name, failed)
        except Exception:
            log.exception("the catalogue of %s failed; it is asked again", name)
        return look

    def _pages(self, name: str, query: CatalogueQuery) -> Iterator[list[CatalogueItem]]:
        """Yield the products that can be ordered, a page at a time."""
        collection, catalogue = self._collections[name], self._catalogue(name)
        cursors: set[str] = set()
        for _ in range(MOST // PAGE):
            if self._is_closing:
                raise Unavailable("the service is closing")
            page, cursor = catalogue.search(query)
            yield [each for each in page if each.orderable and collection.holds(each.identifier)]
            if cursor is None or cursor in cursors:
                return
            cursors.add(cursor)
            query = replace(query, cursor=cursor)

    def _order(
        self, mine: Sequence[Standing], found: Mapping[tuple[str, int], Sequence[Match]], now: datetime
    ) -> int:
        """Add what was found to its orders, some orders at a time; return how many items came of it."""
        added = 0
        for some in portions(mine, found):
            served = self._store.write(partial(self._add, groups=some, now=now))
            for one in (one for group in some for one in group if one.standing.key in served):
                if seen := self._seen.get(one.standing.key):
                    left = served[one.standing.key].left
                    keys = {(each.identifier, each.revision) for each in one.matches}
                    seen.had.update(hash(each) for each in keys - left)
                    seen.held = month_after(now) if left else seen.held
            added += sum(each.items for each in served.values())
        if added:
            self._wake()
        return added

    def _add(
        self, work: UnitOfWork, groups: Sequence[Sequence[Found]], now: datetime
    ) -> dict[tuple[str, int], Joined]:
        served: dict[tuple[str, int], Joined] = {}
        for group in groups:
            served |= add_found(work, group, self._collections, now)
        return served

    def _is_over(self, standing: Standing, now: datetime) -> bool:
        collection = self._collections.get(standing.collection_id)
        rule = collection.subscription if collection else None
        return now > standing.end + timedelta(days=rule.lateness if rule else 0.0)

    def _end(self, work: UnitOfWork, ended: Sequence[tuple[str, int]], now: datetime) -> None:
        items = [item for key in ended if (item := work.items.get(*key)) is not None]
        over = TimeIsOver(text="the date range is over")
        changes = [Change(before=item, decisions=(decide(item, over, now, Policy()),)) for item in items]
        save(work, changes, self._collections, now, Policy())

    # ------------------------------------------------------------------------------------- from the doors

    def announce(self, name: str, identifiers: Sequence[str]) -> int:
        """Match products that have just appeared; return how many items were ordered by it.

        Parameters
        ----------
        name : str
            The collection.
        identifiers : sequence of str
            Its products; those its catalogue does not know (yet) are left for the timetable.
        """
        now = self._now()
        found = self._catalogue(name).find(identifiers)
        collection = self._collections[name]
        page = [each for each in found.values() if each.orderable and collection.holds(each.identifier)]
        active = [standing for order, standing in self._standing.read() if order.wanted is Wanted.COMPLETED]
        mine = [each for each in active if each.collection_id == name]
        matching = {standing.key: matches for standing, matches in Areas(mine).matches(page)}
        return self._order(mine, matching, now)

    def would_match(self, order: Order, limit: int = PAGE) -> list[CatalogueItem]:
        """Return products that a subscription would have now and has not had; nothing is ordered."""
        with self._store.read() as snapshot:
            standings = self._standing.of(snapshot, order)
            known = snapshot.matches.known([each.key for each in standings])
        chosen: dict[tuple[str, str], CatalogueItem] = {}
        for standing in standings:
            if standing.collection_id in self._collections:
                wanted = self._wanted(standing, known.get(standing.key, set()), limit)
                chosen |= {(each.collection_id, each.identifier): each for each in wanted}
        return list(chosen.values())[:limit]

    def _wanted(self, standing: Standing, had: set[tuple[str, str]], limit: int) -> list[CatalogueItem]:
        """Look through a catalogue until enough is found."""
        areas = Areas([standing])
        query = CatalogueQuery(
            bbox=bounds_of_all([standing]), start=standing.start, end=standing.end, limit=PAGE
        )
        products: dict[str, CatalogueItem] = {}
        fresh: list[Match] = []
        for page in self._pages(standing.collection_id, query):
            seen = [match for _, matches in areas.matches(page) for match in matches]
            mine = [match for match in seen if (match.identifier, match.revision) not in had]
            names = {each.identifier for each in mine}
            products |= {each.identifier: each for each in page if each.identifier in names}
            fresh += mine
            if len(fresh) >= limit:
                break
        wanted, _ = chosen_from(standing, fresh, had)
        return [products[each.identifier] for each in wanted]
