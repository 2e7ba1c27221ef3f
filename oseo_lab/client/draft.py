"""A draft: an order while it can still be changed. Step 1 of the walk.

Drafts live in the client until they are submitted. Submitting the same draft again (a cell that is run
twice, a notebook run after a restart) gives the same order back, because its message id is made of what it
says.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, overload

from oseo_lab.client import display
from oseo_lab.client.area import Area, as_area, as_selection
from oseo_lab.client.given import text
from oseo_lab.client.names import message_id
from oseo_lab.client.options import Options
from oseo_lab.client.session import Session
from oseo_lab.model.delivery import REFUSED_PACKAGING, Packaging
from oseo_lab.model.errors import NotSupported, Problem, ValidationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.messages import Submit
from oseo_lab.model.names import reference_of
from oseo_lab.model.order import ItemSpecification, OrderSpecification, Priority

if TYPE_CHECKING:
    from oseo_lab.client.order import Order
    from oseo_lab.client.quote import Quotation

__all__ = ["DraftItem", "DraftItems", "OrderDraft", "compose"]


class DraftItem:
    """One product of a draft.

    Parameters
    ----------
    draft : OrderDraft
        What it belongs to.
    product : CatalogueItem or str
        What is ordered.
    item_id : str
        Its name in the order.
    """

    def __init__(self, draft: OrderDraft, product: CatalogueItem | str, item_id: str) -> None:
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
            base = self._draft.options
            self._options = Options(self._draft.offer.options, self._draft.collection, base)
        return self._options

    @property
    def area(self) -> Area | None:
        """What is cut out of this product; the order's area unless it has its own."""
        return self._area or self._draft.area

    @area.setter
    def area(self, area: Any) -> None:
        self._area = None if area is None else as_area(area)

    def specification(self) -> ItemSpecification:
        """Return the item as it travels."""
        scene = Options(self._draft.scene_options.values(), self._draft.collection)
        if self.area is not None:
            scene.update(**as_selection(self.area, self._draft.scene_options))
        return ItemSpecification(
            item_id=self.item_id,
            identifier=ProductId(identifier=self.identifier, collection_id=self._draft.collection),
            product_order_options_id=self._draft.offer.product_order_options_id,
            options=self._options.parameters() if self._options is not None else (),
            scene_selections=scene.parameters(),
        )

    def __repr__(self) -> str:
        own = self._options.chosen if self._options is not None else {}
        return f"DraftItem({self.identifier!r}{f', {own}' if own else ''})"


class DraftItems(Sequence[DraftItem]):
    """The products of a draft, by position or identifier."""

    def __init__(self, draft: OrderDraft) -> None:
        self._draft = draft
        self._items: list[DraftItem] = []

    def add(self, product: CatalogueItem | str) -> DraftItem:
        """Add a product; one that is there already stays as it is."""
        identifier = product if isinstance(product, str) else product.identifier
        for each in self._items:
            if each.identifier == identifier:
                return each
        item = DraftItem(self._draft, product, self._fresh_id(identifier))
        self._items.append(item)
        return item

    def remove(self, product: CatalogueItem | DraftItem | str) -> None:
        """Take a product out."""
        identifier = product if isinstance(product, str) else product.identifier
        self._items.remove(self[identifier])

    def _fresh_id(self, identifier: str) -> str:
        """Return an item id: the identifier, in at most 80 characters, unique in this draft."""
        wanted = identifier if len(identifier) <= 80 else f"{identifier[:71]}~{message_id(identifier)[-8:]}"
        taken = {each.item_id for each in self._items}
        return wanted if wanted not in taken else f"{wanted[:71]}~{message_id(identifier, wanted)[-8:]}"

    @overload
    def __getitem__(self, key: int | str) -> DraftItem: ...

    @overload
    def __getitem__(self, key: slice) -> Sequence[DraftItem]: ...

    def __getitem__(self, key: int | str | slice) -> DraftItem | Sequence[DraftItem]:
        if not isinstance(key, str):
            return self._items[key]
        for each in self._items:
            if key in (each.identifier, each.item_id):
                return each
        raise KeyError(f"{key!r} is not in this draft of {len(self)} items")

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[DraftItem]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"[{', '.join(repr(each) for each in self._items)}]"


