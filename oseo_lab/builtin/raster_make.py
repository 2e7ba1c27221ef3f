"""One raster item from open files to a finished file: the steps of the processor ``raster``, in order.

It opens the product (`raster_source`), settles the result's grid (`raster_grid`) and values
(`raster_values`), then makes it a slab of rows at a time (`raster_warp`) and hands each slab to the format's
writer: memory does not grow with the scene, and between two pieces it is asked whether the item is still
wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.features import geometry_mask
from shapely.geometry import Polygon

from oseo_lab.builtin.raster_grid import Grid, plan
from oseo_lab.builtin.raster_netcdf_apart import NETCDF_TYPE, NetCdfApart
from oseo_lab.builtin.raster_options import KEEPING, Choices
from oseo_lab.builtin.raster_png import MOST, PNG_TYPE, Png, shown
from oseo_lab.builtin.raster_result import Result, safe_name, slab_rows
from oseo_lab.builtin.raster_source import Layer, gdal_settings, open_layers
from oseo_lab.builtin.raster_values import Values, missing, settle
from oseo_lab.builtin.raster_warp import Strips, coarse
from oseo_lab.builtin.raster_write import TIFF_TYPES, GeoTiff
from oseo_lab.builtin.remote import hosts_of
from oseo_lab.model.job import ItemJob, Product
from oseo_lab.ports import Inputs, ProcessingFailed, Workspace

__all__ = ["make"]

_SUFFIXES = {"COG": ".tif", "GeoTIFF": ".tif", "NetCDF": ".nc", "PNG": ".png"}
_SAMPLE = 1024  # pixels a side that a stretch is found from
_MADE = 0.85  # of the progress: the rest is putting the file together


class _Writer(Protocol):
    def write(self, row: int, pixels: np.ndarray) -> None: ...
    def close(self, check: Callable[[float], None]) -> None: ...
    def abandon(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """What is to be made: layers on a grid, cut by a polygon."""

    layers: Sequence[Layer]
    grid: Grid
    mask: Polygon | None
    resampling: str
    workspace: Workspace

    def strips(self) -> list[Strips]:
        return [Strips(layer, self.grid, resampling_of(layer, self.resampling)) for layer in self.layers]

    def told(self) -> list[Layer]:
        """Return the layers, each band with how its pixels are made."""
        return [
            strip.layer if strip.is_copy else _resampled(strip.layer, strip.resampling)
            for strip in self.strips()
        ]

    def has_gaps(self) -> bool:
        """Whether pixels can be missing although no layer says so."""
        return self.mask is not None or any(not strip.is_whole_copy for strip in self.strips())

    def outside(self, row: int, rows: int) -> np.ndarray | None:
        """Return which pixels of some rows lie outside the polygon; None without one."""
        if self.mask is None:
            return None
        strip = self.grid.rows(row, rows)
        result: np.ndarray = geometry_mask([self.mask], (rows, self.grid.width), strip.transform)
        return result

    def slabs(self, values: Values, rows: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the finished rows of all bands, in the same memory each time."""
        strips = self.strips()
        count = sum(len(layer.bands) for layer in self.layers)
        memory = np.empty((count, rows, self.grid.width), values.dtype)
        for row in range(0, self.grid.height, rows):
            height = min(rows, self.grid.height - row)
            slab = memory[:, :height]
            first = 0
            for strip in strips:
                bands = slice(first, first + len(strip.layer.bands))
                for start, pixels in strip.pieces(row, height):
                    self.workspace.cancelled()
                    nodata = strip.missing_value
                    made = values.of(pixels, nodata, first)
                    slab[bands, start - row : start - row + pixels.shape[1]] = made
                first = bands.stop
            outside = self.outside(row, height)
            if outside is not None:
                slab[:, outside] = values.nodata
            yield row, slab

    def samples(self) -> list[np.ndarray]:
        """Return valid values of each band, from a coarse look at the whole."""
        look = replace(self, grid=coarse(self.grid, _SAMPLE), resampling="nearest")
        outside = look.outside(0, look.grid.height)
        found = []
        for strip in look.strips():
            parts = []
            for _, pixels in strip.pieces(0, look.grid.height):
                self.workspace.cancelled()
                parts.append(pixels)
            for band in np.concatenate(parts, axis=1):
                gone = missing(band, strip.missing_value)
                valid = np.ones(band.shape, bool) if gone is None else ~gone
                found.append(band[valid if outside is None else valid & ~outside])
        return found


def resampling_of(layer: Layer, chosen: str) -> str:
    """Return how a layer is resampled: codes keep their values, whatever is chosen for the rest."""
    return chosen if chosen in KEEPING or not layer.is_classes else "nearest"


def _resampled(layer: Layer, how: str) -> Layer:
    return replace(layer, bands=tuple(replace(band, resampling=how) for band in layer.bands))


