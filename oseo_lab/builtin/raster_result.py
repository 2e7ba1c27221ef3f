"""What a raster result says of itself, whatever its format: bands, values, time and provenance.

Made once per item from the plan; the writers turn it into tags, attributes or a sidecar.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, box, mapping, shape

from oseo_lab.builtin.catalogue_rasters import footprint
from oseo_lab.builtin.raster_grid import Grid, name_of
from oseo_lab.builtin.raster_options import Choices
from oseo_lab.builtin.raster_source import Band
from oseo_lab.model.job import CatalogueItem

__all__ = ["Result", "labels_of", "safe_name", "slab_rows", "software"]

_SLAB = 32 << 20  # bytes of result pixels in memory at once; overviews' rows are as much again
_BLOCKS = (512, 256, 128, 64)


def software() -> str:
    """Return the name and version of what makes results."""
    return f"oseo_lab {importlib.metadata.version('oseo-lab')}"


def safe_name(identifier: str) -> str:
    """Return a file name stem for a product: letters, digits, ``._-`` of its identifier, at most 80.

    A stem that would begin with a dot or be empty begins with ``product``.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", identifier).strip("._")[:80].rstrip("._")
    return stem if stem and stem[0] != "-" else f"product{stem}"


def labels_of(bands: Sequence[Band]) -> list[str]:
    """Return a name for each band that no other has: by time where they share one, else by number."""
    shared = Counter(band.name for band in bands)
    seen: Counter[str] = Counter()
    labels = []
    for band in bands:
        label = band.name
        if shared[band.name] > 1 and band.time is not None:
            label = f"{band.name}_{band.time:%Y%m%dT%H%M%S}"
        seen[label] += 1
        labels.append(label if seen[label] == 1 else f"{label}_{seen[label]}")
    return labels


@dataclass(frozen=True, kw_only=True)
class Result:
    """One raster to be written.

    Parameters
    ----------
    grid : Grid
        Where its pixels lie.
    bands : tuple of Band
        With scale and offset as they hold for the result.
    dtype : str
        numpy name.
    nodata : float or None
        What marks missing pixels.
    product : CatalogueItem
        What it is made from.
    choices : Choices
        What was asked for.
    """

    grid: Grid
    bands: tuple[Band, ...]
    dtype: str
    nodata: float | None
    product: CatalogueItem
    choices: Choices

    @property
    def labels(self) -> list[str]:
        """A name for each band that no other has."""
        return labels_of(self.bands)

    def times(self) -> list[datetime | None]:
        """Return each band's time: its own, else the acquisition of the product; UTC."""
        found = self.product.datetime
        common = found.astimezone(UTC) if found and found.tzinfo else found
        return [band.time or common for band in self.bands]

    def provenance(self) -> dict[str, str]:
        """Return where the result comes from, as tags."""
        tags = {
            "SOURCE_PRODUCT": self.product.identifier,
            "SOURCE_COLLECTION": self.product.collection_id,
            "PROCESSING_OPTIONS": json.dumps(self.choices.described()),
            "PROCESSING_SOFTWARE": software(),
        }
        time = self.product.datetime
        if time is not None:
            tags["ACQUISITION_DATETIME"] = time.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return tags

    def properties(self) -> dict[str, Any]:
        """Return the STAC asset fields (projection 2.0, STAC 1.1 bands; nodata and data type with them)."""
        grid = self.grid
        nodata: Any = self.nodata
        if nodata is not None and math.isnan(nodata):
            nodata = "nan"
        bands: list[dict[str, Any]] = []
        for band, label in zip(self.bands, self.labels, strict=True):
            entry: dict[str, Any] = {"name": label}
            if (band.scale, band.offset) != (1.0, 0.0):
                entry.update({"raster:scale": band.scale, "raster:offset": band.offset})
            if band.units:
                entry["unit"] = band.units
            if band.resampling:
                entry["oseo:resampling"] = band.resampling
            bands.append(entry)
        found: dict[str, Any] = {
            "proj:code": name_of(grid.crs) if grid.crs and grid.crs.to_epsg() else None,
            "proj:shape": [grid.height, grid.width],
            "proj:transform": list(grid.transform)[:9],
            "bands": bands,
            "data_type": self.dtype,
        }
        if grid.crs is not None and found["proj:code"] is None:
            found["proj:wkt2"] = grid.crs.to_wkt()
        if nodata is not None:
            found["nodata"] = int(nodata) if isinstance(nodata, float) and nodata.is_integer() else nodata
        return found | self.place()

    def place(self) -> dict[str, Any]:
        """Return where the result lies, ``geometry`` and ``bbox`` in EPSG:4326; nothing without a CRS.

        Across the antimeridian the geometry is cut there, and the bbox's west is greater than its east (RFC
        7946, 3.1.9 and 5.2).
        """
        if self.grid.crs is None:
            return {}
        outline = self.grid.outline()
        ring = outline.segmentize(outline.length / 32).exterior.coords  # edges bend when reprojected
        geometry = footprint([(x, y) for x, y in ring][:-1], self.grid.crs)
        if geometry is None:
            return {}
        whole = _within(shape(geometry))
        return {"geometry": mapping(whole), "bbox": _bbox(whole)}


def _within(place: Any) -> Any:
    """Return a geometry with longitudes of -180 to 180: what lies beyond is put on the other side."""
    west, _, east, _ = place.bounds
    if west >= -180 and east <= 180:
        return place
    parts = []
    for turn in (-360.0, 0.0, 360.0):
        part = translate(place, turn).intersection(box(-180, -90, 180, 90))
        parts += [
            each for each in getattr(part, "geoms", [part]) if each.geom_type == "Polygon" and each.area
        ]
    return MultiPolygon(parts) if len(parts) > 1 else parts[0] if parts else place


def _bbox(place: Any) -> list[float]:
    """Return west, south, east, north; of what is cut at the antimeridian, the box across it."""
    west, south, east, north = place.bounds
    parts = [each.bounds for each in getattr(place, "geoms", [place])]
    left = [each[0] for each in parts if each[2] == 180]
    right = [each[2] for each in parts if each[0] == -180]
    if left and right and len(left) + len(right) == len(parts):
        west, east = min(left), max(right)
    return [west, south, east, north]


def slab_rows(result: Result) -> int:
    """Return how many rows to write at once, which is also the side of a tile."""
    row = result.grid.width * len(result.bands) * np.dtype(result.dtype).itemsize
    return next((block for block in _BLOCKS if block * row <= _SLAB), _BLOCKS[-1])
