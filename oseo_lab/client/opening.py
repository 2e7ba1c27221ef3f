"""From delivered files to `xarray`: one dataset of an item, or of all items along time.

Files are opened where they are: on disk, or by ranges over HTTP and in object stores; only their headers are
read before values are asked for. Every item brings its time and band names in its STAC item; the grid comes
from the file. What does not fit together is said, never resampled in silence.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

from oseo_lab.client.describing import mapping, needed
from oseo_lab.client.grids import on_one_grid, same_bands, same_shape
from oseo_lab.client.plots import register
from oseo_lab.client.rasters import NETCDF, PICTURE, RASTERS, How, kind_of, open_asset
from oseo_lab.model.errors import DeliveryError, ValidationError

if TYPE_CHECKING:
    import xarray

__all__ = ["How", "open_dataset", "open_item"]


_AS_USUAL = How()


def open_item(item: dict[str, Any], base: str, how: How) -> xarray.Dataset:
    """Return one item's bands, with its ``time`` as a coordinate; a picture where nothing else was delivered.

    Raises
    ------
    ConfigurationError
        If the extra ``xarray`` is not installed.
    DeliveryError
        If there is nothing to open.
    """
    with _opening("item.open()"):
        found = _open(item, base, how) or _open(item, base, how, kinds=(PICTURE,), roles=("overview", "data"))
    if found is None:
        raise _nothing_to_open()
    return found.squeeze("time") if found.sizes.get("time") == 1 else found


def open_dataset(items: Sequence[tuple[dict[str, Any], str]], how: How = _AS_USUAL) -> xarray.Dataset:
    """Return one dataset of all items: bands as variables, items along ``time``, CRS in ``spatial_ref``.

    Parameters
    ----------
    items : sequence of (dict, str)
        STAC items and the folder or URL their assets are relative to.
    how : How
        How they are opened.

    Raises
    ------
    ConfigurationError
        If the extra ``xarray`` is not installed.
    DeliveryError
        If there is nothing to open, or it does not lie on one grid, or has different bands.
    """
    with _opening("to_xarray()"):
        return _one_dataset(_all_open(items, how), how.mosaic)


@contextmanager
def _opening(what: str) -> Iterator[None]:
    needed("rioxarray", what, "xarray")  # importing it gives datasets their .rio
    register()
    with warnings.catch_warnings():
        # rioxarray multiplies transforms the way it always did; nothing a user can do about it
        warnings.filterwarnings("ignore", category=PendingDeprecationWarning)
        warnings.filterwarnings("ignore", message="(Scales|Offsets) differ across bands")
        warnings.filterwarnings(
            "ignore", message="Dataset has no geotransform"
        )  # a picture's is told beside it
        yield


def _nothing_to_open() -> DeliveryError:
    return DeliveryError(
        "none of the files is a GeoTIFF, COG or NetCDF: order with format='COG' and without packaging, "
        "or unpack and read them yourself; item.open() opens a picture (PNG)"
    )


def _all_open(items: Sequence[tuple[dict[str, Any], str]], how: How) -> list[xarray.Dataset | None]:
    """Open all items; several at a time where each is a way to a server and back."""
    kinds = {kind_of(mapping(each)) for item, _ in items for each in mapping(item.get("assets")).values()}
    # the NetCDF library opens one file at a time
    if len(items) < 2 or kinds & set(NETCDF) or not all("://" in base for _, base in items):
        return [_open(item, base, how) for item, base in items]
    with ThreadPoolExecutor(8, thread_name_prefix="oseo-open") as pool:
        return list(pool.map(lambda each: _open(each[0], each[1], how), items))


def _one_dataset(found: Iterable[xarray.Dataset | None], mosaic: bool) -> xarray.Dataset:
    """Return the datasets of single items as one, in the order of their times."""
    opened = [each for each in found if each is not None]
    if not opened:
        raise _nothing_to_open()
    if len(opened) == 1:
        return opened[0]
    opened.sort(key=lambda each: each["time"].values[0])
    same_bands(opened)
    is_north_up = float(opened[0]["y"][0]) > float(opened[0]["y"][-1])
    fitted = on_one_grid(opened)
    whole = _along_time(_mosaics(fitted) if mosaic else fitted)
    # xarray sorts coordinates where it has to bring different ones together
    return whole.sortby("y", ascending=False) if is_north_up else whole


def _along_time(parts: Sequence[xarray.Dataset]) -> xarray.Dataset:
    import xarray

    if len(parts) == 1:
        return parts[0]
    return xarray.concat(
        parts,
        dim="time",
        join="outer",
        data_vars="all",
        coords="minimal",
        compat="override",
        combine_attrs="drop_conflicts",
    )


def _mosaics(opened: Sequence[xarray.Dataset]) -> list[xarray.Dataset]:
    """Return one dataset for each day: tiles side by side, the first where they overlap."""
    days: dict[str, list[xarray.Dataset]] = {}
    for each in opened:
        days.setdefault(str(each["time"].values[0])[:10], []).append(each)
    return [reduce(_beside, parts) for parts in days.values()]


def _beside(one: xarray.Dataset, other: xarray.Dataset) -> xarray.Dataset:
    from xarray import merge

    names = f"{one['item'].values[0]}, {other['item'].values[0]}"
    pixels = other.drop_vars("item").assign_coords(time=one["time"])
    both = one.drop_vars("item").combine_first(pixels).assign_coords(item=("time", [names]))
    return both.assign_attrs(
        merge([one[[]], other[[]]], compat="override", combine_attrs="drop_conflicts").attrs
    )


def _open(
    item: dict[str, Any],
    base: str,
    how: How,
    kinds: Sequence[str] = (*RASTERS, *NETCDF),
    roles: Sequence[str] = ("data",),
) -> xarray.Dataset | None:
    """Return one item's bands as a dataset with a ``time`` of length one; None if it has no raster."""
    import xarray

    chosen = {
        str(key): asset
        for key, asset in mapping(item.get("assets")).items()
        if kind_of(mapping(asset)) in kinds and _has_role(asset, roles)
    }
    if not chosen:
        return None
    name = str(item.get("id", "an item"))
    parts = _told_apart({key: open_asset(asset, base, how) for key, asset in chosen.items()})
    for part in parts[1:]:
        same_shape(parts[0], part, name)
    whole = xarray.merge(parts, join="override", compat="override", combine_attrs="drop_conflicts")
    whole = _chosen(whole, how.bands, name)
    if "time" not in whole.dims:
        whole = whole.assign_coords(time=_time_of(item)).expand_dims("time")
    # which product each moment comes from: what a plot's title or a filter needs
    whole = whole.assign_coords(item=("time", [name] * whole.sizes["time"]))
    return whole.assign_attrs(_facts(item))


