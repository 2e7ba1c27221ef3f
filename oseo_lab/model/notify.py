"""Who asked to hear of an order by mail or webhook, of what, and how a message puts it.

Beside the standard's own callbacks (`oseo_lab.model.notices`). Quiet by default: nobody is told who did not
ask, and what happens in crowds is gathered into one message. The outbox keeps entries, plain as JSON holds
them; words are made of them when a message is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from oseo_lab.model.status import DELIVERED, Status

__all__ = [
    "CHANNELS",
    "DIGEST_HOUR",
    "Channel",
    "Digest",
    "Event",
    "Notification",
    "about",
    "added",
    "address_of_mail",
    "entry_of_expiring",
    "entry_of_items",
    "entry_of_order",
    "final_events",
    "may_get_mail",
    "next_digest",
    "sentence",
]

#: Hour, UTC, at which digests go out: daily ones every day, weekly ones on Mondays.
DIGEST_HOUR = 8
_MONDAY = 0
#: Most items that one entry names, and most entries of one message.
MOST_NAMED, MOST_ENTRIES = 20, 100
#: Of these, most that tell of an order and not of its items.
_MOST_OTHERS = 10
#: Longest reason that is repeated, characters.
_LONGEST = 300
_MAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


class Channel(StrEnum):
    """How somebody is told."""

    EMAIL = "email"
    WEBHOOK = "webhook"


#: Kinds of notices that a notification makes; each is a notifier's name too.
CHANNELS = frozenset(each.value for each in Channel)


class Event(StrEnum):
    """What somebody may ask to hear of.

    ``failed`` is all that will not be delivered: failed, cancelled or rejected orders, and items of orders
    that are made in batches. ``delivered`` comes when a batch is done, or after an hour at the latest.
    """

    COMPLETED = "completed"
    FAILED = "failed"
    DELIVERED = "delivered"
    EXPIRING = "expiring"


class Digest(StrEnum):
    """When a message goes out: at once, or gathered until the next day's or Monday's `DIGEST_HOUR`."""

    IMMEDIATE = "immediate"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """That somebody is told of one order.

    Parameters
    ----------
    notification_id : str
        Its own name, a UUID.
    order_id : str
        Which order.
    channel : Channel
        By mail or webhook.
    address : str
        Where to.
    on : tuple of Event
        Of what.
    digest : Digest
        When.
    created : datetime
        Since when, UTC.
    secret : bytes or None
        What messages to a webhook are signed with; told once, never shown.
    service : str
        Where this service was for whoever asked, ending in ``/oseo/``.
    warned : datetime or None
        Results that expire up to then were told of, UTC.
    """

    notification_id: str
    order_id: str
    channel: Channel
    address: str
    on: tuple[Event, ...]
    digest: Digest = Digest.IMMEDIATE
    created: datetime
    secret: bytes | None = field(default=None, repr=False)
    service: str = ""
    warned: datetime | None = None


def next_digest(digest: Digest, now: datetime) -> datetime:
    """Return when a message that is owed now goes out, UTC."""
    if digest is Digest.IMMEDIATE:
        return now
    today = now.astimezone(UTC).replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    days = (_MONDAY - today.weekday()) % 7 if digest is Digest.WEEKLY else 0
    found = today + timedelta(days=days)
    return found if found > now else found + timedelta(days=7 if digest is Digest.WEEKLY else 1)


def address_of_mail(address: str) -> bool:
    """Whether mail can be sent to an address: ``name@host`` in ASCII, nothing else, no encoded word."""
    is_plain = ".." not in address and "=?" not in address
    return is_plain and len(address) <= 254 and _MAIL.fullmatch(address) is not None


def may_get_mail(address: str, domains: Sequence[str]) -> bool:
    """Whether mail may go to an address: to any domain where none is named."""
    domain = address.rpartition("@")[2].lower()
    return not domains or domain in {each.strip().removeprefix("@").lower() for each in domains}


def final_events(status: Status, counts: Mapping[Status, int]) -> frozenset[Event]:
    """Return what it is to its users that an order is over."""
    found = set()
    if status in (*DELIVERED, Status.TERMINATED):
        found.add(Event.COMPLETED)
    if status in (Status.FAILED, Status.CANCELLED) or counts.get(Status.FAILED):
        found.add(Event.FAILED)
    return frozenset(found)


# ------------------------------------------------------------------------------------------ what happened


def entry_of_order(event: Event, status: Status, info: str | None, at: datetime) -> dict[str, Any]:
    """Return the entry of an order that is over."""
    said = {"info": info[:_LONGEST]} if info else {}
    return {"event": event.value, "at": _text(at), "status": status.value, **said}


def entry_of_items(event: Event, names: Sequence[str], reason: str | None, at: datetime) -> dict[str, Any]:
    """Return the entry of items that were delivered, or failed for a reason."""
    said = {"info": reason[:_LONGEST]} if reason else {}
    return {
        "event": event.value,
        "at": _text(at),
        "count": len(names),
        "items": [*names[:MOST_NAMED]],
        **said,
    }


def entry_of_expiring(count: int, first: datetime, at: datetime) -> dict[str, Any]:
    """Return the entry of deliveries that are removed soon."""
    return {"event": Event.EXPIRING.value, "at": _text(at), "count": count, "until": _text(first)}


def added(entries: Iterable[Mapping[str, Any]], more: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return entries with more of them: items of one event and reason become one entry.

    Where there are too many reasons, the further ones are not told apart. That an order is over is told
    however much there is; of many ends the last ones.
    """
    found = [dict(each) for each in entries]
    for new in more:
        if "items" in new:
            _add_items(found, dict(new))
            continue
        others = [each for each in found if "items" not in each]
        if len(others) >= _MOST_OTHERS:
            found.remove(others[0])
        found.append(dict(new))
    return found


