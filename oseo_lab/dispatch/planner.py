"""What happens next to one item: pure decisions, tested as a table.

Step 10 of the walk. ``decide(item, event, now, policy)`` returns the item as it shall be and what to do
about it; the dispatcher saves first, commits, and then does it. No clock, no database, no Dask here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from oseo_lab.dispatch.lifecycle import advance, reopen
from oseo_lab.model import archive
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import REASON_LENGTH, Failure, FailureClass, ItemReport, Started
from oseo_lab.model.order import OrderItem
from oseo_lab.model.status import Status, Wanted

__all__ = [
    "PAUSED",
    "Acquired",
    "Approved",
    "BatchReleased",
    "Cancelled",
    "Claimed",
    "Decision",
    "Downloaded",
    "Expired",
    "Instruction",
    "MovedElsewhere",
    "NotComing",
    "PackageOutdated",
    "PackageReady",
    "Paused",
    "Policy",
    "Rejected",
    "Resumed",
    "StillWaiting",
    "TimeIsOver",
    "TriedAgain",
    "WaitsAgain",
    "WantedChanged",
    "decide",
]


#: What is said of what waits because its user wants that.
PAUSED = "paused at the user's request"


class Instruction(StrEnum):
    """What the dispatcher does after the commit."""

    START = "start"
    STOP = "stop"
    SETTLE = "settle"
    DROP = "drop"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How failures are tried again.

    Parameters
    ----------
    max_attempts : int
        Tries at an item whose failures are transient.
    retry_delay : float
        Seconds before the second try; doubles with each further one, up to ``max_delay``.
    max_delay : float
        Seconds.
    outage : float
        Seconds before an item is handed out again that nobody could begin, however often that happens.
    """

    max_attempts: int = 4
    retry_delay: float = 5.0
    max_delay: float = 3600.0
    outage: float = 60.0

    def delay(self, failures: int) -> timedelta:
        """Return how long to wait after so many failures."""
        return timedelta(seconds=min(self.retry_delay * 2 ** max(failures - 1, 0), self.max_delay))


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A dispatcher holds the item and will start it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedChanged:
    """The user asked for something else while the item is in other hands; ``has_begun``: a worker has it."""

    has_begun: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancelled:
    """The user does not want the item, and no worker has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Downloaded:
    """All data files of the item have been served whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expired:
    """The item's files were removed: their time was over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageReady:
    """All items of the order are final: its package can be made, if there is anything to pack."""

    delivered: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageOutdated:
    """All items of the order are final again, and some were delivered since its package was made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TriedAgain:
    """The user wants a final item tried again; ``wanted`` is what they want of the order by now."""

    wanted: Wanted = Wanted.COMPLETED


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitsAgain:
    """What the item waits for is not there yet, or not any more."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Paused:
    """The user wants the item to wait, and no worker has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumed:
    """The user wants a paused item to go on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Approved:
    """An operator lets the item be made."""

    operator: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """An operator refuses the item; ``text`` is what its user reads."""

    text: str
    operator: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchReleased:
    """The batches before the item's are done: it can be made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquired:
    """A tasking request has its product."""

    product: ProductId


@dataclass(frozen=True, kw_only=True, slots=True)
class NotComing:
    """What the item waits for will not come."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeIsOver:
    """A standing item has run its course."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StillWaiting:
    """There is something else to say of an item that waits."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MovedElsewhere:
    """Whoever makes the item elsewhere says where it stands; ``detail`` is for the operator."""

    status: Status
    info: str | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What becomes of an item.

    Parameters
    ----------
    item : OrderItem
        As it shall be saved.
    instruction : Instruction or None
        What to do once that is durable.
    author : str
        Who caused it, for the history.
    detail : str or None
        For the operator.
    """

    item: OrderItem
    instruction: Instruction | None = None
    author: str = "dispatcher"
    detail: str | None = None


def decide(item: OrderItem, event: object, now: datetime, policy: Policy) -> Decision:
    """Decide what becomes of an item.

    Parameters
    ----------
    item : OrderItem
        As it stands.
    event : object
        What happened: one of this module's events, `Started` or `ItemReport`.
    now : datetime
        UTC.
    policy : Policy
        How failures are tried again.
    """
    return _DECISIONS[type(event)](item, event, now, policy)


def _claimed(item: OrderItem, event: Claimed, now: datetime, policy: Policy) -> Decision:
    started = replace(item, attempt=item.attempt + 1, retry_at=None)
    return Decision(item=started, instruction=Instruction.START)


def _started(item: OrderItem, event: Started, now: datetime, policy: Policy) -> Decision:
    if item.status.status is Status.IN_PRODUCTION and item.attempt == 1:
        return Decision(item=item)
    info = f"try number {item.attempt}" if item.attempt > 1 else None
    if archive.waits(item.status.additional):
        info = item.status.additional  # since when it waits is remembered there
    return Decision(item=advance(item, Status.IN_PRODUCTION, now, info))


