"""The products of a draft: each with its own options and area where they differ from the order's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, overload

from oseo_lab.client.area import Area, as_area, as_selection
from oseo_lab.client.as_items import as_items
from oseo_lab.client.given import no_such_key, text
from oseo_lab.client.names import message_id
from oseo_lab.client.options import Holder, Options
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.offers import OptionLevel
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification

if TYPE_CHECKING:
    from oseo_lab.client.changes import Changes
    from oseo_lab.model.collection import OrderOptions
    from oseo_lab.model.errors import Problem
    from oseo_lab.model.options import OptionDefinition

__all__ = ["DraftItem", "DraftItems"]


class Whole(Holder, Protocol):
    """What an item needs of the draft it belongs to."""

    collection: str
    changes: Changes
    options: Options
    offer: OrderOptions
    scene_options: dict[str, OptionDefinition]

    @property
    def area(self) -> Area | None:
        """What is cut out of every product."""

    def fresh_options(self, level: OptionLevel, item: DraftItem | None = None) -> Options:
        """Return the group's options with nothing chosen yet."""

    def let(self, thing: Any, name: str, value: Any) -> None:
        """Let something be otherwise, if no rule is broken by it."""

    def problems_of(self, item: DraftItem) -> Iterator[Problem]:
        """Yield the option rules that one item's values break."""

    def scene_selection(self, area: Area | None) -> tuple[ParameterData, ...]:
        """Return an area as it travels."""


class DraftItem:
    """One product of a draft.

    Parameters
    ----------
    draft : Whole
        What it belongs to.
    product : CatalogueItem or str
        What is ordered.
    item_id : str
        Its name in the order.
    """

    def __init__(self, draft: Whole, product: CatalogueItem | str, item_id: str) -> None:
        self._draft = draft
        self.product = product if isinstance(product, CatalogueItem) else None
        self.identifier = product if isinstance(product, str) else product.identifier
        self.item_id = item_id
        self._options: Options | None = None
        self._area: Area | None = None

    @property
    def options(self) -> Options:
        """The item's own options; what is not chosen here is as the order's."""
        if self._options is None:
            self._options = self._draft.fresh_options(OptionLevel.ITEM, self)
        return self._options

    @property
    def own_options(self) -> Options | None:
        """Its options, if any was chosen for it alone."""
        return self._options if self._options is not None and self._options.chosen else None

    def regroup(self) -> None:
        """Take the options of the order's other group, with what was chosen here."""
        if self.own_options is None:
            self._options = None
        else:
            self.own_options.regroup(self._draft.fresh_options(OptionLevel.ITEM, self))

    @property
    def area(self) -> Area | None:
        """What is cut out of this product; the order's area unless it has its own."""
        return self._area or self._draft.area

    @area.setter
    def area(self, area: Any) -> None:
        self.set_area(area)

    def set_area(self, area: Any, crs: Any = None) -> None:
        """Set its own area, in another CRS than degrees if need be."""
        place = None if area is None else as_area(area, crs)
        if place is not None:
            as_selection(place, self._draft.scene_options)
        self._draft.let(self, "_area", place)

    @property
    def own_area(self) -> Area | None:
        """Its area, if it was given one of its own."""
        return self._area

    def rule_problems(self) -> Iterator[Problem]:
        """Yield the option rules that its values break."""
        return self._draft.problems_of(self)

    def value_problems(self) -> Iterator[Problem]:
        """Yield what the service has against the values of the order and its items."""
        return self._draft.value_problems()

    def known_values(self, name: str) -> tuple[str, ...]:
        """Return what the products of the order have of an option themselves."""
        return self._draft.known_values(name)

    def options_changed(self) -> None:
        """Tell that another choice holds (`Options` calls it)."""
        self._draft.options_changed()

    def scene_selection(self) -> tuple[ParameterData, ...]:
        """Return what is cut out of it, as it travels."""
        return self._draft.scene_selection(self.area)

    def specification(self) -> ItemSpecification:
        """Return the item as it travels."""
        return ItemSpecification(
            item_id=self.item_id,
            identifier=ProductId(identifier=self.identifier, collection_id=self._draft.collection),
            product_order_options_id=self._draft.offer.product_order_options_id,
            options=self._options.parameters() if self._options is not None else (),
            scene_selections=self.scene_selection(),
        )

    def __repr__(self) -> str:
        own = self._options.chosen if self._options is not None else {}
        return f"DraftItem({self.identifier!r}{f', {own}' if own else ''})"


