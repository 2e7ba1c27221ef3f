"""How the demo data lie on disk: GeoTIFFs, thumbnails, a static STAC catalogue, collection files.

Everything is written in one order and without the time of writing, so that two runs give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np

from oseo_lab.demo.cover import make_cover
from oseo_lab.demo.noise import Grid
from oseo_lab.demo.scenes import BANDS, SCENES, Picture, Scene, paint
from oseo_lab.demo.terrain import CELL, SIZE, Terrain, make_terrain

__all__ = ["write_demo"]

EPSG = 32632
WEST, NORTH = 620460.0, 5066760.0  #: Upper left corner, metres in EPSG:32632.
_DEM_CELL = 30.0
_LICENCE = "CC0-1.0"
_COMMON_NAMES = {"B02": "blue", "B03": "green", "B04": "red", "B08": "nir"}
_MICROMETRES = {"B02": 0.49, "B03": 0.56, "B04": 0.665, "B08": 0.842}
_COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
_EXTENSIONS = [
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/view/v1.0.0/schema.json",
]

_S2_TOML = """\
# Demo collection: made on first use, safe to delete; it is made again when it is needed.
id = "demo-s2"
title = "Demo: optical scenes of a lake in the mountains"
description = "A made-up year 2024 over one area in the style of Sentinel-2: blue, green, red, near infrared \
and scene classes, 20 m, UTM 32N, reflectance times 10000. The file of S2-DEMO_20240816 is damaged on \
purpose, so that an order can succeed in part; S2-DEMO_20240622 lies in an archive, which restores it \
within seconds."

[processor]
use = "raster"

[catalogue]
use = "oseo_lab.demo.archive:DemoArchive"
href = "demo-s2/catalog.json"
restore = 12

[products]
pattern = "S2-DEMO_[0-9]{8}"

[delivery]
access = ["http", "https"]
days = 10
packaging = ["zip", "tar", "tgz", "gzip", "bzip2", "7z"]
scope = "item"

[[options]]
name = "format"
default = "COG"

[[options]]
name = "crs"
allowed = ["native", "EPSG:32632", "EPSG:32633", "EPSG:25832", "EPSG:3035", "EPSG:3857", "EPSG:4326"]
default = "native"

[[options]]
name = "bands"
allowed = ["B02", "B03", "B04", "B08", "SCL"]

[[rules]]
when = { bands = ["SCL"] }
then = { resampling = ["nearest", "mode"] }
reason = "SCL holds codes of classes, and a mean of two codes is neither"

[limits]
items = 1000

[subscription]
every = 60

[quotation]
use = "tariff"
currency = "CREDIT"
item = 1.5
options.format = { NetCDF = 0.5 }
discounts = [{ items = 10, percent = 20 }]

[approval]
automatic = true
"""

_DEM_TOML = """\
# Demo collection: made on first use, safe to delete; it is made again when it is needed.
id = "demo-dem"
title = "Demo: elevation of the same land"
description = "Heights above the sea in metres, 30 m, UTM 32N, in two tiles that meet without a gap."

[processor]
use = "raster"

[catalogue]
use = "folder"
href = "demo-dem"

[products]
pattern = "DEM-DEMO_[A-Z]+"

[delivery]
access = ["http", "https"]
days = 10
packaging = ["zip", "tar", "tgz", "gzip", "bzip2", "7z"]
scope = "item"

[[options]]
name = "format"
default = "COG"

[[options]]
name = "crs"
default = "native"

[limits]
items = 1000