def _reported(item: OrderItem, event: ItemReport, now: datetime, policy: Policy) -> Decision:
    if event.attempt != item.attempt or item.status.status.is_final:
        return Decision(item=item, instruction=Instruction.DROP)
    if event.failure is None:
        info = None if event.earlier is None else event.earlier.words()
        return Decision(item=advance(item, Status.COMPLETED, now, info), instruction=Instruction.SETTLE)
    if event.is_unusable:
        return _made_anew(item, event.failure, now, policy)
    return _FAILURES.get(event.failure.failure_class, _failed)(item, event.failure, now, policy)


def _failed(item: OrderItem, failure: Failure, now: datetime, policy: Policy) -> Decision:
    return Decision(item=advance(item, Status.FAILED, now, failure.reason), detail=failure.detail)


def _failed_for_now(item: OrderItem, failure: Failure, now: datetime, policy: Policy) -> Decision:
    """Try again later, or give up; nobody holds the item in between."""
    if item.wanted is Wanted.CANCELLED:
        return _stopped(item, failure, now, policy)
    failures = item.failures + failure.counts
    if failure.counts and failures >= policy.max_attempts:
        tries = f"{failures} tries" if failures > 1 else "one try"
        gave_up = replace(failure, reason=f"{failure.reason} (given up after {tries})")
        return _failed(replace(item, failures=failures), gave_up, now, policy)
    retry_at = now + (policy.delay(failures) if failure.counts else timedelta(seconds=policy.outage))
    info = f"{failure.reason}; tried again at {retry_at:%Y-%m-%d %H:%M:%S} UTC"
    waiting = advance(item, item.status.status, now, info)
    waiting = replace(waiting, failures=failures, retry_at=retry_at, lease_owner=None, lease_until=None)
    return Decision(item=waiting, detail=failure.detail)


def _not_there_yet(item: OrderItem, failure: Failure, now: datetime, policy: Policy) -> Decision:
    """Let an item wait for the archive that is restoring its product; that is no try of its own."""
    if item.wanted is Wanted.CANCELLED:
        return _stopped(item, failure, now, policy)
    info = archive.said(now, failure.usually, before=item.status.additional)
    waiting = advance(item, item.status.status, now, info)
    retry_at = now + archive.look_again(failure.usually)
    return Decision(item=replace(waiting, retry_at=retry_at, lease_owner=None, lease_until=None))


def _made_anew(item: OrderItem, failure: Failure, now: datetime, policy: Policy) -> Decision:
    """Let an item be claimed again at once that could not be delivered from an earlier result."""
    if item.wanted is Wanted.CANCELLED:
        return _stopped(item, failure, now, policy)
    free = advance(item, item.status.status, now, failure.reason)
    return Decision(item=replace(free, retry_at=None, lease_owner=None, lease_until=None))


def _stopped(item: OrderItem, failure: Failure, now: datetime, policy: Policy) -> Decision:
    """End the item if its user wanted that; else leave it to whoever claims it next."""
    if item.wanted is Wanted.CANCELLED:
        return Decision(item=advance(item, Status.CANCELLED, now, _AT_REQUEST), author="user")
    free = replace(item, retry_at=now, lease_owner=None, lease_until=None)
    return Decision(item=free, detail=failure.detail)


_FAILURES: Mapping[FailureClass, Callable[[OrderItem, Failure, datetime, Policy], Decision]] = {
    FailureClass.TRANSIENT: _failed_for_now,
    FailureClass.CANCELLED: _stopped,
    FailureClass.WAITING: _not_there_yet,
}

_AT_REQUEST = "cancelled at the user's request"
_AGAIN = "tried again at the user's request"


def _wanted_changed(item: OrderItem, event: WantedChanged, now: datetime, policy: Policy) -> Decision:
    """Stop what is not wanted any more; of what is to wait only what no worker has begun."""
    is_unwanted = item.wanted is Wanted.CANCELLED
    is_to_wait = item.wanted is Wanted.SUSPENDED and not event.has_begun
    if (is_unwanted or is_to_wait) and not item.status.status.is_final:
        return Decision(item=item, instruction=Instruction.STOP)
    return Decision(item=item)


def _tried_again(item: OrderItem, event: TriedAgain, now: datetime, policy: Policy) -> Decision:
    again = replace(reopen(item, now, _AGAIN), wanted=event.wanted)
    return Decision(item=again, author="user")


def _waits_again(item: OrderItem, event: WaitsAgain, now: datetime, policy: Policy) -> Decision:
    """Put an item back among those that wait for others, whoever has it: what they make is dropped."""
    waiting = advance(item, Status.SUSPENDED, now, event.text)
    return Decision(item=replace(waiting, retry_at=None, lease_owner=None, lease_until=None))


