"""A draft: an order while it can still be changed. Step 1 of the walk.

Drafts live in the client until they are submitted. Submitting the same draft again (a cell that is run
twice, a notebook run after a restart) gives the same order back, because its message id is made of what it
says.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oseo_lab.client import display
from oseo_lab.client.area import Area, as_area, as_selection
from oseo_lab.client.changes import Changes
from oseo_lab.client.draft_items import DraftItem, DraftItems
from oseo_lab.client.given import text
from oseo_lab.client.limits import as_limits
from oseo_lab.client.names import message_id
from oseo_lab.client.options import Options
from oseo_lab.client.session import Session
from oseo_lab.model.delivery import REFUSED_PACKAGING, Packaging
from oseo_lab.model.errors import NotSupported, Problem, ValidationError
from oseo_lab.model.limits import Limits
from oseo_lab.model.messages import Submit
from oseo_lab.model.names import reference_of
from oseo_lab.model.option_groups import broken_in, scene_values
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import OrderSpecification, Priority

if TYPE_CHECKING:
    from oseo_lab.client.order import Order
    from oseo_lab.client.quote import Quotation

__all__ = ["DraftItem", "DraftItems", "OrderDraft"]


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
        self.changes = Changes(self)
        self.collection = collection
        self.offer = session.offer(collection)
        self.scene_options = session.scene_options(collection)
        self.items = DraftItems(self)
        self.options = Options(self.offer.options, collection, None, self.offer.rules, self)
        self._remark: str | None = None
        self._limits = Limits()
        self._name: str | None = None
        self._area: Area | None = None
        self._packaging: Packaging | None = None
        self._priority: Priority | None = None
        self.name = name

    # ------------------------------------------------------------------------------------------- changes

    def on_change(self, callback: Callable[[OrderDraft], object]) -> Callable[[], None]:
        """Call ``callback(draft)`` after every change that holds, from the thread that made it.

        Options, items, their own options and areas, group, area, packaging, priority, name, remark and
        limits; what is refused is no change. What a callback raises is logged and breaks nothing.

        Returns
        -------
        callable
            What stops it.
        """
        return self.changes.tell(callback)

    def let(self, thing: Any, name: str, value: Any) -> None:
        """Let an attribute of the draft or one of its parts be something else, if no rule is broken by it.

        Raises
        ------
        ValidationError
            With the rules that would be; nothing has changed then.
        """
        before = getattr(thing, name)
        if before == value:
            return
        setattr(thing, name, value)
        if problems := list(dict.fromkeys(self.rule_problems())):
            setattr(thing, name, before)
            raise ValidationError.of(problems)
        self.changes.made()

    def options_changed(self) -> None:
        """Tell that another choice holds (`Options` calls it)."""
        self.changes.made()

    def rule_problems(self) -> Iterator[Problem]:
        """Yield the option rules that an item's values break, as they stand; the order's without items."""
        if not self.offer.rules:
            return
        plain = not self.items  # items without anything of their own are all alike
        for item in self.items:
            if item.own_options is None and item.own_area is None:
                plain = True
            else:
                yield from self.problems_of(item)
        if plain:
            yield from broken_in(self.offer, self.options.values | self._scene_values(self.area))

    def problems_of(self, item: DraftItem) -> Iterator[Problem]:
        """Yield the option rules that one item's values break."""
        if self.offer.rules:
            values = (item.own_options or self.options).values
            yield from broken_in(self.offer, values | self._scene_values(item.area))

    def known_values(self, name: str) -> tuple[str, ...]:
        """Return what the products chosen have of an option themselves: of a CRS their own, as told."""
        if name.lower() != "crs":
            return ()
        found = [each.product.properties.get("proj:code") for each in self.items if each.product is not None]
        return tuple(dict.fromkeys(each for each in found if isinstance(each, str)))[:5]

    def scene_selection(self, area: Area | None) -> tuple[ParameterData, ...]:
        """Return an area as the collection's scene selection, as it travels."""
        scene = Options(self.scene_options.values(), self.collection)
        if area is not None:
            scene.update(**as_selection(area, self.scene_options))
        return scene.parameters()

    def _scene_values(self, area: Area | None) -> dict[str, Any]:
        """Return the scene selection's values, as far as a rule asks for them."""
        asked = {name for rule in self.offer.rules for name in (*rule.when, *rule.then)}
        if asked.isdisjoint(self.scene_options):
            return {}
        return scene_values(self.offer, self.scene_selection(area))

    # ------------------------------------------------------------------------------------- what is chosen

    @property
    def session(self) -> Session:
        """Where it will be submitted."""
        return self._session

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
        self._set("_name", name)

    @property
    def area(self) -> Area | None:
        """What is cut out of every product; None for whole scenes. Set it to anything `Lab.search` takes."""
        return self._area

    @area.setter
    def area(self, area: Any) -> None:
        place = None if area is None else as_area(area)
        if place is not None:
            as_selection(place, self.scene_options)
        self.let(self, "_area", place)

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
        own = [self.options, *(item.options for item in self.items if item.own_options is not None)]
        before = [(vars(self), {"offer": self.offer, "scene_options": self.scene_options})]
        before += [(vars(each), dict(vars(each))) for each in own]
        try:
            for each in own:
                each.regroup(offer.options, offer.rules)
            self.offer = offer
            self.scene_options = self._session.scene_options(self.collection, group)
            problems = list(dict.fromkeys(self.rule_problems()))
            if problems:
                raise ValidationError.of(problems)
        except ValidationError:
            for state, was in before:
                state.update(was)
            raise
        for item in self.items:
            item.forget_options()
        self.changes.made()

    @property
    def packaging(self) -> Packaging | None:
        """The container products travel in; None for files as they are."""
        return self._packaging

    @packaging.setter
    def packaging(self, packaging: str | None) -> None:
        offered = [each for each in Packaging if each not in REFUSED_PACKAGING]
        self._set("_packaging", _word(offered, packaging, "packaging"))

    @property
    def priority(self) -> Priority | None:
        """``STANDARD`` or ``FAST_TRACK``; None leaves it to the service."""
        return self._priority

    @priority.setter
    def priority(self, priority: str | None) -> None:
        self._set("_priority", _word(list(Priority), priority, "priority"))

    @property
    def remark(self) -> str | None:
        """What the operators should know; None for nothing."""
        return self._remark

    @remark.setter
    def remark(self, remark: str | None) -> None:
        given = None if remark is None else text(remark, "remark", "a text, or None")
        self._set("_remark", given or None)

    @property
    def limits(self) -> Limits:
        """The most the order may cost and deliver: ``draft.limits = dict(max_price=12, max_bytes="1GB")``."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits | Mapping[str, Any] | None) -> None:
        self._set("_limits", as_limits(limits))

    def _set(self, name: str, value: Any) -> None:
        """Set what no rule is about."""
        if getattr(self, name) != value:
            setattr(self, name, value)
            self.changes.made()

    # ------------------------------------------------------------------------------------ what to do with it

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
                extensions=(*extensions, *self.limits.extensions()),
            )
        )

    def validate(self) -> list[Problem]:
        """Return everything that would go wrong, asking the catalogue, if there is one; empty is good."""
        from oseo_lab.client.doubts import doubts

        problems = list(self._gaps())
        if not self.items:
            return problems
        try:
            found = self._session.find(self.collection, self._identifiers())
        except NotSupported:  # another service without a catalogue: it will say itself
            return problems
        for item in self.items:
            problems.extend(doubts(item, found.get(item.identifier), self.collection))
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

    def submit(self, again: bool = False, max_price: float | None = None, max_bytes: Any = None) -> Order:
        """Send the order and return its handle.

        The same draft submitted again is the same order: by name for 30 days, without a name on the same
        day. ``again=True`` makes a new one. ``max_price`` (in the currency it is paid in) and ``max_bytes``
        (a number, or ``"1GB"``) become its `limits`.

        Raises
        ------
        ValidationError
            With everything wrong; nothing is stored then.
        """
        from oseo_lab.client.order import Order

        given = {"max_price": max_price, "max_bytes": max_bytes}
        said = as_limits({name: value for name, value in given.items() if value is not None})
        if said != Limits():
            self.limits = replace(
                said,
                max_price=self.limits.max_price if said.max_price is None else said.max_price,
                max_bytes=self.limits.max_bytes if said.max_bytes is None else said.max_bytes,
            )
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
        yield from self.rule_problems()

    def __repr__(self) -> str:
        chosen = ", ".join(f"{name}={value!r}" for name, value in self.options.chosen.items())
        name = f"{self.name!r}, " if self.name else ""
        items = "1 item" if len(self.items) == 1 else f"{len(self.items)} items"
        return f"OrderDraft({name}{items} of {self.collection}{f', {chosen}' if chosen else ''})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Show the draft as a form, which is the draft itself; as HTML and text where there is no kernel."""
        return display.bundle(self, self._html)

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
