"""Saving decisions: items, history, attempts, results, and what follows for their orders.

All within one transaction. The item carries the truth; provider order and order follow from counts of
items by status (one query an order), so an order of a hundred thousand items is never loaded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from oseo_lab.dispatch import accounting, batches, conditions, reusing
from oseo_lab.dispatch.notices import Turn, owe
from oseo_lab.dispatch.planner import Decision, PackageOutdated, PackageReady, Policy, decide
from oseo_lab.model.approval import Decided
from oseo_lab.model.collection import Collection
from oseo_lab.model.job import ItemReport
from oseo_lab.model.notices import Step
from oseo_lab.model.order import (
    LOCAL,
    Attempt,
    Order,
    OrderItem,
    ResultFile,
    StatusChange,
    StatusInfo,
)
from oseo_lab.model.status import DELIVERED, Status, Wanted, provider_order_state, roll_up_of
from oseo_lab.ports import UnitOfWork

__all__ = ["Change", "follow_up", "save"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One item's way from before to after, with every decision in between.

    ``report`` is the worker's, if it ended; ``files`` lie elsewhere, if it was made there.
    """

    before: OrderItem
    decisions: tuple[Decision, ...]
    report: ItemReport | None = None
    files: tuple[ResultFile, ...] = ()

    @property
    def after(self) -> OrderItem:
        """The item as it shall be saved."""
        return self.decisions[-1].item


def save(
    work: UnitOfWork,
    changes: Sequence[Change],
    collections: Mapping[str, Collection],
    now: datetime,
    policy: Policy,
) -> list[bool]:
    """Save changes by compare-and-set; return for each whether it took effect.

    A change that did not is somebody else's item by now: nothing of it is kept.
    """
    took = work.items.save_many([(change.before, change.after) for change in changes])
    kept = [change for change, is_saved in zip(changes, took, strict=True) if is_saved]
    work.events.add([line for change in kept for line in _history(change, now)])
    work.events.save_attempts([attempt for change in kept for attempt in _attempts(change, now)])
    for change in kept:
        if change.report is not None and change.report.files:
            collection = collections.get(change.after.collection_id)
            days = collection.delivery.days if collection else 10.0
            if not change.after.number:  # a package made again takes the place of the one before
                work.results.removed(work.results.of(change.after.order_id, number=0))
            work.results.add(_files(change.report, now + timedelta(days=days)))
    if links := [file for change in kept for file in change.files]:
        work.results.add(links)
    conditions.note(work, kept, now)
    accounting.give_back(work, ((each.before, each.after) for each in kept))
    made = [(each.after, each.report) for each in kept if each.report is not None and each.report.files]
    accounting.remember(work, made, collections)
    reusing.settle(work, [each.report for each in kept if each.report is not None])
    moved = {
        change.after.order_id
        for change in kept
        if change.before.status.status is not change.after.status.status
    }
    follow_up(work, moved, now, policy, _steps(kept))
    return took


def _steps(changes: Iterable[Change]) -> dict[str, list[Step]]:
    """Return every change of an item's status, by order; a package is shown to nobody."""
    found: dict[str, list[Step]] = {}
    for change in changes:
        before = change.before
        for decision in change.decisions if before.number else ():
            after = decision.item
            if after.status.status is not before.status.status:
                step = Step(number=after.number, before=before.status, after=after.status)
                found.setdefault(after.order_id, []).append(step)
            before = after
    return found


def _history(change: Change, now: datetime) -> Iterable[StatusChange]:
    if change.before.number == 0:
        return  # a package has no line of its own: number 0 of the history is the order
    before = change.before
    for decision in change.decisions:
        after = decision.item
        if after.status != before.status or decision.detail is not None:
            yield StatusChange(
                order_id=after.order_id,
                number=after.number,
                status=after.status.status,
                at=now,
                author=decision.author,
                attempt=after.attempt,
                info=after.status.additional,
                detail=decision.detail,
            )
        before = after


def _attempts(change: Change, now: datetime) -> Iterable[Attempt]:
    """Yield the attempt that ended; one that is running is known from the item itself."""
    report = change.report
    if report is None:
        return
    failure = report.failure
    detail = "\n".join((*((failure.detail,) if failure and failure.detail else ()), *report.log))
    yield Attempt(
        order_id=report.order_id,
        number=report.number,
        attempt=report.attempt,
        started=report.started,
        ended=report.ended or now,
        worker=report.worker,
        outcome=failure.failure_class.value if failure else "delivered",
        detail=detail or None,
    )


def _files(report: ItemReport, expires: datetime) -> list[ResultFile]:
    return [
        ResultFile(
            order_id=report.order_id,
            number=report.number,
            attempt=report.attempt,
            name=each.name,
            size=each.size,
            sha256=each.sha256,
            media_type=each.media_type,
            is_data=each.is_data,
            expires=expires,
        )
        for each in report.files
    ]


def follow_up(
    work: UnitOfWork,
    order_ids: Iterable[str],
    now: datetime,
    policy: Policy,
    steps: Mapping[str, Sequence[Step]] = MappingProxyType({}),
) -> None:
    """Roll items up to their provider orders and orders; let the next batch go, or a package at the end.

    ``steps`` says which items changed their status, by order, for those who are told of each.
    """
    wanted = sorted(order_ids)
    if not wanted:
        return
    turns = []
    for order in work.orders.get_many(wanted).values():
        counts = work.items.counts(order.order_id)
        counts, released = _release_batch(work, order, counts, now, policy)
        counts = _release_package(work, order, counts, now, policy)
        status = _follow(work, order, counts, now)
        told = (*steps.get(order.order_id, ()), *released)
        turns.append(Turn(order=order, status=status, counts=counts, steps=told))
    owe(work, turns, now)


