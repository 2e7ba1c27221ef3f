"""Waiting for an order: what is asked when, what news change, and items as they are delivered.

Events are hints: they end a pause early, what is told is what the service answered. Pauses grow; a server
that is away for a while (a restart) is waited for. Nothing here prints but the thread that waits.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from oseo_lab.client.counts import counts_of, summary
from oseo_lab.client.listening import Listener
from oseo_lab.client.progress import Interrupted, Progress, ProgressEvent, reporter
from oseo_lab.model.errors import OrderFailed, Problem, TransportError, Unavailable, WaitTimeout
from oseo_lab.model.status import DELIVERED, Status

if TYPE_CHECKING:
    from oseo_lab.client.items import Handle, Item, Items

__all__ = ["WaitInterrupted", "as_completed", "raise_failures", "wait"]

#: Seconds without an answer after which waiting gives up.
PATIENCE = 300.0


class WaitInterrupted(Interrupted):
    """Ctrl-C while waiting: the order goes on; the text says how to come back."""


def wait(order: Handle, timeout: float | None, progress: Progress) -> None:
    """Wait until an order is final, showing how far it is (`Order.wait`)."""
    try:
        with reporter(progress) as report:
            for event in _Watch(order, timeout).events():
                report(event)
    except KeyboardInterrupt:
        raise _left(order) from None


def as_completed(order: Handle, timeout: float | None, failed: bool) -> Iterator[Item]:
    """Yield items as they are delivered, each once (`Order.as_completed`)."""
    told: set[str] = set()  # by id: another service tells no numbers
    watch = _Watch(order, timeout).events(ticks=False)
    while _has_next(order, watch):
        fresh = [each for each in order.known_items.succeeded if each.id not in told]
        told.update(each.id for each in fresh)
        yield from fresh
    if failed:
        yield from order.known_items.failed


def _has_next(order: Handle, watch: Iterator[ProgressEvent]) -> bool:
    """Wait for the next answer; False when the order is final. Ctrl-C between two is the caller's own."""
    try:
        return next(watch, None) is not None
    except KeyboardInterrupt:
        raise _left(order) from None


class _Watch:
    """One wait for one order."""

    def __init__(self, order: Handle, timeout: float | None) -> None:
        self._order = order
        self._timeout = timeout
        self._began = time.monotonic()

    def events(self, ticks: bool = True) -> Iterator[ProgressEvent]:
        """Yield how far the order is, after every answer, until it is final.

        Parameters
        ----------
        ticks : bool
            Whether also how far running items are, between the answers.
        """
        order, heard = self._order, self._began
        with Listener(order.session.transport, order.id) as listener:
            while True:
                asked = time.monotonic()
                before = order.record
                try:
                    order.refresh()
                    heard = time.monotonic()
                    yield self._event(heard - self._began, listener.running)
                except (TransportError, Unavailable):
                    if time.monotonic() - heard > PATIENCE:
                        raise
                if order.last_status.is_final and order.is_full:
                    return
                listener.start()
                cost = time.monotonic() - asked
                pause = _pause(asked - self._began, cost, order.record != before)
                for event in self._rest(listener, cost, pause):
                    if ticks:
                        yield event

    def _rest(self, listener: Listener, cost: float, pause: float) -> Iterator[ProgressEvent]:
        """Let a pause pass, until news come; yield how far running items are, four times a second at most."""
        start = now = time.monotonic()
        end = start + pause if self._timeout is None else min(start + pause, self._began + self._timeout)
        while now < end:
            moved = listener.wait(end - now)
            now = time.monotonic()
            # a large order's status takes time to send: spend at most a fifth of the time on asking
            if moved and now - start >= 4 * cost:
                return
            if moved:
                end = min(end, start + 4 * cost)
            elif now < end:
                yield self._event(now - self._began, listener.running)
                time.sleep(min(0.25, end - now))
                now = time.monotonic()
        if self._timeout is not None and now >= self._began + self._timeout:
            raise _late(self._order, self._timeout)

    def _event(self, elapsed: float, running: Mapping[int, tuple[float, str]]) -> ProgressEvent:
        order = self._order
        counts = counts_of(order.record)
        failed = sum(count for status, count in counts.items() if status.is_final and status not in DELIVERED)
        in_work = {each.number for each in order.record.items if each.status.status is Status.IN_PRODUCTION}
        parts = [running[number] for number in sorted(in_work & running.keys())]
        now = f" ({parts[0][0]:.0%} {parts[0][1]}".rstrip() + ")" if len(parts) == 1 else ""
        return ProgressEvent(
            name=order.name,
            text=f"{order.last_status} · {summary(counts)}{now}",
            done=sum(count for status, count in counts.items() if status.is_final),
            total=sum(counts.values()),
            running=sum(fraction for fraction, _ in parts),
            failed=failed,
            status=order.last_status,
            counts=counts,
            elapsed=elapsed,
        )


def raise_failures(order: Handle, failed: Items) -> None:
    """Raise `OrderFailed` if any items failed, naming each and why."""
    if not failed:
        return
    problems = [
        Problem(code="NoApplicableCode", locator="itemId", text=each.reason, item_id=each.id)
        for each in failed
    ]
    named = "; ".join(str(each) for each in problems[:10])
    more = f"; and {len(problems) - 10} more" if len(problems) > 10 else ""
    count = f"{len(failed)} of {len(order.known_items)} items of {order.name!r}"
    raise OrderFailed(
        f"{count} were not delivered: {named}{more}", problems=problems, order=order, failed=failed
    )


def _left(order: Handle) -> WaitInterrupted:
    return WaitInterrupted(
        f"Still {order.last_status}. lab.orders[{order.name!r}] brings you back; .cancel() stops it."
    )


def _late(order: Handle, timeout: float) -> WaitTimeout:
    return WaitTimeout(
        f"order {order.name!r} is still {order.last_status} after {timeout:g} s; nothing was cancelled: "
        "wait() again, or cancel()",
        order=order,
    )


def _pause(elapsed: float, cost: float, changed: bool) -> float:
    """Return how long to wait before asking again: at most a tenth of the wait so far, with jitter.

    A change is likely to be followed by another; a large order's status takes time to send.
    """
    pause = 0.2 if changed else min(max(0.2, elapsed / 10), 5.0)
    return max(pause, 4 * cost) * random.uniform(0.8, 1.2)
