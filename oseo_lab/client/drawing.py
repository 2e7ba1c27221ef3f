"""Maps side by side in one matplotlib figure, with a colour bar or a legend; used by `plots`."""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oseo_lab.client import display
from oseo_lab.client.plot_styles import Style, natural_colours, rgba, style_of

__all__ = ["Drawing", "Panel", "Plot"]

_MISSING = "#ececea"
_INK, _QUIET = "#222222", "#6f6f6f"


class Plot:
    """A figure, shown once where a cell ends with it, and saved by ``save()``.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What was drawn; change it as any other.
    text : str
        What it shows, for those who cannot see it.
    is_picture : bool
        Whether it is of natural things: notebooks keep it as JPEG, which looks the same in a fifth the space.
    """

    def __init__(self, figure: Any, text: str, is_picture: bool = False) -> None:
        self.figure = figure
        self.text = text
        self.is_picture = is_picture

    @property
    def axes(self) -> list[Any]:
        """The axes of the panels, first the first; then those of a colour bar."""
        return list(self.figure.axes)

    def png(self) -> bytes:
        """Return it as PNG, at twice the pixels it is shown with."""
        return self._made("png", 2.0)

    def jpeg(self) -> bytes:
        """Return it as JPEG, with the sharp letters and colours of a PNG, for notebooks that stay light."""
        return self._made("jpeg", 1.5, pil_kwargs={"quality": 82, "subsampling": 0, "optimize": True})

    def _made(self, kind: str, density: float, **how: Any) -> bytes:
        made = io.BytesIO()
        self.figure.savefig(made, format=kind, dpi=density * self.figure.dpi, **how)
        return made.getvalue()

    def save(self, path: str | Path, **how: Any) -> Path:
        """Write it to a file: PNG, PDF, SVG, by the name's ending; ``how`` as matplotlib's ``savefig``."""
        target = Path(path).expanduser()
        self.figure.savefig(target, **{"dpi": 2 * self.figure.dpi, **how})
        return target

    def _ipython_display_(self) -> None:
        width, height = self.figure.get_size_inches() * self.figure.dpi
        kind, image = ("image/jpeg", self.jpeg()) if self.is_picture else ("image/png", self.png())
        size = {"width": int(width), "height": int(height), "alt": self.text}
        display.put({kind: image, "text/plain": self.text}, metadata={kind: size}, raw=True)
        if threading.current_thread() is threading.main_thread():
            from matplotlib import pyplot

            pyplot.close(self.figure)  # else the notebook shows it again when the cell ends

    def __repr__(self) -> str:
        return f"Plot({self.text})"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One map: a dataset without time, and its title."""

    data: Any
    title: str


class Drawing:
    """One figure of several maps with one way to colour them."""

    def __init__(
        self,
        panels: Sequence[Panel],
        names: tuple[str, ...],
        stretch: tuple[float, float],
        axes: bool,
        columns: int | None,
        width: float | None,
    ) -> None:
        self.panels = panels
        self.names = names
        self.axes = axes
        count = len(panels)
        self.columns = columns or (count if count <= 3 else 4 if count > 6 or count == 4 else 3)
        self.rows = math.ceil(count / self.columns)
        first = panels[0].data[names[0]]
        self.is_degrees = _is_geographic(first)
        self.aspect = 1 / math.cos(math.radians(float(first["y"].mean()))) if self.is_degrees else 1.0
        self.width = width or (6.4 if count == 1 else min(3.1 * self.columns, 12.0))
        values = [self._values(each) for each in panels]
        self.style: Style | None = None
        if len(names) == 3:
            self.images: list[Any] = self._pictures(values, stretch)
        else:
            flat = [each[0] for each in values]
            self.style = style_of(names[0], first.attrs, flat, stretch)
            self.images = flat

    def _values(self, panel: Panel) -> Any:
        import numpy

        arrays = []
        for name in self.names:
            band = panel.data[name].transpose("y", "x")
            pixels = band.values.astype("float32")
            nodata = band.attrs.get("_FillValue")
            arrays.append(pixels if nodata is None else numpy.where(pixels == nodata, numpy.nan, pixels))
        return numpy.stack(arrays)

    def _pictures(self, values: Sequence[Any], stretch: tuple[float, float]) -> list[Any]:
        import numpy

        ends = self.panels[0].data[self.names[0]].attrs.get("valid_range")
        if ends is None:
            return rgba(values, stretch)
        low, high = ends  # a picture: its light is right already
        light = [numpy.clip((each - low) / (high - low), 0, 1) for each in values]
        return [numpy.dstack([*numpy.nan_to_num(each), numpy.isfinite(each).all(axis=0)]) for each in light]

    # ------------------------------------------------------------------------------------------- drawing

    def plot(self, title: str, total: int) -> Plot:
        """Draw everything."""
        figure = _figure(self._size())
        grid = figure.subplots(self.rows, self.columns, squeeze=False)
        cells = list(grid.flat)
        shown = None
        for cell, panel, image in zip(cells, self.panels, self.images, strict=False):
            shown = self._map(cell, panel, image)
        for cell in cells[len(self.panels) :]:
            cell.axis("off")
        used = cells[: len(self.panels)]
        if self.style is not None and self.style.classes:
            self._legend(figure)
        elif self.style is not None and shown is not None:
            self._bar(figure, shown, used)
        what = self._what()
        more = f" · first {len(self.panels)} of {total}" if total > len(self.panels) else ""
        alone = self.panels[0].title if len(self.panels) == 1 else ""
        head = " · ".join(part for part in (title, what, alone) if part) + more
        figure.suptitle(head, x=0.01, ha="left", fontsize=11, fontweight="bold", color=_INK)
        days = "" if alone else ", ".join(each.title for each in self.panels if each.title)
        return Plot(figure, f"{head}{f': {days}' if days else ''}", is_picture=self.style is None)

    def _size(self) -> tuple[float, float]:
        first = self.panels[0].data
        high = abs(float(first["y"][-1] - first["y"][0])) or 1.0
        wide = abs(float(first["x"][-1] - first["x"][0])) or 1.0
        extra = 0.75 if self.style is not None and not self.style.classes else 0.0
        extra += 1.9 if self.style is not None and self.style.classes else 0.0
        panel = (self.width - extra - 0.15 * self.columns - (0.55 if self.axes else 0.0)) / self.columns
        height = panel * min(max(high * self.aspect / wide, 0.3), 2.5)
        line = 0.27 if len(self.panels) > 1 else 0.0
        return self.width, self.rows * (height + line) + 0.36 + (0.42 if self.axes else 0.0)

    def _map(self, cell: Any, panel: Panel, image: Any) -> Any:
        data = panel.data
        extent = _extent(data["x"].values, data["y"].values, 1.0 if self.is_degrees else 1000.0)
        flipped = [
            slice(None, None, -1 if _rises(data["y"]) else 1),
            slice(None, None, 1 if _rises(data["x"]) else -1),
        ]
        image = image[tuple(flipped)]
        shown = self._draw(cell, image, extent)
        cell.set_facecolor(_MISSING)
        cell.set_aspect(self.aspect)
        if len(self.panels) > 1:
            cell.set_title(panel.title, loc="left", fontsize=9.5, color=_INK, pad=4)
        for spine in cell.spines.values():
            spine.set_visible(False)
        if self.axes:
            _coordinates(cell, self.is_degrees)
        else:
            cell.set_xticks([])
            cell.set_yticks([])
        return shown

    def _draw(self, cell: Any, image: Any, extent: tuple[float, float, float, float]) -> Any:
        import numpy
        from matplotlib import colors

        if self.style is None:
            return cell.imshow(
                image, extent=extent, interpolation="nearest" if image.shape[0] < 60 else "antialiased"
            )
        if self.style.classes:
            codes = list(self.style.classes)
            index = numpy.full(image.shape, numpy.nan)
            for rank, code in enumerate(codes):
                index[image == code] = rank
            ramp = colors.ListedColormap([colour for _, colour in self.style.classes.values()])
            return cell.imshow(
                index, extent=extent, cmap=ramp, vmin=-0.5, vmax=len(codes) - 0.5, interpolation="nearest"
            )
        shown = cell.imshow(
            image, extent=extent, cmap=_ramp(self.style), vmin=self.style.low, vmax=self.style.high
        )
        if self.style.shaded:
            _shade(cell, image, extent, self.is_degrees)
        return shown

    def _bar(self, figure: Any, shown: Any, cells: Sequence[Any]) -> None:
        from matplotlib.ticker import MaxNLocator

        assert self.style is not None  # who calls looks first
        beyond = self._beyond()
        bar = figure.colorbar(shown, ax=list(cells), shrink=0.75, aspect=26, pad=0.02, extend=beyond)
        bar.outline.set_visible(False)
        bar.locator = MaxNLocator(5)
        bar.update_ticks()
        bar.ax.tick_params(labelsize=8, colors=_QUIET, length=0)
        units = str(self.panels[0].data[self.names[0]].attrs.get("units", ""))
        if units and units != "1":
            bar.ax.set_title(units, fontsize=8, color=_QUIET, loc="left")

    def _beyond(self) -> str:
        """Return at which ends of the bar there are values that it does not tell apart."""
        import numpy

        assert self.style is not None  # who calls looks first
        known = [each[numpy.isfinite(each)] for each in self.images]
        low = any(each.size and each.min() < self.style.low for each in known)
        high = any(each.size and each.max() > self.style.high for each in known)
        return {(True, True): "both", (True, False): "min", (False, True): "max"}.get((low, high), "neither")

    def _legend(self, figure: Any) -> None:
        from matplotlib.patches import Patch

        assert self.style is not None  # who calls looks first
        handles = [
            Patch(facecolor=colour, edgecolor="#b5b5b5", linewidth=0.5, label=name)
            for name, colour in self.style.classes.values()
        ]
        figure.legend(handles=handles, loc="outside right center", fontsize=8, frameon=False, labelcolor=_INK)

    def _what(self) -> str:
        if len(self.names) == 1:
            return str(self.panels[0].data[self.names[0]].attrs.get("long_name") or self.names[0])
        natural = natural_colours(self.panels[0].data)
        return "true colour" if natural == self.names else f"{', '.join(self.names)} as red, green, blue"


def _figure(size: tuple[float, float]) -> Any:
    """Return a figure that a notebook shows; one of its own where this is no thread to draw for others."""
    if threading.current_thread() is threading.main_thread():
        from matplotlib import pyplot

        return pyplot.figure(figsize=size, layout="constrained", facecolor="white")
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained", facecolor="white")


def _ramp(style: Style) -> Any:
    import matplotlib
    from matplotlib.colors import LinearSegmentedColormap

    if len(style.colours) == 1:
        ramp = matplotlib.colormaps[style.colours[0]]
    else:
        ramp = LinearSegmentedColormap.from_list("oseo", list(style.colours))
    return ramp.with_extremes(bad=(0, 0, 0, 0))


def _shade(cell: Any, heights: Any, extent: tuple[float, float, float, float], is_degrees: bool) -> None:
    """Darken the slopes that look away from the north-west: a map of heights reads as land."""
    import numpy
    from matplotlib.colors import LightSource

    known = numpy.isfinite(heights)
    filled = numpy.where(known, heights, numpy.nanmin(heights) if known.any() else 0)
    metres = 111_320.0 if is_degrees else 1000.0
    across = (extent[1] - extent[0]) * metres / heights.shape[1]
    light = LightSource(azdeg=315, altdeg=45).hillshade(filled, vert_exag=1.2, dx=across, dy=across)
    dark = numpy.zeros((*heights.shape, 4))
    dark[..., 3] = numpy.where(known, numpy.clip(0.72 - light, 0, 1) * 0.75, 0)
    cell.imshow(dark, extent=extent)


def _rises(axis: Any) -> bool:
    return len(axis) < 2 or bool(axis[-1] > axis[0])


def _extent(x: Any, y: Any, unit: float) -> tuple[float, float, float, float]:
    """Return left, right, bottom, top of the outer pixels' edges, in km or degrees."""

    def edges(axis: Any) -> tuple[float, float]:
        half = abs(float(axis[-1] - axis[0])) / max(len(axis) - 1, 1) / 2
        return (float(axis.min()) - half) / unit, (float(axis.max()) + half) / unit

    return *edges(x), *edges(y)


def _is_geographic(data: Any) -> bool:
    crs = getattr(getattr(data, "rio", None), "crs", None)
    if crs is not None:
        return bool(crs.is_geographic)
    return float(abs(data["x"]).max()) <= 360 and float(abs(data["y"]).max()) <= 90


def _coordinates(cell: Any, is_degrees: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    def degrees(letters: str) -> Any:
        return FuncFormatter(lambda value, _: f"{abs(value):g}° {letters[0 if value >= 0 else 1]}")

    def kilometres(digits: int) -> Any:
        return FuncFormatter(lambda value, _: f"{value:,.{digits}f}".replace(",", "\u202f"))

    for axis, letters, name in ((cell.xaxis, "EW", "km east"), (cell.yaxis, "NS", "km north")):
        axis.set_major_locator(MaxNLocator(4))
        if is_degrees:
            axis.set_major_formatter(degrees(letters))
        else:
            low, high = axis.get_view_interval()
            digits = max(0, math.ceil(-math.log10(abs(high - low) / 4 or 1.0)))
            axis.set_major_formatter(kilometres(digits))
            axis.set_label_text(name, fontsize=8, color=_QUIET)
    cell.tick_params(labelsize=8, colors=_QUIET, length=2, width=0.5)
