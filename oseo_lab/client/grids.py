"""Whether rasters lie on one grid, and what differs where they do not: nothing is resampled in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from oseo_lab.model.errors import DeliveryError

if TYPE_CHECKING:
    import xarray

__all__ = ["on_one_grid", "same_bands", "same_shape"]

#: How far two grids may be apart, in pixels, and still count as one.
TOLERANCE = 0.01
#: Most items named for each grid.
NAMED = 5


class _Grid(NamedTuple):
    """CRS, pixel width and height, and the centre of the first pixel."""

    crs: Any
    width: float
    height: float
    x: float
    y: float

    def offset(self, other: _Grid) -> tuple[float, float]:
        """Return how far the other grid begins from here, in pixels."""
        return (other.x - self.x) / self.width, (other.y - self.y) / self.height

    def holds(self, other: _Grid) -> bool:
        """Whether the other grid's pixels are some of this one's."""
        if self.crs != other.crs or abs(other.width / self.width - 1) > 1e-6:
            return False
        columns, rows = self.offset(other)
        apart = max(abs(columns - round(columns)), abs(rows - round(rows)))
        return abs(other.height / self.height - 1) <= 1e-6 and apart <= TOLERANCE

    def __str__(self) -> str:
        epsg = self.crs.to_epsg() if self.crs is not None else None
        name = f"EPSG:{epsg}" if epsg else "no CRS that is known"
        return f"{name}, pixels of {self.width:g}, first at ({self.x:g}, {self.y:g})"


def _grid(dataset: xarray.Dataset) -> _Grid:
    width, height = dataset.rio.resolution()
    return _Grid(dataset.rio.crs, width, height, float(dataset["x"][0]), float(dataset["y"][0]))


def same_shape(one: xarray.Dataset, other: xarray.Dataset, name: str) -> None:
    """Raise `DeliveryError` if two files of one item have different shapes."""
    shapes = [(each.sizes["y"], each.sizes["x"]) for each in (one, other)]
    if shapes[0] != shapes[1]:
        raise DeliveryError(
            f"the bands of {name} lie on different grids ({shapes[0]} and {shapes[1]} pixels): order them "
            "with one resolution=..., or open the files one by one"
        )


def same_bands(opened: Sequence[xarray.Dataset]) -> None:
    """Raise `DeliveryError` if the datasets have different variables, telling who has which."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for each in opened:
        groups.setdefault(tuple(sorted(map(str, each.data_vars))), []).append(_name(each))
    if len(groups) < 2:
        return
    common = sorted(set.intersection(*(set(bands) for bands in groups)))
    told = "; ".join(f"{_listed(names)}: {', '.join(bands)}" for bands, names in groups.items())
    remedy = f"to_xarray(bands={common!r}) opens what all have" if common else "open them apart"
    raise DeliveryError(
        f"the results have different bands ({told}): {remedy}, or order them with one bands=..."
    )


def on_one_grid(opened: Sequence[xarray.Dataset]) -> list[xarray.Dataset]:
    """Return the datasets with coordinates that are equal where the pixels are the same.

    Raises
    ------
    DeliveryError
        If they lie on different grids; each is told, with the items on it.
    """
    grids = [_grid(each) for each in opened]
    first = grids[0]
    if all(first.holds(each) for each in grids):
        return [_fitted(dataset, first, own) for dataset, own in zip(opened, grids, strict=True)]
    groups: list[tuple[_Grid, list[str]]] = []
    for dataset, own in zip(opened, grids, strict=True):
        found = next((names for grid, names in groups if grid.holds(own)), None)
        if found is None:
            groups.append((own, found := []))
        found.append(_name(dataset))
    told = "; ".join(f"{_listed(names)}: {grid}" for grid, names in groups)
    raise DeliveryError(
        f"the results lie on {len(groups)} different grids ({told}): order them with one crs=..., "
        "resolution=... and area=..., or open them apart: order.items[:2].to_xarray(), item.open()"
    )


def _fitted(dataset: xarray.Dataset, grid: _Grid, own: _Grid) -> xarray.Dataset:
    import numpy

    columns, rows = grid.offset(own)
    x = grid.x + grid.width * (round(columns) + numpy.arange(dataset.sizes["x"]))
    y = grid.y + grid.height * (round(rows) + numpy.arange(dataset.sizes["y"]))
    fitted: xarray.Dataset = dataset.assign_coords(x=("x", x), y=("y", y))
    return fitted


def _name(dataset: xarray.Dataset) -> str:
    return str(dataset["item"].values.flat[0]) if "item" in dataset.coords else "an item"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
