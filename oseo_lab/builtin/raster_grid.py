"""The grid of the result: which CRS, which pixels, and how the area of interest cuts it.

Between opening a product and making its pixels. The result's grid is the scene's own (``native``), or the
one `rasterio.warp.calculate_default_transform` gives for the target CRS and resolution; an area cuts it at
whole pixels, outward.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.warp import calculate_default_transform, transform
from rasterio.windows import Window
from shapely.geometry import Polygon
from shapely.geometry import box as rectangle

from oseo_lab.builtin.raster_options import Choices
from oseo_lab.builtin.raster_source import Layer
from oseo_lab.model.job import FailureClass
from oseo_lab.ports import ProcessingFailed

__all__ = ["Area", "Grid", "crs_of", "plan"]

_EDGE = 1e-6  # of a pixel: an edge this near a pixel's edge is that edge
_LARGEST = 200_000  # pixels a side; a mistyped resolution must not fill a disk
_MOST = 4_000_000_000  # pixels in all


@lru_cache(maxsize=256)
def crs_of(epsg: int) -> CRS:
    """Return the CRS of an EPSG code.

    Raises
    ------
    ProcessingFailed
        (bad request) If there is no such CRS.
    """
    try:
        return CRS.from_epsg(epsg)
    except CRSError:
        raise ProcessingFailed(
            f"EPSG:{epsg} is not a coordinate reference system that PROJ knows; see epsg.io for codes",
            failure_class=FailureClass.BAD_REQUEST,
        ) from None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the pixels of a result lie."""

    crs: CRS | None
    transform: Affine
    width: int
    height: int

    def rows(self, start: int, count: int) -> Grid:
        """Return the grid of some of its rows, all columns."""
        moved = self.transform * Affine.translation(0, start)
        return Grid(crs=self.crs, transform=moved, width=self.width, height=count)

    def window(self, window: Window) -> Grid:
        """Return the grid of a window of whole pixels."""
        moved = self.transform * Affine.translation(window.col_off, window.row_off)
        return Grid(crs=self.crs, transform=moved, width=int(window.width), height=int(window.height))

    def outline(self) -> Polygon:
        """Return its outline in its own CRS."""
        corners = ((0, 0), (self.width, 0), (self.width, self.height), (0, self.height))
        return Polygon([self.transform * corner for corner in corners])


@dataclass(frozen=True, kw_only=True)
class Area:
    """An area of interest in one CRS.

    Parameters
    ----------
    shape : shapely Polygon
        x, y; longitudes may go beyond 180 where it crosses the antimeridian.
    crs : CRS
        Of the coordinates.
    is_polygon : bool
        Whether pixels outside it are left out, rather than only its bounds counted.
    """

    shape: Polygon
    crs: CRS
    is_polygon: bool

    @classmethod
    def of(cls, choices: Choices) -> Area | None:
        """Return the area an item chose, None for the whole scene."""
        if not choices.corners:
            return None
        crs = crs_of(choices.area_epsg)
        if choices.is_polygon:
            shape = Polygon(choices.corners)
        else:
            (west, south), (east, north) = choices.corners
            if west > east and crs.is_geographic:
                east += 360.0
            shape = rectangle(west, south, east, north)
            if west >= east or south >= north:
                shape = Polygon()
        if shape.is_empty or not shape.is_valid or shape.area == 0:
            raise ProcessingFailed(
                "the area of interest encloses nothing or crosses itself: a rectangle is its south-west, "
                "then its north-east corner; a polygon's points go round it in order; each point is "
                "latitude, longitude",
                failure_class=FailureClass.BAD_REQUEST,
            )
        return cls(shape=shape, crs=crs, is_polygon=choices.is_polygon)

    def to(self, crs: CRS, around: float | None = None) -> Polygon:
        """Return its shape in another CRS, edges cut so that they bend as they must.

        Parameters
        ----------
        crs : CRS
            Target.
        around : float or None
            A longitude the result should lie near, if the target is geographic.
        """
        shape = self.shape
        if crs != self.crs:
            west, south, east, north = shape.bounds
            ring = np.asarray(shape.segmentize(max(east - west, north - south) / 64).exterior.coords)
            xs, ys = transform(self.crs, crs, ring[:, 0], ring[:, 1])
            if not np.isfinite([xs, ys]).all():
                raise ProcessingFailed(
                    f"the area of interest cannot be expressed in {name_of(crs)}: it lies outside of where "
                    "that CRS is defined; choose another crs, or a smaller area",
                    failure_class=FailureClass.BAD_REQUEST,
                )
            shape = Polygon(np.column_stack([xs, ys]))
        if crs.is_geographic and around is not None:
            shift = 360.0 * round((around - shape.centroid.x) / 360.0)
            shape = Polygon([(x + shift, y) for x, y in shape.exterior.coords]) if shift else shape
        return shape

    def near(self, scene: Grid) -> Area:
        """Return a rectangle without what lies far from the scene, where a CRS may end; polygons as they are.

        Raises
        ------
        ProcessingFailed
            If nothing is left.
        """
        if self.is_polygon or scene.crs is None or scene.crs == self.crs:
            return self
        outline = Area(shape=scene.outline(), crs=scene.crs, is_polygon=False)
        found = outline.to(self.crs, self.shape.centroid.x)
        spare = found.length / 100
        left = self.shape.intersection(rectangle(*found.buffer(spare).bounds))
        if left.is_empty or left.area == 0:
            raise _apart(self, scene)
        return Area(shape=left, crs=self.crs, is_polygon=False)


