"""Writing a raster as (Cloud Optimized) GeoTIFF, a slab of rows at a time, in bounded memory.

Every level of a COG is a tiled file of its own while it grows; `raster_cog.assemble` puts them together.
Overviews keep every second, fourth, … pixel (nearest), so no value appears that the result does not have
and nodata needs no thought. Tiles are DEFLATE, level 1, with a predictor: any reader knows it, and on
real scenes level 6 saves one percent for twice the time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window

from oseo_lab.builtin.raster_cog import assemble
from oseo_lab.builtin.raster_result import Result, slab_rows, software

__all__ = ["TIFF_TYPES", "GeoTiff"]

TIFF_TYPES = {
    "GeoTIFF": "image/tiff; application=geotiff",
    "COG": "image/tiff; application=geotiff; profile=cloud-optimized",
}

_STEP = 8  # tiles between two questions whether to go on


class GeoTiff:
    """Writes one GeoTIFF or COG; rows come in order, `slab_rows` at a time.

    Parameters
    ----------
    path : Path
        The file to write.
    result : Result
        What it says of itself.
    scratch : Path
        Folder for the levels of a COG.
    alive : callable
        Called between tiles; may raise.
    """

    def __init__(self, path: Path, result: Result, scratch: Path, alive: Callable[[], None]) -> None:
        self._path = path
        self._result = result
        self._block = slab_rows(result)
        self._is_cog = result.choices.format == "COG"
        first = scratch / f"{path.stem}.level0.tmp" if self._is_cog else path
        self._levels = [_Level(first, result, self._block, 1, alive, is_big=self._is_cog)]
        factor = 2
        while self._is_cog and max(result.grid.width, result.grid.height) > self._block * factor // 2:
            level = scratch / f"{path.stem}.level{len(self._levels)}.tmp"
            self._levels.append(_Level(level, result, self._block, factor, alive, is_big=True))
            factor *= 2

    def write(self, row: int, pixels: np.ndarray) -> None:
        """Write the next rows: bands, rows, columns."""
        for level in self._levels:
            level.add(row, pixels)

    def close(self, check: Callable[[float], None]) -> None:
        """Finish the file; ``check`` is called with the fraction done and may raise."""
        for level in self._levels:
            level.close()
        if self._is_cog:
            paths = [level.path for level in self._levels]
            assemble(paths, self._path, check)
            for path in paths:
                path.unlink()

    def abandon(self) -> None:
        """Let go of files after a failure; the workspace removes them."""
        for level in self._levels:
            level.close()


class _Level:
    """One resolution of the result: keeps every ``factor``-th pixel, writes whole rows of tiles."""

    def __init__(
        self,
        path: Path,
        result: Result,
        block: int,
        factor: int,
        alive: Callable[[], None],
        *,
        is_big: bool,
    ) -> None:
        self.path = path
        self._alive = alive
        self._factor = factor
        self._block = block
        grid = result.grid
        self._size = (-(-grid.height // factor), -(-grid.width // factor))
        self._file = rasterio.open(path, "w", **_profile(result, self._size, block, factor, is_big))
        self._waiting: list[np.ndarray] = []
        self._written = 0
        if factor == 1:
            _describe(self._file, result)

    def add(self, row: int, pixels: np.ndarray) -> None:
        """Take rows of the full resolution, the first of which is ``row``."""
        factor = self._factor
        if factor > 1:
            kept = pixels[:, -row % factor :: factor, ::factor]
            if kept.shape[1] == 0:
                return
            pixels = kept.copy()  # the rows given are only lent
        self._waiting.append(pixels)
        waiting = sum(part.shape[1] for part in self._waiting)
        if waiting >= self._block or self._written + waiting == self._size[0]:
            self._flush()

    def _flush(self) -> None:
        rows = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting, axis=1)
        self._waiting = []
        # a column of tiles at a time: all bands of a tile meet in GDAL's small cache
        for left in range(0, self._size[1], self._block):
            if left // self._block % _STEP == 0:
                self._alive()
            part = rows[:, :, left : left + self._block]
            self._file.write(part, window=Window(left, self._written, part.shape[2], part.shape[1]))
        self._written += rows.shape[1]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _profile(result: Result, size: tuple[int, int], block: int, factor: int, is_big: bool) -> dict[str, Any]:
    kind = np.dtype(result.dtype).kind
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": size[0],
        "width": size[1],
        "count": len(result.bands),
        "dtype": result.dtype,
        "nodata": result.nodata,
        "tiled": True,
        "blockxsize": block,
        "blockysize": block,
        "interleave": "pixel",
        "compress": "deflate",
        "zlevel": 1,
        "predictor": 3 if kind == "f" else 2,
        "bigtiff": "YES" if is_big else "IF_SAFER",
    }
    if factor == 1:
        profile["crs"] = result.grid.crs
    # overviews need none, but a file without a place is warned of, and this may be a notebook's process
    if result.grid.transform != Affine.identity():
        profile["transform"] = result.grid.transform * Affine.scale(factor)
    return profile


def _describe(file: Any, result: Result) -> None:
    tags = result.provenance()
    time = result.product.datetime
    if time is not None:
        tags["TIFFTAG_DATETIME"] = f"{time:%Y:%m:%d %H:%M:%S}"
    file.update_tags(**tags, TIFFTAG_SOFTWARE=software())
    file.descriptions = tuple(result.labels)
    if any((band.scale, band.offset) != (1.0, 0.0) for band in result.bands):
        file.scales = tuple(band.scale for band in result.bands)
        file.offsets = tuple(band.offset for band in result.bands)
    for number, (band, moment) in enumerate(zip(result.bands, result.times(), strict=True), 1):
        if band.units:
            file.set_band_unit(number, band.units)
        if band.resampling:
            file.update_tags(number, RESAMPLING=band.resampling)
        if band.time is not None and moment is not None:
            file.update_tags(number, ACQUISITION_DATETIME=moment.isoformat().replace("+00:00", "Z"))
