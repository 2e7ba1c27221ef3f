"""A panel: nodes drawn in the page, edits and presses told to Python.

All forms and cards of this room that need the kernel are panels: one model each however many fields they
have, so the largest form is drawn at once. The page never changes state: it only sees what Python keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from oseo_lab.widgets.nodes import Node

__all__ = ["Panel"]

_HERE = Path(__file__).parent


class Panel(anywidget.AnyWidget):
    """Draws `tree` and reports what is done with it.

    Parameters
    ----------
    label : str
        What it is, for screen readers.
    edited : callable, optional
        Called with the key of a field and its new value (text, list of text, or None for "not set").
    pressed : callable, optional
        Called with the key of a button.
    """

    _esm = _HERE / "panel.js"
    _css = _HERE / "panel.css"

    tree: Any = traitlets.List().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        label: str,
        edited: Callable[[str, Any], None] | None = None,
        pressed: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(label=label)
        self._edited, self._pressed = edited, pressed
        self.on_msg(self._told)

    def _told(self, _: Any, content: Mapping[str, Any], *_more: Any) -> None:
        if content.get("type") == "edit" and self._edited is not None:
            self._edited(str(content.get("key", "")), content.get("value"))
        elif content.get("type") == "press" and self._pressed is not None:
            self._pressed(str(content.get("key", "")))

    def edit(self, key: str, value: Any) -> None:
        """Do what an edit in the page does."""
        self._told(self, {"type": "edit", "key": key, "value": value}, None)

    def press(self, key: str) -> None:
        """Do what a button in the page does."""
        self._told(self, {"type": "press", "key": key}, None)

    def find(self, key: str) -> Node | None:
        """Return the node with this key, wherever in the tree it is."""
        return _find(self.tree, key)


def _find(nodes: list[Node], key: str) -> Node | None:
    for each in nodes:
        if each.get("key") == key and each.get("kind") != "head":
            return each
        inside = _find([*each.get("children", ()), *each.get("buttons", ())], key)
        if inside is not None:
            return inside
    return None