[approval]
automatic = true
"""


def write_demo(folder: Path) -> None:
    """Make both demo collections in an empty folder."""
    terrain = make_terrain()
    _write_elevation(folder / "demo-dem", terrain)
    cover = make_cover(terrain)
    cover.stack  # noqa: B018  made once, before the threads share it

    def make(scene: Scene) -> dict[str, Any]:
        return _write_scene(folder / "demo-s2" / scene.identifier, scene, paint(scene, terrain, cover))

    with ThreadPoolExecutor(min(4, cpu_count() or 1), thread_name_prefix="oseo-demo") as threads:
        items = list(threads.map(make, SCENES))
    _write_catalogue(folder / "demo-s2", items)
    (folder / "demo-s2.toml").write_text(_S2_TOML, encoding="utf-8")
    (folder / "demo-dem.toml").write_text(_DEM_TOML, encoding="utf-8")


# -------------------------------------------------------------------------------------------------- pixels


def _write_raster(
    path: Path,
    pixels: np.ndarray[Any, Any],
    *,
    cell: float,
    north: float,
    nodata: float,
    descriptions: Sequence[str],
    scales: Sequence[float],
    units: Sequence[str],
    tags: Mapping[str, str],
) -> None:
    """Write a cloud-optimised GeoTIFF in EPSG:32632 whose upper left corner is (`WEST`, ``north``)."""
    import rasterio
    from rasterio import Affine
    from rasterio.io import MemoryFile
    from rasterio.shutil import copy

    count, height, width = pixels.shape
    profile = {
        "driver": "GTiff",
        "dtype": pixels.dtype,
        "count": count,
        "height": height,
        "width": width,
        "crs": rasterio.CRS.from_epsg(EPSG),
        "transform": Affine(cell, 0.0, WEST, 0.0, -cell, north),
        "nodata": nodata,
    }
    predictor = "FLOATING_POINT" if pixels.dtype.kind == "f" else "STANDARD"
    with rasterio.Env(GDAL_NUM_THREADS="1"), MemoryFile() as memory:
        with memory.open(**profile) as target:
            target.write(pixels)
            target.descriptions = tuple(descriptions)
            target.scales = tuple(scales)
            target.units = tuple(units)
            target.update_tags(**tags)
        with memory.open() as source:
            copy(
                source,
                path,
                driver="COG",
                compress="DEFLATE",
                level=6,
                predictor=predictor,
                blocksize=256,
                overview_resampling="NEAREST",
            )


def _write_scene(folder: Path, scene: Scene, picture: Picture) -> dict[str, Any]:
    """Write one scene's files; return its STAC item."""
    folder.mkdir(parents=True)
    path = folder / f"{scene.identifier}.tif"
    _write_raster(
        path,
        picture.pixels,
        cell=CELL,
        north=NORTH,
        nodata=0,
        descriptions=BANDS,
        scales=[1e-4] * 4 + [1.0],
        units=[""] * 5,
        tags={"TIFFTAG_DATETIME": scene.time.strftime("%Y:%m:%d %H:%M:%S")},
    )
    if scene.damaged:
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 5])
    (folder / "thumbnail.png").write_bytes(_thumbnail(picture.pixels))
    item = _item(scene, picture, folder)
    _write_json(folder / f"{scene.identifier}.json", item)
    return item


def _write_elevation(folder: Path, terrain: Terrain) -> None:
    """Write the elevation model in two tiles, north and south."""
    folder.mkdir(parents=True)
    height = np.round(_resample(terrain.height, _DEM_CELL / CELL), 1)
    middle = height.shape[0] // 2
    tiles = {"NORTH": (height[:middle], NORTH), "SOUTH": (height[middle:], NORTH - middle * _DEM_CELL)}
    for name, (part, north) in tiles.items():
        _write_raster(
            folder / f"DEM-DEMO_{name}.tif",
            np.asarray(part[None], dtype=np.float32),
            cell=_DEM_CELL,
            north=north,
            nodata=-9999.0,
            descriptions=["elevation"],
            scales=[1.0],
            units=["m"],
            tags={"TIFFTAG_DATETIME": "2024:01:01 00:00:00"},
        )
        (folder / f"DEM-DEMO_{name}.png").write_bytes(_png(_relief(part, height.max())))


def _resample(grid: Grid, step: float) -> np.ndarray[Any, Any]:
    """Return a grid at points ``step`` cells apart, bilinear."""
    at = (np.arange(int(SIZE / step)) + 0.5) * step - 0.5
    low = np.clip(np.floor(at).astype(int), 0, SIZE - 2)
    part = at - low
    rows = grid[low] * (1 - part)[:, None] + grid[low + 1] * part[:, None]
    return np.asarray(rows[:, low] * (1 - part) + rows[:, low + 1] * part)


