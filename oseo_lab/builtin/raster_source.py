"""Opening a product's rasters: which assets hold pixels, which bands were chosen, where they lie on Earth.

The first step of the raster processor. Only drivers of self-contained files are allowed, nothing is
looked for beside a file, and no path of a catalogue is read as an instruction to GDAL.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from oseo_lab.builtin.remote import check_redirects, is_http
from oseo_lab.model.job import Asset, FailureClass
from oseo_lab.ports import Inputs, ProcessingFailed

__all__ = ["Band", "Layer", "gdal_settings", "open_layers"]

#: GDAL drivers that may open an asset: files of one piece, none that points to other files.
DRIVERS = ("GTiff", "netCDF", "JP2OpenJPEG", "PNG", "JPEG")

_SUFFIXES = frozenset({".tif", ".tiff", ".nc", ".nc4", ".jp2"})
_TYPES = ("image/tiff", "image/jp2", "application/x-netcdf", "application/netcdf")
_SIDE_ROLES = frozenset({"thumbnail", "overview", "metadata"})
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_+.-]*:")
#: CF attributes of variables that hold codes (CF-1.8, 3.5).
_FLAGS = frozenset({"flag_values", "flag_masks", "flag_meanings"})
#: Names of bands that hold codes, with missions and land cover products: SCL, QA_PIXEL, Fmask, ...
_CODES = re.compile(
    r"scl|qa\w*|bqa|\w+_qa|clm|\w*mask|\w*flags?|lulc|land_?cover|(\w+_)?class(es|ification)?",
    re.IGNORECASE,
)
_SCHEMES = ("http", "https", "s3", "gs")
#: How GDAL says that a server refused, or that none was there.
_NO_ANSWER = re.compile(r"HTTP response code: (\d{3})|CURL error")
#: Answers of the 400s that another try may not get.
_PASSING = frozenset({408, 425, 429})


def gdal_settings() -> dict[str, Any]:
    """Return the GDAL configuration of a worker: little cache, one thread, no look at other files.

    Of remote files nothing is kept when they are closed: GDAL would keep a refusal too, and a worker that
    met one could never try again. A server that stalls is left before its silence hides a cancelling.
    """
    return {
        "GDAL_CACHEMAX": 56,
        "GDAL_NUM_THREADS": 1,
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_HTTP_MAX_RETRY": 2,
        "GDAL_HTTP_RETRY_DELAY": 0.5,
        "GDAL_HTTP_CONNECTTIMEOUT": 10,
        "GDAL_HTTP_LOW_SPEED_TIME": 20,
        "GDAL_HTTP_LOW_SPEED_LIMIT": 1,
        "CPL_VSIL_CURL_NON_CACHED": "/vsicurl/:/vsis3/:/vsigs/",
        "GTIFF_SRS_SOURCE": "EPSG",
        "CPL_LOG_ERRORS": "OFF",
    }


@dataclass(frozen=True, kw_only=True)
class Band:
    """One band of the result: where it comes from and what it is called.

    Parameters
    ----------
    index : int
        From 1, in its dataset.
    name : str
        As it may be chosen; bands of several times share it.
    time : datetime or None
        Where the file itself gives one (a NetCDF time axis), UTC.
    scale, offset : float
        Physical value = stored value * scale + offset.
    units : str or None
        Of the physical value.
    is_classes : bool
        Whether values are codes of classes or flags: a mean of two codes is neither.
    resampling : str or None
        How its pixels were made, where they are not those of the scene.
    """

    index: int
    name: str
    time: datetime | None = None
    scale: float = 1.0
    offset: float = 0.0
    units: str | None = None
    is_classes: bool = False
    resampling: str | None = None


@dataclass(frozen=True, kw_only=True)
class Layer:
    """The chosen bands of one open dataset.

    Parameters
    ----------
    dataset : rasterio.DatasetReader
        Open.
    bands : tuple of Band
        The chosen ones.
    crs : CRS or None
        Of the transform or the ground control points.
    transform : Affine or None
        Pixel to CRS; None where control points say it.
    gcps : tuple of GroundControlPoint
        Ground control points, if there is no transform.
    nodata : float or None
        What marks missing pixels.
    dtype : str
        Of the chosen bands.
    extent : Window
        The part of the dataset that counts.
    """

    dataset: Any
    bands: tuple[Band, ...]
    crs: CRS | None
    transform: Affine | None
    gcps: tuple[GroundControlPoint, ...] = ()
    nodata: float | None = None
    dtype: str = "uint8"
    extent: Window

    @property
    def indexes(self) -> list[int]:
        """Band numbers in the dataset."""
        return [band.index for band in self.bands]

    @property
    def is_classes(self) -> bool:
        """Whether all its bands hold codes; `apart` makes it so of all or none."""
        return all(band.is_classes for band in self.bands)

    def apart(self) -> list[Layer]:
        """Return its bands, in order, as layers that hold either codes or measured values."""
        runs = itertools.groupby(self.bands, key=lambda band: band.is_classes)
        return [replace(self, bands=tuple(bands)) for _, bands in runs]

    @property
    def width(self) -> int:
        """Columns that count."""
        return int(self.extent.width)

    @property
    def height(self) -> int:
        """Rows that count."""
        return int(self.extent.height)

    @property
    def pixel(self) -> float:
        """Least side of a pixel, units of the CRS; infinite for control points."""
        if self.transform is None:
            return float("inf")
        a, b, _, d, e, _ = self.transform[:6]
        return float(min((a * a + d * d) ** 0.5, (b * b + e * e) ** 0.5))

    def cut(self, window: Window) -> Layer:
        """Return the layer limited to a window of what counts now."""
        assert self.transform is not None
        whole = Window(
            self.extent.col_off + window.col_off,
            self.extent.row_off + window.row_off,
            window.width,
            window.height,
        )
        moved = self.transform * Affine.translation(window.col_off, window.row_off)
        return replace(self, extent=whole, transform=moved)


@contextmanager
def open_layers(inputs: Inputs, wanted: Sequence[str], hosts: Sequence[str] = ()) -> Iterator[list[Layer]]:
    """Open a product's rasters and give a layer per dataset, in the order of the wanted bands.

    Parameters
    ----------
    inputs : Inputs
        The product and its paths.
    wanted : sequence of str
        Band names, asset names or NetCDF variables; empty for all.
    hosts : sequence of str
        Where servers may lead on to, beside themselves.

    Raises
    ------
    ProcessingFailed
        If there is no raster, a file cannot be read, its server leads elsewhere, or a wanted band does not
        exist (all are named).
    """
    assets = {asset.name: asset for asset in inputs.item.assets}
    paths = {name: path for name, path in inputs.paths.items() if _is_raster(assets.get(name), path)}
    if not paths:
        raise ProcessingFailed(
            f"product {inputs.item.identifier} has no raster file among its assets: "
            f"{', '.join(inputs.paths) or 'none'}; processor copy delivers other files as they are"
        )
    for path in paths.values():
        if is_http(path):
            check_redirects(path, hosts)
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        layers = [
            layer
            for name, path in paths.items()
            for layer in _open(stack, path, name, assets.get(name), inputs.item.properties)
        ]
        yield _chosen(layers, list(paths), wanted)


def _is_raster(asset: Asset | None, path: str) -> bool:
    roles = set(asset.roles) if asset else set()
    if "data" not in roles and roles & _SIDE_ROLES:
        return False
    kind = (asset.media_type or "").lower() if asset else ""
    return kind.startswith(_TYPES) or PurePosixPath(urlsplit(path).path).suffix.lower() in _SUFFIXES


def _open(
    stack: ExitStack, path: str, name: str, asset: Asset | None, properties: Mapping[str, Any]
) -> Iterator[Layer]:
    dataset = stack.enter_context(_dataset(path))
    if dataset.count == 0 and dataset.driver == "netCDF":
        for own in dataset.subdatasets:
            variable = stack.enter_context(rasterio.open(own, driver="netCDF", sharing=False))
            yield _layer(variable, [own.rpartition(":")[2]] * variable.count, asset)
    elif dataset.driver == "netCDF":
        variable_name = dataset.tags(1).get("NETCDF_VARNAME") or name
        yield _layer(dataset, [variable_name] * dataset.count, asset)
    else:
        yield _layer(dataset, _names(dataset, name, asset), asset)


def _dataset(path: str) -> Any:
    """Open a path or URL with the first allowed driver that knows it; nothing else is tried."""
    if path.startswith("/vsi") or (_PREFIX.match(path) and urlsplit(path).scheme not in _SCHEMES):
        raise ProcessingFailed("an asset's location is neither a file nor a URL of http, https, s3 or gs")
    reason = ""
    for driver in DRIVERS:
        try:
            return rasterio.open(path, driver=driver, sharing=False)
        except RasterioError as wrong:
            _check_answer(path, str(wrong))
            reason = reason or str(wrong)
    raise ProcessingFailed(
        f"{PurePosixPath(urlsplit(path).path).name} cannot be read as a raster: the file is damaged or of "
        f"another kind; readable: {', '.join(DRIVERS)}",
        detail=reason,
    )


def _check_answer(path: str, said: str) -> None:
    """Tell a server that does not answer, or does not give a file out, from a file that is no raster."""
    parts = urlsplit(path)
    no_answer = _NO_ANSWER.search(said) if parts.scheme in _SCHEMES else None
    if no_answer is None:
        return
    name, code = PurePosixPath(parts.path).name, int(no_answer[1] or 0)
    if 400 <= code < 500 and code not in _PASSING:
        raise ProcessingFailed(f"{parts.hostname} does not give out {name} (HTTP {code})", detail=said)
    raise ProcessingFailed(
        f"{parts.hostname}, where {name} lies, does not answer as it should; this is tried again",
        retry=True,
        detail=said,
    )


def _names(dataset: Any, name: str, asset: Asset | None) -> list[str]:
    """Name bands: as the catalogue does, else as the file does, else after the asset."""
    if asset and len(asset.bands) == dataset.count:
        return list(asset.bands)
    if all(dataset.descriptions) and len(set(dataset.descriptions)) == dataset.count:
        return list(dataset.descriptions)
    return [name] if dataset.count == 1 else [f"{name}_{index}" for index in dataset.indexes]


def _holds_codes(dataset: Any, index: int, name: str, asset: Asset | None) -> bool:
    """Whether a band holds codes: as catalogue or file say, or by a name used for nothing else."""
    said = asset.classes if asset else ()
    if name in said or (asset is not None and asset.name in said):
        return True
    if dataset.dtypes[index - 1].startswith(("float", "complex")):
        return False
    is_coloured = dataset.colorinterp[index - 1] is ColorInterp.palette
    return is_coloured or not _FLAGS.isdisjoint(dataset.tags(index)) or bool(_CODES.fullmatch(name))


def _layer(dataset: Any, names: Sequence[str], asset: Asset | None) -> Layer:
    points, points_crs = dataset.gcps
    has_points = bool(points) and dataset.crs is None
    crs = points_crs if has_points else dataset.crs
    if crs is None and dataset.driver == "netCDF" and _is_geographic(dataset.tags()):
        crs = CRS.from_epsg(4326)
    times = _times(dataset)
    bands = tuple(
        Band(
            index=index,
            name=name,
            time=times.get(index),
            scale=dataset.scales[index - 1],
            offset=dataset.offsets[index - 1],
            units=dataset.units[index - 1],
            is_classes=_holds_codes(dataset, index, name, asset),
        )
        for index, name in zip(dataset.indexes, names, strict=True)
    )
    return Layer(
        dataset=dataset,
        bands=bands,
        crs=crs,
        transform=None if has_points else dataset.transform,
        gcps=tuple(points) if has_points else (),
        nodata=dataset.nodata,
        dtype=dataset.dtypes[0],
        extent=Window(0, 0, dataset.width, dataset.height),
    )


def _is_geographic(tags: Mapping[str, str]) -> bool:
    """Whether a NetCDF's coordinates are CF latitude and longitude, which need no grid mapping."""
    units = {value for key, value in tags.items() if key.endswith("#units")}
    return {"degrees_east", "degrees_north"} <= units


