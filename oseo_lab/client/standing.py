"""What of an order is a product rather than a wish for some, and what only a service of ours is asked of it.

Of an `Order`: what is wished of it; of a subscription, what it would order now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from oseo_lab.client.found import Found
from oseo_lab.model.identifiers import ProductId, SubscriptionId
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.order import OrderItem

if TYPE_CHECKING:
    from oseo_lab.client.session import Session

__all__ = ["matching", "named", "products_of", "wish"]


def products_of(items: Iterable[OrderItem]) -> list[OrderItem]:
    """Return the items that are products, without those that stand for products to come."""
    return [each for each in items if not isinstance(each.specification.identifier, SubscriptionId)]


def named(item: OrderItem) -> str:
    """Return an item's id, and its product where the id does not say it, as in a subscription."""
    identifier, item_id = item.specification.identifier, item.specification.item_id
    product = identifier.identifier if isinstance(identifier, ProductId) else ""
    return f"{item_id} · {product}" if product and product != item_id else item_id


def wish(session: Session, order_id: str, verb: str) -> None:
    """Pause or resume an order of ours.

    Raises
    ------
    NotSupported
        If the service is reached over SOAP, which has no such operation.
    Conflict
        If it is final already.
    """
    session.transport.ask("POST", f"orders/{quote(order_id, safe='')}/{verb}", body={})


def matching(session: Session, order_id: str, collection_id: str) -> Found:
    """Return the products a subscription to a collection would order now. Raises as `wish`."""
    from oseo_lab.encoding.json_form import from_plain

    answer = session.transport.ask("POST", f"orders/{quote(order_id, safe='')}/match", body={})
    found = [from_plain(CatalogueItem, each) for each in answer.get("products", ())]
    return Found(found[0].collection_id if found else collection_id, found)
