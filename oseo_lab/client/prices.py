"""Prices as people read them, and what is shown of a quotation: below the quotation itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from oseo_lab.client.smaller import Composed
from oseo_lab.model.estimates import Estimate
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.quotation import ItemGroupPrice, ItemPrice, Price, Quotation

__all__ = ["Quoted", "counted", "money", "prices"]


class Quoted(Protocol):
    """What a quotation says (`oseo_lab.client.quote.Quotation`)."""

    specification: OrderSpecification | None
    composed: Composed

    @property
    def record(self) -> Quotation:
        """The quotation as it travelled."""

    @property
    def is_reusing(self) -> bool:
        """Whether it counts on what was delivered already."""

    @property
    def id(self) -> str:
        """The service's name for it."""

    @property
    def is_lapsed(self) -> bool:
        """Whether its time is over."""

    @property
    def hints(self) -> Sequence[Any]:
        """What would be cheaper, if it was asked: each has a ``text``."""

    @property
    def is_ready(self) -> bool:
        """Whether it has been made."""

    @property
    def price(self) -> Price | None:
        """The whole price, if there is one."""

    @property
    def groups(self) -> tuple[ItemGroupPrice, ...]:
        """Items priced together."""

    @property
    def items(self) -> list[ItemPrice]:
        """What each item costs."""

    @property
    def size(self) -> Estimate | None:
        """Bytes likely to be delivered."""

    @property
    def duration(self) -> Estimate | None:
        """Seconds of work likely to be needed."""

    @property
    def valid_until(self) -> datetime | None:
        """Until when it holds."""

    @property
    def left_out(self) -> str | None:
        """What could not be quoted."""

    def holds(self) -> str:
        """Return until when it holds, as words."""

    def again(self, specification: OrderSpecification | None = None) -> Quoted:
        """Ask anew for a quotation of the same order, or of another."""


def counted(count: int) -> str:
    """Return a number of items as words."""
    return "1 item" if count == 1 else f"{count} items"


def money(price: Price) -> str:
    """Return a price as people read it."""
    return f"{price.value:,.2f} {price.currency}"


def prices(groups: tuple[ItemGroupPrice, ...]) -> str:
    """Return the prices of all groups."""
    return " and ".join(money(each.price) for each in groups)
