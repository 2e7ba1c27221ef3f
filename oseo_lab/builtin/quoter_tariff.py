"""The quoter in the box: prices by the tariff in a collection's ``[quotation]`` table.

Called by `oseo_lab.dispatch.quoting`. An item costs what its tariff says for an item, its megapixels, its
gigabytes and its option values; steps of volume make later items of an order cheaper; a flat fee is paid once
an order. All in decimal numbers: each item's price is rounded (half up) to the places of the currency, and
what a group of items costs is the sum of theirs and the fee, so nothing is ever lost in rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from oseo_lab.builtin.tariff_table import read_tariff
from oseo_lab.model.collection import Collection
from oseo_lab.model.estimates import Outlook, choice_of, estimate
from oseo_lab.model.identifiers import OrderType, ProductId
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.options import Category, OptionDefinition
from oseo_lab.model.order import ItemSpecification
from oseo_lab.model.quotation import INFORMATION_LENGTH, ItemGroupPrice, ItemPrice, Price, ProviderName
from oseo_lab.model.subscription import is_massive
from oseo_lab.ports import ProcessingFailed, QuoteRequest

__all__ = ["TariffQuoter"]

_NOBODY = ProviderName(
    service_name="", organization=""
)  # this service: it is named where groups are gathered
#: Bytes of a gigabyte, pixels of a megapixel.
_GIGA, _MEGA = Decimal(10**9), Decimal(10**6)


class TariffQuoter:
    """Prices items by a tariff.

    Parameters
    ----------
    collection_id : str
        Whose items.
    settings : mapping
        The ``[quotation]`` table without ``use``.

    Raises
    ------
    ConfigurationError
        With everything wrong with the tariff.
    """

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        self._tariff = read_tariff(settings)
        self._unit = Decimal(1).scaleb(-self._tariff.decimals)
        self.mode = self._tariff.mode

    def problems(self, collection: Collection) -> Iterator[str]:
        """Yield what the tariff prices that the collection does not offer: a slip there gives things away."""
        offered = {each.name: each for each in collection.options}
        for name, values in self._tariff.options.items():
            if name not in offered:
                yield f"quotation.options.{name}: there is no such option; allowed: {', '.join(offered)}"
                continue
            allowed = _values(offered[name])
            for value in values if allowed else ():
                if value not in allowed:
                    yield f"quotation.options.{name}.{value} is not offered; allowed: {', '.join(allowed)}"

    def __call__(self, request: QuoteRequest) -> Sequence[ItemGroupPrice]:
        """Return the priced items, in groups by payment method.

        Raises
        ------
        ProcessingFailed
            If the size that a price goes by is not known.
        """
        products = self._products(request)
        by_method: dict[str | None, list[ItemSpecification]] = {}
        for item in request.items:
            method = item.payment.payment_method if item.payment else None
            by_method.setdefault(method, []).append(item)
        is_free = self._tariff.free or _is_standing(request)
        fee = self._rounded(_decimal(0 if is_free else self._tariff.order))
        groups = []
        for items in by_method.values():
            groups.append(self._group(items, request, products, fee))
            fee = Decimal()  # once an order
        return groups

    def _products(self, request: QuoteRequest) -> Mapping[str, CatalogueItem]:
        """Ask the catalogue, if a price goes by what it knows."""
        if self._tariff.free or not (self._tariff.megapixel or self._tariff.gigabyte):
            return {}
        wanted = [
            each.identifier.identifier for each in request.items if isinstance(each.identifier, ProductId)
        ]
        return request.find(wanted) if wanted else {}

    def _group(
        self,
        items: Sequence[ItemSpecification],
        request: QuoteRequest,
        products: Mapping[str, CatalogueItem],
        fee: Decimal,
    ) -> ItemGroupPrice:
        outlooks: dict[str, Outlook] = {}
        priced = [
            self._item(place, item, request, products, outlooks) for place, item in enumerate(items, start=1)
        ]
        total = fee + sum((amount for amount, _ in priced), Decimal())
        said = [f"{fee:f} {self._tariff.currency} once an order"] if fee else []
        said += [self._tariff.contract] if self._tariff.contract else []
        return ItemGroupPrice(
            provider=_NOBODY,
            price=self._price(total),
            items=tuple(each for _, each in priced),
            validity_time=request.now + timedelta(days=self._tariff.validity_days),
            contract_information="; ".join(said) or None,
        )

    def _item(
        self,
        place: int,
        item: ItemSpecification,
        request: QuoteRequest,
        products: Mapping[str, CatalogueItem],
        outlooks: dict[str, Outlook],
    ) -> tuple[Decimal, ItemPrice]:
        chosen = request.collection.chosen(request.specification, item)
        choice = choice_of(chosen, item.scene_selections)
        if choice not in outlooks:  # items of one order mostly are alike
            outlooks[choice] = estimate(request.past, choice)
        outlook = outlooks[choice]
        parts = list(self._parts(item, chosen, outlook, products))
        full = sum((amount for amount, _ in parts), Decimal())
        said = " + ".join(text for _, text in parts) or "free"
        percent = max((each.percent for each in self._tariff.discounts if place >= each.items), default=0.0)
        if percent and full:
            full = full * (100 - _decimal(percent)) / 100
            said += f", less {percent:g} %"
        if _is_standing(request):
            said += ", for each product delivered"
        amount = self._rounded(full)
        basis = "estimates are" if outlook.size is not None else "nothing is estimated:"
        return amount, ItemPrice(
            item_id=item.item_id,
            identifier=item.identifier,
            price=self._price(amount),
            price_information=f"{said}; {basis} {outlook.basis}"[:INFORMATION_LENGTH],
            size=outlook.size,
            duration=outlook.duration,
        )

    def _parts(
        self,
        item: ItemSpecification,
        chosen: Mapping[str, Any],
        outlook: Outlook,
        products: Mapping[str, CatalogueItem],
    ) -> Iterator[tuple[Decimal, str]]:
        """Yield what an item's price is made of, each part with its words."""
        tariff = self._tariff
        if tariff.free:
            return
        if tariff.item:
            yield _decimal(tariff.item), f"{tariff.item:g} an item"
        name = item.identifier.identifier if isinstance(item.identifier, ProductId) else ""
        if tariff.megapixel:
            pixels = _megapixels(products.get(name), item)
            yield _decimal(tariff.megapixel) * pixels, f"{pixels:.3g} MP at {tariff.megapixel:g}"
        if tariff.gigabyte:
            size = _gigabytes(outlook, products.get(name), item)
            yield _decimal(tariff.gigabyte) * size, f"about {size:.3g} GB at {tariff.gigabyte:g}"
        for option, values in tariff.options.items():
            for value in _texts(chosen.get(option)):
                if value in values:
                    yield _decimal(values[value]), f"{option} {value} {values[value]:g}"

    def _rounded(self, amount: Decimal) -> Decimal:
        return amount.quantize(self._unit, ROUND_HALF_UP)

    def _price(self, amount: Decimal) -> Price:
        return Price(value=float(amount), currency=self._tariff.currency)


