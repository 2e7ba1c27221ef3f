"""``oseo-lab desk`` against a service in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from oseo_lab.client.connecting import connect
from oseo_lab.client.lab import Lab
from tests.acceptance.serving import TOKEN, Server
from tests.cli.conftest import Run
from tests.client.scenes import COLLECTION, make_collections

MODERATED = COLLECTION.replace('id = "scenes"', 'id = "moderated"') + "[approval]\nautomatic = false\n"


@pytest.fixture(scope="module")
def moderated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = make_collections(tmp_path_factory.mktemp("moderated"))
    (folder / "moderated.toml").write_text(MODERATED)
    server = Server(tmp_path_factory.mktemp("data"), collections=folder, executor="inline").start()
    yield server
    server.stop()


@pytest.fixture
def at(moderated: Server) -> list[str]:
    return ["--url", moderated.url, "--token", TOKEN]


@pytest.fixture
def lab(moderated: Server) -> Iterator[Lab]:
    with connect(moderated.url, TOKEN) as lab:
        yield lab


def test_the_board_is_shown_and_is_json_for_programs(run: Run, at: list[str], lab: Lab) -> None:
    order = lab.order(["SCENE_A"], "to-see", collection="moderated").submit()
    code, out, _ = run("desk", "show", *at)
    assert (code, "waiting for approval 1" in out, "to-see" in out) == (0, True, True)
    code, out, _ = run("desk", "show", "--json", *at)
    assert [each["order_id"] for each in json.loads(out)["waiting"]] == [order.id]
    assert run("desk", "approve", order.id, *at)[0] == 0
    assert order.wait(60).status == "Completed"


def test_several_are_decided_by_name_or_first_digits(run: Run, at: list[str], lab: Lab) -> None:
    one, two = (lab.order([f"SCENE_{each}"], f"of-{each}", collection="moderated").submit() for each in "AB")
    short = two.id.removeprefix("urn:uuid:")[:8]
    code, _, err = run("desk", "reject", "of-A", short, "--reason", "not today", *at)
    assert (code, err.count("is rejected")) == (0, 2)
    for each in (one, two):
        assert each.wait(60).status == "Cancelled"
        assert each.info == "rejected by an operator: not today"


def test_an_order_is_looked_at_before_it_is_decided_of(run: Run, at: list[str], lab: Lab) -> None:
    order = lab.order(["SCENE_A", "SCENE_B"], "to-look-at", collection="moderated", format="PNG")
    order.remark = "for the flood map"
    made = order.submit()
    code, out, _ = run("desk", "look", "to-look-at", *at)
    assert code == 0
    for said in ("to-look-at", "SCENE_A", "remark: for the flood map", 'format="PNG"', "from: moderated"):
        assert said in out
    code, out, _ = run("desk", "look", made.id, "--json", *at)
    assert json.loads(out)["approval"] == {"decided": "waiting"}
    assert run("desk", "reject", made.id, "--reason", "seen", *at)[0] == 0
    assert "decided: rejected by" in run("desk", "look", made.id, *at)[1]
    assert "SCENE_A" in lab.operator.look(made)._repr_html_()


def test_what_is_not_on_the_board_is_wrong_usage(run: Run, at: list[str]) -> None:
    code, _, err = run("desk", "approve", "nothing-of-the-kind", *at)
    assert (code, "no order of those on the board" in err) == (2, True)


def test_a_refusal_is_one_sentence(run: Run, at: list[str], lab: Lab) -> None:
    order = lab.order(["SCENE_A"], "automatic", collection="scenes").submit().wait(60)
    code, _, err = run("desk", "approve", order.id, *at)
    assert (code, "needs nobody's approval: it is Completed" in err) == (1, True)
    code, _, err = run("desk", "run-again", order.id, *at)
    assert (code, "nothing of the order is stuck" in err) == (1, True)
    assert run("desk", "reject", order.id, *at)[0] == 2  # without a reason


def test_users_are_told_and_told_no_more(run: Run, at: list[str]) -> None:
    assert run("desk", "announce", "Slow today", "--until", "2h", *at)[0] == 0
    assert "announcement: Slow today (until" in run("orders", "list", *at)[2]
    assert run("desk", "withdraw", *at)[0] == 0
    assert "announcement" not in run("orders", "list", *at)[2]
    assert run("desk", "announce", "Late", "--until", "2020-01-01T00:00Z", *at)[0] == 2
