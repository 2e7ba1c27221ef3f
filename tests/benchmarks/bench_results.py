"""Using results: opening an item, reading its pixels, handles of a large order, small multiples.

Beside the opening stands rioxarray on the same file with the same chunks, beside the pixels rasterio reading
them at once, beside the handles a comprehension over the model's records, beside the picture matplotlib
drawing arrays that are RGBA already.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin

from oseo_lab.client.items import Items
from oseo_lab.client.opening import How, open_dataset, open_item
from oseo_lab.client.rasters import CHUNKS
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.order import ItemSpecification, OrderItem, StatusInfo
from oseo_lab.model.status import Status
from tests.benchmarks import Row

SIZE, BANDS, ITEMS, MAPS, ROUNDS = 2048, 4, 10_000, 8, 5


def _in_turn(*acts: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """Return the median seconds of each, run in turn."""
    took: list[list[float]] = [[] for _ in acts]
    for _ in range(rounds):
        for each, act in zip(took, acts, strict=True):
            began = time.perf_counter()
            act()
            each.append(time.perf_counter() - began)
    return [statistics.median(each) for each in took]


def _scene(path: Path) -> dict[str, Any]:
    pixels = np.random.default_rng(1).integers(1, 4000, (BANDS, SIZE, SIZE)).astype("uint16")
    profile = {"driver": "GTiff", "width": SIZE, "height": SIZE, "count": BANDS, "dtype": "uint16"}
    place = {"crs": "EPSG:32632", "transform": from_origin(600000, 5000000, 10, 10), "nodata": 0}
    with rasterio.open(path, "w", **profile, **place, tiled=True, compress="deflate") as file:
        file.write(pixels)
    asset = {
        "href": f"./{path.name}",
        "type": "image/tiff",
        "roles": ["data"],
        "bands": [{"name": each} for each in ("B02", "B03", "B04", "B08")],
    }
    return {"id": path.stem, "properties": {"datetime": "2024-06-01T10:00:00Z"}, "assets": {"a": asset}}


def _opening(folder: Path) -> list[Row]:
    import rioxarray

    item, path = _scene(folder / "scene.tif"), folder / "scene.tif"

    def read() -> None:
        with rasterio.open(path) as file:
            file.read()

    ours, floor, pixels, least = _in_turn(
        lambda: open_item(item, f"{folder}/", How()),
        lambda: rioxarray.open_rasterio(path, masked=True, chunks=CHUNKS),
        lambda: open_item(item, f"{folder}/", How(masked=False)).compute(),
        read,
    )
    size = f"{BANDS} bands of {SIZE} x {SIZE}"
    return [
        Row(what=f"open an item of {size}", ours=ours * 1e3, floor=floor * 1e3, unit="ms", target=4.0),
        Row(what=f"read its pixels, {size}", ours=pixels * 1e3, floor=least * 1e3, unit="ms", target=2.5),
    ]


def _handles() -> Row:
    def record(number: int) -> OrderItem:
        status = StatusInfo(status=Status.FAILED if number % 100 == 0 else Status.COMPLETED)
        name = f"S{number}"
        specification = ItemSpecification(item_id=name, identifier=ProductId(identifier=name))
        return OrderItem(specification=specification, status=status, number=number)

    records = [record(number) for number in range(1, ITEMS + 1)]
    order: Any = SimpleNamespace(id="urn:x", name="large")
    ours, floor = _in_turn(
        lambda: Items(order, records).failed,
        lambda: [each for each in records if each.status.status is Status.FAILED],
    )
    what = f"handles of {ITEMS} items, those that failed"
    return Row(what=what, ours=ours * 1e3, floor=floor * 1e3, unit="ms", note="at most 100 ms")


def _pictures(folder: Path) -> Row:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    items = [({**_scene(folder / "scene.tif"), "id": f"s{n}"}, f"{folder}/") for n in range(MAPS)]
    cube = open_dataset(items, How()).isel(x=slice(0, 900), y=slice(0, 900)).compute()
    ready = [np.random.default_rng(2).random((900, 900, 4)) for _ in range(MAPS)]

    def drawn() -> None:
        figure = Figure(figsize=(12, 6.3), layout="constrained")
        for cell, image in zip(figure.subplots(2, 4).flat, ready, strict=True):
            cell.imshow(image)
        figure.savefig(folder / "floor.png", dpi=200)

    ours, floor = _in_turn(lambda: cube.oseo.plot().save(folder / "ours.png"), drawn, rounds=2)
    return Row(what=f"{MAPS} maps in true colour", ours=ours, floor=floor, unit="s", target=2.5)


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        return [*_opening(Path(folder)), _handles(), _pictures(Path(folder))]
