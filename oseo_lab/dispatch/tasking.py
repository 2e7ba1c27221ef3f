"""Tasking orders: asks the tasking service of each collection what its requests have acquired.

An item waits, Suspended, until its request has a product; then it is made like any other. Asked for on each
collection's own timetable, many requests at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from oseo_lab.dispatch.planner import Acquired, NotComing, Policy, decide
from oseo_lab.dispatch.settle import Change, save
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import OseoError
from oseo_lab.model.identifiers import OrderType, TaskingRequestId
from oseo_lab.model.order import OrderItem
from oseo_lab.model.status import Status, Wanted
from oseo_lab.ports import Acquisition, AcquisitionState, OrderStore, ProcessingFailed, Tasking, UnitOfWork

__all__ = ["TaskingDesk"]

log = logging.getLogger("oseo_lab.dispatch")

#: Requests asked of a tasking service at a time.
AT_ONCE = 500


class TaskingDesk:
    """Follows tasking requests. `step` asks what is due; it waits for nothing.

    Parameters
    ----------
    store : OrderStore
        Where orders are.
    collections : mapping of str to Collection
        By id.
    tasking : callable
        Gives a collection's tasking plugin, by collection id.
    now : callable
        The clock, UTC.
    wake : callable
        Tells the dispatcher that there are items to make.
    """

    def __init__(
        self,
        *,
        store: OrderStore,
        collections: Mapping[str, Collection],
        tasking: Callable[[str], Tasking],
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._collections = collections
        self._tasking = tasking
        self._now = now
        self._wake = wake
        self._due: dict[str, datetime] = {}
        self._is_closing = False

    def close(self) -> None:
        """Ask no tasking service anything more."""
        self._is_closing = True

    def step(self) -> int:
        """Ask every tasking service that is due; return how many items moved on."""
        now = self._now()
        rules = {each.id: rule for each in self._collections.values() if (rule := each.tasking)}
        due = {name for name in rules if self._due.get(name, now) <= now}
        if not due:
            return 0
        self._due |= {name: now + timedelta(seconds=rules[name].every) for name in due}
        waiting: dict[str, list[OrderItem]] = {}
        for item in self._waiting():
            if item.collection_id in due:
                waiting.setdefault(item.collection_id, []).append(item)
        moved = 0
        for name, items in waiting.items():
            for start in range(0, len(items), AT_ONCE):
                if self._is_closing:
                    return moved
                moved += self._ask(name, items[start : start + AT_ONCE], now)
        if moved:
            self._wake()
        return moved

    def _waiting(self) -> Iterator[OrderItem]:
        """Yield the items whose requests have no product yet."""
        after = ""
        while True:
            with self._store.read() as snapshot:
                orders = snapshot.orders.standing(OrderType.TASKING_ORDER, after=after)
                items = [item for order in orders for item in _suspended(snapshot, order.order_id)]
            yield from items
            if not orders:
                return
            after = orders[-1].order_id

    def _ask(self, name: str, items: Sequence[OrderItem], now: datetime) -> int:
        """Ask one tasking service; one that does not answer is asked again when it is due next."""
        try:
            said = self._tasking(name)([_request_id(item) for item in items])
        except ProcessingFailed as failed:
            log.warning("tasking requests of %s: %s; asked again", name, failed.reason)
            return 0
        except OseoError as failed:
            log.warning("tasking requests of %s: %s; asked again", name, failed)
            return 0
        except Exception:
            log.exception("the tasking service of %s failed; it is asked again", name)
            return 0
        changes = []
        for item in items:
            event = _event(said.get(_request_id(item)))
            if event is not None:
                changes.append(Change(before=item, decisions=(decide(item, event, now, Policy()),)))
        if not changes:
            return 0
        took = self._store.write(
            partial(save, changes=changes, collections=self._collections, now=now, policy=Policy())
        )
        return sum(took)


def _suspended(snapshot: UnitOfWork, order_id: str) -> list[OrderItem]:
    found: list[OrderItem] = []
    after = 0
    while page := snapshot.items.of_status(order_id, Status.SUSPENDED, after=after):
        found += page
        after = page[-1].number
    return [each for each in found if _request_id(each) and each.wanted is Wanted.COMPLETED and each.number]


def _request_id(item: OrderItem) -> str:
    identifier = item.specification.identifier
    return identifier.id if isinstance(identifier, TaskingRequestId) else ""


def _event(said: Acquisition | None) -> Acquired | NotComing | None:
    """Return what an answer means for an item; None while there is nothing new."""
    if said is None or said.state is AcquisitionState.WAITING:
        return None
    if said.state is AcquisitionState.FAILED:
        return NotComing(text=said.text or "the tasking service says that nothing was acquired")
    return Acquired(product=said.product) if said.product is not None else None
