"""What of an order was delivered already: the same product, made with the same options, and still kept.

Looked for among your last orders, so that nobody pays twice for what lies there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from oseo_lab.client.refusals import entries_of
from oseo_lab.client.session import Session
from oseo_lab.encoding.json_form import from_plain
from oseo_lab.model.errors import OseoError
from oseo_lab.model.messages import GetStatus, Presentation
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, Order, OrderSpecification
from oseo_lab.model.status import DELIVERED
from oseo_lab.model.view import OrderSummary

__all__ = ["delivered_before"]

#: Most of your orders that are looked through, newest first, and most items of each.
ORDERS, ITEMS = 4, 200


def delivered_before(session: Session, specification: OrderSpecification) -> dict[str, str]:
    """Return by item id in which order, and when, the same was delivered.

    Parameters
    ----------
    session : Session
        Whose orders are looked through.
    specification : OrderSpecification
        What is about to be ordered.
    """
    wanted = {_same(specification, each): each.item_id for each in specification.items}
    found: dict[str, str] = {}
    try:
        for called, order in _orders(session):
            for item in order.items:
                name = wanted.get(_same(order.specification, item.specification))
                if name is not None and item.status.status in DELIVERED:
                    when = "" if item.updated is None else f" on {item.updated:%Y-%m-%d}"
                    found.setdefault(name, f"already delivered{when} in {called}")
    except OseoError:  # another service, or none just now: nothing is claimed then
        return found
    return found


def _orders(session: Session) -> Iterator[tuple[str, Order]]:
    """Yield name and items of your last orders of which something was delivered and is still kept."""
    answer = session.transport.ask("GET", "orders/summaries", params={"limit": 4 * ORDERS})
    now, left = datetime.now(UTC), ORDERS
    for each in entries_of(answer, "orders"):
        summary = from_plain(OrderSummary, each)
        gone = summary.expires is not None and summary.expires < now
        count = sum(summary.counts.values())
        if not left or gone or count > ITEMS or not any(summary.counts.get(one) for one in DELIVERED):
            continue
        left -= 1
        status = GetStatus(order_id=summary.order_id, presentation=Presentation.FULL)
        yield from ((summary.name, order) for order in session.transport.perform(status).orders)


def _same(specification: OrderSpecification, item: ItemSpecification) -> Any:
    """Return what makes two items the same: product, options, what is cut out, container."""
    chosen = {**_values(specification.options), **_values(item.options)}
    named = (getattr(item.identifier, "collection_id", None), getattr(item.identifier, "identifier", None))
    return repr(
        (
            named,
            sorted(chosen.items()),
            sorted(_values(item.scene_selections).items()),
            specification.packaging,
        )
    )


def _values(selections: tuple[ParameterData, ...]) -> Mapping[str, str]:
    return {name: repr(value) for each in selections for name, value in (*each.values, ("", each.text))}
