"""The demo collections: whole or not at all, the same every time, and looking like land."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import RasterioIOError

import oseo_lab.demo as demo
from oseo_lab.demo import make_demo
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.option_groups import broken_in
from oseo_lab.wiring import read_collections

DAMAGED = "S2-DEMO_20240816"
SUMMER, WINTER = "S2-DEMO_20240707", "S2-DEMO_20240108"


@pytest.fixture(scope="session")
def made(demo: Path) -> Path:
    return demo


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _open(folder: Path, name: str) -> rasterio.DatasetReader:
    return rasterio.open(folder / "demo-s2" / name / f"{name}.tif")


def _land(folder: Path, name: str) -> dict[str, np.ndarray]:
    with _open(folder, name) as source:
        return dict(zip(source.descriptions, source.read().astype(float), strict=True))


def test_there_are_scenes_of_a_year_over_one_area(made: Path) -> None:
    items = [json.loads(path.read_text()) for path in sorted((made / "demo-s2").glob("*/S2-DEMO_*.json"))]

    assert len(items) >= 12
    assert len({str(item["bbox"]) for item in items}) == 1
    assert len({item["properties"]["datetime"][:7] for item in items}) == 12
    assert {item["properties"]["eo:cloud_cover"] > 20 for item in items} == {True, False}


def test_a_scene_is_tiled_named_and_georeferenced(made: Path) -> None:
    with _open(made, SUMMER) as source:
        assert source.descriptions == ("B02", "B03", "B04", "B08", "SCL")
        assert source.crs.to_epsg() == 32632
        assert source.res == (20.0, 20.0)
        assert source.nodata == 0
        assert source.dtypes[0] == "uint16"
        assert source.block_shapes[0] == (256, 256)
        assert source.overviews(1)


def test_what_an_item_says_of_its_files_is_true(made: Path) -> None:
    for path in (made / "demo-s2").glob("*/S2-DEMO_*.json"):
        for asset in json.loads(path.read_text())["assets"].values():
            content = (path.parent / asset["href"]).read_bytes()
            assert asset["file:size"] == len(content)
            assert asset["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()


def test_the_damaged_scene_opens_but_cannot_be_read(made: Path) -> None:
    with _open(made, DAMAGED) as source, pytest.raises(RasterioIOError):
        source.read()


def test_every_other_scene_reads_whole(made: Path) -> None:
    for path in sorted((made / "demo-s2").glob("*/*.tif")):
        if path.stem != DAMAGED:
            with rasterio.open(path) as source:
                assert (source.read(5) > 0).mean() > 0.8, path


def test_vegetation_is_greener_in_summer_and_snow_lies_in_winter(made: Path) -> None:
    summer, winter = _land(made, SUMMER), _land(made, WINTER)

    def greenness(bands: dict[str, np.ndarray]) -> float:
        return float(((bands["B08"] - bands["B04"]) / (bands["B08"] + bands["B04"])).mean())

    assert greenness(summer) > greenness(winter) + 0.2
    assert (winter["SCL"] == 11).sum() > 20_000
    assert (summer["SCL"] == 11).sum() == 0


def test_the_picture_is_land_and_not_noise(made: Path) -> None:
    green = _land(made, SUMMER)["B03"]

    beside = np.corrcoef(green[:, :-1].ravel(), green[:, 1:].ravel())[0, 1]
    assert beside > 0.85


def test_the_lake_is_one_dark_flat_surface_in_both_collections(made: Path) -> None:
    with rasterio.open(made / "demo-dem" / "DEM-DEMO_NORTH.tif") as source:
        height, box = source.read(1), source.bounds
        assert source.descriptions == ("elevation",)
    with _open(made, SUMMER) as source:
        window = source.window(*box).round_offsets().round_lengths()
        water = source.read(5, window=window) == 6
    level = height[np.isclose(height, 65.0, atol=0.05)]
    share = level.size / height.size
    assert abs(share - water.mean()) < 0.06
    assert height.max() > 1800


def test_the_two_tiles_of_elevation_meet(made: Path) -> None:
    with (
        rasterio.open(made / "demo-dem" / "DEM-DEMO_NORTH.tif") as north,
        rasterio.open(made / "demo-dem" / "DEM-DEMO_SOUTH.tif") as south,
    ):
        assert north.bounds.bottom == south.bounds.top
        assert np.abs(north.read(1)[-1] - south.read(1)[0]).mean() < 15


def test_all_of_it_is_small(made: Path) -> None:
    assert sum(path.stat().st_size for path in made.rglob("*") if path.is_file()) < 120_000_000


def test_a_second_call_touches_nothing(made: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}

    assert make_demo(made) == made
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")

    with pytest.raises(ConfigurationError, match="something else"):
        make_demo(tmp_path)
    assert _names(tmp_path) == ["mine.txt"]


def test_scenes_painted_again_are_the_same_to_the_bit(made: Path) -> None:
    from oseo_lab.demo.cover import make_cover
    from oseo_lab.demo.scenes import SCENES, paint
    from oseo_lab.demo.terrain import make_terrain

    terrain = make_terrain()
    cover = make_cover(terrain)
    for scene in (SCENES[1], SCENES[10]):
        with _open(made, scene.identifier) as source:
            assert np.array_equal(source.read(), paint(scene, terrain, cover).pixels)


# ------------------------------------------------- moments of making, with a quick stand-in for the pixels


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    import oseo_lab.demo.files as files

    made: list[Path] = []

    def write(folder: Path) -> None:
        made.append(folder)
        (folder / "demo-s2.toml").write_text("id = 'demo-s2'\n")

    monkeypatch.setattr(files, "write_demo", write)
    return made


def test_making_stops_halfway_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import oseo_lab.demo.files as files

    def write(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError("no space left on device")

    monkeypatch.setattr(files, "write_demo", write)
    with pytest.raises(OSError, match="no space"):
        make_demo(tmp_path / "demo")
    assert _names(tmp_path) == []


def test_two_make_it_at_once_and_one_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import oseo_lab.demo.files as files

    both = threading.Barrier(2)

    def write(folder: Path) -> None:
        (folder / "demo-s2.toml").write_text(f"# {threading.get_ident()}\n")
        both.wait(20)

    monkeypatch.setattr(files, "write_demo", write)
    answers: list[Path] = []
    threads = [
        threading.Thread(target=lambda: answers.append(make_demo(tmp_path / "demo"))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [tmp_path / "demo"] * 2
    assert _names(tmp_path) == ["demo"]


def test_what_is_drawn_is_told_once_and_data_of_another_version_are_made_anew(
    tmp_path: Path, quick: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    make_demo(tmp_path / "demo", said.append)
    make_demo(tmp_path / "demo", said.append)
    assert said == [demo.DRAWING]
    monkeypatch.setattr(demo, "VERSION", "next")
    make_demo(tmp_path / "demo")

    assert len(quick) == 2
    assert (tmp_path / "demo" / ".demo-version").read_text().strip() == "next"
    assert _names(tmp_path) == ["demo"]


def test_what_a_killed_maker_left_is_swept_later(tmp_path: Path, quick: list[Path]) -> None:
    old, fresh = tmp_path / ".demo-making-old", tmp_path / ".demo-making-new"
    for folder in (old, fresh):
        folder.mkdir()
    os.utime(old, (1, 1))

    make_demo(tmp_path / "demo")

    assert not old.exists()
    assert fresh.exists()
    shutil.rmtree(fresh)


def test_every_product_has_a_small_picture(made: Path) -> None:
    pictures = [*made.glob("demo-s2/*/thumbnail.png"), *made.glob("demo-dem/*.png")]

    assert len(pictures) == 15 + 2
    for each in pictures:
        content = each.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) < 250_000


def test_the_scenes_teach_which_choices_go_together(made: Path) -> None:
    scenes = read_collections(made)["demo-s2"]
    (group,) = scenes.option_groups(OrderType.PRODUCT_ORDER)
    assert [each.then for each in group.rules if "bands" in each.when] == [
        {"resampling": ("nearest", "mode")}
    ]
    (said,) = broken_in(group, {"bands": ["B04", "SCL"], "resampling": "bilinear"})
    assert "SCL holds codes of classes" in said.text and "allowed: nearest, mode" in said.text
