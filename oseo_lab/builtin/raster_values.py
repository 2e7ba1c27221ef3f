"""From a scene's values to the result's: missing pixels, scaling, data type.

Applied to each piece of rows after it was resampled, so it knows nothing of grids.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from oseo_lab.builtin.raster_options import Choices
from oseo_lab.builtin.raster_source import Band, Layer
from oseo_lab.model.job import FailureClass
from oseo_lab.ports import ProcessingFailed

__all__ = ["Values", "missing", "settle"]

_STRETCH = {"minmax": (0.0, 100.0), "percentile": (2.0, 98.0)}


@dataclass(frozen=True, kw_only=True)
class Values:
    """How a result's values are made.

    Parameters
    ----------
    dtype : str
        numpy name.
    nodata : float or None
        What marks missing pixels.
    gains, biases : tuple of float, or None
        Per band of the result, value = stored * gain + bias; None for values as they are.
    low, high : float or None
        Bounds that values are cut off at; the range of the data type if None.
    """

    dtype: str
    nodata: float | None
    gains: tuple[float, ...] | None = None
    biases: tuple[float, ...] | None = None
    low: float | None = None
    high: float | None = None

    def of(self, pixels: np.ndarray, source_nodata: float | None, first: int) -> np.ndarray:
        """Return a layer's pixels as the result has them.

        Parameters
        ----------
        pixels : ndarray
            Bands, rows, columns.
        source_nodata : float or None
            What marks missing pixels in them.
        first : int
            Index of their first band in the result.
        """
        same_nodata = source_nodata is None or _equal(source_nodata, self.nodata)
        if self.gains is None and pixels.dtype == self.dtype and same_nodata:
            return pixels
        gone = missing(pixels, source_nodata)
        result: np.ndarray = self._cast(self._scaled(pixels, first))
        if gone is not None and self.nodata is not None:
            result[gone] = self.nodata
        return result

    def _scaled(self, pixels: Any, first: int) -> Any:
        if self.gains is None or self.biases is None:
            return pixels
        shape = (-1, 1, 1)
        number = slice(first, first + len(pixels))
        # float32 holds neither the ends of 32-bit integers nor what wider pixels tell apart
        is_small = pixels.dtype.itemsize <= 2 and not self._is_long
        wide = np.float32 if is_small else np.float64
        gains = np.asarray(self.gains[number], wide).reshape(shape)
        return pixels.astype(wide) * gains + np.asarray(self.biases[number], wide).reshape(shape)

    @property
    def _is_long(self) -> bool:
        kind = np.dtype(self.dtype)
        return kind.kind in "iu" and kind.itemsize > 2

    def _cast(self, values: Any) -> Any:
        if np.dtype(self.dtype).kind in "fc":
            return values.astype(self.dtype)
        limits = np.iinfo(self.dtype)
        low = limits.min if self.low is None else self.low
        high = limits.max if self.high is None else self.high
        if values.dtype.kind == "f":
            exact = values.astype(np.float64, copy=False) if self._is_long else values
            values = np.rint(np.nan_to_num(exact, nan=self.nodata or 0.0))
        else:  # numpy compares integers of different types as they are
            own = np.iinfo(values.dtype)
            low, high = max(low, own.min), min(high, own.max)
        return np.clip(values, low, high).astype(self.dtype)


def missing(pixels: np.ndarray, nodata: float | None) -> np.ndarray | None:
    """Return which pixels are missing; None where all are there."""
    gone = None
    if pixels.dtype.kind in "fc":
        gone = np.isnan(pixels)
    if nodata is not None and not math.isnan(nodata):
        marked = pixels == np.asarray(nodata).astype(pixels.dtype)
        gone = marked if gone is None else gone | marked
    return gone


def settle(
    layers: Sequence[Layer], choices: Choices, *, has_gaps: bool, samples: Sequence[np.ndarray]
) -> tuple[Values, tuple[Band, ...]]:
    """Decide data type, nodata and scaling of a result.

    Parameters
    ----------
    layers : sequence of Layer
        Where its bands come from.
    choices : Choices
        What was asked for.
    has_gaps : bool
        Whether pixels can be missing although the scene names no nodata (new grid, polygon).
    samples : sequence of ndarray
        Valid values of each band, for a stretch; empty otherwise.

    Returns
    -------
    values : Values
        How to make them.
    bands : tuple of Band
        With the scale and offset that hold for the result.
    """
    bands = tuple(band for layer in layers for band in layer.bands)
    native = np.result_type(*(layer.dtype for layer in layers)).name
    if np.dtype(native).kind == "c":
        _check_complex(choices)
    if choices.scaling == "none":
        dtype = native if choices.data_type == "native" else choices.data_type
        return Values(dtype=dtype, nodata=_nodata(layers, dtype, has_gaps)), bands
    plain = tuple(replace(band, scale=1.0, offset=0.0) for band in bands)
    if choices.scaling == "offset-scale":
        dtype = "float32" if choices.data_type == "native" else choices.data_type
        nodata = math.nan if np.dtype(dtype).kind == "f" else _nodata(layers, dtype, True)
        gains, biases = tuple(band.scale for band in bands), tuple(band.offset for band in bands)
        return Values(dtype=dtype, nodata=nodata, gains=gains, biases=biases), plain
    dtype = "uint8" if choices.data_type == "native" else choices.data_type
    is_float = np.dtype(dtype).kind == "f"
    low, high = (0.0, 1.0) if is_float else (1.0, float(np.iinfo(dtype).max))
    ends = [_ends(sample, *_STRETCH[choices.scaling]) for sample in samples]
    gains = tuple((high - low) / (top - bottom) for bottom, top in ends)
    biases = tuple(low - bottom * gain for (bottom, _), gain in zip(ends, gains, strict=True))
    nodata = math.nan if is_float else 0.0
    return Values(dtype=dtype, nodata=nodata, gains=gains, biases=biases, low=low, high=high), plain


def _check_complex(choices: Choices) -> None:
    """Refuse what would lose the half of complex values, or cannot be written."""
    wanted = {"dataType": choices.data_type, "scaling": choices.scaling, "format": choices.format}
    for name, allowed in (("format", ("COG", "GeoTIFF")), ("scaling", ("none",)), ("dataType", ("native",))):
        if wanted[name] not in allowed:
            raise ProcessingFailed(
                f"the scene holds complex values, which {name} {wanted[name]} does not keep; allowed: "
                f"{', '.join(allowed)}",
                failure_class=FailureClass.BAD_REQUEST,
            )


def _ends(sample: np.ndarray, least: float, most: float) -> tuple[float, float]:
    if sample.size == 0:
        return 0.0, 1.0
    bottom, top = (float(end) for end in np.percentile(sample, (least, most)))
    return (bottom, top) if top > bottom else (bottom, bottom + 1.0)


def _nodata(layers: Sequence[Layer], dtype: str, has_gaps: bool) -> float | None:
    """Return the nodata of the first layer that names one, as far as the data type can hold it."""
    named = [layer.nodata for layer in layers if layer.nodata is not None]
    if not named and not has_gaps:
        return None
    kind = np.dtype(dtype)
    if named and _holds(kind, named[0]):
        return named[0]
    if kind.kind in "fc":
        return math.nan
    return float(np.iinfo(kind).min) if kind.kind == "i" and named else 0.0


def _holds(kind: np.dtype, value: float) -> bool:
    if kind.kind in "fc":
        return True
    if math.isnan(value) or not float(value).is_integer():
        return False
    limits = np.iinfo(kind)
    return bool(limits.min <= value <= limits.max)


def _equal(a: float, b: float | None) -> bool:
    return b is not None and (a == b or (math.isnan(a) and math.isnan(b)))
