"""What orders cost: quotations, balances and what earlier items took, members of the order store's seam."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from oseo_lab.model.quotation import Charge, Finished, QuotationRecord

__all__ = ["Balances", "Past", "Quotations"]


class Quotations(Protocol):
    """Quotations that were asked for."""

    def add(self, record: QuotationRecord) -> None:
        """Save a new one."""

    def get(self, quotation_id: str, owner: str | None = None) -> QuotationRecord | None:
        """Return one; None where it is unknown or another owner's."""

    def of(self, owner: str, limit: int = 100) -> Iterator[QuotationRecord]:
        """Yield an owner's quotations, newest first; each may hold thousands of items."""

    def unanswered(self, owner: str) -> int:
        """Return how many of an owner's quotations are still to be made, by a program or a person."""

    def save(self, before: QuotationRecord, after: QuotationRecord) -> bool:
        """Save one if its state and order id are still those of ``before``."""

    def pending(self, limit: int = 100) -> list[str]:
        """Return the ids of those still to be made, oldest first."""

    def waiting(self, limit: int = 100) -> Iterator[QuotationRecord]:
        """Yield those that wait for a person's answer, oldest first."""

    def forget(self, before: datetime) -> int:
        """Forget what was asked for before a moment and never ordered; return how many."""


class Balances(Protocol):
    """What accounts may still order, and what orders drew from that; by quota unit or ISO 4217 code."""

    def of(self, owner: str) -> dict[str, Decimal]:
        """Return an owner's balances by currency; a currency that is not there is not limited."""

    def set(self, owner: str, currency: str, value: Decimal | None) -> None:
        """Set a balance; None lifts the limit."""

    def draw(self, charges: Sequence[Charge]) -> None:
        """Draw charges, all or none.

        Raises
        ------
        Conflict
            If a balance does not suffice; locator ``payment``.
        """

    def give_back(self, keys: Iterable[tuple[str, int]]) -> list[Charge]:
        """Give back what items drew that is not given back yet; return it."""

    def charges(self, order_id: str) -> list[Charge]:
        """Return what an order's items drew."""


class Past(Protocol):
    """What delivered items took: what estimates are made of.

    The last few hundred of each collection and size of area are kept: many chips leave room for a lake.
    """

    def add(self, finished: Sequence[Finished]) -> None:
        """Remember items that were delivered."""

    def of(self, collection_id: str, choices: Iterable[str] = (), limit: int = 200) -> list[Finished]:
        """Return the latest of a collection, newest first.

        With choices those of areas as large as theirs, so many of each size; of the nearest size where there
        are none.
        """
