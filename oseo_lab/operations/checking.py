"""Whether an order can be accepted: everything that is wrong with it, at once.

Used by Submit and GetQuotation alike, and for drafts. Asks no remote catalogue: a collection's pattern
decides, existence is the worker's question. A processor that looks at values has its say, once a choice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

from oseo_lab.model.collection import Collection, OrderOptions, Scope
from oseo_lab.model.errors import Problem, ValidationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.limits import limit_problems, limits_of
from oseo_lab.model.options import check_selections
from oseo_lab.model.order import LOCAL, ItemSpecification, OrderSpecification
from oseo_lab.model.reuse import reuse_problems
from oseo_lab.model.subscription import is_massive
from oseo_lab.operations.context import Context
from oseo_lab.operations.order_types import check_standing_items, checkable, collection_for

__all__ = ["check_choices", "check_specification"]


def check_specification(
    specification: OrderSpecification, context: Context, problems: Iterable[Problem] = ()
) -> tuple[Collection, ...]:
    """Return each item's collection.

    Parameters
    ----------
    specification : OrderSpecification
        With its items.
    context : Context
        Of the request.
    problems : iterable of Problem
        What is wrong already, told with the rest.

    Raises
    ------
    ValidationError
        With every problem of the order.
    """
    _refuse_crowd(specification, context)
    asked, specification = specification, checkable(specification)
    found_wrong = [*problems, *_check_item_ids(specification), *limit_problems(specification)]
    found_wrong.extend(reuse_problems(specification))
    found: list[Collection] = []
    choices, by_wish = _Choices(specification, context), is_massive(asked)
    for item in specification.items:
        collection = collection_for(item.identifier, specification.order_type, context)
        if isinstance(collection, Problem):
            found_wrong.append(replace(collection, item_id=item.item_id))
            continue
        found.append(collection)
        found_wrong.extend(choices.check(collection, item))
        if not (by_wish and item.identifier == _named_by(collection)):
            found_wrong.extend(collection.check_identifier(item))
    counts = Counter(each.id for each in found)
    several = tuple({each.id: each for each in found}.values())
    for collection in several:
        found_wrong.extend(_check_order(collection, specification, choices.groups[collection.id].values()))
        found_wrong.extend(_check_count(collection, counts[collection.id]))
    found_wrong.extend(_check_scopes(several, specification))
    if not found_wrong:
        found_wrong.extend(_check_size_limit(several, specification))
    if not found_wrong:
        found_wrong.extend(check_standing_items(asked, found, context.now()))
    if found_wrong:
        raise ValidationError.of(list(dict.fromkeys(found_wrong)))
    return tuple(found)


def check_choices(
    collection: Collection, specification: OrderSpecification, context: Context
) -> list[Problem]:
    """Return what is wrong with what items choose of a collection, whatever products they are made from.

    For drafts: neither identifiers nor the number of items are looked at.
    """
    choices = _Choices(specification, context)
    found = [each for item in specification.items for each in choices.check(collection, item)]
    found.extend(_check_order(collection, specification, choices.groups[collection.id].values()))
    return list(dict.fromkeys(found))


def _check_size_limit(
    collections: Iterable[Collection], specification: OrderSpecification
) -> Iterator[Problem]:
    """Yield that a limit cannot be held, where others make and deliver: better none than one that is not."""
    others = sorted({each.provider for each in collections} - {LOCAL})
    if others and limits_of(specification).max_bytes is not None:
        text = f"max_bytes cannot be held of what {', '.join(others)} delivers; order that without max_bytes"
        yield Problem(code=ValidationError.code, locator="max_bytes", text=text)


def _named_by(collection: Collection) -> ProductId:
    """Return what a massive order may name instead of one of its products: the collection itself."""
    return ProductId(identifier=collection.id, collection_id=collection.id)


class _Choices:
    """Checks what items choose: items that choose the same of the same group are checked once.

    ``groups`` are the option groups met, by collection id and group id.
    """

    def __init__(self, specification: OrderSpecification, context: Context) -> None:
        self._order = specification
        self._checker = context.checker
        self._known: dict[Hashable, tuple[Problem, ...]] = {}
        self.groups: defaultdict[str, dict[str, OrderOptions]] = defaultdict(dict)

    def check(self, collection: Collection, item: ItemSpecification) -> list[Problem]:
        """Return what is wrong with an item's choices."""
        key = (
            collection.id,
            item.product_order_options_id,
            item.options,
            item.scene_selections,
            item.delivery_options,
            item.payment,
        )
        wrong = self._known.get(key)
        if wrong is None:
            wrong = self._known[key] = tuple(self._problems(collection, item))
        return [replace(each, item_id=item.item_id) for each in wrong]

    def _problems(self, collection: Collection, item: ItemSpecification) -> Iterable[Problem]:
        group = collection.group_of(self._order, item)
        if isinstance(group, list):
            return group
        self.groups[collection.id].setdefault(group.product_order_options_id, group)
        wrong = tuple(collection.check_choice(item, self._order, group))
        look = self._checker(collection.id)
        if look is None or wrong:
            return wrong
        if any(check_selections(group.options, self._order.options, check_missing=False)):
            return ()  # said of the order itself
        return look(collection.chosen(self._order, item), collection.scene(item, self._order))


def _check_order(
    collection: Collection, specification: OrderSpecification, groups: Iterable[OrderOptions]
) -> Iterator[Problem]:
    """Check the order's own part against the groups its items are of, or that they most likely are of."""
    yield from collection.check_order(
        specification, groups or collection.option_groups(specification.order_type)[:1]
    )


def _refuse_crowd(specification: OrderSpecification, context: Context) -> None:
    """Refuse, before any item is looked at, more items than all collections together take."""
    count, most = len(specification.items), sum(each.max_items for each in context.collections.values())
    if count > most > 0:
        raise ValidationError(f"{count} items are too many; at most {most} are taken", locator="orderItem")


def _check_item_ids(specification: OrderSpecification) -> Iterator[Problem]:
    seen: set[str] = set()
    if len({each.item_id for each in specification.items}) == len(specification.items):
        return
    for item in specification.items:
        if item.item_id in seen:
            yield Problem(
                code="InvalidParameterValue",
                locator="itemId",
                text=f"itemId {item.item_id!r} is given twice; each item of an order has its own",
                item_id=item.item_id,
            )
        seen.add(item.item_id)


def _check_count(collection: Collection, count: int) -> Iterator[Problem]:
    if count > collection.max_items:
        yield Problem(
            code="InvalidParameterValue",
            locator="orderItem",
            text=f"{count} items are too many; {collection.id} takes {collection.max_items} an order",
        )


def _check_scopes(
    collections: tuple[Collection, ...], specification: OrderSpecification
) -> Iterator[Problem]:
    """Refuse a packaging that one collection of the order means for items, another for the whole order."""
    whole = [each.id for each in collections if each.delivery.scope is Scope.ORDER]
    if specification.packaging is not None and 0 < len(whole) < len(collections):
        yield Problem(
            code="InvalidParameterValue",
            locator="packaging",
            text=f"{', '.join(whole)} packs whole orders, the other collections pack items: "
            "order them apart, or leave packaging out",
        )
