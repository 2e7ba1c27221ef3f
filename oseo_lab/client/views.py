"""An order at a glance, as every card draws it: asked of the service, or made from GetStatus.

Other services know no JSON API: what GetStatus says of the order and its items is brought into the same form
(`oseo_lab.model.view`), so that whoever draws needs one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from oseo_lab.client.counts import counts_of
from oseo_lab.client.standing import products_of
from oseo_lab.model.errors import NotSupported
from oseo_lab.model.identifiers import ProductId, SubscriptionId
from oseo_lab.model.limits import Limits, limits_of
from oseo_lab.model.names import name_of
from oseo_lab.model.order import Order as Record
from oseo_lab.model.order import OrderItem
from oseo_lab.model.status import Status
from oseo_lab.model.view import ROWS, Action, FailureGroup, ItemRow, OrderSummary, OrderView

if TYPE_CHECKING:
    from oseo_lab.client.items import Handle
    from oseo_lab.client.session import Session

__all__ = ["ask_view", "instance_of", "summary_of", "view_of"]

_FAILED = frozenset({Status.FAILED, Status.TERMINATED})
#: Which rows are shown first: what failed, what runs, what waits, what is there.
_URGENCY = {Status.FAILED: 0, Status.TERMINATED: 0, Status.IN_PRODUCTION: 1, Status.SUSPENDED: 2}
#: Most items named with a failure.
_NAMED = 20


def ask_view(order: Handle) -> OrderView:
    """Ask the service where an order stands, at a glance.

    Raises
    ------
    NotFound
        If the service does not know it.
    TransportError
        If it does not answer.
    """
    from oseo_lab.encoding.json_form import from_plain

    path = f"orders/{quote(order.id, safe='')}/view"
    try:
        view: OrderView = from_plain(OrderView, dict(order.session.transport.ask("GET", path)))
        return view
    except NotSupported:
        order.refresh()
        return view_of(order.record, order.session.owner)


def view_of(record: Record, owner: str = "", as_of: datetime | None = None) -> OrderView:
    """Return the view of what GetStatus said of an order."""
    items = products_of(record.items)
    rows = sorted(_rows(items), key=lambda each: _URGENCY.get(each.status, 4 if each.size else 3))
    running = [each for each in items if not each.status.status.is_final]
    return OrderView(
        summary=summary_of(record, owner),
        revision=0,
        as_of=as_of or datetime.now(UTC),
        rows=tuple(rows[:ROWS]),
        failures=_failures(items),
        actions=(Action.CANCEL,) if running else (),
        limits=_limits(record),
        batches=max((each.batch for each in record.items), default=0),
    )


def summary_of(record: Record, owner: str = "") -> OrderSummary:
    """Return an order at a glance, of what GetStatus said."""
    moments = [each.updated for each in record.items if each.updated]
    return OrderSummary(
        order_id=record.order_id,
        name=name_of(record),
        owner=owner,
        status=record.status.status,
        info=record.status.additional,
        order_type=record.specification.order_type,
        collections=tuple(dict.fromkeys(filter(None, map(_collection, record.items)))),
        counts=counts_of(record),
        created=record.created,
        updated=max(moments, default=record.created),
    )


def instance_of(session: Session) -> str | None:
    """Return which service a session talks to, if it has said so already; nothing is asked."""
    about: Any = vars(session).get("about") or {}
    said = about.get("instance")
    return None if said is None else str(said)


def _rows(items: Iterable[OrderItem]) -> list[ItemRow]:
    return [
        ItemRow(
            number=each.number or place,
            item_id=each.specification.item_id,
            identifier=_identifier(each),
            status=each.status.status,
            info=each.status.additional,
            attempt=each.attempt,
            retry_at=each.retry_at,
        )
        for place, each in enumerate(items, 1)
    ]


def _identifier(item: OrderItem) -> str:
    found = item.product or item.specification.identifier
    return found.identifier if isinstance(found, ProductId) else item.specification.item_id


def _collection(item: OrderItem) -> str:
    found = item.specification.identifier
    said = found.collection_id if isinstance(found, ProductId | SubscriptionId) else None
    return item.collection_id or said or ""


def _failures(items: Iterable[OrderItem]) -> tuple[FailureGroup, ...]:
    """Return what failed, by what is said of it; whether trying again helps is not known."""
    failed = [each for each in items if each.status.status in _FAILED]
    reasons = Counter(each.status.additional or str(each.status.status) for each in failed)
    return tuple(
        FailureGroup(
            failure=None,
            reason=reason,
            count=count,
            item_ids=tuple(
                each.specification.item_id
                for each in failed
                if (each.status.additional or str(each.status.status)) == reason
            )[:_NAMED],
        )
        for reason, count in reasons.most_common()
    )


def _limits(record: Record) -> Limits:
    try:
        return limits_of(record.specification)
    except ValueError:  # another service's extensions are its own
        return Limits()
