"""The forwarding loop with a clock and providers of our own, on a real store: its moments, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest

from oseo_lab.dispatch import elsewhere, forwarding
from oseo_lab.dispatch.forwarding import Forwarding, message_id_of
from oseo_lab.dispatch.planner import Policy
from oseo_lab.dispatch.timetable import Timetable
from oseo_lab.model.collection import Collection
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import FilteringCriteria
from oseo_lab.model.order import ItemSpecification, Order, OrderSpecification
from oseo_lab.model.status import ProviderOrderState, Status, Wanted
from oseo_lab.operations.order_types import make_order
from oseo_lab.ports import Forwarded, ForwardedItem, OrderStore, ProcessingFailed
from oseo_lab.store import open_store
from tests.acceptance.serving import wait_until

START = datetime(2024, 6, 1, tzinfo=UTC)
FAR = Collection(id="far", provider="MAKER", provider_plugin="x:Y")
HOST = "https://maker.example/files"


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Maker:
    """A provider that remembers what it was asked, and says what it is told to."""

    def __init__(self) -> None:
        self.orders: dict[str, str] = {}
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.stand: dict[int, ForwardedItem] = {}
        self.fails: list[Exception] = []
        self.on_submit = lambda: None

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.fails:
            raise self.fails.pop(0)

    def submit(self, order, items, *, message_id, callback):
        self._ask("submit")
        tracking_id = self.orders.setdefault(message_id, f"T{len(self.orders) + 1}")
        self.on_submit()
        return tracking_id

    def cancel(self, provider_order, *, message_id, callback):
        self._ask("cancel")
        self.cancelled.append(provider_order.tracking_id)

    def poll(self, provider_order, items):
        self._ask("poll")
        return Forwarded(items=tuple(self.stand.values()))

    def say(self, *statuses: Status, info: str | None = None, files: tuple[str, ...] = ()) -> None:
        for number, status in enumerate(statuses, start=1):
            each = ForwardedItem(number=number, status=status, info=info, files=files)
            self.stand[number] = each


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OrderStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'orders.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def loops(store, maker, clock):
    """Return a maker of loops on the one store: each call is another server, or another life of one."""
    made = []

    def loop(name: str = "one", **more) -> Forwarding:
        found = Forwarding(
            name=name,
            store=store,
            providers=more.pop("providers", lambda collection_id: maker),
            collections=more.pop("collections", {"far": FAR}),
            policy=Policy(retry_delay=5.0),
            now=clock,
            timetable=Timetable(first=2.0, longest=60.0, factor=2.0, lease=180.0),
            **more,
        )
        made.append(found)
        return found

    yield loop
    for each in made:
        each.close()


@pytest.fixture
def submitted(store, clock):
    """Submit an order of so many items; return its id."""

    def submit(count: int = 2, collection: Collection = FAR) -> str:
        items = tuple(
            ItemSpecification(item_id=f"item {n}", identifier=ProductId(identifier=f"P{n}"))
            for n in range(1, count + 1)
        )
        specification = OrderSpecification(items=items)
        order = make_order(specification, (collection,) * count, "anna", None, None, clock())
        store.write(lambda work: work.orders.add(order))
        return order.order_id

    return submit


def read(store: OrderStore, order_id: str) -> Order:
    with store.read() as snapshot:
        return snapshot.orders.get(order_id)


def items(store: OrderStore, order_id: str):
    with store.read() as snapshot:
        return snapshot.items.of(order_id)


def statuses(store: OrderStore, order_id: str) -> list[Status]:
    return [each.status.status for each in items(store, order_id)]


def part(store: OrderStore, order_id: str):
    return read(store, order_id).provider_orders[0]


def unwanted(store: OrderStore, order_id: str, now: datetime) -> None:
    from dataclasses import replace

    def cancel(work):
        work.items.want(order_id, Wanted.CANCELLED, now)
        work.orders.save(replace(work.orders.get(order_id), wanted=Wanted.CANCELLED))

    store.write(cancel)


def test_a_new_order_is_passed_on_and_its_tracking_id_shown(store, loops, maker, submitted):
    order_id = submitted()
    assert part(store, order_id).state is ProviderOrderState.SUBMITTING
    assert loops().step() == 1
    assert (part(store, order_id).state, part(store, order_id).tracking_id) == ("PROCESSING", "T1")
    assert {each.status.additional for each in items(store, order_id)} == {"passed on to MAKER as T1"}
    assert all(each.lease_owner is None for each in items(store, order_id))


def test_the_server_dies_between_passing_on_and_saving(store, loops, maker, submitted, clock):
    order_id = submitted()

    def dies():
        raise KeyboardInterrupt  # nothing of this life runs any more

    maker.on_submit = dies
    first = loops("first life")
    with pytest.raises(KeyboardInterrupt):
        first.step()
    assert part(store, order_id).tracking_id is None
    maker.on_submit = lambda: None
    second = loops("second life")
    second.step()
    assert maker.asked == ["submit"], "the first life's lease holds still"
    clock.pass_by(200)
    second.step()
    assert maker.asked == ["submit", "submit"]
    assert len(maker.orders) == 1, "ordered once"
    assert part(store, order_id).tracking_id == "T1"


def test_orders_that_wait_for_somebody_keep_no_others_from_their_turns(
    store, loops, maker, submitted, clock, monkeypatch
):
    monkeypatch.setattr(forwarding, "MOST", 1)
    suspended = submitted(1)
    order = read(store, suspended)
    store.write(lambda work: work.orders.save(replace(order, wanted=Wanted.SUSPENDED)))
    submitted(1)
    loop = loops()
    clock.pass_by(1)
    loop.step()
    assert maker.asked == []
    loop.step()
    assert maker.asked == ["submit"]


def test_the_items_of_a_large_order_are_read_while_others_write(store, loops, maker, submitted, monkeypatch):
    submitted(3)
    read_items, loop = elsewhere._items_of, loops()

    def read_while_another_writes(work, key):
        assert store.write(lambda _: "another") == "another"  # which the writer's own thread could not
        return read_items(work, key)

    monkeypatch.setattr(elsewhere, "_items_of", read_while_another_writes)
    assert loop.step() == 1
    assert maker.asked == ["submit"]


def test_two_servers_on_one_store_pass_an_order_on_once(store, loops, maker, submitted):
    submitted()
    one, other = loops("one"), loops("other")
    maker.on_submit = other.step
    one.step()
    other.step()
    assert maker.asked.count("submit") == 1


def test_a_large_order_is_saved_a_piece_at_a_time(store, loops, maker, submitted, clock, monkeypatch):
    monkeypatch.setattr("oseo_lab.dispatch.forwarding.PIECE", 3)
    order_id = submitted(10)
    loop = loops()
    loop.step()
    assert {each.status.additional for each in items(store, order_id)} == {"passed on to MAKER as T1"}
    maker.say(*[Status.COMPLETED] * 10, files=(f"{HOST}/x.tif",))
    clock.pass_by(3)
    loop.step()
    assert read(store, order_id).status.status is Status.COMPLETED
    assert part(store, order_id).state is ProviderOrderState.CLOSED
    with store.read() as snapshot:
        assert len(snapshot.results.of(order_id)) == 10


def test_files_of_delivered_items_are_links_with_names_of_our_making(store, loops, maker, submitted, clock):
    order_id = submitted(1)
    loop = loops()
    loop.step()
    until = START + timedelta(days=3)
    wrong = ("file:///etc/passwd", "http://[", "http:///x", "http://x:0/y", "http://x/a b", "ftp://x/y")
    files = (f"{HOST}/a%20b.tif?sig=1", f"{HOST}/x/a%20b.tif", *wrong, f"{HOST}/../..")
    maker.stand[1] = ForwardedItem(number=1, status=Status.COMPLETED, files=files, expires=until)
    clock.pass_by(3)
    loop.step()
    with store.read() as snapshot:
        found = snapshot.results.of(order_id)
    assert {each.name: each.href for each in found} == {
        "a_b.tif": files[0],
        "2-a_b.tif": files[1],
        "file": files[-1],
    }
    assert {each.expires for each in found} == {until}
    assert read(store, order_id).status.status is Status.COMPLETED
    assert part(store, order_id).state is ProviderOrderState.CLOSED
    assert part(store, order_id).closed == clock()


def test_names_that_a_provider_gives_twice_and_thrice_are_made_different(
    store, loops, maker, submitted, clock
):
    order_id = submitted(1)
    loop = loops()
    loop.step()
    maker.say(Status.COMPLETED, files=tuple(f"{HOST}/{each}" for each in ("x/a", "y/a", "2-a", "3-a", "z/a")))
    clock.pass_by(3)
    loop.step()
    with store.read() as snapshot:
        names = sorted(each.name for each in snapshot.results.of(order_id))
    assert len(set(names)) == 5 and {"a", "2-a", "3-a"} < set(names)
    assert statuses(store, order_id) == [Status.COMPLETED]


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        (Status.SUBMITTED, Status.ACCEPTED),
        (Status.IN_PRODUCTION, Status.IN_PRODUCTION),
        (Status.SUSPENDED, Status.SUSPENDED),
        (Status.DOWNLOADED, Status.DOWNLOADED),
        (Status.FAILED, Status.FAILED),
        (Status.CANCELLED, Status.CANCELLED),
        (Status.TERMINATED, Status.TERMINATED),
    ],
)
def test_what_happened_between_two_questions_is_made_up_for(
    store, loops, maker, submitted, clock, said, becomes
):
    order_id = submitted(1)
    loop = loops()
    loop.step()
    maker.say(said)
    clock.pass_by(3)
    loop.step()
    assert statuses(store, order_id) == [becomes]


def test_no_item_goes_back(store, loops, maker, submitted, clock):
    order_id = submitted(1)
    loop = loops()
    loop.step()
    for said in (Status.IN_PRODUCTION, Status.ACCEPTED, Status.COMPLETED, Status.IN_PRODUCTION):
        maker.say(said)
        clock.pass_by(61)
        loop.step()
    assert statuses(store, order_id) == [Status.COMPLETED]


def test_questions_become_rarer_while_nothing_changes_and_frequent_again_when_something_does(
    loops, maker, submitted, clock
):
    submitted(1)
    loop = loops()
    loop.step()
    asked = []
    for second in range(200):
        before = len(maker.asked)
        if second == 130:
            maker.say(Status.IN_PRODUCTION)
        loop.step()
        if len(maker.asked) > before:
            asked.append(second)
        clock.pass_by(1)
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses[:7] == [4, 8, 16, 32, 60, 60, 2], asked


def test_a_hint_asks_at_once_and_a_strange_one_is_not_known(loops, maker, submitted, clock):
    order_id = submitted(1)
    loop = loops()
    loop.step()
    known = message_id_of(order_id, "MAKER", "Submit")
    assert loop.knows(known) and loop.knows(message_id_of(order_id, "MAKER", "Cancel"))
    assert not loop.knows("urn:uuid:nobody")
    assert loop.step() == 0
    loop.hint(known)
    loop.hint("urn:uuid:nobody")
    assert loop.step() == 1
    assert maker.asked == ["submit", "poll"]


def test_hints_without_end_do_not_make_this_server_flood_a_provider(loops, maker, submitted, clock):
    order_id = submitted(1)
    loop = loops()
    loop.step()
    known = message_id_of(order_id, "MAKER", "Submit")
    for _ in range(20):
        loop.hint(known)
        loop.step()
    assert maker.asked == ["submit", "poll"]
    clock.pass_by(2)
    assert loop.step() == 1


def test_a_provider_that_hangs_delays_nobody_elses_orders(store, loops, maker, submitted):
    class Hangs(Maker):
        def _ask(self, what):
            assert released.wait(30)

    released = Event()
    hangs, near = Hangs(), replace(FAR, id="near", provider="OTHER")
    providers = {"far": hangs, "near": maker}
    stuck = [submitted(1) for _ in range(20)]
    quick = submitted(1, near)
    loop = loops(collections={"far": FAR, "near": near}, providers=providers.get)
    loop.start()
    wait_until(lambda: part(store, quick).tracking_id is not None, 10)
    assert all(part(store, each).tracking_id is None for each in stuck)
    released.set()
    wait_until(lambda: all(part(store, each).tracking_id is not None for each in stuck), 20)


def test_news_that_come_when_all_is_over_are_known_and_ask_nobody(loops, maker, submitted, clock):
    order_id = submitted(1)
    loop = loops()
    loop.step()
    maker.say(Status.COMPLETED)
    clock.pass_by(3)
    loop.step()
    loop.step()
    late = message_id_of(order_id, "MAKER", "Submit")
    assert loop.knows(late)
    loop.hint(late)
    assert loop.step() == 0


def test_another_server_knows_what_was_passed_on_too(loops, submitted, clock):
    order_id = submitted(1)
    loops("one").step()
    other = loops("other")
    clock.pass_by(1)
    assert other.knows(message_id_of(order_id, "MAKER", "Submit"))


def test_an_outage_is_said_and_waited_for(store, loops, maker, submitted, clock):
    order_id = submitted()
    loop = loops()
    maker.fails = [ProcessingFailed("it cannot be asked now", retry=True)] * 2
    loop.step()
    said = {each.status.additional for each in items(store, order_id)}
    assert said == {"MAKER: it cannot be asked now; it is tried again"}
    with store.read() as snapshot:
        assert snapshot.desk.failing() == {"far": ("MAKER: it cannot be asked now", clock())}
    assert part(store, order_id).state is ProviderOrderState.SUBMITTING
    loop.step()
    assert maker.asked == ["submit"], "not before its time"
    clock.pass_by(5)
    loop.step()
    clock.pass_by(10)
    loop.step()
    assert part(store, order_id).tracking_id == "T1"
    with store.read() as snapshot:
        assert snapshot.desk.failing() == {}
    maker.fails = [ProcessingFailed("it cannot be asked now", retry=True)]
    clock.pass_by(60)
    loop.step()
    maker.say(Status.ACCEPTED, Status.ACCEPTED)
    clock.pass_by(60)
    loop.step()
    assert {each.status.additional for each in items(store, order_id)} == {None}


def test_a_refusal_fails_the_items_with_the_providers_reason(store, loops, maker, submitted):
    order_id = submitted()
    maker.fails = [ProcessingFailed("there is no such product", detail="fault 7")]
    loops().step()
    assert read(store, order_id).status.status is Status.FAILED
    assert {each.status.additional for each in items(store, order_id)} == {"MAKER: there is no such product"}
    assert part(store, order_id).state is ProviderOrderState.SUBMIT_REJECTED
    with store.read() as snapshot:
        assert "fault 7" in {each.detail for each in snapshot.events.of(order_id)}
        assert snapshot.provider_orders.open() == []


def test_an_order_cancelled_before_it_was_passed_on_is_never_passed_on(store, loops, maker, submitted, clock):
    order_id = submitted()
    unwanted(store, order_id, clock())
    loops().step()
    assert maker.asked == []
    assert read(store, order_id).status.status is Status.CANCELLED
    assert part(store, order_id).state is ProviderOrderState.CANCELLED


def test_cancelled_while_it_may_have_been_passed_on_it_is_found_again_and_cancelled_there(
    store, loops, maker, submitted, clock
):
    order_id = submitted()
    loop = loops()
    maker.fails = [ProcessingFailed("no answer", retry=True)]
    loop.step()
    unwanted(store, order_id, clock())
    for _ in range(3):
        clock.pass_by(10)
        loop.step()
    assert maker.cancelled == ["T1"]
    assert part(store, order_id).state is ProviderOrderState.CANCELLING
    maker.say(Status.CANCELLED, Status.CANCELLED)
    clock.pass_by(10)
    loop.step()
    assert read(store, order_id).status.status is Status.CANCELLED


def test_cancelled_while_the_provider_stays_away_it_is_given_up_here(store, loops, maker, submitted, clock):
    order_id = submitted(1)
    loop = loops()
    maker.fails = [ProcessingFailed("no answer", retry=True)] * 20
    loop.step()
    unwanted(store, order_id, clock())
    for _ in range(8):
        clock.pass_by(300)
        loop.step()
    assert read(store, order_id).status.status is Status.CANCELLED
    assert "not known" in items(store, order_id)[0].status.additional


def test_a_provider_that_does_not_cancel_goes_on_and_delivers(store, loops, maker, submitted, clock):
    order_id = submitted(1)
    loop = loops()
    loop.step()
    unwanted(store, order_id, clock())
    maker.fails = [ProcessingFailed("it does not cancel orders")]
    loop.step()
    assert "goes on" in items(store, order_id)[0].status.additional
    maker.say(Status.COMPLETED, files=(f"{HOST}/a.tif",))
    clock.pass_by(60)
    loop.step()
    assert maker.asked == ["submit", "cancel", "poll"], "it is asked to cancel once"
    assert read(store, order_id).status.status is Status.COMPLETED


def test_an_order_that_waits_for_approval_waits(store, loops, maker, submitted):
    from dataclasses import replace

    submitted(1, replace(FAR, automatic=False))
    loops().step()
    assert maker.asked == []


@pytest.mark.parametrize("is_approved", [True, False])
def test_what_operators_decide_of_an_order_of_another_provider(
    store, loops, maker, submitted, clock, is_approved
):
    from dataclasses import replace

    from oseo_lab.dispatch.desk import obey
    from oseo_lab.model.approval import Approval, Decided

    order_id = submitted(2, replace(FAR, automatic=False))
    said = Decided.APPROVED if is_approved else Decided.REJECTED
    made = Approval(decided=said, operator="olga", at=clock(), reason=None if is_approved else "no")
    loop = loops()
    loop.step()
    assert store.write(lambda work: work.desk.decide(order_id, made, clock()))
    store.write(lambda work: obey(work, 10, {"far": FAR}, clock(), Policy()))
    clock.pass_by(60)
    loop.step()
    assert maker.asked == (["submit"] if is_approved else [])
    if not is_approved:
        assert statuses(store, order_id) == [Status.CANCELLED] * 2
        assert part(store, order_id).state is ProviderOrderState.CANCELLED


def test_a_collection_that_is_gone_fails_its_items(store, loops, submitted):
    order_id = submitted(1)
    loops(collections={}).step()
    assert statuses(store, order_id) == [Status.FAILED]


def test_what_the_provider_says_of_no_item_of_ours_is_passed_over(store, loops, maker, submitted, clock):
    order_id = submitted(1)
    loop = loops()
    loop.step()
    maker.say(Status.IN_PRODUCTION, Status.FAILED, Status.FAILED)
    clock.pass_by(3)
    loop.step()
    assert statuses(store, order_id) == [Status.IN_PRODUCTION]


def test_a_bug_in_a_provider_holds_nobody_else_up(store, loops, maker, submitted, clock, caplog):
    first = submitted(1)
    maker.fails = [ZeroDivisionError("a bug")]
    loop = loops()
    loop.step()
    second = submitted(1)
    loop.step()
    assert (part(store, first).tracking_id, part(store, second).tracking_id) == (None, "T1")
    clock.pass_by(200)
    loop.step()
    assert part(store, first).tracking_id == "T2"
    with store.read() as snapshot:
        assert len(snapshot.orders.search("anna", FilteringCriteria())) == 2
