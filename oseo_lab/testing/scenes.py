"""The collections of a test service: small real scenes that can be ordered, quoted, subscribed to.

``test-scenes`` is made at once; what is ordered of ``test-desk`` waits for an operator.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

__all__ = ["SCENES", "write_collections", "write_scene"]

#: The products that are there from the beginning: identifiers and days of June 2024.
SCENES = {f"TEST_{number:03}": datetime(2024, 6, number) for number in range(1, 7)}
#: Cells of a scene's side, and its upper left corner in EPSG:32632, metres.
SIZE, CELL, WEST, NORTH = 64, 20.0, 620000.0, 5067000.0

_COLLECTION = """\
id = "{name}"
title = "{title}"

[processor]
use = "raster"

[catalogue]
use = "folder"
href = "scenes"

[products]
pattern = "TEST_[0-9]+"

[delivery]
days = 10

[[options]]
name = "format"
default = "COG"

[[options]]
name = "crs"
default = "native"

[subscription]
every = 60

[quotation]
use = "tariff"
currency = "CREDIT"
item = 1.5

[approval]
automatic = {automatic}
"""


def write_collections(folder: Path) -> Path:
    """Write the collection files and their scenes into a new folder; return it."""
    (folder / "scenes").mkdir(parents=True)
    for name, title, automatic in (
        ("test-scenes", "Scenes for tests", "true"),
        ("test-desk", "Scenes for tests, approved by an operator", "false"),
    ):
        text = _COLLECTION.format(name=name, title=title, automatic=automatic)
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    for identifier, day in SCENES.items():
        write_scene(folder, identifier, day)
    return folder


def write_scene(folder: Path, identifier: str, time: datetime) -> None:
    """Write one scene: two bands, numbers that depend on its identifier; whole or not at all."""
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    seed = sum(identifier.encode())
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    pixels = np.stack([1000 + rows * 10 + seed, 2000 + columns * 10 + seed]).astype("uint16")
    made = folder / "scenes" / f".{uuid4().hex}"
    with rasterio.open(
        made,
        "w",
        driver="GTiff",
        width=SIZE,
        height=SIZE,
        count=2,
        dtype="uint16",
        crs="EPSG:32632",
        transform=from_origin(WEST, NORTH, CELL, CELL),
        nodata=0,
    ) as scene:
        scene.write(pixels)
        scene.descriptions = ("B04", "B08")
        scene.update_tags(TIFFTAG_DATETIME=f"{time + timedelta(hours=10):%Y:%m:%d %H:%M:%S}")
    made.rename(folder / "scenes" / f"{identifier}.tif")
