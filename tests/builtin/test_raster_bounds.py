"""What a worker may be asked to bear: memory does not grow with the scene, and a cancel ends it soon."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from oseo_lab.model.job import FailureClass
from oseo_lab.ports import ProcessingFailed
from tests.like_a_worker import environment

# run in a process of its own, as a worker is: the peak of resident memory is a process's
_ORDER = """
import distributed, json, sys
from pathlib import Path
from oseo_lab.builtin.processor_raster import RASTER
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import Asset, CatalogueItem, ItemJob
from oseo_lab.ports import Inputs
from oseo_lab.production.workspace import JobWorkspace

scene, folder, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
item = CatalogueItem(identifier="big", collection_id="test", assets=(Asset(name="big", href=scene),))
job = ItemJob(key="k", order_id="o", number=1, attempt=1, item_id="1",
              product=ProductId(identifier="big"), collection_id="test", options=options)
workspace = JobWorkspace(folder, "big", progress=lambda progress: None, cancelled=lambda: False)
with workspace:
    products = RASTER(job, Inputs(item=item, paths={"big": scene}), workspace)
    size = (workspace.root / products[0].path).stat().st_size
# not ru_maxrss: that begins with the peak of the process that started this one
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) / 1024
print(json.dumps({"peak": peak, "size": size, "shape": products[0].properties["proj:shape"]}))
"""


def make_scene(path: Path, height: int, width: int, bands: int = 4) -> Path:
    """Write hills with a few random bits, as real scenes have, a row of tiles at a time."""
    noise = np.random.default_rng(1).integers(0, 64, (512, width), dtype="uint16")
    cols = np.arange(width, dtype="float32") / 331
    profile = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": bands,
        "dtype": "uint16",
        "nodata": 0,
        "crs": "EPSG:32633",
        "transform": from_origin(300000, 4700040, 10, 10),
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "deflate",
        "predictor": 2,
        "zlevel": 1,
    }
    with rasterio.open(path, "w", **profile) as file:
        for row in range(0, height, 512):
            rows = min(512, height - row)
            lines = np.arange(row, row + rows, dtype="float32")[:, np.newaxis] / 277
            hills = (1500 + 900 * np.sin(cols) * np.cos(lines)).astype("uint16") + noise[:rows]
            for band in range(1, bands + 1):
                file.write(hills + 200 * band, band, window=Window(0, row, width, rows))
    return path


def order(scene: Path, folder: Path, **options: str) -> dict[str, object]:
    """Order a scene in a process of its own; return its peak memory (MB), file size and shape."""
    done = subprocess.run(
        [sys.executable, "-c", _ORDER, str(scene), str(folder), json.dumps(options)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("crs", ["native", "EPSG:4326"])
def test_memory_does_not_grow_with_the_scene(crs, tmp_path):
    low = make_scene(tmp_path / "low.tif", 512, 5120)
    high = make_scene(tmp_path / "high.tif", 2560, 5120)  # 84 MB of pixels more
    peaks = [float(order(scene, tmp_path, crs=crs)["peak"]) for scene in (low, high)]
    assert peaks[1] < peaks[0] + 40
    assert peaks[1] < 300


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("crs", ["native", "EPSG:4326"])
def test_whole_sentinel2_sized_scene_stays_below_300_megabytes(crs, tmp_path):
    scene = make_scene(tmp_path / "whole.tif", 10980, 10980)
    assert float(order(scene, tmp_path, crs=crs)["peak"]) <= 300


@pytest.mark.parametrize("options", [{}, {"crs": "EPSG:4326"}, {"format": "NetCDF"}, {"format": "PNG"}])
def test_cancelled_item_ends_at_the_next_question_and_leaves_no_open_file(options, tmp_path, make_raster):
    scene = make_scene(tmp_path / "scene.tif", 2048, 2048, bands=2)
    questions = iter(range(10_000))
    with pytest.raises(ProcessingFailed) as ended:
        make_raster({"scene": scene}, options, cancelled=lambda: next(questions) >= 3)
    assert ended.value.failure_class is FailureClass.CANCELLED
    assert next(questions) == 4


def test_cancel_is_asked_for_while_the_file_is_put_together(tmp_path, make_raster):
    scene = make_scene(tmp_path / "scene.tif", 1024, 1024, bands=1)
    stages: list[str | None] = []

    def cancelled() -> bool:
        stages.append("asked")
        return (
            len(list(tmp_path.glob("job-*/*.level0.tmp"))) > 0
            and len(list(tmp_path.glob("job-*/scene_1.tif"))) > 0
        )

    with pytest.raises(ProcessingFailed) as ended:
        make_raster({"scene": scene}, cancelled=cancelled)
    assert ended.value.failure_class is FailureClass.CANCELLED
    assert len(stages) >= 4
