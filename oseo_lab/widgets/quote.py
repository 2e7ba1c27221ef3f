"""The card of a quotation: what it says, until when, what would be cheaper, and a button that orders it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets

from oseo_lab.client import display
from oseo_lab.client.draft import OrderDraft
from oseo_lab.client.order import Order
from oseo_lab.client.prices import Quoted
from oseo_lab.client.quote import Quotation
from oseo_lab.client.quote_story import facts, lead, notes, reusing_label, rows, title
from oseo_lab.model.errors import OseoError, QuoteExpired
from oseo_lab.widgets.nodes import Node, button, buttons, fields, head, status, table, words
from oseo_lab.widgets.nodes import facts as facts_node
from oseo_lab.widgets.panel import Panel
from oseo_lab.widgets.work import Worker

__all__ = ["QuoteCard"]


class QuoteCard(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A quotation that can be looked at, waited for, and ordered.

    Parameters
    ----------
    quotation : Quotation
        What is shown; one that takes its time is waited for in a thread.
    draft : OrderDraft, optional
        What it was made of: quoting again then asks for the draft as it stands.
    ordered : callable, optional
        Called with the order once it is submitted.
    """

    def __init__(
        self,
        quotation: Quotation,
        draft: OrderDraft | None = None,
        ordered: Callable[[Order], None] | None = None,
    ) -> None:
        self.quotation: Quotation = quotation
        self.worker = Worker(self.redraw)
        self.looking = Worker(self.redraw)
        self.panel = Panel("quotation", self.edited, self.pressed)
        self.below = ipywidgets.VBox()
        self._draft, self._ordered = draft, ordered
        self._limits: dict[str, str | None] = {"max_price": None, "max_bytes": None}
        self._hints: list[tuple[str, Quoted]] = []
        self._order: Order | None = None
        self._look()
        self.redraw()
        super().__init__([self.panel, self.below])

    def close(self) -> None:
        """Close the card and that of the order below it."""
        for each in self.below.children:
            each.close()
        super().close()

    def _look(self) -> None:
        """Wait for it, or ask for what would be cheaper: in a thread."""
        self._hints = []
        if not self.quotation.is_ready:
            self.worker.start("waiting for the quotation", self.quotation.wait, lambda _: self._look())
        elif self.quotation.specification is not None and not self.quotation.is_lapsed:
            self.looking.start("asking what would be cheaper", self.quotation.cheaper, self._found)

    def _found(self, hints: list[Any]) -> None:
        self._hints = [(each.text, each.quotation) for each in hints]

    # ----------------------------------------------------------------------------------------------- drawing

    def redraw(self) -> None:
        """Let the page see what is known now."""
        quotation = self.quotation
        tree = [self._head()]
        if quotation.is_ready:
            columns, lines = rows(quotation)
            right = [at for at, name in enumerate(columns) if name == "price"]
            tree += [words(lead(quotation))]
            if said := facts(quotation):
                tree.append(facts_node(said))
            tree.append(table(columns, lines, label="items of the quotation", right=right))
            tree += [words(each, "quiet") for each in notes(quotation)]
            tree += self._cheaper()
        tree += [*self._actions(), self._status()]
        self.panel.tree = tree

    def _head(self) -> Node:
        until = self.quotation.valid_until if self.quotation.is_ready else None
        stamp = until.isoformat() if until is not None else None
        return head(title(self.quotation), "" if self.quotation.is_ready else "not ready yet", until=stamp)

    def _cheaper(self) -> list[Node]:
        if self._order is not None or self.quotation.is_lapsed:
            return []
        if self.looking.busy:
            return [status(self.looking.busy, busy=True)]
        found = [
            buttons(button(f"take/{at}", text, reason="look at this quotation instead", tone="link"))
            for at, (text, _) in enumerate(self._hints)
        ]
        return [fields([words("less:", "quiet"), fields(found)], row=True)] if found else []

    def _actions(self) -> list[Node]:
        if self._order is not None or not self.quotation.is_ready:
            return []
        lapsed, off = self.quotation.is_lapsed, bool(self.worker.busy)
        again = button(
            "again", "Quote again", off=off or not self._can_ask, tone="primary" if lapsed else "normal"
        )
        if lapsed:
            return [words("this quotation has lapsed: it cannot be ordered any more", "warn"), buttons(again)]
        limits = [
            self._limit("max_price", "max price", "", "most it may cost"),
            self._limit("max_bytes", "max size", "1GB", "most it may deliver"),
        ]
        submit = button("submit", "Submit", tone="primary", reason="order what was quoted", off=off)
        label = reusing_label(self.quotation)
        reuse = button("reuse", label, reason="what was delivered already costs nothing", off=off)
        return [fields(limits, row=True), buttons(submit, *([reuse] if label else []), again)]

    @property
    def _can_ask(self) -> bool:
        return self._draft is not None or self.quotation.specification is not None

    def _limit(self, name: str, label: str, such: str, help: str) -> Node:
        node = {"kind": "field", "key": name, "label": label, "control": "number", "placeholder": such}
        return node | {"value": self._limits[name], "help": help}

    def _status(self) -> Node:
        busy = self.worker.busy
        return status(busy or self.worker.said, "quiet" if busy else self.worker.tone, busy=bool(busy))

    # ------------------------------------------------------------------------------------------ what is done

    def edited(self, key: str, value: Any) -> None:
        """Take a limit."""
        if key in self._limits:
            self._limits[key] = value
            self.redraw()

    def pressed(self, key: str) -> None:
        """Take a press of a button."""
        if key.startswith("take/"):
            self.show(self._hints[int(key.removeprefix("take/"))][1])
        elif key in ("submit", "reuse"):
            self.submit(reuse=True if key == "reuse" else None)
        elif key == "again":
            self.worker.start("asking for a new quotation", self._ask, self.show)
        elif key == "lapsed":
            self.redraw()

    def _ask(self) -> Quotation:
        return self._draft.quote() if self._draft is not None else self.quotation.again()

    def show(self, quotation: Any) -> None:
        """Show another quotation in this card."""
        self.quotation = quotation
        self._look()
        self.redraw()

    def submit(self, reuse: bool | None = None) -> None:
        """Order what was quoted, in a thread; a lapsed one is replaced by the new one, to be looked at."""
        self.worker.start("submitting", partial(self._submit, reuse), self._submitted)

    def _submit(self, reuse: bool | None) -> Order | QuoteExpired:
        price, size = self._limits["max_price"], self._limits["max_bytes"]
        try:
            return self.quotation.submit(max_price=_number(price), max_bytes=size, reuse=reuse)
        except QuoteExpired as lapsed:
            return lapsed

    def _submitted(self, found: Order | QuoteExpired) -> None:
        if isinstance(found, QuoteExpired):
            self.worker.tell(found.text.partition(";")[0], "warn")
            self.show(found.new_quote)
            return
        self._order = found
        self.worker.tell(f"submitted as {found.name}", "good")
        card = display.widget_of(found)
        self.below.children = [card] if isinstance(card, ipywidgets.DOMWidget) else []
        if self._ordered is not None:
            self._ordered(found)


def _number(said: str | None) -> float | None:
    if said is None:
        return None
    try:
        return float(said)
    except ValueError:
        raise OseoError(f"max_price {said[:40]!r} is no number; write it as 12 or 12.5") from None
