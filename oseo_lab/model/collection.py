"""What can be ordered: collections, the option groups they offer, and what they accept.

A `Collection` is data from an operator's TOML file, completed by the options its processor declares.
GetCapabilities, GetOptions, Submit's checks and forms all read this one value, so the service cannot
advertise what it does not do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from oseo_lab.model.delivery import (
    REFUSED_PACKAGING,
    DeliveryOptions,
    OnlineDataAccess,
    PackageMedium,
    Packaging,
    Protocol,
)
from oseo_lab.model.errors import Problem
from oseo_lab.model.identifiers import OrderType, ProductId
from oseo_lab.model.options import PATTERN_LENGTH, OptionDefinition, check_selections, selected
from oseo_lab.model.order import LOCAL, ItemSpecification, OrderSpecification

__all__ = [
    "Collection",
    "CollectionCapability",
    "DeliveryRule",
    "OptionLevel",
    "OrderOptions",
    "PaymentOption",
    "ProductDelivery",
    "SceneSelectionOption",
    "Scope",
    "SubscriptionRule",
    "TaskingRule",
]


class Scope(StrEnum):
    """What one package holds."""

    ITEM = "item"
    ORDER = "order"


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
    """``CommonOrderOptionsType``: one valid combination of options, as GetOptions answers it."""

    product_order_options_id: str
    order_type: OrderType = OrderType.PRODUCT_ORDER
    deliveries: tuple[ProductDelivery, ...] = ()
    identifier: str | None = None
    description: str | None = None
    options: tuple[OptionDefinition, ...] = ()
    info_url: str | None = None
    payments: tuple[PaymentOption, ...] = ()
    scene_selections: tuple[SceneSelectionOption, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionCapability:
    """``CollectionCapability``: what is said of one collection (None: as the service)."""

    collection_id: str
    product_orders: bool | None = None
    subscription_orders: bool | None = None
    describe_result_access: bool | None = None
    cancel: bool | None = None
    cancel_asynchronous: bool = False


@dataclass(frozen=True, kw_only=True)
class DeliveryRule:
    """How a collection's products are delivered.

    Parameters
    ----------
    access : tuple of Protocol
        Protocols of on-line data access.
    days : float
        Days a result stays, from its delivery.
    packaging : tuple of Packaging
        Containers offered; none means files as they are.
    scope : Scope
        Whether a package holds one item or the whole order.
    """

    access: tuple[Protocol, ...] = (Protocol.HTTP, Protocol.HTTPS)
    days: float = 10.0
    packaging: tuple[Packaging, ...] = tuple(each for each in Packaging if each not in REFUSED_PACKAGING)
    scope: Scope = Scope.ITEM


@dataclass(frozen=True, kw_only=True)
class SubscriptionRule:
    """How standing orders on a collection are served.

    Parameters
    ----------
    every : float
        Seconds between two looks at the catalogue.
    lateness : float
        Days a product may appear in the catalogue after its acquisition and still be found.
    max_days : float
        Longest date range, days.
    options_id : str
        ``productOrderOptionsId`` of the subscription's option group.
    """

    every: float = 3600.0
    lateness: float = 30.0
    max_days: float = 3660.0
    options_id: str = "subscription"


@dataclass(frozen=True, kw_only=True)
class TaskingRule:
    """How tasking requests become products of a collection.

    Parameters
    ----------
    pattern : str
        Regular expression that whole tasking request ids match.
    use : str
        Entry-point name or ``module:attr`` of the tasking plugin.
    settings : mapping
        What it needs; relative paths are already resolved.
    every : float
        Seconds between two questions.
    options_id : str
        ``productOrderOptionsId`` of the tasking's option group.
    """

    pattern: str
    use: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    every: float = 60.0
    options_id: str = "tasking"


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One thing to order from.

    Parameters
    ----------
    id, title, description : str
        ``collectionId`` (1 to 255 characters), and for people.
    provider : str
        Who fulfils its items.
    processor : str
        Entry-point name or ``module:attr`` of the processor.
    fixed : mapping
        Options the operator has settled, handed to the processor as they are.
    catalogue : str
        Entry-point name or ``module:attr`` of the catalogue.
    catalogue_settings : mapping
        What the catalogue needs, such as ``href``; relative paths are already resolved.
    pattern : str
        Regular expression that whole product identifiers match.
    delivery : DeliveryRule
        How results reach their users.
    options : tuple of OptionDefinition
        What can be chosen, the processor's narrowed by the operator's.
    scene_options : tuple of OptionDefinition
        What can be cut out of a product.
    levels : mapping of str to OptionLevel
        Options that may be chosen at one level only.
    max_items : int
        Most items of one order.
    max_bytes : int or None
        Most bytes of one item's input, None for no limit.
    automatic : bool
        Whether orders are accepted without a person's approval.
    options_id : str
        ``productOrderOptionsId`` of its option group, at most 40 characters.
    groups : tuple of OrderOptions
        Option groups an operator declares or hands in as a document; none means one group of ``options``.
    payments : tuple of PaymentOption
        Payment methods offered; none means that payment is not asked for.
    product_orders : bool
        Whether product orders are taken.
    subscription : SubscriptionRule or None
        How standing orders are served; None where they are not taken.
    tasking : TaskingRule or None
        How tasking requests become products; None where they do not.
    batch : int
        Most items of one order in work at a time: larger orders are massive, made batch after batch.
    quoter : str
        Entry-point name or ``module:attr`` of the quoter; empty where nothing is quoted.
    quoter_settings : mapping
        What the quoter needs: a tariff.
    provider_plugin : str
        Entry-point name or ``module:attr`` of the provider; empty for LOCAL.
    provider_settings : mapping
        What the provider needs, such as ``href`` and ``collection``.
    """

    id: str
    title: str = ""
    description: str = ""
    provider: str = LOCAL
    processor: str = "copy"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    catalogue: str = "folder"
    catalogue_settings: Mapping[str, Any] = field(default_factory=dict)
    pattern: str = ".+"
    delivery: DeliveryRule = field(default_factory=DeliveryRule)
    options: tuple[OptionDefinition, ...] = ()
    scene_options: tuple[OptionDefinition, ...] = ()
    levels: Mapping[str, OptionLevel] = field(default_factory=dict)
    max_items: int = 10_000
    max_bytes: int | None = None
    automatic: bool = True
    options_id: str = "standard"
    groups: tuple[OrderOptions, ...] = ()
    payments: tuple[PaymentOption, ...] = ()
    product_orders: bool = True
    subscription: SubscriptionRule | None = None
    tasking: TaskingRule | None = None
    batch: int = 1000
    quoter: str = ""
    quoter_settings: Mapping[str, Any] = field(default_factory=dict)
    provider_plugin: str = ""
    provider_settings: Mapping[str, Any] = field(default_factory=dict)

    def holds(self, identifier: str) -> bool:
        """Whether a product identifier has this collection's pattern."""
        return len(identifier) <= PATTERN_LENGTH and re.fullmatch(self.pattern, identifier) is not None

    def order_options(self, identifier: str | None = None) -> OrderOptions:
        """Return the option group GetOptions answers, for the collection or for one product."""
        return OrderOptions(
            product_order_options_id=self.options_id,
            identifier=identifier,
            description=(self.title or self.id)[:255],
            deliveries=(ProductDelivery(online_access=self.delivery.access),),
            options=self.options,
            scene_selections=(SceneSelectionOption(name="area", parameters=self.scene_options),)
            if self.scene_options
            else (),
        )

    def chosen(self, specification: OrderSpecification, item: ItemSpecification) -> dict[str, Any]:
        """Return every option's Python value for one item: item over order over preset, then fixed ones."""
        values = selected(self.options, (*specification.options, *item.options))
        return values | dict(self.fixed)

    def scene(self, item: ItemSpecification) -> dict[str, Any]:
        """Return the Python values of an item's scene selection."""
        return selected(self.scene_options, item.scene_selections)

    def check_order(self, specification: OrderSpecification) -> Iterator[Problem]:
        """Yield what is wrong with an order's own part: its options, packaging and delivery."""
        offered = {each.name: each for each in self.options if self.levels.get(each.name) != OptionLevel.ITEM}
        yield from check_selections(offered, specification.options, check_missing=False)
        yield from self._check_packaging(specification.packaging)
        yield from self._check_delivery(specification.delivery_options, None)

    def check_item(
        self, item: ItemSpecification, at_order: frozenset[str] = frozenset()
    ) -> Iterator[Problem]:
        """Yield what is wrong with one item; ``at_order`` names the options chosen at order level."""
        offered = {
            each.name: each for each in self.options if self.levels.get(each.name) != OptionLevel.ORDER
        }
        yield from check_selections(offered, item.options, item_id=item.item_id, inherited=at_order)
        yield from check_selections(
            {each.name: each for each in self.scene_options}, item.scene_selections, item_id=item.item_id
        )
        yield from self._check_delivery(item.delivery_options, item.item_id)
        if item.product_order_options_id not in (None, self.options_id):
            yield Problem(
                code="InvalidParameterValue",
                locator="productOrderOptionsId",
                text=f"there is no option group {item.product_order_options_id!r}; "
                f"allowed: {self.options_id}",
                item_id=item.item_id,
            )
        if isinstance(item.identifier, ProductId) and not self.holds(item.identifier.identifier):
            yield Problem(
                code="InvalidParameterValue",
                locator="identifier",
                text=f"{item.identifier.identifier[:100]!r} is not a product of {self.id}; "
                f"identifiers match {self.pattern}",
                item_id=item.item_id,
            )

    def _check_packaging(self, packaging: Packaging | None) -> Iterator[Problem]:
        if packaging is not None and packaging not in self.delivery.packaging:
            allowed = ", ".join(self.delivery.packaging) or "none: leave packaging out"
            yield Problem(
                code="InvalidParameterValue",
                locator="packaging",
                text=f"packaging {packaging} is not offered; allowed: {allowed}",
            )

    def _check_delivery(self, options: DeliveryOptions | None, item_id: str | None) -> Iterator[Problem]:
        if options is None:
            return
        allowed = ", ".join(self.delivery.access)
        delivery = options.delivery
        if not isinstance(delivery, OnlineDataAccess):
            yield Problem(
                code="InvalidParameterValue",
                locator="deliveryOptions",
                text=f"only onlineDataAccess is offered by {self.id}; protocols: {allowed}",
                item_id=item_id,
            )
        elif delivery.protocol not in self.delivery.access:
            yield Problem(
                code="InvalidParameterValue",
                locator="protocol",
                text=f"protocol {delivery.protocol} is not offered; allowed: {allowed}",
                item_id=item_id,
            )