def name_of(crs: CRS | None) -> str:
    """Return ``EPSG:…`` for a CRS, or its own name."""
    if crs is None:
        return "no CRS"
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_dict().get("proj", "a CRS without a code"))


def plan(layers: Sequence[Layer], choices: Choices) -> tuple[Grid, list[Layer], Polygon | None]:
    """Settle the result's grid.

    Parameters
    ----------
    layers : sequence of Layer
        The chosen bands; the finest one's grid is the scene's.
    choices : Choices
        Target CRS, resolution and area.

    Returns
    -------
    grid : Grid
        Of the result.
    layers : list of Layer
        Cut to the area, where it was given in the scene's own CRS and pixels are resampled.
    mask : Polygon or None
        In the grid's CRS; pixels outside become nodata.

    Raises
    ------
    ProcessingFailed
        If the area does not touch the scene, or the grid cannot be had.
    """
    area = Area.of(choices)
    layers = list(layers)
    reference = min(layers, key=lambda layer: layer.pixel)
    target = crs_of(choices.epsg) if choices.epsg else reference.crs
    if reference.crs is None and (choices.epsg or area):
        raise ProcessingFailed(
            "the scene has no coordinate reference system, so it can neither be reprojected nor cut by an "
            "area; order it whole, with crs native"
        )
    native = _native(reference, target)
    if area and native is None and area.crs == reference.crs and reference.transform is not None:
        layers = [_cut(layer, area, choices) for layer in layers]
        reference = min(layers, key=lambda layer: layer.pixel)
    whole = _scaled(native, choices.resolution) if native else _target(reference, target, choices.resolution)
    _check(whole)
    if area is None:
        return whole, layers, None
    assert target is not None
    shape = area.near(whole).to(target, _middle(whole))
    _check_seam(whole, shape)
    window = _touched(whole, shape)
    if window is None:
        raise _apart(area, whole)
    return whole.window(window), layers, shape if area.is_polygon else None


def _native(reference: Layer, target: CRS | None) -> Grid | None:
    """Return the scene's own grid if that is what was asked for."""
    if reference.transform is None or reference.crs != target:
        return None
    return Grid(
        crs=reference.crs, transform=reference.transform, width=reference.width, height=reference.height
    )


def _scaled(grid: Grid, resolution: float | None) -> Grid:
    if resolution is None:
        return grid
    a, b, _, d, e, _ = grid.transform[:6]
    across, down = resolution / math.hypot(a, d), resolution / math.hypot(b, e)
    return Grid(
        crs=grid.crs,
        transform=grid.transform * Affine.scale(across, down),
        width=max(1, math.ceil(grid.width / across - _EDGE)),
        height=max(1, math.ceil(grid.height / down - _EDGE)),
    )


def _target(reference: Layer, target: CRS | None, resolution: float | None) -> Grid:
    """Return the grid that GDAL suggests for the whole scene in the target CRS."""
    assert target is not None
    try:
        across = _across_seam(reference, target, resolution)
        if across is not None:
            return across
        if reference.transform is None:
            size = (reference.width, reference.height)
            made = calculate_default_transform(
                reference.crs, target, *size, gcps=list(reference.gcps), resolution=resolution
            )
        else:
            size, bounds = _upright(reference)
            made = calculate_default_transform(reference.crs, target, *size, *bounds, resolution=resolution)
    except CRSError as wrong:
        raise ProcessingFailed(
            f"the scene cannot be expressed in {name_of(target)}; choose a CRS that is defined where it lies",
            failure_class=FailureClass.BAD_REQUEST,
            detail=str(wrong),
        ) from wrong
    return Grid(crs=target, transform=made[0], width=int(made[1]), height=int(made[2]))


