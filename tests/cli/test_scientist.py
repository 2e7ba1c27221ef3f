"""The command line for scientists, against a service over real HTTP: words, streams, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.serving import Server

pytestmark = pytest.mark.usefixtures("known")


def test_an_order_from_search_to_files(run, tmp_path):
    code, out, err = run("search", "scenes", "--ids")
    assert code == 0 and sorted(out.split()) == ["SCENE_A", "SCENE_B", "SCENE_X"]
    code, out, err = run(
        "orders", "submit", "scenes", "-", "--name", "whole way", "-o", "crs=EPSG:4326", stdin=out
    )
    assert code == 0 and out.startswith("urn:uuid:") and "whole way" in err
    code, again, err = run("orders", "wait", "whole way")
    assert code == 3 and again == out, "partly: one scene is damaged"
    assert "SCENE_X: " in err and "2 of 3 delivered" in err
    code, out, err = run("orders", "download", "whole way", "--to", tmp_path)
    assert code == 3
    paths = [Path(line) for line in out.splitlines()]
    assert sorted(path.name for path in paths) == ["SCENE_A.tif", "SCENE_B.tif"]
    assert all(path.is_file() for path in paths)
    code, out, err = run("orders", "verify", tmp_path)
    assert code == 0 and "4 ok" in err
    paths[0].write_bytes(b"?")
    code, out, err = run("orders", "verify", tmp_path)
    assert code == 1 and f"changed\t{paths[0]}" in out


@pytest.mark.parametrize(
    ("scenes", "code"), [(["SCENE_A"], 0), (["SCENE_X"], 1), (["SCENE_A", "SCENE_X"], 3)]
)
def test_exit_code_says_how_an_order_ended(run, scenes, code):
    found, _, _ = run("orders", "submit", "scenes", *scenes, "--wait", "--again")
    assert found == code


def test_json_is_for_programs_and_messages_go_to_stderr(run):
    _, out, err = run("orders", "submit", "scenes", "SCENE_B", "--name", "for programs", "--wait", "--json")
    order = json.loads(out)
    assert order["specification"]["order_reference"] == "for programs"
    assert order["items"][0]["status"]["status"] == "Completed" and "Completed" in err
    _, out, _ = run("orders", "show", "for programs", "--json")
    assert json.loads(out)["order_id"] == order["order_id"]
    _, out, _ = run("orders", "list", "--name", "for*", "--json")
    assert [each["order_id"] for each in json.loads(out)] == [order["order_id"]]
    _, out, _ = run("search", "scenes", "--time", "2024-06-11", "--json")
    assert json.loads(out)["identifier"] == "SCENE_B"
    _, out, _ = run("collections", "list", "--json")
    assert json.loads(out)[0]["id"] == "scenes"


def test_lists_can_be_cut_and_grepped(run):
    run("orders", "submit", "scenes", "SCENE_A", "--name", "to list")
    _, out, _ = run("orders", "list", "--since", "1d")
    assert "to list" in [line.split("\t")[0] for line in out.splitlines()]


def test_submitting_twice_is_one_order(run):
    words = ("orders", "submit", "scenes", "SCENE_A", "--name", "once")
    _, first, _ = run(*words)
    _, second, _ = run(*words)
    assert first == second
    assert run(*words, "--again")[1] != first


def test_an_area_from_a_file_and_from_corners(run, tmp_path):
    from shapely.geometry import box, mapping

    path = tmp_path / "area.geojson"
    path.write_text(json.dumps(mapping(box(600100, 4999000, 600500, 4999500))))
    for area in (path, "600100,4999000,600500,4999500"):
        code, _, err = run(
            "orders", "submit", "scenes", "SCENE_A", "--area", area, "--area-crs", "EPSG:32632", "--wait"
        )
        assert code == 0, err


def test_what_still_runs_is_exit_4_and_can_be_cancelled(run, collections, tmp_path):
    idle = Server(tmp_path, collections=collections, dispatch=False).start()
    at = ("--url", idle.url)
    try:
        run("orders", "submit", "scenes", "SCENE_A", "--name", "unwanted", *at)
        code, _, err = run("orders", "wait", "unwanted", "--timeout", "0.3", *at)
        assert code == 4 and "nothing was cancelled" in err
        code, _, err = run("orders", "cancel", "unwanted", *at)
        assert code == 0 and "Order('unwanted'" in err
    finally:
        idle.stop()


def test_a_finished_order_cannot_be_cancelled(run):
    run("orders", "submit", "scenes", "SCENE_A", "--name", "finished", "--wait")
    code, _, err = run("orders", "cancel", "finished")
    assert code == 1 and "nothing to cancel" in err


def test_what_became_of_callbacks_is_shown(run):
    run("orders", "submit", "scenes", "SCENE_B", "--name", "never told", "--wait")
    code, out, err = run("orders", "notices", "never told")
    assert code == 0 and out == "" and "0 messages sent in 0 tries, 0 waiting" in err
    code, out, _ = run("orders", "notices", "never told", "--json")
    assert json.loads(out) == {"waiting": [], "sendings": []}


def test_polygons_travel_to_the_catalogue(run):
    inside = "POLYGON ((10.27 45.14, 10.29 45.14, 10.28 45.15, 10.27 45.14))"
    _, out, _ = run("search", "scenes", "--ids", "--area", inside)
    assert {"SCENE_A", "SCENE_B"} <= set(out.split())
    _, out, _ = run("search", "scenes", "--ids", "--area", inside.replace("45.1", "55.1"))
    assert not {"SCENE_A", "SCENE_B"} & set(out.split())


def test_options_of_a_collection_are_shown(run):
    code, out, _ = run("collections", "show", "scenes")
    assert code == 0 and "allowed: COG, GeoTIFF, NetCDF, PNG" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["orders", "submit", "scenes", "SCENE_A", "-o", "format=Zarr"], "allowed: COG"),
        (["orders", "submit", "scenes", "SCENE_A", "-o", "format"], "name=value"),
        (["orders", "submit", "scenes", "SCENE_A", "--packaging", "rar"], "allowed: zip"),
        (["orders", "submit", "scenes", "../../etc/passwd"], "not a product of scenes"),
        (["search", "scenes", "--area", "1,2,3,x"], "west,south,east,north"),
        (["search", "scenes", "--area", "nowhere.geojson"], "no file"),
        (["search", "scenes", "--time", "yesterday"], "allowed"),
        (["orders", "list", "--status", "done"], "allowed: Submitted"),
        (["orders", "sbumit"], "No such command"),
        (["orders", "verify", "/nowhere/at/all"], "no folder"),
    ],
)
def test_wrong_usage_is_exit_2_with_the_way_out(run, words, says):
    code, out, err = run(*words)
    assert (code, out) == (2, "") and says in " ".join(err.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["orders", "show", "never made"], "you have no order 'never made'"),
        (["search", "nowhere"], "no collection"),
        (["orders", "list", "--token", "wrong"], "token"),
        (["orders", "list", "--url", "http://127.0.0.1:9/"], "could not be reached"),
    ],
)
def test_what_fails_is_exit_1_without_a_traceback(run, words, says, monkeypatch):
    monkeypatch.setattr("oseo_lab.client.transport.time.sleep", lambda seconds: None)
    code, _, err = run(*words)
    assert code == 1 and says in err and "Traceback" not in err


def test_check_asks_the_catalogue_before_anything_is_sent(run):
    code, out, err = run("orders", "submit", "scenes", "SCENE_NONE", "--check", "--name", "not sent")
    assert code == 1 and out == "" and "no product 'SCENE_NONE'" in err
    assert run("orders", "show", "not sent")[0] == 1


def test_somebody_is_told_of_an_order_from_the_prompt(run):
    run("orders", "submit", "scenes", "SCENE_B", "--name", "told", "--wait")
    hook = "https://lab.example/hook"
    code, out, err = run("orders", "notify", "told", "--webhook", hook, "--on", "expiring")
    assert code == 0 and out.startswith("whsec_") and f"webhook to {hook}" in err
    code, out, err = run("orders", "notifications", "told", "--json")
    assert json.loads(out)["told"][0]["on"] == ["expiring"] and "whsec_" not in out
    code, _, err = run("orders", "notifications", "told", "--stop", hook)
    assert code == 0 and "nobody is told" in err
    code, _, err = run("orders", "notify", "told", "--email", "anna@lab.example")
    assert code == 2 and "no mail is sent from here" in err
