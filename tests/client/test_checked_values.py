"""Allowed values that cannot be made all the same: the draft, the service and Submit say one thing."""

from __future__ import annotations

import pytest

from oseo_lab.model.errors import ValidationError
from oseo_lab.testing import OseoServer
from tests.client.scenes import make_collections


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = make_collections(tmp_path_factory.mktemp("collections"))
    with OseoServer(folder, data_dir=tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture
def lab(server):
    return server.lab


@pytest.fixture
def parked(server):
    """No item begins, so that orders can be cancelled."""
    server.faults.is_parking = True
    yield
    server.faults.is_parking = False


def refused(change) -> str:
    with pytest.raises(ValidationError) as refusal:
        change()
    return str(refusal.value)


def test_a_crs_that_is_none_is_refused_where_it_is_written_with_what_the_scenes_have(lab):
    draft = lab.order(lab.search("scenes", text="SCENE_A"))
    said = refused(lambda: draft.options.update(crs="EPSG:32692"))
    assert "crs 'EPSG:32692' is no coordinate reference system that PROJ knows (nearest: " in said
    assert said.endswith("hint: the products have EPSG:32632")
    assert draft.options.crs == "native"


def test_items_and_areas_are_looked_at_too_and_nothing_has_changed_then(lab):
    draft = lab.order(["SCENE_A", "SCENE_B"], collection="scenes")
    assert "EPSG:99999" in refused(lambda: draft.items[1].options.update(crs="EPSG:99999"))
    assert "degrees" in refused(lambda: draft.options.update(crs="EPSG:4326", resolution=10))
    assert draft.items[1].options.crs == draft.options.crs == "native"
    draft.options.crs = "EPSG:4326"
    assert "degrees" in refused(lambda: setattr(draft.options, "resolution", 30))
    draft.options.resolution = 0.0001
    with draft.together():
        draft.options.crs = "EPSG:32632"
        draft.options.resolution = 20
    assert draft.options.values["resolution"] == 20


def test_the_same_is_asked_once(lab, monkeypatch):
    asked = []
    ask = lab.transport.ask
    monkeypatch.setattr(lab.transport, "ask", lambda *of, **how: asked.append(of) or ask(*of, **how))
    draft = lab.order(["SCENE_A"], collection="scenes")
    for _ in range(3):
        draft.options.crs = "EPSG:3035"
        draft.options.crs = "native"
    assert len([path for _, path in asked if path.endswith("/check")]) <= 2


def test_submit_and_the_path_say_the_same(lab):
    draft = lab.order(["SCENE_A"], collection="scenes")
    vars(draft.options)["_chosen"] = {"crs": "EPSG:99999"}  # a client that does not look
    said = refused(draft.submit)
    assert "item SCENE_A" in said and "'EPSG:99999' is no coordinate reference system" in said
    body = draft.request().specification
    (problem,) = lab.transport.ask("POST", "collections/scenes/check", body=body)["problems"]
    assert problem["text"] in said and problem["locator"] == "crs"


def test_a_thousand_alike_items_are_looked_at_once(lab, parked, monkeypatch):
    from oseo_lab.builtin.processor_raster import RasterProcessor

    seen = []
    check = RasterProcessor.check
    monkeypatch.setattr(
        RasterProcessor, "check", lambda self, options, scene: seen.append(1) or check(self, options, scene)
    )
    draft = lab.order([f"SCENE_{number}" for number in range(1000)], collection="scenes", crs="EPSG:3035")
    seen.clear()
    draft.submit().cancel()
    assert len(seen) == 1


def test_a_processor_that_breaks_over_values_refuses_nothing(lab, parked, monkeypatch, caplog):
    from oseo_lab.builtin.processor_raster import RasterProcessor

    def breaks(self, options, scene):
        raise RuntimeError("not today")

    monkeypatch.setattr(RasterProcessor, "check", breaks)
    lab.order(["SCENE_A"], collection="scenes", crs="EPSG:3035").submit().cancel()
    assert "could not check what was chosen" in caplog.text
