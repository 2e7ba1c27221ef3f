"""Raster items beside the fastest plain script, and a batch of them beside ``xargs -P2 gdalwarp``.

The scene is synthetic: 10980 x 10980 pixels, 4 bands of uint16, UTM, tiled DEFLATE, made once per machine in
the temporary folder (0.7 GB). An item clips 2048 x 2048 pixels, reprojects them to EPSG:4326 (bilinear)
and writes a COG with overviews. The floor does the same by hand with rasterio, with every trick we know:
one window read, no per-pixel masks where no pixel is missing, DEFLATE level 1.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.warp import calculate_default_transform, reproject
from rasterio.windows import Window

from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import Asset, CatalogueItem, ItemJob
from oseo_lab.ports import Inputs
from oseo_lab.production.workspace import JobWorkspace
from tests.benchmarks import Row
from tests.like_a_worker import environment

SIDE, WINDOW, REPEATS, BATCH = 10980, 2048, 5, 32
TARGET = "EPSG:4326"
CORNERS = ((3000, 3000), (1000, 7000), (6000, 2000), (8000, 8000), (500, 500))
COG = {"compress": "deflate", "level": "1", "predictor": "yes", "blocksize": "512", "num_threads": "1"}


def scene() -> Path:
    """Return the synthetic scene, made on first use."""
    path = Path(tempfile.gettempdir()) / f"oseo_lab_bench_{SIDE}.tif"
    if path.exists():
        return path
    half_made = path.with_suffix(f".{os.getpid()}.tmp")
    noise = np.random.default_rng(1).integers(0, 64, (512, SIDE), dtype="uint16")
    cols = np.arange(SIDE, dtype="float32") / 331
    profile = {"driver": "GTiff", "height": SIDE, "width": SIDE, "count": 4, "dtype": "uint16", "nodata": 0}
    profile.update(crs="EPSG:32633", transform=from_origin(300000, 4700040, 10, 10), tiled=True)
    profile.update(blockxsize=512, blockysize=512, compress="deflate", predictor=2, zlevel=1)
    with rasterio.open(half_made, "w", **profile) as file:
        for row in range(0, SIDE, 512):
            rows = min(512, SIDE - row)
            lines = np.arange(row, row + rows, dtype="float32")[:, np.newaxis] / 277
            hills = (1500 + 900 * np.sin(cols) * np.cos(lines)).astype("uint16") + noise[:rows]
            for band in range(1, 5):
                file.write(hills + 200 * band, band, window=Window(0, row, SIDE, rows))
    half_made.rename(path)
    return path


def by_hand(path: Path, out: Path, corner: tuple[int, int], *, is_plain: bool = False) -> np.ndarray:
    """Make one item with rasterio alone; ``is_plain`` leaves the trick with the masks out."""
    window = Window(*corner, WINDOW, WINDOW)
    with rasterio.open(path) as source:
        grid = calculate_default_transform(source.crs, TARGET, WINDOW, WINDOW, *source.window_bounds(window))
        pixels = source.read(window=window)
        made = np.full((source.count, grid[2], grid[1]), source.nodata, pixels.dtype)
        is_masked = is_plain or bool((pixels == source.nodata).any())
        masks = {"src_nodata": source.nodata, "dst_nodata": source.nodata} if is_masked else {}
        reproject(
            pixels,
            made,
            src_transform=source.window_transform(window),
            src_crs=source.crs,
            dst_transform=grid[0],
            dst_crs=TARGET,
            resampling=Resampling.bilinear,
            init_dest_nodata=False,
            **masks,
        )
        profile = {"driver": "COG", "count": source.count, "dtype": made.dtype, "nodata": source.nodata}
        profile.update(height=grid[2], width=grid[1], crs=TARGET, transform=grid[0])
        with rasterio.open(out, "w", **profile, **COG, overview_resampling="nearest") as file:
            file.write(made)
    return made


def by_processor(path: Path, folder: Path, corner: tuple[int, int] | None) -> Path:
    """Make one item (or the whole scene) with the processor, in a workspace as a job has it."""
    from oseo_lab.builtin.processor_raster import RASTER

    item = CatalogueItem(identifier="bench", collection_id="b", assets=(Asset(name="a", href=str(path)),))
    scene_part: dict[str, Any] = {}
    if corner is not None:
        west, north = 300000 + 10 * corner[0], 4700040 - 10 * corner[1]
        low = {"longitude": west, "latitude": north - 10 * WINDOW}
        high = {"longitude": west + 10 * WINDOW, "latitude": north}
        scene_part = {"sceneBoundingRectangle": [low, high], "areaCrs": "EPSG:32633"}
    job = ItemJob(
        key=f"bench{corner}",
        order_id="o",
        number=1,
        attempt=1,
        item_id="1",
        product=ProductId(identifier="bench"),
        collection_id="b",
        options={"crs": TARGET, "resampling": "bilinear", "format": "COG"},
        scene=scene_part,
    )
    workspace = JobWorkspace(str(folder), job.key, progress=lambda _: None, cancelled=lambda: False)
    with workspace:
        products = RASTER(job, Inputs(item=item, paths={"a": str(path)}), workspace)
        return Path(shutil.move(workspace.root / products[0].path, folder / f"{os.getpid()}.tif"))


@contextmanager
def _gdal() -> Iterator[None]:
    with rasterio.Env(GDAL_CACHEMAX=256, GDAL_NUM_THREADS=1, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        yield


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _item(path: Path, folder: Path) -> list[Row]:
    ours, floor, different = [], [], 0
    for number in range(-1, REPEATS):
        corner = CORNERS[max(number, 0) % len(CORNERS)]
        mine = _seconds(lambda corner=corner: by_processor(path, folder, corner))
        with _gdal():
            hand = _seconds(lambda corner=corner: by_hand(path, folder / "floor.tif", corner))
        if number >= 0:
            ours.append(mine)
            floor.append(hand)
        if number == 0:
            expected = by_hand(path, folder / "plain.tif", corner, is_plain=True)
            with rasterio.open(folder / f"{os.getpid()}.tif") as made:
                different = int((made.read() != expected).sum())
    note = f"{different} pixels differ from plain reproject"
    row = Row(
        what="raster item: clip, reproject, COG",
        ours=statistics.median(ours),
        floor=statistics.median(floor),
        unit="s",
        target=1.1,
        note=note,
    )
    return [row]


def _one_of_batch(path: Path, folder: Path, corner: tuple[int, int]) -> None:
    by_processor(path, folder, corner)


def _warm() -> None:
    import oseo_lab.builtin.raster_make  # noqa: F401 - workers import it once, before any item


def _batch(path: Path, folder: Path) -> list[Row]:
    gdalwarp = shutil.which("gdalwarp")
    if gdalwarp is None:
        return []
    corners = [((index * 977) % 8900, (index * 613) % 8900) for index in range(BATCH)]
    commands = []
    for index, (col, row) in enumerate(corners):
        west, north = 300000 + 10 * col, 4700040 - 10 * row
        grid = calculate_default_transform(
            "EPSG:32633", TARGET, WINDOW, WINDOW, west, north - 10 * WINDOW, west + 10 * WINDOW, north
        )
        t = grid[0]
        extent = (t.c, t.f + t.e * grid[2], t.c + t.a * grid[1], t.f)
        words = [gdalwarp, "-q", "-overwrite", "-t_srs", TARGET, "-te", *map(repr, extent), "-r", "bilinear"]
        words += [
            "-ts",
            str(grid[1]),
            str(grid[2]),
            "-of",
            "COG",
            str(path),
            str(folder / f"warp{index}.tif"),
        ]
        commands.append(" ".join(words))
    pinned = {**os.environ, "GDAL_NUM_THREADS": "1", "GDAL_CACHEMAX": "256"}
    xargs = ["xargs", "-P2", "-I{}", "sh", "-c", "{}"]
    floor = _seconds(
        lambda: subprocess.run(xargs, input="\n".join(commands), text=True, check=True, env=pinned)
    )
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_warm) as pool:
        for future in [pool.submit(_warm) for _ in range(4)]:
            future.result()

        def ours() -> None:
            for future in [pool.submit(_one_of_batch, path, folder, corner) for corner in corners]:
                future.result()

        mine = _seconds(ours)
    version = subprocess.run([gdalwarp, "--version"], capture_output=True, text=True, check=True)
    return [
        Row(
            what=f"{BATCH} raster items on two workers, against xargs -P2 gdalwarp",
            ours=mine,
            floor=floor,
            unit="s",
            target=0.6,
            note=version.stdout.split(",")[0],
        )
    ]


def _whole(path: Path, folder: Path) -> list[Row]:
    """Measure the peak of a whole scene in a process like a worker's, against the 300 MB allowed."""
    code = (
        "import distributed, sys; from pathlib import Path\n"
        "from tests.benchmarks.bench_raster import by_processor\n"
        "by_processor(Path(sys.argv[1]), Path(sys.argv[2]), None)\n"
        "text = Path('/proc/self/status').read_text()\n"
        "print(text.split('VmHWM:')[1].split()[0])"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=environment(),
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [
        Row(
            what="whole scene to COG in EPSG:4326: peak memory, against 300 MB",
            ours=int(done.stdout) / 1024,
            floor=300.0,
            unit="MB",
            target=1.0,
            note=f"{cpu:.0f} s CPU",
        )
    ]


def run() -> list[Row]:
    """Measure an item, a batch and a whole scene."""
    path = scene()
    with tempfile.TemporaryDirectory() as folder:
        rows = _item(path, Path(folder)) + _batch(path, Path(folder)) + _whole(path, Path(folder))
    return rows


if __name__ == "__main__":
    print(
        json.dumps(
            [{"what": row.what, "ours": row.ours, "ratio": row.ratio, "note": row.note} for row in run()]
        )
    )