class DraftItems(Sequence[DraftItem]):
    """The products of a draft, by position or identifier."""

    def __init__(self, draft: Whole) -> None:
        self._draft = draft
        self._items: list[DraftItem] = []
        self._by_identifier: dict[str, DraftItem] = {}  # the first of each product
        self._by_item_id: dict[str, DraftItem] = {}

    def add(self, product: Any, item_id: str | None = None) -> DraftItem:
        """Add a product: what `Lab.order` takes, if it is one; one that is there already stays as it is.

        Parameters
        ----------
        product : CatalogueItem, str, or what `as_items` reads as one
            What to order.
        item_id : str, optional
            A name of your own for the item, 1 to 80 characters: by another name a product is ordered once
            more, such as for several areas of one scene.

        Raises
        ------
        ValidationError
            If it is no product, or several (`extend`), if another product has that name, or what is chosen
            does not hold for it.
        """
        found = as_items(product, self._draft.collection)
        if len(found) != 1:
            raise ValidationError(
                f"{product!r:.60} is {len(found)} products; draft.items.extend(...) adds several",
                locator="orderItem",
            )
        return self._add(found[0], item_id)

    def extend(self, products: Any) -> list[DraftItem]:
        """Add several products: whatever `Lab.order` takes, such as a search, pystac items, a CSV file."""
        return [self._add(each) for each in as_items(products, self._draft.collection)]

    def _add(self, product: CatalogueItem | str, item_id: str | None = None) -> DraftItem:
        identifier = product if isinstance(product, str) else product.identifier
        known = self._by_item_id.get(item_id) if item_id else self._by_identifier.get(identifier)
        if known is not None and known.identifier == identifier:
            return known
        item = DraftItem(self._draft, product, self._named(item_id) or self._fresh_id(identifier))
        if problems := list(self._draft.problems_of(item)):
            raise ValidationError.of(problems)
        self._items.append(item)
        self._by_identifier.setdefault(identifier, item)
        self._by_item_id[item.item_id] = item
        self._draft.changes.made()
        return item

    def remove(self, product: CatalogueItem | DraftItem | str) -> None:
        """Take a product out."""
        if isinstance(product, DraftItem):
            gone = self._by_item_id[product.item_id]
        else:
            gone = self[product if isinstance(product, str) else product.identifier]
        self._items.remove(gone)
        del self._by_item_id[gone.item_id]
        if self._by_identifier[gone.identifier] is gone:
            del self._by_identifier[gone.identifier]
            others = (each for each in self._items if each.identifier == gone.identifier)
            self._by_identifier.update((each.identifier, each) for each in islice(others, 1))
        self._draft.changes.made()

    def is_named(self, item: DraftItem) -> bool:
        """Whether an item has a name of its own, and not the one its product gives it."""
        return item.item_id != _of(item.identifier)

    def _named(self, item_id: str | None) -> str | None:
        """Return the item's own name; raise if it cannot have it."""
        if item_id is None:
            return None
        if not 1 <= len(text(item_id, "item_id", "1 to 80 characters")) <= 80:
            raise ValidationError(
                f"item_id {item_id[:60]!r} is not allowed; allowed: 1 to 80 characters", locator="itemId"
            )
        if item_id in self._by_item_id:
            raise ValidationError(
                f"item_id {item_id!r} is taken by {self._by_item_id[item_id].identifier!r} in this draft",
                locator="itemId",
            )
        return item_id

    def _fresh_id(self, identifier: str) -> str:
        """Return an item id: the identifier, in at most 80 characters, unique in this draft."""
        wanted = _of(identifier)
        is_free = wanted not in self._by_item_id
        return wanted if is_free else f"{wanted[:71]}~{message_id(identifier, wanted)[-8:]}"

    def _ipython_key_completions_(self) -> list[str]:
        return [each.identifier for each in self._items]

    @overload
    def __getitem__(self, key: int | str) -> DraftItem: ...

    @overload
    def __getitem__(self, key: slice) -> Sequence[DraftItem]: ...

    def __getitem__(self, key: int | str | slice) -> DraftItem | Sequence[DraftItem]:
        if not isinstance(key, str):
            return self._items[key]
        if key in self._by_identifier:
            return self._by_identifier[key]
        if key in self._by_item_id:
            return self._by_item_id[key]
        raise no_such_key(key, self._by_identifier, "in this draft")

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[DraftItem]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"[{', '.join(repr(each) for each in self._items)}]"


def _of(identifier: str) -> str:
    """Return the item id that a product gives its item."""
    return identifier if len(identifier) <= 80 else f"{identifier[:71]}~{message_id(identifier)[-8:]}"
