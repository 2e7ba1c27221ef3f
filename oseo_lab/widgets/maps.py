"""Maps without a network: a graticule instead of tiles, footprints and areas on it.

Nothing is fetched from anywhere unless the operator (``OSEO_LAB_BASEMAP``: the URL of a tile service, with
``{z}/{x}/{y}``) or the user names a basemap. The ground follows the notebook's theme.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import ipyleaflet
import ipywidgets

from oseo_lab.client.area import points_of
from oseo_lab.model.job import CatalogueItem

__all__ = ["AREA", "FOOTPRINT", "Box", "box_of", "collection", "faint", "feature", "footprint", "make_map"]

Box = tuple[float, float, float, float]
#: Outlines: readable on the light and the dark ground.
AREA = {"color": "#d9480f", "weight": 2, "fillOpacity": 0.12}
FOOTPRINT = {"color": "#2f7ed8", "weight": 1.5, "fillOpacity": 0.08}
_LINE = {"color": "#8a929b", "weight": 0.7, "opacity": 0.7, "fill": False, "interactive": False}
#: Pixels of a map's shorter side, and of a tile, from which a zoom is reckoned.
_SIDE, _TILE = 190, 256
_STEPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)


def make_map(box: Box | None, layers: Sequence[Any] = (), basemap: Any = None, height: str = "320px") -> Any:
    """Return a map that shows a box, in degrees; the whole world without one.

    Parameters
    ----------
    box : tuple of float or None
        West, south, east, north.
    layers : sequence of ipyleaflet layers
        What lies on it.
    basemap : str or basemap of ipyleaflet, optional
        What lies below: the URL of tiles; without it a graticule.
    height : str
        Of the map, as in CSS.
    """
    west, south, east, north = box or (-170.0, -60.0, 170.0, 75.0)
    tiles = basemap or os.environ.get("OSEO_LAB_BASEMAP") or None
    ground = [_tiles(tiles)] if tiles is not None else list(_graticule((west, south, east, north)))
    made = ipyleaflet.Map(
        layers=tuple([*ground, *layers]),
        center=((south + north) / 2, (west + east) / 2),
        zoom=_zoom(west, south, east, north),
        zoom_snap=0.25,
        scroll_wheel_zoom=True,
        attribution_control=tiles is not None,
        layout=ipywidgets.Layout(height=height, width="100%", max_width="62em"),
    )
    made.add_class("oseo-map")
    made.add(ipyleaflet.ScaleControl(position="bottomleft", imperial=False))
    return made


def _tiles(basemap: Any) -> Any:
    if isinstance(basemap, str):
        return ipyleaflet.TileLayer(url=basemap, base=True)
    return ipyleaflet.basemap_to_tiles(basemap)


def _zoom(west: float, south: float, east: float, north: float) -> float:
    """Return the zoom at which a box fills most of the map, in quarters."""
    tall = abs(_mercator(north) - _mercator(south)) or 1e-6
    wide = abs(east - west) / 360 or 1e-6
    return max(1.0, min(14.0, math.floor(4 * math.log2(_SIDE / _TILE / max(tall, wide / 3))) / 4))


def _mercator(latitude: float) -> float:
    """Return how far up a latitude lies on the square map, in sides of it."""
    sine = math.sin(math.radians(max(-85.0, min(85.0, latitude))))
    return 0.5 * math.log((1 + sine) / (1 - sine)) / (2 * math.pi)


def _graticule(box: Box) -> Iterator[Any]:
    """Yield meridians and parallels around a box, and their names on two sides of it."""
    west, south, east, north = box
    span = max(east - west, north - south)
    step = next((each for each in _STEPS if span / each <= 4), 30.0)
    margin = max(span * 3, step * 6)
    xs = list(_steps(max(-180.0, west - margin), min(180.0, east + margin), step))
    ys = list(_steps(max(-85.0, south - margin), min(85.0, north + margin), step))
    lines = [[[x, ys[0]], [x, ys[-1]]] for x in xs] + [[[xs[0], y], [xs[-1], y]] for y in ys]
    yield ipyleaflet.GeoJSON(
        data={
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "MultiLineString", "coordinates": lines},
        },
        style=_LINE,
    )
    for x in [each for each in xs if west - step < each < east + step][:7]:
        yield _name((max(south - step, -84.0), x), _degrees(x, "E", "W"))
    for y in [each for each in ys if south - step < each < north + step][:7]:
        yield _name((y, max(west - step, -179.0)), _degrees(y, "N", "S"))


def _steps(low: float, high: float, step: float) -> Iterator[float]:
    for count in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield round(count * step, 6)


def _degrees(value: float, above: str, below: str) -> str:
    return f"{abs(value):g}° {above if value > 0 else below if value < 0 else ''}".strip()


def _name(place: tuple[float, float], text: str) -> Any:
    icon = ipyleaflet.DivIcon(
        html=f"<span class=oseo-degrees>{text}</span>", icon_size=[60, 14], icon_anchor=[-3, 14]
    )
    return ipyleaflet.Marker(location=place, icon=icon, draggable=False, keyboard=False, title="", opacity=1)


# ----------------------------------------------------------------------------------------- what lies on it


def feature(geometry: Mapping[str, Any] | None, **properties: Any) -> dict[str, Any]:
    """Return a GeoJSON feature."""
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(features: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a GeoJSON feature collection, without features that are nowhere."""
    return {"type": "FeatureCollection", "features": [each for each in features if each["geometry"]]}


def footprint(product: CatalogueItem) -> dict[str, Any] | None:
    """Return where a product lies, as GeoJSON; None where nobody said."""
    if product.geometry:
        return dict(product.geometry)
    if product.bbox is None:
        return None
    west, south, east, north = product.bbox
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def faint(count: int) -> dict[str, Any]:
    """Return the style of so many footprints, which may lie on each other."""
    return FOOTPRINT | {"fillOpacity": max(0.004, 0.15 / max(1, count))}


def box_of(geometries: Iterable[Mapping[str, Any] | None]) -> Box | None:
    """Return the box around geometries; None where there are none."""
    points = [point for each in geometries if each for point in points_of(each.get("coordinates", ()))]
    if not points:
        return None
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
