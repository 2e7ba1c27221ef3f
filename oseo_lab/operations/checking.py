"""Whether an order can be accepted: everything that is wrong with it, at once.

Used by Submit and GetQuotation alike. Asks no remote catalogue: a collection's pattern decides, existence is
the worker's question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from oseo_lab.model.collection import Collection, Scope
from oseo_lab.model.errors import Problem, ValidationError
from oseo_lab.model.order import OrderSpecification
from oseo_lab.operations.context import Context
from oseo_lab.operations.order_types import collection_for

__all__ = ["check_specification"]


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
    found_wrong = [*problems, *_check_item_ids(specification)]
    at_order = frozenset(name for each in specification.options for name, _ in each.values)
    found: list[Collection] = []
    for item in specification.items:
        collection = collection_for(item.identifier, specification.order_type, context)
        if isinstance(collection, Problem):
            found_wrong.append(replace(collection, item_id=item.item_id))
        else:
            found.append(collection)
            found_wrong.extend(collection.check_item(item, at_order))
    several = tuple({each.id: each for each in found}.values())
    for collection in several:
        found_wrong.extend(collection.check_order(specification))
        found_wrong.extend(_check_count(collection, sum(each is collection for each in found)))
    found_wrong.extend(_check_scopes(several, specification))
    if found_wrong:
        raise ValidationError.of(found_wrong)
    return tuple(found)


def _check_item_ids(specification: OrderSpecification) -> Iterator[Problem]:
    seen: set[str] = set()
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
