"""Writing a quicklook: a PNG with transparency, a world file, and a sidecar that keeps what PNG cannot.

The picture is small (at most `MOST` pixels a side), so it is kept whole until it is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from oseo_lab.builtin.raster_result import Result
from oseo_lab.builtin.raster_source import Layer
from oseo_lab.builtin.raster_values import missing

__all__ = ["MOST", "PNG_TYPE", "Png", "shown"]

PNG_TYPE = "image/png"
MOST = 2048

#: Bands of a picture in natural colours, by the names that missions give them; red, green, blue.
_COLOURS = (
    ("red", "green", "blue"),
    ("B04", "B03", "B02"),
    ("B4", "B3", "B2"),
    ("SR_B4", "SR_B3", "SR_B2"),
)


def shown(layers: Sequence[Layer], wanted: Sequence[str]) -> list[str]:
    """Return the names of the one or three bands a picture shows.

    The first three of the bands chosen; else red, green and blue by name; else the first three; one of
    them where there are fewer.
    """
    names = list(dict.fromkeys(band.name for layer in layers for band in layer.bands))
    colours = next((trio for trio in _COLOURS if set(trio) <= set(names)), None)
    picked = list(colours) if colours and not wanted else names
    return picked[:3] if len(picked) >= 3 else picked[:1]


class Png:
    """Writes one quicklook and its sidecars; rows come in any order.

    Parameters
    ----------
    path : Path
        The picture; the world file is beside it as ``.pgw``, the sidecar as ``.json``.
    result : Result
        What it says of itself; of type uint8.
    """

    def __init__(self, path: Path, result: Result) -> None:
        self._path = path
        self._result = result
        grid = result.grid
        self._pixels = np.zeros((len(result.bands), grid.height, grid.width), np.uint8)

    @property
    def sidecars(self) -> tuple[Path, Path]:
        """World file and sidecar."""
        return self._path.with_suffix(".pgw"), self._path.with_suffix(".json")

    def write(self, row: int, pixels: np.ndarray) -> None:
        """Keep some rows: bands, rows, columns."""
        self._pixels[:, row : row + pixels.shape[1]] = pixels

    def close(self, check: Callable[[float], None]) -> None:
        """Write picture, world file and sidecar."""
        colours = self._pixels if len(self._pixels) == 3 else self._pixels[:1]
        gone = missing(colours, self._result.nodata)
        alpha = np.full(colours.shape[1:], 255, np.uint8)
        if gone is not None:
            alpha[gone.all(axis=0)] = 0
        check(0.5)
        picture = np.concatenate([colours, alpha[np.newaxis]])
        profile = {"driver": "PNG", "count": len(picture), "dtype": "uint8"}
        profile |= {"height": picture.shape[1], "width": picture.shape[2]}
        # a file without a place is warned of, and this may be a notebook's process; PAM would keep it beside
        profile["transform"] = self._result.grid.transform
        with rasterio.Env(GDAL_PAM_ENABLED="NO"), rasterio.open(self._path, "w", **profile) as file:
            file.write(picture)
        world, sidecar = self.sidecars
        a, b, left, d, e, top = self._result.grid.transform[:6]
        centre = (left + (a + b) / 2, top + (d + e) / 2)
        world.write_text("".join(f"{value!r}\n" for value in (a, d, b, e, *centre)), encoding="ascii")
        sidecar.write_text(json.dumps(self._description(), indent=1), encoding="utf-8")

    def abandon(self) -> None:
        """Nothing is open between two calls."""

    def _description(self) -> dict[str, Any]:
        result = self._result
        times = [time.isoformat() if time else None for time in result.times()]
        crs = result.grid.crs
        return {
            **result.properties(),
            "crs_wkt": crs.to_wkt() if crs else None,
            "datetime": times[0] if times else None,
            "alpha": "0 where pixels are missing in all bands",
            "provenance": result.provenance(),
        }