def _release_batch(
    work: UnitOfWork, order: Order, counts: dict[Status, int], now: datetime, policy: Policy
) -> tuple[dict[Status, int], Sequence[Step]]:
    """Let the next batch go, if one waits and nothing before it is open any more."""
    released = batches.released(work, order, counts, now, policy)
    if not released:
        return counts, ()
    changes = [Change(before=item, decisions=(decision,)) for item, decision in released]
    work.items.save_many([(change.before, change.after) for change in changes])
    work.events.add([line for change in changes for line in _history(change, now)])
    return work.items.counts(order.order_id), _steps(changes).get(order.order_id, ())


def _release_package(
    work: UnitOfWork, order: Order, counts: dict[Status, int], now: datetime, policy: Policy
) -> dict[Status, int]:
    """Move the package of a whole order on, once every other item is final: one that waits, or lacks some."""
    still_open = {status: count for status, count in counts.items() if not status.is_final and count}
    is_held = order.specification.packaging is None or order.wanted is Wanted.SUSPENDED
    if is_held or still_open not in ({}, {Status.SUSPENDED: 1}):
        return counts
    package = work.items.get(order.order_id, 0)
    if package is None:
        return counts
    if package.status.status is Status.SUSPENDED:
        delivered = counts.get(Status.COMPLETED, 0) + counts.get(Status.DOWNLOADED, 0)
        decision = decide(package, PackageReady(delivered=delivered), now, policy)
    elif not still_open and _is_outdated(work, order, package):
        decision = decide(package, PackageOutdated(), now, policy)
    else:
        return counts
    work.items.save(package, decision.item)
    return work.items.counts(order.order_id)


def _is_outdated(work: UnitOfWork, order: Order, package: OrderItem) -> bool:
    """Whether something was delivered since a package was: each delivery has the next number of its order."""
    if order.status.status.is_final or package.status.status not in DELIVERED:
        return False
    own = max((each.sequence for each in work.results.of(order.order_id, number=0)), default=0)
    return work.results.last_sequence(order.order_id) > own


def _follow(work: UnitOfWork, order: Order, counts: Mapping[Status, int], now: datetime) -> StatusInfo:
    """Save what follows from its items for an order and its provider orders; return the order's status."""
    order_type = order.specification.order_type
    rolled = roll_up_of(order_type, counts, order.wanted)
    if _is_rejected(order) and not rolled.is_final:
        rolled = order.status.status  # some items at a time: nothing of it was ever in work
    was_over = (
        rolled.is_final and order.status.status.is_final
    )  # fetching files changes nothing of what failed
    said = order.status.additional if was_over else _said(work, order, counts, is_over=rolled.is_final)
    status = StatusInfo(status=rolled, additional=said)
    is_same = status == order.status
    if is_same and order.wanted is not Wanted.CANCELLED:
        return status
    for provider_order in work.provider_orders.of(order.order_id):
        if provider_order.provider != LOCAL:
            continue  # moved by what its provider says (`elsewhere`)
        state = provider_order_state(counts, order.wanted, order_type)
        if state is not provider_order.state:
            closed = now if status.status.is_final else None
            work.provider_orders.save(replace(provider_order, state=state, updated=now, closed=closed))
    if is_same:
        return status
    work.orders.save(replace(order, status=status, updated=now))
    if status.status is not order.status.status:
        work.events.add(
            [
                StatusChange(
                    order_id=order.order_id,
                    number=0,
                    status=status.status,
                    at=now,
                    author="dispatcher",
                    info=status.additional,
                )
            ]
        )
    return status


def _is_rejected(order: Order) -> bool:
    return order.approval is not None and order.approval.decided is Decided.REJECTED


_WORDS = {
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
    Status.TERMINATED: "terminated",
}
#: Most failed items that an order's status names.
_MOST_NAMED = 20


def _said(work: UnitOfWork, order: Order, counts: Mapping[Status, int], *, is_over: bool) -> str | None:
    """Say what an order's status alone does not: how far its batches are, what did not make it, and why.

    At the end it names what failed: an order of which something was delivered is Completed all the same.
    """
    if order.approval is not None and _is_rejected(order):
        return order.approval.sentence
    package = work.items.get(order.order_id, 0) if order.specification.packaging else None
    own = package.status.status if package else None
    standing = batches.standing_items(work, order)
    not_products = Counter(each.status.status for each in standing)
    missing = {each: counts.get(each, 0) - (each is own) - not_products[each] for each in _WORDS}
    so_far = batches.said(work, order, counts)
    texts = [so_far] if so_far else []
    if any(missing.values()):
        counted = {each: f"{count} {_WORDS[each]}" for each, count in missing.items() if count}
        if is_over and Status.FAILED in counted:
            names = _failed(work, order, {each.number for each in standing})
            more = missing[Status.FAILED] - len(names)
            counted[Status.FAILED] += f" ({', '.join(names)}{f' and {more} more' if more else ''})"
        texts.append(f"items not delivered: {', '.join(counted.values())}")
    if package is not None and own is Status.FAILED:
        texts.append(f"the package could not be made: {package.status.additional}")
    return "; ".join(texts) or None


def _failed(work: UnitOfWork, order: Order, standing: Set[int]) -> list[str]:
    """Return the itemIds of the first items that failed."""
    found = work.items.of_status(order.order_id, Status.FAILED, limit=_MOST_NAMED + len(standing))
    return [each.specification.item_id for each in found if each.number not in standing][:_MOST_NAMED]