def _is_standing(request: QuoteRequest) -> bool:
    """Whether the items stand for products to come: then prices are of one product each, without a fee."""
    specification = request.specification
    is_massive_one = is_massive(specification) and len(request.items) == 1
    return specification.order_type is OrderType.SUBSCRIPTION_ORDER or is_massive_one


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))


def _values(option: OptionDefinition) -> tuple[str, ...]:
    """Return the values an option lists; none where it lists none."""
    component = option.component
    return tuple(component.allowed) if isinstance(component, Category) else ()


def _texts(value: Any) -> list[str]:
    """Return an option's Python value as the texts that a tariff names, one for each of a list."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, Mapping) or value is None:
        return []
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    return [f"{value:g}" if isinstance(value, float) else str(value)]


def _megapixels(product: CatalogueItem | None, item: ItemSpecification) -> Decimal:
    shape = product.properties.get("proj:shape") if product is not None else None
    if not (isinstance(shape, Sequence) and len(shape) == 2 and all(isinstance(each, int) for each in shape)):
        raise ProcessingFailed(
            f"item {item.item_id} is priced by its megapixels, and the catalogue does not say them"
        )
    return Decimal(shape[0] * shape[1]) / _MEGA


def _gigabytes(outlook: Outlook, product: CatalogueItem | None, item: ItemSpecification) -> Decimal:
    """Return what is likely to be delivered; before anything was, the size of what it is made from."""
    if outlook.size is not None:
        return Decimal(round(outlook.size.typical)) / _GIGA
    sizes = [each.size for each in product.assets] if product is not None else []
    known = [each for each in sizes if each is not None]
    if not known or len(known) < len(sizes):
        raise ProcessingFailed(
            f"item {item.item_id} is priced by its gigabytes, which neither past nor catalogue tells"
        )
    return Decimal(sum(known)) / _GIGA