def _across_seam(reference: Layer, target: CRS, resolution: float | None) -> Grid | None:
    """Return the grid of a scene across longitude 180, its longitudes going on beyond; None for others.

    GDAL would suggest one round the whole Earth. The pixel size is found as GDAL does: by the diagonal.

    Raises
    ------
    ProcessingFailed
        If the target is projected and its edge lies there.
    """
    if reference.transform is None or reference.crs is None or reference.crs.is_geographic:
        return None
    own = Grid(
        crs=reference.crs, transform=reference.transform, width=reference.width, height=reference.height
    )
    outline = own.outline()
    ring = np.asarray(outline.segmentize(outline.length / 128).exterior.coords)
    lons = np.asarray(transform(reference.crs, CRS.from_epsg(4326), ring[:, 0], ring[:, 1])[0])
    if (
        not np.isfinite(lons).all()
        or abs(np.unwrap(lons, period=360)[-1] - lons[0]) > 1
        or np.ptp(lons) < 180
    ):
        return None  # nowhere near, or round a pole
    xs, ys = (np.asarray(each) for each in transform(reference.crs, target, ring[:, 0], ring[:, 1])[:2])
    if not target.is_geographic:
        if np.abs(np.diff(xs)).max() < np.ptp(xs) / 2:
            return None  # this CRS has its edge elsewhere
        raise ProcessingFailed(
            f"the scene lies across longitude 180, where {name_of(target)} ends; choose native, EPSG:4326 "
            "or a CRS without an edge there",
            failure_class=FailureClass.BAD_REQUEST,
        )
    xs = np.unwrap(xs, period=360)
    xs += 360.0 * (xs.max() <= 180) - 360.0 * (xs.min() >= 180)
    corner = np.abs(ring - [own.transform * (own.width, own.height)]).sum(axis=1).argmin()
    diagonal = math.hypot(xs[corner] - xs[0], ys[corner] - ys[0])
    size = resolution or diagonal / math.hypot(own.width, own.height)
    width, height = (max(1, math.ceil(np.ptp(each) / size - _EDGE)) for each in (xs, ys))
    origin = Affine.translation(xs.min(), ys.max()) * Affine.scale(size, -size)
    return Grid(crs=target, transform=origin, width=width, height=height)


def _upright(layer: Layer) -> tuple[tuple[int, int], tuple[float, float, float, float]]:
    """Return size and bounds of a layer; of the upright grid around it if it is rotated."""
    assert layer.transform is not None
    a, b, left, d, e, top = layer.transform[:6]
    if b == 0 and d == 0:
        size = (layer.width, layer.height)
        return size, (left, top + e * size[1], left + a * size[0], top)
    grid = Grid(crs=layer.crs, transform=layer.transform, width=layer.width, height=layer.height)
    west, south, east, north = grid.outline().bounds
    across, down = (east - west) / math.hypot(a, d), (north - south) / math.hypot(b, e)
    return (max(1, round(across)), max(1, round(down))), (west, south, east, north)


def _cut(layer: Layer, area: Area, choices: Choices) -> Layer:
    """Limit a layer to the area's bounds, whole pixels outward; all of it if it has another CRS."""
    if layer.transform is None or layer.crs != area.crs:
        return layer
    grid = Grid(crs=layer.crs, transform=layer.transform, width=layer.width, height=layer.height)
    window = _touched(grid, area.to(area.crs, _middle(grid)))
    if window is None:
        raise _apart(area, grid)
    return layer.cut(window)


def _middle(grid: Grid) -> float:
    return float((grid.transform * (grid.width / 2, grid.height / 2))[0])


def _touched(grid: Grid, shape: Polygon) -> Window | None:
    """Return the window of pixels that a shape's bounds touch; None if it does not meet the grid."""
    if not shape.intersection(grid.outline()).area > 0:
        return None
    inverse = ~grid.transform
    cols, rows = zip(*(inverse * point for point in shape.exterior.coords), strict=True)
    left, top = max(0, math.floor(min(cols) + _EDGE)), max(0, math.floor(min(rows) + _EDGE))
    right = min(grid.width, math.ceil(max(cols) - _EDGE))
    bottom = min(grid.height, math.ceil(max(rows) - _EDGE))
    return Window(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _check(grid: Grid) -> None:
    if max(grid.width, grid.height) > _LARGEST or grid.width * grid.height > _MOST:
        raise ProcessingFailed(
            f"the result would have {grid.width} x {grid.height} pixels; choose a coarser resolution (in "
            f"units of {name_of(grid.crs)}: degrees for EPSG:4326, metres for UTM)",
            failure_class=FailureClass.BAD_REQUEST,
        )


def _check_seam(grid: Grid, shape: Polygon) -> None:
    """Refuse an area across the edge of a scene that goes round the Earth: half of it would be gone."""
    if grid.crs is None or not grid.crs.is_geographic:
        return
    west, _, east, _ = grid.outline().bounds
    pixel = (east - west) / max(grid.width, grid.height, 1)
    left, _, right, _ = shape.bounds
    if east - west > 360 - 1.5 * pixel and (left < west - pixel or right > east + pixel):
        raise ProcessingFailed(
            f"the area of interest lies across longitude {east:g}, where this scene begins and ends; order "
            "the two sides as two items",
            failure_class=FailureClass.BAD_REQUEST,
        )


def _apart(area: Area, grid: Grid) -> ProcessingFailed:
    assert grid.crs is not None
    scene = Area(shape=grid.outline(), crs=grid.crs, is_polygon=False).to(area.crs)
    return ProcessingFailed(
        f"the area of interest ({_extent(area.shape)}) does not touch the scene ({_extent(scene)}); both in "
        f"{name_of(area.crs)}; choose an area inside the scene, or another product"
    )


def _extent(shape: Polygon) -> str:
    west, south, east, north = shape.bounds
    return f"x {west:.6g} to {east:.6g}, y {south:.6g} to {north:.6g}"