def _has_role(asset: Mapping[str, Any], roles: Sequence[str]) -> bool:
    own = asset.get("roles", ["data"])
    return isinstance(own, list | tuple) and any(each in roles for each in own)


def _told_apart(parts: Mapping[str, xarray.Dataset]) -> list[xarray.Dataset]:
    """Return the files of one item with no name of a band twice: the file's name goes before it then."""
    seen = Counter(name for part in parts.values() for name in part.data_vars)
    found = []
    for key, part in parts.items():
        stem = key.partition(".")[0]
        alone = len(part.data_vars) == 1
        twice = {name: stem if alone else f"{stem}_{name}" for name in part.data_vars if seen[name] > 1}
        found.append(part.rename(twice))
    return found


def _chosen(whole: xarray.Dataset, bands: Sequence[str] | None, name: str) -> xarray.Dataset:
    if bands is None:
        return whole
    wanted = [bands] if isinstance(bands, str) else list(bands)
    if missing := [str(each) for each in wanted if each not in whole.data_vars]:
        there = ", ".join(map(str, whole.data_vars))
        raise ValidationError(f"{name} has no band {', '.join(missing)}; it has: {there}", locator="bands")
    return whole[wanted]


#: How an order's options tell what was done, in the order it is done.
_STEPS = (
    ("bands", "bands {}"),
    ("crs", "to {}"),
    ("resolution", "at {}"),
    ("scaling", "scaled ({})"),
    ("dataType", "as {}"),
    ("format", "{}"),
)
_PLAIN: tuple[Any, ...] = ("native", "none", None, "", [], ())


def _facts(item: Mapping[str, Any]) -> dict[str, str]:
    """Return what a dataset's attributes say of an item: collection, licence, what was done to it."""
    properties = mapping(item.get("properties"))
    options = mapping(properties.get("oseo:options"))
    steps = ["clipped"] if any(name.startswith("scene") for name in options) else []
    steps += [text.format(_said(options[name])) for name, text in _STEPS if options.get(name) not in _PLAIN]
    found = {
        "collection": item.get("collection"),
        "licence": properties.get("license"),
        "title": properties.get("title"),
        "processing": " → ".join(steps) or properties.get("processing:lineage"),
    }
    return {name: str(value) for name, value in found.items() if value}


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _time_of(item: dict[str, Any]) -> Any:
    import numpy

    properties = mapping(item.get("properties"))
    text = properties.get("datetime") or properties.get("start_datetime")
    if not text:
        return numpy.datetime64("NaT", "ns")
    try:
        moment = datetime.fromisoformat(str(text))
        offset = moment.utcoffset()
        plain = (moment if offset is None else moment - offset).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return numpy.datetime64("NaT", "ns")
    # nanoseconds reach from 1678 to 2262
    return numpy.datetime64(plain if 1678 <= plain.year <= 2261 else "NaT", "ns")
