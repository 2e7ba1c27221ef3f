"""The shape of a collection file: one dataclass per table, one description and check per key.

`collection_toml` reads a file by these classes; the JSON Schema for editors is made of them too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oseo_lab.encoding.collection_option_table import OptionTable
from oseo_lab.encoding.collection_patterns import check_pattern
from oseo_lab.encoding.collection_rules import RuleTable
from oseo_lab.model.collection import Scope, SubscriptionRule
from oseo_lab.model.delivery import REFUSED_PACKAGING, Packaging, Protocol
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.order import LOCAL

__all__ = ["OPEN_TABLES", "CollectionTable"]

#: Protocols that on-line data access is served by.
ACCESS = (Protocol.HTTP, Protocol.HTTPS)
_PACKAGING = tuple(each for each in Packaging if each not in REFUSED_PACKAGING)
_STANDING = SubscriptionRule()
_HTTP = re.compile(r"https?://[^\s<>\"]{1,2000}")
_PLUGIN = re.compile(r"[A-Za-z0-9_.-]{1,100}(:[A-Za-z0-9_.]{1,100})?")


def _plugin(name: str) -> str:
    if not _PLUGIN.fullmatch(name):
        raise ValueError(f"{name[:100]!r} is no plugin; allowed: an entry-point name, or module:attr")
    return name


def _access(protocols: tuple[Protocol, ...]) -> tuple[Protocol, ...]:
    wrong = [each for each in protocols if each not in ACCESS]
    if wrong or not protocols:
        shown = ", ".join(wrong) or "an empty list"
        raise ValueError(f"{shown} is not served; allowed: {', '.join(ACCESS)}")
    return protocols


def _packaging(containers: tuple[Packaging, ...]) -> tuple[Packaging, ...]:
    wrong = [each for each in containers if each in REFUSED_PACKAGING]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} is never written; allowed: {', '.join(_PACKAGING)}")
    return containers


def _above_zero(number: float) -> float:
    if number <= 0:
        raise ValueError(f"{number} is not allowed; allowed: above 0")
    return number


def _any_limit(number: int | None) -> int | None:
    return None if number is None else int(_above_zero(number))


def _not_below(number: float) -> float:
    if number < 0:
        raise ValueError(f"{number} is not allowed; allowed: 0 or more")
    return number


def _maybe_url(text: str | None) -> str | None:
    if text is not None and not _HTTP.fullmatch(text):
        raise ValueError(f"{text[:100]!r} is no URL; allowed: http or https")
    return text


def _said(text: str, **more: Any) -> dict[str, Any]:
    return {"description": text, **more}


@dataclass(frozen=True, kw_only=True)
class ProcessorTable:
    """[processor]: what makes the products."""

    use: str = field(
        default="copy", metadata=_said("Entry-point name or module:attr of the processor.", check=_plugin)
    )
    fixed: Mapping[str, Any] = field(
        default_factory=dict, metadata=_said("Options settled here; users are not asked for them.")
    )


@dataclass(frozen=True, kw_only=True)
class CatalogueTable:
    """[catalogue]: where products are found; more keys are the catalogue's own settings."""

    use: str = field(metadata=_said("Entry-point name or module:attr of the catalogue.", check=_plugin))
    href: str = field(
        default="",
        metadata=_said(
            "URL, or a path; a relative one starts at this file's folder and stays in it. Every catalogue "
            "but none has one.",
            length=(0, 2000),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class ProductsTable:
    """[products]: which identifiers belong to the collection."""

    pattern: str = field(
        default=".+",
        metadata=_said("Regular expression that whole product identifiers match.", check=check_pattern),
    )


@dataclass(frozen=True, kw_only=True)
class DeliveryTable:
    """[delivery]: how results reach their users."""

    access: tuple[Protocol, ...] = field(
        default=ACCESS, metadata=_said("Protocols of on-line data access: http, https.", check=_access)
    )
    days: float = field(default=10.0, metadata=_said("Days a result stays, above 0.", check=_above_zero))
    packaging: tuple[Packaging, ...] = field(
        default=_PACKAGING,
        metadata=_said(
            f"Containers offered: {', '.join(_PACKAGING)}; [] for files as they are.", check=_packaging
        ),
    )
    scope: Scope = field(
        default=Scope.ITEM, metadata=_said("Whether a package holds one item or the whole order.")
    )


@dataclass(frozen=True, kw_only=True)
class LimitsTable:
    """[limits]: how much may be ordered at once."""

    items: int = field(default=10_000, metadata=_said("Most items of one order.", check=_above_zero))
    batch: int = field(
        default=1000,
        metadata=_said(
            "Most items of one order in work at a time; larger orders are batches.", check=_above_zero
        ),
    )
    bytes: int | None = field(
        default=None, metadata=_said("Most bytes of one item's input; without it no limit.", check=_any_limit)
    )


@dataclass(frozen=True, kw_only=True)
class ApprovalTable:
    """[approval]: whether a person looks at orders first."""

    automatic: bool = field(default=True, metadata=_said("Accept orders without a person's approval."))


@dataclass(frozen=True, kw_only=True)
class OrdersTable:
    """[orders]: which order types are taken, beside those that [subscription] and [tasking] switch on."""

    product: bool = field(default=True, metadata=_said("Take product orders."))


@dataclass(frozen=True, kw_only=True)
class SubscriptionTable:
    """[subscription]: standing orders are taken; without the table they are not."""

    every: float = field(
        default=_STANDING.every,
        metadata=_said("Seconds between two looks at the catalogue.", check=_above_zero),
    )
    lateness: float = field(
        default=_STANDING.lateness,
        metadata=_said("Days a product may appear after its acquisition, and be found.", check=_not_below),
    )
    max_days: float = field(
        default=_STANDING.max_days, metadata=_said("Longest date range, days.", check=_above_zero)
    )


@dataclass(frozen=True, kw_only=True)
class TaskingTable:
    """[tasking]: how tasking requests become products; more keys are the plugin's own settings."""

    pattern: str = field(
        metadata=_said("Regular expression that whole tasking request ids match.", check=check_pattern)
    )
    use: str = field(metadata=_said("Entry-point name or module:attr of the tasking plugin.", check=_plugin))
    every: float = field(default=60.0, metadata=_said("Seconds between two questions.", check=_above_zero))


@dataclass(frozen=True, kw_only=True)
class QuotationTable:
    """[quotation]: who says what an order costs; more keys are the quoter's own settings."""

    use: str = field(
        default="tariff", metadata=_said("Entry-point name or module:attr of the quoter.", check=_plugin)
    )


@dataclass(frozen=True, kw_only=True)
class ProviderServiceTable:
    """[provider_service]: which server orders are passed on to; more keys are the provider's settings."""

    use: str = field(
        default="oseo", metadata=_said("Entry-point name or module:attr of the provider.", check=_plugin)
    )


@dataclass(frozen=True, kw_only=True)
class PaymentTable:
    """One table of [[payment]]: a method that orders may be paid by."""

    method: str = field(metadata=_said("paymentMethod, such as quota or invoice.", length=(1, 40)))
    info: str | None = field(default=None, metadata=_said("URL where it is explained.", check=_maybe_url))


@dataclass(frozen=True, kw_only=True)
class GroupTable:
    """One table of [[groups]]: one valid combination of options."""

    id: str = field(metadata=_said("productOrderOptionsId, 1 to 40 characters.", length=(1, 40)))
    description: str | None = field(default=None, metadata=_said("For people.", length=(0, 255)))
    order_type: OrderType = field(
        default=OrderType.PRODUCT_ORDER, metadata=_said("Which type of order it is for.")
    )
    options: tuple[str, ...] | None = field(
        default=None, metadata=_said("Names of its options, scene selection too; all if left out.")
    )
    narrow: tuple[OptionTable, ...] = field(
        default=(), metadata=_said("Options that allow less, or preset otherwise, in this group.")
    )
    info: str | None = field(
        default=None, metadata=_said("orderOptionInfoURL: where it is explained.", check=_maybe_url)
    )


@dataclass(frozen=True, kw_only=True)
class CollectionTable:
    """A collection file of oseo_lab."""

    id: str = field(metadata=_said("collectionId, 1 to 255 characters.", length=(1, 255)))
    catalogue: CatalogueTable = field(metadata=_said("Where products are found."))
    title: str = field(default="", metadata=_said("For people.", length=(0, 255)))
    description: str = field(default="", metadata=_said("For people.", length=(0, 4000)))
    provider: str = field(default=LOCAL, metadata=_said("Who fulfils its items.", length=(1, 40)))
    processor: ProcessorTable = field(
        default_factory=ProcessorTable, metadata=_said("What makes the products.")
    )
    products: ProductsTable = field(
        default_factory=ProductsTable, metadata=_said("Which products belong to it.")
    )
    delivery: DeliveryTable = field(default_factory=DeliveryTable, metadata=_said("How results travel."))
    options: tuple[OptionTable, ...] = field(
        default=(),
        metadata=_said("Options narrowed (of the processor's) or added; kind is a SWE Common component."),
    )
    rules: tuple[RuleTable, ...] = field(
        default=(), metadata=_said("Which choices go together; the processor's own rules hold beside them.")
    )
    limits: LimitsTable = field(default_factory=LimitsTable, metadata=_said("How much at once."))
    approval: ApprovalTable = field(default_factory=ApprovalTable, metadata=_said("Who accepts orders."))
    orders: OrdersTable = field(default_factory=OrdersTable, metadata=_said("Which order types are taken."))
    subscription: SubscriptionTable | None = field(
        default=None, metadata=_said("Standing orders; without it they are not taken.")
    )
    tasking: TaskingTable | None = field(
        default=None, metadata=_said("Tasking requests; without it they are not taken.")
    )
    quotation: QuotationTable | None = field(
        default=None, metadata=_said("Prices; without it nothing is quoted.")
    )
    payment: tuple[PaymentTable, ...] = field(
        default=(), metadata=_said("How orders are paid; without it payment is not asked for.")
    )
    groups: tuple[GroupTable, ...] = field(
        default=(), metadata=_said("Option groups; without it there is one of all options.")
    )
    options_document: str | None = field(
        default=None,
        metadata=_said(
            "Path of a GetOptionsResponse document with option groups, inside this folder.", length=(1, 500)
        ),
    )
    provider_service: ProviderServiceTable | None = field(
        default=None, metadata=_said("The server that orders are passed on to.")
    )


#: Tables whose further keys are a plugin's own settings, by their key.
OPEN_TABLES: Mapping[str, type] = {
    "catalogue": CatalogueTable,
    "tasking": TaskingTable,
    "quotation": QuotationTable,
    "provider_service": ProviderServiceTable,
}
