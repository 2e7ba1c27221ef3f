"""Areas that lie in files, tables and widgets, read into GeoJSON geometries before `area` looks at them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oseo_lab.client.describing import needed
from oseo_lab.client.given import read_whole
from oseo_lab.model.errors import ValidationError

__all__ = ["drawn", "from_file", "in_degrees", "is_file"]

_JSON = (".json", ".geojson")
_VECTORS = (".gpkg", ".shp", ".kml", ".fgb", ".parquet", ".geoparquet", ".gml", ".zip", ".gdb")


def is_file(given: Any) -> bool:
    """Whether what was given as an area names a file."""
    if isinstance(given, Path):
        return True
    return isinstance(given, str) and len(given) < 1000 and Path(given).suffix.lower() in (*_JSON, *_VECTORS)


def from_file(given: str | Path) -> Any:
    """Return what a file holds: a GeoJSON mapping, or a GeoDataFrame that knows its CRS.

    Raises
    ------
    ValidationError
        If there is no such file, or it cannot be read.
    ConfigurationError
        If geopandas is missing, for other files than GeoJSON.
    """
    path = Path(given).expanduser()
    if not path.is_file() and not path.is_dir():
        raise ValidationError(f"there is no file {str(path)!r} to read an area from", locator="area")
    if path.suffix.lower() in _JSON:
        try:
            found = json.loads(read_whole(path, "area"))
        except (ValueError, RecursionError) as wrong:
            raise ValidationError(f"{path} is no GeoJSON: {wrong}", locator="area") from None
        if isinstance(found, Mapping) and "crs" not in found:  # RFC 7946: degrees, longitude first
            return found
    geopandas = needed("geopandas", f"an area from {path.name}", "notebook")
    try:
        return geopandas.read_file(path)
    except Exception as wrong:  # whatever its drivers raise
        raise ValidationError(f"{path} cannot be read: {wrong}", locator="area") from None


def in_degrees(given: Any) -> Any:
    """Return a GeoSeries or GeoDataFrame in EPSG:4326 if its CRS has no EPSG code; others as they are."""
    crs = getattr(given, "crs", None)
    if (
        crs is None
        or not hasattr(given, "to_crs")
        or not hasattr(crs, "to_epsg")
        or crs.to_epsg() is not None
    ):
        return given
    return given.to_crs(4326)


def drawn(given: Any) -> Any:
    """Return what was drawn on a map (ipyleaflet's DrawControl) as GeoJSON; other things as they are."""
    features = getattr(given, "data", None) if hasattr(given, "last_draw") else None
    if features is None:
        return given
    if not features:
        raise ValidationError("nothing is drawn on the map yet", locator="area")
    return {"type": "FeatureCollection", "features": list(features)}
