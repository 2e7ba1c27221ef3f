"""A job with real files, and plugins it can name as ``module:attr`` of this very module."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from oseo_lab import plugins
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import Asset, CatalogueItem, ItemJob
from oseo_lab.model.order import new_order_id
from oseo_lab.production.workspace import JobWorkspace

CONTENT = {"red.tif": b"red" * 50_000, "blue.tif": b"blue" * 10_000, "empty.txt": b""}


@pytest.fixture
def source(tmp_path: Path) -> CatalogueItem:
    """A product of three files."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return CatalogueItem(
        identifier="S2:a product/1",
        collection_id="sentinel",
        assets=tuple(Asset(name=name.split(".")[0], href=str(folder / name)) for name in CONTENT),
        bbox=(10.0, 50.0, 11.0, 51.0),
        datetime=datetime(2024, 5, 1, 10, tzinfo=UTC),
        properties={"eo:cloud_cover": 12, "proj:code": "EPSG:32632"},
    )


@pytest.fixture
def named(source: CatalogueItem) -> Iterator[types.SimpleNamespace]:
    """A module ``production_plugins`` to put plugins into; it has a catalogue of the one product."""
    module: Any = types.ModuleType("production_plugins")

    class One:
        def __init__(self, collection_id: str, settings: object) -> None:
            pass

        def find(self, identifiers: list[str]) -> dict[str, CatalogueItem]:
            return {each: source for each in identifiers if each == source.identifier}

    module.One = One
    sys.modules["production_plugins"] = module
    plugins.load.cache_clear()
    from oseo_lab.production import inputs

    inputs._made.cache_clear()
    yield module
    del sys.modules["production_plugins"]
    plugins.load.cache_clear()
    inputs._made.cache_clear()


@pytest.fixture
def make_job(tmp_path: Path, source: CatalogueItem, named: object) -> Callable[..., ItemJob]:
    order_id = new_order_id()

    def make(**more: Any) -> ItemJob:
        return ItemJob(
            **{
                "key": "oseo-1-1",
                "order_id": order_id,
                "number": 1,
                "attempt": 1,
                "item_id": "my item",
                "product": ProductId(identifier=source.identifier),
                "collection_id": "sentinel",
                "catalogue": "production_plugins:One",
                "results": (tmp_path / "results").as_uri(),
                "scratch": (tmp_path / "scratch").as_uri(),
                **more,
            }
        )

    return make


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[JobWorkspace]:
    with JobWorkspace(
        str(tmp_path / "scratch"), "a key", progress=lambda _: None, cancelled=lambda: False
    ) as made:
        yield made
