"""The form of a draft: not a copy of it, but the draft itself, drawn.

Edits go to the draft's attributes, the draft's changes move the fields; what is refused is said under its
field with the draft's own sentence. Buttons show the draft as code, go back to the defaults, check it, quote
it and submit it; what asks the service does so in a thread, and what comes of it is shown below the form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import ipywidgets

from oseo_lab.client import display
from oseo_lab.client.draft import OrderDraft
from oseo_lab.client.order import Order
from oseo_lab.client.quote import Quotation
from oseo_lab.model.errors import OseoError, Problem
from oseo_lab.widgets.area import AreaPicker
from oseo_lab.widgets.draft_fields import ATTRIBUTES, DraftFields
from oseo_lab.widgets.nodes import Node, button, buttons, chips, code, fields, head, listed, status, words
from oseo_lab.widgets.option_fields import OptionFields
from oseo_lab.widgets.panel import Panel
from oseo_lab.widgets.work import Worker

__all__ = ["DraftForm"]


class DraftForm(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A draft as a form.

    Parameters
    ----------
    draft : OrderDraft
        What it is; nothing is copied.
    ordered : callable, optional
        Called with the order once it is submitted; its card is shown below the form anyway.
    """

    def __init__(self, draft: OrderDraft, ordered: Callable[[Order], None] | None = None) -> None:
        self.draft = draft
        self.options = OptionFields(draft.options)
        self.fields = DraftFields(draft)
        self.worker = Worker(self.redraw)
        self.panel = Panel(self.title(), self.edited, self.pressed)
        self.below = ipywidgets.VBox()
        self._ordered = ordered
        self._said: list[Node] = []
        self._maps: dict[str, AreaPicker] = {}
        self._results: list[Any] = []
        self._quiet = False
        self.redraw()
        super().__init__([self.panel, self.below])
        self._stop = draft.on_change(self._moved)

    def close(self) -> None:
        """Close the form and what is shown below it; the draft goes on without it."""
        self._stop()
        for each in self.below.children:
            each.close()
        super().close()

    # ----------------------------------------------------------------------------------------------- drawing

    def title(self) -> str:
        """Return what the form is called."""
        return f"order from {self.draft.collection}"

    def redraw(self) -> None:
        """Let the page see what holds."""
        self.panel.tree = [
            head(self.title(), self.aside()),
            *self.contents(),
            self._buttons(),
            status(
                f"{self.worker.busy}" if self.worker.busy else self.worker.said, self._tone(), busy=self._busy
            ),
            *self._said,
        ]

    def aside(self) -> str:
        """Return what stands beside the title."""
        count = len(self.draft.items)
        return f"{'1 item' if count == 1 else f'{count} items'} · not submitted yet"

    def contents(self) -> list[Node]:
        """Return the fields."""
        items = [
            {"label": _label(each), "key": f"items/{each.item_id}", "reason": _reason(each)}
            for each in self.draft.items
        ]
        nodes = [fields(self.fields.nodes("name", "group"))]
        nodes += (
            [chips("items", items)] if items else [words("no items yet: draft.items.add(product)", "warn")]
        )
        nodes += [fields(self.fields.nodes("area")), *self.options.nodes()]
        nodes += [fields(self.fields.nodes("packaging", "priority", "max_price", "max_bytes"), row=True)]
        return nodes

    def _buttons(self) -> Node:
        off = bool(self.worker.busy)
        return buttons(
            button("do/submit", "Submit", tone="primary", off=off),
            button("do/quote", "Quote", reason="what it would cost; nothing is ordered", off=off),
            button("do/validate", "Check", reason="ask the service what would go wrong", off=off),
            button("do/code", "Copy as code", reason="a cell that makes this draft again"),
            button("do/reset", "Reset", reason="all options back to their defaults"),
        )

    @property
    def _busy(self) -> bool:
        return bool(self.worker.busy)

    def _tone(self) -> str:
        return "quiet" if self.worker.busy else self.worker.tone

    # ----------------------------------------------------------------------------------------------- editing

    def _moved(self, draft: OrderDraft) -> None:
        """Show a change of the draft, whoever made it."""
        if self._quiet:
            return
        self.options.follow()
        self.fields.follow()
        for name, each in self._maps.items():
            each.show(self._area_of(name))
        self.redraw()

    def edited(self, key: str, value: Any) -> None:
        """Take an edit of the page: ``options/<name>/...`` or ``draft/<name>``."""
        self._said, self.worker.said = [], ""
        where, *path = key.split("/")
        self._quiet = True  # the draft's own voice: it is drawn once, below, with what was refused
        try:
            if where == "options" and path and path[0] in self.options.controls:
                self.options.edit(path, value)
            elif where == "draft" and path and path[0] in ATTRIBUTES:
                self.fields.edit(path[0], value)
        finally:
            self._quiet = False
        self.options.follow()
        for name, each in self._maps.items():
            each.show(self._area_of(name))
        self.redraw()

    def pressed(self, key: str) -> None:
        """Take a press of a button in the page."""
        where, _, verb = key.rpartition(":")
        name = where.split("/")[1] if where.startswith("options/") else ""
        if verb == "map" and (where == "draft/area" or self.options.area_field(name) is not None):
            self.open_map(where)
        elif name in self.options.controls and verb in ("add", "remove"):
            self.options.press(where.split("/")[1:], verb)
            self.redraw()
        elif key.startswith("items/"):
            name = key.removeprefix("items/")
            for item in [each for each in self.draft.items if each.item_id == name]:
                self.draft.items.remove(item)
        elif key in self._VERBS:
            self._VERBS[key](self)

    # ---------------------------------------------------------------------------------------------- the map

    def open_map(self, key: str) -> None:
        """Open a map on which an area is drawn, or close it again."""
        if key in self._maps:
            self._maps.pop(key).close()
        else:
            footprints = [each.product for each in self.draft.items if each.product is not None]
            self._maps[key] = AreaPicker(
                self._area_of(key), footprints, drawn=lambda geometry: self.edited(key, geometry)
            )
        self._show()

    def _area_of(self, key: str) -> Any:
        """Return the area a map shows, as GeoJSON or `Area`."""
        if key == "draft/area":
            return self.draft.area
        name = key.split("/")[1]
        control = self.options.area_field(name)
        points = control.points(self.options.raw(name)) if control is not None else []
        return {"type": "Polygon", "coordinates": [points]} if points else None

    # --------------------------------------------------------------------------------------- what is done

    def _show(self, *widgets: Any) -> None:
        self._results = [*widgets] or self._results
        self.below.children = [*self._maps.values(), *self._results]

    def show_code(self) -> None:
        """Show the cell that makes this draft again, to be copied."""
        self._said = [code(self.draft.as_code(), "the draft as a cell")]
        self.redraw()

    def reset(self) -> None:
        """Go back to the defaults of all options."""
        try:
            self.options.reset()
        except OseoError as wrong:
            self.worker.tell(wrong.text, "error")
        self._said = []
        self.redraw()

    def validate(self) -> None:
        """Ask, in a thread, what would go wrong."""
        self._start("checking", self.draft.validate, self._judged)

    def _judged(self, problems: list[Problem]) -> None:
        if problems:
            self.worker.tell(f"{len(problems)} to mend" if len(problems) > 1 else "1 to mend", "error")
            self._said = [listed([str(each) for each in problems[:20]], "error")]
        else:
            self.worker.tell("nothing is wrong with it", "good")

    def quote(self) -> None:
        """Ask, in a thread, what it would cost; a card below shows it."""
        self._start("asking for a quotation", self.draft.quote, self._quoted)

    def _quoted(self, quotation: Quotation) -> None:
        from oseo_lab.widgets.quote import QuoteCard

        self._show(QuoteCard(quotation, draft=self.draft, ordered=self._ordered))

    def submit(self) -> None:
        """Submit it, in a thread; the order's card is shown below."""
        self._start("submitting", self.draft.submit, self._submitted)

    def _submitted(self, order: Order) -> None:
        self.worker.tell(f"submitted as {order.name}", "good")
        card = display.widget_of(order)
        self._show(*([card] if isinstance(card, ipywidgets.DOMWidget) else []))
        if self._ordered is not None:
            self._ordered(order)

    def _start(self, what: str, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self._said = []
        if self.options.incomplete:
            said = ", ".join(self.options.incomplete)
            self.worker.tell(f"first complete or take back: {said}", "error")
            self.redraw()
            return
        self.worker.start(what, work, done)

    _VERBS: ClassVar[dict[str, Callable[[Any], None]]] = {
        "do/submit": submit,
        "do/quote": quote,
        "do/validate": validate,
        "do/code": show_code,
        "do/reset": reset,
    }


def _label(item: Any) -> str:
    name = str(item.identifier)
    return name if item.item_id == name else f"{item.item_id}: {name}"


def _reason(item: Any) -> str | None:
    product = item.product
    if product is None or product.orderable:
        return None
    return f"cannot be ordered: {product.reason or 'not now'}"
