"""Quotations as scientists see them: what an order would cost, how large and slow it is likely to be.

``draft.quote()`` asks; what comes back shows itself in a notebook, is waited for where it takes its time, and
is ordered as it was quoted with ``submit()``.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from oseo_lab.client import display
from oseo_lab.client.given import number, seconds
from oseo_lab.client.limits import as_limits
from oseo_lab.client.names import message_id
from oseo_lab.client.prices import counted, money, prices
from oseo_lab.client.session import Session
from oseo_lab.client.smaller import Composed
from oseo_lab.model.errors import OseoError, QuoteExpired, ValidationError, WaitTimeout
from oseo_lab.model.estimates import Estimate, in_words
from oseo_lab.model.limits import Limits
from oseo_lab.model.messages import GetQuotation, GetQuotationAck, Submit
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.quotation import ItemGroupPrice, ItemPrice, Price
from oseo_lab.model.quotation import Quotation as Record
from oseo_lab.model.reuse import wants_reuse, with_reuse

if TYPE_CHECKING:
    from oseo_lab.client.order import Order
    from oseo_lab.client.quote_hints import Hint

__all__ = ["Quotation"]

#: Seconds between two questions for a quotation that takes its time, first and most.
_FIRST, _LONGEST = 0.2, 5.0


class Quotation:
    """What an order would cost; maybe not known yet.

    Parameters
    ----------
    session : Session
        Where it was asked for.
    answer : GetQuotationAck
        What the service said last.
    specification : OrderSpecification or None
        What was asked, where that is known; then it can be asked again, and what would be cheaper.
    composed : Composed, optional
        What is known of its products, and which smaller areas it might do with.
    """

    def __init__(
        self,
        session: Session,
        answer: GetQuotationAck,
        specification: OrderSpecification | None = None,
        composed: Composed | None = None,
    ) -> None:
        self._session = session
        self._answer = answer
        self._limited: dict[Limits, Quotation] = {}
        self._at_once = answer.quotation is not None
        self._other: Quotation | None = None  # with reuse, or without
        self._hints: list[Hint] | None = None
        self.specification = specification
        self.composed = composed or Composed()

    @classmethod
    def asked(
        cls, session: Session, specification: OrderSpecification, composed: Composed | None = None
    ) -> Quotation:
        """Ask a service for a quotation of an order."""
        answer = session.transport.perform(GetQuotation(specification=specification))
        return cls(session, answer, specification, composed)

    def again(self, specification: OrderSpecification | None = None) -> Quotation:
        """Ask anew for a quotation of the same order, or of another.

        Raises
        ------
        OseoError
            If what was asked is not known: this quotation was looked up by its id.
        """
        wanted = specification or self.specification
        if wanted is None:
            raise OseoError("what was asked is not known here; draft.quote() asks for a new quotation")
        products = replace(self.composed, smaller=self.composed.smaller if specification is None else ())
        return Quotation.asked(self._session, wanted, products)

    def cheaper(self) -> list[Hint]:
        """Return what would cost less, or be smaller or quicker: variants the service quoted, at most three.

        Each has ``text``, and ``quotation`` to be looked at and submitted. Asks the service, unless
        quotations take their time there: a person who answers them is not asked three more.
        """
        from oseo_lab.client.quote_hints import hints_for

        if self._hints is None:
            self._hints = hints_for(self, self._presets()) if self._at_once else []
        return list(self._hints)

    @property
    def hints(self) -> list[Hint]:
        """What `cheaper` found, if it was asked."""
        return list(self._hints or ())

    def delivered_before(self) -> dict[str, str]:
        """Return, by item id, what was delivered to you already and is kept: when, in which order."""
        from oseo_lab.client.delivered_before import delivered_before

        return delivered_before(self)

    def _presets(self) -> dict[str, Any]:
        """Return the preset values of what was quoted, as the service offers them."""
        known = self.specification
        item = known.items[0] if known is not None and known.items else None
        collection = None if item is None else getattr(item.identifier, "collection_id", None)
        if known is None or item is None or collection is None:
            return {}
        offer = self._session.offer(collection, item.product_order_options_id, known.order_type)
        return {each.name: each.default for each in offer.options}

    # --------------------------------------------------------------------------------------- what it says

    @property
    def id(self) -> str:
        """The service's name for it."""
        record = self._answer.quotation
        return record.quotation_id if record is not None else str(self._answer.quotation_id)

    @property
    def is_ready(self) -> bool:
        """Whether it has been made."""
        return self._answer.quotation is not None

    @property
    def record(self) -> Record:
        """The quotation as it travelled.

        Raises
        ------
        OseoError
            If it is not ready; ``wait()`` waits for it.
        """
        if self._answer.quotation is None:
            raise OseoError(f"quotation {self.id} is not ready yet; quotation.wait() waits for it")
        return self._answer.quotation

    @property
    def price(self) -> Price | None:
        """The whole price; None where items are paid in different ways or currencies: see ``groups``."""
        return self.record.price

    @property
    def groups(self) -> tuple[ItemGroupPrice, ...]:
        """Items priced together: by one provider, paid by one method."""
        return self.record.groups

    @property
    def items(self) -> list[ItemPrice]:
        """What each item costs."""
        return [each for group in self.groups for each in group.items]

    @property
    def size(self) -> Estimate | None:
        """Bytes likely to be delivered."""
        return self.record.size

    @property
    def duration(self) -> Estimate | None:
        """Seconds of work likely to be needed; several workers share them."""
        return self.record.duration

    @property
    def valid_until(self) -> datetime | None:
        """Until when it holds, UTC; None for no limit."""
        return self.record.validity_time

    @property
    def is_lapsed(self) -> bool:
        """Whether its time is over; a new one has to be asked for then."""
        until = self.valid_until
        return until is not None and until < datetime.now(UTC)

    @property
    def left_out(self) -> str | None:
        """What could not be quoted and so is not ordered by it."""
        return self._answer.error_message

    # ---------------------------------------------------------------------------------------- what to do

    def refresh(self) -> Quotation:
        """Ask how it stands."""
        if not self.is_ready:
            self._answer = self._session.transport.perform(GetQuotation(quotation_id=self.id))
        return self

    def wait(self, timeout: float | timedelta | str | None = None) -> Quotation:
        """Wait until it is ready.

        Parameters
        ----------
        timeout : float, timedelta or str, optional
            Seconds, or ``"2h"``; without it as long as it takes.

        Raises
        ------
        WaitTimeout
            If it takes longer; it can be waited for again.
        OseoError
            If it could not be made.
        """
        longest = seconds(timeout, "timeout")
        end = None if longest is None else time.monotonic() + longest
        pause = _FIRST
        while not self.refresh().is_ready:
            if end is not None and time.monotonic() + pause > end:
                raise WaitTimeout(f"quotation {self.id} is not ready after {longest:g} s; wait() again")
            time.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 1.5, _LONGEST)
        return self

    def submit(
        self, max_price: float | None = None, max_bytes: Any = None, reuse: bool | None = None
    ) -> Order:
        """Order what was quoted, at the price that was quoted; again, it is the same order.

        Parameters
        ----------
        max_price : float, optional
            Most it may cost altogether, in its own currency.
        max_bytes : int or str, optional
            Most it may deliver, such as ``"1GB"``: the service starts no item beyond it.
        reuse : bool, optional
            True: what was delivered to you already, and is kept, is delivered from that, at no price.

        Raises
        ------
        QuoteExpired
            If it lapsed; its ``new_quote`` says what it would cost now.
        ValidationError
            If it costs more than ``max_price``.
        Conflict
            If your balance does not suffice.
        """
        from oseo_lab.client.order import Order

        if reuse is not None and reuse is not self.is_reusing:
            return self.reusing(reuse).submit(max_price, max_bytes)
        if max_price is not None:
            self._check_price(max_price)
        if max_bytes is not None:
            return self._with_limits(max_price, max_bytes).submit()
        request = Submit(quotation_id=self.id)
        try:
            answer = self._session.transport.perform(request, message_id=message_id("quotation", self.id))
        except ValidationError as refused:
            raise self._expired(refused) from None
        self._session.submitted_here.add(answer.order_id)
        return Order.of_id(self._session, answer.order_id)

    @property
    def is_reusing(self) -> bool:
        """Whether it counts on what was delivered already."""
        return self.specification is not None and wants_reuse(self.specification)

    def reusing(self, reuse: bool = True) -> Quotation:
        """Return a quotation of the same order that counts on what was delivered already, or does not.

        Raises
        ------
        OseoError
            If what was asked is not known: this quotation was looked up by its id.
        """
        other = self._other
        if other is None or other.is_lapsed or other.is_reusing is not reuse:
            known = self.specification
            if known is None:
                raise OseoError("what was asked is not known here: draft.submit(reuse=True) orders it")
            self._other = other = self.again(with_reuse(known, reuse))
        return other

    def _with_limits(self, max_price: float | None, max_bytes: Any) -> Quotation:
        """Return a quotation of the same order with limits; refused if it costs more."""
        limits = as_limits({"max_price": max_price, "max_bytes": max_bytes})
        if limits not in self._limited:
            known = self.specification
            if known is None:
                raise OseoError("what was asked is not known here: set draft.limits, and draft.quote()")
            said = {each.partition("=")[0] for each in limits.extensions()}
            kept = tuple(each for each in known.extensions if each.partition("=")[0] not in said)
            new = self.again(replace(known, extensions=(*kept, *limits.extensions())))
            if self.price is not None:
                new._check_price(self.price.value)
            self._limited[limits] = new
        return self._limited[limits]

    def _expired(self, refused: ValidationError) -> ValidationError:
        """Return the refusal, with a new quotation where the old one's time is over."""
        is_over = self.is_ready and (self.is_lapsed or "lapsed" in refused.text)
        if refused.locator != "quotationId" or not is_over or self.specification is None:
            return refused
        new = self.again()
        said = f"now: {new!r}" if new.is_ready else "a new one is being made"
        return QuoteExpired(
            f"this quotation lapsed on {display.when(self.valid_until)}, nothing was ordered; {said}; "
            "error.new_quote.submit() orders it",
            new,
        )

    def _check_price(self, most: float) -> None:
        price = self.price
        if price is None:
            text = f"{prices(self.groups)} is not one price that max_price could be compared with"
            raise ValidationError(text, locator="max_price")
        if price.value > number(most, "max_price"):
            raise ValidationError(
                f"it costs {money(price)}, and max_price is {most:g}: nothing was ordered",
                locator="max_price",
            )

    # ------------------------------------------------------------------------------------- how it looks

    def __repr__(self) -> str:
        if not self.is_ready:
            return f"Quotation({self.id!r}, not ready yet: quotation.wait())"
        likely = in_words(self.size, self.duration)
        parts = [
            prices(self.groups) if self.price is None else money(self.price),
            counted(len(self.items)),
            *([likely] if likely else []),
            *([self.holds()] if self.valid_until else []),
            *([self.left_out] if self.left_out else []),
        ]
        return f"Quotation({', '.join(parts)})"

    def holds(self) -> str:
        """Return until when it holds, as words; empty for no limit."""
        if self.valid_until is None:
            return ""
        return f"{'lapsed' if self.is_lapsed else 'valid until'} {display.when(self.valid_until)}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show it as a card that can be submitted; as HTML and text where there is no kernel."""
        return display.bundle(self, self._html)

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        from oseo_lab.client.quote_story import story

        return story(self)
