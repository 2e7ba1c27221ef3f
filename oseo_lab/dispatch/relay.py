"""The outbox loop: claim notices that are due, send them, log every try, back off, give up at last.

Step 17 of the walk, on threads of its own beside the dispatcher. The store hands out the oldest notice of
an order and address only, so they arrive in order; a lease makes them arrive at least once: a relay that
dies between sending and settling is followed by one that sends again. Whatever becomes of a notice, its order
stays as it is.

An address that does not answer must delay nobody else: each has few notices on their way at a time, and after
a slow failure what else waits for it is put back, uncounted, until it has rested. Nor must an owner who names
ever new ones: for a while he has few on their way himself. Mail has a limit of its own (`postage`).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from oseo_lab.dispatch.contents import complete
from oseo_lab.dispatch.postage import Postage
from oseo_lab.model.errors import OseoError
from oseo_lab.model.job import FailureClass
from oseo_lab.model.notify import Channel
from oseo_lab.model.plain import plain_line
from oseo_lab.ports import Notice, OrderStore, ProcessingFailed, Sending, UnitOfWork

__all__ = ["Patience", "Relay"]

log = logging.getLogger("oseo_lab.dispatch")

#: Seconds between looks at the outbox, and before a failing pass is tried again.
POLL = 1.0
PAUSE = 2.0
#: Seconds that closing waits for what is on its way.
FAREWELL = 5.0
SENT = "sent"
#: For how long the owner of an address that failed slowly has few notices on their way; and when what he has
#: too many of is looked at again.
WARY, AGAIN = timedelta(minutes=5), timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How much is sent at a time, and how often and when it is tried again.

    Parameters
    ----------
    tries : int
        Most tries at one notice.
    first, longest : float
        Seconds before the second try, doubled for each further one, and the most of it; shortened at random
        by up to a half, so that what failed together is not tried together.
    at_once, per_host, per_address, per_owner : int
        Most notices on their way; to one host; to one address; of one owner whose addresses failed slowly.
    lease : float
        Seconds after which another relay may send what this one has claimed.
    slow : float
        Seconds after which a failure counts as the address's own: nothing else is tried there for a while.
    mails : int
        Most mails of one owner in an hour; further ones wait.
    """

    tries: int = 12
    first: float = 5.0
    longest: float = 3600.0
    at_once: int = 32
    per_host: int = 8
    per_address: int = 2
    per_owner: int = 8
    lease: float = 120.0
    slow: float = 2.0
    mails: int = 100

    def delay(self, attempt: int, chance: float) -> timedelta:
        """Return how long to wait after a try; ``chance`` is from 0 to 1."""
        whole = min(self.longest, self.first * 2.0 ** min(attempt - 1, 60))
        return timedelta(seconds=whole * (1 - chance / 2))


