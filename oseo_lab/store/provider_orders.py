"""Provider orders: the parts of orders that one provider fulfils, and which others must be asked about."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.order import ProviderOrder
from oseo_lab.store import tables
from oseo_lab.store.order_records import PROVIDER_ORDER_COLUMNS, provider_order_from_row, provider_order_row
from oseo_lab.store.session import Session, Statement, among_statements, insert_of, limited

__all__ = ["ADD_PART", "PARTS", "ProviderOrders"]

_p = tables.provider_orders.c
_PART = [_p[name] for name in PROVIDER_ORDER_COLUMNS]

ADD_PART = Statement(insert_of(tables.provider_orders, PROVIDER_ORDER_COLUMNS), *PROVIDER_ORDER_COLUMNS)
PARTS = among_statements(_p.order_ref, *_PART)
_SAVE_PART = Statement(
    sa.update(tables.provider_orders)
    .values(
        state=bindparam("to_state"),
        tracking_id=bindparam("to_tracking_id"),
        updated=bindparam("to_updated"),
        closed=bindparam("to_closed"),
        watched=bindparam("to_watched"),
    )
    .where(_p.order_ref == bindparam("key"), _p.provider == bindparam("key_provider")),
    "key",
    "key_provider",
    "to_state",
    "to_tracking_id",
    "to_updated",
    "to_closed",
    "to_watched",
)
_OPEN_PARTS = Statement(
    limited(sa.select(*_PART).where(_p.watched.is_not(None)).order_by(_p.watched, _p.order_ref, _p.provider)),
    "limit",
)
_BY_TRACKING = Statement(
    sa.select(*_PART).where(
        _p.tracking_id == bindparam("tracking_id"),
        _p.tracking_id.is_not(None),
        _p.provider == bindparam("provider"),
    ),
    "tracking_id",
    "provider",
)


class ProviderOrders:
    """`oseo_lab.ports.ProviderOrders` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, order_id: str) -> list[ProviderOrder]:
        """Return an order's provider orders."""
        ref = self._session.order_ref(order_id)
        rows = [] if ref is None else self._session.all(PARTS[1], (ref,))
        return [provider_order_from_row(row, order_id, self._session) for row in rows]

    def save(self, provider_order: ProviderOrder) -> None:
        """Save state, tracking id and times."""
        ref = self._session.order_ref(provider_order.order_id)
        if ref is not None:
            self._session.run(_SAVE_PART, provider_order_row(ref, provider_order, self._session))

    def open(self, limit: int = 500) -> list[ProviderOrder]:
        """Return provider orders of others than LOCAL that are not closed, oldest ``updated`` first."""
        return self._named(self._session.all(_OPEN_PARTS, (limit,)))

    def by_tracking(self, provider: str, tracking_id: str) -> ProviderOrder | None:
        """Return the provider order that a provider knows by this id."""
        provider_ref = self._session.find(provider)
        if provider_ref is None:
            return None
        found = self._named(self._session.all(_BY_TRACKING, (tracking_id, provider_ref)))
        return found[0] if found else None

    def _named(self, rows: list[tuple[Any, ...]]) -> list[ProviderOrder]:
        names = self._session.order_ids(row[0] for row in rows)
        return [provider_order_from_row(row, names[row[0]], self._session) for row in rows]
