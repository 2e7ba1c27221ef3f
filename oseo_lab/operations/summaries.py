"""Orders at a glance, a page at a time: mine, or those shared with me; by name, status, collection and time.

Pages go by the order, not by how many came before, so that new orders shift nothing. A page may hold fewer
than asked for, or none, and still say where to go on: each looks at so many orders at most.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate

from oseo_lab.model.errors import ValidationError
from oseo_lab.model.status import Status
from oseo_lab.model.view import OrderSummary
from oseo_lab.operations.context import Context

__all__ = ["Page", "SummaryQuery", "list_summaries"]

#: Orders read at a time, and looked at for one page.
PIECE = 200
MOST_LOOKED_AT = 2000
#: Longest pattern of a name, characters.
LONGEST_PATTERN = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class SummaryQuery:
    """What is asked for; what is not said does not matter.

    Parameters
    ----------
    name : str or None
        A name, or a pattern with ``*`` and ``?``; of shared orders also ``owner/name``.
    statuses : collection of Status
        Any of these.
    collection : str or None
        Orders that order from it.
    since, until : datetime or None
        When they last changed, UTC.
    shared : bool
        Those that are shared with the caller, instead of the caller's own.
    limit : int
        Most orders of the page.
    cursor : str
        Where the page before ended: the id of the last order it looked at.
    """

    name: str | None = None
    statuses: Collection[Status] = ()
    collection: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    shared: bool = False
    limit: int = 100
    cursor: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Orders, newest first; ``cursor`` is None where there are no more."""

    orders: tuple[OrderSummary, ...]
    cursor: str | None = None


def list_summaries(query: SummaryQuery, context: Context) -> Page:
    """Return a page of the caller's orders, or of those shared with the caller, newest first.

    Raises
    ------
    ValidationError
        If the name is a pattern of excessive length.
    """
    reader, shared_at = context.caller, context.now() if query.shared else None
    pattern = _pattern(query.name)
    found: list[OrderSummary] = []
    before, looked = query.cursor, 0
    with context.store.read() as snapshot:
        while looked < MOST_LOOKED_AT:
            piece = snapshot.views.summaries(reader, shared_at=shared_at, before=before, limit=PIECE)
            for each in piece:
                before = each.order_id
                if _matches(each, query, pattern):
                    found.append(each)
                    if len(found) == query.limit:
                        return Page(orders=tuple(found), cursor=before)
            looked += len(piece)
            if len(piece) < PIECE:
                return Page(orders=tuple(found))
    return Page(orders=tuple(found), cursor=before)


def _matches(order: OrderSummary, query: SummaryQuery, pattern: re.Pattern[str] | None) -> bool:
    changed = order.updated or order.created
    return (
        (query.name is None or _is_called(order, query.name, pattern))
        and (not query.statuses or order.status in query.statuses)
        and (query.collection is None or query.collection in order.collections)
        and (query.since is None or (changed is not None and changed >= query.since))
        and (query.until is None or (changed is not None and changed <= query.until))
    )


def _is_called(order: OrderSummary, name: str, pattern: re.Pattern[str] | None) -> bool:
    """Whether an order is called so, or as a pattern says."""
    names = (order.name, f"{order.owner}/{order.name}")
    return name in names or (pattern is not None and any(map(pattern.match, names)))


def _pattern(name: str | None) -> re.Pattern[str] | None:
    """Return what a name with ``*`` and ``?`` stands for; None for one without.

    Raises
    ------
    ValidationError
        If it is longer than any that is asked for in earnest: a long one holds the service up.
    """
    if name is None or not set("*?") & set(name):
        return None
    if len(name) > LONGEST_PATTERN:
        text = f"name: a pattern of {len(name)} characters is too long; at most {LONGEST_PATTERN} are allowed"
        raise ValidationError(text, locator="name")
    return re.compile(translate(name.replace("[", "[[]")))