def _times(dataset: Any) -> dict[int, datetime]:
    """Return the times of a NetCDF's bands, where its axis has a calendar of real dates."""
    if dataset.driver != "netCDF":
        return {}
    tags = dataset.tags()
    for index in dataset.indexes[:1]:
        axis = [key for key in dataset.tags(index) if re.fullmatch(r"NETCDF_DIM_(?i:time|t|date)", key)]
        if axis:
            name = axis[0].removeprefix("NETCDF_DIM_")
            return _dated(dataset, axis[0], tags.get(f"{name}#units", ""), tags.get(f"{name}#calendar"))
    return {}


def _dated(dataset: Any, key: str, units: str, calendar: str | None) -> dict[int, datetime]:
    import netCDF4

    date: Any = netCDF4.num2date  # its types know sequences only
    values = {index: float(dataset.tags(index)[key]) for index in dataset.indexes}
    try:
        return {
            index: date(
                value,
                units,
                calendar or "standard",
                only_use_cftime_datetimes=False,
                only_use_python_datetimes=True,
            ).replace(tzinfo=UTC)
            for index, value in values.items()
        }
    except ValueError:  # a calendar of 360 days, or units that are not a time
        return {}


def _chosen(layers: Sequence[Layer], assets: Sequence[str], wanted: Sequence[str]) -> list[Layer]:
    """Keep the wanted bands, in the order wanted; an asset's name stands for all its bands."""
    if not wanted:
        return list(layers)
    known = [band.name for layer in layers for band in layer.bands]
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ProcessingFailed(
            f"no band is called {', '.join(repr(name) for name in missing)}; this product has: "
            f"{', '.join(dict.fromkeys(known))}",
            failure_class=FailureClass.BAD_REQUEST,
        )
    result: list[Layer] = []
    for name in dict.fromkeys(wanted):
        for layer in layers:
            bands = tuple(band for band in layer.bands if band.name == name)
            if bands and result and result[-1].dataset is layer.dataset:
                result[-1] = replace(result[-1], bands=result[-1].bands + bands)
            elif bands:
                result.append(replace(layer, bands=bands))
    return result
