"""GetOptions (OGC 06-141r6 clause 9): what can be chosen for a collection or for products of it."""

from __future__ import annotations

from collections.abc import Mapping

from oseo_lab.model.collection import Collection, OrderOptions
from oseo_lab.model.errors import NotSupported, Problem, ValidationError
from oseo_lab.model.messages import GetOptions, GetOptionsResponse
from oseo_lab.operations.context import Context

__all__ = ["MOST_IDENTIFIERS", "collection_of", "get_options", "unsupported"]

#: Most products asked for at once: each is answered with all options of its collection, some kilobytes.
MOST_IDENTIFIERS = 500


def get_options(request: GetOptions, context: Context) -> GetOptionsResponse:
    """Return the option groups, one for a collection or one for each product."""
    if request.tasking_request_id is not None:
        raise NotSupported(
            "tasking requests are not taken here; ask by collectionId or identifier",
            code="FutureProductNotSupported",
            locator="taskingRequestId",
        )
    if request.collection_id is not None:
        collection = context.collections.get(request.collection_id)
        if collection is None:
            raise ValidationError.of([unsupported(request.collection_id, context.collections)])
        return GetOptionsResponse(order_options=(collection.order_options(),))
    if len(request.identifiers) > MOST_IDENTIFIERS:
        raise ValidationError(
            f"{len(request.identifiers)} identifiers are too many; allowed: {MOST_IDENTIFIERS} at once, or "
            "their collectionId, whose options they all have",
            locator="identifier",
        )
    problems: list[Problem] = []
    groups: list[OrderOptions] = []
    for identifier in request.identifiers:
        found = collection_of(identifier, context.collections)
        if isinstance(found, Collection):
            groups.append(found.order_options(identifier))
        else:
            problems.append(Problem(code="InvalidParameterValue", locator="identifier", text=found.text))
    if problems:
        raise ValidationError.of(problems)
    return GetOptionsResponse(order_options=tuple(groups))


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
