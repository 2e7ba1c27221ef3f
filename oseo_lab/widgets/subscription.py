"""Subscriptions: composed in a form that says what would have come, watched and stopped in a panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import ipywidgets

from oseo_lab.client.found import Found
from oseo_lab.client.order import Order
from oseo_lab.client.subscription import SubscriptionDraft
from oseo_lab.client.subscription_preview import Preview, would_have_matched
from oseo_lab.encoding.order_html import month_text
from oseo_lab.model.status import FINAL, Wanted
from oseo_lab.widgets.form import DraftForm
from oseo_lab.widgets.nodes import Node, button, buttons, fields, head, spark, status, table, words
from oseo_lab.widgets.panel import Panel
from oseo_lab.widgets.products import rows_of
from oseo_lab.widgets.work import Worker

__all__ = ["SubscriptionForm", "SubscriptionPanel"]


class SubscriptionForm(DraftForm):
    """A subscription as a form; what would have matched is asked for by a button.

    Parameters
    ----------
    draft : SubscriptionDraft
        What it is.
    ordered : callable, optional
        Called with the order once it is submitted.
    """

    draft: SubscriptionDraft

    def __init__(self, draft: SubscriptionDraft, ordered: Callable[[Order], None] | None = None) -> None:
        self._preview: Preview | None = None
        super().__init__(draft, ordered)

    def title(self) -> str:
        """Return what the form is called."""
        return f"subscription to {self.draft.collection}"

    def aside(self) -> str:
        """Return what stands beside the title."""
        return "not submitted yet"

    def contents(self) -> list[Node]:
        """Return the fields, and what would have matched if that was asked."""
        nodes = [fields(self.fields.nodes("name", "group")), *self.options.nodes()]
        own = ("packaging", "priority", "max_price", "max_bytes", "max_items_per_month")
        nodes += [fields(self.fields.nodes(*own), row=True)]
        if self._preview is not None:
            counts, labels = self._preview.weeks()
            nodes.append(spark(counts, labels, str(self._preview)))
        return nodes

    def _buttons(self) -> Node:
        made = super()._buttons()
        off = bool(self.worker.busy)
        look = button("do/preview", "What would have matched?", reason="in the last 90 days", off=off)
        return made | {"buttons": [*made["buttons"][:2], look, *made["buttons"][2:]]}

    def edited(self, key: str, value: Any) -> None:
        """Take an edit; what was said to match holds no more."""
        self._preview = None
        super().edited(key, value)

    def preview(self) -> None:
        """Ask, in a thread, what would have matched in the last 90 days."""
        self._start("looking at the last 90 days", lambda: would_have_matched(self.draft), self._previewed)

    def _previewed(self, found: Preview) -> None:
        self._preview = found
        if not found.matches:
            self.worker.tell("nothing would have come: a larger area, fewer limits?", "warn")

    def _submitted(self, order: Order) -> None:
        super()._submitted(order)
        self._show(*self._results, SubscriptionPanel(order))

    _VERBS: ClassVar[dict[str, Callable[[Any], None]]] = DraftForm._VERBS | {"do/preview": preview}


class SubscriptionPanel(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """What can be done with a running subscription: pause, go on, stop, test now.

    Parameters
    ----------
    order : Order
        The subscription.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.worker = Worker(self.redraw)
        self.panel = Panel("subscription", pressed=self.pressed)
        self._found: Found | None = None
        self._paused = order.last_view.summary.wanted is Wanted.SUSPENDED
        self.redraw()
        super().__init__([self.panel])

    def redraw(self) -> None:
        """Let the page see what is known now."""
        off = bool(self.worker.busy)
        over = self.order.last_status in FINAL
        hold = button("resume", "Go on", off=off) if self._paused else button("pause", "Pause", off=off)
        state = "over" if over else "paused" if self._paused else "active"
        tree = [head(f"subscription {self.order.name}", state)]
        if month := month_text(self.order.last_view):
            tree.append(words(month))
        if not over:
            test = button("test", "Test now", reason="what it would order now; nothing is ordered", off=off)
            stop = button("stop", "Stop", reason="no more products; what came is kept", off=off)
            tree.append(buttons(hold, stop, test))
        tree.append(
            status(
                self.worker.busy or self.worker.said,
                "quiet" if off else self.worker.tone,
                busy=off,
            )
        )
        if self._found is not None:
            columns, lines = rows_of(self._found)
            tree += [words(f"would order now: {self._found!r}")]
            tree += [table(columns, lines, label="products that match now")] if lines else []
        self.panel.tree = tree

    def pressed(self, key: str) -> None:
        """Take a press of a button."""
        verbs: dict[str, tuple[str, Callable[[], Any], Callable[[Any], None]]] = {
            "pause": ("pausing", self.order.pause, lambda _: self._hold(True)),
            "resume": ("going on", self.order.resume, lambda _: self._hold(False)),
            "stop": ("stopping", self.order.cancel, lambda _: self.worker.tell("stopped", "good")),
            "test": ("asking the catalogue", self.order.would_match, self._tested),
        }
        if key in verbs:
            self.worker.start(*verbs[key])

    def _hold(self, paused: bool) -> None:
        self._paused = paused
        self.worker.tell("paused: nothing is ordered until it goes on" if paused else "active again", "good")

    def _tested(self, found: Found) -> None:
        self._found = found
