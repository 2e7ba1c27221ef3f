"""The demo's scene on tape: found as offline, restored soon after it was ordered, offline again later."""

from __future__ import annotations

import os
import time

import pytest

from oseo_lab.demo.archive import OFFLINE, DemoArchive
from oseo_lab.ports import CatalogueQuery, PicturedCatalogue, RestoringCatalogue


@pytest.fixture
def catalogue(demo, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    return DemoArchive("demo-s2", {"href": str(demo / "demo-s2" / "catalog.json"), "restore": 12})


def asked(tmp_path, seconds_ago):
    (marker,) = tmp_path.glob("oseo_lab-demo-*/*")
    moment = time.time() - seconds_ago
    os.utime(marker, (moment, moment))


def test_one_scene_is_offline_and_all_have_pictures(catalogue):
    found, _ = catalogue.search(CatalogueQuery())
    assert [each.identifier for each in found if each.offline] == [OFFLINE]
    assert isinstance(catalogue, RestoringCatalogue) and isinstance(catalogue, PicturedCatalogue)
    picture = catalogue.thumbnail(OFFLINE)
    assert picture.media_type == "image/png" and picture.content.startswith(b"\x89PNG")


def test_it_is_restored_when_it_was_asked_for_and_leaves_again(catalogue, tmp_path):
    scene = catalogue.find([OFFLINE])[OFFLINE]
    assert not scene.offline.is_asked
    assert not catalogue.restore(scene) and not catalogue.restore(scene)
    assert catalogue.find([OFFLINE])[OFFLINE].offline.is_asked
    asked(tmp_path, 13)
    assert catalogue.find([OFFLINE])[OFFLINE].offline is None and catalogue.restore(scene)
    asked(tmp_path, 700)
    assert not catalogue.find([OFFLINE])[OFFLINE].offline.is_asked


def test_scenes_that_are_there_need_no_restore(catalogue):
    (scene,) = catalogue.find(["S2-DEMO_20240607"]).values()
    assert scene.offline is None and catalogue.restore(scene)
