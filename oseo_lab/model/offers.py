"""What GetOptions answers: option groups, with what can be delivered, paid and cut out (06-141r6 7.3.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from oseo_lab.model.definitions import OptionDefinition
from oseo_lab.model.delivery import PackageMedium, Protocol
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.option_rules import OptionRule

__all__ = ["OptionLevel", "OrderOptions", "PaymentOption", "ProductDelivery", "SceneSelectionOption"]


class OptionLevel(StrEnum):
    """Where an option may be chosen."""

    BOTH = "both"
    ORDER = "order"
    ITEM = "item"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductDelivery:
    """``productDeliveryOptions``: one kind of delivery and what it offers; exactly one is filled."""

    online_access: tuple[Protocol, ...] = ()
    online_delivery: tuple[Protocol, ...] = ()
    media: tuple[PackageMedium, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentOption:
    """``paymentOptions``: a payment method and where it is explained."""

    payment_method: str
    info_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneSelectionOption:
    """``sceneSelectionOption``: one admissible policy; no parameters means "take it as it is"."""

    name: str | None = None
    description: str | None = None
    parameters: tuple[OptionDefinition, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderOptions:
    """``CommonOrderOptionsType``: one valid combination of options, as GetOptions answers it.

    ``rules`` say which of its choices go together (`option_rules`), ``levels`` which of them are the order's
    or an item's only; XML has no place for either.
    """

    product_order_options_id: str
    order_type: OrderType = OrderType.PRODUCT_ORDER
    deliveries: tuple[ProductDelivery, ...] = ()
    identifier: str | None = None
    description: str | None = None
    options: tuple[OptionDefinition, ...] = ()
    info_url: str | None = None
    payments: tuple[PaymentOption, ...] = ()
    scene_selections: tuple[SceneSelectionOption, ...] = ()
    rules: tuple[OptionRule, ...] = ()
    levels: Mapping[str, OptionLevel] = field(default_factory=dict)
