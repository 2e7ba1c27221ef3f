"""How long an order will still take, with its spread: from what items like its own took before.

What other orders take in the meantime is not known and not counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from oseo_lab.model import archive
from oseo_lab.model.estimates import Estimate, choice_of, estimate
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.order import Order, OrderItem
from oseo_lab.model.status import OPEN, Status, Wanted
from oseo_lab.operations.context import Context
from oseo_lab.ports import UnitOfWork

__all__ = ["remaining", "time_left"]


def remaining(
    snapshot: UnitOfWork,
    order: Order,
    counts: Mapping[Status, int],
    items: Sequence[OrderItem],
    running: Sequence[float],
    context: Context,
) -> Estimate | None:
    """Return the seconds until everything is delivered.

    Parameters
    ----------
    snapshot : UnitOfWork
        What is read.
    order : Order
        Which one.
    counts : mapping of Status to int
        Its products by status.
    items : sequence of OrderItem
        Some of them; those that are open stand for all that are.
    running : sequence of float
        How far the ones in work are, 0 to 1.
    context : Context
        For the collections, the workers and the clock.

    Returns
    -------
    Estimate or None
        None where nothing is left, or nothing is known: of work that waits for a person, a satellite or its
        owner nobody knows when it goes on.
    """
    if order.wanted is not Wanted.COMPLETED or order.status.status.is_final or counts.get(Status.SUBMITTED):
        return None
    is_held = order.specification.order_type is OrderType.PRODUCT_ORDER
    waits = counts.get(Status.SUSPENDED, 0) if is_held else 0
    left = counts.get(Status.ACCEPTED, 0) + counts.get(Status.IN_PRODUCTION, 0) + waits
    one = _of_one(snapshot, order, [each for each in items if each.status.status in OPEN], context)
    if not left or one is None:
        return None
    workers = context.workers or max(1, counts.get(Status.IN_PRODUCTION, 0))
    found = time_left(one, left, running, workers)
    now = context.now()
    again = [archive.expected(each.status.additional) or each.retry_at for each in items if each.retry_at]
    waits_for = [(each - now).total_seconds() for each in again if each is not None]
    return _after(found, one, max(waits_for, default=0.0))


def _of_one(
    snapshot: UnitOfWork, order: Order, items: Sequence[OrderItem], context: Context
) -> Estimate | None:
    """Return what one item takes, as items like these took; None if nothing like one of them was made."""
    known: dict[tuple[str, str], Estimate | None] = {}
    durations = []
    for item in items:
        collection = context.collections.get(item.collection_id)
        if collection is None:
            return None
        try:
            choice = choice_of(
                collection.chosen(order.specification, item.specification),
                item.specification.scene_selections,
            )
        except ValueError:  # the collection has other options by now
            choice = ""
        key = collection.id, choice
        if key not in known:
            known[key] = estimate(snapshot.past.of(collection.id, [choice]), choice).duration
        duration = known[key]
        if duration is None:
            return None
        durations.append(duration)
    if not durations:
        return None
    count = len(durations)
    return Estimate(
        low=math.fsum(each.low for each in durations) / count,
        typical=math.fsum(each.typical for each in durations) / count,
        high=math.fsum(each.high for each in durations) / count,
    )


def time_left(one: Estimate, left: int, running: Sequence[float], workers: int) -> Estimate:
    """Return how long items take that are made some at a time.

    Parameters
    ----------
    one : Estimate
        Seconds that one item takes.
    left : int
        Items that are not done, those in work among them.
    running : sequence of float
        How far the ones in work are, 0 to 1.
    workers : int
        How many are made at a time.

    Notes
    -----
    Items vary independently of each other, so the deviation of their sum grows with the square root of their
    number. It takes no less than what is left of the item that is least far.
    """
    whole = max(left - len(running), 0)
    work = whole + math.fsum(1 - each for each in running)
    at_a_time = max(1, min(workers, left))
    last = 1.0 if whole else max((1 - each for each in running), default=0.0)
    rounds = max(work / at_a_time, last)
    spread = max(math.sqrt(work) / at_a_time, last)
    return Estimate(
        low=max(0.0, one.typical * rounds - (one.typical - one.low) * spread),
        typical=one.typical * rounds,
        high=one.typical * rounds + (one.high - one.typical) * spread,
    )


def _after(found: Estimate, one: Estimate, wait: float) -> Estimate:
    """Return the time left where an item must wait first, before it is tried again."""
    if wait <= 0:
        return found
    return Estimate(
        low=max(found.low, wait + one.low),
        typical=max(found.typical, wait + one.typical),
        high=max(found.high, wait + one.high),
    )
