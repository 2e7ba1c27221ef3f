"""Adding what was found to a standing order: as items of new batches, each revision of a product once.

Within one transaction with the memory of what has been delivered: whatever dies, both are there or neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from oseo_lab.dispatch import accounting
from oseo_lab.dispatch.accounting import Fare
from oseo_lab.dispatch.batches import last_batch
from oseo_lab.dispatch.planner import Policy, TimeIsOver, decide
from oseo_lab.dispatch.settle import Change, follow_up, save
from oseo_lab.model.collection import Collection
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import FailureClass
from oseo_lab.model.limits import month_of
from oseo_lab.model.notices import Step
from oseo_lab.model.order import Attempt, Order, OrderItem, StatusInfo
from oseo_lab.model.status import OPEN, Status, Wanted
from oseo_lab.model.subscription import Match, Standing, chosen_from, generated
from oseo_lab.ports import UnitOfWork

__all__ = ["Found", "Joined", "add_batches", "add_found", "portions"]


#: About how many products are added in one transaction: others wait for no longer than that.
AT_ONCE = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Products that one standing item may want."""

    standing: Standing
    matches: Sequence[Match]


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """What became of them: how many items, and what waits for the next month."""

    items: int
    left: frozenset[tuple[str, str]] = frozenset()


def add_found(
    work: UnitOfWork, group: Sequence[Found], collections: Mapping[str, Collection], now: datetime
) -> dict[tuple[str, int], Joined]:
    """Add to one order what its standing items have not had; return what became of it, of each of them.

    One that was cancelled or suspended meanwhile gets nothing, nothing is remembered for it, and it is not
    among those returned.
    """
    order_id = group[0].standing.order_id
    order = work.orders.get(order_id)
    if order is None or order.wanted is not Wanted.COMPLETED:
        return {}
    added: dict[tuple[str, int], Joined] = {}
    unpaid: list[Step] = []
    full = []
    for found in group:
        parent = work.items.get(*found.standing.key)
        collection = collections.get(found.standing.collection_id)
        if parent is None or collection is None or not _waits(parent):
            continue
        fresh, left, is_full = _new(work, found, now)
        names = [each.identifier for each in fresh]
        unpaid += add_batches(work, order, parent, names, collection.batch, now)
        later = frozenset((each.identifier, each.revision) for each in left)
        added[found.standing.key] = Joined(items=len(fresh), left=later)
        if is_full:
            over = TimeIsOver(text=f"all {found.standing.observations} observations have come")
            full.append(Change(before=parent, decisions=(decide(parent, over, now, Policy()),)))
    if any(each.items for each in added.values()):
        follow_up(work, {order_id}, now, Policy(), {order_id: unpaid})
    if full:
        save(work, full, collections, now, Policy())
    return added


def _waits(parent: OrderItem) -> bool:
    return parent.status.status is Status.SUSPENDED and parent.wanted is not Wanted.CANCELLED


def _new(work: UnitOfWork, found: Found, now: datetime) -> tuple[list[Match], Sequence[Match], bool]:
    """Return what is new to a standing item, having remembered it; what waits; whether it has all it wants.

    What is beyond a month's number is not remembered, so that it is as new in the next month as it is now.
    """
    standing = found.standing
    is_counted = standing.is_choosy or standing.monthly is not None
    had = work.matches.known([standing.key]).get(standing.key, set()) if is_counted else set()
    chosen, is_full = chosen_from(standing, found.matches, had)
    left: Sequence[Match] = ()
    if standing.monthly is not None and chosen:
        joined = work.matches.count_since(standing.order_id, month_of(now))
        room = max(0, standing.monthly - joined)
        chosen, left = chosen[:room], chosen[room:]
    if not chosen:
        return [], left, is_full and not left
    is_new = work.matches.add(
        standing.order_id,
        standing.number,
        [(each.identifier, each.revision) for each in chosen],
        now if standing.monthly is not None else None,
    )
    fresh = [each for each, new in zip(chosen, is_new, strict=True) if new]
    return fresh, left, is_full and not left


