"""Items that are made elsewhere: passed on to their provider, followed there, cancelled there.

The second loop beside the dispatcher's, on its own thread: it never claims an item, it moves provider orders
of others than LOCAL. What an order asks of a provider carries a MessageID made of the order's own id, so a
crash between passing on and saving orders nothing twice; a lease on the first open item keeps two servers on
one store from asking at the same time. A provider that calls back is asked at once; what it says in the call
is never believed.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from oseo_lab.dispatch import elsewhere
from oseo_lab.dispatch.elsewhere import Hand, News, holder_of
from oseo_lab.dispatch.planner import Policy
from oseo_lab.dispatch.settle import Change
from oseo_lab.dispatch.timetable import USUAL, Timetable, Turn
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import OseoError
from oseo_lab.model.job import FailureClass
from oseo_lab.model.order import Order, OrderItem, ProviderOrder
from oseo_lab.model.status import ProviderOrderState, Status, Wanted
from oseo_lab.ports import OrderStore, ProcessingFailed, Provider, UnitOfWork

__all__ = ["Forwarding", "message_id_of"]

log = logging.getLogger("oseo_lab.dispatch")

#: Seconds between looks at the store, and after a pass that failed.
POLL = 1.0
PAUSE = 5.0
#: Provider orders looked at in one pass, and MessageIDs that are known when all is over.
MOST = 2000
REMEMBERED = 10_000
#: Failures after which an order that is not wanted any more, and may have been passed on, is given up.
GIVE_UP = 3
#: Orders of one provider that are asked after at the same time: one that hangs delays nobody else's.
AT_ONCE = 4
#: Seconds that closing waits for what is being asked.
FAREWELL = 5.0
#: Items saved in one transaction, and longest text said of an item, characters.
PIECE = 500
LONGEST = 2000

Key = tuple[str, str]
#: What a turn brought: the provider order as it shall be saved, and news of items, by number.
_Outcome = tuple[Hand, Mapping[int, News]]


def message_id_of(order_id: str, provider: str, verb: str) -> str:
    """Return the MessageID of one thing that one order asks of one provider: always the same."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{order_id} {verb} {provider}").urn


