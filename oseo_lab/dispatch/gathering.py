"""Making one quotation: asks the quoter of each collection and puts the answers together.

The one place where a quotation comes about, called by `quoting`: at once for GetQuotation and Submit, in its
loop for what takes its time. Whatever a quoter does becomes groups of prices, or a sentence.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from oseo_lab.dispatch.jobs import recipe_then
from oseo_lab.dispatch.reusing import STAYS
from oseo_lab.model.archive import Offline
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import Problem
from oseo_lab.model.estimates import choice_of
from oseo_lab.model.identifiers import ItemIdentifier, OrderType, ProductId
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.order import LOCAL, ItemSpecification, OrderSpecification
from oseo_lab.model.quotation import (
    MOST_PRICE,
    ItemGroupPrice,
    Price,
    ProviderName,
    QuotationRecord,
    QuotationState,
    Reusable,
    compose,
    decimal_of,
    reusing,
)
from oseo_lab.model.reuse import wants_reuse
from oseo_lab.ports import OrderStore, ProcessingFailed, QuoteRequest

__all__ = ["Gathering", "Seams"]

log = logging.getLogger("oseo_lab.dispatch")

#: Longest text that says what could not be quoted, characters.
LONGEST = 4000
#: Characters of an order's name that are told.
_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Seams:
    """What `oseo_lab.wiring` gives to ask with.

    Parameters
    ----------
    collection_for : callable
        Finds the collection of an item, or says what is wrong.
    quote : callable
        Asks a collection's quoter, or the provider that makes its items; None where nobody quotes it.
    find : callable
        Asks a collection's catalogue, by collection id, for products.
    provider : ProviderName
        This service, as quotations name it.
    """

    collection_for: Callable[[ItemIdentifier, OrderType], Collection | Problem]
    quote: Callable[[QuoteRequest], Sequence[ItemGroupPrice] | None]
    find: Callable[[str, Sequence[str]], Mapping[str, CatalogueItem]]
    provider: ProviderName


@dataclass
class _Asked:
    """What the quoters have said of one quotation."""

    groups: list[ItemGroupPrice] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


class Gathering:
    """Makes quotations.

    Parameters
    ----------
    store : OrderStore
        Where balances and past items are.
    seams : Seams
        Whom to ask.
    now : callable
        The clock, UTC.
    """

    def __init__(self, *, store: OrderStore, seams: Seams, now: Callable[[], datetime]) -> None:
        self._store = store
        self._seams = seams
        self._now = now

    def made(self, record: QuotationRecord, *, is_last: bool = True) -> QuotationRecord:
        """Return a quotation's record as its quoters answer it: ready, or failed.

        Groups that the record holds already (a person's answer) are kept, and their items not asked again.

        Parameters
        ----------
        record : QuotationRecord
            As it was asked.
        is_last : bool
            Whether what might be answered another time counts as not quoted.

        Raises
        ------
        ProcessingFailed
            With ``retry``: somebody could not be reached, and it is not the last try.
        """
        given = record.quotation.groups if record.quotation else ()
        found = _Asked(groups=[replace(each, provider=self._seams.provider) for each in given])
        now = self._now()
        done = {each.item_id for group in given for each in group.items}
        specification = record.specification
        left = [each for each in specification.items if each.item_id not in done]
        for collection, items in self._parts(specification.order_type, left, found):
            self._ask(record, collection, items, now, found)
        if found.later and not is_last:
            raise ProcessingFailed("; ".join(found.later), retry=True)
        return self._ended(record, found)

    def _ended(self, record: QuotationRecord, found: _Asked) -> QuotationRecord:
        said = "; ".join([*found.problems, *found.later])[:LONGEST] or None
        if not found.groups:
            return replace(record, state=QuotationState.FAILED, problem=said, quotation=None)
        groups, taken = self._with_reuse(record, found.groups)
        groups = self._with_balances(record.owner, groups)
        quotation = compose(record.quotation_id, groups, record.specification)
        less = None if taken is None else compose(record.quotation_id, taken, record.specification).price
        approval = self._needs_approval(record.specification)
        quotation = replace(quotation, price_reusing=less, needs_approval=approval)
        partial = f"not quoted: {said}" if said else None
        return replace(record, state=QuotationState.READY, quotation=quotation, partial=partial)

    def _parts(
        self, order_type: OrderType, items: Sequence[ItemSpecification], found: _Asked
    ) -> Iterator[tuple[Collection, list[ItemSpecification]]]:
        """Yield the items by collection; what has none is a problem."""
        parts: dict[str, tuple[Collection, list[ItemSpecification]]] = {}
        for item in items:
            collection = self._seams.collection_for(item.identifier, order_type)
            if isinstance(collection, Problem):
                found.problems.append(f"item {item.item_id}: {collection.text}")
            else:
                parts.setdefault(collection.id, (collection, []))[1].append(item)
        yield from parts.values()

    def _ask(
        self,
        record: QuotationRecord,
        collection: Collection,
        items: Sequence[ItemSpecification],
        now: datetime,
        found: _Asked,
    ) -> None:
        """Ask one collection's quoter; whatever it does becomes groups or a sentence."""
        with self._store.read() as snapshot:
            past = snapshot.past.of(collection.id, _choices(items))
        request = QuoteRequest(
            owner=record.owner,
            specification=replace(record.specification, items=()),
            items=items,
            collection=collection,
            now=now,
            past=past,
            find=lambda identifiers: self._seams.find(collection.id, identifiers),
        )
        try:
            groups = self._seams.quote(request)
            if groups is None:
                found.problems.append(f"{collection.id} has no quotations")
                return
            _check(groups, items)
        except ProcessingFailed as failed:
            said = found.later if failed.failure_class.value == "transient" else found.problems
            said.append(f"{collection.id}: {failed.reason}")
        except Exception:
            log.exception("the quoter of %s failed", collection.id)
            found.problems.append(f"{collection.id}: no price, because of an internal error")
        else:
            groups = self._with_restores(collection, items, groups)
            found.groups.extend(self._named(collection, groups))
            priced = {each.item_id for group in groups for each in group.items}
            missing = [each.item_id for each in items if each.item_id not in priced]
            found.problems.extend([f"items {', '.join(missing)} of {collection.id}"] if missing else [])

    def _named(self, collection: Collection, groups: Sequence[ItemGroupPrice]) -> list[ItemGroupPrice]:
        """Name this service where it is the provider."""
        if collection.provider != LOCAL:
            return list(groups)
        return [replace(each, provider=self._seams.provider) for each in groups]

    def _with_restores(
        self, collection: Collection, items: Sequence[ItemSpecification], groups: Sequence[ItemGroupPrice]
    ) -> Sequence[ItemGroupPrice]:
        """Tell which items an archive must restore first, where the operator says that there is one."""
        usually = collection.catalogue_settings.get("restore")
        wanted = [each.identifier.identifier for each in items if isinstance(each.identifier, ProductId)]
        if not isinstance(usually, int | float) or not wanted:
            return groups
        try:
            products = self._seams.find(collection.id, wanted)
        except ProcessingFailed as failed:  # the price stands without it
            log.info("%s: nothing is known of its archive: %s", collection.id, failed.reason)
            return groups
        offline = {name: each.offline for name, each in products.items() if each.offline is not None}
        return [_restored(each, offline, float(usually)) for each in groups]

    def _with_reuse(
        self, record: QuotationRecord, groups: Sequence[ItemGroupPrice]
    ) -> tuple[Sequence[ItemGroupPrice], Sequence[ItemGroupPrice] | None]:
        """Tell what was delivered already; beside that the groups at what they would cost if it is taken.

        None where nothing was, or where the order says already that it is taken.
        """
        earlier = self._delivered(record)
        if not earlier:
            return groups, None
        taken = [reusing(each, earlier, is_taken=True) for each in groups]
        if wants_reuse(record.specification):
            return taken, None
        return [reusing(each, earlier, is_taken=False) for each in groups], taken

    def _delivered(self, record: QuotationRecord) -> dict[str, Reusable]:
        """Return what its owner was delivered already of what an order asks for, by item id."""
        specification = record.specification
        if specification.order_type is not OrderType.PRODUCT_ORDER:
            return {}
        recipes: dict[str, str] = {}
        for collection, items in self._parts(specification.order_type, specification.items, _Asked()):
            for item in items if collection.provider == LOCAL else ():
                try:
                    recipe = recipe_then(record.owner, collection, specification, item)
                except ValueError:  # the collection has other options by now: nothing was made like it
                    continue
                if recipe is not None:
                    recipes[item.item_id] = recipe
        with self._store.read() as snapshot:
            known = snapshot.results.earlier(record.owner, recipes.values(), self._now() + STAYS)
        return {
            item_id: Reusable(order_id=each.order_id, name=each.name[:_NAME], delivered=each.delivered)
            for item_id, recipe in recipes.items()
            if (each := known.get(recipe)) is not None
        }

    def _needs_approval(self, specification: OrderSpecification) -> bool:
        """Whether a person looks at an order before it begins: then its price is no promise of its time."""
        parts = self._parts(specification.order_type, specification.items, _Asked())
        return any(not collection.automatic for collection, _ in parts)

    def _with_balances(self, owner: str, groups: Sequence[ItemGroupPrice]) -> list[ItemGroupPrice]:
        """Say what the owner's account would be left with, group after group."""
        with self._store.read() as snapshot:
            left = dict(snapshot.balances.of(owner))
        result = []
        for group in groups:
            currency = group.price.currency
            balance = None
            if currency in left:
                left[currency] -= decimal_of(group.price)
                balance = Price(value=float(left[currency]), currency=currency)
            result.append(replace(group, balance=balance))
        return result


def _choices(items: Sequence[ItemSpecification]) -> list[str]:
    """Return a choice of each size of area that items are of: what was made alike is looked for by that."""
    scenes = {repr(each.scene_selections): each.scene_selections for each in items}
    return [choice_of({}, each) for each in scenes.values()]


def _check(groups: Sequence[ItemGroupPrice], items: Sequence[ItemSpecification]) -> None:
    """Refuse what a quoter must not say.

    Raises
    ------
    ValueError
        If it prices items twice or that it was not asked for, or says no price that can be paid.
    """
    asked = {each.item_id for each in items}
    priced = [each.item_id for group in groups for each in group.items]
    if len(set(priced)) != len(priced) or not asked.issuperset(priced):
        raise ValueError("items are priced twice, or were not asked for")
    for group in groups:
        prices = [group.price, *(each.price for each in group.items if each.price is not None)]
        if not group.items or any(not 0 <= each.value <= MOST_PRICE for each in prices):
            raise ValueError("a group has no items, or a price is below 0 or beyond reason")
        if any(not isinstance(each.value, int | float) for each in prices):
            raise ValueError("a price is an int or a float")
        until = group.validity_time
        if until is not None and until.utcoffset() is None:
            raise ValueError("a validity time has a time zone")
        if len({each.currency for each in prices}) > 1 or not 1 <= len(group.price.currency) <= 10:
            raise ValueError("a group has one currency, of 1 to 10 characters")


def _restored(group: ItemGroupPrice, offline: Mapping[str, Offline], usually: float) -> ItemGroupPrice:
    """Return a group that says which of its items wait for an archive, and how long that takes."""
    items = []
    for item in group.items:
        known = offline.get(item.identifier.identifier) if isinstance(item.identifier, ProductId) else None
        if known is not None:
            item = replace(item, restore=usually if known.usually is None else known.usually)
        items.append(item)
    return replace(group, items=tuple(items))
