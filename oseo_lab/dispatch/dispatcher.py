"""The loop: claim, decide, save, then start; and settle what comes back.

Steps 9 to 11 and 16 of the walk. Works item by item and in batches, one transaction each, and never loads a
whole order. Saves first and acts after the commit, so a crash in between leaves a leased item whose lease
runs out. Several dispatchers may share one store: leases and compare-and-set decide.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from oseo_lab.dispatch.desk import obey
from oseo_lab.dispatch.downloads import mark_downloaded
from oseo_lab.dispatch.elsewhere import holder_of
from oseo_lab.dispatch.hearing import Hearing
from oseo_lab.dispatch.jobs import Places, job_or_failure, key_of
from oseo_lab.dispatch.limits import Admissions, held_to, is_limited
from oseo_lab.dispatch.planner import (
    Cancelled,
    Claimed,
    Instruction,
    Policy,
    WantedChanged,
    decide,
)
from oseo_lab.dispatch.presence import Presence
from oseo_lab.dispatch.reusing import Reusing
from oseo_lab.dispatch.settle import Change, follow_up, save
from oseo_lab.dispatch.wishes import grant
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import OseoError, Unavailable
from oseo_lab.model.job import Failure, FailureClass, ItemJob, ItemReport, JobEvent, Progress
from oseo_lab.model.limits import Admission
from oseo_lab.model.order import OrderItem
from oseo_lab.model.status import Wanted
from oseo_lab.ports import Executor, OrderStore, UnitOfWork

__all__ = ["Dispatcher", "Leases"]

log = logging.getLogger("oseo_lab.dispatch")

#: Seconds between looks at what other processes may have changed.
POLL = 1.0
#: Most items ended in one transaction: others write too.
PIECE = 500
#: Seconds before a failing pass (database out of reach) is tried again.
PAUSE = 2.0

_UNRECORDED = Failure(
    failure_class=FailureClass.INTERNAL,
    reason="what became of the item could not be recorded; its operator has the details",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Leases:
    """How much a dispatcher holds and for how long.

    Parameters
    ----------
    max_in_flight : int
        Most items held at a time.
    lease, renew : float
        Seconds a claim holds, and between its renewals.
    """

    max_in_flight: int = 200
    lease: float = 60.0
    renew: float = 20.0


class Dispatcher:
    """One dispatcher: a thread that moves items on, and one that listens to the executor.

    Parameters
    ----------
    name : str
        Its id; no two dispatchers of one store share it.
    store : OrderStore
        Where the items are.
    executor : Executor
        Where they are made.
    collections : mapping of str to Collection
        By id.
    places : Places
        Where workers deliver and work.
    policy : Policy
        How failures are tried again.
    leases : Leases
        How much is held and for how long.
    now : callable
        The clock, UTC.
    on_progress : callable
        Told how far items are, by order id and number.
    presence : Presence or None
        Shows that this dispatcher lives, and which ones do not any more.
    """

    def __init__(
        self,
        *,
        name: str,
        store: OrderStore,
        executor: Executor,
        collections: Mapping[str, Collection],
        places: Places,
        policy: Policy,
        leases: Leases,
        now: Callable[[], datetime],
        on_progress: Callable[[str, int, Progress], None] = lambda order_id, number, progress: None,
        presence: Presence | None = None,
    ) -> None:
        self.name = name
        self._store = store
        self._executor = executor
        self._collections = collections
        self._places = places
        self._policy = policy
        self._leases = leases
        self._now = now
        self._on_progress = on_progress
        self._presence = presence
        self._held: dict[str, OrderItem] = {}
        self._news = Hearing(now())
        self._begun: set[str] = set()
        self._limited: set[str] = set()
        self._stopped: dict[str, Wanted] = {}
        self._arrived: list[JobEvent] = []
        self._condition = threading.Condition()
        self._is_woken = False
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._renewed = now()
        self._looked = now() - timedelta(seconds=POLL)
        self._walked = now() - timedelta(seconds=leases.renew)

    # -------------------------------------------------------------------------------- from outside

    def start(self) -> None:
        """Begin working, with what dead dispatchers of this data folder left behind."""
        if self._presence is not None:
            self._presence.begin()
            for name in self._presence.dead():
                held_by = (name, holder_of(name))
                freed = sum(self._store.write(partial(_release, name=each)) for each in held_by)
                log.info("%d items of dispatcher %s are free again", freed, name)
        for target, name in ((self._listen, "listener"), (self._run, "dispatcher")):
            thread = threading.Thread(target=target, name=f"oseo_lab {name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Say that there is something to do."""
        with self._condition:
            self._is_woken = True
            self._condition.notify()

    def close(self) -> None:
        """Stop working and give back what is held, so that another dispatcher can go on at once."""
        self._closing = True
        self.wake()
        for thread in self._threads:
            thread.join(timeout=10)
        self._finish()
        self._give_back()
        if self._presence is not None:
            self._presence.end()

    def _finish(self) -> None:
        """Settle what had arrived when the loop ended: what is made need not be made again."""
        try:
            self._settle(self._arrived, self._now())
        except OseoError as out_of_reach:
            log.warning("what workers said last is not saved and will be made again: %s", out_of_reach)

    def downloaded(self, order_id: str, number: int) -> None:
        """Note that all data files of an item (or, number 0, of a whole order) were served whole."""
        self._store.write(
            lambda work: mark_downloaded(work, order_id, number, self._collections, self._now(), self._policy)
        )

    def heard(self, order_id: str, number: int) -> datetime | None:
        """Return when something was heard last of an item that is held here; None where it is not."""
        return self._news.last((order_id, number))

    @property
    def in_flight(self) -> int:
        """How many items this dispatcher holds."""
        return len(self._held)

    # ------------------------------------------------------------------------------------ the loop

    def _listen(self) -> None:
        """Carry events from the executor to the loop."""
        while not self._closing:
            events = self._executor.reports(0.5)
            if events:
                with self._condition:
                    self._arrived.extend(events)
                    self._condition.notify()

    def _run(self) -> None:
        while not self._closing:
            with self._condition:
                if not (self._arrived or self._is_woken):
                    self._condition.wait(POLL)
                events, self._arrived = self._arrived, []
                is_woken, self._is_woken = self._is_woken, False
            try:
                self.step(events, look=is_woken)
            except OseoError as out_of_reach:
                log.warning("the order store is out of reach: %s", out_of_reach)
                self._keep(events)
            except Exception:
                log.exception("a pass of the dispatcher failed")
                self._keep(events)

    def _keep(self, events: Sequence[JobEvent]) -> None:
        """Put events back in front and wait a little: nothing that happened is forgotten."""
        with self._condition:
            self._arrived[:0] = events
            self._condition.wait_for(lambda: self._closing, PAUSE)

    def step(self, events: Sequence[JobEvent] = (), *, look: bool = True) -> None:
        """Make one pass: settle events, stop what is not wanted, renew leases, claim and start.

        Parameters
        ----------
        events : sequence of JobEvent
            What the executor said.
        look : bool
            Whether something may have changed in the store; looked at once a second anyhow.
        """
        now = self._now()
        if events:
            self._settle(events, now)
        if _is_time(now, self._renewed, self._leases.renew):
            self._renew(now)
        is_due = _is_time(now, self._looked, POLL)
        if look or is_due:
            self._looked = now
            look |= self._heed_wishes(now)
        if look or events or (is_due and self._is_any_due(now)):
            self._claim(now)

    def _is_any_due(self, now: datetime) -> bool:
        """Look before writing: an idle dispatcher holds up nobody who writes."""
        with self._store.read() as snapshot:
            return snapshot.items.is_any_due(now)

    # ---------------------------------------------------------------------------- claim and start

    def _claim(self, now: datetime) -> None:
        """Lease items that can start, save their next attempt, commit, then start them.

        Held, and so renewed, is only what was started: what an executor refused is free when its lease ends.
        """
        while room := self._leases.max_in_flight - len(self._held):
            limit = min(room, 1000)
            claimed, started = self._store.write(partial(self._take, limit=limit, now=now))
            if started:
                self._drop_older({item.key for item, _ in started})
                self._executor.start([job for _, job in started])
            for item, job in started:
                self._held[job.key] = item
                self._news.held(item.key, now)
            if claimed < limit:
                return

    def _drop_older(self, begun_anew: Set[tuple[str, int]]) -> None:
        """Take older attempts at these items from the executor: an operator has them begin anew."""
        older = [key for key, item in self._held.items() if item.key in begun_anew]
        if older:
            self._executor.stop(older)
        for key in older:
            self._let_go(key)

    def _let_go(self, key: str) -> None:
        item = self._held.pop(key, None)
        self._stopped.pop(key, None)
        self._begun.discard(key)
        if item is not None:
            self._news.forget(item.key)

    def _take(
        self, work: UnitOfWork, limit: int, now: datetime
    ) -> tuple[int, list[tuple[OrderItem, ItemJob]]]:
        """Claim items; return how many, and those to start. An order's limit may let some wait, or fail."""
        items = work.items.claim(self.name, limit, now, now + timedelta(seconds=self._leases.lease))
        if not items:
            return 0, []
        orders = work.orders.get_many({item.order_id for item in items})
        held = {item.order_id for item in self._held.values()}
        self._limited = self._limited & held | {each.order_id for each in orders.values() if is_limited(each)}
        admissions = Admissions(work, self._collections, {item.key for item in items}, now)
        reusing = Reusing(work, now)
        changes, jobs, waiting = [], [], []
        for item in items:
            admitted = admissions.ask(orders[item.order_id], item)
            if admitted is Admission.WAIT:
                waiting.append(item)
                continue
            decision = decide(item, Claimed(), now, self._policy)
            collection, order = self._collections.get(item.collection_id), orders[item.order_id]
            job = (
                admitted
                if isinstance(admitted, Failure)
                else job_or_failure(work, order, decision.item, collection, self._places)
            )
            if isinstance(job, ItemJob):
                job = reusing.job_or_failure(order, job)
            if isinstance(job, Failure):
                report = self._report(decision.item, job, now)
                failed = decide(decision.item, report, now, self._policy)
                changes.append(Change(before=item, decisions=(decision, failed), report=report))
            else:
                changes.append(Change(before=item, decisions=(decision,)))
                jobs.append((decision.item, job))
        took = save(work, changes, self._collections, now, self._policy)
        work.items.save_many([(each, replace(each, lease_owner=None, lease_until=None)) for each in waiting])
        admissions.put_off({each.order_id for each in waiting})
        mine = {change.after.key for change, is_saved in zip(changes, took, strict=True) if is_saved}
        return len(items), [(item, job) for item, job in jobs if item.key in mine]

    def _report(self, item: OrderItem, failure: Failure, now: datetime) -> ItemReport:
        return ItemReport(
            key=key_of(item),
            order_id=item.order_id,
            number=item.number,
            attempt=item.attempt,
            failure=failure,
            ended=now,
        )

    # ------------------------------------------------------------------------------------- settle

    def _settle(self, events: Sequence[JobEvent], now: datetime) -> None:
        """Save what workers said, in one transaction; a report of somebody else's attempt is ignored."""
        changes: dict[str, Change] = {}
        for event in events:
            item = self._held.get(event.key)
            if item is None:
                continue
            if is_begun := not isinstance(event, ItemReport):
                self._begun.add(event.key)
            self._news.heard(item.key, now, is_begun=is_begun)
            if isinstance(event, Progress):
                self._on_progress(item.order_id, item.number, event)
                continue
            before = changes.get(event.key)
            current = before.after if before else self._with_wish(item, event)
            decision = decide(current, event, now, self._policy)
            if decision.instruction is Instruction.DROP:
                continue
            changes[event.key] = Change(
                before=before.before if before else item,
                decisions=(*(before.decisions if before else ()), decision),
                report=event if isinstance(event, ItemReport) else None,
            )
        if not changes:
            return
        took = self._saved(list(changes.values()), now)
        for (key, change), is_saved in zip(changes.items(), took, strict=True):
            if change.report is not None or not is_saved:
                self._let_go(key)
            else:
                self._held[key] = change.after

    def _saved(self, changes: Sequence[Change], now: datetime) -> list[bool]:
        """Save changes at once; if the store refuses, one by one, and what it refuses then as failed.

        What a plugin reports of one item must never hold up everybody else's.
        """
        try:
            return self._store.write(partial(self._save, changes=changes, now=now))
        except Unavailable:
            raise
        except Exception as refused:
            if len(changes) > 1:
                return [took for change in changes for took in self._saved([change], now)]
            if changes[0].report is None or changes[0].report.failure is _UNRECORDED:
                raise
            log.exception("what became of item %s of %s cannot be recorded", *reversed(changes[0].before.key))
            return self._saved([self._unrecorded(changes[0], refused, now)], now)

    def _save(self, work: UnitOfWork, changes: Sequence[Change], now: datetime) -> list[bool]:
        held = held_to(work, changes, self._limited, now, self._policy)
        return save(work, held, self._collections, now, self._policy)

    def _unrecorded(self, change: Change, refused: Exception, now: datetime) -> Change:
        report = replace(self._report(change.before, _UNRECORDED, now), log=(repr(refused),))
        decision = decide(change.before, report, now, self._policy)
        return Change(before=change.before, decisions=(decision,), report=report)

    def _with_wish(self, item: OrderItem, event: JobEvent) -> OrderItem:
        """Return the item as its user wants it: one that was stopped for good is not wanted."""
        is_unwanted = self._stopped.get(event.key) is Wanted.CANCELLED
        return replace(item, wanted=Wanted.CANCELLED) if is_unwanted else item

    # ------------------------------------------------------------------------- wishes and leases

    def _heed_wishes(self, now: datetime) -> bool:
        """Do what users want of what nobody works on; stop what they do not want that is on workers.

        Returns whether there may be more to start.
        """
        by_key = {item.key: key for key, item in self._held.items() if self._may_be_stopped(key)}
        # What a dead server held comes after its lease: there may be many to walk past, so not each time.
        at = now if _is_time(now, self._walked, self._leases.renew) else None
        self._walked = now if at is not None else self._walked
        with self._store.read() as snapshot:
            is_any_ended = snapshot.items.is_any_ended(self.name, now)
            is_any_wished = bool(snapshot.items.wished(1, at))
            is_any_decided = bool(snapshot.desk.decided(1))
            wishes = snapshot.items.wanted_of(by_key)
        granted = 0
        while is_any_decided and not self._closing:
            granted += (some := self._store.write(partial(self._obey, now=now)))
            is_any_decided = some > 0
        while is_any_wished and not self._closing:
            some = self._store.write(partial(self._grant, now=now, at=at))
            granted += some
            is_any_wished = some == PIECE
        while is_any_ended:
            is_any_ended = self._store.write(partial(self._cancel_waiting, now=now))
        self._stop({by_key[item_key]: wanted for item_key, wanted in wishes.items()}, now)
        return granted > 0

    def _may_be_stopped(self, key: str) -> bool:
        return self._stopped.get(key) is not Wanted.CANCELLED

    def _grant(self, work: UnitOfWork, now: datetime, at: datetime | None) -> int:
        items = work.items.wished(PIECE, at)
        grant(work, items, self._collections, now, self._policy)
        return len(items)

    def _obey(self, work: UnitOfWork, now: datetime) -> int:
        return obey(work, PIECE, self._collections, now, self._policy)

    def _stop(self, wishes: Mapping[str, Wanted], now: datetime) -> None:
        """Take back from the executor what is not wanted, and of what is to wait what has not begun."""
        unwanted: dict[str, Wanted] = {}
        for key, wanted in wishes.items():
            item = replace(self._held[key], wanted=wanted)
            changed = WantedChanged(has_begun=key in self._begun)
            is_to_stop = decide(item, changed, now, self._policy).instruction is Instruction.STOP
            if is_to_stop and self._stopped.get(key) is not wanted:
                unwanted[key] = wanted
        if unwanted:
            self._stopped.update(unwanted)
            self._executor.stop(list(unwanted))
            orders = {self._held[key].order_id for key in unwanted}
            self._store.write(lambda work: follow_up(work, orders, now, self._policy))

    def _cancel_waiting(self, work: UnitOfWork, now: datetime) -> bool:
        """End some of what is not wanted and not in work; return whether there may be more."""
        until = now + timedelta(seconds=self._leases.lease)
        limit = PIECE + len(self._held)
        items = work.items.claim_ended(self.name, limit, now, until)
        free = [item for item in items if key_of(item) not in self._held]
        changes = [
            Change(before=item, decisions=(decide(item, Cancelled(), now, self._policy),)) for item in free
        ]
        save(work, changes, self._collections, now, self._policy)
        return len(items) == limit and not self._closing

    def _renew(self, now: datetime) -> None:
        self._renewed = now
        keys = [item.key for item in self._held.values()]
        if keys:
            until = now + timedelta(seconds=self._leases.lease)
            self._store.write(lambda work: work.items.renew(self.name, keys, until))
            # What is saved next starts from here: with the old lease it would be free at once.
            self._held = {key: replace(item, lease_until=until) for key, item in self._held.items()}

    def _give_back(self) -> None:
        """Free the items held when closing: their attempts are abandoned."""
        held, self._held = list(self._held.values()), {}
        self._news = Hearing(self._now())
        if not held:
            return
        pairs = [(item, replace(item, lease_owner=None, lease_until=None)) for item in held]
        try:
            self._store.write(lambda work: work.items.save_many(pairs))
        except OseoError as out_of_reach:
            log.warning("leases were not given back and will run out: %s", out_of_reach)


def _is_time(now: datetime, last: datetime, every: float) -> bool:
    """Whether it is time again; also where the clock was put back: else nothing would happen for as long."""
    return not timedelta(0) <= now - last < timedelta(seconds=every)


def _release(work: UnitOfWork, name: str) -> int:
    return work.items.release(name)
