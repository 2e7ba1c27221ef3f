"""The composer: search, pick, choose options, quote, submit, watch; as one application.

What `Lab.composer` shows in a notebook, and Voilà serves as a page. Each step shows itself when the one
before it has something for it; nothing is kept here that is not in the search, the draft or the order.
"""

from __future__ import annotations

from typing import Any

import ipywidgets

from oseo_lab.client.composing import compose
from oseo_lab.client.lab import Lab
from oseo_lab.client.order import Order
from oseo_lab.client.search import Products
from oseo_lab.model.errors import OseoError
from oseo_lab.widgets.area import AreaPicker
from oseo_lab.widgets.area_text import area_given, area_text
from oseo_lab.widgets.form import DraftForm
from oseo_lab.widgets.nodes import Node, button, buttons, fields, head, status
from oseo_lab.widgets.panel import Panel
from oseo_lab.widgets.products import ProductsMap
from oseo_lab.widgets.work import Worker

__all__ = ["Composer"]

#: Most products that one search of the composer shows.
MOST = 200
#: Products whose footprints say where a collection is, before anything was searched.
EXAMPLES = 50


class Composer(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """An application that composes orders.

    Parameters
    ----------
    lab : Lab
        Where products are searched and ordered.
    basemap : str or basemap of ipyleaflet, optional
        Tiles below maps; without it a graticule and no network.

    Attributes
    ----------
    products, draft, order : Products, OrderDraft, Order, or None
        What was found, what is being composed, what was submitted last: the very objects of the client.
    """

    def __init__(self, lab: Lab, basemap: Any = None) -> None:
        self.lab = lab
        self.products: Products | None = None
        self.draft: Any = None
        self.order: Order | None = None
        self._basemap = basemap
        self._collections = {name: str(each.get("title") or name) for name, each in lab.collections.items()}
        self._asked: dict[str, str | None] = {"collection": next(iter(self._collections), None)}
        self._problem = ""
        self._picker: AreaPicker | None = None
        self.worker = Worker(self.redraw)
        self.panel = Panel("search", self.edited, self.pressed)
        self.found = ipywidgets.VBox()
        self.composed = ipywidgets.VBox()
        self.map = ipywidgets.VBox()
        self.redraw()
        super().__init__([self.panel, self.map, self.found, self.composed])

    # ----------------------------------------------------------------------------------------------- drawing

    def redraw(self) -> None:
        """Let the page see what is asked for."""
        off = bool(self.worker.busy) or self._asked.get("collection") is None
        search = button("search", "Search", tone="primary", off=off)
        self.panel.tree = [
            head("find products", self.lab.transport.url),
            fields([self._collection(), self._area()]),
            fields(self._others(), row=True),
            buttons(search),
            status(
                self.worker.busy or self.worker.said,
                "quiet" if self.worker.busy else self.worker.tone,
                busy=bool(self.worker.busy),
            ),
        ]

    def _field(self, name: str, label: str, control: str = "text", **more: Any) -> Node:
        asked = self._asked.get(name)
        return {"kind": "field", "key": name, "label": label, "control": control, "value": asked} | more

    def _collection(self) -> Node:
        choices = [
            {"value": name, "label": title if title == name else f"{title} ({name})", "offered": True}
            for name, title in self._collections.items()
        ]
        return self._field("collection", "collection", "select", choices=choices, fixed=True)

    def _area(self) -> Node:
        return self._field(
            "area",
            "area",
            "area",
            placeholder="west, south, east, north · or WKT",
            hint="" if self._asked.get("area") else "everywhere",
            problem=self._problem,
            chosen=bool(self._asked.get("area")),
            undo="everywhere",
            buttons=[button("map", "Map", reason="draw it on a map")],
        )

    def _others(self) -> list[Node]:
        return [
            self._field("start", "from", "date"),
            self._field("end", "to", "date"),
            self._field("cloud", "cloud below", "number", unit="%"),
            self._field("text", "words", "text"),
        ]

    # --------------------------------------------------------------------------------------------- searching

    def edited(self, key: str, value: Any) -> None:
        """Take a field of the search; an area that is none is said at once."""
        self._problem = ""
        if key == "area":
            self._take_area(value)
        else:
            self._asked[key] = value
        self.redraw()

    def _take_area(self, value: Any) -> None:
        try:
            given = area_given(value)
            picked = AreaPicker.read(given)
        except OseoError as wrong:
            self._problem = wrong.text
            return
        self._asked["area"] = area_text(picked)
        if self._picker is not None:
            self._picker.show(picked)

    def pressed(self, key: str) -> None:
        """Take a press of a button."""
        if key == "map":
            self.open_map()
        elif key == "search":
            self.search()

    def open_map(self) -> None:
        """Open the map on which the area is drawn, over what the collection has, or close it again."""
        if self._picker is not None:
            self._picker.close()
            self._picker, self.map.children = None, []
        else:
            self.worker.start("looking where products lie", self._examples, self._show_map)

    def _examples(self) -> Products:
        known = self.products
        if known and known.collection_id == self._asked["collection"]:
            return known
        return self.lab.search(str(self._asked["collection"]), limit=EXAMPLES)

    def _show_map(self, products: Products) -> None:
        area = area_given(self._asked.get("area") or "")
        self._picker = AreaPicker(area, products, lambda drawn: self.edited("area", drawn), self._basemap)
        self.map.children = [self._picker]

    def search(self) -> None:
        """Search, in a thread; what is found is shown below, to be picked from."""
        self.worker.start("searching", self._search, self._show_found)

    def _search(self) -> Products:
        asked = self._asked
        start, end = asked.get("start"), asked.get("end")
        time = (start or "..", end or "..") if start or end else None
        filters = {"cloud_cover_lt": _percent(asked["cloud"])} if asked.get("cloud") else {}
        area = area_given(asked.get("area") or "")
        return self.lab.search(
            str(asked["collection"]), area=area, time=time, text=asked.get("text"), limit=MOST, **filters
        )

    def _show_found(self, products: Products) -> None:
        self.products = products
        self.composed.children = []
        if not products:
            self.found.children = []
            self.worker.tell("nothing was found: a larger area, a longer time, fewer words?", "warn")
            return
        self.worker.tell(f"{products!r}: choose what to order", "good")
        self.found.children = [ProductsMap(products, self.pick, self._basemap)]

    # --------------------------------------------------------------------------------------------- composing

    def pick(self, products: Products) -> None:
        """Compose an order of these products: a new form, or the items of the one that is open."""
        if not products:
            self.composed.children = []
            self.draft = None
        elif self.draft is None or self.draft.collection != products.collection_id:
            self.draft = compose(self.lab, products)
            self.composed.children = [DraftForm(self.draft, self._submitted)]
        else:
            wanted = {each.identifier: each for each in products}
            for gone in [each.identifier for each in self.draft.items if each.identifier not in wanted]:
                self.draft.items.remove(gone)
            for each in wanted.values():
                self.draft.items.add(each)

    def _submitted(self, order: Order) -> None:
        self.order = order


def _percent(said: str | None) -> float:
    try:
        return float(said or "")
    except ValueError:
        raise OseoError(f"cloud {str(said)[:40]!r} is no number; write it as 20") from None