def _add_items(found: list[dict[str, Any]], new: dict[str, Any]) -> None:
    same = next((each for each in found if _key(each) == _key(new)), None)
    if same is None and len(found) >= MOST_ENTRIES - _MOST_OTHERS:
        new.pop("info", None)
        same = next((each for each in found if _key(each) == _key(new)), None)
    if same is None:
        found.append(new)
        return
    names = list(dict.fromkeys([*same["items"], *new["items"]]))
    same.update(count=same["count"] + new["count"], items=names[:MOST_NAMED], at=new["at"])


def _key(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return entry["event"], "items" in entry, entry.get("info")


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---------------------------------------------------------------------------------------------- in words


def sentence(entry: Mapping[str, Any]) -> str:
    """Return an entry as one sentence, without the order's name."""
    info = f": {entry['info']}" if entry.get("info") else ""
    if "items" in entry:
        names, count = sorted(entry["items"]), int(entry["count"])
        more = f" and {count - len(names)} more" if count > len(names) else ""
        verb = "delivered" if entry["event"] == Event.DELIVERED else "failed"
        return f"{_items(count)} {verb} ({', '.join(names)}{more}){info}"
    if entry["event"] == Event.EXPIRING:
        until = str(entry["until"]).replace("T", " ")[:16]
        return f"results of {_items(int(entry['count']))} are removed, the first at {until} UTC: fetch them"
    return f"{str(entry['status']).lower()}{info}"


def about(kind: str, body: Mapping[str, Any]) -> str:
    """Return what a notice of any kind is about, in few words, for the delivery log."""
    if kind not in CHANNELS:
        order = body.get("order")
        return f"{kind}: {order[0]}" if isinstance(order, list) and order else kind
    said = [_in_short(each) for each in body.get("entries", ())]
    digest = body.get("digest", Digest.IMMEDIATE)
    head = f"{digest} digest: " if digest != Digest.IMMEDIATE else ""
    return head + ", ".join(dict.fromkeys(said))


def _in_short(entry: Mapping[str, Any]) -> str:
    if "items" in entry or entry["event"] == Event.EXPIRING:
        return f"{entry['count']} {entry['event']}"
    return str(entry["status"]).lower()


def _items(count: int) -> str:
    return f"{count} {'item' if count == 1 else 'items'}"