def add_batches(
    work: UnitOfWork, order: Order, parent: OrderItem, identifiers: Sequence[str], size: int, now: datetime
) -> list[Step]:
    """Add products to an order as items of one new batch, or of several where one would be too large.

    The first begins at once if what is in work then stays below ``size``; the others wait, Suspended, until
    what is before them is final. Return the steps of those that failed at once: they cannot be paid.
    """
    unpaid: list[Step] = []
    if not identifiers:
        return unpaid
    order_id = order.order_id
    number, batch = work.items.last_number(order_id), last_batch(work, order_id)
    counts = work.items.counts(order_id)
    in_work = sum(counts.get(each, 0) for each in OPEN if each is not Status.SUSPENDED)
    room = size - in_work if work.items.next_batch(order_id) is None else 0
    fare = accounting.fare_of(work, order, parent)
    for start in range(0, len(identifiers), size):
        part = identifiers[start : start + size]
        batch += 1
        begins = start == 0 and len(part) <= room
        status = (
            StatusInfo(status=Status.ACCEPTED)
            if begins
            else StatusInfo(status=Status.SUSPENDED, additional=f"waits for batch {batch - 1}")
        )
        items = [
            OrderItem(
                specification=generated(
                    parent.specification,
                    ProductId(identifier=identifier, collection_id=parent.collection_id),
                    batch,
                    place,
                ),
                status=status,
                order_id=order_id,
                number=number + start + place,
                collection_id=parent.collection_id,
                provider=parent.provider,
                updated=now,
                batch=batch,
            )
            for place, identifier in enumerate(part, start=1)
        ]
        unpaid += _add(work, items, fare, start)
    return unpaid


def _add(work: UnitOfWork, items: Sequence[OrderItem], fare: Fare | None, before: int) -> list[Step]:
    """Add items, and draw what they cost; those that cannot be paid have failed from the beginning."""
    if fare is None:
        work.items.add(items)
        return []
    paid = len(items) if fare.affordable is None else max(0, fare.affordable - before)
    failed = StatusInfo(status=Status.FAILED, additional=fare.refusal())
    unpaid = [replace(each, status=failed) for each in items[paid:]]
    work.items.add([*items[:paid], *unpaid])
    work.events.save_attempts([_refused(each) for each in unpaid])
    fare.draw(work, items[:paid])
    return [Step(number=each.number, before=each.status, after=failed) for each in items[paid:]]


def _refused(item: OrderItem) -> Attempt:
    """Return what says why an item was not even tried: it can be, once it can be paid."""
    outcome = FailureClass.QUOTA.value
    return Attempt(order_id=item.order_id, number=item.number, attempt=0, ended=item.updated, outcome=outcome)


def portions(
    mine: Sequence[Standing], found: Mapping[tuple[str, int], Sequence[Match]]
) -> Iterator[list[list[Found]]]:
    """Yield what was found in portions for one transaction each, by order.

    What one standing item gets is parted too, oldest first; not where it takes a choice of it only.
    """
    by_order: dict[str, list[Found]] = {}
    for each in mine:
        if found.get(each.key):
            by_order.setdefault(each.order_id, []).append(Found(standing=each, matches=found[each.key]))
    portion: list[list[Found]] = []
    weight = 0
    for group in (part for whole in by_order.values() for part in _parted(whole)):
        portion.append(group)
        weight += sum(len(each.matches) for each in group)
        if weight >= AT_ONCE:
            yield portion
            portion, weight = [], 0
    if portion:
        yield portion


def _parted(group: list[Found]) -> Iterator[list[Found]]:
    if sum(len(each.matches) for each in group) <= AT_ONCE:
        yield group
        return
    for each in group:
        ordered = sorted(each.matches, key=lambda match: (match.first, match.identifier))
        size = len(ordered) if each.standing.is_choosy else AT_ONCE
        for start in range(0, len(ordered), size):
            yield [Found(standing=each.standing, matches=ordered[start : start + size])]
