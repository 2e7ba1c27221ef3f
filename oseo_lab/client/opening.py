"""From delivered files to one `xarray.Dataset`, and to STAC: the last step of the walk.

Files are opened where they are: on disk, or by ranges over HTTP. Every item brings its time and band names
in its STAC item; the grid comes from the file. What does not fit together is
said, never resampled in silence.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from oseo_lab.model.errors import ConfigurationError, DeliveryError

if TYPE_CHECKING:
    import xarray

__all__ = ["item_collection", "open_dataset"]

#: How far two grids may be apart, in pixels, and still count as one.
TOLERANCE = 0.01

_RASTERS = ("image/tiff", "image/vnd.stac.geotiff", "application/geotiff")
_NETCDF = ("application/netcdf", "application/x-netcdf")
#: Dask chunks of GeoTIFFs: one band is not read for another, 32 MB of float32 or so at a time.
_CHUNKS = {"band": 1, "y": 2048, "x": 2048}
_ENDINGS = {".tif": _RASTERS[0], ".tiff": _RASTERS[0], ".nc": _NETCDF[0]}


def open_dataset(
    items: Sequence[tuple[dict[str, Any], str]], *, chunks: Any = "auto", masked: bool = True
) -> xarray.Dataset:
    """Return one dataset of all items: bands as variables, items along ``time``, CRS in ``spatial_ref``.

    Parameters
    ----------
    items : sequence of (dict, str)
        STAC items and the folder or URL their assets are relative to.
    chunks : any
        Dask chunks; None reads when values are asked for, without Dask.
    masked : bool
        Whether nodata becomes NaN (integers then become floats).

    Raises
    ------
    ConfigurationError
        If the extra ``xarray`` is not installed.
    DeliveryError
        If there is nothing to open, or it does not lie on one grid.
    """
    try:
        import rioxarray
    except ImportError as lacking:
        raise ConfigurationError(
            f"to_xarray() needs {lacking.name}: pip install 'oseo-lab[xarray]'"
        ) from None
    del rioxarray  # importing it gives datasets their .rio
    with warnings.catch_warnings():
        # rioxarray multiplies transforms the way it always did; nothing a user can do about it
        warnings.filterwarnings("ignore", category=PendingDeprecationWarning)
        warnings.filterwarnings("ignore", message="(Scales|Offsets) differ across bands")
        return _one_dataset([_open_item(item, base, chunks, masked) for item, base in items])


def _one_dataset(found: Iterable[xarray.Dataset | None]) -> xarray.Dataset:
    """Return the datasets of single items as one, in the order of their times."""
    import xarray

    opened = [each for each in found if each is not None]
    if not opened:
        raise DeliveryError(
            "none of the files is a GeoTIFF, COG or NetCDF: order with format='COG' and without packaging, "
            "or unpack and read them yourself"
        )
    if len(opened) == 1:
        return opened[0]
    opened.sort(key=lambda each: each["time"].values[0])
    fitted = _on_one_grid(opened)
    return xarray.concat(
        fitted,
        dim="time",
        join="outer",
        data_vars="all",
        coords="minimal",
        compat="override",
        combine_attrs="drop_conflicts",
    )


def _open_item(item: dict[str, Any], base: str, chunks: Any, masked: bool) -> xarray.Dataset | None:
    """Return one item's bands as a dataset with a ``time`` of length one; None if it has no raster."""
    import xarray

    parts = [
        _open_asset(asset, base, chunks, masked)
        for asset in item.get("assets", {}).values()
        if _kind(asset) and "data" in asset.get("roles", ["data"])
    ]
    if not parts:
        return None
    name = str(item.get("id", "an item"))
    for part in parts[1:]:
        _same_grid(parts[0], part, name)
    whole = xarray.merge(parts, join="override", compat="override", combine_attrs="drop_conflicts")
    if "time" not in whole.dims:
        whole = whole.assign_coords(time=_time_of(item)).expand_dims("time")
    # which product each moment comes from: what a plot's title or a filter needs
    return whole.assign_coords(item=("time", [name] * whole.sizes["time"]))


def _kind(asset: dict[str, Any]) -> str:
    """Return the media type of an asset this module opens; empty for others."""
    media = str(asset.get("type", "")).partition(";")[0].strip().lower()
    if media in (*_RASTERS, *_NETCDF):
        return media
    href = str(asset.get("href", "")).partition("?")[0].lower()
    return next((kind for ending, kind in _ENDINGS.items() if not media and href.endswith(ending)), "")


def _open_asset(asset: dict[str, Any], base: str, chunks: Any, masked: bool) -> xarray.Dataset:
    href = _absolute(str(asset["href"]), base)
    if _kind(asset) in _NETCDF:
        return _open_netcdf(href, chunks, masked)
    import rioxarray

    if "://" in href and not href.startswith(("http://", "https://")):
        raise DeliveryError(f"{href.partition('?')[0]} is no address that data are read from")
    source = f"/vsicurl/{href}" if "://" in href else href
    if chunks == "auto":
        chunks = _CHUNKS
    raster: Any = rioxarray.open_rasterio(
        source,
        masked=masked,
        chunks=chunks,
        default_name="band",
        driver="GTiff",  # what calls itself a TIFF is read as one: a VRT would open other files
    )
    names = _band_names(asset, raster)
    bands = {name: _one_band(raster, index, name) for index, name in enumerate(names)}
    import xarray

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


