"""What a notice tells, read when it is sent: the outbox keeps names and statuses, not whole orders.

Between relay and notifier: `complete` puts the model's own values beside what the outbox held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from oseo_lab.dispatch.notices import NOTIFY
from oseo_lab.model.names import name_of
from oseo_lab.model.notices import of_body, shown
from oseo_lab.model.notify import Channel
from oseo_lab.model.order import CallbackKind
from oseo_lab.ports import Notice, UnitOfWork

__all__ = ["complete"]


def complete(snapshot: UnitOfWork, notice: Notice) -> Notice | None:
    """Return a notice with all its notifier needs to write it; None if what it tells of is gone."""
    more = _READERS[notice.kind](snapshot, notice)
    return None if more is None else replace(notice, body={**notice.body, **more})


def _order(snapshot: UnitOfWork, notice: Notice) -> Mapping[str, Any] | None:
    """Read ``order``: in full, with the statuses of the moment the notice tells of."""
    order = snapshot.orders.get(notice.order_id)
    if order is None:
        return None
    items = tuple(snapshot.items.of(notice.order_id))
    return {"order": shown(replace(order, items=items), of_body(notice.body))}


def _quotation(snapshot: UnitOfWork, notice: Notice) -> Mapping[str, Any] | None:
    """Read ``quotation``, if there is one, what it leaves out, and what the message relates to."""
    record = snapshot.quotations.get(notice.order_id)
    if record is None or record.quotation is None or record.callback is None:
        return None
    return {
        "quotation": record.quotation,
        "error_message": record.partial,
        "relates_to": record.callback.message_id,
        "soap": record.callback.soap_version,
    }


def _notified(snapshot: UnitOfWork, notice: Notice) -> Mapping[str, Any] | None:
    """Read how the order stands, and what signs a message to a webhook; None where that was stopped."""
    order = snapshot.orders.get(notice.order_id)
    asked = snapshot.notifications.of_many((notice.order_id,)).get(notice.order_id, ())
    found = next((each for each in asked if each.notification_id == notice.body["notification"]), None)
    if order is None or found is None:
        return None
    return {
        "name": name_of(order),
        "status": order.status,
        "counts": snapshot.items.counts(order.order_id),
        "service": found.service,
        "secret": found.secret,
    }


def _nothing(snapshot: UnitOfWork, notice: Notice) -> Mapping[str, Any]:
    return {}


_READERS: Mapping[str, Callable[[UnitOfWork, Notice], Mapping[str, Any] | None]] = {
    CallbackKind.SUBMIT_RESPONSE: _order,
    CallbackKind.CANCEL_RESPONSE: _order,
    CallbackKind.QUOTATION_RESPONSE: _quotation,
    NOTIFY: _nothing,
    Channel.EMAIL: _notified,
    Channel.WEBHOOK: _notified,
}
