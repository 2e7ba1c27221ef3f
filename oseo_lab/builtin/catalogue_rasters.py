"""What a raster file says of itself: footprint, time, bands. Opened with one driver by its suffix.

For catalogues that have no description of a file but the file.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["DRIVERS", "RasterFacts", "read_facts", "time_in_name", "time_in_tags"]

#: The one GDAL driver that may open a file of each suffix: none of them points to other files.
DRIVERS = {
    ".tif": "GTiff",
    ".tiff": "GTiff",
    ".nc": "netCDF",
    ".nc4": "netCDF",
    ".jp2": "JP2OpenJPEG",
}

_TIME_TAGS = (
    "ACQUISITION_DATETIME",
    "ACQUISITION_DATE",
    "DATE_ACQUIRED",
    "SENSING_TIME",
    "DATATAKE_1_DATATAKE_SENSING_START",
    "PRODUCT_START_TIME",
    "NC_GLOBAL#time_coverage_start",
    "TIFFTAG_DATETIME",
)
_TIME_FORMATS = ("%Y:%m:%d %H:%M:%S", "%Y:%m:%d", "%Y%m%d", "%Y%m%dT%H%M%S", "%Y/%m/%d")
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d{2})([01]\d)([0-3]\d)(?:T?([0-2]\d)([0-5]\d)([0-5]\d))?(?!\d)")
_SPACED = re.compile(r"(?<!\d)((?:19|20)\d{2})[-_.]([01]\d)[-_.]([0-3]\d)(?!\d)")
_WARNINGS = threading.Lock()  # warnings.catch_warnings changes the filters of the whole process


@dataclass(frozen=True, kw_only=True)
class RasterFacts:
    """What is known of a file; all unknown where it cannot be read, which processing will explain.

    Parameters
    ----------
    geometry : mapping or None
        GeoJSON footprint; EPSG:4326.
    time : datetime or None
        Acquisition, UTC, from its tags.
    bands : tuple of str
        Band descriptions, where every band has one.
    properties : mapping
        ``proj:code``, ``proj:shape``, ``proj:transform``, ``gsd``.
    """

    geometry: Mapping[str, Any] | None = None
    time: datetime | None = None
    bands: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)


def read_facts(path: Path | str) -> RasterFacts:
    """Return what a local raster says of itself; nothing where it cannot be read."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    driver = DRIVERS.get(Path(path).suffix.lower())
    if driver is None:
        return RasterFacts()
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            quiet = rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", CPL_LOG_ERRORS="OFF")
            with quiet, rasterio.open(path, driver=driver, sharing=False) as source:
                return _facts(source)
    except (RasterioError, OSError, ValueError):
        return RasterFacts()


def _facts(source: Any) -> RasterFacts:
    bands = tuple(source.descriptions) if all(source.descriptions) else ()
    properties: dict[str, Any] = {}
    geometry = None
    corners, crs = _outline(source)
    if corners and crs is not None:
        geometry = footprint(corners, crs)
        code = crs.to_epsg()
        properties = {
            "proj:code": f"EPSG:{code}" if code else None,
            "proj:shape": [source.height, source.width],
        }
        if source.crs is not None:
            properties["proj:transform"] = list(source.transform)[:6]
            if source.crs.is_projected:
                properties["gsd"] = round(abs(source.transform.a) or abs(source.transform.b), 6)
    return RasterFacts(
        geometry=geometry, time=time_in_tags(source.tags()), bands=bands, properties=properties
    )


def _outline(source: Any) -> tuple[list[tuple[float, float]], Any]:
    """Return the outline of a raster in its own CRS, the edges cut so that they bend when reprojected."""
    if source.crs is not None and source.count:
        steps = [number / 8 for number in range(8)]
        unit = [(s, 0.0) for s in steps] + [(1.0, s) for s in steps]
        unit += [(1 - s, 1.0) for s in steps] + [(0.0, 1 - s) for s in steps]
        a, b, c, d, e, f = tuple(source.transform)[:6]
        pixels = [(u * source.width, v * source.height) for u, v in unit]
        return [(a * x + b * y + c, d * x + e * y + f) for x, y in pixels], source.crs
    points, crs = source.gcps
    if crs is None or len(points) < 3:
        return [], None
    from shapely.geometry import MultiPoint

    hull = MultiPoint([(point.x, point.y) for point in points]).convex_hull
    return list(hull.exterior.coords)[:-1], crs


def footprint(corners: list[tuple[float, float]], crs: Any) -> Mapping[str, Any] | None:
    """Return a ring of points of any CRS as a GeoJSON polygon in EPSG:4326; None if it cannot be."""
    from rasterio.warp import transform_geom

    ring = [*corners, corners[0]]
    outline = {"type": "Polygon", "coordinates": [ring]}
    found: dict[str, Any] = transform_geom(crs, "EPSG:4326", outline, antimeridian_cutting=True, precision=6)
    flat = str(found.get("coordinates"))
    return None if "inf" in flat or "nan" in flat else {key: found[key] for key in ("type", "coordinates")}


def time_in_tags(tags: Mapping[str, str]) -> datetime | None:
    """Return the time of acquisition that a file's tags give; a time without an offset is taken as UTC."""
    for name in _TIME_TAGS:
        text = str(tags.get(name) or "").strip()
        time = _parse(text) if text else None
        if time is not None:
            return time
    return None


def _parse(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except ValueError:
        pass  # not ISO 8601: the forms below
    for form in _TIME_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def time_in_name(name: str) -> datetime | None:
    """Return the first date (and time) in a file name, such as ``S2A_20240607T101559``; UTC."""
    for pattern in (_COMPACT, _SPACED):
        for match in pattern.finditer(name):
            try:
                year, month, day, *clock = (int(part) for part in match.groups() if part)
                hour, minute, second = clock or (0, 0, 0)
                return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            except ValueError:
                continue
    return None
