"""The handle of a submitted order: where it stands, waiting for it, its items, its results.

What it shows is at most a second old when an attribute is read; ``repr`` and the notebook display say what
was last known and never ask. Step 18 of the walk.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from oseo_lab.client import display
from oseo_lab.client.listening import Listener
from oseo_lab.client.progress import Progress, ProgressEvent, reporter
from oseo_lab.client.standing import matching, named, products_of, wish
from oseo_lab.model.errors import (
    NotFound,
    OrderFailed,
    Problem,
    TransportError,
    Unavailable,
    WaitTimeout,
)
from oseo_lab.model.identifiers import SubscriptionId
from oseo_lab.model.messages import (
    Cancel,
    DescribeResultAccess,
    GetStatus,
    Presentation,
)
from oseo_lab.model.names import name_of, short_id
from oseo_lab.model.order import Attempt, OrderItem, StatusChange
from oseo_lab.model.order import Order as Record
from oseo_lab.model.status import Status

if TYPE_CHECKING:
    from pathlib import Path

    from oseo_lab.client.found import Found
    from oseo_lab.client.notices import Notices
    from oseo_lab.client.results import Results
    from oseo_lab.client.session import Session
    from oseo_lab.model.quotation import Price

__all__ = ["Items", "Order", "WaitInterrupted"]

#: Seconds that an attribute may be old.
FRESH = 1.0
#: Seconds without an answer after which waiting gives up.
PATIENCE = 300.0

DELIVERED = frozenset({Status.COMPLETED, Status.DOWNLOADED})


class WaitInterrupted(KeyboardInterrupt):
    """Ctrl-C while waiting: the order goes on; the text says how to come back."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]  # IPython shows this instead of a traceback


class Items(tuple[OrderItem, ...]):
    """Items of an order, with a table for notebooks."""

    def __repr__(self) -> str:
        counts = Counter(each.status.status for each in self)
        return f"{len(self)} items: {display.counted(dict(counts))}" if self else "no items"

    @property
    def reasons(self) -> dict[str, str]:
        """What there is to say about each item, by item id."""
        return {each.specification.item_id: each.status.additional or "" for each in self}

    def _repr_html_(self) -> str:
        return display.safely(self, lambda: display.card(repr(self), self.table()))

    def table(self) -> str:
        """Return the items as an HTML table."""
        rows = [
            (
                f"{display.mark(each.status.status)} {each.status.status}",
                named(each),
                each.status.additional or "",
            )
            for each in self[: display.ROWS]
        ]
        return display.table(("status", "item", ""), rows, total=len(self))


