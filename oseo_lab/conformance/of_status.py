"""Checks of GetStatus (06-141r6 clause 14): T-STA-1 to 5 and the rules of B.7."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from oseo_lab.conformance.subject import Subject
from oseo_lab.conformance.verdicts import Check, NotRun, demand
from oseo_lab.encoding.xmltree import OSEO, escape
from oseo_lab.model.messages import GetStatus, Presentation
from oseo_lab.model.order import Order
from oseo_lab.model.status import Status

__all__ = ["CHECKS", "UNKNOWN"]

#: An order id that no server has.
UNKNOWN = "urn:uuid:00000000-0000-4000-8000-000000000000"
_MINUTE = timedelta(minutes=1)


def _presentations(subject: Subject) -> str:
    order_id = subject.completed.order_id
    brief = subject.order(order_id, Presentation.BRIEF)
    full = subject.order(order_id, Presentation.FULL)
    demand(not brief.items, f"brief has {len(brief.items)} items")
    demand(len(full.items) == 2, f"full has {len(full.items)} items of an order of two")
    return f"full has {len(full.items)} items"


def _brief_fields(subject: Subject) -> str:
    full = subject.completed
    brief = subject.order(full.order_id, Presentation.BRIEF)
    for name in ("order_type", "order_reference", "delivery_options", "options"):
        held, said = getattr(full.specification, name), getattr(brief.specification, name)
        demand(held == said, f"{name} is {held!r} in full and {said!r} in brief")
    demand(brief.created == full.created, "orderDateTime differs between brief and full")
    return "order-level fields are in both presentations"


def _item_status(subject: Subject) -> str:
    items = subject.order(subject.completed.order_id).items
    ids = [each.specification.item_id for each in items]
    demand(sorted(ids) == ["item 1", "item 2"], f"items ordered as item 1 and 2 are called {ids}")
    return ", ".join(f"{each.specification.item_id} {each.status.status}" for each in items)


def _found(subject: Subject, order_id: str, **criteria: Any) -> bool:
    return order_id in [each.order_id for each in subject.search(**criteria)]


def _by_time(subject: Subject) -> str:
    order = subject.completed
    now = datetime.now(UTC)
    day = timedelta(days=1)
    inside = {"last_update": now - day, "last_update_end": now + day}
    demand(_found(subject, order.order_id, **inside), "an order changed today is not found by lastUpdate")
    late = {"last_update": now + day}
    demand(not _found(subject, order.order_id, **late), "lastUpdate tomorrow finds an order of today")
    early = {"last_update_end": now - day}
    demand(not _found(subject, order.order_id, **early), "lastUpdateEnd yesterday finds an order of today")
    return "lastUpdate and lastUpdateEnd bound the last change"


def _by_status(subject: Subject) -> str:
    order = subject.order(subject.completed.order_id)
    reference = order.specification.order_reference
    status = order.status.status
    both = {"order_reference": reference, "order_statuses": (status, Status.SUSPENDED)}
    demand(_found(subject, order.order_id, **both), f"not found by {status} or Suspended and its reference")
    other = {"order_reference": reference, "order_statuses": (Status.SUSPENDED,)}
    demand(not subject.search(**other), f"an order that is {status} is found as Suspended")
    only = [each.order_id for each in subject.search(order_reference=reference)]
    demand(only == [order.order_id], f"its reference finds {len(only)} orders")
    return "statuses are alternatives, criteria all hold"


def _sorted(subject: Subject) -> str:
    reference = subject.reference()
    ids = [subject.place(subject.specification(order_reference=reference)) for _ in range(3)]
    found = subject.search(order_reference=reference)
    demand({each.order_id for each in found} == set(ids), f"three orders made, {len(found)} found")
    times = [each.created for each in found if each.created is not None]
    demand(len(times) == 3, "an order has no orderDateTime to be sorted by")
    demand(times in (sorted(times), sorted(times, reverse=True)), f"not sorted by orderDateTime: {times}")
    return "ascending" if times == sorted(times) else "descending"


def _nothing(subject: Subject) -> None:
    found: tuple[Order, ...] = subject.search(order_reference="no such reference")
    demand(not found, f"a reference nobody used finds {len(found)} orders")


def _unknown(subject: Subject) -> None:
    for presentation in Presentation:
        subject.probe.ask(GetStatus(order_id=UNKNOWN, presentation=presentation)).fault(
            "InvalidOrderIdentifier", "orderId"
        )


def _strangers(subject: Subject) -> str:
    if subject.stranger is None:
        raise NotRun("needs a second identity: --other-user and --other-password-file")
    order_id = subject.completed.order_id
    asked = GetStatus(order_id=order_id)
    subject.stranger.ask(asked).fault("InvalidOrderIdentifier", "orderId")
    return "another user's order is answered as one there is not"


def _presentation_needed(subject: Subject) -> None:
    inside = f"<orderId>{escape(subject.completed.order_id)}</orderId>"
    head = f'<GetStatus xmlns="{OSEO}" service="OS" version="1.0.0">'
    for wrong in (
        inside,
        f"{inside}<presentation>medium</presentation>",
        "<presentation>full</presentation>",
    ):
        subject.probe.send(f"{head}{wrong}</GetStatus>", "GetStatus").fault()


CHECKS = (
    Check(
        "T-STA-1", "14.3; B.7", "an order in brief has no orderItem, in full has all of them", _presentations
    ),
    Check("T-STA-2", "14.3", "search by lastUpdate and lastUpdateEnd", _by_time),
    Check("T-STA-3", "14.3", "search by several orderStatus and by orderReference", _by_status),
    Check("T-STA-4", "14.4.1", "several results are sorted by orderDateTime", _sorted),
    Check("T-STA-5", "14.4.4", "an unknown order: InvalidOrderIdentifier, orderId", _unknown),
    Check("T-STA-5b", "14.4.4", "somebody else's order: the same answer", _strangers),
    Check("B7-brief", "7.3.12.1", "order-level fields are the same in brief and full", _brief_fields),
    Check("B7-items", "14.4", "every item in full has its itemId and its status", _item_status),
    Check("B7-none", "14.4", "a search that finds nothing: success and no order", _nothing),
    Check(
        "B7-choice",
        "Table 14-1",
        "no presentation, an unknown one, or neither orderId nor criteria: a fault",
        _presentation_needed,
    ),
)
