"""The pixels of a result, some rows at a time: copied where the grids agree, resampled where they do not.

Whatever the rows, they are those of one `rasterio.warp.reproject` of the whole. GDAL derives the width of
its kernels from the chunk at hand; so the scale of the whole is found once, as GDAL finds it, and given to
every strip. Strips have all columns, since GDAL approximates coordinates along a row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.transform import GCPTransformer
from rasterio.warp import reproject, transform
from rasterio.windows import Window

from oseo_lab.builtin.raster_grid import Grid
from oseo_lab.builtin.raster_source import Layer

__all__ = ["Strips", "coarse"]

_RADIUS = {"nearest": 0, "bilinear": 1, "cubic": 2, "lanczos": 3, "average": 0, "mode": 0}
_CONVEX = frozenset(
    {"nearest", "bilinear", "average", "mode"}
)  # results lie between the values they are made of
_CLOSE = 1e-6  # of a pixel, for grids and coordinates that are meant to be equal
_STEPS = 20  # along each edge, as GDAL samples the outline of a chunk
_NO_SPLIT = 4096  # MB: GDAL must not cut a strip into columns; how many rows it has bounds the memory
_ASKEW = 1.5  # times the budget: few rows of the result cross so much of the scene that GDAL must cut columns
_CHUNKED = 64  # MB: GDAL's own default, which then bounds the memory (coordinates hold to 1/8 pixel)


def _fill_value(layer: Layer) -> float:
    """Return what marks missing pixels of a layer: its nodata, else NaN, else 0."""
    if layer.nodata is not None:
        return layer.nodata
    return math.nan if np.dtype(layer.dtype).kind == "f" else 0


class Strips:
    """One layer on the result's grid, row by row.

    Parameters
    ----------
    layer : Layer
        Where pixels come from.
    grid : Grid
        The whole result.
    resampling : str
        Name of a `rasterio.enums.Resampling`.
    budget : int
        Bytes of source and result pixels to hold at once; what GDAL works on is a copy of them.
    """

    def __init__(self, layer: Layer, grid: Grid, resampling: str, budget: int = 40 << 20) -> None:
        self.layer = layer
        self.grid = grid
        self.resampling = resampling
        self.budget = budget
        self._offset = _aligned(layer, grid)
        self._scale = (1.0, 1.0) if self.is_copy else _scale(layer, grid, _RADIUS[resampling])
        self._source = _Source(layer)

    @property
    def is_copy(self) -> bool:
        """Whether the result's pixels are the layer's own."""
        return self._offset is not None

    @property
    def is_whole_copy(self) -> bool:
        """Whether every pixel of the result is one of the layer's."""
        if self._offset is None:
            return False
        left, top = self._offset
        wanted = Window(left, top, self.grid.width, self.grid.height)
        return bool(_common(wanted, Window(0, 0, self.layer.width, self.layer.height)) == wanted)

    @property
    def missing_value(self) -> float | None:
        """What marks missing pixels in `pieces`; None where none can be told from a value."""
        return self.layer.nodata

    def pieces(self, start: int, count: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield some rows' pixels, in pieces that fit the budget.

        Parameters
        ----------
        start, count : int
            Rows of the grid.

        Yields
        ------
        row : int
            First row of the piece.
        pixels : ndarray
            Bands, rows, columns; missing ones are the layer's nodata, else NaN, else 0.
        """
        row, end = start, start + count
        while row < end:
            rows = self._fitting(row, end - row)
            yield row, self._read(row, rows)
            row += rows

    def _fitting(self, row: int, rows: int) -> int:
        """Return how many rows fit the budget; no fewer than help, where the source lies askew."""
        item = np.dtype(self.layer.dtype).itemsize * len(self.layer.bands)
        source = self._source_size(row, rows)
        while rows > 8 and (source + rows * self.grid.width) * item > self.budget:
            rows //= 2
            before, source = source, self._source_size(row, rows)
            if source > 0.95 * before > 0:
                break
        return rows

    def _source_size(self, row: int, rows: int) -> int:
        window = None if self.is_copy else self._window(row, rows)
        return 0 if window is None else int(window.width * window.height)

    def _empty(self, rows: int) -> np.ndarray:
        shape = (len(self.layer.bands), rows, self.grid.width)
        return np.full(shape, _fill_value(self.layer), self.layer.dtype)

    def _read(self, row: int, rows: int) -> np.ndarray:
        if self.is_copy:
            return self._copied(row, rows)
        window = self._window(row, rows)
        if window is None:
            return self._empty(rows)
        item = np.dtype(self.layer.dtype).itemsize * len(self.layer.bands)
        is_askew = window.width * window.height * item > _ASKEW * self.budget
        if self.layer.transform is None or (is_askew and self._is_all_of_file):
            return self._warped_by_gdal(row, rows, _CHUNKED if is_askew else _NO_SPLIT)
        return self._warped(row, rows, window)

    @property
    def _is_all_of_file(self) -> bool:
        file = self.layer.dataset
        return bool((self.layer.width, self.layer.height) == (file.width, file.height))

    def _copied(self, row: int, rows: int) -> np.ndarray:
        assert self._offset is not None  # a copy has one
        left, top = self._offset
        wanted = Window(left, top + row, self.grid.width, rows)
        inside = _common(wanted, Window(0, 0, self.layer.width, self.layer.height))
        if inside == wanted:
            return self._source.read(wanted)
        result = self._empty(rows)
        if inside is not None:
            to_row, to_col = int(inside.row_off - wanted.row_off), int(inside.col_off - wanted.col_off)
            target = result[:, to_row : to_row + int(inside.height), to_col : to_col + int(inside.width)]
            target[...] = self._source.read(inside)
        return result

    def _warped(self, row: int, rows: int, window: Window) -> np.ndarray:
        result = self._empty(rows)
        source = self._source.rolling(window)
        assert self.layer.transform is not None
        moved = self.layer.transform * Affine.translation(window.col_off, window.row_off)
        self._reproject(source, result, row, src_transform=moved, **self._masking(source))
        return result

    def _warped_by_gdal(self, row: int, rows: int, memory: int) -> np.ndarray:
        """Resample by control points, or a scene that lies askew: GDAL reads what it needs of the file."""
        result = self._empty(rows)
        source = rasterio.band(self.layer.dataset, self.layer.indexes)
        points = {"gcps": list(self.layer.gcps)} if self.layer.gcps else {}
        self._reproject(source, result, row, memory, **points)
        return result

    def _masking(self, source: np.ndarray) -> dict[str, Any]:
        """Return nodata for GDAL where it can matter: without it, a warp costs half."""
        nodata = self.layer.nodata
        if nodata is None:
            return {}
        if self.resampling in _CONVEX and source.dtype.kind != "c":
            least, most = source.min(), source.max()
            if not (math.isnan(least) or least <= nodata <= most):
                return {}
        return {"src_nodata": nodata, "dst_nodata": nodata}

    def _reproject(
        self, source: Any, result: np.ndarray, row: int, memory: int = _NO_SPLIT, **how: Any
    ) -> None:
        strip = self.grid.rows(row, result.shape[1])
        across, down = self._scale
        reproject(
            source,
            result,
            src_crs=self.layer.crs,
            dst_transform=strip.transform,
            dst_crs=strip.crs,
            resampling=Resampling[self.resampling],
            init_dest_nodata=False,
            num_threads=1,
            warp_mem_limit=memory,
            SRC_FILL_RATIO_HEURISTICS="NO",
            XSCALE=across,
            YSCALE=down,
            **how,
        )

    def _window(self, row: int, rows: int) -> Window | None:
        """Return the layer's pixels that some rows are made of; None if there are none.

        Its columns are those of the whole result, so that rows can be kept from piece to piece.
        """
        part = _window(self.layer, self.grid.rows(row, rows), self._scale, _RADIUS[self.resampling])
        if part is None:
            return None
        return Window(self._columns.col_off, part.row_off, self._columns.width, part.height)

    @cached_property
    def _columns(self) -> Window:
        whole = Window(0, 0, self.layer.width, self.layer.height)
        return _window(self.layer, self.grid, self._scale, _RADIUS[self.resampling]) or whole


class _Source:
    """A layer's pixels; rows that the next piece needs again are kept, not read again."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._window = Window(0, 0, 0, 0)
        self._pixels = np.empty((len(layer.bands), 0, 0), layer.dtype)

    def read(self, window: Window) -> np.ndarray:
        """Read a window of what counts of the layer."""
        extent = self._layer.extent
        moved = Window(
            extent.col_off + window.col_off, extent.row_off + window.row_off, window.width, window.height
        )
        pixels: np.ndarray = self._layer.dataset.read(self._layer.indexes, window=moved)
        return pixels

    def rolling(self, window: Window) -> np.ndarray:
        """Read a window, taking rows from the last one where it has them."""
        kept = _common(window, self._window)
        if kept is None or kept.width != window.width:
            self._pixels = self.read(window)
        elif kept != window:
            self._pixels = self._moved(window, kept)
        else:
            top, left = int(kept.row_off - self._window.row_off), int(kept.col_off - self._window.col_off)
            rows, cols = slice(top, top + int(kept.height)), slice(left, left + int(kept.width))
            self._pixels = np.ascontiguousarray(self._pixels[:, rows, cols])
        self._window = window
        return self._pixels

    def _moved(self, window: Window, kept: Window) -> np.ndarray:
        pixels = np.empty((len(self._layer.bands), int(window.height), int(window.width)), self._layer.dtype)
        above, below = int(kept.row_off - window.row_off), int(kept.row_off - window.row_off + kept.height)
        top, left = int(kept.row_off - self._window.row_off), int(kept.col_off - self._window.col_off)
        rows, cols = slice(top, top + int(kept.height)), slice(left, left + int(kept.width))
        pixels[:, above:below] = self._pixels[:, rows, cols]
        for start, end in ((0, above), (below, int(window.height))):
            if end > start:
                part = Window(window.col_off, window.row_off + start, window.width, end - start)
                pixels[:, start:end] = self.read(part)
        return pixels


def coarse(grid: Grid, most: int) -> Grid:
    """Return a grid over the same ground with at most ``most`` pixels a side."""
    factor = max(1.0, max(grid.width, grid.height) / most)
    width, height = max(1, round(grid.width / factor)), max(1, round(grid.height / factor))
    scale = Affine.scale(grid.width / width, grid.height / height)
    return replace(grid, transform=grid.transform * scale, width=width, height=height)


def _window(layer: Layer, strip: Grid, scale: tuple[float, float], radius: int) -> Window | None:
    """Return the layer's pixels that a strip is made of, with some to spare; None if there are none."""
    across, down = np.meshgrid(
        np.linspace(0, strip.width, 3 * _STEPS + 1),
        np.linspace(0, strip.height, max(2, min(_STEPS, strip.height) + 1)),
    )
    cols, rows = _to_source(layer, strip, across.ravel(), down.ravel())
    whole = Window(0, 0, layer.width, layer.height)
    if not (np.isfinite(cols).all() and np.isfinite(rows).all()):
        return whole
    # beyond the kernel: GDAL's approximation of coordinates (1/8 pixel), edges that bend between samples
    spare_x = np.ptp(cols) / 500 + 3 + (radius + 1) / min(1.0, scale[0])
    spare_y = np.ptp(rows) / 200 + 3 + (radius + 1) / min(1.0, scale[1])
    left, top = math.floor(cols.min() - spare_x), math.floor(rows.min() - spare_y)
    right, bottom = math.ceil(cols.max() + spare_x), math.ceil(rows.max() + spare_y)
    return _common(Window(left, top, right - left, bottom - top), whole)


def _common(a: Window, b: Window) -> Window | None:
    left, top = max(a.col_off, b.col_off), max(a.row_off, b.row_off)
    right = min(a.col_off + a.width, b.col_off + b.width)
    bottom = min(a.row_off + a.height, b.row_off + b.height)
    return Window(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _aligned(layer: Layer, grid: Grid) -> tuple[int, int] | None:
    """Return where the grid begins in the layer, in whole pixels; None if it needs resampling."""
    if layer.transform is None or layer.crs != grid.crs:
        return None
    a, b, left, d, e, top = (~layer.transform * grid.transform)[:6]
    reach = max(grid.width, grid.height)
    if max(abs(a - 1), abs(b), abs(d), abs(e - 1)) * reach > _CLOSE:
        return None
    if max(abs(left - round(left)), abs(top - round(top))) > _CLOSE:
        return None
    return round(left), round(top)


def _to_source(layer: Layer, grid: Grid, cols: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the layer's pixel coordinates of the grid's; infinite where there are none."""
    transform_of: Any = grid.transform  # its types know scalars only
    xs, ys = transform_of * (cols, rows)
    if layer.crs != grid.crs:
        moved = transform(grid.crs, layer.crs, xs, ys)
        xs, ys = np.asarray(moved[0]), np.asarray(moved[1])
    if layer.transform is None:
        with GCPTransformer(list(layer.gcps)) as points:
            lines, columns = points.rowcol(xs, ys, op=lambda value: value)
        return np.asarray(columns, dtype=float), np.asarray(lines, dtype=float)
    across, down = ~layer.transform * (xs, ys)
    return across, down


def _scale(layer: Layer, grid: Grid, radius: int) -> tuple[float, float]:
    """Return the scale that GDAL would use if the whole result were one chunk.

    It is result pixels per source pixel, over the outline of the result as far as it lies in the source;
    within 5 % of a whole reduction, that reduction (GDAL 3.10, ``GDALWarpKernel::PerformWarp``).
    """
    steps = np.linspace(0, 1, _STEPS + 1)
    zero, one = np.zeros_like(steps), np.ones_like(steps)
    across = np.concatenate([steps, steps, zero, one]) * grid.width
    down = np.concatenate([zero, one, steps, steps]) * grid.height
    cols, rows = _to_source(layer, grid, across, down)
    known = np.isfinite(cols) & np.isfinite(rows)
    if not known.all():
        inner = np.meshgrid(steps * grid.width, steps * grid.height)
        cols, rows = _to_source(layer, grid, inner[0].ravel(), inner[1].ravel())
        known = np.isfinite(cols) & np.isfinite(rows)
    if not known.any():
        return 1.0, 1.0
    return (
        _scale_along(cols[known], grid.width, layer.width, radius),
        _scale_along(rows[known], grid.height, layer.height, radius),
    )


def _scale_along(found: np.ndarray, made: int, size: int, radius: int) -> float:
    low, high = (round(end) if abs(end - round(end)) < _CLOSE else end for end in (found.min(), found.max()))
    first, last = int(max(0.0, low)), int(min(math.ceil(high), size))
    used = max(0.0, min(size - first, high - low))
    if used == 0 or last <= first:
        return 1.0
    reach = radius if made / (high - low) >= 0.95 else math.ceil(radius * (high - low) / made)
    start = max(0, min(first - reach, size))
    read = max(0, min(size - start, last - start + reach))
    scale = 1.0 if used <= made <= read else made / used
    whole = int(1 / scale + 0.5)
    return 1 / whole if scale < 1 and abs(1 / scale - whole) < 0.05 else scale