def _open_netcdf(href: str, chunks: Any, masked: bool) -> xarray.Dataset:
    import xarray

    if "://" in href:
        raise DeliveryError(
            "NetCDF is not read over HTTP: results.download(folder) first, then to_xarray(), or format='COG'"
        )
    dataset = xarray.open_dataset(href, decode_coords="all", chunks=chunks, mask_and_scale=masked)
    return dataset.rename({old: new for old, new in (("lon", "x"), ("lat", "y")) if old in dataset.dims})


def _band_names(asset: dict[str, Any], raster: Any) -> list[str]:
    """Return the names of a file's bands: its STAC asset's, its own descriptions', or numbers."""
    count = raster.sizes["band"]
    listed = [each.get("name") for each in asset.get("bands", asset.get("eo:bands", ()))]
    own = raster.attrs.get("long_name", ())
    own = [own] if isinstance(own, str) else list(own)
    for names in (listed, own):
        if len(names) == count and all(names) and len(set(names)) == count:
            return [str(each) for each in names]
    return [f"band_{number}" for number in range(1, count + 1)]


def _time_of(item: dict[str, Any]) -> Any:
    import numpy

    properties = item.get("properties", {})
    text = properties.get("datetime") or properties.get("start_datetime")
    if not text:
        return numpy.datetime64("NaT", "ns")
    moment = datetime.fromisoformat(str(text))
    if moment.utcoffset() is not None:
        moment = (moment - moment.utcoffset()).replace(tzinfo=None)  # type: ignore[operator]
    return numpy.datetime64(moment, "ns")


def _absolute(href: str, base: str) -> str:
    if "://" in href or href.startswith("/"):
        return href
    return urljoin(base, href) if "://" in base else base + href.removeprefix("./")


# ------------------------------------------------------------------------------------------------- grids


def _grid(dataset: xarray.Dataset) -> tuple[Any, float, float, float, float]:
    """Return CRS, pixel width and height, and the centre of the first pixel."""
    width, height = dataset.rio.resolution()
    return dataset.rio.crs, width, height, float(dataset["x"][0]), float(dataset["y"][0])


def _same_grid(one: xarray.Dataset, other: xarray.Dataset, name: str) -> None:
    shapes = [(each.sizes["y"], each.sizes["x"]) for each in (one, other)]
    if shapes[0] != shapes[1]:
        raise DeliveryError(
            f"the bands of {name} lie on different grids ({shapes[0]} and {shapes[1]} pixels): order them "
            "with one resolution=..., or open the files one by one"
        )


def _on_one_grid(opened: Iterable[xarray.Dataset]) -> list[xarray.Dataset]:
    """Return the datasets with coordinates that are equal where the pixels are the same."""
    opened = list(opened)
    first = _grid(opened[0])
    return [_fitted(each, first) for each in opened]


def _fitted(dataset: xarray.Dataset, grid: tuple[Any, float, float, float, float]) -> xarray.Dataset:
    crs, width, height, x0, y0 = grid
    own = _grid(dataset)
    if own[0] != crs:
        raise DeliveryError(
            f"the results are in different CRS ({crs} and {own[0]}): order them with one crs=..., or open "
            "them apart"
        )
    columns, rows = (own[3] - x0) / width, (own[4] - y0) / height
    apart = max(abs(columns - round(columns)), abs(rows - round(rows)))
    if abs(own[1] / width - 1) > 1e-6 or abs(own[2] / height - 1) > 1e-6 or apart > TOLERANCE:
        raise DeliveryError(
            f"the results lie on different grids (pixels of {width:g} and {own[1]:g}, {apart:.2f} of a pixel "
            "apart): order them with one crs=..., resolution=... and area=..., or open them apart"
        )
    import numpy

    x = x0 + width * (round(columns) + numpy.arange(dataset.sizes["x"]))
    y = y0 + height * (round(rows) + numpy.arange(dataset.sizes["y"]))
    fitted: xarray.Dataset = dataset.assign_coords(x=("x", x), y=("y", y))
    return fitted


# -------------------------------------------------------------------------------------------------- STAC


def item_collection(items: Sequence[tuple[dict[str, Any], str]]) -> Any:
    """Return a `pystac.ItemCollection` whose asset links are absolute."""
    import pystac

    found = []
    for plain, base in items:
        item = {**plain, "links": []}  # links of the delivery folder lead nowhere from here
        item["assets"] = {
            name: {**asset, "href": _absolute(str(asset["href"]), base)}
            for name, asset in plain.get("assets", {}).items()
        }
        found.append(pystac.Item.from_dict(item))
    return pystac.ItemCollection(found)
