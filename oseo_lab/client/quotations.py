"""``lab.quotations``: those that were asked for before, and what became of them.

What one of them says, and ordering it, is `oseo_lab.client.quote`.
"""

from __future__ import annotations

from collections.abc import Iterator

from oseo_lab.client import display
from oseo_lab.client.given import text
from oseo_lab.client.prices import prices
from oseo_lab.client.quote import Quotation
from oseo_lab.client.session import Session
from oseo_lab.model.messages import GetQuotation
from oseo_lab.model.quotation import QuotationRecord

__all__ = ["QuotationList", "Quotations"]


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
                prices(each.quotation.groups) if each.quotation is not None else each.problem or "",
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