class Relay:
    """Sends what the outbox holds.

    Parameters
    ----------
    store : OrderStore
        Where the outbox is.
    send : callable
        Sends one notice, completed, or raises `ProcessingFailed`.
    patience : Patience
        How often and when.
    now : callable
        The clock, UTC.
    """

    def __init__(
        self,
        *,
        store: OrderStore,
        send: Callable[[Notice], None],
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._send = send
        self._patience = patience
        self._now = now
        self._condition = threading.Condition()
        self._is_woken = False
        self._closing = False
        self._running: dict[int, Notice] = {}
        self._resting: dict[str, datetime] = {}
        self._wary: dict[str, datetime] = {}
        self._postage = Postage(patience.mails)
        self._thread = threading.Thread(target=self._run, name="oseo_lab relay", daemon=True)

    # -------------------------------------------------------------------------------- from outside

    def start(self) -> None:
        """Begin sending."""
        self._thread.start()

    def wake(self) -> None:
        """Say that something may be due."""
        with self._condition:
            self._is_woken = True
            self._condition.notify_all()

    def close(self) -> None:
        """Stop sending; what is on its way has a moment to arrive, else the next relay sends it again."""
        self._closing = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=FAREWELL)
        self.settled(FAREWELL)

    def settled(self, timeout: float) -> bool:
        """Wait until nothing is on its way, up to so many seconds; say if it is so."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._running, timeout)

    # ------------------------------------------------------------------------------------ the loop

    def _run(self) -> None:
        while not self._closing:
            with self._condition:
                self._condition.wait_for(lambda: self._is_woken, POLL)
                self._is_woken = False
            try:
                self.step(self._now())
            except OseoError as out_of_reach:
                log.warning("the order store is out of reach: %s", out_of_reach)
                time.sleep(PAUSE)
            except Exception:
                log.exception("a pass of the relay failed")
                time.sleep(PAUSE)

    def step(self, now: datetime) -> int:
        """Claim what is due and begin sending it; return how many were begun."""
        begun = 0
        while not self._closing and (room := self._patience.at_once - len(self._running)) > 0:
            if not self._is_any_due(now):
                break
            sendable, claimed, mailing = self._store.write(partial(self._claim, room=room, now=now))
            for owner in mailing:
                self._postage.count(owner, now)
            for notice in sendable:
                self._begin(notice)
            begun += len(sendable)
            if claimed < room:
                break
        return begun

    def _is_any_due(self, now: datetime) -> bool:
        """Look before writing: an idle relay holds up nobody who writes."""
        with self._condition:
            addresses = Counter(each.address for each in self._running.values())
        with self._store.read() as snapshot:
            return snapshot.outbox.is_any_due(now, self._busy(addresses))

    def _busy(self, addresses: Counter[str]) -> list[str]:
        return [each for each, count in addresses.items() if count >= self._patience.per_address]

    def _claim(self, work: UnitOfWork, room: int, now: datetime) -> tuple[list[Notice], int, list[str]]:
        """Claim notices, and put back those that may not be sent yet.

        Return the others, how many were claimed, and the owners of those that are mail.
        """
        until = now + timedelta(seconds=self._patience.lease)
        with self._condition:
            running = list(self._running.values())
        addresses = Counter(each.address for each in running)
        hosts = Counter(_host(each.address) for each in running)
        claimed = work.outbox.claim(room, now, until, self._busy(addresses))
        owners = self._owners(work, [*running, *claimed], now)
        held = Counter(owners.get(each.order_id) for each in running)
        mailers = self._postage.owners(work, claimed)
        mailing: list[str] = []
        sendable = []
        for notice in claimed:
            later = self._later(notice, addresses, hosts, now)
            owner = owners.get(notice.order_id)
            if later is None and owner is not None and held[owner] >= self._patience.per_owner:
                later = now + AGAIN
            mailer = mailers.get(notice.order_id) if notice.kind == Channel.EMAIL.value else None
            if later is None and mailer is not None:
                later = self._postage.later(mailer, mailing.count(mailer), now)
            if later is not None:
                work.outbox.settle(replace(notice, attempts=notice.attempts - 1), due=later)
                continue
            addresses[notice.address] += 1
            hosts[_host(notice.address)] += 1
            held[owner] += 1
            mailing += [] if mailer is None else [mailer]
            sendable.append(notice)
        return sendable, len(claimed), mailing

    def _owners(self, work: UnitOfWork, notices: Sequence[Notice], now: datetime) -> dict[str, str]:
        """Return whose notices these are, by order, as far as their owners are to be wary of."""
        with self._condition:
            wary = {owner for owner, until in self._wary.items() if until > now}
        orders = work.orders.get_many({each.order_id for each in notices}) if wary else {}
        return {key: order.owner for key, order in orders.items() if order.owner in wary}

    def _later(
        self, notice: Notice, addresses: Counter[str], hosts: Counter[str], now: datetime
    ) -> datetime | None:
        """Return until when a claimed notice is put back, as if it had not been claimed; None to send it."""
        if notice.notice_id in self._running:
            return notice.due  # on its way: its user asked for it again, or that takes longer than the lease
        rests_until = self._resting.get(notice.address)
        if rests_until is not None and rests_until > now:
            return rests_until
        if addresses[notice.address] >= self._patience.per_address:
            return now  # and it is passed over until one of the others has arrived
        if hosts[_host(notice.address)] >= self._patience.per_host:
            return now + timedelta(seconds=POLL)
        return None

    def _begin(self, notice: Notice) -> None:
        with self._condition:
            self._running[notice.notice_id] = notice
        name = f"oseo_lab notice {notice.notice_id}"
        threading.Thread(target=self._deliver, args=(notice,), name=name, daemon=True).start()

    # ---------------------------------------------------------------------------------- one notice

    def _deliver(self, notice: Notice) -> None:
        """Send one notice and settle it; never raises. What cannot be settled is sent again."""
        began = time.monotonic()
        try:
            failed = self._try(notice)
            self._rest(notice, failed, time.monotonic() - began)
            self._store.write(partial(self._settle, notice=notice, failed=failed))
        except OseoError as out_of_reach:
            log.warning("notice %s could not be settled: %s", notice.notice_id, out_of_reach)
        except Exception:
            log.exception("notice %s could not be settled", notice.notice_id)
        finally:
            with self._condition:
                self._running.pop(notice.notice_id, None)
                self._is_woken = True
                self._condition.notify_all()

    def _try(self, notice: Notice) -> ProcessingFailed | None:
        """Send a notice, with what it tells of read from the store; return how that failed."""
        if notice.attempts > self._patience.tries:
            return ProcessingFailed("the relays that had it stopped before they were done", retry=False)
        with self._store.read() as snapshot:
            whole = complete(snapshot, notice)
        try:
            if whole is None:
                raise ProcessingFailed("what it tells of is not there any more", retry=False)
            self._send(whole)
        except ProcessingFailed as failed:
            return failed
        except Exception as wrong:
            log.exception("sending notice %s failed", notice.notice_id)
            return ProcessingFailed(f"it could not be sent: {type(wrong).__name__}", retry=True)
        return None

    def _rest(self, notice: Notice, failed: ProcessingFailed | None, seconds: float) -> None:
        """Let an address rest that kept us waiting, be wary of who named it, forget what has rested."""
        now = self._now()
        is_slow = failed is not None and seconds >= self._patience.slow
        owner = self._owner(notice.order_id) if is_slow else None
        with self._condition:
            self._resting = {each: until for each, until in self._resting.items() if until > now}
            self._wary = {each: until for each, until in self._wary.items() if until > now}
            if is_slow:
                self._resting[notice.address] = now + self._patience.delay(notice.attempts, random.random())
            if owner is not None:
                self._wary[owner] = now + WARY

    def _owner(self, order_id: str) -> str | None:
        with self._store.read() as snapshot:
            order = snapshot.orders.get_many([order_id]).get(order_id)
        return None if order is None else order.owner

    def _settle(self, work: UnitOfWork, notice: Notice, failed: ProcessingFailed | None) -> None:
        """Write a try into the log, and remove the notice or keep it for the next try."""
        now = self._now()
        is_last = failed is not None and (
            failed.failure_class is not FailureClass.TRANSIENT or notice.attempts >= self._patience.tries
        )
        line = _line(notice, now, SENT if failed is None else failed.reason, is_last or failed is None)
        work.sendings.add([line])
        if failed is not None and not is_last:
            work.outbox.settle(notice, due=now + self._patience.delay(notice.attempts, random.random()))
            return
        work.outbox.settle(notice, due=None)
        if is_last:
            said = "; ".join(each for each in (line.outcome, failed.detail if failed else None) if each)
            log.warning("%s of %s was given up: %s", notice.kind, notice.order_id, said)
            _give_up_older(work, notice, now)


def _host(address: str) -> str:
    return urlsplit(address).netloc.lower()


def _line(notice: Notice, now: datetime, outcome: str, is_last: bool) -> Sending:
    return Sending(
        order_id=notice.order_id,
        kind=notice.kind,
        address=notice.address,
        at=now,
        attempt=notice.attempts,
        outcome=plain_line(outcome),  # servers elsewhere are quoted
        notice_id=notice.notice_id,
        is_last=is_last,
        body=notice.body if is_last else None,
    )


def _give_up_older(work: UnitOfWork, given_up: Notice, now: datetime) -> None:
    """Give up with a notice what waits behind it but the newest, which tells how things stand now.

    Else an order of many changes would be tried at a dead address for weeks.
    """
    behind = [
        each
        for each in work.outbox.waiting(given_up.order_id)
        if (each.kind, each.address) == (given_up.kind, given_up.address)
    ]
    for each in behind[:-1]:
        work.outbox.settle(each, due=None)
    text = f"not tried: notice {given_up.notice_id} before it was given up"
    work.sendings.add([_line(each, now, text, True) for each in behind[:-1]])
