"""Products that were found: a table with small pictures, their footprints on a map, and which are chosen.

Pictures come from the service's own address, in a thread, and are shown as ``data:`` URLs; what cannot be
ordered is greyed, with the reason.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import ipyleaflet
import ipywidgets

from oseo_lab.client.found import Found, can_be_ordered
from oseo_lab.client.search import Products
from oseo_lab.encoding.html import ROWS
from oseo_lab.model.errors import OseoError
from oseo_lab.model.job import CatalogueItem
from oseo_lab.widgets.form import DraftForm
from oseo_lab.widgets.maps import AREA, box_of, collection, faint, feature, footprint, make_map
from oseo_lab.widgets.nodes import Node, button, buttons, head, status, table
from oseo_lab.widgets.panel import Panel
from oseo_lab.widgets.work import Worker

__all__ = ["ProductsMap"]

#: Most pictures that are fetched, and most footprints that are drawn.
PICTURES, FOOTPRINTS = 30, 500
#: Beginnings of files that are pictures; anything else is not shown.
_KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
_CHOSEN = {"color": "#b01fa8", "weight": 2.5, "fillOpacity": 0.08}
_NOT = {"color": "#8a929b", "weight": 1, "dashArray": "4 4", "fillOpacity": 0.04}


class ProductsMap(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """What a search found, to choose from.

    Parameters
    ----------
    products : Products
        What was found.
    chosen : callable, optional
        Called with the chosen products whenever others are.
    basemap : str or basemap of ipyleaflet, optional
        Tiles below the footprints; without it a graticule and no network.
    """

    def __init__(
        self,
        products: Products,
        chosen: Callable[[Products], None] | None = None,
        basemap: Any = None,
    ) -> None:
        self.products = products
        self._tell = chosen
        self._chosen: list[str] = []
        self._pictures: dict[str, str] = {}
        self.worker = Worker(self.redraw)
        self.panel = Panel(repr(products), self._edited, self._pressed)
        self._layer = ipyleaflet.GeoJSON(data=self._footprints())
        self._layer.on_click(self._clicked)
        area = products.area
        layers = [self._layer]
        if area is not None:
            layers.insert(0, ipyleaflet.GeoJSON(data=collection([feature(dict(area.geometry))]), style=AREA))
        places = [footprint(each) for each in products[:FOOTPRINTS]]
        self.map = make_map(box_of(places), layers, basemap, height="260px")
        self.below = ipywidgets.VBox()
        self.redraw()
        super().__init__([self.map, self.panel, self.below])
        if any(each.thumbnail for each in products[:PICTURES]):
            self.worker.start("fetching pictures", self._fetch, lambda found: None)

    @property
    def selected(self) -> Products:
        """The chosen products."""
        chosen = set(self._chosen)
        kept = [each for each in self.products if each.identifier in chosen]
        return self.products.of(kept)

    @selected.setter
    def selected(self, products: Sequence[CatalogueItem | str]) -> None:
        self.choose([each if isinstance(each, str) else each.identifier for each in products])

    def choose(self, identifiers: Sequence[str]) -> None:
        """Choose products by their identifiers; those that cannot be ordered are left out."""
        can = {each.identifier for each in self.products if each.orderable}
        self._chosen = [each for each in dict.fromkeys(identifiers) if each in can]
        self._layer.data = self._footprints()
        self.redraw()
        if self._tell is not None:
            self._tell(self.selected)

    # ----------------------------------------------------------------------------------------------- drawing

    def redraw(self) -> None:
        """Let the page see what is chosen."""
        products = self.products
        reasons = {
            each.identifier: each.reason or "cannot be ordered now" for each in products if not each.orderable
        }
        columns, lines = rows_of(products)
        pictures = [self._pictures.get(each.identifier) for each in products[:ROWS]]
        count = f"{len(self._chosen)} of {len(products)} chosen"
        self.panel.tree = [
            head(repr(products), count),
            table(
                columns,
                lines,
                label="products found",
                choosable=("chosen", [each.identifier for each in products], self._chosen, reasons),
                pictures=pictures,
            ),
            buttons(
                button("all", "Choose all that can be ordered"),
                button("none", "None", off=not self._chosen),
                *self._ordering(),
            ),
            status(self.worker.busy or self.worker.said, busy=bool(self.worker.busy)),
        ]

    def _ordering(self) -> list[Node]:
        """Return the button that composes an order, where nobody else does with what is chosen."""
        if self._tell is not None:
            return []
        return [button("order", "Order the chosen", tone="primary", off=not self._chosen)]

    def _footprints(self) -> dict[str, Any]:
        return collection(
            feature(footprint(each), id=each.identifier, style=self._style(each))
            for each in self.products[:FOOTPRINTS]
        )

    def _style(self, product: CatalogueItem) -> dict[str, Any]:
        if not product.orderable:
            return _NOT
        return _CHOSEN if product.identifier in self._chosen else faint(len(self.products))

    # ------------------------------------------------------------------------------------------ what is done

    def _edited(self, key: str, value: Any) -> None:
        if key == "chosen" and isinstance(value, list):
            self.choose([str(each) for each in value])

    def _pressed(self, key: str) -> None:
        if key == "order":
            self.below.children = [DraftForm(self.selected.order())]
        else:
            self.choose([each.identifier for each in self.products] if key == "all" else [])

    def _clicked(self, **event: Any) -> None:
        name = str(
            (event.get("properties") or (event.get("feature") or {}).get("properties") or {}).get("id")
        )
        others = [each for each in self._chosen if each != name]
        self.choose(others if name in self._chosen else [*self._chosen, name])

    def _fetch(self) -> None:
        for each in self.products[:PICTURES]:
            if each.thumbnail and (picture := self._picture(each)) is not None:
                self._pictures[each.identifier] = picture
                if len(self._pictures) % 8 == 1:
                    self.redraw()

    def _picture(self, product: CatalogueItem) -> str | None:
        """Return a small picture as a ``data:`` URL; None where there is none to be had."""
        try:
            found = self.products.thumbnail(product)
        except OseoError:  # no picture is no reason to show no table
            return None
        kind = next((kind for start, kind in _KINDS.items() if found.startswith(start)), None)
        return None if kind is None else f"data:{kind};base64,{base64.b64encode(found).decode()}"


def rows_of(products: Found) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of a table of products; columns that nobody fills are left out."""
    every = [
        [
            each.identifier,
            "" if each.datetime is None else f"{each.datetime:%Y-%m-%d %H:%M}",
            _percent(each.properties.get("eo:cloud_cover", each.properties.get("cloud_cover"))),
            can_be_ordered(each),
        ]
        for each in products[:ROWS]
    ]
    every += [["", "", "", ""]] * (len(products) - len(every))  # counted, not shown
    columns = ("product", "time (UTC)", "cloud", "can be ordered")
    kept = [at for at, _ in enumerate(columns) if any(row[at] for row in every)]
    return [columns[at] for at in kept], [[row[at] for at in kept] for row in every]


def _percent(value: Any) -> str:
    return f"{value:.0f} %" if isinstance(value, int | float) else ""