class Forwarding:
    """Moves provider orders of others than LOCAL.

    Parameters
    ----------
    name : str
        The dispatcher's id; no two servers of one store share it.
    store : OrderStore
        Where the orders are.
    providers : callable
        Gives a collection's provider, by collection id.
    collections : mapping of str to Collection
        By id.
    policy : Policy
        How failures are tried again.
    now : callable
        The clock, UTC.
    timetable : Timetable
        When providers are asked.
    callback : str or None
        Where providers may call back; None where they cannot reach this service.
    """

    def __init__(
        self,
        *,
        name: str,
        store: OrderStore,
        providers: Callable[[str], Provider | None],
        collections: Mapping[str, Collection],
        policy: Policy,
        now: Callable[[], datetime],
        timetable: Timetable = USUAL,
        callback: str | None = None,
    ) -> None:
        self.name = holder_of(name)
        self._store = store
        self._providers = providers
        self._collections = collections
        self._policy = policy
        self._now = now
        self._timetable = timetable
        self._callback = callback
        self._turns: dict[Key, Turn] = {}
        self._sent: dict[str, Key] = {}
        self._over: dict[str, None] = {}
        self._hints: set[Key] = set()
        self._looked_up = now() - timedelta(seconds=POLL)
        self._condition = threading.Condition()
        self._is_woken = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="oseo_lab forwarding", daemon=True)
        self._taken: set[Key] = set()
        self._queues: dict[str, deque[ProviderOrder]] = {}
        self._askers: Counter[str] = Counter()

    # -------------------------------------------------------------------------------- from outside

    def start(self) -> None:
        """Begin, with what an earlier life has passed on."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to do."""
        with self._condition:
            self._is_woken = True
            self._condition.notify_all()

    def close(self) -> None:
        """Stop; what is at a provider goes on there."""
        self._closing = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        with self._condition:
            self._condition.wait_for(lambda: not self._askers.total(), FAREWELL)

    def knows(self, relates_to: str) -> bool:
        """Whether a provider was asked under this MessageID; for long, if what it was asked for is open.

        Strangers may ask: so the store is looked at once a second at most.
        """
        now = self._now()
        if relates_to not in self._sent and now - self._looked_up >= timedelta(seconds=POLL):
            self._looked_up = now
            self._note(each for each, _ in self._open())
        return relates_to in self._sent or relates_to in self._over

    def hint(self, relates_to: str) -> None:
        """Ask the provider that was asked under this MessageID at once: it says that it has news."""
        key = self._sent.get(relates_to)
        if key is not None:
            with self._condition:
                self._hints.add(key)
                self._is_woken = True
                self._condition.notify_all()

    # ------------------------------------------------------------------------------------ the loop

    def _run(self) -> None:
        while not self._closing:
            with self._condition:
                self._condition.wait_for(lambda: self._is_woken, POLL)
                self._is_woken = False
            try:
                for part in self._due():
                    self._begin(part)
            except OseoError as out_of_reach:
                log.warning("the order store is out of reach: %s", out_of_reach)
                self._rest()
            except Exception:
                log.exception("a pass of the forwarding loop failed")
                self._rest()

    def _rest(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._closing, PAUSE)

    def step(self) -> int:
        """Make one pass over what is open, one after the other; return how many had their turn."""
        due = self._due()
        for part in due:
            self._turn(part)
        return len(due)

    def _due(self) -> list[ProviderOrder]:
        """Return the provider orders whose turn it is."""
        now = self._now()
        found = self._open()
        self._note(part for part, _ in found)
        still = {(part.order_id, part.provider) for part, _ in found}
        with self._condition:
            self._turns = {key: turn for key, turn in self._turns.items() if key in still | self._taken}
            self._hints &= still
            return [part for part, order in found if not self._closing and self._is_due(part, order, now)]

    def _begin(self, part: ProviderOrder) -> None:
        """Let a provider order have its turn as soon as its provider is not busy."""
        provider = part.provider
        with self._condition:
            self._taken.add((part.order_id, provider))
            self._queues.setdefault(provider, deque()).append(part)
            if self._askers[provider] >= AT_ONCE:
                return
            self._askers[provider] += 1
        name = f"oseo_lab provider {provider[:40]}"
        threading.Thread(target=self._ask, args=(provider,), name=name, daemon=True).start()

    def _ask(self, provider: str) -> None:
        """Give one provider's orders their turns, until none waits for one."""
        while True:
            with self._condition:
                queue = self._queues[provider]
                if self._closing or not queue:
                    self._askers[provider] -= 1
                    self._condition.notify_all()
                    return
                part = queue.popleft()
            self._turn(part)
            with self._condition:
                self._taken.discard((part.order_id, provider))

    def _open(self) -> list[tuple[ProviderOrder, Order]]:
        with self._store.read() as snapshot:
            parts = snapshot.provider_orders.open(MOST)
            orders = snapshot.orders.get_many({each.order_id for each in parts})
        return [(each, orders[each.order_id]) for each in parts if each.order_id in orders]

    def _note(self, parts: Iterable[ProviderOrder]) -> None:
        """Know the MessageIDs of what is open, and for a while of what is over."""
        keys = [(each.order_id, each.provider) for each in parts]
        sent = {message_id_of(*key, verb): key for key in keys for verb in ("Submit", "Cancel")}
        over = [each for each in self._sent if each not in sent]
        self._over = dict.fromkeys([*self._over, *over][-REMEMBERED:])
        self._sent = sent

    def _is_due(self, part: ProviderOrder, order: Order, now: datetime) -> bool:
        key = (part.order_id, part.provider)
        if key in self._taken:
            return False
        turn = self._turns.setdefault(key, Turn(now, self._timetable.first))
        unwanted = order.wanted is Wanted.CANCELLED and part.state is not ProviderOrderState.CANCELLING
        is_time = turn.due <= now or (unwanted and not turn.failures)
        if not is_time and key in self._hints and turn.heeds(now):
            is_time, turn.hinted = True, now
        if is_time:
            self._hints.discard(key)
        return is_time

    # ------------------------------------------------------------------------------------ one turn

    def _turn(self, part: ProviderOrder) -> None:
        """Do what is next for one provider order: take it, ask its provider, save what came of it."""
        key = (part.order_id, part.provider)
        turn, now = self._turns[key], self._now()
        until = now + timedelta(seconds=self._timetable.lease)
        try:
            hand = self._taken_now(key, now, until)
            has_moved = False if hand is None else self._move(hand, turn)
        except OseoError as wrong:
            log.warning("order %s at %s: %s", *key, wrong)
            has_moved = False
        except Exception:
            log.exception("order %s at %s could not be moved", *key)
            turn.failures += 1
            has_moved = False
        turn.ended(self._now(), has_moved, self._timetable, self._policy)

    def _taken_now(self, key: Key, now: datetime, until: datetime) -> Hand | None:
        mine = self._store.write(partial(elsewhere.take, key=key, holder=self.name, now=now, until=until))
        if mine is None:
            return None
        with self._store.read() as snapshot:
            return elsewhere.hand_of(snapshot, key[1], mine)

    def _move(self, hand: Hand, turn: Turn) -> bool:
        """Ask the provider and save the answer; return whether anything has changed."""
        try:
            outcome = self._action(hand, turn)(hand)
        except ProcessingFailed as failed:
            outcome = self._failed(hand, turn, failed)
        else:
            if turn.failures:
                self._tell_desk(hand, None)
            turn.failures = 0
        if outcome is None:
            return self._store.write(partial(elsewhere.let_go, hand=hand, now=self._now()))
        return self._save(*outcome)

    def _save(self, hand: Hand, news: Mapping[int, News]) -> bool:
        """Save what a turn brought, a piece at a time: others write too."""
        now = self._now()
        changes = elsewhere.changes_of(hand, news, now, self._policy)
        rules = self._collections, now, self._policy
        saved: list[OrderItem] = []
        while len(changes) > PIECE:
            piece, changes = changes[:PIECE], changes[PIECE:]
            saved += self._store.write(partial(self._saved, changes=piece, now=now))
        return self._store.write(
            lambda work: elsewhere.save_last(work, changes, *rules, hand=hand, saved=saved)
        )

    def _saved(self, work: UnitOfWork, changes: Sequence[Change], now: datetime) -> list[OrderItem]:
        return elsewhere.save(work, changes, self._collections, now, self._policy)

    def _action(self, hand: Hand, turn: Turn) -> Callable[[Hand], _Outcome | None]:
        """Return what is next for a provider order."""
        is_unwanted = hand.order.wanted is Wanted.CANCELLED
        if hand.part.tracking_id is None:
            if is_unwanted and not hand.may_be_sent:
                return partial(_ended, said="cancelled at the user's request")
            if is_unwanted and turn.failures >= GIVE_UP:
                said = f"cancelled; whether {hand.part.provider} has it is not known: it could not be asked"
                return partial(_ended, said=said)
            return self._submit
        if is_unwanted and hand.part.state is not ProviderOrderState.CANCELLING:
            return self._cancel
        return self._poll

    def _provider(self, hand: Hand) -> Provider:
        collection_id = hand.items[0].collection_id
        provider = self._providers(collection_id) if collection_id in self._collections else None
        if provider is None:
            raise ProcessingFailed(f"the collection {collection_id} is not ordered from it any more")
        return provider

    def _submit(self, hand: Hand) -> _Outcome | None:
        provider = self._provider(hand)
        with self._store.read() as snapshot:
            is_held = elsewhere.is_held(snapshot, hand, self._now())
        if not is_held:
            return None
        tracking_id = provider.submit(
            hand.order,
            hand.open_items,
            message_id=message_id_of(*hand.key, "Submit"),
            callback=self._callback,
        )
        log.info("order %s was passed on to %s as %s", *hand.key, tracking_id)
        part = replace(hand.part, state=ProviderOrderState.PROCESSING, tracking_id=tracking_id)
        return replace(hand, part=part), _said(hand, f"passed on to {hand.part.provider} as {tracking_id}")

    def _poll(self, hand: Hand) -> _Outcome:
        return hand, elsewhere.news_of(hand, self._provider(hand).poll(hand.part, hand.items))

    def _cancel(self, hand: Hand) -> _Outcome:
        news: Mapping[int, News] = {}
        try:
            self._provider(hand).cancel(
                hand.part, message_id=message_id_of(*hand.key, "Cancel"), callback=self._callback
            )
        except ProcessingFailed as refused:
            if refused.failure_class is FailureClass.TRANSIENT:
                raise
            news = _said(hand, f"{hand.part.provider} goes on: {refused.reason}")
        return replace(hand, part=replace(hand.part, state=ProviderOrderState.CANCELLING)), news

    def _failed(self, hand: Hand, turn: Turn, failed: ProcessingFailed) -> _Outcome | None:
        """Return what is saved where the provider could not be asked, or refused."""
        said = f"{hand.part.provider}: {failed.reason}"
        if failed.failure_class is not FailureClass.TRANSIENT:
            turn.failures = 0
            was_sent = hand.part.tracking_id is not None
            state = hand.part.state if was_sent else ProviderOrderState.SUBMIT_REJECTED
            news = {each.number: News(Status.FAILED, said, failed.detail) for each in hand.open_items}
            return replace(hand, part=replace(hand.part, state=state)), news
        turn.failures += 1
        log.warning("order %s: %s (try %d)", hand.order.order_id, said, turn.failures)
        self._tell_desk(hand, said)
        return (hand, _said(hand, said + elsewhere.TRIED_AGAIN)) if turn.failures == 1 else None

    def _tell_desk(self, hand: Hand, said: str | None) -> None:
        """Note for operators that a provider does not answer, or (None) does again."""
        names = sorted({each.collection_id for each in hand.items})

        def write(work: UnitOfWork) -> None:
            if said is None:
                work.desk.is_working(names)
            else:
                work.desk.is_failing({name: said[:LONGEST] for name in names}, self._now())

        self._store.write(write)


def _said(hand: Hand, text: str) -> dict[int, News]:
    """Return something to say of every open item."""
    return {each.number: News(each.status.status, text[:LONGEST]) for each in hand.open_items}


def _ended(hand: Hand, said: str) -> _Outcome:
    """Cancel here what cannot be cancelled there."""
    return hand, {each.number: News(Status.CANCELLED, said) for each in hand.open_items}
