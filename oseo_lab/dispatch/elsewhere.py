"""What is saved about items that are made elsewhere: taken for one turn, moved on, let go.

All within transactions of the store; `forwarding` asks the provider in between. Statuses move through the
planner as everybody's do, results are links to where they lie, and everything that follows for the order
(roll-up, history, callbacks) follows in `settle`.
"""

from __future__ import annotations

import mimetypes
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import unquote, urlsplit

from oseo_lab.dispatch.lifecycle import way
from oseo_lab.dispatch.planner import Decision, MovedElsewhere, Policy, decide
from oseo_lab.dispatch.settle import Change
from oseo_lab.dispatch.settle import save as settle
from oseo_lab.model.collection import Collection
from oseo_lab.model.order import Order, OrderItem, ProviderOrder, ResultFile
from oseo_lab.model.status import DELIVERED, OPEN, ProviderOrderState, Status, Wanted
from oseo_lab.ports import Forwarded, ForwardedItem, UnitOfWork

__all__ = [
    "TRIED_AGAIN",
    "Hand",
    "News",
    "changes_of",
    "hand_of",
    "holder_of",
    "is_held",
    "let_go",
    "news_of",
    "save",
    "save_last",
    "take",
]

#: What a provider may say that is no step forward: it has the item, and that is known.
_NO_NEWS = frozenset({Status.SUBMITTED, Status.ACCEPTED})
#: How a text ends that holds until the provider is heard of again.
TRIED_AGAIN = "; it is tried again"
#: Longest file name made of a URL, and longest text said of an item, characters.
_NAME_LENGTH = 120
_SAID_LENGTH = 2000
#: Items read at a time while looking for the first that is open.
_PAGE = 20


