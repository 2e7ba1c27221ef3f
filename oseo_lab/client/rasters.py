"""One delivered file as an `xarray.Dataset`: GeoTIFF, COG, NetCDF, or a picture on its grid."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from oseo_lab.client.describing import absolute, entries
from oseo_lab.client.given import known_words
from oseo_lab.client.object_store import reachable
from oseo_lab.client.spool import is_remote, local_copy
from oseo_lab.model.errors import DeliveryError

if TYPE_CHECKING:
    import xarray

    from oseo_lab.client.transport import Transport

__all__ = ["CHUNKS", "NETCDF", "PICTURE", "RASTERS", "How", "kind_of", "open_asset"]

RASTERS = ("image/tiff", "image/vnd.stac.geotiff", "application/geotiff")
NETCDF = ("application/netcdf", "application/x-netcdf")
PICTURE = "image/png"
#: HDF5 knows no threads: xarray reads values one at a time, and opens files in as many threads as ask it to.
_NETCDF = threading.Lock()
#: Dask chunks of GeoTIFFs: one band is not read for another, 32 MB of float32 or so at a time.
CHUNKS = {"band": 1, "y": 2048, "x": 2048}
_ENDINGS = {".tif": RASTERS[0], ".tiff": RASTERS[0], ".nc": NETCDF[0], ".png": PICTURE}
#: What a picture's bands are called where nothing says it, by their number.
_COLOURS = {
    1: ("grey",),
    2: ("grey", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}


@dataclass(frozen=True, kw_only=True)
class How:
    """How files are opened.

    Parameters
    ----------
    chunks : any
        Dask chunks; None reads when values are asked for, without Dask.
    masked : bool
        Whether nodata becomes NaN (integers then become floats).
    bands : sequence of str or None
        Only these variables, in this order.
    mosaic : bool
        Whether what is of one day becomes one moment: tiles side by side, the first where they overlap.
    transport : Transport or None
        How to fetch what cannot be read by ranges; without one by the signature of its URL.
    """

    chunks: Any = "auto"
    masked: bool = True
    bands: Sequence[str] | None = None
    mosaic: bool = False
    transport: Transport | None = None

    @classmethod
    def given(cls, transport: Transport | None, how: Mapping[str, Any]) -> How:
        """Return how a caller wants files opened.

        Raises
        ------
        ValidationError
            If a keyword is not known.
        """
        known_words(how, ("chunks", "masked", "bands", "mosaic"))
        return cls(transport=transport, **how)


def kind_of(asset: Mapping[str, Any]) -> str:
    """Return the media type of an asset this module opens; empty for others."""
    media = str(asset.get("type", "")).partition(";")[0].strip().lower()
    if media in (*RASTERS, *NETCDF, PICTURE):
        return media
    href = str(asset.get("href", "")).partition("?")[0].lower()
    return next((kind for ending, kind in _ENDINGS.items() if not media and href.endswith(ending)), "")


def open_asset(asset: dict[str, Any], base: str, how: How) -> xarray.Dataset:
    """Open one file of a delivery: its bands as variables.

    Raises
    ------
    DeliveryError
        If it lies where no data are read from, or is not what it is called.
    """
    href = absolute(str(asset["href"]), base)
    kind = kind_of(asset)
    if is_remote(href) and kind not in RASTERS:
        href = str(local_copy(href, asset, how.transport))
    if kind in NETCDF:
        return _open_netcdf(href, how)
    raster = _open_raster(href, "PNG" if kind == PICTURE else "GTiff", how)
    if kind == PICTURE:
        return _picture(raster, asset, how.masked)
    return _bands_of(raster, asset, _band_names(asset, raster))


def _open_raster(href: str, driver: str, how: How) -> Any:
    """Open a raster where it lies: what calls itself a TIFF is read as one, a VRT would open other files."""
    import rasterio
    import rioxarray

    remote = is_remote(href)
    source = f"/vsicurl/{reachable(href)}" if remote else href
    # a server is not asked for sidecars that it does not list, and asked again when it is busy
    quiet = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_HTTP_MAX_RETRY": "3"} if remote else {}
    try:
        with rasterio.Env(**quiet):
            return rioxarray.open_rasterio(
                source,
                masked=how.masked and driver == "GTiff",
                chunks=CHUNKS if how.chunks == "auto" else how.chunks,
                default_name="band",
                driver=driver,
            )
    except rasterio.errors.RasterioIOError as wrong:
        where = href.partition("?")[0]
        raise DeliveryError(f"{where} cannot be opened: {str(wrong).replace(source, where)}") from None


def _bands_of(raster: Any, asset: Mapping[str, Any], names: Sequence[str]) -> xarray.Dataset:
    import xarray

    listed = _listed(asset)
    said: Sequence[Mapping[str, Any]] = listed if len(listed) == len(names) else [{}] * len(names)
    bands = {name: _one_band(raster, index, name) for index, name in enumerate(names)}
    for band, about in zip(bands.values(), said, strict=True):
        if common := about.get("eo:common_name", about.get("common_name")):
            band.attrs["common_name"] = str(common)
    return xarray.Dataset(bands)


def _one_band(raster: Any, index: int, name: str) -> Any:
    """Return one band of a raster with what is said of that band alone: its name, scale and offset."""
    band = raster.isel(band=index, drop=True)
    own = {"long_name": name}
    for each, singular in (("scales", "scale_factor"), ("offsets", "add_offset")):
        if each in raster.attrs:
            own[singular] = raster.attrs[each][index]
    count = raster.sizes["band"]
    # what is listed for each band of the file is not said of this one
    kept = {key: value for key, value in band.attrs.items() if not _is_list(value, count)}
    band.attrs = {**kept, **own}
    return band


def _is_list(value: Any, count: int) -> bool:
    return isinstance(value, tuple | list) and len(value) == count


def _picture(raster: Any, asset: Mapping[str, Any], masked: bool) -> xarray.Dataset:
    """Return a picture's colours on the grid that its description tells: PNG itself knows none."""
    count = raster.sizes["band"]
    shown = _names(asset)
    colours = _COLOURS.get(count, ())
    has_alpha = colours[-1:] == ("alpha",)
    own = shown if len(set(shown)) == count - has_alpha else colours[: count - has_alpha]
    whole = _bands_of(raster, {}, [*own, "alpha"] if has_alpha else own)
    if masked and has_alpha:
        whole = whole.where(whole["alpha"] > 0)
    whole = whole.drop_vars("alpha", errors="ignore")
    for name, colour in zip(own, ("red", "green", "blue") if len(own) == 3 else (), strict=False):
        whole[name].attrs |= {"common_name": colour, "valid_range": (0, 255)}  # its light is right
    return _placed(whole, asset)