class OrderDraft:
    """An order while it can still be changed.

    Parameters
    ----------
    session : Session
        Where it will be submitted.
    collection : str
        What it orders from.
    name : str, optional
        What you will find it by.
    """

    def __init__(self, session: Session, collection: str, name: str | None = None) -> None:
        self._session = session
        self.collection = collection
        self.offer = session.offer(collection)
        self.scene_options = session.scene_options(collection)
        self.items = DraftItems(self)
        self.options = Options(self.offer.options, collection)
        self.remark: str | None = None
        self._name: str | None = None
        self._area: Area | None = None
        self._packaging: Packaging | None = None
        self._priority: Priority | None = None
        self.name = name

    @property
    def name(self) -> str | None:
        """What you will find the order by; may be longer than OSEO's 30 characters."""
        return self._name

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None and not (
            1 <= len(text(name, "name", "1 to 200 characters")) <= 200
            and name.isprintable()
            and name.strip() == name
        ):
            raise ValidationError(
                f"name {name[:60]!r} is not allowed; allowed: 1 to 200 printable characters without "
                "blanks around them",
                locator="orderReference",
            )
        self._name = name

    @property
    def area(self) -> Area | None:
        """What is cut out of every product; None for whole scenes. Set it to anything `Lab.search` takes."""
        return self._area

    @area.setter
    def area(self, area: Any) -> None:
        place = None if area is None else as_area(area)
        if place is not None:
            as_selection(place, self.scene_options)
        self._area = place

    @property
    def groups(self) -> tuple[str, ...]:
        """The option groups that products can be ordered by: each is one valid combination of options."""
        offers = self._session.offers(self.collection)
        return tuple(
            each.product_order_options_id for each in offers if each.order_type is self.offer.order_type
        )

    @property
    def group(self) -> str:
        """The option group ordered by; set it to another of `groups` that offers what was chosen."""
        return self.offer.product_order_options_id

    @group.setter
    def group(self, group: str) -> None:
        offer = self._session.offer(self.collection, group)
        own = [self.options, *(item._options for item in self.items if item._options is not None)]
        for each in own:
            Options(offer.options, f"{self.collection}, {group}").update(**each.chosen)
        for each in own:
            each._regroup(offer.options)
        self.offer = offer
        self.scene_options = self._session.scene_options(self.collection, group)

    @property
    def packaging(self) -> Packaging | None:
        """The container products travel in; None for files as they are."""
        return self._packaging

    @packaging.setter
    def packaging(self, packaging: str | None) -> None:
        offered = [each for each in Packaging if each not in REFUSED_PACKAGING]
        self._packaging = _word(offered, packaging, "packaging")

    @property
    def priority(self) -> Priority | None:
        """``STANDARD`` or ``FAST_TRACK``; None leaves it to the service."""
        return self._priority

    @priority.setter
    def priority(self, priority: str | None) -> None:
        self._priority = _word(list(Priority), priority, "priority")

    def request(self) -> Submit:
        """Return the draft as the message that submits it."""
        reference, extensions = reference_of(self.name) if self.name else (None, ())
        return Submit(
            specification=OrderSpecification(
                items=tuple(each.specification() for each in self.items),
                order_reference=reference,
                order_remark=self.remark,
                packaging=self.packaging,
                options=self.options.parameters(),
                priority=self.priority,
                extensions=extensions,
            )
        )

    def validate(self) -> list[Problem]:
        """Return everything that would go wrong, asking the catalogue, if there is one; empty is good."""
        problems = list(self._gaps())
        if not self.items:
            return problems
        try:
            found = self._session.find(self.collection, self._identifiers())
        except NotSupported:  # another service without a catalogue: it will say itself
            return problems
        for item in self.items:
            problems.extend(_doubts(item, found.get(item.identifier), self.collection))
        return problems

    def quote(self) -> Quotation:
        """Ask what the order would cost, how large and slow it is likely to be; nothing is ordered.

        Raises
        ------
        ValidationError
            With everything wrong with the order.
        NotSupported
            If the service has no quotations for it.
        """
        from oseo_lab.client.quote import Quotation

        if problems := list(self._gaps()):
            raise ValidationError.of(problems)
        specification = self.request().specification
        assert specification is not None
        return Quotation.asked(self._session, specification)

    def submit(self, again: bool = False) -> Order:
        """Send the order and return its handle.

        The same draft submitted again is the same order: by name for 30 days, without a name on the same
        day. ``again=True`` makes a new one.

        Raises
        ------
        ValidationError
            With everything wrong; nothing is stored then.
        """
        from oseo_lab.client.order import Order

        if problems := list(self._gaps()):
            raise ValidationError.of(problems)
        request = self.request()
        order_id = self._sent(request, uuid.uuid4().urn if again else self._message_id(request))
        order = Order.of_id(self._session, order_id)
        if not again and _is_old(order, order_id in self._session.submitted_here):
            display.say(
                f"Already submitted as {order.name!r} ({order.short_id}, {display.when(order.created)}, "
                f"{order.last_status}): returning that order. New one: draft.submit(again=True)"
            )
        self._session.submitted_here.add(order_id)
        return order

    def _sent(self, request: Submit, identifier: str) -> str:
        try:
            answer = self._session.transport.perform(request, message_id=identifier)
        except ValidationError as wrong:
            if wrong.locator != "MessageID":
                raise
            # the service remembers this id from more than 30 days ago: today's run is a new order
            fresh = message_id(identifier, f"{datetime.now(UTC):%Y-%m-%d}")
            answer = self._session.transport.perform(request, message_id=fresh)
        return str(answer.order_id)

    def _message_id(self, request: Submit) -> str:
        """Return an id that says the same for the same owner, name and content (and day, if unnamed)."""
        from oseo_lab.encoding.json_form import encode

        day = "" if self.name else f"{datetime.now(UTC):%Y-%m-%d}"
        return message_id(self._session.owner, self.name or "", day, encode(request))

    def as_request(self, form: str = "json") -> str:
        """Return what `submit` would do, as ``json``, ``soap``, ``curl`` or ``python``; without the token."""
        from oseo_lab.client.recipes import RECIPES

        if form not in RECIPES:
            raise ValidationError(
                f"form {form!r} is not known; allowed: {', '.join(RECIPES)}", locator="form"
            )
        transport = self._session.transport
        known = getattr(transport, "recipes", None)  # what means something to another service
        if known is not None and form not in known:
            raise NotSupported(f"another OSEO service takes no {form}; allowed: {', '.join(known)}")
        recipe = RECIPES[form](self, transport.url)
        return recipe if known is None else recipe.replace("oseo.connect(", "oseo.connect(soap=", 1)

    def _identifiers(self) -> list[str]:
        return [each.identifier for each in self.items]

    def _gaps(self) -> Iterator[Problem]:
        """Yield what can be seen without asking anybody."""
        if not self.items:
            yield Problem(
                code="MissingParameterValue",
                locator="orderItem",
                text="the draft has no items; draft.items.add(product) puts one in",
            )
        yield from self.options.missing()

    def __repr__(self) -> str:
        chosen = ", ".join(f"{name}={value!r}" for name, value in self.options.chosen.items())
        name = f"{self.name!r}, " if self.name else ""
        items = "1 item" if len(self.items) == 1 else f"{len(self.items)} items"
        return f"OrderDraft({name}{items} of {self.collection}{f', {chosen}' if chosen else ''})"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        facts = [
            ("items", ", ".join(self._identifiers()[:10]) + (" ..." if len(self.items) > 10 else "")),
            ("area", self.area or "whole scenes"),
            ("packaging", self.packaging or "none"),
        ]
        body = display.facts(facts) + self.options._table()
        return display.card(f"draft {self.name or 'without a name'}", body, "not submitted yet")


