"""Whatever users, workers and servers do in whatever order: no item is lost, made twice, or paid wrongly.

A state machine over a real store: pausing, resuming, trying again, cancelling, workers' reports, servers
that die and their successors. At the end everything is let go, and every order comes to its end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from oseo_lab.model.errors import Conflict
from oseo_lab.model.job import DeliveredFile, FailureClass
from oseo_lab.model.limits import Limits
from oseo_lab.model.messages import Cancel
from oseo_lab.model.quotation import Charge
from oseo_lab.model.status import OPEN, Status, Wanted
from oseo_lab.operations import Context, Service, perform
from oseo_lab.operations.steering import pause, resume, retry
from oseo_lab.store import open_store
from tests.dispatch.test_dispatcher import Clock, Scripted, make, report, started
from tests.operations.orders import COLLECTIONS, item, order

PRICE, MONEY, MOST, ITEMS = Decimal(3), Decimal(20), 100, 4
DELIVERED = (Status.COMPLETED, Status.DOWNLOADED)


class Steered(RuleBasedStateMachine):
    """One order of four items, paid each, with a limit, in the hands of everybody at once."""

    @initialize(batch=st.sampled_from([1, 2, 5]))
    def begin(self, batch):
        self.folder = Path(tempfile.mkdtemp())
        self.store = open_store(f"sqlite:///{self.folder / 'orders.sqlite'}")
        self.clock, self.executor, self.servers = Clock(), Scripted(), 1
        self.in_hand = []
        self.before = COLLECTIONS["optical"]
        COLLECTIONS["optical"] = replace(self.before, batch=batch)
        self.dispatcher = make(self.store, self.clock, self.executor, "d1")
        items = [item(f"i{number}", f"S2_{number}") for number in range(ITEMS)]
        self.order_id = perform(
            order(*items, extensions=Limits(max_bytes=MOST).extensions()), self.here()
        ).order_id
        self.store.write(self.charge)

    def charge(self, work):
        work.balances.set("anna", "EUR", MONEY)
        made = {"order_id": self.order_id, "owner": "anna", "currency": "EUR", "amount": PRICE}
        work.balances.draw([Charge(number=number, **made) for number in range(1, ITEMS + 1)])

    def here(self):
        return Context(
            owner="anna",
            store=self.store,
            collections=COLLECTIONS,
            service=Service(),
            wake=lambda: None,
            now=self.clock,
            url="http://localhost/oseo/",
            link=lambda order_id, number, name, expires: name,
        )

    def step(self, *events):
        is_paused = self.wanted() is Wanted.SUSPENDED
        self.dispatcher.step(events)
        taken = self.executor.take()
        assert not (is_paused and taken), "something began while the order was paused"
        self.in_hand += taken

    def wanted(self):
        with self.store.read() as snapshot:
            return snapshot.orders.get(self.order_id).wanted

    # ------------------------------------------------------------------------------------------ what happens

    @rule()
    def look(self):
        self.step()

    @rule(seconds=st.sampled_from([1, 15, 70]))
    def time_passes(self, seconds):
        self.clock.advance(seconds=seconds)

    @rule()
    def pause(self):
        with suppress(Conflict):
            pause(self.order_id, self.here())

    @rule()
    def resume(self):
        with suppress(Conflict):
            resume(self.order_id, self.here())

    @rule()
    def cancel(self):
        with suppress(Conflict):
            perform(Cancel(order_id=self.order_id), self.here())

    @rule(named=st.none() | st.sets(st.sampled_from(["i0", "i1", "i2", "i3"]), min_size=1))
    def retry(self, named):
        with suppress(Conflict):
            retry(self.order_id, None if named is None else sorted(named), self.here())

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data())
    def begins(self, data):
        self.step(started(data.draw(st.sampled_from(self.in_hand))))

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data(), size=st.sampled_from([10, 40, 90]))
    def delivers(self, data, size):
        job = data.draw(st.sampled_from(self.in_hand))
        self.in_hand.remove(job)
        self.step(sized(job, size, self.clock()))

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data(), failure=st.sampled_from(list(FailureClass)))
    def fails(self, data, failure):
        job = data.draw(st.sampled_from(self.in_hand))
        self.in_hand.remove(job)
        self.step(report(job, failure))

    @rule()
    def dies(self):
        """The server is killed; its workers' reports go to nobody. Another one takes over."""
        self.servers += 1
        self.in_hand.clear()
        self.executor.take()
        self.dispatcher = make(self.store, self.clock, self.executor, f"d{self.servers}")

    # ------------------------------------------------------------------------------------- what always holds

    @invariant()
    def nothing_is_lost_doubled_or_paid_wrongly(self):
        with self.store.read() as snapshot:
            items = snapshot.items.of(self.order_id)
            charges = snapshot.balances.charges(self.order_id)
            balance = snapshot.balances.of("anna")["EUR"]
            size = snapshot.results.size(self.order_id)
            deliveries = Counter((each.number, each.attempt) for each in snapshot.results.of(self.order_id))
            counts = snapshot.items.counts(self.order_id)
        assert [each.number for each in items] == list(range(1, ITEMS + 1))
        assert counts == Counter(each.status.status for each in items)
        assert balance + sum(each.amount for each in charges if not each.is_given_back) == MONEY
        paid = {each.number for each in charges if not each.is_given_back}
        for each in items:
            is_asked_again = each.status.status.is_final and each.retry_at is not None
            is_made = each.status.status in OPEN or each.status.status in DELIVERED or is_asked_again
            assert (each.number in paid) == is_made
        delivered = {each.number for each in items if each.status.status in DELIVERED}
        assert {number for number, _ in deliveries} == delivered
        assert all(count == 1 for count in deliveries.values())
        assert len(deliveries) == len(delivered)
        assert size <= MOST

    def teardown(self):
        if not hasattr(self, "store"):
            return
        try:
            self.let_go()
        finally:
            COLLECTIONS["optical"] = self.before
            self.store.close()
            shutil.rmtree(self.folder)

    def let_go(self):
        """Resume, and let everything that is made be delivered: the order ends."""
        for _ in range(60):
            with suppress(Conflict):
                resume(self.order_id, self.here())
            self.clock.advance(seconds=90)
            self.step(*(sized(job, 10, self.clock()) for job in self.in_hand))
            self.in_hand = [job for job in self.in_hand if job.key in self.dispatcher._held]
            with self.store.read() as snapshot:
                if snapshot.orders.get(self.order_id).status.status.is_final:
                    break
        else:
            raise AssertionError("the order never ends")
        self.nothing_is_lost_doubled_or_paid_wrongly()


def sized(job, size, now):
    file = DeliveredFile(name="data.tif", size=size, sha256="ab" * 32, media_type="image/tiff")
    return replace(report(job), files=(file,), started=now, ended=now)


TestSteered = Steered.TestCase
TestSteered.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