def make(item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
    """Make an item's file (and a picture's sidecars) in the workspace; see `RasterProcessor`."""
    choices = Choices.of(item.options, item.scene)
    workspace.progress(0.0, "opening")
    with (
        rasterio.Env(**gdal_settings()),
        _explained(inputs),
        open_layers(inputs, choices.bands, hosts_of(item)) as layers,
    ):
        picture, values, result = _prepare(layers, choices, inputs, workspace)
        return _make(picture, values, result, workspace)


def _prepare(
    layers: list[Layer], choices: Choices, inputs: Inputs, workspace: Workspace
) -> tuple[_Picture, Values, Result]:
    if choices.format == "PNG":
        names = shown(layers, choices.bands)
        layers = [layer for name in names for layer in _only(layers, name)][:3]
    grid, layers, mask = plan(layers, choices)
    if choices.format == "PNG":
        shrunk = max(grid.width, grid.height) > 2 * MOST
        grid = coarse(grid, MOST)
        choices = _for_picture(choices, layers, shrunk=shrunk)
    if choices.resampling not in KEEPING:
        layers = [part for layer in layers for part in layer.apart()]
    picture = _Picture(
        layers=layers, grid=grid, mask=mask, resampling=choices.resampling, workspace=workspace
    )
    samples = picture.samples() if choices.scaling in ("minmax", "percentile") else []
    values, bands = settle(picture.told(), choices, has_gaps=picture.has_gaps(), samples=samples)
    result = Result(
        grid=grid, bands=bands, dtype=values.dtype, nodata=values.nodata, product=inputs.item, choices=choices
    )
    return picture, values, result


def _only(layers: Sequence[Layer], name: str) -> Iterator[Layer]:
    """Yield the first band of a name, alone."""
    for layer in layers:
        for band in layer.bands:
            if band.name == name:
                yield replace(layer, bands=(band,))
                return


def _for_picture(choices: Choices, layers: Sequence[Layer], *, shrunk: bool) -> Choices:
    """Return choices that end in bytes: stretched, unless they are bytes already.

    Where many pixels become one, wide kernels cost seconds that no eye sees: their average is taken.
    """
    is_bytes = all(layer.dtype == "uint8" for layer in layers)
    scaling = choices.scaling
    if scaling == "offset-scale" or (scaling == "none" and not is_bytes):
        scaling = "percentile"
    is_wide = choices.resampling in ("bilinear", "cubic", "lanczos")
    resampling = "average" if shrunk and is_wide else choices.resampling
    return replace(choices, scaling=scaling, data_type="uint8", resampling=resampling)


def _make(picture: _Picture, values: Values, result: Result, workspace: Workspace) -> list[Product]:
    name = safe_name(result.product.identifier) + _SUFFIXES[result.choices.format]
    path = workspace.path(name)
    writer = _writer(path, result, workspace)
    finished = False
    try:
        for row, slab in picture.slabs(values, slab_rows(result)):
            workspace.cancelled()
            with _written():
                writer.write(row, slab)
            workspace.progress(_MADE * (row + slab.shape[1]) / picture.grid.height, "processing")
        with _written():
            writer.close(_finishing(workspace))
        finished = True
    finally:
        if not finished:
            writer.abandon()
    workspace.progress(1.0, "written")
    return _products(path, result, writer)


def _finishing(workspace: Workspace) -> Callable[[float], None]:
    def check(fraction: float) -> None:
        workspace.cancelled()
        workspace.progress(_MADE + (1 - _MADE) * fraction, "writing")

    return check


def _writer(path: Path, result: Result, workspace: Workspace) -> _Writer:
    if result.choices.format == "NetCDF":
        with _written():
            return NetCdfApart(path, result)
    if result.choices.format == "PNG":
        return Png(path, result)
    return GeoTiff(path, result, workspace.root, workspace.cancelled)


def _products(path: Path, result: Result, writer: _Writer) -> list[Product]:
    types = {**TIFF_TYPES, "NetCDF": NETCDF_TYPE, "PNG": PNG_TYPE}
    chosen = result.choices.format
    made = Product(
        path=path.name,
        name=path.name,
        media_type=types[chosen],
        role="overview" if chosen == "PNG" else "data",
        title=f"{result.product.identifier} as {chosen}",
        properties=result.properties(),
    )
    if not isinstance(writer, Png):
        return [made]
    world, sidecar = writer.sidecars
    return [
        made,
        Product(
            path=world.name, name=world.name, media_type="text/plain", role="metadata", title="World file"
        ),
        Product(
            path=sidecar.name,
            name=sidecar.name,
            media_type="application/json",
            role="metadata",
            title="CRS, bands, time and provenance of the picture",
        ),
    ]


@contextmanager
def _explained(inputs: Inputs) -> Iterator[None]:
    """Turn what GDAL raises while pixels are read into a failure with a sentence."""
    try:
        yield
    except RasterioError as wrong:
        is_remote = any("://" in path for path in inputs.paths.values())
        raise ProcessingFailed(
            f"the pixels of {inputs.item.identifier} could not all be read: "
            + (
                "the connection to the archive broke off" if is_remote else "the file is damaged or cut short"
            ),
            retry=is_remote,
            detail=f"{type(wrong).__name__}: {wrong}",
        ) from wrong


@contextmanager
def _written() -> Iterator[None]:
    """Tell a full disk of the worker from a damaged scene."""
    try:
        yield
    except (RasterioError, OSError) as wrong:
        raise ProcessingFailed(
            "the result could not be written on the worker, perhaps for want of disk space; try again",
            retry=True,
            detail=f"{type(wrong).__name__}: {wrong}",
        ) from wrong
