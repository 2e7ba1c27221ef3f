"""Quotations as scientists see them: what an order would cost, how large and slow it is likely to be.

``draft.quote()`` asks; what comes back shows itself in a notebook, is waited for where it takes its time, and
is ordered as it was quoted with ``submit()``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from oseo_lab.client import display
from oseo_lab.client.given import number, text
from oseo_lab.client.names import message_id
from oseo_lab.client.session import Session
from oseo_lab.model.errors import OseoError, ValidationError, WaitTimeout
from oseo_lab.model.estimates import Estimate, in_words
from oseo_lab.model.messages import GetQuotation, GetQuotationAck, Submit
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.quotation import ItemGroupPrice, ItemPrice, Price, QuotationRecord
from oseo_lab.model.quotation import Quotation as Record

if TYPE_CHECKING:
    from oseo_lab.client.order import Order

__all__ = ["Quotation", "QuotationList", "Quotations"]

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
    """

    def __init__(self, session: Session, answer: GetQuotationAck) -> None:
        self._session = session
        self._answer = answer

    @classmethod
    def asked(cls, session: Session, specification: OrderSpecification) -> Quotation:
        """Ask a service for a quotation of an order."""
        return cls(session, session.transport.perform(GetQuotation(specification=specification)))

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

    def wait(self, timeout: float | None = None) -> Quotation:
        """Wait until it is ready.

        Parameters
        ----------
        timeout : float, optional
            Seconds; without it as long as it takes.

        Raises
        ------
        WaitTimeout
            If it takes longer; it can be waited for again.
        OseoError
            If it could not be made.
        """
        end = None if timeout is None else time.monotonic() + number(timeout, "timeout")
        pause = _FIRST
        while not self.refresh().is_ready:
            if end is not None and time.monotonic() + pause > end:
                raise WaitTimeout(f"quotation {self.id} is not ready after {timeout:g} s; wait() again")
            time.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 1.5, _LONGEST)
        return self

    def submit(self, max_price: float | None = None) -> Order:
        """Order what was quoted, at the price that was quoted; again, it is the same order.

        Parameters
        ----------
        max_price : float, optional
            Most it may cost altogether, in its own currency.

        Raises
        ------
        ValidationError
            If it lapsed, or costs more.
        Conflict
            If your balance does not suffice.
        """
        from oseo_lab.client.order import Order

        if max_price is not None:
            self._check_price(max_price)
        request = Submit(quotation_id=self.id)
        answer = self._session.transport.perform(request, message_id=message_id("quotation", self.id))
        self._session.submitted_here.add(answer.order_id)
        return Order.of_id(self._session, answer.order_id)

    def _check_price(self, most: float) -> None:
        price = self.price
        if price is None:
            text = f"{_prices(self.groups)} is not one price that max_price could be compared with"
            raise ValidationError(text, locator="max_price")
        if price.value > number(most, "max_price"):
            raise ValidationError(
                f"it costs {_money(price)}, and max_price is {most:g}: nothing was ordered",
                locator="max_price",
            )

    # ------------------------------------------------------------------------------------- how it looks

    def __repr__(self) -> str:
        if not self.is_ready:
            return f"Quotation({self.id!r}, not ready yet: quotation.wait())"
        likely = in_words(self.size, self.duration)
        parts = [
            _prices(self.groups) if self.price is None else _money(self.price),
            _items(len(self.items)),
            *([likely] if likely else []),
            *([self._holds()] if self.valid_until else []),
            *([self.left_out] if self.left_out else []),
        ]
        return f"Quotation({', '.join(parts)})"

    def _holds(self) -> str:
        return f"{'lapsed' if self.is_lapsed else 'valid until'} {display.when(self.valid_until)}"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        if not self.is_ready:
            return display.card(f"quotation {self.id}", "<code>quotation.wait()</code>", "not ready yet")
        facts: list[tuple[str, str]] = []
        for group in self.groups:
            said = _money(group.price)
            if group.balance is not None:
                said += f", which leaves {_money(group.balance)}"
            provider = group.provider.service_name or group.provider.organization
            facts.append((f"price ({provider})" if len(self.groups) > 1 else "price", said))
            if group.contract_information:
                facts.append(("contract", group.contract_information))
        if self.price is not None and len(self.groups) > 1:
            facts.append(("together", _money(self.price)))
        facts.append(
            ("likely", in_words(self.size, self.duration) or "nothing is known of size and time yet")
        )
        if self.left_out:
            facts.append(("left out", self.left_out))
        rows = [(each.item_id, _item_price(each), _likely(each)) for each in self.items]
        notes = dict.fromkeys(each.price_information for each in self.items if each.price_information)
        lines = "".join(f'<div class="quiet">{escape(each)}</div>' for each in list(notes)[:5])
        body = display.facts(facts) + _table(rows) + lines
        return display.card(
            f"quotation · {_items(len(rows))}", body, self._holds() if self.valid_until else ""
        )


