"""What can be ordered: collections, the option groups they offer, and what they accept.

A `Collection` is data from an operator's TOML file, completed by the options its processor declares.
GetCapabilities, GetOptions, Submit's checks and forms all read this one value, so the service cannot
advertise what it does not do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, cached_property
from typing import Any

from oseo_lab.model.delivery import REFUSED_PACKAGING, Packaging, Protocol
from oseo_lab.model.errors import Problem
from oseo_lab.model.identifiers import OrderType, ProductId
from oseo_lab.model.offers import (
    OptionLevel,
    OrderOptions,
    PaymentOption,
    ProductDelivery,
    SceneSelectionOption,
)
from oseo_lab.model.option_groups import (
    check_delivery,
    check_options,
    check_payment,
    check_rules,
    check_scene,
    choose_group,
    scene_values,
)
from oseo_lab.model.option_rules import OptionRule, settled
from oseo_lab.model.options import PATTERN_LENGTH, OptionDefinition, check_selections, selected
from oseo_lab.model.order import LOCAL, ItemSpecification, OrderSpecification
from oseo_lab.model.subscription import SUBSCRIPTION_OPTIONS, is_massive, without_period

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


#: For each of thousands of items looking a pattern up in `re`'s own cache takes as long as matching it.
#: What neither XML nor the store can carry: catalogues elsewhere may say it all the same.
_FORBIDDEN = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_compiled = cache(re.compile)


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
    rules : tuple of OptionRule
        Which choices go together, in every group that has the options.
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
    rules: tuple[OptionRule, ...] = ()
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
        """Whether a product identifier has this collection's pattern, and only what messages can carry."""
        is_whole = len(identifier) <= PATTERN_LENGTH and _FORBIDDEN.search(identifier) is None
        return is_whole and _compiled(self.pattern).fullmatch(identifier) is not None

    # ------------------------------------------------------------------------------------- option groups

    @cached_property
    def _groups(self) -> dict[OrderType, tuple[OrderOptions, ...]]:
        """The option groups of each order type that is taken."""
        declared = [self._offered(each) for each in self.groups]
        taken = {
            OrderType.PRODUCT_ORDER: self.options_id if self.product_orders else None,
            OrderType.SUBSCRIPTION_ORDER: self.subscription.options_id if self.subscription else None,
            OrderType.TASKING_ORDER: self.tasking.options_id if self.tasking else None,
        }
        return {
            order_type: tuple(each for each in declared if each.order_type is order_type)
            or (self._offered(self._group(options_id, order_type)),)
            for order_type, options_id in taken.items()
            if options_id is not None
        }

    def _group(self, options_id: str, order_type: OrderType) -> OrderOptions:
        """Return the group of everything that can be chosen; scenes are cut out of what is there."""
        scene = self.scene_options if order_type is OrderType.PRODUCT_ORDER else ()
        return OrderOptions(
            product_order_options_id=options_id,
            order_type=order_type,
            description=(self.title or self.id)[:255],
            options=self.options,
            scene_selections=(SceneSelectionOption(name="area", parameters=scene),) if scene else (),
        )

    def _offered(self, group: OrderOptions) -> OrderOptions:
        """Return a group with what is really offered beside its options.

        Deliveries are this service's own, however a document handed in says it, unless another server
        delivers.
        """
        own = (ProductDelivery(online_access=self.delivery.access),)
        options = group.options
        if group.order_type is OrderType.SUBSCRIPTION_ORDER:
            there = {each.name for each in options}
            options = (*(each for each in SUBSCRIPTION_OPTIONS if each.name not in there), *options)
        return replace(
            group,
            options=options,
            rules=self._rules_of(group),
            levels={each.name: self.levels[each.name] for each in options if each.name in self.levels},
            deliveries=own if self.provider == LOCAL else group.deliveries or own,
            payments=group.payments or self.payments,
        )

    def _rules_of(self, group: OrderOptions) -> tuple[OptionRule, ...]:
        """Return the rules as they hold in a group: options it leaves out are at their preset values."""
        everything = (*self.options, *self.scene_options)
        scene = (each for policy in group.scene_selections for each in policy.parameters)
        there = {each.name: each for each in (*group.options, *scene)}
        gone = {each.name: each.default for each in self.options if each.name not in there}
        known = {each.name: each for each in everything} | there
        return (*group.rules, *settled(self.rules, known, gone, there))

    def option_groups(
        self, order_type: OrderType | None = None, identifier: str | None = None
    ) -> tuple[OrderOptions, ...]:
        """Return the option groups of one order type, or of all; ``identifier`` is said back in each."""
        types = self._groups if order_type is None else [order_type]
        found = tuple(each for one in types for each in self._groups.get(one, ()))
        return found if identifier is None else tuple(replace(each, identifier=identifier) for each in found)

    def order_options(self, identifier: str | None = None) -> OrderOptions:
        """Return the first option group, for the collection or for one product."""
        groups = self.option_groups(identifier=identifier)
        return groups[0] if groups else self._group(self.options_id, OrderType.PRODUCT_ORDER)

    def group_of(
        self, specification: OrderSpecification, item: ItemSpecification
    ) -> OrderOptions | list[Problem]:
        """Return the option group of an item, or what is wrong."""
        if is_massive(specification):
            specification = without_period(replace(specification, items=(item,)))
            item = specification.items[0]
        groups = self._groups.get(specification.order_type) or (self.order_options(),)
        return choose_group(groups, specification.options, item)

    def _group_then(self, specification: OrderSpecification, item: ItemSpecification) -> OrderOptions:
        """Return the option group an accepted item is of; the first one if the groups have changed since."""
        found = self.group_of(specification, item)
        return found if isinstance(found, OrderOptions) else self.order_options()

    def chosen(self, specification: OrderSpecification, item: ItemSpecification) -> dict[str, Any]:
        """Return every option's Python value for one item: item over order over preset, then fixed ones.

        Options that the item's group leaves out are at their preset values. What only says which products a
        subscription waits for is left out (`awaited`).
        """
        group = self._group_then(specification, item)
        offered = {each.name for each in group.options}
        values = selected([each for each in self.options if each.name not in offered], ())
        values |= selected(group.options, specification.options, item.options)
        if specification.order_type is OrderType.SUBSCRIPTION_ORDER:
            values = {name: each for name, each in values.items() if name not in _AWAITED}
        return values | dict(self.fixed)

    def awaited(self, specification: OrderSpecification, item: ItemSpecification) -> dict[str, Any]:
        """Return the Python values of a subscription's own options: area, date range, frequency."""
        group = self._group_then(specification, item)
        values = selected(group.options, specification.options, item.options)
        return {name: each for name, each in values.items() if name in _AWAITED}

    def scene(
        self, item: ItemSpecification, specification: OrderSpecification | None = None
    ) -> dict[str, Any]:
        """Return the Python values of an item's scene selection."""
        group = self._group_then(specification or OrderSpecification(), item)
        return scene_values(group, item.scene_selections)

    # ------------------------------------------------------------------------------------------ checking

    def check_order(
        self, specification: OrderSpecification, groups: Iterable[OrderOptions] = ()
    ) -> Iterator[Problem]:
        """Yield what is wrong with an order's own part: its options, packaging and delivery.

        ``groups`` are those its items are of; without them the first one counts.
        """
        elsewhere = [name for name, level in self.levels.items() if level is OptionLevel.ITEM]
        found = [*groups] or [self.order_options()]
        for group in found:
            yield from check_selections(
                group.options, specification.options, check_missing=False, elsewhere=elsewhere
            )
        yield from self._check_packaging(specification.packaging)
        for group in found:
            yield from check_delivery(group, specification.delivery_options)

    def check_item(
        self, item: ItemSpecification, specification: OrderSpecification | None = None
    ) -> Iterator[Problem]:
        """Yield what is wrong with one item of an order, whose own options count too."""
        specification = specification or OrderSpecification()
        group = self.group_of(specification, item)
        problems = group if isinstance(group, list) else self.check_choice(item, specification, group)
        yield from (replace(each, item_id=item.item_id) for each in problems)
        yield from self.check_identifier(item)

    def check_choice(
        self, item: ItemSpecification, specification: OrderSpecification, group: OrderOptions
    ) -> Iterator[Problem]:
        """Yield what is wrong with what an item chooses of its group, whichever item it is."""
        elsewhere = [name for name, level in self.levels.items() if level is OptionLevel.ORDER]
        wrong = [
            *check_options(group, specification.options, item.options, elsewhere),
            *check_scene(group.scene_selections, item.scene_selections),
        ]
        yield from wrong
        if group.rules and not any(_is_unreadable(each, group) for each in wrong):
            yield from self._check_rules(item, specification, group)
        yield from check_delivery(group, item.delivery_options)
        yield from check_payment(group, item.payment)

    def _check_rules(
        self, item: ItemSpecification, specification: OrderSpecification, group: OrderOptions
    ) -> Iterator[Problem]:
        """Yield the rules an item breaks; what the order itself says wrong is told by `check_order`."""
        if not any(check_selections(group.options, specification.options, check_missing=False)):
            yield from check_rules(group, specification.options, item)

    def check_identifier(self, item: ItemSpecification) -> Iterator[Problem]:
        """Yield what is wrong with an item's product identifier."""
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


def _is_unreadable(problem: Problem, group: OrderOptions) -> bool:
    """Whether a problem keeps an item's values from being read; an option that is just missing does not."""
    is_missing = problem.code == "MissingParameterValue"
    return not (is_missing and any(problem.locator == each.name for each in group.options))


#: Options that say which products a subscription waits for, not how they are made.
_AWAITED = frozenset(each.name for each in SUBSCRIPTION_OPTIONS)
