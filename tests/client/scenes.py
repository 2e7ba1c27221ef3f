"""Small collections for tests of the client and the command line, written on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

COLLECTION = """
id = "scenes"
title = "Test scenes"
[processor]
use = "raster"
[catalogue]
use = "folder"
href = "scenes"
[products]
pattern = "SCENE_[A-Z0-9_]+"
"""

DAYS = {"SCENE_A": 1, "SCENE_B": 11}


def write_scene(path: Path, day: int) -> None:
    pixels = np.random.default_rng(day).integers(1, 4000, (2, 128, 128)).astype("uint16")
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=128,
        height=128,
        count=2,
        dtype="uint16",
        crs="EPSG:32632",
        transform=from_origin(600000, 5000000, 10, 10),
        nodata=0,
    ) as scene:
        scene.write(pixels)
        scene.descriptions = ("B02", "B03")
        scene.update_tags(TIFFTAG_DATETIME=f"2024:06:{day:02d} 10:00:00")


def make_collections(folder: Path) -> Path:
    """Write a collection of two good scenes of June 2024 and a damaged one."""
    (folder / "scenes").mkdir()
    (folder / "scenes.toml").write_text(COLLECTION)
    for name, day in DAYS.items():
        write_scene(folder / "scenes" / f"{name}.tif", day)
    damaged = folder / "scenes" / "SCENE_X.tif"
    write_scene(damaged, 21)
    damaged.write_bytes(damaged.read_bytes()[:2000])
    return folder