class QuotationList(tuple[QuotationRecord, ...]):
    """Quotations as they stood when this was asked, without their items; with a table for notebooks."""

    def __repr__(self) -> str:
        lines = [", ".join(filter(None, row)) for row in self._rows()[:10]]
        more = [f"and {len(self) - 10} more"] if len(self) > 10 else []
        return "\n".join((*lines, *more)) if self else "no quotations"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [
            (
                display.when(each.requested),
                "ordered" if each.order_id else str(each.state),
                _prices(each.quotation.groups) if each.quotation is not None else each.problem or "",
                each.quotation_id,
            )
            for each in self
        ]

    def _repr_html_(self) -> str:
        head = ("asked for", "state", "price", "id")
        title = "1 quotation" if len(self) == 1 else f"{len(self)} quotations"
        return display.safely(self, lambda: display.card(title, display.table(head, self._rows())))


class Quotations:
    """Your quotations, newest first, or one by its id."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getitem__(self, quotation_id: str) -> Quotation:
        """Return a quotation by its id, as it stands."""
        text(quotation_id, "quotation", "its id; list(lab.quotations)[0] is the newest")
        answer = self._session.transport.perform(GetQuotation(quotation_id=quotation_id))
        return Quotation(self._session, answer)

    def records(self, limit: int = 100, *, waiting: bool = False) -> QuotationList:
        """Return what the service keeps of them, without their items.

        Parameters
        ----------
        limit : int
            Most of them, newest first.
        waiting : bool
            For operators: those of all users that a person answers, oldest first.
        """
        from oseo_lab.encoding.json_form import from_plain

        params = {"limit": limit, **({"waiting": "true"} if waiting else {})}
        found = self._session.transport.ask("GET", "quotations", params=params)
        return QuotationList(from_plain(QuotationRecord, each) for each in found.get("quotations", ()))

    def __iter__(self) -> Iterator[QuotationRecord]:
        return iter(self.records())

    def _ipython_display_(self) -> None:
        """Show them, asked for now: a cell that says ``lab.quotations`` wants to see them."""
        display.shown(self, self.records)

    def __repr__(self) -> str:
        return "your quotations: lab.quotations.records(), lab.quotations[id]"


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def _table(rows: list[tuple[str, str, str]]) -> str:
    """Return the items' table; without a column of estimates where there are none."""
    if any(likely for _, _, likely in rows):
        return display.table(("item", "price", "likely"), rows)
    return display.table(("item", "price"), [row[:2] for row in rows])


def _money(price: Price) -> str:
    return f"{price.value:,.2f} {price.currency}"


def _prices(groups: tuple[ItemGroupPrice, ...]) -> str:
    return " and ".join(_money(each.price) for each in groups)


def _item_price(item: ItemPrice) -> str:
    return _money(item.price) if item.price is not None else "in the group's"


def _likely(item: ItemPrice) -> str:
    return in_words(item.size, item.duration)
