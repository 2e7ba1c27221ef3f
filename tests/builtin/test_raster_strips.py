"""Whatever the strips, the pixels are those of the whole: a rule for any grid, kernel and strip height."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.warp import calculate_default_transform, reproject
from rasterio.windows import Window

from oseo_lab.builtin.raster_grid import Grid
from oseo_lab.builtin.raster_source import Band, Layer
from oseo_lab.builtin.raster_warp import Strips

SIZE = (260, 310)


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    """Two bands of hills with a collar of nodata, UTM 33 north."""
    path = tmp_path_factory.mktemp("strips") / "scene.tif"
    rows, cols = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    hills = 1200 + 800 * np.sin(rows / 17) * np.cos(cols / 23)
    pixels = np.stack([hills, hills[::-1]]).astype("uint16")
    pixels += np.random.default_rng(3).integers(0, 60, pixels.shape, dtype="uint16")
    pixels[:, rows + cols < 90] = 0
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=2,
        height=SIZE[0],
        width=SIZE[1],
        dtype="uint16",
        nodata=0,
        crs="EPSG:32633",
        transform=from_origin(300000, 4700040, 30, 30),
    ) as file:
        file.write(pixels)
    return path


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    resampling=st.sampled_from(["nearest", "bilinear", "cubic", "average", "mode", "lanczos"]),
    epsg=st.sampled_from([4326, 3857, 32632, 3035]),
    coarser=st.sampled_from([0.6, 1.0, 1.7, 2.3, 3.3]),
    cut=st.tuples(*[st.floats(0, 0.4)] * 2, *[st.floats(0.6, 1.0)] * 2),
    budget=st.integers(30_000, 900_000),
)
def test_strips_have_the_pixels_of_one_reproject(scene, resampling, epsg, coarser, cut, budget):
    with rasterio.open(scene) as source:
        target = CRS.from_epsg(epsg)
        transform, width, height = calculate_default_transform(
            source.crs, target, source.width, source.height, *source.bounds
        )
        whole = Grid(
            crs=target,
            transform=transform * Affine.scale(coarser),
            width=int(width / coarser),
            height=int(height / coarser),
        )
        left, top = int(cut[0] * whole.width), int(cut[1] * whole.height)
        grid = whole.window(
            Window(left, top, int(cut[2] * whole.width) - left, int(cut[3] * whole.height) - top)
        )
        layer = Layer(
            dataset=source,
            bands=(Band(index=1, name="a"), Band(index=2, name="b")),
            crs=source.crs,
            transform=source.transform,
            nodata=0,
            dtype="uint16",
            extent=Window(0, 0, source.width, source.height),
        )
        pieces = list(Strips(layer, grid, resampling, budget).pieces(0, grid.height))
        expected = np.zeros((2, grid.height, grid.width), "uint16")
        reproject(
            source.read(),
            expected,
            src_transform=source.transform,
            src_crs=source.crs,
            src_nodata=0,
            dst_nodata=0,
            dst_transform=grid.transform,
            dst_crs=target,
            resampling=Resampling[resampling],
        )
        assert np.array_equal(np.concatenate([pixels for _, pixels in pieces], axis=1), expected)
        assert [row for row, _ in pieces] == list(np.cumsum([0, *(p.shape[1] for _, p in pieces)]))[:-1]
