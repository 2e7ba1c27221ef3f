"""Writing a raster as NetCDF-4 with CF-1.8 attributes, a slab of rows at a time.

Run by `raster_netcdf_apart`, in a process of its own. One variable per band, with dimensions (time, y, x);
bands that share a name are steps in time of one variable. Coordinates are pixel centres; the CRS is a grid
mapping with ``crs_wkt`` (CF-1.8, 5.6) and GDAL's ``GeoTransform``, as others read it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from rasterio.crs import CRS

from oseo_lab.builtin.raster_result import Result, slab_rows, software

__all__ = ["NetCdf"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Units of projected CRSs, in metres, by their names in UDUNITS-2.
_UNITS = {"m": 1.0, "km": 1000.0, "US_survey_foot": 1200 / 3937, "international_foot": 0.3048}
#: PROJ projections and their CF grid mappings (CF-1.8 appendix F): name, parameter to attribute.
_MAPPINGS: dict[str, tuple[str, dict[str, str]]] = {
    "tmerc": (
        "transverse_mercator",
        {
            "lat_0": "latitude_of_projection_origin",
            "lon_0": "longitude_of_central_meridian",
            "k": "scale_factor_at_central_meridian",
        },
    ),
    "laea": (
        "lambert_azimuthal_equal_area",
        {"lat_0": "latitude_of_projection_origin", "lon_0": "longitude_of_projection_origin"},
    ),
    "lcc": (
        "lambert_conformal_conic",
        {"lat_0": "latitude_of_projection_origin", "lon_0": "longitude_of_central_meridian"},
    ),
    "aea": (
        "albers_conical_equal_area",
        {"lat_0": "latitude_of_projection_origin", "lon_0": "longitude_of_central_meridian"},
    ),
    "stere": (
        "polar_stereographic",
        {
            "lat_0": "latitude_of_projection_origin",
            "lat_ts": "standard_parallel",
            "lon_0": "straight_vertical_longitude_from_pole",
        },
    ),
    "sinu": ("sinusoidal", {"lon_0": "longitude_of_projection_origin"}),
}


class NetCdf:
    """Writes one NetCDF file; rows come in order.

    Parameters
    ----------
    path : Path
        The file to write.
    result : Result
        What it says of itself.
    """

    def __init__(self, path: Path, result: Result) -> None:
        self._file = netCDF4.Dataset(path, "w", format="NETCDF4")
        self._file.set_fill_off()
        names = list(dict.fromkeys(band.name for band in result.bands))
        times = _axis(result)
        self._write_globals(result)
        dims = self._write_axes(result, times)
        mapping = _write_mapping(self._file, result)
        variables = {name: self._variable(result, name, dims, mapping) for name in names}
        seen = dict.fromkeys(names, 0)
        self._places: list[tuple[Any, int | None]] = []
        for band in result.bands:
            self._places.append((variables[band.name], seen[band.name] if times else None))
            seen[band.name] += 1

    def write(self, row: int, pixels: np.ndarray) -> None:
        """Write the next rows: bands, rows, columns."""
        rows = slice(row, row + pixels.shape[1])
        for (variable, step), band in zip(self._places, pixels, strict=True):
            if step is None:
                variable[rows, :] = band
            else:
                variable[step, rows, :] = band

    def close(self, check: Callable[[float], None]) -> None:
        """Finish the file."""
        check(1.0)
        self._file.close()

    def abandon(self) -> None:
        """Let go of the file after a failure; the workspace removes it."""
        if self._file.isopen():
            self._file.close()

    def _write_globals(self, result: Result) -> None:
        self._file.setncatts(
            {
                "Conventions": "CF-1.8",
                "title": result.product.identifier,
                "source": f"{result.product.collection_id} {result.product.identifier}".strip(),
                "history": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} made by {software()}",
                **{name.lower(): value for name, value in result.provenance().items()},
            }
        )

    def _write_axes(self, result: Result, times: list[datetime]) -> tuple[str, ...]:
        grid = result.grid
        is_geographic = grid.crs is not None and grid.crs.is_geographic
        down, across = ("latitude", "longitude") if is_geographic else ("y", "x")
        dims: tuple[str, ...] = (down, across)
        if times:
            dims = ("time", *dims)
            self._file.createDimension("time", len(times))
            axis = self._file.createVariable("time", "f8", ("time",))
            axis.setncatts(
                {
                    "standard_name": "time",
                    "units": "seconds since 1970-01-01 00:00:00",
                    "calendar": "standard",
                }
            )
            axis.axis = "T"
            axis[:] = [(time - _EPOCH).total_seconds() for time in times]
        self._file.createDimension(down, grid.height)
        self._file.createDimension(across, grid.width)
        a, b, left, d, e, top = grid.transform[:6]
        if b == 0 and d == 0:  # a rotated grid has no one-dimensional coordinates; GeoTransform says it
            unit = _unit(grid.crs)
            self._coordinate(down, top + e * (np.arange(grid.height) + 0.5), is_geographic, "Y", unit)
            self._coordinate(across, left + a * (np.arange(grid.width) + 0.5), is_geographic, "X", unit)
        return dims

    def _coordinate(self, name: str, values: np.ndarray, is_geographic: bool, axis: str, unit: str) -> None:
        variable = self._file.createVariable(name, "f8", (name,))
        degrees = "degrees_north" if axis == "Y" else "degrees_east"
        projected = f"projection_{axis.lower()}_coordinate"
        variable.setncatts(
            {
                "standard_name": name if is_geographic else projected,
                "units": degrees if is_geographic else unit,
                "axis": axis,
            }
        )
        variable[:] = values

    def _variable(self, result: Result, name: str, dims: tuple[str, ...], mapping: str | None) -> Any:
        band = next(band for band in result.bands if band.name == name)
        side = slab_rows(result)  # rows come so many at a time: each chunk is compressed once, uncached
        chunks = (1,) * (len(dims) - 2) + (min(side, result.grid.height), min(side, result.grid.width))
        safe = re.sub(r"\W", "_", name)
        if safe[0].isdigit() or safe in self._file.variables:
            safe = f"band_{safe}"
        variable = self._file.createVariable(
            safe,
            result.dtype,
            dims,
            compression="zlib",
            complevel=1,
            shuffle=True,
            chunksizes=chunks,
            fill_value=result.nodata if result.nodata is not None else False,
        )
        variable.set_auto_maskandscale(False)
        variable.set_var_chunk_cache(size=1 << 20)
        attributes: dict[str, Any] = {"long_name": name}
        if mapping:
            attributes["grid_mapping"] = mapping
        if band.units:
            attributes["units"] = band.units
        if band.resampling:
            attributes["resampling"] = band.resampling
        if (band.scale, band.offset) != (1.0, 0.0):
            attributes.update(scale_factor=band.scale, add_offset=band.offset)
        variable.setncatts(attributes)
        return variable


def _unit(crs: CRS | None) -> str:
    """Return the unit of a projected CRS as UDUNITS write it: metres, kilometres, feet, or so many metres."""
    metres = 1.0 if crs is None or crs.is_geographic else float(crs.linear_units_factor[1])
    return next((name for name, size in _UNITS.items() if math.isclose(size, metres)), f"{metres!r} m")


def _axis(result: Result) -> list[datetime]:
    """Return the steps in time, in band order; none where times are unknown or bands disagree."""
    by_name: dict[str, list[datetime | None]] = {}
    for band, time in zip(result.bands, result.times(), strict=True):
        by_name.setdefault(band.name, []).append(time)
    axes = list(by_name.values())
    if any(axis != axes[0] for axis in axes):
        return []
    return [time for time in axes[0] if time is not None] if None not in axes[0] else []


def _write_mapping(file: Any, result: Result) -> str | None:
    crs = result.grid.crs
    if crs is None:
        return None
    variable = file.createVariable("spatial_ref", "i4")
    a, b, left, d, e, top = result.grid.transform[:6]
    variable.setncatts(
        {
            **_cf_attributes(crs),
            "crs_wkt": crs.to_wkt(),
            "spatial_ref": crs.to_wkt(),
            "GeoTransform": " ".join(repr(float(value)) for value in (left, a, b, top, d, e)),
        }
    )
    return "spatial_ref"


def _cf_attributes(crs: CRS) -> dict[str, Any]:
    """Return a CRS as CF grid mapping attributes, as far as appendix F knows it."""
    if crs.is_geographic:
        return {"grid_mapping_name": "latitude_longitude"}
    terms = dict(crs.to_dict(projjson=False))
    if terms.get("proj") == "utm":
        zone = int(terms["zone"])
        north = 0.0 if "south" not in terms else 10_000_000.0
        terms = {"proj": "tmerc", "lat_0": 0.0, "lon_0": zone * 6.0 - 183.0, "k": 0.9996}
        terms.update(x_0=500_000.0, y_0=north)
    name, parameters = _MAPPINGS.get(str(terms.get("proj")), ("", {}))
    if not name:
        return {}
    found: dict[str, Any] = {"grid_mapping_name": name}
    found.update({cf: float(terms[proj]) for proj, cf in parameters.items() if proj in terms})
    parallels = [float(terms[key]) for key in ("lat_1", "lat_2") if key in terms]
    if parallels and name.endswith(("conic", "conical_equal_area", "conformal_conic")):
        found["standard_parallel"] = parallels
    found["false_easting"] = float(terms.get("x_0", 0.0))
    found["false_northing"] = float(terms.get("y_0", 0.0))
    return {
        key: value for key, value in found.items() if not (isinstance(value, float) and math.isnan(value))
    }
