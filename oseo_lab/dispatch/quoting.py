"""The quoting loop: makes what GetQuotation left pending, tries again what failed, tells who waits.

Beside the dispatcher, on threads of its own. GetQuotation and Submit call `Quoting.made` themselves (through
`oseo_lab.wiring`) where every quoter answers within a request; here is made what takes its time, where a
server has to be asked, or where a person has answered. Of each collection one quotation is made at a time, so
that a server that hangs delays nobody else's; one that two processes make is saved by the first.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from oseo_lab.dispatch.gathering import Gathering, Seams
from oseo_lab.model.errors import OseoError
from oseo_lab.model.identifiers import ProductId, SubscriptionId
from oseo_lab.model.order import CallbackKind
from oseo_lab.model.quotation import QuotationRecord, QuotationState
from oseo_lab.ports import Notice, OrderStore, ProcessingFailed, UnitOfWork

__all__ = ["Quoting", "Seams"]

log = logging.getLogger("oseo_lab.dispatch")

#: Seconds between looks at the store; a request here wakes the loop at once.
EVERY = 5.0
#: Seconds before a quotation is tried again that could not be made; doubles, at most an hour.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 3600.0
#: Tries at a quotation before what could not be priced is given up.
TRIES = 8
#: Most quotations of one look (their ids alone), and most that are made at a time.
LOOK, AT_ONCE = 10_000, 8
#: Most that are made at once for those who wait at a door, and seconds that another waits to be one of them:
#: where a catalogue hangs, doors must not.
AT_DOORS, AT_THE_DOOR = 8, 0.5
#: Seconds that closing waits for what is being made.
FAREWELL = 5.0


class Quoting:
    """Makes quotations, at once or in its loop.

    Parameters
    ----------
    store : OrderStore
        Where quotations, balances and past items are.
    seams : Seams
        Whom to ask.
    now : callable
        The clock, UTC.
    """

    def __init__(self, *, store: OrderStore, seams: Seams, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self.made = Gathering(store=store, seams=seams, now=now).made
        self._doors = threading.BoundedSemaphore(AT_DOORS)
        self._tries: dict[str, tuple[int, datetime]] = {}
        self._condition = threading.Condition()
        self._is_woken = False
        self._closing = False
        self._places: dict[str, frozenset[str]] = {}
        self._running: list[frozenset[str]] = []
        self._thread = threading.Thread(target=self._run, name="oseo_lab quoting", daemon=True)

    # -------------------------------------------------------------------------------- from outside

    def start(self) -> None:
        """Begin making what is pending."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once."""
        with self._condition:
            self._is_woken = True
            self._condition.notify_all()

    def at_once(self, record: QuotationRecord) -> QuotationRecord:
        """Make a quotation for somebody who waits for it.

        Raises
        ------
        ProcessingFailed
            With ``retry``: somebody could not be reached, or too many wait already.
        """
        if not self._doors.acquire(timeout=AT_THE_DOOR):
            raise ProcessingFailed("many prices are being asked for", retry=True)
        try:
            return self.made(record, is_last=False)
        finally:
            self._doors.release()

    def close(self) -> None:
        """Stop; what was not made stays pending."""
        self._closing = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=FAREWELL)
        with self._condition:
            self._condition.wait_for(lambda: not self._running, FAREWELL)

    def step(self, now: datetime) -> int:
        """Make every pending quotation that is due, one after the other; return how many are answered."""
        return sum(self._answer(record, now) for record in self._due(now))

    # ------------------------------------------------------------------------------------ the loop

    def _run(self) -> None:
        while not self._closing:
            try:
                for record in self._due(self._now()):
                    self._begin(record)
            except OseoError as wrong:
                log.warning("quotations were not looked at and will be again: %s", wrong)
            except Exception:
                log.exception("a look at pending quotations failed")
            with self._condition:
                self._condition.wait_for(lambda: self._is_woken, EVERY)
                self._is_woken = False

    def _due(self, now: datetime) -> Iterator[QuotationRecord]:
        """Yield what is pending, can begin and has no later time to be tried again, oldest first."""
        with self._store.read() as snapshot:
            pending = snapshot.quotations.pending(LOOK)
        with self._condition:
            ids = set(pending)
            self._tries = {each: tried for each, tried in self._tries.items() if each in ids}
            self._places = {each: place for each, place in self._places.items() if each in ids}
        for quotation_id in pending:
            record = self._read(quotation_id) if self._can_begin(quotation_id, now) else None
            if record is not None:
                yield record

    def _can_begin(self, quotation_id: str, now: datetime) -> bool:
        with self._condition:
            due = self._tries.get(quotation_id, (0, now))[1]
            return due <= now and self._has_room(self._places.get(quotation_id, frozenset()))

    def _has_room(self, place: frozenset[str]) -> bool:
        return len(self._running) < AT_ONCE and all(place.isdisjoint(each) for each in self._running)

    def _read(self, quotation_id: str) -> QuotationRecord | None:
        """Return a quotation, one at a time: thousands may wait, of thousands of items each."""
        with self._store.read() as snapshot:
            record = snapshot.quotations.get(quotation_id)
        if record is None or record.state is not QuotationState.PENDING:
            return None
        with self._condition:
            self._places[quotation_id] = _place(record)
        return record

    def _begin(self, record: QuotationRecord) -> None:
        """Make a quotation in a thread of its own, if none of its collections is being made."""
        place = _place(record)
        with self._condition:
            if self._closing or not self._has_room(place):
                return  # whoever ends looks for it
            self._running.append(place)
        name = f"oseo_lab quotation {record.quotation_id[-8:]}"
        threading.Thread(target=self._make, args=(record, place), name=name, daemon=True).start()

    def _make(self, record: QuotationRecord, place: frozenset[str]) -> None:
        """Make one quotation and say that there is room again; never raises."""
        try:
            self._answer(record, self._now())
        except OseoError as wrong:
            log.warning("quotation %s could not be saved: %s", record.quotation_id, wrong)
            self._put_off(record, self._now())
        except Exception:
            log.exception("quotation %s could not be made", record.quotation_id)
            self._put_off(record, self._now())
        finally:
            with self._condition:
                self._running.remove(place)
            self.wake()

    def _answer(self, record: QuotationRecord, now: datetime) -> bool:
        tries = self._tries.get(record.quotation_id, (0, now))[0] + 1
        try:
            after = self.made(record, is_last=tries >= TRIES)
        except ProcessingFailed as failed:
            log.info("quotation %s will be tried again: %s", record.quotation_id, failed.reason)
            self._put_off(record, now)
            return False
        return self._store.write(lambda work: _save(work, record, after))

    def _put_off(self, record: QuotationRecord, now: datetime) -> None:
        with self._condition:
            tries = self._tries.get(record.quotation_id, (0, now))[0] + 1
            pause = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
            self._tries[record.quotation_id] = tries, now + timedelta(seconds=pause)


def _place(record: QuotationRecord) -> frozenset[str]:
    """Return what tells apart whom a quotation is asked of: the collections its items name."""
    return frozenset(
        each.identifier.collection_id or ""
        for each in record.specification.items
        if isinstance(each.identifier, ProductId | SubscriptionId)
    )


def _save(work: UnitOfWork, before: QuotationRecord, after: QuotationRecord) -> bool:
    """Save an answer, with the message that is owed for it; False where somebody else was first."""
    if not work.quotations.save(before, after):
        return False
    callback = after.callback
    if callback is not None and after.state is QuotationState.READY:
        notice = Notice(
            order_id=after.quotation_id, kind=CallbackKind.QUOTATION_RESPONSE, address=callback.address
        )
        work.outbox.add([notice])
    return True
