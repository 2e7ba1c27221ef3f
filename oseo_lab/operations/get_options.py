"""GetOptions (OGC 06-141r6 clause 9): what can be chosen for a collection, for products, for a request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from oseo_lab.model.collection import Collection, OrderOptions
from oseo_lab.model.errors import NotSupported, Problem, ValidationError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.messages import GetOptions, GetOptionsResponse
from oseo_lab.model.options import PATTERN_LENGTH
from oseo_lab.operations.context import Context

__all__ = ["MOST_IDENTIFIERS", "collection_of", "get_options", "unsupported"]

#: Most products asked for at once: each is answered with all options of its collection, some kilobytes.
MOST_IDENTIFIERS = 500


def get_options(request: GetOptions, context: Context) -> GetOptionsResponse:
    """Return the option groups of a collection, of each product, or of a tasking request.

    Raises
    ------
    ValidationError
        If there is no such collection, an identifier belongs to none, or nothing is ordered so; all of
        them at once.
    NotSupported
        If tasking requests are asked about and none are taken.
    """
    if request.tasking_request_id is not None:
        return GetOptionsResponse(order_options=_of_request(request.tasking_request_id.id, context))
    if request.collection_id is not None:
        collection = context.collections.get(request.collection_id)
        if collection is None:
            raise ValidationError.of([unsupported(request.collection_id, context.collections)])
        found = _takeable(collection, context)
        if not found:
            raise ValidationError.of([_nothing_taken(collection, "UnsupportedCollection", "collectionId")])
        return GetOptionsResponse(order_options=found)
    return GetOptionsResponse(order_options=_of_products(request.identifiers, context))


def _takeable(collection: Collection, context: Context) -> tuple[OrderOptions, ...]:
    """Return the groups of a collection by which something can be ordered here."""
    return tuple(
        each
        for each in collection.option_groups()
        if each.order_type is not OrderType.TASKING_ORDER or context.sps_url
    )


def _of_products(identifiers: Sequence[str], context: Context) -> tuple[OrderOptions, ...]:
    """Return the groups of each product, with its identifier."""
    if len(identifiers) > MOST_IDENTIFIERS:
        raise ValidationError(
            f"{len(identifiers)} identifiers are too many; allowed: {MOST_IDENTIFIERS} at once, or "
            "their collectionId, whose options they all have",
            locator="identifier",
        )
    problems: list[Problem] = []
    groups: list[OrderOptions] = []
    for identifier in identifiers:
        found = collection_of(identifier, context.collections)
        if isinstance(found, Problem):
            problems.append(Problem(code="InvalidParameterValue", locator="identifier", text=found.text))
        elif offered := found.option_groups(OrderType.PRODUCT_ORDER, identifier):
            groups.extend(offered)
        else:
            problems.append(_nothing_taken(found, "InvalidParameterValue", "identifier"))
    if problems:
        raise ValidationError.of(problems)
    return tuple(groups)


def _nothing_taken(collection: Collection, code: str, locator: str) -> Problem:
    """Say that nothing is ordered so, where an answer would have no group (06-141r6 9.4 expects one)."""
    text = f"nothing is ordered from {collection.id} now; GetCapabilities says what can be ordered"
    if locator == "identifier":
        text = f"products of {collection.id} are not ordered one by one; ask for the collection's options"
    return Problem(code=code, locator=locator, text=text)


def _of_request(request_id: str, context: Context) -> tuple[OrderOptions, ...]:
    """Return the groups of the collection whose tasking requests look like this one."""
    rules = [(each, each.tasking) for each in context.collections.values() if each.tasking is not None]
    if not rules or not context.sps_url:
        raise NotSupported(
            "tasking requests are not taken here; ask by collectionId or identifier",
            code="FutureProductNotSupported",
            locator="taskingRequestId",
        )
    short = request_id[:PATTERN_LENGTH]
    found = [
        group
        for collection, rule in rules
        if short == request_id and re.fullmatch(rule.pattern, short)
        for group in collection.option_groups(OrderType.TASKING_ORDER)
    ]
    if not found:
        patterns = ", ".join(rule.pattern for _, rule in rules)
        raise ValidationError(
            f"no collection has tasking requests like {short[:100]!r}; allowed: {patterns}",
            locator="taskingRequestId",
        )
    return tuple(found)


def unsupported(collection_id: str, collections: Mapping[str, Collection]) -> Problem:
    """Say that a collection is not offered here, and which ones are."""
    there = ", ".join(collections) or "none"
    return Problem(
        code="UnsupportedCollection",
        locator="collectionId",
        text=f"there is no collection {collection_id[:255]!r} here; collections: {there}",
    )


def collection_of(identifier: str, collections: Mapping[str, Collection]) -> Collection | Problem:
    """Return the one collection whose pattern a product identifier has, or what is wrong.

    An identifier without a collectionId belongs to the collection whose pattern matches it, if exactly
    one does.
    """
    matching = [each for each in collections.values() if each.holds(identifier)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        text = (
            f"{identifier[:100]!r} may belong to {', '.join(each.id for each in matching)}; "
            "name its collectionId"
        )
    else:
        text = (
            f"no collection has products like {identifier[:100]!r}; "
            f"name the collectionId; collections: {', '.join(collections) or 'none'}"
        )
    return Problem(code="MissingParameterValue", locator="collectionId", text=text)