def _placed(whole: xarray.Dataset, asset: Mapping[str, Any]) -> xarray.Dataset:
    """Return pixels with the coordinates and CRS that their description tells; as they are without."""
    import numpy
    from affine import Affine
    from rasterio.errors import CRSError

    code, transform = asset.get("proj:code"), asset.get("proj:transform")
    six = transform[:6] if isinstance(transform, list | tuple) else ()
    if not code or len(six) < 6 or not all(isinstance(each, int | float) for each in six):
        return whole
    at = Affine(*six)
    x = at.c + at.a * (numpy.arange(whole.sizes["x"]) + 0.5)
    y = at.f + at.e * (numpy.arange(whole.sizes["y"]) + 0.5)
    try:
        placed: xarray.Dataset = whole.assign_coords(x=("x", x), y=("y", y)).rio.write_crs(code)
    except CRSError as wrong:
        raise DeliveryError(f"{str(code)[:60]!r} is no CRS that is known: {wrong}") from None
    return cast("xarray.Dataset", placed.rio.write_transform(at))


def _open_netcdf(href: str, how: How) -> xarray.Dataset:
    import xarray

    try:
        with _NETCDF:
            dataset = xarray.open_dataset(
                href, decode_coords="all", chunks=how.chunks, mask_and_scale=how.masked, engine="netcdf4"
            )
    except (OSError, ValueError) as wrong:
        raise DeliveryError(f"{href} cannot be opened: {wrong}") from None
    return dataset.rename({old: new for old, new in (("lon", "x"), ("lat", "y")) if old in dataset.dims})


def _band_names(asset: dict[str, Any], raster: Any) -> list[str]:
    """Return the names of a file's bands: its STAC asset's, its own descriptions', or numbers."""
    count = raster.sizes["band"]
    listed = _names(asset)
    own = raster.attrs.get("long_name", ())
    own = [own] if isinstance(own, str) else list(own)
    for names in (listed, own):
        if len(names) == count and all(names) and len(set(names)) == count:
            return [str(each) for each in names]
    return [f"band_{number}" for number in range(1, count + 1)]


def _listed(asset: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a STAC asset says of each band (1.1: ``bands``, before: ``eo:bands``)."""
    return entries(asset.get("bands", asset.get("eo:bands")))


def _names(asset: Mapping[str, Any]) -> list[str]:
    names = [each.get("name") for each in _listed(asset)]
    return [each for each in names if isinstance(each, str) and each]