def _thumbnail(pixels: np.ndarray[Any, Any]) -> bytes:
    """Return a small PNG in natural colours, stretched from the 2nd to the 98th percentile."""
    step = 4
    small = pixels[[2, 1, 0]].reshape(3, SIZE // step, step, SIZE // step, step).mean(axis=(2, 4))
    valid = pixels[4][::step, ::step] > 0
    picture = np.zeros((SIZE // step, SIZE // step, 3), dtype=np.uint8)
    for band in range(3):
        low, high = np.percentile(small[band][valid], [2, 98])
        stretched = np.clip((small[band] - low) / max(high - low, 1), 0, 1) * 255
        picture[..., band] = np.where(valid, stretched, 0)
    return _png(picture)


def _relief(height: np.ndarray[Any, Any], top: float) -> np.ndarray[Any, Any]:
    """Return shaded heights in RGB: green below, brown and white above, light from the north-west."""
    small = height[::3, ::3]
    down, right = np.gradient(small, 3 * _DEM_CELL)
    light = np.clip(0.72 + 0.6 * (down + right), 0.25, 1.0)
    steps = np.array([0.0, 0.3, 0.7, 1.0])
    colours = np.array([[104, 150, 96], [196, 184, 124], [150, 116, 92], [245, 245, 245]], dtype=float)
    share = (small - small.min()) / max(float(top - small.min()), 1.0)
    bands = [np.interp(share, steps, colours[:, band]) * light for band in range(3)]
    return np.stack(bands, axis=-1).astype(np.uint8)


def _png(picture: np.ndarray[Any, Any]) -> bytes:
    """Return an RGB picture as PNG (ISO/IEC 15948): one data chunk, no filters."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = picture.shape[:2]
    lines = b"".join(b"\0" + picture[row].tobytes() for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )


# ---------------------------------------------------------------------------------------------------- STAC


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _outline() -> dict[str, Any]:
    from rasterio.warp import transform_geom

    east, south = WEST + SIZE * CELL, NORTH - SIZE * CELL
    ring = [(WEST, NORTH), (WEST, south), (east, south), (east, NORTH), (WEST, NORTH)]
    found = transform_geom(f"EPSG:{EPSG}", "EPSG:4326", {"type": "Polygon", "coordinates": [ring]})
    points = [[round(x, 6), round(y, 6)] for x, y in found["coordinates"][0]]
    return {"type": "Polygon", "coordinates": [points]}


def _box(outline: Mapping[str, Any]) -> list[float]:
    points = outline["coordinates"][0]
    across, along = [point[0] for point in points], [point[1] for point in points]
    return [min(across), min(along), max(across), max(along)]


def _item(scene: Scene, picture: Picture, folder: Path) -> dict[str, Any]:
    """Return a scene's STAC item (STAC 1.1.0)."""
    outline = _outline()
    when = scene.time.isoformat().replace("+00:00", "Z")
    data = _asset(folder, f"{scene.identifier}.tif", _COG_TYPE, "data", "All bands")
    data["bands"] = [_band(name) for name in BANDS]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": _EXTENSIONS,
        "id": scene.identifier,
        "collection": "demo-s2",
        "geometry": outline,
        "bbox": _box(outline),
        "properties": {
            "datetime": when,
            "title": scene.title,
            "license": _LICENCE,
            "platform": "demo",
            "constellation": "sentinel-2",
            "instruments": ["msi"],
            "gsd": CELL,
            "eo:cloud_cover": picture.cloud_cover,
            "eo:snow_cover": picture.snow_cover,
            "view:sun_elevation": round(picture.sun.elevation, 2),
            "view:sun_azimuth": round(picture.sun.azimuth, 2),
            "proj:code": f"EPSG:{EPSG}",
            "proj:shape": [SIZE, SIZE],
            "proj:transform": [CELL, 0.0, WEST, 0.0, -CELL, NORTH],
        },
        "links": [
            {"rel": "root", "href": "../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
        "assets": {
            "data": data,
            "thumbnail": _asset(folder, "thumbnail.png", "image/png", "thumbnail", "Natural colours"),
        },
    }


def _asset(folder: Path, name: str, media_type: str, role: str, title: str) -> dict[str, Any]:
    content = (folder / name).read_bytes()
    return {
        "href": f"./{name}",
        "type": media_type,
        "title": title,
        "roles": [role],
        "file:size": len(content),
        "file:checksum": "1220" + hashlib.sha256(content).hexdigest(),  # multihash: SHA-256, 32 bytes
    }


def _band(name: str) -> dict[str, Any]:
    if name not in _COMMON_NAMES:
        return {"name": name, "description": "Scene classes, as of Sentinel-2 level 2A", "nodata": 0}
    return {
        "name": name,
        "eo:common_name": _COMMON_NAMES[name],
        "eo:center_wavelength": _MICROMETRES[name],
        "description": "Surface reflectance times 10000",
        "nodata": 0,
    }


def _write_catalogue(folder: Path, items: Sequence[Mapping[str, Any]]) -> None:
    """Write catalogue and collection over the items, newest last as they were made."""
    times = sorted(item["properties"]["datetime"] for item in items)
    root = {"rel": "root", "href": "./catalog.json", "type": "application/json"}
    _write_json(
        folder / "catalog.json",
        {
            "type": "Catalog",
            "stac_version": "1.1.0",
            "id": "oseo-lab-demo",
            "title": "Demo data of oseo_lab",
            "description": "Made-up scenes of a lake in the mountains.",
            "links": [root, {"rel": "child", "href": "./collection.json", "type": "application/json"}],
        },
    )
    _write_json(
        folder / "collection.json",
        {
            "type": "Collection",
            "stac_version": "1.1.0",
            "id": "demo-s2",
            "title": "Demo: optical scenes",
            "description": "A made-up year 2024 over one area, in the style of Sentinel-2.",
            "license": _LICENCE,
            "extent": {
                "spatial": {"bbox": [list(items[0]["bbox"])]},
                "temporal": {"interval": [[times[0], times[-1]]]},
            },
            "links": [
                root,
                {"rel": "parent", "href": "./catalog.json", "type": "application/json"},
                *(
                    {
                        "rel": "item",
                        "href": f"./{item['id']}/{item['id']}.json",
                        "type": "application/geo+json",
                    }
                    for item in items
                ),
            ],
        },
    )