class Order:
    """A submitted order.

    Parameters
    ----------
    session : Session
        Where it was submitted.
    record : Order
        What the service said of it last.
    full : bool
        Whether the record holds the items.
    """

    def __init__(self, session: Session, record: Record, full: bool = False) -> None:
        self._session = session
        self._record = record
        self._full = full
        self._asked = time.monotonic()
        self._as_of = datetime.now(UTC)
        self._downloaded: Path | None = None

    @classmethod
    def of_id(cls, session: Session, order_id: str) -> Order:
        """Return the handle of an order by its id.

        Raises
        ------
        NotFound
            If it is unknown or another owner's.
        """
        return cls(session, _ask(session, order_id), full=True)

    # ------------------------------------------------------------------------------------ what never asks

    @property
    def id(self) -> str:
        """The service's id: ``urn:uuid:``."""
        return self._record.order_id

    @property
    def short_id(self) -> str:
        """The first eight digits of the id."""
        return short_id(self.id)

    @property
    def name(self) -> str:
        """What you called it, else its short id."""
        return name_of(self._record)

    @property
    def created(self) -> datetime | None:
        """When it was accepted, UTC."""
        return self._record.created

    @property
    def last_status(self) -> Status:
        """The status last heard of."""
        return self._record.status.status

    @property
    def record(self) -> Record:
        """What the service said last, as the model's own record."""
        return self._record

    # --------------------------------------------------------------------------------- what may ask again

    def refresh(self) -> Order:
        """Ask the service where the order stands."""
        self._record = _ask(self._session, self.id)
        self._full = True
        self._asked = time.monotonic()
        self._as_of = datetime.now(UTC)
        return self

    def _fresh(self) -> Record:
        if not self._full or time.monotonic() - self._asked > FRESH:
            self.refresh()
        return self._record

    @property
    def status(self) -> Status:
        """Where the order stands."""
        return self._fresh().status.status

    @property
    def info(self) -> str | None:
        """What the service says about the status."""
        return self._fresh().status.additional

    @property
    def items(self) -> Items:
        """The items, each with its status."""
        return Items(self._fresh().items)

    @property
    def counts(self) -> dict[Status, int]:
        """Items by status."""
        return _counts(self._fresh())

    @property
    def is_done(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.status.is_final

    @property
    def succeeded(self) -> Items:
        """The items that were delivered."""
        return Items(each for each in self.items if each.status.status in DELIVERED)

    @property
    def failed(self) -> Items:
        """The items that will not be delivered; ``.reasons`` says why."""
        return Items(
            each
            for each in products_of(self.items)
            if each.status.status.is_final and each.status.status not in DELIVERED
        )

    # ------------------------------------------------------------------------------------------ what acts

    def wait(
        self,
        timeout: float | timedelta | None = None,
        progress: Progress = None,
        check: bool = False,
    ) -> Order:
        """Wait until the order is final. Ctrl-C leaves the wait; nothing is cancelled by it.

        Parameters
        ----------
        timeout : float or timedelta, optional
            Longest wait, seconds.
        progress : bool or callable, optional
            None shows a bar in interactive sessions; a callable gets every `ProgressEvent`.
        check : bool
            Raise `OrderFailed` if an item was not delivered.

        Raises
        ------
        WaitTimeout
            If the order is still running then; ``.order`` is this handle.
        OrderFailed
            With ``check=True``, naming each item and why; ``.order`` is this handle.
        """
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        try:
            with reporter(progress) as report:
                for event in self._events(seconds):
                    report(event)
        except KeyboardInterrupt:
            raise self._left() from None
        if check:
            self._check()
        return self

    def _left(self) -> WaitInterrupted:
        text = f"Still {self.last_status}. lab.orders[{self.name!r}] brings you back; .cancel() stops it."
        if not display.in_notebook():
            display.say(text)
        return WaitInterrupted(text)

    def _events(self, timeout: float | None) -> Iterator[ProgressEvent]:
        """Yield how far it is until it is final; news end a pause early, pauses grow, with jitter."""
        began = heard = time.monotonic()
        with Listener(self._session.transport, self.id) as listener:
            while True:
                asked = time.monotonic()
                before = self._record
                try:
                    self.refresh()
                    heard = time.monotonic()
                    yield self._event(heard - began, listener.running)
                except (TransportError, Unavailable):
                    if time.monotonic() - heard > PATIENCE:
                        raise
                if self.last_status.is_final and self._full:
                    return
                listener.start()
                cost = time.monotonic() - asked
                pause = _pause(asked - began, cost, self._record != before)
                yield from self._rest(listener, cost, pause, began, timeout)

    def _rest(
        self, listener: Listener, cost: float, pause: float, began: float, timeout: float | None
    ) -> Iterator[ProgressEvent]:
        """Let a pause pass, until news come; yield how far running items are, four times a second at most."""
        start = now = time.monotonic()
        end = start + pause if timeout is None else min(start + pause, began + timeout)
        while now < end:
            moved = listener.wait(end - now)
            now = time.monotonic()
            # a large order's status takes time to send: spend at most a fifth of the time on asking
            if moved and now - start >= 4 * cost:
                return
            if moved:
                end = min(end, start + 4 * cost)
            elif now < end:
                yield self._event(now - began, listener.running)
                time.sleep(min(0.25, end - now))
                now = time.monotonic()
        if timeout is not None and now >= began + timeout:
            raise self._late(timeout)

    def _event(self, elapsed: float, running: Mapping[int, tuple[float, str]]) -> ProgressEvent:
        counts = _counts(self._record)
        failed = sum(count for status, count in counts.items() if status.is_final and status not in DELIVERED)
        in_work = {each.number for each in self._record.items if each.status.status is Status.IN_PRODUCTION}
        parts = [running[number] for number in sorted(in_work & running.keys())]
        now = f" ({parts[0][0]:.0%} {parts[0][1]}".rstrip() + ")" if len(parts) == 1 else ""
        return ProgressEvent(
            name=self.name,
            text=f"{self.last_status} · {_summary(counts)}{now}",
            done=sum(count for status, count in counts.items() if status.is_final),
            total=sum(counts.values()),
            running=sum(fraction for fraction, _ in parts),
            failed=failed,
            status=self.last_status,
            counts=counts,
            elapsed=elapsed,
        )

    def _late(self, timeout: float) -> WaitTimeout:
        late = WaitTimeout(
            f"order {self.name!r} is still {self.last_status} after {timeout:g} s; nothing was cancelled: "
            "wait() again, or cancel()"
        )
        late.order = self
        return late

    def _check(self) -> None:
        if not (failed := self.failed):
            return
        problems = [
            Problem(
                code="NoApplicableCode",
                locator="itemId",
                text=each.status.additional or str(each.status.status),
                item_id=each.specification.item_id,
            )
            for each in failed
        ]
        named = "; ".join(str(each) for each in problems[:10])
        more = f"; and {len(problems) - 10} more" if len(problems) > 10 else ""
        error = OrderFailed(
            f"{len(failed)} of {len(self.items)} items of {self.name!r} were not delivered: {named}{more}",
            problems=problems,
        )
        error.order = self
        raise error

    def cancel(self) -> Order:
        """Ask the service to cancel what is not done yet; it takes effect within seconds.

        Raises
        ------
        Conflict
            If everything is final already.
        """
        answer = self._session.transport.perform(Cancel(order_id=self.id))
        if answer.error_message:
            display.say(answer.error_message)
        return self.refresh()

    def history(self) -> list[StatusChange]:
        """Return every status change of the order and its items, oldest first."""
        return _history(self._session, self.id)[0]

    def attempts(self) -> list[Attempt]:
        """Return every try at making an item, oldest first."""
        return _history(self._session, self.id)[1]

    def suspend(self) -> Order:
        """Let a subscription order nothing more until `resume`; what it has ordered is made.

        Raises
        ------
        NotSupported
            If this is no subscription.
        """
        wish(self._session, self.id, "suspend")
        return self.refresh()

    def resume(self) -> Order:
        """Let a suspended subscription go on; what it has missed comes."""
        wish(self._session, self.id, "resume")
        return self.refresh()

    def would_match(self) -> Found:
        """Return the products a subscription would order now; nothing is ordered by asking."""
        wishes = [each.specification.identifier for each in self.record.items]
        collections = [each.collection_id for each in wishes if isinstance(each, SubscriptionId)]
        return matching(self._session, self.id, ", ".join(collections))

    def notices(self) -> Notices:
        """Return what became of the order's callbacks: every try at one, and what waits."""
        from oseo_lab.client.notices import Notices

        return Notices.read(self._session.transport.ask("GET", f"orders/{quote(self.id, safe='')}/notices"))

    def cost(self) -> list[Price]:
        """Return what the order drew and did not give back, by currency; nothing where nothing is paid."""
        from oseo_lab.client.cost import cost_of

        return cost_of(self._session.transport.ask("GET", f"orders/{quote(self.id, safe='')}/charges"))

    def results(self) -> Results:
        """Return what has been delivered so far."""
        from oseo_lab.client.results import Results

        answer = self._session.transport.perform(DescribeResultAccess(order_id=self.id))
        return Results(self._session.transport, self.id, self.name, answer.urls, answer.error_message)

    def download(self, folder: Any = ".", **how: Any) -> list[Path]:
        """Download what has been delivered so far (`Results.download`)."""
        results = self.results()
        paths = results.download(folder, **how)
        self._downloaded = results.folder
        return paths

    def to_xarray(self, folder: Any = None, **how: Any) -> Any:
        """Wait for the order, then open its results, as downloaded by this handle (`Results.to_xarray`)."""
        if not self.is_done:
            self.wait()
        return self.results().to_xarray(folder or self._downloaded, **how)

    def to_stac(self) -> Any:
        """Return the STAC items of what has been delivered so far (`Results.to_stac`)."""
        return self.results().to_stac(self._downloaded)

    # ------------------------------------------------------------------------------------------ how it looks

    def __repr__(self) -> str:
        done = f" {_in_short(_counts(self._record))}," if self._full else ""
        return f"Order({self.name!r}, id={self.short_id!r},{done} {self.last_status})"

    def __str__(self) -> str:
        lines = [
            f"order    {self.name} ({self.id})",
            f"status   {self.last_status}{_info(self._record)}",
            f"items    {_of_items(self._record) if self._full else 'not asked yet'}",
            f"made     {display.when(self.created)}, as of {display.when(self._as_of)}",
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        status = self.last_status
        counts = _counts(self._record)
        coloured = (
            f'<div><span style="color:{display.colour(status)}" aria-hidden="true">{display.mark(status)}'
            "</span> "
            f"<b>{escape(str(status))}</b>{'' if self._full else escape(_info(self._record))} "
            f'<span class="quiet">{escape(_of_items(self._record)) if self._full else ""}</span></div>'
        )
        body = coloured
        if self._full:
            body += display.bar(counts) + Items(_urgent(self._record.items)).table()
        back = f"lab.orders[{self.name!r}] · made {display.when(self.created)}"
        body += f'<div class="quiet">{escape(back)}</div>'
        return display.card(f"{self.name} · {self.short_id}", body, f"as of {display.when(self._as_of)}")


def _ask(session: Session, order_id: str) -> Record:
    answer = session.transport.perform(GetStatus(order_id=order_id, presentation=Presentation.FULL))
    if not answer.orders:
        raise NotFound(f"there is no order {order_id[:100]!r} of yours", locator="orderId")
    record: Record = answer.orders[0]
    return record


def _history(session: Session, order_id: str) -> tuple[list[StatusChange], list[Attempt]]:
    from oseo_lab.encoding.json_form import from_plain

    answer = session.transport.history(order_id)
    changes = [from_plain(StatusChange, each) for each in answer.get("history", ())]
    return changes, [from_plain(Attempt, each) for each in answer.get("attempts", ())]


def _counts(record: Record) -> dict[Status, int]:
    """Count products by status: what stands for products to come is none."""
    return dict(Counter(each.status.status for each in products_of(record.items)))


def _in_short(counts: dict[Status, int]) -> str:
    """Return counts in a few words: an order may be Completed though an item failed."""
    if not counts:
        return "no products yet"
    said = f"{sum(counts.get(each, 0) for each in DELIVERED)}/{sum(counts.values())} delivered"
    failed = counts.get(Status.FAILED, 0)
    return f"{said}, {failed} failed" if failed else said


def _summary(counts: dict[Status, int]) -> str:
    """Return counts as a sentence: what is done first, then the rest by status."""
    total = sum(counts.values())
    if not total:
        return "no products yet"
    delivered = sum(counts.get(each, 0) for each in DELIVERED)
    rest = {status: count for status, count in counts.items() if status not in DELIVERED}
    words = f"{delivered} of {total} delivered"
    return f"{words} · {display.counted(rest)}" if rest else words


def _of_items(record: Record) -> str:
    """Return how far the items are, and in how many batches they are made."""
    batches = max((each.batch for each in record.items), default=0)
    words = _summary(_counts(record))
    return f"{words} · {batches} {'batches' if batches > 1 else 'batch'}" if batches else words


def _info(record: Record) -> str:
    return f": {record.status.additional}" if record.status.additional else ""


def _pause(elapsed: float, cost: float, changed: bool) -> float:
    """Return how long to wait before asking again: at most a tenth of the wait so far, with jitter.

    A change is likely to be followed by another; a large order's status takes time to send.
    """
    pause = 0.2 if changed else min(max(0.2, elapsed / 10), 5.0)
    return max(pause, 4 * cost) * random.uniform(0.8, 1.2)


_URGENCY = {Status.FAILED: 0, Status.TERMINATED: 0, Status.IN_PRODUCTION: 1}


def _urgent(items: Iterable[OrderItem]) -> list[OrderItem]:
    """Return what went wrong first, then what runs: the rows that fit are those that matter."""
    return sorted(items, key=lambda each: _URGENCY.get(each.status.status, 2))