def _paused(item: OrderItem, event: Paused, now: datetime, policy: Policy) -> Decision:
    """Hold an item back; ``retry_at`` says from when on it may go on, and tells it from those that wait."""
    held = advance(item, Status.SUSPENDED, now, PAUSED)
    held = replace(held, retry_at=item.retry_at or now, lease_owner=None, lease_until=None)
    return Decision(item=held, author="user")


def _resumed(item: OrderItem, event: Resumed, now: datetime, policy: Policy) -> Decision:
    free = advance(item, Status.ACCEPTED, now)
    is_later = item.retry_at is not None and item.retry_at > now
    return Decision(item=replace(free, retry_at=item.retry_at if is_later else None), author="user")


def _cancelled(item: OrderItem, event: Cancelled, now: datetime, policy: Policy) -> Decision:
    return Decision(item=advance(item, Status.CANCELLED, now, _AT_REQUEST), author="user")


def _downloaded(item: OrderItem, event: Downloaded, now: datetime, policy: Policy) -> Decision:
    if item.status.status is not Status.COMPLETED:
        return Decision(item=item)
    return Decision(item=advance(item, Status.DOWNLOADED, now, item.status.additional), author="user")


def _expired(item: OrderItem, event: Expired, now: datetime, policy: Policy) -> Decision:
    info = f"the result expired and was removed on {now:%Y-%m-%d}; order it again"
    return Decision(item=advance(item, item.status.status, now, info))


def _package_ready(item: OrderItem, event: PackageReady, now: datetime, policy: Policy) -> Decision:
    if item.status.status is not Status.SUSPENDED:
        return Decision(item=item)
    if item.wanted is Wanted.CANCELLED or not event.delivered:
        return Decision(item=advance(item, Status.CANCELLED, now, "there is nothing to pack"))
    return Decision(item=advance(item, Status.ACCEPTED, now))


def _package_outdated(item: OrderItem, event: PackageOutdated, now: datetime, policy: Policy) -> Decision:
    return Decision(item=reopen(item, now))


def _approved(item: OrderItem, event: Approved, now: datetime, policy: Policy) -> Decision:
    if item.status.status is not Status.SUBMITTED:
        return Decision(item=item)
    return Decision(item=advance(item, Status.ACCEPTED, now), author=event.operator)


def _rejected(item: OrderItem, event: Rejected, now: datetime, policy: Policy) -> Decision:
    if item.status.status is not Status.SUBMITTED:
        return Decision(item=item)
    return Decision(item=advance(item, Status.CANCELLED, now, event.text), author=event.operator)


def _batch_released(item: OrderItem, event: BatchReleased, now: datetime, policy: Policy) -> Decision:
    if item.status.status is not Status.SUSPENDED:
        return Decision(item=item)
    return Decision(item=replace(advance(item, Status.ACCEPTED, now), retry_at=None))


def _acquired(item: OrderItem, event: Acquired, now: datetime, policy: Policy) -> Decision:
    if item.status.status is not Status.SUSPENDED:
        return Decision(item=item)
    accepted = advance(item, Status.ACCEPTED, now, f"acquired: {event.product.identifier}")
    return Decision(item=replace(accepted, product=event.product), author="tasking service")


def _not_coming(item: OrderItem, event: NotComing, now: datetime, policy: Policy) -> Decision:
    if item.status.status is not Status.SUSPENDED:
        return Decision(item=item)
    return Decision(item=advance(item, Status.FAILED, now, event.text[:REASON_LENGTH]))


def _time_is_over(item: OrderItem, event: TimeIsOver, now: datetime, policy: Policy) -> Decision:
    if item.status.status is not Status.SUSPENDED:
        return Decision(item=item)
    return Decision(item=advance(item, Status.TERMINATED, now, event.text))


def _still_waiting(item: OrderItem, event: StillWaiting, now: datetime, policy: Policy) -> Decision:
    if item.status.status is not Status.SUSPENDED or item.status.additional == event.text:
        return Decision(item=item)
    return Decision(item=advance(item, Status.SUSPENDED, now, event.text))


def _moved_elsewhere(item: OrderItem, event: MovedElsewhere, now: datetime, policy: Policy) -> Decision:
    moved = advance(item, event.status, now, event.info)
    return Decision(item=moved, author="provider", detail=event.detail)


_DECISIONS: Mapping[type, Callable[[OrderItem, Any, datetime, Policy], Decision]] = {
    Claimed: _claimed,
    Started: _started,
    ItemReport: _reported,
    WantedChanged: _wanted_changed,
    Cancelled: _cancelled,
    Downloaded: _downloaded,
    Expired: _expired,
    PackageReady: _package_ready,
    PackageOutdated: _package_outdated,
    TriedAgain: _tried_again,
    WaitsAgain: _waits_again,
    Paused: _paused,
    Resumed: _resumed,
    MovedElsewhere: _moved_elsewhere,
    Approved: _approved,
    Rejected: _rejected,
    BatchReleased: _batch_released,
    Acquired: _acquired,
    NotComing: _not_coming,
    TimeIsOver: _time_is_over,
    StillWaiting: _still_waiting,
}
