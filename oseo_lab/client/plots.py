"""Pictures of results that look right without being told how: ``cube.oseo.plot()``, ``order.plot()``.

Natural colours where there are red, green and blue, else a ramp that suits the band; small multiples along
time; what is missing is transparent; axes in kilometres or degrees. matplotlib is loaded when something is
drawn; colours are decided in `plot_styles`, maps drawn in `drawing`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from oseo_lab.client import display
from oseo_lab.client.describing import all_needed, needed
from oseo_lab.client.drawing import Drawing, Panel, Plot
from oseo_lab.client.given import known_words
from oseo_lab.client.plot_styles import natural_colours
from oseo_lab.model.errors import DeliveryError, ValidationError

__all__ = ["PANELS", "Plot", "plot", "plot_all", "register"]

#: Most panels of one figure; what is beyond is counted.
PANELS = 12
#: Most pixels a side that are drawn of one panel: more is not seen.
PIXELS = 900
#: What a picture can be told beside its bands.
_LOOKS = ("stretch", "axes", "columns", "width", "title")
#: What opening and drawing results needs, and the extras that install it.
_DRAWS_FILES = {"matplotlib": "notebook", "rioxarray": "xarray"}


def plot(
    data: Any,
    bands: str | Sequence[str] | None = None,
    *,
    stretch: tuple[float, float] = (2, 98),
    axes: bool | None = None,
    columns: int | None = None,
    width: float | None = None,
    title: str | None = None,
) -> Plot:
    """Draw results.

    Parameters
    ----------
    data : xarray.Dataset, xarray.DataArray, or several
        What `Order.to_xarray` or `Item.open` returned, or was computed from it.
    bands : str or three str, optional
        One band, or red, green and blue of a picture; without it natural colours, else the first band.
    stretch : tuple of float
        Percentiles that become the darkest and the lightest.
    axes : bool, optional
        Whether coordinates are drawn, in km or degrees; a single map has them unless told.
    columns : int, optional
        Maps in a row.
    width : float, optional
        Of the figure, inches.
    title : str, optional
        Above all; without it the order's name.

    Raises
    ------
    ConfigurationError
        If matplotlib is missing: ``pip install 'oseo-lab[notebook]'``.
    ValidationError
        If there is no such band.
    DeliveryError
        If there is nothing with ``x`` and ``y`` to draw.
    """
    needed("matplotlib", "plot()", "notebook")
    several = list(data) if isinstance(data, list | tuple) else [data]
    return _drawn(several, bands, stretch, axes, columns, width, title)


def _drawn(
    several: Sequence[Any],
    bands: str | Sequence[str] | None,
    stretch: tuple[float, float] = (2, 98),
    axes: bool | None = None,
    columns: int | None = None,
    width: float | None = None,
    title: str | None = None,
    more: int = 0,
) -> Plot:
    """Draw several results; ``more`` are there that are not shown."""
    whole = [_as_dataset(each) for each in several]
    names = _chosen(whole, bands)
    panels = [panel for each in whole for panel in _panels(each[list(names)])]
    total, panels = len(panels) + more, panels[:PANELS]
    panels = _told_apart(panels)
    drawn = Drawing(panels, names, stretch, axes if axes is not None else total == 1, columns, width)
    said = title if title is not None else str(whole[0].attrs.get("order_name", ""))
    return drawn.plot(said, total)


def plot_all(
    openers: Sequence[Callable[[], Any]], bands: str | Sequence[str] | None = None, **how: Any
) -> Plot:
    """Draw several results by time, each on its own grid; only what is drawn is opened."""
    known_words(how, _LOOKS)
    all_needed("plot()", _DRAWS_FILES)
    opened = sorted((each() for each in openers[:PANELS]), key=_moment)
    return _drawn(opened, bands, **how, more=len(openers) - len(opened))


def _moment(data: Any) -> str:
    return str(data["time"].values.flat[0]) if "time" in data.coords else ""


def _as_dataset(data: Any) -> Any:
    """Return a dataset whose maps have dimensions ``y`` and ``x``."""
    if hasattr(data, "to_dataset") and not hasattr(data, "data_vars"):
        if "band" in data.dims:
            labels = data["band"].values if "band" in data.coords else range(1, data.sizes["band"] + 1)
            data = data.assign_coords(band=[str(each) for each in labels]).to_dataset(dim="band")
        else:
            data = data.to_dataset(name=data.name or "values")
    others = {"lon": "x", "longitude": "x", "lat": "y", "latitude": "y"}
    data = data.rename({old: new for old, new in others.items() if old in data.dims})
    there = [name for name in data.data_vars if {"x", "y"} <= set(data[name].dims)]
    if not there:
        raise DeliveryError("there is nothing to draw: no variable has dimensions x and y")
    return data[there]


def _chosen(whole: Sequence[Any], bands: str | Sequence[str] | None) -> tuple[str, ...]:
    if bands is None:
        return natural_colours(whole[0]) or (str(next(iter(whole[0].data_vars))),)
    names = (bands,) if isinstance(bands, str) else tuple(bands)
    there = [str(each) for each in whole[0].data_vars]
    if len(names) not in (1, 3) or any(name not in each.data_vars for name in names for each in whole):
        allowed = f"one of {', '.join(there)}, or three of them as red, green, blue"
        raise ValidationError(f"bands {names!r} cannot be drawn; allowed: {allowed}", locator="bands")
    return names


def _panels(data: Any) -> list[Panel]:
    """Return one panel for each moment, at no more pixels than are seen."""
    step = max(1, math.ceil(max(data.sizes["x"], data.sizes["y"]) / PIXELS))
    thin = data.isel(x=slice(None, None, step), y=slice(None, None, step))
    if "time" in thin.dims:
        return [
            Panel(data=each, title=_when(each))
            for each in (thin.isel(time=n) for n in range(thin.sizes["time"]))
        ]
    return [Panel(data=thin, title=_when(thin))]


def _when(data: Any) -> str:
    if "time" not in data.coords or data["time"].ndim or str(data["time"].values) == "NaT":
        return ""
    return str(data["time"].dt.strftime("%Y-%m-%d").values)


def _told_apart(panels: list[Panel]) -> list[Panel]:
    """Return panels whose titles differ: by day, else by item too."""
    days = [each.title for each in panels]
    if len(set(days)) == len(days):
        return panels
    found = []
    for each in panels:
        item = str(each.data["item"].values) if "item" in each.data.coords else ""
        parts = [each.title, str(each.data.attrs.get("item") or item)]
        found.append(Panel(data=each.data, title=" · ".join(part for part in parts if part)))
    return found


def register() -> None:
    """Give xarray's objects their ``.oseo``: done when results are opened."""
    import xarray

    for add in (xarray.register_dataset_accessor, xarray.register_dataarray_accessor):
        kind = xarray.Dataset if add is xarray.register_dataset_accessor else xarray.DataArray
        if not hasattr(kind, "oseo"):
            add("oseo")(_Accessor)  # type: ignore[no-untyped-call]  # xarray's own


class _Accessor:
    """What this package adds to xarray: ``data.oseo.plot()``."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def plot(self, bands: str | Sequence[str] | None = None, **how: Any) -> Plot:
        """Draw it (`oseo_lab.client.plots.plot`)."""
        return plot(self._data, bands, **how)

    def __repr__(self) -> str:
        return f"oseo_lab: .plot() draws {display.size(self._data.nbytes)}"
