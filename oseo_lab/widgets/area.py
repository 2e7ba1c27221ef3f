"""Areas drawn on a map: a rectangle or a polygon, over the footprints of what is to be ordered.

An `AreaPicker` has a ``__geo_interface__``: `Lab.search`, `Lab.order` and ``draft.area`` take it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipyleaflet
import ipywidgets

from oseo_lab.client.area import Area, as_area
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.job import CatalogueItem
from oseo_lab.widgets.maps import AREA, box_of, collection, faint, feature, footprint, make_map
from oseo_lab.widgets.nodes import button, buttons, fields, words
from oseo_lab.widgets.panel import Panel

__all__ = ["AreaPicker"]


class AreaPicker(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A map to draw an area on.

    Parameters
    ----------
    area : anything `Lab.search` takes as an area, optional
        What is drawn already.
    products : iterable of CatalogueItem
        Whose footprints are shown.
    drawn : callable, optional
        Called with a box (west, south, east, north) or a GeoJSON geometry, or None where the area was taken
        away.
    basemap : str or basemap of ipyleaflet, optional
        Tiles below; without it a graticule and no network.
    """

    def __init__(
        self,
        area: Any = None,
        products: Iterable[CatalogueItem] = (),
        drawn: Callable[[Any], None] | None = None,
        basemap: Any = None,
    ) -> None:
        self._drawn = drawn
        self._area = None if area is None else as_area(area)
        places = [footprint(each) for each in products][:500]
        self._layer = ipyleaflet.GeoJSON(data=self._data(), style=AREA)
        under = ipyleaflet.GeoJSON(
            data=collection(feature(each) for each in places), style=faint(len(places))
        )
        whole = box_of([*places, None if self._area is None else dict(self._area.geometry)])
        self.map = make_map(whole, (under, self._layer), basemap)
        self._control = ipyleaflet.DrawControl(
            rectangle={"shapeOptions": AREA, "showArea": False, "metric": True},
            polygon={"shapeOptions": AREA, "showArea": False},
            polyline={},
            circle={},
            circlemarker={},
            marker={},
            edit=False,
            remove=False,
        )
        self._control.on_draw(self._draw)
        self.map.add(self._control)
        self.panel = Panel("area on the map", pressed=lambda key: self.take(None))
        self._tell()
        super().__init__([self.map, self.panel])

    # --------------------------------------------------------------------------------------- what it says

    @property
    def area(self) -> Area | None:
        """What is drawn; None for nothing. Set it to anything `Lab.search` takes."""
        return self._area

    @area.setter
    def area(self, area: Any) -> None:
        self.show(area)

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        if self._area is None:
            raise ValidationError(
                "nothing is drawn yet: draw a rectangle or a polygon on the map", locator="area"
            )
        return dict(self._area.geometry)

    # ---------------------------------------------------------------------------------------- what is done

    @staticmethod
    def read(area: Any) -> Area | None:
        """Return an area from anything `Lab.search` takes; None for none."""
        return None if area is None else as_area(area)

    def show(self, area: Any) -> None:
        """Show another area, without telling anybody."""
        place = self.read(area)
        if place != self._area:
            self._area = place
            self._layer.data = self._data()
            self._tell()

    def take(self, area: Any) -> None:
        """Take what was drawn, or nothing; tell who wants to know."""
        try:
            self.show(area)
        except ValidationError as wrong:
            self._tell(wrong.text)
            return
        if self._drawn is not None:
            self._drawn(area)

    def _draw(self, control: Any, action: str, geo_json: Mapping[str, Any]) -> None:
        if action == "created":
            control.clear()  # shown as ours from here on, as an area that was typed
            self.take(_simple(geo_json["geometry"]))

    def _data(self) -> dict[str, Any]:
        return collection([feature(None if self._area is None else dict(self._area.geometry))])

    def _tell(self, problem: str = "") -> None:
        if problem:
            said = words(problem, "error")
        elif self._area is None:
            said = words("Draw a rectangle or a polygon with the tools on the left of the map.", "quiet")
        else:
            said = words(repr(self._area).removeprefix("Area(").removesuffix(")"), "quiet")
        off = self._area is None
        clear = buttons(button("clear", "Clear", reason="no area", off=off))
        self.panel.tree = [fields([clear, said], row=True)]


def _simple(geometry: Mapping[str, Any]) -> Any:
    """Return what was drawn, with coordinates of ten centimetres; a rectangle as a box."""
    rings = [[[round(x, 6), round(y, 6)] for x, y, *_ in ring] for ring in geometry["coordinates"]]
    xs, ys = ({point[at] for point in rings[0]} for at in (0, 1))
    if len(rings) == 1 and len(rings[0]) == 5 and len(xs) == len(ys) == 2:
        return min(xs), min(ys), max(xs), max(ys)
    return {"type": geometry["type"], "coordinates": rings}
