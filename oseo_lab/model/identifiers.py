"""What an order item asks for (OGC 06-141r6 ``OrderItemIdType`` and its three kinds)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ItemIdentifier", "OrderType", "ProductId", "SubscriptionId", "TaskingRequestId"]


class OrderType(StrEnum):
    """``EnumOrderType`` of the schema."""

    PRODUCT_ORDER = "PRODUCT_ORDER"
    SUBSCRIPTION_ORDER = "SUBSCRIPTION_ORDER"
    TASKING_ORDER = "TASKING_ORDER"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductId:
    """A catalogued product: its identifier and, optionally, its collection."""

    identifier: str
    collection_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionId:
    """A subscription: the collection whose coming products are wanted."""

    collection_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskingRequestId:
    """A tasking request of a linked Sensor Planning Service."""

    id: str


ItemIdentifier = ProductId | SubscriptionId | TaskingRequestId