def _collection_of(chosen: list[CatalogueItem | str], collection: str | None) -> str:
    found = list(dict.fromkeys(each.collection_id for each in chosen if isinstance(each, CatalogueItem)))
    if collection is not None:
        found = [collection, *(each for each in found if each != collection)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValidationError(
            "identifiers alone need collection=..., see lab.collections", locator="collection"
        )
    raise ValidationError(
        f"the products are of {len(found)} collections ({', '.join(found)}), whose options differ: "
        "make one order for each",
        locator="collection",
    )


def compose(
    session: Session,
    products: Iterable[CatalogueItem | str] | CatalogueItem | str,
    name: str | None = None,
    collection: str | None = None,
    area: Any = None,
    area_crs: Any = None,
    options: Mapping[str, Any] | None = None,
) -> OrderDraft:
    """Return a draft of these products and choices (`Lab.order` says what they may be)."""
    chosen = _chosen(products)
    draft = OrderDraft(session, _collection_of(chosen, collection), name=name)
    for each in chosen:
        draft.items.add(each)
    values = dict(options or {})
    for own in ("group", "packaging", "priority"):
        if own in values:
            setattr(draft, own, values.pop(own))
    draft.area = None if area is None else as_area(area, area_crs)
    draft.options.update(**values)
    return draft


def _chosen(products: Any) -> list[CatalogueItem | str]:
    """Return what is to be ordered as a list of products and identifiers."""
    several = products if isinstance(products, Iterable) else [products]
    found = [products] if isinstance(products, str | CatalogueItem) else list(several)
    if wrong := [each for each in found if not isinstance(each, str | CatalogueItem)]:
        raise ValidationError(
            f"{wrong[0]!r:.60} is no product; allowed: what lab.search(...) found, or identifiers with "
            "collection=...",
            locator="orderItem",
        )
    return found


def _word(offered: Sequence[Any], given: str | None, name: str) -> Any:
    if given is None:
        return None
    by_name = {str(each).lower(): each for each in offered}
    if str(given).lower() not in by_name:
        allowed = ", ".join(str(each) for each in offered)
        raise ValidationError(f"{name} {str(given)[:60]!r} is not offered; allowed: {allowed}", locator=name)
    return by_name[str(given).lower()]


def _is_old(order: Order, submitted_here: bool) -> bool:
    """Whether an order was there before; a minute's grace for clocks that differ."""
    if submitted_here or order.created is None:
        return submitted_here
    return (datetime.now(UTC) - order.created).total_seconds() > 60


def _doubts(item: DraftItem, product: CatalogueItem | None, collection: str) -> Iterator[Problem]:
    """Yield what the catalogue has against one item."""

    def problem(text: str, locator: str = "identifier") -> Problem:
        return Problem(code="InvalidParameterValue", locator=locator, text=text, item_id=item.item_id)

    if product is None:
        yield problem(f"{collection} has no product {item.identifier!r}")
        return
    if not product.orderable:
        yield problem(f"{item.identifier!r} cannot be ordered: {product.reason or 'not now'}")
    if item.area is not None and product.bbox is not None and not _touches(item.area, product):
        yield problem(
            f"the area does not touch {item.identifier!r}: there would be nothing to deliver", "area"
        )


def _touches(area: Area, product: CatalogueItem) -> bool:
    from shapely.geometry import box, shape

    footprint = shape(product.geometry) if product.geometry else box(*product.bbox or ())
    return bool(shape(area.geometry).intersects(footprint))