@dataclass(frozen=True, kw_only=True)
class Hand:
    """One provider order, taken for one turn.

    Parameters
    ----------
    order : Order
        Without items.
    part : ProviderOrder
        As it shall be saved.
    items : tuple of OrderItem
        All of this provider's items of the order; the first open one is leased.
    """

    order: Order
    part: ProviderOrder
    items: tuple[OrderItem, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Order id and provider."""
        return self.part.order_id, self.part.provider

    @property
    def open_items(self) -> tuple[OrderItem, ...]:
        """The items that are not final."""
        return tuple(each for each in self.items if not each.status.status.is_final)

    @property
    def may_be_sent(self) -> bool:
        """Whether a turn before this one may have passed the order on."""
        return self.open_items[0].attempt > 1


@dataclass(frozen=True, slots=True)
class News:
    """Where an item stands now, what there is to say about it, for the operator too, and its files."""

    status: Status
    info: str | None = None
    detail: str | None = None
    files: tuple[ResultFile, ...] = ()


def holder_of(dispatcher: str) -> str:
    """Return the name under which a server holds what it has passed on."""
    return f"{dispatcher}-forwarding"


def take(
    work: UnitOfWork, key: tuple[str, str], holder: str, now: datetime, until: datetime
) -> OrderItem | None:
    """Lease a provider order for one turn, and count the turn; None where it is somebody else's or nobody's.

    The lease is that of its first open item, whose ``attempt`` counts the turns in which the order was about
    to be passed on: so it is known afterwards that it may have been.
    """
    part = next((each for each in work.provider_orders.of(key[0]) if each.provider == key[1]), None)
    order = work.orders.get(key[0])
    if part is None or order is None or part.closed is not None:
        return None
    first = _first_open(work, key)
    if first is None:
        _close(work, part, _items_of(work, key), now)
        return None
    if first.lease_owner not in (None, holder) and first.lease_until is not None and first.lease_until > now:
        return None
    is_waiting = first.status.status is Status.SUBMITTED or order.wanted is Wanted.SUSPENDED
    if part.tracking_id is None and is_waiting and order.wanted is not Wanted.CANCELLED:
        work.provider_orders.save(replace(part, updated=now))  # those behind it have their turn first
        return None
    attempt = first.attempt + (part.tracking_id is None)
    leased = replace(first, lease_owner=holder, lease_until=until, attempt=attempt)
    return leased if work.items.save(first, leased) else None


def hand_of(snapshot: UnitOfWork, provider: str, mine: OrderItem) -> Hand | None:
    """Return what was taken by leasing an item; None where it was lost again.

    Read after the lease was saved, which keeps everybody else from it: of thousands of items nobody who
    writes must wait for that.
    """
    key = mine.order_id, provider
    part = next((each for each in snapshot.provider_orders.of(key[0]) if each.provider == provider), None)
    order, items = snapshot.orders.get(key[0]), _items_of(snapshot, key)
    first = next((each for each in items if not each.status.status.is_final), None)
    if part is None or order is None or first is None:
        return None
    is_mine = (first.key, first.lease_owner, first.attempt) == (mine.key, mine.lease_owner, mine.attempt)
    return Hand(order=order, part=part, items=items) if is_mine else None


def _items_of(snapshot: UnitOfWork, key: tuple[str, str]) -> tuple[OrderItem, ...]:
    return tuple(each for each in snapshot.items.of(key[0]) if each.provider == key[1])


def _first_open(work: UnitOfWork, key: tuple[str, str]) -> OrderItem | None:
    """Return a provider's first item that is not final, reading few others."""
    found = (_first_of(work, key, status) for status in OPEN)
    return min((each for each in found if each is not None), key=lambda each: each.number, default=None)


def _first_of(work: UnitOfWork, key: tuple[str, str], status: Status) -> OrderItem | None:
    after = 0
    while page := work.items.of_status(key[0], status, after=after, limit=_PAGE):
        mine = next((each for each in page if each.provider == key[1]), None)
        if mine is not None:
            return mine
        after = page[-1].number
    return None


def is_held(work: UnitOfWork, hand: Hand, now: datetime) -> bool:
    """Whether the lease still holds: asked right before an order is passed on."""
    mine = hand.open_items[0]
    item = work.items.get(*mine.key)
    if item is None or item.lease_until is None:
        return False
    return (item.lease_owner, item.attempt) == (mine.lease_owner, mine.attempt) and item.lease_until > now


def let_go(work: UnitOfWork, hand: Hand, now: datetime) -> bool:
    """Give a lease back, nothing having changed."""
    mine = hand.open_items[0]
    if work.items.save(mine, replace(mine, lease_owner=None, lease_until=None)):
        work.provider_orders.save(replace(hand.part, updated=now))
    return False


def news_of(hand: Hand, forwarded: Forwarded) -> dict[int, News]:
    """Return what a provider says as news of the items; no item goes back to where it was before."""
    by_number = {each.number: each for each in hand.items}
    news = {}
    for told in forwarded.items:
        item = by_number.get(told.number)
        if item is None:
            continue
        current = item.status.status
        status = current if told.status in _NO_NEWS and current is not Status.SUSPENDED else told.status
        info = None if told.info is None else f"{hand.part.provider}: {told.info}"[:_SAID_LENGTH]
        if told.status is current and info is None:
            known = item.status.additional or ""
            info = None if known.endswith(TRIED_AGAIN) else item.status.additional
        files = _files(item, told) if status in DELIVERED else ()
        news[told.number] = News(status, info, None, files)
    return news


def _files(item: OrderItem, told: ForwardedItem) -> tuple[ResultFile, ...]:
    """Return links to results as files; only what can be fetched over HTTP is one."""
    names: Counter[str] = Counter()
    taken: set[str] = set()
    files = []
    for url in told.files:
        path = _path_of(url)
        if path is None:
            continue
        said = unquote(path.rstrip("/").rpartition("/")[2])
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", said).lstrip(".")[-_NAME_LENGTH:] or "file"
        name = _unlike(name, names, taken)
        files.append(
            ResultFile(
                order_id=item.order_id,
                number=item.number,
                attempt=item.attempt,
                name=name,
                size=0,
                sha256="",
                media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
                expires=told.expires,
                href=url,
            )
        )
    return tuple(files)


def _unlike(name: str, names: Counter[str], taken: set[str]) -> str:
    """Return a name that no other file of the item has, numbered where it comes again."""
    free = name
    while free in taken:
        names[name] += 1
        free = f"{names[name] + 1}-{name}"
    taken.add(free)
    return free


def _path_of(url: str) -> str | None:
    """Return the path of an HTTP URL; None for anything else."""
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts.path if is_http and url.isprintable() and " " not in url else None


def changes_of(hand: Hand, news: Mapping[int, News], now: datetime, policy: Policy) -> list[Change]:
    """Return what a turn brought as changes; the leased item is the last, with its lease given back."""
    mine = hand.open_items[0].number
    changes = [_change(each, news.get(each.number), each.number == mine, now, policy) for each in hand.items]
    found = [each for each in changes if each is not None]
    return sorted(found, key=lambda each: each.before.number == mine)


def save(
    work: UnitOfWork,
    changes: Sequence[Change],
    collections: Mapping[str, Collection],
    now: datetime,
    policy: Policy,
) -> list[OrderItem]:
    """Save some of a turn's changes; return the items that took them."""
    took = settle(work, changes, collections, now, policy)
    return [each.after for each, is_saved in zip(changes, took, strict=True) if is_saved]


def save_last(
    work: UnitOfWork,
    changes: Sequence[Change],
    collections: Mapping[str, Collection],
    now: datetime,
    policy: Policy,
    *,
    hand: Hand,
    saved: Sequence[OrderItem],
) -> bool:
    """Save the last of a turn's changes and with them the provider order, closed if nothing is open any more.

    Returns
    -------
    bool
        Whether any item has moved, or another thing is said of it.
    """
    kept = {each.number: each for each in (*saved, *save(work, changes, collections, now, policy))}
    if hand.open_items[0].number not in kept:
        return False  # the lease had run out: whoever has it now says what becomes of the order
    items = tuple(kept.get(each.number, each) for each in hand.items)
    if all(each.status.status.is_final for each in items):
        _close(work, hand.part, items, now)
    else:
        work.provider_orders.save(replace(hand.part, updated=now))
    return any(each.status != before.status for each, before in zip(items, hand.items, strict=True))


def _change(
    item: OrderItem, told: News | None, is_mine: bool, now: datetime, policy: Policy
) -> Change | None:
    """Return an item's way to where it stands now, with the lease given back; None where nothing changes."""
    decisions = [] if told is None else _decisions(item, told, now, policy)
    if is_mine:
        last = decisions.pop() if decisions else Decision(item=item)
        decisions.append(replace(last, item=replace(last.item, lease_owner=None, lease_until=None)))
    if not decisions:
        return None
    return Change(before=item, decisions=tuple(decisions), files=() if told is None else told.files)


def _decisions(item: OrderItem, told: News, now: datetime, policy: Policy) -> list[Decision]:
    """Return the steps of that way; what happened in between and was not seen is made up for."""
    current = item.status.status
    if told.status is not current:
        steps = way(current, told.status)
    else:
        is_new = not current.is_final and told.info != item.status.additional
        steps = (current,) if is_new else ()
    decisions: list[Decision] = []
    for number, status in enumerate(steps, start=1):
        is_last = number == len(steps)
        event = MovedElsewhere(
            status=status, info=told.info if is_last else None, detail=told.detail if is_last else None
        )
        decisions.append(decide(decisions[-1].item if decisions else item, event, now, policy))
    return decisions


def _close(work: UnitOfWork, part: ProviderOrder, items: Sequence[OrderItem], now: datetime) -> None:
    """Close a provider order: its items are final."""
    state = part.state
    if state is not ProviderOrderState.SUBMIT_REJECTED:
        delivered = any(each.status.status in DELIVERED for each in items)
        state = ProviderOrderState.CLOSED if delivered else ProviderOrderState.CANCELLED
    work.provider_orders.save(replace(part, state=state, updated=now, closed=now))
