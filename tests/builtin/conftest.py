"""Fixtures of the plugins' tests: a raster order made in a real workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from oseo_lab.builtin.processor_raster import RASTER
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import Asset, CatalogueItem, ItemJob
from oseo_lab.ports import Inputs
from oseo_lab.production.workspace import JobWorkspace

ACQUIRED = datetime(2020, 3, 18, 9, 41, 1, tzinfo=UTC)


@pytest.fixture
def make_raster(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Order a raster from files; return the first product's path, with the products as ``made.products``."""
    with ExitStack() as stack:

        def make(
            paths: Mapping[str, Path | str],
            options: Mapping[str, Any] | None = None,
            scene: Mapping[str, Any] | None = None,
            *,
            identifier: str = "scene_1",
            cancelled: Callable[[], bool] = lambda: False,
            assets: tuple[Asset, ...] | None = None,
            settings: Mapping[str, Any] | None = None,
        ) -> Path:
            make.count += 1
            workspace = stack.enter_context(
                JobWorkspace(
                    str(tmp_path), f"job{make.count}", progress=make.progress.append, cancelled=cancelled
                )
            )
            known = assets or tuple(Asset(name=name, href=str(path)) for name, path in paths.items())
            item = CatalogueItem(identifier=identifier, collection_id="test", assets=known, datetime=ACQUIRED)
            job = ItemJob(
                key="k",
                order_id="urn:uuid:00000000-0000-4000-8000-000000000000",
                number=1,
                attempt=1,
                item_id="1",
                product=ProductId(identifier=identifier),
                collection_id="test",
                options=options or {},
                scene=scene or {},
                catalogue_settings=settings or {},
            )
            inputs = Inputs(item=item, paths={name: str(path) for name, path in paths.items()})
            make.products = RASTER(job, inputs, workspace)
            make.root = workspace.root
            return workspace.root / make.products[0].path

        make.count = 0
        make.progress = []
        yield make


@pytest.fixture
def rectangle() -> Callable[..., dict[str, Any]]:
    """Make a scene selection of west, south, east, north."""

    def make(west: float, south: float, east: float, north: float, crs: str = "EPSG:4326") -> dict[str, Any]:
        corners = [{"latitude": south, "longitude": west}, {"latitude": north, "longitude": east}]
        return {"sceneBoundingRectangle": corners, "areaCrs": crs}

    return make
