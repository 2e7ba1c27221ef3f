"""What users were told and what waits to be told; and the schema of order events.

Beside the standard, which says nothing of how callbacks fare: a user whose receiver hears nothing can read
here what was tried, when, and how it failed.
"""

from __future__ import annotations

from typing import Any

from oseo_lab.encoding.order_events import event_schema
from oseo_lab.model.notify import about
from oseo_lab.operations.reading import Reading
from oseo_lab.ports import Notice, Sending
from oseo_lab.web.base import door
from oseo_lab.web.json_door import JsonHandler
from oseo_lab.web.rest import PartHandler

__all__ = ["EventSchemaHandler", "NoticesHandler"]


class NoticesHandler(PartHandler):
    """``GET api/v1/orders/{id}/notices``: messages that wait, and every try at sending one."""

    @door
    async def get(self, order: str) -> None:
        """Send what became of an order's notices, oldest first."""
        await self.read(order, _collect)


def _collect(snapshot: Any, found: Reading) -> dict[str, Any]:
    waiting = snapshot.outbox.waiting(found.order.order_id)
    sendings = snapshot.sendings.of(found.order.order_id)
    known = {each.notice_id: about(each.kind, each.body) for each in waiting}
    known |= {each.notice_id: about(each.kind, each.body) for each in sendings if each.body is not None}
    return {
        "waiting": [{**_waiting(each), "about": known[each.notice_id]} for each in waiting],
        "sendings": [_sent(each, known.get(each.notice_id, each.kind)) for each in sendings],
    }


def _sent(sending: Sending, what: str) -> dict[str, Any]:
    """Return a try without what was said."""
    return {
        "order_id": sending.order_id,
        "kind": sending.kind,
        "address": sending.address,
        "at": sending.at,
        "attempt": sending.attempt,
        "outcome": sending.outcome,
        "notice_id": sending.notice_id,
        "is_last": sending.is_last,
        "about": what,
    }


def _waiting(notice: Notice) -> dict[str, Any]:
    """Return a notice without what it says: that is told when it is sent."""
    return {
        "notice_id": notice.notice_id,
        "kind": notice.kind,
        "address": notice.address,
        "attempts": notice.attempts,
        "due": notice.due,
    }


class EventSchemaHandler(JsonHandler):
    """``GET order-events.xsd``: what a Notify's Message holds; open."""

    @door
    async def get(self) -> None:
        """Send the schema."""
        self.answer(event_schema(), "application/xml; charset=utf-8")

    head = get
