"""Holding an order to its ``max_bytes``: when items are about to begin, and when they are delivered.

Within the dispatcher's transactions, of which one writes at a time: what begins counts, by its lease, with
its likely size until its real one is known, whoever holds it. Nothing here is asked of orders without limit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Set
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from oseo_lab.dispatch.planner import Policy, decide
from oseo_lab.dispatch.settle import Change
from oseo_lab.model.collection import Collection
from oseo_lab.model.estimates import Finished, choice_of, likely_size, scale_of
from oseo_lab.model.job import Failure, FailureClass, ItemReport
from oseo_lab.model.limits import Admission, admission, in_bytes, kept_limits
from oseo_lab.model.order import Order, OrderItem
from oseo_lab.model.status import OPEN
from oseo_lab.ports import UnitOfWork

__all__ = ["Admissions", "held_to", "is_limited"]

#: How long an order's items are put off that wait for what is in work, and for how many more a second more.
WAIT, SO_MANY = timedelta(seconds=1), 5000
_WHAT_TO_DO = (
    "raise the limit by ordering the rest anew (in Python: order.reorder(max_bytes=...)), or do without it"
)


def is_limited(order: Order) -> bool:
    """Whether an order says how much it may deliver at most."""
    return kept_limits(order.specification).max_bytes is not None


@dataclass
class _Room:
    """How much of one order's limit is taken."""

    max_bytes: int
    delivered: int
    in_work: list[float | None]


class Admissions:
    """Says of claimed items, one after another, whether they may begin.

    Parameters
    ----------
    work : UnitOfWork
        Of the transaction that claimed them.
    collections : mapping of str to Collection
        By id.
    claimed : collection of (str, int)
        Keys of all items that it claimed: they are not in work yet.
    now : datetime
        UTC.
    """

    def __init__(
        self,
        work: UnitOfWork,
        collections: Mapping[str, Collection],
        claimed: Set[tuple[str, int]],
        now: datetime,
    ) -> None:
        self._work = work
        self._collections = collections
        self._claimed = claimed
        self._now = now
        self._rooms: dict[str, _Room] = {}
        self._past: dict[tuple[str, int | None], Sequence[Finished]] = {}

    def ask(self, order: Order, item: OrderItem) -> Admission | Failure:
        """Return whether an item may begin or waits; a failure where there is no room for it."""
        max_bytes = kept_limits(order.specification).max_bytes
        if max_bytes is None or not item.number:  # a package holds what was delivered
            return Admission.START
        room = self._rooms.get(order.order_id)
        if room is None:
            room = self._rooms[order.order_id] = self._room(order, max_bytes)
        own = self._likely(order, item)
        said = admission(room.max_bytes, room.delivered, room.in_work, own)
        if said is Admission.REFUSE:
            return _refusal(room, own)
        if said is Admission.START:
            room.in_work.append(own)
        return said

    def put_off(self, order_ids: Iterable[str]) -> None:
        """Let what waits be claimed again in a while: the longer, the more there is."""
        for order_id in order_ids:
            counts = self._work.items.counts(order_id)
            more = timedelta(seconds=sum(counts.get(each, 0) for each in OPEN) // SO_MANY)
            self._work.items.put_off(order_id, self._now + WAIT + more)

    def _room(self, order: Order, max_bytes: int) -> _Room:
        others = self._work.items.in_work(order.order_id, self._now)
        running = [each for each in others if each.number and each.key not in self._claimed]
        return _Room(
            max_bytes=max_bytes,
            delivered=self._work.results.size(order.order_id),
            in_work=[self._likely(order, each) for each in running],
        )

    def _likely(self, order: Order, item: OrderItem) -> float | None:
        """Return how many bytes an item is likely to deliver, from those made with the same options."""
        collection = self._collections.get(item.collection_id)
        if collection is None:
            return None
        try:
            choice = choice_of(
                collection.chosen(order.specification, item.specification),
                item.specification.scene_selections,
            )
        except ValueError:  # the collection has other options by now: nothing was made like it
            return None
        kind = collection.id, scale_of(choice)
        if kind not in self._past:
            self._past[kind] = self._work.past.of(collection.id, [choice])
        return likely_size(self._past[kind], choice)


def _refusal(room: _Room, own: float | None) -> Failure:
    likely = "" if own is None else f" and this item is likely to have {in_bytes(own)},"
    return Failure(
        failure_class=FailureClass.LIMIT,
        reason=(
            f"not begun: {in_bytes(room.delivered)} were delivered,{likely} and max_bytes allows the order "
            f"{in_bytes(room.max_bytes)}: {_WHAT_TO_DO}"
        ),
    )


def held_to(
    work: UnitOfWork, changes: Sequence[Change], limited: Set[str], now: datetime, policy: Policy
) -> list[Change]:
    """Return what becomes of items when their real sizes count: what is too much is not delivered.

    Parameters
    ----------
    work : UnitOfWork
        Of the transaction that saves them.
    changes : sequence of Change
        As workers reported them.
    limited : collection of str
        Orders with a limit.
    now : datetime
        UTC.
    policy : Policy
        How failures are tried again.
    """
    concerned = {change.before.order_id for change in changes if _delivers(change)} & set(limited)
    if not concerned:
        return list(changes)
    orders = work.orders.get_many(concerned)
    limits = {key: kept_limits(order.specification).max_bytes for key, order in orders.items()}
    delivered: dict[str, int] = defaultdict(int, {key: work.results.size(key) for key in orders})
    held = []
    for change in changes:
        order_id, limit = change.before.order_id, limits.get(change.before.order_id)
        if limit is None or change.report is None or not _delivers(change):
            held.append(change)
            continue
        size = sum(each.size for each in change.report.files if each.is_data)
        if delivered[order_id] + size > limit:
            held.append(_undelivered(change, change.report, size, delivered[order_id], limit, now, policy))
        else:
            delivered[order_id] += size
            held.append(change)
    return held


def _delivers(change: Change) -> bool:
    return bool(change.before.number and change.report is not None and change.report.files)


def _undelivered(
    change: Change, report: ItemReport, size: int, delivered: int, limit: int, now: datetime, policy: Policy
) -> Change:
    failure = Failure(
        failure_class=FailureClass.LIMIT,
        reason=(
            f"made, but not delivered: it has {in_bytes(size)}, {in_bytes(delivered)} were delivered, and "
            f"max_bytes allows the order {in_bytes(limit)}: {_WHAT_TO_DO}"
        ),
    )
    earlier = change.decisions[:-1]
    current = earlier[-1].item if earlier else change.before
    said = replace(report, files=(), failure=failure)
    decision = decide(current, said, now, policy)
    return replace(change, decisions=(*earlier, decision), report=said)
