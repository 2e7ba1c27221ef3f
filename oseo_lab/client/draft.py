"""A draft: an order while it can still be changed. Step 1 of the walk.

Drafts live in the client until they are submitted. Submitting the same draft again (a cell that is run
twice, a notebook run after a restart) gives the same order back, because its message id is made of what it
says.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oseo_lab.client import display
from oseo_lab.client.draft_items import DraftItem, DraftItems
from oseo_lab.client.draft_state import DraftState
from oseo_lab.client.limits import as_limits
from oseo_lab.client.names import message_id
from oseo_lab.model.errors import NotSupported, Problem, ValidationError
from oseo_lab.model.limits import Limits
from oseo_lab.model.messages import Submit
from oseo_lab.model.names import reference_of
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.reuse import reuse_extensions

if TYPE_CHECKING:
    from oseo_lab.client.order import Order
    from oseo_lab.client.quote import Quotation

__all__ = ["DraftItem", "DraftItems", "OrderDraft"]


class OrderDraft(DraftState):
    """An order while it can still be changed.

    What can be chosen is in `DraftState`. Two drafts are equal if they would order the same.

    Parameters
    ----------
    session : Session
        Where it will be submitted.
    collection : str
        What it orders from.
    name : str, optional
        What you will find it by.
    """

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OrderDraft):
            return NotImplemented
        same = type(self) is type(other) and self.collection == other.collection
        return same and self.request() == other.request()

    #: A draft can change, so it has no hash.
    __hash__ = None  # type: ignore[assignment]  # the data model's word for it

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
                extensions=(*extensions, *self.limits.extensions(), *reuse_extensions(self.reuse)),
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
        from oseo_lab.client.smaller import composed

        if problems := list(self._gaps()):
            raise ValidationError.of(problems)
        specification = self.request().specification
        assert specification is not None
        return Quotation.asked(self._session, specification, composed(self, specification))

    def submit(
        self,
        again: bool = False,
        max_price: float | None = None,
        max_bytes: Any = None,
        reuse: bool | None = None,
    ) -> Order:
        """Send the order and return its handle.

        The same draft submitted again is the same order: by name for 30 days, without a name on the same
        day. ``again=True`` makes a new one. ``max_price`` (in the currency it is paid in) and ``max_bytes``
        (a number, or ``"1GB"``) become its `limits`. With ``reuse=True`` what was delivered to you already,
        made alike of the same, and is kept, is delivered from that: it costs nothing.

        Raises
        ------
        ValidationError
            With everything wrong; nothing is stored then.
        """
        from oseo_lab.client.order import Order

        self.reuse = self.reuse if reuse is None else reuse
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

    def as_code(self) -> str:
        """Return the cell that composes an equal draft: products by their identifiers, everything chosen."""
        from oseo_lab.client.as_code import code_of

        return code_of(self)

    def as_request(self, form: str = "json") -> str:
        """Say what `submit` would do: ``json``, ``soap``, ``curl``, ``python``, ``cli``; without the token.

        Raises
        ------
        NotSupported
            If the draft cannot be said in that form, or another service does not read it.
        """
        from oseo_lab.client.recipes import recipe

        return recipe(form, self._session.transport, self.request(), lambda: self)

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
        plain = not self.items or any(each.own_options is None for each in self.items)
        own = [each.own_options for each in self.items if each.own_options is not None]
        yield from dict.fromkeys(
            problem for each in ([self.options] if plain else []) + own for problem in each.missing()
        )
        yield from self.rule_problems()

    def __repr__(self) -> str:
        chosen = ", ".join(f"{name}={value!r}" for name, value in self.options.chosen.items())
        name = f"{self.name!r}, " if self.name else ""
        items = "1 item" if len(self.items) == 1 else f"{len(self.items)} items"
        return f"OrderDraft({name}{items} of {self.collection}{f', {chosen}' if chosen else ''})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show the draft as a form, which is the draft itself; as HTML and text where there is no kernel."""
        return display.bundle(self, self._html)

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _where(self) -> str:
        """Return which areas are cut out, as words."""
        own = sum(each.own_area is not None for each in self.items)
        if own and own == len(self.items):
            return "of each item its own"
        place = str(self.area or "whole scenes")
        return f"{place}; {own} of {len(self.items)} items have their own" if own else place

    def _html(self) -> str:
        first, count = ", ".join(self._identifiers()[:10]), len(self.items)
        facts = [
            ("items", f"{count}: {first} ..." if count > 10 else first),
            ("area", self._where()),
            ("packaging", self.packaging or "none"),
        ]
        body = display.facts(facts) + self.options._table()
        return display.card(f"draft {self.name or 'without a name'}", body, "not submitted yet")


def _is_old(order: Order, submitted_here: bool) -> bool:
    """Whether an order was there before; a minute's grace for clocks that differ."""
    if submitted_here or order.created is None:
        return submitted_here
    return (datetime.now(UTC) - order.created).total_seconds() > 60
